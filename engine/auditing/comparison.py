"""Where a comparison of two runs stands, and what labels could still make of it, in both readings of what was not decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from engine.analyses.clearing import Clear, clear_labels
from engine.analyses.influence import Outlook, Region, Side
from engine.analyses.influence import outlook as pure_outlook
from engine.analyses.intervals import LEVEL
from engine.auditing.doubts import Doubt, doubts
from engine.auditing.labels import Labels, side
from engine.board import Board
from store.reader import Study
from store.rows import ProblemRow, RunRow

_BASE_SOLVES: Final = (Region.BOTH, Region.BASE_ONLY)
_OTHER_SOLVES: Final = (Region.BOTH, Region.OTHER_ONLY)


class Undecided(StrEnum):
    """How a figure counts what was read and could not be decided."""

    AS_JUDGED = "as judged"
    AS_UNSOUND = "as unsound"


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
    mixed: tuple[Outlook, ...] = ()
    """Undecided ones of one run as judged and of the other as unsound, both ways: a finding may hang on that, too. Empty where
    only one run has any."""

    @property
    def settled(self) -> bool | None:
        """No further labels can change what McNemar's test finds, and it does not hang on what nobody could decide; None where
        the runs' n differ and it finds nothing."""
        every = self.kept, self.dropped, *self.mixed
        if any(one.settled is None for one in every):
            return None
        return all(one.settled for one in every) and len({one.conclusion.finding for one in every}) == 1

    @property
    def sets_settled(self) -> bool:
        """No further labels can move a problem to another set, whichever way undecided traces count."""
        return self.kept.sets_settled and self.dropped.sets_settled and self.kept.regions == self.dropped.regions

    @property
    def labels_to_change(self) -> int | None:
        """The fewest further labels after which McNemar's test finds otherwise, in either reading; None where none can."""
        fewest = [one.labels_to_change for one in (self.kept, self.dropped) if one.labels_to_change is not None]
        return min(fewest, default=None)

    @property
    def open_problems(self) -> tuple[int, ...]:
        """Places of the problems that labels of unread traces could move, in either reading."""
        return tuple(sorted({*self.kept.open_problems, *self.dropped.open_problems}))

    @property
    def hanging(self) -> list[tuple[int, bool]]:
        """Problem's place, and of_base, of each side whose undecided traces decide whether it solves its problem."""
        return [
            (place, of_base)
            for place, (kept, dropped) in enumerate(zip(self.kept.regions, self.dropped.regions, strict=True))
            for of_base, solves in ((True, _BASE_SOLVES), (False, _OTHER_SOLVES))
            if (kept in solves) != (dropped in solves)
        ]


def outlook(
    study: Study,
    board: Board,
    base: RunRow,
    other: RunRow,
    labels: Labels,
    *,
    k: int | None = None,
    level: float = LEVEL,
    known: Mapping[int, Doubt] | None = None,
) -> Comparison:
    """Where the comparison stands at a common k (None: the largest).

    known: the doubts about these two runs, which labels do not change and which take long to look for; None looks for them.
    Raises NotFound where the runs share no judged problem, or not that many samples of each.
    """
    k = board.required_k(base, other, k)
    problems = board.judged(base, other)
    found = doubts(study, board, base, other, labels.verifier) if known is None else known
    unread = {sample_id: doubt for sample_id, doubt in found.items() if sample_id not in labels.reads}
    doubtful = Counter((doubt.run_id, doubt.problem_id) for doubt in unread.values() if not doubt.right)

    def sides(run: RunRow) -> list[Side]:
        places = [(run.run_id, problem.problem_id) for problem in problems]
        return [side(study, board, *place, labels, doubtful[place]) for place in places]

    ours, theirs = sides(base), sides(other)
    kept, dropped = (pure_outlook(ours, theirs, k, level=level, keep_undecided=keep) for keep in (True, False))
    sided = [(_as_unsound(ours), theirs), (ours, _as_unsound(theirs))] if _have_undecided(ours, theirs) else []
    mixed = tuple(pure_outlook(*sides, k, level=level) for sides in sided)
    alone = [place for place, region in enumerate(kept.regions) if region in (Region.BASE_ONLY, Region.OTHER_ONLY)]
    clear = clear_labels(ours, theirs, alone, level=level)
    return Comparison(base, other, tuple(problems), labels, kept, dropped, clear, unread, mixed)


def _have_undecided(*runs: Sequence[Side]) -> bool:
    return all(any(side.undecided for side in sides) for sides in runs)


def _as_unsound(sides: Sequence[Side]) -> list[Side]:
    return [replace(side, unsound=side.unsound + side.undecided, undecided=0) for side in sides]
