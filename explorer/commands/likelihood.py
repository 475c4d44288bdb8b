"""basebound likelihood: was it already in the base model? What two runs' responses are worth under both models.

Perplexity at temperature 1; percentiles among base's own; whether the nucleus lets base draw a trace at all, with base's own
responses as the null; how much of base's chance on a problem the other model's right answers make up; and where the models
part. `basebound score` measures; this adds up. Several pairs have a row each; one pair is told in full, as is one problem with
--problem, and with --trace one response step by step and token by token.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.commands.narration import Narrator

if TYPE_CHECKING:
    from engine.board import Board
    from engine.likelihoods import PairLikelihoods, StepLikelihood
    from engine.partings import PairPartings
    from store.reader import Study
    from store.rows import ProblemRow, RunRow

EXAMPLE = "likelihood {db} --all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--base", metavar="RUN", help="hold the other runs against this one; else the roles tell")
    parser.add_argument(
        "--other", metavar="RUN", help="this run only, in full; else each that has a base. With --trace: hold its model against"
    )
    parser.add_argument("--all", action="store_true", help="every pair in full, and recovery of all problems")
    parser.add_argument("--problem", metavar="KEY", help="one problem in full, with each of its right traces")
    parser.add_argument(
        "--trace",
        metavar="LINK",
        help="one response token by token, as `list` and the Reader name it: run/benchmark:problem/sample",
    )
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from store.reader import Study

    with Study(arguments.db) as study:
        if arguments.trace:
            from explorer.commands.likelihood_trace import show_trace

            narrator = Narrator(arguments.quiet)
            return show_trace(study, arguments.trace, narrator, other=arguments.other, as_json=arguments.json)
        return _show(study, arguments)


def _show(study: Study, arguments: argparse.Namespace) -> int:
    from engine.likelihoods import over_steps, read_pair
    from explorer.commands.likelihood_document import document
    from explorer.commands.likelihood_partings import document as parted
    from explorer.commands.likelihood_partings import found_for
    from explorer.commands.passk import read_boards

    narrator = Narrator(arguments.quiet)
    boards = read_boards(study, arguments.benchmark)
    chosen = {board.benchmark: _pairs(study, board, arguments, len(boards)) for board in boards}
    problems = _problems(boards, arguments.problem)
    documents, texts = [], []
    for board in boards:
        problem = problems.get(board.benchmark)
        if arguments.problem and problem is None:
            continue
        pairs = [read_pair(study, board, base, other) for base, other in chosen[board.benchmark]]
        if not pairs:
            narrator.say(f"{board.benchmark}: no pairs; name two runs with --base and --other, or roles with import --role")
        found = [found_for(study, board, pair.base, pair.other, problem) for pair in pairs]
        bases = {pair.base.run_id: pair.base for pair in pairs} if problem is None else {}
        steps = [steps for base in bases.values() if len(steps := over_steps(study, board, base)) > 1]
        if arguments.json:
            told = [parted(study, one, pair.base, pair.other) for pair, one in zip(pairs, found, strict=True)]
            documents.append(document(board, pairs, told, steps))
        else:
            texts += _texts(study, board, list(zip(pairs, found, strict=True)), problem, every=arguments.all)
            texts += _steps(steps)
    if arguments.json:
        sys.stdout.write(json.dumps({"schema": 1, "benchmarks": documents}, indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write("\n".join(texts))
    return 0


def _texts(
    study: Study,
    board: Board,
    found: list[tuple[PairLikelihoods, PairPartings]],
    problem: ProblemRow | None,
    *,
    every: bool,
) -> list[str]:
    """One problem of each pair; a summary of several pairs; one pair in full, or all of them."""
    from explorer.commands.likelihood_partings import left_paths
    from explorer.commands.likelihood_problem import problem_text
    from explorer.commands.likelihood_summary import summary
    from explorer.commands.likelihood_tables import missing, text

    if problem is not None:
        return [problem_text(study, board, pair, problem, parted) for pair, parted in found]
    pairs = [pair for pair, _ in found]
    first = [summary(board, pairs, [parted for _, parted in found], study.path, every=every)] if len(pairs) > 1 else []
    if len(pairs) > 1 and not every:
        return first
    for pair, parted in found:
        paths, lines = left_paths(study, parted, pair.base, pair.other), missing(pair, study.path)
        first.append(text(board, pair, every=every) + "\n" + paths + (lines and "\n" + lines))
    return first


def _steps(found: list[list[StepLikelihood]]) -> list[str]:
    from explorer.commands.likelihood_summary import steps_text

    return [steps_text(steps) for steps in found]


def _problems(boards: list[Board], key: str | None) -> dict[str, ProblemRow]:
    """By benchmark, the problem of that key. Raises NotFound where no benchmark asked for has one."""
    found = {board.benchmark: one for board in boards for one in board.problems if one.key == key}
    if key is not None and not found:
        from store.errors import NotFound

        raise NotFound(f"there is no problem '{key}' in {', '.join(board.benchmark for board in boards)}")
    return found


def _pairs(study: Study, board: Board, arguments: argparse.Namespace, boards: int) -> list[tuple[RunRow, RunRow]]:
    """As `passk` pairs runs; one of them alone with --other. Raises NotFound for a run that no benchmark asked for has."""
    from engine.board import compared_with
    from engine.summary import pairs_of

    base = _named(study, arguments.base, board, boards)
    other = _named(study, arguments.other, board, boards)
    if (arguments.base and base is None) or (arguments.other and other is None):
        return []
    if other is None:
        return pairs_of(board, base)
    against = base or compared_with(board.runs, other)
    if against is None or against.run_id == other.run_id:
        from store.errors import NotFound

        raise NotFound(f"{other.slug} is held against itself; name another run with --base")
    return [(against, other)]


def _named(study: Study, name: str | None, board: Board, boards: int) -> RunRow | None:
    """The run of that name on the board; None where nobody named one, or where this benchmark of several has none."""
    from store.errors import NotFound

    if name is None:
        return None
    try:
        return study.find_run(name, board.benchmark)
    except NotFound:
        if boards == 1:
            raise
        study.find_run(name)  # it must be somewhere
        return None
