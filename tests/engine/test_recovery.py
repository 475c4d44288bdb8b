"""Recovery against models whose every trace is known: the floor is never above the truth, importance sampling is unbiased."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, fsum, inf, log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.recovery import (
    FEWEST_EFFECTIVE,
    Drawn,
    Importance,
    Recovery,
    direct,
    floor,
    importance,
    recover,
)

approx: Callable[..., Any] = pytest.approx


@dataclass(frozen=True, slots=True)
class Toy:
    """Two models over the same few traces of one problem."""

    base: Sequence[float]
    other: Sequence[float]
    correct: Sequence[bool]

    @property
    def p_base(self) -> float:
        return fsum(p for p, right in zip(self.base, self.correct, strict=True) if right)

    @property
    def reachable(self) -> float:
        """The part of it that the other model can emit."""
        return fsum(p for p, q, right in zip(self.base, self.other, self.correct, strict=True) if right and q)

    def nats(self, trace: int) -> tuple[float | None, float | None]:
        return _log(self.base[trace]), _log(self.other[trace])

    def estimate(self, drawn: Sequence[int]) -> Importance:
        return importance([self.nats(trace) for trace in drawn if self.correct[trace]], len(drawn), whole=True)

    def stored(self, drawn: Sequence[int]) -> list[Drawn]:
        return [Drawn(idx, trace, self.correct[trace], *self.nats(trace)) for idx, trace in enumerate(drawn)]


def _log(p: float) -> float | None:
    return log(p) if p else None


def _shares(size: int) -> st.SearchStrategy[list[float]]:
    """Probabilities of `size` traces, some of them 0."""
    weights = st.lists(st.sampled_from([0.0, 0.001, 0.05, 1.0, 3.0, 40.0]), min_size=size, max_size=size)
    return weights.filter(any).map(lambda all_of: [one / fsum(all_of) for one in all_of])


@st.composite
def toys(draw: st.DrawFn, most: int = 6) -> Toy:
    size = draw(st.integers(2, most))
    return Toy(draw(_shares(size)), draw(_shares(size)), draw(st.lists(st.booleans(), min_size=size, max_size=size)))


@given(toys(), st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_the_floor_is_never_above_the_truth(toy: Toy, drawn: list[int]) -> None:
    right = [one for one in toy.stored([trace % len(toy.base) for trace in drawn]) if one.correct]
    total, distinct, drawable = floor(right)
    assert total <= toy.p_base * (1 + 1e-12)
    assert distinct == len({one.key for one in right})
    assert drawable == len({one.key for one in right if one.base is not None})


@given(toys(), st.data())
def test_the_floor_of_all_traces_is_the_truth(toy: Toy, data: st.DataObject) -> None:
    all_of = data.draw(st.permutations(toy.stored(range(len(toy.base)))))
    assert floor([one for one in all_of * 2 if one.correct])[0] == approx(toy.p_base)


@given(toys(4), st.integers(1, 4))
def test_importance_sampling_is_unbiased_for_what_the_other_can_emit(toy: Toy, n: int) -> None:
    """Exactly: the mean over every outcome of n draws, each with its probability."""
    mean = square = variance = 0.0
    for drawn in product(range(len(toy.other)), repeat=n):
        chance = float(np.prod([toy.other[trace] for trace in drawn]))
        if not chance:
            continue
        found = toy.estimate(drawn)
        mean += chance * found.value
        square += chance * found.value**2
        variance += chance * found.error**2 if n > 1 else 0.0
    assert mean == approx(toy.reachable, abs=1e-12)
    assert mean <= toy.p_base + 1e-12
    if n > 1:  # and so is its squared standard error
        assert variance == approx(square - mean**2, rel=1e-6, abs=1e-9)


def test_its_error_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(8)
    toy = Toy([0.2, 0.1, 0.3, 0.4], [0.3, 0.2, 0.1, 0.4], [True, True, True, False])
    missed = 0
    for _ in range(1000):
        found = toy.estimate(rng.choice(4, size=200, p=toy.other).tolist())
        assert found.warning is None
        missed += abs(found.value - toy.p_base) > 1.96 * found.error
    assert 0.025 < missed / 1000 < 0.085


@given(st.lists(st.tuples(st.floats(-30, 0), st.floats(-30, 0)), min_size=1, max_size=30), st.integers(0, 50))
def test_figures_are_those_of_the_weights_themselves(nats: list[tuple[float, float]], wrong: int) -> None:
    n = len(nats) + wrong
    found = importance([*nats], n, whole=True)
    weights = np.array([exp(base - other) for base, other in nats] + [0.0] * wrong)
    assert found.value == approx(weights.mean())
    assert found.effective == approx(weights.sum() ** 2 / (weights**2).sum())
    assert found.largest == approx(weights.max() / weights.sum())
    if n > 1:
        assert found.error == approx(weights.std(ddof=1) / sqrt(n), rel=1e-5, abs=1e-6 * weights.max())
        relative = sqrt(max(0.0, 1 / found.effective - 1 / n) * n / (n - 1))
        assert found.error / found.value == approx(relative, rel=1e-5, abs=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=10), st.floats(-20_000, -1000))
def test_long_traces_do_not_underflow(ratios: list[float], nats: float) -> None:
    """Probabilities that no float holds: only their ratio counts."""
    far = importance([(nats + ratio, nats) for ratio in ratios], 20, whole=True)
    near = importance([(ratio, 0.0) for ratio in ratios], 20, whole=True)
    assert (far.value, far.error, far.effective) == approx((near.value, near.error, near.effective), rel=1e-6)


def test_ratios_beyond_a_float_are_infinite_and_warned_of() -> None:
    found = importance([(-1.0, -2000.0)], 4, whole=True)
    assert (found.value, found.warning) == (inf, "no chance is above 100 %")


def test_warnings_say_when_the_estimate_means_nothing() -> None:
    even = importance([(-5.0, -4.0)] * 9, 100, whole=True)
    assert even.effective == approx(9)
    assert even.warning == f"effective sample size 9.0, below {FEWEST_EFFECTIVE:g}"
    assert importance([(-5.0, -4.0)] * 10, 100, whole=True).warning is None
    assert importance([(-5.0, -4.0)] * 30 + [(-1.0, -5.0)], 200, whole=True).warning == "one weight has 83 % of the sum"
    none = importance([(None, -4.0)] * 30, 100, whole=True)
    assert (none.value, none.impossible, none.effective) == (0.0, 30, 0.0)
    assert none.warning is not None
    assert "can be drawn" in none.warning
    assert importance([], 32, whole=False).warning == "none of the 32 draws is correct"


def recovered(traces: list[Drawn], n: int, correct: int) -> Recovery:
    return recover(1, traces, direct(n, 0), direct(n, correct), n)


def test_with_every_right_answer_stored_all_that_were_counted_divide() -> None:
    """As the bundled study has it: all right answers of a problem at the boundary, and the first few of any."""
    toy = Toy([0.1, 0.9], [0.2, 0.8], [True, False])
    drawn = [1, 1, 0, 1, 1, 0, 1, 0]
    kept = [one for one in toy.stored(drawn) if one.idx < 4 or one.correct]
    found = recovered(kept, 8, 3).importance
    assert found is not None
    assert (found.n, found.whole, found.value) == (8, True, approx(3 / 8 * 0.5))


def test_else_the_first_ones_do_whatever_their_answers_and_no_later_one_counts() -> None:
    toy = Toy([0.1, 0.9], [0.2, 0.8], [True, False])
    kept = [one for one in toy.stored([1, 0, 1, 1, 0, 0, 0, 0]) if one.idx < 4 or one.idx == 6]
    found = recovered(kept, 8, 5).importance
    assert found is not None
    assert (found.n, found.whole, found.correct, found.value) == (4, False, 1, approx(1 / 4 * 0.5))


def test_an_unjudged_trace_ends_the_first_ones() -> None:
    toy = Toy([0.5, 0.5], [0.5, 0.5], [True, False])
    kept = toy.stored([0, 1, 0, 1])
    kept[2] = Drawn(2, 0, None, *toy.nats(0))
    found = recovered(kept, 8, 4).importance
    assert found is not None
    assert found.n == 2


def test_without_the_first_one_nobody_knows_what_to_divide_by() -> None:
    toy = Toy([0.5, 0.5], [0.5, 0.5], [True, False])
    found = recovered(toy.stored([0, 1, 0, 1])[1:], 8, 4)
    assert (found.floor, found.importance) == (0.5, None)
    assert found.why is not None
    assert "a share needs its whole" in found.why


def test_no_right_answer_recovers_nothing_but_counts_as_an_estimate() -> None:
    found = recovered([], 64, 0)
    assert (found.floor, found.distinct, found.drawable) == (None, 0, 0)
    assert found.importance is not None
    assert (found.importance.n, found.importance.value, found.importance.warning) == (
        64,
        0.0,
        "none of the 64 draws is correct",
    )


def test_of_traces_that_may_be_the_same_the_least_probable_one_counts() -> None:
    traces = [Drawn(i, "a", True, nats, -1.0) for i, nats in enumerate((-2.0, -2.1, None))]
    assert floor(traces[:2]) == (approx(exp(-2.1)), 1, 1)
    assert floor(traces) == (0.0, 1, 0), "it is there, and cannot be drawn"


def test_direct_limits_are_exact() -> None:
    none, some = direct(1024, 0), direct(10, 3)
    assert (none.low, none.high) == (0.0, approx(1 - 0.025 ** (1 / 1024)))
    assert (some.low, some.high) == (approx(0.0667, abs=1e-4), approx(0.6525, abs=1e-4))
