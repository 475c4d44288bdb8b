"""Beyond n: the two fits as formulas, and Efron-Thisted against what further samples really solve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.beyond import beta_pass_at_k, efron_thisted, envelope
from engine.analyses.prior import Beta, fit_beta, fit_zero_inflated


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


def test_the_envelope_is_made_of_the_two_fits() -> None:
    n, c = drawn(0.5, 1.0, zero=0.3)
    ks = (1, 128, 1024, 10**6)
    found = envelope(n, c, ks)
    plain, twin = fit_beta(n, c), fit_zero_inflated(n, c)
    np.testing.assert_allclose(found.beta, beta_pass_at_k(plain, ks))
    np.testing.assert_allclose(found.zero_inflated, (1 - twin.zero) * beta_pass_at_k(twin.beta, ks))
    np.testing.assert_array_equal(found.low, np.minimum(found.beta, found.zero_inflated))
    np.testing.assert_array_equal(found.high, np.maximum(found.beta, found.zero_inflated))
    assert found.ks == ks
    assert (np.diff(found.low) >= 0).all()
    assert (found.low >= 0).all()
    assert (found.high <= 1).all()


def test_where_a_share_is_never_solved_the_two_fits_part_beyond_n() -> None:
    n, c = drawn(0.8, 1.0, zero=0.3)
    found = envelope(n, c, [1, 10**6])
    width = found.high - found.low
    assert width[0] < 0.06
    assert width[1] > 0.1
    assert float(found.zero_inflated[1]) == pytest.approx(0.7, abs=0.06)
    assert float(found.beta[1]) > 0.8


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
