"""The scorer over vLLM, the real one, beside a plain forward pass in float64 and the scorer over transformers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import count, islice
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import likelihood
from engine.decoding import PLAIN, Decoding
from engine.likelihood.base import Response, Scored, Scorer
from engine.problems import read_problems
from engine.prompts import Template
from engine.samplers.base import Opening, SamplerError
from sample_data import BASE, PROBLEMS, PROMPT
from store.token_scores import LEAST_OTHER, MOST_OTHERS, OTHERS_BELOW
from tests.vllm.test_vllm_sampler import write_adapter

CLOSE = 1e-4
"""Nats, in float32."""
HALF = 0.1
"""Nats a token, of a response's mean in bfloat16."""
CAP = 256
VOCABULARY = 500


@pytest.fixture(scope="module")
def scorer() -> Iterator[Scorer]:
    with likelihood.load_scorer("vllm", Opening(BASE.path, dtype="float32", batch=8)) as scorer:
        yield scorer


def plain_model(folder: Path = BASE.path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()


def reference(model: Any, response: Response) -> Any:
    """[T, vocabulary] by a forward pass over one sequence, in float64."""
    import torch

    with torch.inference_mode():
        logits = model(torch.tensor([[*response.prompt, *response.ids]])).logits[0, len(response.prompt) - 1 : -1]
        return torch.log_softmax(logits.double(), dim=-1).numpy()


def responses(number: int, detailed: bool = False, longest: int = 120) -> list[Response]:
    """Text of the model's own kind, with tokens of no kind among it; lengths from 1 to the longest."""
    from engine.prompts import load_tokenizer, render

    tokenizer, chance = load_tokenizer(BASE.path), random.Random(5)
    prompts = [render(tokenizer, Template(PROMPT), problem.statement or "").ids for problem in read_problems(PROBLEMS)]
    text = tokenizer(Path(PROBLEMS).read_text(encoding="utf-8"))["input_ids"]
    found = []
    for sample_id in range(number):
        length, at = chance.randint(1, longest), chance.randrange(len(text) - longest)
        ids = [token if chance.random() < 0.9 else chance.randrange(VOCABULARY) for token in text[at : at + length]]
        found.append(Response(sample_id, chance.choice(prompts), ids, detailed))
    return found


def by_id(scored: Iterator[Scored]) -> dict[int, Scored]:
    return {one.sample_id: one for one in scored}


def furthest(found: dict[int, Scored], wanted: list[Response], model: Any) -> float:
    """The largest difference of a token's log-probability to the reference."""
    assert found.keys() == {one.sample_id for one in wanted}
    differences = []
    for one in wanted:
        expected = reference(model, one)[np.arange(len(one.ids)), list(one.ids)]
        assert found[one.sample_id].logp.shape == (1, len(one.ids))
        differences.append(float(np.abs(found[one.sample_id].logp[0] - expected).max()))
    return max(differences)


# -- the numbers -------------------------------------------------------------------------------------------------------


def test_mixed_lengths_score_as_a_plain_forward_pass_in_float64(scorer: Scorer) -> None:
    wanted = responses(100)
    found = by_id(scorer.score(wanted, [PLAIN]))
    assert furthest(found, wanted, plain_model()) < CLOSE
    assert len({len(one.ids) for one in wanted}) > 50
    assert all(one.entropy is None and one.edge is None for one in found.values())


def test_first_choices_and_others_are_those_of_the_distribution(scorer: Scorer) -> None:
    model, wanted = plain_model(), responses(30, detailed=True)
    lists, forks = 0, 0
    for sample_id, one in by_id(scorer.score(wanted, [PLAIN])).items():
        ids, table = list(wanted[sample_id].ids), reference(model, wanted[sample_id])
        own = table[np.arange(len(ids)), ids]
        assert one.first is not None
        assert one.others is not None
        assert one.first.tolist() == (own >= table.max(axis=1)).tolist()
        assert set(one.others) == set(np.flatnonzero(own < log(OTHERS_BELOW)).tolist())
        for place, others in one.others.items():
            best = [token for token in np.argsort(-table[place]).tolist() if token != ids[place]][:MOST_OTHERS]
            kept = [token for token in best if table[place][token] >= log(LEAST_OTHER)] or best[:1]
            assert [other.token_id for other in others] == kept
            assert np.allclose([other.logp for other in others], table[place][kept], rtol=0, atol=CLOSE)
            lists, forks = lists + 1, forks + (not one.first[place])
    assert lists > forks > 100, "some are the first choice and yet below the bound"


def test_without_detail_first_choices_are_told_alike(scorer: Scorer) -> None:
    plain = by_id(scorer.score(responses(10), [PLAIN]))
    for sample_id, one in by_id(scorer.score(responses(10, detailed=True), [PLAIN])).items():
        other = plain[sample_id]
        assert other.others is None
        assert one.first is not None
        assert other.first is not None
        assert one.first.tolist() == other.first.tolist()
        assert np.abs(one.logp - other.logp).max() < 1e-5


def test_the_scorer_over_transformers_says_the_same(scorer: Scorer) -> None:
    wanted = responses(20, detailed=True)
    with likelihood.load_scorer("transformers", Opening(BASE.path, dtype="float32", device="cpu")) as other:
        theirs = by_id(other.score(wanted, [PLAIN]))
        for name in ("vocabulary", "stop_ids", "chat_template", "dtype"):
            assert getattr(scorer.facts, name) == getattr(other.facts, name)
    for sample_id, one in by_id(scorer.score(wanted, [PLAIN])).items():
        their = theirs[sample_id]
        assert np.abs(one.logp - their.logp).max() < CLOSE
        assert one.first is not None
        assert their.first is not None
        assert one.first.tolist() == their.first.tolist()
        assert one.others is not None
        assert their.others is not None
        assert {place: [o.token_id for o in found] for place, found in one.others.items()} == {
            place: [o.token_id for o in found] for place, found in their.others.items()
        }


def test_noise_of_bfloat16_is_that_of_a_plain_forward_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """Of text that is hard for the model: one token in ten of it is any."""
    import torch

    wanted, model = responses(40), plain_model()
    with likelihood.load_scorer("vllm", Opening(BASE.path, dtype="bfloat16", batch=8)) as scorer:
        assert scorer.facts.dtype == "bfloat16"
        found = by_id(scorer.score(wanted, [PLAIN]))
    ours, plain = [], []
    half = plain_model().to(torch.bfloat16)
    for one in wanted:
        at = np.arange(len(one.ids)), list(one.ids)
        ours.append(found[one.sample_id].logp[0] - reference(model, one)[at])
        plain.append(reference(half, one)[at] - reference(model, one)[at])
    noise, usual = np.abs(np.concatenate(ours)), np.abs(np.concatenate(plain))
    means = max(abs(float(one.mean())) for one in ours)
    with capsys.disabled():
        print(f"\nbfloat16: {noise.mean():.3f} nats a token, {noise.max():.2f} at most, a response's mean {means:.3f} at most")
        print(f"a plain forward pass: {usual.mean():.3f} nats a token, {usual.max():.2f} at most")
    assert CLOSE < noise.mean() < 1.5 * usual.mean()
    assert means < HALF


def test_an_adapter_is_scored_as_if_it_were_merged(tmp_path: Path) -> None:
    added = write_adapter(tmp_path / "adapter")
    model, wanted = plain_model(), responses(10)
    for name, weight in added.items():
        model.get_submodule(name).weight.data += weight
    with likelihood.load_scorer("vllm", Opening(BASE.path, adapter=tmp_path / "adapter", dtype="float32", batch=8)) as scorer:
        found = by_id(scorer.score(wanted, [PLAIN]))
        assert "adapter" in scorer.facts.detail
    assert furthest(found, wanted, model) < CLOSE
    assert furthest(found, wanted, plain_model()) > 0.1
    settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(settings | {"modules_to_save": ["lm_head"]}))
    with pytest.raises(SamplerError, match="changes the output head"):
        likelihood.load_scorer("vllm", Opening(BASE.path, adapter=tmp_path / "adapter"))


# -- lengths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("detailed", [False, True], ids=["", "detailed"])
def test_a_response_that_fills_the_context_is_scored_to_its_last_token(scorer: Scorer, detailed: bool) -> None:
    text = [token for one in responses(20) for token in one.ids]
    wanted = [Response(n, text[:before], text[before : CAP - short], detailed) for n, (before, short) in enumerate(FILLING)]
    model = plain_model()
    found = by_id(scorer.score(wanted, [PLAIN]))
    assert furthest(found, wanted, model) < CLOSE
    for one in wanted:
        table = reference(model, one)
        expected = (table[np.arange(len(one.ids)), list(one.ids)] >= table.max(axis=1)).tolist()
        first, others = found[one.sample_id].first, found[one.sample_id].others
        assert first is not None
        assert first.tolist() == expected
        assert (others is not None) == detailed


FILLING = ((1, 0), (40, 0), (CAP - 1, 0), (40, 1), (CAP - 2, 0), (CAP - 2, 1))
"""Tokens of the prompt, and those by which the whole is shorter than the context."""


def test_what_is_longer_than_the_context_is_a_sentence_and_the_engine_goes_on(scorer: Scorer) -> None:
    assert scorer.facts.context_cap == CAP
    with pytest.raises(SamplerError, match=r"sample 7 has 257 tokens with its prompt, more than the 256 positions of"):
        list(scorer.score([*responses(5), Response(7, (5,) * 200, (6,) * 57)], [PLAIN]))
    with pytest.raises(SamplerError, match=r"the prompt of sample 8 has no token"):
        list(scorer.score([Response(8, (), (6,))], [PLAIN]))
    with pytest.raises(SamplerError, match=r"vLLM refuses a request.*out of vocabulary"):
        list(scorer.score([Response(9, (5,), (10**6,))], [PLAIN]))
    assert len(list(scorer.score(responses(5), [PLAIN]))) == 5


def test_a_response_without_tokens_has_no_scores(scorer: Scorer) -> None:
    found = by_id(scorer.score([Response(1, (5,), (), True), Response(2, (5,), (6,)), Response(3, (5,), ())], [PLAIN]))
    assert {sample_id: one.logp.shape for sample_id, one in found.items()} == {1: (1, 0), 2: (1, 1), 3: (1, 0)}
    assert found[1].others == {}


def test_prompts_are_read_in_parts_where_they_are_longer_than_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Logits of a step's tokens are held at once: memory is bounded by the step, not by the response."""
    monkeypatch.setattr("engine.samplers.vllm_engine.SCORED_AT_ONCE", 48)
    text = [token for one in responses(20) for token in one.ids]
    wanted = [*responses(30), Response(98, text[:5], text[5:CAP]), Response(99, text[:100], text[100 : CAP - 1])]
    with likelihood.load_scorer("vllm", Opening(BASE.path, dtype="float32", batch=4)) as scorer:
        assert furthest(by_id(scorer.score(wanted, [PLAIN])), wanted, plain_model()) < CLOSE


# -- the window --------------------------------------------------------------------------------------------------------


def test_responses_are_taken_as_there_is_room_and_an_endless_supply_may_be_left(scorer: Scorer) -> None:
    taken, some = 0, responses(20)

    def endless() -> Iterator[Response]:
        nonlocal taken
        for number in count():
            taken += 1
            yield Response(number, some[number % 20].prompt, some[number % 20].ids)

    scoring = scorer.score(endless(), [PLAIN])
    assert len(list(islice(scoring, 300))) == 300
    assert taken <= 300 + 4 * 8 + 8
    scoring.close()  # type: ignore[attr-defined]
    assert len(list(scorer.score(some, [PLAIN]))) == 20


class Forgetful:
    """An engine that forgets what it found of a prompt, so many times for each, as one does that was preempted."""

    def __init__(self, engine: Any, times: int) -> None:
        self._engine = engine
        self._left: dict[tuple[int, ...], int] = {}
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def step(self) -> list[Any]:
        outputs: list[Any] = self._engine.step()
        for output in outputs:
            ids = tuple(output.prompt_token_ids)
            self._left[ids] = self._left.get(ids, 0) + 1
            if self._left[ids] <= self._times:
                output.prompt_logprobs = [None, output.prompt_logprobs[2:]][self._left[ids] % 2]
        return outputs


@pytest.mark.parametrize("times", [2, 99])
def test_what_the_engine_forgets_is_asked_again_but_not_for_ever(scorer: Any, times: int) -> None:
    wanted = responses(3)
    expected = by_id(scorer.score(wanted, [PLAIN]))
    engine = scorer.engine.steps
    scorer.engine.steps = Forgetful(engine, times)
    try:
        if times < 3:
            found = by_id(scorer.score(wanted, [PLAIN]))
            assert {key: one.logp.tolist() for key, one in found.items()} == {k: o.logp.tolist() for k, o in expected.items()}
        else:
            with pytest.raises(SamplerError, match=r"gave a request up 3 times \(not all log-probabilities were told\)"):
                list(scorer.score(wanted, [PLAIN]))
    finally:
        scorer.engine.steps = engine
    assert len(list(scorer.score(wanted, [PLAIN]))) == 3


class Newer:
    """An engine with the newer model runner's parameters, as vLLM 0.32 describes them; the older one does its work."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._rows: dict[str, int] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def add_request(self, name: str, prompt: Any, parameters: Any, **more: Any) -> None:
        ids, rows, start = prompt["prompt_token_ids"], parameters.prompt_logprob_token_ids, parameters.prompt_logprob_start
        if rows is not None:
            assert rows.shape == (len(ids) - 1 - start, 1)
            assert rows[:, 0].tolist() == ids[start + 1 :]
            parameters.prompt_logprob_token_ids = parameters.prompt_logprob_start = None
            parameters.prompt_logprobs = 0
            self._rows[name] = len(rows)
        self._engine.add_request(name, prompt, parameters, **more)

    def step(self) -> list[Any]:
        outputs: list[Any] = self._engine.step()
        for output in outputs:
            rows = self._rows.pop(output.request_id, None)
            if rows is not None:
                told, output.prompt_logprobs = output.prompt_logprobs.logprobs[-rows:], None
                output.prompt_token_id_logprobs = np.array(told, dtype=np.float32)[:, None]
        return outputs


def test_response_rows_alone_are_asked_for_where_the_engine_tells_them(scorer: Any) -> None:
    text = [token for one in responses(20) for token in one.ids]
    full = [Response(100 + n, text[:before], text[before : CAP - short]) for n, (before, short) in enumerate(FILLING)]
    wanted = [*responses(20), *full]
    engine, was = scorer.engine.steps, scorer._rows
    scorer.engine.steps = Newer(engine)
    try:
        scorer._rows = False
        scorer._rows = scorer._tells_rows()
        assert scorer._rows
        found = by_id(scorer.score(wanted, [PLAIN]))
        detailed = by_id(scorer.score(responses(5, detailed=True), [PLAIN]))
    finally:
        scorer.engine.steps, scorer._rows = engine, was
    assert furthest(found, wanted, plain_model()) < CLOSE
    assert {one.sample_id for one in found.values() if one.first is not None} == {102}, "one token that is drawn has no row"
    assert all(one.first is not None and one.others is not None for one in detailed.values())


# -- what it is --------------------------------------------------------------------------------------------------------


def test_what_the_scorer_says_of_itself(scorer: Scorer) -> None:
    facts = scorer.facts
    assert (facts.scorer, facts.device, facts.dtype, facts.plain_only) == ("vllm", "cpu", "float32", True)
    assert facts.version.startswith("vllm 0.")
    assert "log-probabilities of whole prompts" in facts.detail, "a CPU has the older model runner"


def test_only_temperature_1_is_told(scorer: Scorer) -> None:
    for decodings in ([PLAIN, Decoding(0.6, 0.95)], [Decoding(0.6)], []):
        with pytest.raises(SamplerError, match="at temperature 1 alone; score with transformers"):
            list(scorer.score(responses(1), decodings))
