"""What auditors together say of a run's traces, as counts that the analyses take.

Whose labels count is always stated: `auditors` names them, None means every person and no model. Several auditors of one trace
are combined by a rule that is stated, too (`Rule`); where it does not settle, the trace is undecided, never dropped and never
decided by whoever came last.

On a right answer a label says whether its chain is sound. A label that corrects the verdict moves c by one: down for a right
answer, up for a wrong one, whose chain is then undecided, since nobody was asked about it. Labels on samples that no n counts
(ERROR, no verdict, extra ones), and "valid" on a wrong answer, change no number. "Wrong reference" casts doubt on all verdicts
of its problem: only the labelled trace is corrected, the problem is named in `Labels.wrong_references`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.analyses.influence import Side
from engine.board import Board
from store.audits import WRONG_REFERENCE, AuditRow, Meaning, audits, is_model
from store.errors import NotFound
from store.reader import Study
from store.rows import RunRow
from store.types import Outcome


class Rule(StrEnum):
    """How several auditors of one trace are combined."""

    UNANIMOUS = "unanimous"
    """All of them mean the same; else it is undecided."""
    MAJORITY = "majority"
    """More than half of them mean the same; else it is undecided."""


@dataclass(frozen=True, slots=True)
class Read:
    """One trace that somebody labelled."""

    sample_id: int
    run_id: int
    problem_id: int
    outcome: Outcome | None
    meaning: Meaning
    """Of all auditors together."""
    agreed: bool
    """Everyone who labelled it means the same."""
    random: bool
    """It was drawn at random for one of them."""
    extra: bool = False
    """It is an extra sample: no part of n."""

    @property
    def is_right(self) -> bool:
        return self.outcome is Outcome.CORRECT

    @property
    def is_raised(self) -> bool:
        """Judged wrong, and found right."""
        return self.meaning is Meaning.CORRECTED and self.outcome in (Outcome.INCORRECT, Outcome.NO_ANSWER)


@dataclass(frozen=True, slots=True)
class Cell:
    """Labels of one run on one problem. sound, unsound and undecided are of right answers, after correction."""

    sound: int = 0
    unsound: int = 0
    undecided: int = 0
    up: int = 0
    """Wrong ones that are right; they are among the undecided."""
    down: int = 0
    """Right ones that are wrong."""
    random: int = 0
    """Answers that the verifier calls right, drawn at random and decided: found sound, unsound, or wrong after all."""
    random_sound: int = 0
    random_undecided: int = 0

    @property
    def read_right(self) -> int:
        """Answers that the verifier calls right and somebody has labelled."""
        return self.sound + self.unsound + self.undecided - self.up + self.down


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in force of a benchmark, by the auditors and the rule that were asked for."""

    auditors: tuple[str, ...]
    rule: Rule
    verifier: str | None
    """Whose verdicts say what is right; None for the deciding one."""
    reads: Mapping[int, Read]
    """By sample id."""
    wrong_references: tuple[int, ...] = ()
    """Ids of problems of which a trace bears that label."""
    cells: Mapping[tuple[int, int], Cell] = field(default_factory=dict)
    """By (run_id, problem_id); where nobody labelled anything there is none."""

    def cell(self, run_id: int, problem_id: int) -> Cell:
        return self.cells.get((run_id, problem_id), Cell())

    @property
    def disagreed(self) -> int:
        """Traces on which auditors do not mean the same."""
        return sum(not read.agreed for read in self.reads.values())

    @property
    def told(self) -> str:
        """Whose labels and how combined, for printing."""
        if not self.auditors:
            return "no labels"
        how = "" if len(self.auditors) == 1 else f", {self.rule}, {_traces(self.disagreed)} in dispute undecided"
        return f"labels of {', '.join(self.auditors)} on {_traces(len(self.reads))}{how}"


def _traces(number: int) -> str:
    return f"{number:,} trace{'' if number == 1 else 's'}"


NOBODY: Final = Labels((), Rule.UNANIMOUS, None, {})
"""As if nobody had labelled anything."""


def read_labels(
    study: Study,
    benchmark: str,
    auditors: Sequence[str] | None = None,
    rule: Rule = Rule.UNANIMOUS,
    verifier: str | None = None,
) -> Labels:
    """Labels in force. auditors: whose; None for all people, never a model.

    Raises NotFound for a name that has labelled nothing of the study.
    """
    rows = audits(study, benchmark, verifier=verifier)
    if auditors is not None:
        _require(study, auditors)
    wanted = [row for row in rows if (not is_model(row.auditor) if auditors is None else row.auditor in auditors)]
    by_sample: defaultdict[int, list[AuditRow]] = defaultdict(list)
    for row in wanted:
        by_sample[row.sample_id].append(row)
    reads = {sample_id: _read(of, rule) for sample_id, of in by_sample.items()}
    return Labels(
        auditors=tuple(sorted({row.auditor for row in wanted})),
        rule=rule,
        verifier=verifier,
        reads=reads,
        wrong_references=tuple(sorted({row.problem_id for row in wanted if row.label == WRONG_REFERENCE})),
        cells=_cells(reads.values()),
    )


def _require(study: Study, names: Sequence[str]) -> None:
    known = sorted({row.auditor for row in audits(study)})
    for name in names:
        if name not in known:
            raise NotFound(f"{study.path} has no labels by '{name}'; there are: {', '.join(known) or 'none'}")


def combined(meanings: Sequence[Meaning], rule: Rule) -> Meaning:
    """One meaning from those of several auditors; there must be one at least."""
    [(most, times)] = Counter(meanings).most_common(1)
    enough = times == len(meanings) if rule is Rule.UNANIMOUS else 2 * times > len(meanings)
    return most if enough else Meaning.UNDECIDED


def _read(rows: list[AuditRow], rule: Rule) -> Read:
    meanings = [row.meaning for row in rows if row.meaning is not None]
    one = rows[0]
    return Read(
        one.sample_id,
        one.run_id,
        one.problem_id,
        one.outcome,
        combined(meanings, rule),
        agreed=len(set(meanings)) == 1,
        random=any(row.random for row in rows),
        extra=one.extra,
    )


def _cells(reads: Iterable[Read]) -> dict[tuple[int, int], Cell]:
    counted: defaultdict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for read in reads:
        if not read.extra:
            counted[read.run_id, read.problem_id].update(_counts(read))
    return {place: Cell(**counts) for place, counts in counted.items()}


def _counts(read: Read) -> list[str]:
    """The fields of a cell that a label adds one to."""
    if not read.is_right:
        return ["up", "undecided"] if read.is_raised else []
    match read.meaning:
        case Meaning.SOUND:
            return ["sound", *(["random", "random_sound"] if read.random else [])]
        case Meaning.UNSOUND:
            return ["unsound", *(["random"] if read.random else [])]
        case Meaning.CORRECTED:
            return ["down", *(["random"] if read.random else [])]
        case Meaning.UNDECIDED:
            return ["undecided", *(["random_undecided"] if read.random else [])]


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """A run's problems as the analyses take them: lists of one entry each, in problem order."""

    run: RunRow
    keys: tuple[str, ...]
    sides: tuple[Side, ...]
    """n, corrected c and what was read; `unread` only where traces are stored."""
    cells: tuple[Cell, ...]
    is_part: bool = False
    """Fewer traces are stored than were counted of some problem: those that are may have been chosen by their answers."""


def audited_run(study: Study, board: Board, run: RunRow, labels: Labels, among: Sequence[RunRow] = ()) -> AuditedRun:
    """The run on the problems that it, and the runs `among`, were judged on. Doubtful wrong ones are not looked for here."""
    problems = board.judged(run, *among)
    return AuditedRun(
        run,
        tuple(problem.key for problem in problems),
        tuple(side(study, board, run.run_id, problem.problem_id, labels) for problem in problems),
        tuple(labels.cell(run.run_id, problem.problem_id) for problem in problems),
        any(board.cells[run.run_id, problem.problem_id].is_part for problem in problems),
    )


_STORED_RIGHT = """
SELECT count(*) FROM sample JOIN verdict USING (sample_id) JOIN verifier USING (verifier_id)
WHERE problem_id = ? AND run_id = ? AND name = ? AND outcome = 'correct' AND NOT extra
"""


def side(study: Study, board: Board, run_id: int, problem_id: int, labels: Labels, doubtful: int = 0) -> Side:
    """One run on one problem, with what labels say of it."""
    count, cell = board.cells[run_id, problem_id], labels.cell(run_id, problem_id)
    read = cell.sound + cell.unsound + cell.undecided
    stored = count.correct
    if count.is_part or count.published or not count.samples:  # traces are fewer than what was counted
        by = labels.verifier or count.verifier
        stored = study.query(_STORED_RIGHT, (problem_id, run_id, by))[0][0] if count.samples else 0
    c = min(max(count.correct + cell.up - cell.down, read), count.n)
    unread = min(max(0, stored - cell.read_right), c - read)
    return Side(count.n, c, cell.sound, cell.unsound, cell.undecided, unread, min(doubtful, count.n - c))
