"""Reading what was answered: how often each run gave which answer to which problem, and what the deciding verdict says of it.

Extra samples are left out: majority votes and chances to guess stand beside counts of the run's n.

One pass over samples and verdicts, no text read: about 1.5 s for a million samples. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from store.reader import Study
from store.types import IMPORTED, Outcome

# The deciding verdict as in `store.reader`, with the names fixed beforehand: SQLite then looks the verifiers up once.
_ANSWERS: Final = """
SELECT run_id, problem_id, ours.answer, ours.outcome, count(*)
FROM problem JOIN sample USING (problem_id)
CROSS JOIN verdict AS ours ON ours.sample_id = sample.sample_id AND ours.verifier_id = coalesce(
  (SELECT verifier_id FROM verdict WHERE verdict.sample_id = sample.sample_id
     AND verifier_id IN (SELECT verifier_id FROM verifier WHERE name = :first)),
  (SELECT verifier_id FROM verdict WHERE verdict.sample_id = sample.sample_id
     AND verifier_id IN (SELECT verifier_id FROM verifier WHERE name = :second)))
WHERE benchmark = :benchmark AND kind = :kind AND NOT sample.extra
GROUP BY problem_id, run_id, ours.outcome, ours.answer
"""

_KINDS: Final = "SELECT DISTINCT kind FROM problem WHERE benchmark = ? ORDER BY kind"


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """One answer of one run to one problem."""

    run_id: int
    problem_id: int
    answer: str | None
    """As it stands in the responses. None where none was found, or where a file's score came without it."""
    outcome: Outcome
    samples: int


def answer_counts(study: Study, benchmark: str, verifier: str | None = None) -> list[AnswerCount]:
    """Every answer to the benchmark's problems, by problem and run. Unjudged samples and published counts have none.

    verifier: whose verdicts, or None for the deciding one of each sample.
    """
    rows = []
    for (kind,) in study.query(_KINDS, (benchmark,)):
        names = {"first": verifier or kind, "second": verifier or IMPORTED}
        rows += study.query(_ANSWERS, {"benchmark": benchmark, "kind": kind, **names})
    return [AnswerCount(run, problem, answer, Outcome(outcome), samples) for run, problem, answer, outcome, samples in rows]
