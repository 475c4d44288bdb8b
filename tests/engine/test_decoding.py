"""The decoding distribution: against transformers' own warpers, against brute force, and the numbers it is drawn with."""

from __future__ import annotations

from math import inf, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from engine.decoding import Decoding, draw, log_probabilities, uniforms

LOGITS = st.lists(st.integers(-800, 800).map(lambda n: n / 100), min_size=2, max_size=200, unique=True)


@pytest.mark.parametrize(
    "decoding", [Decoding(0.6, 0.95), Decoding(1.0, 0.5), Decoding(0.7, 0.9, 20), Decoding(1.3, 1.0, 5), Decoding()]
)
def test_it_is_the_distribution_of_transformers_warpers(decoding: Decoding) -> None:
    logits = torch.randn(64, 300, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 3
    warped = TemperatureLogitsWarper(decoding.temperature)(None, logits) if decoding.temperature != 1 else logits
    if decoding.top_k:
        warped = TopKLogitsWarper(decoding.top_k)(None, warped)
    if decoding.top_p < 1:
        warped = TopPLogitsWarper(decoding.top_p)(None, warped)
    expected = torch.log_softmax(warped, dim=-1)
    torch.testing.assert_close(log_probabilities(logits, decoding), expected, rtol=0, atol=1e-12)


@given(LOGITS, st.floats(0.05, 1.0), st.floats(0.2, 2.0))
@settings(deadline=None)
def test_the_nucleus_is_the_smallest_set_of_most_probable_tokens_that_reaches_top_p(
    values: list[float], top_p: float, temperature: float
) -> None:
    logits = torch.tensor(values, dtype=torch.float64)
    kept = log_probabilities(logits, Decoding(temperature, top_p)) > -inf
    plain = torch.softmax(logits / temperature, dim=-1)
    assert kept[plain.argmax()]
    assert plain[kept].min() >= plain[~kept].max() if bool((~kept).any()) else True
    assert plain[kept].sum() >= top_p - 1e-9
    assert plain[kept].sum() - plain[kept].min() < top_p + 1e-9
    assert log_probabilities(logits, Decoding(temperature, top_p)).exp().sum().item() == pytest.approx(1)


def test_a_flat_distribution_over_a_large_vocabulary_needs_more_than_the_first_look() -> None:
    logits = torch.linspace(0, 0.001, 5000, dtype=torch.float64)
    assert int((log_probabilities(logits, Decoding(1.0, 0.9)) > -inf).sum()) == pytest.approx(4500, abs=2)


def test_tokens_as_probable_as_the_last_one_are_in_whatever_their_order() -> None:
    logits = torch.tensor([2.0, 1.0, 1.0, 1.0, -3.0])
    for order in ([0, 1, 2, 3, 4], [4, 3, 0, 2, 1]):
        kept = log_probabilities(logits[order], Decoding(1.0, 0.6)) > -inf
        assert sorted(logits[order][kept].tolist()) == [1.0, 1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("temperature", "top_p", "top_k"), [(0, 1, 0), (-1, 1, 0), (float("nan"), 1, 0), (1, 0, 0), (1, 1.1, 0), (1, 1, -1)]
)
def test_what_is_no_distribution_is_refused(temperature: float, top_p: float, top_k: int) -> None:
    with pytest.raises(ValueError, match=r"temperature|top-p|top-k"):
        Decoding(temperature, top_p, top_k)


def test_uniforms_are_splitmix64() -> None:
    """First outputs for the seed 1234567, as published with many implementations."""
    outputs = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    seeds = torch.full((5,), 1234567, dtype=torch.int64)
    assert uniforms(seeds, torch.arange(5)).tolist() == [(output >> 11) * 2.0**-53 for output in outputs]


def test_uniforms_of_neighbouring_seeds_and_steps_are_uniform_and_uncorrelated() -> None:
    grid = uniforms(torch.arange(400)[:, None].expand(400, 400), torch.arange(400)[None].expand(400, 400))
    assert grid.min() >= 0
    assert grid.max() < 1
    assert grid.mean().item() == pytest.approx(0.5, abs=0.005)
    counts = torch.histc(grid, bins=20, min=0, max=1)
    assert ((counts - 8000) ** 2 / 8000).sum() < 45  # chi-square with 19 degrees of freedom: p about 0.0007
    for left, right in ((grid[:-1], grid[1:]), (grid[:, :-1], grid[:, 1:])):
        assert abs(torch.corrcoef(torch.stack([left.flatten(), right.flatten()]))[0, 1].item()) < 0.01


def test_draws_follow_the_probabilities_and_never_take_an_impossible_token() -> None:
    probabilities = torch.tensor([0.0, 0.5, 0.0, 0.3, 0.2, 0.0], dtype=torch.float64)
    logp = probabilities.log().expand(100_000, 6)
    drawn = draw(logp, uniforms(torch.arange(100_000), torch.zeros(100_000, dtype=torch.int64)))
    shares = torch.bincount(drawn, minlength=6) / 100_000
    torch.testing.assert_close(shares.double(), probabilities, rtol=0, atol=0.006)
    edges = draw(logp[:2], torch.tensor([0.0, 1 - 2.0**-53], dtype=torch.float64))
    assert edges.tolist() == [1, 4]


def test_one_certain_token_has_logp_zero() -> None:
    assert log_probabilities(torch.tensor([0.0, 50.0]), Decoding(0.6, 0.95)).tolist() == [-inf, 0.0]
    assert log_probabilities(torch.tensor([0.0, 0.0]), Decoding()).tolist() == pytest.approx([log(0.5)] * 2)
