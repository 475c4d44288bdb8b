"""Likelihoods of one transaction on their way into the tables: likelihood, token_score, piece."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from store.token_scores import TokenScores, pack_scores
from store.types import Likelihood

_LIKELIHOOD: Final = """
INSERT OR REPLACE INTO likelihood
  (sample_id, scorer_id, temperature, top_p, top_k, tokens, logp, outside, stop_logp, dtype,
   entropy, lowest, lowest_at, first_choices, edge, retokenized, engine)
VALUES (:sample_id, :scorer_id, :temperature, :top_p, :top_k, :tokens, :logp, :outside, :stop_logp, :dtype,
        :entropy, :lowest, :lowest_at, :first_choices, :edge, :retokenized, :engine)
"""

_EACH: Final = """
INSERT OR REPLACE INTO token_score (sample_id, scorer_id, temperature, top_p, top_k, vocabulary, data)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True, slots=True)
class NewTokenScores:
    """One response token by token."""

    sample_id: int
    temperature: float
    top_p: float
    top_k: int
    """The decoding that `scores.decoded` and `scores.edge` are of; 1, 1, 0 where there is none but the model's own."""
    vocabulary: str
    scores: TokenScores


def insert_likelihoods(
    connection: sqlite3.Connection, scorer_id: int, dtype: str, engine: str, found: Sequence[Likelihood]
) -> None:
    by = {"scorer_id": scorer_id, "dtype": dtype, "engine": engine}
    connection.executemany(_LIKELIHOOD, [asdict(one) | by for one in found])


def insert_token_scores(
    connection: sqlite3.Connection, scorer_id: int, by_token: Sequence[NewTokenScores], pieces: Mapping[int, str]
) -> None:
    """pieces: of the one vocabulary that all of these have."""
    connection.executemany(
        _EACH,
        [
            (one.sample_id, scorer_id, one.temperature, one.top_p, one.top_k, one.vocabulary, pack_scores(one.scores))
            for one in by_token
        ],
    )
    for vocabulary in {one.vocabulary for one in by_token}:
        read = [(vocabulary, token_id, text) for token_id, text in pieces.items()]
        connection.executemany("INSERT OR IGNORE INTO piece (vocabulary, token_id, text) VALUES (?, ?, ?)", read)
