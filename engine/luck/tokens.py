r"""The marks of arithmetic in a response: plain text, Markdown, LaTeX (once or twice escaped), calculator notes, code.

    tokens("So 3 x 5 = $15$")  ->  word, number 3, *, number 5, =, delimiter, number 15, delimiter

One pass of one regular expression without nested repeats: linear in the text. What cannot be arithmetic becomes BAD where
it touches a formula (3:2, 03/02/1966, 5-digit, 6_8, 1.2.3, an ellipsis), so that nothing beside it is trusted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

from engine.luck.marks import INDEXED, MARK
from engine.luck.units import KNOWN
from engine.luck.words import CAPITALS, FUNCTIONS, SHORT

_LONGEST_NUMBER: Final = 40
"""Characters; what is longer is no number a person or model computes with, and int() of it would not be free."""


class Sort(StrEnum):
    """What a token is. Operators carry their own sign."""

    NUMBER = "number"
    NAME = "name"
    """A variable: one letter, a Greek one, either with an index; a short run of letters such as AB or xy."""
    WORD = "word"
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDE = "/"
    POWER = "^"
    FACTORIAL = "!"
    PERCENT = "%"
    BAR = "|"
    OPEN = "("
    CLOSE = ")"
    FRACTION = "fraction"
    ROOT = "root"
    BINOMIAL = "binomial"
    EQUAL = "="
    ABOUT = "≈"
    RELATION = "relation"
    """Any other: <, >=, ≠, ≡, an arrow."""
    COMMA = ","
    END = "end"
    """The end of a sentence or a clause: full stop, colon, quotation mark, a new cell."""
    ASK = "?"
    LINE = "line"
    DELIMITER = "delimiter"
    """Opens or closes mathematics: $, \\(, \\]."""
    BAD = "bad"


@dataclass(slots=True)
class Token:
    """text[start:end], not frozen because a response has a hundred thousand of them."""

    sort: Sort
    start: int
    end: int
    spaced: bool
    """White space stands before it."""
    fenced: bool = False
    """A dollar sign, \\( or \\) stands before it: mathematics begins or ends here, or a price does."""
    text: str = ""
    """A word in lower case, a variable's name, a bracket, the sign of a relation."""
    value: Fraction | None = None
    decimals: int = 0
    """Digits shown after the decimal point."""


_SIGNS: Final = {
    "-": Sort.MINUS, "−": Sort.MINUS, "–": Sort.MINUS, "+": Sort.PLUS, "*": Sort.TIMES, "∗": Sort.TIMES, "/": Sort.DIVIDE,
    "⁄": Sort.DIVIDE, "^": Sort.POWER, "!": Sort.FACTORIAL, "|": Sort.BAR, "(": Sort.OPEN, "[": Sort.OPEN, "{": Sort.OPEN,
    ")": Sort.CLOSE, "]": Sort.CLOSE, "}": Sort.CLOSE,
}  # fmt: skip
_PLAIN: Final = {
    "fraction": Sort.FRACTION, "root": Sort.ROOT, "binomial": Sort.BINOMIAL, "times": Sort.TIMES, "divide": Sort.DIVIDE,
    "plusword": Sort.PLUS, "minusword": Sort.MINUS, "percent": Sort.PERCENT, "about": Sort.ABOUT, "relation": Sort.RELATION,
    "equal": Sort.EQUAL, "newline": Sort.LINE, "bullet": Sort.LINE, "spacing": Sort.LINE,
    "delimiter": Sort.DELIMITER, "date": Sort.BAD, "comma": Sort.COMMA, "ask": Sort.ASK, "end": Sort.END, "bad": Sort.BAD,
    "cross": Sort.TIMES, "stars": Sort.TIMES, "greek": Sort.NAME, "variable": Sort.NAME, "pi": Sort.NAME, "elided": Sort.BAD,
}  # fmt: skip
_ARRAY: Final = re.compile("matrix|array|cases|tabular")
"""What stands in rows and columns is no chain."""
_RAISED: Final = {sign: Fraction(power) for power, sign in enumerate("²³⁴⁵⁶⁷⁸⁹", start=2)}


def streams(text: str) -> list[list[Token]]:
    """The tokens of the text, then those inside each calculator note <<...>>, which the text itself runs past."""
    notes: list[list[Token]] = []
    indexed = INDEXED.search(text) is not None
    return [_settled(text, tokens, indexed) for tokens in (_lex(text, 0, len(text), notes), *notes)]


def _lex(text: str, start: int, end: int, notes: list[list[Token]]) -> list[Token]:
    found: list[Token] = []
    spaced = fenced = False
    for match in MARK.finditer(text, start, end):
        kind = match.lastgroup if match.lastgroup != "inner" else "latexword"
        if kind in {"space", "ignored", "currency", "degree", "fence"}:
            spaced, fenced = spaced or kind == "space", fenced or kind == "fence"
            continue
        if kind == "calculator":
            notes.append(_lex(text, match.start() + 2, match.end() - 2, []))
            continue
        if kind == "latexword":
            found += _lex(text, match.start("inner"), match.end("inner"), [])
            spaced = True
            continue
        token = _token(kind or "bad", match, spaced)
        token.fenced = fenced
        found.append(token)
        spaced = fenced = False
    return found


def _token(kind: str, match: re.Match[str], spaced: bool) -> Token:
    start, end = match.span()
    text = match[0]
    if kind == "number":
        return _number(start, end, spaced, text)
    if kind in {"plain", "word"}:
        return _word(start, end, spaced, text)
    if kind == "raised":
        return Token(Sort.POWER, start, end, spaced, text=text, value=_RAISED[text])
    if kind in {"cross", "stars"}:
        text = kind
    elif kind == "pi":
        text = "π"
    if kind == "delimiter" and _ARRAY.search(text):
        return Token(Sort.BAD, start, end, spaced, text=text)
    return Token(_SIGNS[text] if kind == "sign" else _PLAIN[kind], start, end, spaced, text=text)


def _number(start: int, end: int, spaced: bool, text: str) -> Token:
    digits = text.replace("{,}", "").replace("\\", "").replace("!", "").replace(",", "")
    if len(digits) > _LONGEST_NUMBER:
        return Token(Sort.BAD, start, end, spaced, text=text[:_LONGEST_NUMBER])
    mantissa = digits.lower().partition("e")[0]
    decimals = len(mantissa.partition(".")[2])
    return Token(Sort.NUMBER, start, end, spaced, text=text, value=Fraction(digits), decimals=decimals)


def _word(start: int, end: int, spaced: bool, text: str) -> Token:
    plain = text.lower()
    if plain in FUNCTIONS or not text.replace("-", "").replace("'", "").replace("’", "").isalpha():
        return Token(Sort.BAD, start, end, spaced, text=plain)
    named = (len(text) == 2 and plain not in SHORT) or (text.isupper() and len(text) <= 4 and text not in CAPITALS)
    return Token(Sort.NAME if named else Sort.WORD, start, end, spaced, text=text if named else plain)


def _settled(text: str, found: list[Token], indexed: bool) -> list[Token]:
    """Decide what one token alone cannot: x as a sign or a letter, ** as bold or a power, what touches a number."""
    settled: list[Token] = []
    for index, token in enumerate(found):
        before = settled[-1] if settled else None
        if token.sort is Sort.TIMES and token.text == "cross":
            if before is None or before.sort not in _MULTIPLIED or (indexed and before.end == token.start):
                token.sort, token.text = Sort.NAME, text[token.start : token.end]
        elif token.sort is Sort.TIMES and token.text == "stars":
            if _is_bold(token, before, found[index + 1] if index + 1 < len(found) else None):
                continue
            token.sort = Sort.POWER
        elif before is not None and before.sort in {Sort.NUMBER, Sort.CLOSE} and before.end == token.start:
            _attach(token)
        settled.append(token)
    return settled


_MULTIPLIED: Final = frozenset({Sort.NUMBER, Sort.CLOSE, Sort.PERCENT, Sort.WORD, Sort.POWER})
"""What an x that multiplies stands behind; in f(x) 3 it is the letter."""


def _is_bold(stars: Token, before: Token | None, after: Token | None) -> bool:
    """Markdown's ** stands against white space or punctuation on one side, the power's has numbers on both or on neither."""
    if before is None or after is None or before.sort in {Sort.LINE, Sort.END}:
        return True
    return stars.spaced == (after.start == stars.end)


def _attach(token: Token) -> None:
    """Letters that touch a number: 5cm is a unit, 5ab a product, 5foo nothing we know."""
    if token.sort is Sort.WORD and token.text not in KNOWN:
        token.sort = Sort.BAD
