"""Reads an expression and renders it as it goes: a strict parser, by descent, that gives up (`Raw`) rather than guess.

Each method reads one construct at `at` and leaves `at` behind it; `commands` reads what a command takes. Groups nest at most
`DEEPEST` deep.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from explorer.render.maths import symbols
from explorer.render.maths.commands import READERS, SIMPLE, Call
from explorer.render.maths.items import Item, Kind, Raw, join, solid
from explorer.render.maths.shapes import choose, fraction, lowered, number, raised, wrapped

DEEPEST: Final = 24
TOKEN: Final = re.compile(
    r"(?P<number>(?:\\\$\s?)?(?:\d+(?:(?:,|\{,\}|,\\!)\d{3}(?!\d))*(?:\.\d+|\.(?=\\(?:overline|dot|bar)\b))?|\.\d+))"
    r"|(?P<letter>[A-Za-z])"
    # The blank after a command is part of it, unless a sign follows, which reads better with it.
    r"|\\(?P<command>[A-Za-z]+\*?)(?:\s+(?=[A-Za-z0-9\\({]))?"
    r"|\\(?P<symbol>[^A-Za-z])"
    r"|(?P<blank>[\s~\u00a0\u2009\u202f]+)"
    r"|(?P<other>.)",
    re.S | re.A,
)
_BLANKS = re.compile(r"\s*")
_SCRIPT = re.compile(r"\s*([\^_'])")
_SIZE = re.compile(r"\s*(?:\[[^\]\\]{0,20}\])?")
_STOPS: Final = {stop: stop for stop in ("}", "]", "&", "\\\\", "\\right", "\\end")}
_GROUP_END = frozenset("}")
_CELL_END = frozenset({"&", "\\\\", "\\end"})
_LINE_END = frozenset({"\\\\", ""})

_PUNCTUATION: Final = {
    **dict.fromkeys("+-*−–", Kind.OPERATOR),
    **dict.fromkeys("×÷·±∓∗∪∩⋅", Kind.OPERATOR),
    **dict.fromkeys("=<>≤≥≠≈≡∈→⇒", Kind.RELATION),
    **dict.fromkeys("([", Kind.OPEN),
    **dict.fromkeys(")]", Kind.CLOSE),
    **dict.fromkeys(",;:.?", Kind.COMMA),
    **dict.fromkeys("!%", Kind.AFTER),
    "|": Kind.BAR,
    "/": Kind.SLASH,
    '"': Kind.WORDS,
    "°": Kind.AFTER,
    "′": Kind.AFTER,
}
_SCRIPTABLE: Final = frozenset(
    {Kind.NUMBER, Kind.LETTER, Kind.CALL, Kind.CLOSE, Kind.AFTER, Kind.WORDS, Kind.FUNCTION, Kind.BIG, Kind.BLOCK, Kind.BAR}
)


class Parser:
    """One expression; `end` is where it ends in `source`, so that every place is one of the whole."""

    def __init__(self, source: str, at: int, end: int, *, display: bool, depth: int = 0) -> None:
        self.source = source
        self.at = at
        self.end = end
        self.display = display
        self.depth = depth

    def rows(self) -> list[list[list[Item]]]:
        """All of it: rows of one cell each, more than one row only in display."""
        rows = self.cells("")
        if any(len(row) > 1 for row in rows) or (len(rows) > 1 and not self.display):
            raise Raw("rows")
        return rows

    def row(self) -> list[Item]:
        """All of it, as one row."""
        items, _ = self.row_until(frozenset())
        return items

    def within(self, end: int) -> Parser:
        """A parser of what stands between here and `end`."""
        return Parser(self.source, self.at, end, display=False, depth=self.depth)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Raw("nested too deep")

    def row_until(self, stops: frozenset[str]) -> tuple[list[Item], str]:
        """Items until one of the `stops` ("}", "\\\\", "\\end" and the like), which is read and given back; "" at the end."""
        self.deeper()
        items: list[Item] = []
        source, match = self.source, TOKEN.match
        while self.at < self.end:
            found = match(source, self.at, self.end)
            if found is None:
                raise Raw("a backslash at the end")
            name, start = found.lastgroup, self.at
            self.at = found.end()
            if name == "letter":
                items.append(Item(Kind.LETTER, found[0], start, self.at))
            elif name == "number":
                items.append(Item(Kind.NUMBER, number(found[0]), start, self.at))
            elif name == "blank":
                items.append(Item(Kind.BLANK, " ", start, self.at))
            elif (stop := _STOPS.get(found[0].rstrip())) in stops and stop is not None:
                self.depth -= 1
                return items, stop
            elif found["command"] in ("over", "choose"):
                return self._halves(items, found["command"], stops)
            else:
                self._sign(found, start, items)
        if stops and "" not in stops:
            raise Raw("unbalanced")
        self.depth -= 1
        return items, ""

    def _sign(self, found: re.Match[str], start: int, items: list[Item]) -> None:
        """What is no letter, number or blank."""
        if found.lastgroup == "command":
            self._command(found["command"], start, items)
        elif found.lastgroup == "symbol":
            self._symbol(found["symbol"], start, items)
        else:
            self._other(found[0], start, items)

    def _halves(self, above: list[Item], command: str, stops: frozenset[str]) -> tuple[list[Item], str]:
        """a \\over b and n \\choose k, which take all of their group."""
        below, stop = self.row_until(stops)
        self.depth -= 1
        start = above[0].start if above else self.at
        if command == "choose":
            return [choose(join(above), join(below), start, self.at)], stop
        return [fraction(above, below, start, self.at)], stop

    def _other(self, char: str, start: int, items: list[Item]) -> None:
        if char == "{":
            self._group(items)
        elif char in "^_'":
            self.at = start
            items.append(self._scripted(items))
        elif char in "}&$#\\":
            raise Raw(char)
        else:
            if char in symbols.SCRIPTS:
                items.append(Item(Kind.AFTER, char, start, self.at, scripted=True))
                return
            kind = _PUNCTUATION.get(char, Kind.LETTER)
            if kind is Kind.LETTER and unicodedata.category(char)[0] in "CZ":
                raise Raw("an unseen character")
            items.append(Item(kind, char, start, self.at))

    def _group(self, items: list[Item]) -> None:
        """{...} is not seen; with a script behind it, it must be one thing."""
        inner, _ = self.row_until(_GROUP_END)
        if _SCRIPT.match(self.source, self.at, self.end):
            if not inner and not _ends_thing(items):
                # The C(n,k) of some schoolbooks has its n before it, on an empty group.
                items.append(self._scripted([Item(Kind.LETTER, "", self.at, self.at)]))
                return
            one = [item for item in inner if item.kind is not Kind.BLANK]
            if len(one) != 1 or one[0].scripted:
                raise Raw("a script on a group")
            inner = one
        items += inner

    def ahead(self) -> str:
        found = _BLANKS.match(self.source, self.at, self.end)
        place = found.end() if found else self.at
        return self.source[place] if place < self.end else ""

    def _scripted(self, items: list[Item]) -> Item:
        """The last item with the scripts that follow: primes, then at most one below and one above."""
        base = self._base(items)
        primes = below = above = ""
        while char := self._script_ahead():
            if above if char in "^'" else below:
                raise Raw("two scripts in one place")
            if char == "'":
                primes += "′"
            elif char == "^":
                above = raised(self.argument())
            else:
                below = lowered(self.argument())
        if not base.text and (below or primes):
            raise Raw("a script on nothing")
        text = base.text + below + primes + above
        parts = base.parts if base.parts is not None else ((base.start, base.end, 0, len(base.text)),)
        parts = (*parts, (base.end, self.at, len(base.text), len(text)))
        return base._replace(text=text, end=self.at, scripted=True, parts=parts, lines=())

    def _base(self, items: list[Item]) -> Item:
        """What scripts belong to, taken off the row."""
        while items and items[-1].kind is Kind.BLANK:
            items.pop()
        if not items:
            return Item(Kind.LETTER, "", self.at, self.at)
        base = items.pop()
        if base.kind in (Kind.FRACTION, Kind.ROOT):
            return wrapped(base)
        if base.scripted or base.bare:
            raise Raw("a script on a script")
        if base.kind in _SCRIPTABLE:
            return base
        # "= ^nC_r" and the like: a script before its letter.
        items.append(base)
        return Item(Kind.LETTER, "", self.at, self.at)

    def _script_ahead(self) -> str:
        """Reads ^ _ or ' if that is next."""
        found = _SCRIPT.match(self.source, self.at, self.end)
        if found is None:
            return ""
        self.at = found.end()
        return found[1]

    def argument(self) -> list[Item]:
        """What a command takes: a group, or else one character or command."""
        found = _BLANKS.match(self.source, self.at, self.end)
        self.at = found.end() if found else self.at
        if self.at >= self.end:
            raise Raw("unbalanced")
        start, char = self.at, self.source[self.at]
        if char == "{":
            self.at += 1
            return self.row_until(_GROUP_END)[0]
        if char.isdigit() and char.isascii():
            self.at += 1
            return [Item(Kind.NUMBER, char, start, self.at)]
        found = TOKEN.match(self.source, self.at, self.end)
        if found is None or found.lastgroup in ("blank", "number") or char in "^_'}&$":
            raise Raw("an argument")
        self.at = found.end()
        items: list[Item] = []
        if found.lastgroup == "letter":
            items.append(Item(Kind.LETTER, char, start, self.at))
        else:
            self._sign(found, start, items)
        if len(items) != 1:
            raise Raw("an argument")
        return items

    def _symbol(self, char: str, start: int, items: list[Item]) -> None:
        if char == "\\":
            raise Raw("a row inside a group")
        if char in symbols.GAPS:
            if symbols.GAPS[char]:
                items.append(Item(Kind.BLANK, " ", start, self.at))
        elif char == "%":
            items.append(Item(Kind.AFTER, "%", start, self.at))
        elif not self._delimiter(char, start, items):
            if char not in symbols.LETTERS:
                raise Raw("an argument")
            items.append(Item(Kind.LETTER, symbols.LETTERS[char], start, self.at))

    def _delimiter(self, name: str, start: int, items: list[Item]) -> bool:
        for kind, table in ((Kind.OPEN, symbols.OPENING), (Kind.CLOSE, symbols.CLOSING), (Kind.BAR, symbols.BARS)):
            if name in table:
                items.append(Item(kind, table[name], start, self.at))
                return True
        return False

    def _command(self, name: str, start: int, items: list[Item]) -> None:
        simple = SIMPLE.get(name)
        if simple is not None:
            kind, text, spaced = simple
            if kind is not Kind.BLANK or text:
                items.append(Item(kind, text, start, self.at, spaced))
            return
        reader = READERS.get(name)
        if reader is None:
            raise Raw(f"\\{name}")
        reader(Call(self, name, start, items))

    def cells(self, environment: str) -> list[list[list[Item]]]:
        """Rows of cells up to the environment's end (to the very end, where it has no name)."""
        rows: list[list[list[Item]]] = [[]]
        stops = _CELL_END if environment else _LINE_END
        while True:
            items, stop = self.row_until(stops)
            rows[-1].append(items)
            if stop == "\\\\":
                size = _SIZE.match(self.source, self.at, self.end)
                self.at = size.end() if size else self.at
                rows.append([])
            elif stop != "&":
                break
        if environment:
            close = f"{{{environment}}}"
            if not self.source.startswith(close, self.at) or self.at + len(close) > self.end:
                raise Raw("an argument")
            self.at += len(close)
        last = rows[-1]
        if len(rows) > 1 and len(last) == 1 and not any(item.kind is not Kind.BLANK for item in last[0]):
            rows.pop()
        return rows


def _ends_thing(items: Sequence[Item]) -> bool:
    row = solid(items)
    return bool(row) and row[-1][0].kind in (Kind.NUMBER, Kind.LETTER, Kind.CALL, Kind.CLOSE, Kind.AFTER, Kind.WORDS)
