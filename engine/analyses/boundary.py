"""Is a problem solved by one model only, or does it look so because of how few samples there were?

For each problem, base's c of n against the other model's:

- Fisher's exact test, two-sided, on the 2 x 2 table, with q-values over the problems (Benjamini and Hochberg). It says that
  the models differ there, not that one of them cannot. At equal n, "only" needs 6 successes against 0; see `least_successes`.
- Bounds on each p, and from them what each model can within K draws and what it cannot (`engine.analyses.reach`). Both can:
  ELICITED. Only the other model: CREATED. Only base: LOST. Else UNDETERMINED, as most problems are until 60 K samples failed.
- The cost of settling the standing: further samples of each model if the rates seen went on. None where none would do: a rate
  between 0.05/K and 1/K stays there, and two models that both cannot have no standing.

All counts are whole numbers [problems]; base first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.accuracy import counts
from engine.analyses.hypergeometric import draws
from engine.analyses.intervals import LEVEL, Interval, interval
from engine.analyses.joint import drawn_pairs
from engine.analyses.many import adjusted
from engine.analyses.passk import pass_at_k
from engine.analyses.reach import Further, further, reach

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Side = tuple[Counts, Counts]
"""n and c of one model, [problems] both."""

_TIES: Final = 1 + 1e-7
"""Tables whose probabilities differ by rounding alone are equally extreme, as in R's fisher.test."""


class Standing(StrEnum):
    """What the counts say of a problem at budget K."""

    ELICITED = "elicited"
    """Both can."""
    CREATED = "created"
    """The other model can, base cannot."""
    LOST = "lost"
    """Base can, the other model cannot."""
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One problem."""

    p_value: float
    """Fisher's exact test, two-sided; 1 where one model has no samples."""
    q_value: float
    """The same, adjusted for the number of problems."""
    base_low: float
    base_high: float
    other_low: float
    other_high: float
    standing: Standing
    cost_base: int | None
    """Further samples of base that would settle the standing, together with cost_other, if the rates seen went on."""
    cost_other: int | None
    clear: bool
    """The models differ on this problem: q_value <= 1 - level."""


@dataclass(frozen=True, slots=True)
class Support:
    """How many problems each of the four sets holds at k draws, as intervals."""

    k: int
    both: Interval
    base_only: Interval
    other_only: Interval
    neither: Interval


def evidence(
    base_n: ArrayLike, base_c: ArrayLike, other_n: ArrayLike, other_c: ArrayLike, budget: int, level: float = LEVEL
) -> list[Evidence]:
    """What the counts say of each problem. budget: K, the draws within which a model is to solve it.

    Raises ValueError for impossible counts, counts of different numbers of problems, and a budget below 1.
    """
    base, other = _pair(base_n, base_c, other_n, other_c)
    ours, theirs = reach(*base, budget, level), reach(*other, budget, level)
    leads = further(*base, budget, level), further(*other, budget, level)
    p_values = fisher(*base, *other)
    q_values = adjusted(p_values)
    columns = (p_values, q_values, ours.low, ours.high, theirs.low, theirs.high)
    found = []
    for at, numbers in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        p_value, q_value, base_low, base_high, other_low, other_high = numbers
        cost_base, cost_other = _cost(*leads, at)
        can = [bool(mask[at]) for side in (ours, theirs) for mask in (side.can, side.cannot)]
        found.append(
            Evidence(
                p_value=p_value,
                q_value=q_value,
                base_low=base_low,
                base_high=base_high,
                other_low=other_low,
                other_high=other_high,
                standing=standing(*can),
                cost_base=cost_base,
                cost_other=cost_other,
                clear=q_value <= 1 - level,
            )
        )
    return found


def standing(base_can: bool, base_cannot: bool, other_can: bool, other_cannot: bool) -> Standing:
    """The standing of a problem, from what each model can and cannot do."""
    if base_can and other_can:
        return Standing.ELICITED
    if base_cannot and other_can:
        return Standing.CREATED
    return Standing.LOST if base_can and other_cannot else Standing.UNDETERMINED


def fisher(base_n: ArrayLike, base_c: ArrayLike, other_n: ArrayLike, other_c: ArrayLike) -> Values:
    """Fisher's exact test, two-sided, of each problem, as an array [problems].

    The probability, given how many of all samples are correct, of a table no likelier than the one seen.
    """
    base, other = _pair(base_n, base_c, other_n, other_c)
    tables, which = np.unique(np.stack([*base, *other]), axis=1, return_inverse=True)
    p_values = np.empty(tables.shape[1])
    for part in draws(tables[0] + tables[2], tables[1] + tables[3], tables[0]):
        seen = part.p[part.starts + tables[1, part.problems] - part.j[part.starts]]
        p_values[part.problems] = part.total(np.where(part.p <= seen[part.each] * _TIES, 1.0, 0.0))
    return np.minimum(p_values, 1.0)[which.reshape(-1)]


def least_successes(n: int, level: float = LEVEL, two_sided: bool = True) -> int | None:
    """How many of n must be correct, against none of n, before Fisher's test is at most 1 - level: 6 at large n, 5 one-sided.

    None where n is so small that no count is. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    p_value = 2.0 if two_sided else 1.0
    for c in range(1, n + 1):
        p_value *= (n - c + 1) / (2 * n - c + 1)  # C(n, c) / C(2n, c): all c correct ones are one model's
        if p_value <= 1 - level:
            return c
    return None


def support(
    base_n: ArrayLike,
    base_c: ArrayLike,
    other_n: ArrayLike,
    other_c: ArrayLike,
    k: int,
    level: float = LEVEL,
    seed: int = 0,
) -> Support:
    """Sizes of the four sets at k, uncertain from sampling alone: these very problems, each pair of p drawn from its posterior.

    The sizes are the expected ones of `coverage`, and lie within; a set's count of members may lie outside. The two models' p
    are drawn together (`engine.analyses.joint`): that what is hard for one is hard for the other is learned from the counts.
    At nominal 95 % they held the true sizes, for 30 and 200 problems, n = k = 128 (standard error 1.5 to 3 points): identical
    models 91 to 97 %; p that differ by 0.4 in log odds, or one model sharpened, 90 to 99 %; p ~ Beta(0.3, 2) and half of that
    80 to 97 %, the worst for both; unrelated models 88 to 97 %. Identical models whose p are .003 or .6 and nothing else, which
    no rung is as narrow as, 81 to 96 % of 30, and 66 % for the only sets of 200: too narrow.
    Raises ValueError for impossible counts, no problems, or k above some n.
    """
    base, other = _pair(base_n, base_c, other_n, other_c)
    seen = [pass_at_k(*side, k) for side in (base, other)]
    if np.isnan(seen).any():
        raise ValueError(f"k = {k} is more than some problem has samples: ask for less")
    drawn = [_split(_solved(p, k), _solved(q, k)) for p, q in drawn_pairs(base, other, seed=seed)]
    sizes = np.concatenate(drawn, axis=1)
    return Support(k, *(interval(of, float(expected[0]), level) for of, expected in zip(sizes, _split(*seen), strict=True)))


def _solved(p: Values, k: int) -> Values:
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(k * np.log1p(-p)), dtype=np.float64)


def _split(base: Values, other: Values) -> list[Values]:
    """Expected sizes of both, base only, other only, neither, from chances to be solved [rows, problems]; each [rows]."""
    ours, theirs = np.atleast_2d(base), np.atleast_2d(other)
    pairs = (ours, theirs), (ours, 1 - theirs), (1 - ours, theirs), (1 - ours, 1 - theirs)
    return [np.asarray((one * two).sum(axis=1), dtype=np.float64) for one, two in pairs]


def _pair(base_n: ArrayLike, base_c: ArrayLike, other_n: ArrayLike, other_c: ArrayLike) -> tuple[Side, Side]:
    base, other = counts(base_n, base_c), counts(other_n, other_c)
    if len(base[0]) != len(other[0]):
        raise ValueError(f"base has counts of {len(base[0])} problems, the other run of {len(other[0])}: give the same ones")
    return base, other


def _cost(base: Further, other: Further, at: int) -> tuple[int | None, int | None]:
    """Further samples of each model, where both rates lead somewhere and a standing lies there."""
    ours, theirs = int(base.samples[at]), int(other.samples[at])
    settles = ours >= 0 and theirs >= 0 and bool(base.can[at] or other.can[at])
    return (ours, theirs) if settles else (None, None)
