"""basebound claims as people and scripts meet it: lines that fit, JSON that holds everything, sentences for what cannot be."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from engine.claims import CLAIMS, Finding
from explorer.commands import claims
from store.errors import NotFound
from store.types import NewCount, Problem, Run
from store.writer import Writer
from tests.builders import BASE, RL, SETTINGS, source

GLYPHS = {"supported": "✓", "not significant": "~", "contradicted": "✗", "cannot tell": "?"}


def call(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("-q", "--quiet", action="store_true")
    claims.add_arguments(parser)
    return claims.run(parser.parse_args([str(argument) for argument in arguments]))


def put(path: Path, benchmark: str = "sums", seed: int = 0) -> Path:
    """RL is far better at once and loses a third of the problems."""
    rng = np.random.default_rng(seed)
    rates = {BASE: [0.3] * 60 + [0.04] * 30, RL: [0.95] * 60 + [0.0] * 30}
    with Writer(path, "test") as writer:
        counts = [
            NewCount(Run(model, benchmark, SETTINGS), Problem(benchmark, f"p{i}"), 1, int(rng.binomial(128, rate)), 128)
            for model, of in rates.items()
            for i, rate in enumerate(of)
        ]
        writer.add_counts(source(writer, f"{benchmark}.csv"), counts)
    return path


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return put(tmp_path / "study.db")


def test_text_fits_80_columns_and_says_each_finding_in_glyph_and_word(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(db) == 0
    out = capsys.readouterr().out
    assert max(cell_len(line) for line in out.splitlines()) <= 80
    assert "RL raises pass@1.\n  ✓ supported [a] rl-7b-step-100@sums against base-7b@sums\n" in out
    assert "? cannot tell" in out
    assert "[a] k 128 · n 128 · T 0.6 · top-p 0.95 · prompt boxed · max tokens 16384 ·" in out
    assert out.startswith("sums · verifier imported · ")


def test_json_holds_every_claim_and_null_for_what_is_unknown(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(db, "--json") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    [benchmark] = document["benchmarks"]
    assert (document["schema"], benchmark["benchmark"], benchmark["verifier"]) == (1, "sums", "imported")
    rows = {row["claim"]: row for row in benchmark["claims"]}
    assert list(rows) == list(CLAIMS)
    assert rows["coverage-shrinks"] | {"reason": "", "source": "", "settings": "", "low": 0, "high": 0, "q_value": 0} == {
        "claim": "coverage-shrinks", "sentence": "RL loses more problems at large k than it finds.", "source": "",
        "base": "base-7b@sums", "other": "rl-7b-step-100@sums", "value": -30, "low": 0, "high": 0,
        "statistic": "found - lost, interval given the problems that moved",
        "p_value": 2**-29, "q_value": 0, "finding": "supported", "reason": "", "settings": "", "unit": "problems", "k": 128,
        "problems": 90, "p_of": None,
    }  # fmt: skip
    missing = rows["distillation-beyond"]
    assert (missing["value"], missing["p_value"], missing["base"], missing["finding"]) == (None, None, None, "cannot tell")


def test_text_and_json_agree(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(db)
    out = capsys.readouterr().out
    call(db, "--json")
    [benchmark] = json.loads(capsys.readouterr().out)["benchmarks"]
    findings = [row["finding"] for row in benchmark["claims"]]
    assert {Finding(one) for one in findings} >= {Finding.SUPPORTED, Finding.CANNOT_TELL}
    assert [line.split()[0] for line in out.splitlines() if line[:2] == "  " and line[2:3] in GLYPHS.values()] == [
        GLYPHS[one] for one in findings
    ]


def test_runs_are_named_as_elsewhere(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(db, "--base", "rl-7b", "--other", "lab/base-7b", "--json") == 0
    [benchmark] = json.loads(capsys.readouterr().out)["benchmarks"]
    raised = benchmark["claims"][0]
    assert (raised["base"], raised["other"], raised["finding"]) == ("rl-7b-step-100@sums", "base-7b@sums", "contradicted")
    with pytest.raises(NotFound, match="no run 'nobody'"):
        call(db, "--other", "nobody")
    with pytest.raises(NotFound, match="no benchmark 'nothing'"):
        call(db, "--benchmark", "nothing")
    with pytest.raises(NotFound, match="no verdicts by 'nobody'"):
        call(db, "--verifier", "nobody")


def test_every_benchmark_has_its_own_page(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(db, "more", seed=1)
    assert call(db, "--json") == 0
    assert [one["benchmark"] for one in json.loads(capsys.readouterr().out)["benchmarks"]] == ["more", "sums"]
    assert call(db, "--benchmark", "more", "--json") == 0
    assert [one["benchmark"] for one in json.loads(capsys.readouterr().out)["benchmarks"]] == ["more"]
    with pytest.raises(NotFound, match="fits several runs"):
        call(db, "--other", "rl-7b")
    assert call(db, "--other", "rl-7b", "--benchmark", "more") == 0


def test_without_a_study_there_are_the_papers_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--published") == 0
    out = capsys.readouterr().out
    assert max(cell_len(line) for line in out.splitlines()) <= 80
    assert "7 of 23 rows do not agree" in " ".join(out.split())
    assert "✗ does not agree  gaps of six algorithms on Omni-Test (table 2)\n    stated: from 43.9 to 42.6 points\n" in out
    assert "4 against 0: p = 0.125, not significant" in out
    with pytest.raises(NotFound, match="claims --published"):
        call()


def test_the_published_page_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("--published", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert sum(row["agrees"] is False for row in document["checks"]) == 7
    assert {row["finding"] for row in document["claims"]} == {"supported", "not significant"}


def test_a_study_without_runs_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test"):
        pass
    with pytest.raises(NotFound, match="has no runs yet"):
        call(path)


def test_names_that_would_act_on_a_terminal_are_spelled_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        counts = [NewCount(Run(model, "b\x1b[31m", SETTINGS), Problem("b\x1b[31m", "p"), 1, 3, 128) for model in (BASE, RL)]
        writer.add_counts(source(writer), counts)
    assert call(path) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_what_all_claims_lack_is_said_once_with_their_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        writer.add_counts(source(writer), [NewCount(Run(BASE, "sums", SETTINGS), Problem("sums", "p"), 1, 3, 128)])
    assert call(path) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert told.count("needs two runs") == 1
    assert "raises-pass-at-1, base-catches-up, within-base" in told
    assert "RL raises pass@1." not in told
    assert call(path, "--json") == 0
    [benchmark] = json.loads(capsys.readouterr().out)["benchmarks"]
    assert [row["claim"] for row in benchmark["claims"]] == list(CLAIMS)


def test_a_p_that_is_not_of_the_number_beside_it_says_of_what_it_is(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(db, "--json")
    [benchmark] = json.loads(capsys.readouterr().out)["benchmarks"]
    rows = {row["claim"]: row for row in benchmark["claims"]}
    assert rows["accuracy-to-the-ends"]["p_of"] in ("the weaker part, problems near 1", "the weaker part, problems at 0")
    assert rows["raises-pass-at-1"]["p_of"] is None
    call(db)
    assert f"p of {rows['accuracy-to-the-ends']['p_of']}, " in " ".join(capsys.readouterr().out.split())
