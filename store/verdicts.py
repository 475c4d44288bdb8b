"""Verdicts and the tallies that count them, changed together: call within the writer's transaction.

Verdicts of extra samples are counted apart (`extra_tally`), so that every rate over a benchmark keeps the run's n.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from store.types import Outcome, Verdict

OUTCOMES: Final = tuple(Outcome)

_HAS_EXTRA: Final = "SELECT 1 FROM drawn WHERE run_id = ? AND problem_id = ? AND extra > 0"
_IS_EXTRA: Final = "SELECT extra FROM sample WHERE sample_id = ?"
_ADDED: Final = "SET correct = correct + ?, incorrect = incorrect + ?, no_answer = no_answer + ?, error = error + ?"
_OF: Final = "WHERE run_id = ? AND problem_id = ? AND verifier = ?"

# What makes a row of counts where there is none, and what adds to it.
_TALLY: Final = (
    """INSERT OR IGNORE INTO tally (run_id, problem_id, verifier, origin, correct, incorrect, no_answer, error)
       VALUES (?, ?, ?, 'derived', 0, 0, 0, 0)""",
    f"UPDATE tally {_ADDED} {_OF} AND origin = 'derived'",
)
_EXTRA_TALLY: Final = (
    """INSERT OR IGNORE INTO extra_tally (run_id, problem_id, verifier, correct, incorrect, no_answer, error)
       VALUES (?, ?, ?, 0, 0, 0, 0)""",
    f"UPDATE extra_tally {_ADDED} {_OF}",
)

_WITHIN: Final = "FROM sample WHERE run_id = ? AND problem_id = ? AND idx < ? AND extra"
_SUMS: Final = "count(*), coalesce(sum(finish = 'length'), 0), coalesce(sum(chars), 0)"
_COUNTED: Final = f"""
SELECT verifier.name, {", ".join(f"sum(outcome = '{outcome}')" for outcome in OUTCOMES)}
FROM (SELECT sample_id {_WITHIN}) JOIN verdict USING (sample_id) JOIN verifier USING (verifier_id) GROUP BY verifier.name
"""

Changes = Counter[tuple[bool, int, int, Outcome]]
"""By extra or not, run, problem and outcome: how many verdicts more."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on its way to a stored sample."""

    sample_id: int
    run_id: int
    problem_id: int
    verdict: Verdict


def insert_verdicts(connection: sqlite3.Connection, verifier: str, version: str, judged: Sequence[Judged]) -> None:
    """Store verdicts of samples that have none by this verifier."""
    verifier_id = _verifier_id(connection, verifier, version)
    connection.executemany(
        """INSERT INTO verdict (sample_id, verifier_id, outcome, route, answer, answer_start, answer_end, detail)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        [(row.sample_id, verifier_id, *_values(row.verdict)) for row in judged],
    )
    connection.executemany(
        """INSERT INTO reading (sample_id, verifier_id, rule, outcome, answer, answer_start, answer_end)
           VALUES (?, ?, ?, ?, ?, ?, ?)""",
        [
            (row.sample_id, verifier_id, r.rule, r.outcome, storable(r.answer), *(r.span or (None, None)))
            for row in judged
            for r in row.verdict.readings
        ],
    )
    extra = _extra_among(connection, judged)
    changes = Counter((row.sample_id in extra, row.run_id, row.problem_id, row.verdict.outcome) for row in judged)
    _change_tallies(connection, verifier, changes)


def drop_verdicts(connection: sqlite3.Connection, verifier: str, judged: Sequence[Judged]) -> None:
    """Take away what any version of the verifier said of these samples."""
    old = []
    extra = _extra_among(connection, judged)
    changes: Changes = Counter()
    for row in judged:
        for verifier_id, outcome in connection.execute(
            "SELECT verifier_id, outcome FROM verdict JOIN verifier USING (verifier_id) WHERE sample_id = ? AND name = ?",
            (row.sample_id, verifier),
        ):
            old.append((row.sample_id, verifier_id))
            changes[row.sample_id in extra, row.run_id, row.problem_id, Outcome(outcome)] -= 1
    connection.executemany("DELETE FROM reading WHERE sample_id = ? AND verifier_id = ?", old)
    connection.executemany("DELETE FROM verdict WHERE sample_id = ? AND verifier_id = ?", old)
    _change_tallies(connection, verifier, changes)


def storable(text: str | None) -> str | None:
    """SQLite's TEXT holds no lone surrogates (broken UTF-8 in the source); the response itself keeps them."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


def admit_extra(connection: sqlite3.Connection, run_id: int, problem_id: int, n: int) -> int:
    """The problem's extra samples below index n become regular ones, with their counts. Returns how many those were.

    That biases nothing: what a sample is depends on its seed, never on why it was drawn. Which samples are counted depends on
    n alone, once every problem has the same.
    """
    place = (run_id, problem_id, n)
    (samples, truncated, chars) = connection.execute(f"SELECT {_SUMS} {_WITHIN}", place).fetchone()
    for verifier, *counts in connection.execute(_COUNTED, place).fetchall():
        key = (run_id, problem_id, verifier)
        for (make, add), sign in ((_TALLY, 1), (_EXTRA_TALLY, -1)):
            connection.execute(make, key)
            connection.execute(add, (*(sign * count for count in counts), *key))
    connection.execute(
        """UPDATE drawn SET samples = samples + ?, truncated = truncated + ?, chars = chars + ?, extra = extra - ?
           WHERE run_id = ? AND problem_id = ?""",
        (samples, truncated, chars, samples, run_id, problem_id),
    )
    connection.execute("UPDATE sample SET extra = 0 WHERE run_id = ? AND problem_id = ? AND idx < ? AND extra", place)
    return int(samples)


def _extra_among(connection: sqlite3.Connection, judged: Sequence[Judged]) -> set[int]:
    """Ids of those that are extra. Samples are looked up only where a run has drawn extra ones of the problem."""
    pairs = {(row.run_id, row.problem_id) for row in judged}
    odd = {pair for pair in pairs if connection.execute(_HAS_EXTRA, pair).fetchone()}
    asked = (row.sample_id for row in judged if (row.run_id, row.problem_id) in odd)
    return {sample_id for sample_id in asked if connection.execute(_IS_EXTRA, (sample_id,)).fetchone()[0]}


def _change_tallies(connection: sqlite3.Connection, verifier: str, changes: Changes) -> None:
    for extra, (make, add) in ((False, _TALLY), (True, _EXTRA_TALLY)):
        pairs = sorted({(run_id, problem_id) for apart, run_id, problem_id, _ in changes if apart is extra})
        connection.executemany(make, [(*pair, verifier) for pair in pairs])
        rows = [(*(changes[(extra, *pair, outcome)] for outcome in OUTCOMES), *pair, verifier) for pair in pairs]
        connection.executemany(add, rows)


def _verifier_id(connection: sqlite3.Connection, name: str, version: str) -> int:
    connection.execute("INSERT OR IGNORE INTO verifier (name, version) VALUES (?, ?)", (name, version))
    row = connection.execute("SELECT verifier_id FROM verifier WHERE name = ? AND version = ?", (name, version)).fetchone()
    return int(row[0])


def _values(verdict: Verdict) -> tuple[object, ...]:
    start, end = verdict.span or (None, None)
    return (verdict.outcome, verdict.route, storable(verdict.answer), start, end, storable(verdict.detail))
