"""How many tokens, and how long, what a run lacks would take: from what the study has seen, for a plan before it starts.

Lengths come from the nearest that is there: the same model drawn the same way; else on this benchmark otherwise; else other
models on it. Where nothing is there, only the limit is known. Time comes from the batches that were drawn here (`seen_rate`).
Standard library only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Final

from store.reader import Study
from store.rows import RunRow

if TYPE_CHECKING:
    from engine.sampling import Plan

_SIGMAS: Final = 2.0
_DRAWN_BY: Final = ("prompt_template", "temperature", "top_p", "top_k", "max_tokens")
"""The settings that a plan tells before its model is open; a seed changes no length."""

# As they would be under the limit of the plan.
_LENGTHS: Final = """
SELECT run_id, count(*), avg(min(tokens, :most)), avg(min(tokens, :most) * min(tokens, :most)),
       total(finish = 'length' AND tokens < :most)
FROM sample JOIN problem USING (problem_id) WHERE benchmark = :benchmark AND tokens IS NOT NULL GROUP BY run_id
"""

_BATCHES: Final = """
SELECT name, revision, sampler, device, tokens, seconds
FROM batch JOIN run USING (run_id) JOIN model USING (model_id) WHERE sampler = :sampler AND tokens > 0 AND seconds > 0
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast tokens are made."""

    tokens_a_second: float
    """Of everything that draws at once."""
    basis: str
    """Where that was seen, e.g. "seen with grpo-60 on an H100"."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens to generate, and seconds of drawing. What cannot be told is None."""

    low: int | None
    tokens: int | None
    """The likely number."""
    high: int
    """Never above samples times max_tokens."""
    basis: str
    seconds: float | None
    """Of the likely number, loading aside."""
    rate_basis: str


@dataclass(frozen=True, slots=True)
class _Batch:
    """How fast one engine was."""

    model: str
    revision: str
    sampler: str
    device: str
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Lengths:
    """Tokens of a run's responses."""

    run: RunRow
    responses: int
    mean: float
    square: float
    """Mean of the squares."""
    cut: int
    """Ended by a limit below the plan's: there, they might have gone on."""


def estimate(study: Study | None, plan: Plan, samples: int, rate: Rate | None = None) -> Estimate:
    """Of that many samples of the plan. study: None where there is none yet; rate: None where none is known."""
    most = plan.manner.max_tokens
    seen = [] if study is None else _seen(study, plan.problems[0].benchmark, most)
    low, tokens, high, basis = _tokens(seen, plan, samples)
    limit = samples * most
    tokens = None if tokens is None else min(tokens, limit)
    seconds = tokens / rate.tokens_a_second if rate is not None and tokens is not None else None
    rate_basis = "unknown until a first batch has run" if rate is None else rate.basis
    return Estimate(low, tokens, min(high, limit), basis, seconds, rate_basis)


def seen_rate(study: Study, plan: Plan, engines: int = 1) -> Rate | None:
    """What the study's batches by the plan's sampler say: those of this model, else of others. None without one that tells.

    engines: how many will work at once, each as fast as one was.
    """
    batches = [_Batch(*row) for row in study.query(_BATCHES, {"sampler": plan.sampler})]
    own = [one for one in batches if (one.model, one.revision) == (plan.model.name, plan.model.revision)]
    if not batches:
        return None
    told = own or batches
    rate = sum(one.tokens for one in told) / sum(one.seconds for one in told)
    where = " and ".join(sorted({f"{one.sampler} on {one.device}" for one in told}))
    whose = "this model" if own else "other models: another size, another rate"
    return Rate(engines * rate, f"{rate:,.0f} tokens/s an engine, seen here with {whose} ({where})")


def _seen(study: Study, benchmark: str, most: int) -> list[_Lengths]:
    runs = {run.run_id: run for run in study.runs(benchmark)}
    rows = study.query(_LENGTHS, {"benchmark": benchmark, "most": most})
    return [_Lengths(runs[run_id], number, mean, square, int(cut)) for run_id, number, mean, square, cut in rows]


def _tokens(seen: Sequence[_Lengths], plan: Plan, samples: int) -> tuple[int | None, int | None, int, str]:
    """Low, likely, high, and what they rest on."""
    limit = samples * plan.manner.max_tokens
    of_model = [one for one in seen if _is_model(one, plan)]
    alike = [one for one in of_model if not _unlike(one, plan)]
    if alike:
        return _as_before(max(alike, key=lambda one: one.responses), samples)
    if of_model:
        return _as_others(of_model, plan, samples, "this model drawn otherwise")
    if seen:
        return _as_others(seen, plan, samples, "other models")
    return None, None, limit, f"nothing drawn on this benchmark yet: at most max_tokens ({plan.manner.max_tokens:,}) each"


def _is_model(one: _Lengths, plan: Plan) -> bool:
    return (one.run.model.name, one.run.model.revision) == (plan.model.name, plan.model.revision)


def _unlike(one: _Lengths, plan: Plan) -> int:
    """How many of the settings that say how responses are drawn are other ones than the plan's."""
    decoding, settings = plan.manner.decoding, one.run.settings
    planned = (plan.template.name, decoding.temperature, decoding.top_p, decoding.top_k, plan.manner.max_tokens)
    return sum(getattr(settings, name) != value for name, value in zip(_DRAWN_BY, planned, strict=True))


def _as_before(one: _Lengths, samples: int) -> tuple[int | None, int | None, int, str]:
    """The same again. Two standard deviations each way: of the sum to come, and of the mean that it is expected from."""
    variance = max(0.0, one.square - one.mean**2)
    margin = _SIGMAS * sqrt(variance * (samples + samples**2 / one.responses))
    likely = samples * one.mean
    basis = f"{one.responses:,} responses of {one.run.slug}, drawn like this: {one.mean:,.0f} tokens each"
    return max(0, round(likely - margin)), round(likely), round(likely + margin), basis + _cut([one])


def _as_others(seen: Sequence[_Lengths], plan: Plan, samples: int, whose: str) -> tuple[int | None, int | None, int, str]:
    """Runs that are not quite like the plan: those drawn most like it, from the shortest to the longest mean. One alone tells
    no range."""
    least = min(_unlike(one, plan) for one in seen)
    nearest = [one for one in seen if _unlike(one, plan) == least]
    means = [one.mean for one in nearest]
    likely = sum(means) / len(means)
    names = ", ".join(one.run.slug for one in nearest[:3]) + (", …" if len(nearest) > 3 else "")
    basis = f"{whose} ({names}): {likely:,.0f} tokens a response" + _cut(nearest)
    if len(means) == 1:
        return None, round(samples * likely), samples * plan.manner.max_tokens, basis
    return round(samples * min(means)), round(samples * likely), round(samples * max(means)), basis


def _cut(seen: Sequence[_Lengths]) -> str:
    """Where responses were cut short of what the plan allows, their lengths say too little."""
    cut, of = sum(one.cut for one in seen), sum(one.responses for one in seen)
    return f"; {100 * cut / of:.1f} % were cut by a lower limit, so it may be more" if cut else ""
