"""basebound demo: the bundled example imported, judged, counted and opened.

The example's traces are written by a script (sample_data/make_example.py); they show the program, not a finding.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from explorer.commands.narration import Narrator

EXAMPLE = "demo --no-explore"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, metavar="DIR", help="where the study is made; else your data folder")
    parser.add_argument("--no-explore", action="store_true", help="print the table and stop")


def run(arguments: argparse.Namespace) -> int:
    from explorer.commands import passk
    from store.reader import Study

    narrator = Narrator(arguments.quiet)
    study = example_study(narrator, arguments.dir)
    with Study(study) as opened:
        passk.show(passk.summarised(opened), narrator)
    if arguments.no_explore:
        return 0
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        narrator.say(f"no terminal here: `basebound explore {study}` opens it in one")
        return 0
    from explorer.app import run_explorer

    return run_explorer(study, None, None)


def example_study(narrator: Narrator, folder: Path | None = None) -> Path:
    """The example's study, made where it is missing or unfinished. Raises BaseboundError."""
    from engine.importers.base import Options
    from engine.importing import import_file, prepare
    from explorer.commands.verify import judge_all
    from sample_data import example_path
    from store.errors import StudyUnwritable
    from store.writer import Writer

    folder = folder or data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyUnwritable(f"the folder {folder} cannot be made: {error.strerror}; choose another with --dir") from None
    study = folder / "example.db"
    with Writer(study, "demo") as writer:
        import_file(writer, prepare(example_path(), Options()))
        judge_all(writer, narrator)
    narrator.say(f"example study: {study} (its traces are written by a script, not by a model)")
    return study


def data_folder() -> Path:
    """Where a user's data lie on this system."""
    from platformdirs import user_data_path

    return user_data_path("basebound", appauthor=False)
