"""A line of pieces too long for its width, on several: wrapped between words, tones kept."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from explorer.render.pieces import Line, Piece
from explorer.render.text import visible
from explorer.render.wrap import wrap

_SHORTEST = 8


def wrapped(line: Line, width: int) -> list[Line]:
    """The line in cells of at most `width`; white space at a break is left out. One empty line for an empty one."""
    clean: list[Piece] = [(visible(text).replace("\n", " "), tone) for text, tone in line]
    whole = "".join(text for text, _ in clean)
    return [list(_between(clean, start, end)) for start, end in wrap(whole, max(width, _SHORTEST))] or [[]]


def _between(line: list[Piece], start: int, end: int) -> Iterator[Piece]:
    """What the pieces hold of these characters of the whole line."""
    ends = [0]
    for text, _ in line:
        ends.append(ends[-1] + len(text))
    for (text, tone), (first, last) in zip(line, pairwise(ends), strict=True):
        part = text[max(start - first, 0) : max(end - first, 0)]
        if part and first < end and last > start:
            yield part, tone
