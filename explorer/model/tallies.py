"""What the Study screen says of each run from stored tallies alone: computed once, because lists ask again and again."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from engine.board import Board
from explorer.model.numbers import scored_by_both
from explorer.model.run_health import RunHealth, run_health
from explorer.model.session import Session
from explorer.render.words import span_of
from store.rows import Count, RunRow


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
    health: RunHealth


def run_tallies(session: Session) -> dict[int, RunTally]:
    """By run_id, of every run of the study."""
    tallies: dict[int, RunTally] = {}
    for name, board in session.boards.items():
        file = session.file_boards.get(name)
        both = None if file is None else scored_by_both(board, file)
        counts: defaultdict[int, list[Count]] = defaultdict(list)
        for count in board.cells.values():
            counts[count.run_id].append(count)
        tallies |= {run.run_id: _tally(board, both, run, counts[run.run_id]) for run in board.runs}
    return tallies


def _tally(board: Board, both: tuple[Board, Board] | None, run: RunRow, counts: list[Count]) -> RunTally:
    """counts: all of the run's."""
    return RunTally(
        n=span_of(count.n for count in counts if count.n),
        pass_at_1=board.pass_at_1(run),
        file_pass_at_1=None if both is None else both[1].pass_at_1(run),
        beside_file=None if both is None else both[0].pass_at_1(run),
        health=run_health(counts, len(board.problems)),
    )
