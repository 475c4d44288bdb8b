"""Text from a study made safe to show: what a terminal would act on or hide is spelled out instead.

Control characters become their pictures (ESC is ␛), everything else that has no glyph of its own - bidi controls, zero-width
and tag characters, lone surrogates, line separators - becomes ⟨U+202E⟩. A tab becomes four spaces; newlines stay. More than
four combining marks in a row, or one with nothing to stand on, are spelled out too. Variation selectors 15 and 16 only choose
a glyph, and are left out, because terminals disagree on the cells they take; `raw` shows them, tabs and line ends as well.

Every string of a study passes through here on its way to the screen (`explorer.render.pieces` sees to it). The cost follows
the number of DISTINCT characters: ASCII without controls is returned as it is.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rich.cells import get_character_cell_size

_PLAIN = re.compile(r"[\n -~]*")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_GLYPH_CHOICE = frozenset("\ufe0e\ufe0f")
_MARKS_IN_A_ROW = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as it is shown, and where each of its characters went."""

    text: str
    changed: Sequence[int] = ()
    """Places in the source at which characters were replaced or marks put in, ascending."""
    shifts: Sequence[int] = (0,)
    """By how much the first i changes move what comes after them."""

    def at(self, place: int) -> int:
        """Where the source's character `place` begins in `text`; what was put in at that very place comes after it."""
        return place + self.shifts[bisect_left(self.changed, place)]


def visible(text: str, *, raw: bool = False) -> str:
    """The text with everything spelled out that a terminal would act on or hide."""
    if _is_plain(text, raw):
        return text
    pattern = _unseen_in(text, raw)
    return pattern.sub(lambda found: _spelled(found[0], raw), text) if pattern else text


def one_line(text: str) -> str:
    """The text for one line of a list: white space collapsed, the rest visible."""
    return visible(re.sub(r"[ \t\r\n]+", " ", text).strip(" "))


def shown(text: str, *, raw: bool = False, around: tuple[int, int] | None = None) -> Shown:
    """Like `visible`, with the way from source to screen; ⟦ ⟧ are put `around` that part of the source."""
    changes = [] if _is_plain(text, raw) else _changes(text, raw)
    if around is not None:
        changes = sorted([*changes, (around[0], around[0], "⟦"), (around[1], around[1], "⟧")], key=lambda change: change[:2])
    if not changes:
        return Shown(text)
    parts: list[str] = []
    shifts = [0]
    done = 0
    for start, end, new in changes:
        parts += (text[done:start], new)
        shifts.append(shifts[-1] + len(new) - (end - start))
        done = end
    return Shown("".join([*parts, text[done:]]), [start for start, _, _ in changes], shifts)


def _is_plain(text: str, raw: bool) -> bool:
    return text.isascii() and _PLAIN.fullmatch(text) is not None and not (raw and "\n" in text)


def _changes(text: str, raw: bool) -> list[tuple[int, int, str]]:
    pattern = _unseen_in(text, raw)
    return [(m.start(), m.end(), _spelled(m[0], raw)) for m in pattern.finditer(text)] if pattern else []


def _unseen_in(text: str, raw: bool) -> re.Pattern[str] | None:
    """A pattern for each single character of the text that must be spelled out; None where there is none."""
    present = set(text)
    unseen = "".join(sorted(char for char in present if _is_unseen(char) and (raw or char != "\n")))
    marks = "".join(sorted(char for char in present if get_character_cell_size(char) == 0 and not _is_unseen(char)))
    parts = [f"[{re.escape(unseen)}]"] if unseen else []
    if marks:
        mark = f"[{re.escape(marks)}]"
        # A line may break at a blank, and what is spelled out is no letter to stand on.
        before = f"[\n\t {re.escape(unseen)}]"
        parts += [f"\\A{mark}", f"(?<={before}){mark}", f"(?<={mark}{{{_MARKS_IN_A_ROW}}}){mark}"]
    return re.compile("|".join(parts)) if parts else None


@cache
def _is_unseen(char: str) -> bool:
    return char in _GLYPH_CHOICE or unicodedata.category(char) in _UNSEEN


@cache
def _spelled(char: str, raw: bool) -> str:
    code = ord(char)
    if char == "\n":
        return "␊\n"
    if char == "\t" and not raw:
        return "    "
    if char in _GLYPH_CHOICE and not raw:
        return ""
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
