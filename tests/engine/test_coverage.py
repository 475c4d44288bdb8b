"""Coverage against the published problem sets, and against draws made by hand where n differs."""

from __future__ import annotations

import csv
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.coverage import Coverage, coverage, exchangeable, mcnemar_exact
from engine.analyses.passk import k_grid, mean_pass_at_k

Problem = tuple[int, int, int, int]
"""base n, base c, other n, other c."""

AIME24_BASE = {0, 1, 4, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26, 27, 28, 29}
AIME24_RL = {0, 1, 6, 7, 8, 9, 12, 14, 15, 16, 18, 22, 23, 24, 25, 26, 27, 28, 29}

# fmt: off
LCB_BASE = {400, 402, 403, 407, 409, 412, 413, 417, 418, 419, 422, 423, 427, 432, 433, 436, 438, 439, 440, 444, 445, 448, 449}
LCB_RL = {400, 402, 403, 407, 412, 413, 417, 418, 419, 422, 423, 427, 430, 433, 438, 439, 440, 444, 445, 449}
# fmt: on

REPRODUCTION = Path(__file__).parents[3] / "shared" / "data" / "limit_of_rlvr_repro" / "nc_table_dev.csv"


def of_sets(problems: range, base: set[int], other: set[int], n: int = 1024) -> Coverage:
    """Coverage of two models known only by the problems each solves at n."""
    keys = [str(problem) for problem in problems]
    return coverage(keys, n, [int(p in base) for p in problems], n, [int(p in other) for p in problems])


def of_problems(problems: list[Problem], k: int | None = None) -> Coverage:
    base_n, base_c, other_n, other_c = zip(*problems, strict=True)
    return coverage([f"p{i}" for i in range(len(problems))], base_n, base_c, other_n, other_c, k)


@st.composite
def one_problem(draw: st.DrawFn) -> Problem:
    base_n, other_n = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    return base_n, draw(st.integers(0, base_n)), other_n, draw(st.integers(0, other_n))


many_problems = st.lists(one_problem(), min_size=1, max_size=25)


def test_aime24_as_published() -> None:
    result = of_sets(range(30), AIME24_BASE, AIME24_RL)
    assert result.k == 1024
    assert result.base_only == ("4", "11", "17", "19")
    assert result.other_only == ()
    assert result.neither == ("2", "3", "5", "10", "13", "20", "21")
    assert result.mcnemar_p == 0.125
    assert result.srr == pytest.approx(0.826, abs=5e-4)
    assert result.ndr == 0.0
    assert result.sds == 0.0
    assert result.nscr == pytest.approx(-0.174, abs=5e-4)
    shares = [100 * size / 30 for size in result.expected]
    assert shares == pytest.approx([63.3, 13.3, 0.0, 23.3], abs=0.05)


def test_livecodebench_as_published() -> None:
    result = of_sets(range(400, 450), LCB_BASE, LCB_RL)
    assert result.base_only == ("409", "432", "436", "448")
    assert result.other_only == ("430",)
    assert result.mcnemar_p == 0.375
    assert result.srr == pytest.approx(0.826, abs=5e-4)
    assert result.ndr == pytest.approx(0.05, abs=5e-4)
    assert result.sds == pytest.approx(0.094, abs=5e-4)
    assert result.nscr == pytest.approx(-0.125, abs=5e-4)


@pytest.mark.parametrize(
    ("b", "c", "p"), [(18, 5, 0.0106), (5, 18, 0.0106), (4, 0, 0.125), (4, 1, 0.375), (3, 3, 1.0), (1, 0, 1.0), (0, 0, 1.0)]
)
def test_mcnemar_as_published(b: int, c: int, p: float) -> None:
    assert mcnemar_exact(b, c) == pytest.approx(p, abs=5e-5)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_is_twice_the_smaller_tail(b: int, c: int) -> None:
    tail = sum(comb(b + c, i) for i in range(min(b, c) + 1))
    assert mcnemar_exact(b, c) == min(1.0, 2 * tail / 2 ** (b + c))


def test_mcnemar_survives_thousands_of_discordant_problems() -> None:
    assert mcnemar_exact(3000, 0) == 0.0
    assert 0.0 < mcnemar_exact(2100, 1900) < 0.01
    with pytest.raises(ValueError, match="at least 0"):
        mcnemar_exact(-1, 2)


@given(many_problems)
def test_every_problem_is_in_one_set_and_sizes_add_up(problems: list[Problem]) -> None:
    result = of_problems(problems)
    sets = (result.both, result.base_only, result.other_only, result.neither)
    assert result.k == min(min(base_n, other_n) for base_n, _, other_n, _ in problems)
    assert sorted(sum(sets, ())) == sorted(f"p{i}" for i in range(len(problems)))
    assert all(list(members) == sorted(members, key=lambda key: int(key[1:])) for members in sets)
    assert sum(result.expected) == pytest.approx(len(problems))
    assert min(result.expected) >= 0.0


@given(many_problems)
def test_swapping_the_models_swaps_the_sides(problems: list[Problem]) -> None:
    there = of_problems(problems)
    back = of_problems([(other_n, other_c, base_n, base_c) for base_n, base_c, other_n, other_c in problems])
    assert (back.both, back.base_only, back.other_only) == (there.both, there.other_only, there.base_only)
    assert back.neither == there.neither
    both, base_only, other_only, neither = there.expected
    assert back.expected == pytest.approx((both, other_only, base_only, neither))
    assert back.mcnemar_p == there.mcnemar_p


@given(st.integers(1, 60), st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=25))
def test_at_equal_n_solved_means_at_least_one_correct(n: int, correct: list[tuple[int, int]]) -> None:
    result = of_problems([(n, min(base, n), n, min(other, n)) for base, other in correct])
    assert set(result.both) == {f"p{i}" for i, (base, other) in enumerate(correct) if base and other}
    assert set(result.base_only) == {f"p{i}" for i, (base, other) in enumerate(correct) if base and not other}
    sizes = (len(result.both), len(result.base_only), len(result.other_only), len(result.neither))
    assert result.expected == sizes


def test_expected_sizes_are_what_independent_draws_give() -> None:
    """Base has 6 samples and the other model 3; every pair of draws of 3 from each, counted."""
    base_draws = [any(draw) for draw in combinations([True, False, False, False, False, False], 3)]
    solved = sum(base_draws) / len(base_draws)
    result = of_problems([(6, 1, 3, 1), (6, 1, 3, 0)])
    assert result.k == 3
    assert solved == 0.5
    assert result.expected == pytest.approx((solved, solved, 1 - solved, 1 - solved))
    assert (result.both, result.base_only) == (("p0",), ("p1",))


@pytest.mark.parametrize(("n", "c", "k"), [(2, 1, 1), (4, 1, 2), (21, 6, 2), (21, 2, 6), (120, 35, 2)])
def test_exactly_one_half_counts_as_solved(n: int, c: int, k: int) -> None:
    assert 2 * comb(n - c, k) == comb(n, k)
    assert of_problems([(n, c, n, 0)], k).base_only == ("p0",)


def test_one_model_sampled_more_often_does_not_beat_itself() -> None:
    """At n = 1024 and 256 with one success rate, the extra samples are not counted in the other's disfavour."""
    rng = np.random.default_rng(7)
    rates = rng.beta(0.3, 3.0, size=3000)
    keys = [str(i) for i in range(len(rates))]
    often, seldom = rng.binomial(1024, rates), rng.binomial(256, rates)
    fair = coverage(keys, 1024, often, 256, seldom)
    assert fair.k == 256
    _, base_only, other_only, _ = fair.expected
    assert abs(base_only - other_only) < 0.01 * len(keys)
    assert fair.mcnemar_p is None
    counted = mcnemar_exact(int(((often > 0) & (seldom == 0)).sum()), int(((often == 0) & (seldom > 0)).sum()))
    assert counted < 1e-6


def test_where_n_differ_the_sets_have_no_test_and_the_ratios_are_of_expected_sizes() -> None:
    problems = [(8, 8, 4, 4), (8, 1, 4, 0), (8, 0, 4, 4)]
    result = of_problems(problems)
    assert (result.k, result.equal_n, result.mcnemar_p) == (4, False, None)
    assert result.expected == pytest.approx((1, 0.5, 1, 0.5))
    assert result.sizes == result.expected
    assert [result.srr, result.ndr, result.nscr] == pytest.approx([1 / 1.5, 1 / 2, 0.5 / 2.5])
    assert result.sds == pytest.approx(2 * (2 / 3) * 0.5 / (2 / 3 + 0.5))
    equal = of_problems([(8, 8, 8, 4), (8, 1, 8, 0), (8, 0, 8, 8)], 4)  # k < n: exchanging the models exchanges the sets
    assert (equal.equal_n, equal.mcnemar_p, equal.sizes) == (True, 1.0, (1, 1, 1, 0))
    assert equal.srr == 0.5


def test_one_model_at_256_and_128_is_not_said_to_beat_itself() -> None:
    """Five hundred problems: McNemar's test of the sets would call the longer run ahead nearly every time."""
    rng = np.random.default_rng(11)
    keys, rejected, claimed = [str(i) for i in range(500)], 0, 0
    for _ in range(20):
        rates = rng.beta(0.3, 3.0, size=500)
        found = coverage(keys, 256, rng.binomial(256, rates), 128, rng.binomial(128, rates))
        rejected += mcnemar_exact(len(found.base_only), len(found.other_only)) <= 0.05
        claimed += found.mcnemar_p is not None
        assert abs(found.nscr or 0) < 0.1
    assert rejected > 10
    assert claimed == 0


@pytest.mark.parametrize(
    ("correct", "srr", "ndr", "sds", "nscr"),
    [
        ([(0, 0)], None, None, None, None),
        ([(1, 0)], 0.0, None, None, -1.0),
        ([(0, 1)], None, 1.0, None, 1.0),
        ([(1, 0), (0, 1)], 0.0, 1.0, 0.0, 0.0),
        ([(1, 1)], 1.0, 0.0, 0.0, 0.0),
    ],
)
def test_ratios_without_a_denominator_are_none(
    correct: list[tuple[int, int]], srr: float | None, ndr: float | None, sds: float | None, nscr: float | None
) -> None:
    result = of_problems([(4, base, 4, other) for base, other in correct])
    assert (result.srr, result.ndr, result.sds, result.nscr) == (srr, ndr, sds, nscr)


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no problems to compare"):
        coverage([], [], [], [], [])
    with pytest.raises(ValueError, match="k = 5 is more than problem 'b' has in one of the runs"):
        coverage(["a", "b"], [8, 8], [1, 1], [8, 4], [1, 1], k=5)
    with pytest.raises(ValueError, match="'b' has no judged samples"):
        coverage(["a", "b"], [8, 8], [1, 1], [8, 0], [1, 0])
    with pytest.raises(ValueError, match="'a' comes 2 times"):
        coverage(["a", "a"], 8, 1, 8, 1)
    with pytest.raises(ValueError, match="base_c must hold one count for each of the 2 problems"):
        coverage(["a", "b"], 8, [1], 8, 1)
    with pytest.raises(ValueError, match="k must be at least 1"):
        coverage(["a"], 8, 1, 8, 1, k=0)


@pytest.mark.skipif(not REPRODUCTION.exists(), reason="the public reproduction's counts are not on this machine")
def test_a_public_reproduction_agrees_with_itself() -> None:
    by_model: dict[str, dict[str, tuple[int, int]]] = {}
    with REPRODUCTION.open(newline="") as file:
        for row in csv.DictReader(file):
            by_model.setdefault(row["model"], {})[row["problem_index"]] = int(row["n"]), int(row["correct"])
    first, second = by_model.values()
    keys = sorted(first.keys() & second.keys())
    assert keys
    base_n, base_c = zip(*(first[key] for key in keys), strict=True)
    other_n, other_c = zip(*(second[key] for key in keys), strict=True)
    for k in k_grid(128):
        result = coverage(keys, base_n, base_c, other_n, other_c, k)
        both, base_only, other_only, neither = result.expected
        assert both + base_only + other_only + neither == pytest.approx(len(keys))
        assert (both + base_only) / len(keys) == pytest.approx(mean_pass_at_k(base_n, base_c, [k])[0])
        assert (both + other_only) / len(keys) == pytest.approx(mean_pass_at_k(other_n, other_c, [k])[0])
    whole = coverage(keys, base_n, base_c, other_n, other_c)
    assert whole.k == 128
    assert {*whole.both, *whole.base_only} == {key for key, c in zip(keys, base_c, strict=True) if c}
    assert {*whole.both, *whole.other_only} == {key for key, c in zip(keys, other_c, strict=True) if c}


def test_a_few_lost_samples_keep_the_exact_test_and_half_of_them_do_not() -> None:
    n = np.full(100, 128)
    lost = n.copy()
    lost[:5] = 127
    assert exchangeable(n, n, 128)
    assert exchangeable(n, lost, 127)
    assert exchangeable(lost, n, 127), "either way round"
    assert not exchangeable(n, n * 2, 128)
    assert not exchangeable([128, 128], [129, 129], 64), "half of 128 draws need one success, of 129 two"
    keys = [str(i) for i in range(100)]
    found = coverage(keys, n, np.ones(100, int), lost, np.zeros(100, int))
    assert found.k == 127
    assert found.mcnemar_p is not None
    assert found.mcnemar_p < 1e-20


def test_one_model_twice_with_lost_samples_finds_nothing() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(200):
        p = rng.beta(0.2, 2, 300)
        n = np.where(rng.random(300) < 0.03, 127, 128)
        assert exchangeable(np.full(300, 128), n, int(n.min()))
        sets = coverage([str(i) for i in range(300)], 128, rng.binomial(128, p), n, rng.binomial(n, p))
        found += sets.mcnemar_p is not None and sets.mcnemar_p <= 0.05
    assert found <= 16, "of 200, at most one in twenty, and chance"
