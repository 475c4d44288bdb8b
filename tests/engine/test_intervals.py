"""Bands: exact limits against published tables, rank bands against their definition, draws against what they must centre on.

How often the bands hold the truth is `benchmarks/intervals.py`; here is a small version of it that would notice a break.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import beta, binom

from engine.analyses.intervals import (
    Interval,
    band,
    bounding_means,
    clopper_pearson,
    curve_bands,
    interval,
    posterior_curves,
    resampled_curves,
    resampled_means,
    zero_bound,
)
from engine.analyses.passk import mean_pass_at_k

LEVELS = st.sampled_from([0.8, 0.9, 0.95])
CURVES = arrays(np.float64, st.tuples(st.integers(40, 90), st.integers(1, 4)), elements=st.integers(0, 12).map(float))


@pytest.mark.parametrize(
    ("n", "c", "low", "high"),
    [
        (10, 0, 0.0, 0.3085),
        (10, 1, 0.0025, 0.4450),
        (10, 5, 0.1871, 0.8129),
        (20, 3, 0.0321, 0.3789),
        (263, 81, 0.2527, 0.3676),
        (148, 15, 0.0578, 0.1617),
    ],
)
def test_clopper_pearson_is_the_published_one(n: int, c: int, low: float, high: float) -> None:
    """Tables of Clopper and Pearson 1934 (n = 10, 20); Newcombe 1998, table I (263 and 148)."""
    found = clopper_pearson(n, c)
    assert [float(limit) for limit in found] == pytest.approx([low, high], abs=5e-5)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), LEVELS)
def test_clopper_pearson_inverts_the_binomial_tails(counts: tuple[int, int], level: float) -> None:
    n, c = counts
    low, high = (float(limit) for limit in clopper_pearson(n, c, level))
    tail = (1 - level) / 2
    assert low == 0 if c == 0 else binom.sf(c - 1, n, low) == pytest.approx(tail)
    assert high == 1 if c == n else binom.cdf(c, n, high) == pytest.approx(tail)


def test_limits_of_many_problems_and_of_none() -> None:
    low, high = clopper_pearson([4, 4, 0], [0, 4, 0])
    assert low.tolist() == [0.0, pytest.approx(0.025 ** (1 / 4)), 0.0]
    assert high.tolist() == [pytest.approx(1 - 0.025 ** (1 / 4)), 1.0, 1.0]


def test_zero_of_n_bounds_p_but_hardly_pass_at_n() -> None:
    assert zero_bound(1024) == pytest.approx(0.0029, abs=5e-5)
    assert 1 - (1 - zero_bound(1024)) ** 1024 == pytest.approx(0.95)
    assert zero_bound(0) == 1.0
    with pytest.raises(ValueError, match="at least 0"):
        zero_bound(-1)


@given(CURVES, LEVELS)
def test_limits_are_order_statistics(curves: np.ndarray, level: float) -> None:
    """Each pointwise limit leaves at most (1 - level) / 2 of the draws outside; the next draw inwards would leave more."""
    middle = np.median(curves, axis=0)
    found = band(curves, middle, level)
    outside = (1 - level) / 2 * (len(curves) + 1)
    assert ((curves < found.low).sum(axis=0) < outside).all()
    assert ((curves > found.high).sum(axis=0) < outside).all()
    assert ((curves <= found.low).sum(axis=0) + 1e-6 >= np.floor(outside)).all()


@given(CURVES, LEVELS)
def test_the_simultaneous_band_holds_whole_curves(curves: np.ndarray, level: float) -> None:
    found = band(curves, np.median(curves, axis=0), level)
    inside = ((curves >= found.low_all) & (curves <= found.high_all)).all(axis=1)
    assert inside.mean() >= level - 1e-9
    assert (found.low_all <= found.low).all()
    assert (found.high_all >= found.high).all()


@given(CURVES, LEVELS)
def test_a_band_of_the_negated_curves_is_the_negated_band(curves: np.ndarray, level: float) -> None:
    middle = curves.mean(axis=0)
    there, back = band(curves, middle, level), band(-curves, -middle, level)
    for ours, theirs in ((there.low, back.high), (there.low_all, back.high_all), (there.high, back.low)):
        np.testing.assert_array_equal(ours, -theirs)


def test_no_narrower_band_of_equal_ranks_holds_as_many() -> None:
    curves = np.random.default_rng(0).normal(size=(999, 5)).cumsum(axis=1)
    found = band(curves, np.zeros(5))
    ordered = np.sort(curves, axis=0)
    rank = int(np.flatnonzero(ordered[:, 0] == found.low_all[0])[0])
    inside = ((curves >= ordered[rank + 1]) & (curves <= ordered[-rank - 2])).all(axis=1)
    assert inside.mean() < 0.95


def test_a_band_holds_its_estimate_and_needs_enough_draws() -> None:
    curves = np.linspace(0.2, 0.4, 100)[:, None]
    assert band(curves, [0.5]).high[0] == band(curves, [0.5]).high_all[0] == 0.5
    assert interval(curves[:, 0], 0.1) == Interval(0.1, float(curves[-2, 0]))
    with pytest.raises(ValueError, match="too few"):
        band(curves[:20], [0.3])
    with pytest.raises(ValueError, match="between 0 and 1"):
        band(curves, [0.3], level=95)


def test_saturated_columns_do_not_widen_the_others() -> None:
    """Where every curve is 1 all draws are equal, none of them extreme."""
    curves = np.random.default_rng(0).random((500, 1))
    alone = band(curves, [0.5])
    beside = band(np.concatenate([curves, np.ones((500, 3))], axis=1), [0.5, 1, 1, 1])
    assert (beside.low_all[0], beside.high_all[0]) == (alone.low_all[0], alone.high_all[0])


def test_problems_drawn_again_centre_on_the_estimate_with_its_standard_error() -> None:
    rng = np.random.default_rng(3)
    c = rng.binomial(64, rng.beta(0.5, 0.5, 400))
    curves = resampled_curves(64, c, [1, 8, 64])
    np.testing.assert_allclose(curves.mean(axis=0), mean_pass_at_k(64, c, [1, 8, 64]), atol=0.004)
    assert curves[:, 0].std() == pytest.approx((c / 64).std() / np.sqrt(401), rel=0.04)


@pytest.mark.parametrize(("problems", "right"), [(30, 0), (30, 30), (30, 3), (100, 41)])
def test_right_or_wrong_problems_make_it_the_interval_of_jeffreys(problems: int, right: int) -> None:
    """Problems always or never solved: the mean is Beta(right + 1/2, wrong + 1/2), Jeffreys' posterior of a share."""
    values = np.repeat([1.0, 0.0], [right, problems - right])[:, None]
    drawn = resampled_means(values, 0.0, 1.0, resamples=40_000)[:, 0]
    for share in (0.025, 0.5, 0.975):
        assert np.quantile(drawn, share) == pytest.approx(beta(right + 0.5, problems - right + 0.5).ppf(share), abs=0.006)


def test_all_right_does_not_mean_certain() -> None:
    found = curve_bands(8, [8] * 30, [1, 8])
    assert found.estimate.tolist() == [1.0, 1.0]
    assert 0.9 < found.problems.low[1] < 0.97
    assert 0.9 < found.samples.low[0] < 1.0
    assert found.samples.high.tolist() == found.problems.high.tolist() == [1.0, 1.0]


def test_sampling_alone_is_never_wider_than_what_a_flat_prior_would_do() -> None:
    """c = 0 of n = k = 1024 among problems that are easy or never solved: pass@k is near 0, where a flat prior says 0.5."""
    curves = posterior_curves(1024, np.repeat([0, 1000], 40), [1024], draws=400)
    assert curves.mean() == pytest.approx(0.5, abs=0.05)
    assert np.quantile(curves, 0.975) < 0.6


@given(st.permutations(range(12)))
@settings(max_examples=30)
def test_the_order_of_problems_changes_nothing(order: list[int]) -> None:
    n, c = np.full(12, 16), np.array([0, 0, 1, 1, 2, 3, 5, 8, 13, 15, 16, 16])
    ks = [1, 4, 16]
    np.testing.assert_array_equal(resampled_curves(n, c, ks, 50), resampled_curves(n[order], c[order], ks, 50))
    np.testing.assert_array_equal(posterior_curves(n, c, ks, 50), posterior_curves(n[order], c[order], ks, 50))


def test_posterior_curves_rise_with_k_and_stay_in_bounds() -> None:
    curves = posterior_curves([64, 64, 32], [0, 3, 32], [1, 2, 8, 64, 1000], draws=300)
    assert (np.diff(curves, axis=1) >= 0).all()
    assert ((curves >= 0) & (curves <= 1)).all()


def test_a_k_beyond_some_n_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="smallest n"):
        curve_bands([8, 4], [1, 1], [1, 8])
    assert np.isnan(resampled_curves([8, 4], [1, 1], [8], 50)).all()
    with pytest.raises(ValueError, match="no problems"):
        resampled_curves([], [], [1])


def test_the_same_seed_gives_the_same_band_and_the_level_widens_it() -> None:
    n, c = 16, [0, 1, 4, 9, 16, 2]
    first, again, wide = (curve_bands(n, c, [1, 4], level=level) for level in (0.9, 0.9, 0.99))
    np.testing.assert_array_equal(first.samples.low, again.samples.low)
    assert (wide.samples.low < first.samples.low).all()
    assert (wide.problems.high_all > first.problems.high_all).all()


@pytest.mark.parametrize("spike", [0.0, 0.4])
def test_bands_hold_the_truth_about_as_often_as_they_say(spike: float) -> None:
    """60 problems, n = 64, 100 repetitions: at 95 % coverage fewer than 88 hits at some k happen less than once in 300 runs."""
    ks, hits = [1, 8, 64], np.zeros((2, 3))
    for repeat in range(100):
        rng = np.random.default_rng(repeat)
        p = np.where(rng.random(60) < spike, 0.0, rng.beta(0.5, 1.0, 60))
        c = rng.binomial(64, p)
        truth = np.array([(1 - (1 - p) ** k).mean() for k in ks])
        over = np.array([(1 - spike) * (1 - np.prod(1 - 0.5 / (1.5 + np.arange(k)))) for k in ks])
        estimate = mean_pass_at_k(64, c, ks)
        for row, (drawn, target) in enumerate(
            ((posterior_curves(64, c, ks, 300, repeat), truth), (resampled_curves(64, c, ks, 600, repeat), over))
        ):
            found = band(drawn, estimate)
            hits[row] += (found.low <= target) & (target <= found.high)
    assert (hits >= 88).all(), hits


@pytest.mark.parametrize(("ones", "problems"), [(0, 59), (3, 20), (7, 7)])
def test_bounding_means_of_zeros_and_ones_are_clopper_pearsons(ones: int, problems: int) -> None:
    lower, upper = bounding_means(np.repeat([1.0, 0.0], [ones, problems - ones]), 0.0, 1.0, resamples=40_000)
    low, high = clopper_pearson(problems, ones, 0.9)
    np.testing.assert_allclose(np.quantile(lower, 0.05), low, atol=0.004)
    np.testing.assert_allclose(np.quantile(upper, 0.95), high, atol=0.004)


def test_bounding_means_turn_with_the_values() -> None:
    values = np.random.default_rng(0).uniform(-1, 1, 30)
    lower, upper = bounding_means(values, -1.0, 1.0, resamples=100)
    turned = bounding_means(-values, -1.0, 1.0, resamples=100)
    np.testing.assert_array_equal(lower, -turned[1])
    np.testing.assert_array_equal(upper, -turned[0])
    assert (lower < upper).all()
    with pytest.raises(ValueError, match="no problems"):
        bounding_means(np.zeros(0), -1.0, 1.0)
