"""Nucleus support: can a scorer draw a response at all, at the decoding that it was drawn with?

A response is supported where every token lies in the scorer's nucleus (top-p) and among its top-k, after the temperature. The
edge of a response is the largest, over its tokens, of (mass of the tokens more probable than it) - top_p: below 0 every token
is in. Rounding moves a mass, so a response counts as supported up to a margin, edge < margin; and base's own responses, scored
again, are the null: what is missing there from 100 % is the arithmetic's doing and nothing else.

One token outside forbids that exact trace and says nothing of another with the same reasoning. A decoding without top-p and
top-k excludes no token, so there is nothing to tell. Standard library only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from store.likelihoods import LikelihoodRow
from store.types import Outcome

MARGINS: Final[Mapping[str, float]] = MappingProxyType({"float64": 1e-9, "float32": 1e-4, "float16": 5e-3, "bfloat16": 2e-2})
"""By the dtype that the scorer's model computes in: how far rounding moves the mass of the more probable tokens.

Logits of about 30 lie 2e-6, 0.016 and 0.125 nats apart in float32, float16 and bfloat16. A mass p moves by p (1 - p) / T of
such an error, at top-p 0.95 and T 0.6 by 8 % of it: 1.5e-7, 1.2e-3 and 1e-2. The margins are two to four times that; in float32
some hundred times, since the sums before the logits are taken in another order by every kernel. A margin is a choice: `near`
tells how many responses hang on it, and what it cannot catch (two tokens exactly as probable, told apart by rounding) is in the
null."""

WIDEST: Final = max(MARGINS.values())


@dataclass(frozen=True, slots=True)
class Support:
    """Responses of one run under one scorer, at one decoding."""

    run_id: int
    scorer: str
    revision: str
    temperature: float
    top_p: float
    top_k: int
    dtypes: tuple[str, ...]
    margin: float
    """The widest of the rows' margins; 0 where it would swallow the nucleus (`margin_of`)."""
    responses: int
    inside: int
    """Supported, up to the margin."""
    strictly: int
    """Supported without any margin."""
    near: int
    """Whose edge is nearer to 0 than the margin: rounding may have put them on either side."""
    without_edge: int
    """The study knows no edge of them (scored before there was one): judged by their tokens outside, without a margin."""
    correct: int
    """Responses that are correct, and of those the ones inside."""
    correct_inside: int
    forbidding: float | None
    """Tokens that forbid a response which is not supported, the mean over those; None where all are."""
    forbidding_tokens: int
    """Tokens outside, of all responses and without a margin; and how many tokens there are."""
    tokens: int
    truncated: int
    retokenized: int
    """Their text was tokenized anew: that these tokens cannot be drawn does not say so of those generated."""
    problems: Mapping[int, tuple[int, int]]
    """By problem_id: inside, responses."""

    @property
    def tells(self) -> bool:
        """Does the decoding exclude any token?"""
        return excludes(self.top_p, self.top_k)

    @property
    def share(self) -> float:
        """Of all responses: problems with more of them weigh more."""
        return self.inside / self.responses

    @property
    def over_problems(self) -> float:
        """The mean over problems of the share: each weighs the same."""
        return sum(inside / responses for inside, responses in self.problems.values()) / len(self.problems)

    @property
    def correct_share(self) -> float | None:
        return self.correct_inside / self.correct if self.correct else None


def excludes(top_p: float, top_k: int) -> bool:
    return top_p < 1 or top_k > 0


@lru_cache(maxsize=64)
def margin_of(dtype: str, top_p: float) -> float:
    """The margin of a scorer's arithmetic at this top_p; of one that is not listed (a server's quantized model), the widest.

    0 where the margin is not below 1 - top_p: no token's edge is above 1 - top_p, so such a margin would forgive everything.
    """
    margin = MARGINS.get(dtype, WIDEST)
    return margin if margin < 1 - top_p else 0.0


def is_inside(row: LikelihoodRow, *, strictly: bool = False) -> bool:
    """Is the response supported? A row without an edge is judged by its tokens outside, without a margin.

    What top-k cuts off has all mass above it, an edge of 1 - top_p, so that no margin forgives it.
    """
    if row.edge is None:
        return row.outside == 0
    return row.edge < (0.0 if strictly else margin_of(row.dtype, row.top_p))


def supports(rows: Iterable[LikelihoodRow]) -> list[Support]:
    """One for each run, scorer and decoding other than the plain one, in that order."""
    groups: dict[tuple[int, str, str, float, float, int], list[LikelihoodRow]] = defaultdict(list)
    for row in rows:
        if not row.is_plain and row.tokens:
            groups[row.run_id, row.scorer, row.revision, row.temperature, row.top_p, row.top_k].append(row)
    return [_support(key, group) for key, group in sorted(groups.items())]


def _support(key: tuple[int, str, str, float, float, int], rows: Sequence[LikelihoodRow]) -> Support:
    inside = [is_inside(row) for row in rows]
    forbidden = [row.outside for row, held in zip(rows, inside, strict=True) if not held]
    right = [held for row, held in zip(rows, inside, strict=True) if row.outcome is Outcome.CORRECT]
    edges = [(abs(row.edge), margin_of(row.dtype, row.top_p)) for row in rows if row.edge is not None]
    dtypes = tuple(sorted({row.dtype for row in rows}))
    return Support(
        *key,
        dtypes=dtypes,
        margin=max(margin_of(dtype, key[4]) for dtype in dtypes),
        responses=len(rows),
        inside=sum(inside),
        strictly=sum(is_inside(row, strictly=True) for row in rows),
        near=sum(edge < margin for edge, margin in edges),
        without_edge=len(rows) - len(edges),
        correct=len(right),
        correct_inside=sum(right),
        forbidding=sum(forbidden) / len(forbidden) if forbidden else None,
        forbidding_tokens=sum(row.outside for row in rows),
        tokens=sum(row.tokens for row in rows),
        truncated=sum(row.truncated for row in rows),
        retokenized=sum(row.retokenized for row in rows),
        problems=MappingProxyType(_by_problem(rows, inside)),
    )


def _by_problem(rows: Sequence[LikelihoodRow], inside: Sequence[bool]) -> dict[int, tuple[int, int]]:
    found: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for row, held in zip(rows, inside, strict=True):
        counts = found[row.problem_id]
        counts[0] += held
        counts[1] += 1
    return {problem: (counts[0], counts[1]) for problem, counts in sorted(found.items())}
