"""README's pictures are the program's own screens on the bundled study, and its commands are what is tested."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from explorer.app import BaseboundApp
from explorer.cli import COMMANDS
from explorer.commands.bundled import bundled_study
from explorer.commands.explore import ONLY_TRACE
from explorer.commands.narration import Narrator
from explorer.model.session import Session
from store.names import parse_link
from store.query import parse
from tests.explorer.test_app_snapshots import walked

PICTURES = {
    "study": (),
    "plots": ("p",),
    "problems": ("enter", "tab", "j"),
    "why": ("enter", "tab", "j", "w"),
    "compare": ("enter", "tab", "j", "enter", "tab", "enter", "equals_sign"),
    "queue": ("a",),
    "audit": ("a", "enter"),
    "found": ("slash", *"set:base-only guess*", "enter"),
}

PARTING = "tiny-base@tiny-sums/tiny-sums:product-14-29/12"

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOUR = ROOT / "explorer" / "TOUR.md"


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Under the name that README gives a study: the Study screen shows it."""
    folder = tmp_path_factory.mktemp("bundled")
    return bundled_study(Narrator(quiet=True), folder).rename(folder / "study.db")


@pytest.mark.parametrize(("screen", "keys"), PICTURES.items(), ids=PICTURES)
def test_picture(snap_compare: Callable[..., bool], bundled: Path, screen: str, keys: tuple[str, ...]) -> None:
    app = BaseboundApp(Session.open(bundled, auditor="ann"))
    size = (164, 34) if screen == "study" else (112, 28)  # its plot stands beside the runs where there is room
    assert snap_compare(app, terminal_size=size, run_before=walked(*keys)), screen


def test_picture_of_the_lucky_trace(snap_compare: Callable[..., bool], tmp_path: Path) -> None:
    session = Session.open(bundled_study(Narrator(quiet=True), tmp_path, "lucky").rename(tmp_path / "lucky.db"))
    app = BaseboundApp(session, session.goal(parse_link(ONLY_TRACE)))
    assert snap_compare(app, terminal_size=(112, 28), run_before=walked())


def test_picture_of_two_models_parting(snap_compare: Callable[..., bool], bundled: Path) -> None:
    session = Session.open(bundled, auditor="ann")
    app = BaseboundApp(session, session.goal(parse_link(PARTING)))
    assert snap_compare(app, terminal_size=(112, 28), run_before=walked("F"))


@pytest.mark.parametrize("page", [ROOT / "README.md", TOUR], ids=lambda page: page.name)
def test_every_picture_is_there(page: Path) -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    assert pictures
    assert [path for path in pictures if not (page.parent / unquote(path)).is_file()] == []


def test_what_the_tour_says_of_the_grammar_is_grammar() -> None:
    table = re.findall(r"^\| (`.*`) \|", TOUR.read_text(encoding="utf-8"), flags=re.M)
    expressions = [text.replace("\\|", "|") for row in table for text in re.findall(r"`([^`]+)`", row)]
    assert len(expressions) > 20
    for expression in expressions:
        parse(expression)


def test_every_command_is_listed_and_no_other() -> None:
    listed = set(re.findall(r"`basebound ([a-z]+)[^`]*`", README))
    assert listed == set(COMMANDS)


def test_the_python_example_runs(bundled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    monkeypatch.chdir(bundled.parent)
    exec(code, {})
    assert "tiny-base@tiny-sums 0.6" in capsys.readouterr().out
