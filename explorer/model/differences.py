r"""What of two short texts the other one does not have, by words. Pure, and bounded: see `_COMPARED`.

A word is a LaTeX command, a number, a run of letters or any other single character with the combining marks that stand on it;
white space is no word: it goes with a differing word beside it, and differs by itself only between two words of both. Swapping
the texts swaps the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

_WORD: Final = re.compile(r"\\[a-zA-Z]+|\d+(?:[.,]\d+)*|[^\W\d_]+|\S")

_COMPARED: Final = 40_000
"""Pairs of words that are held against each other at most, once what both begin and end with is put aside: comparing words
takes the square of their number, so beyond this the whole remainder is said to differ. 200 words against 200."""

Span = tuple[int, int]
Differences = tuple[list[Span], list[Span]]


@dataclass(frozen=True, slots=True)
class _Words:
    """Words with their places; the empty words at both ends make the white space there count like any other."""

    said: list[str]
    spans: list[Span]


def differences(left: str, right: str) -> Differences:
    """For each of the texts the parts that the other does not have: ascending, not touching. The rest, joined, is the same."""
    if (len(right), right) < (len(left), left):  # one order for both ways of asking, so that both get one answer
        theirs, ours = differences(right, left)
        return ours, theirs
    mine, other = _words(left), _words(right)
    alike = list(_alike_spans(left, right, mine, other))
    return _rest([span for span, _ in alike], len(left)), _rest([span for _, span in alike], len(right))


def words_of(text: str) -> frozenset[str]:
    """What a text is known by when texts are held against each other: its words, without the signs that all texts share."""
    return frozenset(word for word in _WORD.findall(text) if len(word) > 1 or word.isalnum())


def shared_start(left: str, right: str) -> int:
    """Characters that both texts begin with."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def shared_ends(left: Sequence[str], right: Sequence[str]) -> tuple[int, int]:
    """How many pieces both begin with, and how many of the others both end with."""
    most = min(len(left), len(right))
    head = next((place for place in range(most) if left[place] != right[place]), most)
    rest = most - head
    return head, next((place for place in range(rest) if left[-1 - place] != right[-1 - place]), rest)


def _words(text: str) -> _Words:
    spans: list[Span] = [(0, 0)]
    for found in _WORD.finditer(text):
        if spans[-1][1] == found.start() > 0 and unicodedata.category(text[found.start()]) in ("Mn", "Me"):
            spans[-1] = spans[-1][0], found.end()
        else:
            spans.append(found.span())
    spans.append((len(text), len(text)))
    return _Words([text[start:end] for start, end in spans], spans)


def _alike_spans(left: str, right: str, mine: _Words, other: _Words) -> Iterator[tuple[Span, Span]]:
    """Stretches of both texts that are the same: matched words, and the white space between them where that is the same."""
    for at, opposite, size in _blocks(mine.said, other.said):
        start, begin = mine.spans[at][0], other.spans[opposite][0]
        end, stop = mine.spans[at][1], other.spans[opposite][1]
        for place in range(1, size):
            (next_start, next_end), (next_begin, next_stop) = mine.spans[at + place], other.spans[opposite + place]
            if left[end:next_start] != right[stop:next_begin]:
                yield (start, end), (begin, stop)
                start, begin = next_start, next_begin
            end, stop = next_end, next_stop
        yield (start, end), (begin, stop)


def _blocks(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of words that both have, in order: place in each, and how many words."""
    head, tail = shared_ends(left, right)
    middle, opposite = left[head : len(left) - tail], right[head : len(right) - tail]
    if head:
        yield 0, 0, head
    if middle and opposite and len(middle) * len(opposite) <= _COMPARED:
        matcher = SequenceMatcher(None, middle, opposite, autojunk=False)
        for block in matcher.get_matching_blocks():
            if block.size and _tells(middle[block.a : block.a + block.size]):
                yield head + block.a, head + block.b, block.size
    if tail:
        yield len(left) - tail, len(right) - tail, tail


def _tells(words: Sequence[str]) -> bool:
    """Whether a run that both have is more than a stray comma or "the": such islands only make differences hard to read."""
    return len(words) > 2 or any(len(word) > 3 or word.isnumeric() or not word.isascii() for word in words)


def _rest(alike: Sequence[Span], length: int) -> list[Span]:
    ends = [0, *(end for _, end in alike)]
    starts = [*(start for start, _ in alike), length]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if end < start]
