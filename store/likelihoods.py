"""Reading likelihoods: what is still to be scored, the sums, and responses token by token.

Functions over an open `Study`, standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from store.errors import DamagedText
from store.reader import Study
from store.token_scores import TokenScores, unpack_scores
from store.tokens import unpack_ids
from store.types import Finish, Model, Outcome, Role

AT_ONCE: Final = 2_048
"""Samples of one look at ids or texts."""

_STATES: Final = """
SELECT sample.sample_id,
  (SELECT 1 + (entropy IS NOT NULL) FROM likelihood WHERE likelihood.sample_id = sample.sample_id AND scorer_id = :scorer_id
   AND temperature = :temperature AND top_p = :top_p AND top_k = :top_k),
  EXISTS (SELECT 1 FROM token_score WHERE token_score.sample_id = sample.sample_id AND scorer_id = :scorer_id
          AND temperature = :temperature AND top_p = :top_p AND top_k = :top_k)
FROM sample WHERE run_id = :run_id ORDER BY sample_id
"""

# After a stop string the last id is a token like any other.
_ENDED_BY_ID: Final = """
  finish = 'stop' AND coalesce(stop_reason NOT IN (SELECT value FROM json_each(iif(json_valid(run.stop), run.stop, '[]'))), 1)
"""

_TO_SCORE: Final = f"""
SELECT sample_id, sample.problem_id, prompt.ids, token.ids, vocabulary, {_ENDED_BY_ID}, finish
FROM json_each(?) AS wanted JOIN sample ON sample_id = wanted.value JOIN run USING (run_id)
LEFT JOIN token USING (sample_id) LEFT JOIN batch USING (batch_id)
LEFT JOIN prompt ON prompt.run_id = sample.run_id AND prompt.problem_id = sample.problem_id
ORDER BY sample_id
"""

_SCORER_ID: Final = "SELECT model_id FROM model WHERE name = ? AND revision = ?"

_ROWS: Final = """
SELECT sample.sample_id, sample.run_id, sample.problem_id, idx, scorer.name, scorer.revision, likelihood.temperature,
       likelihood.top_p, likelihood.top_k, outcome, sample.finish = 'length', chars, likelihood.tokens, likelihood.logp,
       outside, stop_logp, entropy, lowest, lowest_at, first_choices, edge, retokenized, dtype
FROM likelihood JOIN sample USING (sample_id) JOIN problem USING (problem_id)
JOIN model AS scorer ON scorer.model_id = scorer_id
LEFT JOIN (SELECT sample_id, verifier.name AS verifier, outcome FROM verdict JOIN verifier USING (verifier_id)) AS judged
  ON judged.sample_id = likelihood.sample_id AND judged.verifier = problem.kind
WHERE NOT extra AND problem.benchmark = ifnull(:benchmark, problem.benchmark)
"""

_EACH: Final = """
SELECT name, revision, role, parent, algorithm, step, training_seed, temperature, top_p, top_k, vocabulary, data
FROM token_score JOIN model ON model_id = scorer_id WHERE sample_id = ?
ORDER BY CASE role WHEN 'base' THEN 0 ELSE 1 END, scorer_id
"""

_DETAILED: Final = """
SELECT sample.sample_id FROM token_score JOIN sample USING (sample_id) JOIN model ON model_id = scorer_id
WHERE run_id = ? AND name = ? AND revision = ? ORDER BY sample_id
"""

_PIECES: Final = """
SELECT token_id, text FROM piece WHERE vocabulary = ? AND token_id IN (SELECT value FROM json_each(?))
"""


@dataclass(frozen=True, slots=True)
class ScoreState:
    """What is there of one sample under one scorer at one decoding."""

    sample_id: int
    summed: bool
    whole: bool
    """With its entropy, lowest token and edge: an older program, or a scorer that cannot tell, left them out."""
    detailed: bool
    """Token by token, too."""


@dataclass(frozen=True, slots=True)
class ToScore:
    """A response with the prompt it answers, as token ids where they are known."""

    sample_id: int
    problem_id: int
    prompt: list[int] | None
    """None where its run has none (an imported one)."""
    ids: list[int] | None
    """As generated; None where nobody knows."""
    vocabulary: str | None
    """Under which the ids mean something."""
    stopped: bool
    """The last id is the stop token's."""
    finish: Finish


@dataclass(frozen=True, slots=True)
class LikelihoodRow:
    """What one model thinks of one response at one decoding; sums as in `store.types.Likelihood`."""

    sample_id: int
    run_id: int
    problem_id: int
    idx: int
    scorer: str
    revision: str
    temperature: float
    top_p: float
    top_k: int
    outcome: Outcome | None
    """By our verifier for the problem's kind; None where it has not judged."""
    truncated: bool
    chars: int
    tokens: int
    logp: float | None
    """None: the decoding can never draw it."""
    outside: int
    stop_logp: float | None = None
    entropy: float | None = None
    lowest: float | None = None
    lowest_at: int | None = None
    first_choices: int | None = None
    edge: float | None = None
    retokenized: bool = False
    dtype: str = "float64"

    @property
    def is_plain(self) -> bool:
        """Of the model's own distribution, at which perplexity is measured."""
        return self.temperature == 1 and self.top_p == 1 and self.top_k == 0


@dataclass(frozen=True, slots=True)
class TokenScoreRow:
    """A response token by token under one scorer."""

    scorer: Model
    temperature: float
    top_p: float
    top_k: int
    """The decoding that `scores.decoded` and `scores.edge` are of."""
    vocabulary: str
    scores: TokenScores


def score_states(study: Study, run_id: int, scorer: Model, decoding: Sequence[float]) -> list[ScoreState]:
    """Of every sample of the run, by id. decoding: (temperature, top_p, top_k)."""
    found = study.query(_SCORER_ID, (scorer.name, scorer.revision))
    temperature, top_p, top_k = decoding
    values = {"run_id": run_id, "scorer_id": found[0][0] if found else -1}
    rows = study.query(_STATES, values | {"temperature": temperature, "top_p": top_p, "top_k": top_k})
    return [ScoreState(sample_id, bool(sums), sums == 2, bool(detailed)) for sample_id, sums, detailed in rows]


def to_score(study: Study, sample_ids: Sequence[int]) -> list[ToScore]:
    """Prompts and ids of these samples, by id. A few thousand at a time."""
    return [
        ToScore(
            sample_id,
            problem_id,
            None if prompt is None else unpack_ids(prompt),
            None if ids is None else unpack_ids(ids),
            vocabulary,
            bool(stopped),
            Finish(finish),
        )
        for sample_id, problem_id, prompt, ids, vocabulary, stopped, finish in study.query(
            _TO_SCORE, (json.dumps(list(sample_ids)),)
        )
    ]


def dtypes(study: Study, run_id: int, scorer: Model) -> list[str]:
    """In which the scorer has computed what is there of the run."""
    sql = """SELECT DISTINCT dtype FROM likelihood JOIN sample USING (sample_id) JOIN model ON model_id = scorer_id
             WHERE run_id = ? AND name = ? AND revision = ? ORDER BY dtype"""
    return [dtype for (dtype,) in study.query(sql, (run_id, scorer.name, scorer.revision))]


def without_ids(study: Study, run_id: int) -> int:
    """Samples of the run whose token ids are not known: imported ones."""
    sql = "SELECT count(*) FROM sample LEFT JOIN token USING (sample_id) WHERE run_id = ? AND token.sample_id IS NULL"
    count: int = study.query(sql, (run_id,))[0][0]
    return count


def likelihoods(study: Study, benchmark: str | None = None) -> list[LikelihoodRow]:
    """All but those of extra samples: what is compared are means over runs, and those are of problems that a plan chose."""
    return list(_likelihood_rows(study, benchmark))


def _likelihood_rows(study: Study, benchmark: str | None) -> Iterator[LikelihoodRow]:
    for row in study.query(_ROWS, {"benchmark": benchmark}):
        outcome, truncated, anew = row[9], bool(row[10]), bool(row[21])
        told = None if outcome is None else Outcome(outcome)
        yield LikelihoodRow(*[*row[:9], told, truncated, *row[11:21], anew, row[22]])


def token_scores(study: Study, sample_id: int) -> list[TokenScoreRow]:
    """By every scorer that has gone through the sample token by token, a base model first. Raises DamagedText."""
    return [
        TokenScoreRow(
            Model(name, revision, Role(role), *more), t, top_p, top_k, vocabulary, _unpacked(study, sample_id, name, data)
        )
        for name, revision, role, *more, t, top_p, top_k, vocabulary, data in study.query(_EACH, (sample_id,))
    ]


def _unpacked(study: Study, sample_id: int, scorer: str, data: bytes) -> TokenScores:
    try:
        return unpack_scores(data)
    except DamagedText as error:
        raise DamagedText(f"{study.path}: the token scores of sample {sample_id} by {scorer} {error}") from None


def detailed_samples(study: Study, run_id: int, scorer: Model) -> list[int]:
    """Ids of the run's samples that the scorer has gone through token by token."""
    return [sample_id for (sample_id,) in study.query(_DETAILED, (run_id, scorer.name, scorer.revision))]


def is_detailed(study: Study, sample_id: int) -> bool:
    """Whether some model has gone through the sample token by token; the scores are not read."""
    return bool(study.query("SELECT 1 FROM token_score WHERE sample_id = ? LIMIT 1", (sample_id,)))


def pieces(study: Study, vocabulary: str, ids: Iterable[int]) -> dict[int, str]:
    """How these tokens read; those that nobody has stored are left out."""
    return dict(study.query(_PIECES, (vocabulary, json.dumps(sorted(set(ids))))))
