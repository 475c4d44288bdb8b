"""Where the base run overtakes another run along k, if it does.

With D(k) = other pass@k - base pass@k, the crossover k* is the smallest k from which base is ahead (D < 0) at every k up to
the common k, and before which the other run is ahead (D > 0) at some k. Three answers:

- CROSSES: there is such a k*.
- TIE: at the common k both have solved the same share (D = 0), so nobody is ahead from any k on. Identical curves are one
  case; that both solve everything in the end, whoever was quicker, is the common one.
- NONE, "no crossing seen": the other run is ahead at the common k, or base was never behind. It says nothing of larger k.

The mirror case (base ahead at small k, the other run from k* on) is the same question with the runs exchanged:
`engine.analyses.pairs.Comparison.mirror`.

The uncertainty is that of drawing the problems again. Every drawn difference has its own k*: 1 where base is ahead at every
k, none where base is not ahead at the common k. `low` and `high` are quantiles of that; the probability is the share of
draws that cross. Between the k of the fine grid a draw's k* is interpolated, linearly in log k.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.signflip import EQUAL

Values = NDArray[np.float64]
Ks = NDArray[np.int64]

_PER_DOUBLING: Final = 8
"""k of the fine grid in each doubling."""


class Crossing(StrEnum):
    CROSSES = "crosses"
    NONE = "no crossing seen"
    TIE = "tie"


@dataclass(frozen=True, slots=True)
class Crossover:
    """The verdict on the curves as estimated, and what drawing the problems again does to it."""

    verdict: Crossing
    k: int | None
    """k*; None unless the verdict is CROSSES."""
    low: int | None
    """Limits of k*; 1 means that base may be ahead from the start, None that it may not be ahead by the common k."""
    high: int | None
    probability: float
    """That base, behind somewhere, is ahead from some k on by the common k."""


def fine_grid(most: int) -> Ks:
    """About eight k in each doubling, from 1 to `most`, both included."""
    steps = np.arange(_PER_DOUBLING * most.bit_length())
    found = np.unique(np.rint(2 ** (steps / _PER_DOUBLING)).astype(np.int64))
    return np.append(found[found < most], most)


def verdict(ks: Ks, difference: Values) -> tuple[Crossing, int | None]:
    """What the estimated difference does on ks, and the first of ks from which base is ahead if it crosses."""
    if abs(difference[-1]) <= EQUAL:
        return Crossing.TIE, None
    if difference[-1] > 0 or not (difference > EQUAL).any():
        return Crossing.NONE, None
    return Crossing.CROSSES, ahead_from(ks, difference)


def ahead_from(ks: Ks, difference: Values) -> int:
    """The k after the last one at which base is not ahead. It must be ahead at the last k, and not at some other."""
    return int(ks[np.flatnonzero(difference >= -EQUAL)[-1] + 1])


def overtaken_at(ks: Ks, differences: Values) -> Values:
    """k* of each drawn difference [draws, len(ks)]: 1 where base is ahead throughout, inf where it is not at the last k."""
    behind = differences >= 0
    last = len(ks) - 1 - np.argmax(behind[:, ::-1], axis=1)
    found = np.full(len(differences), np.inf)
    found[~behind.any(axis=1)] = 1.0
    at = np.flatnonzero(behind.any(axis=1) & ~behind[:, -1])
    before, after = differences[at, last[at]], differences[at, last[at] + 1]
    start, stop = np.log(ks[last[at]]), np.log(ks[last[at] + 1])
    found[at] = np.ceil(np.exp(start + (stop - start) * before / (before - after)) - 1e-9)
    # The first whole k past the zero, which is not at or before the last k at which base was still behind.
    found[at] = np.clip(found[at], ks[last[at]] + 1, ks[last[at] + 1])
    return found


def crossover(found: tuple[Crossing, int | None], draws: Values, level: float) -> Crossover:
    """From the verdict on the estimate and each draw's k*."""
    ordered = np.sort(draws)
    rank = max(1, int((1 - level) / 2 * (len(draws) + 1) + 1e-9))
    low, high = (None if np.isinf(limit) else int(limit) for limit in (ordered[rank - 1], ordered[-rank]))
    return Crossover(*found, low, high, float(np.mean((draws > 1) & np.isfinite(draws))))
