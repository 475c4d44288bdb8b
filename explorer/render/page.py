"""A response laid out for a width: its lines, which step each belongs to, and where the source's characters went.

Pure and fast (a megabyte in a fraction of a second); `explorer.widgets.text_view` draws the lines in view.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.render.pieces import Line, Piece, Tone
from explorer.render.steps import split_steps
from explorer.render.text import Shown, shown
from explorer.render.wrap import Span, wrap

Mark = tuple[int, int, Tone]
"""A part of the shown text that stands out: start, end, how."""


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of a text, ready to draw."""

    shown: Shown
    lines: Sequence[Span]
    """In characters of `shown.text`."""
    steps: Sequence[int]
    """The line on which each step begins, ascending; empty for a text without steps."""

    def source_at(self, line: int) -> int:
        """The source's character with which the line begins, or the one it begins inside of."""
        length = len(self.shown.text) - self.shown.shifts[-1]
        return bisect_right(range(length + 1), self.lines[line][0], key=self.shown.at) - 1

    def step_at(self, line: int) -> int:
        """The 1-based step that holds the line; 0 where there are no steps."""
        return bisect_right(self.steps, line)

    def line_at(self, place: int) -> int:
        """The line that holds a character of the shown text."""
        return max(0, bisect_right(self.lines, place, key=lambda span: span[0]) - 1)

    def pieces(self, line: int, marks: Sequence[Mark]) -> Line:
        """One line, cut at the marks that touch it. marks: ascending, not overlapping."""
        start, end = self.lines[line]
        found: list[Piece] = []
        at = start
        for mark_start, mark_end, tone in marks[_first_touching(marks, start) :]:
            if mark_start >= end:
                break
            found.append((self.shown.text[at : max(at, mark_start)], Tone.PLAIN))
            at, begin = min(mark_end, end), max(at, mark_start)
            found.append((self.shown.text[begin:at], tone))
        return [*found, (self.shown.text[at:end], Tone.PLAIN)]


def lay_out(text: str, width: int, *, raw: bool = False, steps: bool = True, answer: tuple[int, int] | None = None) -> Page:
    """The page of a text. raw: as it came, every unseen character spelled out; answer: what to put in ⟦ ⟧, unless raw."""
    view = shown(text, raw=raw, around=None if raw else answer)
    lines = wrap(view.text, width)
    if not steps:
        return Page(view, lines, ())
    first = [bisect_left(lines, view.at(step.start), key=lambda span: span[0]) for step in split_steps(text)]
    return Page(view, lines, first)


def matches(source: str, wanted: str) -> list[Span]:
    """Where `wanted` stands, in characters of the source; capitals count only where `wanted` has some."""
    if not wanted:
        return []
    flags = re.NOFLAG if wanted != wanted.lower() else re.IGNORECASE
    return [match.span() for match in re.finditer(re.escape(wanted), source, flags)]


def _first_touching(marks: Sequence[Mark], place: int) -> int:
    return bisect_right(marks, place, key=lambda mark: mark[1])
