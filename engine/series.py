"""Many runs of one board side by side: algorithms, training steps, temperatures, roles or training seeds, at one common k.

Every run of the series is looked at on the problems that all of them were judged on, with k draws each, k being at most the
smallest n among them. Each entry is held against its base run (`engine.board.reference_run`), and as many comparisons are
made at once, q-values over all of them stand beside the p-values.

Runs that differ in nothing but the training seed (same role, parent, algorithm, step and settings) are one entry: their
problems' pass@k averaged, their spread told. Intervals and tests draw the PROBLEMS again, never the training: they speak
of these checkpoints. What an algorithm does in general is a matter of several training seeds, and an entry with one says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf, isnan
from statistics import stdev

import numpy as np
from numpy.typing import NDArray

from engine.analyses.intervals import LEVEL, Interval, interval, resampled_differences, resampled_means
from engine.analyses.many import adjusted
from engine.analyses.passk import pass_at_k
from engine.analyses.signflip import exchange_p, unequal_p
from engine.board import Board, reference_run
from store.errors import NotFound
from store.rows import ProblemRow, RunRow
from store.types import Role

Values = NDArray[np.float64]


class By(StrEnum):
    """What the entries are told apart and ordered by."""

    ALGORITHM = "algorithm"
    STEP = "step"
    TEMPERATURE = "temperature"
    ROLE = "role"
    SEED = "seed"
    """The training seed: here runs that differ in it only stay apart."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One point of a series."""

    label: str
    runs: tuple[RunRow, ...]
    """One, or several that differ in the training seed only."""
    value: float
    """pass@k, the mean over problems (and over training seeds)."""
    interval: Interval
    """Over problems."""
    spread: float | None
    """Standard deviation of pass@k over the training seeds; None where there are fewer than two."""
    note: str
    """How many training seeds stand behind it, in words; empty for a model that was not trained here (see `_is_trained`)."""
    base: RunRow | None = None
    """What it is held against; None for a base run itself and where no role tells one. So are the next four."""
    difference: float | None = None
    """value - the base run's."""
    difference_interval: Interval | None = None
    """Over problems, drawn again in pairs."""
    p_value: float | None = None
    """Two-sided, of this very difference: of one run `engine.analyses.pairs.paired_p`, of the mean over several training seeds
    by exchanging base with them (`exchange_p`), or by `unequal_p` where they are not exchangeable."""
    q_value: float | None = None
    """Benjamini-Hochberg over the entries of the series that have a p-value."""


@dataclass(frozen=True, slots=True)
class Series:
    by: By
    benchmark: str
    verifier: str
    k: int
    """Draws per problem that every run is given."""
    common_k: int
    """The most they could be given: the smallest n of all of them."""
    problems: int
    """How many all of them were judged on."""
    entries: tuple[Entry, ...]


def series(
    board: Board,
    by: By,
    *,
    runs: Sequence[RunRow] | None = None,
    base: RunRow | None = None,
    k: int | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> Series:
    """The board's judged runs (or the given ones) as one series, at k or at their common k.

    base: what all are held against, or None for each run's own reference. Raises NotFound where the runs share no judged
    problem or not that many samples.
    """
    members = [run for run in (board.runs if runs is None else runs) if board.counts(run)]
    against = {run.run_id: _base(board, run, base) for run in members}
    everyone = [*members, *(run for run in against.values() if run is not None)]
    most = board.common_k(*everyone) if members else None
    if most is None:
        raise NotFound(f"these runs of {board.benchmark} share no judged problem; see `basebound passk`")
    if k is not None and not 1 <= k <= most:
        raise NotFound(f"these runs of {board.benchmark} cannot be compared at k = {k}: their smallest n is {most}")
    problems = sorted(board.judged(*everyone), key=lambda problem: problem.key)
    ground = _Ground(board, tuple(problems), k or most, most)
    groups = sorted(_groups(members, by), key=lambda group: _order(group[0], by))
    entries = [_entry(group, by, ground, against[group[0].run_id], level, seed) for group in groups]
    return Series(by, board.benchmark, board.verifier, ground.k, most, len(problems), _with_q(_told_apart(entries)))


def _base(board: Board, run: RunRow, base: RunRow | None) -> RunRow | None:
    """What a run is held against; None where that is the run itself or, unless asked for, another of its role."""
    if base is not None:
        return None if base.run_id == run.run_id else base
    found = reference_run([one for one in board.runs if board.counts(one)], run)
    return None if found is None or found.model.role is run.model.role else found


def _groups(runs: Iterable[RunRow], by: By) -> list[list[RunRow]]:
    """Runs that differ in the training seed only together, unless that is what the series is about; each other run alone."""
    groups: dict[object, list[RunRow]] = {}
    for run in runs:
        model = run.model
        alike = (model.role, model.parent, model.algorithm, model.step, replace(run.settings, seed=0))
        alone = by is By.SEED or model.training_seed is None
        groups.setdefault(run.run_id if alone else alike, []).append(run)
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all runs of a series are looked at on."""

    board: Board
    problems: tuple[ProblemRow, ...]
    """Judged in all of them, ordered by key."""
    k: int
    common_k: int

    def counts(self, run: RunRow) -> tuple[list[int], list[int]]:
        cells = [self.board.cells[run.run_id, problem.problem_id] for problem in self.problems]
        return [count.n for count in cells], [count.correct for count in cells]

    def values(self, run: RunRow) -> Values:
        return pass_at_k(*self.counts(run), self.k)


def _entry(group: Sequence[RunRow], by: By, ground: _Ground, base: RunRow | None, level: float, seed: int) -> Entry:
    seeds = _by_seed(group)
    each = [np.mean([ground.values(run) for run in runs], axis=0) for runs in seeds]
    rows = np.stack(each if base is None else [*each, ground.values(base)], axis=1)
    rows = rows[np.lexsort(rows.T[::-1])]  # what is drawn then does not depend on the order the problems came in
    values = rows[:, : len(seeds)].mean(axis=1)
    mean = float(values.mean())
    entry = Entry(
        label=_label(group[0], by),
        runs=tuple(group),
        value=mean,
        interval=interval(resampled_means(values[:, None], 0.0, 1.0, seed=seed)[:, 0], mean, level),
        spread=stdev(float(one.mean()) for one in rows[:, : len(seeds)].T) if len(seeds) > 1 else None,
        note=_note(group[0], len(seeds)),
    )
    return entry if base is None else _against(entry, base, rows, ground, level, seed)


def _against(entry: Entry, base: RunRow, rows: Values, ground: _Ground, level: float, seed: int) -> Entry:
    """rows: pass@k of each training seed and, last, of base, [problems, seeds + 1]."""
    difference = rows[:, :-1].mean(axis=1) - rows[:, -1]
    found = float(difference.mean())
    totals = np.array([ground.counts(run)[0] for run in (base, *entry.runs)])
    least = ground.k / int(totals.min())
    drawn = resampled_differences(difference[:, None], least, seed=seed)[:, 0]
    # A training seed that was sampled several times is known better than base is: not exchangeable with it.
    exchangeable = len(entry.runs) == rows.shape[1] - 1 and bool((totals == totals[0]).all())
    p_value = exchange_p(np.roll(rows, 1, axis=1), seed) if exchangeable else unequal_p(difference, least, seed)
    return replace(entry, base=base, difference=found, difference_interval=interval(drawn, found, level), p_value=p_value)


def _by_seed(group: Sequence[RunRow]) -> list[list[RunRow]]:
    """Runs of each training seed; several of one (drawn with other sampling seeds) count as one."""
    runs: dict[int | None, list[RunRow]] = {}
    for run in group:
        runs.setdefault(run.model.training_seed, []).append(run)
    return list(runs.values())


def _note(run: RunRow, seeds: int) -> str:
    if not _is_trained(run):
        return ""
    if seeds > 1:
        return f"mean of {seeds} training seeds"
    if run.model.training_seed is None:
        return "one run, training seed unknown: how much training varies is not seen"
    return f"one training seed ({run.model.training_seed}): how much training varies is not seen"


def _is_trained(run: RunRow) -> bool:
    """Whether it is what some training made of another model here: by its role, or by a parent or a step that is known."""
    model = run.model
    by_role = model.role in (Role.RL, Role.SFT, Role.DISTILLED)
    return by_role or (model.role is not Role.BASE and not (model.parent is None and model.step is None))


def _value(run: RunRow, by: By) -> str | int | float | None:
    values: dict[By, str | int | float | None] = {
        By.ALGORITHM: run.model.algorithm,
        By.STEP: run.model.step,
        By.TEMPERATURE: run.settings.temperature,
        By.ROLE: run.model.role.value,
        By.SEED: run.model.training_seed,
    }
    return values[by]


def _label(run: RunRow, by: By) -> str:
    """What a reader calls the entry: "GRPO", "step 150", "T 0.6", "rl", "seed 1"; its role where it has no such value."""
    value = _value(run, by)
    if value is None:
        return run.model.role.value
    before = {By.STEP: "step ", By.TEMPERATURE: "T ", By.SEED: "seed "}.get(by, "")
    return f"{before}{value:g}" if isinstance(value, float) else f"{before}{value}"


def _order(run: RunRow, by: By) -> tuple[object, ...]:
    """Base first, then numbers by size, then words, then runs as they are named."""
    value = _value(run, by)
    size = value if isinstance(value, int | float) else inf
    first = list(Role).index(run.model.role) if by is By.ROLE else run.model.role is not Role.BASE
    return (0 if by is By.TEMPERATURE else first, size, str(value or ""), run.model.step or 0, run.name)


def _told_apart(entries: Sequence[Entry]) -> list[Entry]:
    """Entries that would share a label carry their run's short name as well."""
    labels = [entry.label for entry in entries]
    return [one if labels.count(one.label) == 1 else replace(one, label=f"{one.label} ({one.runs[0].name})") for one in entries]


def _with_q(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    q_values = adjusted([np.nan if entry.p_value is None else entry.p_value for entry in entries]).tolist()
    return tuple(replace(one, q_value=None if isnan(q) else q) for one, q in zip(entries, q_values, strict=True))
