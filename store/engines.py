"""Engine processes that a writing job has started: a row each, from start to end.

A job that was killed leaves its rows, and perhaps the processes, behind. Only the job that holds the study's lease writes here,
so rows that it finds on opening belong to nobody who still works. Each process is known by a token that stands in its
environment and in that of all that it starts; the pid is for people.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineRow:
    """A process that was started, and is not known to have ended."""

    token: str
    host: str
    pid: int
    started: str
    """UTC, as SQLite writes it."""
    age_s: int


def engines(connection: sqlite3.Connection) -> list[EngineRow]:
    """All of them, oldest first."""
    rows = connection.execute(
        "SELECT token, host, pid, started, strftime('%s', 'now') - strftime('%s', started) FROM engine ORDER BY started, pid"
    )
    return [EngineRow(*row) for row in rows]


def insert_engine(connection: sqlite3.Connection, token: str, pid: int) -> None:
    """Of this host."""
    connection.execute("INSERT INTO engine (token, host, pid) VALUES (?, ?, ?)", (token, socket.gethostname(), pid))


def delete_engines(connection: sqlite3.Connection, tokens: Sequence[str]) -> None:
    connection.executemany("DELETE FROM engine WHERE token = ?", [(token,) for token in tokens])
