"""Reading what stages need and measure: indices that are there, problems, models, paths. Likelihoods: store/likelihoods.py.

Functions over an open `Study`, standard library only, apart from `store.reader` so that lists and the Reader stay there alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from store.reader import BY_MODEL, IN_FORCE, Study
from store.types import Model, Problem, Role

_INDICES: Final = """
SELECT problem.key, idx FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id) WHERE run.key = ?
"""

_MODELS: Final = "SELECT name, revision, role, parent, algorithm, step, training_seed FROM model ORDER BY model_id"

_CORRECT: Final = """
SELECT sample_id, run_id, dictionary_id, response
FROM sample JOIN problem USING (problem_id) JOIN text USING (sample_id)
JOIN (SELECT sample_id, verifier.name AS verifier, outcome FROM verdict JOIN verifier USING (verifier_id)) AS judged
  USING (sample_id)
WHERE problem_id = ? AND verifier = kind AND outcome = 'correct' ORDER BY sample_id
"""

_PATHS: Final = """
SELECT run_id, problem_id, path, count(*) FROM path JOIN sample USING (sample_id) WHERE method = ? AND NOT extra {where}
GROUP BY run_id, problem_id, path ORDER BY problem_id, path, run_id
"""

_EXAMPLES: Final = """
SELECT path, min(sample_id) FROM sample JOIN path USING (sample_id) WHERE problem_id = ? AND method = ? GROUP BY path
"""

# Whether a run tells how its responses ended is read off the first sample of each problem: nobody waits for all of them.
_DRAWN: Final = """
SELECT drawn.run_id, sum(samples), sum(truncated), sum(chars),
       max((SELECT finish FROM sample WHERE sample.problem_id = drawn.problem_id AND sample.run_id = drawn.run_id
            ORDER BY idx LIMIT 1) <> 'unknown')
FROM drawn WHERE samples > 0 GROUP BY drawn.run_id
"""

_LABELLED: Final = f"""
SELECT run_id, count(DISTINCT sample_id) FROM audit AS given JOIN sample USING (sample_id)
WHERE NOT {BY_MODEL} AND {IN_FORCE} GROUP BY run_id
"""


@dataclass(frozen=True, slots=True)
class Correct:
    """A response that our verifier for the problem's kind calls correct."""

    sample_id: int
    run_id: int
    response: str


@dataclass(frozen=True, slots=True)
class PathCount:
    """How many correct responses of a run take a path of a problem; extra samples are not among them, for more samples find
    more paths."""

    run_id: int
    problem_id: int
    path: int
    responses: int


@dataclass(frozen=True, slots=True)
class RunDrawn:
    """What is stored of a run, as sums kept while it was written."""

    samples: int
    truncated: int
    chars: int
    ends_known: bool
    """Does it say of its responses whether they stopped or were cut? Where it does not, `truncated` tells nothing."""


def indices(study: Study, run_key: str) -> dict[str, set[int]]:
    """By problem key, the indices of a run's samples that are there."""
    found: dict[str, set[int]] = {}
    for key, index in study.query(_INDICES, (run_key,)):
        found.setdefault(key, set()).add(index)
    return found


def whole_problems(study: Study, benchmark: str) -> list[Problem]:
    """The benchmark's problems in the order they came, statements and all; those without a statement are left out."""
    return [
        Problem(row.benchmark, row.key, row.statement, row.reference, row.kind, row.level)
        for short in study.problems(benchmark)
        for row in [study.problem(benchmark, short.key)]
        if row.statement is not None
    ]


def models(study: Study) -> list[Model]:
    """Every model the study knows, those that only scored among them."""
    return [
        Model(name, revision, Role(role), parent, algorithm, step, seed)
        for name, revision, role, parent, algorithm, step, seed in study.query(_MODELS)
    ]


def correct_responses(study: Study, problem_id: int) -> list[Correct]:
    """Of all runs, by id."""
    return [
        Correct(sample_id, run_id, study.texts.unpack(dictionary_id, packed))
        for sample_id, run_id, dictionary_id, packed in study.query(_CORRECT, (problem_id,))
    ]


def path_counts(study: Study, method: str, benchmark: str | None = None) -> list[PathCount]:
    """By problem and path; benchmark: this one's only."""
    if benchmark is None:
        return [PathCount(*row) for row in study.query(_PATHS.format(where=""), (method,))]
    where = "AND problem_id IN (SELECT problem_id FROM problem WHERE benchmark = ?)"
    return [PathCount(*row) for row in study.query(_PATHS.format(where=where), (method, benchmark))]


def problem_paths(study: Study, method: str, problem_id: int) -> list[PathCount]:
    """Of one problem, by path."""
    return [PathCount(*row) for row in study.query(_PATHS.format(where="AND problem_id = ?"), (method, problem_id))]


def path_examples(study: Study, method: str, problem_id: int) -> dict[int, int]:
    """By path of the problem, the id of the first sample that takes it."""
    return dict(study.query(_EXAMPLES, (problem_id, method)))


def has_paths(study: Study, method: str) -> bool:
    """Has anything been put into paths by that method?"""
    return bool(study.query("SELECT 1 FROM path WHERE method = ? LIMIT 1", (method,)))


def drawn(study: Study) -> dict[int, RunDrawn]:
    """By run_id, of the runs with samples. One sample a problem is looked at, however many there are."""
    rows = study.query(_DRAWN)
    return {run_id: RunDrawn(samples, cut, chars, bool(known)) for run_id, samples, cut, chars, known in rows}


def labelled(study: Study) -> dict[int, int]:
    """By run_id, on how many of its traces a person's label is in force."""
    return dict(study.query(_LABELLED))
