"""What a line on screen is made of before it has colours: pieces of text, each with a tone.

Widgets turn tones into styles (`explorer.widgets.toned`), so nothing here knows a colour; and every piece passes `visible`
on its way out (`fitted`), so nothing from a study reaches the terminal without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from rich.cells import cell_len, get_character_cell_size

from explorer.render.text import visible


class Tone(StrEnum):
    """What a piece means. A tone is never the only sign: a glyph or a word says the same."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    BASE = "base"
    OTHER = "other"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    ACCENT = "accent"
    ANSWER = "answer"
    MATCH = "match"
    MATCH_HERE = "match-here"
    KEYWORD = "keyword"
    STRING = "string"
    NUMBER = "number"
    COMMENT = "comment"
    """These four: code."""
    ONLY_HERE = "only-here"
    """Compared texts: what the other one does not have."""
    FALL_1 = "fall-1"
    FALL_2 = "fall-2"
    FALL_3 = "fall-3"
    """How much a token surprises a model, or how far the other model falls away at it."""
    RISE_1 = "rise-1"
    RISE_2 = "rise-2"
    RISE_3 = "rise-3"
    """How much more the other model likes a token."""
    OUTSIDE = "outside"
    """A token that a decoding can never draw."""
    CHOSEN = "chosen"
    """The token gone to."""


Piece = tuple[str, Tone]
Line = Sequence[Piece]

GAP: Piece = (" · ", Tone.DIM)


def plain(text: str) -> Piece:
    return (text, Tone.PLAIN)


def dim(text: str) -> Piece:
    return (text, Tone.DIM)


def strong(text: str) -> Piece:
    return (text, Tone.STRONG)


def joined(lines: Iterable[Line], between: Piece = GAP) -> list[Piece]:
    """Lines in one, with `between` between those that hold something."""
    pieces: list[Piece] = []
    for line in lines:
        if line:
            pieces += [between, *line] if pieces else line
    return pieces


def flow(parts: Sequence[Line], width: int) -> list[Line]:
    """The parts one after another, on a new line where the next does not fit."""
    lines: list[list[Piece]] = [[]]
    for part in parts:
        if lines[-1] and width_of(lines[-1]) + width_of((GAP, *part)) > width:
            lines.append([])
        lines[-1] += [GAP, *part] if lines[-1] else part
    return list(lines)


def width_of(line: Line) -> int:
    """Cells the line takes, once it is visible."""
    return sum(cell_len(_on_one_line(text)) for text, _ in line)


def fitted(line: Line, width: int, *, right: bool = False, middle: bool = False) -> list[Piece]:
    """The line in exactly `width` cells: filled with blanks (before it where `right`), or cut with an ellipsis.

    middle: take what does not fit out of the middle of the last piece, where that is plain enough to be cut by characters.
    """
    if middle and line:
        line = [*line[:-1], (_middle(line[-1][0], width - width_of(line[:-1])), line[-1][1])]
    pieces: list[Piece] = []
    left = width
    for text, tone in line:
        # Nothing beyond a few characters per cell can be seen: a statement of a megabyte is not worth spelling out.
        clean = _on_one_line(text[: 8 * width + 8])
        cells = cell_len(clean)
        if cells > left:
            return _with_ellipsis([*pieces, (clean, tone)], width)
        pieces.append((clean, tone))
        left -= cells
    blank = plain(" " * left)
    if not left:
        return pieces
    return [blank, *pieces] if right else [*pieces, blank]


def _with_ellipsis(pieces: list[Piece], width: int) -> list[Piece]:
    kept: list[Piece] = []
    left = width - 1
    tone = Tone.PLAIN
    for text, tone in pieces:
        part = _head(text, left)
        kept.append((part, tone))
        left -= cell_len(part)
        if len(part) < len(text):
            break
    return [*kept, ("…" + " " * left if width > 0 else "", tone)]


def _middle(text: str, width: int) -> str:
    if not text.isascii() or len(text) <= width or width < 8:
        return text
    tail = (width - 1) * 3 // 5
    return text[: width - 1 - tail] + "…" + text[len(text) - tail :]


def _head(text: str, cells: int) -> str:
    """As much of visible text as fits into that many cells."""
    if text.isascii():
        return text[: max(cells, 0)]
    used = 0
    for place, char in enumerate(text):
        used += get_character_cell_size(char)
        if used > cells:
            return text[:place]
    return text


def _on_one_line(text: str) -> str:
    return visible(text).replace("\n", "␊")
