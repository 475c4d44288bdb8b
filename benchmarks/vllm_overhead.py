"""What does storing every sample as it finishes cost beside a bare LLM.generate of vLLM, which stores nothing?

    python benchmarks/vllm_overhead.py [SAMPLES [ROUNDS]]    of each of 60 problems, 50 unless said; 5 rounds unless said

Both draw the same requests (token ids, seeds, sampling parameters) of the bundled base model at T 0.6, top-p 0.95, at most 160
tokens, on engines of the same settings, and the same tokens come of it, which is checked. Ours is `engine.sampling.sample` into
a new study: opening it, texts, packing and transactions all count. `generate` makes no text at all; `generate with text`, what
one gets unless one says otherwise, does. Each way is a process that stays, with its model loaded and a first round that counts
for nothing; they take turns, in another order each round. Processor seconds suffer less from other jobs. Aim: 3 % at most.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import IO, Any, cast

sys.path.insert(0, str(Path(__file__).parents[1]))

BARE, TEXT, OURS = "generate", "generate with text", "ours, stored"
WAYS = (BARE, TEXT, OURS)


@dataclass(frozen=True, slots=True)
class Round:
    """What one way took for one round."""

    seconds: float
    busy: float
    """Processor seconds."""
    tokens: int
    samples: int
    writes: int = 0
    """Transactions."""
    writing: float = 0.0
    """Seconds of them."""


def main(samples: int, rounds: int) -> None:
    print(f"{samples} samples of each problem, {rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        workers = {way: started(way, samples, folder) for way in WAYS}
        took: dict[str, list[Round]] = {way: [] for way in WAYS}
        for number in range(rounds + 1):
            for way in WAYS[number % 3 :] + WAYS[: number % 3]:
                one = asked(workers[way], number)
                if number:
                    took[way].append(one)
                    rate = f"{one.tokens / one.seconds:8,.0f} tokens/s"
                    print(f"  {way:<20} {one.seconds:6.2f} s {one.busy:6.2f} s of processor {rate}", flush=True)
        for worker in workers.values():
            cast(IO[str], worker.stdin).close()
            worker.wait()
    table(took)


def table(took: dict[str, list[Round]]) -> None:
    for number, ours in enumerate(took[OURS]):
        assert {took[way][number].tokens for way in WAYS} == {ours.tokens}, "they drew something else"
    for way in (BARE, TEXT):
        pairs = list(zip(took[OURS], took[way], strict=True))
        time_ = [ours.seconds / bare.seconds - 1 for ours, bare in pairs]
        busy = [ours.busy / bare.busy - 1 for ours, bare in pairs]
        print(f"ours beside {way}: time {spread(time_)}, processor {spread(busy)}")
    written = [one.samples / one.writing for one in took[OURS]]
    share = [one.writing / one.seconds for one in took[OURS]]
    print(f"store: {median(written):,.0f} samples/s while it writes, {sum(one.writes for one in took[OURS])} transactions")
    print(f"store: {spread(share)} of the time")


def spread(values: list[float]) -> str:
    return f"{median(values):+.1%} ({min(values):+.1%} to {max(values):+.1%})"


# -- a way's process ---------------------------------------------------------------------------------------------------


def started(way: str, samples: int, folder: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, str(samples), way, folder]
    worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert cast(IO[str], worker.stdout).readline() == "ready\n", f"{way} did not start"
    return worker


def asked(worker: subprocess.Popen[str], number: int) -> Round:
    into, out = cast(IO[str], worker.stdin), cast(IO[str], worker.stdout)
    into.write(f"{number}\n")
    into.flush()
    seconds, busy, tokens, samples, writes, writing = out.readline().split()
    return Round(float(seconds), float(busy), int(tokens), int(samples), int(writes), float(writing))


def work(way: str, samples: int, folder: Path) -> None:
    draw = ours(samples, folder) if way == OURS else bare(samples, way == TEXT)
    print("ready", flush=True)
    for line in sys.stdin:
        one = draw(int(line))
        print(one.seconds, one.busy, one.tokens, one.samples, one.writes, one.writing, flush=True)


def planned(samples: int, seed: int) -> Any:
    from engine.decoding import Decoding
    from engine.problems import read_problems
    from engine.prompts import Template
    from engine.samplers.base import Manner, Opening
    from engine.sampling import Plan
    from sample_data import BASE, MAX_TOKENS, PROBLEMS, PROMPT
    from store.types import Model

    return Plan(
        model=Model(BASE.name, role=BASE.role),
        opening=Opening(BASE.path, batch=256),
        problems=read_problems(PROBLEMS),
        template=Template(PROMPT),
        manner=Manner(Decoding(0.6, 0.95), MAX_TOKENS),
        n=samples,
        seed=seed,
        sampler="vllm",
    )


def ours(samples: int, folder: Path) -> Callable[[int], Round]:
    from engine import samplers
    from engine.sampling import sample
    from store.writer import Writer

    class Timed(Writer):
        """Knows how long it wrote."""

        def add_draws(self, *arguments: Any) -> int:
            began = time.monotonic()
            added = super().add_draws(*arguments)
            writing.append(time.monotonic() - began)
            return added

    writing: list[float] = []
    opened = samplers.load("vllm", planned(samples, 0).opening)
    samplers.load = lambda _name, _opening: nullcontext(opened)  # type: ignore[assignment, return-value]

    def draw(number: int) -> Round:
        writing.clear()
        began, busy = time.monotonic(), time.process_time()
        with Timed(folder / f"{number}.db", "benchmark") as writer:
            done = sample(writer, planned(samples, number))
        took, worked = time.monotonic() - began, time.process_time() - busy
        return Round(took, worked, done.tokens, done.added, len(writing), sum(writing))

    return draw


def bare(samples: int, text: bool) -> Callable[[int], Round]:
    from engine.samplers.vllm_engine import engine_arguments  # isort: skip  # it sets the environment that vLLM reads

    from vllm import LLM, SamplingParams

    from engine.configuration import settings_of
    from engine.prompts import load_tokenizer, render
    from engine.samplers.base import Facts
    from engine.sampling import missing, requests_of, run_of

    plan = planned(samples, 0)
    facts = Facts("vllm", "", "", "", 256, (0,), "")
    tokenizer = load_tokenizer(plan.opening.model)
    prompts = {problem: render(tokenizer, plan.template, problem.statement) for problem in plan.problems}
    engine = LLM(**engine_arguments(plan.opening, settings_of(plan.opening.model)[0]))

    def draw(number: int) -> Round:
        run = run_of(replace(plan, seed=number), facts)
        began, busy = time.monotonic(), time.process_time()
        wanted = list(requests_of(run, missing(plan, run, {}), prompts))
        parameters = [
            SamplingParams(
                temperature=0.6, top_p=0.95, seed=one.seed, max_tokens=160, stop_token_ids=[0], ignore_eos=True,
                logprobs=0, flat_logprobs=True, detokenize=text, skip_special_tokens=False,
            )
            for one in wanted
        ]  # fmt: skip
        inputs: Any = [{"prompt_token_ids": list(one.prompt)} for one in wanted]
        outputs = engine.generate(inputs, parameters, use_tqdm=False)
        took, worked = time.monotonic() - began, time.process_time() - busy
        return Round(took, worked, sum(len(one.outputs[0].token_ids) for one in outputs), len(outputs))

    return draw


if __name__ == "__main__":
    if len(sys.argv) > 3:
        work(sys.argv[2], int(sys.argv[1]), Path(sys.argv[3]))
    else:
        given = [int(text) for text in sys.argv[1:]]
        main(*given, *(50, 5)[len(given) :])
