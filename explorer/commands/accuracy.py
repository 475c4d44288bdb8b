"""basebound accuracy: how the problems' accuracies are spread, and pass@k's stricter relatives, for every run.

The histogram has the twelve bins of the paper: never and always stand apart. Cover@tau is the share of problems solved at least
that often; G-Pass@k at tau asks for tau * k of k samples, maj@k for the most common answer of k. All over the run's own judged
problems; a value that some problem's n does not reach, or that needs answers which nobody recorded, is unknown.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from explorer.commands.arguments import whole_number
from explorer.commands.tables import how_drawn, percent, table
from explorer.render.text import visible
from explorer.render.words import span_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.answers import Classes
    from engine.board import Board
    from store.rows import RunRow

EXAMPLE = "accuracy {db} --k 2"
TAUS: Final = (0.25, 0.5, 0.75, 1.0)
_USUAL_K: Final = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument(
        "--k", type=whole_number, metavar="K", help=f"of G-Pass@k and maj@k; else {_USUAL_K}, or the smallest n"
    )
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


@dataclass(frozen=True, slots=True)
class _Accuracy:
    """One run's figures; None is unknown."""

    run: RunRow
    problems: int
    n: str
    """One number, or the smallest and the largest."""
    k: int
    histogram: tuple[int, ...]
    cover: tuple[float, ...]
    """Cover@tau at each of TAUS."""
    g_pass: tuple[float | None, ...]
    """G-Pass@k at each of TAUS."""
    majority: float | None


def run(arguments: argparse.Namespace) -> int:
    from engine.answers import answer_classes
    from explorer.commands.passk import read_boards
    from store.reader import Study

    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
        found = []
        for board in boards:
            classes = answer_classes(study, board.benchmark, arguments.verifier)
            judged = [one for one in board.runs if board.counts(one)]
            found.append([_accuracy(board, one, classes, arguments.k) for one in judged])
    if arguments.json:
        documents = [_document(board, rows) for board, rows in zip(boards, found, strict=True)]
        sys.stdout.write(json.dumps({"schema": 1, "benchmarks": documents}, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(_text(board, rows) for board, rows in zip(boards, found, strict=True)))
    return 0


def _accuracy(board: Board, run: RunRow, classes: Classes, k: int | None) -> _Accuracy:
    from engine.analyses.accuracy import cover_at_tau, g_pass_at_k, histogram
    from engine.answers import mean_majority_at_k

    counts = board.counts(run)
    n, c = [count.n for count in counts], [count.correct for count in counts]
    k = k or min(_USUAL_K, *n)
    values = [float(g_pass_at_k(n, c, k, tau).mean()) for tau in TAUS]
    answers = [classes.get((run.run_id, count.problem_id)) for count in counts]
    # Counts that were published without traces, or with a part of them, have answers that nobody knows.
    whole = [one for one, count in zip(answers, counts, strict=True) if one is not None and one.n == count.n]
    return _Accuracy(
        run=run,
        problems=len(counts),
        n=span_of(n),
        k=k,
        histogram=tuple(histogram(n, c).tolist()),
        cover=tuple(cover_at_tau(n, c, TAUS).tolist()),
        g_pass=tuple(None if isnan(value) else value for value in values),
        majority=mean_majority_at_k(whole, k) if len(whole) == len(counts) else None,
    )


def _document(board: Board, rows: Sequence[_Accuracy]) -> dict[str, Any]:
    from engine.analyses.accuracy import BINS

    return {
        "benchmark": board.benchmark,
        "verifier": board.verifier,
        "bins": list(BINS),
        "tau": list(TAUS),
        "runs": [
            {
                "run": row.run.slug,
                "problems": row.problems,
                "histogram": list(row.histogram),
                "cover_at_tau": list(row.cover),
                "k": row.k,
                "g_pass_at_k": list(row.g_pass),
                "maj_at_k": row.majority,
            }
            for row in rows
        ],
    }


def _text(board: Board, rows: Sequence[_Accuracy]) -> str:
    from engine.analyses.accuracy import BINS

    title = f"{board.benchmark} · verifier {board.verifier} · problems by accuracy c/n\n"
    drawn = how_drawn([row.run for row in rows])
    counts = [[row.run.slug, str(row.problems), row.n, *map(str, row.histogram)] for row in rows]
    bins = table(["run", "problems", "n", *BINS], counts)
    taus = [f"{tau:g}" for tau in TAUS]
    header = ["run", "k", *(f"Cover@{tau}" for tau in taus), *(f"G-Pass@k {tau}" for tau in taus), "maj@k"]
    rates = [[row.run.slug, str(row.k), *map(percent, (*row.cover, *row.g_pass, row.majority))] for row in rows]
    return visible(title) + drawn + bins + "in %\n" + table(header, rates)
