r"""Chains whose steps people have judged: the responses come with labels and marked steps.

    {"question": "...", "ground_truth_answer": "17", "model_output_step_format": [["Step one."], ["Step two."]],
     "model_output_answer_correctness": "correct", "model_output_solution_correctness": "wrong",
     "model_output_solution_first_error_step": 2, "generator": "some-13b"}

or, in place of the last three, a rating of each step: {"rating": [1, 1, 0, -1]}; or, in place of the step format, a list
"model_output_steps". The response is the steps with a blank line between them, so that they are steps here, too.

What people say of a chain becomes an audit under the file's name: right answer and right solution is "valid" (1), a right
answer that a wrong solution comes to is "cancelling errors" (2), the one label for errors that do not reach the answer. The
first wrong step, and each step rated below 1, is marked. A chain with a wrong answer gets no label: labels ask whether a right
answer is sound. The file's own word on the answer decides: few of these chains have a box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.importers import fields, lenient
from engine.importers.base import About, Importer, Item, each
from engine.importers.documents import InputFile
from engine.importers.fields import BadRecord, Record
from engine.steps import split_steps
from store.types import Model, NewSample, NewTrace, Opinion, Outcome, Problem, Run, Settings, Verdict

LABELLED = "labelled"
"""Kind of these problems: no verifier of ours is for them."""

_STEPS = ("model_output_step_format", "model_output_steps")
_RIGHT = "model_output_answer_correctness"
_SOUND = "model_output_solution_correctness"
_ERROR = "model_output_solution_first_error_step"
_REASON = "model_output_solution_first_error_reason"
_RATED = {0: "rated 0: does not lead on", -1: "rated -1: wrong"}


class StepLabelsImporter(Importer):
    name = "step-labels"
    title = "Chains whose steps people have judged (MR-GSM8K, MR-MATH, ReasonEval)"
    example = '{"question": "...", "model_output_steps": ["..."], "model_output_solution_correctness": "wrong"}'

    def recognises(self, file: InputFile) -> bool:
        return any(_is_labelled(record) for record in file.head.records)

    def read(self, file: InputFile, about: About) -> Iterator[Item]:
        return each(file.rows(), lambda record, line: _traces(record, line, about))


def _is_labelled(record: Record) -> bool:
    return any(name in record for name in _STEPS) and (_SOUND in record or "rating" in record)


def _traces(record: Record, line: int, about: About) -> Iterator[Item]:
    steps = _texts(fields.pick(record, _STEPS))
    response = "\n\n".join(steps)
    statement = fields.text(record.get("question"), "question")
    generator = lenient.text(record.get("generator"))
    run = Run(about.model(Model(generator) if generator else None), about.benchmark(None), about.settings(Settings()))
    reference = lenient.text(record.get("ground_truth_answer"))
    problem = Problem(run.benchmark, fields.key_of(statement), statement, reference, kind=LABELLED)
    right = lenient.text(record.get(_RIGHT))
    score = None if right not in ("correct", "wrong") else Outcome.CORRECT if right == "correct" else Outcome.INCORRECT
    verdict = None if score is None else Verdict(score, "file's score")
    opinions = _opinions(record, about.stem, score, _places(steps, response))
    yield NewTrace(run, problem, NewSample(fields.response(response, "steps"), line), verdict, opinions)


def _texts(found: Any) -> list[str]:
    """Steps as texts; some files keep each as a list of its sentences."""
    if not isinstance(found, list) or not found:
        raise BadRecord("the steps are not a list")
    joined = [
        " ".join(step) if isinstance(step, list) and all(isinstance(one, str) for one in step) else step for step in found
    ]
    return [fields.text(step, "a step") for step in joined]


def _places(steps: Sequence[str], response: str) -> list[int]:
    """Which step of the response each of the file's steps begins: one with several paragraphs is several here."""
    ours = [step.start for step in split_steps(response)]
    places, at = [], 0
    for step in steps:
        places.append(sum(start <= at for start in ours))
        at += len(step) + 2
    return places


def _opinions(record: Record, who: str, score: Outcome | None, places: Sequence[int]) -> tuple[Opinion, ...]:
    ratings = record.get("rating")
    if isinstance(ratings, list) and len(ratings) == len(places):
        return tuple(
            Opinion(who, step=at, note=_RATED.get(rating))
            for at, rating in zip(places, ratings, strict=True)
            if rating in _RATED
        )
    error = lenient.whole(record.get(_ERROR))
    step = places[error - 1] if error is not None and 0 < error <= len(places) else None
    note = lenient.text(record.get(_REASON)) or ("first wrong step" if step is not None else None)
    label = {"correct": 1, "wrong": 2}.get(str(record.get(_SOUND))) if score is Outcome.CORRECT else None
    return (Opinion(who, label, step, note),) if label is not None or step is not None else ()
