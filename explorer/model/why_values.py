"""What the page of evidence about one problem is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.render.pieces import Line, Piece
from store.rows import Count, RunRow, TraceRow
from store.types import Outcome


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that is known, or not."""

    parts: Sequence[Line]
    """A screen may break the line between them."""
    source: str
    """Where it comes from, or the command that makes it."""
    traces: Sequence[TraceRow] = ()
    """What it was said of, to be read."""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    statements: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs."""

    run: RunRow
    mark: Piece
    word: str
    count: Count | None
    rows: Sequence[TraceRow]
    """Its stored traces of the problem."""

    @property
    def name(self) -> Piece:
        return self.mark[0] + self.word, self.mark[1]

    @property
    def right(self) -> list[TraceRow]:
        return [row for row in self.rows if row.outcome is Outcome.CORRECT]

    @property
    def wrong(self) -> list[TraceRow]:
        return [row for row in self.rows if row.outcome in (Outcome.INCORRECT, Outcome.NO_ANSWER)]

    @property
    def never(self) -> bool:
        """Extra samples count: one right answer unmakes a "never"."""
        return self.count is not None and self.count.n > 0 and not self.count.all_correct

    @property
    def is_part(self) -> bool:
        """Whether the stored traces are a part of what was counted, perhaps chosen by their answers."""
        return self.count is not None and self.count.is_part
