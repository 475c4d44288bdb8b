"""Draws of each problem's p under two models at once: what is hard for one is likely hard for the other, if the counts say so.

The prior is a table of weights on pairs of rungs of `engine.analyses.ladder`, the same ladder for both models. Beforehand the
pairs weigh together what one ladder's rungs do, a share of it on pairs of like rungs, the rest evenly on all pairs: two
models may be alike, unlike or anything between, and many problems overrule either. Given the counts the weights and the rungs
are drawn together, as there. With independent priors instead, two identical models seem to part on every problem that few
samples solve.

Half of the draws is made with either model first, so that no figure depends on which is called base, nor on the order of the
problems, but for rounding. n and c are whole numbers [problems] of the same problems; impossible counts, and no problems at
all, raise ValueError as in `ladder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.ladder import ladder

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Side = tuple[Counts, Counts]
"""n and c of one model, [problems] both."""

_BEFOREHAND: Final = 0.1
"""What each rung of one ladder weighs before any problem is seen, in problems; the table of pairs weighs no more."""

_ALIKE: Final = 0.5
"""The share of that on pairs of like rungs: the same one, or neighbours."""

_CHAINS: Final = 25
"""With either model first."""
_WARM_UP: Final = 15
_ROUNDS: Final = 30

_BLOCK: Final = 1 << 17
"""Numbers looked at together: a megabyte."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Two models on one ladder. Problems stand in the order of their kinds: a kind is one (n, c, n, c)."""

    first: Values
    """[rungs, problems]: likelihood of the first model's counts under each rung, the last being p = 0."""
    second: Values
    times: Values
    """[kinds]: problems of each kind."""
    starts: Counts
    """[kinds]: the first problem of each kind."""
    beforehand: Values
    """[rungs, rungs]"""


def drawn_pairs(base: Side, other: Side, draws: int = 2000, seed: int = 0) -> Iterator[tuple[Values, Values]]:
    """Each problem's p under base and under the other model, as blocks of [some draws, problems], problems as given.

    draws is rounded up to an even number.
    """
    half = -(-draws // 2)
    yield from _drawn(base, other, half, seed)
    for q, p in _drawn(other, base, half, seed):
        yield p, q


def _drawn(one: Side, two: Side, draws: int, seed: int) -> Iterator[tuple[Values, Values]]:
    rng = np.random.default_rng(seed)
    order = np.lexsort((*two, *one))
    back = np.argsort(order, kind="stable")
    sides = tuple(counts[order] for counts in (*one, *two))
    on = ladder(np.concatenate(sides[::2]), np.concatenate(sides[1::2]))
    rungs = _rungs(_pairs(on.likelihood[on.kind], np.stack(sides)), draws, rng)
    a, b = np.append(on.a, 1.0), np.append(on.b, 1.0)
    step = max(1, 2 * _BLOCK // len(order))
    for at in range(0, draws, step):
        drawn = []
        for side, chosen in enumerate(rungs):
            n, c = sides[2 * side], sides[2 * side + 1]
            rung = chosen[at : at + step]
            p = rng.beta(a[rung] + c, b[rung] + n - c)
            p[rung == len(on.a)] = 0.0
            drawn.append(p[:, back])
        yield drawn[0], drawn[1]


def _pairs(likelihood: Values, sorted_: Counts) -> _Pairs:
    problems, rungs = sorted_.shape[1], likelihood.shape[1]
    new = np.append(True, (np.diff(sorted_, axis=1) != 0).any(axis=0))
    starts = np.flatnonzero(new)
    first, second = (np.ascontiguousarray(half.T) for half in (likelihood[:problems], likelihood[problems:]))
    return _Pairs(first, second, np.diff(np.append(starts, problems)) * 1.0, starts, _beforehand(rungs))


def _beforehand(rungs: int) -> Values:
    """Rungs go up in log odds, but the last is p = 0: below the lowest, and so its neighbour."""
    place = np.append(np.arange(1, rungs), 0)
    alike = (np.abs(place[:, None] - place) <= 1) * 1.0
    return _BEFOREHAND * rungs * (_ALIKE * alike / alike.sum() + (1 - _ALIKE) / rungs**2)


def _rungs(on: _Pairs, draws: int, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """The rungs of each problem under both models, [draws, problems] each: Gibbs sampling in _CHAINS chains as in `ladder`."""
    chains = min(_CHAINS, draws)
    together = max(1, _BLOCK // on.first.size)
    blocks = [_chained(on, min(together, chains - at), -(-draws // chains), rng) for at in range(0, chains, together)]
    one, two = (np.concatenate(halves, axis=1).reshape(-1, on.first.shape[1])[:draws] for halves in zip(*blocks, strict=True))
    return one, two


def _chained(on: _Pairs, chains: int, rounds: int, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """[rounds, chains, problems] twice: what the problems choose, after _WARM_UP rounds that are left out."""
    rungs, problems = on.first.shape
    weights = _started(on, chains, rng)
    apart = np.arange(chains)[:, None] * rungs
    found = np.empty((2, rounds, chains, problems), dtype=np.int64)
    for at in range(-_WARM_UP, rounds):
        one = _choice((weights @ on.second) * on.first, rng)  # the second model's rung is summed over
        rows = weights.reshape(-1, rungs)[one + apart]
        two = _choice(rows.transpose(0, 2, 1) * on.second, rng)
        times = np.bincount(((one + apart) * rungs + two).ravel(), minlength=weights.size).reshape(weights.shape)
        weights = rng.standard_gamma(on.beforehand + times)
        weights /= weights.sum(axis=(1, 2), keepdims=True)
        found[:, max(at, 0)] = one, two
    return found[0], found[1]


def _choice(heaped: Values, rng: np.random.Generator) -> Counts:
    """[chains, problems]: a rung of each, as likely as heaped [chains, rungs, problems] has it, which is overwritten."""
    for rung in range(1, heaped.shape[1]):
        heaped[:, rung] += heaped[:, rung - 1]
    chosen = rng.random((heaped.shape[0], 1, heaped.shape[2])) * heaped[:, -1:]
    return np.asarray((heaped < chosen).sum(axis=1, dtype=np.int64))


def _started(on: _Pairs, chains: int, rng: np.random.Generator) -> Values:
    """[chains, rungs, rungs]: after rounds of expectation and maximisation, each chain weighing the problems by chance."""
    heavy = rng.standard_gamma(on.times, (chains, len(on.times)))  # a sum of that many exponential weights
    heavy *= on.times.sum() / heavy.sum(axis=1, keepdims=True)
    first, second = (np.ascontiguousarray(side[:, on.starts]) for side in (on.first, on.second))
    weights = np.broadcast_to(on.beforehand / on.beforehand.sum(), (chains, *on.beforehand.shape))
    for _ in range(_ROUNDS):
        likely = ((weights @ second) * first).sum(axis=1)
        weights = weights * ((first * (heavy / likely)[:, None]) @ second.T) + on.beforehand
        weights /= weights.sum(axis=(1, 2), keepdims=True)
    return weights
