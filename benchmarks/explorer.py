"""Claim: the explorer is there at once and stays instant, whatever the size of the study.

    python benchmarks/explorer.py [SAMPLES ...]        (20000 200000 when not given; made studies are kept in a temp folder)

Runs the real program in a pseudo-terminal of 120x40 and times, from outside, what a person waits for: the start until the
runs are on screen, then each key until the first drawing and until the screen is still (the last byte before 60 ms of
silence: scrollbars, what is read once the cursor rests). Memory is the process's
resident set, at the first screen and after the curves were drawn. Median and 95th percentile of the keys; five starts.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.make_study import make_study

SILENCE_S = 0.06
STILL_MS = 500.0
"""A key that drew nothing for this long has nothing to draw: the end of a trace."""


class Terminal:
    """The explorer in a pseudo-terminal."""

    def __init__(self, db: Path) -> None:
        self.output = b""
        self.began = time.perf_counter()
        self.parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [sys.executable, "-m", "basebound", "explore", str(db)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True
        )
        os.close(child)

    def wait_for(self, text: bytes, limit_s: float = 60.0) -> float:
        """Seconds since the start until `text` was written."""
        while text not in self.output:
            if time.perf_counter() - self.began > limit_s:
                sys.exit(f"the explorer did not show {text!r} in {limit_s} s")
            self._read(0.01)
        return time.perf_counter() - self.began

    def settle(self) -> float:
        """Wait for silence; the time of the last byte."""
        last = time.perf_counter()
        while self._read(SILENCE_S):
            last = time.perf_counter()
        return last

    def press(self, key: str) -> tuple[float, float]:
        """Milliseconds from a key to the first drawing it caused, and to the last byte."""
        began = time.perf_counter()
        os.write(self.parent, key.encode())
        self._read(STILL_MS / 1000)
        first = time.perf_counter()
        return (first - began) * 1000, (self.settle() - began) * 1000

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def close(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.parent)

    def _read(self, seconds: float) -> bool:
        if not select.select([self.parent], [], [], seconds)[0]:
            return False
        self.output += os.read(self.parent, 1 << 16)
        return True


def starts(db: Path) -> None:
    seconds, first, drawn = [], [], []
    for _ in range(5):
        terminal = Terminal(db)
        seconds.append(terminal.wait_for(b"base-7b"))
        first.append(terminal.resident_mib())
        time.sleep(1.5)
        terminal.settle()
        drawn.append(terminal.resident_mib())
        terminal.close()
    print(f"  first screen       {median(seconds):6.2f} s    (max {max(seconds):.2f})")
    print(f"  memory             {median(first):6.0f} MiB at the first screen, {median(drawn):.0f} MiB with the curves drawn")


def keys(db: Path) -> None:
    terminal = Terminal(db)
    terminal.wait_for(b"base-7b")
    time.sleep(1.5)
    terminal.settle()
    timed: dict[str, list[tuple[float, float]]] = {"open problems": [], "open a problem": [], "open a trace": []}
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
        first, last = ([time[i] for time in times] for i in (0, 1))
        print(
            f"  {what:<16} drawn after {median(first):4.0f} ms (95 % {quantiles(first, n=20)[-1]:.0f}),"
            f" still after {median(last):4.0f} ms (95 % {quantiles(last, n=20)[-1]:.0f})"
        )
    terminal.close()


def main(sizes: list[int]) -> None:
    folder = Path(tempfile.gettempdir()) / "basebound-benchmark"
    folder.mkdir(exist_ok=True)
    for samples in sizes:
        db = folder / f"made-{samples}.db"
        if not db.exists():
            make_study(samples, db)
        print(f"{samples:,} samples, {db.stat().st_size / 2**20:.0f} MiB")
        starts(db)
        keys(db)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [20_000, 200_000])
