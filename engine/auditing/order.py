"""What to read next: traces whose label can move the conclusion, most first; a random stratum; or the paper's protocol.

`outlook` says where a comparison of two runs stands and what labels could still make of it, `queue` lists the traces that
could, `random_stratum` and `all_right` those of the two other ways to choose. Nothing that a label cannot change is in a
queue, so a queue that is empty is done.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from engine.analyses.clearing import Clear, clear_labels
from engine.analyses.influence import Influence, Outlook, Region, Side
from engine.analyses.influence import outlook as pure_outlook
from engine.analyses.intervals import LEVEL
from engine.auditing.doubts import Doubt, doubts
from engine.auditing.labels import Labels, read_labels, side
from engine.board import Board
from store.audits import Chosen
from store.errors import NotFound
from store.names import Link
from store.reader import DECIDING, Study
from store.rows import ProblemRow, RunRow

Suspect = Callable[[Study, Sequence[int], str | None], Mapping[int, float]]
"""How much speaks for luck in some traces, by sample id, in [0, 1]; the verifier is the one that decides."""

_RIGHT: Final = f"""
SELECT sample.sample_id, idx FROM problem JOIN sample USING (problem_id) {DECIDING}
WHERE sample.problem_id = :problem_id AND sample.run_id = :run_id AND ours.outcome = 'correct' ORDER BY idx
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs and what labels say of them, in both readings of what nobody could decide."""

    base: RunRow
    other: RunRow
    problems: tuple[ProblemRow, ...]
    labels: Labels
    kept: Outlook
    """Undecided ones counting as their verdicts have it."""
    dropped: Outlook
    """Undecided ones counting as unsound."""
    clear: dict[int, Clear]
    """By place, of the problems that one run solves alone: do the models differ there, and how many labels would undo it?"""
    doubts: dict[int, Doubt]

    @property
    def settled(self) -> bool | None:
        """No further labels can change what McNemar's test finds, and it does not hang on what nobody could decide; None where
        the runs' n differ and it finds nothing."""
        if self.kept.settled is None or self.dropped.settled is None:
            return None
        same = self.kept.conclusion.finding is self.dropped.conclusion.finding
        return self.kept.settled and self.dropped.settled and same


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One trace to read, and why."""

    sample_id: int
    run: RunRow
    problem: ProblemRow
    index: int
    chosen: Chosen
    right: bool
    """Its verdict."""
    why: str
    influence: Influence | None = None
    """What it could do; None where it was not chosen for that."""
    priority: float = 0.0
    suspicion: float | None = None
    """Of luck for a right answer, of a wrong verdict for a wrong one; None where nobody looked."""

    @property
    def link(self) -> Link:
        return Link(self.run.slug, self.problem.benchmark, self.problem.key, self.index)


def luck(study: Study, sample_ids: Sequence[int], verifier: str | None) -> dict[int, float]:
    """The suspicion of luck of some traces (engine/suspecting.py)."""
    from engine.suspecting import suspect

    return {one.sample_id: one.score for one in suspect(study, sample_ids, verifier)}


def outlook(
    study: Study, board: Board, base: RunRow, other: RunRow, labels: Labels, *, k: int | None = None, level: float = LEVEL
) -> Comparison:
    """Where the comparison stands at a common k (None: the largest).

    Raises NotFound where the runs share no judged problem, or not that many samples of each.
    """
    most = board.common_k(base, other)
    if most is None:
        raise NotFound(f"{base.slug} and {other.slug} share no judged problem of {board.benchmark}; see `basebound passk`")
    if k is not None and k > most:
        raise NotFound(f"{base.slug} and {other.slug} cannot be compared at k = {k}: their smallest n is {most}")
    problems = board.judged(base, other)
    found = doubts(study, board, base, other, labels.verifier)
    unread = {sample_id: doubt for sample_id, doubt in found.items() if sample_id not in labels.reads}
    doubtful = Counter((doubt.run_id, doubt.problem_id) for doubt in unread.values() if not doubt.right)

    def sides(run: RunRow) -> list[Side]:
        places = [(run.run_id, problem.problem_id) for problem in problems]
        return [side(study, board, *place, labels, doubtful[place]) for place in places]

    ours, theirs = sides(base), sides(other)
    kept, dropped = (pure_outlook(ours, theirs, k or most, level=level, keep_undecided=keep) for keep in (True, False))
    alone = [place for place, region in enumerate(kept.regions) if region in (Region.BASE_ONLY, Region.OTHER_ONLY)]
    clear = clear_labels(ours, theirs, alone, level=level)
    return Comparison(base, other, tuple(problems), labels, kept, dropped, clear, unread)


def queue(
    study: Study,
    board: Board,
    base: RunRow,
    other: RunRow,
    *,
    labels: Labels | None = None,
    k: int | None = None,
    suspect: Suspect | None = luck,
    limit: int | None = None,
) -> list[QueueItem]:
    """Unread traces that could move a problem to another set, those that could do most with the fewest labels first.

    labels: those that count already; None for all people's. suspect: what breaks ties among right answers; None leaves them in
    the order of their problems. limit: how many at least; equals of the last one's priority are looked at together.
    Where a flip takes fewer labels than there are traces for it, the others come later: one more of them changes nothing.
    """
    labels = labels or read_labels(study, board.benchmark)
    return listed(study, outlook(study, board, base, other, labels, k=k), suspect, limit)


def listed(study: Study, comparison: Comparison, suspect: Suspect | None = luck, limit: int | None = None) -> list[QueueItem]:
    """The queue of a comparison: see `queue`."""
    found: list[QueueItem] = []
    ranked = sorted(_rounds(comparison), key=lambda one: -one[0])
    for priority, tied in groupby(ranked, key=lambda one: one[0]):
        if limit is not None and len(found) >= limit:
            break
        items = [item for _, influence, turn in tied for item in _items(study, comparison, influence, turn)]
        weighed = _weighed(study, comparison, [replace(item, priority=priority) for item in items], suspect)
        found += sorted(weighed, key=lambda item: -(item.suspicion or 0.0))
    return found[:limit]


def _rounds(comparison: Comparison) -> Iterator[tuple[float, Influence, int]]:
    """Priority, influence, and which of its rounds: as many traces as the flip needs are the first round, and so on."""
    for one in _influences(comparison):
        for turn in range(-(-one.traces // one.labels)):
            yield one.priority / (1 + turn), one, turn


def _influences(comparison: Comparison) -> list[Influence]:
    """Of both readings of the undecided, each flip once."""
    found = {(one.problem, one.of_base): one for one in comparison.dropped.influences}
    return list((found | {(one.problem, one.of_base): one for one in comparison.kept.influences}).values())


def _items(study: Study, comparison: Comparison, influence: Influence, turn: int) -> list[QueueItem]:
    run = comparison.base if influence.of_base else comparison.other
    problem = comparison.problems[influence.problem]
    if influence.right:
        right = _right_traces(study, run, problem, comparison.labels.verifier)
        unread = [(sample_id, index) for sample_id, index in right if sample_id not in comparison.labels.reads]
    else:
        of_side = [
            d
            for d in comparison.doubts.values()
            if (d.run_id, d.problem_id) == (run.run_id, problem.problem_id) and not d.right
        ]
        unread = [(d.sample_id, d.index) for d in sorted(of_side, key=lambda doubt: (-doubt.strength, doubt.index))]
    part = unread[turn * influence.labels : (turn + 1) * influence.labels]
    why = _why(influence)
    return [QueueItem(s, run, problem, i, Chosen.INFLUENCE, influence.right, why, influence) for s, i in part]


def _why(one: Influence) -> str:
    of = "right answers found unsound" if one.right else "wrong ones found right"
    p_value = "" if one.conclusion.p_value is None else f", p {one.conclusion.p_value:.3g}"
    return f"{one.labels} of {one.traces} {of}: {one.before} → {one.after}{p_value}"


def _weighed(study: Study, comparison: Comparison, items: Sequence[QueueItem], suspect: Suspect | None) -> Iterator[QueueItem]:
    """With what speaks for a wrong verdict, else for luck."""
    plain = [item.sample_id for item in items if item.sample_id not in comparison.doubts]
    scores = {} if suspect is None or not plain else suspect(study, plain, comparison.labels.verifier)
    for item in items:
        doubt = comparison.doubts.get(item.sample_id)
        if doubt is None:
            yield replace(item, suspicion=scores.get(item.sample_id))
        else:  # of a right answer, too: another verifier says wrong
            yield replace(item, suspicion=doubt.strength, why=f"{item.why} ({doubt.why})")


def _right_traces(study: Study, run: RunRow, problem: ProblemRow, verifier: str | None) -> list[tuple[int, int]]:
    """Sample id and index, by index."""
    values = {"problem_id": problem.problem_id, "run_id": run.run_id, "verifier": verifier}
    return [(sample_id, index) for sample_id, index in study.query(_RIGHT, values)]


def all_right(
    study: Study, board: Board, runs: Sequence[RunRow], labels: Labels, problems: Sequence[ProblemRow] | None = None
) -> list[QueueItem]:
    """Every right answer of these runs, read or not, by problem and run; of some problems only, where given."""
    return [
        QueueItem(sample_id, run, problem, index, Chosen.BROWSE, right=True, why="right answer")
        for problem in (board.problems if problems is None else problems)
        for run in runs
        for sample_id, index in _right_traces(study, run, problem, labels.verifier)
    ]


def random_stratum(
    study: Study, board: Board, runs: Sequence[RunRow], labels: Labels, size: int, seed: int = 0
) -> list[QueueItem]:
    """`size` right answers drawn at random from all of these runs; the same ones each time, and more of them for a larger size.

    A trace that was labelled for another reason stays in: to count as drawn at random it must be labelled again as such.
    What auditors labelled in this stratum before is left out of the list, not of the draw.
    """
    drawn = sorted(all_right(study, board, runs, labels), key=lambda item: _lot(item.link, seed))[:size]
    done = {sample_id for sample_id, read in labels.reads.items() if read.random}
    return [replace(one, chosen=Chosen.RANDOM, why="drawn at random") for one in drawn if one.sample_id not in done]


def _lot(link: Link, seed: int) -> bytes:
    """Where a trace stands in the order of the draw: by what names it, so that copies of a study draw alike."""
    return hashlib.blake2b(f"{seed} {link}".encode(), digest_size=16).digest()
