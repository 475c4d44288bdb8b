"""Means over problems held against nothing or against a margin.

A sign-flip test asks that each difference be as likely to have the other sign. Two runs of one model with equal n are: swap
them. Where that fails, the test lies. Against a margin, "no problem lost of thirty" would pass for proof that fewer are. With
n = 1024 against 128, ten problems that k draws solve with a chance of 5 % each are ten differences of -0.05 in six cases of
ten, and p = 0.002. There the problems are drawn again (`engine.analyses.intervals.resampled_means`), a share of the most
extreme values among them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from engine.analyses.intervals import interval, resampled_means
from engine.analyses.pairs import sign_flip_p
from engine.claims.base import Estimate


def mean_against(
    values: ArrayLike, margin: float, level: float, seed: int, ends: tuple[float, float] = (-1.0, 1.0)
) -> Estimate:
    """The mean of values [problems] with its interval, and the p-value of its lying on the side of `margin` where it does,
    two-sided: (draws on the other side + 1) / (draws + 1), doubled for looking both ways.

    ends: the least and most a value can be; a share of each is among the draws, so that few equal values are no certainty.
    Raises ValueError for no values.
    """
    of = np.asarray(values, dtype=np.float64)
    if not len(of):
        raise ValueError("there are no problems to take a mean over")
    drawn = resampled_means(of[:, None], *ends, seed=seed)[:, 0]
    mean = float(of.mean())
    limits = interval(drawn, mean, level)
    beyond = (drawn <= margin) if mean > margin else (drawn >= margin)
    p_value = min(1.0, 2 * (int(beyond.sum()) + 1) / (len(drawn) + 1))
    return Estimate(mean, limits.low, limits.high, p_value)


def p_of_change(values: ArrayLike, exchangeable: bool, level: float, seed: int) -> float:
    """The two-sided p-value of differences [problems] with mean 0: exact by sign flips where the runs are exchangeable, else
    the larger of that and of drawing the problems again."""
    flipped = sign_flip_p(values, seed)
    return flipped if exchangeable else max(flipped, mean_against(values, 0.0, level, seed).p_value)
