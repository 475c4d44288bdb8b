"""How far a dataset's pass@k can be trusted: two kinds of interval, for two different questions.

- `samples`: from sampling alone. What would THESE problems' pass@k be if every problem had been sampled for ever? Draws of
  each problem's p from its posterior under a fitted prior (`engine.analyses.ladder`), pass@k = mean of 1 - (1 - p)^k.
  Resampling the n results of a problem instead would lose a problem with c = 1 one time in e.
- `problems`: as if the problems were drawn again from where they came from, samples and all. What would pass@k be over all
  such problems? Draws of weights for the problems (`resampled_means`); the wider one, and the one to use where a claim is
  about more than this benchmark.

Each comes pointwise (95 % at any one k that was chosen beforehand) and simultaneous (95 % that the whole curve lies within).
Both are read off the draws by rank, so no limit leaves [0, 1] and none is symmetric by decree near 0 and 1.

How often they hold the truth at nominal 95 %, measured (`benchmarks/intervals.py`: five distributions of p, two narrow humps
and a spike at zero among them, n = 128 and 1024, k from 1 to n; a single figure has a standard error of 1.5 points):

- `samples` 94 to 95 % on average at each k for 30, 100 and 500 problems, at worst 90 % (two humps, 100 problems); the whole
  curve 94 %, at worst 90.5 %. Under one fitted beta instead the humps and the spike bring it down to 22 % near k = n.
- `problems` 94 to 96 %, at worst 91 %; the whole curve 94 to 95.5 %, at worst 91.5 %. The plain percentile bootstrap holds 30
  problems 90 to 93.5 % of the time, at worst 66 % (nearly all problems solved at k = n).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

from engine.analyses.ladder import Seed, drawn_p_in_blocks
from engine.analyses.passk import mean_pass_at_k, pass_curve

Values = NDArray[np.float64]

LEVEL: Final = 0.95
RESAMPLES: Final = 10_000
DRAWS: Final = 2000

_BLOCK: Final = 1 << 18
"""Numbers drawn at a time: a few megabytes."""

_UNSEEN: Final = 0.5
"""What the smallest and the largest value that problems might have weigh, each, in problems."""


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Band:
    """Limits along k, one of each per k."""

    level: float
    low: Values
    """Pointwise, as is high."""
    high: Values
    low_all: Values
    """Simultaneous over all the k that were asked for, as is high_all."""
    high_all: Values


@dataclass(frozen=True, slots=True)
class CurveBands:
    """A run's pass@k with both kinds of band."""

    ks: NDArray[np.int64]
    estimate: Values
    """Unbiased pass@k, the mean over problems."""
    samples: Band
    """From sampling alone: these very problems."""
    problems: Band
    """Over problems like these."""


def curve_bands(n: ArrayLike, c: ArrayLike, ks: ArrayLike, level: float = LEVEL, seed: int = 0) -> CurveBands:
    """pass@k of a run at each of ks, none above the smallest n, with its bands.

    Raises ValueError for impossible counts, no problems, or a k that some problem's n does not reach.
    """
    estimate = mean_pass_at_k(n, c, ks)
    if np.isnan(estimate).any():
        raise ValueError("some problem has fewer samples than the largest k: ask for k up to the smallest n")
    return CurveBands(
        ks=np.asarray(ks, dtype=np.int64),
        estimate=estimate,
        samples=band(posterior_curves(n, c, ks, seed=seed), estimate, level),
        problems=band(resampled_curves(n, c, ks, seed=seed), estimate, level),
    )


def posterior_curves(n: ArrayLike, c: ArrayLike, ks: ArrayLike, draws: int = DRAWS, seed: Seed = 0) -> Values:
    """pass@k of these very problems in draws from the posterior, as [draws, len(ks)]; beyond n it is the prior that speaks."""
    totals, correct = (np.atleast_1d(counts) for counts in np.broadcast_arrays(n, c))
    order = np.lexsort((correct, totals))  # sums over problems then do not depend on the order they came in
    grid = np.asarray(ks, dtype=np.float64)
    curves = np.empty((draws, len(grid)))
    at = 0
    for p in drawn_p_in_blocks(totals[order], correct[order], draws, seed):
        with np.errstate(divide="ignore"):
            log_failure = np.log1p(-p)
        for column, k in enumerate(grid):
            curves[at : at + len(p), column] = 0.0 - np.expm1(k * log_failure).mean(axis=1)
        at += len(p)
    return curves


def resampled_curves(n: ArrayLike, c: ArrayLike, ks: ArrayLike, resamples: int = RESAMPLES, seed: Seed = 0) -> Values:
    """pass@k with the problems drawn again, as [resamples, len(ks)]; NaN where k > n of some problem."""
    curve = pass_curve(n, c, ks)
    curve = curve[np.lexsort(curve.T)] if curve.size else curve
    return resampled_means(curve, 0.0, 1.0, resamples, seed)


def resampled_means(values: Values, least: ArrayLike, most: ArrayLike, resamples: int = RESAMPLES, seed: Seed = 0) -> Values:
    """The mean over rows of values [problems, columns] with the rows drawn again, as [resamples, columns].

    Drawn again smoothly: each row weighs an exponential number (the Bayesian bootstrap, Rubin 1981), and two further rows, with
    `least` and `most` in every column, weigh a Gamma(1/2) each. Where values are 0 or 1, least 0 and most 1, the mean is then
    exactly Beta(ones + 1/2, zeros + 1/2), Jeffreys' posterior: never certain because no exception was among the problems. The
    plain bootstrap is, and is too narrow for few problems besides (`benchmarks/intervals.py`).
    """
    return _weighed(values, [np.broadcast_to(end, values.shape[1]) for end in (least, most)], _UNSEEN, resamples, seed)


def bounding_means(
    values: Values, least: float, most: float, resamples: int = RESAMPLES, seed: Seed = 0
) -> tuple[Values, Values]:
    """Draws for one-sided bounds of the mean of values [problems] that lie between `least` and `most`, [resamples] each.

    Every problem weighs an exponential number, and one further problem, which is `least` in the first and `most` in the second.
    The 5 % quantile of the first is a lower 95 % bound, the 95 % quantile of the second an upper one (Gaffke 2005). Where
    values are 0 or 1, they are Clopper and Pearson's. `resampled_means`, which gives the ends half as much, holds a band's 95 %
    on average; it calls a mean clearly smaller than it is too often where few problems are far from the others.
    """
    both = _weighed(np.stack([values, values], axis=1), [np.array([least, most])], 1.0, resamples, seed)
    return both[:, 0], both[:, 1]


def _weighed(values: Values, ends: Sequence[Values], weight: float, resamples: int, seed: Seed) -> Values:
    """Weighted means over the rows of values and the ends: a row weighs an exponential number, an end a Gamma(weight)."""
    if not len(values):
        raise ValueError("there are no problems to draw again: give counts of at least one")
    rows = np.concatenate([values, np.stack(list(ends))])
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, values.shape[1]))
    step = max(1, _BLOCK // len(rows))
    for at in range(0, resamples, step):
        size = min(step, resamples - at)
        drawn = rng.standard_exponential((size, len(values))), rng.standard_gamma(weight, (size, len(ends)))
        weights = np.concatenate(drawn, axis=1)
        means[at : at + size] = (weights @ rows) / weights.sum(axis=1, keepdims=True)
    return means


def resampled_differences(values: Values, least: ArrayLike, resamples: int = RESAMPLES, seed: Seed = 0) -> Values:
    """The same for differences of two runs. What was not seen is taken to be as large as the largest difference that was, or
    at least `least` (one per column, or one for all): k / n, what one success among n samples does to pass@k."""
    reach = np.maximum(np.abs(values).max(axis=0, initial=0.0), np.minimum(least, 1.0))
    return resampled_means(values, -reach, reach, resamples, seed)


def band(curves: ArrayLike, estimate: ArrayLike, level: float = LEVEL) -> Band:
    """Limits from draws of a curve, [draws, len(ks)], by rank; widened to hold the estimate where it lies outside."""
    drawn, middle = np.asarray(curves, dtype=np.float64), np.asarray(estimate, dtype=np.float64)
    ordered = np.sort(drawn, axis=0)
    each = _outermost(len(drawn), level)
    low, high = _limits(ordered, each, middle)
    depth = np.sort(_depths(drawn, ordered))
    together = max(1, int(depth[_outside(len(drawn), level)])) if len(depth) else each
    low_all, high_all = _limits(ordered, min(together, each), middle)
    return Band(level, low, high, low_all, high_all)


def interval(draws: ArrayLike, estimate: float, level: float = LEVEL) -> Interval:
    """Limits from draws of one number, as `band` makes them."""
    found = band(np.asarray(draws, dtype=np.float64)[:, None], [estimate], level)
    return Interval(float(found.low[0]), float(found.high[0]))


def clopper_pearson(n: ArrayLike, c: ArrayLike, level: float = LEVEL) -> tuple[Values, Values]:
    """Exact limits of each problem's p (Clopper and Pearson 1934), as two arrays of the counts' shape; 0 and 1 for n = 0."""
    totals, correct = np.broadcast_arrays(np.asarray(n), np.asarray(c))
    pass_curve(totals.ravel(), correct.ravel(), [])
    tail = (1 - _proper(level)) / 2
    wrong = totals - correct
    low = np.where(correct > 0, betaincinv(np.maximum(correct, 1), wrong + 1, tail), 0.0)
    high = np.where(wrong > 0, betaincinv(correct + 1, np.maximum(wrong, 1), 1 - tail), 1.0)
    return low, high


def zero_bound(n: int, level: float = LEVEL) -> float:
    """Upper bound of p where none of n samples is correct: 1 - (1 - level)^(1/n), one-sided; 1 for n = 0. About 3/n at 95 %."""
    if n < 0:
        raise ValueError(f"n must be at least 0, not {n}")
    return float(-np.expm1(np.log1p(-_proper(level)) / n)) if n else 1.0


def _proper(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    return level


def _outermost(draws: int, level: float) -> int:
    """Which draw from either end is the pointwise limit, from 1."""
    rank = int((1 - _proper(level)) / 2 * (draws + 1) + 1e-9)
    if rank < 1:
        raise ValueError(
            f"{draws} draws are too few for limits at level {level}: take at least {int(np.ceil(2 / (1 - level)))}"
        )
    return rank


def _outside(draws: int, level: float) -> int:
    """How many draws may leave the simultaneous band."""
    return int((1 - level) * draws + 1e-9)


def _depths(drawn: Values, ordered: Values) -> NDArray[np.int64]:
    """Of each draw, how far from the nearer end it stands in order, from 1, at the k where it is most extreme. Draws that
    are equal all stand where the innermost of them does."""
    draws, columns = drawn.shape
    depth = np.full(draws, draws, dtype=np.int64)
    for column in range(columns):
        below = np.searchsorted(ordered[:, column], drawn[:, column], side="right")
        above = draws - np.searchsorted(ordered[:, column], drawn[:, column], side="left")
        depth = np.minimum(depth, np.minimum(below, above))
    return depth


def _limits(ordered: Values, rank: int, middle: Values) -> tuple[Values, Values]:
    return np.fmin(ordered[rank - 1], middle), np.fmax(ordered[-rank], middle)
