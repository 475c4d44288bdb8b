"""Draws of each problem's p under two models at once: what is hard for one is likely hard for the other, if the counts say so.

A problem is tied, one p for both models on a rung of `engine.analyses.ladder`, or apart, each p on a rung of its own. The
share of tied ones, the weights of the rungs they are on, and the table of weights of pairs of rungs for the others are drawn
together with the rungs, given the counts, as there. Beforehand the pairs weigh together what one ladder's rungs do, half of it
on like rungs, the rest evenly on all pairs: two models may be the same, alike, unlike or anything between, and many problems
overrule any of it. With independent priors instead, two identical models seem to part on each problem that few samples solve.

Half of the draws is made with each model first, so that no figure depends on which is called base, nor on the order of the
problems, but for rounding. n and c are whole numbers [problems] of the same problems; impossible counts, and no problems at
all, raise ValueError as in `ladder`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

from engine.analyses.ladder import Ladder, ladder

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
Side = tuple[Counts, Counts]
"""n and c of one model, [problems] both."""

_BEFOREHAND: Final = 0.1
"""What each rung of one ladder weighs before any problem is seen, in problems; the table of pairs weighs no more."""

_ALIKE: Final = 0.5
"""The share of that on pairs of like rungs: the same one, or neighbours."""

_TIED: Final = (0.5, 0.5)
"""Beta prior of the share of problems that are tied."""

_CHAINS: Final = 25
"""With each model first."""
_WARM_UP: Final = 15
_ROUNDS: Final = 30

_GROUPS: Final = 50
"""The posterior of each p is kept as the means of so many groups of its ordered draws."""

_BLOCK: Final = 1 << 17
"""Numbers looked at together: a megabyte."""


def drawn_pairs(base: Side, other: Side, draws: int = 2000, seed: int = 0) -> Iterator[tuple[Values, Values]]:
    """Each problem's p under base and under the other model, as blocks of [some draws, problems], problems as given.

    draws is rounded up to an even number.
    """
    half = -(-draws // 2)
    yield from _drawn(base, other, half, seed)
    for q, p in _drawn(other, base, half, seed):
        yield p, q


@dataclass(frozen=True, slots=True)
class Belief:
    """What p may be under both models, for one kind of problem: by groups of alike ones."""

    base: Values
    """[groups]"""
    other: Values
    together: Values
    """[groups, groups]: the chance of each pair."""


class Beliefs:
    """Beliefs by the counts of both models. All draws are kept, [draws, problems] of each; problems alike are grouped once."""

    def __init__(self, base: Side, other: Side, seed: int) -> None:
        self._counts = np.stack([*base, *other])
        blocks = zip(*drawn_pairs(base, other, seed=seed), strict=True)
        self._p, self._q = (np.concatenate(side) for side in blocks)
        self._known: dict[tuple[int, ...], Belief] = {}

    def of(self, place: int) -> Belief:
        kind = tuple(self._counts[:, place].tolist())
        if kind not in self._known:
            self._known[kind] = _grouped(self._p[:, place], self._q[:, place])
        return self._known[kind]


def _grouped(p: Values, q: Values) -> Belief:
    """p, q: [draws], of one problem."""
    each = len(p) // _GROUPS
    one, two = (np.argsort(np.argsort(side, kind="stable")) // each for side in (p, q))
    together = np.bincount(one * _GROUPS + two, minlength=_GROUPS**2).reshape(_GROUPS, _GROUPS) / len(p)
    base, other = (np.sort(side).reshape(_GROUPS, -1).mean(axis=1) for side in (p, q))
    return Belief(base, other, together)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Two models on one ladder. Problems stand in the order of their kinds: a kind is one (n, c, n, c)."""

    first: Values
    """[rungs, problems]: likelihood of the first model's counts under each rung, the last being p = 0."""
    second: Values
    tied: Values
    """[rungs, problems]: likelihood of both models' counts if one p is behind both."""
    times: Values
    """[kinds]: problems of each kind."""
    starts: Counts
    """[kinds]: the first problem of each kind."""


@dataclass(slots=True)
class _Weights:
    """Of some chains."""

    apart: Values
    """[chains, rungs, rungs]: of pairs of rungs."""
    tied: Values
    """[chains, rungs]: of rungs with one p for both. A chain's weights of both kinds sum to 1."""


def _drawn(one: Side, two: Side, draws: int, seed: int) -> Iterator[tuple[Values, Values]]:
    rng = np.random.default_rng(seed)
    order = np.lexsort((*two, *one))
    back = np.argsort(order, kind="stable")
    (n, c), (m, d) = ((of[order], right[order]) for of, right in (one, two))
    on = ladder(np.concatenate([n, m]), np.concatenate([c, d]))
    a, b = np.append(on.a, 1.0), np.append(on.b, 1.0)
    zero = len(on.a)
    rungs = _rungs(_pairs(on, np.stack([n, c, m, d])), draws, rng)
    step = max(1, 2 * _BLOCK // len(order))
    for at in range(0, draws, step):
        first, second = (chosen[at : at + step] for chosen in rungs)
        tied = second < 0
        p = rng.beta(a[first] + c + tied * d, b[first] + (n - c) + tied * (m - d))
        q = rng.beta(a[second] + d, b[second] + (m - d))
        p[first == zero] = 0.0
        q = np.where(tied, p, np.where(second == zero, 0.0, q))
        yield p[:, back], q[:, back]


def _pairs(on: Ladder, sides: Counts) -> _Pairs:
    """sides: n, c, n, c, sorted [problems]."""
    n, c, m, d = sides
    new = np.append(True, (np.diff(sides, axis=1) != 0).any(axis=0))
    starts = np.flatnonzero(new)
    log = [_log(on, of, right) for of, right in ((n, c), (m, d), (n + m, c + d))]
    log[2] -= log[0].max(axis=0) + log[1].max(axis=0)
    first, second = (np.exp(one - one.max(axis=0)) for one in log[:2])
    return _Pairs(first, second, np.exp(log[2]), np.diff(np.append(starts, len(n))) * 1.0, starts)


def _log(on: Ladder, n: Counts, c: Counts) -> Values:
    a, b = on.a[:, None], on.b[:, None]
    never = np.where(c == 0, 0.0, -np.inf)[None]
    return np.asarray(np.concatenate([betaln(a + c, b + (n - c)) - betaln(a, b), never]), dtype=np.float64)


def _beforehand(rungs: int) -> Values:
    """Rungs go up in log odds, but the last is p = 0: below the lowest, and so its neighbour."""
    place = np.append(np.arange(1, rungs), 0)
    alike = (np.abs(place[:, None] - place) <= 1) * 1.0
    shares: Values = _ALIKE * alike / alike.sum() + (1 - _ALIKE) / rungs**2
    return _BEFOREHAND * rungs * shares


def _rungs(on: _Pairs, draws: int, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """The rungs of each problem under both models, [draws, problems] each, the second -1 where they are tied: Gibbs sampling in
    _CHAINS chains as in `ladder`."""
    chains = min(_CHAINS, draws)
    together = max(1, _BLOCK // on.first.size)
    blocks = [_chained(on, min(together, chains - at), -(-draws // chains), rng) for at in range(0, chains, together)]
    one, two = (np.concatenate(halves, axis=1).reshape(-1, on.first.shape[1])[:draws] for halves in zip(*blocks, strict=True))
    return one, two


def _chained(on: _Pairs, chains: int, rounds: int, rng: np.random.Generator) -> tuple[Counts, Counts]:
    """[rounds, chains, problems] twice: what the problems choose, after _WARM_UP rounds that are left out."""
    rungs, problems = on.first.shape
    weights = _started(on, chains, rng)
    beforehand = _beforehand(rungs)
    chain = np.arange(chains)[:, None]
    found = np.empty((2, rounds, chains, problems), dtype=np.int64)
    for at in range(-_WARM_UP, rounds):
        heap = np.concatenate([(weights.apart @ on.second) * on.first, weights.tied[:, :, None] * on.tied], axis=1)
        one = _choice(heap, rng)  # the second model's rung is summed over
        tied = one >= rungs
        one = np.where(tied, one - rungs, one)
        rows = weights.apart.reshape(-1, rungs)[one + chain * rungs]
        two = _choice(rows.transpose(0, 2, 1) * on.second, rng)
        cells = np.where(tied, rungs * rungs + one, one * rungs + two) + chain * (rungs + 1) * rungs
        times = np.bincount(cells.ravel(), minlength=chains * (rungs + 1) * rungs).reshape(chains, rungs + 1, rungs)
        weights = _drawn_weights(times, beforehand, rng)
        found[:, max(at, 0)] = one, np.where(tied, -1, two)
    return found[0], found[1]


def _drawn_weights(times: Counts, beforehand: Values, rng: np.random.Generator) -> _Weights:
    apart = rng.standard_gamma(beforehand + times[:, :-1])
    tied = rng.standard_gamma(_BEFOREHAND + times[:, -1])
    number = times[:, -1].sum(axis=1)
    share = rng.beta(_TIED[0] + number, _TIED[1] + times.sum(axis=(1, 2)) - number)
    apart *= ((1 - share) / apart.sum(axis=(1, 2)))[:, None, None]
    tied *= (share / tied.sum(axis=1))[:, None]
    return _Weights(apart, tied)


def _choice(heaped: Values, rng: np.random.Generator) -> Counts:
    """[chains, problems]: a rung of each, as likely as heaped [chains, rungs, problems] has it, which is overwritten."""
    for rung in range(1, heaped.shape[1]):
        heaped[:, rung] += heaped[:, rung - 1]
    chosen = rng.random((heaped.shape[0], 1, heaped.shape[2])) * heaped[:, -1:]
    return np.asarray((heaped < chosen).sum(axis=1, dtype=np.int64))


def _started(on: _Pairs, chains: int, rng: np.random.Generator) -> _Weights:
    """After rounds of expectation and maximisation, each chain weighing the problems by chance."""
    rungs = len(on.first)
    heavy = rng.standard_gamma(on.times, (chains, len(on.times)))  # a sum of that many exponential weights
    heavy *= on.times.sum() / heavy.sum(axis=1, keepdims=True)
    first, second, one = (np.ascontiguousarray(side[:, on.starts]) for side in (on.first, on.second, on.tied))
    beforehand = _beforehand(rungs)
    apart = np.broadcast_to(beforehand / beforehand.sum() / 2, (chains, rungs, rungs))
    tied = np.full((chains, rungs), 0.5 / rungs)
    for _ in range(_ROUNDS):
        likely = ((apart @ second) * first).sum(axis=1) + tied @ one
        each = heavy / likely
        apart = apart * ((first * each[:, None]) @ second.T)
        tied = tied * (each @ one.T)
        share = (tied.sum(axis=1) + _TIED[0]) / (on.times.sum() + sum(_TIED))
        apart, tied = apart + beforehand, tied + _BEFOREHAND
        apart *= ((1 - share) / apart.sum(axis=(1, 2)))[:, None, None]
        tied *= (share / tied.sum(axis=1))[:, None]
    return _Weights(apart, tied)
