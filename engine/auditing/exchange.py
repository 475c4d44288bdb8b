"""Labels and marks in and out, as JSONL or CSV: one line for each label and each mark, the trace by its link.

    {"trace": "my-base-7b@aime24/aime24:15/731", "auditor": "ann", "label": 2, "step": 14, "note": "...", "chosen": "influence",
     "created": "2026-01-02T03:04:05.678Z"}
    {"trace": "my-base-7b@aime24/aime24:15/731", "auditor": "ann", "mark": "step", "step": 14, "created": "..."}

Out go the labels in force, and with label null those that were taken back; then flags, notes and marked steps, `gone` where
they were taken away. In come lines of the same fields, of which `trace`, `auditor` and `label` or `mark` are needed; `chosen`
is "imported" where a line does not say. Importing is idempotent: what stands already is left alone, and so is a line older than
what stands, so that an old export never undoes later work.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from store.audits import LABELS, Audit, AuditRow, AuditWriter, Chosen, audits
from store.errors import NotFound
from store.marks import Kind, Mark, MarkRow, MarkWriter, marks
from store.names import Link, parse_link
from store.reader import Study

FIELDS: Final = ("trace", "auditor", "label", "step", "note", "chosen", "created", "mark", "gone")

_OF_LABELS: Final = FIELDS[:7]


@dataclass(slots=True)
class Taken:
    """What became of the lines of a file."""

    added: int = 0
    marked: int = 0
    """Flags, notes and marked steps that were added, or taken away."""
    there: int = 0
    """Stood already."""
    older: int = 0
    """Than what stands: left out."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Line and sentence of each that matches nothing or cannot be read."""


class _Refused(Exception):
    """Why a line is not taken."""


def rows_out(study: Study, benchmark: str | None = None, auditors: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """The lines of an export, oldest first. auditors: whose; None for everybody's, models' too."""
    wanted = None if auditors is None else set(auditors)
    slugs = {run.run_id: run.slug for run in study.runs()}
    keys = {
        problem.problem_id: (name, problem.key)
        for name in ([benchmark] if benchmark else study.benchmarks())
        for problem in study.problems(name)
    }
    for row in audits(study, benchmark, taken_back=True):
        if wanted is None or row.auditor in wanted:
            link = Link(slugs[row.run_id], *keys[row.problem_id], row.idx)
            values = (str(link), row.auditor, row.label, row.step, row.note, row.chosen, row.created)
            yield dict(zip(_OF_LABELS, values, strict=True))
    for mark in marks(study, benchmark=benchmark, taken_away=True):
        if wanted is None or mark.auditor in wanted:
            yield _mark_out(mark, Link(slugs[mark.run_id], *keys[mark.problem_id], mark.idx))


def _mark_out(mark: MarkRow, link: Link) -> dict[str, Any]:
    """Only fields that say something."""
    line = {"trace": str(link), "auditor": mark.auditor, "mark": str(mark.kind), "step": mark.step, "note": mark.text}
    found: dict[str, Any] = {name: value for name, value in line.items() if value is not None}
    return found | {"created": mark.created} | ({"gone": True} if mark.gone else {})


def write_jsonl(rows: Iterable[Mapping[str, Any]], file: IO[str]) -> int:
    """Returns how many lines were written."""
    number = 0
    for number, row in enumerate(rows, start=1):  # noqa: B007 - used below
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return number


def write_csv(rows: Iterable[Mapping[str, Any]], file: IO[str]) -> int:
    """Returns how many lines were written, the header aside."""
    writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
    writer.writeheader()
    number = 0
    for number, row in enumerate(rows, start=1):  # noqa: B007 - used below
        writer.writerow(row)
    return number


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a file says that is not there yet."""

    labels: list[Audit]
    marks: list[Mark]


def read_in(study: Study, file: Iterable[str], *, is_csv: bool, auditor: str | None = None) -> tuple[Incoming, Taken]:
    """The labels and marks of a file that are not there yet, and what became of the rest.

    auditor: who said it where a line names nobody. It is checked against the study as it is now: write it at once.
    """
    taken, new, stands, find = Taken(), Incoming([], []), _standing(study), _Finder(study)
    for number, record in _records(file, is_csv):
        try:
            given = _mark(find, record, auditor) if _is_mark(record) else _audit(find, record, auditor)
        except (_Refused, NotFound) as refused:
            taken.refused.append((number, str(refused)))
            continue
        place = _place(given)
        before, now = stands.get(place, _NOTHING), _state(given)
        if before[:-1] == now[:-1]:
            taken.there += 1
        elif now[-1] is not None and before[-1] is not None and now[-1] <= before[-1]:
            taken.older += 1
        else:
            stands[place] = now
            if isinstance(given, Mark):
                new.marks.append(given)
            else:
                new.labels.append(given)
    taken.added, taken.marked = len(new.labels), len(new.marks)
    return new, taken


def write_in(study: Path, new: Incoming) -> None:
    """Labels, all of them or none, then marks. Run again after a failure, the import adds what is lacking."""
    with AuditWriter(study) as labels:
        labels.add_all(sorted(new.labels, key=_age))
    with MarkWriter(study) as writer:
        writer.add_all(sorted(new.marks, key=_age))


def _age(given: Audit | Mark) -> str:
    """A file's order may not be that in which things were said."""
    return given.created or "~"


_State = tuple[int | None, int | None, str | None, str | None]
"""Label (of a mark: whether it stands), step, note, and since when."""

_NOTHING: Final[_State] = (None, None, None, None)

_Place = tuple[int, str, Kind | None, int | None]
"""What a line is about: sample, auditor, and of a mark its kind and step."""


def _standing(study: Study) -> dict[_Place, _State]:
    found = {_place(row): _state(row) for row in audits(study, taken_back=True)}
    return found | {_place(row): _state(row) for row in marks(study, taken_away=True)}


def _place(given: Audit | AuditRow | Mark | MarkRow) -> _Place:
    if isinstance(given, (Mark, MarkRow)):
        return given.sample_id, given.auditor, given.kind, given.step
    return given.sample_id, given.auditor, None, None


def _state(given: Audit | AuditRow | Mark | MarkRow) -> _State:
    """A mark that is gone says no more than one that never was."""
    if isinstance(given, (Mark, MarkRow)):
        return (None, None, None, given.created) if given.gone else (1, given.step, given.text, given.created)
    return given.label, given.step, given.note, given.created


def _records(file: Iterable[str], is_csv: bool) -> Iterator[tuple[int, object]]:
    if is_csv:
        reader = csv.DictReader(file)
        for record in reader:
            yield reader.line_num, {name: value for name, value in record.items() if value not in ("", None)}
        return
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError:
                yield number, None


def _is_mark(record: object) -> bool:
    return isinstance(record, dict) and record.get("mark") is not None


def _audit(find: _Finder, record: object, auditor: str | None) -> Audit:
    if not isinstance(record, dict):
        raise _Refused("not a JSON object")
    link, who = _whereabouts(record, auditor)
    note = record.get("note")
    return Audit(
        sample_id=find.sample(link),
        auditor=who,
        label=_label(record.get("label")),
        step=_whole("step", record.get("step")) or link.step,
        note=None if note is None else str(note),
        chosen=_chosen(record.get("chosen")),
        created=_time(record.get("created")),
    )


def _mark(find: _Finder, record: object, auditor: str | None) -> Mark:
    if not isinstance(record, dict):
        raise _Refused("not a JSON object")
    link, who = _whereabouts(record, auditor)
    kind, gone, text = _kind(record["mark"]), _gone(record.get("gone")), record.get("note")
    step = (_whole("step", record.get("step")) or link.step) if kind is Kind.STEP else None
    if kind is Kind.STEP and step is None:
        raise _Refused('it marks a step and has no field "step"')
    if kind is Kind.NOTE and not gone and not str(text or "").strip():
        raise _Refused('it is a note and has no field "note"')
    return Mark(find.sample(link), who, kind, step, None if text is None else str(text), gone, _time(record.get("created")))


def _whereabouts(record: dict[str, Any], auditor: str | None) -> tuple[Link, str]:
    """Which trace, and whose word."""
    if not record.get("trace"):
        raise _Refused('it has no field "trace", the link of a trace: run/benchmark:problem/sample')
    link = parse_link(str(record["trace"]))
    who = str(record.get("auditor") or auditor or "").strip()
    if not who:
        raise _Refused("it names no auditor; add the field, or give a name with --as")
    return link, who


def _kind(value: object) -> Kind:
    try:
        return Kind(str(value))
    except ValueError:
        raise _Refused(f"'{value}' is no mark; there are: {', '.join(Kind)}") from None


def _gone(value: object) -> bool:
    """CSV has words for it."""
    if value in (None, False, True):
        return bool(value)
    word = str(value).strip().lower()
    if word not in ("true", "false", "1", "0"):
        raise _Refused(f"its gone is neither true nor false: {value!r}")
    return word in ("true", "1")


def _label(value: object) -> int | None:
    label = _whole("label", value)
    if label is not None and label not in LABELS:
        raise _Refused(f"a label is a digit from 1 to {max(LABELS)}, not {label}")
    return label


def _whole(name: str, value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    if isinstance(value, str) and value.strip().isdecimal() and int(value) > 0:
        return int(value)
    raise _Refused(f"its {name} is no whole number above 0: {value!r}")


def _time(value: object) -> str | None:
    """As the study writes it; a time without a zone is taken for UTC."""
    if value is None:
        return None
    try:
        given = datetime.fromisoformat(str(value))
    except ValueError:
        raise _Refused(f"'{value}' is no time as ISO 8601 writes it") from None
    given = given.replace(tzinfo=UTC) if given.tzinfo is None else given.astimezone(UTC)
    return f"{given:%Y-%m-%dT%H:%M:%S}.{given.microsecond // 1000:03}Z"


def _chosen(value: object) -> Chosen:
    if value is None:
        return Chosen.IMPORTED
    try:
        return Chosen(str(value))
    except ValueError:
        raise _Refused(f"'{value}' is no way a trace is chosen; there are: {', '.join(Chosen)}") from None


class _Finder:
    """Samples by link; runs and problems are looked up once."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._slugs = {run.slug: run.run_id for run in study.runs()}
        self._keys = {
            (name, problem.key): problem.problem_id for name in study.benchmarks() for problem in study.problems(name)
        }

    def sample(self, link: Link) -> int:
        """Raises NotFound with the part that is not there."""
        run = self._slugs.get(link.slug)
        problem = None if link.benchmark is None or link.key is None else self._keys.get((link.benchmark, link.key))
        if run is None or problem is None or link.index is None:
            return self._study.find_sample(
                link
            )  # another spelling of the run's name, or the sentence that says what is missing
        sql = "SELECT sample_id FROM sample WHERE problem_id = ? AND run_id = ? AND idx = ?"
        for (sample_id,) in self._study.query(sql, (problem, run, link.index)):
            return int(sample_id)
        raise NotFound(f"{self._study.path} has no trace {link}")
