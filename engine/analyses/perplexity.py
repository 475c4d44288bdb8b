"""Perplexity of responses under a model: exp of the mean negative log-probability a token, at temperature 1.

PPL_m(Y|x) = exp(-(1/T) sum_t log P_m(y_t | x, y_<t)) over the response's T tokens, the stop token among them where there is
one (Yue et al. 2025, arXiv 2504.13837, section 4.1, which leaves open whether the stop token counts: models trained apart often
differ most on how to stop, so each figure is also given without it). Responses are summed up by the quantiles of their own
perplexities and by the pooled one, exp of all nats over all tokens, in which long responses weigh more. Perplexities are never
averaged: a mean of exponentials is another thing than the exponential of a mean.

A mean over tokens says nothing of the one that decides. Beside it stand the probability of the whole trace, its least probable
token, and the nucleus support (`engine.analyses.support`). Standard library only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, fsum, inf, log, nan
from typing import Final

from engine.analyses.support import excludes, is_inside
from store.likelihoods import LikelihoodRow
from store.reader import perplexity_of
from store.types import Outcome

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the responses."""

    responses: int
    median: float | None
    """Of the responses' own perplexities; None where there are none, as is pooled."""
    pooled: float | None
    """exp(nats of all of them / tokens of all of them)."""


@dataclass(frozen=True, slots=True)
class OfProblem:
    """One problem's responses."""

    problem_id: int
    every: Part
    correct: Part


@dataclass(frozen=True, slots=True)
class Perplexity:
    """What one model thinks of one run's responses."""

    run_id: int
    scorer: str
    revision: str
    responses: int
    """Scored at temperature 1, each with a probability above 0."""
    median: float
    """Of the responses' perplexities; nan where there are none."""
    median_correct: float | None
    """Of the correct ones'; None where there are none."""
    supported: float | None
    """Share of the responses scored at the run's decoding all of whose tokens it can draw from the scorer, up to the margin of
    `engine.analyses.support`. None where they were not, or where that decoding excludes no token."""
    quantiles: tuple[float, ...]
    """Of the responses' perplexities, at QUANTILES; nan where there are none."""
    pooled: float | None
    """exp(nats of all responses / tokens of all responses)."""
    no_stop: Part
    """Without the stop token, of all responses that hold another one."""
    stopped: int
    """Responses that end with a stop token which was scored; the others are in `no_stop` as they are."""
    correct: Part
    incorrect: Part
    no_answer: Part
    unjudged: Part
    """Nobody has judged them, or the verifier failed on them."""
    truncated: int
    """Cut by the length limit: they have no end, and long ones are among them."""
    whole: Part
    """Without the truncated ones."""
    retokenized: int
    """Their text was tokenized anew: the tokens need not be those generated, and no stop token is among them."""
    impossible: int
    """Left out of all figures: the scorer gives some token the probability 0."""
    tokens: int
    entropy: float | None
    """Nats a token of the scorer's distribution along the responses, pooled; None where it was told of none."""
    entropy_of: int
    """Responses that it was told of."""
    nats: float | None
    """Log-probability of a whole response, the median: `odds` says it in words."""
    lowest: float | None
    """Log-probability of a response's least probable token, the median over responses; None where it was told of none."""
    dtypes: tuple[str, ...]
    """The scorer's arithmetic; more than one where responses were scored at several times."""
    problems: tuple[OfProblem, ...]
    """By problem_id."""


def perplexities(rows: Iterable[LikelihoodRow]) -> list[Perplexity]:
    """One for each run and scorer, in the order of both."""
    groups: dict[tuple[int, str, str], list[LikelihoodRow]] = defaultdict(list)
    for row in rows:
        groups[row.run_id, row.scorer, row.revision].append(row)
    return [_perplexity(*key, group) for key, group in sorted(groups.items())]


def nats_a_token(row: LikelihoodRow) -> float | None:
    """Negative log-probability over tokens; None without tokens, and where the probability is 0."""
    return None if row.logp is None or not row.tokens else -row.logp / row.tokens


def _perplexity(run_id: int, scorer: str, revision: str, rows: list[LikelihoodRow]) -> Perplexity:
    at_one = [row for row in rows if row.is_plain]
    plain = [row for row in at_one if row.logp is not None and row.tokens]
    own = sorted(_own(row) for row in plain)
    by = {outcome: [row for row in plain if row.outcome is outcome] for outcome in (*Outcome, None)}
    correct = _part(by[Outcome.CORRECT])
    entropies = [row for row in plain if row.entropy is not None]
    lowest = sorted(row.lowest for row in plain if row.lowest is not None)
    return Perplexity(
        run_id=run_id,
        scorer=scorer,
        revision=revision,
        responses=len(plain),
        median=quantile(own, 0.5) if own else nan,
        median_correct=correct.median,
        supported=_supported([row for row in rows if not row.is_plain]),
        quantiles=tuple(quantile(own, at) if own else nan for at in QUANTILES),
        pooled=_pooled([row.logp or 0.0 for row in plain], sum(row.tokens for row in plain)),
        no_stop=_without_stop(plain),
        stopped=sum(row.stop_logp is not None for row in plain),
        correct=correct,
        incorrect=_part(by[Outcome.INCORRECT]),
        no_answer=_part(by[Outcome.NO_ANSWER]),
        unjudged=_part(by[None] + by[Outcome.ERROR]),
        truncated=sum(row.truncated for row in plain),
        whole=_part([row for row in plain if not row.truncated]),
        retokenized=sum(row.retokenized for row in plain),
        impossible=sum(row.logp is None for row in at_one),
        tokens=sum(row.tokens for row in plain),
        entropy=_mean([row.entropy or 0.0 for row in entropies], sum(row.tokens for row in entropies)),
        entropy_of=len(entropies),
        nats=quantile(sorted(row.logp or 0.0 for row in plain), 0.5) if plain else None,
        lowest=quantile(lowest, 0.5) if lowest else None,
        dtypes=tuple(sorted({row.dtype for row in plain})),
        problems=_by_problem(plain),
    )


def _supported(rows: Sequence[LikelihoodRow]) -> float | None:
    """rows: at other decodings than the plain one. Those of two decodings are not put together."""
    decodings = {(row.temperature, row.top_p, row.top_k) for row in rows}
    if len(decodings) != 1 or not excludes(rows[0].top_p, rows[0].top_k):
        return None
    return sum(map(is_inside, rows)) / len(rows)


def _by_problem(rows: Sequence[LikelihoodRow]) -> tuple[OfProblem, ...]:
    groups: dict[int, list[LikelihoodRow]] = defaultdict(list)
    for row in rows:
        groups[row.problem_id].append(row)
    return tuple(
        OfProblem(problem_id, _part(group), _part([row for row in group if row.outcome is Outcome.CORRECT]))
        for problem_id, group in sorted(groups.items())
    )


def _part(rows: Sequence[LikelihoodRow]) -> Part:
    own = sorted(_own(row) for row in rows)
    nats = [row.logp or 0.0 for row in rows]
    return Part(len(rows), quantile(own, 0.5) if own else None, _pooled(nats, sum(row.tokens for row in rows)))


def _without_stop(rows: Sequence[LikelihoodRow]) -> Part:
    """Responses that are nothing but a stop token have no perplexity without it."""
    left = [
        ((row.logp or 0.0) - (row.stop_logp or 0.0), row.tokens - (row.stop_logp is not None))
        for row in rows
        if row.tokens > (row.stop_logp is not None)
    ]
    own = sorted(perplexity_of(-logp / tokens) for logp, tokens in left)
    pooled = _pooled([logp for logp, _ in left], sum(tokens for _, tokens in left))
    return Part(len(left), quantile(own, 0.5) if own else None, pooled)


def _own(row: LikelihoodRow) -> float:
    return perplexity_of(-(row.logp or 0.0) / row.tokens)


def _pooled(nats: Sequence[float], tokens: int) -> float | None:
    mean = _mean(nats, tokens)
    return None if mean is None else perplexity_of(-mean)


def _mean(sums: Sequence[float], tokens: int) -> float | None:
    return fsum(sums) / tokens if tokens else None


def quantile(ordered: Sequence[float], at: float) -> float:
    """Of values in order, at least one: linear between neighbours, the median being the mean of the two in the middle."""
    place = at * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    if ordered[below] == ordered[above]:
        return ordered[below]
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def odds(nats: float | None) -> str:
    """The probability exp(nats) of a whole trace in words: "certain", "1 in 3.2", "1 in 4,500", "1 in 10^25".

    "never" where the probability is 0: nats of -inf, or None, as `Likelihood.logp` has it for a response with a token that its
    decoding cannot draw. From about a million up it is a power of ten, with a decimal below 10^10.
    """
    if nats is None or nats == -inf:
        return "never"
    if nats > -5e-4:
        return "certain"
    tens = -nats / log(10)
    if tens >= 10:
        return f"1 in 10^{tens:,.0f}"
    if tens >= 6:
        return f"1 in 10^{tens:.1f}".removesuffix(".0")
    number = exp(-nats)
    if number < 1.095:
        return f"1 in {number:.3f}"
    return f"1 in {number:.1f}".removesuffix(".0") if number < 9.95 else f"1 in {float(f'{number:.2g}'):,.0f}"
