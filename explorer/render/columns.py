"""How the columns of a list share a width: what must be seen stays, what may go goes first, what may grow grows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.render.pieces import Line, Piece, Tone, fitted, plain

BETWEEN = 2
"""Blank cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list."""

    title: str
    width: int
    """Cells it needs."""
    most: int | None = None
    """Cells it may grow to; None: no more than it needs."""
    right: bool = False
    """Numbers stand on the right."""
    drop: int = 0
    """Where there is no room, columns go in the order of this number, highest first, equal ones together. 0 stays."""
    middle: bool = False
    """Cut in the middle: names that differ at their end stay apart."""
    tone: Tone = Tone.DIM
    """Tone of the title."""


UNLIMITED = 1 << 20
_TEXT = 48
"""Cells a column of text grows to before names and numbers grow: in less a sentence is none."""


def share(columns: Sequence[Column], width: int) -> list[int]:
    """Cells for each column, 0 for one that is left out."""
    kept = list(range(len(columns)))
    while _needed(columns, kept) > width:
        first = max(columns[place].drop for place in kept)
        if not first:
            break
        kept = [place for place in kept if columns[place].drop != first]
    for number in sorted({column.drop for column in columns if column.drop}):  # narrower ones may fit where wider ones do not
        back = sorted({*kept, *(place for place, column in enumerate(columns) if column.drop == number)})
        if _needed(columns, back) <= width:
            kept = back
    widths = [column.width if place in kept else 0 for place, column in enumerate(columns)]
    spare = width - _needed(columns, kept)
    texts = [(place, _TEXT) for place in kept if columns[place].most == UNLIMITED]
    growing = [(place, most) for place in kept if (most := columns[place].most) is not None]
    for place, most in (*texts, *growing):
        more = max(0, min(spare, most - widths[place]))
        widths[place] += more
        spare -= more
    return widths


def row_line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[Line]) -> list[Piece]:
    """One row: each cell fitted into its column."""
    pieces: list[Piece] = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        if width:
            if pieces:
                pieces.append(plain(" " * BETWEEN))
            pieces += fitted(cell, width, right=column.right, middle=column.middle)
    return pieces


def title_line(columns: Sequence[Column], widths: Sequence[int]) -> list[Piece]:
    """The line above the rows."""
    return row_line(columns, widths, [[(column.title, column.tone)] for column in columns])


def _needed(columns: Sequence[Column], kept: Sequence[int]) -> int:
    return sum(columns[place].width for place in kept) + BETWEEN * max(len(kept) - 1, 0)
