"""Tables of counts, as CSV, JSON or Parquet: what papers publish and people keep when the samples are gone.

    model,problem_index,n,correct
    my-base-7b,2,128,120

`problem` may stand for `problem_index`; optional columns: benchmark, role, step, revision, statement, reference. The counts
become published tallies by the verifier `imported`; there are no traces behind them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from engine.importers import fields
from engine.importers.base import About, Importer, Item, each
from engine.importers.documents import InputFile, Shape
from engine.importers.fields import BadRecord, Record
from engine.importers.files import ImportProblem
from store.types import UNKNOWN, Model, NewCount, Problem, Run, Settings

MOST_SAMPLES: Final = 10**9
_NEEDED: Final = {"n", "correct"}
_KEY: Final = ("problem_index", "problem")


class CountsImporter(Importer):
    name = "counts"
    title = "table of counts (CSV, JSON or Parquet): model, problem_index or problem, n, correct"
    example = "model,problem_index,n,correct"

    def recognises(self, file: InputFile) -> bool:
        return file.shape is not Shape.ZIP and (_is_count(file.head.names) or any(map(_is_count, file.head.records)))

    def read(self, file: InputFile, about: About) -> Iterator[Item]:
        if file.shape is Shape.CSV and not _is_count(file.head.names):
            raise ImportProblem(f"{file.name} does not begin with a line like: {self.example}")
        if about.options.model and ("model" in file.head.names or any("model" in record for record in file.head.records)):
            raise ImportProblem(f"{file.name} names its models itself; leave --model out")
        return each(file.rows(), lambda row, line: [_count(row, line, about)])


def _is_count(names: Collection[str]) -> bool:
    return _NEEDED.issubset(names) and not set(_KEY).isdisjoint(names)


def counted(row: Record) -> tuple[int, int]:
    """n and correct of a row. Raises BadRecord where they cannot be."""
    n, correct = fields.whole(row.get("n"), "n"), fields.whole(row.get("correct"), "correct")
    if n > MOST_SAMPLES:
        raise BadRecord(f"n is {n}: more than anybody has drawn")
    if not 0 <= correct <= n:
        raise BadRecord(f"correct is {correct} of n = {n}")
    return n, correct


def _count(row: Record, line: int, about: About) -> NewCount:
    n, correct = counted(row)
    benchmark = about.benchmark(fields.optional_text(row.get("benchmark"), "benchmark"))
    problem = Problem(
        benchmark=benchmark,
        key=fields.text(fields.pick(row, _KEY), "problem"),
        statement=fields.optional_text(row.get("statement"), "statement"),
        reference=fields.optional_text(row.get("reference"), "reference"),
    )
    return NewCount(Run(about.model(_model(row)), benchmark, about.settings(Settings())), problem, line, correct, n)


def _model(row: Record) -> Model | None:
    name = fields.optional_text(row.get("model"), "model")
    if not name:
        return None
    revision = fields.optional_text(row.get("revision"), "revision") or UNKNOWN
    return Model(name, revision, fields.role(row.get("role")), step=fields.optional_whole(row.get("step"), "step"))
