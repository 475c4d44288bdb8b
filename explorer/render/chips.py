"""Choices and filters on one line, each with how many rows it leaves.

`chips`: what Tab goes through; the one in force stands in brackets. `terms`: the parts of a filter that was typed, and what
they leave together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.render.pieces import Line, Piece, Tone, dim, plain, strong, width_of


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice and how many rows it leaves."""

    word: str
    number: int
    tone: Tone = Tone.PLAIN
    is_name: bool = False
    """A name may end in a figure: its number is set apart as ×2."""
    of: int | None = None
    """Where these rows are a part of something: how many that has."""

    @property
    def text(self) -> str:
        whole = "" if self.of is None else f" of {self.of:,}"
        return f"{self.word} {'×' * self.is_name}{self.number:,}{whole}"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a filter, and how many rows it leaves by itself."""

    text: str
    number: int | None
    """None while it is counted."""


_LONGEST_PART = 40


def chips(choices: Sequence[Chip], chosen: int, width: int) -> Line:
    """The line. Where not all fit, those before the one in force give way, so that it is always seen."""
    first = 0
    while first < chosen and width_of(_line(choices[first : chosen + 1], chosen - first, first)) > width:
        first += 1
    return _line(choices[first:], chosen - first, first)


def terms(parts: Sequence[Part], left: int | None, of: int, width: int, where: str = "") -> Line:
    """A filter's parts and what they leave together: / set:base-only 4  guess* 17  = 3 of 30. One alone: / guess* 17 of 30.

    left: None while it is counted. where: in what it looked. Where not all parts fit, the first ones give way to what
    they leave.
    """
    said = [dim(f" of {of:,}{where}")]
    if len(parts) == 1:
        return [*_parts([Part(parts[0].text, left)], hidden=False), *said]
    total: list[Piece] = [dim("  = "), strong("…" if left is None else f"{left:,}"), *said]
    shown = list(parts)
    while len(shown) > 1 and width_of([*_parts(shown, len(shown) < len(parts)), *total]) > width:
        shown.pop(0)
    return [*_parts(shown, len(shown) < len(parts)), *total]


def _parts(parts: Sequence[Part], hidden: bool) -> list[Piece]:
    pieces: list[Piece] = [dim(" /‹" if hidden else " / ")]
    for place, part in enumerate(parts):
        text = part.text if len(part.text) <= _LONGEST_PART else part.text[: _LONGEST_PART - 1] + "…"
        pieces += [plain("  " if place else ""), (text, Tone.ACCENT)]
        pieces.append(dim(" …") if part.number is None else (f" {part.number:,}", Tone.PLAIN if part.number else Tone.WARN))
    return pieces


def _line(choices: Sequence[Chip], chosen: int, hidden: int) -> Line:
    pieces: list[Piece] = [dim("‹" if hidden else " ")]
    for place, chip in enumerate(choices):
        if place == chosen:
            pieces += [("[", Tone.ACCENT), (chip.text, Tone.STRONG), ("]", Tone.ACCENT)]
        else:
            pieces += [plain(" "), (chip.text, chip.tone if chip.number else Tone.DIM), plain(" ")]
    return pieces
