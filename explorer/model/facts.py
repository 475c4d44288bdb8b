"""What a worker finds out for the boundary table beside counts and sets: evidence, guess chances, paths, labels, tags.

Each of these is read for a whole benchmark at once, away from the event loop, and is empty where the study holds nothing of it:
`Facts` says which command makes what is missing. No Textual here; numpy comes in when the first of these functions runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from explorer.model.session import Pair, Session
from store.audits import Meaning
from store.reader import Study
from store.rows import RunRow

if TYPE_CHECKING:
    from engine.analyses.boundary import Evidence
    from engine.analyses.guess import Chance

Cell = tuple[int, int]
"""(run_id, problem_id)."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the counts of one problem prove, and how many problems the q-value was adjusted for."""

    evidence: Evidence
    problems: int
    budget: int
    """K: the draws within which a model is to solve it. The pair's common k."""


@dataclass(frozen=True, slots=True)
class Audited:
    """Labels of people in force on one problem's traces of the pair, several auditors of a trace taken together."""

    of_right: Mapping[Meaning, int] = field(default_factory=dict)
    """On right answers, by what they mean."""
    raised: int = 0
    """Answers judged wrong that somebody found right."""

    @property
    def read(self) -> int:
        return sum(self.of_right.values()) + self.raised


NOT_AUDITED: Final = Audited()


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one benchmark and pair."""

    chances: Mapping[Cell, Chance] = field(default_factory=dict)
    """The chance to guess right, from the spread of a run's stored wrong answers; not where traces are a part of the counts."""
    paths: Mapping[Cell, int] = field(default_factory=dict)
    """Reasoning paths that a run's right answers take."""
    has_paths: bool = False
    """Whether `basebound paths` has looked at the benchmark: a run without a path then has 0 of them."""
    audited: Mapping[int, Audited] = field(default_factory=dict)
    """By problem_id."""
    tags: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """By problem_id."""


NO_FACTS: Final = Facts()


def proofs(pair: Pair, budget: int) -> dict[int, Proof]:
    """What the counts say of each problem judged for both runs, by problem_id; none where there is one run only."""
    from engine.summary import evidence_of

    found = {} if pair.other is None else evidence_of(pair.board, pair.base, pair.other, budget)
    return {problem_id: Proof(one, len(found), budget) for problem_id, one in found.items()}


def read_facts(session: Session, pair: Pair) -> Facts:
    """Everything but the proofs. On a connection of its own: it takes long, and what a person asks for must not wait."""
    with session.apart() as study:
        paths = _paths(study, pair)
        return Facts(
            chances=_chances(study, pair, session.verifier),
            paths=paths,
            has_paths=bool(paths),
            audited=_audited(study, pair, session.verifier),
            tags=_tags(study, pair),
        )


def read_labels_again(session: Session, pair: Pair) -> tuple[Mapping[int, Audited], Mapping[int, tuple[str, ...]]]:
    """Labels and tags alone: what changes while somebody audits."""
    with session.apart() as study:
        return _audited(study, pair, session.verifier), _tags(study, pair)


def chance_of(session: Session, pair: Pair, run: RunRow, problem_id: int) -> Chance | None:
    """The chance to guess one problem, as `read_facts` has it."""
    return _chances(session.study, pair, session.verifier).get((run.run_id, problem_id))


def _chances(study: Study, pair: Pair, verifier: str | None) -> dict[Cell, Chance]:
    from engine.answers import answer_classes, guess_chance

    runs = {run.run_id for run in pair.runs}
    found: dict[Cell, Chance] = {}
    for cell, classes in answer_classes(study, pair.board.benchmark, verifier).items():
        count = pair.board.cells.get(cell)
        # Traces that are a part of what was counted may have been chosen by their answers; and one wrong answer, over and
        # over, tells nothing of a right one.
        if cell[0] in runs and count is not None and classes.n == count.n and len(classes.wrong) > 1:
            chance = guess_chance(classes)
            if chance is not None:
                found[cell] = chance
    return found


def _paths(study: Study, pair: Pair) -> dict[Cell, int]:
    from engine.analyses.surface import METHOD
    from store.measures import path_counts

    problems = {problem.problem_id for problem in pair.board.problems}
    return Counter((one.run_id, one.problem_id) for one in path_counts(study, METHOD) if one.problem_id in problems)


def _audited(study: Study, pair: Pair, verifier: str | None) -> dict[int, Audited]:
    from engine.auditing.labels import read_labels

    runs = {run.run_id for run in pair.runs}
    reads = [read for read in read_labels(study, pair.board.benchmark, verifier=verifier).reads.values() if read.run_id in runs]
    right: defaultdict[int, Counter[Meaning]] = defaultdict(Counter)
    for read in reads:
        if read.is_right:
            right[read.problem_id][read.meaning] += 1
    raised = Counter(read.problem_id for read in reads if read.is_raised)
    return {problem: Audited(right[problem], raised[problem]) for problem in {*right, *raised}}


def _tags(study: Study, pair: Pair) -> Mapping[int, tuple[str, ...]]:
    from store.marks import tags

    found: Mapping[int, tuple[str, ...]] = tags(study, pair.board.benchmark)
    return found
