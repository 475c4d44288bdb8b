"""A program in a pseudo-terminal, timed from outside: what a person at the keyboard waits for.

A key is timed until the first drawing it caused and until the screen is still (the last byte before 60 ms of silence:
scrollbars, what is read once the cursor rests).
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Final

SILENCE_S: Final = 0.06
STILL_MS: Final = 500.0
"""A key that drew nothing for this long has nothing to draw: the end of a trace."""

Took = tuple[float, float]
"""Milliseconds to the first drawing, and to the last byte."""

_ESCAPES: Final = re.compile(rb"\x1b(?:\[[0-9;:?<>=$]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|.)", re.S)


class Terminal:
    """A program in a pseudo-terminal of 120x40."""

    def __init__(
        self, command: Sequence[str], folder: Path, *, columns: int = 120, rows: int = 40, more: Mapping[str, str] | None = None
    ) -> None:
        self.output = b""
        self.parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environment = os.environ | {"TERM": "xterm-256color", "COLORTERM": "truecolor"} | dict(more or {})
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            list(command), cwd=folder, stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True
        )
        os.close(child)

    def wait_for(self, text: bytes, limit_s: float = 60.0) -> float:
        """Seconds since the start until `text` was written."""
        self._until(text, 0, self.began + limit_s)
        return time.perf_counter() - self.began

    def settle(self, silence_s: float = SILENCE_S) -> float:
        """Wait for silence; the time of the last byte."""
        last = time.perf_counter()
        while self._read(silence_s):
            last = time.perf_counter()
        return last

    def press(self, key: str) -> Took:
        """How long a key takes."""
        began = time.perf_counter()
        os.write(self.parent, key.encode())
        self._read(STILL_MS / 1000)
        first = time.perf_counter()
        return (first - began) * 1000, (self.settle() - began) * 1000

    def press_until(self, key: str, text: bytes, limit_s: float = 60.0) -> float:
        """Milliseconds from a key until `text` was written after it."""
        seen, began = len(self.output), time.perf_counter()
        os.write(self.parent, key.encode())
        self._until(text, seen, began + limit_s)
        return (time.perf_counter() - began) * 1000

    def resident_mib(self) -> float:
        """Of the program and what it started."""
        return sum(_resident_mib(pid) for pid in [self.process.pid, *_children(self.process.pid)])

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)  # its own session: nobody else is in it
        self.process.wait()
        os.close(self.parent)

    def _until(self, text: bytes, since: int, deadline: float) -> None:
        """Colours may change within the text that is waited for: it is looked for without escape codes."""
        while text not in self.output[since:] and text not in _ESCAPES.sub(b"", self.output[since:]):
            if time.perf_counter() > deadline or (not self._read(0.01) and self.process.poll() is not None):
                said = _ESCAPES.sub(b"", self.output)[-300:].decode("utf-8", "replace")
                sys.exit(f"{self.process.args!r} did not show {text!r}; the last it wrote: {said!r}")

    def _read(self, seconds: float) -> bool:
        if not select.select([self.parent], [], [], seconds)[0]:
            return False
        try:
            read = os.read(self.parent, 1 << 16)
        except OSError:  # the program has ended
            return False
        self.output += read
        return bool(read)


def told(times: Sequence[Took]) -> str:
    """Median and 95th percentile of both times."""
    first, last = ([time[i] for time in times] for i in (0, 1))
    return (
        f"drawn after {median(first):4.0f} ms (95 % {quantiles(first, n=20)[-1]:.0f}),"
        f" still after {median(last):4.0f} ms (95 % {quantiles(last, n=20)[-1]:.0f})"
    )


def _resident_mib(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = status.partition("VmRSS:")[2].split()
    return int(found[0]) / 1024 if found else 0.0


def _children(pid: int) -> list[int]:
    try:
        found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return found + [below for child in found for below in _children(child)]
