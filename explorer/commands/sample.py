"""basebound sample: draw what a run lacks. Stopped at any moment, it goes on where it was; a larger --n adds to it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from engine.prompts import Template
    from engine.samplers.base import Opening
    from engine.sampling import Plan, Sampled
    from store.types import Model, Problem
    from store.writer import Writer

EXAMPLE = "sample {db} --model models/my-base-7b --role base --problems aime24.jsonl --n 64 --temperature 0.6 --top-p 0.95"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB", help="made where it does not exist")
    parser.add_argument(
        "--model", type=Path, required=True, metavar="DIR", help="as transformers saves one; a server's: or a name"
    )
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="a LoRA adapter of it, as peft saves one")
    parser.add_argument("--problems", type=Path, metavar="FILE", help="JSONL with key, statement, reference")
    parser.add_argument("--benchmark", metavar="B", help="the problems' benchmark; alone: sample the study's own problems")
    parser.add_argument("--n", type=whole_number, required=True, metavar="N", help="samples of each problem")
    parser.add_argument("--temperature", type=float, default=0.6, metavar="T", help="0.6 unless said")
    parser.add_argument("--top-p", type=float, default=0.95, metavar="P", help="0.95 unless said")
    parser.add_argument("--top-k", type=int, default=0, metavar="K", help="0, no limit, unless said")
    parser.add_argument("--max-tokens", type=whole_number, default=16_384, metavar="N", help="of a response; 16384 unless said")
    parser.add_argument(
        "--context-cap", type=whole_number, metavar="N", help="prompt plus response; else the model's positions"
    )
    parser.add_argument("--stop", type=stop_string, action="append", metavar="TEXT", help="ends a response; may be given again")
    parser.add_argument("--prompt", metavar="TEXT", help="{problem}: the statement, \\n: a new line; {problem}\\n unless said")
    parser.add_argument("--chat", action="store_true", help="the prompt is a user's message in the tokenizer's chat template")
    parser.add_argument("--system", metavar="TEXT", help="the system message of a chat")
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
    parser.add_argument("--gpus", type=whole_number, default=1, metavar="N", help="that one model is laid over; 1 unless said")
    parser.add_argument("--url", metavar="URL", help="of the server to ask, e.g. http://localhost:8000/v1")
    parser.add_argument("--served", metavar="NAME", help="what that server calls the model; else the only one it has")
    parser.add_argument("--no-verify", action="store_true", help="do not judge what was drawn")


def stop_string(text: str) -> str:
    """As it is typed, with \\n for a new line."""
    if not text:
        raise argparse.ArgumentTypeError("an empty text would end every response before it began")
    return _typed(text)


def run(arguments: argparse.Namespace) -> int:
    from explorer.commands.verify import judge_all
    from store.writer import Writer

    narrator = Narrator(arguments.quiet)
    plan = _plan(arguments)
    if not arguments.model.is_dir() and _may_lack_folder(arguments):
        narrator.say(f"{arguments.model} is no folder here: prompts go as text, and the model's revision is unknown")
    with Writer(arguments.db, "sample") as writer:
        draw(writer, plan, narrator)
        return 1 if not arguments.no_verify and judge_all(writer, narrator) else 0


def draw(writer: Writer, plan: Plan, narrator: Narrator) -> Sampled:
    """Carry a plan out, telling how far it is and what came of it."""
    from engine.sampling import sample

    meter = Meter(narrator, f"sampling {plan.model.name}", "samples")
    done = sample(writer, plan, meter.show)
    tell(plan, done, narrator)
    return done


def tell(plan: Plan, done: Sampled, narrator: Narrator) -> None:
    """What came of a plan."""
    rate = f", {done.tokens / done.seconds:,.0f} tokens/s" if done.seconds else ""
    facts, decoding = done.facts, plan.manner.decoding
    known = f", {done.known:,} already there" if done.known else ""
    narrator.say(
        f"{plan.model.name} on {plan.problems[0].benchmark} at T {decoding.temperature:g}, top-p {decoding.top_p:g}:"
        f" {done.added:,} samples drawn{known}{rate} [{facts.sampler}, {facts.device}, {facts.dtype}]"
    )


def _plan(arguments: argparse.Namespace) -> Plan:
    from engine.decoding import Decoding
    from engine.samplers.base import Manner
    from engine.sampling import Plan
    from store.errors import BaseboundError

    try:
        decoding = Decoding(arguments.temperature, arguments.top_p, arguments.top_k)
    except ValueError as error:
        raise BaseboundError(str(error)) from None
    return Plan(
        model=_model(arguments),
        opening=_opening(arguments),
        problems=_problems(arguments),
        template=_template(arguments),
        manner=Manner(decoding, arguments.max_tokens, tuple(arguments.stop or ())),
        n=arguments.n,
        seed=arguments.seed,
        sampler=arguments.sampler,
    )


def _template(arguments: argparse.Namespace) -> Template:
    from engine.prompts import Template

    unless_said = "{problem}" if arguments.chat else "{problem}\\n"
    system = None if arguments.system is None else _typed(arguments.system)
    return Template(_typed(unless_said if arguments.prompt is None else arguments.prompt), arguments.chat, system)


def _typed(text: str) -> str:
    return text.replace("\\n", "\n")


def _opening(arguments: argparse.Namespace) -> Opening:
    from engine.samplers.base import Opening, SamplerError

    if (arguments.url or arguments.served) and not _may_lack_folder(arguments):
        raise SamplerError(f"--url and --served are for --sampler server, not {arguments.sampler}; say that, or leave them out")
    return Opening(
        model=arguments.model,
        adapter=arguments.adapter,
        context_cap=arguments.context_cap,
        batch=arguments.batch,
        dtype=arguments.dtype,
        device=arguments.device,
        gpus=arguments.gpus,
        url=arguments.url,
        served=arguments.served,
    )


def _may_lack_folder(arguments: argparse.Namespace) -> bool:
    """A server has the weights itself; a sampler of the user's own asks for what it likes."""
    from engine.samplers import SAMPLERS

    return arguments.sampler == "server" or arguments.sampler not in SAMPLERS


def _model(arguments: argparse.Namespace) -> Model:
    from engine.checkpoints import has_weights, require_adapter, require_model
    from engine.sampling import content_revision
    from explorer.commands.import_files import role
    from store.types import UNKNOWN, Model

    if arguments.sampler == "scripted":
        return Model("scripted")  # made-up responses must never stand under a model's name
    if not _may_lack_folder(arguments):
        require_model(arguments.model)
    if arguments.adapter is not None:
        require_adapter(arguments.adapter)
    known = arguments.adapter is not None or has_weights(arguments.model)
    return Model(
        name=arguments.name or _folders_name(arguments.adapter or arguments.model),
        revision=content_revision(arguments.model, arguments.adapter) if known else UNKNOWN,
        role=role(arguments.role),
        parent=arguments.parent,
        algorithm=arguments.algorithm,
        step=arguments.step,
        training_seed=arguments.training_seed,
    )


def _folders_name(folder: Path) -> str:
    """The last part of a folder's path; of what is no folder, a name on a server, all of it."""
    return folder.resolve().name if folder.is_dir() else str(folder)


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
