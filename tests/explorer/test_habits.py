"""What people's hands rely on everywhere: own keys, the palette, the mouse, a study that grows, coming back to one's place."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from explorer import memory
from explorer.app import last_place
from explorer.keys import BadKeys, all_keys, keys_file, own_keys
from explorer.memory import Remembered
from explorer.model.session import Session
from explorer.screens.base import ExplorerScreen
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.study import StudyScreen
from explorer.screens.traces import TracesScreen
from explorer.widgets.virtual_list import VirtualList
from store.types import Model, NewCount, Role, Run
from store.writer import SourceFile, Writer
from tests.explorer.conftest import SETTINGS, sums_problem
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, press, settle, shown, top

ROOT = Path(__file__).parents[2]


def keys_of(text: str) -> Path:
    keys_file().parent.mkdir(parents=True, exist_ok=True)
    keys_file().write_text(text, encoding="utf-8")
    return keys_file()


def test_every_action_has_a_name_a_key_and_a_sentence() -> None:
    rows = all_keys()
    assert len(rows) > 60
    assert [row for row in rows if not row.keys or not row.what[:1].isupper()] == []


def test_no_two_actions_of_one_place_share_a_key() -> None:
    taken: dict[tuple[str, str], str] = {}
    for row in all_keys():
        for key in row.keys.split(","):
            assert taken.setdefault((row.place, key), row.name) == row.name


def test_without_a_file_nothing_is_another_key() -> None:
    assert own_keys() == {}


def test_own_keys_are_read() -> None:
    keys_of('[keys]\n"study.open" = "f5, o"\n')
    assert own_keys() == {"study.open": "f5,o"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[keys", "is not TOML"),
        ('[keys]\n"study.opne" = "o"', "did you mean study.open"),
        ('[keys]\n"zzzzzz" = "o"', "`basebound keys` lists them"),
        ('[keys]\n"study.open" = 5', "must be a text"),
        ('[keys]\n"study.open" = ""', "must be a text"),
        ('[keys]\n"study.open" = "c"', "are both on the key 'c'"),
        ("keys = 3", "must be a table"),
        ('[keys]\n"app.quit" = "nosuchkey"', "there is no key 'nosuchkey'"),
        ('[keys]\n"app.quit" = "no\\u001b[31m"', "there is no key"),
        ("x = " + "[" * 5000, "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_used_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BadKeys, match=sentence.replace("(", "\\(")):
        own_keys(keys_of(text))


async def test_another_key_works_and_help_and_key_line_name_it(make_app: MakeApp) -> None:
    app = make_app()
    app._own_keys = {"study.open": "f5"}
    async with driven(app, *TO_SUMS) as pilot:
        await press(pilot, "enter")
        top(pilot, StudyScreen)
        assert "f5 problems" in shown(pilot)
        await press(pilot, "f5")
        top(pilot, ProblemsScreen)
        await press(pilot, "escape", "question_mark")
        assert "f5" in shown(pilot)


async def test_the_palette_finds_an_action_by_what_it_does(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        before = pilot.app.theme
        await press(pilot, "colon", *"light or dark", "enter")
        assert pilot.app.theme != before


async def test_keys_pressed_at_once_in_the_palette_do_no_harm(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "p") as pilot:
        for word in ("yes", "back", "plots", "q"):
            for key in ("colon", *word, "enter", "j", "escape"):
                await pilot.press(key)
        await settle(pilot)
        assert pilot.app.is_running


async def test_the_palette_tells_what_it_has_and_closes(make_app: MakeApp) -> None:
    async with driven(make_app(), "colon", *"zzz") as pilot:
        assert "no action here says that" in shown(pilot)
        await press(pilot, "enter", "escape")
        top(pilot, StudyScreen)


async def test_a_click_leads_the_cursor_and_a_second_one_opens(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter") as pilot:
        rows = pilot.app.screen.query_one(VirtualList)
        await pilot.click(rows, offset=(5, 3))
        await settle(pilot)
        assert rows.cursor == 2
        await pilot.click(rows, offset=(5, 0))
        assert rows.cursor == 2, "titles are no row"
        await pilot.click(rows, offset=(5, 3), times=2)
        await settle(pilot)
        assert "sums › 2" in crumbs(pilot)


async def test_a_click_on_a_key_of_the_last_line_is_that_key(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS) as pilot:
        await pilot.click("KeyLine", offset=(3, 0))
        await settle(pilot)
        top(pilot, ProblemsScreen)


async def test_a_study_that_grows_is_followed(make_app: MakeApp, study_path: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(study_path, tmp_path / "growing.db"))
    async with driven(make_app(path=path), *TO_SUMS) as pilot:
        assert "tiny-late" not in shown(pilot)
        with Writer(path, "test") as writer:
            source = writer.open_source(SourceFile("late.jsonl", "test", "3" * 64, 1))
            late = Run(Model("lab/tiny-late", role=Role.RL), "sums", SETTINGS)
            writer.add_counts(source, [NewCount(late, sums_problem(0), 1, 3, 4)])
        pilot.app._look()  # type: ignore[attr-defined]
        await settle(pilot)
        assert "tiny-late" in shown(pilot)


async def test_a_file_that_goes_away_is_told_once(make_app: MakeApp, study_path: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(study_path, tmp_path / "going.db"))
    async with driven(make_app(path=path), *TO_SUMS) as pilot:
        path.unlink()
        pilot.app._look()  # type: ignore[attr-defined]
        await settle(pilot)
        assert "is no longer there" in top(pilot, StudyScreen).said
        await press(pilot, "enter", "enter", "enter")
        assert "base" in crumbs(pilot), "what was opened is still read"


@pytest.mark.parametrize(
    ("keys", "kind", "way"),
    [
        ((), StudyScreen, ""),
        (("enter", "j"), ProblemsScreen, "problems"),
        (("enter", "j", "enter", "j"), TracesScreen, "1"),
        (("enter", "j", "enter", "j", "enter", "}"), ReaderScreen, "base"),
    ],
)
async def test_one_comes_back_to_ones_place(
    make_app: MakeApp, study_path: Path, keys: tuple[str, ...], kind: type[ExplorerScreen[Any]], way: str
) -> None:
    async with driven(make_app(), *TO_SUMS, *keys) as pilot:
        before = top(pilot, kind).here
        await press(pilot, "q")
    with Session.open(study_path) as session:
        goal, greeting = last_place(session)
    assert (greeting != "") == (way != "")
    app = make_app()
    app._goal = goal
    async with driven(app) as pilot:
        after = top(pilot, kind).here
        assert before is not None
        assert after is not None
        assert (after.problem, after.link) == (before.problem, before.link)
        assert way in crumbs(pilot)


@pytest.mark.parametrize(
    ("link", "kind"),
    [
        ("tiny-rl-step-100@sums", StudyScreen),
        ("tiny-rl-step-100@sums/sums:2", ProblemsScreen),
        ("tiny-rl-step-100@sums/sums:2/1", ReaderScreen),
    ],
)
async def test_a_link_leads_as_deep_as_it_goes(make_app: MakeApp, link: str, kind: type[ExplorerScreen[Any]]) -> None:
    async with driven(make_app(link)) as pilot:
        here = top(pilot, kind).here
        assert here is not None
        assert str(here.link) == link


def test_a_place_that_is_no_more_is_forgotten_quietly(study_path: Path) -> None:
    memory.load().remember(study_path, Remembered("gone@sums/sums:1/0", "ReaderScreen", lost=True))
    with Session.open(study_path) as session:
        goal, greeting = last_place(session)
    assert goal is None
    assert "the terminal went away" in greeting


async def test_another_file_in_the_place_of_the_study_is_told(make_app: MakeApp, study_path: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(study_path, tmp_path / "study.db"))
    async with driven(make_app(path=path), *TO_SUMS) as pilot:
        Path(shutil.copy(study_path, tmp_path / "other.db")).replace(path)
        pilot.app._look()  # type: ignore[attr-defined]
        await settle(pilot)
        assert "is another file by now" in top(pilot, StudyScreen).said


@pytest.mark.parametrize(("given", "own"), [("  ", "ann"), ("bob ", "bob"), ("b\udcff", "b?"), (None, "ann")])
def test_an_auditor_is_known_by_the_name_that_is_stored(study_path: Path, given: str | None, own: str) -> None:
    with Session.open(study_path, auditor=given) as session:
        assert session.auditor == own


def test_memory_survives_a_broken_file_and_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    memory.load().save_view("mine", "set:base-only")
    assert memory.load().views == {"mine": "set:base-only"}
    assert memory.memory_file().stat().st_mode & 0o777 == 0o600
    for broken in ('{"places": 3', '{"places": {}, "views": 3}', "[" * 100_000, '{"places": {"a": 3}, "views": {}}'):
        memory.memory_file().write_text(broken, encoding="utf-8")
        assert memory.load() == memory.Memory()
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    memory.load().save_view("mine", "set:base-only")
    assert memory.load().views == {}


@contextmanager
def explored(study: Path, state: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The real program in a terminal of its own, and that terminal's other end, once the runs are on screen."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "XDG_STATE_HOME": str(state)}
    with subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, "explore", str(study)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True, cwd=ROOT,
    ) as process:  # fmt: skip
        os.close(theirs)
        try:
            wait_for(ours, b"base")
            yield process, ours
        finally:
            process.kill()
            with suppress(OSError):
                os.close(ours)


IN_A_TERMINAL = (
    "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "from explorer.cli import main; sys.exit(main(sys.argv[1:]))"
)


def wait_for(terminal: int, text: bytes) -> bytes:
    seen, end = b"", time.monotonic() + 30
    while text not in seen:
        assert select.select([terminal], [], [], max(0, end - time.monotonic()))[0], seen[-2000:]
        seen += os.read(terminal, 1 << 16)
    return seen


def test_a_terminal_that_goes_away_ends_it_and_its_place_is_kept(
    study_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with explored(study_path, tmp_path) as (process, terminal):
        os.close(terminal)
        assert process.wait(timeout=20) == 129
    assert memory.load().place(study_path).screen == "StudyScreen"


def test_a_termination_leaves_the_terminal_as_it_was(study_path: Path, tmp_path: Path) -> None:
    with explored(study_path, tmp_path) as (process, terminal):
        process.terminate()
        said = wait_for(terminal, b"was stored is safe")
        assert b"\x1b[?1049l" in said
        assert b"Traceback" not in said
        assert process.wait(timeout=20) == 130


def test_a_storm_of_sizes_is_survived(study_path: Path, tmp_path: Path) -> None:
    with explored(study_path, tmp_path) as (process, terminal):
        for size in [(24, 80), (1, 1), (60, 250), (5, 20), (3, 200), (24, 80)] * 10:
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
            time.sleep(0.01)
            while select.select([terminal], [], [], 0)[0]:
                os.read(terminal, 1 << 16)
        os.write(terminal, b"\r")
        wait_for(terminal, b"problem")
        os.write(terminal, b"q")
        wait_for(terminal, b"\x1b[?1049l")
        assert process.wait(timeout=20) == 0
