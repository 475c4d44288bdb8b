"""A place in a list of tokens, the unit words passed on the way, and which brackets belong together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.luck.expressions import Node
from engine.luck.tokens import Sort, Token
from engine.luck.words import NO_UNITS

_LONGEST: Final = 600
"""Tokens of one expression."""
_MOST_WORDS: Final = 4
"""Unit words in a row: "bags of red chips"."""
_AFTER_UNITS: Final = frozenset(
    {Sort.PLUS, Sort.MINUS, Sort.TIMES, Sort.DIVIDE, Sort.EQUAL, Sort.ABOUT, Sort.RELATION, Sort.CLOSE, Sort.DELIMITER}
)
"""What unit words may stand before: the expression goes on or ends there."""


class NotAnExpressionError(Exception):
    """What stands here is not arithmetic: caught where reading begins."""


@dataclass(slots=True)
class Read:
    """An expression that was read from tokens[start:stop], its last number or bracket at tokens[last]."""

    node: Node
    start: int
    last: int
    stop: int
    words: frozenset[str]
    spaced_product: bool
    """A number stands apart from a bracket with nothing between: 15 (3 each) or 2 (3 + 4)."""


class Cursor:
    """Moves through tokens; can go back to a mark."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.partner = matched(tokens)
        """Index of an opening bracket -> index of its closing one."""
        self._failed: set[int] = set()
        """Opening brackets around something that is no expression: never tried twice."""
        self._begin(0)

    def sort(self, at: int) -> Sort | None:
        """What stands at an index, None outside."""
        return self.tokens[at].sort if 0 <= at < len(self.tokens) else None

    def _begin(self, start: int) -> None:
        self._at = self._last = start
        self._limit = start + _LONGEST
        self._words: list[str] = []
        self._spaced = False
        self._bars = 0

    def _is_open_ended(self) -> bool:
        """Whether the bare sign may reach further than the number or bracket behind it: √9/4, √(9/4)(5/4)."""
        sort = self.sort(self._at)
        return sort in {Sort.DIVIDE, Sort.OPEN, Sort.NAME, Sort.POWER} and not self.tokens[self._at].spaced

    def _take_words(self) -> None:
        """Step over unit words where the expression goes on or ends behind them: 5 apples + 3, 15 apples =."""
        at = self._at
        words: list[str] = []
        while len(words) <= _MOST_WORDS and self._is_unit(at, words):
            words.append(self.tokens[at].text)
            at += 1
            if self.sort(at) is Sort.DIVIDE and self.sort(at + 1) is Sort.WORD:
                at += 1
        if words and self.sort(at) is Sort.POWER and self.tokens[at].end - self.tokens[at].start == 1:
            at += 1 if self.tokens[at].value is not None else 2  # cm², cm^2
        if words and len(words) <= _MOST_WORDS and self.sort(at) in _AFTER_UNITS:
            self._words += words
            self._at = at

    def _is_unit(self, at: int, words: list[str]) -> bool:
        if self.sort(at) is not Sort.WORD:
            return False
        word = self.tokens[at].text
        return word not in NO_UNITS and not (word == "of" and not words)

    def _mark(self) -> tuple[int, int, int, bool, int]:
        return self._at, self._last, len(self._words), self._spaced, self._bars

    def _return(self, mark: tuple[int, int, int, bool, int]) -> None:
        self._at, self._last, words, self._spaced, self._bars = mark
        del self._words[words:]


def matched(tokens: list[Token]) -> dict[int, int]:
    """Opening bracket -> closing bracket of the same kind, within a paragraph; what is unmatched stays out."""
    partner: dict[int, int] = {}
    waiting: list[int] = []
    kinds = {"(": ")", "[": "]", "{": "}"}
    for index, token in enumerate(tokens):
        if token.sort is Sort.OPEN:
            waiting.append(index)
        elif token.sort is Sort.CLOSE:
            if waiting and kinds.get(tokens[waiting[-1]].text) == token.text:
                partner[waiting.pop()] = index
            else:
                waiting.clear()
        elif token.sort is Sort.LINE:
            waiting.clear()
    return partner
