"""maj@k: the chance that a vote among k of the n answers elects the correct one.

The answers fall into classes: one correct, any number of wrong ones, and blanks, which are drawn but do not vote. k of n are
drawn without replacement, each draw equally likely. The largest class wins, and classes that tie share the win evenly, as a
coin would; where nobody votes nobody wins.

How it is computed. Drawing k of n without replacement is the same as keeping each answer with probability r, given that k
are kept. So with the number j of correct ones fixed, the classes are independent binomials, and the wrong ones may have less
than j, or exactly j and tie. Marking each tie with y, their joint generating function is a product of polynomials in x (how
many were kept), and a win shared by 1 + T is the integral of y^T over y in [0, 1], which Gauss-Legendre nodes give exactly,
T being bounded. Where j is more than half of k no other class can reach it. Everything added is positive: no digits are lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

Values = NDArray[np.float64]

_NOTHING: Final = 1e-18
"""What a number of correct ones may add without being seen in the sum."""


def majority_at_k(correct: int, wrong: Sequence[int], blank: int, k: int) -> float:
    """maj@k from one problem's classes of answers: the size of the correct one, sizes of the wrong ones, and blanks.

    NaN where k is more than there are answers. Raises ValueError for a negative size or k < 1.
    """
    if min(correct, blank, *wrong) < 0:
        raise ValueError(f"sizes of classes must be at least 0, not {correct}, {list(wrong)} and {blank} blank")
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    sizes = tuple(sorted(size for size in wrong if size))
    if k > correct + sum(sizes) + blank:
        return float("nan")
    return _majority(correct, sizes, blank, k)


@lru_cache(maxsize=4096)
def _majority(correct: int, wrong: tuple[int, ...], blank: int, k: int) -> float:
    n, most = correct + sum(wrong) + blank, min(correct, k)
    if not most:
        return 0.0
    rate = k / (n + 1)
    ours = _binomial(correct, rate, most)
    alone = _row(n - correct, rate, k)[::-1]  # alone[j]: k - j of all others are kept
    half = k // 2
    won = float(ours[half + 1 :] @ alone[half + 1 : most + 1])
    total = float(_row(n, rate, k)[k])
    seen = ours[: half + 1] * alone[: len(ours)][: half + 1] > _NOTHING * total
    contested = [j for j in range(1, len(seen)) if seen[j] and _fits(wrong, blank, j, k)]
    if contested:
        js, nodes, weights = _ties(contested, wrong, k)
        rest = _others(wrong, blank, rate, js, nodes, k)[np.arange(len(js)), k - js]
        won += float((ours[js] * weights) @ rest)
    return min(1.0, won / total)


def _fits(wrong: Sequence[int], blank: int, j: int, k: int) -> bool:
    """Whether k - j others can be kept with no wrong class beyond j."""
    return blank + sum(min(size, j) for size in wrong) >= k - j


def _ties(js: Sequence[int], wrong: Sequence[int], k: int) -> tuple[NDArray[np.int64], Values, Values]:
    """For each j, nodes and weights on [0, 1] that are exact for as many ties as there can be; all in flat arrays."""
    rows = []
    for j in js:
        most = min((k - j) // j, sum(size >= j for size in wrong))
        nodes, weights = _legendre(most // 2 + 1)
        rows += [(j, (node + 1) / 2, weight / 2) for node, weight in zip(nodes, weights, strict=True)]
    at, nodes, weights = (np.array(column) for column in zip(*rows, strict=True))
    return at, nodes, weights


@cache
def _legendre(nodes: int) -> tuple[Values, Values]:
    at, weights = np.polynomial.legendre.leggauss(nodes)
    return at, weights


def _others(wrong: Sequence[int], blank: int, rate: float, js: NDArray[np.int64], nodes: Values, k: int) -> Values:
    """[rows, k]: probability that of all but the correct ones so many are kept, no wrong class more than the row's j, and
    each that has j marked with the row's node. k - j of them are kept at most, so k columns are enough."""
    kept = np.tile(_row(blank, rate, k - 1), (len(js), 1))
    sizes = Counter(wrong)
    # Classes of one answer are many: how many of them are kept is a binomial too, and each of those ties where j is 1.
    singles = _row(sizes.pop(1, 0), rate, k - 1)
    kept = _product(kept, singles * np.where(js == 1, nodes, 1.0)[:, None] ** np.arange(k))
    for size in sizes.elements():
        reach = np.arange(min(size, k - 1, int(js.max())) + 1)
        marks = (reach < js[:, None]) + (reach == js[:, None]) * nodes[:, None]
        kept = _product(kept, _binomial(size, rate, int(reach[-1])) * marks)
    return kept


def _product(one: Values, other: Values) -> Values:
    """Products of polynomials row by row, cut to the length of `one`."""
    result = one * other[:, :1]
    width = one.shape[1]
    for power in range(1, other.shape[1]):
        if other[:, power].any():
            result[:, power:] += one[:, : width - power] * other[:, power : power + 1]
    return result


def _row(size: int, rate: float, k: int) -> Values:
    """Binomial(size, rate) at 0, ..., k, with zeros beyond size."""
    row = np.zeros(k + 1)
    reach = min(size, k)
    row[: reach + 1] = _binomial(size, rate, reach)
    return row


@lru_cache(maxsize=4096)
def _binomial(size: int, rate: float, reach: int) -> Values:
    """Probabilities of 0, ..., reach of `size` at this rate, which is neither 0 nor 1."""
    j = np.arange(reach + 1)
    log = j * np.log(rate) + (size - j) * np.log1p(-rate) - betaln(j + 1, size - j + 1) - np.log(size + 1)
    return np.asarray(np.exp(log), dtype=np.float64)
