"""The sampler over transformers: the distribution it draws from, its independence of the batch, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path
from random import Random

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine import samplers
from engine.decoding import Decoding, log_probabilities
from engine.samplers.base import Drawn, Opening, Request, SamplerError
from engine.samplers.transformers import TransformersSampler
from store.types import Finish, Problem, sample_seed
from tests.engine.tiny import save_model

PAPER = Decoding(0.6, 0.95)
PROMPTS = ("12?", "a", "what 3 7?\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


def requests(sampler: TransformersSampler, count: int) -> list[Request]:
    return [
        Request(index, sampler.encode(PROMPTS[index % 3]), sample_seed("run", Problem("b", str(index)), index))
        for index in range(count)
    ]


def ids(drawn: list[Drawn]) -> dict[object, tuple[int, ...]]:
    return {one.request.unit: one.ids for one in drawn}


def test_draws_do_not_depend_on_the_batch_the_order_or_where_a_job_went_on(folder: Path) -> None:
    with TransformersSampler(Opening(folder, PAPER, 40, batch=16)) as sampler:
        wanted = requests(sampler, 60)
        together = ids(list(sampler.sample(wanted)))
    assert len(together) == 60
    assert len(set(together.values())) > 40
    shuffled = wanted.copy()
    Random(1).shuffle(shuffled)
    for batch, some in ((1, wanted[:6]), (7, shuffled), (60, wanted[23:])):
        with TransformersSampler(Opening(folder, PAPER, 40, batch=batch)) as sampler:
            again = ids(list(sampler.sample(some)))
        assert again == {unit: together[unit] for unit in again}
        assert len(again) == len(some)


def test_each_drawn_token_lies_in_the_decoding_distribution_of_the_plain_model(folder: Path) -> None:
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    with TransformersSampler(Opening(folder, PAPER, 20)) as sampler:
        for drawn in sampler.sample(requests(sampler, 12)):
            start = len(drawn.request.prompt)
            with torch.no_grad():
                logits = plain(torch.tensor([[*drawn.request.prompt, *drawn.ids]])).logits[0, start - 1 : -1]
            logp = log_probabilities(logits, PAPER).gather(-1, torch.tensor(drawn.ids)[:, None])
            assert bool((logp > -inf).all())


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3", "mistral"])
def test_first_tokens_come_as_often_as_the_plain_model_says(tmp_path: Path, kind: str) -> None:
    """Total variation between 4000 draws and the exact distribution, two tokens deep, is what chance gives."""
    model = save_model(tmp_path / kind, kind, seed=3)
    plain = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float64, attn_implementation="eager")
    decoding = Decoding(1.3, 0.9)
    with TransformersSampler(Opening(model, decoding, 2, batch=256)) as sampler:
        prompt = sampler.encode("a 7?")
        drawn = list(sampler.sample(Request(i, prompt, sample_seed("r", Problem("b", "p"), i)) for i in range(4000)))
    with torch.no_grad():
        first = log_probabilities(plain(torch.tensor([prompt])).logits[0, -1], decoding).exp()
    shares = torch.bincount(torch.tensor([one.ids[0] for one in drawn]), minlength=len(first)) / 4000
    assert (shares - first).abs().sum() / 2 < 0.04
    common = int(first.argmax())
    followers = [one.ids[1] for one in drawn if one.ids[0] == common and len(one.ids) > 1]
    if followers:
        with torch.no_grad():
            second = log_probabilities(plain(torch.tensor([[*prompt, common]])).logits[0, -1], decoding).exp()
        shares = torch.bincount(torch.tensor(followers), minlength=len(second)) / len(followers)
        assert (shares - second).abs().sum() / 2 < 0.06 * (4000 / len(followers)) ** 0.5


def test_a_response_ends_at_the_stop_token_the_limit_or_the_context_and_says_which(folder: Path) -> None:
    with TransformersSampler(Opening(folder, Decoding(), 1000)) as sampler:
        drawn = list(sampler.sample(requests(sampler, 40)))
    assert {one.finish for one in drawn} == {Finish.STOP, Finish.LENGTH}
    for one in drawn:
        stopped = one.finish is Finish.STOP
        assert (one.ids[-1] == 0) is stopped
        assert (one.stop_reason == "<end>") is stopped
        assert "<end>" not in one.text
        assert len(one.text) == len(one.ids) - stopped
        assert stopped or len(one.request.prompt) + len(one.ids) == 64
    with TransformersSampler(Opening(folder, Decoding(), 3)) as sampler:
        assert max(len(one.ids) for one in sampler.sample(requests(sampler, 10))) == 3


def test_prompts_of_any_length_share_a_batch(folder: Path) -> None:
    with TransformersSampler(Opening(folder, PAPER, 8, batch=4)) as sampler:
        long = [Request(i, sampler.encode("1" * (1 + 5 * i)), 77 + i) for i in range(10)]
        together = ids(list(sampler.sample(long)))
        alone = {i: ids(list(sampler.sample([request])))[i] for i, request in enumerate(long)}
    assert together == alone


def test_a_prompt_that_fills_the_context_is_refused_in_words(folder: Path) -> None:
    with TransformersSampler(Opening(folder, PAPER, 8)) as sampler, pytest.raises(SamplerError, match="leaves no room"):
        list(sampler.sample([Request(0, sampler.encode("1" * 64), 1)]))


def test_no_requests_no_draws(folder: Path) -> None:
    with TransformersSampler(Opening(folder, PAPER, 8)) as sampler:
        assert list(sampler.sample([])) == []


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
        TransformersSampler(Opening(path, PAPER, 8))


def test_an_unknown_dtype_device_or_sampler_is_refused_in_words(folder: Path) -> None:
    with pytest.raises(SamplerError, match="float64, float32"):
        TransformersSampler(Opening(folder, PAPER, 8, dtype="float8"))
    with pytest.raises(SamplerError, match="the device 'gpu' is not there"):
        TransformersSampler(Opening(folder, PAPER, 8, device="gpu"))
    with pytest.raises(SamplerError, match="transformers, scripted"):
        samplers.load("vlm", Opening(folder, PAPER, 8))


def test_small_models_are_exact_on_a_cpu_and_the_facts_say_so(folder: Path) -> None:
    with samplers.load("transformers", Opening(folder, PAPER, 8, device="cpu")) as sampler:
        facts = sampler.facts
    assert (facts.dtype, facts.device, facts.context_cap, facts.stop_ids) == ("float64", "cpu", 64, (0,))
    assert facts.version.startswith("transformers ")
    assert len(facts.vocabulary) == 64
