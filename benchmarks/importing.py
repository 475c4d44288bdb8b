"""What does importing JSONL (hash, parse, compress, tallies, copies looked for) cost beside the least a person could write:
json.loads and a plain sqlite3 executemany of the raw texts into one table? Aim: at least half as fast, in flat memory.

    python benchmarks/importing.py [SAMPLES]

Both read the same file in turn, three times each, in processes of their own; medians. Judging is left out (--no-verify).
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.make_study import write_file


def plain(file: Path, db: Path) -> None:
    connection = sqlite3.connect(db)
    connection.execute("CREATE TABLE sample (model TEXT, problem TEXT, reference TEXT, response TEXT, finish TEXT)")
    with file.open(encoding="utf-8") as lines:
        records = (json.loads(line) for line in lines)
        rows = ((r["model"], r["problem"], r["reference"], r["response"], r["finish"]) for r in records)
        connection.executemany("INSERT INTO sample VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def ours(file: Path, db: Path) -> None:
    from explorer import cli

    cli.main(["import", str(db), str(file), "--quiet", "--no-verify"])


def measure(way: str, file: Path, db: Path) -> tuple[float, float]:
    """Seconds and peak MiB of one process."""
    db.unlink(missing_ok=True)
    done = subprocess.run([sys.executable, __file__, way, str(file), str(db)], capture_output=True, text=True, check=True)
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def main(samples: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file, db = Path(folder) / "made.jsonl", Path(folder) / "made.db"
        write_file(file, samples)
        size = file.stat().st_size / 2**20
        runs: dict[str, list[tuple[float, float]]] = {"plain": [], "ours": []}
        disk = {}
        for _ in range(3):
            for way in runs:
                runs[way].append(measure(way, file, db))
                disk[way] = db.stat().st_size / 2**20
    print(f"{samples:,} samples, {size:.0f} MiB of JSONL, {os.cpu_count()} cores, medians of 3")
    for way, results in runs.items():
        seconds = median(seconds for seconds, _ in results)
        peak = max(peak for _, peak in results)
        print(f"{way:6} {seconds:7.2f} s  {size / seconds:6.0f} MiB/s  {samples / seconds:9,.0f} samples/s"
              f"  peak {peak:4.0f} MiB  on disk {disk[way]:5.0f} MiB")  # fmt: skip
    ratio = median(a / b for (a, _), (b, _) in zip(runs["plain"], runs["ours"], strict=True))
    print(f"ours runs at {ratio:.2f} of the plain way's speed (aim: at least 0.5)")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        began = time.perf_counter()
        {"plain": plain, "ours": ours}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
        took = time.perf_counter() - began
        print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
