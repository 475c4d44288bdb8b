"""What a study's likelihoods say of two runs: was what RL says already in the base model, and is what base says still in RL's?

`read_pair` reads the sums of both runs' responses under both models, at temperature 1 (perplexity, percentiles) and at the
decoding each run was drawn with (support, recovery); a run whose decoding nobody knows stands at that of the other of the pair.
Samples beyond a run's n are left out. Where a part of what was counted is stored, `engine.fair` says which of it is used;
recovery has a rule of its own, for it tells right answers apart. Nothing heavy is imported before it is called.

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
from engine.fair import Used, used_of
from engine.likelihood.decodings import decoding_of, is_greedy, is_unknown, values_of
from store.likelihoods import LikelihoodRow
from store.names import number_text
from store.reader import Study
from store.rows import Count, ProblemRow, RunRow
from store.types import UNKNOWN, Model, Outcome, Role

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


_HAS_IDS: Final = "SELECT 1 FROM sample JOIN token USING (sample_id) WHERE run_id = ? LIMIT 1"

_HAS_SCORED: Final = "SELECT 1 FROM likelihood JOIN model ON model_id = scorer_id WHERE name = ? AND revision = ? LIMIT 1"

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
    """Scorers and the runs whose responses they have not scored: `basebound score` brings them. A person, who is no model, is
    not asked (`is_asked`)."""
    anew: frozenset[int]
    """By run_id, runs whose responses have no token ids: they are scored with `--retokenize`."""
    used: Mapping[int, Used]
    """By run_id, which of the two runs' responses all but recovery is made of."""
    at_decoding_of: Mapping[int, RunRow]
    """By run_id, where a run's own decoding is unknown: the run at whose decoding its support is told."""

    @property
    def is_empty(self) -> bool:
        """Has neither model scored anything of either run?"""
        return not any((self.base_on_base, self.base_on_other, self.other_on_other, self.other_on_base))

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what the figures are of: a decoding that is not the run's own, and scoring that stopped halfway."""
        runs = {run.run_id: run for run in (self.base, self.other)}
        borrowed = [
            f"{runs[of].slug} is asked at the decoding of {at.slug}: its own is unknown"
            for of, at in self.at_decoding_of.items()
        ]
        return (*borrowed, *(said for of, used in self.used.items() for said in scored_partly(runs[of], used)))


@dataclass(frozen=True, slots=True)
class StepLikelihood:
    """A run of one training step under the base model."""

    run: RunRow
    perplexity: Perplexity
    percentiles: Percentiles | None
    support: Support | None
    used: Used


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
    """By sample_id, of all that are stored, at the run's own decoding; retokenized ones are no traces of the run: left out."""
    digests: Mapping[int, int]
    """Of the texts of those that are correct, by sample_id."""


def read_pair(study: Study, board: Board, base: RunRow, other: RunRow) -> PairLikelihoods:
    """Everything that the study's likelihoods say of the two. Problems are those of the board."""
    runs = base, other
    used = {run.run_id: used_of(study, board, run) for run in runs}
    on = {(by.model, run.run_id): _scored(study, board, by, run, used[run.run_id]) for by in runs for run in runs}
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
            (by.model, run)
            for by in runs
            for run in runs
            if on[by.model, run.run_id].perplexity is None and is_asked(study, by)
        ),
        anew=frozenset(run.run_id for run in runs if not has_ids(study, run)),
        used=MappingProxyType(used),
        at_decoding_of=MappingProxyType(_borrowed(base, other)),
    )


def is_asked(study: Study, run: RunRow) -> bool:
    """Could the model of the run score? Where its role is not known, its responses were imported and it has scored nothing, it
    may be a person, or a book of solutions."""
    if run.model.role is not Role.OTHER or has_ids(study, run):
        return True
    return bool(study.query(_HAS_SCORED, (run.model.name, run.model.revision)))


def scored_partly(run: RunRow, used: Used) -> list[str]:
    """A sentence for each model that has scored some of what is used, and not all."""
    return [
        f"{name} has scored {number:,} of the {used.of:,} responses of {run.slug} that are used: figures are of those"
        for name, number in used.partly
    ]


def has_ids(study: Study, run: RunRow) -> bool:
    """Are token ids of its responses known? Not of imported ones, which are scored with `--retokenize`."""
    return bool(study.query(_HAS_IDS, (run.run_id,)))


def _borrowed(base: RunRow, other: RunRow) -> dict[int, RunRow]:
    """By run_id, whose decoding stands in for an unknown one."""
    pairs = (base, other), (other, base)
    return {run.run_id: at for run, at in pairs if is_unknown(run) and decoding_of(at) is not None}


def over_steps(study: Study, board: Board, base: RunRow) -> list[StepLikelihood]:
    """Every run with a training step that is held against this base run and that base has scored, by model and step."""
    own = _scored(study, board, base, base, used_of(study, board, base))
    runs = [run for run in board.runs if run.model.step is not None and compared_with(board.runs, run) == base]
    found = []
    for run in sorted(runs, key=lambda run: (run.model.name, run.model.step or 0, run.run_id)):
        used = used_of(study, board, run)
        scored = _scored(study, board, base, run, used)
        if scored.perplexity is not None:
            found.append(StepLikelihood(run, scored.perplexity, _percentiles(own, scored), scored.support, used))
    return found


def no_support(base: RunRow, other: RunRow) -> str | None:
    """Why the nucleus of neither run's decoding tells anything; None where one of them excludes tokens."""
    known = [run for run in (base, other) if not is_unknown(run)]
    if not known:
        who = f"{base.slug} and {other.slug}"
        return f"temperature, top-p or top-k of {who} is not known, so neither is the nucleus"
    if greedy := [run for run in known if is_greedy(run)]:
        return _greedy(greedy[0])
    if any(excludes(float(run.settings.top_p), int(run.settings.top_k)) for run in known):
        return None
    if len(known) < 2:
        return (
            f"{known[0].slug} was drawn at top-p 1 without top-k, which excludes no token, and how the other was is not known"
        )
    return "both runs were drawn at top-p 1 without top-k, which excludes no token: every trace can be drawn"


def no_recovery(base: RunRow, other: RunRow) -> str | None:
    """Why a trace of one run tells nothing of the other's chance: they draw in different ways, or in one that is not scored."""
    for run in (base, other):
        settings = run.settings
        if is_unknown(run):
            return f"temperature, top-p or top-k of {run.slug} is not known, so neither is what it draws from"
        if is_greedy(run):
            return _greedy(run)
        if settings.min_p not in (0, UNKNOWN) or settings.repetition_penalty not in (1, UNKNOWN):
            return f"{run.slug} was drawn with min-p or a repetition penalty, which likelihoods leave out"
    unlike = [
        f"{name.replace('_', '-')} {_said(one)} and {_said(two)}"
        for name in _DRAWS
        if (one := _setting(base, name)) != (two := _setting(other, name))
    ]
    if unlike:
        return f"the runs draw in different ways, so a trace of one is not a trace of the other: {', '.join(unlike)}"
    return None


def _greedy(run: RunRow) -> str:
    return f"{run.slug} was drawn at temperature 0, which draws one trace alone and has no distribution to ask"


def _setting(run: RunRow, name: str) -> float | int | str:
    value: float | int | str = getattr(run.settings, name)
    return 0 if name == "top_k" and value == -1 else value  # both mean no limit


def _said(value: float | int | str) -> str:
    return value if isinstance(value, str) else number_text(value)


def _scored(study: Study, board: Board, by: RunRow, run: RunRow, used: Used) -> _Scored:
    """One run's responses under the model of another. Only sums by problem and what recovery needs outlive the rows."""
    scorer = by.model
    problems = json.dumps([problem.problem_id for problem in board.problems])
    values = {"scorer": scorer.name, "revision": scorer.revision, "run_id": run.run_id, "problems": problems}
    rows, digests = [], {}
    for row in study.query(_ROWS, values):
        rows.append(one := LikelihoodRow(*[*row[:9], _OUTCOMES[row[9]], bool(row[10]), *row[11:21], bool(row[21]), row[22]]))
        if one.outcome is Outcome.CORRECT:
            digests[one.sample_id] = row[23]
    own = decoding_of(run, by)
    decoded = [row for row in rows if own is not None and (row.temperature, row.top_p, row.top_k) == values_of(own)]
    fair = [row for row in rows if used.holds(row.idx)]
    perplexity = next(iter(perplexities(fair)), None)
    support = next(iter(supports(row for row in decoded if used.holds(row.idx))), None)
    plain = [row for row in fair if row.is_plain and row.logp is not None and row.tokens]
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
            found[key] = Recovery(key, *counts, None, 0, 0, None, why)
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
