"""What to read next, as the audit queue lists it: which traces, why, what was said of them so far. No Textual here.

`read_standing` says where the comparison stood without any label and where it stands now, `read_listing` lists the traces of
one way to choose them (`By`): first those still to be read, in the order to read them, then those judged. Both take long
on a large study and belong in a worker; neither needs a numeric library before it is called.

In blind mode (`Labels.blind`) only the auditor's own labels count, so that the reading is a second one and nobody's first
steers it; and traces are mixed, so that no order tells which run one is of. Wrong answers are listed because their verdict is
in question, which nobody can judge who does not see it, so a blind queue leaves them out (`Listing.left_out`). What is left
was judged right, all of it: blindness hides the run, what others say and the reference, and cannot hide that verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from explorer.model.session import Pair, Session
from explorer.model.walk import ALL, Walk
from store.audits import AuditRow, audits, is_model
from store.errors import NotFound
from store.rows import ProblemRow, TraceRow
from store.types import Finish, Outcome

if TYPE_CHECKING:
    from engine.auditing import Comparison, Labels, QueueItem
    from engine.auditing.doubts import Doubt
    from explorer.model.queue_choosing import Queued


NEAR: Final = 8
"""Labels that a change of sets may take to be listed: what takes more is counted, not listed."""


STRATUM: Final = 50
"""Traces of the random stratum that are listed at once; once they are read, as many more."""


class By(StrEnum):
    """How traces are chosen."""

    INFLUENCE = "most consequential"
    UNDECIDED = "undecided"
    """Read already, and not decided, where that decides a set."""
    RANDOM = "random stratum"
    PROTOCOL = "paper's protocol"
    PROBLEM = "one problem"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Entry:
    """One trace of the queue."""

    item: QueueItem
    own: int | None
    """This auditor's label."""
    others: tuple[tuple[str, int], ...]
    """Other auditors' labels, people's first: name and digit."""
    judged: bool
    """It is not asked for any more, in this way to choose."""
    flagged: bool = False

    @property
    def sample_id(self) -> int:
        return self.item.sample_id


@dataclass(frozen=True, slots=True)
class Listing:
    """The queue, chosen in one way."""

    by: By
    entries: tuple[Entry, ...]
    """Those still to be read first, in the order to read them."""
    far: int = 0
    """Further traces that could move a problem, in more labels than are asked for (NEAR)."""
    why_empty: str = ""
    left_out: int = 0
    """Wrong answers that a blind queue does not ask for."""

    @property
    def judged(self) -> int:
        return sum(entry.judged for entry in self.entries)

    @property
    def still(self) -> frozenset[int]:
        """Ids of the traces still to be read."""
        return frozenset(entry.sample_id for entry in self.entries if not entry.judged)

    @property
    def is_done(self) -> bool:
        """There was something to read, and it was read. Flags are to come back to: they are never done."""
        return bool(self.entries) and not self.still and self.by is not By.FLAGGED

    @property
    def is_widened(self) -> bool:
        """The traces that were drawn first are read: what is listed now makes the draw larger."""
        return self.by is By.RANDOM and bool(self.still) and self.judged >= STRATUM

    @property
    def lacks_suspicion(self) -> bool:
        """Some suspicion was not stored, and not worked out either."""
        return self.by is By.INFLUENCE and any(e.item.suspicion is None and not e.judged for e in self.entries)


@dataclass(frozen=True, slots=True)
class Carrying:
    """The right answers that carry the conclusion, as the study's first screen counts them."""

    of_base: bool
    """They are the baseline's, on problems that it alone solves; else the other run's."""
    run_id: int
    problem_ids: frozenset[int]
    right: int


@dataclass(frozen=True, slots=True)
class Share:
    """Of answers drawn at random and decided, how many are sound, with Clopper and Pearson's 95 % interval."""

    sound: int
    decided: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What the labels amount to: the comparison without them, and with them."""

    before: Comparison | None
    """None where there is nothing to compare: then `why` says why."""
    now: Comparison | None
    labels: Labels
    """Those that count: all people's, or in blind mode this auditor's."""
    why: str = ""
    hanging: tuple[QueueItem, ...] = ()
    """Traces that were read and not decided, where that decides a set."""
    carrying: Carrying | None = None
    drawn: Share | None = None
    """Of all runs compared; None while nothing drawn was decided."""
    is_whole: bool = True
    """Wrong answers that may be right were looked for."""

    @property
    def contested(self) -> int:
        return len(self.hanging)


@dataclass(frozen=True, slots=True)
class QueueWalk(Walk):
    """A way through the queue: each trace has its problem at the same place, so that one step may lead to another problem."""

    def to(self, at: int) -> QueueWalk:
        return replace(self, at_problem=at, at_trace=at)


def walk_over(listing: Listing, at: int) -> QueueWalk:
    """The way through a listing, at the trace of that place."""
    items = [entry.item for entry in listing.entries]
    return QueueWalk(tuple(item.problem for item in items), at, tuple(map(_trace_row, items)), at, ALL)


def _trace_row(item: QueueItem) -> TraceRow:
    """As much of a list's row as the queue knows: enough to find the trace, which is then read whole."""
    outcome = Outcome.CORRECT if item.right else Outcome.INCORRECT
    place = item.sample_id, item.run.run_id, item.problem.problem_id, item.index
    return TraceRow(*place, outcome, None, None, None, None, Finish.UNKNOWN, 0, None, None, suspicion=item.suspicion)


def offered(pair: Pair, problem: ProblemRow | None, *, hanging: bool = False) -> list[By]:
    """The ways to choose that there are: a comparison needs two runs, one problem needs to be known.

    hanging: some trace was read and not decided, and decides a set.
    """
    there = {By.INFLUENCE: pair.other is not None, By.UNDECIDED: hanging, By.PROBLEM: problem is not None}
    return [by for by in By if there.get(by, True)]


def read_standing(session: Session, pair: Pair, earlier: Standing | None = None, *, whole: bool = True) -> Standing:
    """earlier: a standing of the same pair, of which only the labels are out of date.

    whole: look for wrong answers that may be right, too, unless `earlier` has. It reads texts: seconds, on a large study.
    Raises StudyError where the study cannot be read.
    """
    from engine.auditing import contested, outlook
    from engine.auditing.labels import NOBODY

    study, board, labels = session.study, pair.board, _labels(session, pair)
    drawn = _share(pair, labels)
    if pair.other is None:
        return Standing(None, None, labels, "one run alone: there are no sets to compare", drawn=drawn)
    before = earlier.before if earlier and (earlier.is_whole or not whole) else None
    known: dict[int, Doubt] | None = None if whole else {}
    try:
        nobody = replace(NOBODY, verifier=session.verifier)
        before = before or outlook(study, board, pair.base, pair.other, nobody, known=known)
    except NotFound as error:
        return Standing(None, None, labels, str(error), drawn=drawn)
    now = outlook(study, board, pair.base, pair.other, labels, known=before.doubts)
    is_whole = whole or (earlier is not None and earlier.is_whole)
    hanging = tuple(contested(study, now))
    carrying = earlier.carrying if earlier else _carrying(session, pair)
    return Standing(before, now, labels, hanging=hanging, carrying=carrying, drawn=drawn, is_whole=is_whole)


def _carrying(session: Session, pair: Pair) -> Carrying | None:
    from explorer.model.audit_stand import audit_stand
    from explorer.model.numbers import Membership, pair_numbers

    sets = pair_numbers(pair).sets
    stand = audit_stand(session.study, session.verifier, pair, sets)
    if stand is None or sets is None or pair.other is None or not stand.right:
        return None
    of_base = stand.where is Membership.BASE_ONLY
    problems = frozenset(one.problem_id for one in pair.board.problems if sets.members.get(one.key) is stand.where)
    return Carrying(of_base, (pair.base if of_base else pair.other).run_id, problems, stand.right)


def _share(pair: Pair, labels: Labels) -> Share | None:
    runs = {run.run_id for run in pair.runs}
    cells = [cell for (run_id, _), cell in labels.cells.items() if run_id in runs]
    sound, decided = sum(cell.random_sound for cell in cells), sum(cell.random for cell in cells)
    if not decided:
        return None
    from engine.analyses.intervals import clopper_pearson

    low, high = clopper_pearson([decided], [sound])
    return Share(sound, decided, float(low[0]), float(high[0]))


def read_listing(
    session: Session, pair: Pair, by: By, standing: Standing, problem: ProblemRow | None = None, *, look: bool = False
) -> Listing:
    """look: work out suspicions that are not stored, of the first traces of the list.

    Raises StudyError where the study cannot be read.
    """
    from explorer.model.queue_choosing import flags_of, mixed

    if by is By.INFLUENCE and standing.now is None:
        return Listing(by, (), why_empty=standing.why)
    rows = _by_sample(audits(session.study, pair.board.benchmark))
    flagged = {flag.sample_id for flag in flags_of(session, pair.board.benchmark)}
    queued = _queued(session, pair, by, standing, problem, rows, look=look)
    left_out = 0
    if session.labels.blind and by is not By.RANDOM:  # which has no order but that of the draw
        left_out = sum(not item.right for item in queued.still)
        queued = mixed(queued, by_rank=by is By.INFLUENCE)
    still = {item.sample_id for item in queued.still}
    done = [item for item in queued.every if item.sample_id not in still]
    if by in (By.INFLUENCE, By.PROTOCOL):  # what nobody read, and nothing hangs on any more, is in no queue
        done = [item for item in done if item.sample_id in standing.labels.reads]

    def entry(item: QueueItem, judged: bool) -> Entry:
        own, others = _said(rows.get(item.sample_id, ()), session.auditor)
        return Entry(item, own, others, judged, item.sample_id in flagged)

    entries = (*(entry(item, False) for item in queued.still), *(entry(item, True) for item in done))
    return Listing(by, entries, queued.far, "" if entries else _WHY_EMPTY[by], left_out)


_WHY_EMPTY = {
    By.INFLUENCE: "no label can move a problem from one set to another",
    By.UNDECIDED: "no trace that was read and left undecided decides a set",
    By.RANDOM: "no right answers are stored to draw from",
    By.PROTOCOL: "no run solves a problem in less than 5% of its samples, which is what the protocol reads",
    By.PROBLEM: "no right answer to this problem is stored, and no wrong one is in doubt",
    By.FLAGGED: "nothing is flagged: f flags the trace on the screen",
}


def _queued(
    session: Session,
    pair: Pair,
    by: By,
    standing: Standing,
    problem: ProblemRow | None,
    rows: Mapping[int, Sequence[AuditRow]],
    *,
    look: bool,
) -> Queued:
    from explorer.model import queue_choosing as choosing

    labels = standing.labels
    match by:
        case By.RANDOM:
            return choosing.at_random(session, pair, labels)
        case By.PROTOCOL:
            return choosing.by_the_paper(session, pair, labels)
        case By.FLAGGED:
            own = {sample_id for sample_id, of in rows.items() if any(row.auditor == session.auditor for row in of)}
            return choosing.flagged(session, pair, choosing.flags_of(session, pair.board.benchmark), own)
    if by is By.PROBLEM and problem is not None:
        return choosing.of_problem(session, pair, labels, standing.before, problem)
    if by is By.UNDECIDED or standing.before is None or standing.now is None:
        hanging = standing.hanging if by is By.UNDECIDED else ()
        return choosing.Queued(hanging, hanging)
    return choosing.by_influence(session, standing.before, standing.now, look=look)


def _labels(session: Session, pair: Pair) -> Labels:
    """All people's labels; in blind mode this auditor's, who may have given none."""
    from engine.auditing import read_labels
    from engine.auditing.labels import NOBODY

    benchmark, verifier = pair.board.benchmark, session.verifier
    if not session.labels.blind:
        return read_labels(session.study, benchmark, verifier=verifier)
    if all(row.auditor != session.auditor for row in audits(session.study)):
        return replace(NOBODY, verifier=verifier)
    return read_labels(session.study, benchmark, [session.auditor], verifier=verifier)


def _by_sample(rows: Sequence[AuditRow]) -> dict[int, list[AuditRow]]:
    found: defaultdict[int, list[AuditRow]] = defaultdict(list)
    for row in rows:
        found[row.sample_id].append(row)
    return found


def _said(rows: Sequence[AuditRow], auditor: str) -> tuple[int | None, tuple[tuple[str, int], ...]]:
    own = next((row.label for row in rows if row.auditor == auditor), None)
    others = [(row.auditor, row.label) for row in rows if row.auditor != auditor and row.label is not None]
    return own, tuple(sorted(others, key=lambda one: is_model(one[0])))
