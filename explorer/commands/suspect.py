"""basebound suspect: right answers that may be luck, the most suspicious first, each reason with its place.

From the text alone: false equalities, rewrites that change an equation, answers that nothing derives, declared guesses and the
like. A reason is grounds for reading the trace, never a verdict. Without --problem or --all: the right answers to problems that
one run of a pair alone solves, which is where one lucky chain changes the conclusion.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.arguments import whole_number
from explorer.commands.narration import Meter, Narrator
from explorer.render.text import visible
from explorer.render.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.board import Board
    from engine.suspecting import Suspected
    from store.names import Link
    from store.reader import Study

EXAMPLE = "suspect {db} --all --limit 5"
_LINES = 6
"""Reasons shown of one trace; JSON has them all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--run", metavar="RUN", help="this run's answers only")
    parser.add_argument("--problem", metavar="KEY", help="the right answers to this problem")
    parser.add_argument("--all", action="store_true", help="to all problems; else to those that one run alone solves")
    parser.add_argument("--limit", type=whole_number, default=20, metavar="N", help="how many to show (20)")
    parser.add_argument("--verifier", metavar="V", help="right by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from explorer.commands.passk import read_boards
    from store.reader import Study

    narrator = Narrator(arguments.quiet)
    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
        wanted = _wanted(study, boards, arguments, narrator)
        found = list(_suspected(study, wanted, arguments, narrator))
    found.sort(key=lambda one: -one[1].score)
    with_reasons = sum(bool(one.reasons) for _, one in found)
    read = f"{counted(len(found), 'right answer')} to {counted(len(wanted), 'problem')}"
    narrator.say(f"{read} read, {with_reasons:,} with a reason" if found else f"no trace of {read} is stored: counts alone")
    shown = [pair for pair in found if pair[1].reasons][: arguments.limit]
    if arguments.json:
        verifiers = {board.benchmark: board.verifier for board in boards}
        document: dict[str, Any] = {"schema": 1, "verifiers": verifiers, "read": len(found), "with_reasons": with_reasons}
        document["traces"] = [_document(*one) for one in shown]
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        sys.stdout.write(visible("".join(_text(*one) for one in shown)))
        if len(shown) < with_reasons:
            narrator.say(f"{with_reasons - len(shown):,} more; --limit shows more")
    return 0


def _wanted(study: Study, boards: list[Board], arguments: argparse.Namespace, narrator: Narrator) -> list[tuple[Board, str]]:
    """The problems to read, told where nobody chose them."""
    if arguments.problem is not None:
        return _one(study, boards, arguments.problem)
    alone = [] if arguments.all else _many(boards, everything=False)
    if alone or arguments.all:
        if alone:
            narrator.say("of problems that one run of a pair alone solves; --all reads all, --problem KEY one")
        return alone or _many(boards, everything=True)
    narrator.say("no problem is solved by one run of a pair alone, so all are read")
    return _many(boards, everything=True)


def _one(study: Study, boards: list[Board], key: str) -> list[tuple[Board, str]]:
    """The problem of that key, on each benchmark that has it. Raises NotFound where none has."""
    found = [(board, key) for board in boards if any(problem.key == key for problem in board.problems)]
    return found or [(boards[0], study.problem(boards[0].benchmark, key).key)]


def _many(boards: list[Board], *, everything: bool) -> list[tuple[Board, str]]:
    """All problems, or those that one run of a pair alone solves."""
    if everything:
        return [(board, problem.key) for board in boards for problem in board.problems]
    return [(board, key) for board in boards for key in _solved_by_one(board)]


def _solved_by_one(board: Board) -> list[str]:
    from engine.summary import cover, pairs_of

    keys: dict[str, None] = {}
    for base, other in pairs_of(board):
        if board.common_k(base, other) is not None:
            sets = cover(board, base, other)
            keys |= dict.fromkeys((*sets.base_only, *sets.other_only))
    return list(keys)


def _suspected(
    study: Study, wanted: list[tuple[Board, str]], arguments: argparse.Namespace, narrator: Narrator
) -> Iterator[tuple[Link, Suspected]]:
    from engine.suspecting import suspect_problem
    from store.names import Link

    run_id = study.find_run(arguments.run, arguments.benchmark).run_id if arguments.run else None
    slugs = {run.run_id: run.slug for board, _ in wanted for run in board.runs}
    meter = Meter(narrator, "reading", "problems")
    for done, (board, key) in enumerate(wanted, start=1):
        problem = study.problem(board.benchmark, key)
        for one in suspect_problem(study, problem.problem_id, run_id, verifier=arguments.verifier):
            yield Link(slugs[one.run_id], board.benchmark, key, one.index), one
        meter.show(done, len(wanted))


def _document(link: Link, one: Suspected) -> dict[str, Any]:
    return {"link": str(link), "score": one.score, "reasons": [asdict(reason) for reason in one.reasons]}


def _text(link: Link, one: Suspected) -> str:
    lines = [f"{one.score:.2f}  {link}"]
    lines += [
        f"      {r.kind}{' (taken back)' if r.retracted else ''} at {r.start:,}: {r.detail}" for r in one.reasons[:_LINES]
    ]
    if len(one.reasons) > _LINES:
        lines.append(f"      and {len(one.reasons) - _LINES} more")
    return "\n".join(lines) + "\n"
