"""Chains of numbered premises that people have flagged as valid or not: verify-cot's files.

    {"question": "...", "answer": "#1. ...\\n#2. (by #1) Step 1: ...", "final_answer": 12, "correct": true, "flag": 0}

`flag` is 1 for a chain whose steps are right and cite the right premises, 0 for one with an error; `correct` is about the final
answer. Among right answers flag 1 becomes the audit "valid" (1) and flag 0 "cancelling errors" (2), under the file's name, as
in `step_labels`. The file names no model: name it with --model.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.importers import fields, lenient
from engine.importers.base import About, Importer, Item, each
from engine.importers.documents import InputFile
from engine.importers.fields import Record
from engine.importers.formats.step_labels import LABELLED
from store.types import NewSample, NewTrace, Opinion, Outcome, Problem, Run, Settings, Verdict


class FlaggedChainsImporter(Importer):
    name = "flagged-chains"
    title = "Chains that people have flagged as valid or not (verify-cot)"
    example = '{"question": "...", "answer": "#1. ...", "final_answer": 12, "correct": true, "flag": 0}'

    def recognises(self, file: InputFile) -> bool:
        return any(record.keys() >= {"question", "answer", "final_answer", "correct", "flag"} for record in file.head.records)

    def read(self, file: InputFile, about: About) -> Iterator[Item]:
        return each(file.rows(), lambda record, line: _traces(record, line, about))


def _traces(record: Record, line: int, about: About) -> Iterator[Item]:
    statement = fields.text(record.get("question"), "question")
    run = Run(about.model(None), about.benchmark(None), about.settings(Settings()))
    right = lenient.outcome(record.get("correct"))
    said = lenient.text(record.get("final_answer"))
    # Where the answer is right, it is the reference; else the reference is in a solution's text only, or nowhere.
    problem = Problem(
        run.benchmark, fields.key_of(statement), statement, said if right is Outcome.CORRECT else None, kind=LABELLED
    )
    verdict = None if right is None else Verdict(right, "file's score", said)
    label = {1: 1, 0: 2}.get(record.get("flag", -1)) if right is Outcome.CORRECT else None
    opinions = () if label is None else (Opinion(about.stem, label, note="flagged by the file's annotators"),)
    yield NewTrace(run, problem, NewSample(fields.response(record.get("answer"), "answer"), line), verdict, opinions)
