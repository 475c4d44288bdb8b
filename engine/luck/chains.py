"""Chains a = b = c as they stand in a text, and what in the words around them makes a plain reading unsafe.

    chains("So 3 * 5 = 15 apples.")  ->  one chain with the sides 3 * 5 and 15

A side that does not read as an expression ("Total") is kept without one, for the pair beside it. What a chain says is not
judged here. Linear time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from engine.luck.cursor import Read
from engine.luck.expressions import Node
from engine.luck.parsing import Reader
from engine.luck.surroundings import CLEAN, EQUALITIES, Surroundings
from engine.luck.tokens import Sort, Token, streams


@dataclass(slots=True)
class Side:
    """One side of an equality: text[start:end]; node is None where it is no arithmetic."""

    start: int
    end: int
    node: Node | None = None
    words: frozenset[str] = frozenset()
    """Unit words in it and right behind it."""
    spaced_product: bool = False


@dataclass(slots=True)
class Chain:
    """Sides with what stands between them."""

    sides: list[Side]
    about: list[bool]
    """Whether each relation says approximately; about[i] stands between sides[i] and sides[i + 1]."""
    before: bool = False
    """The first side may begin earlier than it was read."""
    after: bool = False
    """The last side may go on."""
    supposed: bool = False
    """It is asked, supposed or denied, not stated."""
    label: str = ""
    """The word right before it, in lower case."""
    note: bool = False
    """It stands in a calculator note <<...>>."""

    @property
    def start(self) -> int:
        return self.sides[0].start

    @property
    def end(self) -> int:
        return self.sides[-1].end


_OPENERS: Final = frozenset(
    {Sort.NUMBER, Sort.NAME, Sort.OPEN, Sort.FRACTION, Sort.ROOT, Sort.BINOMIAL, Sort.BAR, Sort.MINUS, Sort.PLUS}
)
_LONGEST_SIDE: Final = 700
"""Tokens: an expression further than that from the next equality sign is no side of it."""


@lru_cache(maxsize=2)  # equalities and rewrites ask for the same text one after the other
def chains(text: str) -> tuple[Chain, ...]:
    """All chains of the text in order, those of calculator notes last."""
    found: list[Chain] = []
    for number, tokens in enumerate(streams(text)):
        for chain in _Finder(text, tokens).chains():
            chain.note = number > 0
            found.append(chain)
    return tuple(found)


class _Finder:
    """Finds the chains in one list of tokens."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.reader = Reader(tokens)
        self.around = Surroundings(text, self.reader)
        self.ended = -1
        """Index of the token behind the last chain."""

    def chains(self) -> list[Chain]:
        found: list[Chain] = []
        at, relations = 0, _next_relation(self.tokens)
        while at < len(self.tokens):
            sort = self.tokens[at].sort
            first = self.reader.read(at) if sort in _OPENERS and relations[at] - at < _LONGEST_SIDE else None
            relation = at if sort in EQUALITIES else self._relation(first.stop) if first else None
            if relation is None:
                at = max(at + 1, first.stop) if first else at + 1
            else:
                chain, at = self._chain(first, at, relation)
                found.append(chain)
        return found

    def _relation(self, at: int) -> int | None:
        """Where the equality sign behind an expression stands: here, or first thing on the next line."""
        while self.reader.sort(at) in {Sort.LINE, Sort.DELIMITER}:
            at += 1
        return at if self.reader.sort(at) in EQUALITIES else None

    def _chain(self, first: Read | None, start: int, relation: int) -> tuple[Chain, int]:
        """The chain that begins with `first` (None: with something else) whose first sign is tokens[relation]."""
        sides = [self._side(first) if first else self._unread(relation)]
        chain = Chain(sides, [])
        at: int | None = relation
        end = relation
        while at is not None:
            chain.about.append(self.tokens[at].sort is Sort.ABOUT)
            end = at + 1
            while self.reader.sort(end) is Sort.LINE or (self.reader.sort(end) is Sort.DELIMITER and end == at + 1):
                end += 1
            read = self.reader.read(end) if self.reader.sort(end) in _OPENERS else None
            if read is None:
                sides.append(Side(self.tokens[at].end, self.tokens[at].end))
                break
            sides.append(self._side(read))
            end = read.stop
            at = self._relation(end)
        self._look_around(chain, start, end, whole=first is None)
        self.ended = max(end, relation + 1)
        return chain, self.ended

    def _look_around(self, chain: Chain, start: int, end: int, whole: bool) -> None:
        """Note what the words around say; `whole` where the first side is no expression that could begin earlier."""
        last = chain.sides[-1]
        chain.before = not whole and self.around.before(start, self.ended)
        chain.after = last.node is not None and self.around.after(end)
        chain.supposed = self.around.is_supposed(start, last.end)
        chain.label = self.around.label(start)
        last.words |= self.around.words_behind(end)

    def _side(self, read: Read) -> Side:
        start, end = self.tokens[read.start].start, self.tokens[read.last].end
        return Side(start, end, read.node, read.words, read.spaced_product)

    def _unread(self, relation: int) -> Side:
        """The words before a sign, back to where their line or sentence begins."""
        at = relation
        while at > 0 and relation - at < 12 and self.tokens[at - 1].sort not in CLEAN | EQUALITIES:
            at -= 1
        start = self.tokens[at].start
        return Side(start, max(start, self.tokens[relation - 1].end if relation > at else start))


def _next_relation(tokens: list[Token]) -> list[int]:
    """Index of the next equality sign from each token on; far away where none follows."""
    following, nearest = [], len(tokens) + 10**9
    for index in range(len(tokens) - 1, -1, -1):
        if tokens[index].sort in EQUALITIES:
            nearest = index
        following.append(nearest)
    return following[::-1]
