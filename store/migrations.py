"""Bringing a study's schema up to date, one transaction per migration, after a backup.

Only `basebound migrate` and the creation of a new study run migrations; opening never does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlite_utils import Database

from store.errors import StudyUnwritable, WrongSchema
from store.files import BUSY_TIMEOUT_MS, explained, require_file, schema_version
from store.schema import APPLICATION_ID, MIGRATIONS

Migration = tuple[str, str]


def create_schema(db: Database, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Make an empty file a study, in one transaction: a job killed here leaves an empty file or a study."""
    with db.atomic():
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for number, (_, script) in enumerate(migrations, start=1):
            _apply(db, number, script)


def migrate(path: Path, migrations: Sequence[Migration] = MIGRATIONS) -> tuple[int, Path | None]:
    """Apply what the study lacks. Returns the version it had, and the backup made before (None: nothing to do).

    Raises NotAStudy, WrongSchema (newer than this program), StudyBusy or StudyUnwritable.
    """
    require_file(path)
    with explained(path):
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
            version = schema_version(connection, path)
            if version > len(migrations):
                raise WrongSchema(f"{path} was written by a newer basebound (schema {version}); upgrade basebound")
            if version == len(migrations):
                return version, None
            backup = _back_up(connection, path, version)
            _upgrade(Database(connection), version, migrations)
            return version, backup
        finally:
            connection.close()


def _upgrade(db: Database, version: int, migrations: Sequence[Migration]) -> None:
    for number, (_, script) in enumerate(migrations[version:], start=version + 1):
        with db.atomic():
            _apply(db, number, script)


def _apply(db: Database, number: int, script: str) -> None:
    for statement in _statements(script):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {number}")


def _statements(script: str) -> Iterator[str]:
    """executescript would commit the transaction around it, so statements are run one by one."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> Path:
    backup = path.with_name(f"{path.name}.schema{version}.bak")
    if backup.exists():
        raise StudyUnwritable(f"{backup} is in the way of the backup of {path}; move it away and run the command again")
    copy = sqlite3.connect(backup)
    try:
        connection.backup(copy)
    finally:
        copy.close()
    return backup
