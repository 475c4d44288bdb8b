"""Claims about which problems are solved at a common k: whether RL finds any that base does not, and whether it loses more.

"Solved" is said of k draws, never of what a model could do: c = 0 of n leaves a rate of up to 1 - 0.05^(1/n).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.analyses.coverage import Coverage
from engine.analyses.intervals import zero_bound
from engine.claims import sizes
from engine.claims.base import (
    LARGE_K,
    Claim,
    Estimate,
    Finding,
    Found,
    Measured,
    Unit,
    by_sign,
    number,
    of_two,
    percent,
)
from engine.claims.curves import at_ends, solving
from engine.claims.ground import Ground, Pair
from engine.claims.means import ratio_against
from engine.summary import cover

FEW: Final = 0.05
"""Up to this share of what RL solves may be new for "within what base solves" to hold."""

WITHIN: Final = Claim(
    "within-base",
    f"What RL solves lies within what base solves, up to {100 * FEW:g} % of it.",
    "Yue et al. 2025 (2504.13837), tables 4 and 5; the rate is NDR of Wu et al. 2025 (2507.14843)",
)
SHRINKS: Final = Claim(
    "coverage-shrinks",
    "RL loses more problems at large k than it finds.",
    "Yue et al. 2025 (2504.13837), sections 3 and 4.1; the counts of NSCR, Wu et al. 2025 (2507.14843)",
)


def within_base(ground: Ground) -> list[Found]:
    """NDR at the common k. Supported where the share of new problems is clearly below FEW; contradicted where, counting only
    the new problems whose rates clearly differ (Fisher, q-values over all problems), it is clearly above.

    Whole problems where every n is k, with exact intervals. Elsewhere the expected NDR, with an interval over problems: the
    sets hold what is at least as likely as not, so what the run with more samples solves rarely would not count as solved, and
    a run with many rare finds of its own would pass for one that lies within base. Either way k draws of each run are what
    counts, and chance alone makes some problems new, which can only withhold "supported"."""
    return ground.over_pairs(WITHIN, _within)


def coverage_shrinks(ground: Ground) -> list[Found]:
    """Problems found less problems lost, and McNemar's exact test where every n is k; else the same on chances to be solved."""
    return ground.over_pairs(SHRINKS, _shrinks)


def discoveries(both: int, new: int, clear: int | None, level: float) -> tuple[Estimate, Finding]:
    """NDR = new / (both + new) with its interval, and what it says of WITHIN. clear: how many of the new ones have evidence
    beside the bare count; None where nobody can tell, and then nothing is contradicted."""
    solved = both + new
    low, high = sizes.share_interval(new, solved, level)
    few, many = sizes.p_at_most(new, solved, FEW), sizes.p_at_least(clear or 0, solved, FEW)
    finding, p_value = of_two(few, many, 1 - level)
    return Estimate(new / solved if solved else 0.0, low, high, p_value), finding


_BY_EVIDENCE: Final = "the new ones with evidence, doubled"
"""What p is of where these speak against the claim more than all new ones for it."""


def _within(ground: Ground, pair: Pair) -> Found:
    if pair.k < LARGE_K:
        return ground.cannot_tell(WITHIN, ground.too_few("base's reach shows at large k", pair.k, len(pair.keys)), pair)
    if not any(pair.other_c):
        none = f"{pair.other.name} solves none of {pair.size} at k = {pair.k}: there is nothing to take a share of"
        return ground.cannot_tell(WITHIN, f"{none}; `basebound sample {ground.study.path}` may find some", pair)
    new = _new(ground, pair)
    reason = (
        f"of the {number(new.solved)} of {pair.size} that {pair.other.name} solves at k = {pair.k},"
        f" {number(new.new)} are not solved by {pair.base.name}, {number(new.clear)} of these with evidence{_expected(pair)};"
        f" the limit is {100 * FEW:g} %, and c = 0 of n = {min(pair.base_n)} leaves base a rate of up to"
        f" {percent(zero_bound(min(pair.base_n), ground.level))}"
    )
    name = "NDR: new among what the other solves"
    statistic = name if pair.whole else f"expected {name}"
    return ground.found(WITHIN, pair, Measured(statistic, new.estimate, new.finding, Unit.SHARE, new.p_of), reason)


@dataclass(frozen=True, slots=True)
class _New:
    """What is new of the problems that the other run solves in k draws: numbers, expected ones unless every n is k."""

    solved: float
    new: float
    clear: float
    estimate: Estimate
    finding: Finding
    p_of: str | None


def _new(ground: Ground, pair: Pair) -> _New:
    base, other = solving(pair.base_n, pair.base_c, pair.k), solving(pair.other_n, pair.other_c, pair.k)
    new = (1 - base) * other
    clear = np.where(_clearly_ahead(ground, pair), new, 0.0)
    sums = float(other.sum()), float(new.sum()), float(clear.sum())
    if pair.whole:
        both, whole, sure = round(sums[0] - sums[1]), round(sums[1]), round(sums[2])
        few, many = sizes.p_at_most(whole, both + whole, FEW), sizes.p_at_least(sure, both + whole, FEW)
        return _New(*sums, *discoveries(both, whole, sure, ground.level), _BY_EVIDENCE if many < few and sure < whole else None)
    estimate, few, _ = ratio_against(new, other, FEW, ground.level, ground.seed)
    _, _, many = ratio_against(clear, other, FEW, ground.level, ground.seed)
    finding, p_value = of_two(few, many, ground.alpha)
    of = _BY_EVIDENCE if many < few and sums[2] < sums[1] else None
    return _New(*sums, replace(estimate, p_value=p_value), finding, of)


def _clearly_ahead(ground: Ground, pair: Pair) -> list[bool]:
    """Of each problem: does the other run solve it at a rate that is clearly higher?"""
    from engine.analyses.boundary import evidence

    told = evidence(*pair.counts, budget=pair.k, level=ground.level)
    rows = zip(told, *pair.counts, strict=True)
    return [one.clear and other_c * base_n > base_c * other_n for one, base_n, base_c, other_n, other_c in rows]


def _expected(pair: Pair) -> str:
    return "" if pair.whole else " (expected of k draws: not every n is k)"


def _shrinks(ground: Ground, pair: Pair) -> Found:
    if pair.k < LARGE_K:
        return ground.cannot_tell(SHRINKS, ground.too_few("coverage is of large k", pair.k, len(pair.keys)), pair)
    sets = cover(ground.board, pair.base, pair.other)
    estimate = _net(ground, pair, sets)
    both, lost, new, neither = map(number, sets.expected)
    reason = (
        f"at k = {sets.k} {pair.other.name} loses {lost} and finds {new} of {pair.size} ({both} both, {neither}"
        f" neither){_expected(pair)}"
    )
    finding = by_sign(-estimate.value, estimate.p_value, ground.alpha)
    return ground.found(SHRINKS, pair, Measured(_net_name(pair, sets), estimate, finding, Unit.PROBLEMS), reason)


def _net_name(pair: Pair, sets: Coverage) -> str:
    if not pair.whole:
        return "found - lost, expected"
    return f"found - lost, {sizes.GIVEN_MOVED}" if sets.base_only or sets.other_only else "found - lost"


def _net(ground: Ground, pair: Pair, sets: Coverage) -> Estimate:
    """Whole problems where every n is k. Where n differ, expected ones: the sets' "at least as likely as not" favours whichever
    run was drawn more often on some problems and harms it on others."""
    problems = len(pair.keys)
    if pair.whole:
        return sizes.net_change(len(sets.base_only), len(sets.other_only), problems, ground.level)
    _, last = at_ends(ground, pair)
    return Estimate(last.value * problems, last.low * problems, last.high * problems, last.p_value)
