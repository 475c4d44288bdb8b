"""Curves as text, drawn by plotext 6; the only module that calls plotext.

Series differ in their points (■ ○ ▲ ...), the first from the others in its strokes too (blocks and braille), so they can be
told apart without any colour; the first one's band is shaded, the second one's has dotted edges. Each is drawn for itself and
then laid over the others, so that none hides another: points stand over strokes, two points at one place become ▣, strokes
take turns, bands lie under both. plotext keeps its figure in module state: draw from one thread only. Importing this module
imports plotext (0.2 s): do it in a worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import plotext

from explorer.render.pieces import Line, Tone
from explorer.render.plots.cells import BLANK, CROSSING, NOTHING, Cell, Drawn, Grid, covered, cut, put, write_ends
from explorer.render.plots.picture import BAND_SIGNS, Picture, Series, mark, step_between, styled, tone
from explorer.render.words import BOTH_MARK

SMALLEST = (24, 6)
"""Cells across and down below which there is no plot."""

SHADE, EDGE = BAND_SIGNS
WHISKER: Final = "╎"
"""An interval where the places are no k."""
ZERO: Final = "┄"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_INKED = re.compile("[^ \u2800]")
_BETWEEN_TICKS = 3
_ROWS_A_TICK = 3
_STROKES = ("hd", "braille")
_MOST_BANDS = 2
_BENEATH = frozenset((" ", SHADE, EDGE, WHISKER, ZERO, CROSSING))
_WORDS_AT_MOST = 26
_TIE = 1e-9
_LOOKED_AT = "x"
"""Stands where the places are, in a sheet that only asks for that."""


@dataclass(frozen=True, slots=True)
class Curve:
    """pass@k of one run: a share for each k of the grid, None where the run has too few samples."""

    word: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    """Ends of its band, as shares, as is `high`; empty where there is none."""
    high: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that plotext draws."""

    xs: list[int]
    ys: list[float]
    marker: str
    is_line: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """The axes: labels of the places, ends of the values, and the cells there are."""

    labels: tuple[str, ...]
    limits: tuple[float, float]
    width: int
    height: int
    beside: float = 0.0
    """How far the axis goes on beyond the first and the last place, in places."""

    def ground(self) -> Drawn:
        """Axes without any marks, and where each place stands."""
        low, places = self.limits[0], list(range(len(self.labels)))
        sheet = self._sheet([Signal(places, [low] * len(places), _LOOKED_AT)])
        rows, left = _area(sheet)
        columns = tuple(at for at, char in enumerate(sheet[rows - 1]) if at >= left and char == _LOOKED_AT)
        grid = tuple(
            tuple(_ground_cell(char, x >= left and y < rows) for x, char in enumerate(line)) for y, line in enumerate(sheet)
        )
        return Drawn(grid, columns if len(columns) == len(places) else self._spread(left), rows, beneath=_BENEATH)

    def marks(self, signals: Sequence[Signal]) -> dict[tuple[int, int], str]:
        """What plotext draws for these signals, by row and column; nothing of the axes."""
        sheet = self._sheet(signals)
        rows, left = _area(sheet)
        return {(y, found.start()): found[0] for y in range(rows) for found in _INKED.finditer(sheet[y], left)}

    def row(self, value: float, rows: int) -> int:
        """The line a value stands in, as plotext has it: midway between two lines is the one nearer the middle."""
        low, high = self.limits
        up = (value - low) / (high - low) * (rows - 1)
        return rows - 1 - int(up + 0.5 + (_TIE if 2 * up < rows - 1 else -_TIE))

    def _spread(self, left: int) -> tuple[int, ...]:
        """Columns where there are more places than columns: several places share one."""
        steps = max(len(self.labels) - 1, 1)
        return tuple(left + round(place * (self.width - left - 1) / steps) for place in range(len(self.labels)))

    def _sheet(self, signals: Iterable[Signal]) -> list[str]:
        plotext.terminal.limit(False, False)
        figure = plotext.figure
        figure.clear()
        figure.plot_size(self.width, self.height)
        for one in signals:
            signal = figure.signal(one.xs, one.ys, marker=plotext.marker(one.marker))
            signal.lines(one.is_line)
            figure.draw(signal)
        self._axes(figure)
        return _COLOUR.sub("", figure.build().string()).rstrip("\n").split("\n")

    def _axes(self, figure: Any) -> None:
        figure.canvas("default")
        figure.axes(False, axis="x", side="upper")
        figure.axes(False, axis="y", side="right")
        shown = ticks(self.labels, self.width)
        figure.ruler("x").ticks(shown, [self.labels[place] for place in shown])
        figure.ruler("x").lim(-self.beside, max(len(self.labels) - 1, 1) + self.beside if len(self.labels) > 1 else 1)
        figure.ruler("y").lim(*self.limits)
        values = _value_ticks(self.limits, self.height - 2)
        figure.ruler("y").ticks(values, [f"{value:,.10g}" for value in values])


def plot(ks: Sequence[int], curves: Sequence[Curve], width: int, height: int) -> list[Line]:
    """pass@k over log k, in exactly that many cells; nothing below SMALLEST or without points."""
    if not ks:
        return []
    series = tuple(Series(one.word, one.word, _percents(one.values), _percents(one.low), _percents(one.high)) for one in curves)
    picture = Picture("pass@k", "", places=tuple(map(str, ks)), series=series)
    return lines(picture, width, height, words=False).lines


def lines(picture: Picture, width: int, height: int, *, words: bool = True) -> Drawn:
    """The picture in exactly that many cells; nothing below SMALLEST. words: name the series at the ends of their lines."""
    if width < SMALLEST[0] or height < SMALLEST[1] or not picture.places:
        return NOTHING
    margin = _margin(picture, width) if words else 0
    frame = Frame(picture.labels, picture.limits, width - margin, height, 0.0 if len(picture.places) > 1 else 0.5)
    ground = frame.ground()
    grid: Grid = [[*row, *[BLANK] * margin] for row in ground.grid]
    for (row, column), cell in _over(frame, ground, picture).items():
        grid[row][column] = cell
    if picture.has_zero:
        zero = frame.row(0, ground.rows)
        covered(grid, {(zero, column): (ZERO, Tone.DIM) for column in range(ground.columns[0], frame.width)})
    _lay_bands(grid, frame, ground, picture)
    _lay_crossing(grid, ground, picture, frame.width)
    if margin:
        write_ends(grid[: ground.rows], frame.width + 1, list(_end_words(picture, frame, ground.rows)))
    return Drawn(grid, ground.columns, ground.rows, margin, beneath=_BENEATH)


def ticks(labels: Sequence[str], width: int) -> list[int]:
    """Places on the x axis that are labelled: the first, the last, and as many between them as leave each other room."""
    last = len(labels) - 1
    cells = max(map(len, labels)) + _BETWEEN_TICKS
    every = max(1, -(-len(labels) * cells // width))
    return sorted({0, *(place for place in range(last, -1, -every) if place >= every), last})


def _area(sheet: Sequence[str]) -> tuple[int, int]:
    """Lines above the axis, and the first column right of it."""
    rows = next(y for y, line in enumerate(sheet) if "└" in line)
    return rows, sheet[rows].index("└") + 1


def _ground_cell(char: str, is_inside: bool) -> Cell:
    return BLANK if is_inside else (char, Tone.DIM)


def _value_ticks(limits: tuple[float, float], rows: int) -> list[float]:
    low, high = limits
    step = step_between(low, high, max(2, min(10, rows // _ROWS_A_TICK)))
    first = -(-low // step)
    return [round((first + at) * step, 10) for at in range(int((high - first * step) / step + 1e-9) + 1)]


def _over(frame: Frame, ground: Drawn, picture: Picture) -> dict[tuple[int, int], Cell]:
    """Strokes and points of all series, by row and column."""
    strokes: dict[tuple[int, int], list[Cell]] = {}
    points: dict[tuple[int, int], list[Cell]] = {}
    for style, one in styled(picture.series):
        xs = [at for at, value in enumerate(one.values) if value is not None]
        ys = [value for value in one.values if value is not None]
        if not xs:
            continue
        point, colour = mark(style)
        stroke = _STROKES[min(style, len(_STROKES) - 1)]
        for where, char in frame.marks([Signal(xs, ys, stroke, is_line=True)]).items():
            strokes.setdefault(where, []).append((char, colour))
        for at, value in zip(xs, ys, strict=True):
            points.setdefault((frame.row(value, ground.rows), ground.columns[at]), []).append((point, colour))
    found = {where: cells[where[1] % len(cells)] for where, cells in strokes.items()}
    # Of many series several are often at one place: there they take turns, and no sign says which ones they are.
    both = len(picture.series) <= _MOST_BANDS
    together = {where: (BOTH_MARK, Tone.STRONG) for where, cells in points.items() if both and len(cells) > 1}
    return found | {where: cells[where[1] % len(cells)] for where, cells in points.items()} | together


def _lay_bands(grid: Grid, frame: Frame, ground: Drawn, picture: Picture) -> None:
    """Intervals beneath the marks: bands along k where there is one pair of series, else a whisker at each place."""
    along_k = picture.axis == "k"
    if along_k and len(picture.series) > _MOST_BANDS:
        return
    for place, (style, one) in reversed(list(enumerate(styled(picture.series)))):
        if one.low and one.high:
            spans = _spans(one, ground.columns, frame, ground.rows, joined=along_k)
            char = WHISKER if not along_k else SHADE if place == 0 else EDGE
            covered(grid, _band_cells(spans, char, tone(style)))


def _band_cells(spans: dict[int, tuple[int, int]], char: str, colour: Tone) -> dict[tuple[int, int], Cell]:
    return {
        (row, column): (char, colour)
        for column, (top, bottom) in spans.items()
        for row in ((top, bottom) if char == EDGE else range(top, bottom + 1))
    }


def _spans(one: Series, columns: Sequence[int], frame: Frame, rows: int, *, joined: bool) -> dict[int, tuple[int, int]]:
    """By column, the first and the last line of the interval; joined: between the places too."""
    ends = [
        (columns[at], low, high)
        for at, (_, low, high) in enumerate(map(one.at, range(len(one.values))))
        if low is not None and high is not None
    ]
    found = {column: (low, high) for column, low, high in ends}
    if joined:
        for (left, *first), (right, *second) in pairwise(ends):
            for column in range(left + 1, right):
                share = (column - left) / (right - left)
                low, high = (start + share * (stop - start) for start, stop in zip(first, second, strict=True))
                found[column] = (low, high)
    return {column: (frame.row(high, rows), frame.row(low, rows)) for column, (low, high) in found.items()}


def _lay_crossing(grid: Grid, ground: Drawn, picture: Picture, width: int) -> None:
    found = picture.crossing
    if found is None:
        return
    left = min(int(found.place), len(ground.columns) - 1)
    right = min(left + 1, len(ground.columns) - 1)
    start, stop = ground.columns[left], ground.columns[right]
    column = round(start + (found.place - left) * (stop - start))
    for row in grid[: ground.rows]:
        put(row, column, CROSSING, Tone.STRONG, over=_BENEATH)
    at = column + 2 if column + 2 + len(found.word) < width else column - 1 - len(found.word)
    free = [row for row in reversed(grid[: ground.rows]) if {char for char, _ in row[at : at + len(found.word)]} <= _BENEATH]
    if free and at > ground.columns[0]:
        put(free[0], at, found.word, Tone.STRONG)


def _margin(picture: Picture, width: int) -> int:
    most = max((len(one.word) for one in picture.series), default=0)
    return min(most + 4, _WORDS_AT_MOST, width // 4)


def _end_words(picture: Picture, frame: Frame, rows: int) -> Iterable[tuple[int, str, Tone]]:
    for style, one in styled(picture.series):
        known = [value for value in one.values if value is not None]
        if known:
            point, colour = mark(style)
            yield frame.row(known[-1], rows), f"{point} {cut(one.word, _WORDS_AT_MOST)}", colour


def _percents(values: Sequence[float | None]) -> tuple[float | None, ...]:
    return tuple(None if value is None else 100 * value for value in values)
