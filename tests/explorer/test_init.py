"""basebound init: what it writes is what `run` reads, and nothing of anybody's is overwritten."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from engine.declaration import read
from engine.declaration.templates import TEMPLATES
from explorer import cli
from explorer.commands import init


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(cli.COMMANDS, "init", ("explorer.commands.init", "write an example of a STUDY.toml"))


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(shlex.split(init.EXAMPLE.format(db="study.db"))) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "aime.toml is written; edit it, then `basebound run aime.toml --dry-run`\n"
    assert 'study = "aime.db"' in Path("aime.toml").read_text()


def test_without_a_name_it_is_study_toml() -> None:
    assert cli.main(["init", "--quiet"]) == 0
    assert Path("study.toml").read_text().count("[[model]]") == 2


def test_the_demo_is_read_as_it_is() -> None:
    assert cli.main(["init", "--template", "demo", "--quiet"]) == 0
    assert len(read(Path("study.toml")).models) == 4


def test_what_is_there_is_left_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path("study.toml").write_text("mine")
    assert cli.main(["init"]) == 2
    assert "study.toml is there already" in capsys.readouterr().err
    assert Path("study.toml").read_text() == "mine"


def test_a_folder_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init", "none/study.toml"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_every_template_can_be_asked_for() -> None:
    assert init._NAMES == TEMPLATES
