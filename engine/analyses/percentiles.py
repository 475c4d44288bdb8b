"""Where a run's responses lie among base's own: percentiles of the surprise under base, problem by problem.

Both are responses to the same problem, scored by the same model at temperature 1. A response's percentile is the share of
base's own responses with fewer nats a token, plus half of those with as many (the mid-rank), times 100: 0 is more likely under
base than anything that base wrote itself, 100 less likely, and 50 is like base's own, whatever their number. The figure is the
mean over responses within a problem and then over problems, so that each problem weighs the same.

Nats a token are a mean as well: a response at percentile 50 may hold a token that base would not write.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.analyses.intervals import Interval, interval, resampled_means

FEWEST_OWN: Final = 8
"""Responses of base's own to a problem that it takes: with fewer, a percentile has steps of more than 13 points."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Responses of a run among base's own."""

    mean: float
    """0 to 100: below 50 base finds them more likely than its own, above 50 less likely."""
    interval: Interval
    """95 %, over problems like these."""
    problems: Mapping[int, float]
    """By problem_id, the mean over its responses."""
    responses: int
    own: int
    """Of base's own, on those problems."""
    left_out: int
    """Problems with scored responses of the run, but fewer than FEWEST_OWN of base's own."""


def percentiles(own: Mapping[int, Sequence[float]], others: Mapping[int, Sequence[float]], seed: int = 0) -> Percentiles | None:
    """own, others: nats a token under base by problem_id. None where no problem has FEWEST_OWN of base's own.

    The interval is of the problems drawn again (`engine.analyses.intervals.resampled_means`), 0 and 100 being the ends.
    """
    asked = [problem for problem, nats in sorted(others.items()) if len(nats)]
    found = {
        problem: float(np.mean(mid_ranks(own[problem], others[problem])))
        for problem in asked
        if len(own.get(problem, ())) >= FEWEST_OWN
    }
    if not found:
        return None
    values = np.sort(np.array(list(found.values())))
    mean = float(values.mean())
    draws = resampled_means(values[:, None], 0.0, 100.0, seed=seed)[:, 0]
    return Percentiles(
        mean=mean,
        interval=interval(draws, mean),
        problems=found,
        responses=sum(len(others[problem]) for problem in found),
        own=sum(len(own[problem]) for problem in found),
        left_out=len(asked) - len(found),
    )


def mid_ranks(own: Sequence[float], values: Sequence[float]) -> list[float]:
    """Each value's percentile among `own`, at least one, from 0 to 100."""
    ordered = sorted(own)
    return [50.0 * (bisect_left(ordered, value) + bisect_right(ordered, value)) / len(ordered) for value in values]
