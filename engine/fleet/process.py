"""An engine as the job sees it: a process of its own session, a pipe to it, and how it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import Pipe
from pathlib import Path
from typing import Final
from uuid import uuid4

from engine.fleet.messages import News, Order
from engine.fleet.places import VISIBLE, Place
from engine.fleet.reaper import TOKEN, end_processes

# The same modules as ours, whatever is called `engine` where we were started: its path is our own.
_START: Final = """
import json, sys
paths, connection, life, job = json.loads(sys.argv[1])
sys.path[:] = paths
from engine.fleet.life import main
main(connection, life, job)
"""


class Process:
    """Started on construction; it does nothing before it is sent the first order. `kill` it in any case: that cleans up."""

    def __init__(self, place: Place, log: Path, threads: int | None = None) -> None:
        """log: what the engine writes on its own is added to it. threads: for computing, where the user has not said."""
        self.place = place
        self.log = log
        self.token = uuid4().hex
        self.connection, theirs = Pipe()
        life, self._life = os.pipe()
        start = json.dumps([[path or str(Path.cwd()) for path in sys.path], theirs.fileno(), life, os.getpid()])
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, start],
                env=_environment(place, self.token, threads),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(), life),
                start_new_session=True,
            )
        theirs.close()
        os.close(life)
        self._broken = self._killed = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, order: Order) -> None:
        """Should it be dead by now, that shows when it is read."""
        with contextlib.suppress(OSError):
            self.connection.send(order)

    def news(self) -> Iterator[News]:
        """What it has told and nobody has read."""
        while not self._broken:
            with contextlib.suppress(EOFError, OSError):
                if not self.connection.poll():
                    return
                self._broken = True  # stays so where an interrupt leaves a message read in part
                said: News = self.connection.recv()
                self._broken = False
                yield said
                continue
            self._broken = True

    @property
    def gone(self) -> bool:
        """Whether it has ended, and all that it told is read."""
        if self._broken:
            return True
        return self._ended and not self.connection.poll()

    @property
    def _ended(self) -> bool:
        """It is left a zombie: until its group is killed, nobody else must get its number."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def terminate(self) -> None:
        """Ask it to end."""
        if not self._killed:
            os.kill(self.pid, signal.SIGTERM)  # Popen's own way would first take its exit status, and free its number

    def kill(self) -> str:
        """End it with all that it has started, and say how it had ended: "signal 9", "exit code 1"."""
        if not self._killed:
            self._wait_for_its_end()
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
            os.close(self._life)
            self.connection.close()
            self._broken = self._killed = True
            end_processes([self.token], grace_s=0)
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def _wait_for_its_end(self, at_most_s: float = 1.0) -> None:
        """A process that has closed its pipe is about to end: its own exit status tells more than our signal."""
        deadline = time.monotonic() + at_most_s
        while self._broken and not self._ended and time.monotonic() < deadline:
            time.sleep(0.01)


def _environment(place: Place, token: str, threads: int | None) -> dict[str, str]:
    environment = {**os.environ, TOKEN: token, VISIBLE: ",".join(place.devices)}
    if threads is not None:
        environment.setdefault("OMP_NUM_THREADS", str(threads))
    return environment
