"""The sign-flip test: are paired differences as likely to be negative as positive?

Under the hypothesis that two runs are exchangeable on every problem, each difference keeps its size and has either sign with
probability 1/2 (Fisher's randomisation test). The p-value is the share of sign patterns whose sum lies at least as far from
zero as the one seen. It depends on the sizes and on the sum's distance from 0 alone, so neither the order of the problems
nor which run is the base can change it, random patterns included.

Three ways to the same number: where differences are whole multiples of one unit, the exact distribution of the sum; up to 34 of
them, all patterns, as sums of one half against sums of the other; else random patterns.
"""

from __future__ import annotations

from math import fsum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

PATTERNS: Final = 100_000
"""Random sign patterns, the observed one among them."""

EQUAL: Final = 1e-12
"""What a difference may lose to rounding and still be none."""

_BY_HALVES: Final = 34
"""2^17 sums of each half."""

_LATTICE: Final = 4 * 10**7
"""Steps that the exact distribution may take: about 0.1 s."""

_ROUNDING: Final = 1e-9


def sign_flip_p(differences: ArrayLike, seed: int = 0, patterns: int = PATTERNS) -> float:
    """Two-sided p-value of the sum of differences [problems], had each the other sign with probability 1/2.

    Exact up to 34 non-zero differences, and where they are whole multiples of one unit (all as large; pass@1 at one n) that is
    not too small. Else by `patterns` random ones, the observed one among them: (b + 1) / (m + 1), never 0. Differences that are
    all as large (at k = n, one run solves the problem and the other does not) make it McNemar's exact test.
    1.0 where all are zero. Raises ValueError for NaN. Runs with unequal n: `engine.analyses.pairs.paired_p`.
    """
    values = np.asarray(differences, dtype=np.float64)
    if np.isnan(values).any():
        raise ValueError("a difference is unknown: leave its problem out of both runs")
    values = values[np.abs(values) > EQUAL]
    sizes = np.sort(np.abs(values))
    if not len(sizes):
        return 1.0
    unit = _unit(sizes)
    if unit is not None:
        steps = np.rint(values / unit).astype(np.int64)
        return _p_on_lattice(np.abs(steps), abs(int(steps.sum())))
    least = abs(fsum(values)) - _ROUNDING * float(sizes.sum())
    return _p_by_halves(sizes, least) if len(sizes) <= _BY_HALVES else _p_by_chance(sizes, least, seed, patterns)


def _p_on_lattice(steps: Counts, least: int) -> float:
    """P(|sum of +-steps| >= least), from the distribution of the sum of those with a plus."""
    total = int(steps.sum())
    chance = np.zeros(total + 1)
    chance[0], reach = 1.0, 0
    for step in steps.tolist():
        chance[: reach + 1] *= 0.5
        chance[step : reach + step + 1] += chance[: reach + 1].copy()
        reach += step
    return min(1.0, float(chance[np.abs(2 * np.arange(total + 1) - total) >= least].sum()))


def _p_by_halves(sizes: Values, least: float) -> float:
    """The same for any sizes: all sums of one half against all of the other, in order."""
    left, right = (np.sort(_all_sums(half)) for half in (sizes[::2], sizes[1::2]))
    above = len(right) - np.searchsorted(right, least - left, side="left")
    # Every pattern has its mirror image, so the lower tail is as heavy as the upper one.
    return min(1.0, 2 * float(above.sum()) / (len(left) * len(right))) if least > 0 else 1.0


def _all_sums(sizes: Values) -> Values:
    sums = np.zeros(1)
    for size in sizes:
        sums = np.concatenate([sums - size, sums + size])
    return sums


def _p_by_chance(sizes: Values, least: float, seed: int, patterns: int) -> float:
    """The same by random patterns, drawn eight signs at a time: a byte looks up the sum of its eight."""
    rng = np.random.default_rng(seed)
    sums = np.zeros(patterns - 1)
    for at in range(0, len(sizes), 8):
        sums += rng.choice(_all_sums(sizes[at : at + 8]), len(sums))
    return float((np.abs(sums) >= least).sum() + 1) / patterns


def _unit(sizes: Values) -> float | None:
    """What all sizes are whole multiples of, up to rounding; None where there is nothing of a useful size."""
    unit = float(sizes[0])
    for size in sizes.tolist():
        unit = _common_unit(unit, size, _ROUNDING * float(sizes[-1]))
        if unit * _LATTICE < float(sizes.sum()) * len(sizes):
            return None
    unit = float(sizes[-1]) / round(float(sizes[-1]) / unit)  # without the rounding that Euclid's algorithm heaped up
    fits = np.abs(np.rint(sizes / unit) * unit - sizes) <= _ROUNDING * sizes[-1]
    return unit if fits.all() else None


def _common_unit(a: float, b: float, tolerance: float) -> float:
    """Euclid's algorithm, remainders within tolerance of nothing counted as nothing."""
    while b > tolerance:
        a, b = b, abs(a - b * round(a / b))
    return a
