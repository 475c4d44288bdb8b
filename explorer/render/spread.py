"""Two texts laid out beside each other: which lines stand on each row of the screen, so that steps that face each other begin
on the same row. Pure; `explorer.widgets.two_texts` draws the rows in view.

Where there is room for one text only, its steps stand alone, with a line where the other text has a step and this one none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from explorer.model.differences import Span
from explorer.model.divergence import Divergence, Likeness
from explorer.render.page import Document, Mark, Page, page_of
from explorer.render.pieces import Line, Tone, dim

NO_LINE: Final = -1
BREAK: Final = -2
"""In place of a line: where the texts part for the first time."""
MISSING: Final = -3
"""In place of a line: the other text has a step here, this one has none. Only where one text is shown."""

SIGNS: Final = {Likeness.SAME: "=", Likeness.NEAR: "≈", Likeness.UNLIKE: "≠", Likeness.ALONE: "+"}
"""What stands beside a step's number."""

_MOSTLY: Final = 0.6
"""Share of both steps that must differ for their words to be left unmarked: they say it in other words, and marking nearly
all of a step would say less than its sign."""

_WORDED: Final = re.compile(r"\S(?:.*\S)?")

Row = tuple[int, int, int]
"""The facing, and the line of each text (or one of the above)."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Both texts, ready to draw."""

    divergence: Divergence
    pages: tuple[Page, Page]
    rows: Sequence[Row]
    starts: Sequence[int]
    """The row each facing begins on."""
    side: int | None
    """Which text alone is shown; None: both."""
    _marks: dict[int, tuple[list[Mark], list[Mark]]] = field(default_factory=dict)
    """By facing. Made when asked for: comparing words takes too long for all of a long trace."""

    def facing_at(self, row: int) -> int:
        """The facing on a row."""
        return self.rows[row][0] if self.rows else 0

    def end_of(self, at: int) -> int:
        """The row after the last one of a facing."""
        return self.starts[at + 1] if at + 1 < len(self.starts) else len(self.rows)

    def has_line(self, row: int, side: int) -> bool:
        """Is there anything of that text on a row?"""
        return self.rows[row][side + 1] != NO_LINE

    def number(self, row: int, side: int) -> str:
        """What stands in the gutter: the step's number and sign on its first line, else nothing."""
        at, *lines = self.rows[row]
        step = self.divergence.facings[at].of(side)
        if step is None or lines[side] < 0 or self.pages[side].steps[step] != lines[side]:
            return ""
        return f"{step + 1}{SIGNS[self.divergence.facings[at].likeness]}"

    def pieces(self, row: int, side: int) -> Line:
        """One text's part of a row."""
        at, *lines = self.rows[row]
        line = lines[side]
        if line == BREAK:
            return [("▼ first difference", Tone.ACCENT)]
        if line == MISSING:
            return [dim("(a step of the other text only)")]
        if line < 0:
            return ()
        answer = self.pages[side].answer
        answers = [] if answer is None else [(*answer, Tone.ANSWER)]
        pieces = self.pages[side].pieces(line, self._marks_of(at)[side], answers)
        same = self.divergence.facings[at].likeness is Likeness.SAME
        return [(text, Tone.DIM if same and tone is Tone.PLAIN else tone) for text, tone in pieces]

    def _marks_of(self, at: int) -> tuple[list[Mark], list[Mark]]:
        if at not in self._marks:
            self._marks[at] = self._marks_on(at, 0), self._marks_on(at, 1)
        return self._marks[at]

    def _marks_on(self, at: int, side: int) -> list[Mark]:
        """The words that only this side has; the first of them at the first difference stands out."""
        divergence, view = self.divergence, self.pages[side].shown
        if divergence.facings[at].likeness is not Likeness.NEAR:
            return []
        both = divergence.only_here(at)
        spans = _worded(divergence.texts[side], both[side], split_first=at == divergence.first)
        if all(sum(end - start for start, end in each) > _MOSTLY * self._chars(at, which) for which, each in enumerate(both)):
            spans = spans[:1] if at == divergence.first else []
        marks: list[Mark] = []
        for start, end in (view.span(*span) for span in spans):
            # Two words of one rendered expression lead to the same place.
            if not marks or marks[-1][1] <= start:
                marks.append((start, end, Tone.ONLY_HERE))
        if marks and at == divergence.first:
            marks[0] = (*marks[0][:2], Tone.MATCH_HERE)
        return marks

    def _chars(self, at: int, side: int) -> int:
        step = self.divergence.facings[at].of(side)
        return 0 if step is None else self.divergence.steps[side][step].end - self.divergence.steps[side][step].start


def spread(divergence: Divergence, documents: tuple[Document, Document], width: int, side: int | None = None) -> Spread:
    """Lay both documents out in columns of that width. side: show that one alone."""
    one, two = (page_of(document, width) for document in documents)
    rows: list[Row] = []
    starts: list[int] = []
    first = divergence.first
    for at, facing in enumerate(divergence.facings):
        starts.append(len(rows))
        if at == first:
            rows.append((at, BREAK, BREAK))
        rows.extend(_rows(at, _lines(one, facing.left), _lines(two, facing.right), side))
    return Spread(divergence, (one, two), rows, starts, side)


def _rows(at: int, left: _Lines, right: _Lines, side: int | None) -> Iterator[Row]:
    """The rows of one facing. The blank lines a step ends with are one row for both."""
    if side is None:
        yield from ((at, *lines) for lines in zip_longest(left.read, right.read, fillvalue=NO_LINE))
    else:
        for line in (left, right)[side].read or (MISSING,):
            yield (at, NO_LINE, line) if side else (at, line, NO_LINE)
    if left.blank or right.blank:
        yield at, NO_LINE, NO_LINE


def _worded(text: str, spans: Sequence[Span], *, split_first: bool) -> list[Span]:
    """The spans line by line, without blank space at their ends; split_first: the first word of all apart from the rest."""
    found = [found.span() for start, end in spans for found in _WORDED.finditer(text, start, end)]
    if found and split_first:
        start, end = found[0]
        word = start + len(text[start:end].split(maxsplit=1)[0])
        found[:1] = [(start, word), *([(word, end)] if word < end else [])]
    return found


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of one step, and how many blank ones come after them."""

    read: range
    blank: int = 0


def _lines(page: Page, step: int | None) -> _Lines:
    if step is None:
        return _Lines(range(0))
    start, end = page.steps[step], page.steps[step + 1] if step + 1 < len(page.steps) else len(page.lines)
    last = end
    while last > start + 1 and not page.shown.text[slice(*page.lines[last - 1])].strip():
        last -= 1
    return _Lines(range(start, last), end - last)
