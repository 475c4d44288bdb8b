"""Which runs a part of `basebound audit` is about."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
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


def benchmarks(study: Study, asked: str | None) -> list[str]:
    """The one asked for, else all. Raises NotFound for a study without any."""
    names = [study.benchmark(asked)] if asked else study.benchmarks()
    if not names:
        raise NotFound(f"{study.path} has no runs yet; `basebound import {study.path} FILE...` brings some")
    return names


def pair(study: Study, board: Board, arguments: argparse.Namespace) -> tuple[RunRow, RunRow]:
    """The runs asked for, else the base model's and what is best held against it.

    Raises NotFound for a benchmark of one run, for a run and itself, and where neither a role nor anybody tells the base.
    """
    from engine.board import opposite_run, reference_run

    named = study.find_run(arguments.base, board.benchmark) if arguments.base else None
    other = study.find_run(arguments.other, board.benchmark) if arguments.other else None
    if len(board.runs) < 2:
        raise NotFound(f"{board.benchmark} has one run alone: nothing to compare; `basebound import` brings another")
    base = named or reference_run(board.runs, other)
    if base is not None and base == other and named is None:
        base = opposite_run(board.runs, base)  # the base model's run was named as the other one: hold it against its opposite
    if base is None:
        slugs = ", ".join(run.slug for run in board.runs)
        raise NotFound(f"no role tells the base among the runs of {board.benchmark}: name two with --base and --other: {slugs}")
    other = other or opposite_run(board.runs, base)
    if other is None or other.run_id == base.run_id:
        raise NotFound(f"{base.slug} cannot be compared with itself; name another run with --other")
    return base, other


def some_runs(study: Study, board: Board, arguments: argparse.Namespace) -> Sequence[RunRow]:
    """For what needs no comparison: the pair where there is one, else the run that was named, else all runs of the board."""
    try:
        return pair(study, board, arguments)
    except NotFound:
        found = [study.find_run(name, board.benchmark) for name in (arguments.base, arguments.other) if name]
        return list(dict.fromkeys(found)) or board.runs
