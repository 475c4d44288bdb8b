"""basebound beyond: what more samples than were drawn would solve, by two fits, and the next doubling without any.

Extrapolation: at each k the least and the largest pass@k of all fits that describe the counts nearly as well as the best one,
of a beta-binomial and its twin with a share of problems never solved. They are of the population that the problems stand for,
and the truth may lie outside where it is like neither. "solved by as many again" is one estimate and its standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.arguments import whole_numbers
from explorer.commands.tables import UNKNOWN_MARK, how_drawn, percent, span, table
from explorer.render.text import visible

if TYPE_CHECKING:
    from engine.analyses.beyond import Envelope
    from engine.board import Board
    from store.rows import RunRow

EXAMPLE = "beyond {db} --k 4,8"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument(
        "--k", type=whole_numbers, metavar="K,...", help="at these k; else at n, 2n, 4n and 16n of the smallest n"
    )
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


@dataclass(frozen=True, slots=True)
class _Beyond:
    run: RunRow
    problems: int
    n: int
    """Smallest of the problems'."""
    reached: float
    """Unbiased pass@n."""
    unsolved: int
    envelope: Envelope
    newly: float | None
    """Of the unsolved, how many as many samples again would solve; None where n is too small to tell."""
    error: float | None


def run(arguments: argparse.Namespace) -> int:
    from explorer.commands.passk import read_boards
    from store.reader import Study

    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
    found = [[_beyond(board, one, arguments.k) for one in board.runs if board.counts(one)] for board in boards]
    if arguments.json:
        documents = [_document(board, rows) for board, rows in zip(boards, found, strict=True)]
        sys.stdout.write(json.dumps({"schema": 1, "benchmarks": documents}, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(_text(board, rows) for board, rows in zip(boards, found, strict=True)))
    return 0


def _beyond(board: Board, run: RunRow, ks: list[int] | None) -> _Beyond:
    from engine.analyses.beyond import efron_thisted, envelope
    from engine.analyses.passk import mean_pass_at_k

    counts = board.counts(run)
    n, c = [count.n for count in counts], [count.correct for count in counts]
    least = min(n)
    newly, error = efron_thisted(n, c)
    return _Beyond(
        run=run,
        problems=len(counts),
        n=least,
        reached=float(mean_pass_at_k(n, c, [least])[0]),
        unsolved=c.count(0),
        envelope=envelope(n, c, ks or [least, 2 * least, 4 * least, 16 * least]),
        newly=None if isnan(newly) else newly,
        error=None if isnan(error) else error,
    )


def _document(board: Board, rows: list[_Beyond]) -> dict[str, Any]:
    runs = [
        {
            "run": row.run.slug,
            "problems": row.problems,
            "n_min": row.n,
            "pass_at_n": row.reached,
            "k": list(row.envelope.ks),
            "low": row.envelope.low.tolist(),
            "high": row.envelope.high.tolist(),
            "beta_binomial": row.envelope.beta.tolist(),
            "zero_inflated": row.envelope.zero_inflated.tolist(),
            "unsolved": row.unsolved,
            "solved_by_as_many_again": row.newly,
            "standard_error": row.error,
        }
        for row in rows
    ]
    return {"benchmark": board.benchmark, "verifier": board.verifier, "runs": runs}


def _text(board: Board, rows: list[_Beyond]) -> str:
    fits = "beta-binomial and with a share never solved, all within 1.92 log likelihood of the best"
    title = f"{board.benchmark} · verifier {board.verifier} · pass@k in % from fits: {fits}"
    ks = sorted({k for row in rows for k in row.envelope.ks})
    header = ["run", "problems", "n", "pass@n", *(f"@{k}" for k in ks), "unsolved", "solved by as many again ± one s.e."]
    drawn = how_drawn([row.run for row in rows])
    return visible(title + "\n") + drawn + table(header, [_row(row, ks) for row in rows])


def _row(row: _Beyond, ks: list[int]) -> list[str]:
    ends = zip(row.envelope.ks, row.envelope.low, row.envelope.high, strict=True)
    shown = {k: span(low, high) for k, low, high in ends}
    again = UNKNOWN_MARK if row.newly is None else f"{row.newly:.1f} ± {row.error:.1f}"
    figures = [str(row.n), percent(row.reached), *(shown.get(k, "") for k in ks), str(row.unsolved), again]
    return [row.run.slug, str(row.problems), *figures]
