"""CoT-pass@k: exact where all was read, an estimate from a random stratum, bounds always; nothing from nothing."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.cot import cot_estimate, cot_pass_at_k, sound_share
from engine.analyses.passk import mean_pass_at_k, pass_curve


def test_it_equals_the_share_of_subsets_that_hold_a_sound_right_answer() -> None:
    for n in range(1, 8):
        for sound in range(n + 1):
            for k in range(1, n + 1):
                hit = sum(min(subset) < sound for subset in combinations(range(n), k))
                all_of_them = sum(1 for _ in combinations(range(n), k))
                assert cot_pass_at_k(n, sound, [k])[0, 0] == pytest.approx(float(Fraction(hit, all_of_them)), abs=1e-12)


@st.composite
def partly_read(draw: st.DrawFn) -> tuple[list[int], list[int], list[int], list[int]]:
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        n = draw(st.integers(1, 30))
        c = draw(st.integers(0, n))
        m = draw(st.integers(0, c))
        rows.append((n, c, m, draw(st.integers(0, m))))
    first, second, third, fourth = (list(column) for column in zip(*rows, strict=True))
    return first, second, third, fourth


@settings(max_examples=60, deadline=None)
@given(partly_read(), st.sampled_from([(None, None), (1.0, 1.0), (0.5, 3.0)]))
def test_the_estimate_lies_between_the_bounds_and_the_bounds_between_nothing_and_pass_at_k(
    counts: tuple[list[int], list[int], list[int], list[int]], prior: tuple[float | None, float | None]
) -> None:
    n, c, m, v = counts
    ks = [1, min(n)]
    found = cot_estimate(n, c, m, v, ks, *prior, draws=300)
    assert (found.low_bound >= -1e-12).all()
    assert (found.high_bound <= mean_pass_at_k(n, c, ks) + 1e-12).all()
    if np.isnan(found.mean).any():
        assert sum(m) == 0
        return
    for lower, higher in pairwise([found.low_bound, found.low, found.high, found.high_bound]):
        assert (lower <= higher + 1e-9).all()
    assert ((found.low_bound <= found.mean + 1e-9) & (found.mean <= found.high_bound + 1e-9)).all()


def test_where_everything_was_read_it_is_exact() -> None:
    found = cot_estimate([8, 8], [3, 5], [3, 5], [1, 5], [1, 2, 8])
    exact = mean_pass_at_k([8, 8], [1, 5], [1, 2, 8])
    for value in (found.mean, found.low, found.high, found.low_bound, found.high_bound):
        assert value == pytest.approx(exact)


def test_nothing_read_at_random_gives_bounds_and_no_estimate() -> None:
    found = cot_estimate([8, 8], [3, 5], [0, 0], [0, 0], [1], at_least=[1, 0], at_most=[2, 5])
    assert np.isnan([*found.mean, *found.low, *found.high]).all()
    assert found.low_bound == pytest.approx([1 / 16])
    assert found.high_bound == pytest.approx([7 / 16])


def test_the_mean_is_that_of_the_formula_under_a_flat_prior() -> None:
    """E[D] = v + (c - m) (v + a) / (m + a + b); pass@1 is linear in D."""
    found = cot_estimate([1000], [400], [10], [7], [1], 1, 1, draws=40_000)
    assert found.mean[0] == pytest.approx((7 + 390 * 8 / 12) / 1000, abs=2e-3)
    skewed = cot_estimate([1000], [400], [10], [7], [1], 20, 1, draws=40_000)
    assert skewed.mean[0] == pytest.approx((7 + 390 * 27 / 31) / 1000, abs=2e-3)


def test_a_problem_that_nobody_read_takes_after_the_others_and_not_after_a_flat_prior() -> None:
    n, c = [100] * 21, [50] * 21
    read, sound = [10] * 20 + [0], [10] * 20 + [0]
    fitted, flat = (cot_estimate(n, c, read, sound, [1], *prior).mean[0] for prior in ((None, None), (1, 1)))
    assert fitted == pytest.approx(0.5, abs=0.01)
    assert flat < fitted - 0.02


def test_labels_chosen_otherwise_narrow_the_draws() -> None:
    open_, bounded = (
        cot_estimate([100], [50], [4], [2], [1], at_least=low, at_most=high) for low, high in (([2], [48]), ([20], [30]))
    )
    assert open_.low[0] < 0.2 <= bounded.low[0]
    assert bounded.high[0] <= 0.3 < open_.high[0]


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Shares of sound chains differ by problem; right answers are read at random; 300 datasets."""
    random = np.random.default_rng(5)
    held = 0
    for _ in range(300):
        theta = random.beta(4, 2, 40)
        c = random.integers(1, 60, 40)
        sound = random.binomial(c, theta)
        read = np.minimum(c, 3)
        found_sound = random.hypergeometric(sound, c - sound, read)
        found = cot_estimate(64, c, read, found_sound, [1, 16], draws=400)
        truth = pass_curve(np.full(40, 64), sound, [1, 16]).mean(axis=0)
        held += int(((found.low <= truth) & (truth <= found.high)).sum())
    assert 0.92 <= held / 600 <= 0.985


def test_the_same_input_gives_the_same_figures() -> None:
    first, second = (cot_estimate([50] * 3, [20] * 3, [5] * 3, [3, 4, 5], [1, 50], seed=7) for _ in range(2))
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.low, second.low)


def test_k_beyond_n_is_unknown() -> None:
    assert np.isnan(cot_estimate([4, 8], [2, 2], [1, 1], [1, 0], [5]).mean[0])


def test_the_share_of_right_answers_with_sound_chains() -> None:
    found = sound_share([4, 0, 10], [2, 0, 1])
    assert found.mean == pytest.approx((0.5 + 0.1) / 2)
    assert found.pooled == pytest.approx(3 / 14)
    assert np.isnan(sound_share([0, 0], [0, 0]).mean)


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (([4], [5], [0], [0]), "right answers must be between 0 and n"),
        (([4], [3], [4], [0]), "audited right answers must be between 0 and c"),
        (([4], [3], [2], [3]), "sound ones must be between 0 and the audited"),
        (([], [], [], []), "no problems"),
        (([4], [3.5], [2], [1]), "whole numbers"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts: tuple[list[int], ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        cot_estimate(counts[0], counts[1], counts[2], counts[3], [1])


def test_sound_answers_that_the_verifier_calls_wrong_come_on_top() -> None:
    plain, more = (cot_estimate([50], [20], [5], [3], [1], known=known, draws=4000) for known in (0, 4))
    for name in ("mean", "low", "high", "low_bound", "high_bound"):
        assert getattr(more, name) == pytest.approx(getattr(plain, name) + 4 / 50)
    with pytest.raises(ValueError, match="beyond c"):
        cot_estimate([4], [3], [2], [1], [1], known=2)


def test_half_a_prior_and_crossed_bounds_are_refused() -> None:
    with pytest.raises(ValueError, match="both a and b"):
        cot_estimate([4], [3], [2], [1], [1], a=1)
    with pytest.raises(ValueError, match="positive"):
        cot_estimate([4], [3], [2], [1], [1], a=0, b=1)
    with pytest.raises(ValueError, match="bounds"):
        cot_estimate([4], [3], [2], [1], [1], at_least=[3], at_most=[2])
    with pytest.raises(ValueError, match="sound chains"):
        sound_share([1], [2])
