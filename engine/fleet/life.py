"""The first steps of an engine's process, before it holds anything: it is made to die with its job, however that ends.

A small copy of the process waits for the job's end of a pipe to close, and then kills the whole process group, with all that
the engine has started; on Linux the kernel kills the process itself besides. Ctrl-C is the job's to handle, so it is ignored
here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main(connection: int, life: int, job: int) -> None:
    """connection, life: descriptors of the pipe for messages and of the one that closes with the job. job: its pid."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    for descriptor in (connection, life):
        os.set_inheritable(descriptor, False)
    _leave_a_watch(connection, life)
    _die_with(job)
    from multiprocessing.connection import Connection

    from engine.fleet.worker import Engine

    Engine(Connection(connection)).run()


def _leave_a_watch(connection: int, life: int) -> None:
    if os.fork():
        os.close(life)
        return
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.close(connection)
    os.read(life, 1)
    os.killpg(0, signal.SIGKILL)


def _die_with(job: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != job:
        os._exit(1)
