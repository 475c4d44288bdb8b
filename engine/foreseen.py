"""What is there already of a plan, and what its model will be given: told from the model's files alone. No weights, no GPU.

A dry run shows it, and a run that lacks nothing loads no model. What counts is what a sampler finds on opening the model; where
that is another thing, it is another run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine import samplers
from engine.configuration import settings_of, stop_ids, vocabulary_digest
from engine.parity import Engine, Side, unlike
from engine.prompts import chat_template_digest, load_tokenizer, render
from engine.samplers.base import Facts, Opening
from engine.sampling import Plan, lacking, prompts_of, run_of, total
from store import measures
from store.errors import Conflict
from store.reader import Study
from store.types import UNKNOWN, Problem, Prompt, Role, Run

_PROBLEM: Final = "SELECT statement, reference FROM problem WHERE benchmark = ? AND key = ?"

_NO_MODEL: Final = "scripted"
_OF_A_FOLDER: Final = ("transformers", "vllm")
"""Samplers whose facts a model's folder tells. A server has a context cap of its own."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One plan, before anything is loaded."""

    plan: Plan
    run: Run | None
    """None where only the sampler itself can tell (a server, one of a person's own)."""
    vocabulary: str = UNKNOWN
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
        engine = Engine(UNKNOWN, UNKNOWN, UNKNOWN, vocabulary=self.vocabulary)
        return Side(self.title, self.run.settings, names, frozenset({engine}))

    @property
    def title(self) -> str:
        """What tells the plan from the others of its benchmark, in words."""
        model, decoding = self.plan.model, self.plan.manner.decoding
        step = "" if model.step is None else f" step {model.step}"
        seed = "" if model.training_seed is None else f" seed {model.training_seed}"
        return f"{model.name}{step}{seed} at T {decoding.temperature:g}"


def foresee(plans: Sequence[Plan], study: Study | None) -> list[Foreseen]:
    """study: None where there is none yet.

    Raises SamplerError or PromptError where a model's files cannot be read, Conflict where the study has another problem under
    one name.
    """
    tokenizers: dict[object, Any] = {}
    if study is not None:
        _require_same_problems(plans, study)
    return [_foresee(plan, study, tokenizers) for plan in plans]


def loud(foreseen: Sequence[Foreseen]) -> list[str]:
    """In what each plan differs from the base model's that is asked and drawn most alike, besides the model."""
    said: list[str] = []
    for one in foreseen:
        bases = [other for other in foreseen if other.plan.model.role is Role.BASE and _is_asked_alike(other, one)]
        base = max(bases, key=lambda base: base.plan.model.name == one.plan.model.parent, default=None)
        if one.plan.model.role is not Role.BASE and base is not None and one.side is not None and base.side is not None:
            said += unlike(base.side, one.side)
    return said


def _is_asked_alike(base: Foreseen, one: Foreseen) -> bool:
    """Same problems, prompt and decoding: what else differs was not asked for."""
    ours, theirs = one.plan, base.plan
    same = ours.problems[0].benchmark == theirs.problems[0].benchmark and ours.template == theirs.template
    return same and ours.manner.decoding == theirs.manner.decoding


def _require_same_problems(plans: Sequence[Plan], study: Study) -> None:
    for problem in dict.fromkeys(problem for plan in plans for problem in plan.problems):
        for statement, reference in study.query(_PROBLEM, (problem.benchmark, problem.key)):
            for what, ours, theirs in (
                ("statement", problem.statement, statement),
                ("reference", problem.reference, reference),
            ):
                if None not in (ours, theirs) and ours != theirs:
                    raise Conflict(
                        f"{study.path} has another {what} for {problem.benchmark}:{problem.key} than the benchmark's file has"
                        " now; give the changed benchmark another name in the STUDY.toml, or put the file back as it was"
                    )


def _foresee(plan: Plan, study: Study | None, tokenizers: dict[object, Any]) -> Foreseen:
    if plan.sampler == _NO_MODEL:
        with samplers.load(plan.sampler, plan.opening) as sampler:
            return _known(plan, study, run_of(plan, sampler.facts), prompts_of(sampler, plan))
    folder = plan.opening.model
    if not (folder / "config.json").is_file():
        return _unknown(plan, {})
    with samplers.needing("models"):
        if folder not in tokenizers:
            tokenizers[folder] = load_tokenizer(folder)
        tokenizer = tokenizers[folder]
        facts = _facts(plan.opening, tokenizer)
    texts = {problem: problem.statement or UNKNOWN for problem in plan.problems}
    prompts = {problem: render(tokenizer, plan.template, text) for problem, text in texts.items()}
    if plan.sampler not in _OF_A_FOLDER:
        return _unknown(plan, prompts if plan.sampler in samplers.SAMPLERS else {})
    return _known(plan, study, run_of(plan, facts), prompts, facts.vocabulary)


def _known(plan: Plan, study: Study | None, run: Run, prompts: Mapping[Problem, Prompt], vocabulary: str = UNKNOWN) -> Foreseen:
    there = {} if study is None else measures.indices(study, run.key)
    return Foreseen(plan, run, vocabulary, prompts, total(plan, run), lacking(plan, run, there))


def _unknown(plan: Plan, prompts: Mapping[Problem, Prompt]) -> Foreseen:
    whole = sum(plan.n + plan.extra.get(problem.key, 0) for problem in plan.problems)
    return Foreseen(plan, None, prompts=prompts, total=whole, lacking=whole)


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
        vocabulary=vocabulary_digest(tokenizer),
        chat_template=chat_template_digest(tokenizer),
    )
