"""The books of a fleet: what each plan still lacks, who has been given what, and what came back, on its way into the study.

    ledger = Ledger(writer, plans)
    job = ledger.jobs[0]
    ledger.begin(job, facts, prompts)                 # an engine has opened the model: now it is known what is missing
    wanted = ledger.deal(job, "engine 1", facts, 64)      # units for it
    ledger.take(job, "engine 1", drawn)               # they come back as they finish
    ledger.put_back(job, "engine 1")                  # it died: what it had is dealt again
    ledger.write()                                    # every engine.pace.WRITE_EVERY_S seconds

Who the engines are is no matter: anything that can be told apart, in processes here or on other machines.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

from engine import pace
from engine.fleet import Pace
from engine.fleet.messages import Wanted
from engine.prompts import Template
from engine.samplers.base import Drawn, Facts, Opening, Sampler, SamplerError
from engine.sampling import Plan, Sampled, batch_of, draw_of, missing, prompts_of, run_of, tokens_of, total
from store import measures
from store.reader import Study
from store.types import UNKNOWN, NewDraw, Problem, Prompt, Run, sample_seed
from store.writer import OpenBatch, Writer

ENGINES_SHARE: Final = 2
"""An engine gets at most one in so many of an equal share of what is left: the last units go where there is time for them."""

Key = tuple[str, Opening]
"""What an open engine is good for: plans of one sampler and opening."""


@dataclass(slots=True, eq=False)
class Job:
    """A plan, and how far it is."""

    number: int
    plan: Plan
    run: Run | None = None
    """None until an engine has opened the model."""
    facts: Facts | None = None
    prompts: tuple[Prompt, ...] = ()
    left: deque[Wanted] = field(default_factory=deque)
    """Not dealt yet, in order."""
    dealt: dict[Hashable, dict[Wanted, None]] = field(default_factory=dict)
    """By engine, what it has and has not sent back."""
    batches: dict[Hashable, OpenBatch] = field(default_factory=dict)
    total: int = 0
    known: int = 0
    drawn: int = 0
    added: int = 0
    tokens: int = 0
    began: float = 0.0
    ended: float = 0.0
    failed: str | None = None
    """Why it is given up."""

    @property
    def key(self) -> Key:
        return self.plan.sampler, self.plan.opening

    @property
    def title(self) -> str:
        decoding = self.plan.manner.decoding
        return f"{self.plan.model.name} on {self.plan.problems[0].benchmark} at T {decoding.temperature:g}"

    @property
    def work(self) -> int:
        """Units that an engine could be given, as far as is known."""
        if self.failed is not None:
            return 0
        return _asked_for(self.plan) if self.run is None else len(self.left)

    @property
    def finished(self) -> bool:
        return self.run is not None and not self.left and not any(self.dealt.values())

    @property
    def over(self) -> bool:
        """Finished, or given up."""
        return self.failed is not None or self.finished


class Ledger:
    """Of all plans of one command. Its `writer` is the only one who writes."""

    def __init__(self, writer: Writer, plans: Sequence[Plan]) -> None:
        self._writer = writer
        self.jobs = [Job(number, plan) for number, plan in enumerate(plans)]
        self._waiting: list[tuple[Job, OpenBatch, NewDraw]] = []
        self._written = self._began = time.monotonic()

    def begin(self, job: Job, facts: Facts, prompts: Sequence[Prompt]) -> None:
        """Find out what is missing, unless an engine has begun the plan before.

        Raises SamplerError where a prompt leaves no room for a response, and where this engine's samples would be of another
        run than those of the engine that began it.
        """
        prompts_of(cast(Sampler, _Told(facts, dict(zip(statements(job.plan), prompts, strict=True)))), job.plan)
        run = run_of(job.plan, facts)
        if job.run is None:
            self.write()  # another plan may be of the same run
            self._writer.admit(run.key, job.plan.n)
            job.run, job.facts, job.prompts, job.began = run, facts, tuple(prompts), time.monotonic()
            with Study(self._writer.path) as study:
                there = measures.indices(study, run.key)
            places = {problem: number for number, problem in enumerate(job.plan.problems)}
            units = missing(job.plan, run, there)
            job.left.extend(Wanted(places[problem], index, sample_seed(run.key, problem, index)) for problem, index in units)
            job.total = total(job.plan, run)
            job.known = job.total - len(units)
            job.ended = job.began
        elif job.run != run or job.prompts != tuple(prompts):
            raise SamplerError(
                f"its engines differ: {_difference(job.run, run) or 'their prompts do'}; give the same context cap to all, or"
                " use alike GPUs and packages"
            )

    def deal(self, job: Job, engine: Hashable, facts: Facts, count: int, engines: int = 1) -> tuple[Wanted, ...]:
        """The next units of a plan that has begun, for one of so many engines at it; none where there are none.

        Raises Conflict where the study contradicts the plan.
        """
        share = max(1, len(job.left) // (ENGINES_SHARE * engines))
        taken = tuple(job.left.popleft() for _ in range(min(count, share, len(job.left))))
        if taken and engine not in job.batches:
            prompts = dict(zip(job.plan.problems, job.prompts, strict=True))
            job.batches[engine] = self._writer.open_batch(_run(job), batch_of(facts), prompts)
        job.dealt.setdefault(engine, {}).update(dict.fromkeys(taken))
        return taken

    def take(self, job: Job, engine: Hashable, drawn: Sequence[Drawn]) -> None:
        """What an engine sent. The unit of each request is a pair: the problem's place in the plan, and the index."""
        dealt = job.dealt.get(engine, {})
        for one in drawn:
            place, index = cast(tuple[int, int], one.request.unit)
            what = Wanted(place, index, one.request.seed)
            if what not in dealt:
                continue  # it was given up for lost, and is somebody else's now
            del dealt[what]
            unit: tuple[Problem, int] = (job.plan.problems[place], index)
            draw = draw_of(job.plan, replace(one, request=replace(one.request, unit=unit)))
            self._waiting.append((job, job.batches[engine], draw))
            job.drawn += 1
            job.tokens += tokens_of(one)
        job.ended = time.monotonic()

    def put_back(self, job: Job, engine: Hashable) -> int:
        """What an engine had and will not send is dealt again, first. Returns how many units that are."""
        lost = job.dealt.pop(engine, {})
        job.left.extendleft(reversed(lost))
        return len(lost)

    def write_in_time(self) -> None:
        """`write`, where it is time for it."""
        if time.monotonic() - self._written > pace.WRITE_EVERY_S:
            self.write()

    def write(self) -> None:
        """Store what has come in, a transaction for each batch. Interrupted, it may be called again."""
        batches: dict[int, list[tuple[Job, OpenBatch, NewDraw]]] = {}
        for one in self._waiting:
            batches.setdefault(one[1].batch_id, []).append(one)
        for (job, batch, _), *_ in batches.values():
            job.added += self._writer.add_draws(batch, [draw for _, _, draw in batches[batch.batch_id]], batch.seconds)
            self._waiting = [one for one in self._waiting if one[1] is not batch]
        self._writer.keep_lease()
        self._written = time.monotonic()

    def pace(self, engines: int) -> Pace:
        """So many engines are at work."""
        begun = [job for job in self.jobs if job.run is not None]
        asked = sum(_asked_for(job.plan) for job in self.jobs if job.run is None)
        return Pace(
            done=sum(job.known + job.drawn for job in begun),
            total=sum(job.total for job in begun) + asked,
            drawn=sum(job.drawn for job in begun),
            tokens=sum(job.tokens for job in begun),
            seconds=time.monotonic() - self._began,
            engines=engines,
        )

    def results(self) -> list[Sampled]:
        """One for each plan. Raises SamplerError naming those that failed; the others are done."""
        for job in self.jobs:
            if job.failed is None and job.known + job.drawn < job.total:
                job.failed = f"the sampler {job.plan.sampler} left {job.total - job.known - job.drawn:,} samples out; mend it"
            elif job.failed is None:
                self._writer.admit(_run(job).key, job.plan.n)
        failed = [job for job in self.jobs if job.failed is not None]
        if failed:
            which = "the plan" if len(self.jobs) == 1 else f"{len(failed)} of {len(self.jobs)} plans"
            reasons = "; ".join(f"{job.title}: {job.failed}" for job in failed)
            raise SamplerError(f"{which} failed, and what was drawn is stored: {reasons}")
        return [
            Sampled(_run(job), cast(Facts, job.facts), job.added, job.known, job.tokens, job.ended - job.began)
            for job in self.jobs
        ]


@dataclass(frozen=True, slots=True)
class _Told:
    """A sampler as far as its prompts go: an engine elsewhere has made them."""

    facts: Facts
    prompts: Mapping[str, Prompt]

    def prompt(self, _template: Template, statement: str) -> Prompt:
        return self.prompts[statement]


def statements(plan: Plan) -> tuple[str, ...]:
    """What a sampler is given to make the plan's prompts of."""
    return tuple(problem.statement or UNKNOWN for problem in plan.problems)


def _run(job: Job) -> Run:
    if job.run is None:
        raise RuntimeError(f"{job.title} has not begun")
    return job.run


def _asked_for(plan: Plan) -> int:
    """Before anybody knows what is there."""
    samples = plan.n * len(plan.problems) + sum(plan.extra.get(problem.key, 0) for problem in plan.problems)
    return samples if plan.shard is None else -(-samples // plan.shard.of)


def _difference(one: Run, other: Run) -> str:
    """Of two runs' settings: "context_cap 4096 and 2048"."""
    pairs = ((name, getattr(one.settings, name), getattr(other.settings, name)) for name in one.settings.__slots__)
    return ", ".join(f"{name} {a} and {b}" for name, a, b in pairs if a != b)
