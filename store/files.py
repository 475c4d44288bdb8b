"""Opening a study's file: what it is, how it may be opened, and what each refusal means in words.

- Reading opens with mode=ro and never migrates. Where the file (or its folder) cannot be written and no -wal stands beside
  it, it is opened immutable: shipped and closed studies have no -wal, so nothing can be missed.
- Live studies use WAL on a local disk. On a network file system WAL is unsafe (sqlite.org/wal.html), so a rollback
  journal is used there.
- Every sqlite3 error that reaches a person passes `explained`, which turns it into a StudyError.
"""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from store.errors import NotAStudy, StudyBusy, StudyError, StudyUnwritable, WrongSchema
from store.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

BUSY_TIMEOUT_MS: Final = 10_000
_SMALLEST_PAGE: Final = 512
"""Bytes: no database is smaller."""

_NETWORK_TYPES: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "afs", "9p", "panfs", "pvfs2",
     "orangefs", "wekafs", "vboxsf", "virtiofs", "davfs", "ncpfs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.juicefs",
     "fuse.ceph", "fuse.rclone", "fuse.gcsfuse"}
)  # fmt: skip


def network_filesystem(path: Path, mounts: str | None = None) -> str | None:
    """The type of the network file system that holds `path`, or None for a local one (or where the system does not say).

    mounts: text of /proc/self/mountinfo; read from there when not given.
    """
    if mounts is None:
        if not sys.platform.startswith("linux"):
            return None
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    target = str(path.resolve())
    best, kind = "", ""
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        point = left.split(" ")[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind if kind in _NETWORK_TYPES else None


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into one sentence each."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explanation(path, error) from error
    except OSError as error:
        raise StudyUnwritable(f"{path}: {error.strerror or error}; nothing already stored is lost") from error


_EXPLANATIONS: Final[dict[int, tuple[type[StudyError], str]]] = {
    sqlite3.SQLITE_BUSY: (StudyBusy, "{path} is locked by another program; wait for it, or close it, and try again"),
    sqlite3.SQLITE_LOCKED: (StudyBusy, "{path} is locked by another program; wait for it, or close it, and try again"),
    sqlite3.SQLITE_FULL: (
        StudyUnwritable,
        "{path}: the disk is full; what was stored before is safe, make room and run the same command again",
    ),
    sqlite3.SQLITE_READONLY: (
        StudyUnwritable,
        "{path} is read-only; make the file and its folder writable, or work on a copy",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        NotAStudy,
        "{path} cannot be opened; check that it is a file, and that you may read it and its folder",
    ),
    sqlite3.SQLITE_NOTADB: (NotAStudy, "{path} is not a study: it is no SQLite file; give another path"),
    sqlite3.SQLITE_CORRUPT: (NotAStudy, "{path} is damaged ({error}); go back to a copy, or try SQLite's .recover"),
    sqlite3.SQLITE_IOERR: (
        StudyUnwritable,
        "{path}: the disk failed ({error}); what was stored before is safe, check the disk and run the command again",
    ),
}


def _explanation(path: Path, error: sqlite3.Error) -> StudyError:
    primary_code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    kind, sentence = _EXPLANATIONS.get(primary_code, (StudyError, "{path}: {error}"))
    return kind(sentence.format(path=path, error=error))


def connect_readonly(path: Path, busy_ms: int = BUSY_TIMEOUT_MS) -> sqlite3.Connection:
    """A read-only connection to a study of exactly this program's schema. busy_ms: how long a read waits for a lock.

    Raises NotAStudy, WrongSchema or StudyBusy.
    """
    require_file(path)
    with explained(path):
        connection = _open_readonly(path, busy_ms)
        try:
            require_schema(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _open_readonly(path: Path, busy_ms: int) -> sqlite3.Connection:
    path = path.resolve()  # the -wal lies beside the file, not beside a link to it
    uri = path.as_uri() + "?mode=ro"
    has_wal = path.with_name(path.name + "-wal").exists()
    writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    if not has_wal and not writable:
        uri += "&immutable=1"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout={busy_ms}")
    connection.execute("PRAGMA query_only=1")
    return connection


def require_file(path: Path) -> None:
    """Raises NotAStudy unless a file with something in it lies there. Whether it is SQLite's, SQLite says on reading.

    It is not opened here: closing it again would drop every lock that SQLite holds on it in this process (POSIX), and another
    process would take the study for closed while it is being written.
    """
    if not path.exists():
        raise NotAStudy(f"{path} does not exist; `basebound import {path} FILE...` makes a study")
    if not path.is_file():
        raise NotAStudy(f"{path} is not a file; give the path of a study, such as study.db")
    size = path.stat().st_size
    if not size:
        raise NotAStudy(f"{path} is empty: no study yet; `basebound import {path} FILE...` makes it one")
    if size < _SMALLEST_PAGE:  # SQLite would take it for empty
        raise NotAStudy(f"{path} is not a study: it is no SQLite file; give another path")


def schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """How many migrations the study has. Raises NotAStudy for a database that is not ours."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise NotAStudy(f"{path} is an SQLite file of another program, not a study; give another path")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def require_schema(connection: sqlite3.Connection, path: Path, current: int = SCHEMA_VERSION) -> None:
    """Raises WrongSchema unless the study's schema is the one this program knows."""
    version = schema_version(connection, path)
    if version > current:
        raise WrongSchema(
            f"{path} was written by a newer basebound (schema {version}, this one knows {current}); upgrade basebound"
        )
    if version < current:
        raise WrongSchema(
            f"{path} has the older schema {version} of {current}; run `basebound migrate {path}` (it keeps a backup)"
        )
    if current == SCHEMA_VERSION:
        lacking = sorted(expected_columns() - _columns(connection))
        if lacking:
            raise WrongSchema(
                f"{path} calls its schema {version} but has no column {lacking[0]}: an unreleased basebound made it, or another"
                f" program changed it; import its files into a new study"
            )


@lru_cache(maxsize=1)
def expected_columns() -> frozenset[str]:
    """`table.column` of everything the migrations make."""
    connection = sqlite3.connect(":memory:")
    try:
        for _, script in MIGRATIONS:
            connection.executescript(script)
        return _columns(connection)
    finally:
        connection.close()


def _columns(connection: sqlite3.Connection) -> frozenset[str]:
    rows = connection.execute(
        "SELECT tables.name || '.' || columns.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns"
        # Not the index of words: a virtual table can be looked into only where SQLite has its module.
        " WHERE tables.type = 'table' AND tables.sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    return frozenset(name for (name,) in rows)
