"""basebound audit export, basebound audit import: labels, flags, notes and marked steps as JSONL or CSV."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Final

from explorer.commands.narration import Narrator
from explorer.render.words import counted

_COMPLAINTS: Final = 20

IMPORT_HELP: Final = """\
fields of a line, or columns of a CSV (trace, auditor and label, or mark, are needed; --as names the auditor of all lines
without one):
  trace    the trace's link, as `audit queue` and `audit export` write it: run/benchmark:problem/sample
  label    a digit: 1 valid, 2 cancelling errors, 3 guess, 4 answer-aware, 5 skipped steps, 6 wrong reference,
           7 verifier wrong, 8 cannot tell; none takes back what the auditor said of the trace
  auditor  who labelled it; a model's name begins with judge:
  step     the step it hangs on, from 1
  note     any text
  chosen   how the trace came to be read: browse, influence, random, protocol or imported (imported); only "random" says
           something of traces that nobody read
  created  when, as ISO 8601 writes it; else now
  mark     flag, note (its text in note) or step (its number in step): the line is of a mark, and no label
  gone     true where a mark was taken away

example:
  {"trace": "base-7b@aime24/aime24:15/731", "auditor": "ann", "label": 2, "step": 14, "note": "sign", "chosen": "random"}
  basebound audit import study.db labels.jsonl --as ann
"""


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here, as CSV where the name ends so; else to stdout")
    parser.add_argument("--force", action="store_true", help="replace FILE where it is there already")
    parser.add_argument("--csv", action="store_true", help="CSV, not JSONL")
    parser.add_argument("--benchmark", metavar="B", help="one of the study's; else all")
    parser.add_argument("--auditor", action="append", metavar="NAME", help="this one's labels; may be repeated; else all")


def run_export(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from engine.auditing.exchange import rows_out, write_csv, write_jsonl
    from store.reader import Study

    write = write_csv if arguments.csv or _is_csv(arguments.out) else write_jsonl
    with Study(arguments.db) as study:
        benchmark = study.benchmark(arguments.benchmark) if arguments.benchmark else None
        if arguments.out is not None:
            _refuse(arguments.out, arguments)
        with _output(arguments.out) as file:
            rows = list(rows_out(study, benchmark, arguments.auditor))
            write(rows, file)
    marked = sum("mark" in row for row in rows)
    told = counted(len(rows) - marked, "label") + (f" and {counted(marked, 'mark')}" if marked else "")
    narrator.say(f"{told} written" + (f" to {arguments.out}" if arguments.out else ""))
    return 0


def _is_csv(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".csv"


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with TemporaryDirectory(dir=path.parent, prefix=".exporting-") as apart:  # what is there stays until all is written
        partial = Path(apart) / path.name
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        partial.replace(path)


def _refuse(out: Path, arguments: argparse.Namespace) -> None:
    from store.errors import BaseboundError

    if not out.parent.is_dir():
        raise BaseboundError(f"the folder {out.parent} is not there; make it, or give another path")
    if out.is_dir():
        raise BaseboundError(f"{out} is a folder; give the path of a file")
    if out.exists() and out.samefile(arguments.db):
        raise BaseboundError(f"{out} is the study itself; give another path for the labels")
    if out.exists() and not arguments.force:
        raise BaseboundError(f"{out} is there already; give another path, or replace it with --force")


def add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSONL, or CSV where the name ends so")
    parser.add_argument("--as", dest="name", metavar="NAME", help="the auditor where a line names none")


def run_import(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from engine.auditing.exchange import read_in, write_in
    from store.reader import Study

    refused = 0
    for path in arguments.files:
        with Study(arguments.db) as study, path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            new, taken = read_in(study, file, is_csv=_is_csv(path), auditor=arguments.name)
        write_in(arguments.db, new)
        for line, sentence in taken.refused[:_COMPLAINTS]:
            narrator.complain(f"{path}: line {line}: {sentence}")
        if len(taken.refused) > _COMPLAINTS:
            narrator.complain(f"{path}: {counted(len(taken.refused) - _COMPLAINTS, 'line')} more")
        parts = f"{taken.there:,} there already, {taken.older:,} older than what stands, {len(taken.refused):,} refused"
        marked = f" and {counted(taken.marked, 'mark')}" if taken.marked else ""
        narrator.say(f"{path}: {counted(taken.added, 'label')}{marked} added, {parts}")
        refused += len(taken.refused)
    return 1 if refused else 0
