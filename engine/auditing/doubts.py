"""Wrong answers that there is reason to think right: one of them among a run's failures unmakes "the other only".

Another verifier, the file's own score or another rule of reading calls it right; or, in a run that never solves a problem
which the other run solves, its text holds the reference in another box or at its end (engine/disagreements.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.board import Board
from engine.disagreements import TEXT, Disagreement, contradicted, unread
from store.reader import Study
from store.rows import RunRow
from store.types import Outcome

SURE = 1.0
VAGUE = 0.5
"""Text that holds the reference beside another answer says less than a verdict or a box."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the verdict on one sample may be wrong."""

    sample_id: int
    run_id: int
    problem_id: int
    index: int
    right: bool
    """The deciding verdict calls it right."""
    why: str
    strength: float
    """1 or 0.5: what sorts doubts, no probability."""


def doubts(study: Study, board: Board, base: RunRow, other: RunRow, verifier: str | None = None) -> dict[int, Doubt]:
    """By sample id, of two runs: the strongest for each sample."""
    runs = {base.run_id, other.run_id}
    found = [one for one in contradicted(study, board, verifier) if one.run.run_id in runs]
    found += unread(study, board, set(_failing_alone(board, base, other)), verifier)
    kept: dict[int, Doubt] = {}
    for one in sorted(map(_doubt, _opposed(found)), key=lambda doubt: -doubt.strength):
        kept.setdefault(one.sample_id, one)
    return kept


def _failing_alone(board: Board, base: RunRow, other: RunRow) -> Iterable[tuple[int, int]]:
    for problem in board.judged(base, other):
        rights = {run.run_id: board.cells[run.run_id, problem.problem_id].correct for run in (base, other)}
        if any(rights.values()):
            yield from ((run_id, problem.problem_id) for run_id, right in rights.items() if not right)


def _opposed(found: Iterable[Disagreement]) -> Iterable[Disagreement]:
    """Those where one says right and the other does not; what ERROR keeps out of n cannot be labelled into it."""
    for one in found:
        said = one.ours.outcome, one.theirs.outcome
        if Outcome.ERROR not in said and (said[0] is Outcome.CORRECT) != (said[1] is Outcome.CORRECT):
            yield one


def _doubt(one: Disagreement) -> Doubt:
    vague = one.theirs.by == TEXT and one.ours.answer is not None
    return Doubt(
        one.sample_id,
        one.run.run_id,
        one.problem_id,
        one.index,
        one.ours.outcome is Outcome.CORRECT,
        f"{one.ours.by}: {one.ours.outcome.replace('_', ' ')}, {one.theirs.by}: {one.theirs.outcome.replace('_', ' ')}",
        VAGUE if vague else SURE,
    )
