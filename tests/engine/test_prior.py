"""Priors fitted to counts: the likeliest of a fine grid, safe where none is, and posteriors that agree with known ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln
from scipy.stats import betabinom

from engine.analyses.ladder import ladder
from engine.analyses.prior import Beta, ZeroInflated, drawn_p, fit_beta, fit_zero_inflated, log_likelihood

COUNTS = st.lists(st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1, max_size=25)


def drawn(a: float, b: float, problems: int, n: int, zero: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(1)
    p = np.where(rng.random(problems) < zero, 0.0, rng.beta(a, b, problems))
    return rng.binomial(n, p)


@given(COUNTS, st.floats(0.05, 20), st.floats(0.05, 20))
def test_the_likelihood_is_the_beta_binomial_one(counts: list[tuple[int, int]], a: float, b: float) -> None:
    n, c = zip(*counts, strict=True)
    expected = sum(betabinom.logpmf(c_i, n_i, a, b) for n_i, c_i in counts)
    assert log_likelihood(n, c, Beta(a, b)) == pytest.approx(expected, rel=1e-8, abs=1e-8)
    assert log_likelihood(n, c, ZeroInflated(0.0, Beta(a, b))) == log_likelihood(n, c, Beta(a, b))


@given(COUNTS)
@settings(deadline=None, max_examples=40)
def test_no_beta_is_likelier_than_the_fit(counts: list[tuple[int, int]]) -> None:
    n, c = zip(*counts, strict=True)
    best = log_likelihood(n, c, fit_beta(n, c))
    others = product(np.logspace(-4, 6, 11), repeat=2)
    assert max(log_likelihood(n, c, Beta(a, b)) for a, b in others) <= best + 1e-4


@given(COUNTS)
@settings(deadline=None, max_examples=60)
def test_a_share_of_zeros_never_costs_likelihood(counts: list[tuple[int, int]]) -> None:
    n, c = zip(*counts, strict=True)
    inflated = fit_zero_inflated(n, c)
    assert 0 <= inflated.zero <= sum(c_i == 0 for c_i in c) / len(c)
    assert log_likelihood(n, c, inflated) >= log_likelihood(n, c, fit_beta(n, c)) - 1e-9


def test_the_fit_finds_what_made_the_counts() -> None:
    found = fit_beta(256, drawn(0.3, 0.7, 4000, 256))
    assert [found.a, found.b] == pytest.approx([0.3, 0.7], rel=0.08)
    inflated = fit_zero_inflated(256, drawn(0.8, 1.5, 4000, 256, zero=0.25))
    assert inflated.zero == pytest.approx(0.25, abs=0.03)
    assert inflated.beta.mean == pytest.approx(0.8 / 2.3, abs=0.02)


@pytest.mark.parametrize("c", [[0, 0, 0], [8, 8, 8], [3], [0], [8], [4, 4, 4, 4], [0, 8, 0, 8]])
def test_counts_without_a_maximum_give_a_finite_edge(c: list[int]) -> None:
    for found in (fit_beta(8, c), fit_zero_inflated(8, c).beta):
        assert 9.9e-5 <= found.a <= 1.01e6
        assert 9.9e-5 <= found.b <= 1.01e6
    mean = np.mean(c) / 8
    assert fit_beta(8, c).mean == pytest.approx(mean, abs=0.01)


def test_zeros_that_the_beta_expects_are_no_spike() -> None:
    c = drawn(0.3, 0.7, 4000, 256)
    assert fit_zero_inflated(256, c).zero < 0.03
    assert fit_zero_inflated(8, [1, 2, 3]) == ZeroInflated(0.0, fit_beta(8, [1, 2, 3]))


@given(COUNTS)
@settings(deadline=None, max_examples=20)
def test_the_order_of_problems_does_not_matter(counts: list[tuple[int, int]]) -> None:
    there, back = counts, counts[::-1]
    assert fit_beta(*zip(*there, strict=True)) == fit_beta(*zip(*back, strict=True))
    assert fit_zero_inflated(*zip(*there, strict=True)) == fit_zero_inflated(*zip(*back, strict=True))


def test_no_problems_and_impossible_counts_are_sentences() -> None:
    for function in (fit_beta, fit_zero_inflated, ladder, drawn_p):
        with pytest.raises(ValueError, match="no problems"):
            function([], [])
        with pytest.raises(ValueError, match="c must be at most n"):
            function([4], [5])


def test_a_rung_is_likely_as_the_beta_binomial_says() -> None:
    n, c = [128, 128, 4, 0], [0, 7, 4, 0]
    on = ladder(n, c)
    for problem, kind in enumerate(on.kind):
        log = betaln(on.a + c[problem], on.b + n[problem] - c[problem]) - betaln(on.a, on.b)
        at_zero = 0.0 if c[problem] == 0 else -np.inf
        expected = np.exp(np.append(log, at_zero) - max(log.max(), at_zero))
        np.testing.assert_allclose(on.likelihood[kind], expected, rtol=1e-12)


def test_the_ladder_has_no_gaps() -> None:
    """Even weights on its rungs make a density that is smooth in log odds between its ends, not a comb."""
    on = ladder(1024, [5])
    odds = np.linspace(-7, 7, 400)
    p = 1 / (1 + np.exp(-odds))
    density = np.exp(on.a[:, None] * np.log(p) + on.b[:, None] * np.log1p(-p) - betaln(on.a, on.b)[:, None]).sum(axis=0)
    assert density.max() / density.min() < 1.1


def test_draws_agree_with_the_posterior_where_the_prior_is_known() -> None:
    """4,000 problems fix the prior; the posterior mean of each kind of counts is then (a + c) / (a + b + n)."""
    n = 32
    c = drawn(0.4, 0.9, 4000, n)
    p = drawn_p(n, c, draws=100)
    for correct in (0, 1, 5, 20):
        expected = (0.4 + correct) / (1.3 + n)
        assert p[:, c == correct].mean() == pytest.approx(expected, rel=0.15)


def test_draws_belong_to_the_problem_in_its_place() -> None:
    c = np.array([512, 0, 1024, 3, 0, 900])
    p = drawn_p(1024, c, draws=400)
    np.testing.assert_allclose(p.mean(axis=0), c / 1024, atol=0.02)
    back = drawn_p(1024, c[::-1], draws=400)
    np.testing.assert_allclose(back.mean(axis=0)[::-1], c / 1024, atol=0.02)


def test_never_solved_may_mean_never() -> None:
    """Half the problems at 0 of 1024 and half near 1: nearly all of the first half are taken for far below 1/1024."""
    c = np.repeat([0, 900], 50)
    p = drawn_p(1024, c, draws=200)
    assert (-np.expm1(1024 * np.log1p(-p[:, :50]))).mean() < 0.1


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (drawn_p(16, [0, 3, 16], draws=60, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
