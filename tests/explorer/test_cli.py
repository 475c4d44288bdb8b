"""The command line as people and scripts meet it: data on stdout, narration on stderr, the contract's exit codes and JSON."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from explorer import cli
from store.check import check_structure
from store.reader import Study
from store.writer import Writer
from tests.builders import RL, answers, harness_line, native, problem, run, source, write_jsonl

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """base: 1 of 2 and 0 of 2; rl: 2 of 2 and 1 of 4, judged by the file's own scores only."""
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        src = source(writer)
        hard = problem("hard/2", reference="9")
        for line, (of, on, correct) in enumerate(
            [(run(), problem(), c) for c in (True, False)]
            + [(run(), hard, c) for c in (False, False)]
            + [(run(RL), problem(), c) for c in (True, True)]
            + [(run(RL), hard, c) for c in (False, True, False, False)]
        ):
            writer.add_traces(src, answers([r"\boxed{4}"], start=line + 1, of=of, on=on, correct=correct))
    return path


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return status, out, err


def test_passk_prints_the_json_of_the_contract(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "passk", db, "--json")
    document: dict[str, Any] = json.loads(out)
    assert (status, document["schema"], document["verifier"]) == (0, 1, "imported")
    (benchmark,) = document["benchmarks"]
    assert (benchmark["benchmark"], benchmark["common_k"]) == ("sums", 2)
    base, rl = benchmark["runs"]
    contract = {
        "run": "base-7b@sums", "model": "lab/base-7b", "role": "base", "step": None, "problems": 2, "n_min": 2, "n_max": 2,
        "errors": 0, "unjudged": 0, "k": [1, 2], "pass_at_k": [0.25, 0.5],
    }  # fmt: skip
    assert {name: base[name] for name in contract} == contract
    for one in (base, rl):
        for kind in ("", "_all", "_samples"):
            limits = zip(one["low" + kind], one["pass_at_k"], one["high" + kind], strict=True)
            assert all(0 <= low <= value <= high <= 1 for low, value, high in limits), "two problems say little, but in order"
        assert one["low_all"] <= one["low"]
        assert one["high"] <= one["high_all"]
    assert base["plug_in_biased_low"] == [0.25, pytest.approx(0.375)]
    assert (rl["run"], rl["step"], rl["n_min"], rl["n_max"]) == ("rl-7b-step-100@sums", 100, 2, 4)
    assert rl["pass_at_k"] == [0.625, 0.75]
    (pair,) = benchmark["pairs"]
    assert (pair["base"], pair["other"]) == (base["run"], rl["run"])
    assert pair["gap"] == {"k": 2, "value": pytest.approx(-0.125), "low": pair["gap"]["low"], "high": pair["gap"]["high"]}
    assert pair["gap"]["low"] < -0.125 < pair["gap"]["high"]
    assert pair["crossover"].keys() == {"verdict", "k", "low", "high", "probability"}
    assert (pair["crossover"]["verdict"], pair["crossover"]["k"]) == ("no crossing seen", None)
    assert pair["difference"]["value"] == pytest.approx([0.375, 0.25])
    assert pair["p_value"] == 1.0, "one problem that differs is no evidence"


def test_passk_shows_intervals_and_pairs(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "passk", db)
    title, drawn, _, row, limits, *_ = out.splitlines()
    assert "no errors, all judged" in title
    assert "95 % over problems" in title
    assert drawn.startswith("T 0.6 · top-p ")
    assert row.split()[-2:] == ["25.0", "50.0"]
    assert limits.split() == [limits.split()[0], limits.split()[1]]
    assert limits.count("–") == 2
    assert "rl-7b-step-100@sums against base-7b@sums · 2 problems · common k 2" in out
    assert "crossover   no crossing seen by k = 2" in out
    assert "biased" not in out
    assert "plug-in, biased low" in call(capsys, "passk", db, "--plug-in")[1]


def test_passk_at_asked_k_is_unknown_beyond_n(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "passk", db, "--json", "--k", "1,3", "--benchmark", "sums")
    base, rl = json.loads(out)["benchmarks"][0]["runs"]
    assert (base["k"], base["pass_at_k"], rl["pass_at_k"]) == ([1, 3], [0.25, None], [0.625, None])
    _, out, err = call(capsys, "passk", db, "--k", "1,3")
    assert re.search(r"base-7b@sums +base +2 +2 +25\.0 +–", out)
    assert "not every problem has 3 samples" in err


def test_coverage_prints_the_json_of_the_contract(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "coverage", db, "--base", "lab/base-7b", "--other", "rl-7b", "--json")
    document = json.loads(out)
    assert (status, document["k"], document["verifier"]) == (0, 2, "imported")
    assert (document["base"], document["other"]) == ("base-7b@sums", "rl-7b-step-100@sums")
    # 1 of 4 at k = 2 is an even chance: at least as likely as not counts as solved.
    assert (document["both"], document["base_only"], document["other_only"], document["neither"]) == (["1"], [], ["hard/2"], [])
    assert document["expected"] == {"both": 1.0, "base_only": 0.0, "other_only": 0.5, "neither": 0.5}
    assert {"mcnemar_p", "srr", "ndr", "sds", "nscr"} <= document.keys()
    assert document["evidence"] == {"hard/2": "undetermined"}, "1 of 4 against 0 of 2"
    assert document["problems"]["hard/2"]["standing"] == "undetermined"
    assert document["sizes"]["both"]["low"] <= 1.0 <= document["sizes"]["both"]["high"]


def test_coverage_shows_the_evidence_of_each_problem_that_one_run_alone_solves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text("model,problem,n,correct\nA,a,128,40\nB,a,128,0\nA,b,128,1\nB,b,128,0\nA,c,128,9\nB,c,128,99\n")
    db = tmp_path / "s.db"
    call(capsys, "import", db, path)
    _, out, _ = call(capsys, "coverage", db, "--base", "A", "--other", "B", "--budget", "2")
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.split()[:1] in (["a"], ["b"], ["c"])}
    assert rows.keys() == {"a", "b"}
    assert rows["a"][-2:] == ["clear", "undetermined"], "they differ; that B cannot within 2 draws is not shown"
    assert rows["b"][-2:] == ["undetermined", "undetermined"]
    assert "p <=: upper bounds, 95 %, one-sided at 0" in out


def test_coverage_names_the_expected_size_that_an_interval_belongs_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """1 of 512 is solved in 128 draws one time in four: no problem counts as solved, yet ten are expected."""
    path, db = tmp_path / "t.csv", tmp_path / "s.db"
    path.write_text("model,problem,n,correct\n" + "".join(f"A,p{i},512,1\nB,p{i},128,0\n" for i in range(40)))
    call(capsys, "import", db, path)
    lines = call(capsys, "coverage", db, "--base", "A", "--other", "B")[1].splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("set "))
    assert lines[at] == "set         size  expected  95 % from sampling alone, of the expected size"
    assert lines[at + 2].startswith("base only      0      10.0  [")
    assert lines[at + 4].endswith("]  40 keys, --json lists them")
    assert lines[at + 5].startswith("McNemar – (n differ)  SRR ")
    document = json.loads(call(capsys, "coverage", db, "--base", "A", "--other", "B", "--json")[1])
    assert (document["mcnemar_p"], len(document["neither"])) == (None, 40)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["passk", "none.db"], "none.db does not exist"),
        (["passk", "{db}", "--benchmark", "x"], "has no benchmark 'x'; there are: sums"),
        (["passk", "{db}", "--verifier", "judge"], "has no verdicts by 'judge'; there are: imported"),
        (["passk", "{db}", "--base", "nobody"], "has no run 'nobody'"),
        (["coverage", "{db}", "--base", "base-7b", "--other", "rl-7b", "--k", "3"], "smallest n is 2"),
        (["import", "{db}", "missing.jsonl"], "missing.jsonl cannot be read"),
        (["import", "{db}", "x", "--role", "king"], "not one of base, sft"),
        (["import", "{db}", "x", "--set", "colour=red"], "--set colour=red"),
        (["import", "{db}/in/a/file.db", __file__, "--format", "basebound"], "does not exist"),
        (["verify", "none.db"], "none.db does not exist"),
        (["verify", "{db}", "--verifier", "oracle"], "oracle"),
        (["check", "none.db"], "none.db does not exist"),
        (["migrate", "none.db"], "none.db does not exist"),
        (["explore", "{db}"], "needs a terminal"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_exit_2(
    db: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    status, out, err = call(capsys, *(argument.format(db=db) for argument in arguments))
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.startswith("basebound: ")
    assert err.count("\n") == 1
    assert list(check_structure(db)) == []


@pytest.mark.parametrize("arguments", [["passk", "x", "--k", "0"], ["passk", "x", "--k", "a"], ["nonsense"], ["passk"]])
def test_a_wrong_command_line_is_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def test_import_judges_tells_and_ends_with_1_where_lines_were_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", r"\boxed{4}", correct=False), native("1", "no box"), {"problem": 1}])
    db = tmp_path / "s.db"
    status, out, err = call(capsys, "import", db, path)
    assert (status, out) == (1, "")
    assert "2 traces added, 1 problems" in err
    assert "line 3: " in err
    assert "judged 2 samples by math" in err
    with Study(db) as study:
        (count,) = study.counts("sums")
    assert (count.verifier, count.correct, count.no_answer) == ("math", 1, 1)
    _, out, err = call(capsys, "import", db, path, "--quiet")
    assert out == ""
    assert err.count("\n") == 1, "a problem is told even when quiet, and nothing else"


def test_one_file_that_cannot_be_imported_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write_jsonl(tmp_path / "a.jsonl", [native("1", r"\boxed{4}")])
    status, _, err = call(capsys, "import", tmp_path / "s.db", tmp_path / "missing", good)
    assert status == 1
    assert "missing cannot be read" in err
    assert "1 traces added" in err


def test_samples_without_a_reference_stay_unjudged_and_that_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", r"\boxed{4}", reference=None)])
    status, _, err = call(capsys, "import", tmp_path / "s.db", path)
    assert status == 0
    assert "1 samples stay unjudged" in err
    _, out, _ = call(capsys, "passk", tmp_path / "s.db")
    assert "common k none" in out
    assert re.search(r"base-7b@sums +base +0 +0 +0 +1\b", out), "a run nobody judged is shown with its unjudged samples"


def test_names_from_files_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b]2;renamed\x07\u202ekcab"
    line = native(evil, r"\boxed{4}", model="lab/" + evil, benchmark=evil, reference=evil)
    path = write_jsonl(tmp_path / "a.jsonl", [line, {"problem": evil, "response": 1, "model": evil}])
    for arguments in (["import", tmp_path / "s.db", path], ["passk", tmp_path / "s.db"]):
        _, out, err = call(capsys, *arguments)
        assert "\x1b" not in out + err
        assert "\x07" not in out + err
        assert "\u202e" not in out + err


def test_check_finds_a_changed_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "s.db"
    call(capsys, "import", db, write_jsonl(tmp_path / "a.jsonl", [native("1", r"\boxed{4}"), native("1", r"\boxed{5}")]))
    assert call(capsys, "check", db)[:2] == (0, "")
    with Writer(db, "test") as writer:
        writer._connection.execute("UPDATE verdict SET outcome = 'correct'")
        writer._connection.execute("UPDATE tally SET correct = 2, incorrect = 0")
    status, out, _ = call(capsys, "check", db)
    assert status == 1
    assert out == "sample 2 is stored as correct by math, but is incorrect\n"
    assert call(capsys, "check", db, "--structure-only")[0] == 0


def test_verify_goes_on_where_it_stopped_and_a_new_version_judges_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    db = tmp_path / "s.db"
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", rf"\boxed{{{i}}}") for i in range(9)])
    call(capsys, "import", db, path, "--no-verify")
    assert "judged 9 samples" in call(capsys, "verify", db)[2]
    assert call(capsys, "verify", db)[2] == ""
    monkeypatch.setattr("engine.verifiers.math.MathVerifier.version", "next")
    assert "judged 9 samples by math next" in call(capsys, "verify", db)[2]
    assert list(check_structure(db)) == []


def test_a_mistyped_file_alone_makes_no_study(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "s.db"
    assert call(capsys, "import", db, tmp_path / "typo.jsonl")[0] == 2
    assert call(capsys, "import", db, tmp_path / "typo.jsonl", tmp_path / "typo2.jsonl")[0] == 2
    assert not db.exists()
    Writer(db, "test").close()
    status, out, err = call(capsys, "passk", db)
    assert (status, out) == (2, "")
    assert "has no runs yet" in err


def test_a_role_for_a_model_that_is_in_no_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", r"\boxed{4}")])
    status, _, err = call(capsys, "import", tmp_path / "s.db", path, "--role", "typo=rl")
    assert status == 1
    assert "names typo, but the files hold lab/base-7b" in err


def test_runs_without_a_known_base_are_not_paired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.csv"
    path.write_text("model,problem,n,correct\nA,1,4,2\nB,1,4,3\n")
    call(capsys, "import", tmp_path / "s.db", path)
    _, out, err = call(capsys, "passk", tmp_path / "s.db")
    assert "gap" not in out
    assert "--base" in err
    assert "gap         b@t pass@4 - a@t pass@1" in call(capsys, "passk", tmp_path / "s.db", "--base", "B")[1]


def test_a_damaged_text_is_found_by_check_and_a_sentence_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "s.db"
    call(capsys, "import", db, write_jsonl(tmp_path / "a.jsonl", [native("1", r"\boxed{4}"), native("1", r"\boxed{5}")]))
    with Writer(db, "test") as writer:
        writer._connection.execute("UPDATE text SET response = x'28b52ffd00' WHERE sample_id = 2")
        writer._connection.execute("DELETE FROM verdict WHERE sample_id = 2")
    status, out, _ = call(capsys, "check", db)
    assert status == 1
    assert "text of sample 2 is damaged" in out
    status, _, err = call(capsys, "verify", db)
    assert status == 2
    assert "a text of the study is damaged" in err


def test_slugs_that_differ_by_case_can_be_named(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Writer(db, "test") as writer:
        writer._connection.execute("UPDATE run SET slug = 'Foo' WHERE run_id = 1")
        writer._connection.execute("UPDATE run SET slug = 'foo' WHERE run_id = 2")
    _, out, _ = call(capsys, "coverage", db, "--base", "Foo", "--other", "foo")
    assert "base   Foo\nother  foo" in out


def test_output_that_cannot_be_written_is_a_sentence(db: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "basebound", "passk", str(db)],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("basebound: ")
    latin = subprocess.run(
        [sys.executable, "-m", "basebound", "passk", str(db)],
        cwd=ROOT, env={"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert latin.returncode == 0


def test_formats_samplers_and_verifiers_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "harness: " in call(capsys, "formats")[1]
    assert "transformers  " in call(capsys, "samplers")[1]
    assert "math  2+math-verify" in call(capsys, "verifiers")[1]


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_shows_help_with_an_example_that_parses(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    example = import_module(cli.COMMANDS[command][0]).EXAMPLE
    assert "basebound " + example.format(db="study.db") in capsys.readouterr().out
    import shlex

    words = shlex.split(example.format(db="study.db"))
    assert cli._parser(command).parse_args(words).command == command


OF_A_STUDY = ["accuracy", "beyond", "claims", "coverage", "entropy", "guess", "passk", "plan", "series", "suspect", "verify"]


@pytest.mark.parametrize(
    "command",
    [*OF_A_STUDY, "init", "import", "check", "migrate", "audit", "report", "export", "index", "list", "slice", "keys"],
)
def test_the_examples_of_data_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shlex

    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "results.jsonl", [harness_line(0, [r"\boxed{4}"], [True])])
    for model, role in (("my-base-7b", "base"), ("my-rl-7b", "rl")):
        cli.main(["import", "study.db", "results.jsonl", "--model", model, "--role", role, "--quiet"])
    example = import_module(cli.COMMANDS[command][0]).EXAMPLE
    assert cli.main(shlex.split(example.format(db="study.db"))) == 0


def test_a_reader_that_goes_away_is_no_error(db: Path) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from explorer.cli import main; sys.exit(main(['passk', {str(db)!r}]))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_a_usable_study_and_goes_on_later(tmp_path: Path, number: signal.Signals) -> None:
    db = tmp_path / "s.db"
    path = write_jsonl(tmp_path / "a.jsonl", (native("1", f"{i} " * 100) for i in range(80_000)))
    command = [sys.executable, "-m", "basebound", "import", str(db), str(path), "--no-verify"]
    # A shell starts its background jobs with SIGINT ignored, and so the tests in them: the import is to hear it all the same.
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (db.exists() and db.with_name("s.db-wal").exists() and db.with_name("s.db-wal").stat().st_size > 100_000):
        time.sleep(0.002)
        assert process.poll() is None, "the import ended before it could be interrupted"
    process.send_signal(number)
    assert process.stderr is not None
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 130, said
    assert "interrupted" in said
    assert list(check_structure(db)) == []
    assert not db.with_name("s.db-wal").exists()
    subprocess.run([*command, "--quiet"], cwd=ROOT, check=True)
    with Study(db) as study:
        assert study.counts("sums")[0].samples == 80_000


def test_foreign_packages_on_the_path_are_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "__init__.py").write_text("raise SystemExit('the wrong engine ran')")
    script = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import basebound; sys.exit(basebound.main())"
    done = subprocess.run([sys.executable, "-c", script, "formats"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "would import 'engine' from" in done.stderr
    assert done.stderr.count("\n") == 1


def test_compare_lists_where_verdicts_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = tmp_path / "s.db"
    lines = [native("1", r"\boxed{4}", correct=False), native("1", "the answer is 4.", correct=True)]
    path = write_jsonl(tmp_path / "a.jsonl", lines)
    cli.main(["import", str(db), str(path)])
    status, out, err = call(capsys, "verify", str(db), "--compare", "--limit", "1")
    assert status == 0
    assert "math: correct, imported: incorrect" in out
    assert "math: no answer, imported: correct" in out
    assert "1 of 2 traces are listed" in err
    status, out, _ = call(capsys, "verify", str(db), "--verifier", "math+line", "--compare", "--json")
    found = json.loads(out)["benchmarks"][0]["disagreements"]
    assert {(one["index"], one["ours"]["by"], one["theirs"]["by"]) for one in found} == {
        (0, "math+line", "imported"), (1, "math+line", "math"),
    }  # fmt: skip
    status, out, _ = call(capsys, "verify", str(db), "--verifier", "imported", "--compare")
    assert status == 0
    assert "imported: incorrect, math: correct" in out
    own = tmp_path / "own.py"
    own.write_text("def always(response, reference):\n    return True\n")
    status, out, _ = call(capsys, "verify", str(db), "--verifier", f"{own}:always", "--compare")
    assert "own.py:always: correct, imported: incorrect" in out


def test_a_run_without_boxes_is_told_how_else_it_can_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", f"the answer is {i}") for i in range(4)])
    _, _, err = call(capsys, "import", str(tmp_path / "s.db"), str(path))
    assert "--verifier math+line" in err


def test_samples_drawn_twice_are_told_when_they_come_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [native("1", f"text {i % 30}") for i in range(60)])
    _, _, err = call(capsys, "import", str(tmp_path / "s.db"), str(path), "--no-verify")
    assert "effective n 30 of 60" in err
