"""Means over problems held against nothing or against a margin. Neither the order of the problems nor which run is base changes
an interval or a p-value.

A sign-flip test asks that each difference be as likely to have the other sign. Two runs of one model with equal n are: swap
them. Where that fails, the test lies. Against a margin, "no problem lost of thirty" would pass for proof that fewer are. With
n = 1024 against 128, ten problems that k draws solve with a chance of 5 % each are ten differences of -0.05 in six cases of
ten, and p = 0.002. There the problems are drawn again (`engine.analyses.intervals.bounding_means`), with one more that lies as
far on the other side as it can. Values without a least and a most (logarithms) have no such ends: `unbounded_mean` is of those.

The p-value of a difference of pass@k is `engine.analyses.pairs.paired_p`, the one that `basebound passk` prints.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.intervals import bounding_means, interval, resampled_means
from engine.analyses.signflip import sign_flip_p, unequal_p
from engine.claims.base import Estimate

FEWEST: Final = 10
"""Problems below which a mean of unbounded values is not tested: so few say nothing of the values that were not seen."""

_ROUNDING: Final = 1e-9

Values = NDArray[np.float64]


def mean_against(
    values: ArrayLike, margin: float, level: float, seed: int, ends: tuple[float, float] = (-1.0, 1.0)
) -> Estimate:
    """The mean of values [problems] with its interval, and the p-value of its lying on the side of `margin` where it does,
    two-sided: (draws on the other side + 1) / (draws + 1), doubled for looking both ways. The interval is of the same draws.

    ends: the least and most a value can be; one problem of each is among the draws, so that few equal values are no certainty.
    Raises ValueError for no values.
    """
    of, margin, ends, sign = _canonical(values, margin, ends)
    lower, upper = (np.sort(draws) for draws in bounding_means(of, *ends, seed=seed))
    mean, rank = float(of.mean()), max(1, int((1 - level) / 2 * (len(lower) + 1) + _ROUNDING))
    low, high = min(mean, float(lower[rank - 1])), max(mean, float(upper[-rank]))
    beyond = int((lower <= margin).sum() if mean > margin else (upper >= margin).sum() if mean < margin else len(lower))
    p_value = min(1.0, 2 * (beyond + 1) / (len(lower) + 1))
    return Estimate(mean, low, high, p_value) if sign > 0 else Estimate(-mean, -high, -low, p_value)


def _canonical(values: ArrayLike, margin: float, ends: tuple[float, float]) -> tuple[Values, float, tuple[float, float], float]:
    """Values in order, margin and ends: these, or all of them negated (sign -1), whichever comes first. The draws are then the
    same ones whatever the order of the problems and whichever run is base."""
    of = np.sort(np.asarray(values, dtype=np.float64))
    if not len(of):
        raise ValueError("there are no problems to take a mean over")
    there, back = (of, margin, ends, 1.0), (-of[::-1], -margin, (-ends[1], -ends[0]), -1.0)
    return min(there, back, key=lambda way: (way[0].tolist(), way[1], way[2]))


def unbounded_mean(values: ArrayLike, margin: float, level: float) -> Estimate:
    """The mean of values [problems] that have no ends, with Student's interval and two-sided p-value against the margin.

    p is never below 2^(1 - problems), the least that the values' signs alone could give: equal values are no certainty.
    Raises ValueError for fewer than FEWEST values.
    """
    from scipy.special import stdtr, stdtrit

    of = np.sort(np.asarray(values, dtype=np.float64))
    number = len(of)
    if number < FEWEST:
        raise ValueError(f"{number} problems are too few for a mean of values without ends: give {FEWEST} at least")
    mean, error = float(of.mean()), float(of.std(ddof=1)) / sqrt(number)
    half = error * float(stdtrit(number - 1, (1 + level) / 2))
    away = abs(mean - margin)
    p_value = 2 * float(stdtr(number - 1, -away / error)) if error > 0 else float(away == 0)
    return Estimate(mean, mean - half, mean + half, max(p_value, 2.0 ** (1 - number)))


def ratio_against(part: ArrayLike, whole: ArrayLike, limit: float, level: float, seed: int) -> tuple[Estimate, float, float]:
    """sum(part) / sum(whole) over problems with its interval, 0 <= part <= whole <= 1, and the one-sided p-values of its being
    at least and at most the limit: small where it is clearly below, clearly above. The estimate's p-value is 1: choose.

    part - limit * whole has a mean on the limit's side of 0: problems drawn again, with one more of whole 1 and part 0 or 1,
    whichever is against it. Where all values are 0 or 1 these are the binomial tests. The interval holds two more such problems
    of weight one half (Jeffreys'). Raises ValueError where there is nothing to take a share of.
    """
    rows = np.stack([np.asarray(of, dtype=np.float64) for of in (part, whole)], axis=1)
    sums = rows.sum(axis=0)
    if not sums[1] > 0:
        raise ValueError("there is nothing to take a share of")
    drawn = resampled_means(rows[np.lexsort(rows.T)], [0.0, 1.0], [1.0, 1.0], seed=seed)
    ratios, value = drawn[:, 0] / drawn[:, 1], float(sums[0] / sums[1])
    limits = interval(ratios, value, level)
    lower, upper = bounding_means(np.sort(rows[:, 0] - limit * rows[:, 1]), -limit, 1 - limit, seed=seed)
    at_least, at_most = (float((side.sum() + 1) / (len(side) + 1)) for side in (upper >= 0, lower <= 0))
    return Estimate(value, limits.low, limits.high, 1.0), at_least, at_most


def p_of_change(values: ArrayLike, exchangeable: bool, seed: int) -> float:
    """The two-sided p-value of differences [problems] at the common k, of other things than pass@k, as `paired_p` is of
    those: by sign flips where the runs are exchangeable, else the larger of that and of drawing the problems again."""
    return sign_flip_p(values, seed) if exchangeable else unequal_p(values, 1.0, seed)
