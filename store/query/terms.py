"""What a filter expression says, as a tree. The `text` of a node is its one spelling: parsing that gives it again.

A term holds of a trace or it does not, and its inverse holds of all other traces: those of which nothing is known too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from store.errors import BaseboundError

OPERATORS_WORDS: Final = ("and", "or", "not")
_BARE_WORD: Final = re.compile(r"\w[\w.,'’-]*")
_BARE_VALUE: Final = re.compile(r'[^\s"()|*]+')


class BadQuery(BaseboundError):
    """An expression that cannot be read. The message says what, where and what to write instead."""

    def __init__(self, sentence: str, place: int) -> None:
        super().__init__(sentence)
        self.place = place
        """Of the character, from 0."""


class Op(StrEnum):
    IS = ":"
    MORE = ">"
    LEAST = ">="
    LESS = "<"
    MOST = "<="


class Known(StrEnum):
    """In place of a value: is one known at all?"""

    NONE = "none"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is compared."""

    value: str
    wild: bool = False
    """A bare * in it stands for anything."""

    @property
    def text(self) -> str:
        if self.wild or (_BARE_VALUE.fullmatch(self.value) and self.value.lower() not in tuple(Known)):
            return self.value
        return quoted(self.value)


@dataclass(frozen=True, slots=True)
class Words:
    """Words one after the other in a response."""

    value: str
    prefix: bool = False
    """The last of them may go on."""

    @property
    def text(self) -> str:
        is_bare = _BARE_WORD.fullmatch(self.value) and self.value.lower() not in OPERATORS_WORDS
        return (self.value if is_bare else quoted(self.value)) + "*" * self.prefix


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression in a response."""

    value: str
    aside: bool = False
    """Capitals aside."""

    @property
    def text(self) -> str:
        return "re:/" + re.sub(r"(?s)(\\.)|/", lambda found: found[1] or r"\/", self.value) + "/" + "i" * self.aside


@dataclass(frozen=True, slots=True)
class Compared:
    """A field held against values: one of them, or beyond the only one."""

    field: str
    op: Op
    values: tuple[Value | Known, ...]

    @property
    def text(self) -> str:
        return self.field + self.op + "|".join(value if isinstance(value, Known) else value.text for value in self.values)


@dataclass(frozen=True, slots=True)
class Not:
    """What its term does not hold of."""

    term: Term

    @property
    def text(self) -> str:
        return f"-({self.term.text})" if isinstance(self.term, All) else f"-{self.term.text}"


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of several."""

    terms: tuple[Term, ...]

    @property
    def text(self) -> str:
        return f"({self.bare})"

    @property
    def bare(self) -> str:
        """Without the brackets around it."""
        return " or ".join(term.text for term in self.terms)


@dataclass(frozen=True, slots=True)
class All:
    """All of several. On its own only within `AnyOf` and `Not`: a query is one already."""

    terms: tuple[Term, ...]

    @property
    def text(self) -> str:
        return " ".join(term.text for term in self.terms)


Term = Words | Pattern | Compared | Not | AnyOf | All


@dataclass(frozen=True, slots=True)
class Query:
    """A whole expression: terms that must all hold. Without any it holds of every trace."""

    terms: tuple[Term, ...] = ()

    @property
    def text(self) -> str:
        if len(self.terms) == 1 and isinstance(self.terms[0], AnyOf):
            return self.terms[0].bare
        return " ".join(term.text for term in self.terms)

    @property
    def words(self) -> tuple[str, ...]:
        """The words and phrases sought, to look for them within a trace; not those that a trace must not hold."""
        return tuple(dict.fromkeys(leaf.value for leaf in self.sought() if isinstance(leaf, Words)))

    def without(self, place: int) -> Query:
        """Without that term."""
        return Query(self.terms[:place] + self.terms[place + 1 :])

    def sought(self) -> Iterator[Words | Pattern]:
        """What is looked for in texts, from left to right."""
        for term in self.terms:
            yield from _sought(term)


def leaves(term: Term) -> Iterator[Words | Pattern | Compared]:
    """Every leaf of a term, from left to right."""
    if isinstance(term, Not):
        yield from leaves(term.term)
    elif isinstance(term, AnyOf | All):
        for one in term.terms:
            yield from leaves(one)
    else:
        yield term


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _sought(term: Term, holds: bool = True) -> Iterator[Words | Pattern]:
    if isinstance(term, Not):
        yield from _sought(term.term, not holds)
    elif isinstance(term, AnyOf | All):
        for one in term.terms:
            yield from _sought(one, holds)
    elif holds and not isinstance(term, Compared):
        yield term
