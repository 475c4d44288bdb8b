"""basebound export: every stored sample of a study in one file, as a Parquet table or as our own JSONL, in flat memory.

What the columns mean: engine/exporting.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from explorer.commands.narration import Meter, Narrator

if TYPE_CHECKING:
    from engine.exporting import Wanted
    from store.reader import Study
    from store.rows import RunRow

EXAMPLE = "export {db} --parquet samples.parquet"

STDOUT: Final = Path("-")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--parquet", type=Path, metavar="OUT", help="a table with a column for every fact (extra: parquet)")
    target.add_argument("--jsonl", type=Path, metavar="OUT", help="our own format, which can be imported again; - is stdout")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--run", action="append", metavar="RUN", help="this run only; repeatable")
    parser.add_argument("--texts", action="store_true", help="statements and responses, too; JSONL always has them")
    parser.add_argument("--tokens", action="store_true", help="token by token, too, where `basebound score --tokens` has been")
    parser.add_argument("--verifier", metavar="V", help="this one's verdicts, e.g. imported; else the deciding one's")
    parser.add_argument("--force", action="store_true", help="replace OUT where it is there already")


def run(arguments: argparse.Namespace) -> int:
    from engine.exporting import Wanted
    from store.reader import Study

    narrator = Narrator(arguments.quiet)
    out: Path = arguments.parquet or arguments.jsonl
    with Study(arguments.db) as study:
        study.require_verifier(arguments.verifier)
        texts = arguments.texts or arguments.jsonl is not None
        wanted = Wanted(_runs(study, arguments), arguments.verifier, texts, arguments.tokens)
        if out == STDOUT and arguments.jsonl:
            _drain(study, wanted, narrator)
            return 0
        _refuse(out, arguments)
        with _whole(out) as partial:
            done = _write(study, wanted, partial, narrator, parquet=arguments.parquet is not None)
    narrator.say(f"{out}: {done:,} samples of {len(wanted.runs)} runs, {out.stat().st_size:,} bytes")
    return 0


def _runs(study: Study, arguments: argparse.Namespace) -> list[RunRow]:
    """Those asked for that have samples. Raises NotFound where there are none."""
    from store.errors import NotFound
    from store.exporting import count_samples

    benchmark = study.benchmark(arguments.benchmark) if arguments.benchmark else None
    asked = [study.find_run(name, benchmark) for name in dict.fromkeys(arguments.run or [])] or study.runs(benchmark)
    runs = [run for run in dict.fromkeys(asked) if count_samples(study, [run])]
    if not runs:
        raise NotFound(f"{study.path} has no samples to export here: counts without traces, or nothing yet")
    return runs


def _refuse(out: Path, arguments: argparse.Namespace) -> None:
    from store.errors import BaseboundError

    if out.exists() and out.samefile(arguments.db):
        raise BaseboundError(f"{out} is the study itself; give another path for what is exported")
    if not out.parent.is_dir():
        raise BaseboundError(f"the folder {out.parent} is not there; make it, or give another path")
    if out.is_dir():
        raise BaseboundError(f"{out} is a folder; give the path of a file")
    if out.exists() and not arguments.force:
        raise BaseboundError(f"{out} is there already; give another path, or replace it with --force")


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A path to write to that becomes `out` once all is written; nothing is left behind where it was not."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(dir=out.parent, prefix=".exporting-") as apart:
        partial = Path(apart) / out.name
        yield partial
        partial.replace(out)


def _write(study: Study, wanted: Wanted, path: Path, narrator: Narrator, *, parquet: bool) -> int:
    """Returns how many samples were written."""
    from importlib.metadata import version

    from engine.exporting import write_jsonl, write_parquet

    if parquet:
        return _watched(write_parquet(study, wanted, path, version("basebound")), study, wanted, narrator)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        return _watched(write_jsonl(study, wanted, file), study, wanted, narrator)


def _drain(study: Study, wanted: Wanted, narrator: Narrator) -> None:
    from engine.exporting import write_jsonl

    _watched(write_jsonl(study, wanted, sys.stdout), study, wanted, narrator)


def _watched(progress: Iterator[int], study: Study, wanted: Wanted, narrator: Narrator) -> int:
    from explorer.commands.tables import parts
    from store.exporting import count_samples

    meter = Meter(narrator, "exporting", "samples")
    total = count_samples(study, wanted.runs)
    done = 0
    for done in progress:
        meter.show(done, total)
    if told := parts(study):
        narrator.complain(told.rstrip("\n"))
    return done
