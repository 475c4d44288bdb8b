"""basebound sample: draw what a run lacks. Stopped at any moment, it goes on where it was; a larger --n adds to it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from engine.sampling import Plan, Sampled
    from store.types import Model, Problem
    from store.writer import Writer

EXAMPLE = "sample {db} --model models/my-base-7b --role base --problems aime24.jsonl --n 64 --temperature 0.6 --top-p 0.95"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB", help="made where it does not exist")
    parser.add_argument("--model", type=Path, required=True, metavar="DIR", help="a folder as transformers saves a model")
    parser.add_argument("--problems", type=Path, metavar="FILE", help="JSONL with key, statement, reference")
    parser.add_argument("--benchmark", metavar="B", help="the problems' benchmark; alone: sample the study's own problems")
    parser.add_argument("--n", type=whole_number, required=True, metavar="N", help="samples of each problem")
    parser.add_argument("--temperature", type=float, default=0.6, metavar="T", help="0.6 unless said")
    parser.add_argument("--top-p", type=float, default=0.95, metavar="P", help="0.95 unless said")
    parser.add_argument("--top-k", type=int, default=0, metavar="K", help="0, no limit, unless said")
    parser.add_argument("--max-tokens", type=whole_number, default=16_384, metavar="N", help="of a response; 16384 unless said")
    parser.add_argument("--prompt", default="{problem}\\n", metavar="TEXT", help="{problem}: the statement, \\n: a new line")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="another seed is another run")
    parser.add_argument("--role", default="other", metavar="ROLE", help="base, sft, rl, distilled, instruct or other")
    parser.add_argument("--parent", metavar="MODEL", help="the model it was trained from")
    parser.add_argument("--name", metavar="NAME", help="what the study calls the model; else the folder's name")
    parser.add_argument("--algorithm", metavar="A", help="what trained it, e.g. GRPO")
    parser.add_argument("--training-seed", type=int, metavar="S")
    parser.add_argument("--step", type=whole_number, metavar="N", help="training step of this checkpoint")
    parser.add_argument("--sampler", default="transformers", metavar="NAME", help="see `basebound samplers`")
    parser.add_argument("--batch", type=whole_number, metavar="N", help="sequences at once; else what memory allows")
    parser.add_argument("--dtype", metavar="D", help="float64, float32, bfloat16, float16; else what suits model and device")
    parser.add_argument("--device", metavar="D", help="cpu, cuda, cuda:1; else a GPU where there is one")
    parser.add_argument("--no-verify", action="store_true", help="do not judge what was drawn")


def run(arguments: argparse.Namespace) -> int:
    from explorer.commands.verify import judge_all
    from store.writer import Writer

    narrator = Narrator(arguments.quiet)
    plan = _plan(arguments)
    with Writer(arguments.db, "sample") as writer:
        draw(writer, plan, narrator)
        return 1 if not arguments.no_verify and judge_all(writer, narrator) else 0


def draw(writer: Writer, plan: Plan, narrator: Narrator) -> Sampled:
    """Carry a plan out, telling how far it is and what came of it."""
    from engine.sampling import sample

    meter = Meter(narrator, f"sampling {plan.model.name}", "samples")
    done = sample(writer, plan, meter.show)
    rate = f", {done.tokens / done.seconds:,.0f} tokens/s" if done.seconds else ""
    facts = done.facts
    known = f", {done.known:,} already there" if done.known else ""
    narrator.say(
        f"{plan.model.name} on {plan.problems[0].benchmark} at T {plan.decoding.temperature:g}, top-p {plan.decoding.top_p:g}:"
        f" {done.added:,} samples drawn{known}{rate} [{facts.sampler}, {facts.device}, {facts.dtype}]"
    )
    return done


def _plan(arguments: argparse.Namespace) -> Plan:
    from engine.decoding import Decoding
    from engine.sampling import Plan
    from store.errors import BaseboundError

    try:
        decoding = Decoding(arguments.temperature, arguments.top_p, arguments.top_k)
    except ValueError as error:
        raise BaseboundError(str(error)) from None
    if "{problem}" not in arguments.prompt:
        raise BaseboundError("--prompt has no {problem} in it, where the statement would go; add it")
    return Plan(
        model=_model(arguments),
        folder=arguments.model,
        problems=_problems(arguments),
        prompt_template=arguments.prompt.replace("\\n", "\n"),
        decoding=decoding,
        max_tokens=arguments.max_tokens,
        n=arguments.n,
        seed=arguments.seed,
        sampler=arguments.sampler,
        batch=arguments.batch,
        dtype=arguments.dtype,
        device=arguments.device,
    )


def _model(arguments: argparse.Namespace) -> Model:
    from engine.sampling import content_revision, require_model
    from explorer.commands.import_files import role
    from store.types import Model

    if arguments.sampler == "scripted":
        return Model("scripted")  # made-up responses must never stand under a model's name
    require_model(arguments.model)
    return Model(
        name=arguments.name or arguments.model.resolve().name,
        revision=content_revision(arguments.model),
        role=role(arguments.role),
        parent=arguments.parent,
        algorithm=arguments.algorithm,
        step=arguments.step,
        training_seed=arguments.training_seed,
    )


def _problems(arguments: argparse.Namespace) -> list[Problem]:
    from engine.problems import read_problems
    from store.errors import BaseboundError

    if arguments.problems is not None:
        return read_problems(arguments.problems, arguments.benchmark)
    if arguments.benchmark is None:
        raise BaseboundError("there is nothing to sample: give a file with --problems, or a benchmark of the study")
    from store.measures import whole_problems
    from store.reader import Study

    with Study(arguments.db) as study:
        problems = whole_problems(study, study.benchmark(arguments.benchmark))
    if not problems:
        raise BaseboundError(
            f"{arguments.db} has no statement of any problem of {arguments.benchmark}; give them with --problems"
        )
    return problems
