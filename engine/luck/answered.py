r"""The answer of a response, the sentences that announce it, and what is left of the text without it: the work.

    answered(r"3 + 4 = 7 pears. So the answer is \boxed{7}.")
        ->  answer "7" at its box, led up to by "So the answer is \boxed{"; work: all but the announced 7

Where a verifier has said where the answer stands, that place counts; else the last box of the answer's segment, else the last
line that states an answer and nothing else. What stands past the segment (an invented next question) is cut off.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Final

from engine.luck.numbers import computed, written
from engine.verifiers.base import Piece
from engine.verifiers.boxed import filled
from engine.verifiers.segment import answer_end, turn_end, within
from engine.verifiers.statements import lines

LONGEST_SENTENCE: Final = 400
"""In characters, of a sentence up to its answer."""
ANNOUNCED: Final = 100
"""Announcements that are looked at, the last ones: a response may repeat itself for ever."""

_STATES: Final = re.compile(
    r"(?:\banswer\b[^.\n=]{0,40}?(?:\bis\b|[:=：])|\#{4}|\banswer[\"*_]{0,4})[\s:*_$\"\\({]{0,12}$", re.IGNORECASE
)
_STATES_WITHIN: Final = 70
_END: Final = re.compile(r"[.!?;:](?:\s|(?=\\\]|\$\$))|\\\]\s+(?=[A-Z])|\n")
_DISPLAY: Final = re.compile(r"(?:\\\[|\$\$|\\begin\{[a-z*]{1,12}\}|[=&])\s*$")
_OPENING: Final = re.compile(r"[\s$\\\[(*#_>{-]*(?:boxed|fbox)?[\s{\\]*$")
_OPTION: Final = re.compile(r"\W{0,4}(?:choice|option)?[\s_\\(]{0,4}\(?([A-J])\b\)?(?:$|[\s).:,*}])", re.IGNORECASE)


@dataclass(frozen=True)  # without slots: cached properties need a dict
class Answered:
    """A response up to the end of its answer's segment, with an answer."""

    text: str
    answer: Piece
    """The one that counts."""
    announced: tuple[Piece, ...]
    """Every stated answer of the segment, in order, none within another, the one that counts among them."""
    statement: str | None = None
    """The problem's."""

    @cached_property
    def leads(self) -> tuple[tuple[int, int], ...]:
        """For each announced answer, from where to where its sentence leads up to it."""
        starts = (_sentence_start(self.text, piece.start) for piece in self.announced)
        return tuple((start, piece.start) for start, piece in zip(starts, self.announced, strict=True))

    @cached_property
    def work(self) -> str:
        """The text without the announced answers and without a restated problem."""
        gaps = pairwise([(0, 0), *((piece.start, piece.end) for piece in self.announced), (len(self.text), len(self.text))])
        return _without(" ".join(self.text[end:start] for (_, end), (start, _) in gaps), self.statement)

    @cached_property
    def computed(self) -> frozenset[Fraction]:
        """What the plain formulas of the work come to."""
        return frozenset(computed(self.work))

    @cached_property
    def values(self) -> frozenset[Fraction]:
        """What the work writes out or computes, without signs."""
        return written(self.work) | {abs(value) for value in self.computed}


def answered(
    response: str,
    answer: str | None = None,
    span: tuple[int, int] | None = None,
    reference: str | None = None,
    statement: str | None = None,
) -> tuple[str, Answered | None]:
    """The response up to the end of its answer's segment, and with its answer; None where no answer is to be seen."""
    counted = _counted(response, answer, span, reference)
    if counted is None:
        return response[: turn_end(response)], None
    ending = answer_end(response, counted.end)
    text = response if ending is None else response[: max(counted.end, ending.position)]
    return text, Answered(text, counted, _announced(text, counted), statement)


def option(content: str) -> str | None:
    """The letter that an answer names an option by, or None: "(B)", "Choice_B", "B. 12 cm"."""
    match = _OPTION.match(content)
    return match[1].upper() if match else None


def _counted(response: str, answer: str | None, span: tuple[int, int] | None, reference: str | None) -> Piece | None:
    """The answer that counts. The reference is looked for only where nothing states an answer."""
    if span is not None and 0 <= span[0] < span[1] <= len(response):
        return Piece(*span, response[span[0] : span[1]])
    stated = filled(response) or _lines(response)
    if answer is not None and (same := [piece for piece in stated if piece.content == answer]):
        return same[-1]
    if answer is None and stated:
        return within(response, stated)[-1]
    return _last(response, answer or reference or "") or (stated[-1] if stated else None)


def _lines(text: str) -> list[Piece]:
    """Lines that state an answer and nothing else; of a whole sentence `lines` takes the last number, which may be any."""
    return [piece for piece in lines(text) if _STATES.search(text, max(0, piece.start - _STATES_WITHIN), piece.start)]


def _last(response: str, wanted: str) -> Piece | None:
    """The last place where a text stands by itself, not as a part of a longer number or word."""
    bounded = rf"(?<![\w.]){re.escape(wanted)}(?!\w|[.,][0-9])"
    found = deque(re.finditer(bounded, response), maxlen=1) if wanted.strip() else ()
    return Piece(*found[0].span(), wanted) if found else None


def _announced(text: str, answer: Piece) -> tuple[Piece, ...]:
    """The answer and the last others; where two overlap the one that counts, else the box, else the first."""
    ranked = [(0, answer), *((1, piece) for piece in filled(text)), *((2, piece) for piece in _lines(text))]
    kept: list[tuple[int, Piece]] = []
    for rank, piece in sorted(ranked, key=lambda one: (one[1].start, one[0])):
        if kept and piece.start < kept[-1][1].end:
            if rank >= kept[-1][0]:
                continue
            kept.pop()
        kept.append((rank, piece))
    place = next(at for at, (rank, _) in enumerate(kept) if not rank)
    return tuple(piece for at, (_, piece) in enumerate(kept) if at == place or at >= len(kept) - ANNOUNCED)


def _sentence_start(text: str, end: int) -> int:
    """Where the sentence that leads to a place begins. Display mathematics belongs to the sentence before it."""
    start = floor = max(0, end - LONGEST_SENTENCE)
    for mark in _END.finditer(text, floor, end):
        if not _OPENING.match(text, mark.end(), end) and not _DISPLAY.search(text, floor, mark.start()):
            start = mark.end()
    return start


def _without(text: str, statement: str | None) -> str:
    """The text without a verbatim restatement of the problem."""
    words = (statement or "").split()
    if len(words) < 5:
        return text
    flat, whole = " ".join(text.split()), " ".join(words)
    return flat.replace(whole, " ") if whole in flat else text
