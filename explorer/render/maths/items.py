"""What a row of maths is made of, and how the pieces of a row are put together on one line.

The notation is that of plain text, read by these rules: a script (`x²`, `x^(…)`, `x₁`, `x_(…)`) and ! ′ % ° belong to the one
thing before them; √ ∛ to the one number, letter or parenthesis after them; then comes what stands side by side (`2x`), then
· × ÷ / from the left, then + and -. A fraction is therefore parenthesised wherever something stands beside it, and its own
parts wherever these rules would read them otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from explorer.render.maths.symbols import SCRIPTS

_WHOLE = re.compile(r"\$?[0-9,]+")

Part = tuple[int, int, int, int]
"""A piece of the source and where it is shown: source start, source end, shown start, shown end."""


class Raw(Exception):
    """The expression cannot be shown faithfully; it stays as it came. Says what it was that could not."""


class Kind(IntEnum):
    """What a piece does to its neighbours."""

    BLANK = 0
    """White space of the source."""
    GAP = 1
    NUMBER = 2
    LETTER = 3
    FRACTION = 4
    ROOT = 5
    CALL = 6
    """Closed in itself: C(n,k), a parenthesised piece."""
    BLOCK = 7
    """Rows: a matrix, cases, aligned equations."""
    WORDS = 8
    FUNCTION = 9
    BIG = 10
    OPERATOR = 11
    RELATION = 12
    SLASH = 13
    OPEN = 14
    CLOSE = 15
    BAR = 16
    AFTER = 17
    """Belongs to what is before it: ! ′ %."""
    COMMA = 18


# Names of their own, because looking up a member of an enumeration costs more than the comparison.
_BLANK, _NUMBER, _FRACTION, _ROOT, _CALL, _BLOCK = Kind.BLANK, Kind.NUMBER, Kind.FRACTION, Kind.ROOT, Kind.CALL, Kind.BLOCK
_WORDS, _FUNCTION, _BIG, _OPERATOR, _RELATION = Kind.WORDS, Kind.FUNCTION, Kind.BIG, Kind.OPERATOR, Kind.RELATION
_SLASH, _OPEN, _CLOSE, _BAR, _AFTER, _COMMA = Kind.SLASH, Kind.OPEN, Kind.CLOSE, Kind.BAR, Kind.AFTER, Kind.COMMA
_GAP, _LETTER = Kind.GAP, Kind.LETTER

THINGS = frozenset({_NUMBER, _LETTER, _FRACTION, _ROOT, _CALL, _BLOCK})
_BEGINS = THINGS | {_OPEN, _FUNCTION, _BIG}
_ENDS = THINGS | {_CLOSE, _AFTER, _FUNCTION}
_UNARY_AFTER = frozenset({_FUNCTION, _OPERATOR, _RELATION, _OPEN, _COMMA, _SLASH, _GAP, _BIG})


class Item(NamedTuple):
    """One piece of a row. A tuple, for a long trace has a hundred thousand of them."""

    kind: Kind
    text: str
    start: int
    end: int
    """Its place in the source."""
    spaced: bool = False
    """A blank on either side, unless the row is tight."""
    scripted: bool = False
    beside: str = ""
    """What a root becomes where something stands beside it: √2x could be √(2x)."""
    parts: tuple[Part, ...] | None = None
    """Where its own pieces are, in its text."""
    lines: tuple[Line, ...] = ()
    """A block as it stands on several lines; one whose `text` is empty has no form on one line."""
    bare: bool = False
    """A block without delimiters of its own, which nothing may stand beside."""
    mixable: bool = False
    """A proper fraction of two whole numbers, which after a whole number makes a mixed one."""


class Line(NamedTuple):
    """One line of rendered maths."""

    text: str
    parts: tuple[Part, ...] = ()


def solid(items: Sequence[Item]) -> list[tuple[Item, bool]]:
    """The items without blanks, each with whether a blank stood before it; mixed numbers made one."""
    found: list[tuple[Item, bool]] = []
    blank = False
    for item in items:
        if item.kind is _BLANK:
            blank = True
            continue
        if item.mixable and _mixes(found):
            whole, blank = found.pop()
            text = f"{whole.text} {item.text}"
            item = Item(_FRACTION, text, whole.start, item.end)
        found.append((item, blank))
        blank = False
    return found


def _mixes(before: list[tuple[Item, bool]]) -> bool:
    """Whether the last item is a whole number that stands alone."""
    if not before or before[-1][0].kind is not _NUMBER or not _WHOLE.fullmatch(before[-1][0].text):
        return False
    return len(before) < 2 or before[-2][0].kind not in _ENDS


def shifted(parts: Sequence[Part], by: int) -> tuple[Part, ...]:
    """The parts, that many characters further on in what is shown."""
    return tuple((start, end, at + by, to + by) for start, end, at, to in parts)


def edged(parts: Sequence[Part], start: int, end: int, text: str) -> tuple[Part, ...]:
    """The parts, and what stands before and after them: whoever marks all of the source marks all of the text."""
    if not parts:
        return ()
    (first, _, at, _), (_, last, _, to) = parts[0], parts[-1]
    before = ((start, first, 0, at),) if at else ()
    after = ((last, end, to, len(text)),) if to < len(text) else ()
    return (*before, *parts, *after)


def join(items: Sequence[Item], *, tight: bool = False) -> Line:
    """The row on one line. tight: as in a script, no blanks but where words need them."""
    out: list[str] = []
    parts: list[Part] = []
    length, bars, last = 0, 0, " "
    before: Item | None = None
    row = solid(items)
    loose = not tight and any(item.spaced and item.kind is _OPERATOR for item, _ in row)
    for place, (item, blank) in enumerate(row, 1):
        kind = item.kind
        if kind is _BLOCK and (not item.text or (item.bare and len(row) > 1)):
            raise Raw("rows beside something")
        if kind is _OPERATOR or (kind is _RELATION and loose):
            # Around 4 · 8-2 blanks would say what the signs do not, so where one operator has blanks, all have.
            unary = kind is _OPERATOR and (
                before is None or before.kind in _UNARY_AFTER or (before.kind is _BAR and bars % 2 > 0)
            )
            spaced = (loose or item.spaced) and not unary
            if item.spaced is not spaced:
                item = item._replace(spaced=spaced)
        text, moved = item.text, 0
        if kind is _FRACTION or kind is _ROOT:
            text, moved = _beside(item, before, row[place][0] if place < len(row) else None, bars)
        elif kind is _BAR:
            bars += 1
        if before is not None and last != " " and text[:1] != " " and _parted(before, item, blank, tight):
            out.append(" ")
            length += 1
        if text:
            out.append(text)
            if item.parts is None:
                parts.append((item.start, item.end, length, length + len(text)))
            else:
                inner = item.parts
                if moved:
                    inner = edged(shifted(inner, moved), item.start, item.end, text)
                parts += shifted(inner, length)
            length += len(text)
            last = text[-1]
        before = item
    return Line("".join(out), tuple(parts))


def _parted(before: Item, item: Item, blank: bool, tight: bool) -> bool:
    """Whether a blank goes between the two."""
    kind, previous = item.kind, before.kind
    if previous is _FUNCTION or previous is _BIG:
        # sin(x) and log(a/b), but sin x; an operator's own spacing decides where one follows.
        return kind in _BEGINS and kind is not _OPEN and not (kind is _FRACTION and previous is _FUNCTION)
    if kind is _FUNCTION or kind is _BIG or (kind is _CALL and item.text[:1].isalpha()):
        return previous in _ENDS or (not tight and (blank or before.spaced))
    if tight:
        return item.text == "mod" or before.text == "mod"
    return item.spaced or before.spaced or (blank and previous is not _OPEN and kind is not _CLOSE)


def _beside(item: Item, before: Item | None, after: Item | None, bars: int) -> tuple[str, int]:
    """A fraction or root beside its neighbours: its text, and by how much a parenthesis moves what is in it."""
    left = before is not None and _sticks(before, before.kind in _ENDS, bars % 2 == 0, before.text[-1:])
    right = after is not None and _sticks(after, after.kind in _BEGINS or after.kind is _AFTER, bars % 2 == 0, after.text[:1])
    if item.kind is _ROOT:
        if (left and item.text[0] in SCRIPTS) or (after is not None and after.kind is _AFTER):
            return f"({item.text})", 1
        return item.beside if right and item.beside and after is not None and after.kind is not _SLASH else item.text, 0
    signed = before is not None and before.kind is _OPERATOR and item.text[0] in "-+±∓"
    return (f"({item.text})", 1) if left or right or signed else (item.text, 0)


def _sticks(neighbour: Item, sticks: bool, bar: bool, edge: str) -> bool:
    """Whether a neighbour could be read as one with a fraction. edge: its character next to it."""
    if neighbour.kind is _BAR:
        return bar
    if neighbour.kind is _WORDS:
        return not edge.isspace()
    return sticks or neighbour.kind is _SLASH or neighbour.text == "÷"


class Level(IntEnum):
    """How firmly a row holds together, from loose to firm."""

    SUM = 0
    QUOTIENT = 1
    SIGNED = 2
    """A product with a minus before it."""
    PRODUCT = 3
    """Side by side without a blank: 2ab."""
    ATOM = 4


def level(items: Sequence[Item], text: str) -> Level:
    """How firmly the row holds; text: the row joined."""
    row = [item for item in items if item.kind is not _BLANK]
    signed = len(row) > 1 and row[0].text == "-"
    row = row[signed:]
    found = _unsigned_level(row, text)
    return found if not signed else Level.SIGNED if found >= Level.PRODUCT else Level.SUM


def _unsigned_level(row: Sequence[Item], text: str) -> Level:
    if len(row) == 1:
        return _single_level(row[0])
    depth = outer = 0
    for item in row:
        kind = item.kind
        if kind is _OPEN:
            outer += not depth
            depth += 1
        elif kind is _CLOSE:
            depth -= 1
            if depth < 0:
                return Level.SUM
        elif not depth:
            if kind is _AFTER:
                continue
            if kind not in THINGS or kind is _BLOCK:
                return Level.SUM
            outer += 1
    if depth or (" " in text and _blank_outside(text)):
        return Level.SUM
    return Level.ATOM if outer == 1 else Level.PRODUCT


def _single_level(item: Item) -> Level:
    if item.kind is _FRACTION:
        return Level.QUOTIENT
    if item.kind is _WORDS:
        return Level.ATOM if item.text.isalnum() else Level.SUM
    if item.kind is _BLOCK:
        return Level.ATOM if item.text[:1] in "([|‖{" else Level.SUM
    return Level.ATOM if item.kind in THINGS or item.kind is _FUNCTION else Level.SUM


def _blank_outside(text: str) -> bool:
    """Whether a blank stands outside of parentheses."""
    depth = 0
    for char in text:
        depth += (char in "([{⌊⌈⟨") - (char in ")]}⌋⌉⟩")
        if char == " " and depth <= 0:
            return True
    return False
