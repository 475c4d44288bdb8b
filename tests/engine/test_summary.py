"""Runs are compared on shared ground: the problems both were judged on, at the smaller n."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.board import Board, opposite_run, read_board, reference_run
from engine.summary import cover, summarise
from store.errors import NotFound
from store.reader import Study
from store.types import Model, NewCount, Problem, Role, Run
from store.writer import Writer
from tests.builders import BASE, RL, SETTINGS, answers, run, source

COUNTS = {
    BASE: {"1": (4, 8), "2": (0, 8), "3": (8, 8), "5": (1, 8)},
    RL: {"1": (4, 4), "2": (1, 4), "3": (0, 4), "4": (4, 4)},
}


@pytest.fixture
def board(tmp_path: Path) -> Board:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        counts = [
            NewCount(run(model), Problem("sums", key), 1, correct, n)
            for model, cells in COUNTS.items()
            for key, (correct, n) in cells.items()
        ]
        writer.add_counts(source(writer), counts)
    with Study(path) as study:
        return read_board(study, "sums")


def test_each_run_over_its_own_problems_and_pairs_over_the_shared_ones(board: Board) -> None:
    summary = summarise(board)
    base, rl = summary.runs
    assert (base.problems, base.k) == (4, (1, 2, 4, 8))
    assert base.pass_at_k[0] == pytest.approx((4 + 0 + 8 + 1) / 32)
    assert (rl.problems, rl.k) == (4, (1, 2, 4))
    assert rl.pass_at_k[0] == pytest.approx((1 + 0.25 + 0 + 1) / 4)
    assert summary.common_k == 4
    (pair,) = summary.pairs
    at_4 = (1 - 1 / 70 + 0 + 1) / 3
    assert (pair.problems, pair.k) == (3, 4)
    assert pair.gap == pytest.approx(at_4 - (1 + 0.25 + 0) / 3)


def test_sets_leave_out_what_one_run_was_not_asked(board: Board) -> None:
    base, rl = board.runs
    sets = cover(board, base, rl)
    assert (sets.k, sets.both, sets.base_only, sets.other_only, sets.neither) == (4, ("1",), ("3",), ("2",), ())


def test_a_k_beyond_the_smallest_n_is_a_sentence(board: Board) -> None:
    base, rl = board.runs
    with pytest.raises(NotFound, match="their smallest n is 4"):
        cover(board, base, rl, 5)


def test_without_a_role_there_is_no_pair_and_a_run_nobody_judged_is_there(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    a, b, c = (run(Model(name)) for name in "abc")
    with Writer(path, "test") as writer:
        src = source(writer)
        writer.add_counts(src, [NewCount(one, Problem("sums", "1"), 1, 1, 2) for one in (a, b)])
        writer.add_traces(src, answers(["x", "y"], of=c, on=Problem("sums", "1")))
    with Study(path) as study:
        board = read_board(study, "sums")
    summary = summarise(board)
    assert summary.pairs == ()
    assert summary.common_k == 2
    assert [(entry.problems, entry.unjudged, entry.pass_at_k) for entry in summary.runs][2] == (0, 2, ())
    assert len(summarise(board, base=board.runs[0]).pairs) == 1


def test_swapping_the_runs_swaps_the_sets(board: Board) -> None:
    base, rl = board.runs
    ours, theirs = cover(board, base, rl, 2), cover(board, rl, base, 2)
    assert (ours.base_only, ours.other_only) == (theirs.other_only, theirs.base_only)


def test_runs_without_shared_problems_are_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        src = source(writer)
        writer.add_counts(src, [NewCount(run(BASE), Problem("sums", "1"), 1, 1, 2)])
        writer.add_counts(src, [NewCount(run(RL), Problem("sums", "2"), 2, 1, 2)])
    with Study(path) as study:
        board = read_board(study, "sums")
    base, rl = board.runs
    with pytest.raises(NotFound, match="share no judged problem"):
        cover(board, base, rl)
    assert summarise(board).pairs == ()


def test_the_reference_is_the_base_model_else_what_training_started_from(board: Board) -> None:
    base, rl = board.runs
    assert reference_run([rl, base]) == base
    assert reference_run([rl]) is None
    assert reference_run([]) is None
    assert base.model.role is Role.BASE
    assert base.name == "base-7b"
    assert rl.name == "rl-7b step 100"
    assert Model("x").role is Role.OTHER


def boards(tmp_path: Path, *drawn: tuple[Model, float]) -> Board:
    """A board of these models at these temperatures, all solving half of one problem."""
    path = tmp_path / "more.db"
    with Writer(path, "test") as writer:
        counts = [
            NewCount(Run(model, "sums", replace(SETTINGS, temperature=temperature)), Problem("sums", "1"), 1, 4, 8)
            for model, temperature in drawn
        ]
        writer.add_counts(source(writer), counts)
    with Study(path) as study:
        return read_board(study, "sums")


def pairs(board: Board) -> set[tuple[str, str]]:
    return {(pair.base.name, pair.other.name) for pair in summarise(board).pairs}


def test_each_run_is_paired_with_the_base_run_drawn_like_it(tmp_path: Path) -> None:
    board = boards(tmp_path, (BASE, 0.6), (BASE, 1.0), (RL, 0.6), (RL, 1.0), (replace(RL, step=300, revision="b"), 1.0))
    assert pairs(board) == {
        ("base-7b T 0.6", "rl-7b step 100 T 0.6"),
        ("base-7b T 1", "rl-7b step 100 T 1"),
        ("base-7b T 1", "rl-7b step 300"),
    }
    cold, warm = (next(run for run in board.runs if run.name == f"base-7b T {t}") for t in ("0.6", "1"))
    for base, other in ((cold, "rl-7b step 100 T 0.6"), (warm, "rl-7b step 300")):
        found = opposite_run(board.runs, base)
        assert found is not None
        assert found.name == other


def test_each_run_is_paired_with_its_own_parent(tmp_path: Path) -> None:
    bases = [Model("lab/base-14b", role=Role.BASE), BASE]
    children = [Model("lab/rl-14b", role=Role.RL, parent="base-14b"), RL]
    board = boards(tmp_path, *((model, 0.6) for model in (*bases, *children)))
    assert pairs(board) == {("base-14b", "rl-14b"), ("base-7b", "rl-7b step 100")}
