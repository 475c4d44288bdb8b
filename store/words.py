"""The index of words: which responses hold a word, found without reading them. An FTS5 table within the study.

    with IndexWriter(path) as writer:              # store.index_writer
        writer.add_words(texts)                    # by sample_id, ascending, one transaction each

- The table `words` is contentless and keeps no places: a tenth of the texts' size instead of half. What the index cannot tell
  (phrases, where a word stands) is read from the few texts that it leaves.
- Its rowid is the sample's id, and samples are indexed in the order of their ids: all up to `indexed_to` are in it, whatever
  was killed when. Newer ones are read one by one, so a search never misses some.
- It is made of `store.query.tokens.for_index`, so that a search finds the same with it and without it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from store.query.tokens import for_index
from store.reader import Study

TABLE: Final = "words"
CREATE: Final = "CREATE VIRTUAL TABLE words USING fts5(response, content='', detail=none, tokenize='ascii')"

_TO_INDEX: Final = """
SELECT sample_id, dictionary_id, response FROM text WHERE sample_id > ? ORDER BY sample_id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far the index of a study is."""

    indexed_to: int
    """Every sample up to this id is in the index; 0 where there is none."""
    usable: bool
    """False where there is no index, or none of ours, or this SQLite cannot read one."""


def state(study: Study) -> IndexState:
    """What is indexed. An index of another making counts as none."""
    kept = study.query("SELECT sql FROM sqlite_schema WHERE name = ?", (TABLE,))
    if not kept or kept[0][0] != CREATE or not has_fts5(study):
        return IndexState(0, usable=False)
    (newest,) = study.query("SELECT coalesce(max(id), 0) FROM words_docsize")[0]
    return IndexState(newest, usable=True)


def exists(study: Study) -> bool:
    """Whether there is an index, of whatever making."""
    return bool(study.query("SELECT 1 FROM sqlite_schema WHERE name = ?", (TABLE,)))


def size(study: Study) -> int:
    """Bytes of the index."""
    found: int = study.query("SELECT coalesce(sum(length(block)), 0) FROM words_data")[0][0] if exists(study) else 0
    return found


def has_fts5(study: Study) -> bool:
    """Whether this program's SQLite has what the index needs."""
    return bool(study.query("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"))


def has_holes(study: Study, upto: int) -> bool:
    """Whether a sample up to that id is not in the index, or one that is in it is gone: another program was at it."""
    (texts,) = study.query("SELECT count(*) FROM text WHERE sample_id <= ?", (upto,))[0]
    (indexed,) = study.query("SELECT count(*) FROM words_docsize WHERE id <= ?", (upto,))[0]
    return bool(texts != indexed)


def count_to_index(study: Study, after: int) -> int:
    """How many responses wait for it."""
    count: int = study.query("SELECT count(*) FROM text WHERE sample_id > ?", (after,))[0][0]
    return count


def to_index(study: Study, after: int, batch: int) -> Iterator[list[tuple[int, str]]]:
    """Ids and responses after that id, in order."""
    while rows := study.query(_TO_INDEX, (after, batch)):
        yield [(sample_id, study.texts.unpack(*packed)) for sample_id, *packed in rows]
        after = rows[-1][0]


def match(words: Sequence[str], prefix: bool) -> str:
    """What FTS5 is asked for texts that hold all these words, in any order; prefix: the last of them may go on."""
    asked = [f'"{word}"' for word in words]
    return " AND ".join([*asked[:-1], asked[-1] + " *" * prefix])


# -- within the writer's transaction ---------------------------------------------------------------------------------


def make_table(connection: sqlite3.Connection) -> None:
    connection.execute(CREATE)


def drop_table(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TABLE IF EXISTS words")


def insert_words(connection: sqlite3.Connection, texts: Sequence[tuple[int, str]]) -> None:
    """texts: (sample_id, response), ids ascending and larger than all that are there."""
    connection.executemany(
        "INSERT INTO words (rowid, response) VALUES (?, ?)", ((sample_id, for_index(text)) for sample_id, text in texts)
    )
