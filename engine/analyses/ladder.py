"""Draws of each problem's p from its posterior, the prior being what all problems of the run show: hierarchical Bayes.

The prior is a mixture on a fixed ladder: narrow betas at even distances in the log odds of p, from about 0.2 / n to as near
to 1, and the point p = 0. Its weights follow the counts into any shape (two humps, a spike at zero), where one beta with or
without a share of zeros forces its own. They are drawn together with the p, not fixed at their likeliest values, so that
what few problems leave open about them stays open: a fixed prior makes intervals near k = n too narrow.

n and c are whole numbers [problems]; n may differ by problem, and problems with n = 0 say nothing. Impossible counts raise
ValueError as in `engine.analyses.passk`, no problems at all do so here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaln, expit

from engine.analyses.passk import pass_curve

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Rungs = NDArray[np.int8]
Seed = int | Sequence[int]

_STEP: Final = 0.7
"""Distance of the ladder's rungs in log odds: 1.4 of a rung's own standard deviation, so that no gaps show."""

_SPREAD: Final = 0.25
"""Variance of a rung in log odds, nearly: 1/a + 1/b. No hump of the prior can be narrower."""

_BEFOREHAND: Final = 0.1
"""What each rung weighs before any problem is seen, in problems."""

_CHAINS: Final = 50
_WARM_UP: Final = 20
_ROUNDS: Final = 60

_BLOCK: Final = 1 << 20
"""Numbers looked at together: a few megabytes."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Rungs Beta(a[j], b[j]) and last the point p = 0, with the likelihood of each kind of counts under each of them."""

    n: Counts
    c: Counts
    """[kinds], both: a kind is one (n, c), so that problems alike are looked at once."""
    kind: Counts
    """[problems]: which kind each is of."""
    a: Values
    b: Values
    """[rungs], both, without the point at 0."""
    likelihood: Values
    """[kinds, rungs + 1], each row scaled so that its largest entry is 1."""


def ladder(n: ArrayLike, c: ArrayLike) -> Ladder:
    """The ladder for these counts: from p around 0.2 / n to as near to 1, n being the largest there is."""
    totals, correct, _, kind = kinds(n, c)
    steps = int(np.ceil(np.log(5.0 * max(int(totals.max()), 2)) / _STEP))
    middle = expit(np.arange(-steps, steps + 1) * _STEP)
    a, b = 1 / (_SPREAD * (1 - middle)), 1 / (_SPREAD * middle)
    log = betaln(a + correct[:, None], b + (totals - correct)[:, None]) - betaln(a, b)
    log = np.concatenate([log, np.where(correct == 0, 0.0, -np.inf)[:, None]], axis=1)
    return Ladder(totals, correct, kind, a, b, np.exp(log - log.max(axis=1, keepdims=True)))


def drawn_rungs(on: Ladder, draws: int, rng: np.random.Generator) -> Rungs:
    """The rung of each problem in draws from its posterior, as [draws, problems]; len(on.a) stands for p = 0.

    Gibbs sampling of a finite mixture in _CHAINS chains: problems choose rungs given the weights, weights are Dirichlet given
    the choices, with _BEFOREHAND on each rung. One chain would take long to wander between neighbouring rungs, so each
    starts from the likeliest weights of its own Bayesian bootstrap of the problems.
    """
    chains = min(_CHAINS, draws)
    together = max(1, _BLOCK // (len(on.kind) * on.likelihood.shape[1]))
    blocks = [_chained(on, min(together, chains - at), -(-draws // chains), rng) for at in range(0, chains, together)]
    return np.concatenate(blocks, axis=1).reshape(-1, len(on.kind))[:draws]


def drawn_p(n: ArrayLike, c: ArrayLike, draws: int = 2000, seed: Seed = 0) -> Values:
    """Each problem's p in draws from its posterior under the ladder, as [draws, problems], problems in the given order."""
    return np.concatenate(list(drawn_p_in_blocks(n, c, draws, seed)))


def drawn_p_in_blocks(n: ArrayLike, c: ArrayLike, draws: int = 2000, seed: Seed = 0) -> Iterator[Values]:
    """The same some draws at a time, for those who need no p twice: a few megabytes instead of draws * problems numbers."""
    on, rng = ladder(n, c), np.random.default_rng(seed)
    order = np.argsort(on.kind, kind="stable")  # so that the draws of a kind do not depend on where its problems stand
    kind, back = on.kind[order], np.argsort(order, kind="stable")
    rungs = drawn_rungs(replace(on, kind=kind), draws, rng)
    a, b = np.append(on.a, 1.0), np.append(on.b, 1.0)
    correct, wrong = on.c[kind], (on.n - on.c)[kind]
    step = max(1, _BLOCK // (4 * len(kind)))
    for at in range(0, draws, step):
        rung = rungs[at : at + step]
        p = rng.beta(a[rung] + correct, b[rung] + wrong)
        p[rung == len(on.a)] = 0.0
        yield p[:, back]


def kinds(n: ArrayLike, c: ArrayLike) -> tuple[Counts, Counts, Counts, Counts]:
    """The different (n, c), how many problems are of each, and which of them each problem is."""
    problems = len(pass_curve(n, c, []))  # checks the counts
    if not problems:
        raise ValueError("there are no problems to fit a prior to: give counts of at least one")
    pairs = np.stack([np.broadcast_to(np.asarray(counts, dtype=np.int64), problems) for counts in (n, c)], axis=1)
    pairs, kind, times = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return pairs[:, 0], pairs[:, 1], times, kind


def _chained(on: Ladder, chains: int, rounds: int, rng: np.random.Generator) -> Rungs:
    """[rounds, chains, problems]: what the problems choose, after _WARM_UP rounds that are left out."""
    problems, rungs = len(on.kind), on.likelihood.shape[1]
    weights = _started(on, chains, rng)
    by_rung = np.ascontiguousarray(on.likelihood.T)[:, None, :]
    apart = rungs * np.arange(chains)[:, None]
    found = np.empty((rounds, chains, problems), dtype=np.int8)
    for at in range(-_WARM_UP, rounds):
        heaped = by_rung * weights.T[:, :, None]
        for rung in range(1, rungs):  # np.cumsum along this axis takes eight times as long
            heaped[rung] += heaped[rung - 1]
        heaped = heaped[:, :, on.kind]
        chosen = (heaped < rng.random((chains, problems)) * heaped[-1]).sum(axis=0, dtype=np.int64)
        times = np.bincount((chosen + apart).ravel(), minlength=chains * rungs).reshape(chains, rungs)
        weights = rng.standard_gamma(_BEFOREHAND + times)
        weights /= weights.sum(axis=1, keepdims=True)
        found[max(at, 0)] = chosen
    return found


def _started(on: Ladder, chains: int, rng: np.random.Generator) -> Values:
    """[chains, rungs]: after rounds of expectation and maximisation, each chain weighing the problems by chance."""
    problems, rungs = len(on.kind), on.likelihood.shape[1]
    heavy = rng.standard_exponential((chains, problems))
    heavy *= problems / heavy.sum(axis=1, keepdims=True)
    of_kind = np.stack([np.bincount(on.kind, one, len(on.n)) for one in heavy])
    weights = np.full((chains, rungs), 1 / rungs)
    for _ in range(_ROUNDS):
        weights = weights * ((of_kind / (weights @ on.likelihood.T)) @ on.likelihood) + _BEFOREHAND
        weights /= weights.sum(axis=1, keepdims=True)
    return weights
