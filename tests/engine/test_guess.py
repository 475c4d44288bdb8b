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
    against_guessing,
    agreement_of_wrong,
    chance_of_direct,
    chance_of_wrong,
    guess_adjusted,
    guess_adjusted_pass_at_k,
    guessable,
    pass_by_guessing,
)
from engine.analyses.many import adjusted
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


@given(st.lists(counts, min_size=1, max_size=10), chances, st.data())
def test_what_is_taken_off_is_never_more_than_there_is(
    problems: list[tuple[int, int]], guess: float, data: st.DataObject
) -> None:
    n, c = (np.array(column) for column in zip(*problems, strict=True))
    k = data.draw(st.integers(1, int(n.max())))
    value, seen = guess_adjusted_pass_at_k(n, c, guess, k), pass_at_k(n, c, k)
    np.testing.assert_array_equal(np.isnan(value), np.isnan(seen))
    assert (value[n >= k] >= 0).all()
    assert (value[n >= k] <= seen[n >= k] + 1e-12).all()
    np.testing.assert_allclose(guess_adjusted(n, c, guess), np.maximum(0, (c / n - guess) / (1 - guess)), atol=1e-12)


@pytest.mark.parametrize("k", [1, 5, 400])
def test_where_the_share_of_sound_samples_is_known_the_value_is_the_mean_over_which_they_are(k: int) -> None:
    """Many samples and a g far below leave no doubt of p."""
    n, c, guess = 400, 100, 0.1
    p = (c / n - guess) / (1 - guess)
    share = p * n / c
    expected = sum(
        comb(c, d) * share**d * (1 - share) ** (c - d) * float(1 - Fraction(comb(n - d, k), comb(n, k))) for d in range(c + 1)
    )
    value = guess_adjusted_pass_at_k([n] * 50, [c] * 50, guess, k)
    np.testing.assert_allclose(value, expected, atol=0.01)


@pytest.mark.parametrize(("skilled", "least", "most"), [(0.0, 0.0, 0.06), (0.5, -0.05, 0.05), (1.0, -0.05, 0.05)])
def test_luck_alone_is_not_taken_for_rare_skill(skilled: float, least: float, most: float) -> None:
    """At k = n, where the clamped p alone makes .18 of luck."""
    rng = np.random.default_rng(6)
    errors = []
    for _ in range(10):
        p = np.where(rng.random(100) < skilled, rng.beta(0.4, 2, 100), 0.0)
        sound = rng.binomial(256, p)
        correct = sound + rng.binomial(256 - sound, 0.001)
        errors.append(guess_adjusted_pass_at_k([256] * 100, correct, 0.001, 256).mean() - (1 - (1 - p) ** 256).mean())
    assert least <= np.mean(errors) <= most


def test_successes_that_guessing_explains_count_for_little() -> None:
    rng = np.random.default_rng(2)
    among = rng.binomial(1024, 0.001, 60).tolist()
    adjusted = guess_adjusted_pass_at_k([1024] * 63, [1, 20, 1024, *among], 1 / 1000, 1024)
    assert adjusted[0] < 0.1
    assert adjusted[1] > 0.99
    assert adjusted[2] == pytest.approx(1.0)


def test_no_success_among_few_is_no_proof_that_none_can_be() -> None:
    never, rare = chance_of_direct(256, 0), chance_of_direct(256, 5)
    assert never is not None
    assert rare is not None
    assert [never.value, rare.value] == pytest.approx([0.5 / 257, 5.5 / 257])
    assert never.high == pytest.approx(1 - 0.05 ** (1 / 256))
    assert tail(256, 5, rare.high) == pytest.approx(0.95, abs=0.03)
    assert chance_of_direct(0, 0) is None
    apart, alike = chance_of_wrong([1] * 20), chance_of_wrong([20])
    assert apart is not None
    assert alike is not None
    assert apart.value == pytest.approx(0.5 / 191)
    assert apart.high == pytest.approx(1 - 0.05 ** (1 / 10)), "as if the 20 were paired off"
    assert [alike.value, alike.high] == pytest.approx([190.5 / 191, 1.0])
    assert chance_of_wrong([1]) is None


@given(st.lists(st.integers(0, 6), max_size=6))
def test_a_chance_lies_within_its_bound(sizes: list[int]) -> None:
    chance = chance_of_wrong(sizes)
    assert (chance is None) == (agreement_of_wrong(sizes) is None)
    assert chance is None or 0 < chance.value <= chance.high <= 1 or sum(sizes) == max(sizes)


def test_what_is_not_known_stays_unknown() -> None:
    assert np.isnan(guess_adjusted([0, 8, 8], [0, 4, 4], [0.1, 1.0, np.nan])).all()
    assert np.isnan(guess_adjusted_pass_at_k([0, 8, 8, 4], [0, 4, 4, 2], [0.1, 1.0, np.nan, 0.1], 5)).all()
    assert np.isnan(against_guessing([8], [4], np.nan)).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        guess_adjusted([8], [4], 1.5)


def tail(n: int, at_least: int, p: float) -> float:
    return sum(comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(at_least, n + 1))


@given(counts, st.floats(0.001, 0.999), st.data())
def test_against_guessing_is_the_binomial_given_what_was_chosen(nc: tuple[int, int], guess: float, data: st.DataObject) -> None:
    n, c = nc
    least = data.draw(st.integers(0, c))
    above, below = against_guessing([n], [c], guess, least=least)
    chosen = tail(n, least, guess)
    if chosen > 1e-12:
        assert float(above[0]) == pytest.approx(tail(n, c, guess) / chosen, rel=1e-6, abs=1e-12)
        assert float(below[0]) == pytest.approx(1 - tail(n, c + 1, guess) / chosen, abs=1e-6)
    assert np.isnan(against_guessing([n], [c], guess, least=c + 1)[0][0]), "not chosen, so not tested"


def test_against_an_estimated_chance_it_is_the_mixture() -> None:
    rng = np.random.default_rng(1)
    g = rng.beta(2.5, 97.5, 400_000)
    drawn = rng.binomial(60, g)
    above, below = against_guessing([60], [4], 0.025, 100)
    solved = (drawn >= 1).mean()
    assert float(above[0]) == pytest.approx((drawn >= 4).mean() / solved, abs=0.005)
    assert float(below[0]) == pytest.approx(((drawn >= 1) & (drawn <= 4)).mean() / solved, abs=0.005)


def test_ends_of_the_chance_to_guess() -> None:
    above, below = against_guessing([8, 8, 8, 8], [1, 0, 8, 3], [0.0, 0.0, 1.0, 1.0], least=0)
    assert (above.tolist(), below.tolist()) == ([0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0])
    assert [array.tolist() for array in against_guessing([], [], [])] == [[], []]


@pytest.mark.parametrize("guess", [5e-5, 0.001, 0.01, 0.03])
def test_a_pure_guesser_is_not_called_more_than_one(guess: float) -> None:
    """Solved problems alone are tested, and g is from 256 direct answers: neither may look like skill."""
    rng = np.random.default_rng(3)
    c, asked = rng.binomial(1024, guess, 500), rng.binomial(256, guess, 500)
    told = [chance for chance in (chance_of_direct(256, int(d)) for d in asked) if chance is not None]
    above, _ = against_guessing([1024] * 500, c, [one.value for one in told], [one.told for one in told])
    assert (np.isnan(above) == (c == 0)).all()
    assert (above[c > 0] <= 0.05).mean() <= 0.075
    assert np.nansum(adjusted(above) <= 0.05) <= 2


def test_guessing_alone_is_the_mean_over_what_the_chance_may_be() -> None:
    rng = np.random.default_rng(1)
    g = rng.beta(0.5, 256.5, 200_000)
    assert float(pass_by_guessing(0.5 / 257, 1024, 257)) == pytest.approx((1 - (1 - g) ** 1024).mean(), abs=0.005)
