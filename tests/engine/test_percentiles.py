"""Percentiles of one run's responses among base's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.percentiles import FEWEST_OWN, mid_ranks, percentiles

approx: Callable[..., Any] = pytest.approx

values = st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 3.0]), min_size=1, max_size=20)


@given(values, values)
def test_what_lies_high_among_the_others_has_the_others_low_among_it(one: list[float], two: list[float]) -> None:
    assert np.mean(mid_ranks(one, two)) + np.mean(mid_ranks(two, one)) == approx(100)


@given(values, values, st.floats(0.1, 3), st.floats(-5, 5))
def test_only_the_order_counts(one: list[float], two: list[float], scale: float, shift: float) -> None:
    def stretched(nats: list[float]) -> list[float]:
        return [round(scale * value + shift, 9) for value in nats]

    assert mid_ranks(stretched(one), stretched(two)) == mid_ranks(one, two)


def test_ends_and_middle() -> None:
    assert mid_ranks([1, 2, 3, 4], [0, 5, 2.5, 2]) == [0, 100, 50, 37.5]


def test_each_problem_weighs_the_same_and_one_with_few_of_bases_own_is_left_out() -> None:
    own = {1: [1.0] * FEWEST_OWN, 2: [1.0] * FEWEST_OWN, 3: [1.0] * (FEWEST_OWN - 1)}
    found = percentiles(own, {1: [0.5] * 90, 2: [2.0], 3: [9.0], 4: [9.0], 5: []})
    assert found is not None
    assert (found.mean, found.problems, found.responses, found.own, found.left_out) == (50, {1: 0, 2: 100}, 91, 16, 2)


def test_nothing_of_bases_own_tells_nothing() -> None:
    assert percentiles({}, {1: [1.0]}) is None
    assert percentiles({1: [1.0] * (FEWEST_OWN - 1)}, {1: [1.0]}) is None


def test_the_interval_holds_50_about_as_often_as_it_says_where_both_are_one_model() -> None:
    rng = np.random.default_rng(3)
    missed = 0
    for trial in range(300):
        drawn = [{i: rng.exponential(size=8).tolist() for i in range(20)} for _ in range(2)]
        found = percentiles(drawn[0], drawn[1], seed=trial)
        assert found is not None
        missed += not found.interval.low <= 50 <= found.interval.high
    assert missed / 300 < 0.08
