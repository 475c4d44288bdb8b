"""Code in a response: where it is, and how its words stand out.

Code is what stands between ``` or ~~~ fences (closed, or open to the end of the text), or in `backquotes` on one line. Only
fences that name a language we know, or none (then Python), are coloured. Never raises; linear; beyond 100,000 characters of
code in one text the rest stays plain.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from explorer.render.pieces import Tone

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

_FENCE = re.compile(
    r"^[ \t>]{0,12}(?P<fence>`{3,}|~{3,})[ \t]*(?:\{?\.?(?P<word>[A-Za-z0-9+#._-]{1,30})\}?)?(?P<rest>[^\n`]*)$", re.M
)
_QUOTE = re.compile(r"(?<!`)(?:`[^`\n]{1,400}`|``(?!`)(?:[^`\n]|`(?!`)){1,400}``)(?!`)")
_MOST = 100_000
"""Characters of code coloured in one text: pygments takes about a second for twice as many."""


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code: what is inside of its fences, and the fences with it."""

    start: int
    end: int
    inner: int
    inner_end: int
    word: str
    closed: bool


def fences(text: str) -> list[Fence]:
    """The fenced blocks in order. One that is never closed goes to the end of the text."""
    if "```" not in text and "~~~" not in text:
        return []
    found: list[Fence] = []
    opened: re.Match[str] | None = None
    for line in _FENCE.finditer(text):
        if opened is None:
            opened = line
        elif _closes(opened["fence"], line):
            found.append(_fence(opened, line.start(), line.end(), closed=True))
            opened = None
    if opened is not None:
        found.append(_fence(opened, len(text), len(text), closed=False))
    return found


def quoted(text: str) -> list[tuple[int, int]]:
    """Where code is, in order: fences that are closed or name a language, and `backquotes` on one line."""
    if "`" not in text and "~~~" not in text:
        return []
    blocks = [(fence.start, fence.end) for fence in fences(text) if fence.closed or fence.word]
    ends = [end for _, end in blocks]
    quotes = []
    for quote in _QUOTE.finditer(text):
        place = bisect_right(ends, quote.start())
        if place == len(blocks) or quote.end() <= blocks[place][0]:
            quotes.append(quote.span())
    return sorted(blocks + quotes)


def highlighted(text: str) -> list[tuple[int, int, Tone]]:
    """Keywords, strings, numbers and comments of fenced code, in places of `text`, ascending, not overlapping."""
    found: list[tuple[int, int, Tone]] = []
    left = _MOST
    for fence in fences(text):
        length = fence.inner_end - fence.inner
        if 0 < length <= left:
            left -= length
            marks = _marks(text[fence.inner : fence.inner_end], fence.word.lower())
            found += [(fence.inner + start, fence.inner + end, tone) for start, end, tone in marks]
    return found


def _closes(fence: str, line: re.Match[str]) -> bool:
    return line["fence"].startswith(fence) and not line["word"] and not line["rest"].strip()


def _fence(opened: re.Match[str], inner_end: int, end: int, *, closed: bool) -> Fence:
    inner = min(opened.end() + 1, inner_end)
    return Fence(opened.start(), end, inner, inner_end, opened["word"] or "", closed)


@lru_cache(maxsize=16)
def _marks(code: str, word: str) -> tuple[tuple[int, int, Tone], ...]:
    lexer = _lexer(word or "python")
    if lexer is None:
        return ()
    found: list[tuple[int, int, Tone]] = []
    # Without the lexer's own tidying (of line ends, for one), which would move its places.
    for at, kind, value in lexer.get_tokens_unprocessed(code):
        tone = _tone(kind)
        if tone is None or not value:
            continue
        if found and found[-1][1] == at and found[-1][2] is tone:
            found[-1] = (found[-1][0], at + len(value), tone)
        elif not found or at >= found[-1][1]:
            found.append((at, at + len(value), tone))
    return tuple(found)


def _tone(kind: object) -> Tone | None:
    """The tone of one of pygments' token types, which are tuples of words: ("Literal", "Number", "Integer")."""
    words = tuple(kind) if isinstance(kind, tuple) else ()
    if words[:1] == ("Keyword",) or words[:2] == ("Operator", "Word"):
        return Tone.KEYWORD
    if words[:1] == ("Comment",):
        return Tone.COMMENT
    if words[:2] == ("Literal", "String"):
        return Tone.STRING
    return Tone.NUMBER if words[:2] == ("Literal", "Number") else None


@lru_cache(maxsize=32)
def _lexer(word: str) -> Lexer | None:
    # Pygments takes 20 ms to import: only a text with code in it pays.
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        return get_lexer_by_name(word)
    except ClassNotFound:
        return None
