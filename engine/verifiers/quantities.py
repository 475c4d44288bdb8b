r"""Reads an answer as an exact rational number, with the unit written after it.

    exact_number(r"-\frac{3}{4}")  ->  Fraction(-3, 4)
    quantity(r"1,200\text{ cm}")   ->  Quantity(Fraction(1200), "cm")

Read: integers, decimals, repeating decimals (\overline), 6.02e23, integer powers, a/b, \frac{a}{b}, mixed numbers, and
products of two of these. Everything else is None, and so is a number of more than DIGITS digits: nothing here can be made
to compute for long.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from engine.verifiers.surface import normalise, without_delimiters

DIGITS: Final = 4000
"""The longest numerator, denominator or power that is computed. Python itself refuses to read more than 4300 digits."""

_DECIMAL: Final = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_POWER: Final = re.compile(r"([0-9]+)\^\{?(-?[0-9]+)\}?")
_REPEATING: Final = re.compile(r"([0-9]*)\.([0-9]*)\\overline\{?([0-9]+)\}?")
_ATOM: Final = (
    rf"([-+]?(?:[0-9]+\^(?:\{{-?[0-9]+\}}|[0-9]+)|[0-9]*\.[0-9]*\\overline(?:\{{[0-9]+\}}|[0-9])"
    rf"|{_DECIMAL}(?:[eE][-+]?[0-9]{{1,3}})?))"
)
_FORMS: Final[tuple[tuple[re.Pattern[str], Callable[..., Fraction]], ...]] = (
    (re.compile(_ATOM), lambda number: number),
    (re.compile(rf"\\frac\{{{_ATOM}\}}\{{{_ATOM}\}}"), operator.truediv),
    (re.compile(rf"{_ATOM}/{_ATOM}"), operator.truediv),
    (re.compile(rf"{_ATOM}\\(?:times|cdot) ?{_ATOM}"), operator.mul),
    # Mixed numbers. The whole part and the fraction are two numbers side by side, never a product.
    (re.compile(r"([0-9]+) ?\\frac\{([0-9]+)\}\{([0-9]+)\}"), lambda whole, top, bottom: whole + top / bottom),
    (re.compile(r"([0-9]+) ([0-9]+)/([0-9]+)"), lambda whole, top, bottom: whole + top / bottom),
)

_UNIT: Final = re.compile(
    r"""
    (?P<number> .*? [0-9}.$)%] ) (?: \s | ~ | \\[,;:!\ ] )* (?:
        \\(?:text|textrm|textnormal|mathrm|mbox) \s* \{ (?P<wrapped> [^{}\\0-9=<>,;:]* ) \} (?P<power> (?:\^\{?[23]\}?)? )
      | (?P<bare> (?<![A-Za-z])(?:cm|mm|km|kg|mg|ft|mi|hr|min|sec|mph|lbs?|oz) | \s[A-Za-z]{4,} (?: \s+[A-Za-z]+ )* )
    ) \s* [.$]?
    """,
    re.VERBOSE | re.DOTALL,
)
_SINGLE_LETTER_UNITS: Final = frozenset("mgshLlNJWVACFK")
_NOT_UNITS: Final = re.compile(r"(?:or|and|to|plus|minus|mod|modulo|base|squared|cubed|factorial|pi)\b", re.IGNORECASE)
_MULTIPLES: Final = {"dozen": 12, "hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts."""

    value: Fraction
    unit: str
    """In lower case without the plural's s; "%" for percent, "" where none is written."""


def exact_number(answer: str) -> Fraction | None:
    """The rational number that the whole answer writes out, or None. A unit or a percent sign makes it None."""
    return _number(normalise(answer))


def quantity(answer: str) -> Quantity | None:
    """The number at the start of an answer and the unit after it, or None where the answer is something else."""
    split = _UNIT.fullmatch(without_delimiters(answer))
    if split is None:
        return _with_sign(normalise(answer), "")
    words = _words(split)
    power = (split["power"] or "").replace("{", "").replace("}", "")
    return _with_sign(normalise(split["number"]), words.lower() + power) if _is_unit(words) else None


def is_qualified(answer: str) -> bool:
    r"""Whether the words after a number make it something else, as in "5 or more" and 5\mathrm{i}."""
    split = _UNIT.fullmatch(without_delimiters(answer))
    return split is not None and not _is_unit(_words(split))


def _words(split: re.Match[str]) -> str:
    return (split["wrapped"] or split["bare"] or "").strip()


def _is_unit(words: str) -> bool:
    return words in _SINGLE_LETTER_UNITS if len(words) == 1 else not _NOT_UNITS.match(words)


def _with_sign(number: str, unit: str) -> Quantity | None:
    """A quantity from its two parts, with a percent or degree sign and a word such as "million" taken into account."""
    if number.endswith("%"):
        number, unit = number[:-1], "%"
    elif number.endswith(r"^\circ"):
        number, unit = number.removesuffix(r"^\circ"), "degree"
    first, _, rest = unit.partition(" ")
    multiple = _MULTIPLES.get(first)
    value = _number(number)
    if value is None:
        return None
    return Quantity(value * (multiple or 1), _singular(rest if multiple else unit))


def _singular(unit: str) -> str:
    return "%" if unit == "percent" else unit.removesuffix("s") if len(unit) > 2 else unit


def _number(text: str) -> Fraction | None:
    """The value of a normalised text, or None."""
    if len(text) > DIGITS:
        return None
    sign, unsigned = (-1 if text.startswith("-") else 1), re.sub(r"^[-+]", "", text)
    for form, combine in _FORMS:
        if match := form.fullmatch(unsigned):
            try:
                return sign * combine(*map(_atom, match.groups()))
            except (ZeroDivisionError, OverflowError):
                return None
    return None


def _atom(text: str) -> Fraction:
    """One signed factor of a number. Raises OverflowError where a power is too long."""
    if text.startswith(("-", "+")):
        return _atom(text[1:]) * (-1 if text.startswith("-") else 1)
    if power := _POWER.fullmatch(text):
        return _power(*power.groups())
    if repeating := _REPEATING.fullmatch(text):
        whole, fixed, period = repeating.groups()
        tail = Fraction(int(period), (10 ** len(period) - 1) * 10 ** len(fixed))
        return Fraction(int(whole + fixed or "0"), 10 ** len(fixed)) + tail
    return Fraction(text)


def _power(base: str, exponent: str) -> Fraction:
    if len(exponent) > 5 or len(base) * abs(int(exponent)) > DIGITS:
        raise OverflowError(f"more than {DIGITS} digits")
    return Fraction(int(base)) ** int(exponent)
