"""basebound series: many runs side by side at one common k: algorithms, training steps, temperatures, roles, training seeds."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Narrator
from explorer.commands.tables import UNKNOWN_MARK, how_drawn, p_value, percent, points, span, table
from explorer.render.text import visible
from explorer.render.words import counted
from store.types import Role

if TYPE_CHECKING:
    from engine.series import Entry, Series

EXAMPLE = "series {db} --by step --k 1"
BY: Final = ("algorithm", "step", "temperature", "role", "seed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--by", required=True, choices=BY, help="what tells the entries apart and orders them")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--run", action="append", metavar="RUN", help="only these runs; may be given several times")
    parser.add_argument("--base", metavar="RUN", help="hold all against this run; else the roles tell")
    parser.add_argument("--k", type=whole_number, metavar="K", help="compare at this k; else the smallest n of all")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from engine.series import By, series
    from explorer.commands.passk import bases_of, read_boards
    from store.reader import Study

    found = []
    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
        names = [board.benchmark for board in boards]
        bases = bases_of(study, arguments.base, names) if arguments.base else {}
        wanted = [bases_of(study, name, names) for name in arguments.run or ()]
        for board in boards:
            runs = [of[board.benchmark] for of in wanted if board.benchmark in of] if wanted else None
            if runs != []:
                found.append(series(board, By(arguments.by), runs=runs, base=bases.get(board.benchmark), k=arguments.k))
    if arguments.json:
        sys.stdout.write(json.dumps({"schema": 1, "series": [_document(one) for one in found]}, indent=1) + "\n")
    else:
        narrator = Narrator(arguments.quiet)
        sys.stdout.write("\n".join(_text(one, narrator, named=bool(bases)) for one in found))
    return 0


def _document(found: Series) -> dict[str, Any]:
    return {
        "by": found.by.value,
        "benchmark": found.benchmark,
        "verifier": found.verifier,
        "k": found.k,
        "common_k": found.common_k,
        "problems": found.problems,
        "entries": [_entry(entry) for entry in found.entries],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    limits = entry.difference_interval
    return {
        "label": entry.label,
        "runs": [run.slug for run in entry.runs],
        "pass_at_k": entry.value,
        "low": entry.interval.low,
        "high": entry.interval.high,
        "base": entry.base.slug if entry.base else None,
        "difference": entry.difference,
        "difference_low": limits.low if limits else None,
        "difference_high": limits.high if limits else None,
        "p_value": entry.p_value,
        "q_value": entry.q_value,
        "spread_over_training_seeds": entry.spread,
        "note": entry.note or None,
    }


def _text(found: Series, narrator: Narrator, named: bool) -> str:
    title = (
        f"{found.benchmark} by {found.by} · verifier {found.verifier} · pass@{found.k} in %"
        f" · {counted(found.problems, 'problem')} · 95 % over problems, q over the entries"
    )
    header = [str(found.by), "against", "runs", f"pass@{found.k}", "95 %", "seeds ±", "difference", "95 %", "p", "q"]
    for sentence in _said(found, named):
        narrator.say(f"{found.benchmark}: {sentence}")
    drawn = how_drawn([run for entry in found.entries for run in entry.runs])
    return visible(title + "\n") + drawn + table(header, [_row(entry) for entry in found.entries])


def _said(found: Series, named: bool) -> list[str]:
    """What a reader must know and no column tells. named: whether they named the base run."""
    said = []
    if not named and not any(entry.base or entry.runs[0].model.role is Role.BASE for entry in found.entries):
        said.append("no run is known as base; name one with --base, or roles with import --role")
    alone = sum(entry.spread is None and entry.note != "" for entry in found.entries)
    if alone:
        are = f"{counted(alone, 'entry', 'entries')} {'is' if alone == 1 else 'are'}"
        each = "" if alone == 1 else " each"
        said.append(f"{are} of one training seed{each}: how much training varies is not seen")
    return said


def _row(entry: Entry) -> list[str]:
    limits = entry.difference_interval
    return [
        entry.label,
        entry.base.slug if entry.base else "",
        str(len(entry.runs)),
        percent(entry.value),
        span(entry.interval.low, entry.interval.high),
        UNKNOWN_MARK if entry.spread is None else percent(entry.spread),
        "" if entry.difference is None else points(entry.difference),
        "" if limits is None else f"{points(limits.low)} to {points(limits.high)}",
        "" if entry.p_value is None else p_value(entry.p_value),
        "" if entry.q_value is None else p_value(entry.q_value),
    ]
