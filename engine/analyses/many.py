"""Many tests at once: p-values adjusted so that a threshold on them bounds the false discovery rate.

Calling everything with q <= 0.05 a finding makes at most 5 % of the findings false, on average over repetitions.

- `adjusted`: Benjamini and Hochberg 1995. The tests must be independent or positively dependent (two-sided tests of problems
  drawn apart are; so, nearly, are several runs held against one base).
- `adjusted_any`: Benjamini and Yekutieli 2001. Any dependence whatever, at a price of 1 + 1/2 + ... + 1/m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Values = NDArray[np.float64]


def adjusted(p_values: ArrayLike) -> Values:
    """Benjamini-Hochberg q-values, in the shape and order given: q = min over p' >= p of m p' / rank(p'), at most 1.

    NaN, a test that could not be made, stays NaN and is not counted in m. Raises ValueError for a p outside [0, 1].
    """
    return _stepped_up(p_values, any_dependence=False)


def adjusted_any(p_values: ArrayLike) -> Values:
    """Benjamini-Yekutieli q-values: those of `adjusted`, times 1 + 1/2 + ... + 1/m before they are cut at 1."""
    return _stepped_up(p_values, any_dependence=True)


def _stepped_up(p_values: ArrayLike, any_dependence: bool) -> Values:
    given = np.asarray(p_values, dtype=np.float64)
    made = ~np.isnan(given)
    p = given[made]
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"a p-value lies between 0 and 1, not at {p[(p < 0) | (p > 1)][0]}")
    down = np.argsort(-p, kind="stable")
    ranks = np.arange(len(p), 0, -1)
    price = float((1 / ranks).sum()) if any_dependence else 1.0
    q = np.full(given.shape, np.nan)
    stepped = np.empty(len(p))
    stepped[down] = np.minimum(1.0, np.minimum.accumulate(p[down] * price * len(p) / ranks))
    q[made] = stepped
    return q
