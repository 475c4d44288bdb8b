"""Claim: a word is found across 200,000 traces before a person notices, in an index that is small beside the texts.

    python benchmarks/search.py [SAMPLES]        (200000 when not given; made studies are kept in a temp folder)

Times `basebound index --words-only`, then the first hit, the count and all hits with their snippets for a common word, a rarer
one, a phrase and a regular expression, with the index and without it; beside them what one would use instead: grep over the
JSONL file, and SQLite's LIKE over a table of the plain texts. Also counts by fields alone. Every figure is the best of three,
but for what takes longer than five seconds.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.make_study import make_study

LONG_S = 5.0
SOUGHT = (
    ("common word", "wait", "wait", "wait"),
    ("rarer word", "4711", "4711", "4711"),
    ("phrase", '"4711 apples"', "4711 apples", "4711 apples"),
    ("regular expression", "re:/4711 (apples|times)/", "4711 (apples|times)", ""),
)
"""What, as a query, for grep, for LIKE ("": it cannot)."""
FIELDS = (
    "correct:yes",
    "set:base-only",
    "correct:yes set:base-only",
    "length>15000 -correct:yes",
    "label:none",
    "disputed:yes",
)


def timed(work: Callable[[], object], times: int = 3) -> tuple[float, object]:
    """Milliseconds, the best of some times, and what came out."""
    best, result = float("inf"), None
    for _ in range(times):
        began = time.perf_counter()
        result = work()
        took = time.perf_counter() - began
        best = min(best, took)
        if took > LONG_S:
            break
    return best * 1000, result


def ours(db: Path, query: str) -> str:
    from engine.finding import Finder
    from store.query import parse
    from store.reader import Study

    with Study(db) as study:
        finder, parsed = Finder(study), parse(query)
        first, _ = timed(lambda: next(finder.traces(parsed), None))
        count, found = timed(lambda: finder.count(parsed))
        every, hits = timed(lambda: sum(1 for _ in finder.traces(parsed)), times=1)
    if hits != found:
        sys.exit(f"{query}: {hits} hits, but {found} counted")
    return f"first {first:8.1f} ms   count {count:9.1f} ms   all with snippets {every:9.0f} ms   {found:,} hits"


def grep(file: Path, pattern: str) -> str:
    def run(*more: str) -> str:
        command = ["grep", "-E", "-i", "-w", *more, pattern, str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    first, _ = timed(lambda: run("-m", "1"))
    count, found = timed(lambda: run("-c"))
    return f"first {first:8.1f} ms   count {count:9.1f} ms   {'':34}{int(str(found)):,} lines"


def like(plain: Path, text: str) -> str:
    connection = sqlite3.connect(plain)
    first, _ = timed(
        lambda: connection.execute("SELECT id FROM plain WHERE response LIKE ? LIMIT 1", (f"%{text}%",)).fetchall()
    )
    sql = "SELECT count(*) FROM plain WHERE response LIKE ?"
    count, found = timed(lambda: connection.execute(sql, (f"%{text}%",)).fetchone()[0])
    connection.close()
    return f"first {first:8.1f} ms   count {count:9.1f} ms   {'':34}{found:,} rows"


def make_plain(file: Path, plain: Path) -> int:
    """A table of the responses as they are; their size in bytes."""
    connection = sqlite3.connect(plain)
    connection.execute("CREATE TABLE plain (id INTEGER PRIMARY KEY, response TEXT)")
    size = 0
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            response = json.loads(line)["response"]
            size += len(response.encode())
            connection.execute("INSERT INTO plain (response) VALUES (?)", (response,))
    connection.commit()
    connection.close()
    return size


def index(db: Path) -> float:
    command = [sys.executable, "-m", "basebound", "index", str(db), "--words-only", "-q"]
    began = time.perf_counter()
    subprocess.run(command, cwd=Path(__file__).parents[1], check=True)
    return time.perf_counter() - began


def main(samples: int) -> None:
    folder = Path(tempfile.gettempdir()) / "basebound-benchmark"
    folder.mkdir(exist_ok=True)
    made = folder / f"made-{samples}.db"
    if not made.exists() or not made.with_suffix(".jsonl").exists():
        make_study(samples, made)
    with tempfile.TemporaryDirectory(dir=folder) as apart:
        compare(samples, made, Path(apart))


def compare(samples: int, made: Path, apart: Path) -> None:
    file, db, plain = made.with_suffix(".jsonl"), apart / "indexed.db", apart / "plain.db"
    shutil.copy(made, db)
    raw = make_plain(file, plain)
    took = index(db)
    more = db.stat().st_size - made.stat().st_size
    print(
        f"{samples:,} samples, {raw / 2**20:,.0f} MiB of responses, study {made.stat().st_size / 2**20:,.0f} MiB;"
        f" indexed in {took:.1f} s ({raw / 2**20 / took:.0f} MiB/s), index {more / 2**20:,.0f} MiB"
        f" = {100 * more / raw:.1f} % of the responses; indexed again in {index(db):.1f} s"
    )
    for what, query, pattern, text in SOUGHT:
        print(f"{what}: {query}")
        print(f"  index      {ours(db, query)}")
        print(f"  no index   {ours(made, query)}")
        print(f"  grep       {grep(file, pattern)}")
        if text:
            print(f"  LIKE       {like(plain, text)}")
    for query in FIELDS:
        print(f"{query}\n             {ours(db, query)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
