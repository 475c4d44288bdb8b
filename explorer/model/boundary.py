"""The boundary table's rows: each problem with both runs' counts and its set, how they are filtered and ordered. No Textual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from engine.board import Board
from explorer.model.facts import NO_FACTS, NOT_AUDITED, Audited, Facts, Proof
from explorer.model.numbers import Membership, Sets
from explorer.model.session import Pair
from store.rows import Count, ProblemRow, RunRow


@dataclass(frozen=True, slots=True)
class BoundaryRow:
    """One problem of the table."""

    place: int
    """Its place in the study, from 0."""
    problem: ProblemRow
    base: Count | None
    other: Count | None
    file_base: Count | None
    """Counts by the file's own score, where that stands beside another verifier's."""
    file_other: Count | None
    is_judged: bool
    """Whether each run has a judged sample of it."""
    disputed: int
    """Samples of either run whose verdict another verifier or rule contradicts."""
    member: Membership | None
    """None while the sets are being computed, where there is one run only, and where a run has no judged sample."""
    proof: Proof | None = None
    """None as `member`."""
    guesses: tuple[float | None, float | None] = (None, None)
    """Each run's chance to guess it right; None where nothing tells."""
    paths: tuple[int | None, int | None] = (None, None)
    """Reasoning paths of each run's right answers; None where nobody has looked for them, or there are no traces."""
    audited: Audited = NOT_AUDITED
    tags: tuple[str, ...] = ()

    @property
    def solves_alone(self) -> bool:
        """Whether one run alone solves it: where evidence is asked for."""
        return self.member in (Membership.BASE_ONLY, Membership.OTHER_ONLY)

    @property
    def differs(self) -> bool:
        """Whether the file counts other samples right than the deciding verifier does."""
        return counts_differ(self.base, self.file_base) or counts_differ(self.other, self.file_other)


class Chosen(StrEnum):
    """Which rows are shown."""

    ALL = "all"
    BASE_ONLY = "base only"
    OTHER_ONLY = "other only"
    BOTH = "both"
    NEITHER = "neither"
    UNJUDGED = "not judged"
    DISPUTED = "disputed"


class Order(StrEnum):
    """How they are ordered. Ties keep the study's order."""

    STUDY = "study order"
    KEY = "key"
    BASE = "base c/n"
    OTHER = "other c/n"
    DIFFERENCE = "difference"
    EVIDENCE = "evidence"
    """Problems that one run alone solves first, of these the clear ones, then the least p of Fisher's test."""
    PATHS = "paths"
    """The most paths first, of either run."""
    AUDIT = "audit"
    """The most read ones first."""


_MEMBERS: Final = {
    Chosen.BASE_ONLY: Membership.BASE_ONLY,
    Chosen.OTHER_ONLY: Membership.OTHER_ONLY,
    Chosen.BOTH: Membership.BOTH,
    Chosen.NEITHER: Membership.NEITHER,
}


def boundary_rows(
    pair: Pair,
    sets: Sets | None,
    file_board: Board | None,
    disputed: Mapping[tuple[int, int], int] = MappingProxyType({}),
    proofs: Mapping[int, Proof] = MappingProxyType({}),
    facts: Facts = NO_FACTS,
) -> list[BoundaryRow]:
    """disputed: by (run_id, problem_id); proofs: by problem_id."""
    members: Mapping[str, Membership] = {} if sets is None else sets.members
    return [
        BoundaryRow(
            place=place,
            problem=problem,
            base=pair.count(pair.base, problem),
            other=pair.count(pair.other, problem),
            file_base=_count(file_board, pair.base, problem),
            file_other=_count(file_board, pair.other, problem),
            is_judged=all(count is not None and count.n > 0 for count in (pair.count(run, problem) for run in pair.runs)),
            disputed=sum(disputed.get((run.run_id, problem.problem_id), 0) for run in pair.runs),
            member=members.get(problem.key),
            proof=proofs.get(problem.problem_id),
            guesses=(_guess(facts, pair.base, problem), _guess(facts, pair.other, problem)),
            paths=(_paths(facts, pair, pair.base, problem), _paths(facts, pair, pair.other, problem)),
            audited=facts.audited.get(problem.problem_id, NOT_AUDITED),
            tags=facts.tags.get(problem.problem_id, ()),
        )
        for place, problem in enumerate(pair.board.problems)
    ]


def matches(row: BoundaryRow, chosen: Chosen) -> bool:
    if chosen is Chosen.ALL:
        return True
    if chosen is Chosen.UNJUDGED:
        return not row.is_judged
    return row.disputed > 0 or row.differs if chosen is Chosen.DISPUTED else row.member is _MEMBERS[chosen]


def select(rows: Iterable[BoundaryRow], order: Order, fitting: Set[int] | None = None) -> list[BoundaryRow]:
    """The rows in order; of those whose problem_id is in `fitting`, where there is such a set."""
    return sorted((row for row in rows if fitting is None or row.problem.problem_id in fitting), key=_KEYS[order])


def sizes(rows: Sequence[BoundaryRow]) -> dict[Chosen, int]:
    return {chosen: sum(matches(row, chosen) for row in rows) for chosen in Chosen}


def counts_differ(ours: Count | None, file: Count | None) -> bool:
    """Whether both have judged the problem, and not alike."""
    return (
        ours is not None and file is not None and bool(ours.n and file.n) and (ours.correct, ours.n) != (file.correct, file.n)
    )


def _count(board: Board | None, run: RunRow | None, problem: ProblemRow) -> Count | None:
    return None if board is None or run is None else board.cells.get((run.run_id, problem.problem_id))


def _guess(facts: Facts, run: RunRow | None, problem: ProblemRow) -> float | None:
    chance = None if run is None else facts.chances.get((run.run_id, problem.problem_id))
    return None if chance is None else chance.value


def _paths(facts: Facts, pair: Pair, run: RunRow | None, problem: ProblemRow) -> int | None:
    """0 only where the run has no right answer: of one whose right answers are not stored nobody knows the paths."""
    count = pair.count(run, problem)
    if not facts.has_paths or run is None or count is None:
        return None
    return facts.paths.get((run.run_id, problem.problem_id)) or (None if count.correct else 0)


def _rate(count: Count | None) -> float:
    """c/n, with unjudged problems before all others."""
    return -1.0 if count is None or not count.n else count.correct / count.n


def _evidence(proof: Proof | None) -> tuple[bool, float]:
    """Clear ones first, problems without evidence last."""
    return (True, 2.0) if proof is None else (not proof.evidence.clear, proof.evidence.p_value)


def _natural(key: str) -> tuple[bool, int, str]:
    """Numbered keys by their number, the others by their letters."""
    return (False, int(key), key) if key.isdecimal() and len(key) < 19 else (True, 0, key)


_KEYS: Final[dict[Order, Callable[[BoundaryRow], Any]]] = {
    Order.STUDY: lambda row: row.place,
    Order.KEY: lambda row: _natural(row.problem.key),
    Order.BASE: lambda row: _rate(row.base),
    Order.OTHER: lambda row: _rate(row.other),
    Order.DIFFERENCE: lambda row: _rate(row.other) - _rate(row.base),
    Order.EVIDENCE: lambda row: (not row.solves_alone, *_evidence(row.proof)),
    Order.PATHS: lambda row: -max((number for number in row.paths if number is not None), default=-1),
    Order.AUDIT: lambda row: -row.audited.read,
}
