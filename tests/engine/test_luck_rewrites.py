"""Rewrites between lines: the flagship case, slips in chains and in solving, and everything that is no rewrite at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.luck.base import Kind
from engine.luck.equalities import false_equalities
from engine.luck.rewrites import false_rewrites

FLAGSHIP = "195 + 367 + 562 + 900 is 2024, not 1924; 437 + 2*234 is 905, not 805: slips that cancel"


@pytest.mark.parametrize(
    "text",
    [
        "900 = (195+367+562+900) - 437 - 2*234 - 3X\n900 = 1924 - 805 - 3X\n3X = 219\nX = 73",
        "\\[900 = (195+367+562+900) - 437 - 2 \\cdot 234 - 3X\\]\nAdding up the numbers we get\n\\[900 = 1924 - 805 - 3X\\]",
        "900 = 195 + 367 + 562 + 900 - 437 - 2(234) - 3X. Simplifying, 900 = 1924 - 805 - 3X.",
    ],
)
def test_two_slips_that_cancel_between_lines_are_found(text: str) -> None:
    [reason] = false_rewrites(text)
    assert reason.kind is Kind.FALSE_REWRITE
    assert reason.detail.startswith(FLAGSHIP[:60])
    assert "cancel" in reason.detail
    assert text[reason.start : reason.end] == "900 = 1924 - 805 - 3X"
    assert not reason.retracted
    assert false_equalities(text) == []


def test_the_right_rewrite_of_the_same_equation_is_none() -> None:
    assert (
        false_rewrites("900 = (195+367+562+900) - 437 - 2*234 - 3X\n900 = 2024 - 905 - 3X\n900 = 1119 - 3X\n3X = 219\nX = 73")
        == []
    )


FALSE = [
    ("900 = 2024 - 905 - 3X\n900 = 1109 - 3X", "2024 - 905 is 1119, not 1109"),
    ("$19x - 4x = (19-4)x = 16x$", "(19 - 4)x gives 15x, not 16x"),
    ("A = 3(x+2) + 4 = 3x + 6 + 4 = 3x + 11", "6 + 4 is 10, not 11"),
    ("y = 7x - 2x + 3\ny = 4x + 3", "7x - 2x + 3 gives 5x, not 4x"),
    ("3X = 219, so X = 72.", "the equation before it gives X = 73, this one 72"),
    ("2x + 5 = 11\n2x = 5", "the equation before it gives x = 3, this one 2.5"),
    ("80 - x = 120. Solving for x, we get x = 40.", "the equation before it gives x = -40, this one 40"),
    ("x/2 = 26 + x. So 2x = 52.", "the equation before it gives x = -52, this one 26"),
    ("y = 12 / 4\ny = 5", "12/4 is 3, not 5"),
]


@pytest.mark.parametrize(("text", "detail"), FALSE)
def test_steps_that_change_an_equation_are_found(text: str, detail: str) -> None:
    [reason] = false_rewrites(text)
    assert (reason.kind, reason.detail) == (Kind.FALSE_REWRITE, detail)


NO_REWRITE = [
    "2x + 5 = 11\n2x = 6\nx = 3",
    "y = 2x + 3\ny = 2x + 5",
    "x - 3 = 5 or x - 3 = -5",
    "n - 1 = 4 or n - 1 = -4\nn = 5 or n = -3",
    "Case 1: 2x = 6, so x = 3. Case 2: 2x = 10, so x = 5.",
    "x + y = 10\n2x = 6",
    "x^2 = 4\nx = 2",
    "3x = 10, so x = 3.33",
    "6n - 5 = 70. Solving for n, we get n = 12.",
    "x = 3 + 4 + y\nBut y = 2, so x = 9",
    "(x+1)^2 = x^2 + 2x + 1",
    "f(x) = x^2 + 3x = 2x + 1 + 3x",
    "98 + 47 + x = 100\nS = 98 + 47 + x\nS = 100 + 45 + x",
    "The first line is y = 3x - 2x + 1 and the second is y = 4x + 1.",
    "If 2x = 6 then x = 4",
    "\\[\n- b + 10 = 0 \\quad \\Rightarrow \\quad b = 10\n\\]",
    "21(0.00975 M) = 0.205 M",
    "19x - 4x = (19 - 4)x = 15x",
    "P = 2(3 + x) + 1 = 6 + 2x + 1 = 2x + 7",
]


@pytest.mark.parametrize("text", NO_REWRITE)
def test_what_is_no_rewrite_or_a_right_one_is_no_finding(text: str) -> None:
    assert false_rewrites(text) == []


def test_an_abandoned_rewrite_is_told_from_a_kept_one() -> None:
    [dropped] = false_rewrites("2x + 5 = 11\n2x = 5\nWait, that's wrong.\n2x + 5 = 11\n2x = 6\nx = 3")
    assert dropped.retracted
    [kept] = false_rewrites("Let me try y = 3. That does not work.\nSo 2x + 5 = 11\n2x = 5\nand we are done.")
    assert not kept.retracted


@st.composite
def rewrites(draw: st.DrawFn) -> tuple[list[int], int, int, int]:
    """Numbers that are added, numbers taken away (one doubled), and the unknown's coefficient."""
    return (
        draw(st.lists(st.integers(11, 999), min_size=2, max_size=4)),
        draw(st.integers(11, 400)),
        draw(st.integers(11, 200)),
        draw(st.integers(2, 9)),
    )


def lines(case: tuple[list[int], int, int, int], plus: int, minus: int) -> str:
    added, taken, doubled, times = case
    return (
        f"700 = ({'+'.join(map(str, added))}) - {taken} - 2*{doubled} - {times}X\n"
        f"700 = {sum(added) + plus} - {taken + 2 * doubled + minus} - {times}X\n"
    )


@given(rewrites())
def test_a_right_rewrite_is_never_flagged(case: tuple[list[int], int, int, int]) -> None:
    assert false_rewrites(lines(case, 0, 0)) == []


@given(rewrites(), st.integers(-99, 99), st.integers(-9, 9))
def test_a_wrong_sum_is_always_flagged(case: tuple[list[int], int, int, int], plus: int, minus: int) -> None:
    added, taken, doubled, _ = case
    assume(plus != minus and sum(added) + plus > 0 and taken + 2 * doubled + minus > 0)
    [reason] = false_rewrites(lines(case, plus, minus))
    assert "cancel" not in reason.detail


@given(rewrites(), st.sampled_from([1, 2, 10, 100, -1, -10, -100]))
def test_equal_slips_of_one_digit_cancel_and_are_flagged(case: tuple[list[int], int, int, int], slip: int) -> None:
    added, taken, doubled, _ = case
    both = {sum(added) + slip, taken + 2 * doubled + slip}
    assume(min(both) > 0 and both.isdisjoint({*added, taken, 2 * doubled, sum(added), taken + 2 * doubled}))
    [reason] = false_rewrites(lines(case, slip, slip))
    assert "cancel" in reason.detail


@given(st.integers(2, 30), st.integers(-40, 40), st.integers(-40, 40), st.integers(-5, 5))
def test_solving_steps_are_checked_exactly(times: int, plus: int, solution: int, off: int) -> None:
    sign = "+" if plus >= 0 else "-"
    assume(plus)
    text = f"{times}x {sign} {abs(plus)} = {times * solution + plus}\nx = {solution + off}\n"
    assert len(false_rewrites(text)) == (off != 0), text


@given(st.text(alphabet="0123456789+-*/= (){}$\\\nxyX.,^orso", max_size=300))
def test_no_text_raises_and_spans_lie_inside(text: str) -> None:
    for reason in false_rewrites(text):
        assert 0 <= reason.start < reason.end <= len(text)


@pytest.mark.parametrize(
    "text", ["x = 2 + y\n" * 10_000, "2x + 1 = 5, so " * 8_000, "(x+1)^9 = x" * 5_000, "A = x + x + 1 = 2x + 1 " * 5_000]
)
def test_long_texts_cost_little(text: str) -> None:
    begun = time.perf_counter()
    false_rewrites(text)
    assert time.perf_counter() - begun < 8
