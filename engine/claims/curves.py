"""Claims about pass@k: what RL does to pass@1, whether base catches up, how large the gap stays, what distillation adds.

Differences are taken problem by problem, so that hard problems are compared with themselves. A claim with a margin is tested
against the margin: base "catches up" where it is clearly not more than CATCHES_UP behind, never where a difference was merely
not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.pairs import Crossing
from engine.analyses.passk import pass_at_k
from engine.claims.base import LARGE_K, Claim, Estimate, Finding, Found, Measured, by_sign, number, points
from engine.claims.ground import Ground, Pair
from engine.claims.means import mean_against
from engine.summary import cover

if TYPE_CHECKING:
    from engine.analyses.pairs import Comparison

PAPER_K: Final = 256
LARGE_GAP: Final = 0.40
"""The paper: the gap at k = 256 stays above 40 points whatever the algorithm."""
CATCHES_UP: Final = 0.02
"""Base has caught up where it is at most this far behind."""

RAISES: Final = Claim("raises-pass-at-1", "RL raises pass@1.", "Yue et al. 2025 (2504.13837), section 3")
CATCH_UP: Final = Claim(
    "base-catches-up",
    f"Base, behind at pass@1, comes within {100 * CATCHES_UP:g} points of RL or passes it at large k.",
    "Yue et al. 2025 (2504.13837), section 3",
)
GAP: Final = Claim(
    "gap-stays-large",
    f"Base's pass@{PAPER_K} stays more than {100 * LARGE_GAP:g} points above RL's pass@1.",
    "Yue et al. 2025 (2504.13837), section 4.3 and table 2",
)
DISTILLED: Final = Claim(
    "distillation-beyond", "Distillation goes beyond base at large k.", "Yue et al. 2025 (2504.13837), section 4.2"
)


def raises_pass_at_1(ground: Ground) -> list[Found]:
    """Difference of pass@1, by the paired test over problems."""
    return ground.over_pairs(RAISES, _raises)


def base_catches_up(ground: Ground) -> list[Found]:
    """base - other at the common k, tested against -CATCHES_UP; supported only where the other is clearly ahead at k = 1.
    Contradicted only at a large k: at a small one base may still come."""
    return ground.over_pairs(CATCH_UP, _catches_up)


def gap_stays_large(ground: Ground) -> list[Found]:
    """Base's pass@256 less the other's pass@1, tested against LARGE_GAP. The gap grows with k: fewer samples can show that it
    is large, and that it is small only where a base that solves everything would leave it small.

    It says nothing of what RL did: a run of base itself lies as far below base's pass@256, and the reason gives that gap beside
    it. A row "supported" is no evidence against RL by itself."""
    return ground.over_pairs(GAP, _gap)


def distillation_beyond(ground: Ground) -> list[Found]:
    """Difference of pass@k at the common k, distilled less base."""
    missing = (
        "no distilled run shares a judged problem with a base run: tell its role with"
        f" `basebound import {ground.study.path} FILE --role MODEL=distilled`"
    )
    return [_distilled(ground, pair) for pair in ground.distilled()] or [ground.cannot_tell(DISTILLED, ground.lacking(missing))]


def differences(pair: Pair, k: int) -> NDArray[np.float64]:
    """Other less base at k, [problems]."""
    return solving(pair.other_n, pair.other_c, k) - solving(pair.base_n, pair.base_c, k)


def at_ends(ground: Ground, pair: Pair) -> tuple[Estimate, Estimate]:
    """The difference at k = 1 and at the common k, each with its two-sided p-value: those that `basebound passk` prints
    (`engine.analyses.pairs.paired_p`)."""
    compared = ground.comparison(pair)
    limits = compared.problems
    first, last = (
        Estimate(
            float(compared.difference[i]),
            float(limits.low[i]),
            float(limits.high[i]),
            p_value,
        )
        for i, p_value in ((0, compared.p_first), (-1, compared.p_value))
    )
    return first, last


def _raises(ground: Ground, pair: Pair) -> Found:
    first, _ = at_ends(ground, pair)
    reason = (
        f"pass@1 of {pair.other.name} is {_apart(first.value)} that of {pair.base.name} over {pair.size}, n ="
        f" {_least(pair.other_n)} and {_least(pair.base_n)}"
    )
    finding = by_sign(first.value, first.p_value, ground.alpha)
    return ground.found(RAISES, pair, Measured("pass@1, other - base", first, finding), reason)


def _catches_up(ground: Ground, pair: Pair) -> Found:
    compared = ground.comparison(pair)
    lead, _ = at_ends(ground, pair)
    ahead = mean_against(-differences(pair, pair.k), -CATCHES_UP, ground.level, ground.seed)
    finding, p_value = _caught(ahead, lead, ground.alpha)
    is_lead = ahead.value > -CATCHES_UP and (lead.value <= 0 or lead.p_value > ahead.p_value)
    reason = (
        f"at k = {pair.k} {pair.base.name} is {_apart(ahead.value)} {pair.other.name}, at k = 1 {_apart(-lead.value)} it"
        f" (p = {lead.p_value:.3g}), over {pair.size}; {_crossing(compared)}"
    )
    if pair.k < LARGE_K and finding is not Finding.SUPPORTED:
        short = ground.too_few("the claim is of large k", pair.k, len(pair.keys))
        return ground.cannot_tell(CATCH_UP, f"{reason}; {short}", pair)
    estimate = Estimate(ahead.value, ahead.low, ahead.high, p_value)
    p_of = "the weaker part, the other's lead at pass@1" if is_lead else None
    return ground.found(CATCH_UP, pair, Measured(f"pass@{pair.k}, base - other", estimate, finding, p_of=p_of), reason)


def _caught(ahead: Estimate, lead: Estimate, alpha: float) -> tuple[Finding, float]:
    """Supported needs both, the other's lead at k = 1 and base's arrival: the larger p. Contradicted needs no lead."""
    if ahead.value <= -CATCHES_UP:
        return by_sign(ahead.value + CATCHES_UP, ahead.p_value, alpha), ahead.p_value
    p_value = max(ahead.p_value, lead.p_value) if lead.value > 0 else 1.0
    return (Finding.SUPPORTED if p_value <= alpha else Finding.NOT_SIGNIFICANT), p_value


def _gap(ground: Ground, pair: Pair) -> Found:
    k = min(PAPER_K, *pair.base_n)
    reached = solving(pair.base_n, pair.base_c, k)
    gaps = reached - solving(pair.other_n, pair.other_c, 1)
    own = float((reached - solving(pair.base_n, pair.base_c, 1)).mean())
    estimate = mean_against(gaps, LARGE_GAP, ground.level, ground.seed)
    finding = by_sign(estimate.value - LARGE_GAP, estimate.p_value, ground.alpha)
    reason = (
        f"pass@{k} of {pair.base.name} is {_apart(estimate.value)} pass@1 of {pair.other.name} over {pair.size},"
        f" where {points(LARGE_GAP)} are the limit; a model identical to base has such a gap, too ({points(own)} here), so this"
        " alone says nothing of RL"
    )
    if k == PAPER_K or finding is Finding.SUPPORTED:
        return ground.found(GAP, pair, Measured(f"base pass@{k} - other pass@1", estimate, finding), reason)
    most = mean_against(1 - solving(pair.other_n, pair.other_c, 1), LARGE_GAP, ground.level, ground.seed)
    if by_sign(most.value - LARGE_GAP, most.p_value, ground.alpha) is Finding.CONTRADICTED:
        reason = f"{reason}; even were base's pass@{PAPER_K} 100 %, the gap would be {points(most.value)}"
        return ground.found(GAP, pair, Measured("100 % - other pass@1", most, Finding.CONTRADICTED), reason)
    lacking = f"it grows with k, so {PAPER_K} samples of base are needed: `basebound sample {ground.study.path}`"
    return ground.cannot_tell(GAP, f"{reason}; {lacking}", pair)


def _distilled(ground: Ground, pair: Pair) -> Found:
    if pair.k < LARGE_K:
        return ground.cannot_tell(DISTILLED, ground.too_few("the claim is of large k", pair.k, len(pair.keys)), pair)
    _, last = at_ends(ground, pair)
    _, lost, new, _ = map(number, cover(ground.board, pair.base, pair.other).expected)
    reason = (
        f"at k = {pair.k} {pair.other.name} is {_apart(last.value)} {pair.base.name} over {pair.size}: it solves"
        f" {new} that base does not, and base {lost} that it does not{'' if pair.whole else ' (expected of k draws)'}"
    )
    finding = by_sign(last.value, last.p_value, ground.alpha)
    return ground.found(DISTILLED, pair, Measured(f"pass@{pair.k}, distilled - base", last, finding), reason)


def _crossing(compared: Comparison) -> str:
    seen = compared.crossover
    if seen.k is None:
        what = "the curves end in a tie at" if seen.verdict is Crossing.TIE else "no crossing seen by"
        return f"{what} k = {compared.k}; probability that base overtakes by then {seen.probability:.2f}"
    low, high = (f"beyond {compared.k}" if limit is None else str(limit) for limit in (seen.low, seen.high))
    return f"the curves cross at k = {seen.k} ({low} to {high}, probability {seen.probability:.2f} by k = {compared.k})"


def solving(n: Sequence[int], c: Sequence[int], k: int) -> NDArray[np.float64]:
    """Each problem's chance to be solved in k draws, [problems]."""
    return pass_at_k(np.array(n), np.array(c), k)


def _apart(difference: float) -> str:
    if abs(difference) < 5e-4:
        return "level with"
    return f"{points(abs(difference))} {'above' if difference > 0 else 'below'}"


def _least(n: Sequence[int]) -> str:
    return str(n[0]) if min(n) == max(n) else f"{min(n)} or more"
