"""basebound import: files in, what was added told, then judged by our verifier unless --no-verify."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from engine.importers.base import Options
    from engine.importing import Imported, Prepared
    from store.types import Role
    from store.writer import Writer

EXAMPLE = "import {db} results.jsonl --model my-base-7b --role base --benchmark aime24"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB", help="the study; made if it does not exist")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help="plain or .gz; see `basebound formats`")
    parser.add_argument("--format", help="take the files as this format instead of looking at their content")
    parser.add_argument("--run", metavar="SLUG", help="name the run (one run only)")
    parser.add_argument("--model", metavar="M", help="the model's name, where the file does not tell it")
    parser.add_argument(
        "--role",
        action="append",
        default=[],
        metavar="[MODEL=]ROLE",
        help="base, sft, rl, distilled, instruct or other; with MODEL= for a file of several models, repeatable",
    )
    parser.add_argument(
        "--parent", action="append", default=[], metavar="[MODEL=]PARENT", help="the model it was trained from; as --role"
    )
    parser.add_argument("--benchmark", metavar="B", help="the benchmark's name, where the file does not tell it")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting the file does not tell (temperature, top_p, max_tokens, prompt_template, revision, step, ...)",
    )
    parser.add_argument("--again", action="store_true", help="add responses that another file has brought, too")
    parser.add_argument("--no-verify", action="store_true", help="leave judging to `basebound verify`")


def run(arguments: argparse.Namespace) -> int:
    from engine.importers.base import ImportProblem
    from store.writer import Writer

    narrator = Narrator(arguments.quiet)
    prepared, problems = _prepare(arguments, narrator)
    models: set[str] = set()
    with Writer(arguments.db, "import") as writer:
        for file in prepared:
            try:
                result = _import(writer, file, narrator)
            except ImportProblem as problem:
                if len(arguments.files) == 1:
                    raise
                narrator.complain(str(problem))
                problems += 1
            else:
                problems += result.bad_total
                models |= {run.model.name for run in result.runs}
        problems += _strangers(arguments, models, narrator)
        if not arguments.no_verify:
            from explorer.commands.verify import judge_all

            problems += judge_all(writer, narrator)
    return 1 if problems else 0


def _prepare(arguments: argparse.Namespace, narrator: Narrator) -> tuple[list[Prepared], int]:
    """The files that can be imported, and how many cannot; no study is made for a mistyped name alone."""
    from engine.importers.base import ImportProblem
    from engine.importing import prepare

    options = _options(arguments)
    prepared: list[Prepared] = []
    for path in arguments.files:
        try:
            prepared.append(prepare(path, options))
        except ImportProblem as problem:
            if len(arguments.files) == 1:
                raise
            narrator.complain(str(problem))
    if not prepared:
        raise ImportProblem(f"none of the files can be imported into {arguments.db}; see the lines above")
    return prepared, len(arguments.files) - len(prepared)


def _strangers(arguments: argparse.Namespace, models: set[str], narrator: Narrator) -> int:
    """Models that --role or --parent name and no file has: most likely a slip of the keyboard."""
    named = {*_named(arguments.role), *_named(arguments.parent)} - {""}
    for model in sorted(named - models):
        narrator.complain(f"--role or --parent names {model}, but the files hold {', '.join(sorted(models)) or 'no model'}")
    return len(named - models)


def _import(writer: Writer, file: Prepared, narrator: Narrator) -> Imported:
    from engine.importing import import_file

    path = file.about.path
    meter = Meter(narrator, f"importing {path.name}")
    size = path.stat().st_size
    result = import_file(writer, file, lambda position: meter.show(position, size))
    narrator.say(f"{path}: {_summary(result)}")
    if result.copies:
        narrator.complain(
            f"{path}: {result.copies:,} traces were left out: another file has brought the same responses"
            f" of the same run and problem (--again adds them all the same)"
        )
    for bad in result.bad:
        narrator.complain(f"{path}: line {bad.number}: {bad.why}")
    if result.bad_total > len(result.bad):
        narrator.complain(f"{path}: ... and {result.bad_total - len(result.bad):,} problems more")
    return result


def _summary(result: Imported) -> str:
    what = [f"{result.traces:,} traces"] if result.traces or not result.counts else []
    what += [f"{result.counts:,} counts"] if result.counts else []
    known = f", {result.known:,} already there" if result.known else ""
    bad = f", {result.bad_total:,} problems" if result.bad_total else ""
    models = ", ".join(f"{run.model.name} ({run.model.role}) on {run.benchmark}" for run in list(result.runs)[:4])
    more = f" and {len(result.runs) - 4} more runs" if len(result.runs) > 4 else ""
    return f"{' and '.join(what)} added{known}{bad} [{result.format}] {models}{more}"


def _options(arguments: argparse.Namespace) -> Options:
    from engine.importers.base import Options, check_set
    from engine.importers.fields import printable

    return Options(
        model=arguments.model and printable(arguments.model),
        roles={model: role(name) for model, name in _named(arguments.role).items()},
        parents=_named(arguments.parent),
        benchmark=arguments.benchmark and printable(arguments.benchmark),
        set=check_set([printable(pair) for pair in arguments.set]),
        run=arguments.run and printable(arguments.run),
        format=arguments.format,
        again=arguments.again,
    )


def _named(values: list[str]) -> dict[str, str]:
    """MODEL=VALUE by model; a plain VALUE is for every model."""
    return {model: value for model, _, value in (("=" + v if "=" not in v else v).rpartition("=") for v in values)}


def role(text: str) -> Role:
    """A model's role by its name. Raises ImportProblem for a word that is none."""
    from engine.importers.base import ImportProblem
    from engine.importers.fields import BadRecord
    from engine.importers.fields import role as parsed

    try:
        return parsed(text)
    except BadRecord as bad:
        raise ImportProblem(f"--role {text}: {bad}") from None
