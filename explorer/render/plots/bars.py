"""Bars over bins, the series beside each other: the first one filled, the second one shaded, each with its number on top."""

from __future__ import annotations

from typing import Final

from explorer.render.pieces import Tone
from explorer.render.plot import SMALLEST, Frame
from explorer.render.plots.cells import BLANK, NOTHING, Drawn, Grid, put
from explorer.render.plots.picture import Picture, tone

FILLS: Final = ("█", "▒")
_EIGHTHS: Final = " ▁▂▃▄▅▆▇"
_WIDEST = 12
_BENEATH = frozenset(" ")


def bars(picture: Picture, width: int, height: int) -> Drawn:
    """The picture in exactly that many cells; nothing below SMALLEST, or where a bar would not get a cell."""
    if width < SMALLEST[0] or height < SMALLEST[1] or not picture.places:
        return NOTHING
    frame = Frame(picture.labels, picture.limits, width, height, beside=0.5)
    ground = frame.ground()
    left = min(ground.columns) - (ground.columns[-1] - ground.columns[0]) // max(2 * (len(ground.columns) - 1), 1)
    across = min(_WIDEST, ((width - left) // len(picture.places) - 1) // len(picture.series))
    if across < 1:
        return NOTHING
    grid: Grid = [list(row) for row in ground.grid]
    for number, one in enumerate(picture.series):
        for column, value in zip(ground.columns, one.values, strict=True):
            first = column - across * len(picture.series) // 2 + number * across
            if value is not None:
                _bar(grid[: ground.rows], (first, across), value / picture.limits[1], number)
                _say(grid[: ground.rows], (first, across), value / picture.limits[1], picture.number(value), number)
    return Drawn(grid, ground.columns, ground.rows, beneath=_BENEATH)


def _bar(grid: Grid, span: tuple[int, int], share: float, number: int) -> None:
    """From the axis up: whole cells, and for filled bars eighths of one. Anything above nothing is seen."""
    eighths = max(round(share * 8 * len(grid)), 1 if share > 0 else 0)
    whole, part = divmod(eighths, 8)
    if number % len(FILLS):
        whole, part = (eighths + 4) // 8 or min(eighths, 1), 0
    for up, row in enumerate(reversed(grid)):
        char = FILLS[number % len(FILLS)] if up < whole else _EIGHTHS[part] if up == whole and part else None
        for column in range(span[0], span[0] + span[1]) if char else ():
            if 0 <= column < len(row):
                row[column] = (char or " ", tone(number))


def _say(grid: Grid, span: tuple[int, int], share: float, text: str, number: int) -> None:
    """The number above its bar, where it is narrower than the bar, so that two of them stay apart."""
    if len(text) >= span[1] or share <= 0:
        return
    for row in reversed(grid):
        if all(0 <= column < len(row) and row[column] == BLANK for column in range(span[0], span[0] + span[1])):
            put(row, span[0] + (span[1] - len(text)) // 2, text, tone(number) if number < 2 else Tone.PLAIN)
            return
