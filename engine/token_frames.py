"""The columns of `study.frames.tokens()`: one row for each token of a trace and each model that went through it token by token.

Traces are read one after the other, so that what is held beside the columns is one trace. Numbers are as precise as storage
(store/token_scores.py): log-probabilities half floats, the other token's known to about a hundredth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Final

from store.likelihoods import TokenScoreRow, pieces, token_scores
from store.reader import Study
from store.token_scores import TokenScores

_SCORED: Final = """
SELECT slug, run.benchmark, problem.key, idx, sample_id, chars
FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id)
WHERE run.benchmark = ifnull(:benchmark, run.benchmark) AND run.run_id = ifnull(:run_id, run.run_id)
  AND EXISTS (SELECT 1 FROM token_score WHERE token_score.sample_id = sample.sample_id)
ORDER BY sample_id
"""

TOKEN_COLUMNS: Final = {
    "scorer": "name",
    "scorer_revision": "name",
    "place": "count",
    "start": "int64",
    "end": "int64",
    "logp": "float64",
    "entropy": "float64",
    "decoded": "float64",
    "edge": "float64",
    "is_fork": "bool",
    "first_other_text": "string",
    "first_other_logp": "float64",
}
"""Beside those of the sample; types as in `engine.frames`. "name": few values in many rows."""

_SAMPLE: Final = ("run", "benchmark", "problem", "index", "sample_id")


def token_columns(study: Study, benchmark: str | None, run_id: int | None) -> dict[str, list[object]]:
    """By name, in the order of samples, models (base first) and tokens."""
    columns: dict[str, list[object]] = {name: [] for name in (*_SAMPLE, *TOKEN_COLUMNS)}
    read = _Pieces(study)
    for *sample, chars in study.query(_SCORED, {"benchmark": benchmark, "run_id": run_id}):
        for row in token_scores(study, sample[-1]):
            number = len(row.scores.logp)
            same = [*sample, row.scorer.name, row.scorer.revision]
            every = [[value] * number for value in same] + _of_tokens(row.scores, chars) + _of_others(row, read)
            for values, new in zip(columns.values(), every, strict=True):
                values.extend(new)
    return columns


def _of_tokens(scores: TokenScores, chars: int) -> list[Sequence[object]]:
    """From place to edge; what the scorer does not tell is missing."""
    number = len(scores.logp)
    unknown: Sequence[object] = [None] * number
    ends = None if scores.spans is None else [min(at, chars) for at in accumulate(scores.spans, initial=0)]
    told: Iterable[Sequence[float] | None] = (scores.entropy, scores.decoded, scores.edge)
    places = [unknown, unknown] if ends is None else [ends[:-1], ends[1:]]
    return [range(number), *places, scores.logp, *(unknown if one is None else one for one in told)]


def _of_others(row: TokenScoreRow, read: _Pieces) -> list[Sequence[object]]:
    """From is_fork on. None where others are not told, or where the token is so probable that none were kept: no fork then."""
    scores = row.scores
    number = len(scores.logp)
    if scores.others is None:
        return [[None] * number] * 3
    first = {place: others[0] for place, others in scores.others.items() if others}
    texts = read.texts(row.vocabulary, {one.token_id for one in first.values()})
    found = [first.get(place) for place in range(number)]
    return [
        [one is not None and one.logp > logp for one, logp in zip(found, scores.logp, strict=True)],
        [None if one is None else texts.get(one.token_id) for one in found],
        [None if one is None else one.logp for one in found],
    ]


class _Pieces:
    """How tokens read; each is looked up once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._known: dict[str, dict[int, str]] = {}
        self._asked: dict[str, set[int]] = {}

    def texts(self, vocabulary: str, ids: set[int]) -> Mapping[int, str]:
        known, asked = self._known.setdefault(vocabulary, {}), self._asked.setdefault(vocabulary, set())
        if new := ids - asked:
            known.update(pieces(self._study, vocabulary, new))
            asked |= new
        return known
