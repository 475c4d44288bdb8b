"""One number from the reasons: how much speaks for reading this trace.

suspicion = 1 - product over the kinds of (1 - w), a noisy-or: w is WEIGHTS[kind] where the text keeps a reason of that kind,
RETRACTED times that where it takes all of them back, 0 where there is none. Several reasons of one kind count once: a long
chain has more places to slip. So the number lies in [0, 1], is 0 without reasons, and never falls where a reason is added or a
retracted one is kept.

It orders traces; it is no probability. Where the weights come from (`benchmarks/luck.py`, the half "developed"): a kept false
equality was right in every one of the labelled chains that held one, so it weighs most, and a false rewrite is one between two
lines; "changed" and "underived" were right more often than chance, but rare. The labelled chains hold next to no declared
guesses, answer-aware phrases and answers alone: their weights are set by what an auditor would call them, not measured. That
wrong chains give the same answer says least: a right answer is what all sound chains give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from engine.luck.base import Kind, Reason

WEIGHTS: Final[Mapping[Kind, float]] = MappingProxyType(
    {
        Kind.FALSE_EQUALITY: 0.8,
        Kind.FALSE_REWRITE: 0.7,
        Kind.ANSWER_AWARE: 0.6,
        Kind.NO_CHAIN: 0.6,
        Kind.UNDERIVED: 0.6,
        Kind.CHANGED: 0.4,
        Kind.GUESS: 0.4,
        Kind.COMMON_WRONG: 0.1,
    }
)
RETRACTED: Final = 0.1
"""Of the weight: an honest mistake is no ground, but a reader may want to see it before a trace without any."""


def suspicion(reasons: Iterable[Reason]) -> float:
    """How much speaks for luck, in [0, 1]; 0 without reasons. The order of the reasons does not matter."""
    worst: dict[Kind, float] = {}
    for reason in reasons:
        weight = WEIGHTS[reason.kind] * (RETRACTED if reason.retracted else 1.0)
        worst[reason.kind] = max(worst.get(reason.kind, 0.0), weight)
    sound = 1.0
    for kind in Kind:  # in one order: the same reasons give the same number to the last bit
        sound *= 1.0 - worst.get(kind, 0.0)
    return 1.0 - sound
