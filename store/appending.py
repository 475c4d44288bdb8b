"""What people add to a study while a job may write it: rows appended, never changed, and on disk before the call returns.

One transaction with synchronous=FULL for each call, without a lease; another program's write is waited for, up to the busy
timeout. `AuditWriter` and `MarkWriter` are two of these, for two kinds of rows.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from store.errors import NotFound, StudyUnwritable
from store.files import BUSY_TIMEOUT_MS, explained, require_file, require_schema

CREATED: Final = "coalesce(?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
"""In place of a row's last value: when it was said, or now."""


class Appender:
    """A connection that appends to a study that is there. It takes no lease: a job may write the same file meanwhile.

    Use it as a context manager. Raises NotAStudy, WrongSchema, StudyBusy, StudyUnwritable.
    """

    def __init__(self, path: Path | str, busy_ms: int = BUSY_TIMEOUT_MS) -> None:
        self.path = Path(path)
        require_file(self.path)
        _require_writable(self.path)
        with explained(self.path):
            uri = self.path.resolve().as_uri() + "?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
            try:
                self._connection.execute(f"PRAGMA busy_timeout = {busy_ms}")
                require_schema(self._connection, self.path)
                self._connection.execute("PRAGMA foreign_keys = ON")
                self._connection.execute("PRAGMA synchronous = FULL")
            except BaseException:
                self._connection.close()
                raise

    def append(self, sql: str, rows: Sequence[tuple[object, ...]], of: str = "sample") -> list[int]:
        """Insert rows in one transaction: all of them or none. Returns their ids.

        of: what the first value of a row is the id of. Raises NotFound where that is not there.
        """
        with explained(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                ids = [self._insert(sql, row, of) for row in rows]
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.rollback()
                raise
        return ids

    def _insert(self, sql: str, row: tuple[object, ...], of: str) -> int:
        try:
            return int(self._connection.execute(sql, row).lastrowid or 0)
        except sqlite3.IntegrityError:
            raise NotFound(f"{self.path} has no {of} with id {row[0]}") from None

    def close(self) -> None:
        """Leave one file without -wal where nobody else has it open. Safe to call twice."""
        with suppress(sqlite3.Error):  # what was added is on disk: whoever has the file open goes on with its journal
            self._connection.execute("PRAGMA busy_timeout = 0")
            self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _require_writable(path: Path) -> None:
    """SQLite would find out at the first row only, and of a folder it cannot write it says that the file cannot be opened."""
    if not (os.access(path, os.W_OK) and os.access(path.resolve().parent, os.W_OK)):
        raise StudyUnwritable(f"{path} is read-only; make the file and its folder writable, or work on a copy")


def require_auditor(name: str) -> str:
    """The name without blanks around it. Raises ValueError where nothing is left."""
    if not name.strip():
        raise ValueError("an auditor needs a name")
    return name.strip()


def require_step(step: int | None) -> None:
    """Raises ValueError for a step that no response can have."""
    if step is not None and step < 1:
        raise ValueError(f"steps are counted from 1, not {step}")
