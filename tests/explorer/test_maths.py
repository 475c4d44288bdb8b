"""Maths in a terminal reads as written, stands in its place, and stays raw where it could not be told."""

from __future__ import annotations

import pytest

from explorer.render.maths import Rendered, rendered
from tests.explorer.maths_table import DISPLAY, TABLE, UNTOUCHED


@pytest.mark.parametrize(("source", "shown"), TABLE)
def test_each_expression_reads_as_written_or_stays_raw(source: str, shown: str | None) -> None:
    found = [one.shown for one in rendered(f"so ${source}$ holds")]
    assert found == ([] if shown is None else [shown])


def test_the_table_is_large_enough() -> None:
    assert len({source for source, _ in TABLE}) == len(TABLE) > 120


@pytest.mark.parametrize(("source", "shown"), DISPLAY)
def test_display_maths_may_stand_on_several_lines(source: str, shown: str | None) -> None:
    assert [one.shown for one in rendered(source)] == ([] if shown is None else [shown])


def test_lines_after_the_first_are_indented_like_it_and_begin_below_words() -> None:
    assert rendered("  \\[ a \\\\ b \\]")[0].shown == "a\n  b"
    assert rendered("so \\[ a \\\\ b \\] and")[0].shown == "\na\nb\n"
    assert rendered("so\\[ a \\]and")[0].shown == " a "


@pytest.mark.parametrize("text", UNTOUCHED)
def test_prices_code_and_stray_signs_stay_as_they_are(text: str) -> None:
    assert rendered(text) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("it costs $5, and $x = 2$ holds", "it costs $5, and x = 2 holds"),
        ("$ x = 2 $ and \\( y \\)", "x = 2 and y"),
        ("is $7,$ or $11,$", "is 7, or 11,"),
        ("answer \\boxed{42}.", "answer ┤42├."),
        ("\\fbox{so}", "┤so├"),
        ("3/$\\frac{1}{2}$ and $\\frac{1}{2}$x", "3/(1/2) and (1/2)x"),
        ("12$\\frac{1}{2}$ hours", "12 1/2 hours"),
        ("2$3$", "2$3$"),
        ("the $n$th and $k$-th", "the nth and k-th"),
        ("\\[ open, then \\[ x^2 \\]", "\\[ open, then x²"),
        ("**$x^2$**", "**x²**"),
        ("\\(\\$5\\)", "$5"),
    ],
)
def test_expressions_take_their_place_in_the_text(text: str, shown: str) -> None:
    assert applied(text) == shown


def test_where_the_answer_went_is_known() -> None:
    text = "so $x = \\boxed{\\frac{14}{3}} + 1$ and $18$"
    one, two = rendered(text)
    start = text.index("\\frac")
    assert part(one, start, start + len("\\frac{14}{3}")) == "14/3"
    assert part(one, text.index("x"), text.index("x") + 1) == "x"
    eight = text.index("18")
    assert part(two, eight, eight + 2) == "18"
    assert part(two, eight + 1, eight + 2) == "8"
    assert one.shown_span(0, 1) is None


INSIDE = [r"\frac{\sqrt{3}}{2}", "15x - 80", r"\text{(C)}", r"\left(3, \frac{\pi}{2}\right)", "1{,}000", "x=5", r"\sqrt{x+1}"]
INSIDE += [r"\frac{1+2}{3+x}", r"\overline{a+b}", r"2\sqrt{\frac{1}{2}}^2", r"\frac{1}{2}x", "x^2"]
AROUND = [r"$\boxed{%s}$", r"\[ x = \boxed{%s} \]", r"\begin{align*} x &= 1 \\ &= \boxed{%s} \end{align*}"]


@pytest.mark.parametrize("inner", INSIDE)
@pytest.mark.parametrize("around", AROUND)
def test_the_box_is_marked_around_its_content_alone(inner: str, around: str) -> None:
    text = "So " + around % inner
    one = rendered(text)[0]
    start = text.index("boxed{") + 6
    span = one.shown_span(start, start + len(inner))
    assert span is not None
    assert one.shown[span[0] - 1] == "┤"
    assert one.shown[span[1]] == "├"


def applied(text: str) -> str:
    for one in reversed(rendered(text)):
        text = text[: one.start] + one.shown + text[one.end :]
    return text


def part(one: Rendered, start: int, end: int) -> str:
    span = one.shown_span(start, end)
    assert span is not None
    return one.shown[span[0] : span[1]]
