"""basebound coverage: which problems both, one or none of two runs solve at a common k, as text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.passk import whole_number
from explorer.render.text import visible

if TYPE_CHECKING:
    from engine.analyses.coverage import Coverage
    from engine.board import Board
    from store.reader import Study
    from store.rows import RunRow

EXAMPLE = "coverage {db} --base my-base-7b --other my-rl-7b"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--base", required=True, metavar="RUN", help="slug or model name")
    parser.add_argument("--other", required=True, metavar="RUN")
    parser.add_argument("--benchmark", metavar="B", help="needed where a model has runs on several")
    parser.add_argument("--k", type=whole_number, metavar="K", help="compare at this k; else the smallest n of both runs")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from engine.summary import cover
    from store.reader import Study

    with Study(arguments.db) as study:
        study.require_verifier(arguments.verifier)
        board, base, other = _chosen(study, arguments)
    sets = cover(board, base, other, arguments.k)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(board, base, other, sets), indent=1) + "\n")
    else:
        sys.stdout.write(visible(_text(board, base, other, sets)))
    return 0


def _chosen(study: Study, arguments: argparse.Namespace) -> tuple[Board, RunRow, RunRow]:
    from engine.board import read_board

    base = study.find_run(arguments.base, arguments.benchmark)
    other = study.find_run(arguments.other, base.benchmark)
    return read_board(study, base.benchmark, arguments.verifier), base, other


def _document(board: Board, base: RunRow, other: RunRow, sets: Coverage) -> dict[str, Any]:
    return {
        "schema": 1,
        "benchmark": board.benchmark,
        "base": base.slug,
        "other": other.slug,
        "k": sets.k,
        "verifier": board.verifier,
        "both": list(sets.both),
        "base_only": list(sets.base_only),
        "other_only": list(sets.other_only),
        "neither": list(sets.neither),
        "expected": dict(zip(("both", "base_only", "other_only", "neither"), sets.expected, strict=True)),
        "mcnemar_p": sets.mcnemar_p,
        "srr": sets.srr,
        "ndr": sets.ndr,
        "sds": sets.sds,
        "nscr": sets.nscr,
        "evidence": None,
    }


def _text(board: Board, base: RunRow, other: RunRow, sets: Coverage) -> str:
    lines = [f"{board.benchmark} · verifier {board.verifier} · k {sets.k}", f"base   {base.slug}", f"other  {other.slug}"]
    named = {"both": sets.both, "base only": sets.base_only, "other only": sets.other_only, "neither": sets.neither}
    lines += [f"{name:<10} {len(keys):>5}  {' '.join(keys)}".rstrip() for name, keys in named.items()]
    ratios = {"SRR": sets.srr, "NDR": sets.ndr, "SDS": sets.sds, "NSCR": sets.nscr}
    lines.append(f"McNemar exact p {sets.mcnemar_p:.3g}  " + "  ".join(f"{k} {_ratio(v)}" for k, v in ratios.items()))
    return "\n".join(lines) + "\n"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
