"""basebound likelihood: its tables, its JSON, and which line brings what is missing."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer.commands import likelihood
from explorer.commands.bundled import bundled_study
from explorer.commands.narration import Narrator
from store.errors import NotFound
from store.types import Model
from tests.builders import BASE, RL
from tests.engine.test_likelihoods import drawn, everything, judge, scored


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundled_study(Narrator(quiet=True), tmp_path_factory.mktemp("data"))


def printed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[str, str]:
    """stdout and stderr."""
    parser = argparse.ArgumentParser()
    likelihood.add_arguments(parser)
    assert likelihood.run(argparse.Namespace(quiet=False, **vars(parser.parse_args([str(one) for one in arguments])))) == 0
    told = capsys.readouterr()
    return told.out, told.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    out, _ = printed(capsys, *arguments, "--json")
    found: dict[str, Any] = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["schema"] == 1
    return found


def line_of(text: str, *starts: str) -> list[str]:
    """Cells of the first line that begins so."""
    words = " ".join(starts).split()
    return next(line.split() for line in text.splitlines() if line.split()[: len(words)] == words)


def test_every_table_names_what_it_is_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything(path := tmp_path / "s.db")
    out, err = printed(capsys, path, "--all")
    assert "sums · verifier math · rl-7b-step-100@sums against base-7b@sums" in out
    assert "T 0.6 · top-p 0.95" in out
    # Eight responses of 2.3 nats and eight of 3, over three tokens of which the stop token has a quarter of a nat.
    cells = line_of(out, "rl-7b step 100", "lab/base-7b", "16")
    assert cells[5:10] == ["2.436", "2.420", "3.373", "2.154", "2.718"]
    assert cells[-5:] == ["-2.7", "nats", "1", "in", "14"]
    assert "computed in float64; never a mean of perplexities" in out
    assert "nucleus support at T 0.6, top-p 0.95" in out
    assert "(null)" in out
    assert "up to a margin of 1e-09 for float64" in out
    assert "among base-7b's own, by nats a token under lab/base-7b at T 1: 50.0 [" in out
    assert "95 % over problems · 16 responses among 16" in out
    assert line_of(out, "a 4/8")[:9] == ["a", "4/8", "16–84", "4/8", "1", "10", "10", "3.8", "8"]
    assert "‼ effective sample size 4.0, below 10" in out
    assert err == ""


def test_only_problems_of_one_run_are_listed_unless_all_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything(path := tmp_path / "s.db")
    out, _ = printed(capsys, path)
    assert out.count("alone solves at k = 8: none") == 2
    assert "4/8" not in out


def test_what_is_missing_says_which_line_brings_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE)
    run = drawn(path, RL)
    judge(path)
    scored(path, BASE, run, lambda *_: -1.0)
    out, _ = printed(capsys, path)
    assert f"lab/base-7b has not scored base-7b: `basebound score {path} --scorer DIR --of base-7b@sums`" in out
    assert f"`basebound score {path} --scorer DIR --of base-7b@sums rl-7b-step-100@sums`" in out
    missing = document(capsys, path)["benchmarks"][0]["pairs"][0]["missing"]
    assert [(one["scorer"], one["run"]) for one in missing] == [
        ("lab/base-7b", "base-7b@sums"),
        ("lab/rl-7b", "base-7b@sums"),
        ("lab/rl-7b", "rl-7b-step-100@sums"),
    ]


def test_what_a_nucleus_or_other_settings_cannot_tell_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything(path := tmp_path / "s.db", max_tokens=10)
    assert "recovery: nothing to tell, for the runs draw in different ways" in printed(capsys, path)[0]
    free = tmp_path / "free.db"
    for model in (BASE, RL):
        drawn(free, model, temperature=1.0, top_p=1.0)
    judge(free)
    assert "nucleus support: nothing to tell, for both runs were drawn at top-p 1" in printed(capsys, free)[0]


def test_old_rows_without_an_edge_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    for model in (BASE, RL):
        scored(path, BASE, drawn(path, model), lambda *_: -1.0, edge=None)
    judge(path)
    out, _ = printed(capsys, path)
    assert "‼ 32 responses without an edge, scored by an earlier version" in out
    assert "margin of" not in out


def test_json_has_every_figure_by_problem_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything(path := tmp_path / "s.db")
    [pair] = document(capsys, path)["benchmarks"][0]["pairs"]
    assert pair["perplexity"]["base_on_other"]["odds"] == "1 in 14"
    assert list(pair["perplexity"]["base_on_other"]["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert pair["support"]["problems"] == {"a": [8, 8], "b": [8, 8]}
    assert pair["percentiles"]["problems"] == {"a": 50.0, "b": 50.0}
    assert pair["recovery"]["b"]["importance"]["n"] == 8
    assert pair["recovery_back"]["a"]["floor"] == pytest.approx(0.5)


def test_runs_can_be_named_and_none_is_held_against_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything(path := tmp_path / "s.db")
    [pair] = document(capsys, path, "--base", "rl-7b", "--other", "base-7b")["benchmarks"][0]["pairs"]
    assert (pair["base"], pair["other"]) == ("rl-7b-step-100@sums", "base-7b@sums")
    for names in (("--other", "base-7b"), ("--base", "rl-7b", "--other", "rl-7b"), ("--other", "nobody")):
        with pytest.raises(NotFound):
            printed(capsys, path, *names)


def test_names_of_strangers_are_made_safe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE)
    drawn(path, Model("lab/\x1b[31mrl\u202e", role=RL.role, parent=BASE.name, step=3))
    judge(path)
    out, _ = printed(capsys, path)
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_the_bundled_study_shows_all_of_it(bundled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = printed(capsys, bundled, "--all")
    for said in ("perplexity at T 1", "nucleus support at T 0.6, top-p 0.95", "percentile of", "recovery: the chance of"):
        assert said in out
    assert "over training steps, under tiny-base" in out
    assert "‼ of the traces stored only, which may have been chosen by their answers" in out
    [benchmark] = document(capsys, bundled)["benchmarks"]
    assert len(benchmark["steps"]) >= 3
    assert all(pair["perplexity"]["base_on_other"] for pair in benchmark["pairs"])


def test_help_waits_for_nothing_heavy() -> None:
    code = (
        "import sys, argparse, explorer.commands.likelihood as l, engine.likelihoods\n"
        "l.add_arguments(argparse.ArgumentParser())\n"
        "assert not {'numpy', 'scipy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
