"""On which line of a TOML document each key and table stands, which tomllib does not tell.

A scanner of documents that tomllib has read without complaint: it knows what may hold a bracket, a quote or a line break
(strings of four kinds, comments, arrays, inline tables), and nothing of what values mean. A place is its path from the top:
("model", 1, "path") is the key `path` of the second [[model]]; entries of arrays are counted like tables of [[...]].
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import Final

Place = tuple[str | int, ...]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_STRING: Final = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*""""{0,2}'  # may end in up to two quotes more, which are the text's
    r"|'''(?:[^']|'(?!''))*''''{0,2}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)
_PLAIN: Final = re.compile(r"[^,\]}#\r\n]+")
"""Numbers, dates and booleans: everything that is neither a string nor a bracket."""


def lines_of(document: str) -> dict[Place, int]:
    """1-based lines of all keys, tables and entries of arrays. document: one that tomllib.loads accepts."""
    return _Scanner(document).lines


def line_of(lines: dict[Place, int], place: Place) -> int:
    """The line of a place; where it is not there, of the nearest thing around it."""
    return next((lines[place[:end]] for end in range(len(place), 0, -1) if place[:end] in lines), 1)


class _Scanner:
    def __init__(self, document: str) -> None:
        self._text = document
        self._at = 0
        self._breaks = [match.start() for match in re.finditer("\n", document)]
        self.lines: dict[Place, int] = {}
        self._tables: dict[Place, int] = {}
        """Of [[...]], by path without the number: how many there were."""
        table: Place = ()
        while self._skip(_BLANK) < len(document):
            table = self._header() if document[self._at] == "[" else self._pair(table)

    def _header(self) -> Place:
        """[a.b] or [[a.b]]: the path of what follows."""
        start, double = self._at, self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        *above, last = self._key()
        self._at += 2 if double else 1
        place: Place = ()
        for part in above:
            place = self._newest((*place, part), start)
        place = (*place, last)
        if double:
            self._tables[place] = self._tables.get(place, -1) + 1
            self._note(place, start)
        return self._newest(place, start)

    def _newest(self, place: Place, start: int) -> Place:
        """Of an array of tables the last one; any other table itself."""
        if place in self._tables:
            place = (*place, self._tables[place])
        self._note(place, start)
        return place

    def _pair(self, table: Place) -> Place:
        """key = value, within a table, whose path comes back: the next pair is in it too."""
        start, place = self._at, table
        for part in self._key():
            place = (*place, part)
            self._note(place, start)
        self._at += 1  # the equals sign
        self._value(place)
        return table

    def _key(self) -> list[str]:
        """Parts of a dotted key, the dots and the space around them passed."""
        parts = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at] in "\"'":
                parts.append(str(tomllib.loads(f"key = {self._take(_STRING)}")["key"]))
            else:
                parts.append(self._take(_BARE))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, place: Place) -> None:
        self._skip(_SPACE)
        match self._text[self._at]:
            case "[":
                self._array(place)
            case "{":
                self._inline(place)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_PLAIN)

    def _array(self, place: Place) -> None:
        self._at += 1
        count = 0
        while self._text[self._skip(_BLANK)] != "]":
            self._note((*place, count), self._at)
            self._value((*place, count))
            count += 1
            if self._text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1

    def _inline(self, place: Place) -> None:
        self._at += 1
        while self._text[self._skip(_BLANK)] != "}":
            self._pair(place)
            if self._text[self._skip(_BLANK)] == ",":
                self._at += 1
        self._at += 1

    def _note(self, place: Place, at: int) -> None:
        self.lines.setdefault(place, bisect_right(self._breaks, at) + 1)

    def _skip(self, what: re.Pattern[str]) -> int:
        self._take(what)
        return self._at

    def _take(self, what: re.Pattern[str]) -> str:
        found = what.match(self._text, self._at)
        assert found is not None, f"what tomllib has read is not understood at {self._at}"
        self._at = found.end()
        return found.group()
