"""basebound claims: what the runs say of each claim of the field, and what the paper's own tables say when computed again."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from explorer.commands.narration import Narrator
from explorer.model.claims import figure_text, finding_text, who
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.claims.base import Found
    from engine.claims.published import Checked
    from store.reader import Study
    from store.rows import RunRow

EXAMPLE = "claims {db}"

WIDTH: Final = 80
_AGREES: Final = {True: "✓ agrees", False: "✗ does not agree", None: "· computed"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, nargs="?", metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only; needed where a named run has several")
    parser.add_argument("--base", metavar="RUN", help="hold the others against this one; else the roles tell")
    parser.add_argument("--other", metavar="RUN", help="judge this run only; else every RL run")
    parser.add_argument("--direct", metavar="RUN", help="a run of direct answers, which tells how easily problems are guessed")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--published", action="store_true", help="the paper's own tables, computed again; no study needed")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from store.errors import NotFound

    if arguments.published:
        _published(arguments.json)
        return 0
    if arguments.db is None:
        raise NotFound(
            "no study is named: `basebound claims STUDY.db`, or `basebound claims --published` for the paper's tables"
        )
    found = _found(arguments)
    if arguments.json:
        documents = [
            {"benchmark": name, "verifier": verifier, "claims": [document(row) for row in rows]}
            for name, verifier, rows in found
        ]
        sys.stdout.write(json.dumps({"schema": 1, "benchmarks": documents}, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(_text(f"{name} · verifier {verifier}", rows) for name, verifier, rows in found))
    return 0


def _found(arguments: argparse.Namespace) -> list[tuple[str, str, list[Found]]]:
    """Benchmark, verifier and rows, for each benchmark asked for."""
    from engine.board import read_board
    from engine.claims import claims
    from store.errors import NotFound
    from store.reader import Study

    narrator, found = Narrator(arguments.quiet), []
    with Study(arguments.db) as study:
        study.require_verifier(arguments.verifier)
        base, other, direct = _named(study, arguments)
        named = next((run.benchmark for run in (base, other, direct) if run is not None), arguments.benchmark)
        names = [study.benchmark(named)] if named else study.benchmarks()
        if not names:
            raise NotFound(f"{study.path} has no runs yet; `basebound import {study.path} FILE...` brings some")
        for name in names:
            narrator.line(f"{name}: comparing")
            board = read_board(study, name, arguments.verifier)
            found.append((name, board.verifier, claims(study, board, base, other, direct=direct)))
        narrator.clear()
    return found


def _named(study: Study, arguments: argparse.Namespace) -> list[RunRow | None]:
    """The runs called base, other and direct, all of one benchmark; None where nobody named one."""
    benchmark: str | None = arguments.benchmark
    found: list[RunRow | None] = []
    for name in (arguments.base, arguments.other, arguments.direct):
        run = None if name is None else study.find_run(name, benchmark)
        benchmark = benchmark if run is None else run.benchmark
        found.append(run)
    return found


def document(row: Found) -> dict[str, Any]:
    """A row as JSON gives it."""
    return {"claim": row.claim.name, "sentence": row.claim.sentence, "source": row.claim.source} | {
        name: value for name, value in asdict(row).items() if name != "claim"
    }


def _published(as_json: bool) -> None:
    from engine.claims.on_published import found
    from engine.claims.published import checks
    from engine.claims.tables import PAPER

    rows, checked = found(), checks()
    if as_json:
        whole = {
            "schema": 1,
            "paper": PAPER,
            "checks": [asdict(row) for row in checked],
            "claims": [document(row) for row in rows],
        }
        sys.stdout.write(json.dumps(whole, indent=1) + "\n")
        return
    wrong = sum(row.agrees is False for row in checked)
    title = f"{PAPER}, computed again: {wrong} of {len(checked)} rows do not agree with what is stated"
    sys.stdout.write("".join(_lines([title], "")) + "\n" + "".join(_checked(row) for row in checked) + "\n")
    sys.stdout.write(_text("Claims on the published sets and audits", rows))


def _checked(row: Checked) -> str:
    said = [] if row.stated is None else [f"stated: {row.stated}"]
    return "".join(_lines([f"{_AGREES[row.agrees]}  {row.what} ({row.source})"], "") + _lines([*said, row.computed], "    "))


def _text(title: str, rows: Sequence[Found]) -> str:
    """The rows claim by claim; the settings, of which there are few, at the end under a letter each."""
    from engine.claims.base import once

    marks = {settings: _letter(i) for i, settings in enumerate(dict.fromkeys(row.settings for row in rows))}
    tests = sum(row.p_value is not None for row in rows)
    parts = [_lines([f"{title} · {counted(tests, 'test')} · q among all of them"], "")]
    apart, shared = once(rows)
    for claim, of in groupby(apart, key=lambda row: row.claim):
        parts += [["\n"], _lines([claim.sentence], "")]
        parts += [_row(row, marks[row.settings]) for row in of]
    parts += [["\n", *_shared(of, marks[of[0].settings])] for of in shared]
    parts += [["\n"], *(_lines([f"[{mark}] {settings}"], "") for settings, mark in marks.items())]
    return "".join(line for part in parts for line in part)


def _shared(rows: Sequence[Found], mark: str) -> list[str]:
    """A reason that several claims share, and which."""
    head = _lines([f"{finding_text(rows[0].finding)} [{mark}] {counted(len(rows), 'claim')}"], "")
    names = ", ".join(row.claim.name for row in rows)
    return head + _lines([rows[0].reason], "    ") + _lines([names], "    ")


def _row(row: Found, mark: str) -> list[str]:
    head = _lines([f"{finding_text(row.finding)} [{mark}] {who(row)}"], "  ")
    return head + _lines([figure_text(row)] if row.statistic else [], "    ") + _lines([row.reason], "    ")


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else str(number - 25)


def _lines(texts: Iterable[str], indent: str) -> list[str]:
    return list(_wrapped(texts, indent))


def _wrapped(texts: Iterable[str], indent: str) -> Iterator[str]:
    """Lines of at most WIDTH cells, safe to print."""
    from explorer.render.text import visible
    from explorer.render.wrap import wrap

    for text in map(visible, texts):
        for start, end in wrap(text, WIDTH - len(indent)):
            yield f"{indent}{text[start:end].strip()}".rstrip() + "\n"
