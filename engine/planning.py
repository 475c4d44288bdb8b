"""Where further samples of two runs would settle most: `engine.analyses.planning` over a board. Counts alone are enough.

What a plan asks for is drawn beyond the run's n, as extra samples: `extra_of`. They stay out of pass@k and of the sets at a
common k, and count for the standing of their own problem, so that the next plan knows what was spent and asks for less.

A plan fixes how many extra samples there will be before it sees them, but after it has seen the others, and the next plan looks
again. The chances are of a posterior, which does not mind; the bounds behind a standing are meant for one look, and every look
is another chance to be wrong. With K = 64, 128 samples, and twice as many at each further look, a model whose p lies at the
very limit, 1/K, is called CAN in 1.6 % of cases at one look, in 3.0, 3.9 and 5.2 % after two, three and four, in 7.7 % after
six, at 60 K samples: past the 5 % of `engine.analyses.reach` from the fourth look on. CANNOT is not said before 60 K samples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.analyses.boundary import Standing
from engine.analyses.intervals import LEVEL
from engine.analyses.planning import Proposal, affordable, plan
from engine.board import Board
from engine.summary import all_counts
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
class Extra:
    """Extra samples of one run that are there already, judged or not."""

    problems: int
    samples: int


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
    extra: tuple[Extra, Extra]
    """Of base and other, what earlier plans have drawn: the standings count it, the four sets do not."""

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

    Standings and chances are of all samples of a problem; a proposal's `changes` says to which of the four sets all of them
    would put it, while the sets themselves move only once the run's n does.
    Raises NotFound where the runs share no judged problem, or not k samples of each.
    """
    k = board.required_k(base, other, k)
    problems, (base_n, base_c, other_n, other_c) = all_counts(board, base, other)
    found = plan(base_n, base_c, other_n, other_c, k if budget is None else budget, k, level)
    taken = {one.place for one in affordable(found.proposals, _cost(found.proposals) if spend is None else spend)}
    entries = []
    for one in found.proposals:
        problem = problems[one.place]
        ours, theirs = (board.cells[run.run_id, problem.problem_id] for run in (base, other))
        entries.append(Entry(problem, ours, theirs, one, one.place in taken))
    standings = Counter(found.standings)
    return PairPlan(
        benchmark=board.benchmark,
        verifier=board.verifier,
        base=base,
        other=other,
        budget=found.budget,
        k=found.k,
        level=level,
        standings=standings,
        entries=tuple(entries),
        extra=(_extra(board, base), _extra(board, other)),
    )


def shared(found: Sequence[PairPlan], spend: int) -> list[PairPlan]:
    """The plans with the proposals taken that settle most per sample of all, so far as `spend` samples pay for them."""
    asked = [(place, entry) for place, one in enumerate(found) for entry in one.entries if entry.proposal.samples]
    asked.sort(key=lambda each: each[1].proposal.settles / each[1].proposal.samples, reverse=True)
    taken: set[tuple[int, int]] = set()
    for place, entry in asked:
        if entry.proposal.samples <= spend:
            spend -= entry.proposal.samples
            taken.add((place, entry.problem.problem_id))
    return [
        replace(one, entries=tuple(replace(e, taken=(place, e.problem.problem_id) in taken) for e in one.entries))
        for place, one in enumerate(found)
    ]


def extra_of(found: PairPlan, n: int | None = None) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """What is paid for, for base and other: by problem key, how many samples the run is to have beyond its n, those extra ones
    among them that are there already.

    n: what the run is asked for, where that may be less than it has; None for what it has.
    """
    sides = [(entry.problem.key, entry.base, entry.proposal.base) for entry in found.entries if entry.taken]
    others = [(entry.problem.key, entry.other, entry.proposal.other) for entry in found.entries if entry.taken]
    base, other = ({key: _beyond(count, n) + ask.samples for key, count, ask in of if ask.samples} for of in (sides, others))
    return base, other


def _beyond(count: Count, n: int | None) -> int:
    """Samples that are there beyond n."""
    return count.extra + (0 if n is None else max(0, count.samples - n))


def _extra(board: Board, run: RunRow) -> Extra:
    drawn = [count.extra for (run_id, _), count in board.cells.items() if run_id == run.run_id and count.extra]
    return Extra(len(drawn), sum(drawn))


def _cost(proposals: Sequence[Proposal]) -> int:
    return sum(one.samples for one in proposals)


def _total(proposals: Sequence[Proposal]) -> Total:
    asked = [one for one in proposals if one.samples]
    return Total(len(asked), _cost(asked), sum(one.settles for one in asked))
