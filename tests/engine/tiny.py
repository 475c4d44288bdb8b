"""Models of random weights, a few kilobytes each, saved as transformers saves them. Their words are single letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers
from tokenizers.decoders import Fuse

END = "<end>"
LETTERS = "0123456789abcdefghij ?\n"
CONFIGS: dict[str, Any] = {
    "llama": transformers.LlamaConfig,
    "qwen2": transformers.Qwen2Config,
    "qwen3": transformers.Qwen3Config,
    "mistral": transformers.MistralConfig,
}


def save_model(folder: Path, kind: str = "llama", seed: int = 0, letters: str = LETTERS, **more: Any) -> Path:
    """more: settings of the configuration, e.g. sliding_window=4."""
    vocabulary = {token: number for number, token in enumerate((END, *letters))}
    shape = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    shape |= {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64, "vocab_size": len(vocabulary)}
    ends: dict[str, Any] = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": None}
    config = CONFIGS[kind](**(shape | ends | {"sliding_window": None} | more))
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(6)  # random weights are nearly uniform: make their preferences felt
    model.save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = Fuse()
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END).save_pretrained(folder)
    return folder
