"""Makes example.jsonl.gz: a small study to look around in. Its traces are WRITTEN BY THIS SCRIPT, not by a model.

Two imaginary runs answer 16 word problems 32 times each. "example/base" picks one of three ways to work at random and slips
often; "example/rl" nearly always takes the way that suits most problems and seldom slips, so it is better at one draw and
loses the problems that only another way solves. That is the shape of the question the program is for, and no evidence for it.

    python sample_data/make_example.py
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DRAWS = 32
TARGET = Path(__file__).with_name("example.jsonl.gz")


@dataclass(frozen=True)
class Writer:
    """An imaginary model: how likely it takes each way of working, and how often a result is off."""

    name: str
    role: str
    ways: tuple[float, float, float]
    slip: float


WRITERS = (
    Writer("example/base", "base", (0.5, 0.42, 0.08), 0.4),
    Writer("example/rl", "rl", (0.985, 0.015, 0.0), 0.04),
)


@dataclass(frozen=True)
class Task:
    """Two unknown whole numbers, known by their sum and product; the answer is the larger one."""

    key: str
    small: int
    large: int
    story: str

    @property
    def total(self) -> int:
        return self.small + self.large

    @property
    def product(self) -> int:
        return self.small * self.large

    @property
    def statement(self) -> str:
        return self.story.format(total=self.total, product=self.product)


STORIES = (
    "Two shelves hold {total} books together. Multiplying the two numbers of books gives {product}. "
    "How many books are on the fuller shelf?",
    "A rectangular garden measures {product} square metres; two of its sides add up to {total} metres. "
    "How long is the longer side?",
    "Mira and Jon are {total} years old together, and the product of their ages is {product}. How old is the older one?",
    "A baker sets {product} rolls in equal rows. Rows and rolls per row add up to {total}. "
    "What is the larger of the two numbers?",
)
PAIRS = (
    (2, 9), (3, 8), (4, 7), (3, 16), (5, 12), (2, 31), (4, 25), (6, 35),
    (34, 37), (95, 102), (118, 127), (211, 215), (47, 283), (129, 394), (86, 155), (353, 627),
)  # fmt: skip


def tasks() -> list[Task]:
    return [Task(f"{i + 1:02}", small, large, STORIES[i % 4]) for i, (small, large) in enumerate(PAIRS)]


class Draw:
    """One attempt: lines are said one after the other, and any stated result may slip."""

    def __init__(self, rng: random.Random, slip: float) -> None:
        self.rng = rng
        self.slip = slip
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def result(self, value: int) -> int:
        return value + self.rng.choice((-10, -2, -1, 1, 2, 10)) if self.rng.random() < self.slip else value

    def answer(self, value: int) -> str:
        self.say(f"So the answer is $\\boxed{{{value}}}$.")
        return "\n\n".join(self.lines)


def list_factors(task: Task, draw: Draw) -> str:
    """Factor pairs from the smallest, five at most: fits small numbers only."""
    draw.say(f"We need two numbers with product {task.product} and sum {task.total}. Let us list factor pairs.")
    pairs = [d for d in range(1, task.product) if task.product % d == 0 and d * d <= task.product]
    for factor in pairs[:5]:
        other = draw.result(task.product // factor)
        fits = factor + other == task.total
        draw.say(f"$$ {factor} \\cdot {other} = {task.product}, \\qquad {factor} + {other} = {factor + other} $$")
        if fits:
            draw.say(f"This pair has the sum {task.total}. The larger number is {max(factor, other)}.")
            return draw.answer(max(factor, other))
    draw.say("The list gets too long. I will guess from the sum.")
    return draw.answer(task.total - draw.rng.randint(1, max(2, task.total // 2)))


def from_the_middle(task: Task, draw: Draw) -> str:
    """Half the sum, then apart step by step: fits numbers that lie close together."""
    half = task.total // 2
    draw.say(f"The two numbers add up to {task.total}, so they lie around {half}. Start in the middle and move apart.")
    for step in range(6):
        large = task.total - half + step
        product = draw.result(large * (task.total - large))
        draw.say(f"{step + 1}. Try {large} and {task.total - large}: $ {large} \\times {task.total - large} = {product} $.")
        if product == task.product:
            draw.say(f"That is the product we want, so the larger number is {large}.")
            return draw.answer(large)
    draw.say(f"Not found so far. The product {task.product} is smaller, so the numbers are further apart.")
    return draw.answer(task.total - draw.rng.choice((2, 3, 4, 5)))


def square_of_the_sum(task: Task, draw: Draw) -> str:
    """The difference from the square of the sum: always fits, and has the most places to slip."""
    square, four = draw.result(task.total**2), draw.result(4 * task.product)
    draw.say("Use the square of the difference: it is the square of the sum minus four times the product.")
    draw.say(f"\\[ {task.total}^2 = {square}, \\qquad 4 \\cdot {task.product} = {four} \\]")
    left = square - four
    root = round(max(left, 0) ** 0.5)
    draw.say(f"The difference squared is ${square} - {four} = {left}$, so the difference is {root}.")
    if root * root != left:
        draw.say("Hmm, that is not a perfect square. I take the nearest one.")
    draw.say(f"The larger number is $\\frac{{{task.total} + {root}}}{{2}}$.")
    return draw.answer((task.total + root) // 2)


WAYS: tuple[Callable[[Task, Draw], str], ...] = (list_factors, from_the_middle, square_of_the_sum)


def records() -> list[dict[str, object]]:
    rng = random.Random(20_26)
    found: list[dict[str, object]] = []
    for writer in WRITERS:
        for task in tasks():
            for _ in range(DRAWS):
                (way,) = rng.choices(WAYS, writer.ways)
                response = way(task, Draw(rng, writer.slip))
                found.append(record(writer, task, response))
    return found


def record(writer: Writer, task: Task, response: str) -> dict[str, object]:
    return {
        "model": writer.name,
        "role": writer.role,
        "parent": None if writer.role == "base" else "example/base",
        "benchmark": "two-numbers",
        "problem": task.key,
        "statement": task.statement,
        "reference": str(task.large),
        "response": response,
        "finish": "stop",
        "settings": {"prompt_template": "written by sample_data/make_example.py"},
    }


def main() -> None:
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records())
    TARGET.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
