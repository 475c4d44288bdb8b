"""Engine processes that a killed job has left behind, found and ended: they hold memory of the GPUs that the next job needs.

An engine dies with the job that started it (engine/fleet/life.py sees to that), but it may start processes that leave its
process group, and a machine short of memory may kill what should have watched over it. What an engine starts inherits its token
in the environment. So this ends every process of this user, on this host, whose environment holds a token that the study has
recorded, and never anything else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import Final

from store.engines import EngineRow
from store.lease import EXPIRES_AFTER_S
from store.writer import Writer

TOKEN: Final = "BASEBOUND_ENGINE"  # noqa: S105
"""Name of the environment variable that holds an engine's token."""
GRACE_S: Final = 5.0
"""Between asking a process to end and killing it."""
_PROCESSES: Final = Path("/proc")


def reap(writer: Writer) -> list[str]:
    """End what earlier jobs of this study have left on this host. Call it before engines are started; returns what to say."""
    rows = writer.engines()
    here = [row for row in rows if row.host == socket.gethostname()]
    said = [_elsewhere(row) for row in rows if row not in here and row.age_s > EXPIRES_AFTER_S]
    if here and not _can_look():
        pids = ", ".join(str(row.pid) for row in here)
        said.append(f"this system has no /proc to find engines of a killed run by; see that none of them is left (pids {pids})")
    elif here:
        ended = end_processes([row.token for row in here])
        said += [_ended(ended)] if ended else []
    writer.drop_engines([row.token for row in here])
    return said


def end_processes(tokens: Collection[str], grace_s: float = GRACE_S) -> list[int]:
    """End every process of this user that has one of the tokens, asking first. Returns their pids; none without /proc."""
    found = sorted(holders(tokens))
    for pid in found:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while left := holders(tokens):
        if time.monotonic() > deadline:
            for pid in left:
                _signal(pid, signal.SIGKILL)
            found = sorted({*found, *left})
        time.sleep(0.05)
        if time.monotonic() > deadline + grace_s:
            break  # in the kernel's hands: killed, and not gone yet
    return found


def holders(tokens: Collection[str]) -> set[int]:
    """Processes of this user, this one aside, whose environment holds one of the tokens."""
    wanted = {f"{TOKEN}={token}".encode() for token in tokens}
    if not wanted or not _can_look():
        return set()
    pids = {int(folder.name) for folder in _PROCESSES.iterdir() if folder.name.isdigit()}
    return {pid for pid in pids - {os.getpid()} if wanted & _environment(pid)}


def _environment(pid: int) -> set[bytes]:
    """Nothing for a process that has ended, or that is not ours."""
    try:
        folder = _PROCESSES / str(pid)
        if folder.stat().st_uid != os.getuid():
            return set()
        return set((folder / "environ").read_bytes().split(b"\0"))
    except OSError:
        return set()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _can_look() -> bool:
    return (_PROCESSES / "self" / "environ").exists()


def _ended(pids: list[int]) -> str:
    what = "an engine process" if len(pids) == 1 else f"{len(pids)} engine processes"
    return f"ended {what} that a killed run had left ({'pid' if len(pids) == 1 else 'pids'} {', '.join(map(str, pids))})"


def _elsewhere(row: EngineRow) -> str:
    return (
        f"a run on {row.host} was killed and may have left an engine there (process {row.pid}, started {row.started});"
        f" run this study there once and it is ended"
    )
