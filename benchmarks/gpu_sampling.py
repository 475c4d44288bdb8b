"""The transformers sampler on a GPU against transformers.generate: architectures of 0.5B and 7B parameters, random weights.

    python benchmarks/gpu_sampling.py [0.5B] [7B]      both unless said; needs a GPU, and says so where there is none (exit 2)
    python benchmarks/gpu_sampling.py --tiny           a toy of the same make on the CPU: whether this file works

Weights are random, but their preferences are as strong as a trained model's (the final norm is scaled), so that nuclei are
small. Next to nothing ends before its last token, so responses are of one length: what decoding sequences of unlike length
together gains is not in these figures (benchmarks/sampling.py has it). Both draw the same number of sequences at once, in
bfloat16 at T 0.6, top-p 0.95; each way in a process of its own, after a short draw that is not timed. Memory is the GPU's peak.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))


@dataclass(frozen=True)
class Shape:
    """Of a model as Qwen2.5's are, and of what is drawn from it."""

    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool
    sequences: int = 256
    prompt: int = 128
    tokens: int = 512


SHAPES = {
    "0.5B": Shape(896, 4864, 24, 14, 2, 151_936, True),
    "7B": Shape(3584, 18_944, 28, 28, 4, 152_064, False),
    "tiny": Shape(64, 96, 2, 4, 2, 1000, True, sequences=8, prompt=12, tokens=24),
}
WAYS = ("generate", "ours")
PROMPTS = 16
SPREAD = 6.0
"""Standard deviation of the logits: at T 0.6 the likeliest of 152k tokens has some half of the mass."""


def main(names: list[str]) -> int:
    import torch

    if "tiny" not in names and not torch.cuda.is_available():
        print("no GPU is at hand, and on a CPU these models take hours; --tiny tries the file out", file=sys.stderr)
        return 2
    for name in names:
        with TemporaryDirectory() as folder:
            save(SHAPES[name], Path(folder))
            for _ in range(3):
                for way in WAYS:
                    subprocess.run([sys.executable, __file__, name, way, folder], check=True)
    return 0


def device_of(name: str) -> str:
    return "cpu" if name == "tiny" else "cuda"


def save(shape: Shape, folder: Path) -> None:
    """Random weights and the bundled tokenizer, as transformers saves them."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config

    from sample_data import BASE

    config = Qwen2Config(
        hidden_size=shape.hidden,
        intermediate_size=shape.inner,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
        max_position_embeddings=32_768,
        bos_token_id=None,
        eos_token_id=0,
    )
    torch.manual_seed(1)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    torch.nn.init.constant_(model.model.norm.weight, SPREAD / (config.initializer_range * shape.hidden**0.5))
    model.save_pretrained(folder)
    for file in BASE.path.glob("tokenizer*"):
        shutil.copy(file, folder)


def one(name: str, way: str, folder: Path) -> None:
    import torch

    shape, device = SHAPES[name], device_of(name)
    prompts = [[5 + (7 * number + place) % 400 for place in range(shape.prompt)] for number in range(PROMPTS)]
    asked = [prompts[number % PROMPTS] for number in range(shape.sequences)]
    draw = (generate if way == "generate" else ours)(folder, shape, device)
    draw(asked, 8)
    began = time.monotonic()
    tokens = draw(asked, shape.tokens)
    seconds = time.monotonic() - began
    where, memory = "CPU", ""
    if device == "cuda":
        where = torch.cuda.get_device_name()
        memory = f"   {torch.cuda.max_memory_reserved() / 2**30:5.1f} GiB"
    what = f"{shape.sequences} at once, {shape.prompt} + {shape.tokens} tokens, {where}"
    print(f"  {name:<5} {way:<9} {tokens / seconds:8,.0f} tokens/s   {seconds:6.1f} s{memory}   {what}", flush=True)


def ours(folder: Path, shape: Shape, device: str) -> Any:
    from engine.decoding import Decoding
    from engine.samplers.base import Manner, Opening, Request
    from engine.samplers.transformers import TransformersSampler

    sampler = TransformersSampler(Opening(folder, batch=shape.sequences, dtype="bfloat16", device=device))

    def draw(prompts: list[list[int]], tokens: int) -> int:
        requests = [Request(number, prompt, 7919 * number + 1) for number, prompt in enumerate(prompts)]
        return sum(len(one.ids or ()) for one in sampler.sample(requests, Manner(Decoding(0.6, 0.95), tokens)))

    return draw


def generate(folder: Path, _shape: Shape, device: str) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    model.to(device)
    settings = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 0, "pad_token_id": 0}

    def draw(prompts: list[list[int]], tokens: int) -> int:
        ids = torch.tensor(prompts, device=device)
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, **settings)[:, ids.shape[1] :]
        ends = out == 0
        return int(torch.where(ends.any(dim=1), ends.int().argmax(dim=1) + 1, out.shape[1]).sum())

    return draw


if __name__ == "__main__":
    if len(sys.argv) > 3:
        one(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    else:
        sys.exit(main([name.removeprefix("--") for name in sys.argv[1:]] or ["0.5B", "7B"]))
