"""pass@k against exhaustive enumeration, exact rationals and the published check values."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.passk import k_grid, mean_pass_at_k, pass_at_k, pass_curve, plug_in_pass_at_k


def exact(n: int, c: int, k: int) -> Fraction:
    """1 - C(n - c, k) / C(n, k), which is the same with c and k exchanged: take whichever has the smaller numbers."""
    few, many = min(c, k), max(c, k)
    return 1 - Fraction(comb(n - many, few), comb(n, few))


def relative_error(value: float, truth: Fraction) -> float:
    return float(abs(Fraction(value) - truth) / truth) if truth else abs(value)


@st.composite
def counts(draw: st.DrawFn, largest: int, smallest: int = 1) -> tuple[int, int]:
    n = draw(st.integers(smallest, largest))
    return n, draw(st.integers(0, n))


@pytest.mark.parametrize("n", range(1, 9))
def test_equals_the_share_of_draws_that_hold_a_correct_sample(n: int) -> None:
    for c in range(n + 1):
        for k in range(1, n + 1):
            draws = list(combinations([True] * c + [False] * (n - c), k))
            assert exact(n, c, k) == Fraction(sum(map(any, draws)), len(draws))
            assert float(pass_at_k(n, c, k)) == pytest.approx(sum(map(any, draws)) / len(draws), rel=1e-15)


@given(counts(400), st.data())
def test_equals_exact_rationals(nc: tuple[int, int], data: st.DataObject) -> None:
    n, c = nc
    k = data.draw(st.integers(1, n))
    assert relative_error(float(pass_at_k(n, c, k)), exact(n, c, k)) <= 1e-12


@pytest.mark.parametrize("n", [1024, 99_991, 10**6])
@pytest.mark.parametrize("c", [1, 2, 3, 37, 500])
def test_keeps_its_digits_where_n_is_large(n: int, c: int) -> None:
    ks = k_grid(n)
    curve = pass_curve(n, [c], ks)[0]
    errors = [relative_error(value, exact(n, c, k)) for k, value in zip(ks, curve.tolist(), strict=True)]
    assert max(errors) <= 1e-12


@pytest.mark.parametrize("few_times_many", [1, 10, 20, 30, 33, 35, 36, 37, 38, 39, 40, 60])
def test_meets_certainty_without_a_seam(few_times_many: int) -> None:
    """Past few * many = 38 n no sum is made any more: on both sides of that the value is right to the last bit."""
    n, k = 10**6, 700
    for c in (few_times_many * n // k, few_times_many * n // k + 1):
        assert float(pass_at_k(n, c, k)) == pytest.approx(float(exact(n, c, k)), rel=3e-16, abs=0)


@given(counts(10**9))
def test_pass_at_1_is_the_accuracy_to_the_last_bit(nc: tuple[int, int]) -> None:
    n, c = nc
    assert float(pass_at_k(n, c, 1)) == c / n


def test_one_success_in_a_million_is_one_in_a_million() -> None:
    assert float(pass_at_k(10**6, 1, 1)) == 1e-6


@given(counts(300))
def test_never_falls_with_k(nc: tuple[int, int]) -> None:
    n, c = nc
    curve = pass_curve(n, [c], range(1, n + 1))[0]
    assert (np.diff(curve) >= -2e-16).all()


@given(st.integers(1, 300), st.data())
def test_never_falls_with_c(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n))
    assert (np.diff(pass_at_k(n, np.arange(n + 1), k)) >= -2e-16).all()


@given(counts(2000), st.data())
def test_is_certain_once_too_few_wrong_samples_are_left(nc: tuple[int, int], data: st.DataObject) -> None:
    n, c = nc
    k = data.draw(st.integers(1, n))
    value = float(pass_at_k(n, c, k))
    assert 0.0 <= value <= 1.0
    assert not np.signbit(value)
    if n - c < k:
        assert value == 1.0
    if c == 0:
        assert value == 0.0


def test_is_undefined_not_certain_where_k_exceeds_n() -> None:
    assert np.isnan(pass_at_k([4, 4, 0], [4, 1, 0], 5)).all()
    assert np.isnan(pass_curve([4, 8], [4, 8], [4, 5])).tolist() == [[False, True], [False, False]]


def test_broadcasts_over_problems_and_keeps_shapes() -> None:
    assert pass_at_k(10, 3, 2).shape == ()
    assert pass_at_k([[10], [20]], [1, 2, 3], 2).shape == (2, 3)
    assert pass_curve(16, [0, 3, 16], k_grid(16)).shape == (3, 5)
    assert pass_curve([], [], [1, 2]).shape == (0, 2)
    assert pass_curve([4], [2], []).shape == (1, 0)


@given(st.lists(counts(200, smallest=0), min_size=1, max_size=30), st.lists(st.integers(1, 220), max_size=8))
def test_a_curve_is_its_points_problem_by_problem(problems: list[tuple[int, int]], ks: list[int]) -> None:
    n, c = zip(*(problems * 2), strict=True)
    curve = pass_curve(n, c, ks)
    points = [[float(pass_at_k(n_i, c_i, k)) for k in ks] for n_i, c_i in zip(n, c, strict=True)]
    np.testing.assert_array_equal(curve, np.array(points).reshape(curve.shape))


def test_many_problems_in_blocks_are_as_exact_as_one_alone() -> None:
    n = 10**5 + np.arange(60)
    together = pass_curve(n, n // 300, k_grid(10**5))
    alone = [pass_curve(n_i, [n_i // 300], k_grid(10**5))[0] for n_i in n.tolist()]
    np.testing.assert_array_equal(together, np.array(alone))


@pytest.mark.parametrize(
    ("n", "c", "k", "sentence"),
    [
        ([8, 8], [3, 9], 1, r"c must be at most n, but problem 1 \(from 0\) has n = 8, c = 9"),
        ([8], [-1], 1, "c must be at least 0"),
        ([-1], [0], 1, "n must be at least 0"),
        ([8], [3], 0, "k must be at least 1, not 0"),
        ([8.0], [3], 1, "n must be whole numbers"),
        ([8], [0.3], 1, "c must be whole numbers"),
    ],
)
def test_impossible_counts_are_named(n: Sequence[int], c: Sequence[int], k: int, sentence: str) -> None:
    for estimator in (pass_at_k, plug_in_pass_at_k):
        with pytest.raises(ValueError, match=sentence):
            estimator(n, c, k)
    with pytest.raises(ValueError, match=sentence):
        pass_curve(n, c, [k])


def test_the_grid_doubles_and_ends_at_n() -> None:
    assert k_grid(0) == ()
    assert k_grid(1) == (1,)
    assert k_grid(100) == (1, 2, 4, 8, 16, 32, 64, 100)
    assert k_grid(1024) == tuple(2**i for i in range(11))
    with pytest.raises(ValueError, match="at least 0"):
        k_grid(-1)


def test_bayes_check_of_the_literature() -> None:
    """Results 0,1,1,0,1 and 1,1,0,1,1: pass@1 .7, pass@2 .95."""
    np.testing.assert_allclose(mean_pass_at_k([5, 5], [3, 4], [1, 2]), [0.7, 0.95], rtol=1e-15)


def test_a_mean_names_one_set_of_problems() -> None:
    value = mean_pass_at_k([4, 8], [1, 8], [1, 4, 8])
    assert value[:2].tolist() == [0.625, 1.0]
    assert np.isnan(value[2])
    with pytest.raises(ValueError, match="no problems"):
        mean_pass_at_k([], [], [1])


def test_the_plug_in_is_biased_low() -> None:
    assert float(plug_in_pass_at_k(1024, 1, 1024)) == pytest.approx(0.632, abs=5e-4)
    assert float(pass_at_k(1024, 1, 1024)) == 1.0
    assert plug_in_pass_at_k([4, 4, 4], [0, 4, 2], 2).tolist() == [0.0, 1.0, 0.75]
    assert np.isnan(plug_in_pass_at_k(4, 4, 5))


@given(counts(200), st.data())
def test_the_plug_in_never_exceeds_the_unbiased_value(nc: tuple[int, int], data: st.DataObject) -> None:
    n, c = nc
    k = data.draw(st.integers(1, n))
    plug_in = float(plug_in_pass_at_k(n, c, k))
    assert plug_in == pytest.approx(float(1 - Fraction(n - c, n) ** k), rel=1e-12)
    assert plug_in <= float(pass_at_k(n, c, k)) + 4e-16
