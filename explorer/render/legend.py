"""The lines beneath a shaded text: what is shaded, the step with most of it, and each level as it looks in the text."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from explorer.render.forks import nats
from explorer.render.pieces import Line, Piece, Tone, dim, fitted, flow, joined, plain, strong
from explorer.render.shades import BOUNDS, FORBIDS, OUTSIDE, TONES
from explorer.render.words import counted

if TYPE_CHECKING:  # what reads them is imported when somebody asks for them
    from explorer.model.token_shades import Lens

_LEVELS: Final = (*(f"{low:g}–{high:g}" for low, high in pairwise(BOUNDS)), f">{BOUNDS[-1]:g}")


def legend(lens: Lens, width: int, most: int) -> list[Line]:
    """At most so many lines: what it is first, the levels last."""
    parts = [[strong(lens.said)], *_most(lens), _forks(lens), _levels(lens), *_outside(lens)]
    return [fitted(line, width) for line in flow(parts, width)[:most]]


def without(said: str, width: int) -> list[Line]:
    """While it is on, and this trace has nothing to shade."""
    return [fitted([("no likelihoods here: ", Tone.WARN), plain(said)], width)]


def _most(lens: Lens) -> list[Line]:
    """RL falls most at step 3: −9.31 nats"""
    if lens.most is None:
        return []
    step, value = lens.most
    if lens.is_ratio:
        said, number = f"{lens.voice.word} falls most at ", nats(value)
    else:
        said, number = "most at ", f"{value:.1f}"
    return [[dim(said), plain(f"step {step}"), dim(": "), strong(number), dim(" nats")]]


def _forks(lens: Lens) -> Line:
    if not lens.forks_known:
        return [dim("forks unknown")]
    keys: list[Piece] = [("> < ", Tone.ACCENT)] if lens.forks else []
    return [*keys, dim(counted(len(lens.forks), "fork"))]


def _levels(lens: Lens) -> Line:
    falls = _shown(1)
    if not lens.is_ratio:
        return [dim(f"nats <{BOUNDS[0]:g} "), *falls]
    return [dim("falls "), *falls, dim(" rises "), *_shown(-1)]


def _shown(sign: int) -> Line:
    return joined([[(said, TONES[sign * level])] for level, said in enumerate(_LEVELS, 1)], plain(" "))


def _outside(lens: Lens) -> list[Line]:
    """What forbids the trace, where something does."""
    if not lens.outside:
        return []
    return [[(f"{FORBIDS} {lens.outside:,}", TONES[OUTSIDE]), dim(f" outside {lens.voice.word}'s nucleus")]]
