"""Suspicions of luck, as they are kept: a score for each response that was looked at, and the reasons behind it.

Reading needs the standard library only. What finds them is `engine.suspecting`, what keeps them `basebound index`; each row
says by which version of the rules, and rows of another version are made again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from store.reader import DECIDING, Study
from store.verdicts import storable

_LACKING: Final = f"""
SELECT sample.sample_id FROM sample JOIN problem USING (problem_id) {DECIDING}
WHERE ours.outcome = 'correct' AND NOT EXISTS (
  SELECT 1 FROM suspicion WHERE suspicion.sample_id = sample.sample_id AND suspicion.version = :version)
ORDER BY sample.problem_id, sample.sample_id
"""
_FIRST_REASONS: Final = """
SELECT sample_id, kind || ': ' || detail, min(place) FROM reason
WHERE sample_id IN (SELECT value FROM json_each(?1)) AND (?2 = '[]' OR kind IN (SELECT value FROM json_each(?2)))
GROUP BY sample_id
"""


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """A stored reason: response[start:end] is the text it is about."""

    kind: str
    """As `engine.luck.Kind` has it."""
    start: int
    end: int
    detail: str
    retracted: bool
    """The text takes it back itself."""


@dataclass(frozen=True, slots=True)
class SuspicionRow:
    """What the rules say of one response."""

    sample_id: int
    score: float
    reasons: tuple[ReasonRow, ...]
    """In order of place in the response."""


def suspicions(study: Study, problem_id: int) -> dict[int, float]:
    """Scores of the problem's samples by id; those that nobody looked at are not there."""
    rows = study.query(
        "SELECT sample_id, score FROM suspicion JOIN sample USING (sample_id) WHERE problem_id = ?", (problem_id,)
    )
    return dict(rows)


def scores(study: Study, sample_ids: Sequence[int]) -> dict[int, float]:
    """Scores of these samples, of whatever problems, by id; those that nobody looked at are not there."""
    wanted = "SELECT sample_id, score FROM suspicion WHERE sample_id IN (SELECT value FROM json_each(?))"
    return dict(study.query(wanted, (json.dumps(sample_ids),)))


def first_reasons(study: Study, sample_ids: Sequence[int], kinds: Collection[str] = ()) -> dict[int, str]:
    """What the first reason of each of these samples says, by id. kinds: only reasons of these; empty for any."""
    rows = study.query(_FIRST_REASONS, (json.dumps(sample_ids), json.dumps(sorted(kinds))))
    return {sample_id: said for sample_id, said, _ in rows}


def reasons(study: Study, sample_id: int) -> tuple[ReasonRow, ...] | None:
    """Reasons of one sample in order of place; empty where it was looked at and is clean, None where it was not."""
    if not study.query("SELECT 1 FROM suspicion WHERE sample_id = ?", (sample_id,)):
        return None
    rows = study.query(
        "SELECT kind, start, end, detail, retracted FROM reason WHERE sample_id = ? ORDER BY place", (sample_id,)
    )
    return tuple(ReasonRow(kind, start, end, detail, bool(retracted)) for kind, start, end, detail, retracted in rows)


def lacking(study: Study, version: str) -> list[int]:
    """Ids of the right answers that this version of the rules has not looked at, those of a problem together."""
    return [sample_id for (sample_id,) in study.query(_LACKING, {"version": version, "verifier": None})]


def replace_suspicions(connection: sqlite3.Connection, version: str, found: Sequence[SuspicionRow]) -> None:
    """What is now known of these samples, in place of what was. Within the writer's transaction."""
    ids = [(row.sample_id,) for row in found]
    connection.executemany("DELETE FROM reason WHERE sample_id = ?", ids)
    connection.executemany(
        "INSERT OR REPLACE INTO suspicion (sample_id, version, score) VALUES (?, ?, ?)",
        [(row.sample_id, version, row.score) for row in found],
    )
    connection.executemany(
        "INSERT INTO reason (sample_id, place, kind, start, end, detail, retracted) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (row.sample_id, place, one.kind, one.start, one.end, storable(one.detail), one.retracted)
            for row in found
            for place, one in enumerate(row.reasons)
        ],
    )
