"""Two traces step against step: what faces what, where they part, and which words only one of them has. Pure.

Equal steps are found first (by their text without the blank space around it): what both begin and end with, and between
these the longest run of steps that each has once. In the gaps that are left, steps face each other where they share most of
their words (dynamic programming, within a band where the gap is wide), and those still left over face each other in order,
so that a step faces nothing only where the other text has none left. Swapping the texts swaps the answer.

The number of comparisons grows with the number of steps, not with its square: at most `_BAND` on either side of the diagonal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from engine.steps import Step, split_steps
from explorer.model.differences import Differences, Span, differences, shared_ends, shared_start, words_of

NEAR: Final = 0.3
"""Share of their words (Dice) that two steps must have in common to be called alike."""

_BAND: Final = 12
_SMALL: Final = 1_024
"""Pairs of steps up to which a gap is compared whole."""

Pairs = list[tuple[int, int]]
Similarity = Callable[[int, int], float]


class Likeness(StrEnum):
    """How two steps that face each other are alike."""

    SAME = "same"
    NEAR = "alike"
    UNLIKE = "unlike"
    ALONE = "alone"
    """There is a step on one side only."""


@dataclass(frozen=True, slots=True)
class Facing:
    """A step of the left text and the step of the right one that it faces, from 0. One of them may be None."""

    left: int | None
    right: int | None
    likeness: Likeness

    def of(self, side: int) -> int | None:
        return self.right if side else self.left


@dataclass(frozen=True, slots=True)
class Divergence:
    """Two texts, aligned. Sides are 0 and 1."""

    texts: tuple[str, str]
    steps: tuple[Sequence[Step], Sequence[Step]]
    facings: Sequence[Facing]
    """Every step of both once, in order."""
    prefix: int
    """Characters that both begin with."""

    @property
    def first(self) -> int | None:
        """The facing at which they first differ; None where all steps are the same."""
        return next((at for at, facing in enumerate(self.facings) if facing.likeness is not Likeness.SAME), None)

    @property
    def differing(self) -> list[int]:
        """The facings at which they differ."""
        return [at for at, facing in enumerate(self.facings) if facing.likeness is not Likeness.SAME]

    @property
    def counts(self) -> Counter[Likeness]:
        return Counter(facing.likeness for facing in self.facings)

    def swapped(self) -> Divergence:
        """The same with the sides exchanged."""
        facings = [Facing(facing.right, facing.left, facing.likeness) for facing in self.facings]
        return Divergence(self.texts[::-1], self.steps[::-1], facings, self.prefix)

    def at_step(self, side: int, step: int) -> int:
        """The facing that holds that step of one side, from 0; the nearest one before it where there is no such step."""
        held = [(found, at) for at, facing in enumerate(self.facings) if (found := facing.of(side)) is not None]
        place = bisect_right(held, step, key=lambda pair: pair[0]) - 1
        return held[place][1] if place >= 0 else 0

    def step_near(self, side: int, at: int) -> int:
        """The step of one side that is read at that facing, from 0: the one there, else the last before it."""
        return next((step for facing in self.facings[at::-1] if (step := facing.of(side)) is not None), 0)

    def step_at(self, side: int, place: int) -> int:
        """The step that holds a character of one side, from 0."""
        return max(0, bisect_right(self.steps[side], place, key=lambda step: step.start) - 1)

    def only_here(self, at: int) -> Differences:
        """What of a facing's steps the other side does not have, in characters of each text."""
        facing = self.facings[at]
        spans = [self._span(side, facing.of(side)) for side in (0, 1)]
        if facing.likeness is Likeness.NEAR or facing.likeness is Likeness.SAME:
            (start, end), (begin, stop) = spans
            mine, other = differences(self.texts[0][start:end], self.texts[1][begin:stop])
            return [(start + one, start + two) for one, two in mine], [(begin + one, begin + two) for one, two in other]
        whole = [[span] if span[0] < span[1] else [] for span in spans]
        return whole[0], whole[1]

    def _span(self, side: int, step: int | None) -> Span:
        return (0, 0) if step is None else (self.steps[side][step].start, self.steps[side][step].end)


def diverge(left: str, right: str) -> Divergence:
    """Hold two texts against each other."""
    steps = split_steps(left), split_steps(right)
    keys = [[text[step.start : step.end].strip() for step in found] for text, found in zip((left, right), steps, strict=True)]
    swapped = (len(right), right) < (len(left), left)  # one order for both ways of asking, so that both get one answer
    one, two = (keys[1], keys[0]) if swapped else (keys[0], keys[1])
    known = cache(words_of)
    facings = align(one, two, lambda at, opposite: _shared(known(one[at]), known(two[opposite])))
    if swapped:
        facings = [Facing(facing.right, facing.left, facing.likeness) for facing in facings]
    return Divergence((left, right), steps, facings, shared_start(left, right))


def align(left: Sequence[str], right: Sequence[str], similarity: Similarity) -> list[Facing]:
    """What faces what, of steps known by their texts. similarity: of two that are not the same, by their places, in [0, 1]."""
    facings: list[Facing] = []
    done = at = 0
    for step, opposite in [*_same(left, right), (len(left), len(right))]:
        facings += _gap(range(done, step), range(at, opposite), left, right, similarity)
        if step < len(left):
            facings.append(Facing(step, opposite, Likeness.SAME))
        done, at = step + 1, opposite + 1
    return facings


def _same(left: Sequence[str], right: Sequence[str]) -> Pairs:
    """Equal steps that face each other for certain, ascending in both."""
    head, tail = shared_ends(left, right)
    once = _held_once(left, head, len(left) - tail)
    others = _held_once(right, head, len(right) - tail)
    both = [(at, others[key]) for key, at in once.items() if key in others]
    ends = [(len(left) - place, len(right) - place) for place in range(tail, 0, -1)]
    return [*((place, place) for place in range(head)), *_longest_rising(both), *ends]


def _held_once(keys: Sequence[str], start: int, end: int) -> dict[str, int]:
    number = Counter(keys[start:end])
    return {keys[at]: at for at in range(start, end) if number[keys[at]] == 1}


def _longest_rising(pairs: Pairs) -> Pairs:
    """The most of the pairs that rise on both sides; they rise on the left already."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for at, (_, opposite) in enumerate(pairs):
        place = bisect_left(tops, opposite)
        tops[place:], ends[place:] = [opposite, *tops[place + 1 :]], [at, *ends[place + 1 :]]
        before.append(ends[place - 1] if place else None)
    chain: Pairs = []
    end = ends[-1] if ends else None
    while end is not None:
        chain.append(pairs[end])
        end = before[end]
    return chain[::-1]


def _gap(mine: range, other: range, left: Sequence[str], right: Sequence[str], similarity: Similarity) -> Iterator[Facing]:
    """What faces what between two pairs of equal steps."""
    near = _near(mine, other, left, right, similarity) if mine and other else []
    done, at = mine.start, other.start
    for step, opposite in [*near, (mine.stop, other.stop)]:
        yield from _in_order(range(done, step), range(at, opposite), left, right)
        if step < mine.stop:
            yield Facing(step, opposite, Likeness.SAME if left[step] == right[opposite] else Likeness.NEAR)
        done, at = step + 1, opposite + 1


def _in_order(mine: range, other: range, left: Sequence[str], right: Sequence[str]) -> Iterator[Facing]:
    for step, opposite in zip(mine, other, strict=False):
        yield Facing(step, opposite, Likeness.SAME if left[step] == right[opposite] else Likeness.UNLIKE)
    both = min(len(mine), len(other))
    yield from (Facing(step, None, Likeness.ALONE) for step in mine[both:])
    yield from (Facing(None, opposite, Likeness.ALONE) for opposite in other[both:])


def _near(mine: range, other: range, left: Sequence[str], right: Sequence[str], similarity: Similarity) -> Pairs:
    """Pairs of alike steps, rising on both sides, with as much likeness in all as there can be."""

    def like(at: int, opposite: int) -> float:
        step, facing = mine[at], other[opposite]
        return 1.0 if left[step] == right[facing] else similarity(step, facing)

    if len(mine) >= len(other):
        found = _best_pairs(len(mine), len(other), like)
    else:
        turned = _best_pairs(len(other), len(mine), lambda at, opposite: like(opposite, at))
        found = [(opposite, at) for at, opposite in turned]
    return [(mine[at], other[opposite]) for at, opposite in found]


def _best_pairs(more: int, fewer: int, like: Similarity) -> Pairs:
    """Dynamic programming over `more` x `fewer`, near the diagonal where that is large. more >= fewer >= 1."""
    band = more if more * fewer <= _SMALL else _BAND
    rows: list[tuple[int, list[float]]] = [(0, [0.0] * (min(fewer, band) + 1))]
    paired: list[set[int]] = [set()]
    for at in range(1, more + 1):
        low, high = max(0, at * fewer // more - band), min(fewer, at * fewer // more + band)
        above_low, above = rows[-1]
        row: list[float] = []
        here: set[int] = set()
        for opposite in range(low, high + 1):
            up = opposite - above_low
            best = max(row[-1] if row else 0.0, above[up] if up < len(above) else 0.0)
            if opposite and 0 < up <= len(above) and (likeness := like(at - 1, opposite - 1)) >= NEAR:
                together = above[up - 1] + likeness
                if together > best:
                    best = together
                    here.add(opposite)
            row.append(best)
        rows.append((low, row))
        paired.append(here)
    return _way_back(rows, paired, fewer)


def _way_back(rows: Sequence[tuple[int, list[float]]], paired: Sequence[set[int]], opposite: int) -> Pairs:
    """The pairs on the best way, from its end back to its start."""
    found: Pairs = []
    at = len(rows) - 1
    while at > 0 and opposite > 0:
        low, row = rows[at]
        above_low, above = rows[at - 1]
        if opposite in paired[at]:
            at, opposite = at - 1, opposite - 1
            found.append((at, opposite))
        elif 0 <= opposite - above_low < len(above) and above[opposite - above_low] == row[opposite - low]:
            at -= 1
        else:
            opposite -= 1
    return found[::-1]


def _shared(one: frozenset[str], two: frozenset[str]) -> float:
    """Dice: twice what both have, over what each has."""
    return 2 * len(one & two) / (len(one) + len(two)) if one or two else 0.0
