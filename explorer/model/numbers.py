"""What a worker computes for the Study and Problems screens: pass@k, curves and sets at a common k, and, in a second go, what
is uncertain about them. No Textual here.

numpy comes in when the first of these functions runs, so call them after the first paint and away from the event loop.
Intervals take a tenth of a second where the numbers take a millisecond, so they are kept by the counts they were made of: while
a job adds to one run of eight, one is made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from math import isnan
from types import MappingProxyType
from typing import TYPE_CHECKING

from engine.board import Board
from explorer.model.session import Pair
from explorer.render.words import p_value, points
from store.rows import Count, RunRow

if TYPE_CHECKING:
    from engine.analyses.intervals import Band
    from engine.analyses.pairs import Comparison

Ints = tuple[int, ...]
Shares = tuple[float | None, ...]


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
class PairDepth:
    """What is uncertain about a pair."""

    ks: Ints
    low: tuple[Shares, ...]
    """95 % over problems at each k, a tuple for each run; None beyond a run's samples, as is high."""
    high: tuple[Shares, ...]
    crossing: str | None
    """Where the baseline overtakes, as `basebound passk` says it; None where there is nothing to compare."""
    first: str | None
    """The difference at k = 1 and its p-value, and so at the common k."""
    last: str | None
    clear: Mapping[Membership, int]
    """Problems of the sets that one run alone solves on which the runs differ with evidence (Fisher, adjusted)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """95 % over problems of one run's pass@1 and pass@k."""

    first: tuple[float, float]
    last: tuple[float, float]


@dataclass(frozen=True, slots=True)
class BoardNumbers:
    """pass@k of each run of a benchmark at one common k."""

    k: int | None
    """None where nothing was judged."""
    pass_at_k: Mapping[int, float | None]
    """By run_id."""
    gaps: Mapping[int, float] = field(default_factory=dict)
    """Sampling efficiency gap of each run that is held against another: that one's pass@k - its own pass@1, by run_id."""


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


def board_numbers(board: Board, k: int | None, base: RunRow | None = None) -> BoardNumbers:
    """base: the run that the others' gaps are taken from; None for the one that the roles tell each."""
    from engine.summary import pairs_of, summarise

    if k is None:
        return BoardNumbers(None, {})
    rates = {summary.run.run_id: summary.pass_at_k[0] for summary in summarise(board, (k,)).runs}
    gaps = {run.run_id: _gap(board, reference, run, k) for reference, run in pairs_of(board, base)}
    return BoardNumbers(k, rates, {run_id: gap for run_id, gap in gaps.items() if gap is not None})


def study_numbers(
    boards: Mapping[str, Board], files: Mapping[str, Board], bases: Mapping[str, RunRow] = MappingProxyType({})
) -> StudyNumbers:
    """files: the boards by the files' own scores, of some of the benchmarks. bases: baselines that somebody chose."""
    k = {name: common_k(board) for name, board in boards.items()}
    both = {name: scored_by_both(boards[name], file) for name, file in files.items()}
    return StudyNumbers(
        ours={name: board_numbers(board, k[name], bases.get(name)) for name, board in boards.items()},
        files={name: board_numbers(file, k[name]) for name, (_, file) in both.items()},
        beside={name: board_numbers(board, k[name]) for name, (board, _) in both.items()},
    )


def board_limits(board: Board) -> dict[int, Limits]:
    """By run_id, of the runs that were judged, at k = 1 and at the common k."""
    k = common_k(board)
    judged = {run.run_id: board.counts(run) for run in board.runs}
    return {} if k is None else {run_id: _limits(_band(*_counts(of), (1, k))) for run_id, of in judged.items() if of}


def pair_numbers(pair: Pair) -> PairNumbers:
    """Curves and sets of the pair."""
    from engine.analyses.passk import k_grid

    problems = pair.board.judged(*pair.runs)
    counts = [[pair.board.cells[run.run_id, problem.problem_id] for problem in problems] for run in pair.runs]
    ks = k_grid(max((min(count.n for count in of_run) for of_run in counts if of_run), default=0))
    return PairNumbers(ks, tuple(_curve(of_run, ks) for of_run in counts), len(problems), _sets(pair) if problems else None)


def pair_depth(pair: Pair, numbers: PairNumbers) -> PairDepth:
    """numbers: what `pair_numbers` says of the same pair."""
    problems = pair.board.judged(*pair.runs)
    counts = [_counts([pair.board.cells[run.run_id, problem.problem_id] for problem in problems]) for run in pair.runs]
    bands = [_band(n, c, tuple(k for k in numbers.ks if k <= min(n))) for n, c in counts if n]
    low = tuple(_reached(band, numbers.ks, high=False) for band in bands)
    high = tuple(_reached(band, numbers.ks, high=True) for band in bands)
    if len(counts) < 2 or numbers.sets is None:
        return PairDepth(numbers.ks, low, high, None, None, None, {})
    from explorer.commands.passk import crossing_text

    found = _compared(*counts[0], *counts[1])
    return PairDepth(
        ks=numbers.ks,
        low=low,
        high=high,
        crossing=crossing_text(found, numbers.sets.k),
        first=_difference(found, 0),
        last=_difference(found, -1) if numbers.sets.k > 1 else None,
        clear=clear_sizes(pair, numbers.sets),
    )


def clear_sizes(pair: Pair, sets: Sets) -> dict[Membership, int]:
    """How many problems of the sets that one run alone solves are there with evidence."""
    problems = pair.board.judged(*pair.runs)
    counts = [_counts([pair.board.cells[run.run_id, problem.problem_id] for problem in problems]) for run in pair.runs]
    told = zip(_clear(*counts[0], *counts[1], sets.k), problems, strict=True)
    clear = [sets.members[problem.key] for is_clear, problem in told if is_clear]
    return {which: clear.count(which) for which in (Membership.BASE_ONLY, Membership.OTHER_ONLY)}


def crossing_at(pair: Pair) -> int | None:
    """From which k on the baseline is ahead by the curves as estimated, having been behind; None where that is at no k."""
    from engine.analyses.crossover import fine_grid, verdict
    from engine.analyses.passk import mean_pass_at_k

    k = pair.board.common_k(*pair.runs)
    if k is None or pair.other is None:
        return None
    problems, ks = pair.board.judged(*pair.runs), fine_grid(k)
    counts = [_counts([pair.board.cells[run.run_id, problem.problem_id] for problem in problems]) for run in pair.runs]
    base, other = (mean_pass_at_k(n, c, ks) for n, c in counts)
    return verdict(ks, other - base)[1]


def _difference(found: Comparison, at: int) -> str:
    """Other - base at a k, in points, with 95 % over problems and the p-value of the difference."""
    low, high = found.problems.low[at], found.problems.high[at]
    p = found.p_first if at == 0 else found.p_value
    return f"pass@{found.ks[at]} {points(found.difference[at])} [{points(low)}, {points(high)}] p {p_value(p)}"


def _gap(board: Board, base: RunRow, other: RunRow, k: int) -> float | None:
    """base pass@k - other pass@1, over the problems judged for both; None where there are none or fewer samples than k."""
    problems = board.judged(base, other)
    if not problems:
        return None
    (reached,) = _curve([board.cells[base.run_id, problem.problem_id] for problem in problems], (k,))
    (first,) = _curve([board.cells[other.run_id, problem.problem_id] for problem in problems], (1,))
    return None if reached is None or first is None else reached - first


def _counts(of: Sequence[Count]) -> tuple[Ints, Ints]:
    """n and c of each problem."""
    return tuple(count.n for count in of), tuple(count.correct for count in of)


@lru_cache(maxsize=64)
def _band(n: Ints, c: Ints, ks: Ints) -> Band:
    """95 % over problems, the band that `basebound passk` prints; the one from sampling alone takes ten times as long."""
    from engine.analyses.intervals import LEVEL, band, resampled_curves
    from engine.analyses.passk import mean_pass_at_k

    return band(resampled_curves(n, c, ks), mean_pass_at_k(n, c, ks), LEVEL)


@lru_cache(maxsize=32)
def _compared(base_n: Ints, base_c: Ints, other_n: Ints, other_c: Ints) -> Comparison:
    from engine.analyses.pairs import compare

    return compare(base_n, base_c, other_n, other_c)


@lru_cache(maxsize=32)
def _clear(base_n: Ints, base_c: Ints, other_n: Ints, other_c: Ints, k: int) -> tuple[bool, ...]:
    from engine.analyses.boundary import evidence

    return tuple(bool(one.clear) for one in evidence(base_n, base_c, other_n, other_c, k))


def _limits(band: Band) -> Limits:
    return Limits((float(band.low[0]), float(band.high[0])), (float(band.low[-1]), float(band.high[-1])))


def _reached(band: Band, ks: Sequence[int], *, high: bool) -> Shares:
    """One side of a band along all of ks, None beyond what it reaches."""
    values = [float(value) for value in (band.high if high else band.low)]
    return (*values, *(None for _ in ks[len(values) :]))


def _sets(pair: Pair) -> Sets | None:
    from engine.summary import cover

    if pair.other is None:
        return None
    found = cover(pair.board, pair.base, pair.other)
    members = {key: Membership(name) for name, keys in found.sets.items() for key in keys}
    return Sets(found.k, members, found.mcnemar_p)


def _curve(counts: Sequence[Count], ks: Sequence[int]) -> tuple[float | None, ...]:
    from engine.analyses.passk import mean_pass_at_k

    if not counts:
        return (None,) * len(ks)
    means = mean_pass_at_k([count.n for count in counts], [count.correct for count in counts], ks)
    return tuple(None if isnan(mean) else float(mean) for mean in means)
