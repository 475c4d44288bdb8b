"""Tables of counts in CSV: what papers publish and people keep when the samples are gone.

    model,problem_index,n,correct
    my-base-7b,2,128,120

`problem` may stand for `problem_index`; optional columns: benchmark, role, step, revision, statement, reference. The counts
become published tallies by the verifier `imported`; there are no traces behind them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final

from engine.importers import fields
from engine.importers.base import About, BadLine, ImportProblem, Item, Line
from engine.importers.fields import BadRecord, Record
from store.types import UNKNOWN, Model, NewCount, Problem, Run, Settings

MOST_SAMPLES: Final = 10**9
_NEEDED: Final = {"n", "correct"}
_KEY: Final = ("problem_index", "problem")


class CountsImporter:
    name = "counts"
    has_sidecar = False
    title = "table of counts in CSV: model, problem_index or problem, n, correct"
    example = "model,problem_index,n,correct"

    def recognises(self, first: Line) -> bool:
        header = set(_header(first))
        return header >= _NEEDED and not header.isdisjoint(_KEY)

    def seed(self, about: About) -> int | None:  # noqa: ARG002 - a table does not tell
        return None

    def read(self, lines: Iterator[Line], about: About) -> Iterator[Item]:
        header = _header(next(lines, Line(0, "")))
        if not self.recognises(Line(1, ",".join(header))):
            raise ImportProblem(f"{about.path} does not begin with a line like: {self.example}")
        if about.options.model and "model" in header:
            raise ImportProblem(f"{about.path} names its models itself; leave --model out")
        for line in lines:
            try:
                yield _count(_row(header, line), line.number, about)
            except (BadRecord, csv.Error) as bad:
                yield BadLine(line.number, str(bad))


def _header(line: Line) -> list[str]:
    try:
        return [name.strip().lower() for name in next(csv.reader([line.text]), [])]
    except csv.Error:
        return []


def _row(header: list[str], line: Line) -> Record:
    values = next(csv.reader([line.text]), [])
    if len(values) != len(header):
        raise BadRecord(f"{len(values)} columns where the first line names {len(header)}")
    return {name: value.strip() or None for name, value in zip(header, values, strict=True)}


def _count(row: Record, line: int, about: About) -> NewCount:
    n, correct = fields.whole(row["n"], "n"), fields.whole(row["correct"], "correct")
    if n > MOST_SAMPLES:
        raise BadRecord(f"n is {n}: more than anybody has drawn")
    if not 0 <= correct <= n:
        raise BadRecord(f"correct is {correct} of n = {n}")
    benchmark = about.benchmark(row.get("benchmark"))
    problem = Problem(
        benchmark=benchmark,
        key=fields.text(fields.pick(row, _KEY), "problem"),
        statement=row.get("statement"),
        reference=row.get("reference"),
    )
    return NewCount(Run(about.model(_model(row)), benchmark, about.settings(Settings())), problem, line, correct, n)


def _model(row: Record) -> Model | None:
    if not row.get("model"):
        return None
    step = fields.optional_whole(row.get("step"), "step")
    return Model(row["model"], row.get("revision") or UNKNOWN, fields.role(row.get("role")), step=step)
