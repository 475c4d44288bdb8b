"""basebound suspect: which right answers to read first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer import cli
from tests.builders import native, write_jsonl

SOUND = "Two and two make four: 2 + 2 = 4.\nSo the answer is \\boxed{4}."
SLIPS = "First 2 + 1 = 4, and then 4 + 1 = 4.\nSo the answer is \\boxed{4}."
WRONG = "2 + 2 = 5, so \\boxed{5}."


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


@pytest.fixture
def db(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Problem 1 is solved by base alone, once soundly and once by slips; problem 2 by both."""
    rl: dict[str, Any] = {"model": "lab/rl-7b", "role": "rl", "parent": "lab/base-7b"}
    lines = [native("1", SOUND), native("1", SLIPS), native("1", WRONG, **rl), native("1", WRONG + " ", **rl)]
    lines += [native("2", SLIPS + " "), native("2", WRONG), native("2", SOUND, **rl), native("2", WRONG, **rl)]
    db = tmp_path / "s.db"
    assert call(capsys, "import", db, write_jsonl(tmp_path / "a.jsonl", lines))[0] == 0
    return db


def test_it_reads_the_right_answers_that_carry_the_conclusion(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "suspect", db)
    assert status == 0
    assert "2 right answers to 1 problem read, 1 with a reason" in err
    first, *reasons = out.splitlines()
    assert first.endswith("base-7b@sums/sums:1/1")
    assert reasons[0].split()[:2] == ["false", "equality"]
    assert "2 + 1 is 3, not 4" in out


def test_all_and_one_problem_and_one_run(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(call(capsys, "suspect", db, "--all", "--json")[1])
    assert (document["read"], document["with_reasons"]) == (4, 2)
    scores = [trace["score"] for trace in document["traces"]]
    assert scores == sorted(scores, reverse=True)
    for trace in document["traces"]:
        assert all(0 <= reason["start"] < reason["end"] for reason in trace["reasons"])
    assert json.loads(call(capsys, "suspect", db, "--problem", "2", "--json")[1])["read"] == 2
    assert json.loads(call(capsys, "suspect", db, "--problem", "2", "--run", "rl-7b", "--json")[1])["read"] == 1


def test_what_is_not_there_is_told(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "suspect", db, "--problem", "9")[0] == 2
    assert call(capsys, "suspect", db, "--run", "nobody")[0] == 2
