"""A pool of worker processes that run Math-Verify, each of which can be killed.

    with MathVerifyPool(workers=2, deadline_s=10.0, memory_mb=2048) as pool:
        comparisons = pool.judge([("x+1", "1+x"), ...])      # in order

A pair that takes longer than the deadline, uses up the memory or crashes its process comes back undecided, with the reason;
its process is replaced, and the other pairs go on. No process is started before the first pair, nor more than there are
pairs; between calls they wait for the next one, until the pool is closed.

Each process reads a pipe that only we hold open, so it ends when we do, however we end. Uses no threads and no signals, so it
works in any thread; calls from several threads wait for one another.
"""

from __future__ import annotations

import json
import math
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple, Self

from engine.verifiers.base import VerifierError

START_S: Final = 120.0
"""How long a process may take to import Math-Verify: half a second from a local disk, far longer from a busy shared one."""

_PROGRAM: Final = Path(__file__).with_name("mathverify.py")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What Math-Verify says of one pair."""

    equal: bool | None
    """None: not decided."""
    detail: str | None = None


class _Reply(NamedTuple):
    """One line from a process, as `mathverify` writes it."""

    first: bool | str | None
    detail: str | None
    more: bool


class MathVerifyPool:
    """Math-Verify behind a deadline (seconds for a pair) and a memory limit (MiB for a process)."""

    def __init__(self, workers: int = 2, deadline_s: float = 10.0, memory_mb: int = 2048) -> None:
        self._size, self._deadline_s, self._memory_mb = workers, deadline_s, memory_mb
        self._free: list[_Worker] = []
        self._busy: dict[_Worker, int] = {}
        """Which pair each is at, as its place in what `judge` was asked."""
        self._lock = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes. A later `judge` starts new ones."""
        with self._lock:
            self._end_all()

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        """Compare each (reference, answer), in order. Raises VerifierError where no process can be started."""
        with self._lock, ExitStack() as interrupted:
            interrupted.callback(self._end_all)  # what is still at work would answer the next call's questions
            comparisons = self._judge(pairs)
            interrupted.pop_all()
        return comparisons

    def _judge(self, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
        waiting = deque(enumerate(pairs))
        done: dict[int, Comparison] = {}
        while len(done) < len(pairs):
            self._staff(min(len(waiting), self._size - len(self._busy)))
            while waiting and self._free:
                worker, (place, pair) = self._free.pop(), waiting.popleft()
                self._busy[worker] = place
                worker.ask(pair, self._deadline_s)
            for worker in self._finished():
                done[self._busy.pop(worker)] = self._result(worker)
        return [done[place] for place in range(len(pairs))]

    def _staff(self, wanted: int) -> None:
        """See that so many are free: drop those that died while nothing was asked of them, start what is missing."""
        for worker in [worker for worker in self._free if worker.has_news()]:
            self._free.remove(worker)
            worker.end()
        started = [_Worker(self._memory_mb, self._deadline_s) for _ in range(wanted - len(self._free))]
        self._free += started
        for worker in started:
            worker.wait_until_ready()

    def _finished(self) -> list[_Worker]:
        """Those that have replied, died or are past their time, as soon as there is one."""
        with selectors.DefaultSelector() as selector:
            for worker in self._busy:
                selector.register(worker.replies, selectors.EVENT_READ)
            soonest = min(worker.due for worker in self._busy)
            selector.select(max(0.0, soonest - time.monotonic()))
        return [worker for worker in self._busy if worker.has_news() or worker.due <= time.monotonic()]

    def _result(self, worker: _Worker) -> Comparison:
        """What became of a pair; the worker is free again, or ended."""
        reply = worker.read() if worker.has_news() else None
        if reply is None and worker.due <= time.monotonic():
            worker.end()
            return Comparison(None, f"timed out after {self._deadline_s:g} s")
        if reply is None:
            return Comparison(None, f"worker crashed ({worker.end(patience_s=1.0)})")
        if reply.more:
            self._free.append(worker)
        else:
            worker.end(patience_s=1.0)
        return Comparison(None if reply.first is None else bool(reply.first), reply.detail)

    def _end_all(self) -> None:
        for worker in (*self._free, *self._busy):
            worker.end()
        self._free.clear()
        self._busy.clear()


class _Worker:
    """One process, at work on at most one pair."""

    def __init__(self, memory_mb: int, deadline_s: float) -> None:
        # -P: this file's folder, which has a math.py, stays off the path. A session of its own: Ctrl-C is ours to handle.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_PROGRAM), str(memory_mb), str(deadline_s)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self.replies = self._process.stdin, self._process.stdout
        self.due = math.inf
        """When the pair it is at has to be done, on the monotonic clock."""

    def wait_until_ready(self) -> None:
        """Raises VerifierError where it does not come up."""
        reply = self.read() if self.has_news(START_S) else None
        if reply is None or not reply.more:
            reason = reply.detail if reply else f"it ended with {self.end()}"
            raise VerifierError(f"Math-Verify does not start in {sys.executable}: {reason}")

    def ask(self, pair: tuple[str, str], deadline_s: float) -> None:
        """Hand it a pair. Should it be dead by now, that shows when its reply is read."""
        self.due = time.monotonic() + deadline_s
        with suppress(BrokenPipeError):
            self._requests.write(json.dumps(pair).encode("ascii") + b"\n")
            self._requests.flush()

    def has_news(self, within_s: float = 0.0) -> bool:
        """Whether there is a line to read, or an end."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.replies, selectors.EVENT_READ)
            return bool(selector.select(within_s))

    def read(self) -> _Reply | None:
        """Its next line, or None where it has ended instead."""
        line = self.replies.readline()
        return _Reply(*json.loads(line)) if line.endswith(b"\n") else None

    def end(self, patience_s: float = 0.0) -> str:
        """Kill it, unless it ends by itself, and say how it ended: "signal 9", "exit code 1"."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(patience_s)
        self._process.kill()
        code = self._process.wait()
        self.replies.close()
        with suppress(BrokenPipeError):  # a request that it never read
            self._requests.close()
        return f"signal {-code}" if code < 0 else f"exit code {code}"
