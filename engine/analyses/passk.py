"""pass@k: the chance that at least one of k samples of a problem is correct.

With n judged samples of which c are correct, the unbiased estimate (Chen et al. 2021, arXiv 2107.03374, eq. 1) is

    pass@k = 1 - C(n - c, k) / C(n, k)

It is 1 where n - c < k <= n, and undefined, here NaN, where k > n: samples that were never drawn cannot be counted on,
whatever the others say. A dataset's value is the mean over its problems and exists only where every problem's does.

How it is computed. The ratio is symmetric in c and k, so with few = min(c, k) and many = max(c, k)

    log(C(n - c, k) / C(n, k)) = sum over i < few of log1p(-many / (n - i))

Terms of one sign lose no digits, as differences of lgamma would (2e-4 at n = 10^6). Each term is at most -many / n, so
once few * many > 38 n the value is 1 to the last bit of a float64 and no sum is needed; what is left never has more than
sqrt(38 n) terms. Relative error against exact rationals stays below 1e-12, at n = 10^6 too (`benchmarks/passk.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

_CERTAIN = 38.0
"""1 - exp(-38) rounds to 1.0 in float64."""

_BLOCK_TERMS = 1 << 16
"""Terms summed at a time: half a megabyte per temporary, so that memory does not grow with the number of problems."""


def pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> Values:
    """Unbiased pass@k of each problem (Chen et al. 2021, eq. 1).

    n and c are whole numbers of any shapes that broadcast together; the result has the broadcast shape.
    1 where n - c < k <= n, NaN where k > n.
    Raises ValueError for n < 0, c < 0, c > n or k < 1.
    """
    totals, correct = _checked(n, c)
    return pass_curve(totals.ravel(), correct.ravel(), [k])[:, 0].reshape(totals.shape)


def pass_curve(n: ArrayLike, c: ArrayLike, ks: ArrayLike) -> Values:
    """Unbiased pass@k of each problem at each k, as an array [problems, len(ks)].

    n and c are [problems], or a scalar that holds for all of them; ks is one-dimensional, in any order.
    1 where n - c < k <= n, NaN where k > n. Problems that share their (n, c) are computed once.
    Raises ValueError for n < 0, c < 0, c > n or any k < 1.
    """
    totals, correct = (np.atleast_1d(counts) for counts in _checked(n, c))
    grid = _checked_ks(ks)
    pairs, problem = np.unique(np.stack([totals, correct], axis=1), axis=0, return_inverse=True)
    return _estimate(pairs[:, :1], pairs[:, 1:], grid)[problem]


def mean_pass_at_k(n: ArrayLike, c: ArrayLike, ks: ArrayLike) -> Values:
    """A dataset's pass@k: the mean over its problems at each k, as an array [len(ks)].

    NaN at every k for which some problem has n < k: the value names one set of problems, never the part that happened
    to be sampled often enough.
    Raises ValueError as `pass_curve` does, and where there are no problems.
    """
    curve = pass_curve(n, c, ks)
    if not len(curve):
        raise ValueError("there are no problems to take a mean over: give counts of at least one")
    return np.asarray(curve.mean(axis=0), dtype=np.float64)


def plug_in_pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> Values:
    """BIASED LOW: the plug-in 1 - ((n - c) / n)^k, which draws the n samples again WITH replacement.

    For comparison with write-ups that use it, never a default: c = 1 with k = n = 1024 gives 0.632 where the unbiased
    value is 1. Shapes and errors as in `pass_at_k`; NaN where k > n there too, so that both name the same problems.
    """
    totals, correct = _checked(n, c)
    budget = int(_checked_ks([k])[0])
    value = np.where(budget > totals, np.nan, 1.0)
    some_wrong = (budget <= totals) & (correct < totals)
    share = correct[some_wrong] / totals[some_wrong]
    value[some_wrong] = 0.0 - np.expm1(budget * np.log1p(-share))
    return value


def k_grid(n: int) -> tuple[int, ...]:
    """1, 2, 4, ... up to n, and n itself; empty for n = 0. Raises ValueError for n < 0."""
    if n < 0:
        raise ValueError(f"a grid of k needs n of at least 0, not {n}")
    powers = tuple(1 << bit for bit in range(n.bit_length()))
    return powers if n in powers or not n else (*powers, n)


def _estimate(n: Counts, c: Counts, k: Counts) -> Values:
    """pass@k over the broadcast of checked n, c and k."""
    n, c, k = np.broadcast_arrays(n, c, k)
    few, many = np.minimum(c, k), np.maximum(c, k)
    value = np.where(k > n, np.nan, np.where(c > 0, 1.0, 0.0))
    between = (c > 0) & (k <= n - c) & (few * many.astype(np.float64) <= _CERTAIN * n)
    # One term alone is the ratio itself: pass@1 is c / n to the last bit, which the way through logarithms may miss.
    single, several = between & (few == 1), between & (few > 1)
    value[single] = many[single] / n[single]
    value[several] = -np.expm1(_log_failure(n[several], few[several], many[several]))
    return value


def _log_failure(n: Counts, few: Counts, many: Counts) -> Values:
    """log(C(n - c, k) / C(n, k)) for flat arrays with 1 <= few <= many <= n - few."""
    log_failure = np.empty(len(n))
    for block in _blocks(few):
        terms_each = few[block]
        starts = np.cumsum(terms_each) - terms_each
        step = np.arange(terms_each.sum()) - np.repeat(starts, terms_each)
        terms = np.log1p(-np.repeat(many[block], terms_each) / (np.repeat(n[block], terms_each) - step))
        log_failure[block] = np.add.reduceat(terms, starts)
    return log_failure


def _blocks(sizes: Counts) -> Iterator[slice]:
    """Consecutive slices of `sizes` that add up to about _BLOCK_TERMS each; none is empty."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    cuts = np.searchsorted(ends, np.arange(_BLOCK_TERMS, total, _BLOCK_TERMS))
    edges = np.unique(np.concatenate([[0], cuts, [len(sizes)]]))
    for start, stop in pairwise(edges.tolist()):
        yield slice(start, stop)


def _checked(n: ArrayLike, c: ArrayLike) -> tuple[Counts, Counts]:
    """n and c as int64 arrays of one shape, or ValueError naming the first problem that is wrong."""
    totals, correct = np.broadcast_arrays(_whole("n", n), _whole("c", c))
    for wrong, rule in (
        (totals < 0, "n must be at least 0"),
        (correct < 0, "c must be at least 0"),
        (correct > totals, "c must be at most n"),
    ):
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise ValueError(f"{rule}, but problem {at} (from 0) has n = {totals.flat[at]}, c = {correct.flat[at]}")
    return totals, correct


def _checked_ks(ks: ArrayLike) -> Counts:
    grid = _whole("k", ks)
    if grid.ndim != 1:
        raise ValueError(f"ks must be a list of k, not an array of shape {grid.shape}")
    if (grid < 1).any():
        raise ValueError(f"k must be at least 1, not {grid.min()}")
    return grid


def _whole(name: str, values: ArrayLike) -> Counts:
    """Whole numbers as int64. An empty list has no type of its own and passes."""
    array = np.asarray(values)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be whole numbers, not {array.dtype}")
    return array.astype(np.int64)
