"""All that a study says of samples of ours, whatever its ids and the order in which it got them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from store.reader import Study
from store.types import SETTING_NAMES

_RUNS: Final = f"""
SELECT run.key, benchmark, name, revision, role, parent, algorithm, step, training_seed, {", ".join(SETTING_NAMES)}
FROM run JOIN model USING (model_id) ORDER BY run.key
"""

_TABLES: Final = {
    "problems": "SELECT benchmark, key, statement, reference, kind, level, images FROM problem ORDER BY 1, 2",
    "prompts": """SELECT run.key, problem.key, text, hex(ids)
                  FROM prompt JOIN run USING (run_id) JOIN problem USING (problem_id) ORDER BY 1, 2""",
    "verdicts": """SELECT run.key, problem.key, idx, name, version, outcome, route, answer, answer_start, answer_end
                   FROM verdict JOIN verifier USING (verifier_id) JOIN sample USING (sample_id) JOIN run USING (run_id)
                   JOIN problem USING (problem_id) ORDER BY 1, 2, 3, 4""",
    "drawn": """SELECT run.key, problem.key, samples, truncated, chars, extra
                FROM drawn JOIN run USING (run_id) JOIN problem USING (problem_id) ORDER BY 1, 2""",
    "tallies": """SELECT run.key, problem.key, verifier, origin, correct, incorrect, no_answer, error
                  FROM tally JOIN run USING (run_id) JOIN problem USING (problem_id) ORDER BY 1, 2, 3""",
    "extra": """SELECT run.key, problem.key, verifier, correct, incorrect, no_answer, error
                FROM extra_tally JOIN run USING (run_id) JOIN problem USING (problem_id) ORDER BY 1, 2, 3""",
}

_SAMPLES: Final = """
SELECT run.key, problem.key, idx, sample.seed, hex(ids), finish, stop_reason, chars, sample.tokens, digest, logp, extra,
       sampler, version, device, dtype, vocabulary, detail, dictionary_id, response
FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id) JOIN batch USING (batch_id) JOIN text USING (sample_id)
LEFT JOIN token USING (sample_id) ORDER BY 1, 2, 3
"""


def contents(path: Path) -> dict[str, list[Any]]:
    """By what it is; equal for two studies exactly where they hold the same."""
    with Study(path) as study:
        found: dict[str, list[Any]] = {name: study.query(sql) for name, sql in _TABLES.items()}
        found["runs"] = study.query(_RUNS)
        found["samples"] = [(*row, study.texts.unpack(*text)) for *row, text in map(_with_text, study.query(_SAMPLES))]
    return found


def _with_text(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return *row[:-2], row[-2:]
