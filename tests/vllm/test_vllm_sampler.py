"""The sampler over vLLM, the real one: what it draws beside the sampler over transformers, and what a killed job leaves."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from engine import samplers
from engine.decoding import Decoding, log_probabilities
from engine.problems import read_problems
from engine.prompts import Template
from engine.samplers.base import Drawn, Manner, Opening, Request, Sampler, SamplerError
from engine.sampling import Plan, content_revision, run_of, sample
from sample_data import BASE, MAX_TOKENS, PROBLEMS, PROMPT
from store.types import Finish, Model, Problem, sample_seed
from store.writer import Writer
from tests.contents import contents
from tests.test_bundled import answer, chi_square

ROOT = Path(__file__).parents[2]
PAPER = Manner(Decoding(0.6, 0.95), MAX_TOKENS)
TEMPLATE = Template(PROMPT)
CLOSE = 1e-4
"""Nats, in float32."""


def of_level(level: str) -> Problem:
    return next(problem for problem in read_problems(PROBLEMS) if problem.level == level)


def requests(sampler: Sampler, problems: Iterable[Problem], each: int, run: str = "run") -> list[Request]:
    """Round by round over the problems."""
    prompts = {problem: sampler.prompt(TEMPLATE, problem.statement or "") for problem in problems}
    return [
        Request((problem.key, index), prompt.ids, sample_seed(run, problem, index), prompt.text)
        for index in range(each)
        for problem, prompt in prompts.items()
    ]


def by_unit(drawn: Iterable[Drawn]) -> dict[object, Drawn]:
    return {one.request.unit: one for one in drawn}


def ids_of(drawn: Drawn) -> tuple[int, ...]:
    assert drawn.ids is not None
    return drawn.ids


@pytest.fixture(scope="module")
def other() -> Iterator[Sampler]:
    """The sampler over transformers, of the same model."""
    with samplers.load("transformers", Opening(BASE.path, dtype="float32", batch=256)) as other:
        yield other


# -- the distribution --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["remainders", "product"])
def test_answers_are_distributed_as_the_sampler_over_transformers_draws_them(
    sampler: Sampler, other: Sampler, level: str
) -> None:
    """Two-sample chi-square at n = 1024. Other seeds for the other one: nothing is shared but the distribution."""
    problem = of_level(level)
    ours = sampler.sample(requests(sampler, [problem], 1024), PAPER)
    theirs = other.sample(requests(other, [problem], 1024, "another run"), PAPER)
    assert chi_square(Counter(answer(one.text) for one in ours), Counter(answer(one.text) for one in theirs)) < 1


@pytest.mark.parametrize("decoding", [Decoding(0.6, 0.95), Decoding(1.3, 1.0, 20), Decoding()], ids=str)
def test_log_probabilities_are_those_of_the_decoding(sampler: Sampler, decoding: Decoding) -> None:
    model = plain_model(BASE.path)
    drawn = list(sampler.sample(requests(sampler, read_problems(PROBLEMS), 2), Manner(decoding, MAX_TOKENS)))
    assert len(drawn) == 2 * len(read_problems(PROBLEMS))
    assert max(abs((one.logp or 0.0) - log_probability(model, one, decoding)) for one in drawn) < CLOSE
    assert min(one.logp or 0.0 for one in drawn) < -3, "some of them are not certain"


def plain_model(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def log_probability(model: Any, drawn: Drawn, decoding: Decoding) -> float:
    """Of the very ids drawn, by a plain forward pass."""
    import torch

    prompt, ids = list(drawn.request.prompt), list(ids_of(drawn))
    with torch.inference_mode():
        logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1 : -1]
    logp = log_probabilities(logits, decoding)
    return float(logp.gather(-1, torch.tensor(ids)[:, None]).double().sum())


def test_distinct_seeds_draw_distinct_responses_and_a_seed_the_same_one(sampler: Sampler) -> None:
    wanted, hot = requests(sampler, [of_level("product")], 128), Manner(Decoding(1.5), MAX_TOKENS)
    first, again = by_unit(sampler.sample(wanted, hot)), by_unit(sampler.sample(reversed(wanted), hot))
    assert first == again
    assert len({ids_of(one) for one in first.values()}) > 100


@pytest.fixture(scope="module")
def narrow() -> Iterator[Sampler]:
    with samplers.load("vllm", Opening(BASE.path, dtype="float32", batch=64, context_cap=48)) as narrow:
        yield narrow


def test_a_batch_of_one_draws_what_a_batch_of_64_draws(narrow: Sampler) -> None:
    wanted = requests(narrow, read_problems(PROBLEMS)[::2], 2)
    together = by_unit(narrow.sample(wanted, PAPER))
    with samplers.load("vllm", Opening(BASE.path, dtype="float32", batch=1, context_cap=48)) as alone:
        assert {u: ids_of(one) for u, one in by_unit(alone.sample(wanted, PAPER)).items()} == {
            unit: ids_of(one) for unit, one in together.items()
        }


# -- where responses end -----------------------------------------------------------------------------------------------

GREEDY = Decoding(top_k=1)
"""One token in the nucleus: both samplers must draw the same."""


@pytest.mark.parametrize(
    "manner",
    [
        Manner(GREEDY, MAX_TOKENS),
        Manner(GREEDY, 5),
        Manner(GREEDY, MAX_TOKENS, (".",)),
        Manner(GREEDY, MAX_TOKENS, ("is", "\n", " so", "zebra", "round", "ound already")),
        Manner(GREEDY, 12, ("\\boxed{",)),
    ],
    ids=["stop token", "limit", "one string", "several strings", "string or limit"],
)
def test_ends_are_those_of_the_sampler_over_transformers(sampler: Sampler, other: Sampler, manner: Manner) -> None:
    assert outcomes(sampler, manner) == outcomes(other, manner)


def test_the_context_cap_ends_responses_as_with_the_sampler_over_transformers(narrow: Sampler) -> None:
    manner = Manner(GREEDY, MAX_TOKENS)
    with samplers.load("transformers", Opening(BASE.path, dtype="float32", context_cap=48)) as other:
        expected = outcomes(other, manner)
    assert outcomes(narrow, manner) == expected
    cut = [one for one in expected.values() if one[2] is Finish.LENGTH]
    assert len(cut) > 10
    assert narrow.facts.context_cap == 48


def outcomes(sampler: Sampler, manner: Manner) -> dict[object, tuple[tuple[int, ...], str, Finish, str | None]]:
    drawn = sampler.sample(requests(sampler, read_problems(PROBLEMS), 1), manner)
    return {one.request.unit: (ids_of(one), one.text, one.finish, one.stop_reason) for one in drawn}


def test_a_prompt_without_room_and_a_temperature_that_vllm_would_change_are_refused(narrow: Sampler) -> None:
    with pytest.raises(SamplerError, match="leaves no room for a response within the 48 positions"):
        list(narrow.sample([Request(0, (5,) * 48, 1)], PAPER))
    with pytest.raises(SamplerError, match="draws at temperatures from"):
        list(narrow.sample([Request(0, (5,), 1)], Manner(Decoding(0.005), 8)))
    assert len(list(narrow.sample([Request(0, (5,) * 47, 1)], PAPER))) == 1


# -- the window --------------------------------------------------------------------------------------------------------


def test_requests_are_taken_as_there_is_room_and_an_endless_supply_may_be_left(narrow: Sampler) -> None:
    prompt = narrow.prompt(TEMPLATE, of_level("product").statement or "").ids
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        for number in count():
            taken += 1
            yield Request(number, prompt, number)

    drawing = narrow.sample(endless(), PAPER)
    assert len(list(islice(drawing, 100))) == 100
    assert taken <= 100 + 4 * 64 + 64  # what finished with the last one may have been made up for already
    drawing.close()  # type: ignore[attr-defined]
    assert {one.request.unit for one in narrow.sample([Request("after", prompt, 1)], PAPER)} == {"after"}
    assert list(narrow.sample([], PAPER)) == []


class Forgetful:
    """An engine that gives requests up, so many times each."""

    def __init__(self, engine: Any, times: int) -> None:
        self._engine = engine
        self._left: Counter[tuple[int, ...]] = Counter()
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def step(self) -> list[Any]:
        outputs: list[Any] = self._engine.step()
        for output in outputs:
            ids = tuple(output.outputs[0].token_ids)
            self._left[ids] += 1
            if self._left[ids] <= self._times:
                output.outputs[0].finish_reason = "abort"
        return outputs


@pytest.mark.parametrize("times", [2, 99])
def test_what_the_engine_gives_up_is_drawn_again_with_its_seed_but_not_for_ever(narrow: Any, times: int) -> None:
    wanted = requests(narrow, [of_level("product")], 3)
    expected = by_unit(narrow.sample(wanted, PAPER))
    engine = narrow.engine.steps
    narrow.engine.steps = Forgetful(engine, times)
    try:
        if times < 3:
            assert by_unit(narrow.sample(wanted, PAPER)) == expected
        else:
            with pytest.raises(SamplerError, match="gave a request up 3 times"):
                list(narrow.sample(wanted, PAPER))
    finally:
        narrow.engine.steps = engine
    assert by_unit(narrow.sample(wanted, PAPER)) == expected


# -- runs --------------------------------------------------------------------------------------------------------------


N = 12


def plan(n: int = N, sampler: str = "vllm") -> Plan:
    return Plan(
        model=Model(BASE.name, content_revision(BASE.path), BASE.role),
        opening=Opening(BASE.path, dtype="float32", batch=64),
        problems=read_problems(PROBLEMS),
        template=TEMPLATE,
        manner=PAPER,
        n=n,
        sampler=sampler,
    )


def test_a_run_is_the_same_run_whoever_draws(sampler: Sampler, other: Sampler) -> None:
    assert run_of(plan(), sampler.facts) == run_of(plan(), other.facts)
    assert run_of(plan(), sampler.facts).key == run_of(plan(sampler="transformers"), other.facts).key
    assert sampler.facts.vocabulary == other.facts.vocabulary
    assert sampler.facts.chat_template == other.facts.chat_template


def test_what_the_batch_says_of_the_engine(sampler: Sampler) -> None:
    assert sampler.facts.version.startswith("vllm 0.")
    assert ", torch " in sampler.facts.version
    assert (sampler.facts.device, sampler.facts.dtype) == ("cpu", "float32")
    for words in ("tensor parallel 1", "runner V", "eager", "not batch invariant"):
        assert words in sampler.facts.detail


def test_a_killed_job_goes_on_to_the_samples_of_one_that_was_not(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed.db", tmp_path / "whole.db"
    job = subprocess.Popen(
        [sys.executable, "-c", JOB.format(path=str(killed))],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        early = samples_there(killed, job)
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    finally:
        job.send_signal(signal.SIGKILL)
        printed, _ = job.communicate()
    assert 0 < early < N * len(read_problems(PROBLEMS))
    assert children == [], "nothing is left behind"
    assert printed == "", "stdout is data"
    with Writer(killed, "test") as writer:
        again = sample(writer, plan())
    assert again.known >= early
    assert again.added == N * len(read_problems(PROBLEMS)) - again.known > 0
    with Writer(whole, "test") as writer:
        sample(writer, plan())
    assert contents(killed) == contents(whole)


JOB = """
from pathlib import Path
from engine.sampling import sample
from store.writer import Writer
from tests.vllm.test_vllm_sampler import plan
with Writer(Path({path!r}), "test") as writer:
    sample(writer, plan())
"""


def samples_there(path: Path, job: subprocess.Popen[str]) -> int:
    """How many, as soon as there are any."""
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.05)
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                ((there,),) = database.execute("SELECT count(*) FROM sample")
        except sqlite3.OperationalError:
            continue  # not made yet
        if there:
            return int(there)
    raise AssertionError(f"the job has stored nothing; it ended with {job.poll()}")


# -- adapters and what cannot be opened --------------------------------------------------------------------------------


def test_an_adapter_is_drawn_from_as_if_it_were_merged(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    added = write_adapter(adapter)
    model = plain_model(BASE.path)
    merged = plain_model(BASE.path)
    for name, weight in added.items():
        merged.get_submodule(name).weight.data += weight
    with samplers.load("vllm", Opening(BASE.path, adapter=adapter, dtype="float32", batch=64)) as sampler:
        drawn = list(sampler.sample(requests(sampler, read_problems(PROBLEMS), 1), PAPER))
        assert "adapter" in sampler.facts.detail
    assert max(abs((one.logp or 0.0) - log_probability(merged, one, PAPER.decoding)) for one in drawn) < CLOSE
    assert max(abs((one.logp or 0.0) - log_probability(model, one, PAPER.decoding)) for one in drawn) > 0.1


def write_adapter(folder: Path, rank: int = 4) -> dict[str, Any]:
    """A LoRA adapter of random weights, as peft saves one, and what it adds to which weights."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    made = torch.Generator().manual_seed(1)
    tensors: dict[str, torch.Tensor] = {}
    added: dict[str, torch.Tensor] = {}
    for layer in range(4):
        for part, width in (("q_proj", 128), ("v_proj", 64)):
            name = f"model.layers.{layer}.self_attn.{part}"
            a = torch.randn(rank, 128, generator=made) * 0.05
            b = torch.randn(width, rank, generator=made) * 0.05
            tensors |= {f"base_model.model.{name}.lora_A.weight": a, f"base_model.model.{name}.lora_B.weight": b}
            added[name] = b @ a * 2
    save_file(tensors, folder / "adapter_model.safetensors")
    settings = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank, "bias": "none"}
    settings |= {"target_modules": ["q_proj", "v_proj"], "base_model_name_or_path": "tiny-base"}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return added


def copy(folder: Path, **changed: object) -> Path:
    """The bundled model with other settings."""
    shutil.copytree(BASE.path, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))
    return folder


def refusal(opening: Opening) -> str:
    with pytest.raises(SamplerError) as refused:
        samplers.load("vllm", opening)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_generation_settings_of_the_model_shape_nothing_but_where_it_stops(tmp_path: Path, sampler: Sampler) -> None:
    folder = copy(tmp_path / "model")
    settings = {"eos_token_id": [0, 15], "temperature": 0.1, "top_k": 1, "repetition_penalty": 1.5}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    with samplers.load("vllm", Opening(folder, dtype="float32", batch=64)) as other:
        assert other.facts.stop_ids == (0, 15)
        drawn = by_unit(other.sample(requests(other, read_problems(PROBLEMS), 1), PAPER))
    ended = Counter(ids_of(one)[-1] for one in drawn.values())
    assert ended[15] > 10
    for unit, one in by_unit(sampler.sample(requests(sampler, read_problems(PROBLEMS), 1), PAPER)).items():
        ids = ids_of(one)
        assert ids_of(drawn[unit]) == ids[: ids.index(15) + 1 if 15 in ids else None]


def test_what_cannot_be_opened_says_in_a_sentence_what_to_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(Opening(BASE.path, dtype="float64")).endswith("give another dtype")
    assert "CUDA_VISIBLE_DEVICES=1" in refusal(Opening(BASE.path, device="cuda:1"))
    assert "built for cpu" in refusal(Opening(BASE.path, device="cuda"))
    assert "no config.json" in refusal(Opening(tmp_path))
    assert "tensor_parallel" in refusal(Opening(BASE.path, gpus=3))
    long = copy(tmp_path / "long", max_position_embeddings=1 << 26)
    assert "context_cap" in refusal(Opening(long))
    unknown = copy(tmp_path / "unknown", architectures=["NobodyForCausalLM"])
    assert "transformers" in refusal(Opening(unknown))
    cut = copy(tmp_path / "cut")
    weights = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    assert "make the checkpoint anew" in refusal(Opening(cut))
    monkeypatch.setattr("vllm.__version__", "0.11.2")
    assert "vLLM 0.11.2 is too old" in refusal(Opening(BASE.path))
