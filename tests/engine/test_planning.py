"""Plans: the chances they promise against samples really drawn, the order, and what is proposed to whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from engine.analyses.boundary import Standing, evidence
from engine.analyses.passk import pass_at_k
from engine.analyses.planning import Plan, State, affordable, plan
from engine.board import Board, read_board
from engine.planning import plan_pair
from store.errors import NotFound
from store.reader import Study
from store.rows import RunRow
from store.types import NewCount
from store.writer import Writer
from tests.builders import BASE, RL, problem, run, source

N = 128
Values = NDArray[np.float64]


def counts(problems: int = 200, seed: int = 1) -> tuple[list[int], list[int], list[int], list[int]]:
    rng = np.random.default_rng(seed)
    base, other = rng.beta(0.4, 1.2, problems), rng.beta(0.25, 0.6, problems)
    return [N] * problems, rng.binomial(N, base).tolist(), [N] * problems, rng.binomial(N, other).tolist()


def promised_and_kept(other: Callable[[Values], Values], seed: int, times: int, a: float, b: float, problems: int) -> Values:
    """Of problems from a population, their plan, and its samples drawn from the true p: [promised, kept], [settled, moved]."""
    rng = np.random.default_rng(seed)
    told = np.zeros((2, 2))
    for _ in range(times):
        base = rng.beta(a, b, problems)
        p = [base, other(base)]
        c = [rng.binomial(N, side) for side in p]
        for one in plan([N] * problems, c[0], [N] * problems, c[1], 64, 100).proposals:
            n = [N + ask.samples for ask in (one.base, one.other)]
            later = [c[i][one.place] + rng.binomial(n[i] - N, p[i][one.place]) for i in (0, 1)]
            found = evidence([n[0]], [later[0]], [n[1]], [later[1]], 64)[0]
            before = [pass_at_k(N, c[i][one.place], 100) >= 0.5 for i in (0, 1)]
            after = [pass_at_k(n[i], later[i], 100) >= 0.5 for i in (0, 1)]
            told += [(one.settles, one.changes), (found.standing is not Standing.UNDETERMINED, before != after)]
    return told


@pytest.fixture(scope="module")
def planned() -> Plan:
    return plan(*counts(), 64)


def test_every_undetermined_problem_is_listed_once_and_no_other(planned: Plan) -> None:
    standings = [one.standing for one in evidence(*counts(), 64)]
    assert list(planned.standings) == standings
    open_ = [place for place, standing in enumerate(standings) if standing is Standing.UNDETERMINED]
    assert sorted(one.place for one in planned.proposals) == open_
    assert (planned.budget, planned.k) == (64, N)


def test_the_most_settled_per_sample_comes_first_and_sums_are_of_what_is_paid_for(planned: Plan) -> None:
    rates = [one.per_sample for one in planned.proposals]
    assert rates == sorted(rates, reverse=True)
    for spend in (0, 100, 5000, 10**9):
        taken = affordable(planned.proposals, spend)
        assert sum(one.samples for one in taken) <= spend
        left = spend - sum(one.samples for one in taken)
        assert all(one.samples == 0 or one.samples > left for one in planned.proposals if one not in taken)


def test_nothing_is_drawn_of_a_model_that_is_settled(planned: Plan) -> None:
    states = set()
    for one in planned.proposals:
        for ask in (one.base, one.other):
            states.add(ask.state)
            assert ask.state is State.OPEN or ask.samples == 0
        assert 0.0 <= one.settles <= 1.0
        assert 0.0 <= one.changes <= 1.0
        assert one.samples > 0 or one.settles < 0.01
    assert State.CAN in states


@pytest.mark.parametrize("models", ["alike", "unrelated"])
def test_the_chances_are_kept(models: str) -> None:
    """As many problems settle, and move, as the plan says."""
    rng = np.random.default_rng(4)
    if models == "alike":
        promised, kept = promised_and_kept(lambda p: p, 5, 8, 0.25, 3.0, 60)
    else:
        promised, kept = promised_and_kept(lambda p: rng.beta(0.25, 0.6, len(p)), 4, 4, 0.4, 1.2, 200)
    assert (np.abs(kept - promised) <= 3 * np.sqrt(promised)).all(), f"promised {promised}, kept {kept}"
    assert (promised > 10).all()


def test_a_near_miss_comes_before_what_takes_thousands() -> None:
    found = plan([N] * 6, [60, 60, 30, 90, 5, 0], [N] * 6, [0, 5, 100, 110, 80, 0], 64)
    order = [one.place for one in found.proposals]
    assert order.index(1) < order.index(0), "5 of 128 are nearly enough; 0 of 128 needs 3,706 failures more"
    lost = next(one for one in found.proposals if one.place == 0)
    assert (lost.base.state, lost.other.state) == (State.CAN, State.OPEN)
    assert lost.other.cost == 3834 - N
    assert found.standings[3] is Standing.ELICITED
    assert 5 in order


def test_the_same_counts_give_the_same_plan() -> None:
    assert plan(*counts(40), 64, seed=3) == plan(*counts(40), 64, seed=3)


problems = st.integers(1, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@settings(deadline=None, max_examples=12)
@given(st.lists(st.tuples(problems, problems), min_size=1, max_size=6), st.integers(1, 2000))
def test_any_counts_have_a_plan(pairs: list[tuple[tuple[int, int], tuple[int, int]]], budget: int) -> None:
    base_n, base_c, other_n, other_c = ([pair[side][which] for pair in pairs] for side in (0, 1) for which in (0, 1))
    found = plan(base_n, base_c, other_n, other_c, budget)
    assert len(found.standings) == len(pairs)
    assert all(np.isfinite([one.settles, one.changes]).all() for one in found.proposals)


def test_what_cannot_be_planned_is_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no problems to plan for"):
        plan([], [], [], [], 8)
    with pytest.raises(ValueError, match="no judged samples"):
        plan([0], [0], [8], [1], 8)
    with pytest.raises(ValueError, match="k must be between 1 and the smallest n, 8"):
        plan([8], [1], [16], [1], 8, 9)


def counted(path: Path, base: list[int], other: list[int]) -> tuple[Board, RunRow, RunRow]:
    """A study of counts alone, 128 samples of each problem."""
    with Writer(path, "test") as writer:
        new = [
            NewCount(run(model), problem(str(i)), 1 + i, c, N)
            for model, of in ((BASE, base), (RL, other))
            for i, c in enumerate(of)
        ]
        writer.add_counts(source(writer), new)
    with Study(path) as study:
        board = read_board(study, "sums")
    return board, board.runs[0], board.runs[1]


def test_counts_alone_are_enough_for_a_pair(tmp_path: Path) -> None:
    board, base, other = counted(tmp_path / "s.db", [60, 60, 30, 90], [0, 5, 100, 110])
    found = plan_pair(board, base, other, budget=64)
    assert (found.k, found.budget, found.verifier) == (N, 64, "imported")
    assert found.standings == {Standing.ELICITED: 2, Standing.UNDETERMINED: 2}
    assert [entry.problem.key for entry in found.entries] == ["1", "0"]
    assert found.entries[1].other.correct == 0
    assert found.whole == found.taken
    assert found.whole.samples == sum(entry.proposal.samples for entry in found.entries)
    assert (found.going_on.problems, found.going_on.samples) == (2, sum(e.proposal.other.cost or 0 for e in found.entries))
    little = plan_pair(board, base, other, budget=64, spend=found.entries[0].proposal.samples)
    assert [entry.taken for entry in little.entries] == [True, False]
    assert little.taken.problems == 1
    assert plan_pair(board, base, other).budget == N
    with pytest.raises(NotFound, match="cannot be compared at k = 129"):
        plan_pair(board, base, other, k=129)
