"""How likely problems are to be solved, as a distribution fitted to the counts of all of them: the prior of empirical Bayes.

A problem with c = 0 of n says little by itself, and a flat prior fills the silence with nonsense (c = 0, n = k = 1024 would
have a posterior pass@k of 0.5). The other problems of the same run say how common small p are. Three families:

- `Beta`: c is beta-binomial, fitted by maximum likelihood (Kazdan et al., arXiv 2510.05197). Two numbers, smooth beyond n.
- `ZeroInflated`: the same with a share of problems that can never be solved. With `Beta` it makes an envelope beyond n,
  where the counts no longer tell the two apart.
- `Ladder` (`engine.analyses.ladder`): weights on many narrow betas and on p = 0. It takes the shape that the counts have,
  two humps and a spike at zero among them. It is what intervals up to n are made with (`ladder.drawn_p_in_blocks`).

n and c are whole numbers [problems]; n may differ by problem, and problems with n = 0 say nothing. Impossible counts raise
ValueError as in `engine.analyses.passk`, no problems at all do so here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, psi

from engine.analyses.ladder import drawn_p, kinds

__all__ = ["Beta", "ZeroInflated", "drawn_p", "fit_beta", "fit_zero_inflated", "log_likelihood"]

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

_EDGES: Final = (np.log(1e-4), np.log(1e6))
"""Bounds of log a and log b. Where all problems look alike the likelihood has no maximum inside, only these edges."""

_NO_BETTER: Final = 1e-3
"""What a share of zeros must add to the log likelihood to be there at all."""


@dataclass(frozen=True, slots=True)
class Beta:
    """p ~ Beta(a, b)."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)


@dataclass(frozen=True, slots=True)
class ZeroInflated:
    """p = 0 with probability `zero`, else p ~ beta."""

    zero: float
    """Share of problems that can never be solved."""
    beta: Beta


def fit_beta(n: ArrayLike, c: ArrayLike) -> Beta:
    """The beta-binomial fit by maximum likelihood.

    Counts without a maximum (all zero, all right, all shares alike) give the edge, a and b within [1e-4, 1e6]: finite,
    and as near to "never", "always" or "one common p" as that allows.
    """
    totals, correct, times, _ = kinds(n, c)
    return _climb(totals, correct, times, zero=False).beta


def fit_zero_inflated(n: ArrayLike, c: ArrayLike) -> ZeroInflated:
    """The beta-binomial fit with a share of problems that are never solved, by maximum likelihood.

    Never less likely than `fit_beta`: where problems with c = 0 are no more than the beta expects, it is that fit with share 0.
    """
    totals, correct, times, _ = kinds(n, c)
    plain = _climb(totals, correct, times, zero=False)
    if not ((correct == 0) & (totals > 0)).any():
        return plain
    inflated = _climb(totals, correct, times, zero=True)
    better = _log_likelihood(totals, correct, times, inflated) > _log_likelihood(totals, correct, times, plain) + _NO_BETTER
    return inflated if better else plain


def log_likelihood(n: ArrayLike, c: ArrayLike, prior: Beta | ZeroInflated) -> float:
    """Natural log of the probability of the counts c under a prior, binomial coefficients included."""
    totals, correct, times, _ = kinds(n, c)
    ways = gammaln(totals + 1) - gammaln(correct + 1) - gammaln(totals - correct + 1)
    twin = prior if isinstance(prior, ZeroInflated) else ZeroInflated(0.0, prior)
    return float(times @ ways) + _log_likelihood(totals, correct, times, twin)


def _log_likelihood(n: Counts, c: Counts, times: Counts, prior: ZeroInflated) -> float:
    """Without the binomial coefficients, which no fit depends on."""
    return float(times @ _log_each(n, c, prior))


def _log_each(n: Counts, c: Counts, prior: ZeroInflated) -> Values:
    beta = prior.beta
    with np.errstate(divide="ignore"):
        log = np.log1p(-prior.zero) + betaln(beta.a + c, beta.b + n - c) - betaln(beta.a, beta.b)
        return np.asarray(np.where(c == 0, np.logaddexp(np.log(prior.zero), log), log))


def _climb(n: Counts, c: Counts, times: Counts, zero: bool) -> ZeroInflated:
    """The likeliest fit found from several starts, in log a, log b and, where zero is true, the share of zeros."""
    mean = (times @ (c + 0.5)) / (times @ (n + 1.0))
    most = min(float(times[c == 0].sum() / times.sum()), 1 - 1e-9)
    shares = (0.5 * most, 0.95 * most) if zero else (None,)
    starts = [
        [np.log(mean * size), np.log((1 - mean) * size)] + ([] if share is None else [share])
        for size in (0.5, 5.0, 500.0)
        for share in shares
    ]
    bounds = [_EDGES, _EDGES, (0.0, most)][: len(starts[0])]
    low, high = zip(*bounds, strict=True)
    tried = [
        minimize(_cost, np.clip(start, low, high), (n, c, times), "L-BFGS-B", True, bounds=bounds) for start in np.array(starts)
    ]
    best = min(tried, key=lambda found: float(found.fun)).x
    return ZeroInflated(float(best[2]) if zero else 0.0, Beta(float(np.exp(best[0])), float(np.exp(best[1]))))


def _cost(at: Values, n: Counts, c: Counts, times: Counts) -> tuple[float, Values]:
    """Minus the log likelihood at (log a, log b[, zero]), and its gradient."""
    a, b = np.exp(at[:2])
    zero = float(at[2]) if len(at) > 2 else 0.0
    each = _log_each(n, c, ZeroInflated(zero, Beta(a, b)))
    least = np.minimum(-each, 700.0)  # keeps exp finite; only c = 0 is looked at
    drawn = np.where(c == 0, 1 - zero * np.exp(least), 1.0) * times  # expected problems of each kind that the beta made
    down = psi(a + b) - psi(a + b + n)
    slope = [a * (drawn @ (psi(a + c) - psi(a) + down)), b * (drawn @ (psi(b + n - c) - psi(b) + down))]
    if len(at) > 2:
        slope.append(times @ np.where(c == 0, np.expm1(least), -1.0) / (1 - zero))
    return -float(times @ each), -np.array(slope)
