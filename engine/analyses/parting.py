"""Where two models part along one trace: token by token, step by step, and at which forks.

Own is the model that drew the trace, other one that did not. At each token stands the log-ratio

    log p_other(token | what came before) - log p_own(token | what came before)        nats, at temperature 1

Below 0 the other model falls away there; summed over a trace it is the difference of the two log-probabilities of the whole
trace, and a step's part of that is the sum over its tokens. A fork is a place where a model's first choice is another token
than the one there. A trace that one model alone has gone through has surprisal, -log p, and that model's forks.

The numbers come from storage: log-probabilities as half floats (-3 is known to 0.001 nats), those of the tokens that might have
stood there to about a hundredth. Sums that must be exact stand in `likelihood`; where two tokens are nearly as probable as each
other, which is the first choice is known there alone (`Likelihood.first_choices`). Standard library only.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import nlargest, nsmallest
from itertools import accumulate
from math import fsum, inf, isnan
from operator import sub
from typing import Final

from store.token_scores import Other, TokenScores

MOST: Final = 8
"""Tokens and steps that are named as those where it falls or rises most."""


@dataclass(frozen=True, slots=True)
class StepParting:
    """One step's part; the tokens whose ratio is unknown are no part of its ratio."""

    step: int
    """From 1, as links count."""
    first: int
    """Place of its first token; where it has none, of the next step's."""
    tokens: int
    own: float
    """Nats, the sum over its tokens."""
    other: float | None
    """None where one model alone was asked."""
    ratio: float | None
    """None where it is unknown: one model alone, no token with a known ratio, or falls and rises without end."""


@dataclass(frozen=True, slots=True)
class Fork:
    """A place where the scorer (the other one; where there is one alone, that) would rather have another token."""

    place: int
    step: int | None
    """From 1; None where the tokens' places in the text are unknown."""
    taken: float
    """Log-probability of the token there under the scorer."""
    own: float | None
    """The same under the model that drew it; None where one model alone was asked."""
    choices: tuple[Other, ...]
    """What the scorer found more probable, and other tokens it thought of, the most probable first."""
    own_leaves: bool | None
    """Own's first choice is another token as well. None where one model alone was asked, or own does not tell."""

    @property
    def ratio(self) -> float | None:
        """As at its token; None where it is unknown."""
        return None if self.own is None else _known(self.taken - self.own)


@dataclass(frozen=True, slots=True)
class Parting:
    """One trace under one or two models."""

    own: Sequence[float]
    """[tokens] nats."""
    other: Sequence[float] | None
    ratio: Sequence[float] | None
    """[tokens] nats; nan where it is unknown: a token that neither can say. None where one model alone was asked."""
    cumulative: Sequence[float] | None
    """[tokens] Sum of the known ratios up to the token, its own among them."""
    step_of: Sequence[int] | None
    """[tokens] Step of each, from 1. None where their places in the text are unknown."""
    steps: tuple[StepParting, ...]
    """They take every token once. None where `step_of` is None."""
    forks: tuple[Fork, ...]
    """In order of place."""
    forks_known: bool
    """Does the scorer tell what else might have stood there? A server does not: no forks are known then."""

    @property
    def surprisal(self) -> list[float]:
        """[tokens] -log p under own, in nats."""
        return [-value for value in self.own]

    @property
    def whole(self) -> float | None:
        """The log-ratio of the whole trace, over the tokens where it is known; None where it is known nowhere."""
        return None if self.ratio is None else _total(self.ratio)

    @property
    def fall(self) -> float | None:
        """What the falling steps fall together, in nats, below 0; 0 where none falls. None where steps are unknown."""
        known = [step.ratio for step in self.steps if step.ratio is not None]
        return fsum(ratio for ratio in known if ratio < 0) if known else None

    def falls(self, most: int = MOST) -> list[int]:
        """Places of the tokens where the ratio is lowest, below 0, the lowest first; of one model the least probable ones."""
        values = self.own if self.ratio is None else self.ratio
        return nsmallest(most, (place for place, value in enumerate(values) if value < 0), key=values.__getitem__)

    def rises(self, most: int = MOST) -> list[int]:
        """Places where the ratio is highest, above 0, the highest first; none for one model."""
        values = self.ratio or ()
        return nlargest(most, (place for place, value in enumerate(values) if value > 0), key=values.__getitem__)

    def falling_steps(self, most: int = MOST) -> list[StepParting]:
        """Those whose ratio is lowest, below 0, the lowest first; of one model the least probable ones."""
        return nsmallest(most, (step for step in self.steps if self._of(step) < 0), key=self._of)

    def rising_steps(self, most: int = MOST) -> list[StepParting]:
        """Those whose ratio is highest, above 0, the highest first; none for one model."""
        return nlargest(most, (step for step in self.steps if self.ratio is not None and self._of(step) > 0), key=self._of)

    def decisive(self, most: int = MOST) -> list[Fork]:
        """The forks that matter most: where the ratio, or of one model the taken token's probability, is lowest."""
        return nsmallest(most, self.forks, key=lambda fork: fork.taken if fork.own is None else _or_zero(fork.ratio))

    def _of(self, step: StepParting) -> float:
        return step.own if self.ratio is None else _or_zero(step.ratio)


def part(own: TokenScores, other: TokenScores | None, starts: Sequence[int]) -> Parting:
    """Hold two models against each other along one trace; other None: what one model alone says of it.

    starts: first character of each step, ascending from 0, as `engine.steps.split_steps` has them; none for an empty response,
    whose tokens are one step then. Raises ValueError where the two have another number of tokens: they read other ids.
    """
    if other is not None and len(other.logp) != len(own.logp):
        raise ValueError(f"one model was asked about {len(own.logp)} tokens, the other about {len(other.logp)}")
    ratio = None if other is None else _ratio(own.logp, other.logp)
    spans = own.spans if own.spans is not None or other is None else other.spans
    step_of = None if spans is None else steps_of(spans, starts)
    scorer = own if other is None else other
    return Parting(
        own=own.logp,
        other=None if other is None else other.logp,
        ratio=ratio,
        cumulative=None if ratio is None else list(accumulate(0.0 if isnan(value) else value for value in ratio)),
        step_of=step_of,
        steps=() if step_of is None else tuple(_steps(own.logp, scorer.logp, ratio, step_of, len(starts) or 1)),
        forks=tuple(_forks(own, other, step_of)),
        forks_known=scorer.others is not None,
    )


def steps_of(spans: Sequence[int], starts: Sequence[int]) -> list[int]:
    """[tokens] The step of each, from 1: that of its first character.

    A token without characters goes with the one before it; those that end the response, the stop token among them, go to the
    last step.
    """
    steps: list[int] = []
    at, step, most = 0, 1, max(len(starts), 1)
    for chars in spans:
        if chars:
            while step < most and starts[step] <= at:
                step += 1
            at += chars
        steps.append(step)
    for place in range(len(spans) - 1, -1, -1):
        if spans[place]:
            break
        steps[place] = most
    return steps


def _ratio(own: Sequence[float], other: Sequence[float]) -> list[float]:
    return list(map(sub, other, own))


def _steps(
    own: Sequence[float], scorer: Sequence[float], ratio: Sequence[float] | None, step_of: Sequence[int], most: int
) -> list[StepParting]:
    ends = [bisect_right(step_of, step) for step in range(1, most + 1)]
    return [
        StepParting(
            step=step,
            first=first,
            tokens=last - first,
            own=_sum(own[first:last]),
            other=None if ratio is None else _sum(scorer[first:last]),
            ratio=None if ratio is None else _total(ratio[first:last]),
        )
        for step, (first, last) in enumerate(zip([0, *ends], ends, strict=False), 1)
    ]


def _forks(own: TokenScores, other: TokenScores | None, step_of: Sequence[int] | None) -> list[Fork]:
    scorer = own if other is None else other
    return [
        Fork(
            place=place,
            step=None if step_of is None else step_of[place],
            taken=scorer.logp[place],
            own=None if other is None else own.logp[place],
            choices=choices,
            own_leaves=None if other is None or own.others is None else own.is_fork(place),
        )
        for place, choices in sorted((scorer.others or {}).items())
        if scorer.is_fork(place)
    ]


def _sum(values: Sequence[float]) -> float:
    return -inf if -inf in values else fsum(values)


def _total(ratios: Sequence[float]) -> float | None:
    """Over the known ones; 0 for no tokens at all. None where none is known, or falls and rises without end cancel out."""
    known = [value for value in ratios if not isnan(value)]
    if (ratios and not known) or (inf in known and -inf in known):
        return None
    return fsum(known)


def _known(value: float) -> float | None:
    return None if isnan(value) else value


def _or_zero(value: float | None) -> float:
    """For order alone: what is unknown neither falls nor rises."""
    return 0.0 if value is None else value
