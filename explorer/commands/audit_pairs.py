"""Which two runs a part of `basebound audit` is about."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from explorer.commands.arguments import whole_number
from store.errors import NotFound

if TYPE_CHECKING:
    from engine.board import Board
    from store.reader import Study
    from store.rows import RunRow


def add_pair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", metavar="RUN", help="slug or model name; else what the roles tell")
    parser.add_argument("--other", metavar="RUN", help="the run to hold against it")
    parser.add_argument("--k", type=whole_number, metavar="K", help="compare at this k; else the smallest n of both runs")


def pair(study: Study, board: Board, arguments: argparse.Namespace) -> tuple[RunRow, RunRow] | None:
    """The runs asked for, else the base model's and what is best held against it. None for a benchmark of one run."""
    from engine.board import opposite_run, reference_run

    base = study.find_run(arguments.base, board.benchmark) if arguments.base else reference_run(board.runs)
    base = base or board.runs[0]
    other = study.find_run(arguments.other, board.benchmark) if arguments.other else opposite_run(board.runs, base)
    if other is not None and other.run_id == base.run_id:
        raise NotFound(f"{base.slug} cannot be compared with itself; name another run with --other")
    return None if other is None else (base, other)
