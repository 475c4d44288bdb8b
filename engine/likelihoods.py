"""What a study's likelihoods say of two runs: was what RL says already in the base model, and is what base says still in RL's?

`read_pair` reads the sums of both runs' responses under both models, at temperature 1 (perplexity, percentiles) and at the
decoding each run was drawn with (support, recovery). Samples beyond a run's n are left out. Nothing heavy is imported before it
is called.

It costs about 20 s and 0.6 GB for a million rows on one core of a small machine, so 4 s for two runs of 30 problems with 1,024
responses each, everything scored. A row is one response under one scorer at one decoding.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from engine.analyses.perplexity import Perplexity, perplexities
from engine.analyses.support import Support, excludes, supports
from engine.board import Board, compared_with
from store.likelihoods import LikelihoodRow
from store.names import number_text
from store.reader import Study
from store.rows import Count, ProblemRow, RunRow
from store.types import UNKNOWN, Model, Outcome

if TYPE_CHECKING:
    from engine.analyses.percentiles import Percentiles
    from engine.analyses.recovery import Direct, Drawn, Recovery

_ROWS: Final = """
SELECT sample.sample_id, sample.run_id, sample.problem_id, idx, :scorer, :revision, scored.temperature, scored.top_p,
       scored.top_k,
       (SELECT outcome FROM verdict JOIN verifier USING (verifier_id)
        WHERE verdict.sample_id = sample.sample_id AND verifier.name = problem.kind),
       sample.finish = 'length', chars, scored.tokens, scored.logp, outside, stop_logp, entropy, lowest, lowest_at,
       first_choices, edge, retokenized, dtype, digest
FROM problem CROSS JOIN sample ON sample.problem_id = problem.problem_id AND run_id = :run_id
CROSS JOIN likelihood AS scored ON scored.sample_id = sample.sample_id
  AND scorer_id = (SELECT model_id FROM model WHERE name = :scorer AND revision = :revision)
WHERE problem.problem_id IN (SELECT value FROM json_each(:problems)) AND NOT extra ORDER BY sample.problem_id, idx
"""

_SAME_PROMPT: Final = """
SELECT one.problem_id FROM prompt AS one JOIN prompt AS two USING (problem_id)
WHERE one.run_id = ? AND two.run_id = ? AND one.ids = two.ids
"""

_DRAWS: Final = (
    *("temperature", "top_p", "top_k", "min_p", "repetition_penalty"),
    *("max_tokens", "context_cap", "stop", "stop_ids"),
)
"""Settings that say which traces can be drawn, and how often, once the prompt is there."""


_OUTCOMES: Final[Mapping[str | None, Outcome | None]] = MappingProxyType({None: None, **{str(one): one for one in Outcome}})


@dataclass(frozen=True, slots=True)
class PairLikelihoods:
    """Two runs' responses under both models. x_on_y: what model x thinks of run y's responses; None where it was not asked."""

    base: RunRow
    other: RunRow
    base_on_base: Perplexity | None
    base_on_other: Perplexity | None
    other_on_other: Perplexity | None
    other_on_base: Perplexity | None
    support: Support | None
    """Can base draw the other's responses? At the other's decoding."""
    null: Support | None
    """Can base draw its own? What is missing there from 100 % is rounding."""
    support_back: Support | None
    """Can the other model draw base's responses?"""
    null_back: Support | None
    """Can the other model draw its own?"""
    no_support: str | None
    """Why a nucleus tells nothing of this pair; None where it could, whether scored or not."""
    percentiles: Percentiles | None
    """Where the other's responses lie among base's own, under base."""
    recovery: Mapping[int, Recovery]
    """By problem_id: base's chance to solve it, from the other's right answers. Of every problem that both were judged on; none
    where `no_recovery` says why."""
    recovery_back: Mapping[int, Recovery]
    """The other's chance, from base's right answers."""
    no_recovery: str | None
    missing: tuple[tuple[Model, RunRow], ...]
    """Scorers and the runs whose responses they have not scored: `basebound score` brings them."""


@dataclass(frozen=True, slots=True)
class StepLikelihood:
    """A run of one training step under the base model."""

    run: RunRow
    perplexity: Perplexity
    percentiles: Percentiles | None
    support: Support | None


@dataclass(frozen=True, slots=True)
class _Scored:
    """One run's responses under one model, as far as a pair needs them."""

    perplexity: Perplexity | None
    support: Support | None
    nats: Mapping[int, Sequence[float]]
    """A token at temperature 1, by problem_id."""
    ended: Mapping[int, Sequence[float]]
    """The same without the stop token."""
    retokenized: int
    decoded: Mapping[int, LikelihoodRow]
    """By sample_id, at the run's own decoding; retokenized ones are no traces of the run, and left out."""
    digests: Mapping[int, int]
    """Of the texts of those that are correct, by sample_id."""


def read_pair(study: Study, board: Board, base: RunRow, other: RunRow) -> PairLikelihoods:
    """Everything that the study's likelihoods say of the two. Problems are those of the board."""
    on = {
        (model.model, run.run_id): _scored(study, board, model.model, run) for model in (base, other) for run in (base, other)
    }
    base_own, base_other = on[base.model, base.run_id], on[base.model, other.run_id]
    other_own, other_base = on[other.model, other.run_id], on[other.model, base.run_id]
    refused = no_recovery(base, other)
    same = {problem for (problem,) in study.query(_SAME_PROMPT, (base.run_id, other.run_id))}
    there: dict[int, Recovery] = {}
    back: dict[int, Recovery] = {}
    if refused is None:
        there = _recovered(board, base, other, base_other, other_own, same)
        back = _recovered(board, other, base, other_base, base_own, same)
    return PairLikelihoods(
        base=base,
        other=other,
        base_on_base=base_own.perplexity,
        base_on_other=base_other.perplexity,
        other_on_other=other_own.perplexity,
        other_on_base=other_base.perplexity,
        support=base_other.support,
        null=base_own.support,
        support_back=other_base.support,
        null_back=other_own.support,
        no_support=no_support(base, other),
        percentiles=_percentiles(base_own, base_other),
        recovery=MappingProxyType(there),
        recovery_back=MappingProxyType(back),
        no_recovery=refused,
        missing=tuple(
            (model.model, run)
            for model in (base, other)
            for run in (base, other)
            if on[model.model, run.run_id].perplexity is None
        ),
    )


def over_steps(study: Study, board: Board, base: RunRow) -> list[StepLikelihood]:
    """Every run with a training step that is held against this base run and that base has scored, by model and step."""
    own = _scored(study, board, base.model, base)
    runs = [run for run in board.runs if run.model.step is not None and compared_with(board.runs, run) == base]
    found = []
    for run in sorted(runs, key=lambda run: (run.model.name, run.model.step or 0, run.run_id)):
        scored = _scored(study, board, base.model, run)
        if scored.perplexity is not None:
            found.append(StepLikelihood(run, scored.perplexity, _percentiles(own, scored), scored.support))
    return found


def no_support(base: RunRow, other: RunRow) -> str | None:
    """Why the nucleus of neither run's decoding tells anything; None where one of them excludes tokens."""
    decodings = {run.slug: _decoding(run) for run in (base, other)}
    unknown = [slug for slug, decoding in decodings.items() if decoding is None]
    if unknown:
        return f"temperature, top-p or top-k of {' and '.join(unknown)} is not known, so neither is the nucleus"
    if any(decoding and excludes(decoding[1], decoding[2]) for decoding in decodings.values()):
        return None
    return "both runs were drawn at top-p 1 without top-k, which excludes no token: every trace can be drawn"


def no_recovery(base: RunRow, other: RunRow) -> str | None:
    """Why a trace of one run tells nothing of the other's chance: they draw in different ways, or in one that is not scored."""
    for run in (base, other):
        settings = run.settings
        if _decoding(run) is None:
            return f"temperature, top-p or top-k of {run.slug} is not known, so neither is what it draws from"
        if settings.min_p not in (0, UNKNOWN) or settings.repetition_penalty not in (1, UNKNOWN):
            return f"{run.slug} was drawn with min-p or a repetition penalty, which likelihoods leave out"
    unlike = [
        f"{name.replace('_', '-')} {_said(one)} and {_said(two)}"
        for name in _DRAWS
        if (one := getattr(base.settings, name)) != (two := getattr(other.settings, name))
    ]
    if unlike:
        return f"the runs draw in different ways, so a trace of one is not a trace of the other: {', '.join(unlike)}"
    return None


def _said(value: float | int | str) -> str:
    return value if isinstance(value, str) else number_text(value)


def _decoding(run: RunRow) -> tuple[float, float, int] | None:
    settings = run.settings
    if UNKNOWN in (settings.temperature, settings.top_p, settings.top_k):
        return None
    return float(settings.temperature), float(settings.top_p), int(settings.top_k)


def _scored(study: Study, board: Board, scorer: Model, run: RunRow) -> _Scored:
    """One run's responses under one model. Only sums by problem and what recovery needs outlive the rows."""
    problems = json.dumps([problem.problem_id for problem in board.problems])
    values = {"scorer": scorer.name, "revision": scorer.revision, "run_id": run.run_id, "problems": problems}
    rows, digests = [], {}
    for row in study.query(_ROWS, values):
        rows.append(one := LikelihoodRow(*[*row[:9], _OUTCOMES[row[9]], bool(row[10]), *row[11:21], bool(row[21]), row[22]]))
        if one.outcome is Outcome.CORRECT:
            digests[one.sample_id] = row[23]
    own = _decoding(run)
    decoded = [row for row in rows if (row.temperature, row.top_p, row.top_k) == own]
    perplexity = next(iter(perplexities(rows)), None)
    support = next(iter(supports(decoded)), None)
    plain = [row for row in rows if row.is_plain and row.logp is not None and row.tokens]
    return _Scored(
        perplexity=perplexity if perplexity is not None and perplexity.responses else None,
        support=support if support is not None and support.tells else None,
        nats=_by_problem(plain, stop=True),
        ended=_by_problem(plain, stop=False),
        retokenized=sum(row.retokenized for row in plain),
        decoded={row.sample_id: row for row in decoded if not row.retokenized},
        digests=digests,
    )


def _by_problem(rows: Sequence[LikelihoodRow], *, stop: bool) -> dict[int, list[float]]:
    """Nats a token; without the stop token, responses that hold another one."""
    found: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        off = not stop and row.stop_logp is not None
        if row.tokens > off:
            found[row.problem_id].append(((row.stop_logp or 0.0 if off else 0.0) - (row.logp or 0.0)) / (row.tokens - off))
    return dict(found)


def _percentiles(own: _Scored, others: _Scored) -> Percentiles | None:
    """Texts tokenized anew have no stop token, so that where there are such none is counted on either side."""
    from engine.analyses.percentiles import percentiles

    if own.retokenized or others.retokenized:
        return percentiles(own.ended, others.ended)
    return percentiles(own.nats, others.nats)


def _recovered(
    board: Board, judged: RunRow, drawn: RunRow, under: _Scored, own: _Scored, same: set[int]
) -> dict[int, Recovery]:
    """The judged run's chance, from the drawn run's traces: `under` the judged model and under their `own`."""
    from engine.analyses.recovery import Drawn, Recovery, recover

    traces: dict[int, list[Drawn]] = defaultdict(list)
    for sample_id, row in under.decoded.items():
        if sample_id in own.decoded:
            text = under.digests.get(sample_id), row.truncated
            traces[row.problem_id].append(Drawn(row.idx, text, _is_correct(row), row.logp, own.decoded[sample_id].logp))
    found: dict[int, Recovery] = {}
    for problem in board.judged(judged, drawn):
        key = problem.problem_id
        ours, theirs = (board.cells[run.run_id, key] for run in (judged, drawn))
        counts = _direct(ours), _direct(theirs)
        if why := _refused(problem, {ours.verifier, theirs.verifier}, same):
            found[key] = Recovery(key, *counts, None, 0, None, why)
        else:
            found[key] = recover(key, traces[key], *counts, theirs.counted)
    return found


def _refused(problem: ProblemRow, counted_by: set[str | None], same: set[int]) -> str | None:
    """Why counts and traces of the problem cannot be put together."""
    if counted_by != {problem.kind}:
        who = " and ".join(sorted(str(name) for name in counted_by))
        return f"counted by {who}, while the traces' verdicts are those of {problem.kind}"
    return None if problem.problem_id in same else "the runs were not given the same prompt, or nobody knows which"


def _direct(count: Count) -> Direct:
    from engine.analyses.recovery import direct

    return direct(count.n, count.correct)


def _is_correct(row: LikelihoodRow) -> bool | None:
    return None if row.outcome in (None, Outcome.ERROR) else row.outcome is Outcome.CORRECT
