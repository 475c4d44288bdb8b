"""Extra samples tell of their own problem, and move no rate over problems."""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from engine.analyses.reach import fewest_for_can, most_for_cannot
from engine.board import Board, read_board
from engine.exporting import Wanted, write_jsonl
from engine.health import health
from engine.importers.base import Options
from engine.importers.looking import look
from engine.importing import import_file, prepare
from engine.planning import PairPlan, extra_of, plan_pair
from engine.summary import cover, evidence_of, plug_in, summarise
from explorer.commands import plan as plan_command
from store.query import parse
from store.reader import Study
from store.rows import RunRow
from store.types import Batch, Finish, NewDraw, Outcome, Problem, Prompt, Verdict, sample_seed
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import RL, run

KEYS = "abcd"
PROBLEMS = [Problem("sums", key, f"Sum {key}?", "4") for key in KEYS]
BATCH = Batch("scripted", "1", "cpu", "float32", "here", "0" * 64)
RUNS = (run(), run(RL))

Sides = Sequence[Sequence[str]]
"""By run and problem, outcomes by index: "r" right, "w" wrong, "e" error, "." not judged."""
_SAID = {"r": Outcome.CORRECT, "w": Outcome.INCORRECT, "e": Outcome.ERROR}


def made(path: Path, own: Sides, extra: Sides) -> Path:
    """A study in which each run has drawn `own` of each problem, and then what a plan asked for."""
    with Writer(path, "test") as writer:
        for of, ours, more in zip(RUNS, own, extra, strict=True):
            batch = writer.open_batch(of, BATCH, {on: Prompt("?", (1,)) for on in PROBLEMS})
            draws = [
                NewDraw(on, index, sample_seed(of.key, on, index), f"so {sign}", (1, 2), Finish.STOP, extra=index >= len(first))
                for on, first, beyond in zip(PROBLEMS, ours, more, strict=True)
                for index, sign in enumerate(first + beyond)
            ]
            writer.add_draws(batch, draws)
        with Study(path) as study:
            rows = study.query("SELECT sample_id, run_id, problem_id, idx FROM sample")
        said = {
            (at + 1, place + 1, index): _SAID.get(sign)
            for at, (ours, more) in enumerate(zip(own, extra, strict=True))
            for place, signs in enumerate(a + b for a, b in zip(ours, more, strict=True))
            for index, sign in enumerate(signs)
        }
        found = [(sample, of, on, said[of, on, index]) for sample, of, on, index in rows]
        judged = [Judged(sample, of, on, Verdict(one, "boxed", "4")) for sample, of, on, one in found if one]
        writer.add_verdicts("math", "1", judged)
    return path


def board_of(path: Path) -> tuple[Board, RunRow, RunRow]:
    with Study(path) as study:
        board = read_board(study, "sums")
    return board, board.runs[0], board.runs[1]


signs = st.text("rwe.", min_size=3, max_size=6).filter(lambda text: "r" in text or "w" in text)
own_of = st.lists(signs, min_size=4, max_size=4)
extra_by = st.lists(st.text("rwe.", max_size=5), min_size=4, max_size=4)
NONE = [[""] * 4] * 2


@settings(deadline=None, max_examples=15)
@given(st.tuples(own_of, own_of), st.tuples(extra_by, extra_by))
def test_no_rate_over_problems_moves(own: Sides, extra: Sides) -> None:
    with TemporaryDirectory() as folder:
        plain, more = (made(Path(folder) / f"{name}.db", own, beyond) for name, beyond in (("plain", NONE), ("more", extra)))
        found = []
        for path in (plain, more):
            board, base, other = board_of(path)
            with Study(path) as study:
                rows, labels = health(study, board)
            sizes = [board.common_k(), board.common_k(base, other), *(board.pass_at_1(one) for one in board.runs)]
            curves = [plug_in(board, one, (1, 2)) for one in board.runs]
            found.append((summarise(board, intervals=True), cover(board, base, other), repr(rows), labels, sizes, curves))
        assert repr(found[0]) == repr(found[1])


@settings(deadline=None, max_examples=15)
@given(st.tuples(own_of, own_of), st.tuples(extra_by, extra_by), st.integers(1, 64))
def test_evidence_of_one_problem_is_that_of_all_its_samples(own: Sides, extra: Sides, budget: int) -> None:
    """As if nothing had been extra."""
    together = [[a + b for a, b in zip(ours, more, strict=True)] for ours, more in zip(own, extra, strict=True)]
    with TemporaryDirectory() as folder:
        apart = board_of(made(Path(folder) / "apart.db", own, extra))
        whole = board_of(made(Path(folder) / "whole.db", together, NONE))
        assert evidence_of(*apart, budget) == evidence_of(*whole, budget)
        k = apart[0].common_k(*apart[1:])
        ours, theirs = plan_pair(*apart, budget, k), plan_pair(*whole, budget, k)
        assert ours.standings == theirs.standings
        assert [one.proposal for one in ours.entries] == [one.proposal for one in theirs.entries]
        drawn = [(sum(map(len, of)), sum(map(bool, of))) for of in extra]
        assert [(one.samples, one.problems) for one in ours.extra] == drawn


@pytest.fixture
def spent(tmp_path: Path) -> Path:
    """Of problem a, base is settled and the other is open; a plan has spent 40 samples on it. Nothing was spent on b."""
    right, rare, never = "r" * 30 + "w" * 34, "rrr" + "w" * 61, "w" * 64
    return made(
        tmp_path / "s.db",
        [[right, right, right, never], [rare, rare, right, never]],
        [["", "", "", ""], ["rr" + "w" * 38, "", "", ""]],
    )


def plan_of(path: Path, spend: int | None = None) -> PairPlan:
    return plan_pair(*board_of(path), budget=32, spend=spend)


def test_what_is_paid_for_stands_beyond_n_with_what_is_there(spent: Path) -> None:
    found = plan_of(spent)
    entries = {entry.problem.key: entry for entry in found.entries}
    assert (entries["a"].other.all_correct, entries["a"].other.all_n) == (5, 104)
    base, other = extra_of(found)
    assert base == {}
    asked = {key: entry.proposal.other.samples for key, entry in entries.items() if entry.proposal.other.samples}
    assert set(other) == set(asked) >= {"a", "b"}
    assert {key: other[key] - asked[key] for key in other} == {key: 40 if key == "a" else 0 for key in other}
    # a run that is asked for less than it has is to keep what it has
    assert extra_of(found, n=60)[1] == {key: number + 4 for key, number in other.items()}
    assert extra_of(found, n=64) == extra_of(found, n=100) == (base, other)


def test_what_was_spent_is_not_asked_for_again(spent: Path) -> None:
    """The same problem without its extra samples asks for at least as many."""
    board, _, other = board_of(spent)
    fewer = {entry.problem.key: entry.proposal for entry in plan_of(spent).entries}
    assert fewer["a"].other.cost is not None
    assert fewer["b"].other.cost is not None
    assert fewer["a"].other.cost < fewer["b"].other.cost
    assert board.cells[other.run_id, 1].n == 64


def test_what_is_not_paid_for_is_left_out(spent: Path) -> None:
    first = plan_of(spent).entries[0]
    base, other = extra_of(plan_of(spent, spend=first.proposal.samples))
    assert [*base, *other] == [first.problem.key]
    assert extra_of(plan_of(spent, spend=0)) == ({}, {})


def test_looking_again_is_another_chance_to_be_wrong() -> None:
    """The figures of `engine.planning`, summed over all outcomes: the run stops where a look settles the problem."""

    def wrong(p: float, looks: Sequence[int], *, can: bool) -> float:
        going, total, before = np.ones(1), 0.0, 0
        for n in looks:
            going = np.convolve(going, binom.pmf(np.arange(n - before + 1), n - before, p))
            least = int(fewest_for_can(np.array([n]), 64)[0])
            most = int(most_for_cannot(np.array([n]), 64)[0])
            total += going[least:].sum() if can else going[: most + 1].sum()
            going[least:], going[: most + 1], before = 0, 0, n
        return round(100 * float(total), 1)

    looks = [128, 256, 512, 1024, 2048, 3850]
    assert [wrong(1 / 64, looks[:number], can=True) for number in (1, 2, 3, 4, 6)] == [1.6, 3.0, 3.9, 5.2, 7.7]
    assert [wrong(0.05 / 64, looks[:number], can=False) for number in (5, 6)] == [0.0, 4.9]


def call(capsys: pytest.CaptureFixture[str], path: Path, *more: str) -> str:
    parser = argparse.ArgumentParser()
    plan_command.add_arguments(parser)
    arguments = parser.parse_args([str(path), "--budget", "32", *more])
    arguments.quiet = True
    assert plan_command.run(arguments) == 0
    return capsys.readouterr().out


def test_the_command_says_what_was_drawn_already(spent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = call(capsys, spent)
    assert "extra samples there already: other 40 of 1 problem; " in out
    assert " 3/64 +2/40 " in out
    (found,) = json.loads(call(capsys, spent, "--json"))["benchmarks"]
    assert found["extra"] == {"base": {"problems": 0, "samples": 0}, "other": {"problems": 1, "samples": 40}}
    (first,) = [one["other"] for one in found["problems"] if one["problem"] == "a"]
    assert (first["correct"], first["n"], first["extra_correct"], first["extra_n"]) == (3, 64, 2, 40)


def test_our_own_export_read_again_keeps_them_apart(spent: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    with Study(spent) as study:
        text = io.StringIO()
        assert list(write_jsonl(study, Wanted(study.runs()), text))[-1] == 8 * 64 + 40
        before = [(c.correct, c.n, c.extra_correct, c.extra_n, c.extra) for c in study.counts("sums")]
    file.write_text(text.getvalue(), encoding="utf-8")
    with Writer(tmp_path / "again.db", "import") as writer:
        import_file(writer, prepare(look(file), Options()))
    with Study(tmp_path / "again.db") as study:
        assert [(c.correct, c.n, c.extra_correct, c.extra_n, c.extra) for c in study.counts("sums")] == before


def test_they_can_be_asked_for(spent: Path) -> None:
    from engine.finding import Finder

    with Study(spent) as study:
        finder = Finder(study)
        assert {hit.idx for hit in finder.traces(parse("extra:yes correct:yes"))} == {64, 65}
        assert all(hit.extra for hit in finder.traces(parse("extra:yes")))
        assert finder.count(parse("extra:no")) == 8 * 64
