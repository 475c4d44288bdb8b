"""The sampler over transformers: the distribution it draws from, its independence of the batch, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine import samplers
from engine.decoding import Decoding, log_probabilities
from engine.prompts import Template
from engine.samplers.base import Drawn, Manner, Opening, Request, SamplerError
from engine.samplers.transformers import TransformersSampler
from store.types import Finish, Problem, sample_seed
from tests.engine.tiny import save_model

PAPER = Decoding(0.6, 0.95)
PROMPTS = ("12?", "a", "what 3 7?\n")
BARE = Template("{problem}")
SHORT = Manner(PAPER, 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


def encode(sampler: TransformersSampler, text: str) -> tuple[int, ...]:
    return sampler.prompt(BARE, text).ids


def requests(sampler: TransformersSampler, count: int) -> list[Request]:
    return [
        Request(index, encode(sampler, PROMPTS[index % 3]), sample_seed("run", Problem("b", str(index)), index))
        for index in range(count)
    ]


def ids_of(drawn: Drawn) -> tuple[int, ...]:
    assert drawn.ids is not None
    return drawn.ids


def ids(drawn: Iterable[Drawn]) -> dict[object, tuple[int, ...]]:
    return {one.request.unit: ids_of(one) for one in drawn}


def test_draws_do_not_depend_on_the_batch_the_order_or_where_a_job_went_on(folder: Path) -> None:
    with TransformersSampler(Opening(folder, batch=16)) as sampler:
        wanted = requests(sampler, 60)
        together = ids(sampler.sample(wanted, Manner(PAPER, 40)))
    assert len(together) == 60
    assert len(set(together.values())) > 40
    shuffled = wanted.copy()
    Random(1).shuffle(shuffled)
    for batch, some in ((1, wanted[:6]), (7, shuffled), (60, wanted[23:])):
        with TransformersSampler(Opening(folder, batch=batch)) as sampler:
            again = ids(sampler.sample(some, Manner(PAPER, 40)))
        assert again == {unit: together[unit] for unit in again}
        assert len(again) == len(some)


@pytest.mark.parametrize(("dtype", "apart"), [("float64", 1e-9), ("float32", 1e-4)])
@pytest.mark.parametrize("decoding", [PAPER, Decoding(), Decoding(1.2, 0.9, 5)], ids=["paper", "plain", "top-k"])
def test_a_draw_s_log_probability_is_that_of_the_plain_model_under_its_decoding(
    folder: Path, decoding: Decoding, dtype: str, apart: float
) -> None:
    """Finite, too: each drawn token lies in the nucleus. (Eager attention takes its softmax in float32 whatever the dtype.)"""
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="sdpa")
    with TransformersSampler(Opening(folder, dtype=dtype)) as sampler:
        drawn = list(sampler.sample(requests(sampler, 30), Manner(decoding, 20)))
    assert {one.finish for one in drawn} == {Finish.STOP, Finish.LENGTH}  # a stop token is counted like any other
    for one in drawn:
        start = len(one.request.prompt)
        with torch.no_grad():
            logits = plain(torch.tensor([[*one.request.prompt, *ids_of(one)]])).logits[0, start - 1 : -1]
        logp = log_probabilities(logits, decoding).gather(-1, torch.tensor(ids_of(one))[:, None])
        assert one.logp == pytest.approx(logp.sum().item(), abs=apart)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3", "mistral"])
def test_first_tokens_come_as_often_as_the_plain_model_says(tmp_path: Path, kind: str) -> None:
    """Total variation between 4000 draws and the exact distribution, two tokens deep, is what chance gives."""
    model = save_model(tmp_path / kind, kind, seed=3)
    plain = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float64, attn_implementation="eager")
    decoding = Decoding(1.3, 0.9)
    with TransformersSampler(Opening(model, batch=256)) as sampler:
        prompt = encode(sampler, "a 7?")
        wanted = (Request(i, prompt, sample_seed("r", Problem("b", "p"), i)) for i in range(4000))
        drawn = [ids_of(one) for one in sampler.sample(wanted, Manner(decoding, 2))]
    with torch.no_grad():
        first = log_probabilities(plain(torch.tensor([prompt])).logits[0, -1], decoding).exp()
    shares = torch.bincount(torch.tensor([own[0] for own in drawn]), minlength=len(first)) / 4000
    assert (shares - first).abs().sum() / 2 < 0.04
    common = int(first.argmax())
    followers = [own[1] for own in drawn if own[0] == common and len(own) > 1]
    if followers:
        with torch.no_grad():
            second = log_probabilities(plain(torch.tensor([[*prompt, common]])).logits[0, -1], decoding).exp()
        shares = torch.bincount(torch.tensor(followers), minlength=len(second)) / len(followers)
        assert (shares - second).abs().sum() / 2 < 0.06 * (4000 / len(followers)) ** 0.5


def test_a_response_ends_at_the_stop_token_the_limit_or_the_context_and_says_which(folder: Path) -> None:
    with TransformersSampler(Opening(folder)) as sampler:
        drawn = list(sampler.sample(requests(sampler, 40), Manner(Decoding(), 1000)))
    assert {one.finish for one in drawn} == {Finish.STOP, Finish.LENGTH}
    for one in drawn:
        own, stopped = ids_of(one), one.finish is Finish.STOP
        assert (own[-1] == 0) is stopped
        assert (one.stop_reason == "<end>") is stopped
        assert "<end>" not in one.text
        assert len(one.text) == len(own) - stopped
        assert stopped or len(one.request.prompt) + len(own) == 64
    with TransformersSampler(Opening(folder)) as sampler:
        assert max(len(ids_of(one)) for one in sampler.sample(requests(sampler, 10), Manner(Decoding(), 3))) == 3


def test_prompts_of_any_length_share_a_batch(folder: Path) -> None:
    with TransformersSampler(Opening(folder, batch=4)) as sampler:
        long = [Request(i, encode(sampler, "1" * (1 + 5 * i)), 77 + i) for i in range(10)]
        together = ids(sampler.sample(long, SHORT))
        alone = {i: ids(sampler.sample([request], SHORT))[i] for i, request in enumerate(long)}
    assert together == alone


def test_a_prompt_that_fills_the_context_is_refused_in_words(folder: Path) -> None:
    with TransformersSampler(Opening(folder)) as sampler, pytest.raises(SamplerError, match="leaves no room"):
        list(sampler.sample([Request(0, encode(sampler, "1" * 64), 1)], SHORT))


def test_a_context_cap_is_in_force_and_told(folder: Path) -> None:
    with TransformersSampler(Opening(folder, context_cap=12)) as sampler:
        assert sampler.facts.context_cap == 12
        drawn = list(sampler.sample(requests(sampler, 30), Manner(Decoding(), 1000)))
        with pytest.raises(SamplerError, match="within the 12 positions"):
            list(sampler.sample([Request(0, encode(sampler, "1" * 12), 1)], SHORT))
    with TransformersSampler(Opening(folder)) as sampler:
        free = ids(sampler.sample(requests(sampler, 30), Manner(Decoding(), 1000)))
    for one in drawn:
        room = 12 - len(one.request.prompt)
        assert ids_of(one) == free[one.request.unit][:room]  # cut there, and else the same draw
        assert (one.finish is Finish.LENGTH) is (len(ids_of(one)) == room and ids_of(one)[-1] != 0)


def test_a_context_cap_beyond_the_model_s_positions_is_not_what_is_in_force(folder: Path) -> None:
    with TransformersSampler(Opening(folder, context_cap=4096)) as sampler:
        assert sampler.facts.context_cap == 64


def test_no_requests_no_draws(folder: Path) -> None:
    with TransformersSampler(Opening(folder)) as sampler:
        assert list(sampler.sample([], SHORT)) == []


def without_weights(path: Path) -> Path:
    (save_model(path) / "model.safetensors").unlink()
    return path


def with_broken_weights(path: Path) -> Path:
    weights = save_model(path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path, "no config.json"),
        (lambda path: save_model(path, "mistral", sliding_window=8), "do not attend to the whole text"),
        (without_weights, "cannot be loaded"),
        (with_broken_weights, "cannot be loaded"),
        (lambda path: save_model(path, rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}), "dynamic"),
    ],
)
def test_what_cannot_be_sampled_is_refused_in_words(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    path = make(tmp_path / "m")
    with pytest.raises(SamplerError, match=words):
        TransformersSampler(Opening(path))


def test_an_unknown_dtype_device_or_sampler_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(SamplerError, match="float64, float32"):
        TransformersSampler(Opening(folder, dtype="float8"))
    with pytest.raises(SamplerError, match="the device 'gpu' is not there"):
        TransformersSampler(Opening(folder, device="gpu"))
    with pytest.raises(SamplerError, match="known: transformers, "):
        samplers.load("vlm", Opening(folder))


def test_more_than_one_gpu_is_another_sampler_s_work(folder: Path) -> None:
    with pytest.raises(SamplerError, match="one GPU, not 2; take vllm"):
        TransformersSampler(Opening(folder, gpus=2))


def test_small_models_are_exact_on_a_cpu_and_the_facts_say_so(folder: Path) -> None:
    with samplers.load("transformers", Opening(folder, device="cpu")) as sampler:
        facts = sampler.facts
    assert (facts.dtype, facts.device, facts.context_cap, facts.stop_ids) == ("float64", "cpu", 64, (0,))
    assert facts.version.startswith("transformers ")
    assert len(facts.vocabulary) == 64
