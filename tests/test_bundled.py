"""What comes with the program: the models load anywhere and draw what transformers draws, the demo runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer

import sample_data
from engine.decoding import Decoding
from engine.problems import read_problems
from engine.samplers.base import Opening, Request
from engine.samplers.transformers import TransformersSampler
from explorer import cli
from explorer.commands import demo
from explorer.commands.narration import Narrator
from sample_data import BASE, MAX_TOKENS, MODELS, PROBLEMS, PROMPT
from sample_data.recipe.make import write_problems
from store.check import check_structure
from store.types import sample_seed

ROOT = Path(__file__).parents[1]


def size(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def test_the_models_are_small_enough_for_a_repository() -> None:
    assert size(sample_data.HERE / "models") < 15e6
    assert [tiny.folder for tiny in MODELS if not (tiny.path / "model.safetensors").is_file()] == []


def test_the_held_out_problems_are_what_the_recipe_draws(tmp_path: Path) -> None:
    write_problems("test", tmp_path / "p.jsonl")
    assert (tmp_path / "p.jsonl").read_text() == PROBLEMS.read_text()


def test_ids_are_those_of_the_raw_tokenizers_library() -> None:
    raw = Tokenizer.from_file(str(BASE.path / "tokenizer.json"))
    with TransformersSampler(Opening(BASE.path, Decoding(), 1)) as sampler:
        for problem in read_problems(PROBLEMS):
            text = PROMPT.format(problem=problem.statement)
            assert sampler.encode(text) == raw.encode(text).ids
            assert raw.decode(raw.encode(text).ids, skip_special_tokens=False) == text


def test_answers_are_distributed_as_transformers_generate_draws_them() -> None:
    """Two-sample chi-square over the answers to one problem, 600 draws of each at the paper's decoding."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

    problem = next(p for p in read_problems(PROBLEMS) if p.level == "remainders")
    text = PROMPT.format(problem=problem.statement)
    with TransformersSampler(Opening(BASE.path, Decoding(0.6, 0.95), MAX_TOKENS, dtype="float32")) as sampler:
        prompt = sampler.encode(text)
        ours = [d.text for d in sampler.sample(Request(i, prompt, sample_seed("t", problem, i)) for i in range(600))]
    model: Any = AutoModelForCausalLM.from_pretrained(BASE.path, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(BASE.path)
    set_seed(5)
    generated = model.generate(
        torch.tensor([prompt]), do_sample=True, temperature=0.6, top_p=0.95, top_k=0,
        max_new_tokens=MAX_TOKENS, num_return_sequences=600,
    )  # fmt: skip
    theirs = tokenizer.batch_decode(generated[:, len(prompt) :], skip_special_tokens=True)
    assert chi_square(Counter(map(answer, ours)), Counter(map(answer, theirs))) < 1


def answer(text: str) -> str:
    boxes = re.findall(r"\\boxed\{(\d+)\}", text)
    return boxes[-1] if boxes else "none"


def chi_square(ours: Counter[str], theirs: Counter[str]) -> float:
    """The statistic over its 99.9 % quantile; answers seen fewer than 12 times together are one class."""
    from scipy.stats import chi2

    common = [key for key, count in (ours + theirs).items() if count >= 12]
    rest = [sum(count for key, count in counts.items() if key not in common) for counts in (ours, theirs)]
    table = [(ours[key], theirs[key]) for key in common] + ([tuple(rest)] if sum(rest) >= 12 else [])
    assert len(table) > 3
    statistic = sum((a - b) ** 2 / (a + b) for a, b in table)
    return float(statistic / chi2.ppf(0.999, len(table) - 1))


def test_the_demo_prints_its_tables_and_adds_nothing_the_second_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "folder"
    path = demo.make_study(folder, Narrator(), 2)
    first = capsys.readouterr()
    for words in ("tiny-base@tiny-sums", "pass@2", "base only", "median PPL", "supported %", "paths a problem"):
        assert words in first.out
    assert list(check_structure(path)) == []
    demo.make_study(folder, Narrator(), 2)
    second = capsys.readouterr()
    assert second.out == first.out
    assert "0 samples drawn, 120 already there" in second.err


def test_the_demo_without_a_terminal_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "SAMPLES", 1)
    assert cli.main(["demo", "--dir", str(tmp_path), "--quiet"]) == 0
    assert (tmp_path / "demo.db").exists()


def test_without_the_models_extra_a_sentence_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['torch'] = None; import basebound; sys.exit(basebound.main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "demo", "--no-explore", "--dir", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "basebound[models]" in done.stderr
