"""`basebound plan` as people and scripts meet it."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.commands import plan
from store.errors import NotFound
from store.types import NewCount, Role
from store.writer import Writer
from tests.builders import BASE, RL, problem, run, source

N = 128
COUNTS = {"near": (60, 5), "lost": (60, 0), "both": (90, 110), "neither": (0, 0)}


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Counts alone, of base and RL on one benchmark and of base on another."""
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        src = source(writer)
        for side, model in enumerate((BASE, RL)):
            counts = [NewCount(run(model), problem(key), 1 + line, c[side], N) for line, (key, c) in enumerate(COUNTS.items())]
            writer.add_counts(src, counts)
        writer.add_counts(src, [NewCount(run(BASE, "lonely"), problem("1", "lonely"), 9, 3, 8)])
    return path


def call(capsys: pytest.CaptureFixture[str], db: Path, *arguments: object, quiet: bool = False) -> tuple[str, str]:
    """stdout and stderr of the command by itself."""
    parser = argparse.ArgumentParser()
    plan.add_arguments(parser)
    parsed = parser.parse_args([str(db), *map(str, arguments)])
    parsed.quiet = quiet
    assert plan.run(parsed) == 0
    out, err = capsys.readouterr()
    return out, err


def test_the_table_is_data_and_the_choice_of_runs_is_narration(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = call(capsys, db, "--budget", 64)
    lines = out.splitlines()
    assert lines[0] == "sums · verifier imported · k 128 · budget 64 draws · level 0.95"
    assert lines[4] == "4 problems: 1 elicited, 0 created, 0 lost, 3 undetermined"
    header = next(at for at, line in enumerate(lines) if line.startswith("problem"))
    rows = [line.split() for line in lines[header + 1 : header + 3]]
    assert rows[0][:4] == ["near", "other", "60/128", "5/128"]
    assert rows[1][:4] == ["lost", "other", "60/128", "0/128"]
    assert rows[1][-1] == "3,706", "3,834 failures in all put the bound under 0.05/64"
    assert lines[header + 3].startswith("the whole: "), "two models that solve nothing get no proposal"
    assert lines[-2].startswith("the whole: ")
    assert lines[-1].startswith("if the rates seen went on, ")
    assert "sums: base-7b@sums against rl-7b-step-100@sums" in err
    assert "lonely: no two judged runs to compare" in err
    assert call(capsys, db, "--budget", 64, quiet=True) == (out, "")


def test_the_json_keeps_its_keys(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document: dict[str, Any] = json.loads(call(capsys, db, "--json", "--budget", 64, "--limit", 1)[0])
    assert (document["schema"], document["spend"]) == (1, None)
    (found,) = document["benchmarks"]
    assert (found["benchmark"], found["verifier"], found["k"], found["budget"]) == ("sums", "imported", N, 64)
    assert (found["base"], found["other"]) == ("base-7b@sums", "rl-7b-step-100@sums")
    assert found["standings"] == {"elicited": 1, "created": 0, "lost": 0, "undetermined": 3}
    assert [one["problem"] for one in found["problems"]] == ["near", "lost", "neither"]
    near, lost, neither = found["problems"]
    counts = {"correct": 60, "n": N, "extra_correct": 0, "extra_n": 0}
    assert lost["base"] == {**counts, "state": "can", "draw": 0, "cost": 0}
    nothing = {"problems": 0, "samples": 0}
    assert found["extra"] == {"base": nothing, "other": nothing}
    assert (lost["other"]["state"], lost["other"]["cost"]) == ("open", 3706)
    assert (neither["base"]["cost"], neither["base"]["draw"], neither["other"]["draw"]) == (None, 0, 0)
    assert near.keys() == {"problem", "base", "other", "settles", "changes", "per_sample", "taken"}
    assert found["whole"]["samples"] == sum(one[side]["draw"] for one in found["problems"] for side in ("base", "other"))
    assert found["affordable"] is None
    assert found["at_these_rates"]["problems"] == 2


def test_what_may_be_spent_buys_the_first_ones(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(call(capsys, db, "--json", "--budget", 64, "--spend", 2000)[0])
    (found,) = document["benchmarks"]
    assert [one["taken"] for one in found["problems"]] == [True, False, False]
    assert found["affordable"]["problems"] == 1
    assert found["affordable"]["samples"] <= 2000
    out, _ = call(capsys, db, "--budget", 64, "--spend", 2000)
    assert "of 2,000: " in out
    assert "lost " not in out


def test_runs_are_chosen_by_name_and_the_limit_is_told(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, err = call(capsys, db, "--base", "rl-7b", "--other", "base-7b@sums", "--limit", 1)
    assert out.splitlines()[1] == "base   rl-7b-step-100@sums"
    assert "against" not in err
    assert "sums: 1 more; --limit lists more" in err
    out, _ = call(capsys, db, "--other", "lab/rl-7b", "--benchmark", "sums")
    assert out.splitlines()[1] == "base   base-7b@sums"
    out, _ = call(capsys, db, "--other", "base-7b@sums")
    assert out.splitlines()[1:3] == ["base   rl-7b-step-100@sums", "other  base-7b@sums"]


def test_what_cannot_be_planned_is_a_sentence(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotFound, match="has no two judged runs of one benchmark"):
        call(capsys, db, "--benchmark", "lonely")
    with pytest.raises(NotFound, match="smallest n is 128"):
        call(capsys, db, "--k", 129)
    with pytest.raises(NotFound, match="has no verdicts by 'judge'"):
        call(capsys, db, "--verifier", "judge")
    with pytest.raises(NotFound, match="has no run 'nobody'"):
        call(capsys, db, "--base", "nobody")


def test_a_study_without_roles_needs_its_base_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        for c, model in ((60, BASE), (0, RL)):
            other = replace(model, role=Role.OTHER, parent=None)
            writer.add_counts(source(writer), [NewCount(run(other), problem(), 1, c, N)])
    with pytest.raises(NotFound, match="name it with --base"):
        call(capsys, path)
    out, err = call(capsys, path, "--base", "base-7b")
    assert "1 undetermined" in out
    assert "--base and --other name others" in err
