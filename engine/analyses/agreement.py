"""How far auditors agree beyond chance: Cohen's kappa for two, Krippendorff's alpha for any number with labels missing.

    kappa = (p_o - p_e) / (1 - p_e)       p_o: share of samples labelled alike; p_e: expected from each one's own habits
    alpha = 1 - D_o / D_e                 D_o: share of unlike pairs within samples; D_e: among all labels

Both are 1 for perfect agreement, 0 for none beyond chance, and undefined (NaN) where only one label was ever given: then
agreement says nothing. Labels are names here, without an order or distances.

Intervals. Kappa's is Bayesian: the table of label pairs is drawn from a Dirichlet with its counts and a prior of one sample
in all, spread evenly. It stays honest where everything agreed, where the textbook standard error (Fleiss, Cohen and Everitt
1969), also given, is 0. Alpha's draws the samples again; where all agreed that shows nothing, and it is NaN.
Sources: Cohen 1960; Fleiss, Cohen and Everitt, Psychological Bulletin 72 (1969), eq. 13; Krippendorff, Computing
Krippendorff's Alpha-Reliability (2011), section C and D.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.analyses.intervals import LEVEL

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement of two auditors on the samples that both labelled."""

    samples: int
    agreed: int
    kappa: float
    """NaN without samples, or where both gave one and the same label throughout."""
    low: float
    high: float
    error: float
    """Large-sample standard error (Fleiss, Cohen and Everitt)."""


@dataclass(frozen=True, slots=True)
class Alpha:
    """Agreement of several auditors."""

    samples: int
    """Labelled by two or more."""
    labels: int
    """On those."""
    alpha: float
    low: float
    high: float


def cohen_kappa(
    one: Sequence[Hashable], other: Sequence[Hashable], *, level: float = LEVEL, draws: int = 4000, seed: int = 0
) -> Kappa:
    """one, other: what each said of the same samples in the same order; None where one said nothing (left out).

    Raises ValueError where they are not of one length.
    """
    pairs = [pair for pair in zip(one, other, strict=True) if None not in pair]
    names = {name: place for place, name in enumerate(dict.fromkeys(name for pair in pairs for name in pair))}
    table = np.zeros((len(names), len(names)))
    for first, second in pairs:
        table[names[first], names[second]] += 1
    nan = float("nan")
    if len(names) < 2:
        return Kappa(len(pairs), len(pairs), nan, nan, nan, nan)
    low, high = _interval(_kappa(_drawn_tables(table, draws, seed)), level)
    shares = table / table.sum()
    kappa = float(_kappa(shares))
    return Kappa(len(pairs), int(np.trace(table)), kappa, min(low, kappa), max(high, kappa), _error(shares, len(pairs)))


def _kappa(shares: Values) -> Values:
    """Of tables [..., labels, labels] that add up to 1."""
    agreed = np.trace(shares, axis1=-2, axis2=-1)
    expected = (shares.sum(axis=-1) * shares.sum(axis=-2)).sum(axis=-1)
    return np.asarray((agreed - expected) / (1 - expected))


def _drawn_tables(table: Values, draws: int, seed: int) -> Values:
    weights = table.ravel() + 1 / table.size
    return np.random.default_rng(seed).dirichlet(weights, size=draws).reshape(draws, *table.shape)


def _error(shares: Values, samples: int) -> float:
    """Fleiss, Cohen and Everitt (1969), eq. 13."""
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    agreed, expected = np.trace(shares), float(rows @ columns)
    kappa = (agreed - expected) / (1 - expected)
    habits = rows[None, :] + columns[:, None]  # of the column's label with the first, of the row's with the second
    diagonal = np.diag(shares) @ (1 - np.diag(habits) * (1 - kappa)) ** 2
    off = (1 - kappa) ** 2 * ((shares * habits**2).sum() - np.diag(shares) @ np.diag(habits) ** 2)
    variance = (diagonal + off - (kappa - expected * (1 - kappa)) ** 2) / (samples * (1 - expected) ** 2)
    return float(np.sqrt(max(variance, 0.0)))


def krippendorff_alpha(
    said: Mapping[str, Sequence[Hashable]], *, level: float = LEVEL, resamples: int = 2000, seed: int = 0
) -> Alpha:
    """said: by auditor, what was said of the same samples in the same order; None where that one said nothing.

    Raises ValueError where they are not of one length.
    """
    columns = [[name for name in sample if name is not None] for sample in zip(*said.values(), strict=True)]
    columns = [sample for sample in columns if len(sample) > 1]
    names = {name: place for place, name in enumerate(dict.fromkeys(name for sample in columns for name in sample))}
    counts = np.zeros((len(columns), len(names)))
    for place, sample in enumerate(columns):
        for name in sample:
            counts[place, names[name]] += 1
    nan = float("nan")
    if len(names) < 2:
        return Alpha(len(columns), int(counts.sum()), nan, nan, nan)
    alpha = float(_alpha(counts, np.ones((1, len(counts))))[0])
    if alpha == 1:
        return Alpha(len(columns), int(counts.sum()), alpha, nan, nan)
    random = np.random.default_rng(seed)
    times = random.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples).astype(np.float64)
    return Alpha(len(columns), int(counts.sum()), alpha, *_interval(_alpha(counts, times), level))


def _alpha(counts: Values, times: Values) -> Values:
    """Nominal alpha of each way to count the samples `times` [ways, samples] over; counts are [samples, labels]."""
    size = counts.sum(axis=1)
    unlike = (size**2 - (counts**2).sum(axis=1)) / (size - 1)
    totals = times @ counts
    labels = totals.sum(axis=1)
    expected = (labels**2 - (totals**2).sum(axis=1)) / (labels - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1 - (times @ unlike) / expected)


def _interval(values: Values, level: float) -> tuple[float, float]:
    """Of those that are defined."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
