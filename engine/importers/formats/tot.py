"""Tree of Thoughts logs: one problem a record, its responses in a list, their rewards in a list beside it.

    [{"idx": 900, "ys": ["Steps:\\n... Answer: (10 - 4) * 4 = 24"], "infos": [{"r": 1}], "usage_so_far": {...}}]

Rewards of exactly 1 and 0 are verdicts; a partial one (crosswords, creative writing) says nothing. The original's name tells
model and temperature (`gpt-4_0.7_naive_cot_sample_100_start900_end1000.json`), its folder the task, which is the benchmark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from engine.importers import fields, lenient
from engine.importers.base import About, Importer, Item, each
from engine.importers.documents import InputFile
from engine.importers.fields import BadRecord, Record
from engine.importers.files import BadLine
from engine.importers.lists import column
from store.types import Model, NewSample, NewTrace, Problem, Run, Settings

_NAMED: Final = re.compile(r"(?P<model>.+?)_(?P<t>\d{1,3}(?:\.\d{1,9})?)_.*start\d+_end\d+")
_ANSWER: Final = re.compile(r"^Answer:[ \t]*(\S.*)$", re.MULTILINE)


class TreeOfThoughtsImporter(Importer):
    name = "tree-of-thoughts"
    title = "Tree of Thoughts logs, sampled or searched"
    example = '[{"idx": 900, "ys": ["Steps: ... Answer: ..."], "infos": [{"r": 1}]}]'

    def recognises(self, file: InputFile) -> bool:
        return any(record.keys() >= {"idx", "ys", "infos"} for record in file.head.records)

    def read(self, file: InputFile, about: About) -> Iterator[Item]:
        run = _run(about)
        return each(file.rows(), lambda record, line: _traces(record, line, run))


def _run(about: About) -> Run:
    named = _NAMED.fullmatch(about.stem)
    model = Model(fields.printable(named["model"])) if named else None
    settings = fields.with_settings(Settings(), {"temperature": named["t"]}) if named else Settings()
    folder = fields.printable(Path(about.place).resolve().parent.name)
    return Run(about.model(model), about.benchmark(folder or None), about.settings(settings))


def _traces(record: Record, line: int, run: Run) -> Iterator[Item]:
    responses = record.get("ys")
    if not isinstance(responses, list):
        raise BadRecord("ys is not a list of responses")
    problem = Problem(run.benchmark, fields.text(record.get("idx"), "idx"), lenient.text(record.get("x")), kind="game")
    infos, told = column(record.get("infos"), "infos", len(responses))
    if told:
        yield BadLine(line, told)
    for item, (response, info) in enumerate(zip(responses, infos, strict=True)):
        try:
            sample = NewSample(fields.response(response, "ys"), line, item)
        except BadRecord as bad:
            yield BadLine(line, f"response {item}: {bad}")
            continue
        yield NewTrace(run, problem, sample, lenient.verdict(_reward(info), _answer(sample.response)))


def _reward(info: Any) -> Any:
    return lenient.outcome(info.get("r")) if isinstance(info, dict) else None


def _answer(response: str) -> str | None:
    found = _ANSWER.findall(response)
    return found[-1].strip() if found else None
