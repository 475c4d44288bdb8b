"""Driving the explorer by keys, and reading what it says."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from rich.cells import cell_len
from textual.pilot import Pilot
from textual.screen import Screen

from explorer.app import BaseboundApp
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.lines import Lines

MakeApp = Callable[..., BaseboundApp]
Driver = Pilot[None]
ScreenType = TypeVar("ScreenType", bound=Screen[Any])

TO_SUMS = ("j",)
"""The list begins with aime24's one run; sums' baseline is next."""


@asynccontextmanager
async def driven(app: BaseboundApp, *keys: str, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Driver]:
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        await press(pilot, *keys)
        yield pilot
    app.session.study.close()


async def settle(pilot: Driver) -> None:
    """Until workers have answered and the screen shows it."""
    await pilot.pause()
    while any(not worker.is_finished for worker in pilot.app.workers):
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()


async def press(pilot: Driver, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


def top(pilot: Driver, kind: type[ScreenType]) -> ScreenType:
    screen = pilot.app.screen
    assert isinstance(screen, kind)
    return screen


def said(pilot: Driver, selector: str) -> str:
    return pilot.app.screen.query_one(selector, Lines).text


def crumbs(pilot: Driver) -> str:
    return pilot.app.screen.query_one(Crumbs).text


def shown(pilot: Driver) -> str:
    """All that is on the screen, as text."""
    width, height = pilot.app.size
    lines = []
    for widget in pilot.app.screen.query("Toned"):
        if widget.region.overlaps(pilot.app.screen.region) and widget.display:
            lines += [widget.render_line(y).text for y in range(widget.size.height)]
    assert all(cell_len(line) <= width for line in lines), height
    return "\n".join(lines)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program holds the file, as a writer on a network file system does."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()
