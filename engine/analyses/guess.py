"""What guessing alone would score, and pass@k with that taken off.

A guess is right with some chance g, known in one of two ways: from samples of direct answers, asked for without a chain of
thought (Yue et al., arXiv 2504.13837, appendix on AIME24), or from the spread of a model's wrong answers: two of them agree as
often as one guess meets another, which is high where few answers suggest themselves. Neither is ever known exactly, and no
success among few is not g = 0: a `Chance` is the mean of Jeffreys' posterior, an upper bound, and how much it was told by.

The model behind the adjustment: a sample is sound with probability p, else it guesses: accuracy = p + (1 - p) g. Of the correct
ones the share p / accuracy is sound, so the sound ones are D ~ Binomial(c, share), and as CoT-pass@k counts D in place of c

    1 - E[C(n - D, k) / C(n, k)] = 1 - E[(1 - share)^J],   J = correct ones among k drawn

which is pass@k at g = 0 and never more than pass@k. What p may be is a posterior: the prior has a point at p = 0 and weights on
a fine grid, fitted to all problems given. The likeliest p alone, in its place, takes much of mere luck for soundness.
It corrects for luck, which it does not show: reading does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, betaln, expit, logit, xlog1py, xlogy

from engine.analyses.accuracy import counts
from engine.analyses.hypergeometric import draws
from engine.analyses.intervals import LEVEL
from engine.analyses.passk import pass_at_k

Counts = NDArray[np.int64]
Values = NDArray[np.float64]

LIMIT: Final = 0.05
"""Direct accuracy above 0 and below this makes a problem guessable; the published protocol's."""

_STEP: Final = 0.1
"""Distance of the grid's points in log odds of p."""
_EVEN: Final = 2.0
"""What all points of the grid weigh together before any problem is seen, in problems."""
_NEVER: Final = 1.0
"""What p = 0 does."""
_ROUNDS: Final = 200
_LEAST: Final = 1e-9
"""A point with a smaller posterior is passed over."""


class Guessable(StrEnum):
    """What direct answers say of a problem. Only GUESSABLE is a reason to leave it out."""

    GUESSABLE = "guessable"
    EASY = "easy"
    """Direct accuracy at or above the limit: the model knows it. Kept."""
    NEVER = "never"
    """No direct answer was right. Kept; `intervals.zero_bound` says how little few samples exclude."""
    UNKNOWN = "unknown"
    """Nobody asked for direct answers."""


@dataclass(frozen=True, slots=True)
class Chance:
    """How likely a guess is right: Beta(value * told, (1 - value) * told)."""

    value: float
    """The mean, (successes + 1/2) / (trials + 1): never 0."""
    high: float
    """Upper bound at LEVEL, one-sided."""
    told: float
    """Trials + 1."""


def chance_of_direct(n: int, c: int) -> Chance | None:
    """From direct answers, c of n correct; None for n = 0: nobody asked. high: Clopper-Pearson's.

    Raises ValueError for impossible counts.
    """
    counts([n], [c])
    return _chance(c, n, _bound(c, n)) if n else None


def chance_of_wrong(counts: Sequence[int]) -> Chance | None:
    """From how often each wrong answer was given: `agreement_of_wrong`, with half a pair more of each kind.

    None where there are fewer than two: nothing tells. The pairs count as trials, which they nearly are while few agree; high
    takes half as many as there are answers, as if those had been paired off (Hoeffding 1963, section 5).
    """
    agree = agreement_of_wrong(counts)
    if agree is None:
        return None
    total = sum(counts)
    pairs, apart = total * (total - 1) / 2, total // 2
    return _chance(agree * pairs, pairs, _bound(agree * apart, apart))


def _chance(successes: float, trials: float, high: float) -> Chance:
    return Chance((successes + 0.5) / (trials + 1), high, trials + 1)


def _bound(successes: float, trials: float) -> float:
    return float(betaincinv(successes + 1, trials - successes, LEVEL)) if successes < trials else 1.0


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


def pass_by_guessing(guess: ArrayLike, k: int, told: ArrayLike = inf) -> Values:
    """What guessing alone scores at k, 1 - (1 - g)^k. One of AIME's 1000 answers at random has 64.1 % at k = 1024.

    told: as in `Chance`, for its mean over what g may be; by default g is known.
    """
    chance, trials = np.broadcast_arrays(_chances(guess), np.asarray(told, dtype=np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        known = -np.expm1(k * np.log1p(-chance))
        a, b = chance * trials, (1 - chance) * trials
        mean = -np.expm1(betaln(a, b + k) - betaln(a, b))
    return np.asarray(np.where(np.isinf(trials) | (chance == 0) | (chance == 1), known, mean), dtype=np.float64)


def guess_adjusted(n: ArrayLike, c: ArrayLike, guess: ArrayLike) -> Values:
    """The likeliest share p of sound samples of each problem, (c/n - g) / (1 - g) and at least 0, as an array [problems].

    NaN without samples, where g is NaN (not known), and where g = 1, which leaves nothing to tell. Clamping at 0 keeps single
    problems possible and makes their mean high where luck is all there is.
    Raises ValueError for impossible counts and g outside [0, 1].
    """
    totals, correct = counts(n, c)
    chance = _chances(guess)
    with np.errstate(divide="ignore", invalid="ignore"):
        sound = (correct / totals - chance) / (1 - chance)
    return np.where((totals == 0) | (chance == 1), np.nan, np.maximum(sound, 0.0))


def guess_adjusted_pass_at_k(n: ArrayLike, c: ArrayLike, guess: ArrayLike, k: int) -> Values:
    """pass@k of sound samples, by the formula above, as an array [problems]; a dataset's value is the mean.

    A problem's value depends on the others given: those without any skill are what tells luck from rare skill.
    Luck alone, whose value is 0, has .02 to .07 at k = n (pass@k .22 to .69; by the clamped p .18 to .27); where all or half of
    the problems are within reach the mean errs by at most .02 (30 and 100 problems, n = 1024 and 256, g known, .001 or from
    .0001 to .03). A g from 256 direct answers that is mostly too high takes off up to .11 too much at k = n.
    NaN where k > n and where `guess_adjusted` is. Raises ValueError as that does, and for k < 1.
    """
    totals, correct = counts(n, c)
    told = np.flatnonzero(~np.isnan(guess_adjusted(totals, correct, guess)))
    value = np.full(totals.shape, np.nan)
    value[told] = pass_at_k(totals, correct, k)[told]
    some = np.flatnonzero((correct > 0) & ~np.isnan(value))
    if not len(some):
        return value
    weights, sound = _sound(totals[told], correct[told], np.broadcast_to(_chances(guess), totals.shape)[told])
    weights, sound = (array[np.searchsorted(told, some)] for array in (weights, sound))
    which, point = np.nonzero(weights > _LEAST)
    chosen, lucky = weights[which, point], 1 - sound[which, point]
    mass, missing = np.zeros(len(some)), np.zeros(len(some))
    for part in draws(totals[some][which], correct[some][which], np.full(len(which), k)):
        missed = part.total(lucky[part.problems][part.each] ** part.j)
        mass += np.bincount(which[part.problems], chosen[part.problems], len(some))
        missing += np.bincount(which[part.problems], chosen[part.problems] * missed, len(some))
    value[some] = np.clip(1 - missing / mass, 0.0, value[some])
    return value


def _sound(n: Counts, c: Counts, g: Values) -> tuple[Values, Values]:
    """[problems, points]: the posterior of p at the points of the grid, last p = 0, and the share of the correct ones that is
    sound there. The point nearest a problem's likeliest p is moved onto it, so that many samples leave no rounding."""
    top = int(np.ceil(np.log(5.0 * max(int(n.max()), 2)) / _STEP))
    p = np.tile(np.append(expit(np.arange(-top, top + 1) * _STEP), 0.0), (len(n), 1))
    likeliest = guess_adjusted(n, c, g)
    skilled = np.flatnonzero(likeliest > 0)
    nearest = np.rint(np.clip(logit(likeliest[skilled]) / _STEP, -top, top)).astype(np.int64) + top
    p[skilled, nearest] = likeliest[skilled]
    accuracy = p + (1 - p) * g[:, None]
    log = xlogy(c[:, None], accuracy) + xlog1py((n - c)[:, None], -accuracy)
    return _posterior(np.exp(log - log.max(axis=1, keepdims=True))), p / np.maximum(accuracy, 1e-300)


def _posterior(likelihood: Values) -> Values:
    points = likelihood.shape[1]
    beforehand = np.append(np.full(points - 1, _EVEN / (points - 1)), _NEVER)
    weights = beforehand / beforehand.sum()
    for _ in range(_ROUNDS):
        weights = weights * (likelihood.T @ (1 / (likelihood @ weights))) + beforehand
        weights /= weights.sum()
    found = likelihood * weights
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def against_guessing(
    n: ArrayLike, c: ArrayLike, guess: ArrayLike, told: ArrayLike = inf, least: ArrayLike = 1
) -> tuple[Values, Values]:
    """Each problem's correct ones held against X that guessing gets: P(X >= c) and P(X <= c), given that X >= least.

    Small in the first where guessing alone does not get so many right, in the second where it gets more. Without the condition
    any problem chosen because it is solved, with c >= least, would look like more than luck. told: as in `Chance`; X is
    then beta-binomial. A g from a few direct answers that is taken for known calls one pure guesser in ten more than that.
    NaN where g is, or c < least: such a problem was not chosen. Many problems need `engine.analyses.many`.
    Raises ValueError as `guess_adjusted` does.
    """
    totals, correct = counts(n, c)
    given = np.broadcast_arrays(totals, correct, _chances(guess), told, least)
    columns, which = np.unique(np.stack(given).astype(np.float64), axis=1, return_inverse=True)
    tails = np.array([_tails(int(of), int(right), g, by, int(lower)) for of, right, g, by, lower in columns.T]).reshape(-1, 2)
    above, below = tails[which.reshape(-1)].T
    return above, below


def _tails(n: int, c: int, g: float, told: float, least: int) -> tuple[float, float]:
    if np.isnan(g) or c < least:
        return float("nan"), float("nan")
    if g in (0.0, 1.0):
        return (0.0 if c > g * n else 1.0), float(c >= g * n)
    j = np.arange(least, n)
    odds = g / (1 - g) if np.isinf(told) else (j + g * told) / (n - j - 1 + (1 - g) * told)
    log = np.append(0.0, np.cumsum(np.log((n - j) / (j + 1) * odds)))  # of P(X = j) / P(X = least)
    p = np.exp(log - log.max())
    return min(1.0, float(p[c - least :].sum() / p.sum())), min(1.0, float(p[: c - least + 1].sum() / p.sum()))


def _chances(guess: ArrayLike) -> Values:
    chance = np.asarray(guess, dtype=np.float64)
    if ((chance < 0) | (chance > 1)).any():
        raise ValueError("the chance to guess right must be between 0 and 1")
    return chance
