"""What to read next: traces whose label can move the conclusion, most first; a random stratum; or the paper's protocol.

`outlook` (engine/auditing/comparison.py) says where two runs stand and what labels could still make of it, `queue` lists the
traces that could, `random_stratum` and `all_right` those of the two other ways to choose. Nothing that a label cannot change is
in a queue. A queue that is empty is done where nothing hangs on traces that were read and not decided: those are `contested`,
and reading them again, or another auditor, decides them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from engine.analyses.influence import Influence
from engine.auditing.comparison import Comparison, Undecided, outlook
from engine.auditing.labels import Labels, Read, read_labels
from engine.board import Board
from store.audits import Chosen, Meaning
from store.names import Link
from store.reader import DECIDING, Study
from store.rows import ProblemRow, RunRow

Suspect = Callable[[Study, Sequence[int], str | None], Mapping[int, float]]
"""How much speaks for luck in some traces, by sample id, in [0, 1]; the verifier is the one that decides."""

_RIGHT: Final = f"""
SELECT sample.sample_id, idx FROM problem JOIN sample USING (problem_id) {DECIDING}
WHERE sample.problem_id = :problem_id AND sample.run_id = :run_id AND ours.outcome = 'correct' AND NOT sample.extra
ORDER BY idx
"""


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
    changes_finding: bool = False
    """Its flip alone changes what McNemar's test finds."""
    undecided: Undecided | None = None
    """The reading in which that is so; None where both say the same of it."""

    @property
    def link(self) -> Link:
        return Link(self.run.slug, self.problem.benchmark, self.problem.key, self.index)


def luck(study: Study, sample_ids: Sequence[int], verifier: str | None) -> dict[int, float]:
    """The suspicion of luck of some traces (engine/suspecting.py)."""
    from engine.suspecting import suspect

    return {one.sample_id: one.score for one in suspect(study, sample_ids, verifier)}


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
    """Unread traces that could move a problem to another set: those whose flip changes McNemar's finding first, then those that
    could do most with the fewest labels.

    labels: those that count already; None for all people's. suspect: what breaks ties among right answers; None leaves them in
    the order of their problems. limit: how many at least; equals of the last one's rank are looked at together.
    Where a flip takes fewer labels than there are traces for it, the others come later: one more of them changes nothing.
    """
    labels = labels or read_labels(study, board.benchmark)
    return listed(study, outlook(study, board, base, other, labels, k=k), suspect, limit)


def listed(study: Study, comparison: Comparison, suspect: Suspect | None = luck, limit: int | None = None) -> list[QueueItem]:
    """The queue of a comparison: see `queue`."""
    found: list[QueueItem] = []
    ranked = sorted(_rounds(comparison), key=lambda one: one.rank)
    for _, tied in groupby(ranked, key=lambda one: one.rank):
        if limit is not None and len(found) >= limit:
            break
        items = [item for one in tied for item in _items(study, comparison, one)]
        found += sorted(_weighed(study, comparison, items, suspect), key=lambda item: -(item.suspicion or 0.0))
    return found[:limit]


@dataclass(frozen=True, slots=True)
class _Flip:
    """An influence in one reading, and which of its rounds: as many traces as the flip needs are the first, and so on."""

    influence: Influence
    changes_finding: bool
    undecided: Undecided | None
    turn: int = 0

    @property
    def priority(self) -> float:
        return self.influence.priority / (1 + self.turn)

    @property
    def rank(self) -> tuple[bool, float]:
        """What changes the finding comes first, then what does most for each label."""
        return not self.changes_finding, -self.priority


def _rounds(comparison: Comparison) -> Iterator[_Flip]:
    for one in _flips(comparison):
        for turn in range(-(-one.influence.traces // one.influence.labels)):
            yield replace(one, turn=turn)


def _flips(comparison: Comparison) -> Iterator[_Flip]:
    """Of both readings of the undecided, each flip once: in the reading where it changes the finding, else as judged."""
    kept, dropped = (
        {
            (one.problem, one.of_base): _Flip(one, one.conclusion.finding is not of.conclusion.finding, how)
            for one in of.influences
        }
        for of, how in ((comparison.kept, Undecided.AS_JUDGED), (comparison.dropped, Undecided.AS_UNSOUND))
    )
    for place in dropped | kept:
        ways = [way[place] for way in (kept, dropped) if place in way]
        if len(ways) == 2 and ways[0].influence == ways[1].influence:
            yield replace(ways[0], undecided=None)
        else:
            yield max(ways, key=lambda way: way.changes_finding)  # the first of equals


def _items(study: Study, comparison: Comparison, flip: _Flip) -> list[QueueItem]:
    influence = flip.influence
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
    part = unread[flip.turn * influence.labels : (flip.turn + 1) * influence.labels]
    made = influence.right, _why(flip), influence, flip.priority, None, flip.changes_finding, flip.undecided
    return [QueueItem(sample_id, run, problem, index, Chosen.INFLUENCE, *made) for sample_id, index in part]


def _why(flip: _Flip) -> str:
    one = flip.influence
    of = "right answers found unsound" if one.right else "wrong ones found right"
    p_value = "" if one.conclusion.p_value is None else f", p {one.conclusion.p_value:.3g}"
    changes = ", changes the finding" if flip.changes_finding else ""
    reading = f" (undecided {flip.undecided})" if flip.undecided else ""
    return f"{one.labels} of {one.traces} {of}: {one.before} → {one.after}{p_value}{changes}{reading}"


def contested(study: Study, comparison: Comparison) -> list[QueueItem]:
    """Traces that were read and not decided, of the sides on which the two readings of them differ: by problem and run.

    They can be read again, or by another auditor. A wrong answer that a label calls right is one of them: nobody was asked
    about its chain.
    """
    found = []
    for place, of_base in comparison.hanging:
        run, problem = comparison.base if of_base else comparison.other, comparison.problems[place]
        moved = f"{comparison.kept.regions[place]} → {comparison.dropped.regions[place]} with undecided as unsound"
        for read in comparison.labels.reads.values():
            why = _not_decided(read) if (read.run_id, read.problem_id) == (run.run_id, problem.problem_id) else None
            if why is not None:
                [(index,)] = study.query("SELECT idx FROM sample WHERE sample_id = ?", (read.sample_id,))
                told = f"{why}: {moved}"
                found.append(QueueItem(read.sample_id, run, problem, index, Chosen.INFLUENCE, read.is_right, told))
    return found


def _not_decided(read: Read) -> str | None:
    """Why a trace that was read leaves its side open; None where it does not."""
    if not read.is_right:
        return "found right, its chain is not decided" if read.is_raised else None
    if read.meaning is not Meaning.UNDECIDED:
        return None
    return "undecided" if read.agreed else "auditors disagree"


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
    """Sample id and index, by index; extra samples are left out, for labels on them change no number."""
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
