"""Expressions read from text: the notations people mix, exact values, and bounds that no text can break."""

from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.luck.expressions import Name, Node, Number, Power, Sum, names_in
from engine.luck.parsing import Reader
from engine.luck.polynomials import polynomial, root
from engine.luck.tokens import Sort, streams
from engine.luck.values import Interval, Reading, evaluate


def node(text: str) -> Node:
    """The expression that the whole text is, but for unit words at its end."""
    [tokens] = streams(text)
    read = Reader(tokens).read(0)
    assert read is not None, text
    assert {token.sort for token in tokens[read.stop :]} <= {Sort.WORD}, (text, tokens[read.stop :])
    return read.node


def value(text: str) -> Interval | None:
    return evaluate(node(text))


EXACT = [
    ("3 x 5", 15),
    ("3x5", 15),
    ("3 × 5 · 2 ÷ 6", 5),
    ("3 * $5", 15),
    (r"3 \times 5 \cdot 2 \div 6", 5),
    (r"\frac{3}{4} \cdot 8", 6),
    (r"\dfrac{1}{2} + \tfrac12", 1),
    (r"\frac{\frac{1}{2}}{4}", Fraction(1, 8)),
    ("2(3 + 4)", 14),
    ("(1 + 2)(3 + 4)", 21),
    (r"\left( 2 + 3 \right)^2", 25),
    ("2^10", 1024),
    ("2**3", 8),
    ("2 ** 3", 8),
    ("10^{-2}", Fraction(1, 100)),
    ("5² + 2³", 33),
    ("-3^2", -9),
    ("(-3)^2", 9),
    ("7 - -3", 10),
    ("−4 + 1", -3),
    ("8^(1/3)", 2),
    (r"\sqrt{49} + \sqrt[3]{27}", 10),
    ("sqrt(16) + √9", 7),
    ("5!", 120),
    (r"\binom{5}{2}", 10),
    ("|3 - 5| + 1", 3),
    ("5% of 200", 10),
    (r"20\% \times 50", 10),
    ("50 percent of 8", 4),
    ("1 1/2 + 1/2", 2),
    (r"2\frac{3}{4}", Fraction(11, 4)),
    ("1,234 + 1{,}000", 2234),
    (r"\$1,\!234 + 6", 1240),
    (".5 + 0.25", Fraction(3, 4)),
    ("1.5e3 + 2E-1", Fraction(15002, 10)),
    ("47 plus 52 minus 9", 90),
    ("6 times 7", 42),
    ("84 divided by 2", 42),
    ("3 bags * 5 apples", 15),
    (r"5 \text{ miles/hour} \times 2 \text{ hours}", 10),
    ("5 cm + 3 cm", 8),
    ("**2** + 3", 5),
    (r"\\frac{1}{4} \\times 8", 2),
    (r"100^\circ - 40^\circ", 60),
    (r"\boxed{3 + 4}", 7),
]


@pytest.mark.parametrize(("text", "expected"), EXACT)
def test_every_notation_has_its_exact_value(text: str, expected: int | Fraction) -> None:
    assert value(text) == (expected, expected)


def test_roots_and_pi_are_enclosed_tightly() -> None:
    for text, low, high in (
        ("\\sqrt{2}", 1.41421356, 1.41421357),
        ("2\\pi", 6.2831853, 6.2831854),
        ("30^(1/4)", 2.3403473, 2.3403474),
    ):
        found = value(text)
        assert found is not None
        assert low < found[0] <= found[1] < high
        assert found[1] - found[0] < Fraction(1, 10**15)


@pytest.mark.parametrize("text", ["1/0", "sqrt(-4)", "9^(9^9)", "9^9999", "200!", "5/(3 - 3)", "(1/2)!", "x + 1"])
def test_what_has_no_value_or_is_too_large_is_none(text: str) -> None:
    assert value(text) is None


@pytest.mark.parametrize(
    "text",
    ["3:2 + 1", "03/02/1966 + 1", "5-digit + 3", "6_8 * 7", "1.2.3 + 1", "1 + 2 + ... + 9", "3!! + 1", "5th + 1", "3,5 + 1"],
)
def test_what_is_no_arithmetic_ends_the_expression(text: str) -> None:
    [tokens] = streams(text)
    read = Reader(tokens).read(0)
    assert read is None or read.stop < len(tokens)


def test_letters_are_variables_and_functions_are_not() -> None:
    assert names_in(node("2x + 3y_1 - ab")) == {"x", "y_1", "ab"}
    assert names_in(node(r"\alpha + 2\pi r")) == {r"\alpha", "r"}
    [tokens] = streams("f(3) + 1")
    assert Reader(tokens).read(0) is None
    [tokens] = streams("sin 30")
    assert tokens[0].sort is Sort.BAD


def test_x_between_numbers_multiplies_unless_the_text_numbers_its_unknowns() -> None:
    assert [token.sort for token in streams("3x2")[0]] == [Sort.NUMBER, Sort.TIMES, Sort.NUMBER]
    assert Sort.TIMES not in {token.sort for token in streams("x1 = 5, so 3x2 = 6")[0]}


def test_the_other_readings_people_mean() -> None:
    for text, reading, expected in (
        ("200 - 10%", Reading(percent_of_total=True), 180),
        ("40%", Reading(percent_is_bare=True), 40),
        ("24 / 2/3", Reading(fractions_first=True), 36),
        ("12/2(3)", Reading(slash_takes_all=True), 2),
        ("-3^2", Reading(minus_inside=True), 9),
        (r"3\frac{1}{2}", Reading(mixed_is_product=True), Fraction(3, 2)),
    ):
        assert evaluate(node(text), reading) == (expected, expected), text


def test_polynomials_are_multiplied_out_and_linear_equations_solved() -> None:
    assert polynomial(node("(x + 1)^2 - 2(x - 3) + 1/2")) == {(("x", 2),): 1, (): Fraction(15, 2)}
    assert polynomial(node("1/x")) is None
    assert polynomial(node("(x + 1)^9")) is None
    assert root(node("3X + 2"), node("X - 4")) == ("X", Fraction(-3))
    assert root(node("3x"), node("3x + 1")) is None
    assert root(node("x y"), node("5")) is None
    assert root(node("x^2"), node("4")) is None


NUMBERS = st.integers(min_value=-99, max_value=99)
TREES = st.recursive(
    NUMBERS.map(lambda one: str(one) if one >= 0 else f"({one})"),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        st.tuples(inner, st.integers(1, 9)).map(lambda parts: f"({parts[0]} / {parts[1]})"),
    ),
    max_leaves=12,
)


@given(TREES)
def test_values_are_those_of_exact_rationals(text: str) -> None:
    expected = eval(_as_fractions(text), {"Fraction": Fraction})
    assert value(text) == (expected, expected)


def _as_fractions(text: str) -> str:
    return "".join(f"Fraction({part})" if part.isdigit() else part for part in _pieces(text))


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for sign in text:
        if sign.isdigit() and pieces and pieces[-1].isdigit():
            pieces[-1] += sign
        else:
            pieces.append(sign)
    return pieces


@given(st.text(alphabet="0123456789+-*/^!|()[]{}.,=%$\\ \nxabcfrqt_~<>&'\"≈×²√π", max_size=200))
def test_no_text_raises(text: str) -> None:
    for tokens in streams(text):
        for at in range(len(tokens)):
            read = Reader(tokens).read(at)
            if read is not None:
                evaluate(read.node)
                polynomial(read.node)


@given(st.text(max_size=300))
def test_tokens_lie_in_order_inside_the_text(text: str) -> None:
    for tokens in streams(text):
        ends = [0, *(token.end for token in tokens)]
        assert all(before <= token.start < token.end <= len(text) for before, token in zip(ends, tokens, strict=False))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000 + "1" + ")" * 10_000,
        "9" * 1_000_000,
        "1" + "+1" * 50_000,
        "2^" * 20_000 + "2",
        "-" * 50_000 + "1",
        r"\frac{1}{" * 5_000 + "1" + "}" * 5_000,
        "|" * 50_000,
        "5" + "!" * 50_000,
        "1/" * 50_000 + "1",
        "a-" * 50_000,
    ],
)
def test_long_and_deep_texts_cost_little(text: str) -> None:
    begun = time.perf_counter()
    [tokens] = streams(text)
    Reader(tokens).read(0)
    assert time.perf_counter() - begun < 3


def test_a_long_sum_is_no_deep_tree() -> None:
    long = Sum(tuple((1, Number(Fraction(1))) for _ in range(5_000)))
    assert evaluate(long) == (Fraction(5_000), Fraction(5_000))
    assert evaluate(Power(Name("x"), Number(Fraction(2))), names={"x": Fraction(3, 2)}) == (Fraction(9, 4), Fraction(9, 4))
