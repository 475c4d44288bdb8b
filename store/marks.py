"""Marks: what auditors keep of a trace beside their label, and tags of problems. Reading needs the standard library only.

    for row in marks(study, sample_id):            # in force: the newest of each auditor, kind and step
        row.kind, row.step, row.text

    with MarkWriter(path) as writer:               # no lease: a person reads while a job samples
        writer.add(Mark(sample_id, "ann", Kind.FLAG))
        writer.add(Mark(sample_id, "ann", Kind.FLAG, gone=True))

- A flag says "come back to this"; a note is text on the whole trace, one for each auditor; a step is marked by its number.
- Both tables are append-only, with the promises of labels (store/audits.py): the newest row is in force, `gone` takes it away,
  and a row is on disk before `add` returns. Undoing is one more row.
- A tag is a word on a problem. Each auditor's tags are their own; `tags` gives the words that somebody has in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from typing import Any, Final

from store.appending import CREATED, Appender, require_auditor, require_step
from store.reader import NEWEST_MARK, NEWEST_TAG, Study
from store.verdicts import storable


class Kind(StrEnum):
    FLAG = "flag"
    NOTE = "note"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark on its way into a study."""

    sample_id: int
    auditor: str
    kind: Kind
    step: int | None = None
    """From 1; of a marked step, and of nothing else."""
    text: str | None = None
    gone: bool = False
    """Take away what this auditor's mark of that kind, and step, was."""
    created: str | None = None
    """UTC, as SQLite writes it; None for now."""


@dataclass(frozen=True, slots=True)
class MarkRow:
    """A stored mark."""

    mark_id: int
    sample_id: int
    run_id: int
    problem_id: int
    idx: int
    auditor: str
    kind: Kind
    step: int | None
    text: str | None
    gone: bool
    """True only where marks that were taken away were asked for."""
    created: str


@dataclass(frozen=True, slots=True)
class Tag:
    """One word on a problem, on its way into a study."""

    problem_id: int
    word: str
    auditor: str
    gone: bool = False
    created: str | None = None


_MARKS: Final = f"""
SELECT mark_id, sample_id, run_id, problem_id, idx, auditor, given.kind, step, text, gone, given.created
FROM mark AS given JOIN sample USING (sample_id) JOIN problem USING (problem_id)
WHERE {NEWEST_MARK} AND benchmark = ifnull(:benchmark, benchmark) {{of}}
ORDER BY mark_id
"""

_TAGS: Final = f"""
SELECT problem_id, tag, auditor FROM tag AS given JOIN problem USING (problem_id)
WHERE NOT gone AND {NEWEST_TAG} AND benchmark = ifnull(:benchmark, benchmark) ORDER BY problem_id, tag
"""


def marks(
    study: Study, sample_id: int | None = None, *, benchmark: str | None = None, taken_away: bool = False
) -> list[MarkRow]:
    """Marks in force, oldest first: of a sample, a benchmark, or the whole study. taken_away: with those that are gone."""
    of = "" if sample_id is None else "AND sample_id = :sample_id"
    rows = study.query(_MARKS.format(of=of), {"sample_id": sample_id, "benchmark": benchmark})
    return [found for found in map(_mark_row, rows) if taken_away or not found.gone]


def tags(study: Study, benchmark: str | None = None, auditor: str | None = None) -> dict[int, tuple[str, ...]]:
    """By problem id, in alphabetical order, the words that somebody (or that auditor) has put on it; only problems with any.

    benchmark: None for the whole study.
    """
    found: defaultdict[int, dict[str, None]] = defaultdict(dict)
    for problem_id, word, whose in study.query(_TAGS, {"benchmark": benchmark}):
        if auditor in (None, whose):
            found[problem_id][word] = None
    return {problem_id: tuple(words) for problem_id, words in found.items()}


def _mark_row(row: tuple[Any, ...]) -> MarkRow:
    mark_id, sample_id, run_id, problem_id, idx, auditor, kind, step, text, gone, created = row
    return MarkRow(mark_id, sample_id, run_id, problem_id, idx, auditor, Kind(kind), step, text, bool(gone), created)


INSERT_MARK: Final = (
    f"INSERT INTO mark (sample_id, auditor, kind, step, text, gone, created) VALUES (?, ?, ?, ?, ?, ?, {CREATED})"
)

_INSERT_TAG: Final = f"INSERT INTO tag (problem_id, tag, auditor, gone, created) VALUES (?, ?, ?, ?, {CREATED})"


class MarkWriter(Appender):
    """Appends marks and tags to a study that is there. It takes no lease: a job may write the same file meanwhile.

    Use it as a context manager. Raises NotAStudy, WrongSchema, StudyBusy, StudyUnwritable.
    """

    def add(self, mark: Mark) -> int:
        """Append one row; it is on disk when this returns. Returns its id. Errors as in `add_all`."""
        return self.add_all([mark])[0]

    def add_all(self, found: Sequence[Mark]) -> list[int]:
        """Append rows in one transaction: all of them or none. Returns their ids.

        Raises NotFound for a sample that is not there, ValueError for a mark that cannot be.
        """
        return self.append(INSERT_MARK, [mark_values(mark) for mark in found])

    def add_tags(self, found: Iterable[Tag]) -> list[int]:
        """The same for tags. Raises NotFound for a problem that is not there, ValueError for a tag without a word."""
        return self.append(_INSERT_TAG, [_tag_values(tag) for tag in found], of="problem")


def mark_values(mark: Mark) -> tuple[object, ...]:
    """For INSERT_MARK. Raises ValueError for what no auditor can have marked."""
    require_step(mark.step)
    if (mark.kind is Kind.STEP) != (mark.step is not None):
        raise ValueError(f"a marked step has a number, and a {mark.kind} is of the whole trace" if mark.step else "which step?")
    if mark.kind is Kind.NOTE and not mark.gone and not (mark.text or "").strip():
        raise ValueError("a note needs a text")
    auditor = require_auditor(mark.auditor)
    return astuple(replace(mark, auditor=storable(auditor) or "", text=storable(mark.text)))


def _tag_values(tag: Tag) -> tuple[object, ...]:
    word = (storable(tag.word) or "").strip()
    if not word:
        raise ValueError("a tag needs a word")
    return astuple(replace(tag, word=word, auditor=storable(require_auditor(tag.auditor)) or ""))
