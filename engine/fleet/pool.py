"""Plans drawn by an engine at each place, written by this process alone.

- An engine keeps its model open for every plan that has the same opening and sampler. When nothing is left for it, its process
  ends and the place takes the opening with the most work left for each engine on it.
- Several engines share a plan: its units are dealt in order as they ask for them.
- An engine that dies is started again, at most RESTARTS times in a row without a finished sample; what it had is dealt again.
  After that its place is no use for this plan, and the plan fails when no place is left. What a sampler refuses is not tried
  again.
- Whatever happens, no engine outlives `draw_all`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Final

from engine.fleet import Watch, failures
from engine.fleet.jobs import Job, Key, Ledger, statements
from engine.fleet.messages import Begin, Begun, Broke, Close, Drew, Ended, Hungry, More, News, Open, Opened, Refused, Wanted
from engine.fleet.places import Place
from engine.fleet.process import Process
from engine.samplers.base import Facts, SamplerError
from engine.sampling import Plan, Sampled
from store.errors import Conflict, StudyError
from store.types import Prompt
from store.writer import Writer

RESTARTS: Final = 2
"""In a row, without a finished sample between them."""
MOST_DEATHS: Final = 50
"""Of engines at one place and plan: a model that loads again for every few samples costs more than it draws."""
TICK_S: Final = 0.2
GRACE_S: Final = 5.0
"""For an engine to end in order once it is asked to: at the end of all, or when a job is interrupted."""
CLOSE_S: Final = 60.0
"""The same, for one whose plans are done while others work on."""
WORTH: Final = 2.0
"""An engine joins others at an opening only for work that would take them so many times as long as a model takes to open."""


def draw_all(writer: Writer, plans: Sequence[Plan], places: Sequence[Place], watch: Watch) -> list[Sampled]:
    """Draw what the plans' runs lack, by an engine at each place. One result for each plan, in order.

    Raises SamplerError at the end, naming each plan that failed: what could be drawn of all is stored by then. Raises
    StudyError at once where the study cannot be written.
    """
    pool = _Pool(writer, plans, places, watch)
    try:
        pool.run()
    except KeyboardInterrupt:
        pool.rescue()
        raise
    finally:
        pool.end()
    return pool.ledger.results()


@dataclass(slots=True, eq=False)
class _Engine:
    """A process at work on an opening."""

    process: Process
    key: Key
    started: float
    facts: Facts | None = None
    """Of the model, once it is open."""
    job: Job | None = None
    """What it is drawing."""
    broke: Broke | None = None
    closing: float | None = None
    """It was told to end, and has until then."""


@dataclass(slots=True, eq=False)
class _Seat:
    """A place, who works there, and what is no use there."""

    place: Place
    engine: _Engine | None = None
    strikes: Counter[Key | Job] = field(default_factory=Counter)
    """Deaths in a row, while opening a model or drawing a plan."""
    deaths: Counter[Key | Job] = field(default_factory=Counter)
    """The same, in all."""
    barred: set[Key | Job] = field(default_factory=set)
    """What is not tried here again."""

    def allows(self, job: Job) -> bool:
        return job.key not in self.barred and job not in self.barred

    def work(self, job: Job) -> int:
        """How many units of the plan could be drawn here."""
        return job.work if self.allows(job) else 0


class _Pool:
    def __init__(self, writer: Writer, plans: Sequence[Plan], places: Sequence[Place], watch: Watch) -> None:
        self.ledger = Ledger(writer, plans)
        self._writer, self._watch = writer, watch
        self._seats = [_Seat(place) for place in places]
        self._opening_s: float | None = None
        """How long the last model took to open."""
        self._clean = True
        """Nothing has gone wrong: logs are of no interest."""
        self._asked_to_end = False
        self._told = 0.0

    # -- the loop ------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        while self._staff():
            with_news = wait([engine.process.connection for engine in self._engines], TICK_S)
            for seat in self._seats:
                if seat.engine is not None and seat.engine.process.connection in with_news:
                    self._hear(seat, seat.engine)
                if seat.engine is not None and self._over(seat.engine):
                    self._bury(seat, seat.engine)
            self.ledger.write_in_time()
            self._tell_progress()
        self.ledger.write()
        self._watch.progress(self.ledger.pace(0))

    def _tell_progress(self) -> None:
        if time.monotonic() - self._told > TICK_S:
            self._told = time.monotonic()
            self._watch.progress(self.ledger.pace(sum(engine.facts is not None for engine in self._engines)))

    @property
    def _engines(self) -> list[_Engine]:
        return [seat.engine for seat in self._seats if seat.engine is not None]

    def _staff(self) -> bool:
        """Give everyone something to do. False when there is nothing left, and nobody at work."""
        for seat in self._seats:
            if seat.engine is None:
                key = self._opening_for(seat)
                if key is not None:
                    self._start(seat, key)
            elif seat.engine.facts is not None and seat.engine.job is None and seat.engine.closing is None:
                self._go_on(seat, seat.engine)
            elif seat.engine.facts is None and seat.engine.closing is None and self._is_over(seat.engine.key):
                seat.engine.closing = time.monotonic() + GRACE_S  # others have done it all while its model was opening
                seat.engine.process.terminate()
        return bool(self._engines)

    def _start(self, seat: _Seat, key: Key) -> None:
        process = Process(seat.place, self._log(seat.place), self._threads())
        seat.engine = _Engine(process, key, time.monotonic())
        self._writer.add_engine(process.token, process.pid)
        process.send(Open(*key))

    def _go_on(self, seat: _Seat, engine: _Engine) -> None:
        """The next plan for its model, or the end of it."""
        engine.job = next((job for job in self.ledger.jobs if job.key == engine.key and seat.work(job)), None)
        if engine.job is None:
            engine.closing = time.monotonic() + (GRACE_S if all(job.over for job in self.ledger.jobs) else CLOSE_S)
            engine.process.send(Close())
        else:
            plan = engine.job.plan
            engine.process.send(Begin(engine.job.number, plan.template, statements(plan), plan.manner))

    def _opening_for(self, seat: _Seat) -> Key | None:
        """The opening with the most work left for each engine on it, in the order of the plans; None where none is worth it."""
        work: Counter[Key] = Counter()
        for job in self.ledger.jobs:
            work[job.key] += seat.work(job)
        keys = [key for key in work if work[key] and self._worth(key, work[key])]
        return max(keys, key=lambda key: work[key] / (1 + self._on(key)), default=None)

    def _worth(self, key: Key, units: int) -> bool:
        """Whether those who are on it would take long enough without another engine."""
        jobs = [job for job in self.ledger.jobs if job.key == key and job.run is not None]
        drawn, seconds = sum(job.drawn for job in jobs), sum(job.ended - job.began for job in jobs)
        if not self._on(key) or not drawn or self._opening_s is None:
            return True
        return units * seconds / drawn > WORTH * self._opening_s

    def _is_over(self, key: Key) -> bool:
        return all(job.over for job in self.ledger.jobs if job.key == key)

    def _on(self, key: Key) -> int:
        return sum(engine.key == key and engine.closing is None for engine in self._engines)

    # -- what engines tell ---------------------------------------------------------------------------------------------

    def _hear(self, seat: _Seat, engine: _Engine) -> None:
        for news in engine.process.news():
            self._heed(seat, engine, news)

    def _heed(self, seat: _Seat, engine: _Engine, news: News) -> None:
        match news:
            case Opened(facts):
                engine.facts = facts
                self._opening_s = time.monotonic() - engine.started
            case Begun(number, prompts):
                self._begin(seat, self.ledger.jobs[number], engine, prompts)
            case Hungry(number, count):
                engine.process.send(More(self._deal(self.ledger.jobs[number], engine, count)))
            case Drew(number, drawn):
                self.ledger.take(self.ledger.jobs[number], engine, drawn)
                seat.strikes.clear()
            case Ended(number):
                engine.job = None
            case Refused(sentence, int(number)):
                self.ledger.put_back(self.ledger.jobs[number], engine)
                self._fail(self.ledger.jobs[number], sentence)
                engine.job = None
            case Refused(sentence):
                self._refuse(seat, engine.key, sentence)
            case Broke():
                engine.broke = news

    def _begin(self, seat: _Seat, job: Job, engine: _Engine, prompts: tuple[Prompt, ...]) -> None:
        assert engine.facts is not None
        try:
            self.ledger.begin(job, engine.facts, prompts)
        except SamplerError as error:
            if job.run is None:
                self._fail(job, str(error))
            else:
                self._bar(seat, job, str(error))

    def _deal(self, job: Job, engine: _Engine, count: int) -> tuple[Wanted, ...]:
        assert engine.facts is not None
        seat = next(seat for seat in self._seats if seat.engine is engine)
        if not seat.work(job):
            return ()
        try:
            return self.ledger.deal(job, engine, engine.facts, count, sum(one.job is job for one in self._engines))
        except Conflict as error:
            self._fail(job, str(error))
            return ()

    # -- what goes wrong -----------------------------------------------------------------------------------------------

    def _over(self, engine: _Engine) -> bool:
        late = engine.closing is not None and time.monotonic() > engine.closing
        return late or engine.process.gone

    def _bury(self, seat: _Seat, engine: _Engine) -> None:
        """It has ended, or was too late to."""
        self._hear(seat, engine)  # what it told before it ended, and nobody had read
        how = engine.process.kill()
        self._writer.drop_engines([engine.process.token])
        seat.engine = None
        if engine.job is not None:
            self.ledger.put_back(engine.job, engine)
        refused = engine.key in seat.barred
        if engine.closing is None and not refused:
            self._strike(seat, engine, failures.of_death(seat.place, how, engine.broke, engine.process.log))

    def _strike(self, seat: _Seat, engine: _Engine, sentence: str) -> None:
        what: Key | Job = engine.job or engine.key
        seat.strikes[what] += 1
        seat.deaths[what] += 1
        self._clean = False
        if seat.strikes[what] > RESTARTS:
            self._bar(seat, what, f"{sentence}, and so {RESTARTS} times more when it was started again")
        elif seat.deaths[what] > MOST_DEATHS:
            self._bar(seat, what, f"{sentence}, for the {seat.deaths[what]}th time")
        else:
            self._watch.say(f"{sentence}; it is started again")

    def _refuse(self, seat: _Seat, key: Key, sentence: str) -> None:
        """A model that nobody has opened yet is no better elsewhere."""
        opened = any(engine.key == key and engine.facts is not None for engine in self._engines)
        for one in [seat] if opened else self._seats:
            self._bar(one, key, sentence)

    def _bar(self, seat: _Seat, what: Key | Job, sentence: str) -> None:
        seat.barred.add(what)
        for job in self._jobs_of(what):
            if not any(one.allows(job) for one in self._seats):
                self._fail(job, sentence)

    def _jobs_of(self, what: Key | Job) -> Iterable[Job]:
        return [what] if isinstance(what, Job) else [job for job in self.ledger.jobs if job.key == what]

    def _fail(self, job: Job, sentence: str) -> None:
        if job.failed is None and not job.finished:
            job.failed = sentence
            self._clean = False
            self._watch.say(f"{job.title} is given up: {sentence}")

    # -- the end -------------------------------------------------------------------------------------------------------

    def rescue(self) -> None:
        """A job is interrupted: store what has come, and what its engines still tell when they are asked to end."""
        self.ledger.write()
        self._let_all_end()
        self.ledger.write()

    def end(self) -> None:
        """No engine is left."""
        try:
            self._let_all_end()
        finally:
            engines = self._engines
            for engine in engines:
                engine.process.kill()
            with contextlib.suppress(StudyError):  # a full disk: the next job finds nothing under these tokens
                self._writer.drop_engines([engine.process.token for engine in engines])
            for seat in self._seats:
                seat.engine = None
                if self._clean:
                    self._log(seat.place).unlink(missing_ok=True)

    def _let_all_end(self) -> None:
        if self._asked_to_end:
            return
        self._asked_to_end = True
        engines = self._engines
        for engine in engines:
            engine.process.terminate()
        deadline = time.monotonic() + GRACE_S
        while time.monotonic() < deadline and not all(engine.process.gone for engine in engines):
            for engine in engines:
                for news in engine.process.news():
                    if isinstance(news, Drew):
                        self.ledger.take(self.ledger.jobs[news.number], engine, news.drawn)
            time.sleep(0.02)

    # -- small things --------------------------------------------------------------------------------------------------

    def _log(self, place: Place) -> Path:
        return self._writer.path.with_name(f"{self._writer.path.name}.engine{place.number}.log")

    def _threads(self) -> int | None:
        """Engines that share a CPU share its cores."""
        sharing = sum(not seat.place.devices for seat in self._seats)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // sharing) if sharing > 1 else None
