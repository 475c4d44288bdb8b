"""What commands tell on stderr: sentences, and progress with an ETA: a line that is replaced where stderr is a terminal, now
and then a sentence where it is a job's log.

Everything passes `visible`: names and messages come from files.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from explorer.render.text import visible

_EVERY_S: Final = 0.2
_LOG_EVERY_S: Final = 60.0


class Narrator:
    """quiet: only complain."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()
        self._shown = False

    def say(self, sentence: str) -> None:
        self.clear()
        if not self._quiet:
            sys.stderr.write(visible(sentence) + "\n")

    def complain(self, sentence: str) -> None:
        """Something is wrong: said even when quiet."""
        self.clear()
        sys.stderr.write(visible(sentence) + "\n")

    def clear(self) -> None:
        """Take the progress line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False

    def line(self, text: str) -> None:
        """Replace the progress line; nothing where stderr is no terminal."""
        if self._live:
            sys.stderr.write("\r\x1b[K" + visible(text)[:78])
            sys.stderr.flush()
            self._shown = True

    @property
    def every_s(self) -> float:
        """How often progress is worth telling."""
        return _EVERY_S if self._live else _LOG_EVERY_S

    def progress(self, text: str) -> None:
        """How far something is."""
        if self._live:
            self.line(text)
        else:
            self.say(text)


class Meter:
    """One long thing: a share done, a rate, and the time left."""

    def __init__(self, narrator: Narrator, what: str, unit: str = "") -> None:
        self._narrator = narrator
        self._what = what
        self._unit = unit
        self._began = self._last = time.monotonic()
        self._first: int | None = None
        """What was done when we first heard: a job that goes on must not take it for its own speed."""

    def show(self, done: int, total: int, note: str = "", made: int | None = None) -> None:
        """note: what else is worth knowing now, e.g. a speed.

        made: of what is done, by this job; None for what came since the first call.
        """
        now = time.monotonic()
        if made is not None:
            self._first = done - made
            if not made:
                self._began = now  # what comes before the first one is loading
        elif self._first is None:
            self._first, self._began = done, now
        if now - self._last < self._narrator.every_s or not total:
            return
        self._last = now
        new = done - self._first
        left = f"  {duration((now - self._began) * (total - done) / new)} left" if new > 0 else ""
        amount = f"  {done:,} of {total:,} {self._unit}" if self._unit else ""
        self._narrator.progress(f"{self._what}  {100 * done / total:.0f} %{amount}{left}{note and '  ' + note}")


def duration(seconds: float) -> str:
    """12 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
