"""Our own JSONL: one sample a line, every fact by its name in the study.

    {"model": "my-base-7b", "role": "base", "benchmark": "aime24", "problem": "16", "statement": "...", "reference": "73",
     "response": "... \\\\boxed{73}", "finish": "stop", "tokens": 812, "correct": true, "settings": {"temperature": 0.6}}

Needed: problem and response; model unless --model says it. The rest may be missing. `"extra": true` marks a sample beyond the
run's n, which no rate counts. `token_scores`, of an export with --tokens, is passed over: a model has to be named by its
weights, and its scores by what computed them. A line with `n` in place of the response
holds the counts of a problem of which not all samples are given, as an export writes them:

    {"model": "my-base-7b", "role": "base", "benchmark": "aime24", "problem": "16", "n": 1024, "correct": 12}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.importers import fields
from engine.importers.base import About, Importer, Item, each
from engine.importers.documents import InputFile
from engine.importers.fields import BadRecord, Record
from engine.importers.formats.counts import counted
from store.types import SETTING_NAMES, UNKNOWN, Finish, Model, NewCount, NewSample, NewTrace, Problem, Run, Settings, Verdict

_RUN_FIELDS: Final = ("model", "revision", "role", "parent", "algorithm", "step", "training_seed", "benchmark", "settings")
_FIELDS: Final = {*_RUN_FIELDS, "problem", "statement", "reference", "level", "response", "finish", "stop_reason"} | {
    "tokens", "seed", "correct", "answer", "kind", "n", "extra", "token_scores"
}  # fmt: skip
_KIND: Final = "math"
_FINISHES: Final = {finish.value: finish for finish in Finish}


class NativeImporter(Importer):
    name = "basebound"
    title = "our own JSONL, one sample a line"
    example = (
        '{"model": "my-base-7b", "role": "base", "benchmark": "aime24", "problem": "16", "statement": "...", '
        '"reference": "73", "response": "... \\\\boxed{73}", "finish": "stop", "tokens": 812, "correct": true, '
        '"settings": {"temperature": 0.6, "top_p": 0.95, "max_tokens": 16384}}'
    )

    def recognises(self, file: InputFile) -> bool:
        """Nothing but our own names: in other records of these two, `problem` may well be the statement."""
        return any({"problem", "response"} <= record.keys() <= _FIELDS for record in file.head.records)

    def read(self, file: InputFile, about: About) -> Iterator[Item]:
        runs = _Runs(about)
        return each(file.rows(), lambda record, line: [_item(record, line, runs.of(record))])


class _Runs:
    """The runs of a file. Lines of one run follow each other by the thousand, so each is built once."""

    def __init__(self, about: About) -> None:
        self._about = about
        self._known: dict[str, Run] = {}
        self._last: tuple[list[object], Run] | None = None

    def of(self, record: Record) -> Run:
        facts = [record.get(name) for name in _RUN_FIELDS]
        if self._last is None or self._last[0] != facts:
            self._last = facts, self._found(record, repr(facts))
        return self._last[1]

    def _found(self, record: Record, key: str) -> Run:
        if key not in self._known:
            benchmark = self._about.benchmark(fields.optional_text(record.get("benchmark"), "benchmark"))
            model = self._about.model(_model(record))
            self._known[key] = Run(model, benchmark, self._about.settings(_settings(record)))
        return self._known[key]


def _item(record: Record, line: int, run: Run) -> NewTrace | NewCount:
    problem = _problem(record, run)
    if "n" in record and "response" not in record:
        n, correct = counted(record)
        return NewCount(run, problem, line, correct, n)
    sample = NewSample(
        response=fields.response(record.get("response"), "response"),
        line=line,
        finish=_finish(record.get("finish")),
        stop_reason=fields.optional_text(record.get("stop_reason"), "stop_reason"),
        tokens=fields.optional_whole(record.get("tokens"), "tokens"),
        seed=fields.optional_whole(record.get("seed"), "seed"),
        extra=_extra(record.get("extra")),
    )
    return NewTrace(run, problem, sample, _imported(record))


def _problem(record: Record, run: Run) -> Problem:
    return Problem(
        benchmark=run.benchmark,
        key=fields.text(record.get("problem"), "problem"),
        statement=fields.optional_text(record.get("statement"), "statement"),
        reference=fields.optional_text(record.get("reference"), "reference"),
        kind=fields.text(record.get("kind") or _KIND, "kind"),
        level=fields.optional_text(record.get("level"), "level"),
    )


def _model(record: Record) -> Model | None:
    name = fields.optional_text(record.get("model"), "model")
    if name is None:
        return None
    return Model(
        name=name,
        revision=fields.text(record.get("revision") or UNKNOWN, "revision"),
        role=fields.role(record.get("role")),
        parent=fields.optional_text(record.get("parent"), "parent"),
        algorithm=fields.optional_text(record.get("algorithm"), "algorithm"),
        step=fields.optional_whole(record.get("step"), "step"),
        training_seed=fields.optional_whole(record.get("training_seed"), "training_seed"),
    )


def _settings(record: Record) -> Settings:
    given = record.get("settings") or {}
    if not isinstance(given, dict):
        raise BadRecord("settings is not an object")
    unknown = given.keys() - set(SETTING_NAMES)
    if unknown:
        raise BadRecord(f"settings has {sorted(unknown)[0]!r}, which is none of {', '.join(SETTING_NAMES)}")
    return fields.with_settings(Settings(), given)


def _finish(value: object) -> Finish:
    if value is None:
        return Finish.UNKNOWN
    finish = _FINISHES.get(value) if isinstance(value, str) else None
    if finish is None:
        raise BadRecord(f"finish is {str(value)[:40]!r}, not one of {', '.join(Finish)}")
    return finish


def _extra(value: object) -> bool:
    if value not in (None, True, False):
        raise BadRecord(f"extra is {str(value)[:40]!r}, not true or false")
    return value is True


def _imported(record: Record) -> Verdict | None:
    outcome = fields.outcome(record.get("correct"))
    if outcome is None:
        return None
    return Verdict(outcome, route="file", answer=fields.optional_text(record.get("answer"), "answer"))
