"""Coverage: which problems each of two models solves within the same number of draws, and what the split amounts to.

Both models are looked at with the COMMON number of draws K, printed with every result. From n samples, c of them
correct, K draws without replacement solve a problem with probability s = 1 - C(n - c, K) / C(n, K): 0 or 1 where n = K,
something between where a model was sampled more often. Without this, one model sampled 1024 and 256 times seems to beat
itself.

Two readings of the same s, kept apart:
- the sets hold a problem as solved where s >= 1/2: at least as likely as not to be solved in K draws (c > 0 where n = K);
- the expected sizes add s and 1 - s over the problems. The models' draws are independent, so "both" is the sum of
  s_base * s_other, and so on.

Where the models have as many samples as each other on every problem, exchanging them exchanges the sets, and McNemar's test is
exact; a few samples lost to errors change nothing that could be seen (`exchangeable`). Where n differ by more it is no test: at
k = 128 one success puts a problem into a model's set for n = 128 and for n = 256, where it takes half as rare a success; for
n = 1024 it takes six. One model twice, 500 problems at n = 256 and 128, came out "significantly" ahead 19 times in 20.
So there is no p-value, and the ratios come from the expected sizes, which favour neither: each s is unbiased whatever its n.

"Unsolved in K draws" is a statement about K draws. Whether a set's member is evidence of more is not decided here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.passk import pass_at_k

_ROUNDING = 1e-12
"""What s may lose to rounding: a problem at exactly one half (n = 21, c = 2, K = 6) counts as solved on every machine."""

_SHIFT = 0.5
"""Problems that unequal n may move, in expectation and at worst, before McNemar's test is given up."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Two models' solved problems at a common k, split four ways; `other` is what is held against `base`.

    The sets hold keys in the order they were given. The ratios are those of Wu et al. (arXiv 2507.14843), with
    P = both, S = base only, E = other only of `sizes`; each is None where its denominator is 0.
    """

    k: int
    """Draws per problem that both models are given."""
    both: tuple[str, ...]
    base_only: tuple[str, ...]
    other_only: tuple[str, ...]
    neither: tuple[str, ...]
    expected: tuple[float, float, float, float]
    """Expected sizes of both, base only, other only, neither: they equal the sets' sizes where every n is k."""
    equal_n: bool
    """Both models have as many samples as each other on every problem, or nearly: see `exchangeable`."""

    @property
    def sets(self) -> dict[str, tuple[str, ...]]:
        """The four of them by name, in the words of screens."""
        return {"both": self.both, "base only": self.base_only, "other only": self.other_only, "neither": self.neither}

    @property
    def mcnemar_p(self) -> float | None:
        """Exact two-sided McNemar test on the sizes of base_only and other_only; 1.0 where both are empty, None if n differ."""
        return mcnemar_exact(len(self.base_only), len(self.other_only)) if self.equal_n else None

    @property
    def sizes(self) -> tuple[float, float, float, float]:
        """Sizes of both, base only, other only, neither to be compared: the sets', or the expected ones where n differ."""
        if not self.equal_n:
            return self.expected
        return len(self.both), len(self.base_only), len(self.other_only), len(self.neither)

    @property
    def srr(self) -> float | None:
        """Support retention rate P / (P + S): how much of what base solves the other model still solves."""
        both, lost, _, _ = self.sizes
        return _ratio(both, both + lost)

    @property
    def ndr(self) -> float | None:
        """Net discovery rate E / (P + E): how much of what the other model solves base does not."""
        both, _, found, _ = self.sizes
        return _ratio(found, both + found)

    @property
    def sds(self) -> float | None:
        """Support dynamic score: the harmonic mean of SRR and NDR."""
        if self.srr is None or self.ndr is None:
            return None
        return _ratio(2 * self.srr * self.ndr, self.srr + self.ndr)

    @property
    def nscr(self) -> float | None:
        """Net support change rate (E - S) / (P + E + S): negative where more was lost than found."""
        both, lost, found, _ = self.sizes
        return _ratio(found - lost, both + found + lost)


def coverage(
    keys: Sequence[str],
    base_n: ArrayLike,
    base_c: ArrayLike,
    other_n: ArrayLike,
    other_c: ArrayLike,
    k: int | None = None,
) -> Coverage:
    """Compare two models problem by problem, each given k draws; by default the most that every problem has (min n).

    keys names the problems; the counts are whole numbers [problems] in the same order, or a scalar n for all of them.
    Raises ValueError where there are no problems, a key comes twice, shapes do not fit, counts are impossible (as in
    `pass_at_k`), or k is larger than some problem's n.
    """
    _check_keys(keys)
    sampled = _each(keys, "base_n", base_n), _each(keys, "other_n", other_n)
    k = _common_k(keys, np.minimum(*sampled), k)
    base = pass_at_k(sampled[0], _each(keys, "base_c", base_c), k)
    other = pass_at_k(sampled[1], _each(keys, "other_c", other_c), k)
    base_solves, other_solves = base > 0.5 - _ROUNDING, other > 0.5 - _ROUNDING
    return Coverage(
        k=k,
        both=_chosen(keys, base_solves & other_solves),
        base_only=_chosen(keys, base_solves & ~other_solves),
        other_only=_chosen(keys, ~base_solves & other_solves),
        neither=_chosen(keys, ~base_solves & ~other_solves),
        expected=(
            float(base @ other),
            float(base @ (1 - other)),
            float((1 - base) @ other),
            float((1 - base) @ (1 - other)),
        ),
        equal_n=exchangeable(*sampled, k),
    )


def exchangeable(base_n: ArrayLike, other_n: ArrayLike, k: int) -> bool:
    """Whether n are equal enough for McNemar's test: unequal n move less than _SHIFT problems between the sets.

    On each problem that is how much likelier one model is in its set than the other were both of one rate p, at the p where
    that differs most; summed over the problems.
    """
    pairs = np.stack(np.broadcast_arrays(np.asarray(base_n), np.asarray(other_n)))
    differ = pairs[:, pairs[0] != pairs[1]]
    if not differ.size:
        return True
    kinds, times = np.unique(np.sort(differ, axis=0), axis=1, return_counts=True)
    return bool(sum(_shift(int(n), int(m), k) * number for (n, m), number in zip(kinds.T, times, strict=True)) < _SHIFT)


def _shift(one: int, other: int, k: int) -> float:
    """The largest difference, over all rates, of how likely models with so many samples are to be in their sets."""
    from scipy.special import betainc, expit

    rates = expit(np.linspace(-np.log(50.0 * max(one, other)), 8.0, 400))
    first, second = (betainc(t, n - t + 1, rates) for n in (one, other) for t in [least_right(n, k)])
    return float(np.abs(first - second).max())


@lru_cache(maxsize=4096)
def least_right(n: int, k: int) -> int:
    """The fewest right answers of n with which a problem counts as solved in k draws: what puts it into a set."""
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if pass_at_k(n, middle, k) > 0.5 - _ROUNDING else (middle, high)
    return high


def mcnemar_exact(b: int, c: int) -> float:
    """Exact two-sided McNemar test: the p-value of b against c discordant problems under Binomial(b + c, 1/2).

    min(1, 2 * P(X <= min(b, c))), in whole numbers until the last division; 1.0 where b = c = 0.
    Raises ValueError for a negative count.
    """
    if b < 0 or c < 0:
        raise ValueError(f"discordant counts must be at least 0, not {b} and {c}")
    ways = tail = 1
    for i in range(min(b, c)):
        ways = ways * (b + c - i) // (i + 1)
        tail += ways
    return min(1.0, 2 * tail / (1 << (b + c)))


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole > _ROUNDING else None


def _check_keys(keys: Sequence[str]) -> None:
    if not keys:
        raise ValueError("there are no problems to compare: both runs must have judged samples of at least one problem")
    [(key, times)] = Counter(keys).most_common(1)
    if times > 1:
        raise ValueError(f"problem {key!r} comes {times} times: give each problem's counts once")


def _each(keys: Sequence[str], name: str, counts: ArrayLike) -> NDArray[np.int64]:
    """One count per key. Anything but a scalar must already have that shape: a wrong pairing must not broadcast."""
    array = np.asarray(counts)
    if array.ndim and array.shape != (len(keys),):
        raise ValueError(f"{name} must hold one count for each of the {len(keys)} problems, not shape {array.shape}")
    return np.broadcast_to(array, (len(keys),))


def _common_k(keys: Sequence[str], fewest: NDArray[np.int64], k: int | None) -> int:
    """The number of draws that every problem of both models allows: k where given, else the most there is."""
    at = int(np.argmin(fewest))
    if k is None and fewest[at] < 1:
        raise ValueError(f"problem {keys[at]!r} has no judged samples in one of the runs: judge some or leave it out")
    if k is not None and k > fewest[at]:
        raise ValueError(f"k = {k} is more than problem {keys[at]!r} has in one of the runs (n = {fewest[at]}): ask for less")
    return int(fewest[at]) if k is None else k


def _chosen(keys: Sequence[str], members: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(key for key, member in zip(keys, members, strict=True) if member)
