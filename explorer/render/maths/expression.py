"""One expression, from its source to its lines; what has been rendered is remembered."""

from __future__ import annotations

import re
from functools import lru_cache

from explorer.render.maths.blocks import lines_of
from explorer.render.maths.items import Item, Kind, Line, Raw, join
from explorer.render.maths.parsing import Parser

_SIMPLE = re.compile(r"\s*([A-Za-z0-9+\-=<>(),.:;/]+(?: [A-Za-z0-9+\-=<>(),.:;/]+)*)\s*")
"""Nothing in it that is not shown as it is."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What the Reader spells out must not be lost in maths."""


@lru_cache(maxsize=1024)
def expression(source: str, display: bool) -> tuple[Line, ...]:
    """The lines of an expression (one, unless in display), with places in `source`; none where it must stay raw."""
    simple = _SIMPLE.fullmatch(source)
    if simple is not None:
        start, end = simple.span(1)
        return (Line(simple[1], ((start, end, 0, end - start),)),)
    if _UNSEEN.search(source):
        return ()
    try:
        return _lines(source, display)
    except Raw:
        return ()


def _lines(source: str, display: bool) -> tuple[Line, ...]:
    lines: list[Line] = []
    for row in Parser(source, 0, len(source), display=display).rows():
        lines += _row_lines(row[0], display)
    while lines and not lines[-1].text.strip():
        lines.pop()
    return tuple(lines)


def _row_lines(row: list[Item], display: bool) -> tuple[Line, ...]:
    if display and any(item.kind is Kind.BLOCK and item.lines for item in row):
        lines = lines_of(row)
        if lines is not None:
            return lines
    return (join(row),)
