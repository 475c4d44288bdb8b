"""basebound audit export, basebound audit import: labels as JSONL or CSV."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from explorer.commands.narration import Narrator

_COMPLAINTS: Final = 20


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here, as CSV where the name ends so; else to stdout")
    parser.add_argument("--csv", action="store_true", help="CSV, not JSONL")
    parser.add_argument("--benchmark", metavar="B", help="one of the study's; else all")
    parser.add_argument("--auditor", action="append", metavar="NAME", help="this one's labels; may be repeated; else all")


def run_export(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from engine.auditing.exchange import rows_out, write_csv, write_jsonl
    from store.reader import Study

    write = write_csv if arguments.csv or _is_csv(arguments.out) else write_jsonl
    with Study(arguments.db) as study:
        benchmark = study.benchmark(arguments.benchmark) if arguments.benchmark else None
        with _output(arguments.out) as file:
            number = write(rows_out(study, benchmark, arguments.auditor), file)
    narrator.say(f"{number:,} labels written" + (f" to {arguments.out}" if arguments.out else ""))
    return 0


def _is_csv(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == ".csv"


@contextmanager
def _output(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        yield sys.stdout
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        yield file


def add_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="JSONL, or CSV where the name ends so")
    parser.add_argument("--as", dest="name", metavar="NAME", help="the auditor where a line names none")


def run_import(arguments: argparse.Namespace, narrator: Narrator) -> int:
    from engine.auditing.exchange import read_in
    from store.audits import AuditWriter
    from store.reader import Study

    refused = 0
    for path in arguments.files:
        with Study(arguments.db) as study, path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            new, taken = read_in(study, file, is_csv=_is_csv(path), auditor=arguments.name)
        with AuditWriter(arguments.db) as writer:
            writer.add_all(new)
        for line, sentence in taken.refused[:_COMPLAINTS]:
            narrator.complain(f"{path}: line {line}: {sentence}")
        if len(taken.refused) > _COMPLAINTS:
            narrator.complain(f"{path}: and {len(taken.refused) - _COMPLAINTS:,} lines more")
        parts = f"{taken.there:,} there already, {taken.older:,} older than what stands, {len(taken.refused):,} refused"
        narrator.say(f"{path}: {taken.added:,} labels added, {parts}")
        refused += len(taken.refused)
    return 1 if refused else 0
