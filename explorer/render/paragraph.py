"""The first lines of a longer text, wrapped to a width; an ellipsis says that there is more."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.render.pieces import Line, plain
from explorer.render.text import one_line
from explorer.render.wrap import wrap


def first_lines(text: str, width: int, most: int) -> Sequence[Line]:
    """At most `most` lines of `width` cells, white space collapsed."""
    clean = one_line(text[: 16 * width * most])
    lines = [clean[start:end] for start, end in wrap(clean, max(width, 8))]
    if len(lines) > most:
        # One character less, so that the ellipsis stands inside the width.
        lines = [*lines[: most - 1], lines[most - 1] + " …"]
    return [[plain(line)] for line in lines]
