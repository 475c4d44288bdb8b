"""Samples on their way out of a study: one row a sample with all that hangs on it, in batches, by run, problem and index.

Memory is that of one batch, whatever the study's size. A stored trace has one row; counts that were published without
traces have none. Standard library only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any, Final

from store.names import slugify
from store.reader import STANDING, Study
from store.rows import ProblemRow, RunRow
from store.token_scores import TokenScores, unpack_scores
from store.types import Finish, Outcome

BATCH: Final = 2000
"""Samples read at a time."""
BATCH_TEXTS: Final = 200
"""The same with responses: a long one has 60,000 characters."""

# A label is in force where its auditor gave no later one. Of several auditors' the newest is taken, a person's before a judge
# model's, and whose it is told.
_SAMPLES: Final = """
SELECT sample.sample_id, idx, extra, sample.seed, finish, stop_reason, chars, tokens, source.path, source_line,
       deciding.name, deciding.version, ours.outcome, ours.route, ours.answer, theirs.outcome, standing.label, standing.auditor
       {texts}
FROM sample JOIN problem USING (problem_id) LEFT JOIN source USING (source_id) {join_texts}
LEFT JOIN verdict AS ours ON ours.sample_id = sample.sample_id AND ours.verifier_id = (
  SELECT verifier_id FROM verdict JOIN verifier USING (verifier_id)
  WHERE verdict.sample_id = sample.sample_id
    AND CASE WHEN :verifier IS NULL THEN name IN (problem.kind, 'imported') ELSE name = :verifier END
  ORDER BY name = 'imported' LIMIT 1)
LEFT JOIN verifier AS deciding ON deciding.verifier_id = ours.verifier_id
LEFT JOIN verdict AS theirs ON theirs.sample_id = sample.sample_id AND theirs.verifier_id = (
  SELECT verifier_id FROM verdict JOIN verifier USING (verifier_id)
  WHERE verdict.sample_id = sample.sample_id AND name = 'imported' LIMIT 1)
LEFT JOIN audit AS standing ON standing.audit_id = {standing}
WHERE run_id = :run_id AND problem_id = :problem_id AND idx > :after ORDER BY idx LIMIT :batch
"""

_SCORES: Final = """
SELECT sample_id, scorer_id,
       max(CASE WHEN {plain} THEN -likelihood.logp / likelihood.tokens END), max(CASE WHEN {own} THEN outside END),
       max(CASE WHEN {plain} THEN likelihood.logp END), max(CASE WHEN {plain} THEN stop_logp END),
       max(CASE WHEN {plain} THEN lowest END), max(CASE WHEN {own} THEN edge END), max(retokenized),
       max(CASE WHEN {plain} THEN entropy END), group_concat(DISTINCT likelihood.dtype),
       group_concat(DISTINCT nullif(likelihood.engine, ''))
FROM likelihood JOIN sample USING (sample_id)
WHERE run_id = :run_id AND problem_id = :problem_id AND idx BETWEEN :first AND :last AND likelihood.tokens > 0
GROUP BY sample_id, scorer_id
""".format(
    plain="temperature = 1 AND top_p = 1 AND top_k = 0",
    own="(temperature <> 1 OR top_p <> 1 OR top_k <> 0)",
)

_DETAILS: Final = "SELECT scorer_id, data FROM token_score WHERE sample_id = ? ORDER BY scorer_id"

_SCORERS: Final = """
SELECT model_id, name, step FROM model WHERE model_id IN (SELECT scorer_id FROM likelihood)
ORDER BY CASE role WHEN 'base' THEN 0 ELSE 1 END, model_id
"""

_DRAWN: Final = "SELECT problem_id FROM drawn WHERE run_id = ? AND samples + extra > 0 ORDER BY problem_id"


@dataclass(frozen=True, slots=True)
class Scorer:
    """A model whose likelihoods the study holds, with a name for a column, unlike any other scorer's."""

    model_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Score:
    """What one model thinks of one response."""

    perplexity: float | None
    """At temperature 1; None where it was not measured there, or the response cannot be drawn."""
    outside: int | None
    """Tokens it could never draw at the run's decoding; None where it was not measured there."""
    logp: float | None = None
    """Nats of the whole response, at temperature 1."""
    stop_logp: float | None = None
    """The stop token's part of it; None where none was generated, or none was scored."""
    lowest: float | None = None
    """Of its least probable token, at temperature 1."""
    edge: float | None = None
    """By how much its furthest token lies outside the nucleus of the run's decoding, below 0 inside; None where unknown."""
    retokenized: bool = False
    """Its tokens need not be those generated."""
    entropy: float | None = None
    """Summed over the tokens, in nats at temperature 1; None where the scorer did not tell."""
    dtype: str | None = None
    """How it was computed; with a comma between where the decodings were computed in different ways."""
    engine: str | None = None
    """What computed it, the same way; None where nobody noted it."""


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One stored sample."""

    sample_id: int
    problem: ProblemRow
    index: int
    extra: bool
    """Beyond the run's n: leave it out of pass@k."""
    seed: int | None
    finish: Finish
    stop_reason: str | None
    chars: int
    tokens: int | None
    source: str | None
    """The file it came from, as it was named then."""
    line: int | None
    verifier: str | None
    """Whose verdict the outcome is; None where nobody has judged it."""
    version: str | None
    outcome: Outcome | None
    route: str | None
    answer: str | None
    imported: Outcome | None
    """What the file it came from says; None where it says nothing."""
    label: int | None
    """The newest audit label in force, a person's before a judge model's."""
    auditor: str | None
    """Who gave it."""
    scores: Mapping[int, Score]
    """By the scoring model's id."""
    response: str | None = None
    """None where texts were not asked for."""


def count_samples(study: Study, runs: Sequence[RunRow]) -> int:
    """How many samples of these runs are stored."""
    stored = dict(study.query("SELECT run_id, sum(samples + extra) FROM drawn GROUP BY run_id"))
    return sum(stored.get(run.run_id, 0) for run in runs)


def scorers(study: Study) -> list[Scorer]:
    """Models with likelihoods in the study, base first."""
    rows = study.query(_SCORERS)
    names = [slugify(name.rsplit("/", 1)[-1] + ("" if step is None else f"-step-{step}")) for _, name, step in rows]
    told = [name if names.count(name) == 1 else f"{name}-{row[0]}" for name, row in zip(names, rows, strict=True)]
    return [Scorer(row[0], name) for row, name in zip(rows, told, strict=True)]


def by_token(study: Study, sample_id: int) -> dict[int, TokenScores]:
    """The sample token by token, by the id of each model that has gone through it so. Raises DamagedText."""
    return {scorer_id: unpack_scores(data) for scorer_id, data in study.query(_DETAILS, (sample_id,))}


def samples(study: Study, run: RunRow, verifier: str | None = None, *, texts: bool = False) -> Iterator[list[SampleRow]]:
    """Every stored sample of a run, by problem and index. verifier: a name to judge by, or None for the deciding one.

    Raises DamagedText for a response that cannot be read back, where texts are asked for.
    """
    problems = {problem.problem_id: problem for problem in study.problems(run.benchmark)}
    scored = bool(study.query("SELECT 1 FROM likelihood LIMIT 1"))
    for (problem_id,) in study.query(_DRAWN, (run.run_id,)):
        yield from _of_problem(study, run, problems[problem_id], verifier, (texts, scored))


def _of_problem(
    study: Study, run: RunRow, problem: ProblemRow, verifier: str | None, wanted: tuple[bool, bool]
) -> Iterator[list[SampleRow]]:
    """wanted: texts, scores."""
    texts, scored = wanted
    sql = _SAMPLES.format(
        texts=", dictionary_id, text.response" if texts else "",
        join_texts="LEFT JOIN text ON text.sample_id = sample.sample_id" if texts else "",
        standing=STANDING,
    )
    place = {"run_id": run.run_id, "problem_id": problem.problem_id}
    values = place | {"verifier": verifier, "after": -1, "batch": BATCH_TEXTS if texts else BATCH}
    while rows := study.query(sql, values):
        first, last = rows[0][1], rows[-1][1]
        scores = _scores(study, place | {"first": first, "last": last}) if scored else {}
        yield [_row(study, row, problem, scores.get(row[0], {})) for row in rows]
        values["after"] = last


def _scores(study: Study, values: Mapping[str, object]) -> dict[int, dict[int, Score]]:
    """By sample and scorer."""
    found: dict[int, dict[int, Score]] = defaultdict(dict)
    for sample_id, scorer_id, nats_a_token, outside, logp, stop_logp, lowest, edge, anew, *more in study.query(_SCORES, values):
        perplexity = None if nats_a_token is None else exp(nats_a_token)
        found[sample_id][scorer_id] = Score(perplexity, outside, logp, stop_logp, lowest, edge, bool(anew), *more)
    return found


def _row(study: Study, row: tuple[Any, ...], problem: ProblemRow, scores: Mapping[int, Score]) -> SampleRow:
    sample_id, index, extra, seed, finish, stop_reason, chars, tokens, source, line, *judged = row
    verifier, version, outcome, route, answer, imported, label, auditor, *packed = judged
    return SampleRow(
        sample_id=sample_id,
        problem=problem,
        index=index,
        extra=bool(extra),
        seed=seed,
        finish=Finish(finish),
        stop_reason=stop_reason,
        chars=chars,
        tokens=tokens,
        source=source,
        line=line,
        verifier=verifier,
        version=version,
        outcome=outcome and Outcome(outcome),
        route=route,
        answer=answer,
        imported=imported and Outcome(imported),
        label=label,
        auditor=auditor,
        scores=scores,
        response=study.texts.unpack(*packed) if packed and packed[1] is not None else None,
    )
