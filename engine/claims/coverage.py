"""Claims about which problems are solved at a common k: whether RL finds any that base does not, and whether it loses more.

"Solved" is said of k draws, never of what a model could do: c = 0 of n leaves a rate of up to 1 - 0.05^(1/n).
"""

from __future__ import annotations

from typing import Final

from engine.analyses.coverage import Coverage
from engine.analyses.intervals import zero_bound
from engine.claims import sizes
from engine.claims.base import LARGE_K, Claim, Estimate, Finding, Found, Measured, Unit, by_sign, of_two, percent
from engine.claims.curves import at_ends
from engine.claims.ground import Ground, Pair
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
    the new problems whose rates clearly differ (Fisher, q-values over all problems), it is clearly above. Where n differ, the
    sets hold what is as likely as not, and chance alone makes some problems new: that can only withhold "supported"."""
    return ground.over_pairs(WITHIN, _within)


def coverage_shrinks(ground: Ground) -> list[Found]:
    """Problems found less problems lost, and McNemar's exact test; where n differ, the same on chances to be solved."""
    return ground.over_pairs(SHRINKS, _shrinks)


def discoveries(both: int, new: int, clear: int | None, level: float) -> tuple[Estimate, Finding]:
    """NDR = new / (both + new) with its interval, and what it says of WITHIN. clear: how many of the new ones have evidence
    beside the bare count; None where nobody can tell, and then nothing is contradicted."""
    solved = both + new
    low, high = sizes.share_interval(new, solved, level)
    few, many = sizes.p_at_most(new, solved, FEW), sizes.p_at_least(clear or 0, solved, FEW)
    finding, p_value = of_two(few, many, 1 - level)
    return Estimate(new / solved if solved else 0.0, low, high, p_value), finding


def _within(ground: Ground, pair: Pair) -> Found:
    if pair.k < LARGE_K:
        return ground.cannot_tell(WITHIN, ground.too_few("base's reach shows at large k", pair.k, len(pair.keys)), pair)
    sets = cover(ground.board, pair.base, pair.other)
    both, new = len(sets.both), len(sets.other_only)
    if not both + new:
        none = (
            f"{pair.other.name} solves none of {len(pair.keys)} problems at k = {sets.k}: there is nothing to take a share of"
        )
        return ground.cannot_tell(WITHIN, f"{none}; `basebound sample {ground.study.path}` may find some", pair)
    clear = _clear(ground, pair, sets)
    estimate, finding = discoveries(both, new, clear, ground.level)
    reason = (
        f"of the {both + new} of {len(pair.keys)} problems that {pair.other.name} solves at k = {sets.k}, {new} are not solved"
        f" by {pair.base.name}, {clear} of these with evidence; the limit is {100 * FEW:g} %, and c = 0 of n ="
        f" {min(pair.base_n)} leaves base a rate of up to {percent(zero_bound(min(pair.base_n), ground.level))}"
    )
    return ground.found(WITHIN, pair, Measured("NDR: new among what the other solves", estimate, finding, Unit.SHARE), reason)


def _clear(ground: Ground, pair: Pair, sets: Coverage) -> int:
    """Problems solved by the other only at k whose rates clearly differ."""
    from engine.analyses.boundary import evidence

    new = set(sets.other_only)
    if not new:
        return 0
    told = evidence(*pair.counts, budget=sets.k, level=ground.level)
    return sum(key in new and one.clear for key, one in zip(pair.keys, told, strict=True))


def _shrinks(ground: Ground, pair: Pair) -> Found:
    if pair.k < LARGE_K:
        return ground.cannot_tell(SHRINKS, ground.too_few("coverage is of large k", pair.k, len(pair.keys)), pair)
    sets = cover(ground.board, pair.base, pair.other)
    estimate = _net(ground, pair, sets)
    reason = (
        f"at k = {sets.k} {pair.other.name} loses {len(sets.base_only)} and finds {len(sets.other_only)} of {len(pair.keys)}"
        f" problems ({len(sets.both)} both, {len(sets.neither)} neither)"
    )
    finding = by_sign(-estimate.value, estimate.p_value, ground.alpha)
    return ground.found(SHRINKS, pair, Measured("found - lost", estimate, finding, Unit.PROBLEMS), reason)


def _net(ground: Ground, pair: Pair, sets: Coverage) -> Estimate:
    """Whole problems where every n is k. Where n differ, expected ones: the sets' "at least as likely as not" favours whichever
    run was drawn more often on some problems and harms it on others."""
    if {*pair.base_n, *pair.other_n} == {sets.k}:
        return sizes.net_change(len(sets.base_only), len(sets.other_only), ground.level)
    (_, last), number = at_ends(ground, pair), len(pair.keys)
    return Estimate(last.value * number, last.low * number, last.high * number, last.p_value)
