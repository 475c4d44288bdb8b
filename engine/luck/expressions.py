"""Expressions of arithmetic and simple algebra as trees, and what can be asked of them without computing.

    3 x 5            Product((("", Number(3)), ("*", Number(5))))
    (195 + 367) - x  Sum(((1, Sum(...)), (-1, Name("x"))))

Brackets are gone: they are where one node stands inside another. Values are the business of `values`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, with the digits shown after its point."""

    value: Fraction
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Name:
    """A variable; π is the constant."""

    name: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Signed terms, at least two."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Factors with what stands before each: "" (the first, or nothing between), "*" or "/"."""

    factors: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Power:
    """base ^ exponent; the sign of -3^2 stands outside."""

    base: Node
    exponent: Node


@dataclass(frozen=True, slots=True)
class Root:
    """The root of a degree from 2 to 6."""

    degree: int
    inner: Node


@dataclass(frozen=True, slots=True)
class Mixed:
    """1 1/2: a whole number beside a proper fraction, or their product where somebody means that."""

    whole: Node
    part: Node


@dataclass(frozen=True, slots=True)
class Call:
    """ "%", "!", "|" (absolute value) or "C" (binomial coefficient) of its arguments."""

    what: str
    arguments: tuple[Node, ...]


Node = Number | Name | Sum | Product | Power | Root | Mixed | Call


def walk(node: Node) -> Iterator[Node]:
    """The node and everything in it, without recursion."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting += _children(current)


def names_in(node: Node) -> frozenset[str]:
    """The variables of an expression; π is none."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Name) and part.name != "π")


def is_computed(node: Node) -> bool:
    """Whether there is anything to compute: more than one number, its sign, its percent sign or a plain fraction."""
    if isinstance(node, Call) and node.what == "%":
        return is_computed(node.arguments[0])
    if isinstance(node, Sum) and len(node.terms) == 1:
        return is_computed(node.terms[0][1])
    return not isinstance(node, Number | Name)


def is_ratio(node: Node) -> bool:
    """Whether it is one whole number over another, such as 3/4: as good an answer as a number."""
    match node:
        case Sum(terms=((_, inner),)):
            return is_ratio(inner)
        case Product(factors=(("", Number(decimals=0)), ("/", Number(decimals=0)))) | Mixed():
            return True
    return False


def is_share(node: Node) -> bool:
    """A percentage or a fraction, of which "of" takes its part."""
    match node:
        case Call(what="%") | Mixed():
            return True
        case Product(factors=(("", Number()), ("/", Number()))):
            return True
    return False


def _children(node: Node) -> tuple[Node, ...]:  # noqa: PLR0911 one for each kind
    match node:
        case Sum():
            return tuple(term for _, term in node.terms)
        case Product():
            return tuple(factor for _, factor in node.factors)
        case Power():
            return (node.base, node.exponent)
        case Root():
            return (node.inner,)
        case Mixed():
            return (node.whole, node.part)
        case Call():
            return node.arguments
    return ()
