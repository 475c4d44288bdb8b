"""An engine on a Ray cluster: what its process does, and how a job gets to the cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from engine import samplers
from engine.fleet.messages import Wanted
from engine.pace import in_time
from engine.samplers.base import Drawn, Facts, Opening, Request, SamplerError
from engine.sampling import Plan, longest, prompts_of
from store.types import Problem, Prompt


@dataclass(frozen=True, slots=True)
class Opened:
    """What an engine found on opening its model."""

    facts: Facts
    host: str
    prompts: tuple[tuple[Prompt, ...], ...]
    """For each of its plans, in the order of the plan's problems."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an engine tells while it draws."""

    drawn: tuple[Drawn, ...]
    """As `engine.fleet.messages.Drew` has them."""
    ready: int
    """Samples that it has not begun: once they run out it is not full any more."""


class RayEngine:
    """An actor. Its plans are all of one sampler and one opening."""

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = plans
        self._number = -1
        self._ready: deque[Wanted] = deque()

    def where(self) -> str:
        """The machine's name: told as soon as the actor has a place."""
        return socket.gethostname()

    def open(self) -> Opened:
        """Load the model. Raises SamplerError where that is not possible here."""
        sampler, opening = self._plans[0].sampler, self._plans[0].opening
        _require_here(opening)
        self._sampler = samplers.load(sampler, opening)
        self._prompts = [prompts_of(self._sampler, plan) for plan in self._plans]
        in_order = (
            tuple(prompts[problem] for problem in plan.problems)
            for plan, prompts in zip(self._plans, self._prompts, strict=True)
        )
        return Opened(self._sampler.facts, socket.gethostname(), tuple(in_order))

    def draw(self, number: int, units: Sequence[Wanted]) -> Iterator[Told]:
        """Samples of a plan as they finish, told every few seconds, and those of `more` meanwhile."""
        plan, prompts = self._plans[number], self._prompts[number]
        self._number, self._ready = number, deque(units)
        while self._ready:
            for drawn in in_time(self._sampler.sample(self._requests(plan, prompts), plan.manner, longest(prompts))):
                bare = tuple(replace(one, request=replace(one.request, prompt=(), text="")) for one in drawn)
                yield Told(bare, len(self._ready))

    def more(self, number: int, units: Sequence[Wanted]) -> None:
        """In another thread: further samples of the plan that is being drawn. For another one they come too late."""
        if number == self._number:
            self._ready.extend(units)

    def _requests(self, plan: Plan, prompts: Mapping[Problem, Prompt]) -> Iterator[Request]:
        while self._ready:
            wanted = self._ready.popleft()
            prompt = prompts[plan.problems[wanted.problem]]
            yield Request((wanted.problem, wanted.index), prompt.ids, wanted.seed, prompt.text)


def _require_here(opening: Opening) -> None:
    for folder in (opening.model, opening.adapter):
        if opening.url is None and folder is not None and not folder.is_dir():
            raise SamplerError(f"there is no folder {folder}; every machine of the cluster needs the models at the same path")


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
