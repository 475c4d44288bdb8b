"""Where two models part: sums, steps and forks of any scores are what their definitions say, of whatever lengths and spans."""

from __future__ import annotations

import random
import time
from math import exp, inf, isnan, log, nan

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.analyses.parting import part, steps_of
from store.token_scores import Other, TokenScores, pack_scores, unpack_scores

NATS = st.sampled_from([0.0, -0.0625, -0.5, -1.0, -3.0, -7.25, -20.0, -inf])
OTHERS = st.lists(st.builds(Other, st.integers(0, 9), st.sampled_from([-0.25, -1.0, -4.0])), min_size=1, max_size=4).map(
    lambda found: tuple(sorted(found, key=lambda one: -one.logp))
)


@st.composite
def scored(draw: st.DrawFn, most: int = 12) -> tuple[TokenScores, TokenScores, list[int]]:
    """Two models' scores of the same tokens, and steps: the spans may bring more than the steps reach, or less."""
    n = draw(st.integers(0, most))
    spans = draw(st.none() | st.lists(st.integers(0, 4), min_size=n, max_size=n))

    def one() -> TokenScores:
        logp = draw(st.lists(NATS, min_size=n, max_size=n))
        others = draw(st.none() | st.dictionaries(st.integers(0, max(n - 1, 0)), OTHERS)) if n else {}
        return TokenScores(logp, spans=spans, others=others)

    rest = draw(st.lists(st.integers(1, 30), unique=True, max_size=5))
    return one(), one(), draw(st.sampled_from([[], [0, *sorted(rest)]]))


def close(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and one == pytest.approx(other, abs=1e-9))


@given(scored())
def test_steps_take_every_token_once_and_their_sums_are_the_tokens(found: tuple[TokenScores, TokenScores, list[int]]) -> None:
    own, other, starts = found
    parting = part(own, other, starts)
    if own.spans is None:
        assert (parting.step_of, parting.steps) == (None, ())
        return
    assert [step.step for step in parting.steps] == list(range(1, max(len(starts), 1) + 1))
    places = [place for step in parting.steps for place in range(step.first, step.first + step.tokens)]
    assert places == list(range(len(own.logp)))
    assert parting.step_of is not None
    assert parting.ratio is not None
    for step in parting.steps:
        inside = [place for place, of in enumerate(parting.step_of) if of == step.step]
        assert len(inside) == step.tokens
        assert close(step.own, sum(own.logp[place] for place in inside))
        assert close(step.other, sum(other.logp[place] for place in inside))
        known = [parting.ratio[place] for place in inside if not isnan(parting.ratio[place])]
        if {inf, -inf} <= set(known) or (inside and not known):
            assert step.ratio is None
        else:
            assert close(step.ratio, sum(known))
    assert close(sum(step.own for step in parting.steps), sum(own.logp))


@given(scored())
def test_a_ratio_is_the_others_less_own_and_unknown_where_neither_can(
    found: tuple[TokenScores, TokenScores, list[int]],
) -> None:
    own, other, starts = found
    parting = part(own, other, starts)
    assert parting.ratio is not None
    assert parting.cumulative is not None
    total = 0.0
    for place, ratio in enumerate(parting.ratio):
        assert isnan(ratio) == (own.logp[place] == other.logp[place] == -inf)
        assert isnan(ratio) or ratio == other.logp[place] - own.logp[place]
        total += 0.0 if isnan(ratio) else ratio
        assert parting.cumulative[place] == total or isnan(total)


@given(scored())
def test_swapping_the_models_negates_every_ratio(found: tuple[TokenScores, TokenScores, list[int]]) -> None:
    own, other, starts = found
    one, mirrored = part(own, other, starts), part(other, own, starts)
    assert one.ratio is not None
    assert mirrored.ratio is not None
    assert [-value for value in one.ratio if not isnan(value)] == [value for value in mirrored.ratio if not isnan(value)]
    for left, right in zip(one.steps, mirrored.steps, strict=True):
        assert (left.own, left.other, left.tokens) == (right.other, right.own, right.tokens)
        assert close(left.ratio, None if right.ratio is None else -right.ratio)
    assert one.falls() == mirrored.rises()
    assert [step.step for step in one.falling_steps()] == [step.step for step in mirrored.rising_steps()]


@given(scored())
def test_forks_are_where_another_token_is_the_first_choice(found: tuple[TokenScores, TokenScores, list[int]]) -> None:
    own, other, starts = found
    parting = part(own, other, starts)
    assert parting.forks_known == (other.others is not None)
    assert [fork.place for fork in parting.forks] == [place for place in range(len(own.logp)) if other.is_fork(place)]
    for fork in parting.forks:
        assert (fork.taken, fork.own) == (other.logp[fork.place], own.logp[fork.place])
        assert fork.choices[0].logp > fork.taken
        assert fork.choices[0].logp == max(one.logp for one in fork.choices)
        assert fork.own_leaves == (None if own.others is None else own.is_fork(fork.place))
        assert fork.step == (None if parting.step_of is None else parting.step_of[fork.place])
    order = [(0.0 if fork.ratio is None else fork.ratio, fork.place) for fork in parting.decisive(99)]
    assert order == sorted(order)


@given(scored())
def test_where_it_falls_is_in_order_and_ties_keep_theirs(found: tuple[TokenScores, TokenScores, list[int]]) -> None:
    own, other, starts = found
    parting = part(own, other, starts)
    assert parting.ratio is not None
    falling = sorted((ratio, place) for place, ratio in enumerate(parting.ratio) if ratio < 0)
    assert parting.falls(99) == [place for _, place in falling]
    assert parting.falls(2) == parting.falls(99)[:2]
    steps = sorted((step.ratio, step.step) for step in parting.steps if step.ratio is not None and step.ratio < 0)
    assert [step.step for step in parting.falling_steps(99)] == [step for _, step in steps]


@given(scored())
def test_one_model_alone_has_surprisal_and_its_own_forks(found: tuple[TokenScores, TokenScores, list[int]]) -> None:
    own, _, starts = found
    parting = part(own, None, starts)
    assert (parting.other, parting.ratio, parting.cumulative, parting.whole, parting.fall) == (None, None, None, None, None)
    assert parting.surprisal == [-value for value in own.logp]
    assert all(step.other is None and step.ratio is None for step in parting.steps)
    assert [fork.place for fork in parting.forks] == [place for place in range(len(own.logp)) if own.is_fork(place)]
    assert all(fork.own is None and fork.own_leaves is None and fork.ratio is None for fork in parting.forks)
    assert parting.rises() == []
    least = sorted((value, place) for place, value in enumerate(own.logp) if value < 0)
    assert parting.falls(99) == [place for _, place in least]


@given(st.lists(st.integers(0, 4), max_size=12), st.lists(st.integers(1, 30), unique=True, max_size=5).map(sorted))
@example([0, 0], [2])
@example([5, 9], [2])
def test_a_token_is_in_the_step_of_its_first_character(spans: list[int], rest: list[int]) -> None:
    starts = [0, *rest]
    found = steps_of(spans, starts)
    assert found == sorted(found)
    at, before = 0, 1
    ends = max((place for place, chars in enumerate(spans) if chars), default=-1)
    for place, chars in enumerate(spans):
        if chars:
            assert found[place] == sum(start <= at for start in starts)
        elif place > ends:
            assert found[place] == len(starts)
        else:
            assert found[place] == before
        at, before = at + chars, found[place]


def test_an_empty_response_is_one_step_of_its_stop_token() -> None:
    parting = part(TokenScores([-0.5], spans=[0]), TokenScores([-2.0], spans=[0]), [])
    (step,) = parting.steps
    assert (step.step, step.tokens, step.own, step.other, step.ratio) == (1, 1, -0.5, -2.0, -1.5)
    (none,) = part(TokenScores([], spans=[]), TokenScores([], spans=[]), []).steps
    assert (none.tokens, none.own, none.ratio) == (0, 0.0, 0.0)


def test_a_token_that_neither_can_say_is_unknown_and_never_0() -> None:
    parting = part(TokenScores([-inf, -1.0], spans=[1, 1]), TokenScores([-inf, -3.0], spans=[1, 1]), [0, 1])
    assert [step.ratio for step in parting.steps] == [None, -2.0]
    assert (parting.falls(), parting.whole, parting.fall) == ([1], -2.0, -2.0)
    nothing = part(TokenScores([-inf]), TokenScores([-inf]), [])
    assert (nothing.whole, nothing.fall) == (None, None)
    assert part(TokenScores([nan], spans=[1]), TokenScores([-1.0], spans=[1]), [0]).falls() == []


def test_what_the_other_cannot_say_falls_without_end() -> None:
    parting = part(TokenScores([-1.0, -1.0, -1.0]), TokenScores([-0.5, -inf, -2.0]), [])
    assert (parting.falls(1), parting.whole) == ([1], -inf)
    both = part(TokenScores([-inf, -1.0]), TokenScores([-1.0, -inf]), [])
    assert (both.whole, both.falls(), both.rises()) == (None, [1], [0])


def test_scores_of_other_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="2 tokens, the other about 1"):
        part(TokenScores([-1.0, -1.0]), TokenScores([-1.0]), [0])


def test_the_ratio_of_a_trace_is_that_of_its_two_probabilities() -> None:
    """Over all 2^4 texts of a two-letter model each, exp of the whole ratio weighs own's probabilities to the other's."""
    own, other = (0.8, 0.3), (0.4, 0.6)
    """Probability of the first letter at even and odd places."""
    weighed = 0.0
    for text in range(16):
        letters = [text >> place & 1 for place in range(4)]
        p, q = (
            [log(by[place % 2] if not letter else 1 - by[place % 2]) for place, letter in enumerate(letters)]
            for by in (own, other)
        )
        whole = part(TokenScores(p), TokenScores(q), []).whole
        assert whole is not None
        weighed += exp(sum(p)) * exp(whole)
    assert weighed == pytest.approx(1)


def test_storage_moves_what_is_told_by_no_more_than_it_says() -> None:
    rng = random.Random(3)
    own, other = (TokenScores([-rng.expovariate(1) for _ in range(500)], spans=[2] * 500) for _ in range(2))
    starts = list(range(0, 1000, 50))
    exact = part(own, other, starts)
    stored = part(unpack_scores(pack_scores(own)), unpack_scores(pack_scores(other)), starts)
    assert exact.ratio is not None
    assert stored.ratio is not None
    for one, two, p, q in zip(exact.ratio, stored.ratio, own.logp, other.logp, strict=True):
        assert abs(one - two) <= (abs(p) + abs(q)) * 2**-11 + 1e-6
    assert stored.whole == pytest.approx(exact.whole, abs=0.2)


def long_scores(rng: random.Random, n: int) -> TokenScores:
    logp = [-rng.expovariate(1.5) if rng.random() < 0.3 else -0.05 * rng.random() for _ in range(n)]
    others = {place: (Other(rng.randrange(999), -0.5), Other(7, -2.0)) for place in range(n) if logp[place] < -0.105}
    return TokenScores(logp, spans=[4] * n, others=others)


def test_sixteen_thousand_tokens_part_at_once() -> None:
    """9 ms where nothing else runs; the limit leaves room for a busy machine."""
    rng = random.Random(0)
    own, other = long_scores(rng, 16_384), long_scores(rng, 16_384)
    starts = list(range(0, 4 * 16_384, 400))

    def seconds() -> float:
        began = time.perf_counter()
        found = part(own, other, starts)
        assert len(found.steps) == len(starts)
        return time.perf_counter() - began

    assert min(seconds() for _ in range(5)) < 0.1
