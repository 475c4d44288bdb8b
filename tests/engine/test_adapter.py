"""LoRA adapters: what is sampled and scored is the model with B @ A times its scale added, and nothing is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from engine.decoding import Decoding
from engine.models import load_model
from engine.prompts import Template
from engine.samplers.base import Manner, Opening, Request, SamplerError
from engine.samplers.transformers import TransformersSampler
from tests.engine.tiny import save_model

peft = pytest.importorskip("peft")

CPU = torch.device("cpu")
RANK, ALPHA = 4, 6
TARGETS = ("q_proj", "down_proj")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("base"), "qwen2", seed=4)


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a trainer leaves it; B is random too, where training starts it at 0."""
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(9)
    config = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=list(TARGETS), task_type="CAUSAL_LM")
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.normal_()
    model.save_pretrained(folder)
    return folder


def test_logits_are_those_of_base_with_b_a_scale_added(base: Path, adapter: Path) -> None:
    expected = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    parts = load_file(adapter / "adapter_model.safetensors")
    added = 0
    with torch.no_grad():
        for name, weight in expected.named_parameters():
            of = f"base_model.model.{name.removesuffix('.weight')}"
            if f"{of}.lora_A.weight" in parts:
                weight.add_(parts[f"{of}.lora_B.weight"] @ parts[f"{of}.lora_A.weight"], alpha=ALPHA / RANK)
                added += 1
    assert added == 2 * len(TARGETS)  # two layers
    plain = load_model(base, "float64", CPU, "eager")[1]
    found = load_model(base, "float64", CPU, "eager", adapter)[1]
    ids = torch.arange(20)[None]
    with torch.no_grad():
        logits = found(ids).logits
        assert torch.allclose(logits, expected.double()(ids).logits, atol=1e-4)
        assert not torch.allclose(logits, plain(ids).logits, atol=0.1)


def test_a_sampler_draws_from_the_model_with_its_adapter(base: Path, adapter: Path) -> None:
    decoding = Decoding(1.2)
    with TransformersSampler(Opening(base, adapter, batch=256)) as sampler:
        prompt = sampler.prompt(Template("{problem}"), "a 7?").ids
        drawn = list(sampler.sample([Request(i, prompt, 17 * i + 3) for i in range(3000)], Manner(decoding, 1)))
        with torch.no_grad():
            model = load_model(base, "float64", CPU, "eager", adapter)[1]
            wanted = torch.softmax(model(torch.tensor([prompt])).logits[0, -1] / 1.2, -1)
            bare = torch.softmax(load_model(base, "float64", CPU, "eager")[1](torch.tensor([prompt])).logits[0, -1] / 1.2, -1)
    shares = torch.bincount(torch.tensor([(one.ids or ())[0] for one in drawn]), minlength=len(wanted)) / 3000
    assert (shares - wanted).abs().sum() / 2 < 0.04
    assert (shares - bare).abs().sum() / 2 > 0.1


def test_an_adapter_does_not_change_the_dtype(base: Path, adapter: Path) -> None:
    for dtype in ("float32", "bfloat16"):
        model = load_model(base, dtype, CPU, "eager", adapter)[1]
        assert {weight.dtype for weight in model.parameters()} == {getattr(torch, dtype)}


def changed(adapter: Path, folder: Path, old: str, new: str) -> Path:
    """A copy with weights of other names."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text((adapter / "adapter_config.json").read_text())
    parts = load_file(adapter / "adapter_model.safetensors")
    save_file({name.replace(old, new): part for name, part in parts.items()}, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize(("old", "new"), [("layers.1", "layers.7"), ("q_proj", "k_proj")])
def test_weights_that_have_no_place_are_never_passed_over(
    base: Path, adapter: Path, tmp_path: Path, old: str, new: str
) -> None:
    with pytest.raises(SamplerError, match=r"does not fit its model: .* on one side only"):
        TransformersSampler(Opening(base, changed(adapter, tmp_path / "other", old, new)))


def test_an_adapter_of_another_model_is_refused_in_words(adapter: Path, tmp_path: Path) -> None:
    wider = save_model(tmp_path / "wider", "qwen2", hidden_size=64)
    with pytest.raises(SamplerError, match="does not fit its model"):
        TransformersSampler(Opening(wider, adapter))


def test_what_is_no_adapter_is_refused_in_words(base: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(SamplerError, match=r"no adapter_config\.json"):
        TransformersSampler(Opening(base, base))
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"cut off")
    with pytest.raises(SamplerError, match="does not fit its model"):
        TransformersSampler(Opening(base, tmp_path))
