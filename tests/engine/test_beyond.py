"""Beyond n: the two fits as formulas, and Efron-Thisted against what further samples really solve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.beyond import beta_pass_at_k, efron_thisted, envelope
from engine.analyses.prior import Beta, ZeroInflated, fit_beta, fit_zero_inflated, log_likelihood


def drawn(
    a: float, b: float, zero: float = 0.0, problems: int = 400, n: int = 128, seed: int = 0
) -> tuple[list[int], list[int]]:
    rng = np.random.default_rng(seed)
    p = rng.beta(a, b, problems) * (rng.random(problems) >= zero)
    return [n] * problems, rng.binomial(n, p).tolist()


@given(st.floats(0.05, 20), st.floats(0.05, 20), st.integers(1, 60))
def test_a_beta_s_pass_at_k_is_one_minus_the_product_of_failures(a: float, b: float, k: int) -> None:
    """B(a, b + k) / B(a, b) is the chance of k failures in a row, each b + i out of a + b + i."""
    failures = np.prod([(b + i) / (a + b + i) for i in range(k)])
    assert float(beta_pass_at_k(Beta(a, b), [k])[0]) == pytest.approx(1 - failures, abs=1e-10)


def test_the_envelope_holds_the_better_fit_and_stays_within_zero_and_one() -> None:
    n, c = drawn(0.5, 1.0, zero=0.3)
    ks = (1, 128, 1024, 10**6)
    found = envelope(n, c, ks)
    plain, twin = fit_beta(n, c), fit_zero_inflated(n, c)
    np.testing.assert_allclose(found.beta, beta_pass_at_k(plain, ks))
    np.testing.assert_allclose(found.zero_inflated, (1 - twin.zero) * beta_pass_at_k(twin.beta, ks))
    assert (found.low < found.zero_inflated).all()
    assert (found.zero_inflated < found.high).all()
    assert found.ks == ks
    assert (np.diff(found.low) >= 0).all()
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()


def test_where_a_share_is_never_solved_the_two_fits_part_beyond_n() -> None:
    n, c = drawn(0.8, 1.0, zero=0.3)
    found = envelope(n, c, [1, 10**6])
    width = found.high - found.low
    assert width[0] < 0.08
    assert width[1] > width[0]
    assert float(found.zero_inflated[1]) == pytest.approx(0.7, abs=0.06)
    assert float(found.beta[1]) > 0.8


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([(30, 0.3, 2.0, 0.2), (200, 0.1, 10.0, 0.0), (400, 3.0, 3.0, 0.1)]))
def test_no_fit_that_is_nearly_as_likely_leaves_the_envelope(seed: int, population: tuple[int, float, float, float]) -> None:
    """Random steps away from the best fit; those within 1.92 of its likelihood count."""
    problems, a, b, zero = population
    n, c = drawn(a, b, zero, problems, seed=seed)
    ks = [1, 256, 2048, 10**5]
    found, best = envelope(n, c, ks), fit_zero_inflated(n, c)
    most = log_likelihood(n, c, best)
    rng = np.random.default_rng(seed)
    inside = 0
    for scale in np.repeat([0.03, 0.1, 0.3, 1.0], 40):
        near = Beta(*np.exp(np.log([best.beta.a, best.beta.b]) + scale * rng.normal(size=2)))
        one = ZeroInflated(float(np.clip(best.zero + scale * rng.normal() / 3, 0, 1)), near)
        if log_likelihood(n, c, one) >= most - 1.92:
            inside += 1
            value, slack = (1 - one.zero) * beta_pass_at_k(near, ks), 0.1 * (found.high - found.low)
            assert (value >= found.low - slack).all()
            assert (value <= found.high + slack).all()
    assert inside > 5


def test_counts_that_tell_nothing_have_a_wide_envelope() -> None:
    none = envelope([128] * 10, [0] * 10, [128, 2048])
    assert none.low.tolist() == [0.0, 0.0]
    # Ten problems with one common p: (1 - p)^1280 = exp(-1.92) at the end.
    assert none.high[0] == pytest.approx(1 - np.exp(-0.192), abs=0.01)
    assert none.high[1] > 0.9
    every = envelope([128] * 10, [128] * 10, [1, 2048])
    assert every.low[1] == pytest.approx(np.exp(-0.192), abs=0.02)
    assert every.high.tolist() == [pytest.approx(1.0), pytest.approx(1.0)]


@pytest.mark.parametrize(("a", "b", "zero"), [(0.3, 2.0, 0.0), (0.4, 2.0, 0.15), (0.1, 10.0, 0.0)])
def test_the_envelope_holds_what_these_problems_are_solved_of_at_twice_n(a: float, b: float, zero: float) -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(40):
        p = rng.beta(a, b, 60) * (rng.random(60) >= zero)
        found = envelope([128] * 60, rng.binomial(128, p), [256])
        held += bool(found.low[0] <= (1 - (1 - p) ** 256).mean() <= found.high[0])
    assert held >= 36


def test_the_fit_foretells_what_a_beta_population_solves() -> None:
    n, c = drawn(0.3, 1.0, problems=3000)
    truth = beta_pass_at_k(Beta(0.3, 1.0), [256, 1024])
    np.testing.assert_allclose(envelope(n, c, [256, 1024]).beta, truth, atol=0.03)


@pytest.mark.parametrize(("a", "b"), [(0.3, 1.0), (0.1, 0.3), (1.0, 3.0)])
@pytest.mark.parametrize("n", [8, 128, 1024])
def test_efron_thisted_is_right_on_average_and_knows_its_error(n: int, a: float, b: float) -> None:
    errors, told = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        p = rng.beta(a, b, 300)
        c = rng.binomial(n, p)
        expected, error = efron_thisted([n] * 300, c)
        truth = float(((c == 0) * (1 - (1 - p) ** n)).sum())
        errors.append(expected - truth)
        told.append(error)
    assert abs(np.mean(errors)) <= 0.3 * np.mean(told)
    assert np.std(errors) <= 1.4 * np.mean(told)


@settings(deadline=None)
@given(st.lists(st.integers(0, 128), min_size=1, max_size=60), st.floats(1.01, 2.0))
def test_efron_thisted_stays_between_nothing_and_all_unsolved(c: list[int], factor: float) -> None:
    expected, error = efron_thisted([128] * len(c), c, factor)
    assert 0.0 <= expected <= c.count(0)
    assert error >= 0.0


def test_problems_that_are_always_solved_do_not_count() -> None:
    """Good and Toulmin's raw sum has -1 for each of them."""
    rare = [1] * 8 + [2] * 3 + [0] * 40
    alone = efron_thisted([128] * len(rare), rare)
    among = efron_thisted([128] * (len(rare) + 500), rare + [128] * 500)
    assert alone == among
    assert alone[0] > 4
    assert efron_thisted([128] * 30, [0] * 30) == (0.0, 0.0)


def test_too_few_samples_know_nothing() -> None:
    assert np.isnan(efron_thisted([3, 100], [1, 0])).all()
    with pytest.raises(ValueError, match="above 1 and at most 2"):
        efron_thisted([8], [1], 3.0)
    with pytest.raises(ValueError, match="no judged samples"):
        efron_thisted([0], [0])
    with pytest.raises(ValueError, match="no problems"):
        efron_thisted([], [])
    with pytest.raises(ValueError, match="whole numbers of at least 1"):
        envelope([8], [1], [0])
