"""How fast are studies that were drawn apart put together?

python benchmarks/merging.py [SAMPLES]    40000 unless said: in 8 shards, of the scripted sampler
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.decoding import Decoding
from engine.prompts import Template
from engine.samplers.base import Manner, Opening
from engine.sampling import Plan, Shard, sample
from store.merging import merge_study
from store.types import Model, Problem
from store.writer import Writer

SHARDS = 8
PROBLEMS = [Problem("sums", str(key), f"What is {key} + {key}?", str(2 * key)) for key in range(100)]


def main(samples: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shards = [drawn(Path(folder), number, samples // len(PROBLEMS)) for number in range(1, SHARDS + 1)]
        for what in ("merged", "merged again"):
            began = time.perf_counter()
            with Writer(Path(folder) / "whole.db", "benchmark") as writer:
                added = sum(merge_study(writer, shard).added for shard in shards)
            seconds = time.perf_counter() - began
            print(f"{what}: {added:,} samples added in {seconds:.2f} s, {samples / seconds:,.0f} samples/s looked at")


def drawn(folder: Path, number: int, n: int) -> Path:
    path = folder / f"{number}.db"
    plan = Plan(
        model=Model("scripted"),
        opening=Opening(Path("nothing")),
        problems=PROBLEMS,
        template=Template("Problem: {problem}\n"),
        manner=Manner(Decoding(), 400),
        n=n,
        sampler="scripted",
        shard=Shard(number, SHARDS),
    )
    with Writer(path, "benchmark") as writer:
        sample(writer, plan)
    return path


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
