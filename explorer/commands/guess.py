"""basebound guess: what guessing alone would score, pass@k with that taken off, and right answers no better than guesses.

How likely a guess is right is known in one of two ways: from a run that was asked for the answer directly, without a chain of
thought (--direct RUN), or from the spread of a run's own wrong answers: two of them agree as often as one guess meets another.
Neither is known exactly: "at most" is guessing alone at each problem's upper bound, which few answers leave high.
With direct answers, problems they solve sometimes but less than one time in twenty are guessable and can be left out.
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
from explorer.commands.narration import Narrator
from explorer.commands.tables import UNKNOWN_MARK, how_drawn, percent, table
from explorer.render.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from engine.analyses.guess import Chance
    from engine.answers import Classes
    from engine.board import Board
    from store.rows import Count, ProblemRow, RunRow

EXAMPLE = "guess {db} --k 2"
_MOST_Q: Final = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--direct", metavar="RUN", help="a run of direct answers; else the spread of each run's wrong answers")
    parser.add_argument("--k", type=whole_number, metavar="K", help="else each run's smallest n")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


@dataclass(frozen=True, slots=True)
class _Guess:
    """One run's figures, over the problems whose chance to be guessed is known; None is unknown."""

    run: RunRow
    problems: int
    judged: int
    k: int
    pass_at_k: float | None
    guessing: float | None
    """pass@k of guessing alone."""
    at_most: float | None
    """The same at each problem's one-sided 95 % upper bound."""
    adjusted: float | None
    """pass@k with guessing taken off."""
    no_more: tuple[str, ...]
    """Keys of solved problems whose right answers are no more than guessing gives: those it gets where it solves the problem at
    all, which the problem was chosen for (q > 0.05 over the solved problems)."""
    kept: int | None
    """Problems that direct answers do not call guessable; None without direct answers."""
    pass_kept: float | None


def run(arguments: argparse.Namespace) -> int:
    from engine.answers import answer_classes
    from explorer.commands.passk import bases_of, read_boards
    from store.reader import Study

    found: list[tuple[Board, list[_Guess]]] = []
    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
        directs = bases_of(study, arguments.direct, [board.benchmark for board in boards]) if arguments.direct else {}
        for board in boards:
            direct = directs.get(board.benchmark)
            classes = {} if direct else answer_classes(study, board.benchmark, arguments.verifier)
            runs = [one for one in board.runs if board.counts(one) and one != direct]
            found.append((board, [_guess(board, one, direct, classes, arguments.k) for one in runs]))
    if arguments.json:
        document = {"schema": 1, "direct": arguments.direct, "benchmarks": [_document(*one) for one in found]}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        _tell_unknown(found, Narrator(arguments.quiet))
        sys.stdout.write("\n".join(_text(board, rows, arguments.direct) for board, rows in found))
    return 0


def _guess(board: Board, run: RunRow, direct: RunRow | None, classes: Classes, k: int | None) -> _Guess:
    from engine.analyses.guess import guess_adjusted_pass_at_k, pass_by_guessing
    from engine.analyses.passk import pass_at_k

    judged = [problem for problem in board.problems if run in board.runs and _cell(board, run, problem) is not None]
    chances = {problem: _chance(board, run, direct, problem, classes) for problem in judged}
    known = [problem for problem in judged if chances[problem] is not None]
    cells = [board.cells[run.run_id, problem.problem_id] for problem in known]
    n, c = [x.n for x in cells], [x.correct for x in cells]
    told = [chance for chance in chances.values() if chance is not None]
    g = [chance.value for chance in told]
    k = k or min((count.n for count in board.counts(run)), default=1)
    kept = None if direct is None else _kept(board, direct, known)
    values = pass_at_k(n, c, k).tolist() if known else []
    of_kept = [value for value, problem in zip(values, known, strict=True) if kept is not None and problem in kept]
    return _Guess(
        run=run,
        problems=len(known),
        judged=len(judged),
        k=k,
        pass_at_k=_mean(values),
        guessing=_mean(pass_by_guessing(g, k, [chance.told for chance in told])),
        at_most=_mean(pass_by_guessing([chance.high for chance in told], k)),
        adjusted=_mean(guess_adjusted_pass_at_k(n, c, g, k)) if known else None,
        no_more=_no_more(known, n, c, told),
        kept=None if kept is None else len(kept),
        pass_kept=_mean(of_kept),
    )


def _cell(board: Board, run: RunRow, problem: ProblemRow) -> Count | None:
    found = board.cells.get((run.run_id, problem.problem_id))
    return found if found is not None and found.n > 0 else None


def _chance(board: Board, run: RunRow, direct: RunRow | None, problem: ProblemRow, classes: Classes) -> Chance | None:
    """The chance that a guess is right; None where nothing tells."""
    from engine.analyses.guess import chance_of_direct
    from engine.answers import guess_chance

    if direct is not None:
        asked = _cell(board, direct, problem)
        return None if asked is None else chance_of_direct(asked.n, asked.correct)
    answers, cell = classes.get((run.run_id, problem.problem_id)), _cell(board, run, problem)
    # Traces that are a part of what was counted may have been chosen by their answers.
    if answers is None or cell is None or answers.n != cell.n:
        return None
    return (
        guess_chance(answers) if len(answers.wrong) > 1 else None
    )  # one wrong answer, over and over, tells nothing of a right one


def _kept(board: Board, direct: RunRow, problems: Sequence[ProblemRow]) -> set[ProblemRow]:
    from engine.analyses.guess import Guessable, guessable

    cells = [board.cells[direct.run_id, problem.problem_id] for problem in problems]
    found = guessable([cell.n for cell in cells], [cell.correct for cell in cells])
    return {problem for problem, one in zip(problems, found, strict=True) if one is not Guessable.GUESSABLE}


def _no_more(problems: Sequence[ProblemRow], n: list[int], c: list[int], told: Sequence[Chance]) -> tuple[str, ...]:
    from engine.analyses.guess import against_guessing
    from engine.analyses.many import adjusted

    above, _ = against_guessing(n, c, [chance.value for chance in told], [chance.told for chance in told])
    return tuple(one.key for one, value in zip(problems, adjusted(above).tolist(), strict=True) if value > _MOST_Q)


def _mean(values: Iterable[float]) -> float | None:
    listed = [float(value) for value in values]
    mean = sum(listed) / len(listed) if listed else float("nan")
    return None if isnan(mean) else mean


def _document(board: Board, rows: list[_Guess]) -> dict[str, Any]:
    runs = [
        {
            "run": row.run.slug,
            "problems": row.problems,
            "judged": row.judged,
            "k": row.k,
            "pass_at_k": row.pass_at_k,
            "guessing_alone": row.guessing,
            "guessing_alone_at_most": row.at_most,
            "guess_adjusted": row.adjusted,
            "not_clearly_more_than_guessing": list(row.no_more),
            "not_guessable": row.kept,
            "pass_at_k_of_those": row.pass_kept,
        }
        for row in rows
    ]
    return {"benchmark": board.benchmark, "verifier": board.verifier, "runs": runs}


def _tell_unknown(found: list[tuple[Board, list[_Guess]]], narrator: Narrator) -> None:
    for board, rows in found:
        for row in rows:
            if row.problems < row.judged:
                missing = row.judged - row.problems
                narrator.say(
                    f"{board.benchmark}: {row.run.slug}: how {missing} of {row.judged} problems are guessed is not known"
                )


def _text(board: Board, rows: list[_Guess], direct: str | None) -> str:
    how = f"direct answers of {direct}" if direct else "agreement of wrong answers"
    title = f"{board.benchmark} · verifier {board.verifier} · chance to guess from the {how} · in %"
    header = [
        "run",
        "problems",
        "k",
        "pass@k",
        "guessing alone",
        "at most",
        "adjusted",
        "solved, not clearly more",
    ]
    header += ["not guessable", "pass@k of those"] if direct else []
    lines = [f"{row.run.slug} not clearly more than guessing: {' '.join(row.no_more)}" for row in rows if row.no_more]
    return (
        visible(title + "\n")
        + how_drawn([row.run for row in rows])
        + table(header, [_row(row, direct) for row in rows])
        + visible("".join(f"{x}\n" for x in lines))
    )


def _row(row: _Guess, direct: str | None) -> list[str]:
    figures = [percent(value) for value in (row.pass_at_k, row.guessing, row.at_most, row.adjusted)]
    cells = [row.run.slug, str(row.problems), str(row.k), *figures, str(len(row.no_more)) if row.problems else UNKNOWN_MARK]
    return cells + ([UNKNOWN_MARK if row.kept is None else str(row.kept), percent(row.pass_kept)] if direct else [])
