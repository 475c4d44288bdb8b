"""False discovery rates against the definitions and a published worked example."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.many import adjusted, adjusted_any

P_VALUES = st.lists(st.floats(0, 1), max_size=30)

PUBLISHED = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]
"""Benjamini and Hochberg 1995, section 3.2: fifteen endpoints of a trial; at 5 % the procedure rejects the first four."""


def by_definition(p_values: list[float], price: float = 1.0) -> list[float]:
    m = len(p_values)
    return [
        min(1.0, *(m * price * other / sum(one <= other for one in p_values) for other in p_values if other >= p))
        for p in p_values
    ]


def test_the_published_example() -> None:
    q = adjusted(PUBLISHED)
    assert (q <= 0.05).sum() == 4
    assert q[3] == pytest.approx(15 * 0.0095 / 4)
    assert q[:3] == pytest.approx([0.0015, 0.003, 0.0095])
    assert q[-1] == 1.0


def test_any_dependence_costs_the_harmonic_sum() -> None:
    price = sum(1 / i for i in range(1, 16))
    np.testing.assert_allclose(adjusted_any(PUBLISHED), np.minimum(1, by_definition(PUBLISHED, price)))
    assert (adjusted_any(PUBLISHED) <= 0.05).sum() == 3


@given(P_VALUES)
def test_is_the_definition(p_values: list[float]) -> None:
    np.testing.assert_allclose(adjusted(p_values), by_definition(p_values), rtol=1e-12, atol=0)


@given(P_VALUES)
def test_order_in_is_order_out(p_values: list[float]) -> None:
    order = np.random.default_rng(len(p_values)).permutation(len(p_values))
    shuffled = np.array(p_values)[order]
    np.testing.assert_array_equal(adjusted(shuffled), adjusted(p_values)[order])


@given(P_VALUES, st.floats(0.001, 0.999))
def test_a_threshold_on_q_rejects_what_the_step_up_rule_rejects(p_values: list[float], level: float) -> None:
    ordered = np.sort(p_values)
    met = np.flatnonzero(ordered <= level * np.arange(1, len(ordered) + 1) / max(len(ordered), 1) * (1 - 1e-12))
    rejected = 0 if not len(met) else int(met[-1]) + 1
    assert (adjusted(p_values) <= level).sum() >= rejected
    assert (adjusted(p_values) <= level * (1 - 1e-9)).sum() <= (ordered <= level).sum()


@given(P_VALUES)
def test_q_is_never_below_p_and_never_falls_with_it(p_values: list[float]) -> None:
    for function in (adjusted, adjusted_any):
        q = function(p_values)
        assert (q >= np.array(p_values) * (1 - 1e-12)).all()
        assert (np.diff(q[np.argsort(p_values)]) >= 0).all()


def test_a_test_that_was_not_made_stays_unknown_and_is_not_counted() -> None:
    q = adjusted([0.01, np.nan, 0.04])
    assert np.isnan(q[1])
    assert q[[0, 2]].tolist() == adjusted([0.01, 0.04]).tolist() == [0.02, 0.04]
    assert np.isnan(adjusted([np.nan, np.nan])).all()
    assert adjusted([]).shape == (0,)


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_no_p_value_is_a_sentence(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjusted([0.5, p])


def test_false_findings_stay_rare() -> None:
    """80 true nulls and 20 effects: the mean share of false ones among findings at q <= 0.1 is 0.08."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(400):
        p = np.concatenate([rng.random(80), rng.random(20) * 0.002])
        found = adjusted(p) <= 0.1
        shares.append(found[:80].sum() / max(found.sum(), 1))
    assert 0.06 < np.mean(shares) < 0.1
