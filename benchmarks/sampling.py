"""Our sampler against what a user would write: transformers.generate over batches of prompts, same model, settings and batch.

    python benchmarks/sampling.py [SAMPLES]        a problem, 32 unless said; each way in a process of its own

Both draw the bundled base model's responses to the bundled problems at T 0.6, top-p 0.95, at most 160 tokens, 256 sequences
at once, on the CPU or, where there is one, the GPU. Tokens are counted up to and with the stop token. Memory is the peak.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

BATCH = 256
WAYS = ("generate float32", "ours float32", "ours float64")


def main(samples: int) -> None:
    print(f"{samples} samples of each problem, {BATCH} sequences at once")
    for _ in range(3):
        for way in WAYS:
            subprocess.run([sys.executable, __file__, str(samples), way], check=True, stderr=subprocess.DEVNULL)


def one(samples: int, way: str) -> None:
    import torch

    from engine.problems import read_problems
    from engine.prompts import Template
    from sample_data import PROBLEMS, PROMPT

    prompts = [Template(PROMPT).filled(p.statement or "") for p in read_problems(PROBLEMS)] * samples
    name, dtype = way.split()
    began, tokens = (generated if name == "generate" else drawn)(prompts, dtype)
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    speed, threads = f"{tokens / seconds:8,.0f} tokens/s", f"{torch.get_num_threads()} threads"
    print(f"  {way:<17} {speed}   {seconds:6.1f} s   {peak:5.0f} MiB   {threads}", flush=True)


def drawn(prompts: list[str], dtype: str) -> tuple[float, int]:
    from engine.decoding import Decoding
    from engine.prompts import Template
    from engine.samplers.base import Manner, Opening, Request
    from engine.samplers.transformers import TransformersSampler
    from sample_data import BASE, MAX_TOKENS

    with TransformersSampler(Opening(BASE.path, batch=BATCH, dtype=dtype)) as sampler:
        whole, manner = Template("{problem}"), Manner(Decoding(0.6, 0.95), MAX_TOKENS)
        requests = [Request(i, sampler.prompt(whole, prompt).ids, i * 7919 + 1) for i, prompt in enumerate(prompts)]
        began = time.monotonic()
        return began, sum(len(one.ids or ()) for one in sampler.sample(requests, manner))


def generated(prompts: list[str], dtype: str) -> tuple[float, int]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from sample_data import BASE, MAX_TOKENS

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model: Any = AutoModelForCausalLM.from_pretrained(BASE.path, dtype=getattr(torch, dtype))
    model.to(device)
    tokenizer = AutoTokenizer.from_pretrained(BASE.path, padding_side="left")
    settings = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 0, "max_new_tokens": MAX_TOKENS}
    torch.manual_seed(0)
    began = time.monotonic()
    tokens = 0
    for start in range(0, len(prompts), BATCH):
        batch = tokenizer(prompts[start : start + BATCH], return_tensors="pt", padding=True, return_token_type_ids=False)
        out = model.generate(**batch.to(device), **settings)[:, batch["input_ids"].shape[1] :]
        ends = out == tokenizer.eos_token_id
        tokens += int(torch.where(ends.any(dim=1), ends.int().argmax(dim=1) + 1, out.shape[1]).sum())
    return began, tokens


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(int(sys.argv[1]), sys.argv[2])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 32)
