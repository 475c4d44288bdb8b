"""Claims about where RL's responses lie in base's distribution: how likely they are under base, and whether it can draw them.

Both need responses of both runs scored by the base model (`basebound score`), and compare RL's responses with base's own ON THE
SAME PROBLEMS: base's own scores are the null, with whatever the scorer's arithmetic does to a token at the edge of the nucleus
beyond the margin that `engine.analyses.support` allows it.
The mean of many tokens says nothing of the one that decides; the nucleus does, for that exact trace only. Neither stands for
the other, so they are two claims.

Stored traces may be a part of those counted: `engine.fair` says which of them are used, and the reason says so, and how many of
them were scored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np

from engine.analyses.support import MARGINS, WIDEST, excludes, margin_of
from engine.claims.base import Claim, Estimate, Found, Measured, Unit, by_sign, percent
from engine.claims.ground import Ground, Pair
from engine.claims.means import FEWEST, mean_against, unbounded_mean
from engine.fair import Used, used_by_run
from engine.likelihood.decodings import is_greedy
from store.types import UNKNOWN

AS_LIKELY: Final = 1.05
"""As likely as base's own: a perplexity at most this many times theirs."""
AS_REACHABLE: Final = 0.05
"""As reachable as base's own: a share with every token in the nucleus at most this far below theirs."""

LIKELY: Final = Claim(
    "likely-under-base",
    f"RL's responses are as likely under base as base's own: perplexity at most {AS_LIKELY:g} times theirs.",
    "Yue et al. 2025 (2504.13837), section 4.1",
)
REACHABLE: Final = Claim(
    "reachable-from-base",
    f"Base can draw RL's very responses, every token in its nucleus, as often as its own up to {100 * AS_REACHABLE:g} points.",
    "what critics ask of the above: perplexity is a mean, reaching a trace takes every token",
)

# `engine.analyses.support.margin_of` in SQL.
_LISTED: Final = " ".join(f"WHEN '{dtype}' THEN {margin!r}" for dtype, margin in MARGINS.items())
_ROUNDING: Final = f"(CASE dtype {_LISTED} ELSE {WIDEST!r} END)"
MARGIN_SQL: Final = f"(CASE WHEN {_ROUNDING} < 1 - scored.top_p THEN {_ROUNDING} ELSE 0.0 END)"

# By run and problem: perplexity's logarithm (temperature 1), summed, of how many responses, and how many of those were
# tokenized anew; then, of those scored at the run's own decoding with the tokens that were generated, how many have every token
# inside up to the margin, and how many there are. A row without an edge, of a study scored by an earlier version, is judged by
# its tokens outside.
_SCORED: Final = """
SELECT sample.run_id, sample.problem_id,
       sum(CASE WHEN {plain} THEN -scored.logp / scored.tokens END), count(CASE WHEN {plain} THEN scored.logp END),
       total(CASE WHEN {plain} THEN retokenized END),
       sum(CASE WHEN {own} THEN ifnull(edge < {margin}, outside = 0) END), count(CASE WHEN {own} THEN 1 END)
FROM likelihood AS scored JOIN sample USING (sample_id) JOIN run USING (run_id) JOIN problem USING (problem_id)
JOIN model AS scorer ON scorer.model_id = scorer_id
JOIN (SELECT json_extract(value, '$[0]') AS used_id, json_extract(value, '$[1]') AS first FROM json_each(:used))
  ON used_id = sample.run_id
WHERE problem.benchmark = :benchmark AND scorer.name = :name AND scorer.revision = :revision AND scored.tokens > 0
  AND NOT sample.extra AND idx < ifnull(first, idx + 1)
GROUP BY sample.run_id, sample.problem_id
""".format(
    plain="scored.temperature = 1 AND scored.top_p = 1 AND scored.top_k = 0",
    own="scored.temperature = run.temperature AND scored.top_p = run.top_p AND scored.top_k = max(run.top_k, 0)"
    " AND NOT retokenized",
    margin=MARGIN_SQL,
)

_DTYPES: Final = """
SELECT DISTINCT dtype FROM likelihood JOIN sample USING (sample_id) JOIN model ON model_id = scorer_id
WHERE run_id IN (?, ?) AND name = ? AND revision = ? AND edge IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Scored:
    """Responses of one run to one problem under base: sums, and of how many."""

    log_perplexity: float
    responses: int
    anew: int
    """Of those, tokenized anew, so without a stop token."""
    inside: int
    decoded: int


Scores = dict[tuple[int, int], _Scored]


@dataclass(frozen=True, slots=True)
class _Read:
    """What base models think of the responses that are used."""

    used: Mapping[int, Used]
    """By run_id."""
    scores: Mapping[tuple[str, str], Scores]
    """By base model (name, revision), then (run_id, problem_id)."""


def likely_under_base(ground: Ground) -> list[Found]:
    """PPL_base(Y_other) / PPL_base(Y_base), the geometric mean over problems, tested against AS_LIKELY by Student's t on the
    logarithms. These have no ends that a problem not seen could not pass, so fewer than FEWEST problems tell nothing.

    Measured two-sided at 5 %: normal logarithms 5 %; ones as skewed as an exponential 10 % with 10 problems, 8 % with 30."""
    scored = _by_scorer(ground)
    return ground.over_pairs(LIKELY, lambda ground, pair: _likely(ground, pair, scored))


def reachable_from_base(ground: Ground) -> list[Found]:
    """Share of responses with every token inside base's nucleus, other less base, tested against -AS_REACHABLE."""
    scored = _by_scorer(ground)
    return ground.over_pairs(REACHABLE, lambda ground, pair: _reachable(ground, pair, scored))


def _by_scorer(ground: Ground) -> _Read:
    pairs, board = ground.pairs(), ground.board
    models = {(pair.base.model.name, pair.base.model.revision) for pair in pairs}
    runs = {run.run_id: run for pair in pairs for run in (pair.base, pair.other)}
    used = used_by_run(ground.study, board, runs.values())
    firsts = json.dumps([[run, one.first] for run, one in used.items()])
    scores = {
        (name, revision): {
            (run, problem): _Scored(logs or 0.0, responses, int(anew), inside or 0, decoded)
            for run, problem, logs, responses, anew, inside, decoded in ground.study.query(
                _SCORED, {"benchmark": board.benchmark, "name": name, "revision": revision, "used": firsts}
            )
        }
        for name, revision in models
    }
    return _Read(used, scores)


def _likely(ground: Ground, pair: Pair, scored: _Read) -> Found:
    both = [two for two in _both(ground, pair, scored) if all(one.responses for one in two)]
    if not both:
        return ground.cannot_tell(LIKELY, _unscored(ground, pair), pair)
    if len(both) < FEWEST:
        few = f"responses of both runs were scored on {_problems(len(both))}, and a mean of logarithms takes {FEWEST} at least"
        return ground.cannot_tell(LIKELY, f"{few}: `basebound score {ground.study.path}` adds to them", pair)
    logs = np.array([[one.log_perplexity / one.responses for one in two] for two in both])
    mean = unbounded_mean(logs[:, 1] - logs[:, 0], log(AS_LIKELY), ground.level)
    base, other = np.exp(logs.mean(axis=0))
    numbers = [sum(two[i].responses for two in both) for i in (0, 1)]
    reason = (
        f"over {len(both)} of {pair.size} the mean perplexity under {pair.base.model.name} is {other:.3f} for"
        f" {numbers[1]:,} responses of {pair.other.name} and {base:.3f} for {numbers[0]:,} of {pair.base.name},"
        f" {_of_all(ground, pair, scored, numbers)}{_anew(both)}"
    )
    estimate = Estimate(exp(mean.value), exp(mean.low), exp(mean.high), mean.p_value)
    finding = by_sign(log(AS_LIKELY) - mean.value, mean.p_value, ground.alpha)
    return ground.found(LIKELY, pair, Measured("PPL_base(other) / PPL_base(base)", estimate, finding, Unit.RATIO), reason)


def _reachable(ground: Ground, pair: Pair, scored: _Read) -> Found:
    if why := _no_nucleus(ground, pair):
        return ground.cannot_tell(REACHABLE, why, pair)
    both = [two for two in _both(ground, pair, scored) if all(one.decoded for one in two)]
    if not both:
        return ground.cannot_tell(REACHABLE, _unscored(ground, pair), pair)
    shares = np.array([[one.inside / one.decoded for one in two] for two in both])
    estimate = mean_against(shares[:, 1] - shares[:, 0], -AS_REACHABLE, ground.level, ground.seed)
    base, other = shares.mean(axis=0)
    numbers = [sum(two[i].decoded for two in both) for i in (0, 1)]
    reason = (
        f"over {len(both)} of {pair.size} every token lies in the nucleus of {pair.base.model.name} for"
        f" {percent(other)} of {numbers[1]:,} responses of {pair.other.name} and, as the null, for {percent(base)} of"
        f" {numbers[0]:,} of {pair.base.name}, each at its run's decoding{_margins(ground, pair)},"
        f" {_of_all(ground, pair, scored, numbers)}"
    )
    finding = by_sign(estimate.value + AS_REACHABLE, estimate.p_value, ground.alpha)
    return ground.found(REACHABLE, pair, Measured("nucleus support, other - base", estimate, finding), reason)


def _anew(both: list[tuple[_Scored, _Scored]]) -> str:
    """Where texts were tokenized anew, the one side may have a stop token that the other lacks."""
    base, other = (sum(two[i].anew for two in both) for i in (0, 1))
    return f"; {other:,} and {base:,} of them tokenized anew, without a stop token" if base or other else ""


def _margins(ground: Ground, pair: Pair) -> str:
    """What rounding was allowed for; nothing where no edge is known, and so no margin was."""
    runs, model = (pair.base, pair.other), pair.base.model
    values = (*(run.run_id for run in runs), model.name, model.revision)
    top_p = min(float(run.settings.top_p) for run in runs)
    used = [(dtype, margin_of(dtype, top_p)) for (dtype,) in ground.study.query(_DTYPES, values)]
    return f", up to a margin of {' and '.join(f'{margin:g} ({dtype})' for dtype, margin in sorted(used))}" if used else ""


def _no_nucleus(ground: Ground, pair: Pair) -> str | None:
    """Why no token could be found outside a nucleus, whatever was scored; None where one could."""
    runs = pair.base, pair.other
    drawn = {run.name: (run.settings.temperature, run.settings.top_p, run.settings.top_k) for run in runs}
    unknown = [name for name, decoding in drawn.items() if UNKNOWN in decoding]
    tells = f"`basebound sample {ground.study.path} --top-p 0.95` and `basebound score` bring runs that tell"
    if unknown:
        return f"temperature, top-p or top-k of {' and '.join(unknown)} is not known, so neither is the nucleus: {tells}"
    if greedy := [run.name for run in runs if is_greedy(run)]:
        return f"{greedy[0]} was drawn at temperature 0, which draws one trace alone and has no nucleus to ask: {tells}"
    if not any(excludes(float(top_p), int(top_k)) for _, top_p, top_k in drawn.values()):
        return f"both runs were drawn at top-p 1, which excludes no token, so nothing could fail: {tells}"
    return None


def _both(ground: Ground, pair: Pair, scored: _Read) -> list[tuple[_Scored, _Scored]]:
    """Of each shared problem where responses of both were scored by the base model: base's, the other's."""
    of = scored.scores.get((pair.base.model.name, pair.base.model.revision), {})
    runs = pair.base.run_id, pair.other.run_id
    ids = (problem.problem_id for problem in ground.board.judged(pair.base, pair.other))
    return [(of[runs[0], one], of[runs[1], one]) for one in ids if all((run, one) in of for run in runs)]


def _problems(count: int) -> str:
    return f"{count} problem{'' if count == 1 else 's'}"


def _unscored(ground: Ground, pair: Pair) -> str:
    return (
        f"{pair.base.model.name} has not scored responses of both runs to one problem:"
        f" `basebound score {ground.study.path} --scorer DIR --of {pair.base.slug} {pair.other.slug}`"
        " (it takes responses sampled here, with their token ids)"
    )


def _of_all(ground: Ground, pair: Pair, read: _Read, scored: list[int]) -> str:
    """How many of the counted responses were scored: which those are may depend on their answers, unless they are the first."""
    counted = [sum(count.counted for count in ground.board.counts(run)) for run in (pair.base, pair.other)]
    if counted == scored:
        return "all that were counted"
    used = [read.used[run.run_id] for run in (pair.base, pair.other)]
    if any(one.first is not None for one in used) and not any(one.perhaps_chosen for one in used):
        told = " and ".join(dict.fromkeys(one.words for one in reversed(used)))
        if [one.of for one in used] == scored:
            return told
        return f"of {used[1].of:,} and {used[0].of:,}, which are {told}"
    return f"a part of the {counted[1]:,} and {counted[0]:,} counted, which may have been chosen by their answers"
