"""What a worker computes for the Study and Problems screens: pass@k, curves and sets at a common k. No Textual here.

numpy comes in when the first of these functions runs, so call them after the first paint and away from the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import isnan

from engine.board import Board
from explorer.model.session import Pair
from store.rows import Count


class Membership(StrEnum):
    """Which of two runs solves a problem within the common k draws."""

    BASE_ONLY = "base only"
    OTHER_ONLY = "other only"
    BOTH = "both"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Sets:
    """The four sets of a pair of runs."""

    k: int
    """Draws that both are given."""
    members: Mapping[str, Membership]
    """By problem key, of the problems judged for both."""
    mcnemar_p: float | None
    """None where the runs' n differ on some problem."""

    def size(self, which: Membership) -> int:
        return sum(1 for member in self.members.values() if member is which)


@dataclass(frozen=True, slots=True)
class PairNumbers:
    """A pair's curves, over the problems judged for both runs, and its sets (None where there are no such problems)."""

    ks: tuple[int, ...]
    curves: tuple[tuple[float | None, ...], ...]
    """Baseline first; shares, None beyond a run's samples."""
    problems: int
    sets: Sets | None


@dataclass(frozen=True, slots=True)
class BoardNumbers:
    """pass@k of each run of a benchmark at one common k."""

    k: int | None
    """None where nothing was judged."""
    pass_at_k: Mapping[int, float | None]
    """By run_id."""


@dataclass(frozen=True, slots=True)
class StudyNumbers:
    """pass@k of every benchmark by name."""

    ours: dict[str, BoardNumbers] = field(default_factory=dict)
    files: dict[str, BoardNumbers] = field(default_factory=dict)
    """By the files' own scores, over the problems that they and the deciding verdicts both judge."""
    beside: dict[str, BoardNumbers] = field(default_factory=dict)
    """By the deciding verdicts, over those same problems."""


def common_k(board: Board) -> int | None:
    """The largest k at which every judged run's pass@k is defined: `BenchmarkSummary.common_k`, without numpy."""
    return min((count.n for run in board.runs for count in board.counts(run)), default=None)


def scored_by_both(board: Board, file: Board) -> tuple[Board, Board]:
    """Both boards without what only one of them has judged, so that their rates are over the same problems."""
    both = [place for place, count in board.cells.items() if count.n and place in file.cells and file.cells[place].n]
    ours, theirs = ({place: each.cells[place] for place in both} for each in (board, file))
    return replace(board, cells=ours), replace(file, cells=theirs)


def board_numbers(board: Board, k: int | None) -> BoardNumbers:
    from engine.summary import summarise

    if k is None:
        return BoardNumbers(None, {})
    return BoardNumbers(k, {summary.run.run_id: summary.pass_at_k[0] for summary in summarise(board, (k,)).runs})


def study_numbers(boards: Mapping[str, Board], files: Mapping[str, Board]) -> StudyNumbers:
    """files: the boards by the files' own scores, of some of the benchmarks."""
    k = {name: common_k(board) for name, board in boards.items()}
    both = {name: scored_by_both(boards[name], file) for name, file in files.items()}
    return StudyNumbers(
        ours={name: board_numbers(board, k[name]) for name, board in boards.items()},
        files={name: board_numbers(file, k[name]) for name, (_, file) in both.items()},
        beside={name: board_numbers(board, k[name]) for name, (board, _) in both.items()},
    )


def pair_numbers(pair: Pair) -> PairNumbers:
    """Curves and sets of the pair."""
    from engine.analyses.passk import k_grid

    problems = pair.board.judged(*pair.runs)
    counts = [[pair.board.cells[run.run_id, problem.problem_id] for problem in problems] for run in pair.runs]
    ks = k_grid(max((min(count.n for count in of_run) for of_run in counts if of_run), default=0))
    return PairNumbers(ks, tuple(_curve(of_run, ks) for of_run in counts), len(problems), _sets(pair) if problems else None)


def _sets(pair: Pair) -> Sets | None:
    from engine.summary import cover

    if pair.other is None:
        return None
    found = cover(pair.board, pair.base, pair.other)
    members = dict.fromkeys(found.both, Membership.BOTH)
    members |= dict.fromkeys(found.base_only, Membership.BASE_ONLY)
    members |= dict.fromkeys(found.other_only, Membership.OTHER_ONLY)
    members |= dict.fromkeys(found.neither, Membership.NEITHER)
    return Sets(found.k, members, found.mcnemar_p)


def _curve(counts: Sequence[Count], ks: Sequence[int]) -> tuple[float | None, ...]:
    from engine.analyses.passk import mean_pass_at_k

    if not counts:
        return (None,) * len(ks)
    means = mean_pass_at_k([count.n for count in counts], [count.correct for count in counts], ks)
    return tuple(None if isnan(mean) else float(mean) for mean in means)
