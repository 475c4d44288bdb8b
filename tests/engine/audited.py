"""A small study to audit: base and RL on a few sums, with right and wrong answers at known places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from store.audits import Audit, AuditWriter, Chosen
from store.names import Link
from store.reader import Study
from store.types import NewTrace, Outcome, Verdict
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import BASE, RL, answers, problem, run, source

BASE_SLUG, RL_SLUG = "base-7b@sums", "rl-7b-step-100@sums"

REFERENCE = "642"
RIGHT, WRONG = r"So it is \boxed{642}.", r"So it is \boxed{5}."


def make(path: Path, rights: Mapping[str, tuple[int, int]], n: int = 4, wrong: str = WRONG) -> Path:
    """rights: by key, right answers of base and of RL among n; they come first. Judged by our verifier for the kind."""
    with Writer(path, "test") as writer:
        src = source(writer)
        traces: list[NewTrace] = []
        for key, each in rights.items():
            for model, right in zip((BASE, RL), each, strict=True):
                texts = [f"{RIGHT if i < right else wrong} Index {i} of {model.name} on {key}." for i in range(n)]
                traces += answers(texts, start=len(traces) + 1, of=run(model), on=problem(key, reference=REFERENCE))
        writer.add_traces(src, traces)
        judged = []
        with Study(path) as study:
            for of in study.problems("sums"):
                for row in study.traces(of.problem_id):
                    is_right = row.idx < rights[of.key][0 if "base" in slug(study, row.run_id) else 1]
                    outcome = Outcome.CORRECT if is_right else Outcome.INCORRECT
                    verdict = Verdict(outcome, "boxed", REFERENCE if is_right else "5")
                    judged.append(Judged(row.sample_id, row.run_id, of.problem_id, verdict))
        writer.add_verdicts("math", "1", judged)
    return path


def slug(study: Study, run_id: int) -> str:
    return next(run.slug for run in study.runs() if run.run_id == run_id)


def sample(path: Path, slug: str, key: str, index: int) -> int:
    with Study(path) as study:
        return study.find_sample(Link(slug, "sums", key, index))


def label(
    path: Path, slug: str, key: str, labels: Sequence[int | None], auditor: str = "ann", chosen: Chosen = Chosen.BROWSE
) -> None:
    """Label the traces of one run on one problem from index 0 on."""
    with AuditWriter(path) as writer:
        for index, digit in enumerate(labels):
            writer.add(Audit(sample(path, slug, key, index), auditor, digit, chosen=chosen))
