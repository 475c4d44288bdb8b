"""Reasoning paths of the right answers: which runs take which, for one problem and for all of a benchmark. No Textual here.

A path is a surface cluster (`engine.analyses.surface`): wording that is alike, a proxy for a strategy and no more. Who has more
right traces shows more paths, so beside the counts stands what each run would show with as many traces as the other:

    expected paths of N traces = sum over paths g of 1 - C(m - m_g, N) / C(m, N)      (rarefaction)

with m clustered traces, m_g of them on path g. Standard library only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma

from explorer.model.session import Pair
from store.measures import PathCount
from store.rows import ProblemRow, RunRow


class Takes(StrEnum):
    """Which of the two compared runs take a path."""

    BASE_ONLY = "base only"
    OTHER_ONLY = "other only"
    BOTH = "both"
    NEITHER = "neither"
    """Other runs of the benchmark do."""


@dataclass(frozen=True, slots=True)
class PathRow:
    """One path of a problem."""

    path: int
    """Its number within the problem, 1 the most common."""
    takes: Takes
    by_run: Mapping[int, int]
    """Right traces on it, by run_id; runs without any are not there."""

    def traces(self, run: RunRow | None) -> int:
        return 0 if run is None else self.by_run.get(run.run_id, 0)


@dataclass(frozen=True, slots=True)
class RunPaths:
    """One run on one problem."""

    right: int | None
    """Right answers by the deciding verdicts or published counts; None where it was not judged."""
    clustered: int
    """Of these, the traces that were put into paths."""
    paths: int

    @property
    def is_part(self) -> bool:
        return self.right is not None and self.clustered < self.right

    @property
    def is_unknown(self) -> bool:
        """It has right answers, and not one of their traces is here: which paths it takes, nobody can tell."""
        return not self.clustered and bool(self.right)


@dataclass(frozen=True, slots=True)
class ProblemPaths:
    """One problem for a pair of runs: a row of the table over problems."""

    problem: ProblemRow
    base: RunPaths
    other: RunPaths
    shared: int
    lost: int | None
    """Paths the baseline takes and the other one does not; None where nothing is known of the other one's, as is new."""
    new: int | None
    lost_traces: int
    """Right traces of the baseline on the lost ones."""
    at_equal: tuple[float, float] | None
    """Paths expected of each with as many traces as the smaller has; None where one has none."""
    equal: int
    """How many traces those are."""


def path_rows(pair: Pair, counts: Iterable[PathCount]) -> list[PathRow]:
    """The paths of one problem, those of the baseline alone first, then the other's, then the shared, each by size."""
    by_path: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for count in counts:
        by_path[count.path][count.run_id] = count.responses
    rows = [PathRow(path, _takes(pair, by_run), by_run) for path, by_run in by_path.items()]
    order = list(Takes)
    return sorted(rows, key=lambda row: (order.index(row.takes), -sum(row.traces(run) for run in pair.runs), row.path))


def problem_rows(pair: Pair, counts: Iterable[PathCount]) -> list[ProblemPaths]:
    """Problems with a path of either run; those of which the other run takes fewest of the baseline's paths first."""
    by_problem: defaultdict[int, list[PathCount]] = defaultdict(list)
    for count in counts:
        by_problem[count.problem_id].append(count)
    own = {run.run_id for run in pair.runs}
    found = [
        problem_paths(pair, problem, by_problem[problem.problem_id])
        for problem in pair.board.problems
        if any(count.run_id in own for count in by_problem.get(problem.problem_id, ()))
    ]
    return sorted(found, key=lambda row: (row.lost is None, -(row.lost or 0), -row.lost_traces))


def problem_paths(pair: Pair, problem: ProblemRow, counts: Sequence[PathCount]) -> ProblemPaths:
    rows = path_rows(pair, counts)
    of = {takes: [row for row in rows if row.takes is takes] for takes in Takes}
    sizes = [[row.traces(run) for row in rows if row.traces(run)] for run in (pair.base, pair.other)]
    equal = min(sum(sizes[0]), sum(sizes[1]))
    base, other = (_run_paths(pair, run, problem, of_run) for run, of_run in zip((pair.base, pair.other), sizes, strict=True))
    return ProblemPaths(
        problem=problem,
        base=base,
        other=other,
        shared=len(of[Takes.BOTH]),
        lost=None if other.is_unknown else len(of[Takes.BASE_ONLY]),
        new=None if base.is_unknown else len(of[Takes.OTHER_ONLY]),
        lost_traces=sum(row.traces(pair.base) for row in of[Takes.BASE_ONLY]),
        at_equal=(expected_paths(sizes[0], equal), expected_paths(sizes[1], equal)) if equal else None,
        equal=equal,
    )


def expected_paths(sizes: Sequence[int], number: int) -> float:
    """Paths that so many of the traces, drawn without putting back, are expected to take.

    Raises ValueError for more traces than there are.
    """
    whole = sum(sizes)
    if not 0 <= number <= whole:
        raise ValueError(f"{number} traces of {whole}: ask for as many as there are, or fewer")
    return sum(1 - _share(whole - size, whole, number) for size in sizes)


def _share(part: int, whole: int, number: int) -> float:
    """C(part, number) / C(whole, number): the chance that a draw of so many misses all others."""
    if part < number:
        return 0.0
    logs = lgamma(part + 1) - lgamma(part - number + 1) - lgamma(whole + 1) + lgamma(whole - number + 1)
    return exp(min(logs, 0.0))


def _run_paths(pair: Pair, run: RunRow | None, problem: ProblemRow, sizes: Sequence[int]) -> RunPaths:
    count = pair.count(run, problem)
    return RunPaths(None if count is None or not count.n else count.correct, sum(sizes), len(sizes))


def _takes(pair: Pair, by_run: Mapping[int, int]) -> Takes:
    base = pair.base.run_id in by_run
    other = pair.other is not None and pair.other.run_id in by_run
    if base and other:
        return Takes.BOTH
    return Takes.BASE_ONLY if base else Takes.OTHER_ONLY if other else Takes.NEITHER
