r"""The exact values of the numbers that a text writes out, and of what it computes between them.

    tokens(r"\frac{1}{2} of twelve")    ->  r"\frac{1}{2}" at 0, "twelve" at 15
    values(r"\frac{1}{2}")              ->  1, 2 and 1/2
    computed("48+24 clips, 3 * 4 - 2")  ->  72 and 10

Read: integers, decimals, thousands with commas, \frac{a}{b}, a/b, and words up to ninety-nine. Of a fraction its parts are
read, too; signs are not. Lengths are bounded, so nothing here can be made to compute for long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Final

from engine.verifiers.quantities import quantity

DIGITS: Final = 60
"""Of a power, about."""

_NUMBER: Final = re.compile(
    r"\\[dtc]?frac\s?\{(?P<top>-?[0-9]{1,15})\}\s?\{(?P<bottom>[0-9]{1,15})\}|\\[dtc]?frac(?P<one>[0-9])(?P<other>[0-9])"
    r"|(?P<plain>(?<![\w.])\.[0-9]{1,15}|[0-9]{1,3}(?:(?:,(?:\\!)?|\{,\}|\\,)[0-9]{3}(?![0-9]))+(?:\.[0-9]{1,15})?"
    r"|[0-9]{1,30}(?:\.[0-9]{1,15})?)(?:\s?/\s?(?P<divisor>[0-9]{1,15})(?![0-9.]))?"
)
_NUMERAL: Final = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?)\b",
    re.IGNORECASE,
)
_TIMES: Final = r"[*×·]|\\(?:cdot|times)(?![a-z])"
_OVER: Final = r"[/÷]|\\div(?![a-z])"
_OPERAND: Final = r"[0-9]{1,15}(?:,(?:\\!)?[0-9]{3}(?![0-9]))*(?:\.[0-9]{1,15})?(?:\^\{?[0-9]{1,2}\}?)?"
_SIGN: Final = rf"[-+−]|{_TIMES}|{_OVER}"
_FORMULA: Final = re.compile(rf"{_OPERAND}(?:\s{{0,2}}(?:{_SIGN})\s{{0,2}}\$?{_OPERAND}){{1,12}}|(?=[0-9]{{1,15}}\^){_OPERAND}")
_TOKEN: Final = re.compile(rf"(?P<operand>{_OPERAND})|(?P<times>{_TIMES})|(?P<over>{_OVER})|(?P<minus>[-−])|(?P<plus>\+)")


def tokens(text: str) -> Iterator[tuple[str, int]]:
    """Every number that is written out, as it stands and where: first those in digits, then those in words."""
    for pattern in (_NUMBER, _NUMERAL):
        yield from ((match[0], match.start()) for match in pattern.finditer(text))


def written(text: str) -> frozenset[Fraction]:
    """All values that a text writes out."""
    return frozenset(value for token in {token for token, _ in tokens(text)} for value in values(token))


@lru_cache(maxsize=4096)  # the same few numbers come up all over a response
def values(token: str) -> tuple[Fraction, ...]:
    """What one number may be read as: its parts and, last, the whole."""
    match = _NUMBER.fullmatch(token)
    if match is None:
        named = quantity(token.lower().replace(" ", "-"))
        return () if named is None else (named.value,)
    if match["plain"] is None:
        parts = [Fraction((match["top"] or match["one"]).lstrip("-")), Fraction(match["bottom"] or match["other"])]
    else:
        parts = [Fraction(re.sub(r"[^0-9.]", "", match["plain"]))]
        parts += [Fraction(match["divisor"])] if match["divisor"] else []
    whole = (parts[0] / parts[1],) if len(parts) > 1 and parts[1] else ()
    return (*parts, *whole)


def computed(text: str) -> set[Fraction]:
    """What the sums, differences, products and quotients between plain numbers come to."""
    formulas = {match[0] for match in _FORMULA.finditer(text)}
    return {value for formula in formulas if (value := _value(formula)) is not None}


@lru_cache(maxsize=4096)
def _value(formula: str) -> Fraction | None:
    """By precedence, from left to right; None for a division by zero and for a long power."""
    total, term, operation = Fraction(0), Fraction(0), "plus"
    for token in _TOKEN.finditer(formula):
        if token.lastgroup != "operand":
            operation = token.lastgroup or ""
            continue
        if (value := _operand(token[0])) is None:
            return None
        if operation in {"plus", "minus"}:
            total, term = total + term, value if operation == "plus" else -value
        elif operation == "times":
            term *= value
        elif value:
            term /= value
        else:
            return None
    return total + term


def _operand(text: str) -> Fraction | None:
    """A number, or a power of one that has not too many digits."""
    base, _, exponent = re.sub(r"[,{}!\\]", "", text).partition("^")
    return Fraction(base) ** int(exponent or 1) if len(base) * int(exponent or 1) <= DIGITS else None
