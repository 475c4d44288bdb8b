"""How often problems are solved: the histogram of accuracies, and pass@k's stricter relatives.

- The twelve bins {0}, (0, .1], ..., (.8, .9], (.9, 1), {1} of Yue et al. (arXiv 2504.13837): never and always stand apart.
- G-Pass@k at tau: the chance that at least tau * k of k samples are correct (Liu et al., arXiv 2412.13147, eq. 4):
  sum over j >= ceil(tau k) of C(c, j) C(n - c, k - j) / C(n, k). With one sample it is pass@k, with all k it is "k of k".
- Cover@tau: the share of problems with accuracy of at least tau (arXiv 2510.08325). Integrating k (1 - tau)^(k - 1) over it
  gives 1 - (1 - c/n)^k, the plug-in, which is biased low, and not the unbiased pass@k.

Shares are compared as fractions, not as rounded products: 0.55 * 100 is 55 here, not the next float, and 3 of 10 lies in
(.2, .3].
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.hypergeometric import draws
from engine.analyses.passk import pass_at_k

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

BINS: Final = ("0", "(0, .1]", *(f"(.{tenth}, .{tenth + 1}]" for tenth in range(1, 9)), "(.9, 1)", "1")

_ROUNDING: Final = 1e-9
"""What a product with a decimal tau may be off from the whole number that was meant."""


def histogram(n: ArrayLike, c: ArrayLike) -> Counts:
    """Problems in each of the twelve BINS, as an array [12] that sums to their number.

    n and c are whole numbers [problems]. Raises ValueError for impossible counts and for a problem without samples: it has
    no accuracy, and the first bin would claim one.
    """
    totals, correct = sampled(n, c)
    inner = -(-10 * correct // totals)
    return np.bincount(np.where(correct == totals, 11, inner), minlength=12)


def g_pass_at_k(n: ArrayLike, c: ArrayLike, k: int, tau: float) -> Values:
    """G-Pass@k of each problem (arXiv 2412.13147, eq. 4), as an array [problems]; a dataset's value is the mean.

    NaN where k > n, as in `pass_at_k`. Raises ValueError for tau outside (0, 1], k < 1 and impossible counts.
    """
    totals, correct = counts(n, c)
    if not 0 < tau <= 1:
        raise ValueError(f"tau must be above 0 and at most 1, not {tau}")
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    least = int(np.ceil(tau * k - _ROUNDING))
    if least == 1:
        return pass_at_k(totals, correct, k)
    value = np.full(len(totals), np.nan)
    drawn = np.flatnonzero(totals >= k)
    for part in draws(totals[drawn], correct[drawn], np.full(len(drawn), k)):
        value[drawn[part.problems]] = np.minimum(1.0, part.total(np.where(part.j >= least, 1.0, 0.0)))
    return value


def cover_at_tau(n: ArrayLike, c: ArrayLike, taus: ArrayLike) -> Values:
    """The share of problems with c / n >= tau, as an array [len(taus)].

    It is of the accuracies seen: with few samples they scatter more than those of the model. Raises ValueError for taus
    outside [0, 1], impossible counts, a problem without samples, and where there are no problems.
    """
    totals, correct = sampled(n, c)
    thresholds = np.atleast_1d(np.asarray(taus, dtype=np.float64))
    if not ((thresholds >= 0) & (thresholds <= 1)).all():
        raise ValueError(f"tau must be between 0 and 1, not {thresholds.tolist()}")
    if not len(totals):
        raise ValueError("there are no problems to take a share of: give counts of at least one")
    least = np.ceil(thresholds[:, None] * totals - _ROUNDING)
    return np.asarray((correct >= least).mean(axis=1), dtype=np.float64)


def counts(n: ArrayLike, c: ArrayLike) -> tuple[Counts, Counts]:
    """n and c as flat int64 arrays [problems]; ValueError naming the first problem whose counts are impossible."""
    pass_at_k(n, c, 1)  # the rules, and their sentences, are the same
    totals, correct = np.broadcast_arrays(np.asarray(n), np.asarray(c))
    return totals.astype(np.int64).ravel(), correct.astype(np.int64).ravel()


def sampled(n: ArrayLike, c: ArrayLike) -> tuple[Counts, Counts]:
    """As `counts`, where every problem must have a sample."""
    totals, correct = counts(n, c)
    if (totals == 0).any():
        at = int(np.flatnonzero(totals == 0)[0])
        raise ValueError(f"problem {at} (from 0) has no judged samples: judge some or leave it out")
    return totals, correct
