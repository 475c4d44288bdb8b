"""`check` finds what a hand (or a disk) changed behind the program's back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from store.check import check_structure
from store.writer import Writer
from tests.builders import RL, answers, run, source


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a", "b"], correct=True))
        writer.add_traces(source(writer, "b"), answers(["c"], of=run(RL), correct=False))
    return path


def test_a_sound_study_has_no_findings(study: Path) -> None:
    assert list(check_structure(study)) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ("UPDATE tally SET correct = correct + 1 WHERE run_id = 1", "tally of base-7b@sums on sums:1 by imported"),
        ("DELETE FROM tally WHERE run_id = 2", "tally of rl-7b-step-100@sums"),
        ("UPDATE drawn SET samples = 9 WHERE run_id = 1", "sample count of base-7b@sums on sums:1"),
        ("UPDATE verdict SET outcome = 'error' WHERE sample_id = 3", "tally of rl-7b-step-100@sums"),
        ("DELETE FROM text WHERE sample_id = 2", "sample 2 has no text"),
        ("UPDATE text SET response = x'28b52ffd00' WHERE sample_id = 2", "text of sample 2 is damaged"),
        ("UPDATE verdict SET answer_start = 0, answer_end = 99 WHERE sample_id = 1", "lies outside its text"),
        ("UPDATE run SET temperature = 1.0 WHERE run_id = 1", "settings of run base-7b@sums do not give its key"),
        ("UPDATE sample SET problem_id = 99 WHERE sample_id = 1", "points to a missing row of problem"),
    ],
)
def test_each_change_is_found(study: Path, change: str, finding: str) -> None:
    with sqlite3.connect(study) as connection:
        connection.execute(change)
    connection.close()
    assert any(finding in found for found in check_structure(study)), list(check_structure(study))
