r"""The steps of a reasoning trace: paragraphs and numbered items, with display mathematics and fenced code kept whole.

A step begins after a blank line, and where a line begins a numbered item ("3.", "3)", "(3)", "Step 3", also after #, *, > or
-). No step begins inside a ``` or ~~~ fence, \[ \], $$ $$ or a \begin{} \end{} environment, provided that it is closed, and
all but fences within 4,000 characters: a stray $$ must not swallow the trace. Blank lines belong to the step before them.
The steps cover the text exactly; time is linear.

Links count these steps (`#step`, from 1), so a change here moves every link and label that names one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

_LONGEST_FORMULA = 4000

_OPENS = re.compile(
    r"^[ \t]{0,8}(?P<fence>```|~~~)|(?P<bracket>\\\[)|(?P<dollars>\$\$)|\\begin\{(?P<name>[a-zA-Z]{1,20}\*?)\}", re.M
)
_ITEM = re.compile(r"[ \t]*(?:[#*>-]{1,6}[ \t]*)?(?:step[ \t]{1,8}\d{1,3}\b|\(?\d{1,3}[.)](?=\s))", re.I)


@dataclass(frozen=True, slots=True)
class Step:
    """A part of the response, in its characters."""

    start: int
    end: int


def split_steps(text: str) -> list[Step]:
    """The steps of `text`, in order: they touch, the first begins at 0, the last ends with the text. None for no text."""
    return [Step(start, end) for start, end in pairwise([*_starts(text), len(text)])]


def _starts(text: str) -> Iterator[int]:
    blocks = _blocks(text)
    block = next(blocks, None)
    begun, after_blank = False, False
    for start, end in _lines(text):
        while block is not None and block.end <= start:
            block = next(blocks, None)
        inside = block is not None and block.start < start
        blank = not inside and not text[start:end].strip()
        if start == 0:
            yield 0
        elif begun and not inside and not blank and (after_blank or _ITEM.match(text, start, end)):
            yield start
        begun = begun or not blank
        after_blank = blank


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each line, its line end taken along."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield start, end
        start = end


def _blocks(text: str) -> Iterator[Step]:
    """What is kept whole: closed fences, formulas and environments, from the outside in, in order."""
    closers = _Closers(text)
    place = 0
    while (opened := _OPENS.search(text, place)) is not None:
        end = closers.end_of(opened)
        place = opened.end() if end is None else end
        if end is not None:
            yield Step(opened.start(), end)


class _Closers:
    """Finds what closes a block. The next closer of a kind is looked up once, so unclosed blocks stay cheap."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._next: dict[str, int] = {}

    def end_of(self, opened: re.Match[str]) -> int | None:
        """The place after what closes the block, or None where it stays open."""
        if fence := opened["fence"]:
            return self._after("\n" + fence, opened.end(), len(self._text))
        if name := opened["name"]:
            closer = f"\\end{{{name}}}"
            found = self._text.find(closer, opened.end(), opened.end() + _LONGEST_FORMULA)
            return None if found < 0 else found + len(closer)
        return self._after("\\]" if opened["bracket"] else "$$", opened.end(), _LONGEST_FORMULA)

    def _after(self, closer: str, place: int, within: int) -> int | None:
        if self._next.get(closer, -1) < place:
            found = self._text.find(closer, place)
            self._next[closer] = len(self._text) + 1 if found < 0 else found
        found = self._next[closer]
        return found + len(closer) if found <= min(len(self._text), place + within) else None
