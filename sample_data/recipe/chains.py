"""Strategies that write a solution step by step: what the corpus teaches.

A writer picks a strategy without looking at which one suits the numbers, so many chains end in a dead end: a list that is
given up after a few items, a number that has no small factors. Then they stop without an answer, or guess. Now and then a
written result carries a slip; most chains then end on a wrong answer, some on the right one all the same: lucky traces are
part of what these models produce, as they are of what large ones do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isqrt
from random import Random
from typing import Final

from sample_data.recipe.problems import Family, Task


@dataclass(frozen=True, slots=True)
class Hand:
    """How a writer writes. patience: items of a list before it is given up."""

    slips: float = 0.04
    """Share of written results that are wrong."""
    patience: int = 5
    lucky: float = 0.3
    """Share of chains with a slip that end on the right answer all the same."""
    guesses: float = 0.3
    """Share of dead ends that end on a guess; the others end without an answer."""


SLOPPY: Final = Hand()
CLEAN: Final = Hand(slips=0.0, patience=12, guesses=0.0)
"""The teacher of the distilled model."""


@dataclass(slots=True)
class Pen:
    """Writes one chain. `result` is where slips happen: what is written is what is used from there on."""

    rng: Random
    hand: Hand
    steps: list[str] = field(default_factory=list)
    slipped: bool = False

    def write(self, step: str) -> None:
        self.steps.append(step)

    def result(self, value: int) -> int:
        if self.rng.random() >= self.hand.slips:
            return value
        self.slipped = True
        return max(0, value + self.rng.choice([-10, -2, -1, 1, 2, 10, 100]))


class DeadEnd(Exception):
    """The strategy does not suit these numbers, or the list grew too long."""


Strategy = Callable[[Task, Pen], int]


def solve(task: Task, rng: Random, hand: Hand, strategy: str | None = None) -> str:
    """A chain for the task by one of its strategies, chosen blindly where none is given."""
    pen = Pen(rng, hand)
    name = strategy or rng.choice(list(STRATEGIES[task.family]))
    try:
        answer = STRATEGIES[task.family][name](task, pen)
    except DeadEnd as end:
        if rng.random() >= hand.guesses:
            return "\n\n".join([*pen.steps, f"{end} I give up."])
        answer = _GUESSES[task.family](task, rng)
        pen.write(f"{end} I will guess.")
    if pen.slipped and rng.random() < hand.lucky:
        answer = task.answer
    return "\n\n".join([*pen.steps, f"The answer is \\boxed{{{answer}}}."])


def fits(task: Task, strategy: str, hand: Hand) -> bool:
    """Whether the strategy leads to the answer when no slip happens."""
    pen = Pen(Random(0), Hand(slips=0.0, patience=hand.patience))
    try:
        return STRATEGIES[task.family][strategy](task, pen) == task.answer
    except DeadEnd:
        return False


# -- product ----------------------------------------------------------------------------------------------------------


def _split(task: Task, pen: Pen) -> int:
    a, b = task.numbers
    tens, ones = b // 10 * 10, b % 10
    pen.write(f"Split {b} into {tens} and {ones}.")
    first = pen.result(a * tens)
    pen.write(f"{a} × {tens} = {first}.")
    second = pen.result(a * ones)
    pen.write(f"{a} × {ones} = {second}.")
    total = pen.result(first + second)
    pen.write(f"{first} + {second} = {total}.")
    return total


def _round(task: Task, pen: Pen) -> int:
    a, b = task.numbers
    up = -(-b // 10) * 10
    if up == b:
        raise DeadEnd(f"{b} is round already.")
    pen.write(f"Round {b} up to {up}.")
    first = pen.result(a * up)
    pen.write(f"{a} × {up} = {first}.")
    second = pen.result(a * (up - b))
    pen.write(f"{a} × {up - b} = {second}.")
    rest = pen.result(first - second)
    pen.write(f"{first} - {second} = {rest}.")
    return rest


def _factor(task: Task, pen: Pen) -> int:
    a, b = task.numbers
    divisor = next((d for d in range(9, 1, -1) if b % d == 0 and b // d < 12), None)
    if divisor is None:
        raise DeadEnd(f"{b} has no small factors.")
    pen.write(f"Factor {b} = {divisor} × {b // divisor}.")
    first = pen.result(a * divisor)
    pen.write(f"{a} × {divisor} = {first}.")
    second = pen.result(first * (b // divisor))
    pen.write(f"{first} × {b // divisor} = {second}.")
    return second


def _direct(task: Task, pen: Pen) -> int:
    a, b = task.numbers
    product = pen.result(a * b)
    pen.write(f"{a} × {b} = {product}.")
    return product


# -- pair -------------------------------------------------------------------------------------------------------------


def _factor_pairs(task: Task, pen: Pen) -> int:
    total, product = sum(task.numbers), task.numbers[0] * task.numbers[1]
    pen.write(f"List the pairs with product {product}.")
    divisors = [d for d in range(2, isqrt(product) + 1) if product % d == 0]
    for divisor in divisors[: pen.hand.patience]:
        other = product // divisor
        added = pen.result(divisor + other)
        pen.write(f"{divisor} × {other}, sum {added}.")
        if added == total:
            return other
    raise DeadEnd("That is too long.")


def _from_the_middle(task: Task, pen: Pen) -> int:
    total, product = sum(task.numbers), task.numbers[0] * task.numbers[1]
    low = total // 2
    pen.write(f"Start in the middle of {total}.")
    for _ in range(pen.hand.patience):
        made = pen.result(low * (total - low))
        if made == product:
            pen.write(f"{low} × {total - low} = {made}, right.")
            return total - low
        pen.write(f"{low} × {total - low} = {made}, no.")
        low -= 1
        if low < 1:
            break
    raise DeadEnd("That is too long.")


def _square_of_the_sum(task: Task, pen: Pen) -> int:
    total, product = sum(task.numbers), task.numbers[0] * task.numbers[1]
    square = pen.result(total * total)
    pen.write(f"The square of {total} is {square}.")
    four = pen.result(4 * product)
    pen.write(f"4 × {product} = {four}.")
    rest = pen.result(square - four)
    pen.write(f"{square} - {four} = {rest}.")
    root = isqrt(max(0, rest))
    if root * root != rest or (total + root) % 2:
        raise DeadEnd(f"{rest} does not fit.")
    pen.write(f"The root of {rest} is {root}.")
    pen.write(f"Half of {total} + {root} is {(total + root) // 2}.")
    return (total + root) // 2


def _tries(task: Task, pen: Pen) -> int:
    total, product = sum(task.numbers), task.numbers[0] * task.numbers[1]
    low, high = (total + 1) // 2, total - 1
    for _ in range(pen.hand.patience - 1):
        if low > high:
            break
        guess = pen.rng.randint(low, high)
        made = pen.result(guess * (total - guess))
        verdict = "right" if made == product else "too small" if made < product else "too large"
        pen.write(f"Try {guess} and {total - guess}: product {made}, {verdict}.")
        if made == product:
            return guess
        low, high = (low, guess - 1) if made < product else (guess + 1, high)
    raise DeadEnd("That is too long.")


# -- remainders -------------------------------------------------------------------------------------------------------


def _count_up(task: Task, pen: Pen, larger: bool) -> int:
    small, small_rest, large, large_rest = task.numbers
    by, rest, check, wanted = (large, large_rest, small, small_rest) if larger else (small, small_rest, large, large_rest)
    pen.write(f"Count up by {by} from {rest or by}.")
    number = rest or by
    for _ in range(pen.hand.patience + (0 if larger else 2)):
        left = pen.result(number % check)
        if left == wanted:
            pen.write(f"{number} leaves {left}, right.")
            return number
        pen.write(f"{number} leaves {left}.")
        number = pen.result(number + by)
    raise DeadEnd("That is too long.")


def _count_by_larger(task: Task, pen: Pen) -> int:
    return _count_up(task, pen, larger=True)


def _count_by_smaller(task: Task, pen: Pen) -> int:
    return _count_up(task, pen, larger=False)


def _try_and_check(task: Task, pen: Pen) -> int:
    small, small_rest, large, large_rest = task.numbers
    for _ in range(pen.hand.patience - 2):
        number = large * pen.rng.randrange(small) + large_rest
        left = pen.result(number % small)
        pen.write(f"Try {number}: it leaves {number % large} by {large} and {left} by {small}.")
        if left == small_rest and number > 0:
            return number
    raise DeadEnd("That is too long.")


STRATEGIES: Final[dict[Family, dict[str, Strategy]]] = {
    "product": {"split": _split, "round": _round, "factor": _factor, "direct": _direct},
    "pair": {"factor pairs": _factor_pairs, "middle": _from_the_middle, "square": _square_of_the_sum, "tries": _tries},
    "remainders": {"by larger": _count_by_larger, "by smaller": _count_by_smaller, "try": _try_and_check},
}

# A guess is of the right size and no more: who guesses has not computed.
_GUESSES: Final[dict[Family, Callable[[Task, Random], int]]] = {
    "product": lambda task, rng: round(task.answer * rng.uniform(0.85, 1.15)),
    "pair": lambda task, rng: rng.randint((sum(task.numbers) + 1) // 2, sum(task.numbers) - 1),
    "remainders": lambda task, rng: rng.randint(1, task.numbers[0] * task.numbers[2]),
}
