"""Bins, G-Pass@k and Cover@tau against enumeration, exact rationals and the identities that tie them to pass@k."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, pairwise
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.accuracy import BINS, cover_at_tau, g_pass_at_k, histogram
from engine.analyses.passk import pass_at_k, plug_in_pass_at_k

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def label(n: int, c: int) -> str:
    """The bin's name, found by asking for its two ends."""
    share = Fraction(c, n)
    if share in (0, 1):
        return str(share)
    tenth = next(tenth for tenth in range(10) if Fraction(tenth, 10) < share <= Fraction(tenth + 1, 10))
    return {0: "(0, .1]", 9: "(.9, 1)"}.get(tenth, f"(.{tenth}, .{tenth + 1}]")


@given(st.lists(counts, max_size=30))
def test_every_problem_is_in_the_bin_whose_ends_hold_its_accuracy(problems: list[tuple[int, int]]) -> None:
    n, c = ([one[side] for one in problems] for side in (0, 1))
    expected = [sum(label(*one) == name for one in problems) for name in BINS]
    assert histogram(n, c).tolist() == expected


def test_the_ends_of_bins_are_tenths_and_not_their_roundings() -> None:
    assert len(BINS) == 12
    tenths = dict(zip(BINS, histogram([10] * 11, range(11)).tolist(), strict=True))
    assert tenths.pop("(.9, 1)") == 0
    assert set(tenths.values()) == {1}
    assert histogram([1000], [301])[BINS.index("(.3, .4]")] == 1
    assert histogram([1000], [300])[BINS.index("(.2, .3]")] == 1
    assert histogram([1000, 1000], [1, 999]).tolist() == [0, 1, *[0] * 8, 1, 0]


def test_a_problem_without_samples_has_no_accuracy() -> None:
    with pytest.raises(ValueError, match=r"problem 1 \(from 0\) has no judged samples"):
        histogram([4, 0], [2, 0])
    with pytest.raises(ValueError, match="no judged samples"):
        cover_at_tau([4, 0], [2, 0], [0.5])


@pytest.mark.parametrize("n", range(1, 8))
def test_g_pass_is_the_share_of_draws_with_enough_correct_ones(n: int) -> None:
    for c in range(n + 1):
        for k in range(1, n + 1):
            draws = [sum(draw) for draw in combinations([1] * c + [0] * (n - c), k)]
            for least in range(1, k + 1):
                expected = sum(found >= least for found in draws) / len(draws)
                assert float(g_pass_at_k([n], [c], k, least / k)[0]) == pytest.approx(expected, abs=1e-14)


@given(counts, st.data())
def test_g_pass_equals_exact_rationals(nc: tuple[int, int], data: st.DataObject) -> None:
    n, c = nc
    k = data.draw(st.integers(1, n))
    tenth = data.draw(st.integers(1, 10))
    least = -(-tenth * k // 10)
    ways = sum(comb(c, j) * comb(n - c, k - j) for j in range(least, k + 1))
    assert float(g_pass_at_k([n], [c], k, tenth / 10)[0]) == pytest.approx(float(Fraction(ways, comb(n, k))), abs=1e-13)


@given(st.lists(counts, min_size=1, max_size=10), st.integers(1, 60))
def test_g_pass_with_one_correct_one_is_pass_at_k(problems: list[tuple[int, int]], k: int) -> None:
    n, c = zip(*problems, strict=True)
    np.testing.assert_array_equal(g_pass_at_k(n, c, k, 1e-6), pass_at_k(n, c, k))
    stricter = [g_pass_at_k(n, c, k, tau) for tau in (0.01, 0.3, 0.5, 0.9, 1.0)]
    for loose, strict in pairwise(stricter):
        assert (~(strict > loose + 1e-12)).all()
        assert (np.isnan(strict) == (np.array(n) < k)).all()


def test_fifty_five_hundredths_of_a_hundred_are_fifty_five() -> None:
    assert 0.55 * 100 > 55, "as floats multiply"
    assert g_pass_at_k([100], [55], 100, 0.55).tolist() == [1.0]
    assert cover_at_tau([100, 100], [55, 54], [0.55]).tolist() == [0.5]


def test_g_pass_keeps_its_digits_where_n_is_large() -> None:
    n, c, k = 100_000, 3_000, 64
    ways = sum(Fraction(comb(c, j) * comb(n - c, k - j), comb(n, k)) for j in range(8, k + 1))
    assert float(g_pass_at_k([n], [c], k, 0.125)[0]) == pytest.approx(float(ways), rel=1e-8)


@given(st.lists(counts, min_size=1, max_size=12), st.integers(1, 12))
def test_the_integral_of_cover_is_the_plug_in(problems: list[tuple[int, int]], k: int) -> None:
    """Of k (1 - tau)^(k - 1) Cover@tau, exactly: Cover steps down behind each accuracy seen."""
    n, c = zip(*problems, strict=True)
    ends = sorted({0.0, 1.0, *(one / of for of, one in problems)})
    height = cover_at_tau(n, c, ends[1:])
    area = [(1 - left) ** k - (1 - right) ** k for left, right in pairwise(ends)]
    plug_in = [1.0 if one == of else 1 - (1 - one / of) ** k for of, one in problems]
    assert float(height @ area) == pytest.approx(float(np.mean(plug_in)), abs=1e-12)
    if k <= min(n):
        assert float(np.mean(plug_in)) == pytest.approx(float(plug_in_pass_at_k(n, c, k).mean()), abs=1e-12)


@given(st.lists(counts, min_size=1, max_size=12))
def test_cover_falls_from_one_to_the_share_of_certain_problems(problems: list[tuple[int, int]]) -> None:
    n, c = zip(*problems, strict=True)
    cover = cover_at_tau(n, c, np.linspace(0, 1, 21))
    assert cover[0] == 1.0
    assert cover[-1] == pytest.approx(sum(one == of for of, one in problems) / len(problems))
    assert (np.diff(cover) <= 0).all()


def test_what_makes_no_sense_is_refused() -> None:
    for tau in (0.0, 1.1, -1.0):
        with pytest.raises(ValueError, match="tau must be above 0"):
            g_pass_at_k([4], [2], 2, tau)
    with pytest.raises(ValueError, match="between 0 and 1"):
        cover_at_tau([4], [2], [0.5, 1.5])
    with pytest.raises(ValueError, match="k must be at least 1"):
        g_pass_at_k([4], [2], 0, 0.5)
    with pytest.raises(ValueError, match="c must be at most n"):
        histogram([4], [5])
    with pytest.raises(ValueError, match="no problems"):
        cover_at_tau([], [], [0.5])
