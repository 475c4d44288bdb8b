"""What the sizes of solved sets amount to, with exact intervals: pure numbers, for counts of a study and for published sets.

Problems are the units: they stand for others of their kind, and a problem's draws are not drawn again here. With P both,
S base only, E other only:

- E - S: given S + E, the E are Binomial(S + E, 1/2) where neither model covers more (McNemar). The interval is Clopper and
  Pearson's for the share E / (S + E), carried over: given the problems that moved, it holds 0 exactly where the two-sided exact
  test does not reject. Where none of M problems moved there is nothing to be given: up to M (1 - (alpha/2)^(1/M)) of M others
  may be lost, and as many found;
- E / (P + E), Wu et al.'s NDR, with Clopper and Pearson's interval.
"""

from __future__ import annotations

from math import nan
from typing import Final

from scipy.special import bdtr, bdtrc, betaincinv

from engine.analyses.coverage import mcnemar_exact
from engine.claims.base import Estimate

GIVEN_MOVED: Final = "interval given the problems that moved"


def net_change(lost: int, found: int, problems: int | None, level: float) -> Estimate:
    """found - lost of so many problems, its interval given lost + found, and McNemar's exact test of no change.

    Where nothing moved the interval is over the problems; NaN where their number is not known (None).
    Raises ValueError for a negative count, and more moved problems than there are.
    """
    p_value = mcnemar_exact(lost, found)
    moved = lost + found
    if problems is not None and not moved <= problems > 0:
        raise ValueError(f"{moved} of {problems} problems cannot have moved")
    if not moved:
        most = nan if problems is None else problems * share_interval(0, problems, level)[1]
        return Estimate(0, -most, most, p_value)
    low, high = share_interval(found, moved, level)
    return Estimate(found - lost, (2 * low - 1) * moved, (2 * high - 1) * moved, p_value)


def share_interval(part: int, whole: int, level: float) -> tuple[float, float]:
    """Clopper and Pearson's two-sided interval of a share; 0 to 1 where there is nothing to take a share of."""
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} is no share")
    tail = (1 - level) / 2
    low = float(betaincinv(part, whole - part + 1, tail)) if part else 0.0
    high = float(betaincinv(part + 1, whole - part, 1 - tail)) if part < whole else 1.0
    return low, high


def p_at_most(part: int, whole: int, limit: float) -> float:
    """P(X <= part) for X ~ Binomial(whole, limit): small where the share is clearly below the limit; 1 where whole is 0."""
    return float(bdtr(part, whole, limit)) if whole else 1.0


def p_at_least(part: int, whole: int, limit: float) -> float:
    """P(X >= part) for X ~ Binomial(whole, limit): small where the share is clearly above the limit."""
    return float(bdtrc(part - 1, whole, limit)) if part else 1.0
