"""One writing job per study: a row in the study says who writes; audits need none, they only append.

A job killed at any moment leaves its row behind. The next one takes it over when that process is gone from this host, or,
for a study that was copied from or is shared with another host, when the row was not renewed for ten minutes.
"""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from pathlib import Path
from typing import Final

from store.errors import StudyBusy

JOB: Final = "write"
RENEW_AFTER_S: Final = 20
EXPIRES_AFTER_S: Final = 600
_ENDED: Final = ("Z", "X")
"""States of a process that has ended and that its parent has not asked after yet."""


class Lease:
    """Held from `take` to `release`; the writer calls `renew` inside its transactions."""

    def __init__(self, connection: sqlite3.Connection, path: Path, command: str) -> None:
        self._connection = connection
        self._path = path
        self._command = command
        self._renewed = 0.0

    def take(self) -> None:
        """Raises StudyBusy while another job holds it."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._refuse_if_held()
            self._connection.execute(
                "INSERT OR REPLACE INTO lease (job, command, host, pid, started, renewed) VALUES (?, ?, ?, ?, ?, ?)",
                (JOB, self._command, socket.gethostname(), os.getpid(), started(os.getpid()), int(time.time())),
            )
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.rollback()
            raise
        self._renewed = time.monotonic()

    @property
    def due(self) -> bool:
        """Whether it is time to renew it."""
        return time.monotonic() - self._renewed > RENEW_AFTER_S

    def renew(self) -> None:
        """Cheap: writes at most every RENEW_AFTER_S seconds. Call within a transaction."""
        if self.due:
            self._connection.execute("UPDATE lease SET renewed = ? WHERE job = ?", (int(time.time()), JOB))
            self._renewed = time.monotonic()

    def release(self) -> None:
        mine = (JOB, os.getpid(), socket.gethostname())
        self._connection.execute("DELETE FROM lease WHERE job = ? AND pid = ? AND host = ?", mine)

    def _refuse_if_held(self) -> None:
        row = self._connection.execute(
            "SELECT command, host, pid, started, renewed FROM lease WHERE job = ?", (JOB,)
        ).fetchone()
        if row is None:
            return
        command, host, pid, since, renewed = row
        if host == socket.gethostname():
            held = started(pid) == since and since != ""
            remedy = "wait for it or stop it, then try again"
        else:
            held = time.time() - renewed < EXPIRES_AFTER_S
            remedy = f"wait for it; if it is dead, try again in {EXPIRES_AFTER_S // 60} minutes"
        if held:
            raise StudyBusy(f"{self._path} is being written by `basebound {command}` (process {pid} on {host}); {remedy}")


def started(pid: int) -> str:
    """What tells this process from a later one of the same number; "" when it is gone."""
    try:
        # Fields 3 (state) and 22 (start time in clock ticks since boot); the name in field 2 may hold spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] in _ENDED else fields[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "running"
