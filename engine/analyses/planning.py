"""Where further samples would settle most: for each problem without a standing, how many to draw of which model.

A problem is settled when its standing at budget K is (`engine.analyses.boundary`). Whether m further samples do that is not
known beforehand, but its chance is: each problem's pair of p is drawn from its posterior under a prior that both runs' counts
fit (`engine.analyses.joint`), the m samples from those p, and the rules are applied to what there would then be. The models'
samples are independent given their p, so a pair of numbers (base, other) has the chance of the ways in which both bounds fall.

The chances are those of the model, and only as good as it. Promised and settled of 60 problems each, n = 128, K = 64, 40 times
(p ~ Beta(0.25, 3) under base): models alike 216 and 197, half the p 197 and 202, unrelated 471 and 465, with the surest ones
too sure (.69, kept .42); a fifth of problems lost and the others' p doubled 216 and 145.

Numbers are chosen from a grid around those at which a bound can first be passed: of the pairs that settle the problem at least
half as surely as the best one does, the one with the largest chance per sample. Problems come in the order of chance per
sample, so that the first so many are the best way to spend so much, nearly: proposals are taken or left as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc

from engine.analyses.accuracy import sampled
from engine.analyses.boundary import Standing, evidence
from engine.analyses.coverage import least_right
from engine.analyses.intervals import LEVEL
from engine.analyses.joint import Belief, Beliefs
from engine.analyses.reach import Reach, fewest_for_can, most_for_cannot, reach

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

_TIMES_BUDGET: Final = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32, 60, 80, 120, 160, 240)
"""Samples in all, in budgets: some 4 successes pass the lower bound at 1, no success the upper one at 60."""
_TIMES_N: Final = (1.25, 1.5, 2, 3, 4, 6, 8)

_AS_SURE: Final = 0.5
_WORTH: Final = 0.01
"""A problem that nothing in the grid settles with this chance gets no proposal."""


class State(StrEnum):
    """What is known of one model on one problem at the budget."""

    CAN = "can"
    CANNOT = "cannot"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Ask:
    """One model on one problem: what is known, and what to draw."""

    state: State
    samples: int
    """Proposed; 0 where this model is settled, or nothing is proposed."""
    cost: int | None
    """Further samples if the rates seen went on; see `boundary.Evidence`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One undetermined problem."""

    place: int
    """Which problem, from 0."""
    base: Ask
    other: Ask
    settles: float
    """Chance that the samples proposed settle its standing."""
    changes: float
    """Chance that they move it to another of the four sets, if they are counted for it."""

    @property
    def samples(self) -> int:
        return self.base.samples + self.other.samples

    @property
    def per_sample(self) -> float:
        """Problems settled per sample drawn."""
        return self.settles / self.samples if self.samples else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """All problems of two runs at one budget."""

    budget: int
    """K of the standings."""
    k: int
    """Of the four sets."""
    standings: tuple[Standing, ...]
    """[problems]"""
    proposals: tuple[Proposal, ...]
    """The undetermined ones, most settled per sample first."""


def plan(
    base_n: ArrayLike,
    base_c: ArrayLike,
    other_n: ArrayLike,
    other_c: ArrayLike,
    budget: int,
    k: int | None = None,
    level: float = LEVEL,
    seed: int = 0,
) -> Plan:
    """What to draw, problem by problem. budget: K, the draws within which a model is to solve a problem; k: of the four sets,
    by default the smallest n.

    Raises ValueError for impossible counts, problems without samples, no problems, a k above some n, and a budget below 1.
    """
    base, other = sampled(base_n, base_c), sampled(other_n, other_c)
    found = evidence(*base, *other, budget, level)
    if not found:
        raise ValueError("there are no problems to plan for: both runs must have judged samples of at least one")
    smallest = int(min(base[0].min(), other[0].min()))
    if k is not None and not 1 <= k <= smallest:
        raise ValueError(f"k must be between 1 and the smallest n, {smallest}, not {k}")
    k = k or smallest
    sides = [_Side(*counts, k, budget, level) for counts in (base, other)]
    beliefs = Beliefs(base, other, seed)
    costs = [(one.cost_base, one.cost_other) for one in found]
    open_ = [place for place, one in enumerate(found) if one.standing is Standing.UNDETERMINED]
    proposals = [_proposal(place, sides, beliefs.of(place), costs[place]) for place in open_]
    ordered = sorted(proposals, key=lambda one: (-one.per_sample, one.place))
    return Plan(budget, k, tuple(one.standing for one in found), tuple(ordered))


def affordable(proposals: Iterable[Proposal], samples: int) -> list[Proposal]:
    """Those that so many samples pay for, taken in order; one that is too large is left out, and smaller ones may follow."""
    taken = []
    for one in proposals:
        if 0 < one.samples <= samples:
            taken.append(one)
            samples -= one.samples
    return taken


@dataclass(frozen=True, slots=True)
class _Chances:
    """What each number of further samples does to one model of one problem, as arrays [numbers, groups] but the first."""

    samples: Counts
    can: Values
    cannot: Values
    changes: Values
    """Chance that the model solves the problem at k where it does not now, or the reverse."""


class _Side:
    """One model."""

    def __init__(self, n: Counts, c: Counts, k: int, budget: int, level: float) -> None:
        self._n, self._c, self._k, self._budget, self._level = n, c, k, budget, level
        self._reach: Reach = reach(n, c, budget, level)

    def state(self, place: int) -> State:
        if self._reach.can[place]:
            return State.CAN
        return State.CANNOT if self._reach.cannot[place] else State.OPEN

    def chances(self, place: int, p: Values) -> _Chances:
        """p: [groups]."""
        if self.state(place) is State.OPEN:
            return self._open(int(self._n[place]), int(self._c[place]), p)
        can, cannot = (np.full((1, len(p)), float(mask[place])) for mask in (self._reach.can, self._reach.cannot))
        return _Chances(np.zeros(1, dtype=np.int64), can, cannot, np.zeros((1, len(p))))

    def _open(self, n: int, c: int, p: Values) -> _Chances:
        totals = _totals(n, self._budget)
        further = totals - n
        solved = np.array([least_right(int(total), self._k) for total in totals])
        rises = _at_least(solved - c, further, p)
        return _Chances(
            further,
            _at_least(fewest_for_can(totals, self._budget, self._level) - c, further, p),
            1 - _at_least(most_for_cannot(totals, self._budget, self._level) - c + 1, further, p),
            1 - rises if c >= least_right(n, self._k) else rises,
        )


def _totals(n: int, budget: int) -> Counts:
    """Samples in all to look at: n itself, and what is larger of the grid."""
    grid = [int(np.ceil(times * budget)) for times in _TIMES_BUDGET] + [int(np.ceil(times * n)) for times in _TIMES_N]
    return np.array([n, *sorted({total for total in grid if total > n})], dtype=np.int64)


def _at_least(least: Counts, m: Counts, p: Values) -> Values:
    """P(X >= least) for X ~ Binomial(m, p), as [numbers, groups]; m and least [numbers], p [groups]."""
    x = np.clip(least, 1, np.maximum(m, 1))[:, None]
    tail = bdtrc(x - 1.0, m[:, None], p)
    return np.where(least[:, None] <= 0, 1.0, np.where((least > m)[:, None], 0.0, tail))


def _proposal(place: int, sides: list[_Side], belief: Belief, costs: tuple[int | None, int | None]) -> Proposal:
    ours, theirs = (side.chances(place, p) for side, p in zip(sides, (belief.base, belief.other), strict=True))
    settles = ours.can @ belief.together @ (theirs.can + theirs.cannot).T + ours.cannot @ belief.together @ theirs.can.T
    samples = np.add.outer(ours.samples, theirs.samples)
    sure = (settles >= _AS_SURE * settles.max()) & (samples > 0)
    rate = np.where(sure, settles / np.maximum(samples, 1), -1.0)
    # The grid's first numbers are no further samples at all: what to propose where nothing is worth it.
    one, two = np.unravel_index(int(np.argmax(rate)) if settles.max() >= _WORTH else 0, rate.shape)
    stays = (1 - ours.changes[one]) @ belief.together @ (1 - theirs.changes[two])
    numbers = ours.samples[one], theirs.samples[two]
    asks = [Ask(side.state(place), int(m), cost) for side, m, cost in zip(sides, numbers, costs, strict=True)]
    chances = np.clip([settles[one, two], 1 - stays], 0.0, 1.0).tolist()
    return Proposal(place, asks[0], asks[1], *chances)
