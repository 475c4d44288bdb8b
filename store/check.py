"""Is a study sound? Structure only: what SQLite says, and whether all that is derived can be derived again.

Re-judging traces is the engine's part (`engine.judging.recheck`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from math import fsum
from pathlib import Path
from typing import Final

from store.errors import DamagedText
from store.files import connect_readonly, explained
from store.reader import Study
from store.texts import TextReader
from store.token_scores import unpack_scores
from store.tokens import unpack_ids
from store.types import Run

_TALLIES: Final = """
WITH counted AS (
  SELECT run_id, problem_id, verifier.name AS verifier,
         sum(outcome = 'correct') AS correct, sum(outcome = 'incorrect') AS incorrect,
         sum(outcome = 'no_answer') AS no_answer, sum(outcome = 'error') AS error
  FROM verdict JOIN sample USING (sample_id) JOIN verifier USING (verifier_id)
  WHERE extra = {extra} GROUP BY run_id, problem_id, verifier.name
), kept AS (
  SELECT run_id, problem_id, verifier, correct, incorrect, no_answer, error FROM {table}
  WHERE correct + incorrect + no_answer + error > 0
), odd AS (
  SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)
  UNION SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)
)
SELECT DISTINCT slug, problem.benchmark, problem.key, odd.verifier
FROM odd JOIN run USING (run_id) JOIN problem USING (problem_id)
"""

_COUNTED_APART: Final = (
    ("tally", _TALLIES.format(table="(SELECT * FROM tally WHERE origin = 'derived')", extra=0)),
    ("tally of extra samples", _TALLIES.format(table="extra_tally", extra=1)),
)

_DRAWN: Final = """
WITH counted AS (
  SELECT run_id, problem_id, sum(NOT extra) AS samples, sum(NOT extra AND finish = 'length') AS truncated,
         sum(CASE WHEN extra THEN 0 ELSE chars END) AS chars, sum(extra) AS extra
  FROM sample GROUP BY run_id, problem_id
), kept AS (
  SELECT run_id, problem_id, samples, truncated, chars, extra FROM drawn
), odd AS (
  SELECT * FROM (SELECT * FROM counted EXCEPT SELECT * FROM kept)
  UNION SELECT * FROM (SELECT * FROM kept EXCEPT SELECT * FROM counted)
)
SELECT DISTINCT slug, problem.benchmark, problem.key FROM odd JOIN run USING (run_id) JOIN problem USING (problem_id)
"""

_TWO_VERSIONS: Final = """
SELECT sample_id, name FROM verdict JOIN verifier USING (verifier_id) GROUP BY sample_id, name HAVING count(*) > 1
"""

_BAD_SPANS: Final = """
SELECT sample_id, verifier.name FROM verdict JOIN sample USING (sample_id) JOIN verifier USING (verifier_id)
WHERE answer_start < 0 OR answer_end < answer_start OR answer_end > chars
"""

_WRONG_BENCHMARK: Final = """
SELECT sample_id, slug FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id)
WHERE run.benchmark <> problem.benchmark
"""

_BAD_REASONS: Final = """
SELECT DISTINCT sample_id FROM reason LEFT JOIN suspicion USING (sample_id) JOIN sample USING (sample_id)
WHERE suspicion.sample_id IS NULL OR start < 0 OR end < start OR end > chars
"""

_SCORED: Final = """
SELECT token_score.sample_id, model.name, chars, likelihood.tokens, likelihood.logp, data
FROM token_score JOIN sample USING (sample_id) JOIN model ON model_id = token_score.scorer_id
LEFT JOIN likelihood ON likelihood.sample_id = token_score.sample_id AND likelihood.scorer_id = token_score.scorer_id
  AND likelihood.temperature = 1 AND likelihood.top_p = 1 AND likelihood.top_k = 0
"""

_INDEXED: Final = "SELECT 1 FROM sqlite_schema WHERE name = 'words_docsize'"

# What is newer than the index is no fault: a search reads it. Shadow tables can be read where SQLite lacks the index's module.
_NOT_INDEXED: Final = """
SELECT count(*) FROM text LEFT JOIN words_docsize ON id = sample_id
WHERE sample_id <= (SELECT max(id) FROM words_docsize) AND id IS NULL
"""
_NO_SAMPLE: Final = "SELECT count(*) FROM words_docsize LEFT JOIN text ON sample_id = id WHERE sample_id IS NULL"


def check_structure(path: Path) -> Iterator[str]:
    """One sentence per problem found; none for a sound study. Reads every text.

    Raises NotAStudy, WrongSchema or StudyBusy where the file cannot be read as a study at all.
    """
    connection = connect_readonly(path)
    try:
        with explained(path):
            yield from _sqlite(connection)
            for what, tallies in _COUNTED_APART:
                for slug, benchmark, key, verifier in connection.execute(tallies):
                    yield f"{what} of {slug} on {benchmark}:{key} by {verifier} differs from its verdicts"
            for slug, benchmark, key in connection.execute(_DRAWN):
                yield f"sample count of {slug} on {benchmark}:{key} differs from its samples"
            for sample_id, name in connection.execute(_TWO_VERSIONS):
                yield f"sample {sample_id} has two verdicts by {name}"
            for sample_id, name in connection.execute(_BAD_SPANS):
                yield f"the place of the answer in sample {sample_id} by {name} lies outside its text"
            for sample_id, slug in connection.execute(_WRONG_BENCHMARK):
                yield f"sample {sample_id} of {slug} belongs to another benchmark's problem"
            for (sample_id,) in connection.execute(_BAD_REASONS):
                yield f"a reason for suspicion of sample {sample_id} lies outside its text, or has no score"
            yield from _words(connection)
            yield from _texts(connection)
            yield from _tokens(connection)
            yield from _prompts(connection)
            yield from _token_scores(connection)
    finally:
        connection.close()
    yield from _run_keys(path)


def _sqlite(connection: sqlite3.Connection) -> Iterator[str]:
    for (message,) in connection.execute("PRAGMA integrity_check"):
        if message != "ok":
            yield f"SQLite: {message}"
    for table, rowid, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield f"row {rowid} of {table} points to a missing row of {parent}"


def _words(connection: sqlite3.Connection) -> Iterator[str]:
    if not connection.execute(_INDEXED).fetchone():
        return
    for sql, what in (
        (_NOT_INDEXED, "lacks {} of the responses up to its newest"),
        (_NO_SAMPLE, "holds {} that are not there"),
    ):
        (number,) = connection.execute(sql).fetchone()
        if number:
            yield f"the index of words {what.format(number)}; `basebound index` makes it anew"


def _texts(connection: sqlite3.Connection) -> Iterator[str]:
    texts = TextReader(lambda sql, values: connection.execute(sql, values).fetchall())
    rows = connection.execute(
        "SELECT sample.sample_id, chars, dictionary_id, response FROM sample LEFT JOIN text USING (sample_id)"
    )
    for sample_id, chars, dictionary_id, response in rows:
        if response is None:
            yield f"sample {sample_id} has no text"
        elif (found := _length(texts, dictionary_id, response)) != chars:
            yield f"text of sample {sample_id} is damaged: {found} of {chars} characters can be read"


def _tokens(connection: sqlite3.Connection) -> Iterator[str]:
    for sample_id, tokens, packed in connection.execute(
        "SELECT sample_id, tokens, ids FROM token JOIN sample USING (sample_id)"
    ):
        try:
            found = len(unpack_ids(packed))
        except DamagedText:
            found = 0
        if found != tokens:
            yield f"token ids of sample {sample_id} are damaged: {found} of {tokens} can be read"


def _prompts(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute(
        "SELECT slug, problem.benchmark, problem.key, ids FROM prompt JOIN run USING (run_id) JOIN problem USING (problem_id)"
    )
    for slug, benchmark, key, packed in rows:
        try:
            unpack_ids(packed)
        except DamagedText:
            yield f"token ids of the prompt of {slug} for {benchmark}:{key} are damaged"


def _token_scores(connection: sqlite3.Connection) -> Iterator[str]:
    """Each holds as many tokens as its sums are of, and adds up to them."""
    for sample_id, scorer, chars, tokens, logp, packed in connection.execute(_SCORED):
        whose = f"token scores of sample {sample_id} by {scorer}"
        try:
            scores = unpack_scores(packed)
        except DamagedText as error:
            yield f"{whose} {error}"
            continue
        if len(scores.logp) != tokens:
            yield f"{whose} are of {len(scores.logp)} tokens, its sums of {tokens or 0}"
        elif logp is not None and not abs(fsum(scores.logp) - logp) <= _ROUNDING * (abs(logp) + tokens):
            yield f"{whose} do not add up to its sums"
        elif scores.spans is not None and sum(scores.spans) < chars:
            yield f"{whose} end before its text does"


_ROUNDING: Final = 2e-3
"""Of a half float, and of two scorings of 16 bits."""


def _length(texts: TextReader, dictionary_id: int | None, packed: bytes) -> int:
    try:
        return len(texts.unpack(dictionary_id, packed))
    except DamagedText:
        return 0


def _run_keys(path: Path) -> Iterator[str]:
    with Study(path) as study:
        for run in study.runs():
            if Run(run.model, run.benchmark, run.settings).key != run.key:
                yield f"settings of run {run.slug} do not give its key: they were changed after it was made"
