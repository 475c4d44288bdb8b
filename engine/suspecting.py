"""Suspicion of luck for traces of a study: reasons and score of each, from its text, its problem and what other traces answer.

    suspect(study, [17, 18])            those traces, in the order given
    suspect_problem(study, problem_id)  the right answers to one problem, the most suspicious first

Nothing is stored: a response is read in milliseconds, and the rules may get better. The answer is looked for where the deciding
verdict found it. Wrong chains of a problem are those that were judged incorrect and those that a person called unsound; no
trace is held against itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from engine.luck import Reason, suspicion, suspicions
from store.audits import MEANINGS, Meaning
from store.errors import NotFound
from store.reader import BY_MODEL, DECIDING, IN_FORCE, Study
from store.types import Outcome

BATCH: Final = 200
"""Traces whose texts are held at once."""

_CHOSEN: Final = """
SELECT sample_id, run_id, problem_id, idx, statement, reference, dictionary_id, response
FROM sample JOIN problem USING (problem_id) JOIN text USING (sample_id)
WHERE sample_id IN (SELECT value FROM json_each(:ids))
"""

_ANSWERS: Final = f"""
SELECT sample.sample_id, ours.outcome, ours.answer, ours.answer_start, ours.answer_end
FROM sample JOIN problem USING (problem_id) {DECIDING}
WHERE sample.sample_id IN (SELECT value FROM json_each(:ids))
"""

_UNSOUND: Final = ", ".join(str(label) for label, meaning in MEANINGS.items() if meaning is Meaning.UNSOUND)

_WRONG: Final = f"""
SELECT sample.sample_id, ours.answer FROM problem JOIN sample USING (problem_id) {DECIDING}
WHERE problem.problem_id = :problem_id AND ours.answer IS NOT NULL AND (
  ours.outcome = 'incorrect'
  OR EXISTS (SELECT 1 FROM audit AS given WHERE given.sample_id = sample.sample_id AND label IN ({_UNSOUND}) AND {IN_FORCE}
      AND NOT {BY_MODEL}))
"""

_OF_PROBLEM: Final = f"""
SELECT sample.sample_id FROM problem JOIN sample USING (problem_id) {DECIDING}
WHERE problem.problem_id = :problem_id AND ours.outcome = :outcome AND run_id = coalesce(:run_id, run_id)
ORDER BY run_id, idx
"""


@dataclass(frozen=True, slots=True)
class Suspected:
    """One trace, and what speaks for luck in it."""

    sample_id: int
    run_id: int
    problem_id: int
    index: int
    outcome: Outcome | None
    """By the deciding verifier; None where nobody has judged it."""
    score: float
    """In [0, 1]; see `engine.luck.score`."""
    reasons: tuple[Reason, ...]
    """In order of place in the response."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the deciding verdict says."""

    outcome: Outcome | None = None
    text: str | None = None
    span: tuple[int, int] | None = None


def suspect(study: Study, sample_ids: Iterable[int], verifier: str | None = None) -> Iterator[Suspected]:
    """Reasons and score of the traces, in the order given. verifier: whose verdicts decide; None for the deciding one.

    Raises NotFound for an id without a stored response.
    """
    wanted, wrong = list(sample_ids), _WrongAnswers(study, verifier)
    for start in range(0, len(wanted), BATCH):
        yield from _batch(study, wanted[start : start + BATCH], verifier, wrong)


def suspect_problem(
    study: Study,
    problem_id: int,
    run_id: int | None = None,
    outcome: Outcome = Outcome.CORRECT,
    verifier: str | None = None,
) -> list[Suspected]:
    """The traces of one problem with that outcome, of one run or all, the most suspicious first; ties by run and index."""
    values = {"problem_id": problem_id, "run_id": run_id, "outcome": outcome, "verifier": verifier}
    ids = [sample_id for (sample_id,) in study.query(_OF_PROBLEM, values)]
    return sorted(suspect(study, ids, verifier), key=lambda one: -one.score)


class _WrongAnswers:
    """The answers of the wrong chains of each problem, read once a problem."""

    def __init__(self, study: Study, verifier: str | None) -> None:
        self._study, self._verifier = study, verifier
        self._found: dict[int, dict[int, str]] = {}

    def beside(self, sample_id: int, problem_id: int) -> list[str]:
        """Those of all wrong chains of the problem but this one."""
        if problem_id not in self._found:
            values = {"problem_id": problem_id, "verifier": self._verifier}
            self._found[problem_id] = dict(self._study.query(_WRONG, values))
        return [answer for other, answer in self._found[problem_id].items() if other != sample_id]


def _batch(study: Study, ids: list[int], verifier: str | None, wrong: _WrongAnswers) -> Iterator[Suspected]:
    values = {"ids": json.dumps(ids), "verifier": verifier}
    answers = {sample_id: _answer(*said) for sample_id, *said in study.query(_ANSWERS, values)}
    rows = {row[0]: row for row in study.query(_CHOSEN, {"ids": values["ids"]})}
    for sample_id in ids:
        if sample_id not in rows:
            raise NotFound(f"{study.path} has no sample with id {sample_id} and a stored response")
        _, run_id, problem_id, index, statement, reference, *packed = rows[sample_id]
        answer = answers.get(sample_id, _Answer())
        reasons = suspicions(
            study.texts.unpack(*packed), answer.text, answer.span, reference, statement, wrong.beside(sample_id, problem_id)
        )
        yield Suspected(sample_id, run_id, problem_id, index, answer.outcome, suspicion(reasons), tuple(reasons))


def _answer(outcome: str, text: str | None, start: int | None, end: int | None) -> _Answer:
    return _Answer(Outcome(outcome), text, None if start is None or end is None else (start, end))
