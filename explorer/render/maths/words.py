r"""Words within maths (\text{...}): kept as they are, blanks too; $...$ and \(...\) in them are maths again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from explorer.render.maths import symbols
from explorer.render.maths.items import Raw, join

if TYPE_CHECKING:
    from explorer.render.maths.parsing import Parser

_PLAIN: Final = re.compile(r"[^\\{}$~]+")
_ESCAPED: Final = re.compile(r"\\(?:([%$&#_{} ])|(,)|(\()|([A-Za-z]+)\{)")
_BLANKS: Final = re.compile(r"\s+")


def prose(parser: Parser) -> str:
    """Words up to the brace that closes their group; `parser.at` stands behind the one that opens it."""
    parser.deeper()
    out: list[str] = []
    while parser.at < parser.end:
        if plain := _PLAIN.match(parser.source, parser.at, parser.end):
            out.append(plain[0])
            parser.at = plain.end()
            continue
        char = parser.source[parser.at]
        parser.at += 1
        if char == "}":
            parser.depth -= 1
            return _BLANKS.sub(" ", "".join(out))
        out.append(_other(parser, char))
    raise Raw("words that do not end")


def _other(parser: Parser, char: str) -> str:
    if char == "{":
        return prose(parser)
    if char == "~":
        return " "
    if char == "$":
        return _maths(parser, "$")
    found = _ESCAPED.match(parser.source, parser.at - 1, parser.end)
    if found is None:
        raise Raw("a command in words")
    parser.at = found.end()
    sign, comma, opened, command = found.groups()
    if command is not None:
        if command not in symbols.WORDS or command == "fbox":
            raise Raw(f"\\{command} in words")
        return prose(parser)
    return _maths(parser, "\\)") if opened else " " if comma else sign


def _maths(parser: Parser, closer: str) -> str:
    close = parser.source.find(closer, parser.at, parser.end)
    if close < 0:
        raise Raw("unclosed")
    inner = parser.within(close)
    parser.at = close + len(closer)
    return join(inner.row()).text
