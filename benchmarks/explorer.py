"""Claim: the explorer is there at once and stays instant, whatever the size of the study.

    python benchmarks/explorer.py [SAMPLES ...]        (20000 200000 when not given; made studies are kept in a temp folder)

Runs the real program in a pseudo-terminal of 120x40 and times, from outside, what a person waits for: the start until the
runs are on screen, then each key until the first drawing and until the screen is still (the last byte before 60 ms of
silence: scrollbars, what is read once the cursor rests). Memory is the process's
resident set, at the first screen and after the curves were drawn. Median and 95th percentile of the keys; five starts.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.make_study import study_of
from benchmarks.terminal import STILL_MS, Terminal, Took, told


def explore(db: Path) -> Terminal:
    """The explorer over a study."""
    return Terminal([sys.executable, "-m", "basebound", "explore", str(db)], ROOT)


def starts(db: Path) -> None:
    seconds, first, drawn = [], [], []
    for _ in range(5):
        terminal = explore(db)
        seconds.append(terminal.wait_for(b"base-7b"))
        first.append(terminal.resident_mib())
        time.sleep(1.5)
        terminal.settle()
        drawn.append(terminal.resident_mib())
        terminal.close()
    print(f"  first screen       {median(seconds):6.2f} s    (max {max(seconds):.2f})")
    print(f"  memory             {median(first):6.0f} MiB at the first screen, {median(drawn):.0f} MiB with the curves drawn")


def keys(db: Path) -> None:
    terminal = explore(db)
    terminal.wait_for(b"base-7b")
    time.sleep(1.5)
    terminal.settle()
    timed: dict[str, list[Took]] = {"open problems": [], "open a problem": [], "open a trace": []}
    for _ in range(10):
        for what in timed:
            timed[what].append(terminal.press("\r"))
            time.sleep(0.3)
            terminal.settle()
        for _ in timed:
            terminal.press("\x1b")
            time.sleep(0.3)
            terminal.settle()
    for _ in timed:
        terminal.press("\r")
        time.sleep(0.3)
        terminal.settle()
    timed["next sample"] = [terminal.press("]") for _ in range(40)]
    timed["page down"] = []
    while len(timed["page down"]) < 40:  # two pages of each long enough trace
        terminal.press("]")
        timed["page down"] += [took for took in (terminal.press("\x1b[6~") for _ in range(2)) if took[0] < STILL_MS]
    timed["next step"] = [terminal.press("}") for _ in range(20)]
    for what, times in timed.items():
        print(f"  {what:<16} {told(times)}")
    terminal.close()


def main(sizes: list[int]) -> None:
    for samples in sizes:
        db = study_of(samples)
        print(f"{samples:,} samples, {db.stat().st_size / 2**20:.0f} MiB")
        starts(db)
        keys(db)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [20_000, 200_000])
