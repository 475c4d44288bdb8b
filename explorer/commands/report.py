"""basebound report: what a study says, with intervals, figures and provenance, as a page, Markdown, JSON and CSV in a folder.

The same study gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from explorer.report.material import Material

EXAMPLE = "report {db} --out report"

FORMATS: Final = ("html", "md", "json", "csv")
_WITH_FIGURES: Final = frozenset({"html", "md"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="made where it is missing; an earlier report there is replaced"
    )
    parser.add_argument(
        "--format", type=_formats, default=["html"], metavar="html,md,json,csv", help="one or several; html unless said"
    )
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--base", metavar="RUN", help="pair the other runs with this one; else the roles tell")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")


def _formats(text: str) -> list[str]:
    wanted = [part.strip() for part in text.split(",")]
    for name in wanted:
        if name not in FORMATS:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(FORMATS)}")
    return [name for name in FORMATS if name in wanted]


def run(arguments: argparse.Namespace) -> int:
    from explorer.report.drawing import require_matplotlib
    from explorer.report.writing import require_folder, write

    narrator = Narrator(arguments.quiet)
    if _WITH_FIGURES.intersection(arguments.format):
        require_matplotlib()
    require_folder(arguments.out)
    material = _gathered(arguments, narrator)
    narrator.line("writing the report")
    paths = write(arguments.out, _files(material, arguments.format))
    narrator.clear()
    sys.stdout.write("".join(f"{path}\n" for path in paths if path.suffix != ".svg"))
    return 0


def _gathered(arguments: argparse.Namespace, narrator: Narrator) -> Material:
    from importlib.metadata import version

    from engine.summary import summarise
    from explorer.commands.passk import bases_of, read_boards
    from explorer.report.gathering import gather
    from explorer.report.material import Asked
    from store.reader import Study

    meter = Meter(narrator, "intervals and tests")
    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
        bases = bases_of(study, arguments.base, [board.benchmark for board in boards]) if arguments.base else {}
        summaries = []
        for done, board in enumerate(boards):
            meter.show(done, len(boards))
            summaries.append(summarise(board, None, bases.get(board.benchmark), intervals=True))
        narrator.line("gathering the rest")
        return gather(study, Asked(bases, arguments.verifier, version("basebound")), boards, summaries)


def _files(material: Material, formats: list[str]) -> dict[str, str]:
    """The report's files by name."""
    from explorer.report.tables import as_csv, as_json, tables

    files: dict[str, str] = {}
    if _WITH_FIGURES.intersection(formats):
        files |= _documents(material, formats)
    every = tables(material)
    if "json" in formats:
        files["report.json"] = as_json(every)
    if "csv" in formats:
        files |= {f"{table.name}.csv": as_csv(table) for table in every}
    return files


def _documents(material: Material, formats: list[str]) -> dict[str, str]:
    from explorer.report.markdown import markdown, pictures
    from explorer.report.page import page
    from explorer.report.sections import document

    whole = document(material)
    files = {"report.html": page(whole)} if "html" in formats else {}
    return files | ({"report.md": markdown(whole), **pictures(whole)} if "md" in formats else {})
