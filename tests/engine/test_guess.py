"""Guessing: the published 64.1 %, the filter's edges, and an adjustment that is pass@k without luck."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.guess import (
    Guessable,
    agreement_of_wrong,
    guess_adjusted,
    guess_adjusted_pass_at_k,
    guessable,
    more_than_guessing,
    pass_by_guessing,
)
from engine.analyses.passk import pass_at_k

counts = st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
chances = st.floats(0, 0.99)


def test_a_uniform_guess_over_aime_as_published() -> None:
    assert float(pass_by_guessing(1 / 1000, 1024)) == pytest.approx(0.641, abs=5e-4)
    assert pass_by_guessing([0.0, 1.0], 3).tolist() == [0.0, 1.0]


@given(st.lists(st.integers(0, 6), max_size=6))
def test_agreement_is_the_share_of_pairs_that_are_alike(sizes: list[int]) -> None:
    answers = [answer for answer, size in enumerate(sizes) for _ in range(size)]
    pairs = [one == other for one, other in combinations(answers, 2)]
    expected = sum(pairs) / len(pairs) if pairs else None
    assert agreement_of_wrong(sizes) == (None if expected is None else pytest.approx(expected))


def test_agreement_of_nothing_is_not_zero() -> None:
    assert agreement_of_wrong([]) is None
    assert agreement_of_wrong([1]) is None
    assert agreement_of_wrong([1, 1]) == 0.0
    assert agreement_of_wrong([7]) == 1.0
    with pytest.raises(ValueError, match="at least 0"):
        agreement_of_wrong([2, -1])


def test_the_filter_drops_what_is_rarely_right_only() -> None:
    asked = [0, 1000, 1000, 1000, 1000, 140]
    right = [0, 0, 1, 49, 50, 7]
    never, some, easy = Guessable.NEVER, Guessable.GUESSABLE, Guessable.EASY
    assert guessable(asked, right) == [Guessable.UNKNOWN, never, some, some, easy, easy]
    assert guessable([10], [3], limit=0.5) == [some]


@given(st.lists(counts, min_size=1, max_size=10), st.data())
def test_without_luck_nothing_is_taken_off(problems: list[tuple[int, int]], data: st.DataObject) -> None:
    n, c = zip(*problems, strict=True)
    k = data.draw(st.integers(1, max(n)))
    np.testing.assert_allclose(guess_adjusted(n, c, 0.0), np.array(c) / np.array(n))
    np.testing.assert_allclose(guess_adjusted_pass_at_k(n, c, 0.0, k), pass_at_k(n, c, k), atol=1e-12)


@given(counts, chances, st.data())
def test_the_adjusted_value_is_the_mean_over_which_correct_ones_are_sound(
    nc: tuple[int, int], guess: float, data: st.DataObject
) -> None:
    n, c = nc
    k = data.draw(st.integers(1, n))
    p = max(0.0, (c / n - guess) / (1 - guess))
    share = min(1.0, p * n / c) if c else 0.0
    expected = sum(
        comb(c, d) * share**d * (1 - share) ** (c - d) * float(1 - Fraction(comb(n - d, k), comb(n, k))) for d in range(c + 1)
    )
    assert float(guess_adjusted([n], [c], guess)[0]) == pytest.approx(p)
    value = float(guess_adjusted_pass_at_k([n], [c], guess, k)[0])
    assert value == pytest.approx(expected, abs=1e-10)
    assert 0.0 <= value <= float(pass_at_k(n, c, k)) + 1e-12


@given(counts, chances)
def test_at_one_draw_it_is_the_share_of_sound_samples(nc: tuple[int, int], guess: float) -> None:
    n, c = nc
    value = guess_adjusted_pass_at_k([n], [c], guess, 1)
    np.testing.assert_allclose(value, guess_adjusted([n], [c], guess), atol=1e-12)


def test_successes_that_guessing_explains_count_for_little() -> None:
    adjusted = guess_adjusted_pass_at_k([1024] * 4, [1, 2, 10, 1024], 1 / 1000, 1024)
    assert adjusted[0] == 0.0
    assert adjusted[1] == pytest.approx(0.738, abs=1e-3)
    assert adjusted[2] > 0.999
    assert adjusted[3] == 1.0


def test_what_is_not_known_stays_unknown() -> None:
    assert np.isnan(guess_adjusted([0, 8, 8], [0, 4, 4], [0.1, 1.0, np.nan])).all()
    assert np.isnan(guess_adjusted_pass_at_k([0, 8, 8, 4], [0, 4, 4, 2], [0.1, 1.0, np.nan, 0.1], 5)).all()
    assert np.isnan(more_than_guessing([8], [4], np.nan)).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        guess_adjusted([8], [4], 1.5)


@given(counts, st.floats(0, 1))
def test_more_than_guessing_is_the_binomial_tail(nc: tuple[int, int], guess: float) -> None:
    n, c = nc
    tail = sum(comb(n, j) * guess**j * (1 - guess) ** (n - j) for j in range(c, n + 1))
    assert float(more_than_guessing([n], [c], guess)[0]) == pytest.approx(tail, abs=1e-10)


def test_a_guesser_is_rarely_called_more_than_one() -> None:
    rng = np.random.default_rng(3)
    p_values = more_than_guessing([256] * 4000, rng.binomial(256, 0.01, 4000), 0.01)
    assert (p_values <= 0.05).mean() <= 0.05 + 0.01
