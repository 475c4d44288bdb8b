"""The claim that RL moves accuracies to the ends of the histogram: more problems nearly always solved, and more never.

Both ends are looked at in the common k draws: at least nine right of ten, and none right. Where every n is k these are the bins
of the histogram, and the tests are McNemar's; else they are the chances of being in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.accuracy import g_pass_at_k
from engine.analyses.pairs import paired_p
from engine.analyses.passk import pass_at_k
from engine.claims.base import Claim, Estimate, Found, Measured, Unit, number
from engine.claims.ground import Ground, Pair
from engine.claims.means import mean_against, p_of_change
from engine.claims.parts import both_ways, p_of_both

NEAR_ONE: Final = 0.9
FEWEST: Final = 8
"""Draws below which a tenth and none are nearly the same bin."""

ENDS: Final = Claim(
    "accuracy-to-the-ends",
    "RL moves accuracies to the ends: more problems near 1, and more at 0.",
    "Yue et al. 2025 (2504.13837), section 3, accuracy histograms",
)


def accuracy_to_the_ends(ground: Ground) -> list[Found]:
    """Supported where both ends clearly gain problems, contradicted where either clearly loses some."""
    return ground.over_pairs(ENDS, _ends)


def _ends(ground: Ground, pair: Pair) -> Found:
    if pair.k < FEWEST:
        needs = f"the common k is {pair.k}, and a histogram of fewer than {FEWEST} draws has no ends"
        return ground.cannot_tell(ENDS, f"{needs}: draw more samples with `basebound sample {ground.study.path}`", pair)
    base, other = _shares(pair.base_n, pair.base_c, pair.k), _shares(pair.other_n, pair.other_c, pair.k)
    near, never = other[0] - base[0], other[1] - base[1]
    tests = [
        (float(near.sum()), p_of_change(near, pair.exchangeable, ground.seed)),
        (float(never.sum()), paired_p(*pair.counts, pair.k, ground.seed)),  # solved in k draws or never: pass@k's test
    ]
    finding, p_value = both_ways(tests[0], tests[1], ground.alpha)
    ours, theirs = pair.base.name, pair.other.name
    reason = (
        f"of {pair.size} at k = {pair.k}, at least {ceil(NEAR_ONE * pair.k - 1e-9)} right: {_count(base[0])} for"
        f" {ours} and {_count(other[0])} for {theirs} (p = {tests[0][1]:.3g}); none right: {_count(base[1])} and"
        f" {_count(other[1])} (p = {tests[1][1]:.3g})"
    )
    each = mean_against(near + never, 0.0, ground.level, ground.seed)
    number = len(pair.keys)
    estimate = Estimate(each.value * number, each.low * number, each.high * number, p_value)
    of = p_of_both(tests[0], tests[1], ("problems near 1", "problems at 0"))
    measured = Measured("problems gained at both ends, other - base", estimate, finding, Unit.PROBLEMS, of)
    return ground.found(ENDS, pair, measured, reason)


def _shares(n: Sequence[int], c: Sequence[int], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each problem's chance to be near one, and to be at none, in k draws."""
    counts = np.array(n), np.array(c)
    return g_pass_at_k(*counts, k, NEAR_ONE), 1 - pass_at_k(*counts, k)


def _count(shares: NDArray[np.float64]) -> str:
    return number(float(shares.sum()))
