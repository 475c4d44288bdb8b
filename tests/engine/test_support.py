"""Nucleus support: who is in, by how much, and what a nucleus cannot tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.support import MARGINS, Support, is_inside, margin_of, supports
from store.likelihoods import LikelihoodRow
from store.types import Outcome

ROW = LikelihoodRow(1, 1, 1, 0, "base", "r", 0.6, 0.95, 0, Outcome.CORRECT, False, 40, 10, -2.0, 0, edge=-0.1)
OUT = replace(ROW, logp=None, outside=2, edge=0.04)


def only(rows: list[LikelihoodRow]) -> Support:
    [one] = supports(rows)
    return one


@pytest.mark.parametrize("dtype", MARGINS)
def test_the_edge_decides_up_to_the_margin_of_the_arithmetic(dtype: str) -> None:
    margin = MARGINS[dtype]
    for edge, inside, strictly in ((-margin, 1, 1), (margin * 0.99, 1, 0), (margin, 0, 0), (margin * 1.01, 0, 0)):
        one = only([replace(OUT, edge=edge, dtype=dtype)])
        assert (one.inside, one.strictly, one.margin) == (inside, strictly, margin)


def test_an_arithmetic_that_nobody_listed_gets_the_widest_margin() -> None:
    assert margin_of("int8", 0.9) == MARGINS["bfloat16"]


@given(st.sampled_from([*MARGINS, "int8"]), st.floats(0.5, 1, exclude_max=True))
def test_no_margin_forgives_a_token_that_lies_behind_everything(dtype: str, top_p: float) -> None:
    """At top-p 0.99 a margin of 0.02 would: the largest edge there is, is 0.01."""
    assert not is_inside(replace(OUT, edge=1 - top_p, dtype=dtype, top_p=top_p))


@given(st.lists(st.floats(-0.95, 0.05), min_size=1, max_size=30), st.sampled_from(list(MARGINS)))
def test_a_margin_only_adds_and_only_those_at_the_edge(edges: list[float], dtype: str) -> None:
    one = only([replace(ROW, sample_id=i, edge=edge, outside=int(edge >= 0), dtype=dtype) for i, edge in enumerate(edges)])
    assert one.strictly <= one.inside <= one.strictly + one.near
    assert one.share == pytest.approx(one.inside / len(edges))


def test_rows_without_an_edge_are_judged_by_their_tokens_outside_and_counted() -> None:
    one = only([replace(ROW, edge=None), replace(OUT, edge=None), ROW])
    assert (one.responses, one.inside, one.strictly, one.without_edge, one.near) == (3, 2, 2, 2, 0)


def test_forbidding_tokens_are_of_responses_that_are_not_supported() -> None:
    rows = [ROW, OUT, replace(OUT, outside=4, edge=0.05), replace(OUT, outside=1, edge=1e-12)]
    one = only(rows)
    assert (one.inside, one.forbidding, one.forbidding_tokens, one.tokens) == (2, 3.0, 7, 40)
    assert only([ROW]).forbidding is None


def test_correct_ones_and_problems_are_counted_apart() -> None:
    wrong = replace(ROW, outcome=Outcome.INCORRECT, problem_id=2)
    one = only([ROW, OUT, wrong, wrong, wrong])
    assert (one.correct, one.correct_inside, one.correct_share, one.share) == (2, 1, 0.5, 0.8)
    assert one.problems == {1: (1, 2), 2: (3, 3)}
    assert one.over_problems == 0.75
    assert only([wrong]).correct_share is None


def test_decodings_are_kept_apart_and_the_plain_one_is_none() -> None:
    plain = replace(ROW, temperature=1.0, top_p=1.0)
    hot = replace(ROW, temperature=1.0)
    free = replace(ROW, top_p=1.0, edge=None)
    found = supports([plain, ROW, hot, free, replace(ROW, tokens=0)])
    assert [(one.temperature, one.top_p, one.tells) for one in found] == [
        (0.6, 0.95, True),
        (0.6, 1.0, False),
        (1.0, 0.95, True),
    ]


def test_top_k_alone_excludes_too() -> None:
    one = only([replace(ROW, top_p=1.0, top_k=20, edge=None), replace(OUT, top_p=1.0, top_k=20, edge=None)])
    assert (one.tells, one.share, one.margin) == (True, 0.5, 0.0)
