"""One trace token by token: its tokens as places in the text, and what every model that has gone through it says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Final

from engine.analyses.parting import Parting, part
from engine.analyses.support import excludes, margin_of
from engine.steps import split_steps
from store.likelihoods import TokenScoreRow, pieces, token_scores
from store.reader import Study
from store.types import Model, Role

_OF_TRACE: Final = "SELECT name, revision FROM sample JOIN run USING (run_id) JOIN model USING (model_id) WHERE sample_id = ?"

_SUMS: Final = """
SELECT name, revision, role, step, tokens, logp, stop_logp, retokenized, dtype
FROM likelihood JOIN model ON model_id = scorer_id
WHERE sample_id = ? AND temperature = 1 AND top_p = 1 AND top_k = 0
ORDER BY CASE role WHEN 'base' THEN 0 ELSE 1 END, scorer_id
"""


@dataclass(frozen=True, slots=True)
class TraceTokens:
    """A trace's tokens, and every model's scores of these very tokens."""

    sample_id: int
    response: str
    """As it came."""
    tokens: int
    starts: Sequence[int] | None
    """[tokens + 1] First character of each token, and the end of the last. A token that brings no character has the next one's
    start. None where the tokens' places in the text are unknown: they read otherwise than it does."""
    steps: Sequence[int]
    """First character of each step."""
    own: TokenScoreRow | None
    """By the model that drew the trace; None where it has not gone through it."""
    others: tuple[TokenScoreRow, ...]
    """By others, a base model first."""
    pieces: Mapping[int, str]
    """How tokens read that a model would rather have had, by id. Some may be missing: nobody has stored them."""
    elsewhere: tuple[Model, ...] = ()
    """Models whose scores are of other tokens (another vocabulary, or the text tokenized anew): they cannot stand beside."""

    @property
    def rows(self) -> tuple[TokenScoreRow, ...]:
        """Of every model, own first."""
        return ((self.own,) if self.own is not None else ()) + self.others

    def text(self, place: int) -> str | None:
        """What the token brings to the response: "" for a stop token or a part of a character; None where it is unknown."""
        return None if self.starts is None else self.response[self.starts[place] : self.starts[place + 1]]

    @property
    def reference(self) -> TokenScoreRow:
        """What others are held against: own, or where that has not gone through the trace (a person's, an imported model's),
        the first of the others, a base model's before others."""
        return self.rows[0]

    def parting(self, other: TokenScoreRow | None = None) -> Parting:
        """The reference against that other model, by default the next one. One model alone where there is no second, or
        where it is the reference that was named."""
        beside = (*self.rows[1:], None)[0] if other is None else None if other is self.reference else other
        return part(self.reference.scores, None if beside is None else beside.scores, self.steps)


@dataclass(frozen=True, slots=True)
class TraceSum:
    """What one model thinks of a whole trace at temperature 1, in full precision."""

    scorer: Model
    tokens: int
    nats: float | None
    """None: it holds a token that the model can never say."""
    stop: float | None
    """The stop token's part; None where none was generated."""
    retokenized: bool
    dtype: str


def trace_tokens(study: Study, sample_id: int) -> TraceTokens | None:
    """One trace token by token; None where no model has gone through it that way. Raises DamagedText."""
    rows = token_scores(study, sample_id)
    if not rows:
        return None
    ((name, revision),) = study.query(_OF_TRACE, (sample_id,))
    own = next((row for row in rows if is_model(row.scorer, name, revision)), None)
    alike = [row for row in rows if _same_tokens(row, own or rows[0])]
    response = study.texts.response(sample_id)
    spans = next((row.scores.spans for row in alike if row.scores.spans is not None), None)
    ids = {one.token_id for row in alike for others in (row.scores.others or {}).values() for one in others}
    return TraceTokens(
        sample_id=sample_id,
        response=response,
        tokens=len(alike[0].scores.logp),
        starts=None if spans is None else _starts(spans, len(response)),
        steps=[step.start for step in split_steps(response)],
        own=own,
        others=tuple(row for row in alike if row is not own),
        pieces=pieces(study, alike[0].vocabulary, ids),
        elsewhere=tuple(row.scorer for row in rows if not any(row is one for one in alike)),
    )


def trace_sums(study: Study, sample_id: int) -> list[TraceSum]:
    """By every model that has scored the trace at temperature 1, a base model first."""
    return [
        TraceSum(Model(name, revision, Role(role), step=step), tokens, logp, stop, bool(anew), dtype)
        for name, revision, role, step, tokens, logp, stop, anew, dtype in study.query(_SUMS, (sample_id,))
    ]


def forbidden(row: TokenScoreRow, dtype: str) -> list[int] | None:
    """Places of the tokens that the scorer can never draw at the decoding its scores are of, up to the margin of its arithmetic
    (`engine.analyses.support`). None where that decoding excludes no token, or the scorer does not tell.

    dtype: what it computed in, as `TraceSum` has it.
    """
    scores = row.scores
    if not excludes(row.top_p, row.top_k):
        return None
    if scores.edge is not None:
        margin = margin_of(dtype, row.top_p)
        return [place for place, edge in enumerate(scores.edge) if edge >= margin]
    return None if scores.decoded is None else [place for place, logp in enumerate(scores.decoded) if logp == -inf]


def is_model(model: Model, name: str, revision: str) -> bool:
    """Weights are known by name and revision; the rest says where they come from."""
    return (model.name, model.revision) == (name, revision)


def _same_tokens(row: TokenScoreRow, like: TokenScoreRow) -> bool:
    one, other = row.scores, like.scores
    if row.vocabulary != like.vocabulary or len(one.logp) != len(other.logp):
        return False
    return one.spans is None or other.spans is None or list(one.spans) == list(other.spans)


def _starts(spans: Sequence[int], chars: int) -> list[int]:
    starts = list(accumulate(spans, initial=0))
    return starts if starts[-1] <= chars else [min(at, chars) for at in starts]
