"""What lists and headers say of counts: a number of traces names what it is a part of."""

from __future__ import annotations

from collections import Counter

from explorer.render.histogram import Answer, histogram
from explorer.render.pieces import Line
from explorer.render.words import is_doubt, p_value, percent, points, small_share
from store.rows import Count
from store.types import Outcome, Reading, Rule

FOUND: Counter[Answer] = Counter({("4", Outcome.CORRECT): 3, ("5", Outcome.INCORRECT): 1})


def text(line: Line) -> str:
    return "".join(piece for piece, _ in line)


def count(samples: int, n: int, truncated: int = 0) -> Count:
    return Count(1, 1, "math", 3, n - 3, 0, 0, samples, truncated, published=samples < n)


def test_a_histogram_of_a_part_says_of_how_many() -> None:
    assert text(histogram(FOUND, count(samples=4, n=1024))) == "4 of 1,024 stored: ✓ 4 ×3  ✗ 5 ×1  "
    assert text(histogram(FOUND, count(samples=4, n=4))).startswith("✓ 4 ×3")
    assert text(histogram(FOUND, None)).startswith("✓ 4 ×3")
    assert text(histogram(Counter(), count(samples=0, n=4))) == "0 of 4 stored: no traces"


def test_a_wrong_first_box_is_no_doubt_about_a_right_answer() -> None:
    right, wrong = Outcome.CORRECT, Outcome.INCORRECT
    assert not is_doubt(Reading(Rule.FIRST, wrong, "5"), right)
    assert is_doubt(Reading(Rule.LAST, wrong, "5"), right)
    assert is_doubt(Reading(Rule.FIRST, right, "4"), wrong)
    assert not is_doubt(Reading(Rule.FIRST, wrong, "5"), wrong)


def test_shares_and_chances_are_never_what_they_are_not() -> None:
    assert (percent(None), percent(float("nan")), percent(-1e-6), percent(0.4142)) == ("–", "–", "0.0", "41.4")
    assert (points(-1e-6), points(0.032), points(-0.032)) == ("+0.0", "+3.2", "-3.2")
    assert (p_value(0.0), p_value(0.00012), p_value(0.25)) == ("< 0.0001", "0.00012", "0.25")
    assert (small_share(None), small_share(0.0001), small_share(0.012), small_share(0.5)) == ("–", "<0.1", "1.2", "50")


def test_errors_are_counted_samples_too() -> None:
    errors = Count(1, 1, "math", 20, 10, 0, 10, 32, 0, published=True)
    assert text(histogram(FOUND, errors)).startswith("4 of 40 stored")
    assert errors.is_part
