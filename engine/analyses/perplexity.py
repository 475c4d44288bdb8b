"""Perplexity of responses under a model: exp of the mean negative log-probability a token, at temperature 1.

PPL_m(Y|x) = exp(-(1/T) sum_t log P_m(y_t | x, y_<t)) over the response's T tokens, the stop token among them where there is
one (Yue et al. 2025, arXiv 2504.13837, section 4.1). It says nothing of whether the token that decides can be reached; next to
it stands the nucleus support: the share of responses that the scorer could emit at all under the run's own decoding.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp
from statistics import median

from store.measures import LikelihoodRow
from store.types import Outcome


@dataclass(frozen=True, slots=True)
class Perplexity:
    """What one model thinks of one run's responses."""

    run_id: int
    scorer: str
    revision: str
    responses: int
    """Scored at temperature 1."""
    median: float
    """Of the responses' perplexities."""
    median_correct: float | None
    """Of the correct ones'; None where there are none."""
    supported: float | None
    """Share of the responses scored at the run's decoding all of whose tokens that decoding can draw from the scorer."""


def perplexities(rows: Iterable[LikelihoodRow]) -> list[Perplexity]:
    """One for each run and scorer, in the order of both."""
    groups: dict[tuple[int, str, str], list[LikelihoodRow]] = {}
    for row in rows:
        groups.setdefault((row.run_id, row.scorer, row.revision), []).append(row)
    return [_perplexity(*key, group) for key, group in sorted(groups.items())]


def _perplexity(run_id: int, scorer: str, revision: str, rows: list[LikelihoodRow]) -> Perplexity:
    plain = [row for row in rows if _is_plain(row) and row.logp is not None and row.tokens]
    decoded = [row for row in rows if not _is_plain(row)] or plain
    correct = [row for row in plain if row.outcome is Outcome.CORRECT]
    return Perplexity(
        run_id=run_id,
        scorer=scorer,
        revision=revision,
        responses=len(plain),
        median=_median(plain) or float("nan"),
        median_correct=_median(correct),
        supported=sum(not row.outside for row in decoded) / len(decoded) if decoded else None,
    )


def _is_plain(row: LikelihoodRow) -> bool:
    return row.temperature == 1 and row.top_p == 1 and row.top_k == 0


def _median(rows: list[LikelihoodRow]) -> float | None:
    return median(exp(-(row.logp or 0.0) / row.tokens) for row in rows) if rows else None
