"""A picture's numbers: the table beneath it, and the line that reads out one place of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from explorer.render.columns import BETWEEN, Column
from explorer.render.pieces import Line, Piece, Tone, flow, plain, strong
from explorer.render.plots.picture import Picture, Series, Shape, mark, styled
from explorer.render.text import one_line

_AT: Final = {Shape.LINES: "{axis} = {at}", Shape.BARS: "{axis} {at}", Shape.ROWS: "{at}"}
_TITLE = 12
"""Cells of a title where not all have room for their whole ones."""
_LEAST_TITLE = 7
"""With less than that a title says nothing, and its marker alone stands there."""
_INTERVALS = 2
_POINTER = 3
"""Cells of the list that are no column's."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Columns, and a row of texts for each place."""

    columns: list[Column]
    rows: list[list[str]]


def numbers(picture: Picture, width: int) -> Numbers:
    """As much as there is room for: values with intervals, else values alone, else under titles that are markers alone; the
    read-out has it all."""
    full = [f"{mark(style)[0]} {one_line(one.word)}" for style, one in _marked(picture)]
    full += [one_line(one.word) for one in _unmarked(picture)]
    short = [mark(style)[0] for style, _ in _marked(picture)] + [title[:_TITLE] for title in full[len(_marked(picture)) :]]
    series = [*(one for _, one in _marked(picture)), *_unmarked(picture)]
    said = [[picture.said(one, place) for place in range(len(picture.places))] for one in series]
    alone = [[picture.number(value, one) for value in one.values] for one in series]
    first = max(map(len, (picture.axis, *picture.places)), default=1)
    room = (width - first - _POINTER) // max(len(full), 1) - BETWEEN
    ways = [(full, said), ([title[:_TITLE] for title in full], alone)]
    if room >= _LEAST_TITLE:
        ways.append(([title if len(title) <= room else title[: room - 1] + "…" for title in full], alone))
    for titles, cells in (*ways, (short, alone)):
        widths = [max(map(len, (title, *column))) for title, column in zip(titles, cells, strict=True)]
        if sum(each + BETWEEN for each in widths) <= width - first - _POINTER:
            break
    tones = [mark(style)[1] for style, _ in _marked(picture)] + [Tone.DIM] * len(_unmarked(picture))
    columns = [Column(picture.axis, first, right=picture.shape is Shape.LINES)]
    for title, each, tone in zip(titles, widths, tones, strict=True):
        columns.append(Column(title, each, right=True, tone=tone))
    return Numbers(columns, [[one_line(place), *row] for place, *row in zip(picture.places, *cells, strict=True)])


def read_out(picture: Picture, place: int, width: int, most: int) -> list[Line]:
    """The values at a place, with their intervals, on at most so many lines: where that is too much, the intervals of all but
    the first two give way."""
    if picture.is_empty or place >= len(picture.places):
        return []
    lines = flow(_parts(picture, place, len(picture.columns)), width)
    return (lines if len(lines) <= most else flow(_parts(picture, place, _INTERVALS), width))[:most]


def _parts(picture: Picture, place: int, intervals: int) -> list[Line]:
    """intervals: of how many series they are said."""
    at = _AT[picture.shape].format(axis=picture.axis, at=one_line(picture.places[place]))
    series: list[tuple[list[Piece], Series]] = [([mark(style), plain(" ")], one) for style, one in _marked(picture)]
    series += [([], one) for one in _unmarked(picture)]
    parts: list[Line] = [[strong(at)]]
    for number, (before, one) in enumerate(series):
        said = picture.said(one, place) if number < intervals else picture.number(one.values[place], one)
        parts.append([*before, plain(f"{one_line(one.word)} {said}")])
    return parts


def _marked(picture: Picture) -> list[tuple[int, Series]]:
    """Those that a marker or a fill stands for, after their styles. In ROWS it is the place that has one."""
    return [] if picture.shape is Shape.ROWS else styled(picture.series)


def _unmarked(picture: Picture) -> list[Series]:
    return list(picture.columns if picture.shape is Shape.ROWS else picture.aside)
