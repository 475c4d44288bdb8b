"""Single constructs as characters: fractions, scripts, roots, binomials. Whether parentheses are needed is decided here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from explorer.render.maths import symbols
from explorer.render.maths.items import Item, Kind, Level, Line, Raw, edged, join, level, shifted

_LONGEST_SMALL = 2
_NOT_WRITTEN = re.compile(r"\{,\}|,\\!")


def number(text: str) -> str:
    """A number as its token has it: 1{,}000 and 1,\\!000 are 1,000."""
    if text.isdecimal():
        return text
    return _NOT_WRITTEN.sub(",", text).replace("\\$ ", "$").replace("\\$", "$")


def filled(items: Sequence[Item]) -> Line:
    """The row on a line; Raw where it shows nothing."""
    line = join(items)
    if not line.text.strip():
        raise Raw("nothing in it")
    return line


def wrapped(item: Item) -> Item:
    """A fraction or root in parentheses."""
    text = f"({item.text})"
    parts = item.parts and edged(shifted(item.parts, 1), item.start, item.end, text)
    return Item(Kind.CALL, text, item.start, item.end, parts=parts)


def fraction(above: list[Item], below: list[Item], start: int, end: int) -> Item:
    """a/b, with each side in parentheses where it would fall apart."""
    top, bottom = filled(above), filled(below)
    over = top.text if level(above, top.text) >= Level.SIGNED else f"({top.text})"
    # dy/dx is read as one sign over another.
    derivative = over[0] in "d∂" and len(bottom.text) == 2 and bottom.text[0] == over[0]
    under = bottom.text if derivative or level(below, bottom.text) is Level.ATOM else f"({bottom.text})"
    below_from = len(over) + 1 + (len(under) > len(bottom.text))
    parts = shifted(top.parts, len(over) > len(top.text)) + shifted(bottom.parts, below_from)
    text = f"{over}/{under}"
    mixable = _is_proper(top.text, bottom.text)
    return Item(Kind.FRACTION, text, start, end, parts=edged(parts, start, end, text), mixable=mixable)


def choose(above: Line, below: Line, start: int, end: int) -> Item:
    """C(n,k)."""
    if not above.text or not below.text or "," in above.text + below.text:
        raise Raw("C(n,k)")
    return Item(Kind.CALL, f"C({above.text},{below.text})", start, end)


def root(sign: str, inner: list[Item], start: int, end: int) -> Item:
    """√2, but √(2x) and √(x²)."""
    line = filled(inner)
    if _is_one_sign(line.text):
        return Item(Kind.ROOT, sign + line.text, start, end, beside=f"{sign}({line.text})")
    text = f"{sign}({line.text})"
    return Item(Kind.ROOT, text, start, end, parts=edged(shifted(line.parts, len(sign) + 1), start, end, text))


def root_sign(index: str) -> str:
    """The sign of an n-th root: ∛, ⁿ√."""
    if not index or any(ord(char) not in symbols.SUPERSCRIPT for char in index):
        raise Raw("the index of a root")
    return {"3": "∛", "4": "∜"}.get(index) or index.translate(symbols.SUPERSCRIPT) + "√"


def raised(items: list[Item]) -> str:
    """A superscript: x², x^(…); a ring is the sign of degrees, primes are primes."""
    text = _tight(items)
    if text == "∘":
        return "°"
    return text if set(text) == {"′"} else _script(text, symbols.SUPERSCRIPT, "^")


def lowered(items: list[Item]) -> str:
    """A subscript: x₁, x_(…)."""
    return _script(_tight(items), symbols.SUBSCRIPT, "_")


def is_marked(text: str) -> bool:
    """Whether it is a letter with an accent."""
    return not text.isascii() and len(unicodedata.normalize("NFD", text)) == 2


def _tight(items: list[Item]) -> str:
    text = join(items, tight=True).text
    if not text.strip() or any(item.lines for item in items):
        raise Raw("a script")
    return text


def _script(text: str, table: dict[int, str], sign: str) -> str:
    """All of it in the small characters, or none: half of each could not be read. Nor can whole words in them."""
    if all(ord(char) in table for char in text) and not (len(text) > _LONGEST_SMALL and text.isalpha()):
        return text.translate(table)
    if text == "*" or (len(text) == 1 and unicodedata.category(text)[0] == "S"):
        return sign + text
    return f"{sign}({text})"


def _is_one_sign(text: str) -> bool:
    return (len(text) == 1 and text.isalpha()) or (text.isascii() and text.replace(".", "", 1).isdecimal())


def _is_proper(above: str, below: str) -> bool:
    """Whether it is a fraction of two whole numbers below one."""
    if not (above.isascii() and above.isdecimal() and below.isascii() and below.isdecimal()):
        return False
    return (len(above), above) < (len(below), below)
