"""Which trace another one is held against, when nobody says: the other run's, on the same problem.

A right one against a wrong one where there is; among those, the one that begins like it for longest, of a few dozen that are
read. Where the other run has no trace of the problem, the same run's other traces serve. No Textual here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.model.differences import shared_start
from explorer.model.session import Pair
from store.rows import RunRow, TraceRow
from store.types import Outcome

READ_AT_MOST: Final = 36
"""Texts that are read to find the one that begins alike for longest."""


@dataclass(frozen=True, slots=True)
class Partners:
    """The traces that one trace can be held against."""

    rows: tuple[TraceRow, ...]
    """In the order of the walk through them; empty where there is no other trace of the problem."""
    at: int
    how: str
    """How that one was chosen, in words."""
    aside: str = ""
    """Why these are not the other run's, where they are not."""

    @property
    def row(self) -> TraceRow:
        return self.rows[self.at]

    def next(self, by: int) -> Partners | None:
        """The one that many on; None at the ends."""
        at = self.at + by
        return Partners(self.rows, at, "", self.aside) if 0 <= at < len(self.rows) else None


def partners(
    own: TraceRow, rows: Sequence[TraceRow], pair: Pair, read: Callable[[int], str], asked_for: TraceRow | None = None
) -> Partners:
    """The partners of one trace. rows: all of its problem; read: a response by its sample_id; asked_for: who is to be first."""
    opposite = _held_against(pair, own.run_id)
    if asked_for is not None:
        opposite = next(run for run in pair.board.runs if run.run_id == asked_for.run_id)
    of_run = [] if opposite is None else [row for row in rows if row.run_id == opposite.run_id and row != own]
    aside = "" if of_run else _why_aside(opposite)
    found = tuple(of_run or (row for row in rows if row.run_id == own.run_id and row != own))
    if asked_for in found:
        return Partners(found, found.index(asked_for), "as chosen", aside)
    if not found:
        return Partners((), 0, "", aside)
    row, how = _best(own, found, read)
    return Partners(found, found.index(row), how, aside)


def _held_against(pair: Pair, run_id: int) -> RunRow | None:
    """The run of the pair that is held against this one; None where there is one run only."""
    return pair.other if run_id == pair.base.run_id else pair.base


def _best(own: TraceRow, rows: Sequence[TraceRow], read: Callable[[int], str]) -> tuple[TraceRow, str]:
    differing = [row for row in rows if _are_opposite(own, row)]
    among = (differing or rows)[:READ_AT_MOST]
    why = [_word(own)] if differing else []
    if len(among) > 1:
        text = read(own.sample_id)
        shared = {row.sample_id: shared_start(text, read(row.sample_id)) for row in among}
        best = max(among, key=lambda row: shared[row.sample_id])
        alike = "chosen for the longest same start" if shared[best.sample_id] else "the first: no start is the same"
        return best, ", ".join([*why, f"{alike} of {len(among)} traces read"])
    return among[0], ", ".join([*why, "the only one"])


def _are_opposite(own: TraceRow, row: TraceRow) -> bool:
    if own.outcome is None or row.outcome is None or Outcome.ERROR in (own.outcome, row.outcome):
        return False
    return (own.outcome is Outcome.CORRECT) != (row.outcome is Outcome.CORRECT)


def _word(own: TraceRow) -> str:
    return "wrong against right" if own.outcome is Outcome.CORRECT else "right against wrong"


def _why_aside(opposite: RunRow | None) -> str:
    if opposite is None:
        return "this benchmark has one run only: held against its own samples"
    return f"{opposite.name} has no trace of this problem: held against the same run's samples"
