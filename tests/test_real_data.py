"""Real outputs that nobody here wrote, where they are at hand (../shared/data); skipped elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.board import read_board, reference_run
from engine.summary import cover, summarise
from explorer import cli
from store.check import check_structure
from store.reader import Study

DATA = Path(__file__).parents[2] / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real outputs are not here")


def bring(db: Path, *arguments: object) -> None:
    assert cli.main(["import", str(db), *(str(argument) for argument in arguments), "--quiet"]) == 0


def test_rollouts_of_an_sft_model_and_three_rl_checkpoints(tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    bring(db, *sorted((DATA / "rlvr_probe_gsm8k").glob("*_raw.jsonl.gz")))
    assert list(check_structure(db)) == []
    with Study(db) as study:
        board = read_board(study, "gsm8k_subset")
    assert [run.model.role for run in board.runs] == ["sft", "rl", "rl", "rl"]
    assert sorted(run.model.step or 0 for run in board.runs if run.model.role == "rl") == [0, 100, 300]
    assert reference_run(board.runs) == board.runs[0]
    assert {(count.samples, count.verifier) for count in board.cells.values()} == {(8, "math")}
    for entry in summarise(board).runs:
        assert (entry.problems, entry.k) == (30, (1, 2, 4, 8))
        assert entry.pass_at_k[0] == pytest.approx(board.pass_at_1(entry.run))


def test_a_harness_file_of_a_math_model(tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    bring(db, DATA / "qwen25math_math100x8" / "math_cot_dev.jsonl.gz", "--model", "Qwen2.5-Math")
    with Study(db) as study:
        ours, theirs = (read_board(study, "math_cot_dev", name) for name in ("math", "imported"))
    assert sum(c.n for c in ours.cells.values()) == sum(c.n for c in theirs.cells.values()) == 59 * 8
    assert sum(c.error for c in ours.cells.values()) == 0


def test_a_table_of_counts_of_base_and_rl(tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    bring(db, DATA / "limit_of_rlvr_repro" / "nc_table_dev.csv", "--benchmark", "math500", "--role", "Qwen2.5-7B=base")
    with Study(db) as study:
        board = read_board(study, "math500")
    base, other = board.runs
    assert base.model.role == "base"
    sets = cover(board, base, other)
    assert (sets.k, len(sets.both + sets.base_only + sets.other_only + sets.neither)) == (128, 230)
