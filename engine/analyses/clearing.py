"""How many labels it takes before "the models differ on this problem" is said of a problem where it is not, or the reverse.

As in engine/analyses/boundary.py: Fisher's exact test, two-sided, on each problem's counts, called clear where its q-value
(Benjamini and Hochberg, over all problems) is at most 1 - level. With the other problems as they are, that is the case where
p is at most

    the largest (1 - level) r / m of which at least r - 1 of the other p-values are no larger

Labels move one side's right answers down (unread right ones) and the other side's up (doubtful wrong ones). The fewest that
change it are found by bisection over their number, trying every way to split it between the two sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analyses.boundary import fisher
from engine.analyses.influence import Side
from engine.analyses.intervals import LEVEL

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Clear:
    """One problem."""

    p_value: float
    clear: bool
    labels: int | None
    """The fewest labels after which that is the reverse; None where none can do it."""


def clear_labels(
    base: Sequence[Side],
    other: Sequence[Side],
    places: Sequence[int],
    *,
    level: float = LEVEL,
    keep_undecided: bool = True,
) -> dict[int, Clear]:
    """For the problems at these places. base, other: of all problems, in the same order.

    Raises ValueError where the sides do not pair up.
    """
    if len(base) != len(other):
        raise ValueError(f"base and other must be told of the same problems, not {len(base)} and {len(other)}")
    counts = [[side.counting(keep_undecided=keep_undecided) for side in sides] for sides in (base, other)]
    p_values = fisher([side.n for side in base], counts[0], [side.n for side in other], counts[1])
    return {
        place: _clear(
            base[place],
            other[place],
            (counts[0][place], counts[1][place]),
            float(p_values[place]),
            threshold(np.delete(p_values, place), level),
        )
        for place in places
    }


def threshold(others: NDArray[np.float64], level: float = LEVEL) -> float:
    """The largest p at which one more test beside these has a q-value of at most 1 - level."""
    ranks = np.arange(1, len(others) + 2)
    steps = (1 - level) * ranks / len(ranks)
    enough = np.searchsorted(np.sort(others), steps, side="right") >= ranks - 1
    return float(steps[enough].max())


def _clear(base: Side, other: Side, right: tuple[int, int], p_value: float, limit: float) -> Clear:
    is_clear = p_value <= limit

    def differs(up: bool) -> Callable[[int], bool]:
        """Whether so many labels, that move base up and the other down, or the reverse, can change it."""
        gains, loses = (base, other) if up else (other, base)
        wrong_way = (right[0] * other.n > right[1] * base.n) == up

        def after(labels: int) -> bool:
            added = np.arange(max(0, labels - loses.unread), min(labels, gains.doubtful) + 1)
            taken = labels - added
            ours, theirs = (right[0] + added, right[1] - taken) if up else (right[0] - taken, right[1] + added)
            found = fisher(np.full(len(added), base.n), ours, np.full(len(added), other.n), theirs) <= limit
            ahead = ours * other.n > theirs * base.n
            # A clear lead is undone as soon as it is no clear lead of that run any more; the far side counts as undone.
            return bool((~(found & (ahead != up))).any() if is_clear else (found & (ahead == up)).any())

        return after if not (is_clear and wrong_way) else lambda _: False

    ways = [(differs(up), (base if up else other).doubtful + (other if up else base).unread) for up in (True, False)]
    return Clear(p_value, is_clear, min((n for way in ways if (n := _least(*way)) is not None), default=None))


def _least(holds: Callable[[int], bool], most: int) -> int | None:
    """The smallest number from 1 to `most` from which on it holds."""
    if most < 1 or not holds(most):
        return None
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
