"""Values of expressions: exact where they are rational, else tightly enclosed.

    evaluate(3 * 5)      ->  (15, 15)
    evaluate(sqrt(2))    ->  (1.41..., 1.41... + 1e-40)

A value is an interval (low, high) of Fractions; low == high where it is exact. Everything is bounded: exponents, factorials
and the size of any number on the way, so that a stranger's text costs microseconds. What is too large, undefined or has no
value for a name is None, never a guess.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from engine.luck.expressions import Call, Mixed, Name, Node, Number, Power, Product, Root, Sum

Interval = tuple[Fraction, Fraction]

_MOST_BITS: Final = 3000
"""Of a numerator or denominator, about 900 digits."""
_LARGEST_EXPONENT: Final = 400
_LARGEST_FACTORIAL: Final = 170
_ROOT_DIGITS: Final = 10**40
_PI: Final = (Fraction(314159265358979323, 10**17), Fraction(314159265358979324, 10**17))
_PI_IN_USE: Final = (Fraction(314, 100), Fraction(22, 7))
"""What people put for pi: 3.14, 22/7 and anything between."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read what people write in more than one sense; the default is the textbook's."""

    mixed_is_product: bool = False
    percent_is_bare: bool = False
    """5% is 5."""
    slash_takes_all: bool = False
    """1/2x is 1/(2x)."""
    fractions_first: bool = False
    """24 / 2/3 is 24 / (2/3), and 1/12 / 1/36 is 3."""
    percent_of_total: bool = False
    """200 - 10% is 180."""
    minus_inside: bool = False
    """-3^2 is (-3)^2."""
    loose: bool = False
    """A number with decimals, and pi, may have been rounded or cut off before it was used."""


PLAIN: Final = Reading()
LOOSE: Final = Reading(loose=True)
OTHERS: Final = (
    Reading(percent_is_bare=True),
    Reading(mixed_is_product=True),
    Reading(slash_takes_all=True),
    Reading(minus_inside=True),
    Reading(fractions_first=True),
    Reading(percent_of_total=True),
    Reading(percent_is_bare=True, slash_takes_all=True),
    Reading(minus_inside=True, slash_takes_all=True),
)
"""Other readings that some writers mean."""


class _UnknownError(Exception):
    """No value: never leaves this module."""


def evaluate(node: Node, reading: Reading = PLAIN, names: Mapping[str, Fraction] | None = None) -> Interval | None:
    """The value of an expression, or None where a name has none, something is undefined, or a number grows too large."""
    try:
        return _value(node, reading, names or {})
    except _UnknownError:
        return None


def _value(node: Node, reading: Reading, names: Mapping[str, Fraction]) -> Interval:  # noqa: PLR0911 one for each kind
    match node:
        case Number():
            unit = Fraction(1, 10**node.decimals) if reading.loose and node.decimals else Fraction(0)
            return node.value - unit, node.value + unit
        case Name():
            return _named(node.name, reading, names)
        case Sum():
            return _total(node, reading, names)
        case Product():
            return _product(node, reading, names)
        case Power():
            return _power(_value(node.base, reading, names), _value(node.exponent, PLAIN, names))
        case Root():
            return _root(_value(node.inner, reading, names), node.degree)
        case Mixed():
            whole, part = _value(node.whole, reading, names), _value(node.part, reading, names)
            return _times(whole, part) if reading.mixed_is_product else _plus(whole, part)
        case Call():
            return _called(node.what, [_value(one, reading, names) for one in node.arguments], reading)


def _named(name: str, reading: Reading, names: Mapping[str, Fraction]) -> Interval:
    if name == "π":
        return _PI_IN_USE if reading.loose else _PI
    if name not in names:
        raise _UnknownError
    return names[name], names[name]


def _total(node: Sum, reading: Reading, names: Mapping[str, Fraction]) -> Interval:
    total = (Fraction(0), Fraction(0))
    for sign, term in node.terms:
        if reading.percent_of_total and isinstance(term, Call) and term.what == "%" and any(total):
            share = _times(total, _value(term, reading, names))
            total = _plus(total, share if sign > 0 else _negative(share))
        elif sign < 0 and reading.minus_inside and isinstance(term, Power):
            total = _plus(total, _power(_negative(_value(term.base, reading, names)), _value(term.exponent, PLAIN, names)))
        else:
            value = _value(term, reading, names)
            total = _plus(total, value if sign > 0 else _negative(value))
    return total


def _product(node: Product, reading: Reading, names: Mapping[str, Fraction]) -> Interval:
    total = (Fraction(1), Fraction(1))
    below = False
    pairs = reading.fractions_first and [sign for sign, _ in node.factors] == ["", "/", "/", "/"]
    for at, (sign, factor) in enumerate(node.factors):
        below = (sign == "/" and not (below and reading.fractions_first)) or (below and reading.slash_takes_all)
        below = at in {1, 2} if pairs else below
        value = _value(factor, reading, names)
        total = _times(total, _inverse(value) if below else value)
    return total


def _plus(left: Interval, right: Interval) -> Interval:
    return _bounded(left[0] + right[0], left[1] + right[1])


def _negative(value: Interval) -> Interval:
    return -value[1], -value[0]


def _times(left: Interval, right: Interval) -> Interval:
    if left[0] == left[1] and right[0] == right[1]:
        exact = left[0] * right[0]
        return _bounded(exact, exact)
    corners = [one * other for one in left for other in right]
    return _bounded(min(corners), max(corners))


def _inverse(value: Interval) -> Interval:
    if value[0] <= 0 <= value[1]:
        raise _UnknownError
    return 1 / value[1], 1 / value[0]


def _power(base: Interval, exponent: Interval) -> Interval:
    if exponent[0] != exponent[1] or abs(exponent[0]) > _LARGEST_EXPONENT:
        raise _UnknownError
    by = exponent[0]
    if by.denominator != 1:
        if by.denominator > 6 or base[0] < 0:
            raise _UnknownError
        return _power(_root(base, by.denominator), (Fraction(by.numerator), Fraction(by.numerator)))
    if by < 0:
        return _inverse(_power(base, (-by, -by)))
    _check_bits(max(_bits(base[0]), _bits(base[1])) * int(by))
    if by == 0 and base[0] <= 0 <= base[1]:
        raise _UnknownError
    corners = (base[0] ** int(by), base[1] ** int(by))
    low = Fraction(0) if base[0] < 0 < base[1] else min(corners)
    return _bounded(low if by % 2 == 0 else corners[0], max(corners))


def _root(value: Interval, degree: int) -> Interval:
    if not 2 <= degree <= 6 or (value[0] < 0 and degree % 2 == 0):
        raise _UnknownError
    if value[0] < 0:
        return _negative(_root(_negative(value), degree)) if value[1] <= 0 else _unknown()
    return _bounded(_rooted(value[0], degree)[0], _rooted(value[1], degree)[1])


def _rooted(value: Fraction, degree: int) -> Interval:
    top, bottom = _whole_root(value.numerator, degree), _whole_root(value.denominator, degree)
    if top**degree == value.numerator and bottom**degree == value.denominator:
        return Fraction(top, bottom), Fraction(top, bottom)
    scaled = _whole_root(value.numerator * _ROOT_DIGITS**degree // value.denominator, degree)
    return Fraction(scaled, _ROOT_DIGITS), Fraction(scaled + 1, _ROOT_DIGITS)


def _whole_root(value: int, degree: int) -> int:
    """The largest whole number whose power is at most value (Newton's way for roots above the second)."""
    if degree == 2 or value < 2:
        return math.isqrt(value)
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def _called(what: str, values: list[Interval], reading: Reading) -> Interval:
    low, high = values[0]
    if what == "%":
        return (low, high) if reading.percent_is_bare else (low / 100, high / 100)
    if what == "|":
        corners = sorted((abs(low), abs(high)))
        return (Fraction(0) if low < 0 < high else corners[0]), corners[1]
    numbers = [int(one) for one, other in values if one == other and one.denominator == 1 and 0 <= one <= _LARGEST_FACTORIAL]
    if len(numbers) < len(values):
        raise _UnknownError
    result = Fraction(math.factorial(numbers[0]) if what == "!" else math.comb(*numbers))
    return result, result


def _unknown() -> Interval:
    raise _UnknownError


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _check_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise _UnknownError


def _bounded(low: Fraction, high: Fraction) -> Interval:
    _check_bits(max(_bits(low), _bits(high)))
    return low, high
