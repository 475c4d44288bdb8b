"""Three families of word problems with integer answers, and the split of their numbers.

- product     What is 47 times 36? (hard: the first above 50)
- pair        Two numbers add up to 25 and their product is 84. What is the larger number? (hard: the larger above 24)
- remainders  the least positive number with two given remainders (hard: more than five steps of the larger divisor away)

A problem's numbers alone decide its split, by a hash: the models learn from `pretrain` and `rl`, choices are made on `dev`,
and `test` is looked at once, by the bundled study.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import gcd
from random import Random
from typing import Final, Literal

Family = Literal["product", "pair", "remainders"]
Split = Literal["pretrain", "rl", "dev", "test"]

FAMILIES: Final[tuple[Family, ...]] = ("product", "pair", "remainders")
_SHARES: Final[tuple[tuple[Split, int], ...]] = (("pretrain", 60), ("rl", 84), ("dev", 90), ("test", 100))
"""Upper ends, in percent."""


@dataclass(frozen=True, slots=True)
class Task:
    """One problem. numbers: (a, b) of a product; (smaller, larger) of a pair; (divisor, remainder, divisor, remainder)."""

    family: Family
    numbers: tuple[int, ...]

    @property
    def statement(self) -> str:
        n = self.numbers
        if self.family == "product":
            return f"What is {n[0]} times {n[1]}?"
        if self.family == "pair":
            return f"Two numbers add up to {n[0] + n[1]} and their product is {n[0] * n[1]}. What is the larger number?"
        return (
            f"Find the least positive number that leaves remainder {n[1]} when divided by {n[0]}"
            f" and remainder {n[3]} when divided by {n[2]}."
        )

    @property
    def answer(self) -> int:
        n = self.numbers
        if self.family == "product":
            return n[0] * n[1]
        if self.family == "pair":
            return n[1]
        return next(x for x in range(n[3] or n[2], n[0] * n[2] + 1, n[2]) if x % n[0] == n[1])

    @property
    def hard(self) -> bool:
        n = self.numbers
        if self.family == "product":
            return n[0] > 50
        if self.family == "pair":
            return n[1] > 24
        return self.answer > 5 * n[2]

    @property
    def key(self) -> str:
        return f"{self.family}-{'-'.join(map(str, self.numbers))}"

    @property
    def split(self) -> Split:
        place = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:4], "big") % 100
        return next(name for name, end in _SHARES if place < end)


def draw(rng: Random, family: Family, hard: bool) -> Task:
    """One problem of that kind, from any split."""
    while True:
        task = Task(family, _NUMBERS[family](rng, hard))
        if task.hard is hard:
            return task


def tasks(rng: Random, family: Family, hard: bool, split: Split) -> Iterator[Task]:
    """Problems of that kind and split, for ever; they come again where there are few."""
    while True:
        task = draw(rng, family, hard)
        if task.split == split:
            yield task


def held_out(split: Split, easy: int, hard: int, seed: int) -> list[Task]:
    """The same `easy` + `hard` different problems of each family, every time."""
    chosen: list[Task] = []
    for family in FAMILIES:
        for is_hard, wanted in ((False, easy), (True, hard)):
            found = islice(tasks(Random(f"{seed} {family} {is_hard}"), family, is_hard, split), 100 * wanted)
            chosen += list(dict.fromkeys(found))[:wanted]
    return chosen


def _product(rng: Random, hard: bool) -> tuple[int, ...]:
    return rng.randint(51, 99) if hard else rng.randint(12, 50), rng.randint(12, 49)


def _pair(rng: Random, hard: bool) -> tuple[int, ...]:
    top = 40 if hard else 24
    a, b = rng.randint(2, top), rng.randint(2, top)
    return min(a, b), max(a, b)


def _remainders(rng: Random, _hard: bool) -> tuple[int, ...]:
    while True:
        a, b = sorted(rng.sample(range(3, 12), 2))
        if gcd(a, b) == 1:
            return a, rng.randrange(a), b, rng.randrange(b)


_NUMBERS: Final = {"product": _product, "pair": _pair, "remainders": _remainders}
