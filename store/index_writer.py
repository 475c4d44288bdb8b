"""The writer of `basebound index`: the index of words and suspicions, under the one lease, in transactions of a batch each."""

from __future__ import annotations

from collections.abc import Sequence

from store import suspicions, words
from store.open_study import OpenStudy
from store.suspicions import SuspicionRow


class IndexWriter(OpenStudy):
    """Killed at any moment, it leaves whole batches; what is missing is made by the next."""

    def make_index(self) -> None:
        """An empty index of words, in place of any that is there."""
        with self._transaction():
            words.drop_table(self._connection)
            words.make_table(self._connection)

    def add_words(self, texts: Sequence[tuple[int, str]]) -> None:
        """texts: (sample_id, response), ids ascending and larger than all that are indexed."""
        with self._transaction():
            words.insert_words(self._connection, texts)

    def put_suspicions(self, version: str, found: Sequence[SuspicionRow]) -> None:
        with self._transaction():
            suspicions.replace_suspicions(self._connection, version, found)
