"""What is there already of a plan, and what its model will be given: told from the model's files alone. No weights, no GPU.

A dry run shows it, and a run that lacks nothing loads no model. What counts is what a sampler finds on opening the model; where
that is another thing, it is another run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine import samplers
from engine.configuration import settings_of, stop_ids
from engine.parity import Side, unlike
from engine.prompts import chat_template_digest, load_tokenizer, render
from engine.samplers.base import Facts, Opening
from engine.sampling import Plan, missing, prompts_of, run_of, wanted
from store import measures
from store.reader import Study
from store.types import UNKNOWN, Problem, Prompt, Role, Run

_NO_MODEL: Final = "scripted"
_OF_A_FOLDER: Final = ("transformers", "vllm", "server")
"""Samplers whose facts a model's folder tells."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One plan, before anything is loaded."""

    plan: Plan
    run: Run | None
    """None where only the sampler itself can tell (a server of whose model no folder is here)."""
    prompts: Mapping[Problem, Prompt] = field(default_factory=dict)
    total: int = 0
    """Samples that the run should have: all of the plan's, or of its shard's."""
    lacking: int = 0
    """Those that are not there; all of them where the run cannot be told."""

    @property
    def is_complete(self) -> bool:
        return self.run is not None and self.lacking == 0

    @property
    def there(self) -> int:
        return self.total - self.lacking

    @property
    def side(self) -> Side | None:
        """For comparing it with another plan."""
        if self.run is None:
            return None
        names = {f"{problem.benchmark}:{problem.key}": prompt for problem, prompt in self.prompts.items()}
        return Side(self.title, self.run.settings, names)

    @property
    def title(self) -> str:
        """What tells the plan from the others of its benchmark, in words."""
        model, decoding = self.plan.model, self.plan.manner.decoding
        step = "" if model.step is None else f" step {model.step}"
        seed = "" if model.training_seed is None else f" seed {model.training_seed}"
        return f"{model.name}{step}{seed} at T {decoding.temperature:g}"


def foresee(plans: Sequence[Plan], study: Study | None) -> list[Foreseen]:
    """study: None where there is none yet.

    Raises SamplerError or PromptError where a model's files cannot be read, or a prompt leaves no room.
    """
    tokenizers: dict[object, Any] = {}
    return [_foresee(plan, study, tokenizers) for plan in plans]


def loud(foreseen: Sequence[Foreseen]) -> list[str]:
    """In what each plan differs from the base model's that is asked and drawn most alike, besides the model."""
    said: list[str] = []
    for one in foreseen:
        bases = [other for other in foreseen if other.plan.model.role is Role.BASE and _is_held_against(other, one)]
        side, base = one.side, bases[0].side if bases else None
        if one.plan.model.role is not Role.BASE and side is not None and base is not None:
            said += unlike(base, side)
    return said


def _is_held_against(base: Foreseen, one: Foreseen) -> bool:
    """Same problems, template and decoding: what else differs was not asked for."""
    ours, theirs = one.plan, base.plan
    same = ours.problems[0].benchmark == theirs.problems[0].benchmark and ours.template.text == theirs.template.text
    return same and ours.manner.decoding == theirs.manner.decoding


def _foresee(plan: Plan, study: Study | None, tokenizers: dict[object, Any]) -> Foreseen:
    told = _run_and_prompts(plan, tokenizers)
    if told is None:
        total = sum(plan.n + plan.extra.get(problem.key, 0) for problem in plan.problems)
        return Foreseen(plan, None, total=total, lacking=total)
    run, prompts = told
    there = {} if study is None else measures.indices(study, run.key)
    return Foreseen(plan, run, prompts, sum(1 for _ in wanted(plan, run)), len(missing(plan, run, there)))


def _run_and_prompts(plan: Plan, tokenizers: dict[object, Any]) -> tuple[Run, dict[Problem, Prompt]] | None:
    if plan.sampler == _NO_MODEL:
        with samplers.load(plan.sampler, plan.opening) as sampler:
            return run_of(plan, sampler.facts), prompts_of(sampler, plan)
    folder = plan.opening.model
    if plan.sampler not in _OF_A_FOLDER or not (folder / "config.json").is_file():
        return None
    with samplers.needing("models"):
        if folder not in tokenizers:
            tokenizers[folder] = load_tokenizer(folder)
        run = run_of(plan, _facts(plan.opening, tokenizers[folder]))
    texts = {problem: problem.statement or UNKNOWN for problem in plan.problems}
    return run, {problem: render(tokenizers[folder], plan.template, text) for problem, text in texts.items()}


def _facts(opening: Opening, tokenizer: Any) -> Facts:
    config, generation = settings_of(opening.model)
    positions = getattr(config, "max_position_embeddings", None)
    caps = [cap for cap in (positions, opening.context_cap) if cap is not None]
    return Facts(
        sampler=UNKNOWN,
        version=UNKNOWN,
        device=UNKNOWN,
        dtype=UNKNOWN,
        context_cap=min(caps, default=None),
        stop_ids=stop_ids(config, generation, tokenizer),
        vocabulary=UNKNOWN,
        chat_template=chat_template_digest(tokenizer),
    )
