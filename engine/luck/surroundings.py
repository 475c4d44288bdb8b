"""What stands around a chain: whether it may begin earlier or go on further than it was read, and whether it is stated at all.

Every answer is a doubt that makes a difference in numbers prove nothing; where the numbers agree nobody asks.
"""

from __future__ import annotations

import re
from typing import Final

from engine.luck.parsing import Reader
from engine.luck.tokens import Sort, Token
from engine.luck.units import scaled
from engine.luck.words import AFTER, BEFORE, BRIDGES, FIGURES, JOINING, SUPPOSING

EQUALITIES: Final = frozenset({Sort.EQUAL, Sort.ABOUT})
CLEAN: Final = frozenset({Sort.LINE, Sort.END, Sort.COMMA, Sort.DELIMITER, Sort.ASK, Sort.RELATION, None})
"""What an expression may begin behind."""
_OPERATORS: Final = frozenset({Sort.PLUS, Sort.MINUS, Sort.TIMES, Sort.DIVIDE, Sort.POWER, Sort.PERCENT, Sort.FACTORIAL})
_OPERANDS: Final = frozenset({Sort.NUMBER, Sort.NAME, Sort.CLOSE, Sort.PERCENT, Sort.FACTORIAL})
_SIGNS: Final = frozenset({"-", "+", "*"})
_ARTICLES: Final = frozenset({"a", "A", "I"})

_DENIED: Final = re.compile(
    r"[\s.,;:)$\\\]}*_(\[]{0,8}"
    r"(?:\?|≠|!=|\\neq?\b|[✗❌✘]|(?:which|that|this|and|but|it|so)?\s?(?:is|are|was|does|do|would be)?\s?"
    r"(?:not\b|n't|isn't|doesn't|don't|never|false|wrong|incorrect|impossible|absurd|a contradiction|contradict|invalid|no\b))",
    re.IGNORECASE,
)
"""Right behind the chain."""
_ABSURD: Final = re.compile(
    r"not possible|impossible|contradict|absurd|not true|never true|no solution|not valid|invalid|inconsistent", re.IGNORECASE
)
"""Further on in its sentence."""
_CHECKING: Final = re.compile(
    r"(?:check|verify|see|test|determine|ask|whether|know) (?:if|whether)[^.!?=]*$|\bwhether[^.!?=]*$", re.IGNORECASE
)
"""In the sentence before it."""
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s)|\n\s*\n")


class Surroundings:
    """Looks around in one list of tokens."""

    def __init__(self, text: str, reader: Reader) -> None:
        self.text = text
        self.tokens = reader.tokens
        self.reader = reader
        self.displayed = _displayed(reader.tokens)

    def before(self, start: int, ended: int) -> bool:
        """Whether an expression may begin before tokens[start]; ended is where the last chain did."""
        first, sort = self.tokens[start], self.reader.sort(start - 1)
        if first.sort is Sort.PLUS or (first.sort is Sort.MINUS and self.tokens[start + 1].spaced):
            return True
        if sort is Sort.COMMA:  # behind a number without white space, or between the members of a list
            listed = start - 1 != ended and self.reader.sort(start - 2) in _OPERANDS
            return listed or not (first.spaced or first.fenced)
        if sort in CLEAN:
            return sort is Sort.LINE and self.displayed[start] and self.tokens[start - 1].text.strip() in _SIGNS
        if sort is Sort.WORD:
            return self._behind_word(start)
        if sort is Sort.OPEN:
            return self.reader.sort(start - 2) not in CLEAN | {Sort.WORD}
        return not (sort is Sort.NAME and self.tokens[start - 1].text in _ARTICLES and first.spaced)

    def _behind_word(self, start: int) -> bool:
        first, previous = self.tokens[start], self.tokens[start - 1]
        if first.sort is Sort.OPEN and previous.end == first.start:
            return True  # a function's name and its argument
        if previous.text in BEFORE or scaled([previous.text]):
            return True
        return previous.text in JOINING and self._has_number_before(start - 1)

    def _has_number_before(self, at: int) -> bool:
        """Whether a number stands within four tokens in the same clause: 24 eggs in 1 tray * 2."""
        for index in range(at - 1, max(-1, at - 5), -1):
            sort = self.reader.sort(index)
            if sort is Sort.NUMBER:
                return True
            if sort in CLEAN | EQUALITIES:
                break
        return False

    def after(self, end: int) -> bool:  # noqa: PLR0911 one for each kind
        """Whether the expression that was read up to tokens[end] may go on."""
        sort = self.reader.sort(end)
        if sort is None or sort in {Sort.END, Sort.DELIMITER, Sort.RELATION, Sort.CLOSE, Sort.ASK}:
            return False
        token = self.tokens[end]
        match sort:
            case Sort.COMMA:
                following = self.tokens[end + 1] if self.reader.sort(end + 1) is Sort.NUMBER else None
                return following is not None and (not following.spaced or len(following.text) == 3)  # 3,5 and 2, 443, 454
            case Sort.LINE:
                signed = self.displayed[end] and token.text.strip() in _SIGNS
                return signed or self.reader.sort(end + 1) in _OPERATORS
            case Sort.WORD:
                words = [one.text for one in self.tokens[end : end + 3] if one.sort is Sort.WORD]
                return scaled(words) or not AFTER.isdisjoint(words) or (token.text in BRIDGES and self._is_figure(end + 1))
            case Sort.OPEN:
                return not self._is_remark(end)
            case Sort.NAME:
                return not (token.spaced and (token.text in _ARTICLES or token.fenced))
        return True

    def _is_figure(self, at: int) -> bool:
        numeric = self.reader.sort(at) in {Sort.NUMBER, Sort.FRACTION}
        return numeric or (at < len(self.tokens) and self.tokens[at].text in FIGURES)

    def _is_remark(self, at: int) -> bool:
        """Whether brackets hold words, as in 15 (apples) or 15 (3 each)."""
        inside = [self.reader.sort(at + 1), self.reader.sort(at + 2)]
        worded = inside[0] is Sort.WORD or inside == [Sort.NUMBER, Sort.WORD]
        return worded and self.tokens[at].text == "(" and self.tokens[at].spaced

    def is_supposed(self, start: int, end: int) -> bool:
        """Whether what begins at tokens[start] and ends at text[end] is asked, supposed or denied."""
        place = self.tokens[start].start
        if _CHECKING.search(self.text, max(0, place - 110), place) or _DENIED.match(self.text, end, end + 60):
            return True
        words = set()
        for index in range(start - 1, max(-1, start - 9), -1):
            if self.tokens[index].sort in {Sort.LINE, Sort.END, Sort.ASK}:
                break
            words.add(self.tokens[index].text)
        return not SUPPOSING.isdisjoint(words) or self._is_absurd(end)

    def _is_absurd(self, end: int) -> bool:
        """Whether the sentence goes on to say that this cannot be."""
        found = _ABSURD.search(self.text, end, end + 90)
        return found is not None and _SENTENCE_END.search(self.text, end, found.start()) is None

    def label(self, start: int) -> str:
        """The word right before tokens[start]."""
        return self.tokens[start - 1].text if self.reader.sort(start - 1) is Sort.WORD else ""

    def words_behind(self, end: int) -> frozenset[str]:
        """Up to four words that begin at an index."""
        words: list[str] = []
        while len(words) < 4 and self.reader.sort(end) is Sort.WORD:
            words.append(self.tokens[end].text)
            end += 1
        return frozenset(words)


def _displayed(tokens: list[Token]) -> list[bool]:
    r"""Whether each token stands between \[ and \], $$ and $$, \begin and \end."""
    inside, depth = [], False
    for token in tokens:
        if token.sort is Sort.DELIMITER:
            text = token.text.lstrip("\\")
            if text.startswith(("[", "begin")):
                depth = True
            elif text.startswith(("]", "end")):
                depth = False
            elif text == "$$":
                depth = not depth
        inside.append(depth)
    return inside
