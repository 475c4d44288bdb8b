"""The explorer as a whole, driven by keys: in and out, help, sizes, failures, what the first paint needs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from explorer.app import BaseboundApp, run_explorer
from explorer.cli import main
from explorer.model.session import Session
from explorer.screens.help import HelpScreen
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.study import StudyScreen
from explorer.screens.traces import TracesScreen
from store.errors import NotAStudy, NotFound
from store.writer import Writer
from tests.builders import RL, answers, run, source
from tests.explorer.conftest import make_study
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, locked, press, settle, shown, top
from tests.explorer.test_app_snapshots import SCREENS


async def test_enter_goes_in_and_escape_goes_out(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS) as pilot:
        stack = [StudyScreen, ProblemsScreen, TracesScreen, ReaderScreen]
        for depth in (2, 3, 4):
            await press(pilot, "enter")
            assert [type(screen) for screen in pilot.app.screen_stack[1:]] == stack[:depth]
        assert crumbs(pilot).startswith("study.db › sums › 0 › base")
        for depth in (3, 2, 1, 1):
            await press(pilot, "escape")
            assert [type(screen) for screen in pilot.app.screen_stack[1:]] == stack[:depth]


async def test_help_lists_the_keys_of_the_screen_it_was_opened_on(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "question_mark") as pilot:
        keys = {each.what: each.keys for each in top(pilot, HelpScreen).rows}
        assert keys["Next sample of the list"] == "]"
        assert keys["Show or hide the full statement, and its images"] == "t"
        assert keys["Leave the explorer"] == "q"
        await press(pilot, "escape")
        top(pilot, ReaderScreen)


@pytest.mark.parametrize("size", [(250, 60), (10, 4)], ids=str)
@pytest.mark.parametrize("screen", SCREENS)
async def test_every_screen_survives_every_size(make_app: MakeApp, screen: str, size: tuple[int, int]) -> None:
    async with driven(make_app(), *SCREENS[screen], size=size) as pilot:
        here = type(pilot.app.screen)
        shown(pilot)
        await pilot.resize_terminal(size[0] + 13, size[1] + 3)
        await settle(pilot)
        shown(pilot)
        await press(pilot, "question_mark")
        shown(pilot)
        await press(pilot, "escape")
        assert type(pilot.app.screen) is here


async def test_keys_of_the_last_line_fit_80_columns_with_help_in_sight(make_app: MakeApp) -> None:
    async with driven(make_app(), size=(80, 24)) as pilot:
        for key in ("j", "enter", "enter", "enter"):
            line = pilot.app.screen.query_one("KeyLine").render_line(0).text
            assert "? help" in line
            assert len(line) == 80
            await press(pilot, key)


async def test_a_study_that_vanishes_ends_in_a_sentence(make_app: MakeApp, tmp_path: Path) -> None:
    path = make_study(tmp_path / "gone.db")
    app = make_app(path=path)
    async with driven(app, *TO_SUMS, "enter") as pilot:
        with path.open("r+b") as file:
            file.truncate(4096)
        await press(pilot, "enter")
        assert "gone.db is damaged" in top(pilot, TracesScreen).said


def test_what_cannot_be_opened_is_said_before_the_terminal_is_touched(study_path: Path, tmp_path: Path) -> None:
    with pytest.raises(NotAStudy):
        run_explorer(tmp_path / "missing.db", None, None)
    with pytest.raises(NotFound):
        run_explorer(study_path, "no-such-run/sums:1/0", None)


async def test_a_study_without_verdicts_or_without_runs_can_be_explored(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "unjudged.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["one", "two"]) + answers(["three"], start=3, of=run(RL)))
    async with driven(make_app(path=path)) as pilot:
        assert "2 unjudged" in shown(pilot)
        assert "no problem was judged for both" in shown(pilot)
        await press(pilot, "enter", "enter", "enter")
        assert "· unjudged" in shown(pilot)
    empty = tmp_path / "empty.db"
    Writer(empty, "test").close()
    async with driven(make_app(path=empty), "j", "enter", "c") as pilot:
        assert "no runs in this study yet" in shown(pilot)


class Broken(StudyScreen):
    """A screen with a defect."""

    def on_mount(self) -> None:
        raise ZeroDivisionError


@pytest.mark.parametrize(("first", "status"), [(Broken, 1), (StudyScreen, 0)])
def test_a_crash_is_no_success(
    study_path: Path, monkeypatch: pytest.MonkeyPatch, first: type[StudyScreen], status: int
) -> None:
    def run(app: BaseboundApp, *, mouse: bool) -> None:
        App.run(app, headless=True, mouse=mouse, auto_pilot=leave)

    async def leave(pilot: Pilot[object]) -> None:
        await pilot.press("q")

    monkeypatch.setattr(BaseboundApp, "run", run)
    monkeypatch.setattr(BaseboundApp, "first_screen", lambda app, goal: first(app.session, goal))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["explore", str(study_path)]) == status


async def test_who_leaves_waits_for_no_lock(make_app: MakeApp, tmp_path: Path) -> None:
    path = make_study(tmp_path / "locked.db")
    async with driven(make_app(path=path), *TO_SUMS) as pilot:
        with locked(path):
            await pilot.press("enter")
            start = time.monotonic()
            await pilot.app.run_action("quit")
            assert time.monotonic() - start < 1


async def test_the_terminals_own_redraw_key_changes_no_colours(make_app: MakeApp) -> None:
    async with driven(make_app(), "ctrl+l") as pilot:
        assert pilot.app.theme == "basebound-dark"
        await press(pilot, "ctrl+t")
        assert pilot.app.theme == "basebound-light"


def test_another_verifier_may_decide(study_path: Path) -> None:
    with pytest.raises(NotFound, match="has no verdicts by 'nobody'; there are: imported, math"):
        Session.open(study_path, "nobody")
    with Session.open(study_path, "imported") as session:
        assert session.boards["sums"].verifier == "imported"
        assert not session.file_boards


FIRST_PAINT = """
import sys
from pathlib import Path
from textual import on
from explorer.app import BaseboundApp
from explorer.model.session import Session
from explorer.screens.study import Painted, StudyScreen

class Watched(StudyScreen):
    @on(Painted)
    def look(self):
        heavy = {"numpy", "plotext", "sqlite_utils", "torch", "sklearn", "transformers", "math_verify", "sympy"}
        self.app.exit(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))

class WatchedApp(BaseboundApp):
    def first_screen(self, goal):
        return Watched(self.session, goal)

with Session.open(Path(sys.argv[1])) as session:
    print("loaded:", WatchedApp(session).run(headless=True))
"""


def test_the_first_paint_needs_no_numeric_library(study_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_PAINT, str(study_path)], capture_output=True, text=True, timeout=60)
    assert "loaded: []" in done.stdout, done.stdout + done.stderr
