"""Tree of Thoughts logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from explorer import cli
from store.reader import Study
from store.types import Outcome
from tests.engine.importers.brought import DATA, bad, fuzzed, items, recognised, said, several, survives_lines, traces

RECORD: dict[str, Any] = {
    "idx": 7,
    "ys": ["Steps:\n8 * 3 = 24 (left: 24 1)\nAnswer: 8 * 3 * 1 = 24", "Steps:\n8 + 3 = 11", "Answer: none\nAnswer: 25"],
    "infos": [{"r": 1}, {"r": 0}, {"r": 0.5}],
    "usage_so_far": {"cost": 0.1},
}


def write(folder: Path, *records: dict[str, Any], name: str = "lab-model_0.7_naive_cot_sample_3_start7_end8.json") -> Path:
    path = folder / "sums24" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(records))
    return path


def test_the_name_tells_model_and_temperature_and_the_folder_the_task(tmp_path: Path) -> None:
    path = write(tmp_path, RECORD)
    assert recognised(path) == "tree-of-thoughts"
    first, *_ = found = traces(path)
    assert (first.run.model.name, first.run.settings.temperature, first.run.benchmark) == ("lab-model", 0.7, "sums24")
    assert (first.problem.key, first.problem.reference, first.problem.kind) == ("7", None, "game")
    assert said(found) == [Outcome.CORRECT, Outcome.INCORRECT, None], "half a reward is no verdict"
    assert [trace.imported.answer if trace.imported else None for trace in found] == ["8 * 3 * 1 = 24", None, None]


def test_a_renamed_file_needs_its_model_told(tmp_path: Path) -> None:
    path = write(tmp_path, RECORD, name="mine.json")
    assert traces(path, model="m")[0].run.model.name == "m"


def test_infos_of_another_length_say_nothing(tmp_path: Path) -> None:
    found = items(write(tmp_path, RECORD | {"infos": [{"r": 1}]}))
    assert [why for _, why in bad(found)] == ["infos has 1 entries for 3 responses: left out"]
    assert len(found) == 4


@fuzzed
@given(several(RECORD))
def test_no_record_breaks_an_import(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]) -> None:
    survives_lines(tmp_path_factory.mktemp("fuzz"), "tree-of-thoughts", records)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real outputs are not here")
def test_the_published_game_of_24_log(tmp_path: Path) -> None:
    db = tmp_path / "s.db"
    path = DATA / "tot_game24" / "game24_cot100_idx900-949.json.gz"
    assert cli.main(["import", str(db), str(path), "--model", "gpt-4", "--quiet"]) == 0
    with Study(db) as study:
        (run,) = study.runs()
        counts = study.counts("tot_game24")
    assert run.model.name == "gpt-4"
    assert (len(counts), sum(count.n for count in counts), sum(count.correct for count in counts)) == (50, 5000, 254)
