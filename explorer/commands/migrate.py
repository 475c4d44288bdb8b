"""basebound migrate: an older study brought up to date, after a backup beside it."""

from __future__ import annotations

import argparse
from pathlib import Path

from explorer.commands.narration import Narrator

EXAMPLE = "migrate {db}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")


def run(arguments: argparse.Namespace) -> int:
    from store.migrations import migrate
    from store.schema import SCHEMA_VERSION

    narrator = Narrator(arguments.quiet)
    version, backup = migrate(arguments.db)
    if backup is None:
        narrator.say(f"{arguments.db} is up to date (schema {version})")
    else:
        narrator.say(f"{arguments.db}: schema {version} is now {SCHEMA_VERSION}; the study as it was is {backup}")
    return 0
