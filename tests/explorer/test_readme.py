"""README's pictures are the program's own screens on the example, and its commands are what is tested."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from explorer.app import BaseboundApp
from explorer.cli import COMMANDS
from explorer.commands.example import example_study
from explorer.commands.narration import Narrator
from explorer.model.session import Session
from tests.explorer.test_app_snapshots import walked

PICTURES = {"study": (), "reader": ("enter", "G", "enter", "enter", "}", "}")}

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example_study(Narrator(quiet=True), tmp_path_factory.mktemp("example"))


@pytest.mark.parametrize(("screen", "keys"), PICTURES.items(), ids=PICTURES)
def test_picture(snap_compare: Callable[..., bool], example: Path, screen: str, keys: tuple[str, ...]) -> None:
    assert snap_compare(BaseboundApp(Session.open(example)), terminal_size=(112, 28), run_before=walked(*keys)), screen


def test_every_picture_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    assert [path for path in pictures if not (ROOT / unquote(path)).is_file()] == []


def test_every_command_is_listed_and_no_other() -> None:
    listed = set(re.findall(r"`basebound ([a-z]+)[^`]*`", README))
    assert listed == set(COMMANDS)


def test_the_python_example_runs(example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    monkeypatch.chdir(example.parent)
    exec(code.replace("study.db", "example.db"), {})
    assert "base@two-numbers unknown" in capsys.readouterr().out
