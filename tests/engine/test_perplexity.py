"""Perplexity of responses: every figure against one made by hand, and the probability of a whole trace in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import exp, inf, isnan, log, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.perplexity import QUANTILES, Part, Perplexity, odds, perplexities, quantile
from store.likelihoods import LikelihoodRow
from store.types import Outcome

ROW = LikelihoodRow(1, 1, 1, 0, "base", "r", 1.0, 1.0, 0, Outcome.CORRECT, False, 40, 10, -2.0, 0)

nats = st.lists(st.tuples(st.floats(-80, -1e-6), st.integers(1, 200)), min_size=1, max_size=30)

approx: Callable[..., Any] = pytest.approx


def rows(*values: tuple[float | None, int], **more: object) -> list[LikelihoodRow]:
    """By (nats of the whole, tokens)."""
    return [replace(ROW, sample_id=i, logp=logp, tokens=tokens, **more) for i, (logp, tokens) in enumerate(values)]  # type: ignore[arg-type]


def only(found: list[LikelihoodRow]) -> Perplexity:
    [one] = perplexities(found)
    return one


@pytest.mark.parametrize(
    ("nats", "said"),
    [
        (0.0, "certain"),
        (-1e-5, "certain"),
        (-0.001, "1 in 1.001"),
        (-0.05, "1 in 1.051"),
        (-0.7, "1 in 2"),
        (-1.163, "1 in 3.2"),
        (-log(150), "1 in 150"),
        (-log(4500), "1 in 4,500"),
        (-log(890_000), "1 in 890,000"),
        (-log(2e6), "1 in 10^6.3"),
        (-log(10) * 8, "1 in 10^8"),
        (-58, "1 in 10^25"),
        (-3000, "1 in 10^1,303"),
        (-1e6, "1 in 10^434,294"),
        (-inf, "never"),
        (None, "never"),
    ],
)
def test_the_probability_of_a_trace_in_words(nats: float | None, said: str) -> None:
    assert odds(nats) == said


@given(st.floats(-60, -1e-3))
def test_odds_say_the_probability_to_a_tenth(value: float) -> None:
    said = odds(value).removeprefix("1 in ").replace(",", "")
    number = log(10) * float(said[3:]) if said.startswith("10^") else log(float(said))
    assert number == approx(-value, abs=log(10) / 2 if value < -10 * log(10) else 0.13)


def test_every_figure_of_four_responses() -> None:
    found = [
        *rows((-2.0, 10), (-1.0, 2), stop_logp=-0.5, entropy=3.0, lowest=-1.5),
        *rows((-9.0, 3), outcome=Outcome.INCORRECT, truncated=True, problem_id=2),
        *rows((-1.0, 4), outcome=None, retokenized=True, dtype="float32"),
    ]
    one = only(found)
    own = [exp(0.2), exp(0.5), exp(3.0), exp(0.25)]
    assert (one.responses, one.tokens, one.truncated, one.retokenized, one.stopped) == (4, 19, 1, 1, 2)
    assert one.median == approx((exp(0.25) + exp(0.5)) / 2)
    assert one.quantiles == approx(np.quantile(own, QUANTILES).tolist())
    assert one.pooled == approx(exp(13 / 19))
    without = [exp(1.5 / 9), exp(0.5), exp(3.0), exp(0.25)]
    assert one.no_stop == Part(4, approx(float(np.median(without))), approx(exp(12 / 17)))
    assert one.correct == Part(2, approx((exp(0.2) + exp(0.5)) / 2), approx(exp(3 / 12)))
    assert (one.median_correct, one.incorrect.responses, one.no_answer) == (one.correct.median, 1, Part(0, None, None))
    assert one.unjudged == Part(1, approx(exp(0.25)), approx(exp(0.25)))
    assert one.whole.median == approx(exp(0.25))
    assert (one.entropy, one.entropy_of, one.nats, one.lowest) == (approx(6 / 12), 2, -1.5, -1.5)
    assert one.dtypes == ("float32", "float64")
    assert [(p.problem_id, p.every.responses, p.correct.responses) for p in one.problems] == [(1, 3, 2), (2, 1, 0)]


@given(nats)
def test_median_and_pooled_lie_between_the_least_and_the_most_surprising_response(values: list[tuple[float, int]]) -> None:
    one = only(rows(*values))
    own = [exp(-logp / tokens) for logp, tokens in values]
    assert one.pooled is not None
    for figure in (one.median, one.pooled, *one.quantiles):
        assert min(own) * (1 - 1e-9) <= figure <= max(own) * (1 + 1e-9)
    assert list(one.quantiles) == sorted(one.quantiles)


@given(nats)
def test_what_is_pooled_is_one_long_response(values: list[tuple[float, int]]) -> None:
    whole = sum(logp for logp, _ in values), sum(tokens for _, tokens in values)
    assert only(rows(*values)).pooled == approx(only(rows(whole)).median)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.floats(0, 1))
def test_quantiles_are_numpys(values: list[float], at: float) -> None:
    assert quantile(sorted(values), at) == approx(float(np.quantile(values, at)), rel=1e-9, abs=1e-6)


def test_a_verifier_that_failed_has_not_said_wrong() -> None:
    one = only(rows((-1.0, 1), outcome=Outcome.ERROR))
    assert (one.unjudged.responses, one.incorrect.responses, one.median_correct) == (1, 0, None)


def test_responses_of_probability_0_are_counted_and_left_out() -> None:
    one = only(rows((None, 4), (-1.0, 4)))
    assert (one.responses, one.impossible, one.median) == (1, 1, approx(exp(0.25)))
    none = only(rows((None, 4)))
    assert (none.responses, none.impossible, none.pooled, none.nats) == (0, 1, None, None)
    assert isnan(none.median)
    assert all(map(isnan, none.quantiles))


def test_a_response_that_is_only_its_stop_token_has_nothing_else() -> None:
    one = only(rows((-0.1, 1), stop_logp=-0.1))
    assert (one.responses, one.no_stop) == (1, Part(0, None, None))


def test_what_servers_write_for_impossible_overflows_into_infinity_only() -> None:
    assert only(rows((-9999.0, 1))).median == inf


def test_runs_scorers_and_revisions_are_kept_apart() -> None:
    found = [replace(ROW, run_id=run, scorer=name, revision=r) for run in (2, 1) for name in "ab" for r in "12"]
    assert [(one.run_id, one.scorer, one.revision) for one in perplexities(found)] == [
        (run, name, r) for run in (1, 2) for name in "ab" for r in "12"
    ]


def test_entropy_and_lowest_are_unknown_where_nobody_told() -> None:
    one = only(rows((-1.0, 4)))
    assert (one.entropy, one.entropy_of, one.lowest) == (None, 0, None)


@pytest.mark.parametrize(
    ("decodings", "supported"),
    [
        ([], None),
        ([(0.6, 1.0, 0)], None),
        ([(0.6, 0.95, 0)], 0.5),
        ([(0.6, 1.0, 20)], 0.5),
        ([(0.6, 0.95, 0), (1.0, 0.95, 0)], None),
    ],
)
def test_support_is_told_only_where_one_decoding_excludes_tokens(
    decodings: list[tuple[float, float, int]], supported: float | None
) -> None:
    found = [
        replace(ROW, sample_id=i, temperature=t, top_p=p, top_k=k, outside=i, logp=nan) for t, p, k in decodings for i in (0, 1)
    ]
    assert only([ROW, *found]).supported == supported
