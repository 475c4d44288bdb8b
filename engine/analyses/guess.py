"""What guessing alone would score, and pass@k with that taken off.

A guess is right with some chance g, known in one of two ways: from samples of direct answers, asked for without a chain of
thought (Yue et al., arXiv 2504.13837, appendix on AIME24), or from the spread of a model's wrong answers: two of them agree as
often as one guess meets another, which is high where few answers suggest themselves. g is a number or one per problem.

The model behind the adjustment: a sample is sound with probability p, else it guesses: accuracy = p + (1 - p) g. Of the correct
ones the share p / accuracy is sound, so the sound ones are D ~ Binomial(c, share), and as CoT-pass@k counts D in place of c

    1 - E[C(n - D, k) / C(n, k)] = 1 - E[(1 - share)^J],   J = correct ones among k drawn

which is pass@k at g = 0, p at k = 1, and never more than pass@k. It corrects for luck, which it does not show: reading does.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from engine.analyses.accuracy import counts
from engine.analyses.hypergeometric import draws
from engine.analyses.passk import pass_at_k

Values = NDArray[np.float64]

LIMIT: Final = 0.05
"""Direct accuracy above 0 and below this makes a problem guessable; the published protocol's."""


class Guessable(StrEnum):
    """What direct answers say of a problem. Only GUESSABLE is a reason to leave it out."""

    GUESSABLE = "guessable"
    EASY = "easy"
    """Direct accuracy at or above the limit: the model knows it. Kept."""
    NEVER = "never"
    """No direct answer was right. Kept; `intervals.zero_bound` says how little few samples exclude."""
    UNKNOWN = "unknown"
    """Nobody asked for direct answers."""


def agreement_of_wrong(counts: Sequence[int]) -> float | None:
    """The chance that two of the wrong answers, drawn without replacement, agree: sum w (w - 1) / (W (W - 1)).

    counts: how often each wrong answer was given. None where there are fewer than two: nothing tells. A slip that a model
    makes again and again raises it as a narrow choice does, so as a chance to guess right it errs to the high side.
    """
    if any(count < 0 for count in counts):
        raise ValueError(f"counts of answers must be at least 0, not {min(counts)}")
    total = sum(counts)
    return sum(count * (count - 1) for count in counts) / (total * (total - 1)) if total > 1 else None


def guessable(n: ArrayLike, c: ArrayLike, limit: float = LIMIT) -> list[Guessable]:
    """The class of each problem from its direct answers: n asked, c of them correct.

    An accuracy of exactly the limit is EASY. Raises ValueError for impossible counts.
    """
    asked, right = counts(n, c)
    return [_class(int(one), int(of), limit) for one, of in zip(right, asked, strict=True)]


def _class(right: int, asked: int, limit: float) -> Guessable:
    if not asked:
        return Guessable.UNKNOWN
    if not right:
        return Guessable.NEVER
    return Guessable.GUESSABLE if right / asked < limit else Guessable.EASY


def pass_by_guessing(guess: ArrayLike, k: int) -> Values:
    """1 - (1 - g)^k: what guessing alone scores at k. One of AIME's 1000 answers at random has 64.1 % at k = 1024."""
    chance = _chances(guess)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(k * np.log1p(-chance)), dtype=np.float64)


def guess_adjusted(n: ArrayLike, c: ArrayLike, guess: ArrayLike) -> Values:
    """The share p of sound samples of each problem, (c/n - g) / (1 - g) and at least 0, as an array [problems].

    NaN without samples, where g is NaN (not known), and where g = 1, which leaves nothing to tell. Clamping at 0 keeps single
    problems possible and makes their mean a little high where luck is all there is.
    Raises ValueError for impossible counts and g outside [0, 1].
    """
    totals, correct = counts(n, c)
    chance = _chances(guess)
    with np.errstate(divide="ignore", invalid="ignore"):
        sound = (correct / totals - chance) / (1 - chance)
    return np.where((totals == 0) | (chance == 1), np.nan, np.maximum(sound, 0.0))


def guess_adjusted_pass_at_k(n: ArrayLike, c: ArrayLike, guess: ArrayLike, k: int) -> Values:
    """pass@k of sound samples, by the formula above, as an array [problems]; a dataset's value is the mean.

    NaN where k > n and where `guess_adjusted` is. Raises ValueError as that does, and for k < 1.
    """
    totals, correct = counts(n, c)
    value = np.broadcast_to(pass_at_k(totals, correct, k), totals.shape).copy()
    sound = guess_adjusted(totals, correct, guess)
    value[np.isnan(sound)] = np.nan
    some = np.flatnonzero((correct > 0) & ~np.isnan(value))
    lucky = np.maximum(0.0, 1 - sound[some] * totals[some] / correct[some])
    for part in draws(totals[some], correct[some], np.full(len(some), k)):
        at = some[part.problems]
        missed = part.total(lucky[part.problems][part.each] ** part.j)
        value[at] = np.where(lucky[part.problems] > 0, np.maximum(0.0, 1 - missed), value[at])
    return value


def more_than_guessing(n: ArrayLike, c: ArrayLike, guess: ArrayLike) -> Values:
    """P(X >= c) for X ~ Binomial(n, g), one p-value per problem: small where guessing alone does not get so many right.

    1 where c = 0, NaN where g is. Many problems need `engine.analyses.many`. Raises ValueError as `guess_adjusted` does.
    """
    totals, correct = counts(n, c)
    chance = np.broadcast_to(_chances(guess), totals.shape)
    tail = betainc(
        np.maximum(correct, 1), totals - np.maximum(correct, 1) + 1, chance, where=correct > 0, out=np.ones(len(totals))
    )
    return np.where(np.isnan(chance), np.nan, tail)


def _chances(guess: ArrayLike) -> Values:
    chance = np.asarray(guess, dtype=np.float64)
    if ((chance < 0) | (chance > 1)).any():
        raise ValueError("the chance to guess right must be between 0 and 1")
    return chance
