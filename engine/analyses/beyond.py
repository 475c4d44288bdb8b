"""Beyond n: what more samples than were drawn would solve. Extrapolation: an envelope, and an estimate with its error.

Two fits of how likely problems are to be solved (`engine.analyses.prior`) describe the counts almost equally well and part
beyond n. The beta-binomial (Kazdan et al., arXiv 2510.05197) says that every problem is solved in the end,

    pass@k = 1 - B(a, b + k) / B(a, b)

its zero-inflated twin that a share never is: (1 - zero) times the same with its own a and b. The envelope is what the family
of both allows: the least and the largest pass@k of all (a, b, zero) whose log likelihood is within 1.92 of the best, as far as
one number may fall short in a likelihood ratio test at 95 %. Where the counts ask for no share of zeros the two fits are one,
yet the envelope has its width. All of it is of the population that the problems stand for, not of the few that happen to be in
a set, and no wider than the family.

It held these very problems' true pass@2n 98 to 100 % of the time for 30 and 200 problems and n = 128 (p beta, beta with zeros,
rare, log-uniform; 100 repetitions each), pass@16n 90 to 99 %, but 55 % for 200 log-uniform p; and where p is .003 or .6 and
nothing else, which no such family is like, pass@2n 79 % of the time for 30 problems, 17 % for 200, and pass@16n never.

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
from scipy.special import bdtrc, betaln, expit

from engine.analyses.accuracy import sampled
from engine.analyses.ladder import kinds
from engine.analyses.prior import Beta, ZeroInflated, fit_beta, fit_zero_inflated

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

_MOST: Final = 9
"""x0, as Efron and Thisted chose; less where n is small, so that c <= x0 stays rare: no more than the root of n."""

_FEWEST: Final = 4


_WITHIN: Final = 1.92
"""Half of the 95 % point of chi squared with one degree of freedom."""

_ZOOM: Final = (40.0, 20.0, 8.0, 3.0, _WITHIN, _WITHIN)
"""How far below a grid's best its points are that the next, finer grid is to hold."""
_POINTS: Final = (25, 25, 21)
_EDGES: Final = (1e-4 * (1 - 1e-9), 1e6 * (1 + 1e-9))
"""Of a and b, as in the fits."""
_AROUND: Final = 4.0
"""The first grid goes so far beyond both fits, in log(a / b) and log(a + b), and from -_WIDE to _WIDE at least: counts that are
all 0 have their fits in a far corner."""
_WIDE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """pass@k at each k by two fits, and the least and the largest that is nearly as likely; arrays [len(ks)]."""

    ks: tuple[int, ...]
    low: Values
    high: Values
    beta: Values
    zero_inflated: Values


def envelope(n: ArrayLike, c: ArrayLike, ks: ArrayLike) -> Envelope:
    """pass@k at any k from 1, beyond n too.

    The better fit lies within, the other one where it is within 1.92 of that. The ends are found on grids that close in on
    them, to about a twentieth of the width. n and c are whole numbers [problems].
    Raises ValueError for impossible counts, no problems, and k < 1.
    """
    grid = np.atleast_1d(np.asarray(ks))
    if grid.size and (grid.dtype.kind not in "iu" or grid.min() < 1):
        raise ValueError("k must be whole numbers of at least 1")
    plain, twin = fit_beta(n, c), fit_zero_inflated(n, c)
    beta = beta_pass_at_k(plain, grid)
    zero_inflated = (1 - twin.zero) * beta_pass_at_k(twin.beta, grid)
    low, high = _extremes(_Likelihood(*kinds(n, c)[:3]), plain, twin, grid)
    return Envelope(tuple(grid.tolist()), np.minimum(low, zero_inflated), np.maximum(high, zero_inflated), beta, zero_inflated)


class _Likelihood:
    """Of the counts, over many (a, b, zero) at once."""

    def __init__(self, n: Counts, c: Counts, times: Counts) -> None:
        self._some, self._none = ((n[at], c[at], times[at]) for at in (c > 0, c == 0))

    def log(self, a: Values, b: Values, zero: Values) -> Values:
        """[points of a and b, points of zero]; binomial coefficients left out."""
        (some, solved), (none, unsolved) = (self._by_beta(side, a, b) for side in (self._some, self._none))
        with np.errstate(divide="ignore"):
            rest, never = np.log1p(-zero), np.log(zero)
        total = (some @ solved)[:, None] + (solved.sum() * rest if len(solved) else 0.0)
        for kind, times in zip(none.T, unsolved, strict=True):
            total = total + times * np.logaddexp(never, rest + kind[:, None])
        return np.asarray(total)

    @staticmethod
    def _by_beta(side: tuple[Counts, Counts, Counts], a: Values, b: Values) -> tuple[Values, Values]:
        n, c, times = side
        return betaln(a[:, None] + c, b[:, None] + (n - c)) - betaln(a, b)[:, None], times.astype(np.float64)


def _extremes(likelihood: _Likelihood, plain: Beta, twin: ZeroInflated, ks: Values) -> tuple[Values, Values]:
    fits = np.array([[np.log(one.a / one.b), np.log(one.a + one.b)] for one in (plain, twin.beta)])
    low = np.append(np.minimum(fits.min(axis=0) - _AROUND, -_WIDE), 0.0)
    high = np.append(np.maximum(fits.max(axis=0) + _AROUND, _WIDE), 1.0)
    best = float(likelihood.log(np.array([twin.beta.a]), np.array([twin.beta.b]), np.array([twin.zero]))[0, 0])
    least, most = np.ones(len(ks)), np.zeros(len(ks))
    for zoom in _ZOOM:
        axes = [np.linspace(*ends) for ends in zip(low, high, _POINTS, strict=True)]
        odds, size = (part.ravel() for part in np.meshgrid(*axes[:2], indexing="ij"))
        a, b = np.exp(size) * expit(odds), np.exp(size) * expit(-odds)
        log = np.where(_inside(a, b)[:, None], likelihood.log(a, b, axes[2]), -np.inf)
        point, share = np.nonzero(log >= best - _WITHIN)
        solved = _solved(a[point], b[point], ks) * (1 - axes[2][share])[:, None]
        least, most = np.minimum(least, solved.min(axis=0, initial=1.0)), np.maximum(most, solved.max(axis=0, initial=0.0))
        point, share = np.nonzero(log >= log.max() - zoom)
        kept = np.stack([odds[point], size[point], axes[2][share]])
        steps = np.array([axis[1] - axis[0] for axis in axes])
        low, high = np.maximum(low, kept.min(axis=1) - steps), np.minimum(high, kept.max(axis=1) + steps)
    return least, most


def _inside(a: Values, b: Values) -> NDArray[np.bool_]:
    """What the fits may choose from."""
    return np.asarray((np.minimum(a, b) >= _EDGES[0]) & (np.maximum(a, b) <= _EDGES[1]))


def _solved(a: Values, b: Values, ks: Values) -> Values:
    return np.asarray(-np.expm1(betaln(a[:, None], b[:, None] + ks) - betaln(a, b)[:, None]), dtype=np.float64)


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
