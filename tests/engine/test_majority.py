"""maj@k against every draw, and what a vote must do whatever its classes are."""

from __future__ import annotations

import time
from collections import Counter
from itertools import combinations
from math import comb, isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.majority import majority_at_k

Profile = tuple[int, list[int], int]


def by_every_draw(correct: int, wrong: list[int], blank: int, k: int) -> float:
    answers = ["right"] * correct + [str(i) for i, size in enumerate(wrong) for _ in range(size)] + [None] * blank
    won, draws = 0.0, 0
    for draw in combinations(answers, k):
        draws += 1
        votes = Counter(answer for answer in draw if answer is not None)
        most = max(votes.values(), default=0)
        if most and votes["right"] == most:
            won += 1 / sum(number == most for number in votes.values())
    return won / draws


@st.composite
def profiles(draw: st.DrawFn, largest: int, classes: int) -> Profile:
    return (
        draw(st.integers(0, largest)),
        draw(st.lists(st.integers(0, largest), max_size=classes)),
        draw(st.integers(0, largest)),
    )


@settings(deadline=None)
@given(profiles(4, 4).filter(lambda p: 1 <= p[0] + sum(p[1]) + p[2] <= 12))
def test_equals_the_count_over_every_draw(profile: Profile) -> None:
    correct, wrong, blank = profile
    for k in range(1, correct + sum(wrong) + blank + 1):
        assert majority_at_k(correct, wrong, blank, k) == pytest.approx(by_every_draw(correct, wrong, blank, k), abs=1e-12)


@settings(deadline=None)
@given(profiles(60, 12).filter(lambda p: p[0] + sum(p[1]) + p[2] >= 1), st.data())
def test_one_vote_is_the_accuracy_and_all_votes_are_the_largest_class(profile: Profile, data: st.DataObject) -> None:
    correct, wrong, blank = profile
    n = correct + sum(wrong) + blank
    assert majority_at_k(correct, wrong, blank, 1) == pytest.approx(correct / n, abs=1e-12)
    most = max([correct, *wrong])
    expected = 1 / [correct, *wrong].count(most) if correct == most and most else 0.0
    assert majority_at_k(correct, wrong, blank, n) == pytest.approx(expected, abs=1e-9)
    k = data.draw(st.integers(1, n))
    assert 0.0 <= majority_at_k(correct, wrong, blank, k) <= 1.0


@settings(deadline=None)
@given(profiles(30, 6), st.data())
def test_all_elected_answers_add_up_to_somebody_voting(profile: Profile, data: st.DataObject) -> None:
    """Each class in turn taken for the correct one: one of them wins unless every draw is blank."""
    _, classes, blank = profile
    n = sum(classes) + blank
    if not n:
        return
    k = data.draw(st.integers(1, n))
    won = sum(majority_at_k(size, classes[:i] + classes[i + 1 :], blank, k) for i, size in enumerate(classes))
    assert won == pytest.approx(1 - comb(blank, k) / comb(n, k), abs=1e-10)


@settings(deadline=None)
@given(profiles(20, 6).filter(lambda p: sum(p[1]) > 0), st.data())
def test_a_wrong_class_that_falls_apart_only_helps(profile: Profile, data: st.DataObject) -> None:
    correct, wrong, blank = profile
    k = data.draw(st.integers(1, correct + sum(wrong) + blank))
    apart = [1] * sum(wrong)
    assert majority_at_k(correct, apart, blank, k) >= majority_at_k(correct, [sum(wrong)], blank, k) - 1e-12


def test_a_thousand_answers_in_hundreds_of_classes_take_no_time() -> None:
    wrong = [200, 150, 100, 60, *[3] * 40, *[2] * 40, *[1] * 250]
    correct = 1024 - sum(wrong) - 4
    began = time.process_time()
    value = majority_at_k(correct, wrong, 4, 64)
    assert time.process_time() - began < 0.5
    assert 0.0 < value < 0.1
    assert majority_at_k(2000, [1500, *range(1, 40)], 300, 512) > 0.99, "no overflow where binomials pass 10^300"


def test_what_cannot_be_drawn_is_unknown_and_impossible_sizes_are_refused() -> None:
    assert isnan(majority_at_k(2, [1], 0, 4))
    assert isnan(majority_at_k(0, [], 0, 1))
    assert majority_at_k(0, [3], 2, 2) == 0.0
    assert majority_at_k(0, [], 3, 2) == 0.0, "nobody votes, nobody wins"
    assert majority_at_k(3, [], 0, 2) == 1.0
    for correct, wrong, blank in ((-1, [1], 0), (1, [-1], 0), (1, [], -1)):
        with pytest.raises(ValueError, match="at least 0"):
            majority_at_k(correct, wrong, blank, 1)
    with pytest.raises(ValueError, match="k must be at least 1"):
        majority_at_k(1, [1], 0, 0)
