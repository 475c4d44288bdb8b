"""The board of one benchmark: every run's counts on every problem, as stored. Standard library only.

It is what a first paint shows and what the analyses start from. Numbers that need a formula (pass@k beyond k = 1, sets at a
common k, tests) are in `engine.analyses`, which import numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from store.errors import NotFound
from store.reader import Study
from store.rows import Count, ProblemRow, RunRow
from store.types import SETTING_NAMES, Role

_DRAWN_BY: Final = frozenset({"temperature", "top_p", "top_k"})


@dataclass(frozen=True, slots=True)
class Board:
    """Counts of a benchmark's runs and problems under one choice of verifier.

    Everything here is of the run's own samples. Extra ones (`Count.extra_n`) would give some problems another n than others:
    they are for what is said of one problem by itself, see `engine.summary.evidence_of`.
    """

    benchmark: str
    verifier: str
    """Whose verdicts these are, for printing: one name, "math+imported" where runs differ, "none" where nobody judged."""
    runs: tuple[RunRow, ...]
    """Base first."""
    problems: tuple[ProblemRow, ...]
    cells: Mapping[tuple[int, int], Count]
    """By (run_id, problem_id). A pair without samples and counts is not there."""

    def counts(self, run: RunRow) -> list[Count]:
        """The run's counts on the problems it was judged on, in problem order."""
        found = (self.cells.get((run.run_id, problem.problem_id)) for problem in self.problems)
        return [count for count in found if count is not None and count.n > 0]

    def judged(self, *runs: RunRow) -> list[ProblemRow]:
        """Problems on which each of these runs has at least one judged sample: the ground for comparing them."""
        return [p for p in self.problems if all(self._n(run, p) > 0 for run in runs)]

    def common_k(self, *runs: RunRow) -> int | None:
        """The largest k at which all these runs can be compared on `judged(*runs)`: their smallest n. None without ground."""
        return min((self._n(run, problem) for problem in self.judged(*runs) for run in runs), default=None)

    def required_k(self, base: RunRow, other: RunRow, k: int | None = None) -> int:
        """The k to compare two runs at: the one asked for, or None for their common k.

        Raises NotFound where they share no judged problem, or not that many samples of each.
        """
        most = self.common_k(base, other)
        if most is None:
            raise NotFound(f"{base.slug} and {other.slug} share no judged problem of {self.benchmark}; see `basebound passk`")
        if k is not None and k > most:
            raise NotFound(f"{base.slug} and {other.slug} cannot be compared at k = {k}: their smallest n is {most}")
        return most if k is None else k

    def pass_at_1(self, run: RunRow) -> float | None:
        """Mean of c/n over the problems the run was judged on; None where there are none."""
        counts = self.counts(run)
        return sum(count.correct / count.n for count in counts) / len(counts) if counts else None

    def _n(self, run: RunRow, problem: ProblemRow) -> int:
        count = self.cells.get((run.run_id, problem.problem_id))
        return 0 if count is None else count.n


def read_board(study: Study, benchmark: str, verifier: str | None = None) -> Board:
    """The benchmark's board; verifier: a name to judge by, or None for the deciding one."""
    cells = {(count.run_id, count.problem_id): count for count in study.counts(benchmark, verifier)}
    used = sorted(
        {count.verifier for count in cells.values() if count.verifier is not None}, key=lambda v: (v == "imported", v)
    )
    return Board(
        benchmark=benchmark,
        verifier=verifier or "+".join(used) or "none",
        runs=tuple(study.runs(benchmark)),
        problems=tuple(study.problems(benchmark)),
        cells=cells,
    )


def reference_run(runs: Sequence[RunRow], run: RunRow | None = None) -> RunRow | None:
    """The run the others are compared with where nobody names one: the base model's.

    Without a base model it is what training started from: sft, then instruct. None where no role tells. For a `run` it is
    the one of its own parent, where that is there, and of several runs the one drawn most alike; else the first.
    """
    for role in (Role.BASE, Role.SFT, Role.INSTRUCT):
        found = [one for one in runs if one.model.role is role]
        if found:
            return found[0] if run is None else max(found, key=lambda one: (_is_parent(one, run), *_alike(one, run)))
    return None


def compared_with(runs: Sequence[RunRow], run: RunRow) -> RunRow | None:
    """The run that another is held against: its reference; where no role tells one, the first run. None for that one itself."""
    base = reference_run(runs, run) or (runs[0] if runs else None)
    return None if base is None or base.run_id == run.run_id else base


def opposite_run(runs: Sequence[RunRow], base: RunRow) -> RunRow | None:
    """The run to hold against `base` where nobody names one: an RL run before others, drawn most alike, its last step."""
    others = [run for run in runs if run.run_id != base.run_id]
    return max(others, key=lambda run: _opposes(run, base), default=None)


def natural_pair(
    runs: Sequence[RunRow], base: RunRow | None = None, other: RunRow | None = None
) -> tuple[RunRow, RunRow | None] | None:
    """The two runs to compare, where one or both are not named: the base is what roles tell, else the first run; against it
    stands what is opposite, None where there is no second run. None without runs. No run is held against itself."""
    base = base or reference_run(runs) or next(iter(runs), None)
    if base is None:
        return None
    if other is None or other.run_id == base.run_id:
        other = opposite_run(runs, base)
    return base, other


def _opposes(run: RunRow, base: RunRow) -> tuple[int, ...]:
    role = run.model.role
    return (role is not base.model.role, role is Role.RL, _is_parent(base, run), *_alike(run, base), run.model.step or 0)


def _is_parent(one: RunRow, run: RunRow) -> bool:
    return run.model.parent is not None and run.model.parent in (one.model.name, one.model.name.rsplit("/", 1)[-1])


def _alike(one: RunRow, other: RunRow) -> tuple[int, int]:
    """How many settings two runs share: of those that say how tokens are drawn, which matter most, and of all."""
    shared = [name for name in SETTING_NAMES if getattr(one.settings, name) == getattr(other.settings, name)]
    return len(_DRAWN_BY.intersection(shared)), len(shared)
