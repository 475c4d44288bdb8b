"""Influence: which unread traces could still change what two runs' boundary comes to, and with how few labels.

A run solves a problem within k draws where its right answers that count number at least t, the least c with
1 - C(n - c, k) / C(n, k) >= 1/2 (t = 1 where n = k; engine/analyses/coverage.py). Labels move that number one by one:

- a right answer found unsound (or wrongly judged) takes one away: as many as are stored and unread can go;
- a wrong one that was judged wrongly adds one: as many as there is reason to doubt can come. Wrong answers that nothing
  speaks for are taken to be wrong.

So a side with e counting answers leaves its problem's set after e - t + 1 labels, or enters another after t - e, where there
are that many traces to label. A base-only problem hangs on both: on base's last right answers, and on each false negative
among the other run's wrong ones. Once t of a side's right answers are found sound it cannot be lost any more.

What a flip does is told by the sizes of the two sets and McNemar's exact p after it, all else as it is. Its consequence is

    1 + |bits after - bits before|         bits = sign(b - o) * -log2 p

(one problem changes sets, and the evidence for "one model solves more" shifts), its priority the consequence for each label.
The conclusion is settled where no set of remaining labels, on however many problems, changes what McNemar's test finds at
`level`; the least number that would is found exactly (engine/analyses/turning.py).

Where the runs' n differ there is no exact test of the sets. Then nothing is found, whether labels could change the finding is
unknown, and every flip has the consequence 1: priority is by sets and by the labels it takes alone.

What was read and could not be decided counts as the verdict has it, or, asked so, as unsound: look at both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, log2
from typing import Final

from engine.analyses.coverage import exchangeable, least_right
from engine.analyses.intervals import LEVEL
from engine.analyses.turning import Conclusion, Finding, Move, conclude, fewest_labels

_LEAST: Final = 5e-324
"""The smallest number there is: McNemar's p of 1100 problems against none is smaller."""


class Region(StrEnum):
    """Where a problem stands."""

    BOTH = "both"
    BASE_ONLY = "base only"
    OTHER_ONLY = "other only"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Side:
    """One run on one problem, with what labels say of it."""

    n: int
    """Judged samples."""
    c: int
    """Right answers, verdicts corrected by labels."""
    sound: int = 0
    unsound: int = 0
    undecided: int = 0
    """Of the right answers: read, and found so. What remains of c was not read, or is not stored."""
    unread: int = 0
    """Right answers that are stored and unlabelled: those that labels could still take away."""
    doubtful: int = 0
    """Unlabelled wrong answers that there is reason to think right: those that labels could still add."""

    def __post_init__(self) -> None:
        if not 0 <= self.c <= self.n or self.sound + self.unsound + self.undecided + self.unread > self.c:
            raise ValueError(f"a side's labelled and unread right answers are among its c of n: {self}")
        if min(self.sound, self.unsound, self.undecided, self.unread, self.doubtful) < 0 or self.doubtful > self.n - self.c:
            raise ValueError(f"a side's counts are at least 0, its doubtful ones among the wrong: {self}")

    def counting(self, *, keep_undecided: bool) -> int:
        """Right answers that count as solving the problem."""
        return self.c - self.unsound - (0 if keep_undecided else self.undecided)


@dataclass(frozen=True, slots=True)
class Influence:
    """What the unread traces of one kind, of one run on one problem, could do: all of them stand for the same flip."""

    problem: int
    """Its place among the problems, from 0."""
    of_base: bool
    """The traces are base's; else the other run's."""
    right: bool
    """Right answers, which could turn out unsound; else doubtful wrong ones, which could turn out right."""
    traces: int
    """How many are unread."""
    labels: int
    """How many labels flip it, at least."""
    before: Region
    after: Region
    conclusion: Conclusion
    """After this flip alone."""
    consequence: float

    @property
    def priority(self) -> float:
        """What a label may do, on average."""
        return self.consequence / self.labels


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a comparison stands, and what labels could still make of it."""

    k: int
    regions: tuple[Region, ...]
    """One per problem."""
    conclusion: Conclusion
    influences: tuple[Influence, ...]
    """Highest priority first."""
    labels_to_change: int | None
    """The fewest further labels after which McNemar's test finds otherwise; None where none can do it, or n differ."""

    @property
    def settled(self) -> bool | None:
        """No further labels can change what McNemar's test finds; None where n differ and it finds nothing."""
        return None if self.conclusion.finding is Finding.CANNOT_TELL else self.labels_to_change is None

    @property
    def sets_settled(self) -> bool:
        """No further labels can move any problem to another set."""
        return not self.influences

    @property
    def open_problems(self) -> tuple[int, ...]:
        """Places of the problems that labels could still move."""
        return tuple(sorted({one.problem for one in self.influences}))


def outlook(
    base: Sequence[Side], other: Sequence[Side], k: int, *, level: float = LEVEL, keep_undecided: bool = True
) -> Outlook:
    """The outlook of two runs over the same problems in the same order, at a common k.

    keep_undecided: count what could not be decided as its verdict has it; False: as unsound.
    Raises ValueError where the sides do not pair up, or k is below 1 or above some side's n.
    """
    if len(base) != len(other):
        raise ValueError(f"base and other must be told of the same problems, not {len(base)} and {len(other)}")
    if any(not 1 <= k <= side.n for side in (*base, *other)):
        raise ValueError(f"k = {k} must be at least 1 and at most every problem's n")
    costs = [(_cost(one, k, keep_undecided), _cost(two, k, keep_undecided)) for one, two in zip(base, other, strict=True)]
    regions = tuple(_region(one.solved, two.solved) for one, two in costs)
    equal_n = exchangeable([one.n for one in base], [two.n for two in other], k)
    now = conclude(regions.count(Region.BASE_ONLY), regions.count(Region.OTHER_ONLY), level, equal_n=equal_n)
    found = [one for place, pair in enumerate(costs) for one in _influences(place, pair, now, level)]
    return Outlook(
        k=k,
        regions=regions,
        conclusion=now,
        influences=tuple(sorted(found, key=lambda one: (-one.priority, one.problem, not one.of_base))),
        labels_to_change=_labels_to_change([(*pair, region) for pair, region in zip(costs, regions, strict=True)], now, level),
    )


@dataclass(frozen=True, slots=True)
class _Cost:
    """Of changing whether one side solves its problem."""

    solved: bool
    labels: float
    """inf where the traces do not suffice."""
    traces: int


def _cost(side: Side, k: int, keep_undecided: bool) -> _Cost:
    counting, least = side.counting(keep_undecided=keep_undecided), least_right(side.n, k)
    solved = counting >= least
    labels, traces = (counting - least + 1, side.unread) if solved else (least - counting, side.doubtful)
    return _Cost(solved, labels if labels <= traces else inf, traces)


def _region(base: bool, other: bool) -> Region:
    if base:
        return Region.BOTH if other else Region.BASE_ONLY
    return Region.OTHER_ONLY if other else Region.NEITHER


def _influences(place: int, pair: tuple[_Cost, _Cost], now: Conclusion, level: float) -> Iterator[Influence]:
    base, other = pair
    before = _region(base.solved, other.solved)
    for of_base, cost in ((True, base), (False, other)):
        if cost.labels == inf:
            continue
        after = _region(base.solved ^ of_base, other.solved ^ (not of_base))
        then = conclude(
            now.base_only + (after is Region.BASE_ONLY) - (before is Region.BASE_ONLY),
            now.other_only + (after is Region.OTHER_ONLY) - (before is Region.OTHER_ONLY),
            level,
            equal_n=now.p_value is not None,
        )
        consequence = 1 + abs(_bits(then) - _bits(now))
        yield Influence(place, of_base, cost.solved, cost.traces, int(cost.labels), before, after, then, consequence)


def _bits(conclusion: Conclusion) -> float:
    """Evidence that base solves more, negative for the other run; 0 where nothing can be tested."""
    if conclusion.p_value is None:
        return 0.0
    ahead = conclusion.base_only - conclusion.other_only
    evidence = -log2(max(conclusion.p_value, _LEAST))
    return evidence if ahead > 0 else -evidence if ahead < 0 else 0.0


def _labels_to_change(problems: Sequence[tuple[_Cost, _Cost, Region]], now: Conclusion, level: float) -> int | None:
    if now.finding is Finding.CANNOT_TELL:
        return None
    found = inf
    if now.finding is not Finding.OTHER_MORE:  # turn it against base
        moves = [_moves(base, other, region, Region.BASE_ONLY, Region.OTHER_ONLY) for base, other, region in problems]
        found = min(found, fewest_labels(moves, now.base_only, now.other_only, level))
    if now.finding is not Finding.BASE_MORE:  # turn it against the other run
        moves = [_moves(other, base, region, Region.OTHER_ONLY, Region.BASE_ONLY) for base, other, region in problems]
        found = min(found, fewest_labels(moves, now.other_only, now.base_only, level))
    return None if found == inf else int(found)


def _moves(first: _Cost, second: _Cost, region: Region, own: Region, others: Region) -> list[Move]:
    """What can be done with one problem to turn the finding against the first run."""
    if region is own:
        moves = [(1, 0, min(first.labels, second.labels)), (1, 1, first.labels + second.labels)]
    elif region is others:
        moves = []
    else:
        moves = [(0, 1, first.labels if region is Region.BOTH else second.labels)]
    return [move for move in moves if move[2] < inf]
