"""basebound explore: the explorer on a study; without one, on a copy of the bundled one in the user's data folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from explorer.commands.bundled import EXAMPLES
from store.errors import BaseboundError
from store.types import JUDGE_PREFIX

ONLY_TRACE = "retold-base@valley/valley:1/0#6"
"""Of the example `lucky`: what is to be seen stands in its trace."""
EXAMPLE = "explore {db} --open 'base-7b@aime24/aime24:16/0'"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, nargs="?", metavar="DB", help="a study; without it, the bundled one")
    parser.add_argument(
        "--example",
        choices=EXAMPLES,
        help="which bundled study: " + "; ".join(f"{name}: {what}" for name, what in EXAMPLES.items()),
    )
    parser.add_argument(
        "--open",
        metavar="LINK",
        help="go straight to a place: run, run/benchmark:problem, or run/benchmark:problem/sample#step",
    )
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--auditor", metavar="NAME", help="who labels; else $BASEBOUND_AUDITOR, else your login's name")
    parser.add_argument("--fresh", action="store_true", help="start at the top, not where you were the last time")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal, e.g. to select text")


def run(arguments: argparse.Namespace) -> int:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BaseboundError("the explorer needs a terminal on stdin and stdout; over SSH, use `ssh -t`")
    from explorer.app import run_explorer
    from explorer.commands.bundled import bundled_study
    from explorer.commands.narration import Narrator

    if (arguments.auditor or "").strip().startswith(JUDGE_PREFIX):
        raise BaseboundError(
            f"--auditor {arguments.auditor}: names that begin with {JUDGE_PREFIX} are judge models'; give another"
        )
    if arguments.db and arguments.example:
        raise BaseboundError("give a study or --example, not both")
    study = arguments.db or bundled_study(Narrator(arguments.quiet), example=arguments.example or "boundary")
    link = arguments.open or (ONLY_TRACE if arguments.example == "lucky" else None)
    mouse, fresh = not arguments.no_mouse, arguments.fresh
    return run_explorer(study, link, arguments.verifier, arguments.auditor, mouse=mouse, fresh=fresh)
