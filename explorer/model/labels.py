"""What a person says of traces, and the way back from it: labels, notes, flags, marked steps, tags. No Textual here.

One for a session, so that undoing knows no screens: `undo` takes back the newest change, whatever trace it was of, and the one
before it when called again, as far as the session goes back. Each change is on disk before its method returns (`AuditWriter`,
`MarkWriter`), and counts as done only then: where the study is locked or read-only the method raises a StudyError, and nothing,
here or on disk, is another thing than before. Methods return one sentence for the screen that names no run, so that it can be
said in blind mode too. Call them from one thread at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from store.audits import LABELS, Audit, AuditRow, AuditWriter, Chosen, audits, is_model
from store.errors import StudyError, StudyUnwritable
from store.marks import Kind, Mark, MarkRow, MarkWriter, Tag, marks, tags

if TYPE_CHECKING:
    from explorer.model.session import Session
    from store.rows import ProblemRow, Trace

BUSY_MS: Final = 1_500
"""How long a label waits for a lock: somebody looks at the screen, and can press the digit again."""

TAKES_BACK: Final = "u takes it back"
NOTHING_LEFT: Final = "nothing left to take back: the labels given before this session began stay"


@dataclass(frozen=True, slots=True)
class Said:
    """What auditors say of one trace, in force now."""

    own: AuditRow | None
    """This auditor's label."""
    others: tuple[AuditRow, ...]
    """Other auditors' labels, people before models."""
    flagged: bool
    note: str | None
    steps: tuple[int, ...]
    """Marked by this auditor, in the order they were marked."""
    other_marks: tuple[MarkRow, ...] = ()

    @property
    def all_steps(self) -> tuple[int, ...]:
        """Marked by anybody."""
        return (*self.steps, *(mark.step for mark in self.other_marks if mark.step is not None))

    @property
    def label(self) -> int | None:
        return None if self.own is None else self.own.label


@dataclass(frozen=True, slots=True)
class _Back:
    """What one change is taken back with."""

    told: str
    """What was done: "2 cancelling errors"."""
    sample_id: int | None = None
    """The trace it was done to; None for a tag."""
    problem: str = ""
    index: int | None = None
    labelled: tuple[AuditRow | None] | None = None
    """The label before, where the change was one of a label: a tuple of one, since it may have been None."""
    marks: tuple[Mark, ...] = ()
    tags: tuple[Tag, ...] = ()


class Labels:
    """What this session's auditor says, and takes back."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done: list[_Back] = []
        self._newest: dict[int, int] = {}
        """By sample, the audit row that this session wrote last: what another one wrote since is not taken back."""
        self.blind = False
        """Hide model, verdict and what others say while auditing. Here, so that it holds on every screen of the audit."""
        self.last: int | None = None
        """The sample that the newest change, or undoing, was of; None for a tag, and before any."""

    @property
    def auditor(self) -> str:
        return self._session.auditor

    def named(self, problem: str, index: int | None) -> str:
        """The trace, as sentences call it: in blind mode by its problem alone."""
        return problem if index is None or self.blind else f"{problem} #{index}"

    @property
    def undoable(self) -> int:
        """How many changes can be taken back."""
        return len(self._done)

    def of(self, sample_id: int) -> Said:
        """Raises StudyError where the study cannot be read."""
        rows = audits(self._session.study, sample_id=sample_id)
        own = next((row for row in rows if row.auditor == self.auditor), None)
        others = [row for row in rows if row.auditor != self.auditor]
        found = marks(self._session.study, sample_id, taken_away=True)
        mine = [row for row in found if row.auditor == self.auditor]
        note = next((row for row in mine if row.kind is Kind.NOTE), None)
        return Said(
            own,
            tuple(sorted(others, key=lambda row: is_model(row.auditor))),
            flagged=any(row.kind is Kind.FLAG and not row.gone for row in mine),
            # A note of one's own, even one that was taken away, goes before what stands in one's label (imported ones do).
            note=(own.note if own else None) if note is None else None if note.gone else note.text,
            steps=tuple(row.step for row in mine if row.step is not None and not row.gone),
            other_marks=tuple(row for row in found if row.auditor != self.auditor and not row.gone),
        )

    def give(self, trace: Trace, digit: int, step: int | None = None, chosen: Chosen = Chosen.BROWSE) -> str:
        """Label the trace. step: the one it hangs on; None for the one marked last, if any."""
        said = self.of(trace.row.sample_id)
        step = step or (said.steps[-1] if said.steps else None)
        self._label(trace, digit, step, chosen, said.own)
        at = "" if step is None else f" at step {step}"
        return f"{digit} {LABELS[digit].word}{at} on {self._name(trace)} · {TAKES_BACK}"

    def note(self, trace: Trace, text: str) -> str:
        """Write, change or (with an empty text) take away this auditor's note on the trace."""
        sample_id, new = trace.row.sample_id, text.strip()
        before = self.of(sample_id).note
        if new == (before or ""):
            return "the note is as it was"
        told = ("the note" if before is None else "the new note") if new else "taking the note away"
        self._mark(trace, told, [self._note(sample_id, new)], [self._note(sample_id, before)])
        return f"{'note kept' if new else 'note taken away'} on {self._name(trace)} · {TAKES_BACK}"

    def flag(self, trace: Trace) -> str:
        """Flag the trace, or take its flag away."""
        sample_id = trace.row.sample_id
        gone = self.of(sample_id).flagged
        mark = Mark(sample_id, self.auditor, Kind.FLAG, gone=gone)
        self._mark(trace, "taking the flag away" if gone else "the flag", [mark], [replace(mark, gone=not gone)])
        name = self._name(trace)
        return f"{f'flag of {name} taken away' if gone else f'{name} flagged: a, then f lists flags'} · {TAKES_BACK}"

    def mark_step(self, trace: Trace, step: int) -> str:
        """Mark the step, or take its mark away. The label hangs on the step marked last, whichever of the two came first."""
        sample_id = trace.row.sample_id
        said = self.of(sample_id)
        gone = step in said.steps
        mark = Mark(sample_id, self.auditor, Kind.STEP, step, gone=gone)
        told = f"{'unmarking' if gone else 'marking'} step {step}"
        self._mark(trace, told, [mark], [replace(mark, gone=not gone)])
        done = f"step {step} of {self._name(trace)} {'is no longer marked' if gone else 'marked'}"
        return f"{done}{self._follow(trace, step, said, gone=gone)} · {TAKES_BACK}"

    def _follow(self, trace: Trace, step: int, said: Said, *, gone: bool) -> str:
        """Hang a label that was given before on the step that is marked now, as a part of the same change. The words for it."""
        own = said.own
        if own is None or own.label is None:
            return "" if gone else ": the label will hang on it"
        left = [each for each in said.steps if each != step]
        to = (left[-1] if left else None) if gone else step
        if own.step == to or (gone and own.step != step):
            return ""
        marking = self._done[-1]
        try:
            self._label(trace, own.label, to, own.chosen, own)
        except StudyError as error:
            return f", but the label did not follow ({error}): {own.label} hangs it there"
        self._done[-2:] = [replace(marking, labelled=(own,))]
        where = "no step any more" if to is None else f"step {to}" if gone else "it"
        return f": your {own.label} {LABELS[own.label].word} hangs on {where}"

    def tags(self, problem: ProblemRow) -> tuple[str, ...]:
        """This auditor's tags of the problem."""
        return tags(self._session.study, problem.benchmark, self.auditor).get(problem.problem_id, ())

    def tag(self, problem: ProblemRow, words: str | Sequence[str]) -> str:
        """Put these tags on the problem, and no others of this auditor's: words with commas or blanks between them."""
        given = words.replace(",", " ").split() if isinstance(words, str) else words
        new, before = dict.fromkeys(given), self.tags(problem)
        added = [word for word in new if word not in before]
        dropped = [word for word in before if word not in new]
        if not added and not dropped:
            return "the tags are as they were"
        there = [Tag(problem.problem_id, word, self.auditor) for word in added]
        gone = [Tag(problem.problem_id, word, self.auditor) for word in dropped]
        back = [*(replace(tag, gone=True) for tag in there), *gone]
        with self._marking() as writer:
            writer.add_tags([*there, *(replace(tag, gone=True) for tag in gone)])
        self._did(_Back(f"the tags {', '.join(new) or 'none'}", problem=problem.key, tags=tuple(back)))
        return f"problem {problem.key}: {', '.join(new) or 'no tags'} · {TAKES_BACK}"

    def undo(self) -> str:
        """Take back the newest change that was not taken back yet; `last` says of which trace it was."""
        if not self._done:
            return NOTHING_LEFT
        back = self._done[-1]
        if back.labelled is not None and back.sample_id is not None:
            if self._is_changed_elsewhere(back.sample_id):
                self._done.pop()
                self.last = back.sample_id
                name = self.named(back.problem, back.index)
                return f"your label of {name} was changed elsewhere since, and stays as it is · {_more(len(self._done))}"
            with self._labelling() as writer:
                self._newest[back.sample_id] = writer.put_back(back.sample_id, self.auditor, back.labelled[0])
        if back.marks or back.tags:
            with self._marking() as writer:
                writer.add_all(back.marks)
                writer.add_tags(back.tags)
        self._done.pop()
        self.last = back.sample_id
        self._session.look()
        return f"took back {back.told} of {self.named(back.problem, back.index)} · {_more(len(self._done))}"

    def _is_changed_elsewhere(self, sample_id: int) -> bool:
        """Whether another session of this auditor's has labelled the sample since this one did."""
        rows = audits(self._session.study, sample_id=sample_id, taken_back=True)
        newest = next((row.audit_id for row in rows if row.auditor == self.auditor), None)
        return newest != self._newest.get(sample_id)

    def _label(self, trace: Trace, digit: int, step: int | None, chosen: Chosen, before: AuditRow | None) -> None:
        sample_id = trace.row.sample_id
        note = before.note if before else None
        with self._labelling() as writer:
            self._newest[sample_id] = writer.add(Audit(sample_id, self.auditor, digit, step, note, chosen))
        told = f"{digit} {LABELS[digit].word}"
        self._did(_Back(told, sample_id, trace.problem.key, trace.row.idx, labelled=(before,)))

    def _mark(self, trace: Trace, told: str, new: Sequence[Mark], back: Sequence[Mark]) -> None:
        with self._marking() as writer:
            writer.add_all(new)
        self._did(_Back(told, trace.row.sample_id, trace.problem.key, trace.row.idx, marks=tuple(back)))

    def _name(self, trace: Trace) -> str:
        return self.named(trace.problem.key, trace.row.idx)

    def _did(self, back: _Back) -> None:
        self._done.append(back)
        self.last = back.sample_id
        self._session.look()  # so that the screens beneath read again when one comes back to them

    def _note(self, sample_id: int, text: str | None) -> Mark:
        return Mark(sample_id, self.auditor, Kind.NOTE, text=text or None, gone=not text)

    def _labelling(self) -> AuditWriter:
        self._session.require_same_file()
        return AuditWriter(self._session.study.path, BUSY_MS)

    def _marking(self) -> MarkWriter:
        self._session.require_same_file()
        return MarkWriter(self._session.study.path, BUSY_MS)


def _more(number: int) -> str:
    if not number:
        return "nothing more to take back"
    return f"{number:,} more to take back"


def why_not(error: Exception) -> str:
    """Why a change was not kept, and what to do, for the screen."""
    if isinstance(error, StudyUnwritable):
        return f"not kept: {error} (`cp`, then `basebound explore` the copy)"
    return f"not kept: {error}"
