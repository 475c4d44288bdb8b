"""From a board to the two central numbers: pass@k of every run, and what pairs of runs solve, at a common k.

Intervals and tests take a second where the numbers alone take a millisecond, so they are made, and scipy is imported, where
they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from engine.analyses.coverage import Coverage, coverage
from engine.analyses.passk import k_grid, mean_pass_at_k, plug_in_pass_at_k
from engine.board import Board, reference_run
from store.rows import Count, ProblemRow, RunRow

if TYPE_CHECKING:
    from engine.analyses.boundary import Evidence
    from engine.analyses.intervals import CurveBands
    from engine.analyses.pairs import Comparison


@dataclass(frozen=True, slots=True)
class RunSummary:
    """pass@k of one run, over the problems it was judged on; all zero and empty where nobody has judged it."""

    run: RunRow
    problems: int
    n_min: int
    n_max: int
    errors: int
    unjudged: int
    k: tuple[int, ...]
    pass_at_k: tuple[float | None, ...]
    """Mean over problems, one per k; None where some problem has n < k."""
    bands: CurveBands | None = None
    """At those k that every problem reaches; None where they were not asked for, or there is no such k."""


@dataclass(frozen=True, slots=True)
class PairSummary:
    """A run against the base run, over the problems both were judged on."""

    base: RunRow
    other: RunRow
    problems: int
    k: int
    """Common k: the smallest n of the two."""
    gap: float
    """Sampling efficiency gap: base pass@k - other pass@1. Lower is better for the other run."""
    comparison: Comparison | None = None
    """The difference along k with bands, tests and crossover; None where it was not asked for."""


@dataclass(frozen=True, slots=True)
class BenchmarkSummary:
    benchmark: str
    verifier: str
    common_k: int | None
    """The largest k at which the pass@k of every judged run is defined; None where nothing was judged."""
    runs: tuple[RunSummary, ...]
    pairs: tuple[PairSummary, ...]


def summarise(
    board: Board, ks: Sequence[int] | None = None, base: RunRow | None = None, *, intervals: bool = False
) -> BenchmarkSummary:
    """ks: asked k, or None for each run's grid 1, 2, 4, ..., n. base: the run others are paired with, or None for the one
    that the roles tell, each run with the base model's run of settings like its own; where they tell none, no pairs.
    intervals: with bands and comparisons."""
    runs = tuple(_run_summary(board, run, ks, intervals) for run in board.runs)
    pairs = [_pair(board, reference, run, intervals) for reference, run in pairs_of(board, base)]
    return BenchmarkSummary(
        benchmark=board.benchmark,
        verifier=board.verifier,
        common_k=min((run.n_min for run in runs if run.problems), default=None),
        runs=runs,
        pairs=tuple(pair for pair in pairs if pair is not None),
    )


def pairs_of(board: Board, base: RunRow | None = None) -> list[tuple[RunRow, RunRow]]:
    """Each run with the one it is held against, as `summarise` pairs them; whether they share problems is not looked at."""
    references = [(base or reference_run(board.runs, run), run) for run in board.runs]
    return [(reference, run) for reference, run in references if reference and _comparable(reference, run, base)]


def paired_counts(board: Board, base: RunRow, other: RunRow) -> tuple[list[ProblemRow], list[list[int]]]:
    """The problems both runs were judged on, and base n, base c, other n, other c on them."""
    problems = board.judged(base, other)
    ours, theirs = _cells(board, base, problems), _cells(board, other, problems)
    return problems, [
        [count.n for count in ours],
        [count.correct for count in ours],
        [count.n for count in theirs],
        [count.correct for count in theirs],
    ]


def cover(board: Board, base: RunRow, other: RunRow, k: int | None = None) -> Coverage:
    """The four sets of two runs at a common k (None: the largest), over the problems both were judged on.

    Raises NotFound where they share no judged problem, or not that many samples of each.
    """
    k = board.required_k(base, other, k)
    problems, (base_n, base_c, other_n, other_c) = paired_counts(board, base, other)
    return coverage([problem.key for problem in problems], base_n, base_c, other_n, other_c, k)


def all_counts(board: Board, base: RunRow, other: RunRow) -> tuple[list[ProblemRow], list[list[int]]]:
    """`paired_counts` with the extra samples: what is known of each problem by itself, which needs no common n.

    Not for a rate over problems, nor for sets at a common k: extra samples were drawn of some problems only.
    """
    problems = board.judged(base, other)
    ours, theirs = _cells(board, base, problems), _cells(board, other, problems)
    return problems, [
        [count.all_n for count in ours],
        [count.all_correct for count in ours],
        [count.all_n for count in theirs],
        [count.all_correct for count in theirs],
    ]


def evidence_of(board: Board, base: RunRow, other: RunRow, budget: int) -> dict[int, Evidence]:
    """What the counts say of each problem that both runs were judged on, by problem_id; none where there are none.

    All samples of a problem count, extra ones too. How many of those there are was chosen when the others had been seen: the
    bounds and Fisher's test, which are meant for an n fixed beforehand, are approximate there (`engine.planning` has figures).
    budget: K, the draws within which a model is to solve a problem.
    """
    from engine.analyses.boundary import evidence

    problems, (base_n, base_c, other_n, other_c) = all_counts(board, base, other)
    found = evidence(base_n, base_c, other_n, other_c, budget) if problems else []
    return {problem.problem_id: one for problem, one in zip(problems, found, strict=True)}


def plug_in(board: Board, run: RunRow, ks: Sequence[int]) -> tuple[float | None, ...]:
    """BIASED LOW: the mean plug-in at each k, for comparison with write-ups that use it; None where some problem has n < k."""
    counts = board.counts(run)
    n, c = [count.n for count in counts], [count.correct for count in counts]
    means = [float(plug_in_pass_at_k(n, c, k).mean()) for k in ks] if counts else []
    return tuple(None if isnan(mean) else mean for mean in means)


def _run_summary(board: Board, run: RunRow, ks: Sequence[int] | None, intervals: bool) -> RunSummary:
    counts = board.counts(run)
    all_counts = [count for count in board.cells.values() if count.run_id == run.run_id]
    n = [count.n for count in counts]
    grid = () if not n else tuple(ks) if ks else k_grid(min(n))
    return RunSummary(
        run=run,
        problems=len(counts),
        n_min=min(n, default=0),
        n_max=max(n, default=0),
        errors=sum(count.error for count in all_counts),
        unjudged=sum(count.unjudged for count in all_counts),
        k=grid,
        pass_at_k=_pass_at_k(counts, grid),
        bands=_bands(counts, grid) if intervals else None,
    )


def _bands(counts: Sequence[Count], ks: Sequence[int]) -> CurveBands | None:
    from engine.analyses.intervals import curve_bands

    reached = [k for k in ks if k <= min(count.n for count in counts)]
    return curve_bands([count.n for count in counts], [count.correct for count in counts], reached) if reached else None


def _comparable(reference: RunRow, run: RunRow, base: RunRow | None) -> bool:
    """Not a run with itself, nor, where roles chose, one base model's run with another."""
    return run != reference and (base is not None or run.model.role is not reference.model.role)


def _pair(board: Board, base: RunRow, other: RunRow, intervals: bool) -> PairSummary | None:
    problems, counts = paired_counts(board, base, other)
    k = board.common_k(base, other)
    if k is None:
        return None
    (reached,) = _pass_at_k(_cells(board, base, problems), (k,))
    (first,) = _pass_at_k(_cells(board, other, problems), (1,))
    if reached is None or first is None:
        return None
    return PairSummary(base, other, len(problems), k, reached - first, _compared(counts) if intervals else None)


def _compared(counts: list[list[int]]) -> Comparison:
    from engine.analyses.pairs import compare

    base_n, base_c, other_n, other_c = counts
    return compare(base_n, base_c, other_n, other_c)


def _pass_at_k(counts: Sequence[Count], ks: Sequence[int]) -> tuple[float | None, ...]:
    if not ks:
        return ()
    means = mean_pass_at_k([count.n for count in counts], [count.correct for count in counts], ks)
    return tuple(None if isnan(mean) else float(mean) for mean in means)


def _cells(board: Board, run: RunRow, problems: Sequence[ProblemRow]) -> list[Count]:
    return [board.cells[run.run_id, problem.problem_id] for problem in problems]
