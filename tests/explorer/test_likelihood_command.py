"""basebound likelihood: its tables, its JSON, and which line brings what is missing."""

from __future__ import annotations

import argparse
import json
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from explorer.commands import likelihood
from explorer.commands.bundled import bundled_study
from explorer.commands.narration import Narrator
from store.errors import NotFound
from store.types import Model, Role
from tests.builders import BASE, RL
from tests.engine.test_likelihoods import drawn, everything, judge, scored
from tests.engine.token_study import token_study

pytestmark = pytest.mark.usefixtures("wide")


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


def unwrapped(text: str) -> str:
    """With every sentence and command on one line."""
    return re.sub(r"( \\)?\n +(?=\S)", " ", text)


def assert_narrow(text: str, width: int = 100) -> None:
    """Tables in 80 columns; sentences in the width of the terminal."""
    for line in text.splitlines():
        if re.search(r"\S {2,}\S", line):
            assert cell_len(line) <= 80, line
        elif not re.fullmatch(r" {4}('.*'|\S+)( \\)?", line):  # an argument of a command stays whole
            assert cell_len(line) <= width, line


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
    assert line_of(out, "RL by base 16")[4:] == ["2.436", "2.420", "3.373", "2.154", "2.718", "–"]
    assert line_of(out, "RL by base -2.7")[4:] == ["1", "in", "14", "–", "–", "0", "0"]
    assert "RL: run rl-7b step 100, model lab/rl-7b step 100; all samples, 16 of 16 stored responses" in out
    assert "computed in float64; never a mean of perplexities" in out
    assert "nucleus support at T 0.6, top-p 0.95" in out
    assert "base by base, RL by RL: the null" in out
    assert "margin: 1e-09 for float64" in out
    assert "among base-7b's own, by nats a token under lab/base-7b at T 1: 50.0 [" in unwrapped(out)
    assert "95 % over problems · 16 responses among 16" in out
    assert line_of(out, "a 4/8") == ["a", "4/8", "16–84", "4/8", "1", "1", "10"]
    assert line_of(out, "a 10") == ["a", "10", "3.8", "8", "4.0", "25.0", "a"]
    assert "‼ a: effective sample size below 10" in out
    assert "‼ a: an estimate above 100 %" in out
    assert err == ""


def test_only_problems_of_one_run_are_listed_unless_all_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    everything(path := tmp_path / "s.db")
    out, _ = printed(capsys, path)
    assert unwrapped(out).count("alone solves at k = 8: none") == 4
    assert "4/8" not in out


def test_what_is_missing_says_which_line_brings_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE)
    run = drawn(path, RL)
    judge(path)
    scored(path, BASE, run, lambda *_: -1.0)
    out, _ = printed(capsys, path)
    joined = unwrapped(out)
    line = f"basebound score {path} --scorer DIR --of base-7b@sums"
    assert f"lab/base-7b has not scored base-7b; this does it:\n{line}\n" in joined
    assert f"has not scored base-7b and rl-7b step 100; this does it:\n{line} rl-7b-step-100@sums\n" in joined
    missing = document(capsys, path)["benchmarks"][0]["pairs"][0]["missing"]
    assert [(one["scorer"], one["run"]) for one in missing] == [
        ("lab/base-7b", "base-7b@sums"),
        ("lab/rl-7b", "base-7b@sums"),
        ("lab/rl-7b", "rl-7b-step-100@sums"),
    ]


def test_what_a_nucleus_or_other_settings_cannot_tell_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything(path := tmp_path / "s.db", max_tokens=10)
    assert "recovery: nothing to tell, for the runs draw in different ways" in unwrapped(printed(capsys, path)[0])
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
    assert "‼ 32 responses without an edge, scored by an earlier version" in unwrapped(out)
    assert "margin: " not in out


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
    assert "of each problem, " in out
    assert_narrow(out)
    [benchmark] = document(capsys, bundled)["benchmarks"]
    assert len(benchmark["steps"]) >= 3
    assert all(pair["perplexity"]["base_on_other"] for pair in benchmark["pairs"])
    assert any(trace["fall"] < 0 for pair in benchmark["pairs"] for trace in pair["partings"]["traces"])


def test_several_pairs_have_a_row_each_and_one_is_told_in_full_where_it_is_named(
    bundled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, _ = printed(capsys, bundled)
    [benchmark] = document(capsys, bundled)["benchmarks"]
    assert "perplexity at T 1 ·" not in out
    start = next(place for place, line in enumerate(out.splitlines()) if line.startswith("run "))
    rows = out.splitlines()[start + 1 : start + 1 + len(benchmark["pairs"])]
    for row, pair in zip(rows, benchmark["pairs"], strict=True):
        figures = re.split(r" {2,}", row)[2:]
        assert figures[0] == f"{pair['perplexity']['base_on_other']['median']:.3f}"
        sides = [[one for one in pair["partings"]["problems"] if one["side"] == side] for side in ("base only", "other only")]
        assert figures[-2:] == [f"{sum(one['looked_at'] > 0 for one in side)}/{len(side)}" for side in sides]
    assert "--other" in out
    named, _ = printed(capsys, bundled, "--other", benchmark["pairs"][0]["other"])
    assert "perplexity at T 1 ·" in named
    assert_narrow(out)
    assert_narrow(named)


@pytest.mark.parametrize("columns", [80, 60, 200])
def test_no_table_is_wider_than_80_columns_and_every_sentence_is_wrapped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """With long names too, which are cut in the middle."""
    monkeypatch.setenv("COLUMNS", str(columns))
    path = tmp_path / "s.db"
    long = [Model(f"lab/{'a-very-long-name-' * 6}{which}", role=Role.RL, parent=BASE.name, step=which) for which in (1, 2)]
    runs = [drawn(path, model) for model in (BASE, *long)]
    judge(path)
    for run in runs:
        for model in (BASE, *long):
            scored(path, model, run, lambda text, _: -1234.5 if text == "right" else -3.0)
    for words in ((), ("--all",), ("--other", long[0].name), ("--problem", "a")):
        out, _ = printed(capsys, path, *words)
        assert_narrow(out, min(columns, 100))
    summary, _ = printed(capsys, path)
    for which in (1, 2):
        assert re.search(rf"^\S+…\S*-{which} step {which} ", summary, re.MULTILINE)


def test_one_problem_has_its_figures_and_each_right_trace(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = token_study(tmp_path / "s.db")
    out, _ = printed(capsys, made.path, "--problem", "lost")
    assert line_of(out, "base by RL 4")[3:] == ["4", "1.438", "1.709", "3", "1.811", "1.837", "3/4"]
    assert "2 of 3 stored right traces of base are scored token by token by both models" in unwrapped(out)
    first = line_of(out, "0 -9.94")
    assert first == ["0", "-9.94", "#2", "of", "3", "6", "14", "<0.1", "“Wait”", "“So”", "94", "%"]
    assert "--trace base-7b@sums/sums:lost/0#2" in out
    assert "'problem:\"lost\" correct:yes'" in out
    assert not set(out) & set("\x1b\x07\u202e\ud800")
    [pair] = document(capsys, made.path, "--problem", "lost")["benchmarks"][0]["pairs"]
    assert {one["problem"] for one in pair["partings"]["problems"]} == {"lost"}
    with pytest.raises(NotFound, match="no problem 'nothing'"):
        printed(capsys, made.path, "--problem", "nothing")


def test_where_a_right_path_is_left_is_told_of_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = token_study(tmp_path / "s.db")
    out, _ = printed(capsys, made.path)
    assert line_of(out, "lost 2/3") == ["lost", "2/3", "-6.59", "#2", "1×", "“Wait”", "“So”", "94", "%"]
    assert line_of(out, "found 2/2") == ["found", "2/2", "-2.50", "#1", "1×", "“Set”", "“We”", "78", "%"]
    assert "--of base-7b@sums --tokens 'set:base-only correct:yes'" in unwrapped(out)
    [pair] = document(capsys, made.path)["benchmarks"][0]["pairs"]
    falls = {one["link"]: (one["step"], one["text"]) for one in pair["partings"]["traces"]}
    assert falls["base-7b@sums/sums:lost/0#2"] == (2, "Wait")
    assert len(pair["partings"]["lacking"]) == 2


def test_a_scoring_that_stopped_halfway_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    runs = [drawn(path, model) for model in (BASE, RL)]
    judge(path)
    for run in runs:
        scored(path, BASE, run, lambda *_: -1.0)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "DELETE FROM likelihood WHERE sample_id IN (SELECT sample_id FROM sample WHERE run_id = 2 AND idx = 0)"
        )
    out, _ = printed(capsys, path)
    assert "‼ lab/base-7b has scored 14 of the 16 responses of rl-7b-step-100@sums" in out


def test_help_waits_for_nothing_heavy() -> None:
    code = (
        "import sys, argparse, explorer.commands.likelihood as l, engine.likelihoods\n"
        "l.add_arguments(argparse.ArgumentParser())\n"
        "assert not {'numpy', 'scipy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
