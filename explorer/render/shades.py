"""Tokens toned by level in a text: worked out for the lines that are drawn, and for no others.

A level is 0 for a token that nothing is said of, 1 to 3 where it surprises or the other model falls away, -1 to -3 where the
other model likes it more, OUTSIDE where a decoding can never draw it. Tokens are spans of the source; where several of them
went into one sign of rendered maths, the furthest of them tones it. A token that shows nothing has a sign behind its line
where there is something to say of it: ␊ a line end, ␃ the end of the response.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import inf, isnan
from typing import Final

from explorer.render.page import Mark, Page
from explorer.render.pieces import Piece, Tone, dim
from explorer.render.text import Span

BOUNDS: Final = (1.0, 3.0, 6.0)
"""Nats from which on a token is of level 1, 2 and 3."""
OUTSIDE: Final = 4
FORBIDS: Final = "✕"
"""Beside the number of a step that holds a token outside."""
LINE_END: Final = "␊"
END: Final = "␃"
RISES: Final = "+"
"""In the gutter of a step in which the other model rises."""
TONES: Final = {
    0: Tone.PLAIN,
    1: Tone.FALL_1,
    2: Tone.FALL_2,
    3: Tone.FALL_3,
    OUTSIDE: Tone.OUTSIDE,
    -1: Tone.RISE_1,
    -2: Tone.RISE_2,
    -3: Tone.RISE_3,
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_SAID: Final = 1.0
"""Nats of a step from which on a rise is marked."""


@dataclass(frozen=True, slots=True)
class Shades:
    """The levels of a text's tokens."""

    starts: Sequence[int]
    """In characters of the source, as `ends`; both ascend."""
    ends: Sequence[int]
    levels: Sequence[int]
    bars: Mapping[int, Piece] = field(default_factory=dict)
    """By step, from 1: what stands in the gutter at its first line."""
    forbidding: Collection[int] = ()
    """Steps that hold a token outside."""

    def marks(self, page: Page, line: int) -> list[Mark]:
        """What stands out on one line."""
        start, end = page.lines[line]
        if start == end or line in page.sentences:
            return []
        first, last = page.source_of(line)
        levels = [0] * (end - start)
        for token in range(bisect_right(self.ends, first), bisect_left(self.starts, last)):
            level = self.levels[token]
            if level:
                begun, done = page.shown.span(self.starts[token], self.ends[token])
                for place in range(max(begun, start) - start, min(done, end) - start):
                    levels[place] = max(levels[place], level, key=abs)
        return _runs(levels, start)

    def here(self, page: Page, line: int, token: int | None) -> list[Mark]:
        """The token gone to, where it stands on that line."""
        if token is None or self.starts[token] == self.ends[token]:
            return []
        start, end = page.lines[line]
        begun, done = self.shown_at(page, token)
        first, last = max(begun, start), min(done, end)
        return [(first, last, Tone.CHOSEN)] if first < last else []

    def tail(self, page: Page, line: int, here: int | None = None) -> Piece | None:
        """The sign behind a line whose end, or the response's, is a token with something to say."""
        text, end = page.shown.text, page.lines[line][1]
        if line in page.sentences:
            return None
        if end == len(text):
            return self._end(here)
        if text[end] != "\n" or text[end - 1 : end] == LINE_END:  # raw spells it out
            return None
        place = page.shown.source_at(end)
        tokens = range(bisect_right(self.ends, place), bisect_right(self.starts, place))
        unseen = [token for token in tokens if not text[slice(*self.shown_at(page, token))].strip()]
        if here is not None and here in unseen and self.starts[here] == place:
            return LINE_END, Tone.CHOSEN
        level = max((self.levels[token] for token in unseen), key=abs, default=0)
        return (LINE_END, TONES[level]) if level else None

    def shown_at(self, page: Page, token: int) -> Span:
        """Where a token went, in characters of the shown text."""
        return page.shown.span(self.starts[token], self.ends[token])

    def _end(self, here: int | None) -> Piece | None:
        """Of the tokens that bring nothing any more: the stop token, and what was cut off behind the response."""
        first = len(self.starts)
        while first and self.starts[first - 1] == self.ends[first - 1]:
            first -= 1
        if first == len(self.starts):
            return None
        if here is not None and here >= first:
            return END, Tone.CHOSEN
        level = max(self.levels[first:], key=abs)
        return (END, TONES[level]) if level else dim(END)


def _runs(levels: Sequence[int], start: int) -> list[Mark]:
    marks: list[Mark] = []
    for level, run in groupby(levels):
        end = start + len(list(run))
        if level:
            marks.append((start, end, TONES[level]))
        start = end
    return marks


def surprise(nats: float) -> int:
    """The level of a token that surprises by so many nats."""
    return bisect_right(BOUNDS, nats)


def change(ratio: float) -> int:
    """The level of a log-ratio: where it falls the level is above 0."""
    if -BOUNDS[0] < ratio < BOUNDS[0] or isnan(ratio):
        return 0
    return bisect_right(BOUNDS, -ratio) or -bisect_right(BOUNDS, ratio)


def surprises(nats: Sequence[float]) -> list[int]:
    """The level of each token. Of most it is 0, and a call for each of these is what a long trace would wait for."""
    least = BOUNDS[0]
    return [0 if value < least else surprise(value) for value in nats]


def changes(ratios: Sequence[float]) -> list[int]:
    """The level of each log-ratio."""
    least = BOUNDS[0]
    return [0 if -least < value < least else change(value) for value in ratios]


def height(nats: float, largest: float) -> str:
    """A bar of one cell for a part of the largest; the smallest is one, too."""
    if nats == inf:
        return _BARS[-1]
    if isnan(nats) or not largest > 0:
        return _BARS[0]
    return _BARS[min(len(_BARS) - 1, int(len(_BARS) * max(nats, 0.0) / largest))]


def surprisal_bars(sums: Sequence[float]) -> dict[int, Piece]:
    """Each step's nats, against the largest."""
    largest = _largest(sums)
    return {step: (height(nats, largest), Tone.OTHER) for step, nats in enumerate(sums, 1)}


def ratio_bars(sums: Sequence[float | None]) -> dict[int, Piece]:
    """Each step's fall, against the largest; + where it rises, ? where nobody knows."""
    largest = _largest([-ratio for ratio in sums if ratio is not None])
    return {step: _ratio_bar(ratio, largest) for step, ratio in enumerate(sums, 1)}


def _ratio_bar(ratio: float | None, largest: float) -> Piece:
    if ratio is None or isnan(ratio):
        return dim("?")
    return (RISES, Tone.BASE) if ratio >= _SAID else (height(-ratio, largest), Tone.OTHER)


def _largest(values: Sequence[float]) -> float:
    return max((value for value in values if value < inf), default=0.0)
