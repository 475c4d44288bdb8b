"""Plans carried out over a Ray cluster: an actor for each GPU or group of GPUs, on whichever machines there are.

This process is the only one that writes the study. It deals out the samples that are missing (engine/fleet/jobs.py) and stores
each as it comes, known by its run, problem and index, so that none is stored twice. Machines may join and leave while it goes
on: what a lost one had not told yet is drawn by another.

- Plain Ray Core: actors and `ray.wait`. Where the cluster has GPUs, an actor takes gpus_each of one machine, else one CPU.
- Every machine needs the same environment as this one, and the models at the same paths.
- ray is imported once there is something to draw.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Final

from engine.fleet import Watch
from engine.fleet.jobs import Job, Key, Ledger
from engine.fleet.messages import Wanted
from engine.fleet.ray_actor import Opened, RayEngine, Told, connected
from engine.samplers.base import SamplerError
from engine.sampling import Plan, Sampled, batch_of
from store.errors import BaseboundError
from store.writer import Writer

FEWEST: Final = 32
MOST: Final = 1024
"""Samples dealt to an engine at once: many while there are many, few at the end, so that nobody waits for one engine."""
AHEAD: Final = 2
"""An engine has so many times as many samples ready as it drew between two words."""
NOBODY_S: Final = 600.0
"""So long no machine of the cluster may have room for an engine before the job ends."""
DEATHS: Final = 3
"""Engines that die one after the other, none of them having drawn anything: then the fault is not a machine's."""
LOOK_EVERY_S: Final = 1.0
_FEEDING: Final = "feeding"
"""The thread of an engine that takes further samples while it draws."""


def draw_all_on_ray(
    writer: Writer, plans: Sequence[Plan], address: str | None, watch: Watch, gpus_each: int = 1
) -> list[Sampled]:
    """Draw what the plans' runs lack, by as many engines as the cluster has room for. In the order of the plans.

    address: of the cluster, or "auto"; None: one of this machine alone, for as long as it takes.
    Raises SamplerError where a model cannot be sampled, where no machine is left, and where the cluster cannot be reached;
    Conflict where the study contradicts a plan. What was drawn by then is stored.
    """
    with connected(address) as ray:
        driver = _Driver(ray, writer, list(map(_absolute, plans)), watch, gpus_each)
        try:
            driver.run()
        finally:
            driver.end()
        return driver.ledger.results()


@dataclass(slots=True, eq=False)
class _Engine:
    """An actor as this process sees it."""

    actor: Any
    key: Key
    jobs: list[Job]
    waits_for: Any
    """What it is to tell next: where it is, that it is open, or what it draws."""
    host: str | None = None
    """None until it has a place."""
    opened: Opened | None = None
    job: Job | None = None
    """That it draws for."""
    has_drawn: bool = False
    asked_again: bool = False

    @property
    def number(self) -> int:
        """What the actor calls the plan."""
        return -1 if self.job is None else self.jobs.index(self.job)


@dataclass(slots=True)
class _Lives:
    """How engines fare: whether there are any, and whether they die young."""

    deaths: int = 0
    seen: float = field(default_factory=time.monotonic)

    def look(self, there: bool) -> bool:
        """Is there, or was there of late, an engine that has a place?"""
        now = time.monotonic()
        self.seen = now if there else self.seen
        return now - self.seen < NOBODY_S


class _Driver:
    """Deals out, stores, and keeps as many engines going as the cluster has room for."""

    def __init__(self, ray: ModuleType, writer: Writer, plans: Sequence[Plan], watch: Watch, gpus_each: int) -> None:
        self.ledger = Ledger(writer, plans)
        self._ray, self._writer, self._watch = ray, writer, watch
        there = ray.cluster_resources()
        self._needs, room = (
            ({"num_gpus": gpus_each}, there["GPU"] // gpus_each) if there.get("GPU") else ({"num_cpus": 1}, there.get("CPU", 0))
        )
        self._at_first = max(1, int(room))
        self._make = ray.remote(**self._needs, max_restarts=0, concurrency_groups={_FEEDING: 1})(RayEngine).remote
        errors = ray.exceptions
        self._lost = (errors.RayActorError, errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError)
        self._engines: list[_Engine] = []
        self._lives = _Lives()

    def run(self) -> None:
        """Until every plan has all its samples. Raises SamplerError, Conflict."""
        self._hire(self._at_first)
        while not all(job.finished for job in self.ledger.jobs):
            self._hire(1)
            self._wait()
            self.ledger.write_in_time()
            self._watch.progress(self.ledger.pace(sum(engine.opened is not None for engine in self._engines)))

    def end(self) -> None:
        """Let all engines go, and store what they have sent."""
        for engine in list(self._engines):
            self._dismiss(engine)
        self.ledger.write()

    def _hire(self, waiting: int) -> None:
        """Have that many engines wait for a place: one at least, so that a machine that joins is used at once."""
        while sum(engine.host is None for engine in self._engines) < waiting:
            keys = list(dict.fromkeys(job.key for job in self.ledger.jobs if job.work))
            if not keys:
                return
            key = min(keys, key=lambda one: sum(engine.key == one for engine in self._engines))
            jobs = [job for job in self.ledger.jobs if job.key == key]
            actor = self._make([job.plan for job in jobs])
            self._engines.append(_Engine(actor, key, jobs, actor.where.remote()))

    def _wait(self) -> None:
        """Take what has come. Raises SamplerError where there has been nobody for too long."""
        waits = {engine.waits_for: engine for engine in self._engines}
        ready, _ = self._ray.wait(list(waits), timeout=LOOK_EVERY_S, fetch_local=False)
        for found in ready:
            self._hear(waits[found])
        if not self._lives.look(any(engine.host is not None for engine in self._engines)):
            needs = ", ".join(f"{name} {number:g}" for name, number in self._needs.items())
            raise SamplerError(
                f"for {NOBODY_S / 60:g} minutes no machine of the cluster has had room for an engine ({needs});"
                f" see `ray status`; what was drawn is stored, run the same command again to go on"
            )

    def _hear(self, engine: _Engine) -> None:
        """What an engine tells, or that it is lost. Raises SamplerError where its sampler refuses."""
        try:
            if engine.host is None:
                engine.host = self._ray.get(engine.waits_for)
                engine.waits_for = engine.actor.open.remote()
            elif engine.opened is None:
                engine.opened = self._ray.get(engine.waits_for)
                self._begin(engine, engine.opened)
            else:
                self._take(engine)
        except self._lost as error:
            self._lose(engine, error)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, BaseboundError):
                raise SamplerError(f"on {engine.host}: {error.cause}") from None
            raise

    def _begin(self, engine: _Engine, opened: Opened) -> None:
        for job, prompts in zip(engine.jobs, opened.prompts, strict=True):
            self.ledger.begin(job, opened.facts, prompts)
        self._deal(engine, opened)

    def _deal(self, engine: _Engine, opened: Opened) -> None:
        """Give an engine its next samples; let it go where its model has none left."""
        engine.job = next((job for job in engine.jobs if job.left), None)
        if engine.job is None:
            self._dismiss(engine)
            return
        self._open_batch(engine, engine.job, opened)
        self._draw(engine, self._units(engine, engine.job, opened, MOST))

    def _units(self, engine: _Engine, job: Job, opened: Opened, most: int) -> list[Wanted]:
        """The next ones for an engine: a part of what is left, and a few at least."""
        engines = sum(one.key == engine.key and one.opened is not None for one in self._engines)
        units: list[Wanted] = []
        while len(units) < min(FEWEST, most) and job.left:
            units += self.ledger.deal(job, engine, opened.facts, most - len(units), engines)
        return units

    def _draw(self, engine: _Engine, units: Sequence[Wanted]) -> None:
        draw = engine.actor.draw.options(num_returns="streaming")
        engine.waits_for = draw.remote(engine.number, units)

    def _open_batch(self, engine: _Engine, job: Job, opened: Opened) -> None:
        """With the name of the engine's machine."""
        if engine not in job.batches and job.run is not None:
            prompts = dict(zip(job.plan.problems, job.prompts, strict=True))
            facts = replace(batch_of(opened.facts), host=opened.host)
            job.batches[engine] = self._writer.open_batch(job.run, facts, prompts)

    def _take(self, engine: _Engine) -> None:
        """What an engine has drawn since it last told."""
        job, opened = engine.job, engine.opened
        if job is None or opened is None:
            raise RuntimeError("an engine tells of samples that it was not asked for")
        try:
            told: Told = self._ray.get(next(engine.waits_for))
        except StopIteration:
            self._end(engine, job, opened)
            return
        self.ledger.take(job, engine, told.drawn)
        engine.has_drawn, engine.asked_again, self._lives.deaths = True, False, 0
        lacking = AHEAD * len(told.drawn) - told.ready
        if lacking > 0 and (units := self._units(engine, job, opened, max(FEWEST, lacking))):
            engine.actor.more.options(concurrency_group=_FEEDING).remote(engine.number, units)

    def _end(self, engine: _Engine, job: Job, opened: Opened) -> None:
        """It has drawn what it had. What was fed to it too late it is asked for again, once."""
        left_out = list(job.dealt.get(engine, ()))
        if not left_out:
            self._deal(engine, opened)
        elif engine.asked_again:
            raise SamplerError(f"the sampler on {engine.host} left {len(left_out)} samples out; run the same command again")
        else:
            engine.asked_again = True
            self._draw(engine, left_out)

    def _lose(self, engine: _Engine, error: Exception) -> None:
        """Another engine draws what this one still had to. Raises SamplerError where one after the other dies."""
        self._dismiss(engine)
        lost = 0 if engine.job is None else self.ledger.put_back(engine.job, engine)
        where = engine.host or "a machine that is gone"
        self._watch.say(f"lost the engine on {where}" + (f"; its {lost:,} unfinished samples are dealt again" if lost else ""))
        self._lives.deaths += not engine.has_drawn
        if self._lives.deaths >= DEATHS:
            raise SamplerError(
                f"{DEATHS} engines in a row died on the cluster before they had drawn anything, the last on {where}:"
                f" {str(error).splitlines()[0]}; look at its memory, and at Ray's logs there (/tmp/ray/session_latest/logs)"
            )

    def _dismiss(self, engine: _Engine) -> None:
        self._engines.remove(engine)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(engine.actor)


def _absolute(plan: Plan) -> Plan:
    """The engines work in other folders."""
    opening = plan.opening
    adapter = None if opening.adapter is None else opening.adapter.resolve()
    return replace(plan, opening=replace(opening, model=opening.model.resolve(), adapter=adapter))
