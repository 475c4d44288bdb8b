"""Merging: whatever the shards are and however they are merged, it is the study drawn at once; contradictions are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.judging import judge
from engine.sampling import Shard, sample
from explorer import cli
from store.audits import Audit, AuditWriter, audits
from store.check import check_structure
from store.errors import Conflict
from store.marks import Kind, Mark, MarkWriter, marks
from store.merging import merge_study
from store.reader import Study
from store.schema import MIGRATIONS
from store.types import Batch, Finish, Model, NewDraw, Problem, Prompt, Role, Run, Settings, sample_seed
from store.writer import Writer
from tests.builders import answers, problem, run, source
from tests.contents import contents
from tests.engine.test_sampling import PROBLEMS, plan

RUNS = [
    Run(Model("lab/base", "r1", Role.BASE), "sums", Settings(temperature=0.6, seed=0)),
    Run(Model("lab/rl", "r2", Role.RL, "lab/base", "GRPO", 100, 7), "sums", Settings(temperature=1.0, seed=0)),
]
BATCHES = [
    Batch("vllm", "vllm 0.32.0", "H100", "bfloat16", "node-1", "digest", "2026-01-02T03:04:05Z", "tensor parallel 2"),
    Batch("server", "unknown", "unknown", "unknown", "node-2", "unknown", "2026-01-02T03:04:06Z"),
]
ASKED = [Problem("sums", str(key), f"What is {key} + {key}?", str(2 * key), level=str(key)) for key in range(3)]
N = 4


def draw_of(run: Run, problem: Problem, index: int) -> NewDraw:
    """Every kind there is: with and without ids, logp, stop reason; cut; extra; lone surrogates."""
    seed = sample_seed(run.key, problem, index)
    text = f"\ud800 of {problem.key}: \\boxed{{{2 * int(problem.key) + seed % 2}}}"
    knows = run is RUNS[0]
    return NewDraw(
        problem,
        index,
        seed,
        text,
        tuple(ord(letter) for letter in text) if knows else None,
        Finish.LENGTH if seed % 5 == 0 else Finish.STOP,
        "<end>" if seed % 3 else None,
        -(seed % 1000) / 7 if knows else None,
        None if knows else seed % 90,
        extra=index == N - 1 and problem.key == "1",
    )


Unit = tuple[int, int, int]
"""Run, problem and index."""

UNITS: list[Unit] = [
    (run, problem, index) for run in range(2) for problem in range(3) for index in range(N if problem == 1 else N - 1)
]


def write(path: Path, units: Sequence[Unit]) -> Path:
    with Writer(path, "test") as writer:
        for number, (run, batch) in enumerate(zip(RUNS, BATCHES, strict=True)):
            draws = [draw_of(run, ASKED[problem], index) for which, problem, index in units if which == number]
            if draws:
                prompts = {problem: Prompt(f"{problem.statement}\n", (1, 2, int(problem.key))) for problem in ASKED}
                writer.add_draws(writer.open_batch(run, batch, prompts), draws)
    return path


def merge(path: Path, *shards: Path) -> list[int]:
    with Writer(path, "merge") as writer:
        added = [merge_study(writer, shard).added for shard in shards]
        judge(writer, "math")
    return added


@st.composite
def shards_and_order(draw: st.DrawFn) -> tuple[list[list[Unit]], list[int]]:
    """Every unit in one shard or more, and the shards in any order with repeats, each at least once."""
    number = draw(st.integers(1, 4))
    places = draw(
        st.lists(st.sets(st.integers(0, number - 1), min_size=1, max_size=2), min_size=len(UNITS), max_size=len(UNITS))
    )
    parts = [[unit for unit, where in zip(UNITS, places, strict=True) if shard in where] for shard in range(number)]
    again = draw(st.lists(st.integers(0, number - 1), max_size=3))
    return parts, draw(st.permutations([*range(number), *again]))


@settings(max_examples=15, deadline=None)
@given(shards_and_order())
def test_any_partition_in_any_order_with_repeats_is_the_whole(
    drawn: tuple[list[list[tuple[int, int, int]]], list[int]],
) -> None:
    parts, order = drawn
    with TemporaryDirectory() as folder:
        whole = write(Path(folder) / "whole.db", UNITS)
        merge(whole)
        shards = [write(Path(folder) / f"{number}.db", part) for number, part in enumerate(parts)]
        merged = Path(folder) / "merged.db"
        merge(merged, *(shards[number] for number in order))
        assert contents(merged) == contents(whole)
        assert list(check_structure(merged)) == []
        assert merge(merged, *shards) == [0] * len(shards)
        assert contents(merged) == contents(whole)
        with Study(merged) as study:
            batches = study.query("SELECT run.key, sampler, host, started, detail FROM batch JOIN run USING (run_id)")
    assert sorted(batches) == sorted(
        (run.key, batch.sampler, batch.host, batch.started, batch.detail) for run, batch in zip(RUNS, BATCHES, strict=True)
    )


def test_parts_by_different_numbers_merge_and_a_shard_that_grew_adds_what_is_new(tmp_path: Path) -> None:
    whole, merged = tmp_path / "whole.db", tmp_path / "merged.db"
    with Writer(whole, "test") as writer:
        sample(writer, plan(tmp_path, 9))
        judge(writer, "math")
    for of, numbers in ((2, [1, 2]), (3, [1, 2]), (5, [4])):
        for number in numbers:
            with Writer(tmp_path / f"{number}-{of}.db", "test") as writer:
                sample(writer, plan(tmp_path, 3 if of == 2 else 9, shard=Shard(number, of)))
    parts = sorted(tmp_path.glob("*-*.db"))
    merge(merged, *parts)
    with Writer(tmp_path / "3-3.db", "test") as writer:
        sample(writer, plan(tmp_path, 9, shard=Shard(3, 3)))
    merge(merged, tmp_path / "3-3.db")
    assert contents(merged) == contents(whole)
    assert list(check_structure(merged)) == []


def test_a_sample_that_is_another_is_named_and_the_study_keeps_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, other = write(tmp_path / "whole.db", UNITS), write(tmp_path / "other.db", UNITS[4:])
    with Writer(other, "test") as writer:
        prompts = {problem: Prompt(f"{problem.statement}\n", (1, 2, int(problem.key))) for problem in ASKED}
        batch = writer.open_batch(RUNS[0], BATCHES[0], prompts)
        kept = draw_of(RUNS[0], ASKED[0], 0)
        ids = (*(kept.ids or ()), 65)
        moved = replace(draw_of(RUNS[0], ASKED[0], 1), logp=-1.5)
        writer.add_draws(batch, [replace(kept, ids=ids), moved, replace(draw_of(RUNS[0], ASKED[0], 2), response="x")])
    before = contents(whole)
    assert cli.main(["merge", str(whole), str(other), "--no-verify"]) == 1
    said = capsys.readouterr().err
    assert f"{other}: base-r1@sums/sums:0/0 is another response than in {whole}, which keeps its own" in said
    assert "base-r1@sums/sums:0/2" in said
    assert "base-r1@sums/sums:0/1" not in said  # rounding moves a log-probability, and makes no other sample
    assert contents(whole) == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"statement": "What is 0 times 0?"}, "problem sums:0 has another statement there"),
        ({"reference": "7"}, "problem sums:0 has another reference answer there"),
        ({}, "another prompt for sums:0"),
    ],
)
def test_a_shard_that_contradicts_is_refused_whole_and_the_others_are_merged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, str], words: str
) -> None:
    whole = write(tmp_path / "whole.db", UNITS[:3])
    good = write(tmp_path / "good.db", UNITS[3:5])
    odd = tmp_path / "odd.db"
    with Writer(odd, "test") as writer:
        problem = replace(ASKED[0], **change)  # type: ignore[arg-type]
        batch = writer.open_batch(RUNS[1], BATCHES[1], {problem: Prompt("another", (9,))})
        writer.add_draws(batch, [replace(draw_of(RUNS[1], ASKED[0], 3), problem=problem)])
    if not change:  # the prompt is a run's
        with Writer(whole, "test") as writer:
            writer.open_batch(RUNS[1], BATCHES[1], {ASKED[0]: Prompt("one", (1,))})
    runs = len(contents(whole)["runs"])
    assert cli.main(["merge", str(whole), str(odd), str(good), "--no-verify"]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert str(odd) in said
    assert "nothing of it was merged" in said
    assert [row[:3] for row in contents(whole)["samples"]] == [
        row[:3] for row in contents(write(tmp_path / "b", UNITS[:5]))["samples"]
    ]
    assert len(contents(whole)["runs"]) == runs


def test_what_is_no_shard_is_a_sentence_and_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.db").write_text("no study at all, but long enough to be looked at")
    old = tmp_path / "old.db"
    good = write(tmp_path / "good.db", UNITS)
    import sqlite3

    connection = sqlite3.connect(old)
    connection.executescript(MIGRATIONS[0][1])
    connection.execute("PRAGMA user_version = 1")
    connection.execute("PRAGMA application_id = 0x42424E44")
    connection.commit()
    connection.close()
    for shard, words in (("text.db", "is no SQLite file"), ("old.db", "migrate"), ("none.db", "does not exist")):
        assert cli.main(["merge", str(tmp_path / "new.db"), str(good), str(tmp_path / shard)]) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "new.db").exists()
    assert cli.main(["merge", str(good), str(good)]) == 2
    assert "is the study itself" in capsys.readouterr().err


def test_imported_samples_stay_and_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shard = write(tmp_path / "shard.db", UNITS[:3])
    with Writer(shard, "test") as writer:
        writer.add_traces(source(writer), answers(["one", "two"], of=run(benchmark="others"), on=problem(benchmark="others")))
    assert cli.main(["merge", str(tmp_path / "new.db"), str(shard)]) == 0
    said = capsys.readouterr().err
    assert f"{shard}: 3 samples added, 2 left out that were imported: import their files" in said
    assert "judged 3 samples" in said
    with Study(tmp_path / "new.db") as study:
        assert study.query("SELECT count(*), count(source_id) FROM sample") == [(3, 0)]
    assert cli.main(["merge", str(tmp_path / "new.db"), str(shard)]) == 0
    assert "0 samples added, 3 already there" in capsys.readouterr().err


def test_labels_and_marks_come_along_once_and_never_undo_later_ones(tmp_path: Path) -> None:
    shard, whole = write(tmp_path / "shard.db", UNITS), write(tmp_path / "whole.db", UNITS[:2])
    with AuditWriter(shard) as writer:
        writer.add(Audit(1, "ann", 1, created="2026-01-01T00:00:00.000Z"))
        writer.add(Audit(2, "ann", 3, 1, "why", created="2026-01-02T00:00:00.000Z"))
        writer.add(Audit(5, "bob", 2, created="2026-01-02T00:00:00.000Z"))
    with MarkWriter(shard) as writer_of_marks:
        writer_of_marks.add(Mark(5, "ann", Kind.NOTE, text="look", created="2026-01-02T00:00:00.000Z"))
    with AuditWriter(whole) as writer:
        writer.add(Audit(1, "ann", 4, created="2026-01-03T00:00:00.000Z"))
    for _ in range(2):
        assert cli.main(["merge", str(whole), str(shard), "--no-verify", "--quiet"]) == 0
    with Study(whole) as study:
        places = dict(study.query("SELECT sample_id, idx || '/' || problem_id FROM sample"))
        labels = {(places[row.sample_id], row.auditor): (row.label, row.step, row.note) for row in audits(study)}
        noted = [(places[mark.sample_id], mark.text) for mark in marks(study)]
        assert study.query("SELECT count(*) FROM audit") == [(3,)]
    assert labels == {("0/1", "ann"): (4, None, None), ("1/1", "ann"): (3, 1, "why"), ("1/2", "bob"): (2, None, None)}
    assert noted == [("1/2", "look")]


def test_extra_samples_within_another_s_n_are_ordinary_ones_in_either_order(tmp_path: Path) -> None:
    spent, more = tmp_path / "spent.db", tmp_path / "more.db"
    with Writer(spent, "test") as writer:
        sample(writer, plan(tmp_path, 2, extra={PROBLEMS[0].key: 5}))
    with Writer(more, "test") as writer:
        sample(writer, plan(tmp_path, 4, problems=PROBLEMS))
    for name, shards in (("one", (spent, more)), ("two", (more, spent))):
        merge(tmp_path / name, *shards)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    with Study(tmp_path / "one") as study:
        assert study.query("SELECT idx FROM sample WHERE extra ORDER BY 1") == [(4,), (5,), (6,)]
    assert list(check_structure(tmp_path / "one")) == []


def test_a_conflict_names_file_and_problem(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.db", UNITS), tmp_path / "two.db"
    with Writer(two, "test") as writer:
        sample(writer, plan(tmp_path, 1, problems=[replace(PROBLEMS[0], statement="Is it?")]))
        with pytest.raises(Conflict, match=r"one\.db: problem sums:1 has another statement there than in .*two\.db"):
            merge_study(writer, one)
