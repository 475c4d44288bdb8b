"""pass@k curves as text, drawn by plotext 6; the only module that calls plotext.

The two curves differ in their strokes (blocks and braille) and their points (■ and ○), so they can be told apart without any
colour; tones are given by character afterwards. Each is drawn for itself and then laid over the other, so that none hides
the other: points stand over strokes, two points at one place become ▣, two strokes take turns. plotext keeps its figure in
module state: draw from one thread only. Importing this module imports plotext (0.2 s): do it in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, groupby
from typing import Any

import plotext

from explorer.render.pieces import Line, Tone
from explorer.render.words import BASE_MARK, BOTH_MARK, OTHER_MARK

SMALLEST = (24, 6)
"""Cells across and down below which there is no plot."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TICK_CELLS = 7
_ROOM_FOR_QUARTERS = 11
"""Lines from which quarters stand evenly on the y axis."""
_STROKES = (("hd", BASE_MARK), ("braille", OTHER_MARK))


@dataclass(frozen=True, slots=True)
class Curve:
    """pass@k of one run: a share for each k of the grid, None where the run has too few samples."""

    word: str
    values: tuple[float | None, ...]


def plot(ks: Sequence[int], curves: Sequence[Curve], width: int, height: int) -> list[Line]:
    """The curves over log k, at most two of them, in exactly that many cells; nothing below SMALLEST or without points."""
    if width < SMALLEST[0] or height < SMALLEST[1] or not ks:
        return []
    plotext.terminal.limit(False, False)
    sheets = [_sheet(ks, curve, stroke, point, width, height) for curve, (stroke, point) in zip(curves, _STROKES, strict=False)]
    return [_toned("".join(map(_over, count(), *lines))) for lines in zip(*sheets, strict=True)]


def _sheet(ks: Sequence[int], curve: Curve, stroke: str, point: str, width: int, height: int) -> list[str]:
    """One curve in its frame."""
    figure = plotext.figure
    figure.clear()
    figure.plot_size(width, height)
    _draw(figure, curve, stroke, lines=True)
    _draw(figure, curve, point, lines=False)
    _frame(figure, ks, width, height)
    return _COLOUR.sub("", figure.build().string()).rstrip("\n").split("\n")


def _over(column: int, *chars: str) -> str:
    """What stands in a cell that every sheet has drawn something in, or nothing."""
    marks = [char for char in chars if _tone(char) is not Tone.DIM]
    points = [char for char in marks if char in (BASE_MARK, OTHER_MARK)]
    if len(points) > 1:
        return BOTH_MARK
    return points[0] if points else marks[column % len(marks)] if marks else chars[0]


def _draw(figure: Any, curve: Curve, marker: str, *, lines: bool) -> None:
    points = [(place, 100 * value) for place, value in enumerate(curve.values) if value is not None]
    if not points:
        return
    signal = figure.signal([place for place, _ in points], [value for _, value in points], marker=plotext.marker(marker))
    signal.lines(lines)
    figure.draw(signal)


def _frame(figure: Any, ks: Sequence[int], width: int, height: int) -> None:
    figure.canvas("default")
    figure.axes(False, axis="x", side="upper")
    figure.axes(False, axis="y", side="right")
    shown = _ticks(len(ks), width)
    figure.ruler("x").ticks(shown, [str(ks[place]) for place in shown])
    figure.ruler("x").lim(0, max(len(ks) - 1, 1))
    figure.ruler("y").lim(0, 100)
    percents = [0, 25, 50, 75, 100] if height >= _ROOM_FOR_QUARTERS else [0, 50, 100]
    figure.ruler("y").ticks(percents, list(map(str, percents)))


def _ticks(number: int, width: int) -> list[int]:
    """Places on the x axis that are labelled: the first, the last, and as many between them as leave each other room."""
    last = number - 1
    every = -(-number * _TICK_CELLS // width)
    return sorted({0, *(place for place in range(last, -1, -every) if place >= every), last})


def _toned(line: str) -> Line:
    return [("".join(part), tone) for tone, part in groupby(line, key=_tone)]


def _tone(char: str) -> Tone:
    if char == BOTH_MARK:
        return Tone.STRONG
    if char == BASE_MARK or "▀" <= char <= "▟":
        return Tone.BASE
    if char == OTHER_MARK or "⠀" <= char <= "⣿":
        return Tone.OTHER
    return Tone.DIM
