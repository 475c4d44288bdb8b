"""`basebound audit` as people and scripts meet it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from engine.auditing.exchange import FIELDS
from explorer import cli
from explorer.commands import audit
from store.audits import Chosen, audits
from store.reader import Study
from store.types import Model, NewCount, Outcome, Problem, Run, Verdict
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import BASE, answers, problem, run, source
from tests.engine.audited import BASE_SLUG, RL_SLUG, label, make, sample
from tests.engine.test_judge import labelled, loopback, says


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.COMMANDS, "audit", ("explorer.commands.audit", "labels"))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make(tmp_path / "study.db", {"1": (3, 1), "2": (2, 0), "3": (0, 0)}, n=60)


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def document(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    status, out, _ = call(capsys, *arguments, "--json")
    assert status == 0
    found: dict[str, Any] = json.loads(out)
    assert found["schema"] == 1
    (of,) = found["benchmarks"]
    return dict(of)


def test_the_example_works(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, *shlex.split(audit.EXAMPLE.format(db=db)))
    assert status == 0
    assert "1 base only, 0 other only, McNemar exact p 1: no difference shown" in out
    assert f"{BASE_SLUG}/sums:2/0" in out


def test_the_queue_as_json_says_what_hangs_on_what(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = document(capsys, "audit", "queue", db)
    assert (found["base"], found["other"], found["k"]) == (BASE_SLUG, RL_SLUG, 60)
    assert (found["base_only"], found["other_only"], found["settled"]) == (1, 0, True)
    assert found["open_problems"] == ["1", "2"]
    assert set(found["evidence"]) == {"2"}
    first = found["traces"][0]
    assert (first["trace"], first["before"], first["after"], first["labels"]) == (f"{RL_SLUG}/sums:1/0", "both", "base only", 1)
    label(db, RL_SLUG, "1", [1])
    label(db, BASE_SLUG, "1", [1])
    label(db, BASE_SLUG, "2", [1])
    assert document(capsys, "audit", "queue", db)["traces"] == []
    _, out, _ = call(capsys, "audit", "queue", db)
    assert "settled: no further label can move a problem" in out


def test_where_n_differ_the_queue_says_that_nothing_can_be_told(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Study(db) as study:
        run_id = study.find_run(BASE_SLUG).run_id
    with Writer(db, "test") as writer:
        error = Verdict(Outcome.ERROR, "deadline")
        lost = [Judged(sample(db, BASE_SLUG, str(at), i), run_id, at, error) for at in (1, 2, 3) for i in range(30, 60)]
        writer.add_verdicts("math", "1", lost)
    found = document(capsys, "audit", "queue", db)
    assert (found["mcnemar_p"], found["settled"], found["labels_to_change"]) == (None, None, None)
    assert found["finding"] == "cannot tell: the runs' n differ"
    assert found["traces"][0]["p_after"] is None
    _, out, _ = call(capsys, "audit", "queue", db)
    assert "1 base only, 0 other only; who solves more: cannot tell: the runs' n differ, so there is no exact test" in out
    assert "first those that take the fewest labels" in out
    assert "McNemar" not in out


def test_the_other_ways_to_choose(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = document(capsys, "audit", "queue", db, "--by", "random", "--limit", "4")["traces"]
    assert [one["chosen"] for one in drawn] == ["random"] * 4
    read = document(capsys, "audit", "queue", db, "--by", "protocol", "--base", BASE_SLUG)["traces"]
    assert {(one["trace"], one["chosen"]) for one in read} == {
        (f"{RL_SLUG}/sums:1/0", "protocol"),
        (f"{BASE_SLUG}/sums:2/0", "protocol"),
        (f"{BASE_SLUG}/sums:2/1", "protocol"),
    }
    status, _, err = call(capsys, "audit", "queue", db, "--base", BASE_SLUG, "--other", BASE_SLUG)
    assert (status, "cannot be compared with itself" in err) == (2, True)


def test_the_protocol_shows_both_ways_and_whose_labels(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label(db, BASE_SLUG, "2", [5, 2])
    label(db, RL_SLUG, "1", [1], auditor="bob")
    label(db, RL_SLUG, "1", [3], auditor="judge:m")
    base, rl = document(capsys, "audit", "protocol", db)["runs"]
    assert (base["valid"], base["of_ambiguous_left_out"], base["of_ambiguous_in"]) == (0, 0, 1)
    assert (rl["valid"], rl["of_ambiguous_left_out"], rl["complete"], rl["audited"], rl["to_audit"]) == (1, 1, True, 1, 1)
    found = document(capsys, "audit", "protocol", db, "--auditor", "judge:m")
    assert (found["auditors"], found["runs"][1]["valid"]) == (["judge:m"], 0)
    cot = document(capsys, "audit", "protocol", db)["cot"]
    assert {(one["run"], one["undecided"]) for one in cot} >= {(RL_SLUG, "as sound"), (BASE_SLUG, "as unsound")}
    exact = next(one for one in cot if one["run"] == RL_SLUG)
    assert exact["mean"] == exact["low_bound"] == pytest.approx([1 / 60 / 3, 1 / 3])
    _, out, _ = call(capsys, "audit", "protocol", db)
    assert "labels of ann, bob on 3 traces, unanimous" in out
    assert "as unsound" in out
    status, _, err = call(capsys, "audit", "protocol", db, "--auditor", "zoe")
    assert (status, "no labels by 'zoe'; there are: ann, bob, judge:m" in err) == (2, True)


def test_a_wrong_reference_is_said_aloud(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label(db, BASE_SLUG, "2", [6])
    _, _, err = call(capsys, "audit", "protocol", db, "--quiet")
    assert "calls the reference of 1 problem wrong" in err
    assert err.rstrip().endswith(": 2")


def test_many_wrong_references_are_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = make(tmp_path / "s.db", {str(i): (1, 0) for i in range(10, 22)})
    for i in range(10, 22):
        label(db, BASE_SLUG, str(i), [6])
    _, _, err = call(capsys, "audit", "protocol", db)
    assert "12 problems wrong" in err
    assert "10 11 12 13 14 15 16 17 … 4 more" in err


def test_settled_is_said_only_where_undecided_traces_decide_nothing(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label(db, BASE_SLUG, "1", [1])
    label(db, RL_SLUG, "1", [1])
    label(db, BASE_SLUG, "2", [5, 8])
    _, out, _ = call(capsys, "audit", "queue", db)
    assert "settled: no further label" not in out
    assert "2 undecided or disputed traces decide the sets of 1 problem" in out
    assert f"{BASE_SLUG}/sums:2/0  undecided: base only → neither" in out
    found = document(capsys, "audit", "queue", db)
    assert (found["traces"], found["sets_settled"]) == ([], False)
    assert [one["trace"] for one in found["undecided_traces"]] == [f"{BASE_SLUG}/sums:2/0", f"{BASE_SLUG}/sums:2/1"]
    assert "… 1 more" in call(capsys, "audit", "queue", db, "--limit", "1")[1]


def test_one_run_can_be_drawn_from_and_read_by_the_protocol(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = one_run(tmp_path / "one.db")
    for by, number in (("random", 2), ("protocol", 2)):
        found = document(capsys, "audit", "queue", db, "--by", by)
        assert (found["runs"], len(found["traces"])) == ([BASE_SLUG], number)
        _, out, _ = call(capsys, "audit", "queue", db, "--by", by)
        assert f"run    {BASE_SLUG}" in out
        assert f"{BASE_SLUG}/sums:1/1" in out
    status, out, err = call(capsys, "audit", "queue", db)
    assert (status, out, "sums has one run alone: nothing to compare" in err) == (2, "", True)


def one_run(path: Path) -> Path:
    with Writer(path, "test") as writer:
        texts = [f"It is {i}." for i in range(60)]
        writer.add_traces(source(writer), answers(texts, of=run(BASE), on=problem("1", reference="642")))
        with Study(path) as study:
            [of] = study.problems("sums")
            judged = [
                Judged(
                    row.sample_id,
                    row.run_id,
                    of.problem_id,
                    Verdict([Outcome.INCORRECT, Outcome.CORRECT][row.idx < 2], "boxed"),
                )
                for row in study.traces(of.problem_id)
            ]
        writer.add_verdicts("math", "1", judged)
    return path


def test_no_base_is_made_up_where_no_role_tells_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        of = source(writer)
        counts = [NewCount(Run(Model(name), "sums"), Problem("sums", "1"), 1, 1, 4) for name in ("a", "b")]
        writer.add_counts(of, counts)
    status, out, err = call(capsys, "audit", "queue", path)
    assert (status, out) == (2, "")
    assert "--base and --other" in err
    assert call(capsys, "audit", "queue", path, "--base", "a", "--other", "b")[0] == 0


def test_an_empty_study_and_a_share_that_is_none_are_refused(
    tmp_path: Path, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty.db"
    with Writer(empty, "test"):
        pass
    for part in ("queue", "protocol", "agreement"):
        status, out, err = call(capsys, "audit", part, empty)
        assert (status, out, "has no runs yet" in err) == (2, "", True)
    for below in ("5", "0", "-1", "nan", "x"):
        with pytest.raises(SystemExit) as ended:
            cli.main(["audit", "protocol", str(db), f"--below={below}"])
        assert ended.value.code == 2
        assert "no share above 0 and up to 1" in capsys.readouterr().err
    assert call(capsys, "audit", "protocol", db, "--below", "1")[0] == 0


def test_an_export_replaces_nothing_unasked(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label(db, BASE_SLUG, "1", [1])
    out = tmp_path / "labels.jsonl"
    out.write_text("mine")
    status, _, err = call(capsys, "audit", "export", db, "--out", out)
    assert (status, "--force" in err, out.read_text()) == (2, True, "mine")
    status, _, err = call(capsys, "audit", "export", db, "--out", db, "--force")
    assert (status, "the study itself" in err) == (2, True)
    status, _, err = call(capsys, "audit", "export", db, "--out", out, "--force")
    assert (status, "1 label written" in err, json.loads(out.read_text())["label"]) == (0, True, 1)


def test_a_line_without_a_trace_says_so(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "bad.jsonl"
    lines.write_text('{"auditor": "ann", "label": 1}\n')
    status, _, err = call(capsys, "audit", "import", db, lines)
    assert (status, 'no field "trace"' in err, "is not a link" in err) == (1, True, False)


def test_estimates_from_few_traces_are_bounds_with_a_reason(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label(db, BASE_SLUG, "1", [1], chosen=Chosen.RANDOM)
    cot = document(capsys, "audit", "protocol", db)["cot"]
    [unsound, _] = [one for one in cot if one["run"] == BASE_SLUG]
    assert (unsound["mean"], "1 trace read at random" in unsound["bounds_only"]) == ([None, None], True)
    assert f"{BASE_SLUG}: bounds only, since 1 trace read" in call(capsys, "audit", "protocol", db)[1]


def test_agreement_as_text_and_json(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "audit", "agreement", db)
    assert (status, "labelled by nobody" in out) == (0, True)
    label(db, BASE_SLUG, "1", [1, 2, 1])
    label(db, BASE_SLUG, "1", [1, 2, 2], auditor="bob")
    label(db, BASE_SLUG, "1", [1, 1, 1], auditor="judge:m")
    found = document(capsys, "audit", "agreement", db)
    assert [(one["auditor"], one["model"]) for one in found["auditors"]] == [("ann", False), ("bob", False), ("judge:m", True)]
    first = found["pairs"][0]
    assert (first["auditors"], first["meanings"]["traces"], first["meanings"]["agreed"]) == (["ann", "bob"], 3, 2)
    assert first["meanings"]["kappa"] == pytest.approx(0.4)
    assert found["people_alpha"]["traces"] == 3
    _, out, _ = call(capsys, "audit", "agreement", db)
    assert "0.40" in out
    assert "people together" in out


def test_labels_go_out_and_in_and_what_matches_nothing_ends_with_1(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label(db, BASE_SLUG, "1", [1, 2], chosen=Chosen.RANDOM)
    label(db, BASE_SLUG, "1", [3], auditor="judge:m")
    _, out, _ = call(capsys, "audit", "export", db, "--auditor", "ann")
    assert [json.loads(line)["label"] for line in out.splitlines()] == [1, 2]
    table = tmp_path / "labels.csv"
    assert call(capsys, "audit", "export", db, "--out", table)[:2] == (0, "")
    assert table.read_text(encoding="utf-8").splitlines()[0] == "trace,auditor,label,step,note,chosen,created,mark,gone"
    copy = make(tmp_path / "copy.db", {"1": (3, 1), "2": (2, 0)}, n=60)
    status, _, err = call(capsys, "audit", "import", copy, table)
    assert (status, "3 labels added, 0 there already" in err) == (0, True)
    assert call(capsys, "audit", "export", copy)[1] == call(capsys, "audit", "export", db)[1]
    bad = tmp_path / "bad.jsonl"
    bad.write_text(json.dumps({"trace": f"{BASE_SLUG}/sums:1/999", "auditor": "ann", "label": 1}) + "\nno json\n")
    status, _, err = call(capsys, "audit", "import", copy, bad, table, "--quiet")
    assert status == 1
    assert "bad.jsonl: line 1: " in err
    assert "bad.jsonl: line 2: not a JSON object" in err
    assert call(capsys, "audit", "import", copy, tmp_path / "none.csv")[0] == 2


def test_a_judge_reads_a_set_goes_on_and_is_held_against_people(
    db: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WISE_KEY", "sk-1")
    label(db, BASE_SLUG, "2", [1, 2])
    with loopback(lambda _: says(labelled(3, 1, "guessed"))) as server:
        line = [
            "audit",
            "judge",
            db,
            "--url",
            server.url,
            "--model",
            "lab/wise",
            "--of",
            "set:base_only",
            "--key-env",
            "WISE_KEY",
        ]
        status, out, err = call(capsys, *line)
        assert (status, "judge:lab/wise labelled 2 traces" in err) == (0, True)
        assert "ann" in out
        assert server.headers[0]["Authorization"] == "Bearer sk-1"
        assert "step 1>" in server.asked[0]["messages"][1]["content"]
        _, _, err = call(capsys, *line)
        assert "0 traces, 2 had its label already" in err
        status, _, err = call(capsys, *line[:-4], "--limit", "3", "--as", "second")
        assert "judge:second labelled 3 traces" in err
    with Study(db) as study:
        assert {row.chosen for row in audits(study) if row.auditor == "judge:second"} == {Chosen.RANDOM}
    with loopback(lambda _: says("hm")) as server:
        status, _, err = call(capsys, "audit", "judge", db, "--url", server.url, "--model", "m", "--limit", "2")
    assert (status, "2 answers held no label" in err) == (1, True)
    assert "the first begins: “hm”" in err
    with loopback(lambda _: says("\x1b[31m" + "x" * 900)) as server:
        _, _, err = call(capsys, "audit", "judge", db, "--url", server.url, "--model", "m", "--limit", "1")
    assert "1 answer held no label" in err
    assert ("\x1b" in err, "␛[31mxxx" in err, "x" * 300 in err) == (False, True, False)


def test_a_judge_that_cannot_be_asked_ends_with_one_sentence(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = call(capsys, "audit", "judge", db, "--url", "localhost", "--model", "m")
    assert (status, "is no address of a server" in err) == (2, True)
    line = ["audit", "judge", db, "--url", "http://127.0.0.1:9/v1", "--model", "m"]
    status, _, err = call(capsys, *line, "--of", "set:nobody")
    assert (status, "there are: set:base_only" in err) == (2, True)


def test_every_part_has_help_and_a_missing_study_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("queue", "protocol", "agreement", "judge", "export", "import"):
        with pytest.raises(SystemExit) as ended:
            cli.main(["audit", part, "--help"])
        assert ended.value.code == 0
        out = capsys.readouterr().out
        assert "DB" in out
        assert f"basebound audit {part} study.db" in out
        if part == "import":
            assert all(f"\n  {field} " in out for field in FIELDS)
    for part in ("queue", "protocol", "agreement", "export"):
        status, _, err = call(capsys, "audit", part, tmp_path / "none.db")
        assert (status, "does not exist" in err) == (2, True)
