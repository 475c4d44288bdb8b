"""Makes studies of any size for the other benchmarks: two runs, 128 samples of each on every problem, texts made up here.

    python benchmarks/make_study.py 200000 /tmp/study.db            through a file of our own JSONL, imported and judged
    python benchmarks/make_study.py 1000000 /tmp/study.db --direct  through the writer itself: no JSONL, the same rows

Lengths go from 300 to 60,000 characters, most of them short: 300 * 200 ** (u ** 3) for u uniform in [0, 1], which has a mean of
4,600, a median of 580, a 90th percentile of 14,200 and a 98th of 51,000. (Uniform in the logarithm would have a mean of
11,300: a million of those are more text than anybody needs to show that lists stay quick.)

Texts are sentences of an invented worked solution with random numbers in them, drawn from 40,000 that are made once, so they
compress less than repeated lines and more than real prose (the ratio is printed). Both ways draw the same texts for the same
number of samples, and both leave the verdicts to our own verifier.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from store.types import Finish, Model, NewSample, NewTrace, Problem, Role, Run, Settings

PER_RUN: Final = 128
SHORTEST, LONGEST = 300, 60_000
FOLDER: Final = Path(tempfile.gettempdir()) / "basebound-benchmark"
DIRECT_FROM: Final = 200_001
"""Samples from which `study_of` leaves the JSONL out."""

_BATCH: Final = 2_000
_POOL: Final = 40_000
_SENTENCES: Final = (
    "First, we compute the product of {a} and {b}, which gives {c}.",
    "Let x be the number of red marbles; then x + {a} = {b}, so x = {c}.",
    "Substituting into the second equation we obtain $ {a}x - {b} = {c} $.",
    "However, this would make the total {a}, which contradicts the statement.",
    "\\[ \\frac{{{a}}}{{{b}}} + \\sqrt{{{c}}} \\]",
    "Therefore the remaining {a} apples are shared among {b} children and {c} adults.",
    "Wait, let me check that again: {a} times {b} is not {c}.",
)


@dataclass(frozen=True, slots=True)
class Made:
    """One sample."""

    problem: int
    role: str
    response: str
    is_right: bool

    @property
    def model(self) -> str:
        return f"lab/{self.role}-7b"

    @property
    def statement(self) -> str:
        return f"How many marbles are left in bag number {self.problem}?"


def samples_of(number: int) -> Iterator[Made]:
    """The samples of a study of that size, the same ones each time."""
    rng = random.Random(number)
    pool = [_sentence(rng) for _ in range(_POOL)]
    mean = sum(map(len, pool)) / len(pool) + 2
    for place in range(number):
        problem, at = divmod(place, 2 * PER_RUN)
        role = "base" if at < PER_RUN else "rl"
        solves = rng.random() < (0.05 if role == "base" else 0.15) * (problem % 7)
        length = SHORTEST * (LONGEST / SHORTEST) ** (rng.random() ** 3)
        body = "\n\n".join(rng.choices(pool, k=max(3, round(length / mean))))
        answer = 42 if solves else rng.randrange(100)
        yield Made(problem, role, f"{body}\n\nThe answer is $\\boxed{{{answer}}}$.", answer == 42)


def make_study(samples: int, db: Path) -> None:
    """Through a file, as `basebound import` does it."""
    from explorer import cli

    file = db.with_suffix(".jsonl")
    if not file.exists():
        write_file(file, samples)
    began = time.perf_counter()
    if cli.main(["import", str(db), str(file), "--quiet"]) != 0:
        sys.exit(f"{file} could not be imported")
    _tell(samples, file.stat().st_size, db, began, "of JSONL")


def write_study(samples: int, db: Path) -> None:
    """Through the store's writer and the stage `verify`: what import does, without a file to read."""
    from engine.judging import judge
    from store.writer import SourceFile, Writer

    began = time.perf_counter()
    size = 0
    with Writer(db, "benchmark") as writer:
        source = writer.open_source(SourceFile(f"made, {samples} samples", "made", f"made {samples}", 0))
        made = enumerate(samples_of(samples), 1)
        while batch := list(islice(made, _BATCH)):
            writer.add_traces(source, [_trace(line, sample) for line, sample in batch])
            size += sum(len(sample.response) for _, sample in batch)
        writer.finish_source(source)
        print(f"  written after {time.perf_counter() - began:.0f} s", file=sys.stderr)
        judge(writer, "math")
    _tell(samples, size, db, began, "of text")


def study_of(samples: int) -> Path:
    """A study of that size in the temp folder, made where it is not there yet."""
    FOLDER.mkdir(exist_ok=True)
    db = FOLDER / f"lengths-to-60k-{samples}.db"
    if not db.exists():
        part = db.with_name(f"part-{db.name}")
        for old in (part, part.with_name(f"{part.name}-wal"), part.with_name(f"{part.name}-shm")):
            old.unlink(missing_ok=True)
        (write_study if samples >= DIRECT_FROM else make_study)(samples, part)
        part.rename(db)
    return db


def write_file(path: Path, samples: int) -> None:
    settings = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 16384}
    with path.open("w", encoding="utf-8") as out:
        for made in samples_of(samples):
            line = {
                "model": made.model, "role": made.role, "benchmark": "made", "problem": str(made.problem),
                "reference": "42", "statement": made.statement, "response": made.response, "finish": "stop",
                "settings": settings,
            }  # fmt: skip
            out.write(json.dumps(line) + "\n")


def _sentence(rng: random.Random) -> str:
    a, b, c = (rng.randrange(2, 10_000) for _ in range(3))
    return rng.choice(_SENTENCES).format(a=a, b=b, c=c)


def _trace(line: int, made: Made) -> NewTrace:
    run = Run(Model(made.model, role=Role(made.role)), "made", Settings(temperature=0.6, top_p=0.95, max_tokens=16384))
    problem = Problem("made", str(made.problem), made.statement, "42")
    return NewTrace(run, problem, NewSample(made.response, line, finish=Finish.STOP))


def _tell(samples: int, size: int, db: Path, began: float, what: str) -> None:
    print(
        f"{samples:,} samples, {size / 2**20:,.0f} MiB {what} -> {db.stat().st_size / 2**20:,.0f} MiB study,"
        f" stored and judged in {time.perf_counter() - began:.1f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=int)
    parser.add_argument("db", type=Path)
    parser.add_argument("--direct", action="store_true", help="without a file of JSONL")
    arguments = parser.parse_args()
    (write_study if arguments.direct else make_study)(arguments.samples, arguments.db)


if __name__ == "__main__":
    main()
