"""How often would base solve a problem, judged from another model's right answers? Two figures, problem by problem, in logs.

- The floor: p_base >= sum over the DISTINCT correct traces of pi_base(trace). Certain, up to the scorer's rounding: they are
  disjoint ways to be right. It is small wherever there are many ways, for each is unlikely.
- Importance sampling: (1/n) * sum over the correct ones of all n traces of w = pi_base(trace) / pi_other(trace). On average
  it is the part of p_base that the other model can emit, so it estimates a LOWER bound of p_base.

pi is the probability under the decoding that the run draws from (temperature, top-k, top-p), stop token included, not under
temperature 1. Both runs must draw in the same way, or a trace of one is not a trace of the other.

Importance sampling means little where a few weights decide. Its relative standard error is sqrt(1/ESS - 1/n), ESS being the
effective sample size (sum w)^2 / sum w^2, so with an ESS of FEWEST_EFFECTIVE it is about a third, and with less the standard
error is itself made by a weight or two: it then misses large weights that were not drawn, and looks small. Hence the warning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum, inf, log
from typing import Final

from engine.analyses.intervals import clopper_pearson

FEWEST_EFFECTIVE: Final = 10.0
LARGEST_SHARE: Final = 0.5
"""One weight that has more than this of all of them is the estimate, whatever the others are."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One of the other model's traces of a problem, scored by both."""

    idx: int
    key: object
    """Traces of one key may be the same one; those of different keys are not."""
    correct: bool | None
    """None where the verifier failed, or nobody has judged it."""
    base: float | None
    """Nats under base, at the decoding it was drawn with; None where that can never draw it."""
    other: float | None
    """Nats under the model that drew it."""


@dataclass(frozen=True, slots=True)
class Direct:
    """A model's own count, with exact 95 % limits (Clopper and Pearson)."""

    correct: int
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Importance:
    """The estimate by importance sampling."""

    value: float
    error: float
    """Standard error; of little worth where `warning` says so."""
    n: int
    """Draws that it divides by."""
    correct: int
    whole: bool
    """Are those n all that were counted? Else they are the first n of them, by index."""
    effective: float
    """Sample size (sum w)^2 / sum w^2, of the correct ones."""
    largest: float
    """Share of the largest weight."""
    impossible: int
    """Correct ones that base can never draw: their weight is 0."""
    warning: str | None


@dataclass(frozen=True, slots=True)
class Recovery:
    """What one model's right answers to a problem say of another model's chance to solve it."""

    problem_id: int
    direct: Direct | None
    """The judged model's own count; None where it was not sampled."""
    drawn: Direct | None
    """The count of the model whose traces these are."""
    floor: float | None
    """None where no correct trace was scored, as with distinct."""
    distinct: int
    """Correct traces that differ from each other."""
    drawable: int
    """Of those, the ones that the judged model can draw: what the floor is made of."""
    importance: Importance | None
    why: str | None
    """Why the floor, the estimate or both are missing; None where both are there."""


def direct(n: int, correct: int) -> Direct:
    low, high = clopper_pearson(n, correct)
    return Direct(correct, n, float(low), float(high))


def recover(problem_id: int, traces: Sequence[Drawn], of: Direct | None, drawn: Direct | None, counted: int) -> Recovery:
    """The problem's recovery from the other model's stored and scored traces.

    of: the judged model's own count; drawn: the other's, by the verdicts that the traces have; counted: its samples that
    verdicts tell of, failed ones among them, which count as not correct here: that keeps a lower bound one.
    """
    right = [trace for trace in traces if trace.correct]
    total, distinct, drawable = floor(right) if right else (None, 0, 0)
    why = None if right else "no correct trace is stored and scored at the decoding"
    n, whole = _drawn_of(traces, len(right), drawn, counted)
    if not n:
        why = "neither every correct trace nor the one with index 0 is stored and scored by both: a share needs its whole"
        return Recovery(problem_id, of, drawn, total, distinct, drawable, None, why)
    used = right if whole else [trace for trace in right if trace.idx < n]
    found = importance([(trace.base, trace.other) for trace in used], n, whole=whole)
    return Recovery(problem_id, of, drawn, total, distinct, drawable, found, why)


def _drawn_of(traces: Sequence[Drawn], right: int, drawn: Direct | None, counted: int) -> tuple[int, bool]:
    """How many draws the sum over correct traces is of, and whether those are all that were counted.

    Every correct one of those counted is there; else the first m, whatever their answers are. Traces with larger indices may
    have been kept for their answers, and are no sample of anything.
    """
    if drawn is not None and right == drawn.correct:
        return counted, True
    known = {trace.idx for trace in traces if trace.correct is not None}
    first = 0
    while first in known:
        first += 1
    return first, first == counted


def floor(correct: Sequence[Drawn]) -> tuple[float, int, int]:
    """The sum of base's probabilities of the distinct traces, how many these are, and how many have a probability above 0.

    Of traces with one key the least probable counts: where they are the same, they differ by rounding.
    """
    least: dict[object, float] = {}
    for trace in correct:
        nats = -inf if trace.base is None else trace.base
        least[trace.key] = min(nats, least.get(trace.key, inf))
    found = [nats for nats in least.values() if nats > -inf]
    return min(1.0, fsum(map(_exp, found))), len(least), len(found)


def importance(correct: Sequence[tuple[float | None, float | None]], n: int, *, whole: bool) -> Importance:
    """The estimate from the correct ones' nats (base, other) among n draws. 0 is an estimate too, if one that means nothing:
    leaving it out where no draw happens to be correct would raise the others.

    A trace that the other model "can never draw" was drawn by it: rounding in the scorer. Its weight is unknown, and 0 keeps
    the bound a lower one.
    """
    logs = [base - other for base, other in correct if base is not None and other is not None]
    impossible = len(correct) - len(logs)
    if not logs:
        why = _NONE_POSSIBLE if correct else f"none of the {n:,} draws is correct"
        return Importance(0.0, 0.0, n, len(correct), whole, 0.0, 0.0, impossible, why)
    top = max(logs)
    weights = [exp(one - top) for one in logs]
    total, squares = fsum(weights), fsum(weight * weight for weight in weights)
    effective = total * total / squares
    spread = max(0.0, squares - total * total / n) / (n * (n - 1)) if n > 1 else inf
    return Importance(
        value=_exp(top + log(total / n)),
        error=_exp(top + log(spread) / 2) if spread > 0 else 0.0,
        n=n,
        correct=len(correct),
        whole=whole,
        effective=effective,
        largest=1 / total,
        impossible=impossible,
        warning=_warning(_exp(top + log(total / n)), effective, 1 / total),
    )


_NONE_POSSIBLE: Final = "none of the correct traces can be drawn: 0 is said of these very traces only"


def _warning(value: float, effective: float, largest: float) -> str | None:
    if value > 1:
        return "no chance is above 100 %"
    if largest > LARGEST_SHARE:
        return f"one weight has {100 * largest:.0f} % of the sum"
    if effective < FEWEST_EFFECTIVE:
        return f"effective sample size {effective:.1f}, below {FEWEST_EFFECTIVE:g}"
    return None


def _exp(nats: float) -> float:
    """Infinite beyond what a float holds."""
    return exp(nats) if nats < 709 else inf
