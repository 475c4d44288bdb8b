"""What a model can within a budget of K draws, what it cannot, and how many further samples would tell.

From c correct of n samples, bounds on p: two-sided Clopper-Pearson, and at c = 0, where there is no lower side to spend on,
the upper bound 1 - (1 - level)^(1/n) of `zero_bound`. A model CAN where its lower bound is at least 1/K, CANNOT where its
upper bound is under 0.05/K: that takes about 60 K samples without a success. Each of the two is wrong with at most 1 - level.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrc, betainc, betaincc

from engine.analyses.accuracy import counts
from engine.analyses.intervals import LEVEL, clopper_pearson, zero_bound

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOPELESS: Final = 0.05
"""A model that solves a problem within K draws less often than about this counts as one that cannot: p < 0.05/K."""

_MOST: Final = 10**9
"""What so many samples do not tell is never told."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One model's p on each problem, as arrays [problems], and what that means at the budget."""

    low: Values
    high: Values
    can: Mask
    cannot: Mask


@dataclass(frozen=True, slots=True)
class Further:
    """Where each problem's rate leads if it goes on, as arrays [problems]."""

    samples: Counts
    """Further samples until that is known: 0 where it is, -1 where it never will be."""
    can: Mask
    """Whether it is CAN that they lead to, and not CANNOT."""


def reach(n: ArrayLike, c: ArrayLike, budget: int, level: float = LEVEL) -> Reach:
    """What the counts say at this budget. Raises ValueError for impossible counts and a budget below 1."""
    if budget < 1:
        raise ValueError(f"the budget must be at least 1 draw, not {budget}")
    totals, correct = counts(n, c)
    low, high = clopper_pearson(totals, correct, level)
    sizes, place = np.unique(totals, return_inverse=True)
    none = np.array([zero_bound(int(size), level) for size in sizes])[place.reshape(-1)] if len(sizes) else high
    high = np.where(correct == 0, none, high)
    return Reach(low, high, low >= 1 / budget, high < HOPELESS / budget)


def further(n: ArrayLike, c: ArrayLike, budget: int, level: float = LEVEL) -> Further:
    """How many further samples would tell what each model can, if they came out right as often as those seen.

    A rate c/n above 1/K leads to CAN, one below 0.05/K to CANNOT; one between them, or no samples, nowhere.
    """
    totals, correct = counts(n, c)
    known = reach(totals, correct, budget, level)
    pairs, which = np.unique(np.stack([totals, correct]), axis=1, return_inverse=True)
    which, rate = which.reshape(-1), pairs[1] / np.maximum(pairs[0], 1)
    up, down = rate > 1 / budget, (rate < HOPELESS / budget) & (pairs[0] > 0)
    least = np.full(len(rate), -1, dtype=np.int64)
    least[up] = _least(pairs[0][up], _can_at(rate[up], budget, level))
    least[down] = _least(pairs[0][down], _cannot_at(rate[down], budget, level))
    samples = np.where(least < 0, -1, least - pairs[0])[which]
    told = known.can | known.cannot
    return Further(np.where(told, 0, samples), np.where(told, known.can, up[which]))


def fewest_for_can(n: Counts, budget: int, level: float = LEVEL) -> Counts:
    """The fewest correct of n at which a model CAN, as an array like n; n + 1 where no number is enough."""
    return _first(n, lambda c: (c > n) | (bdtrc(np.minimum(c, n) - 1.0, n, 1 / budget) <= (1 - level) / 2))


def most_for_cannot(n: Counts, budget: int, level: float = LEVEL) -> Counts:
    """The most correct of n at which a model CANNOT, as an array like n; -1 where none at all are still too few samples."""

    def too_likely(c: Counts) -> Mask:
        tail = np.where(c == 0, 1 - level, (1 - level) / 2)
        return np.asarray((c >= n) | (bdtr(np.minimum(c, n) * 1.0, n, HOPELESS / budget) >= tail))

    return _first(n, too_likely) - 1


def _can_at(rate: Values, budget: int, level: float) -> Callable[[Values, Counts], Mask]:
    """Whether the lower bound at n samples reaches 1/K: P(X >= rate n) at p = 1/K, read between whole numbers too."""
    return lambda n, at: betainc(rate[at] * n, n - rate[at] * n + 1, 1 / budget) <= (1 - level) / 2


def _cannot_at(rate: Values, budget: int, level: float) -> Callable[[Values, Counts], Mask]:
    """Whether the upper bound at n samples is under 0.05/K: P(X <= rate n) at that p, the same way."""
    tail = np.where(rate == 0, 1 - level, (1 - level) / 2)
    return lambda n, at: betaincc(rate[at] * n + 1, n - rate[at] * n, HOPELESS / budget) < tail[at]


def _first(n: Counts, holds: Callable[[Counts], Mask]) -> Counts:
    """The least c from 0 to n + 1 at which holds(c), and for all larger ones, each element by itself."""
    low, high = np.full_like(n, -1), n + 1
    while (high - low > 1).any():
        middle = np.where(high - low > 1, (low + high) // 2, high)
        reached = holds(middle)
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def _least(n: Counts, holds: Callable[[Values, Counts], Mask]) -> Counts:
    """The least number from each of n up where holds(number, place) and ever after; -1 where it would pass _MOST."""
    low, high = n - 1, n.copy()
    places = np.arange(len(n))
    open_ = places
    while len(open_ := open_[~holds(high[open_].astype(np.float64), open_) & (high[open_] < _MOST)]):
        low[open_], high[open_] = high[open_], 2 * high[open_]
    while len(open_ := places[high - low > 1]):
        middle = (low[open_] + high[open_]) // 2
        reached = holds(middle.astype(np.float64), open_)
        high[open_[reached]], low[open_[~reached]] = middle[reached], middle[~reached]
    return np.where(high > _MOST, -1, high)
