"""Beyond n: what more samples than were drawn would solve. Extrapolation, so an envelope and an estimate with its error.

Two fits of how likely problems are to be solved (`engine.analyses.prior`) describe the counts almost equally well and part
beyond n. The beta-binomial (Kazdan et al., arXiv 2510.05197) says that every problem is solved in the end,

    pass@k = 1 - B(a, b + k) / B(a, b)

its zero-inflated twin that a share never is: (1 - zero) times the same with its own a and b. What lies between them the
counts do not decide. Both are of the population that the problems stand for, not of the few that happen to be in a set. The
envelope is no interval: where the counts ask for no share of zeros the two fits are one, and it has no width.

Without a family of distributions: of the problems unsolved in n samples, t n further ones solve about

    sum over i >= 1 of (-1)^(i + 1) t^i w_i f_i,   f_i = problems with exactly i correct

(Good and Toulmin 1956). Unsmoothed (w = 1) it explodes: every problem solved n = 128 times out of 128 counts -1. Here w_i is
P(Binomial(x0, 1/(1 + t)) >= i) of Efron and Thisted (1976), 0 beyond a small x0: only rare successes tell of rarer ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtrc, betaln

from engine.analyses.accuracy import sampled
from engine.analyses.prior import Beta, fit_beta, fit_zero_inflated

Values = NDArray[np.float64]

_MOST: Final = 9
"""x0, as Efron and Thisted chose; less where n is small, so that c <= x0 stays rare: no more than the root of n."""

_FEWEST: Final = 4


@dataclass(frozen=True, slots=True)
class Envelope:
    """pass@k at each k by two fits, and what lies between; arrays [len(ks)]."""

    ks: tuple[int, ...]
    low: Values
    high: Values
    beta: Values
    zero_inflated: Values


def envelope(n: ArrayLike, c: ArrayLike, ks: ArrayLike) -> Envelope:
    """pass@k by both fits at any k from 1, beyond n too.

    n and c are whole numbers [problems]. Raises ValueError for impossible counts, no problems, and k < 1.
    """
    grid = np.atleast_1d(np.asarray(ks))
    if grid.size and (grid.dtype.kind not in "iu" or grid.min() < 1):
        raise ValueError("k must be whole numbers of at least 1")
    plain, twin = fit_beta(n, c), fit_zero_inflated(n, c)
    beta = beta_pass_at_k(plain, grid)
    zero_inflated = (1 - twin.zero) * beta_pass_at_k(twin.beta, grid)
    return Envelope(tuple(grid.tolist()), np.minimum(beta, zero_inflated), np.maximum(beta, zero_inflated), beta, zero_inflated)


def beta_pass_at_k(beta: Beta, ks: ArrayLike) -> Values:
    """1 - B(a, b + k) / B(a, b) at each k: the expected pass@k of a problem whose p is Beta(a, b)."""
    k = np.asarray(ks, dtype=np.float64)
    return np.asarray(-np.expm1(betaln(beta.a, beta.b + k) - betaln(beta.a, beta.b)), dtype=np.float64)


def efron_thisted(n: ArrayLike, c: ArrayLike, factor: float = 2.0) -> tuple[float, float]:
    """How many of the problems unsolved so far factor * n samples of each would solve, and the standard error of that.

    The number is clamped to [0, unsolved problems]; the error is sqrt(sum (t^i w_i)^2 f_i), t = factor - 1, which holds the
    f_i for Poisson and is 0 where no problem was solved rarely: then the estimate knows nothing, not everything. Both are
    NaN where some problem has fewer than 4 samples: no success is rare then.
    Raises ValueError for impossible counts, a problem without samples, no problems, and a factor outside (1, 2]: beyond
    doubling no smoothing saves the sum.
    """
    totals, correct = sampled(n, c)
    if not len(totals):
        raise ValueError("there are no problems to look beyond: give counts of at least one")
    if not 1 < factor <= 2:
        raise ValueError(f"the factor must be above 1 and at most 2, not {factor}")
    if totals.min() < _FEWEST:
        return float("nan"), float("nan")
    weights = _weights(factor - 1, min(_MOST, isqrt(int(totals.min()))))
    rare = np.bincount(correct[correct < len(weights) + 1], minlength=len(weights) + 1)[1:]
    expected = float(weights @ rare)
    error = float(np.sqrt(weights**2 @ rare))
    return min(max(expected, 0.0), float((correct == 0).sum())), error


def _weights(t: float, most: int) -> Values:
    """(-1)^(i + 1) t^i P(Binomial(most, 1 / (1 + t)) >= i) for i = 1, ..., most."""
    i = np.arange(1, most + 1)
    return np.asarray(-((-t) ** i) * bdtrc(i - 1.0, most, 1 / (1 + t)), dtype=np.float64)
