"""What the labels amount to: the paper's protocol as one table, and CoT-pass@k of runs.

The protocol (Yue et al. 2025, arXiv 2504.13837, section 3): of problems that a run solves, but with an accuracy below 5 %, read
every right answer; report how many problems have at least one by a valid chain. Problems are chosen by the verdicts as they
are stored, so that the list does not change while it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from engine.analyses.cot import Partial, Share, cot_estimate, sound_share
from engine.auditing.labels import AuditedRun, Cell, Labels, audited_run
from engine.auditing.order import QueueItem, all_right
from engine.board import Board
from store.audits import Chosen
from store.reader import Study
from store.rows import ProblemRow, RunRow

if TYPE_CHECKING:
    from engine.analyses.influence import Side

BELOW: Final = 0.05
"""The paper's limit on a problem's accuracy."""

FEWEST_AT_RANDOM: Final = 5
"""Traces of a run, read at random and decided, below which CoT-pass@k is told by bounds alone: an estimate from fewer is nearly
all prior."""


class Chain(StrEnum):
    """What is known of a problem's right answers."""

    VALID = "valid"
    """At least one is sound."""
    AMBIGUOUS = "ambiguous"
    """All were read, none is sound, and some could not be decided."""
    NONE = "none valid"
    """All were read and none is sound, or none was right after all."""
    OPEN = "open"
    """None is known to be sound, and some were not read."""


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """One run, read by the paper's protocol."""

    run: RunRow
    chains: dict[str, Chain]
    """By key, the problems with an accuracy above 0 and below the limit."""
    audited: int
    """Right answers to them that were labelled."""
    to_audit: int
    """Right answers to them in all."""
    stored: int
    """Of which traces are stored: the others cannot be read here."""

    def count(self, chain: Chain) -> int:
        return sum(one is chain for one in self.chains.values())

    @property
    def complete(self) -> bool:
        """Nothing is left to read that could change the row."""
        return not self.count(Chain.OPEN)

    @property
    def left_out(self) -> tuple[int, int]:
        """Problems with a valid chain, of how many, ambiguous ones left out, as the paper counts; open ones have none yet."""
        return self.count(Chain.VALID), len(self.chains) - self.count(Chain.AMBIGUOUS)

    @property
    def kept_in(self) -> tuple[int, int]:
        """The same with the ambiguous ones in the denominator: as if not valid."""
        return self.count(Chain.VALID), len(self.chains)


def protocol(
    study: Study, board: Board, labels: Labels, runs: Sequence[RunRow] | None = None, below: float = BELOW
) -> list[ProtocolRow]:
    """One row for each run (None: all of the board)."""
    return [_row(audited_run(study, board, run, labels), board, below) for run in (runs or board.runs)]


def _row(audited: AuditedRun, board: Board, below: float) -> ProtocolRow:
    problems = [(problem, board.cells[audited.run.run_id, problem.problem_id]) for problem in board.judged(audited.run)]
    chosen = [
        (problem.key, count.correct, side, cell)
        for (problem, count), side, cell in zip(problems, audited.sides, audited.cells, strict=True)
        if 0 < count.correct < below * count.n
    ]
    return ProtocolRow(
        audited.run,
        {key: _chain(correct, side, cell) for key, correct, side, cell in chosen},
        audited=sum(cell.read_right for *_, cell in chosen),
        to_audit=sum(correct for _, correct, _, _ in chosen),
        stored=sum(cell.read_right + side.unread for *_, side, cell in chosen),
    )


def _chain(correct: int, side: Side, cell: Cell) -> Chain:
    if side.sound:
        return Chain.VALID
    if cell.read_right < correct:
        return Chain.OPEN
    return Chain.AMBIGUOUS if side.undecided else Chain.NONE


def by_protocol(
    study: Study, board: Board, labels: Labels, runs: Sequence[RunRow] | None = None, below: float = BELOW
) -> list[QueueItem]:
    """The right answers that the protocol wants read and nobody has: those of problems that are still open first.

    All right answers are to be read, so those of a problem with a valid chain are there, too, at the end.
    """
    found: list[tuple[bool, QueueItem]] = []
    for row in protocol(study, board, labels, runs, below):
        problems = [problem for problem in board.problems if problem.key in row.chains]
        for item in all_right(study, board, [row.run], labels, problems):
            chain = row.chains[item.problem.key]
            if item.sample_id not in labels.reads:
                found.append((chain is not Chain.OPEN, _for_protocol(item, chain, below)))
    return [item for _, item in sorted(found, key=lambda one: one[0])]


def _for_protocol(item: QueueItem, chain: Chain, below: float) -> QueueItem:
    why = f"solved in less than {100 * below:g}% of its samples, {'not decided yet' if chain is Chain.OPEN else chain}"
    return QueueItem(item.sample_id, item.run, item.problem, item.index, Chosen.PROTOCOL, right=True, why=why)


class Ambiguous(StrEnum):
    """How right answers that nobody could decide are counted. Show at least two."""

    LEFT_OUT = "left out"
    """As if they had not been read."""
    SOUND = "as sound"
    UNSOUND = "as unsound"


@dataclass(frozen=True, slots=True)
class Cot:
    """CoT-pass@k of one run."""

    run: RunRow
    problems: int
    ks: tuple[int, ...]
    curve: Partial
    low_share: Share
    """P(CC|CA) were every answer that is not found sound unsound."""
    high_share: Share
    """P(CC|CA) were every answer that is not found unsound sound."""
    right: int
    """Right answers, verdicts corrected."""
    read: int
    random: int
    """Answers that the verifier calls right, drawn at random and decided; those found wrong after all are among them."""
    ambiguous: Ambiguous
    bounds_only: str | None = None
    """Why there is no estimate but bounds; None where there is one, or nothing to estimate."""

    @property
    def exact(self) -> bool:
        """Every right answer was read."""
        return bool((self.curve.low_bound == self.curve.high_bound).all())


def cot(audited: AuditedRun, ks: Sequence[int], ambiguous: Ambiguous = Ambiguous.LEFT_OUT, seed: int = 0) -> Cot:
    """CoT-pass@k, mean over the problems of an audited run: exact, estimated from the random stratum, or bounds alone.

    Bounds alone where fewer than FEWEST_AT_RANDOM traces were read at random, and where those stored are a part of what was
    counted: a draw from a part says nothing of the rest.

    The estimate goes from the stratum to all that the verifier calls right, its errors included: see engine/analyses/cot.py.
    Wrong answers found right were not drawn from those; their chains count as `ambiguous` says. Raises ValueError where there
    are no problems.
    """
    sides, cells = audited.sides, audited.cells
    as_sound, as_unsound = ambiguous is Ambiguous.SOUND, ambiguous is Ambiguous.UNSOUND
    low = [side.sound + as_sound * side.undecided for side in sides]
    high = [side.c - side.unsound - as_unsound * side.undecided for side in sides]
    drawn = [cell.random + (as_sound or as_unsound) * cell.random_undecided for cell in cells]
    sound = [cell.random_sound + as_sound * cell.random_undecided for cell in cells]
    c, ups = [side.c for side in sides], [cell.up for cell in cells]
    judged = [side.c - cell.up + cell.down for side, cell in zip(sides, cells, strict=True)]
    left_out = ambiguous is Ambiguous.LEFT_OUT
    why = None if low == high else _bounds_only(audited, sum(drawn))
    stratum = (drawn, sound) if why is None else ([0] * len(drawn), [0] * len(drawn))
    curve = cot_estimate(
        [side.n for side in sides],
        [right + left_out * up for right, up in zip(judged, ups, strict=True)],
        *stratum,
        list(ks),
        at_least=low,
        at_most=high,
        known=[as_sound * up for up in ups],
        seed=seed,
    )
    return Cot(
        run=audited.run,
        problems=len(sides),
        ks=tuple(ks),
        curve=curve,
        low_share=sound_share(c, low),
        high_share=sound_share(c, high),
        right=sum(c),
        read=sum(side.sound + side.unsound + side.undecided for side in sides),
        random=sum(drawn),
        ambiguous=ambiguous,
        bounds_only=why,
    )


def _bounds_only(audited: AuditedRun, random: int) -> str | None:
    """Why the traces read at random give no estimate of those that were not; None where they do."""
    if audited.is_part:
        return "the stored traces are a part of what was counted, and may have been chosen by their answers"
    if random < FEWEST_AT_RANDOM:
        read = f"{random} trace{'' if random == 1 else 's'} read at random and decided"
        return f"{read}, and an estimate takes {FEWEST_AT_RANDOM} at least"
    return None


def of_set(study: Study, board: Board, runs: Sequence[RunRow], labels: Labels, keys: Sequence[str]) -> list[QueueItem]:
    """Unread right answers of these runs to the problems of a set."""
    problems: list[ProblemRow] = [problem for problem in board.problems if problem.key in set(keys)]
    return [item for item in all_right(study, board, runs, labels, problems) if item.sample_id not in labels.reads]
