"""What every screen looks like. `pytest --snapshot-update` accepts a change: look at the pictures first."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from engine.paths import find_paths
from store.writer import Writer
from tests.explorer.driving import MakeApp, press, settle

SCREENS = {
    "study": ("j", "j"),
    "problems": ("j", "enter", "j"),
    "traces": ("j", "enter", "j", "enter", "j"),
    "reader": ("j", "enter", "j", "enter", "enter", "}"),
    "compare": ("j", "enter", "j", "enter", "enter", "equals_sign"),
    "why": ("j", "enter", "j", "w"),
    "found": ("j", "slash", *"correct:no answer:99", "enter"),
    "views": ("j", "enter", "v"),
    "plots": ("j", "p"),
    "paths": ("j", "P"),
    "claims": ("j", "C"),
    "queue": ("j", "a"),
    "audit": ("j", "a", "enter"),
}
SIZES = [(80, 24), (120, 40), (200, 50)]

Compare = Callable[..., bool]


def walked(*keys: str) -> Callable[[Pilot[None]], object]:
    async def walk(pilot: Pilot[None]) -> None:
        await settle(pilot)
        await press(pilot, *keys)
        # The detail of the Problems screen is read once the cursor has rested.
        await pilot.pause(0.2)
        await settle(pilot)

    return walk


@pytest.fixture(scope="module")
def clustered(study_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with reasoning paths. Without them the Paths screen shows a command with the study's own way."""
    path = Path(shutil.copy(study_path, tmp_path_factory.mktemp("clustered") / "study.db"))
    with Writer(path, "test") as writer:
        find_paths(writer)
    return path


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(snap_compare: Compare, make_app: MakeApp, clustered: Path, screen: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_app(path=clustered), terminal_size=size, run_before=walked(*SCREENS[screen]))


@pytest.mark.parametrize("screen", SCREENS)
def test_screen_without_colour(
    snap_compare: Compare, make_app: MakeApp, clustered: Path, monkeypatch: pytest.MonkeyPatch, screen: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")  # Textual takes it out of the environment again when the app is made
    assert snap_compare(make_app(path=clustered), terminal_size=(80, 24), run_before=walked(*SCREENS[screen]))


def test_light_colours(snap_compare: Compare, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORFGBG", "0;15")
    assert snap_compare(make_app(), terminal_size=(120, 40), run_before=walked(*SCREENS["reader"]))


def test_help(snap_compare: Compare, make_app: MakeApp) -> None:
    assert snap_compare(make_app(), terminal_size=(80, 24), run_before=walked(*SCREENS["reader"], "question_mark"))


def test_no_path_and_no_time_is_in_a_picture() -> None:
    pictures = list((Path(__file__).parent / "__snapshots__").rglob("*.svg"))
    assert pictures
    for picture in pictures:
        assert "/tmp/" not in picture.read_text(encoding="utf-8")
