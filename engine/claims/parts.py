"""Claims that need several things to hold at once: the finding, its p-value, and which part that is of.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.claims.base import Finding


def both_ways(one: tuple[float, float], other: tuple[float, float], alpha: float) -> tuple[Finding, float]:
    """Of two values with their two-sided p-values that a claim says are both positive: the finding and its p-value.

    Supported where both are, by the larger p (intersection-union test); contradicted where either is clearly negative, by the
    smallest p of the negative ones, doubled for having looked at two.
    """
    if one[0] > 0 and other[0] > 0:
        p_value = max(one[1], other[1])
        return (Finding.SUPPORTED if p_value <= alpha else Finding.NOT_SIGNIFICANT), p_value
    p_value = min(1.0, 2 * min((p for value, p in (one, other) if value < 0), default=1.0))
    return (Finding.CONTRADICTED if p_value <= alpha else Finding.NOT_SIGNIFICANT), p_value


def p_of_both(one: tuple[float, float], other: tuple[float, float], names: tuple[str, str]) -> str:
    """What `both_ways` takes its p-value of, in words. names: of the two values."""
    if one[0] > 0 and other[0] > 0:
        return f"the weaker part, {names[0] if one[1] >= other[1] else names[1]}"
    against = [(p, name) for (value, p), name in zip((one, other), names, strict=True) if value < 0]
    if not against:
        return f"the weaker part, {names[0] if one[0] <= 0 else names[1]}"
    return f"the part against it, {min(against)[1]}, doubled"


def one_order(told: Sequence[tuple[float, float]], alpha: float) -> tuple[Finding, float]:
    """The finding and its p-value from (difference, two-sided p-value) at each temperature.

    Supported where all have one sign, by the largest p; contradicted where two have clearly different signs, by the larger of
    the best p on either side, times the number of temperatures.
    """
    above, below = ([p for value, p in told if side * value > 0] for side in (1, -1))
    if len(told) in (len(above), len(below)):
        p_value = max(p for _, p in told)
        return (Finding.SUPPORTED if p_value <= alpha else Finding.NOT_SIGNIFICANT), p_value
    p_value = min(1.0, len(told) * max(min(above, default=1.0), min(below, default=1.0)))
    return (Finding.CONTRADICTED if p_value <= alpha else Finding.NOT_SIGNIFICANT), p_value


def p_of_order(told: Sequence[tuple[float, float]], names: Sequence[str]) -> str:
    """What `one_order` takes its p-value of, in words. names: the temperatures, in the order of `told`."""
    signs = {value > 0 for value, _ in told if value}
    if len(signs) == 1 and all(value for value, _ in told):
        _, name = max((p, name) for (_, p), name in zip(told, names, strict=True))
        return f"the weaker part, T {name}"
    best = [
        min(((p, name) for (value, p), name in zip(told, names, strict=True) if side * value > 0), default=None)
        for side in (1, -1)
    ]
    both = [one for one in best if one is not None]
    if len(both) < 2:
        return "opposite orders at two temperatures"
    return f"opposite orders at T {' and T '.join(sorted(name for _, name in both))}, times {len(told)}"
