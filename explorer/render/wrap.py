"""Wrapping by cells, fast enough for a line of a megabyte: `wrap` gives places in the text, never copies of it.

Takes visible text (`explorer.render.text`). Lines break at the last space that fits, else at the last cell that fits; a
combining mark stays with its character. Where nothing is wider or narrower than one cell, cells are characters and no width
is looked up.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate

from rich.cells import get_character_cell_size

Span = tuple[int, int]
"""Start and end of a line in the text, its line end left out."""


def wrap(text: str, width: int) -> list[Span]:
    """The lines of `text`, each at most `width` cells (2 or more: a wide character takes two)."""
    width = max(width, 2)
    widths = {char: get_character_cell_size(char) for char in set(text)}
    uneven = frozenset(char for char, cells in widths.items() if cells != 1 and char != "\n")
    lines: list[Span] = []
    for start, end in _hard_lines(text):
        if not uneven or uneven.isdisjoint(text[start:end]):
            lines.extend(_wrap_even(text, start, end, width))
        else:
            cells = [0, *accumulate(widths[char] for char in text[start:end])]
            lines.extend(_wrap_uneven(text, start, cells, width))
    return lines


def _hard_lines(text: str) -> Iterator[Span]:
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield start, end
        start = end + 1
    if start < len(text) or not text:
        yield start, len(text)


def _wrap_even(text: str, start: int, end: int, width: int) -> Iterator[Span]:
    while end - start > width:
        cut = text.rfind(" ", start, start + width + 1)
        if cut <= start:
            yield start, start + width
            start += width
        else:
            yield start, cut
            start = cut + 1
    yield start, end


def _wrap_uneven(text: str, offset: int, cells: list[int], width: int) -> Iterator[Span]:
    """cells[i] is the width of the line's first i characters; the line begins at `offset` of the text."""
    start, end = 0, len(cells) - 1
    while cells[end] - cells[start] > width:
        fits = max(bisect_right(cells, cells[start] + width, start) - 1, start + 1)
        cut = text.rfind(" ", offset + start, offset + fits + 1) - offset
        if cut <= start:
            yield offset + start, offset + fits
            start = fits
        else:
            yield offset + start, offset + cut
            start = cut + 1
    yield offset + start, offset + end
