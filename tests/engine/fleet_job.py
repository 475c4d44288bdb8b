"""Plans for fleets, samplers that are slow or that break, and a job that may be killed: `python -c "...main(DB, ...)"`.

The samplers are named by this file, `fleet_job.py:Slow`, so that engines in processes of their own find them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.checkpoints import require_model
from engine.decoding import Decoding
from engine.fleet import Pace
from engine.fleet.places import places
from engine.fleet.pool import draw_all
from engine.prompts import Template
from engine.samplers.base import Drawn, Manner, Opening, Request, SamplerError
from engine.samplers.scripted import ScriptedSampler
from engine.sampling import Plan
from store.reader import Study
from store.types import Model, Problem, Role
from store.writer import Writer

ROOT = Path(__file__).parents[2]
PROBLEMS = [Problem("sums", str(key), f"What is {key} + {key}?", str(2 * key)) for key in range(1, 8)]


def own(name: str) -> str:
    """A sampler of this file."""
    return f"{__file__}:{name}"


def plan(
    n: int,
    sampler: str = "scripted",
    model: Path = Path("nothing"),
    name: str = "tiny",
    temperature: float = 1.0,
    dtype: str | None = None,
) -> Plan:
    return Plan(
        model=Model(name, "r1", Role.BASE),
        opening=Opening(model, batch=8, dtype=dtype),
        problems=PROBLEMS,
        template=Template("{problem}\n"),
        manner=Manner(Decoding(temperature, 0.95), 30),
        n=n,
        sampler=sampler,
    )


class Slow(ScriptedSampler):
    """Four at once, the four in 20 ms. The model's folder, where there is one, counts how often it was opened."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self.folder = opening.model
        if self.folder.is_dir():
            (self.folder / f"opened-{os.getpid()}").touch()

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        for number, drawn in enumerate(super().sample(requests, manner, longest_prompt)):
            time.sleep(0.02 if number % 4 == 3 else 0)
            yield drawn


class Silent(Slow):
    """Says nothing for three seconds."""

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        waiting = iter(requests)
        first = next(waiting)
        time.sleep(3)
        yield from super().sample([first, *waiting], manner, longest_prompt)


class Bad(Slow):
    """Looks for a model, as real ones do."""

    def __init__(self, opening: Opening) -> None:
        require_model(opening.model)
        super().__init__(opening)


class Killed(Slow):
    """Killed at the first request."""

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        next(iter(requests))
        os.kill(os.getpid(), signal.SIGKILL)
        yield from super().sample(requests, manner, longest_prompt)


class Greedy(Slow):
    """Out of memory as soon as it is opened."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        raise RuntimeError("CUDA out of memory. Tried to allocate 1 TiB.\nand so on")


class Forgetful(Slow):
    """Drops a request."""

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        waiting = iter(requests)
        next(waiting)
        yield from super().sample(waiting, manner, longest_prompt)


class Picky(Slow):
    """Opens the first time only. (An engine on another kind of GPU may find less room.)"""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        if len(list(self.folder.iterdir())) > 1:
            time.sleep(0.5)
            raise SamplerError("there is no room here")


class Parent(Slow):
    """Starts processes of its own: one in its group, and one that has left it."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        for apart in (False, True):
            subprocess.Popen(["sleep", "600"], start_new_session=apart)


@dataclass
class Notes:
    """A watch that writes down what it hears."""

    said: list[str] = field(default_factory=list)
    paces: list[Pace] = field(default_factory=list)

    def progress(self, pace: Pace) -> None:
        self.paces.append(pace)

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


def drawn(path: Path) -> list[tuple[object, ...]]:
    """All that identifies samples, and what they are."""
    with Study(path) as study:
        return study.query(
            """SELECT run.key, problem.key, idx, sample.seed, hex(token.ids), finish, chars, digest
               FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id) JOIN token USING (sample_id)
               ORDER BY 1, 2, 3"""
        )


def job(path: Path, plans: str) -> list[str]:
    """A command that draws plans, an expression, with two engines; SIGTERM ends it as it ends `basebound`."""
    return [sys.executable, "-c", f"from tests.engine.fleet_job import *; main({str(path)!r}, {plans})"]


def main(path: str, plans: Sequence[Plan]) -> None:
    from engine import pace
    from explorer import cli

    pace.WRITE_EVERY_S = 0.05  # type: ignore[misc]
    signal.signal(signal.SIGTERM, cli._terminate)
    with Writer(path, "test") as writer:
        try:
            draw_all(writer, plans, places(engines=2), Notes())
        except KeyboardInterrupt:
            sys.exit(130)
