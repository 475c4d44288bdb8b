"""Two runs: tests against exact ones, the crossover against its definition, exchange and order against identity."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.analyses import signflip
from engine.analyses.coverage import mcnemar_exact
from engine.analyses.crossover import Crossing, ahead_from, fine_grid, overtaken_at, verdict
from engine.analyses.pairs import Comparison, compare, equivalence, paired_p, sign_flip_p
from engine.analyses.passk import mean_pass_at_k, pass_at_k
from engine.analyses.signflip import exchange_p, unequal_p

Pairs = list[tuple[int, int, int, int]]


def counts(most: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.integers(1, most).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


PROBLEMS = st.lists(st.builds(lambda base, other: (*base, *other), counts(24), counts(24)), min_size=1, max_size=10)


def compared(problems: Pairs) -> Comparison:
    base_n, base_c, other_n, other_c = (np.array(column) for column in zip(*problems, strict=True))
    return compare(base_n, base_c, other_n, other_c)


@pytest.mark.parametrize(("lost", "won", "p"), [(4, 0, 0.125), (4, 1, 0.375), (18, 5, 0.0106)])
def test_the_published_sets_have_the_published_p(lost: int, won: int, p: float) -> None:
    """AIME24, LiveCodeBench 400-450 and MATH500 of the paper: McNemar's exact test of base-only against RL-only problems."""
    assert sign_flip_p([-1.0] * lost + [1.0] * won + [0.0] * 20) == pytest.approx(p, abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60), st.floats(1e-3, 1e3))
def test_differences_all_as_large_make_it_mcnemars_test(lost: int, won: int, size: float) -> None:
    assert sign_flip_p([-size] * lost + [size] * won) == pytest.approx(mcnemar_exact(lost, won), rel=1e-9)


@given(st.lists(st.integers(-50, 50), max_size=10), st.sampled_from([1.0, 1 / 128, 1 / 1000, 0.3]))
def test_whole_multiples_are_counted_exactly(steps: list[int], unit: float) -> None:
    seen = abs(sum(steps))
    patterns = list(product([-1, 1], repeat=len(steps)))
    reached = sum(abs(sum(s * d for s, d in zip(signs, steps, strict=True))) >= seen for signs in patterns)
    assert sign_flip_p(np.array(steps) * unit) == pytest.approx(float(Fraction(reached, len(patterns))), rel=1e-9)


@given(st.lists(st.floats(-1, 1).filter(lambda d: abs(d) > 1e-6), min_size=1, max_size=11))
def test_any_sizes_are_counted_exactly(differences: list[float]) -> None:
    sums = np.array(
        [sum(s * d for s, d in zip(signs, differences, strict=True)) for signs in product([-1, 1], repeat=len(differences))]
    )
    slack = 1e-9 * sum(map(abs, differences))
    expected = (np.abs(sums) >= abs(sum(differences)) - slack).mean()
    assert sign_flip_p(differences) == pytest.approx(expected, rel=1e-9)


def test_halves_agree_with_the_lattice() -> None:
    rng = np.random.default_rng(0)
    steps = np.sort(rng.integers(1, 200, 30)).astype(float)
    choices = np.stack([-steps, steps], axis=1)
    for least in (11, 501, 1501):
        exact = signflip._p_on_lattice(steps.astype(np.int64), least)
        assert signflip._p_by_halves(choices, least) == pytest.approx(exact, rel=1e-9)


def test_chance_agrees_with_the_exact_way() -> None:
    rng = np.random.default_rng(0)
    sizes = np.sort(np.abs(rng.normal(size=33)))
    for least in (2.0, 6.0, 12.0):
        choices = np.stack([-sizes, sizes], axis=1)
        exact = signflip._p_by_halves(choices, least)
        assert signflip._p_by_chance(choices, least, 0) == pytest.approx(exact, abs=4 * (exact / 1e5) ** 0.5 + 2e-5)


def test_many_differences_of_no_common_unit_are_drawn_never_zero() -> None:
    differences = np.random.default_rng(1).normal(1, 0.01, 300)
    assert sign_flip_p(differences) == 1e-5
    near = np.random.default_rng(2).normal(0, 1, 300)
    assert sign_flip_p(near) == sign_flip_p(-near) == sign_flip_p(near[::-1])
    assert sign_flip_p(near, seed=1) == pytest.approx(sign_flip_p(near), abs=0.01)


def test_nothing_to_tell_apart_is_p_1_and_unknown_is_a_sentence() -> None:
    assert sign_flip_p([]) == sign_flip_p([0.0, 1e-15]) == 1.0
    with pytest.raises(ValueError, match="unknown"):
        sign_flip_p([0.1, np.nan])


def test_one_model_is_not_different_from_itself_where_n_differ() -> None:
    """30 % of problems never solved, the rest often. With signs flipped alone, 1024 against 256 samples of one
    model were called different at k = 256 in nearly half of such cases."""
    called = 0
    for repeat in range(40):
        rng = np.random.default_rng(repeat)
        p = np.where(rng.random(100) < 0.3, 0.0, rng.beta(0.8, 1.2, 100))
        called += paired_p(1024, rng.binomial(1024, p), 256, rng.binomial(256, p), 256) <= 0.05
    assert called <= 5


@pytest.mark.parametrize(("k", "share", "least"), [(128, 0.35, 28), (1, 0.7, 40)])
def test_unequal_n_hardly_cost_power(k: int, share: float, least: int) -> None:
    """1024 samples beside 128: a run that solves less is found 0.85 and 1.00 of the time; at k = 128, were the longer run
    thinned to 128 samples, 0.35."""
    called = 0
    for repeat in range(40):
        rng = np.random.default_rng(repeat)
        p = rng.beta(0.3, 4, 60)
        called += paired_p(1024, rng.binomial(1024, p), 128, rng.binomial(128, share * p), k) <= 0.05
    assert called >= least


def test_a_problem_that_lost_one_sample_takes_no_power_from_the_others() -> None:
    fewer = np.append(127, np.full(29, 128))
    for repeat in range(30):
        rng = np.random.default_rng(repeat)
        p = rng.beta(0.5, 2, 30)
        base, other = rng.binomial(fewer, p), rng.binomial(128, 0.6 * p)
        equal, unequal = paired_p(128, base, 128, other, 1), paired_p(fewer, base, 128, other, 1)
        assert unequal < max(2 * equal, 0.01)


def test_one_model_that_lost_one_sample_is_not_different_from_itself() -> None:
    called, fewer = 0, np.append(127, np.full(29, 128))
    for repeat in range(100):
        rng = np.random.default_rng(repeat)
        p = rng.beta(0.3, 2, 30)
        called += paired_p(fewer, rng.binomial(fewer, p), 128, rng.binomial(128, p), 1) <= 0.05
    assert called <= 11


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(0.001, 1), st.randoms())
@settings(deadline=None, max_examples=30)
def test_order_and_exchange_keep_the_p_of_unequal_runs(differences: list[float], least: float, mixed: Random) -> None:
    found = unequal_p(differences, least)
    assert sign_flip_p(differences) <= found <= 1.0
    assert unequal_p([-difference for difference in differences], least) == found
    assert unequal_p(mixed.sample(differences, len(differences)), least) == found


@given(st.integers(2, 4).flatmap(lambda runs: st.lists(st.lists(st.integers(0, 8), min_size=runs, max_size=runs), max_size=5)))
def test_exchanging_base_with_several_runs_is_counted_exactly(rows: list[list[int]]) -> None:
    assume(rows)
    others = len(rows[0]) - 1
    seen = abs(sum(sum(row) - (others + 1) * row[0] for row in rows))
    patterns = list(product(range(others + 1), repeat=len(rows)))
    reached = sum(abs(sum(sum(r) - (others + 1) * r[i] for r, i in zip(rows, way, strict=True))) >= seen for way in patterns)
    expected = float(Fraction(reached, len(patterns)))
    assert exchange_p(np.array(rows) / 8) == pytest.approx(expected, rel=1e-9)
    assert exchange_p(np.array(rows[::-1]) / 8) == exchange_p(np.array(rows) / 8)


def test_many_problems_are_exchanged_at_random_and_in_any_order() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((20, 3))
    choices = (values.sum(axis=1, keepdims=True) - 3 * values) / 2
    least = abs(choices[:, 0].sum())
    assert signflip._p_by_chance(choices, least, 0) == pytest.approx(signflip._p_by_halves(choices, least), abs=0.01)
    many = rng.random((200, 3))
    assert exchange_p(many) == exchange_p(many[rng.permutation(200)]) == exchange_p(many[:, [0, 2, 1]])
    assert exchange_p(np.column_stack([np.zeros(200), many])) == 1e-5
    assert exchange_p(many[:, :2]) == sign_flip_p(many[:, 1] - many[:, 0])
    assert exchange_p(np.ones((200, 3))) == 1.0


def test_what_cannot_be_exchanged_is_a_sentence() -> None:
    for values in ([0.5, 0.5], [[0.5], [0.5]]):
        with pytest.raises(ValueError, match="at least two runs"):
            exchange_p(values)
    with pytest.raises(ValueError, match="unknown"):
        exchange_p([[0.5, np.nan]])


@given(PROBLEMS)
@settings(deadline=None, max_examples=15)
def test_exchanging_the_runs_negates_and_keeps_p(problems: Pairs) -> None:
    swapped = [(n2, c2, n1, c1) for n1, c1, n2, c2 in problems]
    assume(sorted(problems) != sorted(swapped))
    there, back = compared(problems), compared(swapped)
    assert (there.k, there.p_value, there.p_first) == (back.k, back.p_value, back.p_first)
    assert (there.crossover, there.mirror) == (back.mirror, back.crossover)
    np.testing.assert_array_equal(there.difference, -back.difference)
    for ours, theirs in ((there.problems, back.problems), (there.samples, back.samples)):
        np.testing.assert_array_equal(ours.low, -theirs.high)
        np.testing.assert_array_equal(ours.low_all, -theirs.high_all)


@given(PROBLEMS)
@settings(deadline=None, max_examples=15)
def test_the_order_of_problems_changes_nothing(problems: Pairs) -> None:
    order = np.random.default_rng(len(problems)).permutation(len(problems))
    there, back = compared(problems), compared([problems[i] for i in order])
    for name in ("k", "p_value", "p_first", "crossover", "mirror", "gap", "gap_interval"):
        assert getattr(there, name) == getattr(back, name)
    np.testing.assert_array_equal(there.difference, back.difference)
    np.testing.assert_array_equal(there.samples.low_all, back.samples.low_all)
    np.testing.assert_array_equal(there.problems.high, back.problems.high)


@given(PROBLEMS)
@settings(deadline=None, max_examples=15)
def test_everything_is_at_the_common_k_through_the_unbiased_estimate(problems: Pairs) -> None:
    found = compared(problems)
    base_n, base_c, other_n, other_c = (np.array(column) for column in zip(*problems, strict=True))
    assert found.k == found.ks[-1] == min(*base_n, *other_n)
    expected = mean_pass_at_k(other_n, other_c, found.ks) - mean_pass_at_k(base_n, base_c, found.ks)
    np.testing.assert_allclose(found.difference, expected, atol=1e-12)
    gap = pass_at_k(base_n, base_c, found.k).mean() - (other_c / other_n).mean()
    assert found.gap == pytest.approx(gap, abs=1e-12)
    assert found.gap_interval.low <= found.gap <= found.gap_interval.high


def test_the_bayes_check_of_the_literature_has_its_gap() -> None:
    """Results 0,1,1,0,1 and 1,1,0,1,1 have pass@1 .7; against a base with the same counts the gap at k = 5 is 1 - .7."""
    found = compare(5, [3, 4], 5, [3, 4])
    assert found.gap == pytest.approx(0.3)
    assert found.difference.tolist() == [0.0, 0.0, 0.0, 0.0]
    assert found.crossover.verdict is found.mirror.verdict is Crossing.TIE
    assert (found.p_value, found.p_first) == (1.0, 1.0)


def brute_crossing(base_c: list[int], other_c: list[int], n: int) -> tuple[Crossing, int | None]:
    """By the words of the definition, in fractions, over every k."""

    def exact(correct: list[int], k: int) -> Fraction:
        return sum((1 - Fraction(comb(n - c, k), comb(n, k)) for c in correct), Fraction(0))

    signs = [exact(other_c, k) - exact(base_c, k) for k in range(1, n + 1)]
    if signs[-1] == 0:
        return Crossing.TIE, None
    ahead = [k for k in range(1, n + 1) if all(sign < 0 for sign in signs[k - 1 :])]
    if not ahead or all(sign <= 0 for sign in signs):
        return Crossing.NONE, None
    return Crossing.CROSSES, ahead[0]


@given(st.integers(2, 40).flatmap(lambda n: st.tuples(st.just(n), *[st.lists(st.integers(0, n), min_size=3, max_size=3)] * 2)))
@settings(deadline=None, max_examples=150)
def test_the_verdict_is_the_definition(case: tuple[int, list[int], list[int]]) -> None:
    n, base_c, other_c = case
    grid = np.arange(1, n + 1)
    difference = mean_pass_at_k(n, other_c, grid) - mean_pass_at_k(n, base_c, grid)
    assert verdict(grid, difference) == brute_crossing(base_c, other_c, n)


@given(st.integers(14, 40).flatmap(lambda n: st.tuples(st.just(n), *[st.lists(st.integers(0, n), min_size=3, max_size=3)] * 2)))
@settings(deadline=None, max_examples=12)
def test_a_comparison_finds_the_crossing_and_its_mirror(case: tuple[int, list[int], list[int]]) -> None:
    n, base_c, other_c = case
    found = compare(n, base_c, n, other_c)
    assert (found.crossover.verdict, found.crossover.k) == brute_crossing(base_c, other_c, n)
    assert (found.mirror.verdict, found.mirror.k) == brute_crossing(other_c, base_c, n)


def test_a_tie_on_the_way_does_not_hide_the_crossing() -> None:
    """Equal at k = 14, between two k of the fine grid or on one: base is ahead from the next k on."""
    ks = np.arange(13, 17)
    assert ahead_from(ks, np.array([0.2, 0.0, -0.1, -0.2])) == 15
    assert verdict(ks, np.array([0.2, 0.0, -0.1, -0.2])) == (Crossing.CROSSES, 15)


def test_a_clear_crossing_is_found_to_the_single_k() -> None:
    n, rng = 1024, np.random.default_rng(0)
    p = rng.beta(0.3, 0.7, 400)
    base, other = rng.binomial(n, p), rng.binomial(n, np.where(p < 0.02, p / 5, np.sqrt(p)))
    found = compare(n, base, n, other)
    ks = np.arange(1, n + 1)
    difference = mean_pass_at_k(n, other, ks) - mean_pass_at_k(n, base, ks)
    crossing = found.crossover
    assert (crossing.verdict, crossing.k) == verdict(ks, difference)
    assert crossing.low is not None
    assert crossing.high is not None
    assert crossing.k is not None
    assert crossing.low < crossing.k < crossing.high
    assert crossing.probability > 0.99
    assert found.mirror.verdict is Crossing.NONE
    assert found.mirror.probability < 0.01
    assert found.p_first < 1e-4
    assert found.problems.low[0] > 0 > found.problems.high[-1]


def test_a_run_ahead_at_every_k_is_no_crossing_either_way() -> None:
    rng = np.random.default_rng(0)
    found = compare(64, rng.integers(0, 20, 80), 64, rng.integers(30, 50, 80))
    for crossing in (found.crossover, found.mirror):
        assert (crossing.verdict, crossing.k) == (Crossing.NONE, None)
        assert crossing.probability < 0.05
    assert (found.crossover.low, found.crossover.high) == (None, None)
    assert (found.mirror.low, found.mirror.high) == (1, 1)


def test_both_solve_everything_in_the_end_is_a_tie() -> None:
    found = compare(16, [4, 5, 6], 16, [12, 13, 14])
    assert found.difference[0] > 0
    assert found.difference[-1] == 0
    assert found.crossover.verdict is found.mirror.verdict is Crossing.TIE


def test_the_fine_grid_has_every_small_k_and_both_ends() -> None:
    for most in (1, 2, 3, 100, 1024, 10**6):
        grid = fine_grid(most)
        assert (grid[0], grid[-1]) == (1, most)
        assert (np.diff(grid) > 0).all()
        assert set(range(1, min(most, 8) + 1)) <= set(grid.tolist())
        assert (grid[1:] <= np.maximum(grid[:-1] + 1, 1.16 * grid[:-1])).all()


def test_where_a_drawn_difference_crosses() -> None:
    ks = np.array([1, 2, 4, 8])
    drawn = np.array(
        [[1, 1, 1, 1], [-1, -1, -1, -1], [1, -1, -1, -1], [1, 1, 1, -1], [-1, 1, -1, -3], [3, 3, 0.001, -1]], dtype=float
    )
    assert overtaken_at(ks, drawn).tolist() == [np.inf, 1, 2, 6, 3, 5]


def test_equivalence_is_interval_inclusion_and_needs_its_margin() -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(0.5, 0.5, 200)
    base, other = rng.binomial(64, p), rng.binomial(64, p)
    wide, narrow = (equivalence(64, base, 64, other, 1, margin) for margin in (0.05, 0.0005))
    assert wide.equivalent
    assert not narrow.equivalent
    for found in (wide, narrow):
        assert found.equivalent == (found.p_value <= 0.05) == (-found.margin < found.low and found.high < found.margin)
    assert (wide.low, wide.high) == (narrow.low, narrow.high)
    for margin in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="above 0"):
            equivalence(64, base, 64, other, 1, margin)


@given(st.floats(1e-4, 0.2), st.integers(0, 5))
@settings(deadline=None, max_examples=25)
def test_two_tests_and_one_interval_say_the_same(margin: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = equivalence(32, rng.integers(0, 33, 40), 32, rng.integers(0, 33, 40), 4, margin)
    assert found.equivalent == (found.p_value <= 0.05 + 1e-12)


def test_no_difference_seen_is_not_equivalence() -> None:
    """Twelve problems, none of which tells the runs apart at k = n: that does not bound the difference by 5 points."""
    found = equivalence(8, [4] * 12, 8, [4] * 12, 8, 0.05)
    assert found.difference == 0.0
    assert not found.equivalent


def test_a_handful_of_equal_counts_is_never_equivalence() -> None:
    """A problem that was not seen may tell the runs apart entirely. 1 - 0.05^(1/59) is the first below 5 points."""
    for problems in (1, 2, 3):
        for margin in (0.05, 0.3, 0.6):
            found = equivalence([128] * problems, [64] * problems, [128] * problems, [64] * problems, 1, margin)
            assert not found.equivalent
            assert found.p_value > 0.05
    for problems, shown in ((40, False), (54, False), (64, True)):
        assert equivalence(128, [64] * problems, 128, [64] * problems, 1, 0.05).equivalent is shown


@pytest.mark.parametrize("problems", [5, 40, 60])
def test_runs_as_far_apart_as_the_margin_are_seldom_called_equivalent(problems: int) -> None:
    """5.1 % of problems change by 98 points, a true difference of 5: most small benchmarks show none of those problems."""
    called = 0
    for repeat in range(100):
        rng = np.random.default_rng([repeat, problems])
        p = np.where(rng.random(problems) < 0.051, 1.0, 0.02)
        base, other = rng.binomial(128, 0.02, problems), rng.binomial(128, p)
        called += equivalence(128, base, 128, other, 1, 0.05).equivalent
    assert called <= 9


def test_equivalence_turns_with_the_runs() -> None:
    rng = np.random.default_rng(0)
    base, other = rng.integers(0, 33, 40), rng.integers(0, 33, 40)
    there, back = equivalence(32, base, 32, other, 4, 0.2), equivalence(32, other[::-1], 32, base[::-1], 4, 0.2)
    assert (there.difference, there.low, there.high) == (-back.difference, -back.high, -back.low)
    assert there.p_value == back.p_value


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([4, 4], [1, 1], [4], [1]), "same problems"),
        (([], [], [], []), "no problems"),
        (([4, 0], [1, 0], [4, 4], [1, 1]), "no judged samples"),
        (([4], [5], [4], [1]), "c must be at most n"),
    ],
)
def test_counts_that_do_not_pair_are_named(arguments: tuple[list[int], ...], sentence: str) -> None:
    base_n, base_c, other_n, other_c = arguments
    with pytest.raises(ValueError, match=sentence):
        compare(base_n, base_c, other_n, other_c)
    with pytest.raises(ValueError, match=sentence):
        paired_p(base_n, base_c, other_n, other_c, k=1)


def test_a_k_beyond_the_common_one_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="k = 5"):
        compare(8, [1], 4, [1], ks=[1, 5])
    with pytest.raises(ValueError, match="outside 1 to 4"):
        paired_p(8, [1], 4, [1], 5)
    with pytest.raises(ValueError, match="outside 1 to 4"):
        equivalence(8, [1], 4, [1], 0, 0.1)
