"""Rendered maths has the value of its source, and no text breaks the renderer or takes it long.

What is rendered is read back by an evaluator that knows nothing of LaTeX, only the rules of the notation.
"""

from __future__ import annotations

import re
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.render.maths import rendered

Valued = tuple[str, Fraction]
"""An expression in LaTeX, and its value."""


@st.composite
def arithmetic(draw: st.DrawFn, depth: int = 4) -> Valued:
    """An expression as people write them, with the value that it has where TeX sets it."""
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        number = draw(st.integers(1, 99))
        return str(number), Fraction(number)
    left, right = draw(arithmetic(depth - 1)), draw(arithmetic(depth - 1))
    return draw(st.sampled_from([*one(left), *two(left, right if right[1] else ("7", Fraction(7)))]))


def one(valued: Valued) -> list[Valued]:
    source, value = valued
    root = abs(value.numerator) % 50
    return [
        (rf"\left({source}\right)^{{3}}", value**3),
        (f"({source})^2", value**2),
        (rf"\left({source}\right)^{{0}}", Fraction(1)),
        (rf"\sqrt{{{root * root}}}", Fraction(root)),
        (rf"\sqrt{{{root * root}}}\left({source}\right)", root * value),
        (rf"\sqrt{{{root * root}}}^3", Fraction(root**3)),
        (rf"\left(-{wrap(source)}\right)", -value),
        (rf"\left({root}\frac{{4}}{{9}}\right)", root + Fraction(4, 9)),
        (rf"{{{root}}}^2\frac{{4}}{{9}}", root**2 * Fraction(4, 9)),
    ]


def two(left: Valued, right: Valued) -> list[Valued]:
    (first, a), (second, b) = left, right
    return [
        (f"{first}+{second}", a + b),
        (f"{first} - {wrap(second)}", a - b),
        (rf"{wrap(first)}\cdot{wrap(second)}", a * b),
        (rf"{wrap(first)} \times {wrap(second)}", a * b),
        (rf"{wrap(first)} \div \frac{{{second}}}{{3}}", a * 3 / b),
        (rf"{wrap(first)}/\frac{{{second}}}{{3}}", a * 3 / b),
        (rf"\frac{{{first}}}{{{second}}}", a / b),
        (rf"\dfrac{{{first}}}{{{second}}}", a / b),
        (rf"\frac{{{first}}}{{3}}\left({second}\right)", a / 3 * b),
        (rf"\left({first}\right)\frac{{{second}}}{{5}}", a * b / 5),
        (rf"\frac{{{first}}}{{7}}\frac{{{second}}}{{5}}", a * b / 35),
        (rf"\frac{{{first}}}{{7}}^2 + {second}", (a / 7) ** 2 + b),
        (rf"\left({first}-\frac{{-{wrap(second)}}}{{5}}\right)", a + b / 5),
    ]


def wrap(source: str) -> str:
    return rf"\left({source}\right)"


_SIGNS = re.compile(r"\d+ \d+/\d+|\d+|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+|[()+\-·×÷/√]|\^\(")
_SMALL = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


class Evaluator:
    """Scripts bind to the one thing before them, √ to the one after, side by side before · × ÷ /, those from the left."""

    def __init__(self, text: str) -> None:
        self.signs = _SIGNS.findall(text)
        assert re.sub(r"\s", "", "".join(self.signs)) == re.sub(r"\s", "", text)
        self.at = 0

    def peek(self) -> str:
        return self.signs[self.at] if self.at < len(self.signs) else ""

    def take(self) -> str:
        self.at += 1
        return str(self.signs[self.at - 1])

    def sum(self) -> Fraction:
        value = -self.term() if self.peek() == "-" and self.take() else self.term()
        while self.peek() in ("+", "-") and self.peek():
            value = value + self.term() if self.take() == "+" else value - self.term()
        return value

    def term(self) -> Fraction:
        value = self.beside()
        while self.peek() in ("·", "×", "÷", "/") and self.peek():
            value = value * self.beside() if self.take() in "·×" else value / self.beside()
        return value

    def beside(self) -> Fraction:
        value = self.one()
        while self.peek() == "(" or self.peek() == "√" or self.peek()[:1].isdecimal():
            value *= self.one()
        return value

    def one(self) -> Fraction:
        sign = self.take()
        if sign == "(":
            value = self.sum()
            assert self.take() == ")"
        elif sign == "√":
            square = self.one()
            value = Fraction(round(square**0.5))
            assert value * value == square
            return value
        elif " " in sign:
            whole, above, below = map(int, re.split("[ /]", sign))
            value = whole + Fraction(above, below)
        else:
            value = Fraction(int(sign))
        if self.peek()[:1] in "⁰¹²³⁴⁵⁶⁷⁸⁹⁻" and self.peek():
            value **= int(self.take().translate(_SMALL))
        return value


@settings(max_examples=400, deadline=None)
@given(arithmetic())
def test_what_is_rendered_has_the_value_of_its_source(expression: tuple[str, Fraction]) -> None:
    source, value = expression
    found = rendered(f"${source}$")
    assert len(found) == 1
    evaluator = Evaluator(found[0].shown)
    assert evaluator.sum() == value
    assert evaluator.at == len(evaluator.signs)


_PIECES = r"""$$ \( \) \[ \] \frac \sqrt \boxed{ \left \right \\ \begin{align} \end{align}
 \begin{pmatrix} \end{pmatrix} \text{
 \over ``` \begin{array}{c|c} \end{array} \overline \mathbf \not \sum \sin \cdot \pmod \begin{cases}
 \end{cases} \phantom \hspace \big"""
_HOSTILE = st.lists(st.sampled_from([*"$\\.{}[]()^_&%#~'|/ \n\tx2é٣²½`\x1b\u202e\ud800", *_PIECES.split()]), max_size=40).map(
    "".join
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(_HOSTILE, _HOSTILE.map(lambda text: f"${text}$"), _HOSTILE.map(lambda text: f"\\[{text}\\]"), st.text()))
def test_any_text_is_rendered_without_an_exception_and_in_order(text: str) -> None:
    at = 0
    for one in rendered(text):
        assert at <= one.start < one.end <= len(text)
        at = one.end
        for start, end, shown, shown_end in one.parts:
            assert one.start <= start <= end <= one.end
            assert 0 <= shown <= shown_end <= len(one.shown)
        assert [part[:2] for part in one.parts] == sorted(part[:2] for part in one.parts)
        assert [part[2:] for part in one.parts] == sorted(part[2:] for part in one.parts)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800]", one.shown)


@given(st.text(st.characters(blacklist_characters="$\\")))
def test_plain_text_is_untouched(text: str) -> None:
    assert rendered(text) == []


@given(_HOSTILE)
def test_what_has_been_rendered_is_not_rendered_again(text: str) -> None:
    for one in rendered(f"${text}$"):
        assert "\\" not in one.shown.replace("∖", "")


@pytest.mark.parametrize(
    "text",
    [
        "$" * 2**20,
        "\\frac{" * 10_000,
        "$" + "\\frac{" * 10_000,
        "$" + "{" * 10_000 + "x" + "}" * 10_000 + "$",
        "\\boxed{" * 100_000,
        "\\[" * 300_000,
        "\\begin{align}" * 50_000,
        "$a " * 200_000,
        "$\\text{" * 50_000,
        "\\left(" * 100_000,
        "`" * 10**6,
        "`a " * 200_000,
        "$5 and " * 100_000,
        "\\[" + "x^{" * 1500 + "\\]",
    ],
    ids=lambda text: text[:12],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    start = time.perf_counter()
    rendered(text)
    # A second would do; other work may share the machine.
    assert time.perf_counter() - start < 10
