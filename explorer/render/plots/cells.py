"""A drawn picture as cells, and what is laid over it without drawing it again: the cursor, the crossing, words at the ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rich.cells import cell_len

from explorer.render.pieces import Line, Tone, fitted
from explorer.render.text import one_line

Cell = tuple[str, Tone]
"""One character, one cell wide, and its tone."""
Grid = list[list[Cell]]

BLANK: Cell = (" ", Tone.PLAIN)
CURSOR = "│"
CURSOR_FOOT = "▲"
CROSSING = "┊"


@dataclass(frozen=True, slots=True)
class Drawn:
    """Cells, all lines equally long, and where things are in them."""

    grid: Sequence[Sequence[Cell]]
    columns: tuple[int, ...]
    """Of each place. In ROWS, its line instead."""
    rows: int
    """Lines above the axis: where values are."""
    margin: int = 0
    """Cells left free on the right of every line, for words."""
    is_upright: bool = True
    """Places go from left to right; False: from top to bottom."""
    beneath: frozenset[str] = frozenset(" ")
    """Characters that the cursor may cover: the ground and the bands, no marks."""

    @property
    def lines(self) -> list[Line]:
        return [toned(row) for row in self.grid]


NOTHING = Drawn((), (), 0)


def toned(row: Sequence[Cell]) -> Line:
    """The cells as few pieces."""
    return [("".join(char for char, _ in part), tone) for tone, part in groupby(row, key=lambda cell: cell[1])]


def with_cursor(drawn: Drawn, place: int) -> list[Line]:
    """The lines with the cursor at that place: a rule behind the marks and a foot on the axis, or a pointer before the row."""
    if not drawn.columns or (not drawn.is_upright and place >= len(drawn.columns)):
        return drawn.lines
    at = drawn.columns[max(0, min(place, len(drawn.columns) - 1))]
    if not drawn.is_upright:
        return [_pointed(row) if y == at else toned(row) for y, row in enumerate(drawn.grid)]
    return [_crossed(row, at, y, drawn) for y, row in enumerate(drawn.grid)]


def _pointed(row: Sequence[Cell]) -> Line:
    return toned([("▸", Tone.STRONG), *row[1:]])


def _crossed(row: Sequence[Cell], at: int, y: int, drawn: Drawn) -> Line:
    if at >= len(row) or y > drawn.rows:
        return toned(row)
    if y == drawn.rows:
        return toned([*row[:at], (CURSOR_FOOT, Tone.ACCENT), *row[at + 1 :]])
    char, _ = row[at]
    return toned([*row[:at], (CURSOR, Tone.ACCENT), *row[at + 1 :]]) if char in drawn.beneath else toned(row)


def put(row: list[Cell], at: int, text: str, tone: Tone, *, over: frozenset[str] | None = None) -> None:
    """Write the text into a row from that cell on, where it has room; over: only onto these characters."""
    for place, char in enumerate(text, at):
        if 0 <= place < len(row) and (over is None or row[place][0] in over):
            row[place] = (char, tone)


def write_ends(grid: Grid, left: int, words: Sequence[tuple[int, str, Tone]]) -> None:
    """Words from column `left` on, each as near to its wanted line as the others allow; the last lines go to the last words."""
    for line, (_, word, tone) in _places(words, len(grid)):
        # The words are a study's: made plain and cut before they become cells, one character each.
        for at, char in enumerate(cut(word, len(grid[line]) - left), left):
            grid[line][at] = (char, tone)


def cut(text: str, cells: int) -> str:
    """The text on one line in at most that many cells, every character one cell wide."""
    clean = "".join(char if cell_len(char) == 1 else "·" for char in one_line(text))
    return clean if len(clean) <= cells else "".join(part for part, _ in fitted([(clean, Tone.PLAIN)], max(cells, 0)))


def _places(words: Sequence[tuple[int, str, Tone]], lines: int) -> list[tuple[int, tuple[int, str, Tone]]]:
    """A line of its own for each word, from the top in the order of the wanted lines; those that find none are left out."""
    ordered = sorted(words, key=lambda word: word[0])[:lines]
    taken: list[int] = []
    for number, word in enumerate(ordered):
        first = taken[-1] + 1 if taken else 0
        taken.append(max(first, min(word[0], lines - (len(ordered) - number))))
    return list(zip(taken, ordered, strict=True))


def covered(grid: Grid, cells: Mapping[tuple[int, int], Cell]) -> None:
    """Lay cells over blank ones."""
    for (row, column), cell in cells.items():
        if 0 <= row < len(grid) and 0 <= column < len(grid[row]) and grid[row][column][0] == " ":
            grid[row][column] = cell
