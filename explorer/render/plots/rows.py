"""Rows under each other on one scale: a bar with its interval, or a box from quartile to quartile with whiskers to 5 and 95 %.

Drawn without plotext, which knows no such thing.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor, log10
from typing import Final

from explorer.render.pieces import Tone
from explorer.render.plots.cells import BLANK, NOTHING, Drawn, Grid, cut, put
from explorer.render.plots.picture import Picture, Series, step_between, tone

FILLS: Final = ("█", "▒", "▓", "░")
MIDDLE: Final = "┃"
_ENDS: Final = "├┤"
_LABEL_AT_MOST = 30
_SMALLEST_SCALE = 16
_TICK_CELLS = 12
_AIRY = 4

Scale = Callable[[float], int]


def rows(picture: Picture, width: int, height: int) -> Drawn:
    """The picture in exactly that many cells: two lines of axis, and one a row at least; nothing where that is too much, but of
    a list those that fit."""
    places = picture.places[: max(height - 2, 0)] if picture.is_list else picture.places
    label = min(max(map(len, places), default=0), _LABEL_AT_MOST, width // 2)
    left = label + 3
    if width - left < _SMALLEST_SCALE or height < len(places) + 2 or not places:
        return NOTHING
    each = min(_AIRY, (height - 2) // len(places))
    grid: Grid = [[BLANK] * width for _ in range(height)]
    axis = each * len(places)
    thickness = max(1, each - 1)
    at = [each * place + (thickness - 1) // 2 for place in range(len(places))]
    scale = _scale(picture, left + 1, width - 1)
    for place, (line, word) in enumerate(zip(at, places, strict=True)):
        put(grid[line], 2, cut(word, label), Tone.PLAIN)
        for one in picture.series:
            thick = range(each * place, each * place + thickness)
            if one.least:
                _box(grid, thick, line, one, place, scale, tone(place // picture.a_colour))
            else:
                _bar(grid, thick, line, one, place, scale)
    _axis(grid, axis, left, picture, scale)
    return Drawn(grid, tuple(at), axis, is_upright=False)


def value_ticks(picture: Picture, most: int) -> list[float]:
    """Round values along the axis: powers of ten, twice and five times them where it is by ratios."""
    low, high = picture.limits
    if not picture.is_log:
        step = step_between(low, high, most)
        return [round(step * at, 10) for at in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]
    found = [lead * 10.0**power for power in range(floor(log10(low)), ceil(log10(high)) + 1) for lead in (1, 1.5, 2, 3, 5, 7)]
    inside = [value for value in found if low <= value <= high]
    return inside[:: max(1, -(-len(inside) // max(most, 1)))]


def tick_text(value: float) -> str:
    """A value of the axis, never by powers of ten: 0.00002, 1,500."""
    return f"{value:,.6g}" if value == 0 or 1e-4 <= abs(value) < 1e6 else f"{value:,.7f}".rstrip("0").rstrip(".")


def share_along(picture: Picture, value: float) -> float:
    """Where a value stands between the ends of the axis: 0 to 1."""
    low, high = picture.limits
    if picture.is_log:
        low, high, value = log10(low), log10(high), log10(max(value, low))
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _scale(picture: Picture, left: int, right: int) -> Scale:
    return lambda value: left + round(share_along(picture, value) * (right - left))


def _bar(grid: Grid, thick: range, line: int, one: Series, place: int, scale: Scale) -> None:
    value, low, high = one.at(place)
    if value is None:
        return
    start = scale(0.0)
    for row in thick:
        put(grid[row], start, FILLS[place % len(FILLS)] * (scale(value) - start), tone(place))
    if low is not None and high is not None:
        _whisker(grid[line], scale(low), scale(high))


def _box(grid: Grid, thick: range, line: int, one: Series, place: int, scale: Scale, colour: Tone) -> None:
    value, low, high = one.at(place)
    least, most = one.least[place], one.most[place]
    if value is None or low is None or high is None or least is None or most is None:
        return
    _whisker(grid[line], scale(least), scale(most))
    for row in thick:
        put(grid[row], scale(low), FILLS[place % 2] * (scale(high) - scale(low) + 1), colour)
        put(grid[row], scale(value), MIDDLE, Tone.STRONG)


def _whisker(row: list[tuple[str, Tone]], start: int, stop: int) -> None:
    put(row, start, "┼" if start == stop else _ENDS[0] + "─" * (stop - start - 1) + _ENDS[1], Tone.STRONG)


def _axis(grid: Grid, line: int, left: int, picture: Picture, scale: Scale) -> None:
    width = len(grid[line])
    put(grid[line], left, "└" + "─" * (width - left - 1), Tone.DIM)
    free = left
    for value in value_ticks(picture, max(2, (width - left) // _TICK_CELLS)):
        text = tick_text(value)
        at = min(scale(value) - len(text) // 2, width - len(text))
        if at >= free:
            put(grid[line], scale(value), "┬", Tone.DIM)
            put(grid[line + 1], at, text, Tone.DIM)
            free = at + len(text) + 2
