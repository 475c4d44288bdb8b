"""`list`, `slice` and `index` as people and scripts meet them."""

from __future__ import annotations

import json
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from engine.finding import Finder
from explorer import cli, memory
from store import marks as keeping
from store.audits import Audit, AuditWriter, audits
from store.check import check_structure
from store.names import parse_link
from store.query import parse
from store.reader import Study
from store.suspicions import suspicions
from store.types import NewSample, NewTrace, Outcome, Verdict
from store.writer import Writer
from tests.builders import RL, answers, harness_line, problem, run, source, write_jsonl

ESCAPE = "\x1b[31mred\x1b[0m"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """base solves problem 1 in 3 of 6 and hard/2 in 0 of 6; rl solves hard/2 alone."""
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        src, hard = source(writer), problem("hard/2", reference="9")
        line = 1
        for of, on, right in ((run(), problem(), 3), (run(), hard, 0), (run(RL), problem(), 0), (run(RL), hard, 6)):
            texts = [f"Wait, let me check {ESCAPE} {line + i}" if i % 2 else f"Sure. {line + i}" for i in range(6)]
            writer.add_traces(src, answers(texts[:right], start=line, of=of, on=on, correct=True))
            writer.add_traces(src, answers(texts[right:], start=line + right, of=of, on=on, correct=False))
            line += 6
    return path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_traces_are_listed_with_links_that_lead_back(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "list", "traces", db, "--where", '"let me" correct:yes')
    assert (status, err) == (0, "4 traces fit\n")
    header, *rows = out.splitlines()
    assert header.split() == ["trace", "outcome", "answer", "chars"]
    assert len(rows) == 4
    assert all("let me check ␛[31mred␛[0m" in row for row in rows)
    with Study(db) as study:
        found = [study.find_sample(parse_link(row.split()[0])) for row in rows]
        assert found == [hit.sample_id for hit in Finder(study).traces(parse('"let me" correct:yes'))]


def test_json_has_one_object_a_line_and_nothing_for_a_terminal_to_act_on(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = call(capsys, "list", "traces", db, "--where", "wait set:base-only", "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert err == "6 traces fit\n"
    assert {row["problem"] for row in rows} == {"1"}
    assert all(ESCAPE in row["snippet"] and row["start"] == 0 for row in rows)
    assert "\x1b" not in out
    assert rows[0].keys() == {
        "link", "benchmark", "problem", "run", "sample", "extra", "outcome", "answer", "chars", "start", "snippet"
    }  # fmt: skip


def test_problems_are_listed_with_counts_and_a_trace_that_fits(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = call(capsys, "list", "problems", db, "--where", "set:other-only correct:yes")
    assert err == "1 problem fits\n"
    title, _, row = out.splitlines()
    assert title.startswith("sums · verifier imported · sets: base-7b@sums and rl-7b-step-100@sums at k 6")
    assert row.split() == ["hard/2", "other-only", "9", "0/6", "6/6", "rl-7b-step-100@sums/sums:hard%2F2/0"]
    _, out, _ = call(capsys, "list", "problems", db, "--json")
    first, second = map(json.loads, out.splitlines())
    assert (first["problem"], first["set"], second["set"]) == ("1", "base-only", "other-only")
    assert first["runs"]["base-7b@sums"] == {
        "correct": 3, "n": 6, "errors": 0, "unjudged": 0, "extra_correct": 0, "extra_n": 0,
    }  # fmt: skip


def test_the_pair_can_be_named(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = ("--base", "rl-7b", "--other", "base-7b")
    _, out, _ = call(capsys, "list", "problems", db, "--where", "set:base-only", *pair, "--json")
    assert [json.loads(line)["problem"] for line in out.splitlines()] == ["hard/2"]


def test_a_limit_tells_how_many_there_are(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = call(capsys, "list", "traces", db, "--where", "wait", "--limit", 2)
    assert (len(out.splitlines()), err) == (3, "12 traces fit; 2 shown, --limit shows more\n")
    assert call(capsys, "list", "traces", db, "--where", "nothing") == (0, "", "no trace fits\n")
    _, _, err = call(capsys, "list", "problems", db, "--limit", 1)
    assert err == "2 problems fit; 1 shown, --limit shows more\n"


def test_a_saved_view_is_an_expression(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    status, _, err = call(capsys, "list", "traces", db, "--view", "mine")
    assert (status, err) == (2, "basebound: no view is saved as 'mine'; v in the explorer saves one\n")
    memory.load().save_view("mine", "wait correct:yes")
    assert call(capsys, "list", "traces", db, "--view", "mine")[2] == "4 traces fit\n"
    assert "there are mine" in call(capsys, "list", "traces", db, "--view", "other")[2]
    assert "not both" in call(capsys, "list", "traces", db, "--view", "mine", "--where", "a")[2]


@pytest.mark.parametrize("command", ["list traces", "list problems", "slice"])
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--where", "lable:2"], "there is no field 'lable' (column 1); write label:"),
        (["--where", "re:/(/"], "cannot be read"),
        (["--benchmark", "none"], "has no benchmark 'none'"),
        (["--base", "rl-7b"], "--base and --other name two runs together"),
        (["--base", "rl-7b", "--other", "rl-7b"], "--base and --other are one run"),
        (["--verifier", "nobody"], "has no verdicts by 'nobody'"),
    ],
)
def test_bad_input_is_one_sentence(
    db: Path, capsys: pytest.CaptureFixture[str], command: str, arguments: list[str], sentence: str
) -> None:
    more = ["--out", str(db.with_name("small.db"))] if command == "slice" else []
    status, out, err = call(capsys, *command.split(), db, *arguments, *more)
    assert (status, out) == (2, "")
    assert err.startswith("basebound: ")
    assert err.count("\n") == 1
    assert sentence in err
    assert not db.with_name("small.db").exists()


def test_a_slice_keeps_what_fits_with_all_that_belongs_to_it(
    db: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with AuditWriter(db) as writer:
        writer.add_all([Audit(1, "ann", 1), Audit(8, "ann", 3)])
    with keeping.MarkWriter(db) as marker:
        marker.add(keeping.Mark(1, "ann", keeping.Kind.NOTE, text="look"))
        marker.add_tags([keeping.Tag(1, "odd", "ann")])
    assert call(capsys, "index", db, "-q")[0] == 0
    small = tmp_path / "small.db"
    status, out, err = call(capsys, "slice", db, "--where", "set:base-only", "--out", small)
    assert (status, out) == (0, "")
    assert f"{small}: 12 of 24 traces, of 1 problem, " in err
    assert list(check_structure(small)) == []
    with Study(db) as whole, Study(small) as study:
        kept = {row.sample_id: row for row in study.traces(1)}
        assert kept == {row.sample_id: row for row in whole.traces(1)}
        assert study.counts("sums") != []
        assert [problem.problem_id for problem in study.problems("sums")] == [1], "just these problems"
        assert {c.run_id: (c.correct, c.n) for c in study.counts("sums")} == {
            c.run_id: (c.correct, c.n) for c in whole.counts("sums") if c.problem_id == 1
        }
        assert [one.label for one in audits(study)] == [1]
        assert suspicions(study, 1) == suspicions(whole, 1) != {}
        assert [mark.text for mark in keeping.marks(study, 1)] == ["look"]
        assert keeping.tags(study, "sums") == {1: ("odd",)}
        assert Finder(study).count(parse("wait")) == 6, "read, until it is indexed"
    assert call(capsys, "index", small, "-q")[0] == 0
    with Study(small) as study:
        assert Finder(study).count(parse("wait")) == 6
    status, _, err = call(capsys, "slice", db, "--out", small)
    assert (status, "is there already" in err) == (2, True)


def test_a_slice_of_nothing_is_refused(db: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = call(capsys, "slice", db, "--where", "nothing", "--out", tmp_path / "small.db")
    assert (status, "no trace of" in err) == (2, True)
    assert not (tmp_path / "small.db").exists()


def test_index_says_what_it_made(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "index", db)
    assert (status, out) == (0, "")
    assert "24 responses indexed; the index of words takes 0.0 MiB of the study" in err
    assert "9 right answers looked at for luck, " in err
    _, _, err = call(capsys, "index", db)
    assert "every response is indexed" in err
    assert "every right answer was looked at" in err
    status, _, err = call(capsys, "index", db.with_name("missing.db"))
    assert (status, db.with_name("missing.db").exists()) == (2, False)


def test_names_of_a_study_are_made_safe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        verdict = Verdict(Outcome.CORRECT, "file", answer=ESCAPE + "\u202e")
        trace = NewTrace(run(), problem(f"k{ESCAPE}"), NewSample("Wait", 1), verdict)
        writer.add_traces(source(writer), [trace])
    for what in ("traces", "problems"):
        for more in ([], ["--json"]):
            _, out, _ = call(capsys, "list", what, path, *more)
            assert "\x1b" not in out
            assert "\u202e" not in out


@pytest.mark.parametrize("command", ["index", "list", "slice"])
def test_examples_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "results.jsonl", [harness_line(0, [r"\boxed{4}"], [True])])
    for model, role in (("my-base-7b", "base"), ("my-rl-7b", "rl")):
        cli.main(["import", "study.db", "results.jsonl", "--model", model, "--role", role, "--quiet"])
    example = import_module(cli.COMMANDS[command][0]).EXAMPLE
    assert cli.main(shlex.split(example.format(db="study.db"))) == 0
