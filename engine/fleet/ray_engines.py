"""Plans carried out over a Ray cluster: an actor for each GPU or group of GPUs, on whichever machines there are.

This process is the only one that writes the study. It deals out the samples that are missing (engine/fleet/jobs.py) and stores
each as it comes, known by its run, problem and index, so that none is stored twice. Machines may join and leave while it goes
on: what a lost one had not told yet is drawn by another.

- What a sampler refuses, and what DEATHS engines in a row die of, is given up: a plan, or all plans of a model that cannot be
  opened. The others go on.
- Plain Ray Core: actors and `ray.wait`. Where the cluster has GPUs, an actor takes gpus_each of one machine, else one CPU.
- Every machine needs the same environment as this one, and the models at the same paths.
- ray is imported once there is something to draw.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, Final

from engine.fleet import Watch
from engine.fleet.jobs import Job, Key, Ledger
from engine.fleet.messages import Wanted
from engine.fleet.ray_actor import Opened, RayEngine, Told, absolute, connected, last_words
from engine.samplers.base import SamplerError
from engine.sampling import Plan, Sampled, batch_of
from store.errors import BaseboundError, Conflict
from store.types import Prompt
from store.writer import Writer

FEWEST: Final = 32
MOST: Final = 1024
"""Samples dealt to an engine at once: many while there are many, few at the end, so that nobody waits for one engine."""
AHEAD: Final = 2
"""An engine has so many times as many samples ready as it drew between two words."""
NOBODY_S: Final = 600.0
"""So long no machine of the cluster may have room for an engine before the job ends."""
DEATHS: Final = 3
"""Engines that die one after the other, none of them having drawn anything: then the fault is not a machine's. A model that so
many machines refuse while another draws from it is given to no further ones."""
PAUSE_S: Final = 10.0
"""So long nobody is hired after an engine that died before it had a place: Ray takes a while to see that a machine is gone."""
LOOK_EVERY_S: Final = 1.0
_FEEDING: Final = "feeding"
"""The thread of an engine that takes further samples, and tells what is drawn, while it draws."""


def draw_all_on_ray(
    writer: Writer,
    plans: Sequence[Plan],
    address: str | None,
    watch: Watch,
    gpus_each: int = 1,
    engines: int | None = None,
) -> list[Sampled]:
    """Draw what the plans' runs lack, by as many engines as the cluster has room for. In the order of the plans.

    address: of the cluster, or "auto"; None: one of this machine alone, for as long as it takes.
    engines: at most so many at a time.
    Raises SamplerError at the end, naming each plan that failed: what could be drawn of all is stored by then. Raises it at
    once where the cluster cannot be reached, and where no machine is left; StudyError where the study cannot be written.
    """
    with connected(address) as ray:
        driver = _Driver(ray, writer, list(map(absolute, plans)), watch, gpus_each, engines)
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
    turn: int = 0
    drawing: Any = None
    """The call that draws: it ends with what went wrong."""
    barred: set[Job] = field(default_factory=set)
    """Its samples would be of another run."""
    has_drawn: bool = False
    """Of its plan."""
    asked_again: bool = False

    @property
    def what(self) -> Key | Job:
        """What it is at: a plan, or opening a model."""
        return self.job or self.key

    @property
    def is_needed(self) -> bool:
        """Others may have done all of it before it had a place, or had opened its model."""
        if self.host is None:
            return any(job.work for job in self.jobs)
        return self.opened is not None or not all(job.over for job in self.jobs)


class _Driver:
    """Deals out, stores, and keeps as many engines going as the cluster has room for."""

    def __init__(
        self, ray: ModuleType, writer: Writer, plans: Sequence[Plan], watch: Watch, gpus_each: int, most: int | None
    ) -> None:
        self.ledger = Ledger(writer, plans)
        self._ray, self._writer, self._watch = ray, writer, watch
        there = ray.cluster_resources()
        self._needs, room = (
            ({"num_gpus": gpus_each}, there["GPU"] // gpus_each) if there.get("GPU") else ({"num_cpus": 1}, there.get("CPU", 0))
        )
        self._at_first, self._most = max(1, int(room)), most
        self._make = ray.remote(**self._needs, max_restarts=0, concurrency_groups={_FEEDING: 1})(RayEngine).remote
        errors = ray.exceptions
        self._lost = (errors.RayActorError, errors.WorkerCrashedError, errors.NodeDiedError, errors.ObjectLostError)
        self._engines: list[_Engine] = []
        self._deaths: Counter[Key | Job] = Counter()
        """In a row."""
        self._refusals: Counter[Key] = Counter()
        """By machines, of what others had opened."""
        self._seen = time.monotonic()
        """When an engine last had a place."""
        self._not_before = 0.0
        """Nobody is hired until then."""

    def run(self) -> None:
        """Until every plan has all its samples, or is given up. Raises SamplerError, StudyError."""
        self._hire(self._at_first)
        while not all(job.over for job in self.ledger.jobs):
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
        for engine in [one for one in self._engines if not one.is_needed]:
            self._dismiss(engine)
        if time.monotonic() < self._not_before:
            return
        while sum(engine.host is None for engine in self._engines) < waiting and len(self._engines) != self._most:
            keys = [key for key in dict.fromkeys(job.key for job in self.ledger.jobs if job.work) if self._may_open(key)]
            if not keys:
                return
            key = min(keys, key=lambda one: sum(engine.key == one for engine in self._engines))
            jobs = [job for job in self.ledger.jobs if job.key == key]
            actor = self._make([job.plan for job in jobs])
            self._engines.append(_Engine(actor, key, jobs, actor.where.remote()))

    def _may_open(self, key: Key) -> bool:
        return self._refusals[key] < DEATHS or not self._is_open(key)

    def _is_open(self, key: Key) -> bool:
        return any(engine.key == key and engine.opened is not None for engine in self._engines)

    def _wait(self) -> None:
        """Take what has come. Raises SamplerError where there has been nobody for too long."""
        waits = {engine.waits_for: engine for engine in self._engines}
        if waits:
            self._ray.wait(list(waits), timeout=LOOK_EVERY_S, fetch_local=False)
            ready, _ = self._ray.wait(list(waits), num_returns=len(waits), timeout=0, fetch_local=False)
            for found in ready:
                self._hear(waits[found])
        else:
            time.sleep(LOOK_EVERY_S)
        if any(engine.host is not None for engine in self._engines):
            self._seen = time.monotonic()
        if time.monotonic() - self._seen > NOBODY_S:
            needs = ", ".join(f"{name} {number:g}" for name, number in self._needs.items())
            raise SamplerError(
                f"for {NOBODY_S / 60:g} minutes no machine of the cluster has had room for an engine ({needs});"
                f" see `ray status`; what was drawn is stored, run the same command again to go on"
            )

    def _hear(self, engine: _Engine) -> None:
        """What an engine tells, or that it is lost, or what its sampler refuses."""
        try:
            if engine.host is None:
                engine.host = self._ray.get(engine.waits_for)
                engine.waits_for = engine.actor.open.remote()
            elif engine.opened is None:
                opened: Opened = self._ray.get(engine.waits_for)
                engine.opened = opened
                self._begin(engine, opened)
            else:
                self._take(engine)
        except self._lost as error:
            self._lose(engine, error)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, BaseboundError):
                self._refuse(engine, f"on {engine.host}: {error.cause}")
            else:
                self._lose(engine, error)

    def _begin(self, engine: _Engine, opened: Opened) -> None:
        for job, prompts in zip(engine.jobs, opened.prompts, strict=True):
            if job.failed is None:
                self._begin_one(engine, job, opened, prompts)
        self._deal(engine, opened)

    def _begin_one(self, engine: _Engine, job: Job, opened: Opened, prompts: Sequence[Prompt] | str) -> None:
        try:
            if isinstance(prompts, str):
                raise SamplerError(prompts)
            self.ledger.begin(job, opened.facts, prompts)
        except SamplerError as error:
            engine.barred.add(job)
            if job.run is None:
                self._fail(job, str(error))
            else:
                self._bar(engine, [job], f"on {engine.host}: {error}")

    def _deal(self, engine: _Engine, opened: Opened) -> None:
        """Give an engine its next samples; let it go where its model has none left."""
        job = engine.job = next((job for job in engine.jobs if job.work and job not in engine.barred), None)
        if job is None:
            self._dismiss(engine)
            return
        engine.has_drawn = engine.asked_again = False
        try:
            self._open_batch(engine, job, opened)
        except Conflict as error:
            self._fail(job, str(error))
            self._deal(engine, opened)
        else:
            self._draw(engine, job, self._units(engine, job, opened, MOST))

    def _units(self, engine: _Engine, job: Job, opened: Opened, most: int) -> list[Wanted]:
        """The next ones for an engine: a part of what is left, and a few at least."""
        engines = sum(one.key == engine.key and one.opened is not None for one in self._engines)
        units: list[Wanted] = []
        while len(units) < min(FEWEST, most) and job.work:
            units += self.ledger.deal(job, engine, opened.facts, most - len(units), engines)
        return units

    def _draw(self, engine: _Engine, job: Job, units: Sequence[Wanted]) -> None:
        engine.turn += 1
        engine.drawing = engine.actor.draw.remote(engine.turn, engine.jobs.index(job), units)
        self._ask(engine, ())

    def _ask(self, engine: _Engine, units: Sequence[Wanted]) -> None:
        """To tell what it has drawn, in a while; and give it further samples."""
        engine.waits_for = engine.actor.tell.options(concurrency_group=_FEEDING).remote(engine.turn, units)

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
        told: Told = self._ray.get(engine.waits_for)
        self.ledger.take(job, engine, told.drawn)
        if told.drawn:
            engine.has_drawn, engine.asked_again = True, False
            self._deaths[job] = self._deaths[engine.key] = 0
        if told.over:
            self._ray.get(engine.drawing)
            self._end(engine, job, opened)
        else:
            lacking = AHEAD * len(told.drawn) - told.ready
            self._ask(engine, self._units(engine, job, opened, max(FEWEST, lacking)) if lacking > 0 else ())

    def _end(self, engine: _Engine, job: Job, opened: Opened) -> None:
        """It has drawn what it had. What was fed to it too late it is asked for again, once."""
        left_out = list(job.dealt.get(engine, ()))
        if not left_out:
            self._deal(engine, opened)
        elif engine.asked_again:
            self._refuse(engine, f"the sampler on {engine.host} left {len(left_out)} samples out; run the same command again")
        else:
            engine.asked_again = True
            self._draw(engine, job, left_out)

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    def _refuse(self, engine: _Engine, sentence: str) -> None:
        """A plan that a sampler refuses is given up, and so is a model, unless it is open on another machine."""
        if engine.job is None or engine.opened is None:
            self._dismiss(engine)
            self._bar(engine, engine.jobs, sentence)
        else:
            self.ledger.put_back(engine.job, engine)
            self._fail(engine.job, sentence)
            self._deal(engine, engine.opened)

    def _bar(self, engine: _Engine, jobs: Iterable[Job], sentence: str) -> None:
        """An engine is no use for these plans: nor is another, unless its model is open elsewhere."""
        if any(one is not engine and one.key == engine.key and one.opened is not None for one in self._engines):
            self._refusals[engine.key] += 1
            self._watch.say(f"{sentence}; other machines go on")
            return
        for job in jobs:
            self._fail(job, sentence)

    def _lose(self, engine: _Engine, error: Exception) -> None:
        """Another engine draws what this one still had to, unless one after the other dies of it."""
        self._dismiss(engine)
        lost = 0 if engine.job is None else self.ledger.put_back(engine.job, engine)
        where = engine.host or "a machine that is gone"
        self._watch.say(f"lost the engine on {where}" + (f"; its {lost:,} unfinished samples are dealt again" if lost else ""))
        self._deaths[engine.what] += self._counts(engine)
        if self._deaths[engine.what] >= DEATHS and not self._fares_well(engine.what):
            for job in [engine.job] if engine.job is not None else engine.jobs:
                self._fail(
                    job,
                    f"{DEATHS} engines in a row died on the cluster before they had drawn anything, the last on {where}:"
                    f" {last_words(error)}; look at its memory, and at the logs of Ray's session there",
                )

    def _counts(self, engine: _Engine) -> bool:
        """Whether a death is one of those in a row: of all that Ray sends to a machine that is gone, the first is."""
        if engine.host is not None:
            return not engine.has_drawn
        early = time.monotonic() < self._not_before
        self._not_before = time.monotonic() + PAUSE_S
        return not early

    def _fares_well(self, what: Key | Job) -> bool:
        """Others have opened this model, or draw this plan."""
        if isinstance(what, Job):
            return any(one.job is what and one.has_drawn for one in self._engines)
        return self._is_open(what)

    def _fail(self, job: Job, sentence: str) -> None:
        if not job.over:
            job.failed = sentence
            self._watch.say(f"{job.title} is given up: {sentence}")

    def _dismiss(self, engine: _Engine) -> None:
        self._engines.remove(engine)
        with contextlib.suppress(self._ray.exceptions.RayError):
            self._ray.kill(engine.actor)
