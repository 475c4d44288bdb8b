"""The ways to choose traces for the audit queue: each gives all of its traces, and those of them still to be read, in order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from engine.auditing.chains import by_protocol
from engine.auditing.labels import NOBODY
from engine.auditing.order import QueueItem, all_right, listed, luck, random_stratum
from explorer.model.queue import NEAR, STRATUM
from store.audits import Chosen
from store.marks import Kind, MarkRow, marks
from store.suspicions import scores
from store.types import Outcome

if TYPE_CHECKING:
    from engine.auditing import Comparison, Labels
    from explorer.model.session import Pair, Session
    from store.reader import Study
    from store.rows import ProblemRow

_LOOKED_AT: Final = 60
"""Traces whose suspicion is worked out for the list where it is not stored: those that are read first."""


@dataclass(frozen=True, slots=True)
class Queued:
    every: Sequence[QueueItem]
    still: Sequence[QueueItem]
    """Those that are to be read, first things first."""
    far: int = 0
    """Further traces that could move a problem, in more than NEAR labels."""


def by_influence(session: Session, before: Comparison, now: Comparison, *, look: bool) -> Queued:
    """look: work out suspicions that are not stored, too."""
    every = listed(session.study, _near(before), None)
    still = listed(session.study, _near(now), _Looking(_LOOKED_AT if look else 0))
    far = sum(one.traces for one in now.kept.influences if one.labels > NEAR)
    return Queued(every, still, far)


def at_random(session: Session, pair: Pair, labels: Labels) -> Queued:
    nobody, size = replace(NOBODY, verifier=session.verifier), STRATUM
    every = random_stratum(session.study, pair.board, pair.runs, nobody, size)
    while every and len(every) == size and all(_is_drawn(labels, item) for item in every):
        size += STRATUM
        every = random_stratum(session.study, pair.board, pair.runs, nobody, size)
    return Queued(every, [item for item in every if not _is_drawn(labels, item)])


def by_the_paper(session: Session, pair: Pair, labels: Labels) -> Queued:
    nobody = replace(NOBODY, verifier=session.verifier)
    every = by_protocol(session.study, pair.board, nobody, pair.runs)
    return Queued(every, by_protocol(session.study, pair.board, labels, pair.runs))


def of_problem(session: Session, pair: Pair, labels: Labels, comparison: Comparison | None, problem: ProblemRow) -> Queued:
    """Its right answers, and the wrong ones that there is reason to think right."""
    right = all_right(session.study, pair.board, pair.runs, labels, [problem])
    known, runs = {item.sample_id for item in right}, {run.run_id: run for run in pair.runs}
    doubted = [
        QueueItem(doubt.sample_id, runs[doubt.run_id], problem, doubt.index, Chosen.BROWSE, right=False, why=doubt.why)
        for doubt in (comparison.doubts.values() if comparison else ())
        if doubt.problem_id == problem.problem_id and doubt.sample_id not in known
    ]
    every = [*right, *doubted]
    return Queued(every, [item for item in every if item.sample_id not in labels.reads])


def flagged(session: Session, pair: Pair, flags: Sequence[MarkRow], own: set[int]) -> Queued:
    """Every flagged trace of the benchmark. own: those that this auditor has labelled."""
    runs, problems = ({run.run_id: run for run in pair.board.runs}, {p.problem_id: p for p in pair.board.problems})
    rights = {
        row.sample_id: row.outcome is Outcome.CORRECT
        for problem_id in dict.fromkeys(flag.problem_id for flag in flags)
        for row in session.study.traces(problem_id, session.verifier)
    }
    every = [
        QueueItem(flag.sample_id, runs[flag.run_id], problems[flag.problem_id], flag.idx, Chosen.BROWSE, right, why="flagged")
        for flag in flags
        if flag.run_id in runs and (right := rights.get(flag.sample_id)) is not None
    ]
    return Queued(every, [item for item in every if item.sample_id not in own])


def flags_of(session: Session, benchmark: str) -> list[MarkRow]:
    """One flag of each flagged trace, oldest first; in blind mode, of those this auditor has flagged."""
    found = [mark for mark in marks(session.study, benchmark=benchmark) if mark.kind is Kind.FLAG]
    if session.labels.blind:
        found = [mark for mark in found if mark.auditor == session.auditor]
    return list({mark.sample_id: mark for mark in found}.values())


def mixed(queued: Queued, *, by_rank: bool) -> Queued:
    """The right answers among them, in an order that does not tell which run each is of.

    Wrong ones are listed because their verdict is in doubt, which nobody can judge who does not see it.
    by_rank: problems stay in their order, and only the traces of each are mixed. Otherwise which problems come first could tell
    the run, too.
    """
    return replace(queued, every=_mixed(queued.every, by_rank), still=_mixed(queued.still, by_rank))


def _mixed(items: Sequence[QueueItem], by_rank: bool) -> list[QueueItem]:
    ranks: dict[int, int] = {}
    right = [item for item in items if item.right]
    for item in right:
        ranks.setdefault(item.problem.problem_id, len(ranks) if by_rank else 0)
    return sorted(right, key=lambda item: (ranks[item.problem.problem_id], _lot(item)))


def _lot(item: QueueItem) -> bytes:
    return hashlib.blake2b(f"blind {item.link}".encode(), digest_size=16).digest()


def _near(comparison: Comparison) -> Comparison:
    """With what could change it in few labels only: of a problem that is solved often, a thousand traces would be listed."""
    kept, dropped = (
        replace(of, influences=tuple(one for one in of.influences if one.labels <= NEAR))
        for of in (comparison.kept, comparison.dropped)
    )
    return replace(comparison, kept=kept, dropped=dropped)


def _is_drawn(labels: Labels, item: QueueItem) -> bool:
    read = labels.reads.get(item.sample_id)
    return read is not None and read.random


class _Looking:
    """Suspicions as they are stored, and worked out for so many more."""

    def __init__(self, left: int) -> None:
        self._left = left

    def __call__(self, study: Study, sample_ids: Sequence[int], verifier: str | None) -> Mapping[int, float]:
        found = scores(study, sample_ids)
        lacking = [sample_id for sample_id in sample_ids if sample_id not in found][: self._left]
        self._left -= len(lacking)
        return found | luck(study, lacking, verifier) if lacking else found
