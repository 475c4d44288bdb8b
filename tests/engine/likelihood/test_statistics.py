"""Statistics of logits: against their definitions, and against what sampling draws from."""

from __future__ import annotations

from math import exp, inf, isnan, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.decoding import PLAIN, Decoding, log_probabilities
from engine.likelihood.statistics import joined, statistics
from store.token_scores import MOST_OTHERS

DECODINGS = st.builds(
    Decoding,
    st.sampled_from([0.3, 0.6, 1.0, 1.7]),
    st.sampled_from([0.1, 0.5, 0.95, 0.999, 1.0]),
    st.sampled_from([0, 1, 5, 70, 900]),
)
CLOSE = 1e-9
"""Mass about top_p that a sum in another order may move across it."""


@st.composite
def logits(draw: st.DrawFn) -> torch.Tensor:
    """[tokens, vocabulary], from flat to peaked, with and without ties."""
    vocabulary, spread = draw(st.sampled_from([2, 5, 40, 64, 65, 300, 1500])), draw(st.sampled_from([0.0, 0.5, 3.0, 12.0]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    made = torch.randn(6, vocabulary, dtype=torch.float64, generator=generator) * spread
    return made.round() if draw(st.booleans()) else made


def naive(row: list[float], target: int, decoding: Decoding) -> tuple[float, float, float]:
    """Log-probability, entropy and edge, by sorting and adding up."""
    largest = max(row)
    weights = [exp((value - largest) / decoding.temperature) for value in row]
    order = sorted(weights, reverse=True)
    if 0 < decoding.top_k < len(row):
        weights = [w if w >= order[decoding.top_k - 1] else 0.0 for w in weights]
    mass = [w / sum(weights) for w in weights]
    above = sum(m for m in mass if m > mass[target])
    if decoding.top_p < 1:
        inside = [m if sum(n for n in set(mass) if n > m for _ in range(mass.count(n))) < decoding.top_p else 0.0 for m in mass]
        mass = [m / sum(inside) for m in inside]
    entropy = -sum(m * log(m) for m in mass if m > 0)
    return (
        (log(mass[target]) if mass[target] > 0 else -inf),
        entropy,
        above - decoding.top_p if decoding.top_p < 1 else float("nan"),
    )


@settings(deadline=None)
@given(logits(), st.lists(DECODINGS, min_size=1, max_size=3), st.integers(0, 10_000))
def test_as_sampling_has_it(made: torch.Tensor, decodings: list[Decoding], seed: int) -> None:
    targets = torch.randint(made.shape[-1], (len(made),), generator=torch.Generator().manual_seed(seed))
    found = statistics(made, targets, decodings)
    for row, decoding in enumerate(decodings):
        whole = log_probabilities(made, decoding)
        logp = whole.gather(-1, targets[:, None])[:, 0]
        entropy = torch.special.entr(whole.exp()).sum(dim=-1)
        torch.testing.assert_close(found.logp[row], logp, atol=1e-10, rtol=0)
        torch.testing.assert_close(found.entropy[row], entropy, atol=1e-9, rtol=0)
        if decoding.top_p < 1:
            assert torch.equal(found.edge[row] < 0, logp > -inf)
        else:
            assert bool(found.edge[row].isnan().all())


@settings(deadline=None)
@given(logits(), DECODINGS, st.integers(0, 10_000))
def test_as_the_definitions_have_it(made: torch.Tensor, decoding: Decoding, seed: int) -> None:
    made = made[:2, :65]
    targets = torch.randint(made.shape[-1], (len(made),), generator=torch.Generator().manual_seed(seed))
    found = statistics(made, targets, [decoding])
    for place, (row, target) in enumerate(zip(made.tolist(), targets.tolist(), strict=True)):
        logp, entropy, edge = naive(row, target, decoding)
        assert found.edge[0, place].item() == pytest.approx(edge, abs=1e-9, nan_ok=True)
        assert bool(found.first[place]) == (row[target] == max(row))
        if isnan(edge) or abs(edge) > CLOSE:
            assert found.logp[0, place].item() == pytest.approx(logp, abs=1e-9)
        if decoding.top_p == 1:
            assert found.entropy[0, place].item() == pytest.approx(entropy, abs=1e-9)


@settings(deadline=None)
@given(logits(), st.integers(0, 10_000))
def test_others_are_the_most_probable_tokens_apart_from_the_one_there(made: torch.Tensor, seed: int) -> None:
    targets = torch.randint(made.shape[-1], (len(made),), generator=torch.Generator().manual_seed(seed))
    found = statistics(made, targets, [PLAIN, Decoding(0.6, 0.95)], others=True)
    assert found.other_ids is not None
    assert found.other_logp is not None
    plain = torch.log_softmax(made, dim=-1)
    for place, target in enumerate(targets.tolist()):
        ids = found.other_ids[place].tolist()
        rest = sorted((value for token, value in enumerate(plain[place].tolist()) if token != target), reverse=True)
        assert len(set(ids)) == len(ids) == min(MOST_OTHERS, made.shape[-1] - 1)
        assert target not in ids
        assert found.other_logp[place].tolist() == rest[: len(ids)] == plain[place, ids].tolist()
        assert bool(found.first[place]) == (found.plain[place].item() >= rest[0])


def test_of_a_token_outside_the_nucleus_the_edge_says_by_how_much() -> None:
    made = torch.tensor([0.5, 0.3, 0.15, 0.05], dtype=torch.float64).log().expand(4, 4)
    found = statistics(made, torch.arange(4), [Decoding(1.0, 0.7)])
    torch.testing.assert_close(found.edge[0], torch.tensor([-0.7, -0.2, 0.1, 0.25], dtype=torch.float64))
    torch.testing.assert_close(found.logp[0].exp(), torch.tensor([0.625, 0.375, 0.0, 0.0], dtype=torch.float64))
    assert found.first.tolist() == [True, False, False, False]


def test_far_down_a_large_vocabulary_the_edge_is_the_mass_of_all_above() -> None:
    made = torch.full((1, 5000), -20.0, dtype=torch.float64)
    made[0, :60] = 0.0
    made[0, 60:4000] = torch.linspace(-9, -10, 3940, dtype=torch.float64)
    mass = torch.softmax(made, dim=-1)[0]
    found = statistics(made, torch.tensor([3999]), [Decoding(1.0, 0.9)])
    assert found.edge.item() == pytest.approx(mass[:3999].sum().item() - 0.9, abs=1e-12)
    assert found.logp.item() == -inf


def test_a_tie_that_goes_on_beyond_what_was_looked_up_lies_inside() -> None:
    made = torch.zeros(3, 4000)
    made[1, :] = torch.linspace(1, 0, 4000)
    targets = torch.tensor([3999, 3999, 17])
    found = statistics(made, targets, [Decoding(0.6, 0.5), Decoding(1.0, 1.0, 5)])
    assert (found.edge[0, [0, 2]] == -0.5).all(), "nothing is more probable"
    torch.testing.assert_close(found.logp[:, 0].exp(), torch.full((2,), 1 / 4000))
    assert found.logp[0, 1].item() == -inf


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_logits_of_fewer_bits_are_read_in_float32(dtype: torch.dtype) -> None:
    made = (torch.randn(20, 200, generator=torch.Generator().manual_seed(3)) * 4).to(dtype)
    found = statistics(made, torch.arange(20), [PLAIN, Decoding(0.6, 0.95)])
    exact = statistics(made.double(), torch.arange(20), [PLAIN, Decoding(0.6, 0.95)])
    assert found.logp.dtype == torch.float32
    torch.testing.assert_close(found.logp.double(), exact.logp, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.entropy.double(), exact.entropy, atol=1e-5, rtol=0)


@settings(deadline=None)
@given(logits(), st.integers(1, 5))
def test_tokens_can_be_read_in_parts(made: torch.Tensor, size: int) -> None:
    targets, decodings = torch.arange(6) % made.shape[-1], [PLAIN, Decoding(0.6, 0.95)]
    whole = statistics(made, targets, decodings, others=True)
    parts = joined([statistics(made[i : i + size], targets[i : i + size], decodings, others=True) for i in range(0, 6, size)])
    torch.testing.assert_close(parts.logp, whole.logp)
    torch.testing.assert_close(parts.edge, whole.edge, equal_nan=True)
    assert torch.equal(parts.first, whole.first)
    assert parts.other_logp is not None
    assert whole.other_logp is not None
    assert torch.equal(parts.other_logp, whole.other_logp)
