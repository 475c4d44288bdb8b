"""An engine on a Ray cluster: what its process does, and how a job gets to the cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Final

from engine import samplers
from engine.fleet.messages import Wanted
from engine.samplers.base import Drawn, Facts, Opening, Request, SamplerError
from engine.sampling import Plan
from store.errors import BaseboundError
from store.types import UNKNOWN, Prompt

TELL_EVERY_S: Final = 1.0
"""What is drawn is told that often, also while the next response takes long."""
_LOOK_EVERY_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Opened:
    """What an engine found on opening its model."""

    facts: Facts
    host: str
    prompts: tuple[tuple[Prompt, ...] | str, ...]
    """For each of its plans, in the order of the plan's problems; or why they cannot be made."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an engine has to tell since it last told."""

    drawn: tuple[Drawn, ...]
    """As `engine.fleet.messages.Drew` has them."""
    ready: int
    """Samples that it has not begun: once they run out it is not full any more."""
    over: bool
    """It draws no more, and this is the last of it."""


class RayEngine:
    """An actor. Its plans are all of one sampler and one opening.

    One thread opens and draws, and another, Ray's as well, tells of it: `draw` says nothing until it is over.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._turn = self._over = 0
        """Which call of `draw` is at work, and which is over."""
        self._ready: deque[Wanted] = deque()
        self._drawn: deque[Drawn] = deque()

    def where(self) -> str:
        """The machine's name: told as soon as the actor has a place."""
        return socket.gethostname()

    def open(self) -> Opened:
        """Load the model. Raises SamplerError where that is not possible here."""
        sampler, opening = self._plans[0].sampler, self._plans[0].opening
        _require_here(opening)
        self._sampler = samplers.load(sampler, opening)
        self._prompts = [self._prompts_of(plan) for plan in self._plans]
        return Opened(self._sampler.facts, socket.gethostname(), tuple(self._prompts))

    def _prompts_of(self, plan: Plan) -> tuple[Prompt, ...] | str:
        """Whether they leave room for a response is found out where the plan is begun."""
        try:
            return tuple(self._sampler.prompt(plan.template, problem.statement or UNKNOWN) for problem in plan.problems)
        except BaseboundError as error:
            return str(error)

    def draw(self, turn: int, number: int, units: Sequence[Wanted]) -> None:
        """Samples of a plan, and those that `tell` brings meanwhile. Turns are counted from 1."""
        try:
            plan, prompts = self._plans[number], self._prompts[number]
            if isinstance(prompts, str):
                raise SamplerError(prompts)
            longest = max((len(prompt.ids) for prompt in prompts), default=0)
            self._ready = deque(units)
            self._turn = turn  # last: from now on `tell` adds to what lies ready
            while self._ready:
                for one in self._sampler.sample(self._requests(prompts), plan.manner, longest):
                    self._drawn.append(replace(one, request=replace(one.request, prompt=(), text="")))
        finally:
            self._over = turn

    def tell(self, turn: int, units: Sequence[Wanted]) -> Told:
        """In the other thread: take further samples of that turn, wait a little, and tell what is drawn by then.

        Samples for a turn that has just ended come too late; the job finds them missing.
        """
        if turn == self._turn:
            self._ready.extend(units)
        until = time.monotonic() + TELL_EVERY_S
        while self._over < turn and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)
        over = self._over >= turn  # before what is drawn is taken, so that nothing comes after it
        drawn = [self._drawn.popleft() for _ in range(len(self._drawn))]
        return Told(tuple(drawn), len(self._ready), over)

    def _requests(self, prompts: Sequence[Prompt]) -> Iterator[Request]:
        while self._ready:
            wanted = self._ready.popleft()
            prompt = prompts[wanted.problem]
            yield Request((wanted.problem, wanted.index), prompt.ids, wanted.seed, prompt.text)


def _require_here(opening: Opening) -> None:
    for folder in (opening.model, opening.adapter):
        if opening.url is None and folder is not None and not folder.is_dir():
            raise SamplerError(f"there is no folder {folder}; every machine of the cluster needs the models at the same path")


def last_words(error: Exception) -> str:
    """Of an engine: what broke it, or what Ray knows of its end."""
    cause = getattr(error, "cause", None)
    words = str(cause or error).strip().splitlines() or [""]
    return f"{type(cause).__name__}: {words[0]}" if isinstance(cause, Exception) else words[0]


def absolute(plan: Plan) -> Plan:
    """The engines work in other folders."""
    opening = plan.opening
    adapter = None if opening.adapter is None else opening.adapter.resolve()
    return replace(plan, opening=replace(opening, model=opening.model.resolve(), adapter=adapter))


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[ModuleType]:
    """Ray, connected: it is quiet, tells nobody, and leaves our signals alone. As it was, where it is connected already.

    Raises SamplerError where there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else a notice at every start
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # else its daemons' last words are printed to stdout
    with samplers.needing("ray"):
        import ray
    if ray.is_initialized():
        yield ray
        return
    on_term = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="error", include_dashboard=None if address else False)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise SamplerError(
            f"there is no Ray cluster at {address or 'this machine'} ({str(error).splitlines()[0]}); start one with"
            f" `ray start --head`, and on each other machine `ray start --address HEAD:6379`"
        ) from error
    finally:
        with contextlib.suppress(ValueError):  # not in the main thread: there, Ray does not touch them either
            signal.signal(signal.SIGTERM, on_term)
    try:
        yield ray
    finally:
        ray.shutdown()
