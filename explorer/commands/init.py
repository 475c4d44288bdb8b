"""basebound init: write an example of a STUDY.toml, to be edited and given to `basebound run`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from explorer.commands.narration import Narrator

EXAMPLE = "init aime.toml --template paper"

_NAMES = ("plain", "paper", "demo")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", default=Path("study.toml"), metavar="STUDY.toml", help="else study.toml")
    parser.add_argument(
        "--template",
        choices=_NAMES,
        default="plain",
        help="plain: a base and an RL model; paper: its decoding, samples and benchmarks; demo: the bundled tiny models",
    )


def run(arguments: argparse.Namespace) -> int:
    from engine.declaration.templates import template
    from store.errors import BaseboundError

    file: Path = arguments.file
    text = template(arguments.template, file.name)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise BaseboundError(f"{file} is there already, and is left as it is; name another file") from None
    first = "" if arguments.template == "demo" else "edit it, then "
    Narrator(arguments.quiet).say(f"{file} is written; {first}`basebound run {shlex.quote(str(file))} --dry-run`")
    return 0
