"""Where verdicts on one sample differ, and what that could change.

Three kinds of doubt, each about one sample:

- another verifier, or the file's own score, calls right what the deciding one does not, or the reverse;
- another rule (first box, last box) would have read an answer with another outcome;
- a response judged wrong holds the reference in another box, or ends with it, while it is its model's failure that makes the
  other model solve the problem alone. One such false negative unmakes a "base only".

Those of runs that fail where the other solves alone come first, then those that would change whether a run solves a problem
at all, were the other verdict right in every sample of that run and problem.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final

from engine.board import Board, compared_with, read_board
from engine.verifiers.boxed import filled
from engine.verifiers.equality import cheap_equal
from engine.verifiers.finding import LONGEST_ANSWER
from store.reader import DECIDING, IN_DOUBT, Study
from store.rows import RunRow
from store.types import Outcome

TEXT: Final = "text"
"""By whom a reference is found that stands in no box."""
BOX: Final = "another box"
TAIL_CHARS: Final = 200
"""Of a response: where an answer that was never boxed would stand."""

_VERDICTS: Final = f"""
SELECT sample.sample_id, run_id, problem_id, idx, deciding.name, ours.outcome, ours.route, ours.answer,
       other.name, theirs.outcome, theirs.route, theirs.answer
FROM problem JOIN sample USING (problem_id) {DECIDING}
     JOIN verdict theirs ON theirs.sample_id = sample.sample_id
     JOIN verifier other ON other.verifier_id = theirs.verifier_id AND other.name <> deciding.name
WHERE problem.benchmark = :benchmark
  AND ((ours.outcome = 'correct') <> (theirs.outcome = 'correct') OR (ours.outcome = 'error') <> (theirs.outcome = 'error'))
"""

_READINGS: Final = f"""
SELECT sample.sample_id, run_id, problem_id, idx, deciding.name, ours.outcome, ours.route, ours.answer,
       reading.rule || ' box', reading.outcome, 'boxed', reading.answer
FROM problem JOIN sample USING (problem_id) {DECIDING}
     JOIN reading ON reading.sample_id = sample.sample_id AND reading.verifier_id = ours.verifier_id
WHERE problem.benchmark = :benchmark AND {IN_DOUBT}
"""

_WRONG: Final = """
SELECT sample_id, idx, outcome, route, answer, dictionary_id, response
FROM sample JOIN text USING (sample_id) JOIN verdict USING (sample_id) JOIN verifier USING (verifier_id)
WHERE problem_id = ? AND run_id = ? AND name = ? AND outcome IN ('incorrect', 'no_answer')
ORDER BY idx
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What one verifier, or one rule, says of a sample."""

    by: str
    outcome: Outcome
    route: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One sample, and two opinions on it."""

    sample_id: int
    run: RunRow
    problem_id: int
    key: str
    reference: str | None
    index: int
    ours: Said
    """The deciding verdict."""
    theirs: Said
    alone: bool = False
    """Ours is wrong or no answer, in a run that never solves the problem, which the run it is compared with does."""
    decides: bool = False
    """With theirs for ours in every sample of the run and problem, it would be solved where it is not, or the reverse."""

    @property
    def kind(self) -> str:
        """As a list groups them, e.g. "math: no answer, imported: correct"."""
        return f"{self.ours.by}: {_word(self.ours)}, {self.theirs.by}: {_word(self.theirs)}"


def disagreements(study: Study, benchmark: str, verifier: str | None = None) -> list[Disagreement]:
    """All of a benchmark, the most consequential first. verifier: whose verdicts decide; None for the deciding one."""
    board = read_board(study, benchmark, verifier)
    alone = set(_failing_alone(board))
    found = [*contradicted(study, board, verifier), *unread(study, board, alone, verifier)]
    deciding = _deciding(board, found)
    marked = (
        replace(
            one,
            alone=(one.run.run_id, one.problem_id) in alone and one.ours.outcome is not Outcome.CORRECT,
            decides=(one.run.run_id, one.problem_id, one.theirs.by) in deciding,
        )
        for one in found
    )
    places = {problem.problem_id: place for place, problem in enumerate(board.problems)}
    ranked = sorted(marked, key=lambda one: (*_rank(one), places[one.problem_id], one.run.run_id, one.index))
    # One of each run and problem before the second of any: a list that is cut still shows them all.
    met: Counter[tuple[object, ...]] = Counter()
    rounds = []
    for one in ranked:
        group = (*_rank(one), one.problem_id, one.run.run_id)
        rounds.append((_rank(one), met[group]))
        met[group] += 1
    return [ranked[at] for at in sorted(range(len(ranked)), key=lambda at: (*rounds[at], at))]


def _rank(one: Disagreement) -> tuple[bool, bool, bool]:
    """Text that holds the reference beside another answer says least."""
    return not one.alone, not one.decides, one.theirs.by == TEXT and one.ours.answer is not None


def kinds(found: Iterable[Disagreement]) -> list[tuple[str, int, int, int, int]]:
    """Kind, samples, problems, samples that decide, samples that fail alone; the most consequential kind first."""
    rows = []
    for kind, group in groupby(sorted(found, key=lambda one: one.kind), key=lambda one: one.kind):
        of = list(group)
        problems = len({one.problem_id for one in of})
        rows.append((kind, len(of), problems, sum(one.decides for one in of), sum(one.alone for one in of)))
    return sorted(rows, key=lambda row: (-row[4], -row[3], -row[1]))


def _word(said: Said) -> str:
    return str(said.outcome).replace("_", " ")


def contradicted(study: Study, board: Board, verifier: str | None) -> Iterator[Disagreement]:
    """Samples whose stored verdicts or readings do not agree with the deciding one."""
    runs = {run.run_id: run for run in board.runs}
    problems = {problem.problem_id: problem for problem in board.problems}
    values = {"benchmark": board.benchmark, "verifier": verifier}
    for query in (_VERDICTS, _READINGS):
        for sample_id, run_id, problem_id, idx, *said in study.query(query, values):
            problem = problems[problem_id]
            ours, theirs = _said(*said[:4]), _said(*said[4:])
            yield Disagreement(sample_id, runs[run_id], problem_id, problem.key, problem.reference, idx, ours, theirs)


def _said(by: str, outcome: str, route: str, answer: str | None) -> Said:
    return Said(by, Outcome(outcome), route, answer)


def _failing_alone(board: Board) -> Iterator[tuple[int, int]]:
    """Runs and problems: the run never solves it, and the run it is compared with does."""
    for run in board.runs:
        base = compared_with(board.runs, run)
        if base is None:
            continue
        for problem in board.judged(base, run):
            solved = [board.cells[one.run_id, problem.problem_id].correct > 0 for one in (base, run)]
            if solved == [True, False]:
                yield run.run_id, problem.problem_id
            elif solved == [False, True]:
                yield base.run_id, problem.problem_id


def unread(study: Study, board: Board, alone: set[tuple[int, int]], verifier: str | None) -> Iterator[Disagreement]:
    """Responses judged wrong that hold the reference elsewhere: in another box, or unboxed at the end."""
    runs = {run.run_id: run for run in board.runs}
    problems = {problem.problem_id: problem for problem in board.problems}
    for run_id, problem_id in sorted(alone):
        problem, by = problems[problem_id], verifier or board.cells[run_id, problem_id].verifier
        wanted = _pattern(problem.reference)
        if wanted is None or by is None:
            continue
        for sample_id, idx, outcome, route, answer, dictionary_id, packed in study.query(_WRONG, (problem_id, run_id, by)):
            theirs = _elsewhere(study.texts.unpack(dictionary_id, packed), problem.reference or "", wanted)
            if theirs is not None:
                ours = _said(by, outcome, route, answer)
                yield Disagreement(sample_id, runs[run_id], problem_id, problem.key, problem.reference, idx, ours, theirs)


def _elsewhere(response: str, reference: str, wanted: re.Pattern[str]) -> Said | None:
    """The reference in any box of a response, else in its last characters."""
    for box in {box.content: box for box in filled(response)}.values():
        if len(box.content) <= LONGEST_ANSWER and (equal := cheap_equal(reference, box.content)) and equal[0]:
            return Said(BOX, Outcome.CORRECT, "boxed", box.content)
    if wanted.search(response, max(0, len(response) - TAIL_CHARS)):
        return Said(TEXT, Outcome.CORRECT, f"last {TAIL_CHARS} characters", reference)
    return None


def _pattern(reference: str | None) -> re.Pattern[str] | None:
    """The reference by itself, not as a part of a longer number or word; None for one that any text holds by chance."""
    bare = "".join((reference or "").split())
    if len(bare) < 2:
        return None
    spaced = r"\s*".join(map(re.escape, bare))
    return re.compile(rf"(?<![\w.]){spaced}(?![\w]|[.,]\d)")


def _deciding(board: Board, found: Iterable[Disagreement]) -> set[tuple[int, int, str]]:
    """Run, problem and by whom: their verdicts together would change whether the run solves the problem."""
    change: Counter[tuple[int, int, str]] = Counter()
    for one in found:
        change[one.run.run_id, one.problem_id, one.theirs.by] += (one.theirs.outcome is Outcome.CORRECT) - (
            one.ours.outcome is Outcome.CORRECT
        )
    return {
        (run_id, problem_id, by)
        for (run_id, problem_id, by), more in change.items()
        if (board.cells[run_id, problem_id].correct > 0) != (board.cells[run_id, problem_id].correct + more > 0)
    }


def to_json(one: Disagreement) -> dict[str, Any]:
    """As `verify --compare --json` prints it; keys are only ever added."""
    return {
        "run": one.run.slug,
        "problem": one.key,
        "index": one.index,
        "reference": one.reference,
        "alone": one.alone,
        "decides": one.decides,
        **{
            side: {"by": said.by, "outcome": said.outcome, "route": said.route, "answer": said.answer}
            for side, said in (("ours", one.ours), ("theirs", one.theirs))
        },
    }
