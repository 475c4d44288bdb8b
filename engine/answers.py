r"""Classes of answers: which samples of a run and problem give the same answer, for votes and for the chance to guess right.

All correct answers are one class, however they are written, since the verifier found them equal to the reference. Wrong ones
are one class where they differ on the surface only (`engine.verifiers.surface`: \frac12 and \frac{1}{2}, not 1/2 and 0.5), so
equal values written in different ways may stay apart and split their votes. Only traces that are stored have answers: where
they are a part of what was counted, these classes are not those of the counts. Standard library only until a vote is counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.verifiers.surface import normalise
from store.answers import AnswerCount, answer_counts
from store.reader import Study
from store.types import Outcome

if TYPE_CHECKING:
    from engine.analyses.guess import Chance

Classes = Mapping[tuple[int, int], "AnswerClasses"]
"""By (run_id, problem_id)."""


@dataclass(frozen=True, slots=True)
class AnswerClasses:
    """One run's answers to one problem. Samples whose verdict is ERROR are in none of these."""

    correct: int
    wrong: tuple[tuple[str, int], ...]
    """Each wrong answer, normalised, and how often it came; the most frequent first."""
    blank: int
    """Samples without an answer: drawn, but they do not vote."""
    unknown: int
    """Wrong samples whose answer nobody recorded, as in a file with scores only: how they would vote is not known."""

    @property
    def n(self) -> int:
        return self.correct + sum(self.sizes) + self.blank + self.unknown

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the wrong classes."""
        return tuple(size for _, size in self.wrong)


def answer_classes(study: Study, benchmark: str, verifier: str | None = None) -> dict[tuple[int, int], AnswerClasses]:
    """The classes of every run and problem with judged traces; verifier: whose verdicts, or None for the deciding one's."""
    found: dict[tuple[int, int], list[AnswerCount]] = defaultdict(list)
    for row in answer_counts(study, benchmark, verifier):
        found[row.run_id, row.problem_id].append(row)
    return {key: classes_of(rows) for key, rows in found.items()}


def classes_of(rows: Iterable[AnswerCount]) -> AnswerClasses:
    """The classes of one run's answers to one problem."""
    numbers: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for row in rows:
        if row.outcome is Outcome.INCORRECT and row.answer is not None:
            wrong[_written(row.answer)] += row.samples
        else:
            numbers[row.outcome] += row.samples
    ordered = sorted(wrong.items(), key=lambda one: (-one[1], one[0]))
    return AnswerClasses(
        correct=numbers[Outcome.CORRECT],
        wrong=tuple(ordered),
        blank=numbers[Outcome.NO_ANSWER],
        unknown=numbers[Outcome.INCORRECT],
    )


def majority_at_k(classes: AnswerClasses, k: int) -> float | None:
    """maj@k of one problem; None where k is more than it has samples, or the answer of some is unknown."""
    from engine.analyses.majority import majority_at_k as vote

    if classes.unknown or k > classes.n:
        return None
    return vote(classes.correct, classes.sizes, classes.blank, k)


def mean_majority_at_k(classes: Iterable[AnswerClasses], k: int) -> float | None:
    """A dataset's maj@k: the mean over its problems; None without problems, and where that of some problem is not known."""
    values = [majority_at_k(one, k) for one in classes]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def guess_chance(classes: AnswerClasses) -> Chance | None:
    """How likely two wrong answers to this problem agree: a stand-in for the chance to guess it right, where nobody asked for
    direct answers. None where nothing tells; see `guess.chance_of_wrong`, and `guess.agreement_of_wrong` for what it misses."""
    from engine.analyses.guess import chance_of_wrong

    return None if classes.unknown else chance_of_wrong(classes.sizes)


def guess_rate(classes: AnswerClasses) -> float | None:
    """The mean of that chance: never 0, as few wrong answers that all differ are no proof of it."""
    chance = guess_chance(classes)
    return None if chance is None else chance.value


def _written(answer: str) -> str:
    """Plain whole numbers, which most answers are, need no rules."""
    plain = answer.isascii() and answer.isdigit() and (answer == "0" or answer[0] != "0")
    return answer if plain else normalise(answer)
