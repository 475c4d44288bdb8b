"""A small study out of a large one: some samples with all that belongs to them, and all counts of the problems they answer.

The counts become published tallies of the small study, under the verifier that made them: where they cover more than the
traces that came along, they decide (see `store.reader`). Runs, indices and seeds stay what they were, other problems
stay behind.
The index of words does not come along: `basebound index` makes it, and search finds the same without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from store.errors import StudyUnwritable
from store.files import explained
from store.reader import Study
from store.texts import TRAIN_ON_CHARS, TextPacker, train
from store.writer import Writer

_WHOLE: Final = ("model", "run", "source", "verifier", "batch", "piece")
_BY_PROBLEM: Final = ("problem", "prompt", "tag")
"""Of the problems that a chosen sample answers: somebody is sent just these."""
_BY_SAMPLE: Final = (
    "sample", "token", "verdict", "likelihood", "token_score", "path", "audit", "reading", "suspicion", "reason", "mark"
)  # fmt: skip

_TRAIN_ON: Final = 20_000
"""Texts to choose the dictionary's from."""
_TEXTS: Final = 200
"""Texts between two looks at who interrupts."""

_PUBLISHED: Final = """
INSERT INTO tally (run_id, problem_id, verifier, origin, correct, incorrect, no_answer, error, source_id)
SELECT run_id, problem_id, verifier, 'published', correct, incorrect, no_answer, error, source_id FROM whole.tally AS stored
WHERE problem_id IN (SELECT problem_id FROM problem)
  AND NOT EXISTS ( -- where there are both, the larger one, and published counts where they are equally large
  SELECT 1 FROM whole.tally AS other WHERE other.origin <> stored.origin AND other.run_id = stored.run_id
    AND other.problem_id = stored.problem_id AND other.verifier = stored.verifier
    AND other.correct + other.incorrect + other.no_answer + other.error + (other.origin = 'published')
        > stored.correct + stored.incorrect + stored.no_answer + stored.error)
"""

_DERIVED: Final = """
INSERT INTO tally (run_id, problem_id, verifier, origin, correct, incorrect, no_answer, error)
SELECT run_id, problem_id, verifier.name, 'derived', sum(outcome = 'correct'), sum(outcome = 'incorrect'),
       sum(outcome = 'no_answer'), sum(outcome = 'error')
FROM verdict JOIN sample USING (sample_id) JOIN verifier USING (verifier_id)
WHERE NOT extra GROUP BY run_id, problem_id, verifier.name
"""

# Of those that came along. Where not all samples did, `Study.counts` leaves extra ones aside: they may have been chosen by
# their answers.
_EXTRA: Final = """
INSERT INTO extra_tally (run_id, problem_id, verifier, correct, incorrect, no_answer, error)
SELECT run_id, problem_id, verifier.name, sum(outcome = 'correct'), sum(outcome = 'incorrect'),
       sum(outcome = 'no_answer'), sum(outcome = 'error')
FROM verdict JOIN sample USING (sample_id) JOIN verifier USING (verifier_id)
WHERE extra GROUP BY run_id, problem_id, verifier.name
"""

_DRAWN: Final = """
INSERT INTO drawn (run_id, problem_id, samples, truncated, chars, extra)
SELECT run_id, problem_id, sum(NOT extra), sum(NOT extra AND finish = 'length'), sum(CASE WHEN extra THEN 0 ELSE chars END),
       sum(extra)
FROM sample GROUP BY run_id, problem_id
"""


def slice_study(source: Path, target: Path, sample_ids: Iterable[int]) -> None:
    """Write the small study to `target`, which must not exist.

    Raises StudyUnwritable where it does, and what opening either study raises.
    """
    if target.exists():
        raise StudyUnwritable(f"{target} is there already; give another path, or move it away")
    with Study(source) as study:
        try:
            _fill(source, target, study, sample_ids)
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _fill(source: Path, target: Path, study: Study, sample_ids: Iterable[int]) -> None:
    Writer(target, "slice").close()
    connection = sqlite3.connect(target, isolation_level=None)
    try:
        with explained(target):
            connection.execute("ATTACH ? AS whole", (str(source),))
            connection.execute("CREATE TEMP TABLE chosen (sample_id INTEGER PRIMARY KEY)")
            connection.executemany("INSERT OR IGNORE INTO chosen VALUES (?)", ((one,) for one in sample_ids))
            connection.execute("BEGIN")
            _copy(connection)
            _copy_texts(connection, study)
            connection.execute("COMMIT")
            connection.execute("DETACH whole")
            connection.execute("VACUUM")
    finally:
        connection.close()


def _copy(connection: sqlite3.Connection) -> None:
    for table in _WHOLE:
        connection.execute(f"INSERT INTO {table} SELECT * FROM whole.{table}")
    answered = "SELECT problem_id FROM whole.sample WHERE sample_id IN (SELECT sample_id FROM chosen)"
    for table in _BY_PROBLEM:
        connection.execute(f"INSERT INTO {table} SELECT * FROM whole.{table} WHERE problem_id IN ({answered})")
    for table in _BY_SAMPLE:
        connection.execute(f"INSERT INTO {table} SELECT * FROM whole.{table} WHERE sample_id IN (SELECT sample_id FROM chosen)")
    for statement in (_PUBLISHED, _DERIVED, _EXTRA, _DRAWN):
        connection.execute(statement)


def _copy_texts(connection: sqlite3.Connection, study: Study) -> None:
    """Packed anew, with a dictionary trained on what came along; a few texts are held at once."""
    ids = [sample_id for (sample_id,) in connection.execute("SELECT sample_id FROM chosen ORDER BY sample_id")]
    step = max(1, len(ids) // _TRAIN_ON)
    dictionary = train(list(_first(study, ids[::step])))
    if dictionary is not None:
        row = (dictionary, len(ids[::step]))
        connection.execute("INSERT INTO dictionary (dictionary_id, bytes, trained_on) VALUES (1, ?, ?)", row)
    packer, dictionary_id = TextPacker(dictionary), None if dictionary is None else 1
    for start in range(0, len(ids), _TEXTS):
        texts = ((one, study.texts.response(one)) for one in ids[start : start + _TEXTS])
        connection.executemany(
            "INSERT INTO text (sample_id, dictionary_id, response) VALUES (?, ?, ?)",
            ((sample_id, dictionary_id, packer.pack(text)) for sample_id, text in texts),
        )


def _first(study: Study, ids: Sequence[int]) -> Iterator[str]:
    """As many texts as a dictionary is made of."""
    chars = 0
    for sample_id in ids:
        text = study.texts.response(sample_id)
        chars += len(text)
        yield text
        if chars > TRAIN_ON_CHARS:
            return
