"""What the Study screen says of each run from stored tallies alone: computed once, because lists ask again and again."""

from __future__ import annotations

from dataclasses import dataclass

from engine.board import Board
from explorer.model.numbers import scored_by_both
from explorer.model.session import Session
from explorer.render.pieces import Line, dim, joined
from explorer.render.words import counted, oddities, span_of
from store.rows import RunRow


@dataclass(frozen=True, slots=True)
class RunTally:
    """One run's line, as far as it needs no formula."""

    n: str
    """Judged samples of a problem: one number, or the smallest and the largest."""
    pass_at_1: float | None
    file_pass_at_1: float | None
    """By the file's own scores, where they stand beside another verifier's: over the problems that both have judged."""
    beside_file: float | None
    """By the deciding verdicts, over those same problems."""
    notes: Line
    """What the rates do not tell: errors, unjudged, truncated, counts without traces."""


def run_tallies(session: Session) -> dict[int, RunTally]:
    """By run_id, of every run of the study."""
    tallies: dict[int, RunTally] = {}
    for name, board in session.boards.items():
        file = session.file_boards.get(name)
        both = None if file is None else scored_by_both(board, file)
        tallies |= {run.run_id: _tally(board, both, run) for run in board.runs}
    return tallies


def _tally(board: Board, both: tuple[Board, Board] | None, run: RunRow) -> RunTally:
    judged = board.counts(run)
    fewer: Line = [dim(f"{counted(len(judged), 'problem')} judged")] if len(judged) < len(board.problems) else []
    return RunTally(
        n=span_of(count.n for count in judged),
        pass_at_1=board.pass_at_1(run),
        file_pass_at_1=None if both is None else both[1].pass_at_1(run),
        beside_file=None if both is None else both[0].pass_at_1(run),
        notes=joined([fewer, oddities(count for count in board.cells.values() if count.run_id == run.run_id)]),
    )
