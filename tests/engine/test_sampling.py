"""The stage `sample`: what is missing is drawn, nothing twice, and a killed job goes on to the very same samples."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from engine.decoding import Decoding
from engine.judging import judge
from engine.prompts import Template
from engine.samplers.base import Manner, Opening
from engine.sampling import Plan, content_revision, sample
from explorer import cli
from store import measures
from store.check import check_structure
from store.errors import Conflict, WrongSchema
from store.migrations import migrate
from store.reader import Study
from store.schema import MIGRATIONS
from store.types import Model, Problem, Role, sample_seed
from store.writer import Writer
from tests.engine.tiny import save_model

ROOT = Path(__file__).parents[2]
PROBLEMS = [Problem("sums", str(key), f"What is {key} + {key}?", str(2 * key)) for key in range(1, 8)]


def plan(folder: Path, n: int = 5, **other: object) -> Plan:
    made = Plan(
        model=Model("tiny", "r1", Role.BASE),
        opening=Opening(folder),
        problems=PROBLEMS,
        template=Template("{problem}\n"),
        manner=Manner(Decoding(0.6, 0.95), 200),
        n=n,
        sampler="scripted",
    )
    return replace(made, **other)  # type: ignore[arg-type]


def drawn(path: Path) -> list[tuple[object, ...]]:
    """All that identifies samples, and what they are."""
    with Study(path) as study:
        return study.query(
            """SELECT run.key, problem.key, idx, sample.seed, hex(token.ids), finish, chars, digest
               FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id) JOIN token USING (sample_id)
               ORDER BY 1, 2, 3"""
        )


def test_a_plan_twice_adds_nothing_and_a_larger_n_adds_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        assert sample(writer, plan(tmp_path, 5)).added == 35
        first = drawn(path)
        assert sample(writer, plan(tmp_path, 5)).added == 0
        more = sample(writer, plan(tmp_path, 8))
    assert (more.added, more.known) == (21, 35)
    assert set(first) < set(drawn(path))
    with Study(path) as study:
        (run,) = study.runs()
        assert measures.indices(study, run.key) == {problem.key: set(range(8)) for problem in PROBLEMS}
        assert study.query("SELECT count(*) FROM batch") == [(2,)]  # the second call drew nothing
    assert list(check_structure(path)) == []


def test_seeds_are_of_run_problem_and_index_and_settings_make_other_runs(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    others: tuple[dict[str, object], ...] = (
        {"seed": 1},
        {"manner": Manner(Decoding(1.0), 200)},
        {"manner": Manner(Decoding(0.6, 0.95), 100)},
        {"model": Model("tiny", "r2")},
    )
    with Writer(path, "test") as writer:
        for other in ({}, *others):
            sample(writer, plan(tmp_path, 2, **other))
    rows = drawn(path)
    assert len({row[0] for row in rows}) == 5
    assert len({row[3] for row in rows}) == len(rows) == 70
    for run_key, key, index, seed, *_ in rows:
        assert isinstance(index, int)
        assert seed == sample_seed(str(run_key), Problem("sums", str(key)), index)


def test_samples_are_judged_counted_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        sample(writer, plan(tmp_path, 20))
        outcomes = judge(writer, "math").outcomes
    assert outcomes.total() == 140
    with Study(path) as study:
        counts = study.counts("sums")
        trace = study.trace(1)
        (prompt,) = study.query("SELECT text FROM prompt JOIN problem USING (problem_id) WHERE key = '1'")
    assert [count.n for count in counts] == [20] * 7
    assert prompt == ("What is 1 + 1?\n",)
    assert trace.source is None
    assert trace.row.tokens == len(trace.response) + 1  # a letter a token, and the stop token
    assert trace.stop_reason == "<end>"


def test_another_prompt_under_the_same_settings_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        sample(writer, plan(tmp_path, 2))
        before = drawn(path)
        changed = [replace(PROBLEMS[0], statement="What is 1  + 1?"), *PROBLEMS[1:]]  # the same but for a space
        with pytest.raises(Conflict, match="another prompt for sums:1"):
            sample(writer, plan(tmp_path, 3, problems=changed))
    assert drawn(path) == before


@pytest.mark.parametrize("after", [1, 500])
def test_killed_in_the_middle_the_same_command_ends_with_the_samples_of_an_uninterrupted_run(
    tmp_path: Path, after: int
) -> None:
    model = save_model(tmp_path / "model")
    problems = tmp_path / "p.jsonl"
    problems.write_text("".join(f'{{"key": "{i}", "statement": "{i}?", "reference": "{i}"}}\n' for i in range(9)))

    def command(db: Path) -> list[str]:
        program = "import engine.pace as p, basebound, sys; p.WRITE_EVERY_S = 0.02; sys.exit(basebound.main())"
        options = ["--model", str(model), "--problems", str(problems), "--n", "150", "--max-tokens", "50", "--batch", "8"]
        return [sys.executable, "-c", program, "sample", str(db), *options, "--temperature", "1", "--no-verify"]

    whole, killed = tmp_path / "whole.db", tmp_path / "killed.db"
    subprocess.run(command(whole), cwd=ROOT, check=True, capture_output=True)
    job = subprocess.Popen(command(killed), cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_for_samples(killed, after)
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    part = len(drawn(killed))
    assert 0 < part < 9 * 150, f"killed too late or too early to tell anything: {part}"
    subprocess.run(command(killed), cwd=ROOT, check=True, capture_output=True)
    assert drawn(killed) == drawn(whole)
    assert list(check_structure(killed)) == []


def wait_for_samples(path: Path, wanted: int) -> None:
    for _ in range(24_000):
        time.sleep(0.005)
        try:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            found = connection.execute("SELECT count(*) FROM sample").fetchone()[0]
            connection.close()
        except sqlite3.OperationalError:
            continue
        if found >= wanted:
            return
    raise AssertionError("no sample within 120 s")


def test_a_revision_is_of_the_content(tmp_path: Path) -> None:
    one, same, other = (save_model(tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert content_revision(one) == content_revision(same)
    assert content_revision(one) != content_revision(other)
    (same / "README.md").write_text("not part of the model")
    assert content_revision(one) == content_revision(same)


def test_a_study_of_the_first_schema_is_migrated_and_takes_samples(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    connection = sqlite3.connect(path)
    for number, (_, script) in enumerate(MIGRATIONS[:1], start=1):
        connection.executescript(script)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute("PRAGMA application_id = 0x42424E44")
    connection.commit()
    connection.close()
    with pytest.raises(WrongSchema, match="basebound migrate"):
        Writer(path, "test")
    assert migrate(path)[0] == 1
    with Writer(path, "test") as writer:
        assert sample(writer, plan(tmp_path, 1)).added == 7
    assert list(check_structure(path)) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--problems", "p.jsonl", "--model", "nothing"], "no config.json"),
        (["--problems", "none.jsonl"], "none.jsonl"),
        (["--problems", "twice.jsonl"], "line 2: the key '1' is there already"),
        (["--problems", "broken.jsonl"], "line 1"),
        (["--problems", "p.jsonl", "--temperature", "0"], "not above 0"),
        (["--problems", "p.jsonl", "--prompt", "Q:"], "no {problem} in it"),
        (["--problems", "p.jsonl", "--role", "king"], "king"),
        (["--problems", "long.jsonl"], "the prompt of b:1 has 70 tokens"),
        (["--benchmark", "sums"], "does not exist"),
        ([], "nothing to sample"),
    ],
)
def test_what_cannot_be_sampled_is_told_in_one_sentence_and_makes_no_samples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "model")
    line = '{"benchmark": "b", "key": "1", "statement": "%s", "reference": "2"}\n'
    for name, text in (("p", line % "1?"), ("twice", line % "1?" * 2), ("broken", "{"), ("long", line % ("1" * 69))):
        (tmp_path / f"{name}.jsonl").write_text(text)
    given = ["sample", "s.db", "--model", "model", "--n", "2", "--max-tokens", "9", *options]
    assert cli.main(given) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert words in error
    assert error.startswith("basebound: ")
    if (tmp_path / "s.db").exists():
        assert drawn(tmp_path / "s.db") == []


def test_made_up_responses_never_stand_under_a_model_s_name(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"benchmark": "b", "key": "1", "statement": "1?", "reference": "2"}\n')
    db = str(tmp_path / "s.db")
    given = ["sample", db, "--model", "my-7b", "--role", "rl", "--problems", str(tmp_path / "p.jsonl"), "--n", "3"]
    assert cli.main([*given, "--sampler", "scripted", "--quiet"]) == 0
    with Study(db) as study:
        assert [run.model for run in study.runs()] == [Model("scripted")]
