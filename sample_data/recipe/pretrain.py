"""Supervised training from text: the base model from nothing, the distilled model from the base model.

A Llama of 0.85 million parameters: heads of 32, the smallest that CPU attention kernels of inference engines take. Muon
for the hidden matrices and AdamW for the rest (https://kellerjordan.github.io/posts/muon/), cosine decay.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from sample_data.recipe.corpus import END, PAD, PROMPT_WEIGHT, VOCABULARY, Document, Encoded, encode

BATCH: Final = 64
ALIKE: Final = 16
"""Documents of a batch that go through the model together, those of like length: little padding, and every step is mixed."""
CONTEXT: Final = 256


def new_model(tokenizer: Tokenizer, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    end = tokenizer.token_to_id(END)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=tokenizer.token_to_id(PAD),
    )
    model = LlamaForCausalLM(config)
    model.set_attn_implementation("eager")  # at these sizes faster on a CPU than fused attention
    return model


def train(
    model: LlamaForCausalLM, tokenizer: Tokenizer, documents: Iterator[Document], steps: int, *, muon: float, adam: float
) -> None:
    """muon, adam: highest learning rates of the two optimisers."""
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    optimisers = [torch.optim.Muon(hidden, lr=muon, weight_decay=0.01), torch.optim.AdamW(others, lr=adam, weight_decay=0.01)]
    peaks = [muon, adam]
    began = time.monotonic()
    lately: deque[float] = deque(maxlen=50)
    encoded = (encode(tokenizer, document) for document in documents)
    model.train()
    for step in range(steps):
        share = min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * step / steps)) + 0.01
        losses = []
        batch = sorted(islice(encoded, BATCH), key=lambda document: len(document.ids))
        for start in range(0, BATCH, ALIKE):
            loss = batch_loss(model, batch[start : start + ALIKE]) * (ALIKE / BATCH)
            loss.backward()
            losses.append(loss.item())
        for optimiser, peak in zip(optimisers, peaks, strict=True):
            optimiser.param_groups[0]["lr"] = peak * share
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        lately.append(sum(losses))
        if step % 100 == 0 or step == steps - 1:
            mean = sum(lately) / len(lately)
            print(f"  step {step:5d}  loss {mean:.4f}  {time.monotonic() - began:6.0f} s", flush=True)
    model.eval()


def batch_loss(model: LlamaForCausalLM, batch: list[Encoded]) -> torch.Tensor:
    """Weighted mean cross-entropy in nats a token. Padding stands right of everything, so no mask is needed."""
    longest = max(len(d.ids) for d in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    weights = torch.zeros(len(batch), longest)
    for row, document in enumerate(batch):
        ids[row, : len(document.ids)] = torch.tensor(document.ids)
        weights[row, : len(document.ids)] = 1.0
        weights[row, : document.prompt] = PROMPT_WEIGHT
    logits = model(input_ids=ids[:, :-1]).logits
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    flat = weights[:, 1:].flatten()
    return (losses * flat).sum() / flat.sum()


def save(model: PreTrainedModel, tokenizer: Tokenizer, folder: Path) -> None:
    """Weights in bfloat16, as people share them; readable by everybody."""
    import copy

    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(folder)  # type: ignore[arg-type]
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=PAD, clean_up_tokenization_spaces=False)
    fast.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o644)
