"""What McNemar's test finds of two sets of problems, and the fewest labels after which it finds otherwise.

The finding is monotone: more problems that only the first run solves, or fewer that only the second does, never turn it
against the first. So the ways to turn it are (x problems gone from the first's own set, y more in the second's) beyond a
staircase, and the cheapest is found exactly by dynamic programming over problems.

All of this is of runs with equal n. Where n differ there is no exact test of the sets (engine/analyses/coverage.py), so nothing
is found of them, and nothing can turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

import numpy as np

from engine.analyses.coverage import mcnemar_exact
from engine.analyses.intervals import LEVEL

_ROUNDING: Final = 1e-12


class Finding(StrEnum):
    """What McNemar's test says of the two runs."""

    BASE_MORE = "base solves more"
    OTHER_MORE = "other solves more"
    NO_DIFFERENCE = "no difference shown"
    CANNOT_TELL = "cannot tell: the runs' n differ"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What the two sets amount to."""

    base_only: int
    other_only: int
    p_value: float | None
    """McNemar's, exact and two-sided; None where n differ."""
    finding: Finding


def conclude(base_only: int, other_only: int, level: float = LEVEL, *, equal_n: bool = True) -> Conclusion:
    """McNemar's exact test on the two sets: who solves more, at that level. equal_n: of runs with equal n on every problem."""
    if not equal_n:
        return Conclusion(base_only, other_only, None, Finding.CANNOT_TELL)
    p_value = mcnemar_exact(base_only, other_only)
    if p_value > 1 - level + _ROUNDING:
        finding = Finding.NO_DIFFERENCE
    else:
        finding = Finding.BASE_MORE if base_only > other_only else Finding.OTHER_MORE
    return Conclusion(base_only, other_only, p_value, finding)


Move = tuple[int, int, float]
"""What can be done with one problem: how many it takes from the first run's own set, adds to the second's, labels it costs."""


def fewest_labels(moves: Iterable[list[Move]], own: int, others: int, level: float) -> float:
    """The fewest labels that turn the finding against the first run; inf where none can.

    moves: for each problem its options, the one that does more last. own, others: sizes of the two sets.
    """
    can = [options for options in moves if options]
    turns = _Turning(own, others, level)
    most_x = turns.least_x(min(own, sum(options[0][0] for options in can)))
    most_y = turns.least_y(0, sum(options[-1][1] for options in can))
    cost = np.full((most_x + 1, most_y + 1), inf)
    cost[0, 0] = 0.0
    for options in can:
        best = cost.copy()
        for x, y, labels in options:
            np.minimum(best[x:, y:], cost[: most_x + 1 - x, : most_y + 1 - y] + labels, out=best[x:, y:])
        cost = best
    reached = [cost[x, y] for x in range(most_x + 1) if turns.at(x, y := turns.least_y(x, most_y))]
    return float(min(reached, default=inf))


@dataclass(frozen=True, slots=True)
class _Turning:
    """Where the finding turns against the run whose own set shrinks; once it has, it does so all the more."""

    own: int
    others: int
    level: float

    def at(self, x: int, y: int) -> bool:
        """Has it turned, with x problems gone from its own set and y more in the other's?"""
        before = conclude(self.own, self.others, self.level).finding
        return conclude(self.own - x, self.others + y, self.level).finding is not before

    def least_x(self, most: int) -> int:
        """The fewest x at which it has turned without any y; `most` where it has not by then."""
        return _least(lambda x: self.at(x, 0), most)

    def least_y(self, x: int, most: int) -> int:
        return _least(lambda y: self.at(x, y), most)


def _least(holds: Callable[[int], bool], most: int) -> int:
    """The smallest number up to `most` from which on it holds; `most` where it never does."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
