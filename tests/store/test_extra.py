"""Extra samples: stored beside the run's own, counted apart, and the run's own once its n reaches them."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.answers import answer_counts
from store.check import check_structure
from store.reader import Study
from store.slicing import slice_study
from store.types import Batch, Finish, NewDraw, Outcome, Problem, Prompt, Run, Verdict, sample_seed
from store.verdicts import OUTCOMES, Judged
from store.writer import Writer
from tests.builders import RL, answers, run, source

PROBLEMS = [Problem("sums", key, f"Sum {key}?", "4") for key in "abc"]
BATCH = Batch("scripted", "1", "cpu", "float32", "here", "0" * 64)
RUNS = [run(), run(RL)]

Spent = tuple[int, ...]
"""Extra samples of each problem."""


def outcome_of(seed: int, judge: int) -> Outcome | None:
    """What a verifier says of a sample, which depends on the sample alone; None where it has not looked."""
    return (*OUTCOMES, None)[seed // (7 + judge) % 5]


def draw(of: Run, on: Problem, index: int, n: int) -> NewDraw:
    seed = sample_seed(of.key, on, index)
    finish = Finish.LENGTH if seed % 3 == 0 else Finish.STOP
    return NewDraw(on, index, seed, f"text {seed}", (seed % 99, 1), finish, logp=-1.0, extra=index >= n)


def put(writer: Writer, of: Run, n: int, spent: Spent) -> None:
    """Draw what a plan asks for; what is there stays."""
    batch = writer.open_batch(of, BATCH, {on: Prompt("?", (1, 2)) for on in PROBLEMS})
    asked = [(on, index) for on, more in zip(PROBLEMS, spent, strict=True) for index in range(n + more)]
    writer.add_draws(batch, [draw(of, on, index, n) for on, index in asked])


def judge(writer: Writer, names: Iterable[str] = ("math", "imported")) -> None:
    with Study(writer.path) as study:
        rows = study.query("SELECT sample_id, run_id, problem_id, seed FROM sample ORDER BY sample_id")
    for number, name in enumerate(names):
        found = [(sample, of, on, outcome_of(seed, number)) for sample, of, on, seed in rows]
        judged = [Judged(sample, of, on, Verdict(said, "here", "4")) for sample, of, on, said in found if said]
        writer.add_verdicts(name, "1", judged)


def made(path: Path, n: int, spent: Spent) -> Path:
    with Writer(path, "test") as writer:
        for of in RUNS:
            put(writer, of, n, spent)
        judge(writer)
    return path


def tables(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that is counted, rows of zeros left out, and the samples it is counted from."""
    counts = "run_id, problem_id, verifier, correct, incorrect, no_answer, error"
    some = "correct + incorrect + no_answer + error > 0 ORDER BY 1, 2, 3"
    with Study(path) as study:
        return {
            "drawn": study.query("SELECT * FROM drawn ORDER BY 1, 2"),
            "tally": study.query(f"SELECT {counts} FROM tally WHERE {some}"),
            "extra": study.query(f"SELECT {counts} FROM extra_tally WHERE {some}"),
            "samples": study.query("SELECT run_id, problem_id, idx, extra, seed, finish, chars FROM sample ORDER BY 1, 2, 3"),
        }


def counted(path: Path, extra: int) -> list[tuple[object, ...]]:
    """Tallies by brute force."""
    found: dict[tuple[int, int, str], Counter[str]] = {}
    with Study(path) as study:
        rows = study.query(
            """SELECT run_id, problem_id, name, outcome FROM verdict JOIN sample USING (sample_id)
               JOIN verifier USING (verifier_id) WHERE extra = ?""",
            (extra,),
        )
    for *key, said in rows:
        found.setdefault((key[0], key[1], key[2]), Counter())[said] += 1
    return sorted((*key, *(of[one] for one in OUTCOMES)) for key, of in found.items())


spent = st.tuples(*[st.integers(0, 6)] * len(PROBLEMS))
sizes = st.integers(1, 5)


@settings(deadline=None, max_examples=20)
@given(sizes, spent)
def test_tallies_are_what_counting_each_kind_of_sample_gives(n: int, more: Spent) -> None:
    with TemporaryDirectory() as folder:
        path = made(Path(folder) / "s.db", n, more)
        found = tables(path)
        assert found["tally"] == counted(path, 0)
        assert found["extra"] == counted(path, 1)
        assert [row[2] for row in found["drawn"]] == [n] * 6
        assert [row[5] for row in found["drawn"]] == [*more, *more]
        assert list(check_structure(path)) == []
        with Study(path) as study:
            for count in study.counts("sums"):
                assert (count.samples, count.counted + count.unjudged) == (n, n)
                assert count.extra_correct <= count.extra_n <= count.extra
                own = [row for row in study.traces(count.problem_id) if row.run_id == count.run_id]
                # the verifier that decides for the run's own samples decides for the extra ones
                told = [row.outcome for row in own if row.extra and row.verifier == count.verifier]
                by_name = {row[:3]: row[3:] for row in found["extra"]}
                correct, incorrect, no_answer, _ = by_name.get((count.run_id, count.problem_id, count.verifier), (0, 0, 0, 0))
                assert (count.extra_correct, count.extra_n) == (correct, correct + incorrect + no_answer)
                assert told.count(Outcome.CORRECT) == count.extra_correct


@settings(deadline=None, max_examples=20)
@given(sizes, spent)
def test_extra_samples_change_no_count_of_the_runs_own(n: int, more: Spent) -> None:
    """Nor which answers are counted."""
    with TemporaryDirectory() as folder:
        plain = tables(made(Path(folder) / "plain.db", n, (0, 0, 0)))
        path = made(Path(folder) / "more.db", n, more)
        found = tables(path)
        assert found["tally"] == plain["tally"]
        assert [row[:5] for row in found["drawn"]] == [row[:5] for row in plain["drawn"]]
        with Study(Path(folder) / "plain.db") as one, Study(path) as other:
            assert answer_counts(other, "sums") == answer_counts(one, "sums")


@settings(deadline=None, max_examples=20)
@given(sizes, spent, st.integers(0, 9))
def test_a_run_whose_n_is_raised_is_the_one_drawn_with_that_n_at_once(n: int, more: Spent, raised: int) -> None:
    """Promotion, then what is missing; judged before it or after."""
    larger = n + raised
    beyond = [max(0, one - raised) for one in more]
    with TemporaryDirectory() as folder:
        path = made(Path(folder) / "late.db", n, more)
        with Writer(path, "test") as writer:
            within = 2 * sum(min(one, raised) for one in more)
            early = sum(writer.admit(of.key, larger) for of in RUNS)
            assert early == (within if min(more) >= raised else 0), "not while a problem lacks one of its n"
            assert list(check_structure(path)) == []
            for of in RUNS:
                put(writer, of, larger, tuple(beyond))
            assert early + sum(writer.admit(of.key, larger) for of in RUNS) == within
            assert [writer.admit(of.key, size) for of in RUNS for size in (larger, n, 0)] == [0] * 6
            judge(writer)
        found, wanted = tables(path), tables(made(Path(folder) / "at once.db", larger, tuple(beyond)))
        assert found == wanted
        assert list(check_structure(path)) == []


def test_a_run_that_is_not_there_has_nothing_to_admit(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        assert writer.admit(RUNS[0].key, 8) == 0
        put(writer, RUNS[0], 2, (3, 1, 1))
        assert writer.admit(RUNS[1].key, 8) == 0
        assert writer.admit(RUNS[0].key, 4) == 0
        assert writer.admit(RUNS[0].key, 3) == 3


def test_a_verdict_that_gives_way_leaves_the_tally_it_was_counted_in(tmp_path: Path) -> None:
    path = made(tmp_path / "s.db", 2, (3, 0, 1))
    with Writer(path, "test") as writer:
        with Study(path) as study:
            rows = study.query("SELECT sample_id, run_id, problem_id FROM sample")
        again = Verdict(Outcome.CORRECT, "again")
        writer.add_verdicts("math", "2", [Judged(sample, of, on, again) for sample, of, on in rows])
    assert list(check_structure(path)) == []
    with Study(path) as study:
        assert {(c.correct, c.n, c.extra_correct, c.extra_n) for c in study.counts("sums")} == {
            (2, 2, extra, extra) for extra in (3, 0, 1)
        }


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            "UPDATE extra_tally SET correct = correct + 1 WHERE verifier = 'math'",
            "tally of extra samples of base-7b@sums on sums:a",
        ),
        ("DELETE FROM extra_tally", "tally of extra samples of rl-7b-step-100@sums on sums:a"),
        ("UPDATE drawn SET extra = 0", "sample count of base-7b@sums on sums:a"),
        ("UPDATE sample SET extra = 1 WHERE idx = 0", "tally of base-7b@sums on sums:b"),
        ("UPDATE sample SET extra = 0", "tally of extra samples of base-7b@sums on sums:a"),
    ],
)
def test_each_change_is_found(tmp_path: Path, change: str, finding: str) -> None:
    path = made(tmp_path / "s.db", 6, (8, 0, 8))
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    connection.close()
    found = list(check_structure(path))
    assert any(finding in one for one in found), found


def test_a_slice_keeps_the_mark_and_counts_no_part_of_the_extra_ones(tmp_path: Path) -> None:
    """Those that came along may have been chosen by their answers."""
    path = made(tmp_path / "whole.db", 6, (8, 0, 8))
    with Study(path) as study:
        rows = [row for key in (1, 2, 3) for row in study.traces(key)]
        whole = {(c.run_id, c.problem_id): c for c in study.counts("sums")}
    right = [row.sample_id for row in rows if row.outcome is Outcome.CORRECT]
    marks = {row.sample_id: row.extra for row in rows}
    assert {marks[one] for one in right} == {True, False}
    for name, chosen in (("some", right), ("all", list(marks))):
        small = tmp_path / f"{name}.db"
        slice_study(path, small, chosen)
        assert list(check_structure(small)) == []
        with Study(small) as study:
            assert {row.sample_id: row.extra for key in (1, 2, 3) for row in study.traces(key)} == {
                one: marks[one] for one in chosen
            }
            counts = {(c.run_id, c.problem_id): c for c in study.counts("sums")}
        for place, count in counts.items():
            before = whole[place]
            assert (count.correct, count.n) == (before.correct, before.n)
            wanted = (before.extra_correct, before.extra_n) if name == "all" else (0, 0)
            assert (count.extra_correct, count.extra_n) == wanted


def test_imported_samples_are_none(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_traces(source(writer), answers(["x", "y"], correct=True))
    with Study(tmp_path / "s.db") as study:
        (count,) = study.counts("sums")
    assert (count.n, count.extra, count.all_n, count.all_correct) == (2, 0, 2, 2)
