"""Everything in order: tokenizer, base, distilled, two RL runs, the held-out problems. Parts can be made one by one.

    python -m sample_data.recipe.make OUT [PART ...]      PART: base, distilled, grpo, rloo, problems; all of them unless said

Seeds are fixed. On the machine that made the bundled models the same seeds give the same weights; elsewhere, sums may be
rounded otherwise, and weights drift apart.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from random import Random
from typing import Final

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM, PreTrainedModel

from sample_data import BASE, DISTILLED, GRPO, RLOO
from sample_data.recipe.corpus import clean_documents, sloppy_documents, train_tokenizer
from sample_data.recipe.pretrain import new_model, save, train
from sample_data.recipe.problems import Split, held_out
from sample_data.recipe.reinforce import reinforce

THREADS: Final = int(os.environ.get("OMP_NUM_THREADS", "2"))
BASE_STEPS: Final = 2400
KL_PENALTY: Final = 0.02
EASY, HARD, HELD_OUT_SEED = 14, 6, 0
"""Held-out problems of each family."""


def main(out: Path, parts: list[str]) -> None:
    torch.set_num_threads(THREADS)
    out.mkdir(parents=True, exist_ok=True)
    makers = {"problems": make_problems, "base": make_base, "distilled": make_distilled, "grpo": make_grpo, "rloo": make_rloo}
    for name in parts or makers:
        began = time.monotonic()
        print(f"{name}", flush=True)
        makers[name](out)
        print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def make_problems(out: Path) -> None:
    write_problems("test", out / "problems.jsonl")
    write_problems("dev", out / "dev.jsonl")


def write_problems(split: Split, path: Path) -> None:
    lines = [
        {
            "benchmark": "tiny-sums" if split == "test" else "tiny-dev",
            "key": task.key,
            "statement": task.statement,
            "reference": str(task.answer),
            "level": f"{task.family} hard" if task.hard else task.family,
        }
        for task in held_out(split, EASY, HARD, HELD_OUT_SEED)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def make_base(out: Path) -> None:
    tokenizer = train_tokenizer(Random(11))
    tokenizer.save(str(out / "tokenizer.json"))
    model = new_model(tokenizer, 1)
    train(model, tokenizer, sloppy_documents(Random(12)), BASE_STEPS, muon=0.02, adam=3e-3)
    save(model, tokenizer, out / BASE.folder)


def make_distilled(out: Path) -> None:
    model = LlamaForCausalLM.from_pretrained(out / BASE.folder, dtype=torch.float32, attn_implementation="eager")
    train(model, _tokenizer(out), clean_documents(Random(31)), DISTILLED.step or 0, muon=0.01, adam=1e-3)
    save(model, _tokenizer(out), out / DISTILLED.folder)


def make_grpo(out: Path) -> None:
    wanted = {tiny.step: tiny.folder for tiny in GRPO}

    def keep(step: int, model: PreTrainedModel) -> None:
        if step in wanted:
            save(model, _tokenizer(out), out / wanted[step])

    reinforce(out / BASE.folder, "grpo", steps=max(step or 0 for step in wanted), seed=21, penalty=0.0, at=keep)


def make_rloo(out: Path) -> None:
    def keep(step: int, model: PreTrainedModel) -> None:
        if step == RLOO.step:
            save(model, _tokenizer(out), out / RLOO.folder)

    reinforce(out / BASE.folder, "rloo", steps=RLOO.step or 0, seed=22, penalty=KL_PENALTY, at=keep)


def _tokenizer(out: Path) -> Tokenizer:
    tokenizer: Tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    return tokenizer


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
