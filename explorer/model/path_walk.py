"""The Reader's way through the right traces on one path. A path's number means nothing in another problem: there the way goes
through all right traces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.model.walk import Choice, Walk
from store.rows import TraceRow
from store.types import Outcome

RIGHT = Choice(outcome=Outcome.CORRECT)


@dataclass(frozen=True, slots=True)
class OnPath(Choice):
    """Right traces on one path of a problem."""

    path: int = 0

    def fits(self, row: TraceRow) -> bool:
        return row.path == self.path and row.outcome is Outcome.CORRECT

    @property
    def word(self) -> str:
        return f"path {self.path}"


@dataclass(frozen=True, slots=True)
class PathWalk(Walk):
    """`choice` is an `OnPath` of the problem it begins at."""

    def at(self, at_problem: int, rows: Sequence[TraceRow]) -> Walk | None:
        return Walk(self.problems, self.at_problem, self.traces, self.at_trace, RIGHT).at(at_problem, rows)
