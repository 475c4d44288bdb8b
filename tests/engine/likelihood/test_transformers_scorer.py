"""The scorer over transformers: against one plain float64 forward pass a response, and whatever stands beside it in a pack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import inf, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AttentionInterface, AutoModelForCausalLM, GraniteConfig

from engine.decoding import PLAIN, Decoding
from engine.likelihood import load_scorer
from engine.likelihood.base import Response, Scored
from engine.likelihood.packed import Pack, Run
from engine.likelihood.transformers import TransformersScorer
from engine.samplers.base import Opening, SamplerError
from store.token_scores import LEAST_OTHER, OTHERS_BELOW
from tests.engine.tiny import save_model

PAPER = Decoding(0.6, 0.95)
BOTH = (PLAIN, PAPER)
TOKENS = 22
"""Ids that are drawn for a test; the vocabulary has a few more."""
KINDS = ("llama", "qwen2", "qwen3", "mistral")


def made_up(count: int, seed: int = 0, longest: int = 40) -> list[Response]:
    """Mixed lengths; some prompts are shared, others begin alike."""
    random = np.random.default_rng(seed)
    prompts = [random.integers(0, TOKENS, size).tolist() for size in (1, 2, 5, 9)]
    prompts.append([*prompts[2], 3])
    return [
        Response(number, prompts[number % 5], random.integers(0, TOKENS, random.integers(1, longest)).tolist(), number % 2 == 0)
        for number in range(count)
    ]


def by_sample(scored: Sequence[Scored]) -> dict[int, Scored]:
    found = {one.sample_id: one for one in scored}
    assert len(found) == len(scored), "each once"
    return found


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model") / "m", request.param, 1, initializer_range=0.005)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("llama") / "m", "llama", 1)


@pytest.fixture(scope="module")
def opened(llama: Path) -> TransformersScorer:
    return TransformersScorer(Opening(llama))


def exact_attention(
    module: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, _mask: object, scaling: float, **_: object
) -> tuple[torch.Tensor, None]:
    """By its definition, one sequence, in float64 throughout; transformers' eager one takes its softmax in float32."""
    key, value = (part.repeat_interleave(module.num_key_value_groups, dim=1) for part in (key, value))
    weights = (query @ key.transpose(2, 3) * scaling).exp().tril()
    return (weights @ value / weights.sum(dim=-1, keepdim=True)).transpose(1, 2), None


AttentionInterface.register("exact", exact_attention)


def reference(model: Any, response: Response) -> torch.Tensor:
    """Logits before each response token, [tokens, vocabulary]."""
    with torch.no_grad():
        whole: torch.Tensor = model(torch.tensor([[*response.prompt, *response.ids]])).logits[0].double()
    return whole[len(response.prompt) - 1 : -1]


@pytest.mark.parametrize(("dtype", "close"), [("float64", 1e-5), ("float32", 1e-4)])
def test_as_one_plain_forward_pass_a_response(folder: Path, dtype: str, close: float) -> None:
    responses = made_up(30)
    with load_scorer("transformers", Opening(folder, dtype=dtype)) as scorer:
        found = by_sample(list(scorer.score(responses, BOTH)))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="exact")
    assert len(found) == 30
    for response in responses:
        logits, told = reference(model, response), found[response.sample_id]
        plain = logits - logits.exp().sum(dim=-1, keepdim=True).log()
        assert told.logp[0] == pytest.approx(plain[range(len(response.ids)), response.ids].numpy(), abs=close)
        assert told.entropy is not None
        assert told.entropy[0] == pytest.approx(-(plain.exp() * plain).sum(dim=-1).numpy(), abs=close)
        cooled = torch.softmax(logits / 0.6, dim=-1)
        own = cooled[range(len(response.ids)), response.ids]
        above = (cooled * (cooled > own[:, None])).sum(dim=-1)
        assert told.edge is not None
        assert told.edge[1] == pytest.approx((above - 0.95).numpy(), abs=close)
        assert np.isnan(told.edge[0]).all()
        sure = np.abs(told.edge[1]) > close
        assert ((told.logp[1] > -inf) == (told.edge[1] < 0))[sure].all()
        assert told.first is not None
        gap = plain.max(dim=-1).values - plain[range(len(response.ids)), response.ids]
        assert (told.first == (gap == 0).numpy())[np.asarray((gap == 0) | (gap > 2 * close))].all()


def test_in_float64_it_is_transformers_own_to_twelve_digits(folder: Path) -> None:
    responses = made_up(20, seed=3)
    with TransformersScorer(Opening(folder, dtype="float64")) as scorer:
        found = by_sample(list(scorer.score(responses, [PLAIN])))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="sdpa")
    for response in responses:
        plain = torch.log_softmax(reference(model, response), dim=-1)
        own = plain[range(len(response.ids)), response.ids].numpy()
        assert found[response.sample_id].logp[0] == pytest.approx(own, abs=1e-11)


def test_others_of_a_detailed_response(opened: TransformersScorer, llama: Path) -> None:
    responses = made_up(6)
    model = AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float64, attn_implementation="sdpa")
    found = by_sample(list(opened.score(responses, BOTH)))
    for response in responses:
        told = found[response.sample_id]
        if not response.detailed:
            assert told.others is None
            continue
        assert told.others is not None
        plain = torch.log_softmax(reference(model, response), dim=-1)
        for place, token in enumerate(response.ids):
            wanted = []
            if plain[place, token] < log(OTHERS_BELOW):
                rest = sorted(((value, i) for i, value in enumerate(plain[place].tolist()) if i != token), reverse=True)[:4]
                wanted = [i for rank, (value, i) in enumerate(rest) if not rank or value >= log(LEAST_OTHER)]
            assert [other.token_id for other in told.others.get(place, ())] == wanted
            for other in told.others.get(place, ()):
                assert other.logp == pytest.approx(plain[place, other.token_id].item(), abs=1e-9)


@pytest.mark.parametrize("decoding", [PLAIN, PAPER, Decoding(1.3, 1.0, 3), Decoding(0.8, 0.6, 7)], ids=str)
def test_probabilities_of_all_short_continuations_sum_to_one(opened: TransformersScorer, decoding: Decoding) -> None:
    vocabulary = len(opened.tokenizer)
    for size in (1, 2):
        every = [Response(n, (3, 7, 1), ids) for n, ids in enumerate(product(range(vocabulary), repeat=size))]
        total = sum(np.exp(one.logp[0].sum()) for one in opened.score(every, [decoding]))
        assert total == pytest.approx(1, abs=1e-9)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 8), st.integers(1, 20), st.integers(0, 3)), min_size=1, max_size=12),
    st.sampled_from([1, 30, 100, 5000]),
    st.sampled_from([1, 3, None]),
    st.sampled_from([1, 7, 10_000]),
)
def test_scores_depend_neither_on_neighbours_nor_on_the_cut(
    opened: TransformersScorer, shapes: list[tuple[int, int, int]], tokens: int, batch: int | None, rows: int
) -> None:
    responses = []
    for number, (prompt, ids, kind) in enumerate(shapes):
        random = np.random.default_rng(kind)
        responses.append(
            Response(
                number,
                random.integers(0, TOKENS, prompt).tolist(),
                np.random.default_rng(number).integers(0, TOKENS, ids).tolist(),
            )
        )
    opened._tokens, opened._most, opened._rows = tokens, batch or 2048, rows
    together = by_sample(list(opened.score(responses, BOTH)))
    for response in responses:
        (alone,) = opened.score([response], BOTH)
        assert together[response.sample_id].logp == pytest.approx(alone.logp, abs=1e-10)
        assert together[response.sample_id].edge == pytest.approx(alone.edge, abs=1e-10, nan_ok=True)


def test_empty_and_single_token_responses(opened: TransformersScorer) -> None:
    none, one = sorted(
        opened.score([Response(1, (4,), (), True), Response(2, (4,), (5,), True)], BOTH), key=lambda s: s.sample_id
    )
    assert none.logp.shape == (2, 0)
    assert none.others == {}
    assert one.logp.shape == (2, 1)
    assert list(opened.score([], BOTH)) == []


def test_a_token_outside_the_nucleus_can_never_be_drawn(opened: TransformersScorer) -> None:
    every = list(opened.score([Response(token, (3, 7, 1), (token,)) for token in range(TOKENS)], BOTH))
    outside = [one for one in every if one.logp[1, 0] == -inf]
    assert outside
    assert len(outside) < TOKENS
    for one in every:
        assert one.edge is not None
        assert (one.edge[1, 0] >= 0) == (one in outside)
        assert one.logp[0, 0] > -inf


def test_what_cannot_be_read_is_a_sentence(llama: Path) -> None:
    with TransformersScorer(Opening(llama, context_cap=10)) as scorer:
        assert scorer.facts.context_cap == 10
        with pytest.raises(SamplerError, match="11 tokens, more than the 10 positions"):
            list(scorer.score([Response(1, (1,) * 5, (2,) * 6)], BOTH))
        with pytest.raises(SamplerError, match="without a prompt"):
            list(scorer.score([Response(1, (), (2,))], BOTH))
    with pytest.raises(SamplerError, match="one GPU"):
        TransformersScorer(Opening(llama, gpus=2))


class Cramped(TransformersScorer):
    """As where more than so many tokens at once, or logits of more than so many places, run out of memory."""

    def __init__(self, opening: Opening, tokens: int = 10_000, places: int = 10_000, error: RuntimeError | None = None) -> None:
        self.most_tokens, self.most_places, self.error = 10_000, 10_000, error or torch.OutOfMemoryError("made up")
        self.tried: list[int] = []
        super().__init__(opening)
        self.most_tokens, self.most_places, self.tried = tokens, places, []

    def hidden(self, pack: Pack) -> torch.Tensor:
        self.tried.append(pack.ids.shape[1])
        if pack.ids.shape[1] > self.most_tokens:
            raise self.error
        return super().hidden(pack)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        if len(hidden) > self.most_places:
            raise self.error
        return super().logits(hidden)


ON_A_CPU = RuntimeError(
    "[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"
)


@pytest.mark.parametrize(("tokens", "places"), [(100, 10_000), (10_000, 3), (60, 1)])
@pytest.mark.parametrize("error", [None, ON_A_CPU], ids=["gpu", "cpu"])
def test_out_of_memory_less_goes_through_and_the_scores_are_the_same(
    llama: Path, opened: TransformersScorer, tokens: int, places: int, error: RuntimeError | None
) -> None:
    cramped = Cramped(Opening(llama), tokens, places, error)
    responses = made_up(40)
    found, plain = by_sample(list(cramped.score(responses, BOTH))), by_sample(list(opened.score(responses, BOTH)))
    assert found.keys() == plain.keys()
    for sample_id, told in found.items():
        assert told.logp == pytest.approx(plain[sample_id].logp, abs=1e-10)
        assert (told.others or {}).keys() == (plain[sample_id].others or {}).keys()
    again = len(cramped.tried)
    list(cramped.score(responses, BOTH))
    assert max(cramped.tried[again:]) <= tokens, "what did not suffice once is not tried again"


@pytest.mark.parametrize(("tokens", "places"), [(20, 10_000), (10_000, 0)])
def test_a_response_that_does_not_fit_by_itself_is_a_sentence(llama: Path, tokens: int, places: int) -> None:
    with pytest.raises(SamplerError, match=r"the memory of cpu does not suffice for one response of \d+ tokens"):
        list(Cramped(Opening(llama), tokens, places).score(made_up(20), BOTH))


def test_another_error_is_not_taken_for_want_of_memory(llama: Path) -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        list(Cramped(Opening(llama), 1, error=RuntimeError("shapes differ")).score(made_up(3), BOTH))


class Leaking(TransformersScorer):
    """Packs as one text what are several."""

    def hidden(self, pack: Pack) -> torch.Tensor:
        return super().hidden(replace(pack, runs=(Run(0, 1, pack.ids.shape[1]),), places=None, kept=None))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
def test_opening_notices_sequences_that_see_one_another(folder: Path, dtype: str) -> None:
    TransformersScorer(Opening(folder, dtype=dtype))
    with pytest.raises(SamplerError, match="says otherwise"):
        Leaking(Opening(folder, dtype=dtype))


def test_logits_changed_after_the_head_are_refused(tmp_path: Path) -> None:
    shape: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "vocab_size": 26,
    }
    config = GraniteConfig(**shape, max_position_embeddings=64, logits_scaling=3.0, bos_token_id=None, eos_token_id=0)
    save_model(tmp_path)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(SamplerError, match="says otherwise"):
        TransformersScorer(Opening(tmp_path))


def test_after_it_is_left_its_memory_is_given_back(llama: Path) -> None:
    with TransformersScorer(Opening(llama)) as scorer:
        pass
    assert {part.device.type for part in scorer._model.parameters()} == {"meta"}
