"""Models in a folder as transformers saves one: loaded, placed, and refused where this program would only approximate them.

Models with sliding windows, positions that depend on the batch, or capped scores are refused by sampling and scoring alike.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel
from transformers.utils import logging as transformers_logging

from engine.checkpoints import require_adapter, require_model
from engine.samplers import needing
from engine.samplers.base import SamplerError

EXACT_BELOW: Final = 20_000_000
"""Parameters up to which a CPU affords float64."""
DTYPES: Final = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
REFUSED: Final = "which sampling and scoring here do not do; sample it with another engine and import the outputs"


def load_model(
    path: Path, dtype: str | None, device: torch.device, attention: str, adapter: Path | None = None
) -> tuple[Any, PreTrainedModel]:
    """Tokenizer and model of a folder, placed.

    attention: a name that transformers knows. adapter: a LoRA adapter's folder, added to the weights.
    Raises SamplerError where it cannot be loaded, or does not attend to the whole text in every layer.
    """
    require_model(path)
    transformers_logging.disable_progress_bar()  # a command's stderr is its own
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            path, local_files_only=True, dtype="auto", attn_implementation=attention, use_safetensors=True
        )
    except (OSError, ValueError, ImportError, KeyError, SafetensorError) as error:
        raise SamplerError(f"{path} cannot be loaded as a model: {str(error).splitlines()[0]}") from error
    _refuse_what_is_not_done(path, model.config)
    wanted = _dtype(dtype, model, device)
    if adapter is not None:
        model = _adapted(model, adapter)
    try:
        torch.nn.Module.to(model, device=device, dtype=wanted)
    except torch.OutOfMemoryError:
        raise SamplerError(
            f"{path} does not fit into the memory of {device}; give another dtype or device, or lay it over more GPUs with the"
            " sampler vllm"
        ) from None
    torch.nn.Module.eval(model)
    return tokenizer, model


def _adapted(model: PreTrainedModel, adapter: Path) -> PreTrainedModel:
    """The model with an adapter's weights added to its own, in float32. Raises SamplerError where they do not fit it."""
    require_adapter(adapter)
    with needing("models"):
        from peft import PeftConfig, PeftModel
    try:
        config = PeftConfig.from_pretrained(str(adapter))
        config.inference_mode = True
        adapted = PeftModel(model.float(), config)
        loaded = adapted.load_adapter(str(adapter), "default", torch_device="cpu")
        merged: PreTrainedModel = adapted.merge_and_unload(safe_merge=True)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise SamplerError(f"the adapter {adapter} does not fit its model: {str(error).splitlines()[0]}") from error
    without_place = [*loaded.missing_keys, *loaded.unexpected_keys]  # peft alone would pass them over
    if without_place:
        raise SamplerError(
            f"the adapter {adapter} does not fit its model: {without_place[0]} and {len(without_place) - 1} more weights are on"
            " one side only; give the model that it was trained on"
        )
    return merged


def find_device(name: str | None) -> torch.device:
    """The one named, else a GPU where there is one, else the CPU. Raises SamplerError for one that is not there."""
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SamplerError(f"the device '{name}' is not there: {str(error).splitlines()[0]}") from None
    return device


def _refuse_what_is_not_done(path: Path, config: Any) -> None:
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"]) - {"full_attention"}
    window = getattr(config, "sliding_window", None) if getattr(config, "use_sliding_window", True) else None
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        raise SamplerError(f"{path} does not say how many positions it has (max_position_embeddings), {REFUSED}")
    if kinds or (window is not None and window < positions):
        raise SamplerError(f"{path} has layers that do not attend to the whole text, {REFUSED}")
    if getattr(config, "attn_logit_softcapping", None) is not None:
        raise SamplerError(f"{path} caps its attention scores, {REFUSED}")
    if _rope_kind(config) in ("longrope", "dynamic"):
        raise SamplerError(f"{path} turns its positions by the longest text of a batch ({_rope_kind(config)}), {REFUSED}")


def _rope_kind(config: Any) -> str:
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    return str(rope.get("rope_type", rope.get("type", "default")))


def _dtype(name: str | None, model: PreTrainedModel, device: torch.device) -> torch.dtype:
    """The one asked for. Else the model's own on a GPU; on a CPU float64 for small models, float32 for others."""
    if name is not None:
        if name not in DTYPES:
            raise SamplerError(f"there is no dtype '{name}'; give one of {', '.join(DTYPES)}")
        return DTYPES[name]
    if device.type == "cpu":
        return torch.float64 if sum(p.numel() for p in model.parameters()) < EXACT_BELOW else torch.float32
    return model.dtype
