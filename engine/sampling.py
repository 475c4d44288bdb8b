"""The stage `sample`: what a study's runs lack of responses, drawn and written as they finish.

The same line again goes on where the last one stopped, and a larger n adds what is missing: a sample is known by its run,
problem and index, and its seed is a hash of these. Indices are drawn round by round over the problems, so that whatever is
there when a job is killed is balanced.

Here one sampler works in this process; engine/fleet has several work in processes of their own, by the same functions.
"""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from engine import samplers
from engine.digests import file_digest
from engine.pace import in_time
from engine.prompts import NO_CHAT, Template
from engine.samplers.base import Drawn, Facts, Manner, Opening, Request, Sampler, SamplerError
from store import measures
from store.reader import Study
from store.types import UNKNOWN, Batch, Model, NewDraw, Number, Problem, Prompt, Run, Settings, sample_seed
from store.writer import Writer

_WEIGHTS: Final = ("*.safetensors", "config.json", "generation_config.json", "tokenizer.json")
_ADAPTER: Final = ("adapter_model.safetensors", "adapter_config.json")

Unit = tuple[Problem, int]
"""A sample of a run: its problem and index."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `number` of `of`, from 1: samples are dealt by their seeds, so that every sample is in one part, whoever asks."""

    number: int
    of: int

    def holds(self, seed: int) -> bool:
        return seed % self.of == self.number - 1


@dataclass(frozen=True, slots=True)
class Plan:
    """Which responses a run should have."""

    model: Model
    opening: Opening
    problems: Sequence[Problem]
    """All of one benchmark."""
    template: Template
    manner: Manner
    n: int
    """Samples of each problem."""
    seed: int = 0
    """Another seed is another run."""
    sampler: str = "transformers"
    extra: Mapping[str, int] = field(default_factory=dict)
    """By problem key, how many samples beyond n: they are marked, and kept out of pass@k."""
    shard: Shard | None = None
    """This part of the samples only."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What became of one plan."""

    run: Run
    facts: Facts
    added: int
    known: int
    """There before."""
    tokens: int
    """Generated now."""
    seconds: float
    """Of drawing, the model's loading aside."""


Progress = Callable[[int, int], None]
"""Told how many samples are there, and of how many."""


def sample(writer: Writer, plan: Plan, progress: Progress = lambda _done, _all: None) -> Sampled:
    """Draw what the plan's run lacks.

    Raises SamplerError where the model cannot be sampled, Conflict where the study contradicts the plan.
    """
    with samplers.load(plan.sampler, plan.opening) as sampler:
        run = run_of(plan, sampler.facts)
        writer.admit(run.key, plan.n)
        prompts = prompts_of(sampler, plan)
        with Study(writer.path) as study:
            there = measures.indices(study, run.key)
        units = missing(plan, run, there)
        whole = total(plan, run)
        known = whole - len(units)
        if not units:
            return Sampled(run, sampler.facts, 0, known, 0, 0.0)
        began = time.monotonic()
        tokens = 0
        batch = writer.open_batch(run, batch_of(sampler.facts), prompts)
        added = 0
        for drawn in in_time(sampler.sample(requests_of(run, units, prompts), plan.manner, longest(prompts))):
            added += writer.add_draws(batch, [draw_of(plan, one) for one in drawn], batch.seconds)
            tokens += sum(tokens_of(one) for one in drawn)
            progress(known + added, whole)
        writer.admit(run.key, plan.n)
        return Sampled(run, sampler.facts, added, known, tokens, time.monotonic() - began)


def run_of(plan: Plan, facts: Facts) -> Run:
    """The run that these samples belong to: what shapes them, and nothing that does not."""
    decoding = plan.manner.decoding
    return Run(
        model=plan.model,
        benchmark=plan.problems[0].benchmark,
        settings=Settings(
            prompt_template=plan.template.name,
            chat_template=facts.chat_template if plan.template.chat else NO_CHAT,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,
            min_p=0,
            repetition_penalty=1,
            max_tokens=plan.manner.max_tokens,
            context_cap=_known(facts.context_cap),
            stop=_listed(plan.manner.stop),
            stop_ids=UNKNOWN if facts.stop_ids is None else _listed(facts.stop_ids),
            seed=plan.seed,
        ),
    )


def prompts_of(sampler: Sampler, plan: Plan) -> dict[Problem, Prompt]:
    """What the model is given for each problem. Raises SamplerError where that leaves no room for a response."""
    prompts = {problem: sampler.prompt(plan.template, problem.statement or UNKNOWN) for problem in plan.problems}
    cap = sampler.facts.context_cap
    for problem, prompt in prompts.items():
        if cap is not None and len(prompt.ids) >= cap:
            raise SamplerError(
                f"the prompt of {problem.benchmark}:{problem.key} has {len(prompt.ids)} tokens and leaves no room for a"
                f" response within the {cap} positions of {plan.opening.model}; leave the problem out, or shorten the prompt"
            )
    return prompts


def wanted(plan: Plan, run: Run) -> Iterator[Unit]:
    """Every sample that the plan's run should have, round by round over the problems."""
    key = run.key
    rounds = max((plan.n + plan.extra.get(problem.key, 0) for problem in plan.problems), default=0)
    for index in range(rounds):
        for problem in plan.problems:
            if index < plan.n + plan.extra.get(problem.key, 0) and _is_ours(plan, key, problem, index):
                yield problem, index


def missing(plan: Plan, run: Run, there: Mapping[str, set[int]]) -> list[Unit]:
    """Those that are not there. there: by problem key, the indices that are."""
    none: set[int] = set()
    return [(problem, index) for problem, index in wanted(plan, run) if index not in there.get(problem.key, none)]


def total(plan: Plan, run: Run) -> int:
    """How many samples the plan's run should have: all of `wanted`."""
    if plan.shard is not None:
        return sum(1 for _ in wanted(plan, run))
    return sum(plan.n + plan.extra.get(problem.key, 0) for problem in plan.problems)


def lacking(plan: Plan, run: Run, there: Mapping[str, set[int]]) -> int:
    """How many of them are not there."""
    if plan.shard is not None:
        return len(missing(plan, run, there))
    have = ((plan.n + plan.extra.get(problem.key, 0), there.get(problem.key, ())) for problem in plan.problems)
    return sum(number - sum(index < number for index in indices) for number, indices in have)


def requests_of(run: Run, units: Iterable[Unit], prompts: Mapping[Problem, Prompt]) -> Iterator[Request]:
    """What to ask a sampler for, in that order."""
    key = run.key
    for problem, index in units:
        prompt = prompts[problem]
        yield Request((problem, index), prompt.ids, sample_seed(key, problem, index), prompt.text)


def draw_of(plan: Plan, drawn: Drawn) -> NewDraw:
    """What the study keeps of a draw whose unit is the plan's."""
    problem, index = cast(Unit, drawn.request.unit)
    if drawn.ids and min(drawn.ids) < 0:
        raise SamplerError(f"the sampler {plan.sampler} gave {min(drawn.ids)} as a token's id; ids are 0 or more")
    return NewDraw(
        problem=problem,
        index=index,
        seed=drawn.request.seed,
        response=drawn.text,
        ids=drawn.ids,
        finish=drawn.finish,
        stop_reason=drawn.stop_reason,
        logp=drawn.logp,
        tokens=drawn.tokens,
        extra=index >= plan.n,
    )


def batch_of(facts: Facts) -> Batch:
    """What made the samples, on this machine."""
    return Batch(
        sampler=facts.sampler,
        version=facts.version,
        device=facts.device,
        dtype=facts.dtype,
        host=socket.gethostname(),
        vocabulary=facts.vocabulary,
        detail=facts.detail,
    )


def longest(prompts: Mapping[Problem, Prompt]) -> int:
    """In tokens."""
    return max((len(prompt.ids) for prompt in prompts.values()), default=0)


def tokens_of(drawn: Drawn) -> int:
    """How many were generated; 0 where nobody tells."""
    return len(drawn.ids) if drawn.ids is not None else drawn.tokens or 0


def content_revision(folder: Path, adapter: Path | None = None) -> str:
    """What tells these weights from others: "sha256:" and 16 hex digits over weights, configuration and tokenizer."""
    whole = hashlib.sha256()
    of_model = sorted({file for pattern in _WEIGHTS for file in folder.glob(pattern)})
    of_adapter = [] if adapter is None else [adapter / name for name in _ADAPTER if (adapter / name).is_file()]
    for file in (*of_model, *of_adapter):
        whole.update(f"{file.name}\0{file_digest(file)}\n".encode())
    return f"sha256:{whole.hexdigest()[:16]}"


def _is_ours(plan: Plan, run_key: str, problem: Problem, index: int) -> bool:
    return plan.shard is None or plan.shard.holds(sample_seed(run_key, problem, index))


def _known(number: int | None) -> Number:
    return UNKNOWN if number is None else number


def _listed(values: Sequence[object]) -> str:
    return json.dumps(list(values), separators=(",", ":"))
