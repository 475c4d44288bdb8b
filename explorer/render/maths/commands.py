"""What each command of maths takes, and what becomes of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from explorer.render.maths import symbols
from explorer.render.maths.blocks import ENVIRONMENTS, block, block_of
from explorer.render.maths.items import Item, Kind, Part, Raw, edged, join, shifted
from explorer.render.maths.shapes import choose, filled, fraction, is_marked, root, root_sign
from explorer.render.maths.words import prose

if TYPE_CHECKING:
    from explorer.render.maths.parsing import Parser

BOX: Final = ("┤", "├")
_LONGEST_OVERLINE: Final = 12
_NAME = re.compile(r"\{([a-zA-Z]{1,20}\*?)\}")
_COLUMNS = re.compile(r"\s*(?:\[[tcb]\]\s*)?\{([lcr|\s]{1,40})\}")
_EDGE = re.compile(r"\s*(?:\\([A-Za-z]+|[{}|])|([()\[\]|/.<>]))")
_EDGES: Final = {char: char for char in "()[]|/"} | {".": "", "<": "⟨", ">": "⟩"}
_BRACKET_END, _RIGHT = frozenset("]"), frozenset({"\\right"})


@dataclass(frozen=True, slots=True)
class Call:
    """A command that has been read: what it takes stands at `parser.at`."""

    parser: Parser
    name: str
    start: int
    """Where its backslash is."""
    items: list[Item]
    """The row so far; what becomes of the command goes to its end."""

    def add(self, kind: Kind, text: str, *, spaced: bool = False, parts: tuple[Part, ...] | None = None) -> None:
        self.items.append(Item(kind, text, self.start, self.parser.at, spaced=spaced, parts=parts))


def _frac(call: Call) -> None:
    call.items.append(fraction(call.parser.argument(), call.parser.argument(), call.start, call.parser.at))


def _binom(call: Call) -> None:
    call.items.append(choose(join(call.parser.argument()), join(call.parser.argument()), call.start, call.parser.at))


def _sqrt(call: Call) -> None:
    sign = "√"
    if call.parser.ahead() == "[":
        call.parser.at = call.parser.source.index("[", call.parser.at) + 1
        sign = root_sign(join(call.parser.row_until(_BRACKET_END)[0], tight=True).text)
    call.items.append(root(sign, call.parser.argument(), call.start, call.parser.at))


def _boxed(call: Call) -> None:
    line = join(call.parser.argument())
    if not line.text:
        raise Raw("an empty box")
    call.add(Kind.CALL, f"{BOX[0]}{line.text}{BOX[1]}", parts=shifted(line.parts, 1))


def _pmod(call: Call) -> None:
    word = "mod " if call.name == "pmod" else ""
    call.add(Kind.WORDS, f" ({word}{filled(call.parser.argument()).text})")


def _accent(call: Call) -> None:
    line = join(call.parser.argument(), tight=True)
    text, mark = line.text, symbols.ACCENTS.get(call.name)
    if not text.strip():
        raise Raw("an accent over nothing")
    if call.items and is_marked(call.items[-1].text):
        # So that two letters with a bar each do not look like two letters under one bar.
        call.items.append(Item(Kind.BLANK, " ", call.start, call.start))
    if mark is not None and len(text) == 1:
        mark = symbols.OVERLINE if call.name == "overline" and text.isdecimal() else mark
        call.add(Kind.LETTER, unicodedata.normalize("NFC", text + mark))
    elif call.name in ("overline", "bar") and text.isascii() and text.isalnum() and len(text) <= _LONGEST_OVERLINE:
        call.add(Kind.LETTER, "".join(char + symbols.OVERLINE for char in text))
    else:
        word = symbols.ACCENT_WORDS.get(call.name, call.name)
        shown = f"{word}({text})"
        call.add(Kind.CALL, shown, parts=edged(shifted(line.parts, len(word) + 1), call.start, call.parser.at, shown))


def _font(call: Call) -> None:
    table = symbols.FONTS[symbols.FONT_NAMES[call.name]]
    for item in call.parser.argument():
        if item.kind in (Kind.NUMBER, Kind.LETTER):
            if item.scripted or any(char not in table and char != "." for char in item.text):
                raise Raw(f"\\{call.name}{{{item.text}}}")
            call.items.append(item._replace(text="".join(table.get(char, char) for char in item.text)))
        elif item.kind in (Kind.BLANK, Kind.OPERATOR, Kind.COMMA):
            call.items.append(item)
        else:
            raise Raw(f"\\{call.name}")


def _upright(call: Call) -> None:
    """Letters that stand upright are a name: of a function, where \\operatorname says so."""
    inner = call.parser.argument()
    text = join(inner).text
    if call.name == "mathit" or len(text) < 2 or not (text.isascii() and text.isalnum()):
        call.items.extend(inner)
    else:
        kind = Kind.FUNCTION if call.name.startswith("operatorname") else Kind.WORDS
        call.add(kind, text)


def _words(call: Call) -> None:
    if call.parser.ahead() != "{":
        raise Raw(f"\\{call.name}")
    call.parser.at = call.parser.source.index("{", call.parser.at) + 1
    words = prose(call.parser)
    if call.name == "fbox":
        call.add(Kind.CALL, f"{BOX[0]}{words}{BOX[1]}")
    elif words:
        call.add(Kind.WORDS, words)


def _not(call: Call) -> None:
    one = call.parser.argument()
    if len(one) != 1 or one[0].text not in symbols.NEGATED:
        raise Raw("\\not")
    call.add(Kind.RELATION, symbols.NEGATED[one[0].text], spaced=True)


def _phantom(call: Call) -> None:
    call.add(Kind.GAP, " " * len(join(call.parser.argument()).text))


def _tag(call: Call) -> None:
    call.items.append(Item(Kind.GAP, "  ", call.start, call.start))
    call.add(Kind.WORDS, f"({join(call.parser.argument()).text})")


def _label(call: Call) -> None:
    """Named for references, or a width: nothing that is seen."""
    end = call.parser.source.find("}", call.parser.at, call.parser.end)
    if call.parser.ahead() != "{" or end < 0:
        raise Raw(f"\\{call.name}")
    call.parser.at = end + 1


def _space(call: Call) -> None:
    _label(call)
    call.add(Kind.GAP, "  ")


def _left(call: Call) -> None:
    opened = _edge(call.parser)
    opened_at = call.parser.at
    inner, _ = call.parser.row_until(_RIGHT)
    closing = call.parser.at
    closed = _edge(call.parser)
    only = [item for item in inner if item.kind is not Kind.BLANK]
    if len(only) == 1 and only[0].bare:
        call.items.append(block(only[0], opened, closed, call.start, call.parser.at))
        return
    if opened:
        call.items.append(Item(Kind.OPEN, opened, call.start, opened_at))
    call.items.extend(inner)
    if closed:
        call.items.append(Item(Kind.CLOSE, closed, closing, call.parser.at))


def _edge(parser: Parser) -> str:
    """The delimiter after \\left, \\right or \\middle; "" for the unseen one."""
    found = _EDGE.match(parser.source, parser.at, parser.end)
    if found is None:
        raise Raw("a delimiter")
    parser.at = found.end()
    name, char = found.groups()
    if char is not None:
        return _EDGES[char]
    for table in (symbols.OPENING, symbols.CLOSING, symbols.BARS):
        if name in table:
            return table[name]
    raise Raw(f"\\{name} as a delimiter")


def _middle(call: Call) -> None:
    edge = _edge(call.parser)
    call.add(Kind.RELATION, edge, spaced=True)


def _begin(call: Call) -> None:
    found = _NAME.match(call.parser.source, call.parser.at, call.parser.end)
    if found is None:
        raise Raw("\\begin")
    call.parser.at = found.end()
    columns = ""
    if found[1] == "array":
        given = _COLUMNS.match(call.parser.source, call.parser.at, call.parser.end)
        if given is None:
            raise Raw("columns of an array")
        columns = re.sub(r"\s", "", given[1])
        call.parser.at = given.end()
    elif found[1] not in ENVIRONMENTS:
        raise Raw(found[1])
    rows = call.parser.cells(found[1])
    call.items.append(block_of(found[1], columns, rows, call.start, call.parser.at))


SIMPLE: Final[dict[str, tuple[Kind, str, bool]]] = {
    **{name: (Kind.LETTER, text, False) for name, text in symbols.LETTERS.items()},
    **{name: (Kind.OPERATOR, text, True) for name, text in symbols.OPERATORS.items()},
    **{name: (Kind.RELATION, text, True) for name, text in symbols.RELATIONS.items()},
    **{name: (Kind.BIG, text, False) for name, text in symbols.BIG.items()},
    **{name: (Kind.FUNCTION, name, False) for name in symbols.FUNCTIONS},
    **{name: (Kind.OPEN, text, False) for name, text in symbols.OPENING.items()},
    **{name: (Kind.CLOSE, text, False) for name, text in symbols.CLOSING.items()},
    **{name: (Kind.BAR, text, False) for name, text in symbols.BARS.items()},
    **{name: (Kind.GAP if len(text) > 1 else Kind.BLANK, text, False) for name, text in symbols.GAPS.items()},
    **dict.fromkeys(symbols.UNSEEN, (Kind.BLANK, "", False)),
    "degree": (Kind.AFTER, "°", False),
    "colon": (Kind.COMMA, ":", False),
}
"""Commands that take nothing: what they are, their text, and whether it has blanks around it."""

READERS: Final[dict[str, Callable[[Call], None]]] = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), _frac),
    **dict.fromkeys(("binom", "dbinom", "tbinom"), _binom),
    **dict.fromkeys(("pmod", "pod"), _pmod),
    **dict.fromkeys((*symbols.ACCENTS, *symbols.ACCENT_WORDS), _accent),
    **dict.fromkeys(symbols.FONT_NAMES, _font),
    **dict.fromkeys(symbols.UPRIGHT, _upright),
    **dict.fromkeys(symbols.WORDS, _words),
    **dict.fromkeys(("phantom", "hphantom"), _phantom),
    **dict.fromkeys(("hspace", "hspace*"), _space),
    "sqrt": _sqrt,
    "boxed": _boxed,
    "not": _not,
    "tag": _tag,
    "label": _label,
    "left": _left,
    "middle": _middle,
    "begin": _begin,
}
