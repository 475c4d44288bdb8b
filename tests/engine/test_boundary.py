"""Evidence for "only": Fisher's test against its definition, bounds and standings against published ones, costs by paying."""

from __future__ import annotations

import csv
import time
from collections import Counter
from dataclasses import astuple
from fractions import Fraction
from math import comb, exp, lgamma, log, log1p
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.boundary import Evidence, Standing, evidence, fisher, least_successes, support
from engine.analyses.coverage import coverage
from engine.analyses.reach import fewest_for_can, further, most_for_cannot, reach

REPRODUCTION = Path(__file__).parents[3] / "shared" / "data" / "limit_of_rlvr_repro" / "nc_table_dev.csv"

counts = st.integers(0, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
pairs = st.tuples(counts, counts).map(lambda pair: (*pair[0], *pair[1]))


def of(base_n: int, base_c: int, other_n: int, other_c: int, budget: int = 64) -> Evidence:
    return evidence([base_n], [base_c], [other_n], [other_c], budget)[0]


def fisher_by_definition(base_n: int, base_c: int, other_n: int, other_c: int) -> Fraction:
    correct, drawn = base_c + other_c, base_n + other_n
    ways = [comb(base_n, x) * comb(other_n, correct - x) for x in range(correct + 1)]
    return Fraction(sum(one for one in ways if one <= ways[base_c]), comb(drawn, correct))


def tail(n: int, at_least: int, p: float) -> float:
    """P(X >= at_least), term by term."""
    logs = (lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1) + j * log(p) + (n - j) * log1p(-p) for j in range(at_least))
    return 1.0 - sum(map(exp, logs))


@given(st.lists(pairs, min_size=1, max_size=20))
def test_fisher_is_the_chance_of_a_table_no_likelier(problems: list[tuple[int, int, int, int]]) -> None:
    expected = [float(fisher_by_definition(*one)) for one in problems]
    np.testing.assert_allclose(fisher(*zip(*problems, strict=True)), expected, rtol=1e-10)


@given(st.lists(pairs, min_size=1, max_size=20))
def test_fisher_does_not_care_which_model_or_which_outcome_comes_first(problems: list[tuple[int, int, int, int]]) -> None:
    base_n, base_c, other_n, other_c = (np.array(column) for column in zip(*problems, strict=True))
    there = fisher(base_n, base_c, other_n, other_c)
    np.testing.assert_allclose(fisher(other_n, other_c, base_n, base_c), there, rtol=1e-10)
    np.testing.assert_allclose(fisher(base_n, base_n - base_c, other_n, other_n - other_c), there, rtol=1e-10)


def test_fisher_as_scipy_has_it_where_n_is_large_and_fast() -> None:
    from scipy.stats import fisher_exact

    rng = np.random.default_rng(5)
    p = rng.beta(0.3, 1, 500)
    base, other = rng.binomial(1024, p), rng.binomial(1024, p)
    n = np.full(500, 1024)
    fisher(n[:1], base[:1], n[:1], other[:1])
    began = time.process_time()
    found = fisher(n, base, n, other)
    assert time.process_time() - began < 0.2, "some 10 ms where nobody else works"
    expected = [fisher_exact([[b, 1024 - b], [o, 1024 - o]])[1] for b, o in zip(base[:80], other[:80], strict=True)]
    np.testing.assert_allclose(found[:80], expected, rtol=1e-9)


def test_only_needs_six_successes_or_five_one_sided() -> None:
    assert (least_successes(1024), least_successes(1024, two_sided=False)) == (6, 5)
    assert (least_successes(128), least_successes(10**6)) == (6, 6)
    assert [least_successes(n) for n in range(1, 8)] == [None, None, None, 4, 4, 5, 5]
    for n in (4, 7, 40, 128):
        least = least_successes(n)
        assert least is not None
        assert fisher([n] * 2, [0, 0], [n] * 2, [least - 1, least])[0] > 0.05 >= fisher([n], [0], [n], [least])[0]


def test_clear_is_adjusted_for_the_number_of_problems() -> None:
    alone = of(1024, 6, 1024, 0)
    assert alone.clear
    assert alone.p_value == alone.q_value == pytest.approx(2 * comb(1024, 6) / comb(2048, 6), rel=1e-9)
    among = evidence([1024] * 20, [6] + [3] * 19, [1024] * 20, [0] + [3] * 19, 1024)
    assert not among[0].clear
    assert among[0].q_value == pytest.approx(20 * alone.p_value)
    assert Counter(one.clear for one in among[1:]) == {False: 19}


def test_zero_successes_are_bounded_as_published() -> None:
    found = of(1024, 0, 1024, 3)
    assert found.base_low == 0.0
    assert found.base_high == pytest.approx(0.0029, abs=5e-5)
    assert 1 - (1 - found.base_high) ** 1024 == pytest.approx(0.95), "says nearly nothing of pass@1024"
    assert found.other_low < 3 / 1024 < found.other_high


@pytest.mark.parametrize("budget", [8, 64, 1024])
def test_a_model_cannot_after_about_sixty_budgets_of_failures(budget: int) -> None:
    failures = int(-(-np.log(0.05) // np.log1p(-0.05 / budget)))
    assert failures == pytest.approx(60 * budget, rel=0.01)
    told = reach([failures - 1, failures + 1], [0, 0], budget)
    assert (told.cannot.tolist(), told.can.tolist()) == ([False, True], [False, False])


def test_the_four_standings() -> None:
    can, cannot, rare = (4000, 400), (4000, 0), (4000, 30)
    table = {
        (can, can): Standing.ELICITED,
        (cannot, can): Standing.CREATED,
        (can, cannot): Standing.LOST,
        (cannot, cannot): Standing.UNDETERMINED,
        (can, rare): Standing.UNDETERMINED,
        (rare, can): Standing.UNDETERMINED,
    }
    for (base, other), expected in table.items():
        found = of(*base, *other)
        assert found.standing is expected
        settled = expected is not Standing.UNDETERMINED
        assert ((found.cost_base, found.cost_other) == (0, 0)) == settled


@given(pairs, st.integers(1, 200))
def test_swapping_the_models_swaps_created_and_lost(problem: tuple[int, int, int, int], budget: int) -> None:
    base_n, base_c, other_n, other_c = problem
    there, back = of(*problem, budget), of(other_n, other_c, base_n, base_c, budget)
    mirror = {Standing.CREATED: Standing.LOST, Standing.LOST: Standing.CREATED}
    assert back.standing is mirror.get(there.standing, there.standing)
    assert (back.cost_base, back.cost_other) == (there.cost_other, there.cost_base)
    assert (back.base_low, back.base_high) == (there.other_low, there.other_high)


@given(st.integers(1, 3000), st.integers(1, 300), st.data())
def test_can_and_cannot_are_read_off_the_bounds(n: int, budget: int, data: st.DataObject) -> None:
    c = data.draw(st.integers(0, min(n, 60)))
    told = reach([n], [c], budget)
    assert bool(told.can[0]) == (told.low[0] >= 1 / budget) == (c >= fewest_for_can(np.array([n]), budget)[0])
    assert bool(told.cannot[0]) == (told.high[0] < 0.05 / budget) == (c <= most_for_cannot(np.array([n]), budget)[0])
    assert not (told.can[0] and told.cannot[0])
    if c:
        assert tail(n, c, float(told.low[0])) == pytest.approx(0.025, abs=1e-6)


def test_each_verdict_is_wrong_at_most_one_time_in_twenty() -> None:
    """Drawn at the very edges, where it is hardest: a model that just can, and one that is just not hopeless."""
    rng = np.random.default_rng(11)
    for n in (256, 4000, 12_000):
        for budget in (64, 8):
            nearly = rng.binomial(n, 0.999 / budget, 4000)
            assert reach(np.full(4000, n), nearly, budget).can.mean() <= 0.025 + 0.01
            hopeful = rng.binomial(n, 0.05 / budget, 4000)
            assert reach(np.full(4000, n), hopeful, budget).cannot.mean() <= 0.05 + 0.01


@given(st.integers(1, 2000), st.integers(0, 40), st.integers(2, 300))
@settings(deadline=None)
def test_the_cost_settles_what_a_little_less_does_not(n: int, c: int, budget: int) -> None:
    """The rate seen goes on: at n + cost samples, successes between whole numbers rounded to the safe side, it is told."""
    c = min(n, c)
    found = further([n], [c], budget)
    cost = int(found.samples[0])
    told = reach([n], [c], budget)
    if cost == 0:
        assert told.can[0] or told.cannot[0]
        return
    assert not told.can[0]
    assert not told.cannot[0]
    if cost < 0:
        assert 0.05 / budget <= c / n <= 1 / budget
        return
    if c == 0:
        later = reach([n + cost - 1, n + cost], [0, 0], budget)
        assert later.cannot.tolist() == [False, True]
        return
    whole = np.array([n + cost - 1, n + cost])
    rate = Fraction(c, n)
    down, up = ([int(rate * int(one)) + extra for one in whole] for extra in (0, 1))
    if found.can[0]:
        assert c / n > 1 / budget
        assert reach(whole, np.minimum(up, whole), budget).can[1]
        assert not reach(whole, down, budget).can[0]
    else:
        assert c / n < 0.05 / budget
        assert reach(whole, down, budget).cannot[1]
        assert not reach(whole, np.minimum(up, whole), budget).cannot[0]


def test_nothing_is_expected_to_settle_a_rate_between_or_two_that_cannot() -> None:
    for problem in [(1024, 0, 1024, 0), (1024, 4, 1024, 500), (1024, 0, 1024, 4), (0, 0, 1024, 500)]:
        found = of(*problem, 64)
        assert (found.standing, found.cost_base, found.cost_other) == (Standing.UNDETERMINED, None, None)
    lost = of(1024, 500, 1024, 0, 64)
    assert (lost.standing, lost.cost_base, lost.cost_other) == (Standing.UNDETERMINED, 0, 3834 - 1024)
    created = of(1024, 0, 1024, 20, 64)
    assert created.cost_base == 3834 - 1024
    assert created.cost_other is not None
    assert created.cost_other > 0


def test_support_holds_the_expected_sizes_and_what_the_truth_is() -> None:
    """Of 16 repetitions 95 % are to hold the true size; fewer than 12 would be no chance."""
    rng = np.random.default_rng(2)
    held = Counter[str]()
    for seed in range(16):
        base, other = rng.beta(0.4, 1.0, 60), rng.beta(0.3, 0.8, 60)
        drawn = [rng.binomial(64, p) for p in (base, other)]
        found = support([64] * 60, drawn[0], [64] * 60, drawn[1], 32, seed=seed)
        solved, theirs = (1 - (1 - p) ** 32 for p in (base, other))
        sizes = coverage([str(i) for i in range(60)], 64, drawn[0], 64, drawn[1], 32).expected
        true = solved @ theirs, solved @ (1 - theirs), (1 - solved) @ theirs, (1 - solved) @ (1 - theirs)
        names = ("both", "base_only", "other_only", "neither")
        for name, size, truth in zip(names, sizes, true, strict=True):
            interval = getattr(found, name)
            assert interval.low - 1e-9 <= size <= interval.high + 1e-9
            held[name] += bool(interval.low <= truth <= interval.high)
    assert min(held.values()) >= 12


def test_support_holds_the_sizes_of_identical_models() -> None:
    """Of 60 repetitions; with independent priors it was some 42, every miss to the side of "only"."""
    rng = np.random.default_rng(12)
    held = Counter[str]()
    for seed in range(60):
        p = rng.beta(0.3, 2.0, 30)
        drawn = [rng.binomial(128, p) for _ in range(2)]
        found = support([128] * 30, drawn[0], [128] * 30, drawn[1], 128, seed=seed)
        solved = 1 - (1 - p) ** 128
        only = solved @ (1 - solved)
        true = {"both": solved @ solved, "base_only": only, "other_only": only, "neither": (1 - solved) @ (1 - solved)}
        held.update(name for name, truth in true.items() if getattr(found, name).low <= truth <= getattr(found, name).high)
    assert min(held[name] for name in ("both", "base_only", "other_only", "neither")) >= 50, held


@settings(deadline=None, max_examples=15)
@given(st.lists(pairs.filter(lambda one: one[0] > 0 and one[2] > 0), min_size=1, max_size=8), st.randoms())
def test_support_does_not_care_which_run_is_base_or_which_problem_first(
    problems: list[tuple[int, int, int, int]], random: Random
) -> None:
    base_n, base_c, other_n, other_c = zip(*problems, strict=True)
    there = support(base_n, base_c, other_n, other_c, 1)
    back = support(other_n, other_c, base_n, base_c, 1)
    columns = list(zip(*random.sample(problems, len(problems)), strict=True))
    mixed = support(columns[0], columns[1], columns[2], columns[3], 1)
    names = ("both", "base_only", "other_only", "neither"), ("both", "other_only", "base_only", "neither")
    for name, mirrored in zip(*names, strict=True):
        expected = pytest.approx(astuple(getattr(there, name)), abs=1e-9)
        assert astuple(getattr(back, mirrored)) == expected
        assert astuple(getattr(mixed, name)) == expected


def test_support_of_a_large_benchmark_takes_less_than_a_second() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(0.3, 2.0, 500)
    n = np.full(500, 1024)
    base, other = rng.binomial(1024, p), rng.binomial(1024, p)
    began = time.process_time()
    support(n, base, n, other, 1024)
    assert time.process_time() - began < 2, "about 0.8 s where nobody else works"


def test_one_model_against_itself_loses_nothing_clear() -> None:
    rng = np.random.default_rng(9)
    p = rng.beta(0.3, 1, 300)
    base, other = rng.binomial(1024, p), rng.binomial(256, p)
    found = evidence([1024] * 300, base, [256] * 300, other, 256)
    assert sum(one.clear for one in found) <= 1
    assert not {Standing.LOST, Standing.CREATED} & {one.standing for one in found}


def test_what_cannot_be_compared_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="c must be at most n"):
        evidence([4], [5], [4], [1], 8)
    with pytest.raises(ValueError, match="base has counts of 2 problems, the other run of 1"):
        evidence([4, 4], [1, 1], [4], [1], 8)
    with pytest.raises(ValueError, match="budget must be at least 1"):
        evidence([4], [1], [4], [1], 0)
    with pytest.raises(ValueError, match="n must be at least 1"):
        least_successes(0)
    with pytest.raises(ValueError, match="k = 5 is more"):
        support([4], [1], [8], [1], 5)
    assert evidence([], [], [], [], 8) == []


@pytest.mark.skipif(not REPRODUCTION.exists(), reason="the public reproduction's counts are not on this machine")
def test_a_public_reproduction_has_more_elicited_than_all_else() -> None:
    by_model: dict[str, dict[str, tuple[int, int]]] = {}
    with REPRODUCTION.open(newline="") as file:
        for row in csv.DictReader(file):
            by_model.setdefault(row["model"], {})[row["problem_index"]] = int(row["n"]), int(row["correct"])
    first, second = by_model.values()
    base_n, base_c, other_n, other_c = (
        [model[key][side] for key in sorted(first)] for model in (first, second) for side in (0, 1)
    )
    standings = Counter(one.standing for one in evidence(base_n, base_c, other_n, other_c, 128))
    assert standings == {Standing.ELICITED: 209, Standing.UNDETERMINED: 21}
