"""Audits: what people, and judge models, say of single traces. Reading needs the standard library only.

    for row in audits(study, "aime24"):            # labels in force: the newest of each auditor and sample
        MEANINGS[row.label]

    with AuditWriter(path) as writer:              # no lease: a person labels while a job samples
        writer.add(Audit(sample_id, "ann", 1, chosen=Chosen.INFLUENCE))

- The table is append-only. The newest row of an auditor for a sample is the one in force; a row without a label takes the
  label back. Nothing is ever changed, so undoing is one more row: what stood before (`AuditWriter.put_back`).
- A label is on disk before `add` returns: one transaction with synchronous=FULL, whatever becomes of the process or the
  machine. Another program's write is waited for, up to the busy timeout.
- Who labels is a name. A model's begins with "judge:", so that no figure mixes models with people unasked (`is_model`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from store.appending import CREATED, Appender, require_auditor, require_step
from store.types import JUDGE_PREFIX, Outcome
from store.verdicts import storable

if TYPE_CHECKING:
    from store.reader import Study


class Meaning(StrEnum):
    """What a label says of a trace."""

    SOUND = "sound"
    UNSOUND = "unsound"
    """Its right answer is luck: it does not count as solved by reasoning."""
    UNDECIDED = "undecided"
    """Every figure shows it both ways."""
    CORRECTED = "verdict corrected"
    """The verdict is the reverse of what is stored: c changes by one, n does not."""


@dataclass(frozen=True, slots=True)
class Label:
    word: str
    meaning: Meaning
    rule: str
    """When to give it, in one sentence."""


LABELS: Final[dict[int, Label]] = {
    1: Label("valid", Meaning.SOUND, "The steps lead to the answer and every one that matters is right."),
    2: Label("cancelling errors", Meaning.UNSOUND, "Two or more errors cancel each other, so that a right answer comes out."),
    3: Label("guess", Meaning.UNSOUND, "The answer is guessed, or stands there without being derived."),
    4: Label("answer-aware", Meaning.UNSOUND, "The text knows the answer beforehand and argues towards it."),
    5: Label("skipped steps", Meaning.UNDECIDED, "Steps are missing on which it depends whether the chain is right."),
    6: Label("wrong reference", Meaning.CORRECTED, "The reference answer is wrong, and with it the verdict on this trace."),
    7: Label("verifier wrong", Meaning.CORRECTED, "A right answer was judged wrong, or a wrong one right."),
    8: Label("cannot tell", Meaning.UNDECIDED, "It was read and cannot be decided."),
}
"""By digit: the one table for code, keys and screens."""

MEANINGS: Final = {digit: label.meaning for digit, label in LABELS.items()}

WRONG_REFERENCE: Final = 6
"""It puts every verdict on the problem in doubt, not this trace's alone."""


class Chosen(StrEnum):
    """How a trace came to be read. Only a random choice says something of the traces that nobody read."""

    BROWSE = "browse"
    INFLUENCE = "influence"
    RANDOM = "random"
    PROTOCOL = "protocol"
    IMPORTED = "imported"


@dataclass(frozen=True, slots=True)
class Audit:
    """One label on its way into a study."""

    sample_id: int
    auditor: str
    label: int | None
    """1 to 8; None takes back what this auditor said of the sample."""
    step: int | None = None
    """The step of the response it hangs on, from 1."""
    note: str | None = None
    chosen: Chosen = Chosen.BROWSE
    created: str | None = None
    """UTC, as SQLite writes it; None for now."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A stored label, with the trace it is about."""

    audit_id: int
    sample_id: int
    run_id: int
    problem_id: int
    idx: int
    outcome: Outcome | None
    """By the deciding verifier; None where it has not judged the trace."""
    auditor: str
    label: int | None
    """None only in what `history` gives, or where taken-back labels were asked for."""
    step: int | None
    note: str | None
    chosen: Chosen
    """Of this row."""
    created: str
    random: bool
    """Was this trace ever drawn for this auditor at random? Reading it again from a list makes it no other draw."""
    extra: bool = False
    """Is the trace an extra sample, which no rate counts?"""

    @property
    def meaning(self) -> Meaning | None:
        return None if self.label is None else MEANINGS[self.label]


def is_model(auditor: str) -> bool:
    """Is this a judge model, and no person?"""
    return auditor.startswith(JUDGE_PREFIX)


_AUDITS: Final = """
SELECT audit.audit_id, sample_id, run_id, problem_id, idx,
       (SELECT outcome FROM verdict JOIN verifier USING (verifier_id)
        WHERE verdict.sample_id = sample.sample_id
          AND CASE WHEN :verifier IS NULL THEN name IN (kind, 'imported') ELSE name = :verifier END
        ORDER BY name = 'imported' LIMIT 1),
       auditor, label, step, note, chosen, audit.created, random, extra
FROM {rows} JOIN sample USING (sample_id) JOIN problem USING (problem_id)
WHERE benchmark = ifnull(:benchmark, benchmark)
ORDER BY audit.audit_id
"""

_NEWEST: Final = """
(SELECT max(audit_id) AS audit_id, max(chosen = 'random') AS random FROM audit {of} GROUP BY sample_id, auditor)
JOIN audit USING (audit_id)
"""

_EVERY: Final = """
(SELECT *, max(chosen = 'random') OVER (PARTITION BY sample_id, auditor ORDER BY audit_id) AS random FROM audit {of}) AS audit
"""

_OF_SAMPLE: Final = "WHERE sample_id = :sample_id"
"""Of one trace, by the index: it is asked for whenever a trace is shown, and judge models may have labelled all of them."""


def audits(
    study: Study,
    benchmark: str | None = None,
    *,
    verifier: str | None = None,
    sample_id: int | None = None,
    taken_back: bool = False,
) -> list[AuditRow]:
    """Labels in force, oldest first: of the whole study, a benchmark, or a sample.

    verifier: whose verdicts `outcome` gives, or None for the deciding ones. taken_back: with the rows, label None, of auditors
    who took their label back.
    """
    values = {"benchmark": benchmark, "verifier": verifier, "sample_id": sample_id}
    newest = _NEWEST.format(of="" if sample_id is None else _OF_SAMPLE)
    rows = [_audit_row(row) for row in study.query(_AUDITS.format(rows=newest), values)]
    return [row for row in rows if taken_back or row.label is not None]


def history(study: Study, sample_id: int) -> list[AuditRow]:
    """Every row ever written of a sample, oldest first."""
    values = {"benchmark": None, "verifier": None, "sample_id": sample_id}
    return [_audit_row(row) for row in study.query(_AUDITS.format(rows=_EVERY.format(of=_OF_SAMPLE)), values)]


def auditors(study: Study, benchmark: str | None = None) -> list[str]:
    """Who has labels in force, people before models, each in alphabetical order."""
    return sorted({row.auditor for row in audits(study, benchmark)}, key=lambda name: (is_model(name), name))


def _audit_row(row: tuple[Any, ...]) -> AuditRow:
    audit, sample, run, problem, idx, outcome, auditor, label, step, note, chosen, created, *kinds = row
    judged, (random, extra) = None if outcome is None else Outcome(outcome), map(bool, kinds)
    return AuditRow(
        audit, sample, run, problem, idx, judged, auditor, label, step, note, Chosen(chosen), created, random, extra
    )


INSERT_AUDIT: Final = (
    f"INSERT INTO audit (sample_id, auditor, label, step, note, chosen, created) VALUES (?, ?, ?, ?, ?, ?, {CREATED})"
)


class AuditWriter(Appender):
    """Appends labels to a study that is there. It takes no lease: a job may write the same file meanwhile.

    Use it as a context manager. Raises NotAStudy, WrongSchema, StudyBusy, StudyUnwritable.
    """

    def add(self, audit: Audit) -> int:
        """Append one row; it is on disk when this returns. Returns its id. Errors as in `add_all`."""
        return self.add_all([audit])[0]

    def add_all(self, found: Sequence[Audit]) -> list[int]:
        """Append rows in one transaction: all of them or none. Returns their ids.

        Raises NotFound for a sample that is not there, ValueError for a label, step or auditor that cannot be.
        """
        return self.append(INSERT_AUDIT, [audit_values(audit) for audit in found])

    def put_back(self, sample_id: int, auditor: str, before: AuditRow | Audit | None) -> int:
        """Undo: append what stood before; None where nothing did. Returns the new row's id.

        Any number of steps can be undone by whoever remembers what stood before each: `history` tells it, too.
        """
        if before is None:
            return self.add(Audit(sample_id, auditor, None))
        return self.add(Audit(sample_id, auditor, before.label, before.step, before.note, before.chosen))


def audit_values(audit: Audit) -> tuple[object, ...]:
    """For INSERT_AUDIT. Raises ValueError for what no auditor can have said."""
    if audit.label is not None and audit.label not in LABELS:
        raise ValueError(f"a label is a digit from 1 to {max(LABELS)}, not {audit.label}")
    require_step(audit.step)
    auditor = require_auditor(audit.auditor)
    return astuple(replace(audit, auditor=storable(auditor) or "", note=storable(audit.note)))
