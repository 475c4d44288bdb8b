"""Where further samples of two runs would settle most: `engine.analyses.planning` over a board. Counts alone are enough."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.analyses.boundary import Standing
from engine.analyses.intervals import LEVEL
from engine.analyses.planning import Proposal, affordable, plan
from engine.board import Board
from engine.summary import paired_counts
from store.rows import Count, ProblemRow, RunRow


@dataclass(frozen=True, slots=True)
class Entry:
    """One undetermined problem, and what to draw of it."""

    problem: ProblemRow
    base: Count
    other: Count
    proposal: Proposal
    taken: bool
    """Whether the samples that may be spent pay for it; always true of a proposal where nobody set a limit."""


@dataclass(frozen=True, slots=True)
class Total:
    """What some of the entries come to."""

    problems: int
    samples: int
    settles: float
    """Expected number of problems settled."""


@dataclass(frozen=True, slots=True)
class PairPlan:
    """Two runs of a benchmark."""

    benchmark: str
    verifier: str
    base: RunRow
    other: RunRow
    budget: int
    """K of the standings: the draws within which a model is to solve a problem."""
    k: int
    """Of the four sets."""
    level: float
    standings: Counter[Standing]
    """Over the problems both runs were judged on."""
    entries: tuple[Entry, ...]
    """Undetermined problems, most settled per sample first."""

    @property
    def whole(self) -> Total:
        """All that is proposed."""
        return _total([entry.proposal for entry in self.entries])

    @property
    def taken(self) -> Total:
        """What is paid for."""
        return _total([entry.proposal for entry in self.entries if entry.taken])

    @property
    def going_on(self) -> Total:
        """The problems that further samples would settle if every rate seen went on, and how many those are."""
        costs = [(one.proposal.base.cost, one.proposal.other.cost) for one in self.entries]
        sums = [base + other for base, other in costs if base is not None and other is not None]
        return Total(len(sums), sum(sums), len(sums))


def plan_pair(
    board: Board,
    base: RunRow,
    other: RunRow,
    budget: int | None = None,
    k: int | None = None,
    spend: int | None = None,
    level: float = LEVEL,
) -> PairPlan:
    """budget: K, by default k. k: of the four sets, by default the smallest n. spend: how many samples may be drawn; None for
    as many as it takes.

    Raises NotFound where the runs share no judged problem, or not k samples of each.
    """
    k = board.required_k(base, other, k)
    problems, (base_n, base_c, other_n, other_c) = paired_counts(board, base, other)
    found = plan(base_n, base_c, other_n, other_c, k if budget is None else budget, k, level)
    taken = {one.place for one in affordable(found.proposals, _cost(found.proposals) if spend is None else spend)}
    entries = []
    for one in found.proposals:
        problem = problems[one.place]
        ours, theirs = (board.cells[run.run_id, problem.problem_id] for run in (base, other))
        entries.append(Entry(problem, ours, theirs, one, one.place in taken))
    standings = Counter(found.standings)
    return PairPlan(board.benchmark, board.verifier, base, other, found.budget, found.k, level, standings, tuple(entries))


def _cost(proposals: Sequence[Proposal]) -> int:
    return sum(one.samples for one in proposals)


def _total(proposals: Sequence[Proposal]) -> Total:
    asked = [one for one in proposals if one.samples]
    return Total(len(asked), _cost(asked), sum(one.settles for one in asked))
