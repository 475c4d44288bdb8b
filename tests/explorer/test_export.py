"""Export: everything a study has of its samples, once, exactly; what our own format says can be imported again."""

from __future__ import annotations

import argparse
import json
import sys
from math import inf
from pathlib import Path

import pytest
from pyarrow import parquet

from engine import exporting
from explorer import cli
from explorer.commands import export
from store.audits import Audit, AuditWriter
from store.errors import BaseboundError, NotFound
from store.new_scores import NewTokenScores
from store.reader import Study
from store.token_scores import TokenScores
from store.types import Finish, Likelihood, Model, NewCount, NewSample, NewTrace, Outcome, Problem, Role, Run, Settings, Verdict
from store.writer import Writer
from tests.builders import BASE, RL, SETTINGS, problem, run, source

RESPONSES = (
    "so 4",
    "",
    "a\x00b\x1b[31m",
    "lone \ud800 half",
    "line\u2028line\r\nnext\ttab",
    '"quotes" \\ {"json": 1}',
    "漢字 🙂",
)
OUTCOMES = (Outcome.CORRECT, Outcome.INCORRECT, Outcome.NO_ANSWER, Outcome.ERROR, None)
PLAIN = Model("lab/plain")


def call(db: Path, *more: object) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quiet", action="store_true")
    export.add_arguments(parser)
    return export.run(parser.parse_args([str(db), "--quiet", *(str(word) for word in more)]))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Three runs on two problems, 7 samples each, with every kind of outcome; the third run's settings are unknown."""
    path = tmp_path / "study.db"
    settings = Settings(**{name: getattr(SETTINGS, name) for name in SETTINGS.__slots__ if name != "seed"}, seed=7)
    runs = (run(), Run(RL, "sums", settings), Run(PLAIN, "sums"))
    problems = (Problem("sums", "1", "What is 2 + 2?", "4", level="easy"), Problem("sums", "a/b:2"))
    with Writer(path, "test") as writer:
        src = source(writer, "/home/somebody/a.jsonl")
        line = 0
        for of in runs:
            for on in problems:
                for at, response in enumerate(RESPONSES):
                    line += 1
                    outcome = OUTCOMES[at % len(OUTCOMES)]
                    verdict = None if outcome is None else Verdict(outcome, "file", "4" if at % 2 else None)
                    finish, reason = ((Finish.STOP, "</s>"), (Finish.LENGTH, None), (Finish.UNKNOWN, None))[at % 3]
                    tokens, seed = (at or None), (2**62 + at if at % 2 else None)
                    sample = NewSample(response, line, finish=finish, stop_reason=reason, tokens=tokens, seed=seed)
                    writer.add_traces(src, [NewTrace(of, on, sample, verdict)])
    return path


def samples(db: Path) -> list[tuple[object, ...]]:
    """Everything that our own format holds, by run, problem and index."""
    found: list[tuple[object, ...]] = []
    with Study(db) as study:
        for of in study.runs():
            for row in study.problems(of.benchmark):
                whole = study.problem(of.benchmark, row.key)
                for one in study.traces(row.problem_id):
                    if one.run_id == of.run_id:
                        trace = study.trace(one.sample_id)
                        about = (of.key, of.model, of.settings, row.key, whole.statement, whole.reference, whole.level)
                        said = (
                            trace.response,
                            one.finish,
                            one.tokens,
                            trace.seed,
                            trace.stop_reason,
                            exporting.is_correct(one.outcome),
                        )
                        found.append((*about, one.idx, *said))
    return found


def test_what_our_format_says_can_be_imported_again_and_is_the_same(db: Path, tmp_path: Path) -> None:
    assert call(db, "--jsonl", tmp_path / "a.jsonl") == 0
    again = tmp_path / "again.db"
    assert cli.main(["import", str(again), str(tmp_path / "a.jsonl"), "--no-verify", "--quiet"]) == 0
    before, after = samples(db), samples(again)
    assert len(before) == 3 * 2 * len(RESPONSES)
    assert before == after
    assert call(again, "--jsonl", tmp_path / "b.jsonl") == 0
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()


def test_jsonl_leaves_out_what_is_not_known(db: Path, tmp_path: Path) -> None:
    call(db, "--jsonl", tmp_path / "a.jsonl", "--run", "plain")
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2 * len(RESPONSES)
    assert all(line["settings"] == {} and "revision" not in line for line in lines)
    assert [line.get("correct", "not told") for line in lines[:5]] == [True, False, False, "not told", "not told"]
    assert None not in {value for line in lines for value in line.values() if not isinstance(value, dict)}


def test_parquet_has_a_row_a_sample_and_nulls_for_what_is_not_known(db: Path, tmp_path: Path) -> None:
    assert call(db, "--parquet", tmp_path / "a.parquet") == 0
    table = parquet.read_table(tmp_path / "a.parquet")
    rows = table.to_pylist()
    assert len(rows) == len(samples(db))
    assert "response" not in table.column_names
    assert {row["run"] for row in rows} == {"base-7b@sums", "rl-7b-step-100@sums", "plain@sums"}
    assert [(row["problem"], row["index"]) for row in rows[:8]] == [*(("1", at) for at in range(7)), ("a/b:2", 0)]
    assert {(row["temperature"], row["prompt_template"]) for row in rows} == {(0.6, "boxed"), (None, "unknown")}
    outcomes = [(row["outcome"], row["correct"]) for row in rows[:5]]
    assert outcomes == [("correct", True), ("incorrect", False), ("no_answer", False), ("error", None), (None, None)]
    assert [row["tokens"] for row in rows[:3]] == [None, 1, 2]
    assert rows[1]["seed"] == 2**62 + 1
    assert {row["source"] for row in rows} == {"a.jsonl"}, "a source is told without its folder"
    assert parquet.ParquetFile(tmp_path / "a.parquet").metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_with_texts_has_every_response(db: Path, tmp_path: Path) -> None:
    call(db, "--parquet", tmp_path / "a.parquet", "--texts", "--run", "lab/base-7b")
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    told = [response.encode("utf-8", "replace").decode("utf-8") for response in RESPONSES]
    assert [row["response"] for row in rows] == told * 2
    assert {row["statement"] for row in rows} == {"What is 2 + 2?", None}


def test_labels_and_likelihoods_are_there(db: Path, tmp_path: Path) -> None:
    with Writer(db, "test") as writer:
        writer.add_likelihoods(
            BASE, "float64", [Likelihood(1, 1.0, 1.0, 0, 4, -2.0, 0, None), Likelihood(1, 0.6, 0.95, 0, 4, None, 3, None)]
        )
        writer.add_likelihoods(RL, "float64", [Likelihood(2, 1.0, 1.0, 0, 2, -2.0, 0, None)])
    with AuditWriter(db) as writer:
        for audit in (
            Audit(1, "ann", 1), Audit(1, "ann", 3), Audit(1, "judge:m", 4), Audit(2, "ann", 1), Audit(2, "ann", None),
            Audit(3, "judge:m", 2), Audit(4, "ann", 1), Audit(4, "bob", 5), Audit(4, "bob", None),
        ):  # fmt: skip
            writer.add(audit)
    call(db, "--parquet", tmp_path / "a.parquet")
    rows = parquet.read_table(tmp_path / "a.parquet").to_pylist()
    labels = [(row["label"], row["auditor"]) for row in rows[:5]]
    assert labels == [(3, "ann"), (None, None), (2, "judge:m"), (1, "ann"), (None, None)]
    assert (rows[0]["ppl_base-7b"], rows[0]["outside_base-7b"]) == (pytest.approx(2.718281828**0.5), 3)
    assert rows[0]["ppl_rl-7b-step-100"] is None
    assert (rows[1]["ppl_rl-7b-step-100"], rows[1]["outside_rl-7b-step-100"]) == (pytest.approx(2.718281828), None)


def scored(db: Path) -> Path:
    """Sample 1 ("so 4") under base at both decodings, token by token; sample 8 (another problem's) by sums alone."""
    plain = Likelihood(1, 1.0, 1.0, 0, 3, -3.5, 0, -0.5, entropy=2.0, lowest=-2.0, lowest_at=1, first_choices=2)
    own = Likelihood(1, 0.6, 0.95, 0, 3, None, 1, -0.25, edge=0.01)
    detail = TokenScores([-1.0, -2.0, -0.5], [0.5, 1.0, 0.5], [-0.5, -inf, -0.25], [-0.5, 0.01, -0.25], [2, 2, 0], {})
    with Writer(db, "test") as writer:
        by_token = [NewTokenScores(1, 0.6, 0.95, 0, "v", detail)]
        writer.add_likelihoods(BASE, "float32", [plain, own], by_token=by_token)
        anew = Likelihood(8, 1.0, 1.0, 0, 2, -1.0, 0, None, retokenized=True)
        writer.add_likelihoods(BASE, "float64", [anew], engine="by hand")
    return db


def test_sums_under_a_model_and_what_hides_in_them_have_columns(db: Path, tmp_path: Path) -> None:
    call(scored(db), "--parquet", tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    first, second, *_, eighth = table.to_pylist()[:8]
    names = ("logp", "stop_logp", "lowest", "edge", "outside", "retokenized", "entropy", "dtype", "engine")
    assert [first[f"{name}_base-7b"] for name in names] == [-3.5, -0.5, -2.0, 0.01, 1, False, 2.0, "float32", None]
    assert [eighth[f"{name}_base-7b"] for name in names] == [-1.0, None, None, None, None, True, None, "float64", "by hand"]
    assert {second[f"{name}_base-7b"] for name in names} == {None}, "not scored is not known"
    assert not [name for name in table.column_names if name.startswith("token_")]


def test_with_tokens_every_token_has_its_text_and_its_numbers(db: Path, tmp_path: Path) -> None:
    call(scored(db), "--parquet", tmp_path / "a.parquet", "--tokens")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert "response" not in table.column_names
    first, *others = table.to_pylist()
    assert first["token_texts_base-7b"] == ["so", " 4", ""]
    assert first["token_logp_base-7b"] == [-1.0, -2.0, -0.5]
    assert first["token_decoded_base-7b"] == [-0.5, -inf, -0.25]
    assert first["token_entropy_base-7b"] == pytest.approx([0.5, 1.0, 0.5], abs=0.02)
    assert [value < 0 for value in first["token_edge_base-7b"]] == [True, False, True]
    assert {row["token_texts_base-7b"] is None for row in others} == {True}
    sums = [row["logp_base-7b"] for row in table.to_pylist()]
    call(db, "--parquet", tmp_path / "b.parquet")
    assert parquet.read_table(tmp_path / "b.parquet")["logp_base-7b"].to_pylist() == sums


def test_jsonl_with_tokens_is_json_and_can_still_be_imported(db: Path, tmp_path: Path) -> None:
    call(scored(db), "--jsonl", tmp_path / "a.jsonl", "--tokens")

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    lines = [json.loads(line, parse_constant=refuse) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    (found,) = [line["token_scores"] for line in lines if "token_scores" in line]
    assert found["base-7b"]["texts"] == ["so", " 4", ""]
    assert found["base-7b"]["decoded"] == [-0.5, None, -0.25]
    assert (found["base-7b"]["dtype"], found["base-7b"]["engine"]) == ("float32", None)
    assert cli.main(["import", str(tmp_path / "again.db"), str(tmp_path / "a.jsonl"), "--no-verify", "--quiet"]) == 0
    assert samples(tmp_path / "again.db") == samples(db)


def test_scorers_of_one_name_have_columns_of_their_own(db: Path, tmp_path: Path) -> None:
    with Writer(db, "test") as writer:
        for revision in ("one", "two"):
            writer.add_likelihoods(Model("x/judge", revision), "float64", [Likelihood(1, 1.0, 1.0, 0, 4, -2.0, 0, None)])
    call(db, "--parquet", tmp_path / "a.parquet")
    names = [name for name in parquet.read_schema(tmp_path / "a.parquet").names if name.startswith("ppl_")]
    assert len(names) == len(set(names)) == 2


@pytest.mark.parametrize("limit", ["GROUP_ROWS", "GROUP_BYTES"])
def test_row_groups_are_written_as_they_fill_and_nothing_is_lost(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    call(db, "--parquet", tmp_path / "whole.parquet", "--texts")
    monkeypatch.setattr(exporting, limit, 10)
    monkeypatch.setattr("store.exporting.BATCH_TEXTS", 3)
    call(db, "--parquet", tmp_path / "parts.parquet", "--texts")
    whole, parts = (parquet.ParquetFile(tmp_path / name) for name in ("whole.parquet", "parts.parquet"))
    assert parts.metadata.num_row_groups > 3 > whole.metadata.num_row_groups
    assert parts.read().equals(whole.read())


def test_another_verifier_and_another_benchmark(db: Path, tmp_path: Path) -> None:
    with Writer(db, "test") as writer:
        writer.add_traces(
            source(writer, "b"), [NewTrace(run(benchmark="other"), problem(benchmark="other"), NewSample("x", 1))]
        )
    call(db, "--parquet", tmp_path / "a.parquet", "--benchmark", "other", "--verifier", "imported")
    assert parquet.read_table(tmp_path / "a.parquet")["benchmark"].to_pylist() == ["other"]
    assert parquet.read_schema(tmp_path / "a.parquet").metadata[b"verifier"] == b"imported"
    for wrong in (
        ["--benchmark", "x"],
        ["--run", "nobody"],
        ["--verifier", "oracle"],
        ["--run", "base-7b@sums", "--benchmark", "other"],
    ):
        with pytest.raises(NotFound):
            call(db, "--parquet", tmp_path / "b.parquet", *wrong)


def test_what_is_there_is_replaced_only_when_asked(db: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(BaseboundError, match=r"is there already; give another path, or replace it with --force"):
        call(db, "--jsonl", out)
    assert out.read_text(encoding="utf-8") == "mine"
    call(db, "--jsonl", out, "--force")
    assert out.read_text(encoding="utf-8").startswith("{")


def test_places_that_cannot_be_written_are_one_sentence(db: Path, tmp_path: Path) -> None:
    before = db.read_bytes()
    (tmp_path / "link.db").hardlink_to(db)
    for out, sentence in (
        (db, "is the study itself"),
        (tmp_path / "link.db", "is the study itself"),
        (tmp_path, "is a folder"),
        (tmp_path / "no" / "a.parquet", "is not there"),
    ):
        with pytest.raises(BaseboundError, match=sentence):
            call(db, "--parquet", out, "--force")
    assert db.read_bytes() == before


def test_counts_without_traces_are_no_samples(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_counts(source(writer), [NewCount(run(), problem(), 1, 3, 8)])
    with pytest.raises(NotFound, match="no samples to export"):
        call(tmp_path / "s.db", "--parquet", tmp_path / "a.parquet")
    assert not (tmp_path / "a.parquet").exists()


@pytest.mark.parametrize("kind", ["--parquet", "--jsonl"])
def test_an_export_that_is_stopped_leaves_nothing_and_what_was_there(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "out").mkdir()
    out = tmp_path / "out" / "a"
    out.write_text("mine", encoding="utf-8")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "sample_facts", stopped)
    monkeypatch.setattr(exporting, "sample_record", stopped)
    with pytest.raises(KeyboardInterrupt):
        call(db, kind, out, "--force")
    assert [path.name for path in out.parent.iterdir()] == ["a"]
    assert out.read_text(encoding="utf-8") == "mine"


def test_jsonl_pipes(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(db, "--jsonl", "-", "--run", "base-7b") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2 * len(RESPONSES)
    assert err == ""


def test_a_study_that_holds_a_part_says_so(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Writer(db, "test") as writer:
        writer.add_counts(source(writer, "counts"), [NewCount(run(), Problem("sums", "1"), 1, 3, 99)])
    call(db, "--parquet", tmp_path / "a.parquet")
    assert "of the traces stored only" in capsys.readouterr().err


def test_without_pyarrow_the_extra_is_named(db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BaseboundError, match=r"pip install 'basebound\[parquet\]'"):
        call(db, "--parquet", tmp_path / "a.parquet")
    assert call(db, "--jsonl", tmp_path / "a.jsonl") == 0


def test_roles_and_parents_come_along(db: Path, tmp_path: Path) -> None:
    call(db, "--jsonl", tmp_path / "a.jsonl", "--run", "rl-7b")
    line = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (line["role"], line["parent"], line["step"], line["revision"]) == (Role.RL, "lab/base-7b", 100, "step-100")
    assert line["settings"]["seed"] == 7


def test_counts_of_what_is_not_stored_come_along(tmp_path: Path) -> None:
    db = tmp_path / "part.db"
    with Writer(db, "test") as writer:
        of, on = run(), Problem("sums", "1", "What is 2 + 2?", "4", kind="game")
        right = NewTrace(of, on, NewSample("so 4", 1), Verdict(Outcome.CORRECT, "file", "4"))
        writer.add_traces(source(writer), [right])
        writer.add_counts(source(writer, "counts.csv"), [NewCount(of, on, 1, 3, 100)])
    out, again = tmp_path / "out.jsonl", tmp_path / "again.db"
    assert call(db, "--jsonl", out) == 0
    assert cli.main(["import", str(again), str(out), "--no-verify", "--quiet"]) == 0
    for path in (db, again):
        with Study(path) as study:
            (count,) = study.counts("sums")
            assert (count.n, count.correct, count.samples, count.is_part) == (100, 3, 1, True)
            assert study.problems("sums")[0].kind == "game"
