"""Tests of whether two runs, or a run and the mean of several, differ on the problems they share.

Where the runs are exchangeable on every problem (the same n, one model), exchanging them is as likely as not: Fisher's
randomisation test.

- `sign_flip_p`: of two runs, each difference keeps its size and has either sign with probability 1/2.
- `exchange_p`: of a base run and several others (training seeds of one algorithm), each is the base run with the same
  probability, on each problem anew; the statistic is the mean of the others less the base run.

The p-value is the share of patterns whose sum lies at least as far from zero as the one seen. Three ways to the same number:
where two runs' differences are whole multiples of one unit, the exact distribution of the sum; of few problems, all patterns,
as sums of one half against sums of the other; else random patterns.

- `unequal_p`: where n are unequal, two runs of one model are not exchangeable. At k = n the shorter one says 1 where the longer
  one says 0.97, so that many small differences of one sign face a few large ones of the other, and signs flipped call a model
  different from itself in up to half of the cases. There the problems are drawn again, and the larger of both p-values counts.

Neither the order of the problems nor which run is the base changes a p-value of two runs, random patterns included.
"""

from __future__ import annotations

from math import fsum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.intervals import resampled_differences

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

PATTERNS: Final = 100_000
"""Random patterns, the observed one among them."""

EQUAL: Final = 1e-12
"""What a difference may lose to rounding and still be none."""

_HALF: Final = 1 << 17
"""Sums of each half, where all patterns are looked at: up to 34 signs."""

_AT_ONCE: Final = 1 << 8
"""Sums that a byte can look up."""

_LATTICE: Final = 4 * 10**7
"""Steps that the exact distribution may take: about 0.1 s."""

_ROUNDING: Final = 1e-9


def sign_flip_p(differences: ArrayLike, seed: int = 0) -> float:
    """Two-sided p-value of the sum of differences [problems], had each the other sign with probability 1/2.

    Exact up to 34 non-zero differences, and where they are whole multiples of one unit (all as large; pass@1 at one n) that is
    not too small. Else by PATTERNS random ones, the observed one among them: (b + 1) / (m + 1), never 0. Differences that are
    all as large (at k = n, one run solves the problem and the other does not) make it McNemar's exact test.
    1.0 where all are zero. Raises ValueError for NaN.
    """
    values = _known(differences)
    values = values[np.abs(values) > EQUAL]
    sizes = np.sort(np.abs(values))
    if not len(sizes):
        return 1.0
    unit = _unit(sizes)
    if unit is not None:
        steps = np.rint(values / unit).astype(np.int64)
        return _p_on_lattice(np.abs(steps), abs(int(steps.sum())))
    return _p_of_choices(np.stack([-sizes, sizes], axis=1), abs(fsum(values)), seed)


def exchange_p(values: ArrayLike, seed: int = 0) -> float:
    """Two-sided p-value of the mean of all runs but the first less the first, values being [problems, runs], had each run of a
    problem been the first with the same probability. Of two runs it is `sign_flip_p`; of more, by random patterns where
    there are more than about 20 problems. 1.0 where all runs are equal. Raises ValueError for NaN and for fewer than two runs.
    """
    known = _known(values)
    if known.ndim != 2 or known.shape[1] < 2:
        raise ValueError("a run is exchanged with others: give values of at least two runs, [problems, runs]")
    others = known.shape[1] - 1
    choices = (known.sum(axis=1, keepdims=True) - (others + 1) * known) / others
    if others == 1:
        return sign_flip_p(choices[:, 0], seed)
    choices = choices[np.abs(choices).max(axis=1) > EQUAL]
    seen = abs(fsum(choices[:, 0]))
    choices.sort(axis=1)
    return _p_of_choices(choices[np.lexsort(choices.T)], seen, seed) if len(choices) else 1.0


def unequal_p(differences: ArrayLike, least: float, seed: int = 0) -> float:
    """Two-sided p-value of differences [problems] with mean 0, of runs that are not exchangeable: the larger of `sign_flip_p`
    and twice the share of means on the far side of 0 with the problems drawn again (`resampled_differences`, which says
    what `least` is: k / n). Never below 2 / 10,001. 1.0 where all are zero. Raises ValueError for NaN.
    """
    values = np.sort(_known(differences))
    values = min(values, -values[::-1], key=list)  # which run is base: the draws must not know
    if (np.abs(values) <= EQUAL).all():
        return 1.0
    drawn = resampled_differences(values[:, None], least, seed=seed)[:, 0]
    beyond = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return max(sign_flip_p(values, seed), min(1.0, 2 * (beyond + 1) / (len(drawn) + 1)))


def _known(values: ArrayLike) -> Values:
    known = np.asarray(values, dtype=np.float64)
    if np.isnan(known).any():
        raise ValueError("a difference is unknown: leave its problem out of both runs")
    return known


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


def _p_of_choices(choices: Values, seen: float, seed: int) -> float:
    """P(|sum of one choice per row| >= seen), every choice of a row being as likely: choices [problems, ways]."""
    problems, ways = choices.shape
    least = seen - _ROUNDING * float(np.abs(choices).max(axis=1).sum())
    all_patterns = ways ** ((problems + 1) // 2) <= _HALF
    return _p_by_halves(choices, least) if all_patterns else _p_by_chance(choices, least, seed)


def _p_by_halves(choices: Values, least: float) -> float:
    """By all patterns: all sums of one half of the rows against all of the other, in order."""
    left, right = (np.sort(_all_sums(half)) for half in (choices[::2], choices[1::2]))
    above = len(right) - np.searchsorted(right, least - left, side="left")
    below = np.searchsorted(right, -least - left, side="right")
    return min(1.0, float((above + below).sum()) / (len(left) * len(right))) if least > 0 else 1.0


def _all_sums(choices: Values) -> Values:
    sums = np.zeros(1)
    for ways in choices:
        sums = (ways[:, None] + sums).ravel()
    return sums


def _p_by_chance(choices: Values, least: float, seed: int) -> float:
    """By random patterns, drawn eight signs at a time: a byte looks up the sum of its eight."""
    rng = np.random.default_rng(seed)
    sums = np.zeros(PATTERNS - 1)
    rows = max(1, int(np.log(_AT_ONCE) / np.log(choices.shape[1]) + _ROUNDING))
    for at in range(0, len(choices), rows):
        sums += rng.choice(_all_sums(choices[at : at + rows]), len(sums))
    return float((np.abs(sums) >= least).sum() + 1) / PATTERNS


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
