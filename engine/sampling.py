"""The stage `sample`: what a study's runs lack of responses, drawn and written as they finish.

The same line again goes on where the last one stopped, and a larger n adds what is missing: a sample is known by its run,
problem and index, and its seed is a hash of these. Indices are drawn round by round over the problems, so that whatever is
there when a job is killed is balanced.
"""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from engine import samplers
from engine.decoding import Decoding
from engine.pace import in_time
from engine.samplers.base import Drawn, Facts, Opening, Request, Sampler, SamplerError
from store import measures
from store.reader import Study
from store.types import UNKNOWN, Batch, Model, NewDraw, Problem, Prompt, Run, Settings, sample_seed
from store.writer import Writer

_WEIGHTS: Final = ("*.safetensors", "config.json", "generation_config.json", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Plan:
    """Which responses a run should have."""

    model: Model
    folder: Path
    """Where the model lies."""
    problems: Sequence[Problem]
    """All of one benchmark."""
    prompt_template: str
    """With {problem} where the statement goes."""
    decoding: Decoding
    max_tokens: int
    n: int
    """Samples of each problem."""
    seed: int = 0
    """Another seed is another run."""
    sampler: str = "transformers"
    batch: int | None = None
    dtype: str | None = None
    device: str | None = None


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
    opening = Opening(plan.folder, plan.decoding, plan.max_tokens, plan.batch, plan.dtype, plan.device)
    with samplers.load(plan.sampler, opening) as sampler:
        run = run_of(plan, sampler.facts)
        prompts = {p: _prompt(sampler, plan, p) for p in plan.problems}
        with Study(writer.path) as study:
            there = measures.indices(study, run.key)
        missing = _missing(plan, there)
        total = len(plan.problems) * plan.n
        known = total - len(missing)
        if not missing:
            return Sampled(run, sampler.facts, 0, known, 0, 0.0)
        began = time.monotonic()
        tokens = 0
        batch = writer.open_batch(run, _batch(sampler.facts), prompts)
        longest = max(len(prompt.ids) for prompt in prompts.values())
        requests = (Request(unit, prompts[unit[0]].ids, sample_seed(run.key, *unit)) for unit in missing)
        added = 0
        for drawn in in_time(sampler.sample(requests, longest)):
            added += writer.add_draws(batch, [_draw(d) for d in drawn])
            tokens += sum(len(d.ids) for d in drawn)
            progress(known + added, total)
        return Sampled(run, sampler.facts, added, known, tokens, time.monotonic() - began)


def run_of(plan: Plan, facts: Facts) -> Run:
    """The run that these samples belong to: what shapes them, and nothing that does not."""
    return Run(
        model=plan.model,
        benchmark=plan.problems[0].benchmark,
        settings=Settings(
            prompt_template=plan.prompt_template,
            chat_template="none",
            temperature=plan.decoding.temperature,
            top_p=plan.decoding.top_p,
            top_k=plan.decoding.top_k,
            min_p=0,
            repetition_penalty=1,
            max_tokens=plan.max_tokens,
            context_cap=facts.context_cap,
            stop="[]",
            stop_ids=json.dumps(list(facts.stop_ids), separators=(",", ":")),
            seed=plan.seed,
        ),
    )


def content_revision(folder: Path) -> str:
    """What tells these weights from others: "sha256:" and 16 hex digits over weights, configuration and tokenizer."""
    whole = hashlib.sha256()
    for file in sorted({file for pattern in _WEIGHTS for file in folder.glob(pattern)}):
        with file.open("rb") as content:
            whole.update(f"{file.name}\0{hashlib.file_digest(content, 'sha256').hexdigest()}\n".encode())
    return f"sha256:{whole.hexdigest()[:16]}"


def require_model(folder: Path) -> None:
    """Raises SamplerError unless a model lies in the folder."""
    if not (folder / "config.json").is_file():
        raise SamplerError(f"{folder} is no model: it has no config.json; give a folder as transformers saves one")


def _prompt(sampler: Sampler, plan: Plan, problem: Problem) -> Prompt:
    """Raises SamplerError where it leaves no room for a response."""
    text = plan.prompt_template.replace("{problem}", problem.statement or UNKNOWN)
    ids = tuple(sampler.encode(text))
    cap = sampler.facts.context_cap
    if len(ids) >= cap:
        raise SamplerError(
            f"the prompt of {problem.benchmark}:{problem.key} has {len(ids)} tokens and leaves no room for a response within"
            f" the {cap} positions of {plan.folder}; leave the problem out, or shorten the prompt"
        )
    return Prompt(text, ids)


def _missing(plan: Plan, there: Mapping[str, set[int]]) -> list[tuple[Problem, int]]:
    """Problem and index of what is not there, round by round."""
    none: set[int] = set()
    return [(p, index) for index in range(plan.n) for p in plan.problems if index not in there.get(p.key, none)]


def _batch(facts: Facts) -> Batch:
    return Batch(facts.sampler, facts.version, facts.device, facts.dtype, socket.gethostname(), facts.vocabulary)


def _draw(drawn: Drawn) -> NewDraw:
    problem, index = cast(tuple[Problem, int], drawn.request.unit)
    return NewDraw(problem, index, drawn.request.seed, drawn.text, drawn.ids, drawn.finish, drawn.stop_reason)
