"""CoT-pass@k: pass@k where a right answer counts only if its chain of thought is sound (Wen et al., arXiv 2506.14245, eq. 3).

With n judged samples of a problem, c of them right and D of those by a sound chain,

    CoT-pass@k = 1 - C(n - D, k) / C(n, k)          P(CC | CA) = D / c

D is known only where every right answer was read. Otherwise, for each problem:

- bounds, always: with v found sound and w found neither sound nor unsound, D lies between v and c minus what was found unsound;
- an estimate, only where m right answers were drawn AT RANDOM and read, v' of them sound: theta ~ Beta(v' + a, m - v' + b) is
  the chance that an unread one is sound, and D = v' + Binomial(c - m, theta), of mean v' + (c - m) * E[theta]. Labels that came
  through a queue that ordered traces by what they could change say nothing of the others and only narrow the bounds.

A right answer that was drawn and found wrongly judged is one of those m, and not sound: the unread ones were judged by the same
verifier, and theta is the chance that one it calls right is right and sound. c stays as judged then. Were it left out of m, an
estimate from one audit would take every unread verdict for true: with 10 % of them wrong, D comes out a ninth too high.

a and b: given, the same for every problem; or, by default, averaged over what the audited problems say of them, so that a
problem of which nobody read anything takes after the others and not after a flat prior. The likelihood of a and b is the
beta-binomial's; mean a / (a + b) and log(a + b) are uniform beforehand, the latter from 0.1 to 1000, on a grid.

The intervals tell what is not known of the unread answers to these very samples. Drawing samples or problems again is the
business of engine/analyses/intervals.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.intervals import LEVEL
from engine.analyses.passk import Counts, Values, mean_pass_at_k, pass_curve

_MEANS: Final = (np.arange(50) + 0.5) / 50
_STRENGTHS: Final = np.geomspace(0.1, 1000.0, 25)


@dataclass(frozen=True, slots=True)
class Partial:
    """CoT-pass@k of a partly audited dataset; arrays [len(ks)].

    mean, low and high are NaN where nothing was read at random and something is unread; all five agree where every right
    answer was read and decided.
    """

    mean: Values
    low: Values
    high: Values
    low_bound: Values
    """All that is not found sound is unsound."""
    high_bound: Values
    """All that is not found unsound is sound."""


@dataclass(frozen=True, slots=True)
class Share:
    """P(CC | CA): the share of right answers that have sound chains."""

    mean: float
    """Over problems with a right answer, each counting the same; NaN without any."""
    pooled: float
    """Of all right answers."""


def cot_pass_at_k(n: ArrayLike, d: ArrayLike, ks: ArrayLike) -> Values:
    """CoT-pass@k of each problem as an array [problems, len(ks)], where D = d of n samples are right by a sound chain.

    Exact where every right answer was read. NaN where k > n. Raises ValueError as `pass_curve` does.
    """
    return pass_curve(n, d, ks)


def sound_share(c: ArrayLike, d: ArrayLike) -> Share:
    """P(CC | CA) = d / c; c, d are [problems]. Raises ValueError for d > c or negative counts."""
    right, sound = _whole(c), _whole(d)
    _refuse((sound < 0) | (sound > right), "sound chains must be between 0 and the right answers")
    some = right > 0
    if not some.any():
        return Share(float("nan"), float("nan"))
    return Share(float((sound[some] / right[some]).mean()), float(sound.sum() / right.sum()))


def cot_estimate(  # noqa: PLR0913  # what was counted, then the settings
    n: ArrayLike,
    c: ArrayLike,
    audited: ArrayLike,
    valid: ArrayLike,
    ks: ArrayLike,
    a: float | None = None,
    b: float | None = None,
    *,
    at_least: ArrayLike | None = None,
    at_most: ArrayLike | None = None,
    known: ArrayLike = 0,
    level: float = LEVEL,
    draws: int = 2000,
    seed: int = 0,
) -> Partial:
    """A dataset's CoT-pass@k, mean over problems, where some right answers were read at random.

    n, c: judged and right samples [problems], as judged. audited: right answers drawn at random and decided, also those found
    wrongly judged; valid: of those, sound ones. known: further sound ones that the verifier calls wrong. at_least, at_most:
    bounds on D from all labels, however chosen; without them valid + known and c - (audited - valid) + known. Draws are kept
    within them. a, b: of the prior of theta; None: as the module says.
    Raises ValueError for counts that cannot be, and where one of a and b is given alone or is not positive.
    """
    counts = np.broadcast_arrays(*map(np.atleast_1d, map(_whole, (n, c, audited, valid, known))))
    n, c, m, v, more = (_whole(one) for one in counts)
    low = v + more if at_least is None else np.broadcast_to(_whole(at_least), n.shape)
    high = c - (m - v) + more if at_most is None else np.broadcast_to(_whole(at_most), n.shape)
    _check(n, c, m, v, more)
    _refuse((low < 0) | (low > high) | (high > c + more), "the bounds on sound right answers must be ordered, between 0 and c")
    bounds = mean_pass_at_k(n, low, ks), mean_pass_at_k(n, high, ks)
    if (low == high).all():
        return Partial(bounds[0], bounds[0], bounds[0], *bounds)
    if not m.any():
        unknown = np.full_like(bounds[0], np.nan)
        return Partial(unknown, unknown, unknown, *bounds)
    sound = _draws(c, m, v, _prior(a, b), draws, np.random.default_rng(seed))
    curves = _curves(n, np.clip(sound + more, low, high), ks)
    tails = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Partial(curves.mean(axis=0), tails[0], tails[1], *bounds)


def _draws(
    c: Counts, m: Counts, v: Counts, prior: tuple[float, float] | None, draws: int, random: np.random.Generator
) -> Counts:
    """D, drawn [draws, problems]."""
    a, b = _fitted(m, v, draws, random) if prior is None else prior
    theta = random.beta(v + a, m - v + b, size=(draws, len(c)))
    return np.asarray(v + random.binomial(c - m, theta), dtype=np.int64)


def _fitted(m: Counts, v: Counts, draws: int, random: np.random.Generator) -> tuple[Values, Values]:
    """a and b as drawn from what the audited problems say of them, each [draws, 1]."""
    from scipy.special import betaln

    mean, strength = (grid.ravel() for grid in np.meshgrid(_MEANS, _STRENGTHS))
    a, b = mean * strength, (1 - mean) * strength
    read, times = np.unique(np.stack([v, m], axis=1)[m > 0], axis=0, return_counts=True)
    sound, unsound = read[:, :1], read[:, 1:] - read[:, :1]
    log_likelihood = times @ (betaln(sound + a, unsound + b) - betaln(a, b))
    weight = np.exp(log_likelihood - log_likelihood.max())
    chosen = random.choice(len(a), size=draws, p=weight / weight.sum())
    return a[chosen, None], b[chosen, None]


def _curves(n: Counts, sound: Counts, ks: ArrayLike) -> Values:
    """Mean over problems for each draw, [draws, len(ks)]. Problems of one n share what they have of each D."""
    curves: NDArray[np.float64] = np.zeros((len(sound), len(np.atleast_1d(ks))))
    for total in np.unique(n):
        values, place = np.unique(sound[:, n == total], return_inverse=True)
        by_value = pass_curve(int(total), values, ks)
        counted = np.zeros((len(sound), len(values)))
        np.add.at(counted, (np.arange(len(sound))[:, None], place.reshape(len(sound), -1)), 1.0)
        curves += counted @ by_value
    return curves / len(n)


def _prior(a: float | None, b: float | None) -> tuple[float, float] | None:
    if (a is None) != (b is None):
        raise ValueError("give both a and b of the prior, or neither")
    if a is None or b is None:
        return None
    if min(a, b) <= 0:
        raise ValueError(f"a and b of the prior must be positive, not {a} and {b}")
    return a, b


def _check(n: Counts, c: Counts, m: Counts, v: Counts, more: Counts) -> None:
    _refuse((c < 0) | (c > n), "right answers must be between 0 and n")
    _refuse((m < 0) | (m > c), "audited right answers must be between 0 and c")
    _refuse((v < 0) | (v > m), "sound ones must be between 0 and the audited")
    _refuse((more < 0) | (more > n - c), "known sound ones beyond c must be between 0 and n - c")
    if not len(n):
        raise ValueError("there are no problems to take a mean over: give counts of at least one")


def _refuse(wrong: NDArray[np.bool_], rule: str) -> None:
    if wrong.any():
        raise ValueError(f"{rule}: problem {int(np.flatnonzero(wrong)[0])} (from 0) breaks this")


def _whole(counts: ArrayLike) -> Counts:
    array = np.asarray(counts)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"counts must be whole numbers, not {array.dtype}")
    return array.astype(np.int64)
