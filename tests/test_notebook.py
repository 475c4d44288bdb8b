"""The example notebook: its cells run, and say what is kept with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sample_data.recipe import notebook

KEPT: dict[str, Any] = json.loads(notebook.NOTEBOOK.read_text(encoding="utf-8"))

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        return notebook.made()


def told(cells: dict[str, Any]) -> list[str]:
    """What each code cell prints and returns, as text."""
    outputs = [output for cell in cells["cells"] for output in cell.get("outputs", [])]
    return ["".join(output["text"] if "text" in output else output["data"]["text/plain"]) for output in outputs]


def test_it_is_what_its_recipe_writes() -> None:
    sources = [(cell["cell_type"], "".join(cell["source"])) for cell in KEPT["cells"]]
    assert sources == [(kind, text.strip("\n")) for kind, text in notebook.CELLS]
    assert len({cell["id"] for cell in KEPT["cells"]}) == len(KEPT["cells"])


def test_its_cells_run_and_say_the_numbers_that_are_kept(again: dict[str, Any]) -> None:
    before, after = told(KEPT), told(again)
    assert len(before) == len(after) > 6
    for kept, now in zip(before, after, strict=True):
        assert _NUMBER.sub("0", kept).split() == _NUMBER.sub("0", now).split()
        numbers = [[float(number) for number in _NUMBER.findall(text)] for text in (kept, now)]
        assert numbers[1] == pytest.approx(numbers[0], rel=0.01, abs=0.1)


def test_it_ends_with_the_finding_of_the_card(again: dict[str, Any]) -> None:
    """The same pair as in CARD.md's table: 11 problems that base alone solves, none that RL alone does."""
    assert "{'both': 47, 'base_only': 11, 'other_only': 0, 'neither': 2}\nMcNemar's exact p = 0.0010" in "".join(told(again))


def test_it_has_one_picture_is_small_and_tells_nothing_of_the_machine() -> None:
    pictures = [o for cell in KEPT["cells"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    assert len(pictures) == 1
    assert notebook.NOTEBOOK.stat().st_size < 150_000
    text = notebook.NOTEBOOK.read_text(encoding="utf-8")
    assert not re.search(r"/home/|/tmp/|/root|/work|C:\\\\", text)
    assert "Traceback" not in text


def test_a_cell_gives_what_it_prints_and_its_last_value() -> None:
    scope: dict[str, Any] = {}
    assert notebook.run("x = 2", scope, 1) == []
    printed, value = notebook.run("print('a')\nx + 1", scope, 2)
    assert printed == {"output_type": "stream", "name": "stdout", "text": ["a\n"]}
    assert (value["data"], value["execution_count"]) == ({"text/plain": ["3"]}, 2)
    with pytest.raises(ZeroDivisionError):
        notebook.run("1 / 0", scope, 3)


def test_the_written_file_is_the_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "made", lambda: {"cells": []})
    monkeypatch.setattr("sys.argv", ["notebook", str(tmp_path / "a.ipynb")])
    notebook.main()
    assert json.loads((tmp_path / "a.ipynb").read_text(encoding="utf-8")) == {"cells": []}
