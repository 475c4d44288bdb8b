"""Expressions as polynomials with rational coefficients, and what an equation in one unknown is solved by.

    polynomial(2(x + 3) - x)   ->  {x: 1, 1: 6}
    root(3x = 219)             ->  73

Exact, and bounded in degree, number of terms and size of coefficients: what is no polynomial, or too large, is None.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from engine.luck.expressions import Call, Mixed, Name, Node, Number, Power, Product, Root, Sum
from engine.luck.values import evaluate

Monomial = tuple[tuple[str, int], ...]
Polynomial = dict[Monomial, Fraction]
"""Powers of the variables, in order of name -> coefficient, never 0; () is the constant term."""

_MOST_TERMS: Final = 60
_HIGHEST: Final = 8
_MOST_BITS: Final = 400
_NO_NUMBERS: Final = frozenset({"i", "e", "j"})
"""Letters that may be constants or imaginary."""


class _NoneError(Exception):
    """No polynomial: never leaves this module."""


def polynomial(node: Node) -> Polynomial | None:
    """The expression multiplied out and collected, or None."""
    try:
        return _of(node)
    except _NoneError:
        return None


def root(left: Node, right: Node) -> tuple[str, Fraction] | None:
    """The unknown and its value where left = right is linear in one unknown, else None."""
    ours, theirs = polynomial(left), polynomial(right)
    if ours is None or theirs is None:
        return None
    difference = minus(ours, theirs)
    unknowns = [monomial for monomial in difference if monomial]
    named = {name for side in (ours, theirs) for monomial in side for name, _ in monomial}
    if len(unknowns) != 1 or len(named) != 1 or unknowns[0][0][1] != 1 or len(unknowns[0]) != 1:
        return None
    return unknowns[0][0][0], -difference.get((), Fraction(0)) / difference[unknowns[0]]


def minus(left: Polynomial, right: Polynomial) -> Polynomial:
    """left - right."""
    return _sum([left, {monomial: -value for monomial, value in right.items()}])


def size(terms: Polynomial) -> int:
    """How many numbers and letters its collected form is written with."""
    return sum((abs(value) != 1 or not monomial) + len(monomial) for monomial, value in terms.items())


def _of(node: Node) -> Polynomial:
    match node:
        case Number():
            return _constant(node.value)
        case Name():
            if node.name in _NO_NUMBERS or node.name == "π":
                raise _NoneError
            return {((node.name, 1),): Fraction(1)}
        case Sum():
            return _sum([{monomial: sign * value for monomial, value in _of(term).items()} for sign, term in node.terms])
        case Product():
            return _product(node)
        case Power():
            return _power(node)
        case Root() | Mixed() | Call():
            value = evaluate(node)
            if value is None or value[0] != value[1]:
                raise _NoneError
            return _constant(value[0])


def _product(node: Product) -> Polynomial:
    result = _constant(Fraction(1))
    for sign, factor in node.factors:
        terms = _of(factor)
        if sign == "/":
            if set(terms) != {()}:
                raise _NoneError
            terms = _constant(1 / terms[()])
        result = _times(result, terms)
    return result


def _power(node: Power) -> Polynomial:
    exponent = evaluate(node.exponent)
    base = _of(node.base)
    if exponent is None or exponent[0] != exponent[1] or exponent[0].denominator != 1 or not 0 <= exponent[0] <= _HIGHEST:
        value = evaluate(node)
        if value is None or value[0] != value[1]:
            raise _NoneError
        return _constant(value[0])
    result = _constant(Fraction(1))
    for _ in range(int(exponent[0])):
        result = _times(result, base)
    return result


def _constant(value: Fraction) -> Polynomial:
    return {(): value} if value else {}


def _sum(parts: list[Polynomial]) -> Polynomial:
    total: Polynomial = {}
    for part in parts:
        for monomial, value in part.items():
            total[monomial] = total.get(monomial, Fraction(0)) + value
    return _checked({monomial: value for monomial, value in total.items() if value})


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    if len(left) * len(right) > _MOST_TERMS * 4:
        raise _NoneError
    return _sum([{_together(one, other): value * times} for one, value in left.items() for other, times in right.items()])


def _together(one: Monomial, other: Monomial) -> Monomial:
    powers = dict(one)
    for name, power in other:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


def _checked(terms: Polynomial) -> Polynomial:
    large = any(value.numerator.bit_length() + value.denominator.bit_length() > _MOST_BITS for value in terms.values())
    if large or len(terms) > _MOST_TERMS or any(sum(power for _, power in monomial) > _HIGHEST for monomial in terms):
        raise _NoneError
    return terms
