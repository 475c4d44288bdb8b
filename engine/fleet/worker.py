"""What an engine's process does: opens one model and draws what the job asks for, until it is closed.

It is started by engine/fleet/life.py. SIGTERM ends it in order: what is being drawn is given up, what is drawn is sent.
"""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, Final

from engine import samplers
from engine.fleet.messages import (
    Begin,
    Begun,
    Broke,
    Close,
    Drew,
    Ended,
    Hungry,
    More,
    News,
    Open,
    Opened,
    Order,
    Refused,
    Wanted,
)
from engine.samplers.base import Drawn, Request, Sampler, SamplerError
from store.errors import BaseboundError
from store.types import Prompt

SEND_EVERY_S: Final = 0.1
"""What is drawn is told that often: a kill loses no more."""
LOOKAHEAD_S: Final = 1.0
"""As many requests lie ready as were taken in this time."""
FEWEST: Final = 8


class Engine:
    """One end of the pipe. A thread reads orders as they come, another tells what is drawn; the model has the main thread."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        self._connection = connection
        self.orders: SimpleQueue[Order] = SimpleQueue()
        self._drawn: deque[Drawn] = deque()
        self._number = 0
        """Of the plan that is being drawn."""
        self._sending = threading.Lock()
        self._halfway = False
        """A message is sent in part: nothing may follow it but the rest."""

    def run(self) -> None:
        """Until the job closes it. Raises what breaks it, which the job is told first."""
        for loop in (self._read, self._send_often):
            threading.Thread(target=loop, daemon=True).start()
        try:
            self._serve()
        except BaseboundError as error:
            self.tell(Refused(str(error)))
        except BaseException as error:
            if isinstance(error, Exception):
                self.tell(Broke(_sentence(error), _is_of_memory(error)))
            raise
        finally:
            self._send()

    def _serve(self) -> None:
        order = self.orders.get()
        if not isinstance(order, Open):
            return
        with samplers.load(order.sampler, order.opening) as sampler:
            self.tell(Opened(sampler.facts))
            while not isinstance(order := self.orders.get(), Close):
                if isinstance(order, Begin):
                    self._draw(sampler, order)

    def _draw(self, sampler: Sampler, order: Begin) -> None:
        self._number = order.number
        try:
            prompts = [sampler.prompt(order.template, statement) for statement in order.statements]
            self.tell(Begun(order.number, tuple(prompts)))
            requests = Requests(self, order.number, prompts)
            longest = max(len(prompt.ids) for prompt in prompts)
            drawn = 0
            for one in sampler.sample(requests, order.manner, longest):
                self._drawn.append(replace(one, request=replace(one.request, prompt=(), text="")))
                drawn += 1
            if drawn != requests.taken:
                raise SamplerError(f"the sampler {sampler.facts.sampler} gave {drawn} responses to {requests.taken} requests")
        except BaseboundError as error:
            self.tell(Refused(str(error), order.number))
        else:
            self.tell(Ended(order.number))

    def tell(self, news: News) -> None:
        """After all that was drawn before."""
        with self._sending:
            self._send_drawn()
            self._put(news)

    def _send(self) -> None:
        with self._sending:
            self._send_drawn()

    def _send_drawn(self) -> None:
        drawn = []
        while self._drawn:
            drawn.append(self._drawn.popleft())
        if drawn:
            self._put(Drew(self._number, tuple(drawn)))

    def _put(self, news: News) -> None:
        if not self._halfway:  # SIGTERM may come at any line
            self._halfway = True
            self._connection.send(news)
            self._halfway = False

    def _send_often(self) -> None:
        while True:
            time.sleep(SEND_EVERY_S)
            self._send()

    def _read(self) -> None:
        try:
            while True:
                self.orders.put(self._connection.recv())
        except (EOFError, OSError):  # the job is gone, or has given this engine up
            os.killpg(0, signal.SIGKILL)


class Requests:
    """A plan's requests, asked for ahead of need: it waits for the job only where nothing lies ready."""

    def __init__(self, engine: Engine, number: int, prompts: Sequence[Prompt]) -> None:
        self._engine, self._number, self._prompts = engine, number, prompts
        self._ready: deque[Wanted] = deque()
        self._asked = self._all_told = False
        self.taken = 0
        self._since, self._taken_since, self._taken_before = time.monotonic(), 0, 0

    def __iter__(self) -> Iterator[Request]:
        return self

    def __next__(self) -> Request:
        self._ask()
        while self._asked and not (self._ready and self._engine.orders.empty()):
            self._take(self._engine.orders.get())
            self._ask()
        if not self._ready:
            raise StopIteration
        wanted = self._ready.popleft()
        self.taken += 1
        self._taken_since += 1
        prompt = self._prompts[wanted.problem]
        return Request((wanted.problem, wanted.index), prompt.ids, wanted.seed, prompt.text)

    def _ask(self) -> None:
        appetite = self._appetite()
        if not self._asked and not self._all_told and len(self._ready) <= appetite // 2:
            self._engine.tell(Hungry(self._number, appetite))
            self._asked = True

    def _take(self, order: Order) -> None:
        if isinstance(order, More):
            self._asked, self._all_told = False, not order.wanted
            self._ready.extend(order.wanted)

    def _appetite(self) -> int:
        now = time.monotonic()
        if now - self._since > LOOKAHEAD_S:
            self._since, self._taken_before, self._taken_since = now, self._taken_since, 0
        return max(FEWEST, self._taken_since, self._taken_before)


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


_NO_MEMORY: Final = re.compile(r"out of memory|(can't|cannot) allocate memory|not enough memory", re.IGNORECASE)


def _is_of_memory(error: Exception) -> bool:
    """torch and vLLM have several words for it, and wrap them."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or "OutOfMemory" in type(cause).__name__ or _NO_MEMORY.search(str(cause)):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
