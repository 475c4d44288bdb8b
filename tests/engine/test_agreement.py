"""Kappa and alpha against published tables, and intervals that stay honest where everybody agrees."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.analyses.agreement import cohen_kappa, krippendorff_alpha

Table = list[list[int]]


def listed(table: Table) -> tuple[list[int], list[int]]:
    """Two auditors' labels from the table that counts them."""
    pairs = [(i, j) for i, row in enumerate(table) for j, times in enumerate(row) for _ in range(times)]
    return [i for i, _ in pairs], [j for _, j in pairs]


@pytest.mark.parametrize(
    ("table", "kappa", "error"),
    [
        ([[75, 1, 4], [5, 4, 1], [0, 0, 10]], 0.676, 0.088),  # Fleiss, Levin and Paik, Statistical Methods, table 18.1
        ([[20, 5], [10, 15]], 0.4, 0.127),
        ([[45, 15], [25, 15]], 0.1304, None),
        ([[25, 35], [5, 35]], 0.2593, None),
    ],
)
def test_kappa_of_published_tables(table: Table, kappa: float, error: float | None) -> None:
    found = cohen_kappa(*listed(table))
    assert found.kappa == pytest.approx(kappa, abs=5e-4)
    assert found.low < found.kappa < found.high
    if error is not None:
        assert found.error == pytest.approx(error, abs=5e-4)


def test_alpha_of_krippendorffs_own_examples() -> None:
    """Computing Krippendorff's Alpha-Reliability (2011), sections A, B and C."""
    two = {"meg": "0100000010", "owen": "1110010000"}
    assert krippendorff_alpha(two).alpha == pytest.approx(0.095, abs=5e-4)
    nominal = {"ben": "aabbdcccedda", "gerry": "babbbccceddd"}
    assert krippendorff_alpha(nominal).alpha == pytest.approx(0.692, abs=5e-4)
    _ = None
    four = {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
        "C": [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
    }
    found = krippendorff_alpha(four)
    assert found.alpha == pytest.approx(0.743, abs=5e-4)
    assert (found.samples, found.labels) == (11, 40)
    assert found.low < found.alpha <= found.high


labels = st.lists(st.tuples(st.sampled_from([1, 2, 3, None]), st.sampled_from([1, 2, 3, None])), max_size=25)


@settings(max_examples=60, deadline=None)
@given(labels, st.permutations([1, 2, 3]))
def test_neither_the_order_of_auditors_and_samples_nor_the_names_of_labels_matter(
    said: list[tuple[int | None, int | None]], names: list[int]
) -> None:
    rename = {1: names[0], 2: names[1], 3: names[2], None: None}
    one, other = [a for a, _ in said], [b for _, b in said]
    first = cohen_kappa(one, other, draws=10)
    second = cohen_kappa([rename[b] for b in other[::-1]], [rename[a] for a in one[::-1]], draws=10)
    assert first.kappa == pytest.approx(second.kappa, nan_ok=True)
    assert first.error == pytest.approx(second.error, nan_ok=True)
    assert first.kappa <= 1 or isnan(first.kappa)
    alphas = [krippendorff_alpha({"a": a, "b": b}, resamples=10).alpha for a, b in ((one, other), (other, one))]
    assert alphas[0] == pytest.approx(alphas[1], nan_ok=True)


def test_full_agreement_on_few_samples_is_no_certainty() -> None:
    found = cohen_kappa([1] * 5 + [2] * 5, [1] * 5 + [2] * 5)
    assert (found.kappa, found.error, found.high) == (1.0, 0.0, 1.0)
    assert 0.3 < found.low < 0.8
    more = cohen_kappa([1] * 50 + [2] * 50, [1] * 50 + [2] * 50)
    assert more.low > 0.93
    alpha = krippendorff_alpha({"a": [1, 2, 1], "b": [1, 2, 1]})
    assert alpha.alpha == 1
    assert isnan(alpha.low)


def test_one_label_throughout_says_nothing() -> None:
    assert isnan(cohen_kappa([1, 1, 1], [1, 1, 1]).kappa)
    assert isnan(krippendorff_alpha({"a": [1, 1], "b": [1, 1]}).alpha)
    assert cohen_kappa([], []).samples == 0
    assert isnan(krippendorff_alpha({}).alpha)


def test_only_samples_that_both_labelled_count() -> None:
    found = cohen_kappa([1, 2, None, 1], [1, 1, 2, None])
    assert (found.samples, found.agreed) == (2, 1)


def test_the_interval_holds_the_true_kappa_more_often_than_the_textbooks() -> None:
    """Two near-perfect auditors on 20 samples, where the large-sample interval holds it in 70 % of the cases."""
    chances = np.array([[0.47, 0.03], [0.03, 0.47]])
    random, ours, textbook = np.random.default_rng(3), 0, 0
    for _ in range(200):
        found = cohen_kappa(*listed(random.multinomial(20, chances.ravel()).reshape(2, 2).tolist()), draws=500)
        ours += found.low <= 0.88 <= found.high
        textbook += abs(found.kappa - 0.88) <= 1.96 * found.error
    assert ours / 200 >= 0.92
    assert textbook < ours


def test_lists_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        cohen_kappa([1], [1, 2])
    with pytest.raises(ValueError, match="zip"):
        krippendorff_alpha({"a": [1], "b": [1, 2]})
