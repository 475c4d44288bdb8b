"""The scorer over HTTP, against a server of a made-up model that goes wrong in every way there is. The real one: tests/vllm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count, islice
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.asking import Patience
from engine.decoding import PLAIN, Decoding
from engine.likelihood import load_scorer
from engine.likelihood.base import Response, Scored
from engine.likelihood.server import ServerScorer
from engine.prompts import load_tokenizer
from engine.samplers.base import Opening, SamplerError
from store.token_scores import LEAST_OTHER, MOST_OTHERS, OTHERS_BELOW
from tests.engine.fake_server import Fake, Fault, TinyModel, next_logp, serving
from tests.engine.tiny import save_model

MODEL = Path(__file__).parents[3] / "sample_data" / "models" / "base"
QUICK = Patience(tries=4, first_wait_s=0.005, longest_wait_s=0.02, answer_s=10)
CAP = 64


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BASEBOUND_API_KEY", "OPENAI_API_KEY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(MODEL)


@pytest.fixture
def fake(tokenizer: Any) -> Iterator[Fake]:
    with serving(Fake(tokenizer, model=TinyModel(len(tokenizer)))) as server:
        yield server


def opened(fake: Fake, model: Path = MODEL, **opening: Any) -> ServerScorer:
    return ServerScorer(Opening(model, url=fake.url, **opening), QUICK)


def refusal(fake: Fake, model: Path = MODEL, **opening: Any) -> str:
    with pytest.raises(SamplerError) as refused:
        opened(fake, model, **opening)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def responses(number: int = 12, detailed: bool = False, longest: int = CAP) -> list[Response]:
    """Of lengths up to what fills the context."""
    return [
        Response(n, [7, 8, 9 + n], [(n * at * at + 3) % 400 for at in range(longest - 3 - 4 * n)], detailed)
        for n in range(number)
    ]


def by_id(scored: Iterator[Scored]) -> dict[int, Scored]:
    return {one.sample_id: one for one in scored}


def expected(response: Response, size: int) -> Any:
    """[T, vocabulary]"""
    ids = [*response.prompt, *response.ids]
    return np.array([next_logp(size, ids[at - 1], at) for at in range(len(response.prompt), len(ids))])


def require_right(found: dict[int, Scored], wanted: list[Response], size: int) -> None:
    assert found.keys() == {one.sample_id for one in wanted}
    for one in wanted:
        table = expected(one, size)
        own = table[np.arange(len(one.ids)), list(one.ids)]
        assert np.array_equal(found[one.sample_id].logp, own[None, :])
        first = found[one.sample_id].first
        assert first is not None
        assert first.tolist() == (own == table.max(axis=1)).tolist()


def changing(change: Callable[[dict[str, Any]], None], times: int = 10**9) -> Callable[[dict[str, Any], int], Fault | None]:
    """Answers to requests for scores are changed, the first ones."""
    left = iter(range(times))

    def fault(body: dict[str, Any], _number: int) -> Fault | None:
        is_score = body.get("prompt_logprobs") is not None or body.get("echo")
        return Fault(change=lambda answer: change(answer["choices"][0])) if is_score and next(left, None) is not None else None

    return fault


# -- what is asked and read --------------------------------------------------------------------------------------------


def test_log_probabilities_of_prompts_are_read_and_a_full_context_to_its_last_token(fake: Fake) -> None:
    with opened(fake) as scorer:
        wanted = responses()
        require_right(by_id(scorer.score(wanted, [PLAIN])), wanted, scorer.tokenizer.vocab_size)
        assert scorer.facts.context_cap == CAP == len(wanted[0].prompt) + len(wanted[0].ids)
    asked = fake.knocks[-len(wanted) :]
    assert {(body["temperature"], body["top_p"], body["top_k"], body["max_tokens"]) for body in asked} == {(1.0, 1.0, -1, 1)}
    assert {body["prompt_logprobs"] for body in asked} == {1}
    drawn = [body for body in asked if "allowed_token_ids" in body]
    assert [body["allowed_token_ids"] for body in drawn] == [[wanted[0].ids[-1]]]
    assert all(len(body["prompt"]) < CAP for body in asked)


def test_others_are_told_of_detailed_responses(fake: Fake) -> None:
    with opened(fake) as scorer:
        wanted = responses(detailed=True)
        found = by_id(scorer.score(wanted, [PLAIN]))
        require_right(found, wanted, scorer.tokenizer.vocab_size)
    for one in wanted:
        table = expected(one, scorer.tokenizer.vocab_size)
        others = found[one.sample_id].others
        assert others is not None
        assert set(others) == {at for at, token in enumerate(one.ids) if table[at][token] < log(OTHERS_BELOW)}
        for place, told in others.items():
            best = [token for token in np.argsort(-table[place]).tolist() if token != one.ids[place]][:MOST_OTHERS]
            kept = [token for n, token in enumerate(best) if n == 0 or table[place][token] >= log(LEAST_OTHER)]
            assert [(other.token_id, other.logp) for other in told] == [(token, table[place][token]) for token in kept]


@pytest.mark.parametrize("by_id_too", [True, False], ids=["by id", "by text"])
def test_a_server_that_echoes_is_read_as_well(fake: Fake, by_id_too: bool) -> None:
    assert fake.model is not None
    fake.refuses, fake.model.by_id = frozenset({"prompt_logprobs"}), by_id_too
    wanted = responses(detailed=True)
    with opened(fake) as scorer:
        found = by_id(scorer.score(wanted, [PLAIN]))
        require_right(found, wanted, scorer.tokenizer.vocab_size)
        assert scorer.facts.detail.endswith("log-probabilities by echo")
        assert {one.others is not None for one in found.values()} == {by_id_too}
    assert fake.asked[-1]["max_tokens"] == 0


def test_an_echo_with_a_token_behind_it_serves_where_none_is_refused(fake: Fake) -> None:
    def no_draw(body: dict[str, Any], _number: int) -> Fault | None:
        return Fault(400, b'{"error": {"message": "max_tokens must be at least 1"}}') if body.get("max_tokens") == 0 else None

    fake.ignores, fake.fault = frozenset({"prompt_logprobs"}), no_draw
    wanted = responses()
    with opened(fake) as scorer:
        require_right(by_id(scorer.score(wanted, [PLAIN])), wanted, scorer.tokenizer.vocab_size)
        assert scorer.facts.detail.endswith("log-probabilities by echo and one token")


@pytest.mark.parametrize("how", ["processed", "ignored", "refused"])
def test_where_a_last_token_cannot_be_told_the_cap_is_one_less(fake: Fake, how: str) -> None:
    assert fake.model is not None
    fake.model.is_processed = how == "processed"
    fake.ignores = frozenset({"allowed_token_ids"}) if how == "ignored" else frozenset()
    fake.refuses = frozenset({"allowed_token_ids"}) if how == "refused" else frozenset()
    with opened(fake) as scorer:
        assert scorer.facts.context_cap == CAP - 1
        with pytest.raises(SamplerError, match=r"sample 0 has 64 tokens with its prompt, more than the 63 positions of tiny"):
            list(scorer.score(responses(1), [PLAIN]))
        wanted = responses(3, longest=CAP - 1)
        require_right(by_id(scorer.score(wanted, [PLAIN])), wanted, scorer.tokenizer.vocab_size)


def test_what_no_server_can_score_is_a_sentence(fake: Fake) -> None:
    with opened(fake, context_cap=40) as scorer:
        assert scorer.facts.context_cap == 40
        with pytest.raises(SamplerError, match=r"sample 5 has 41 tokens with its prompt, more than the 40 positions"):
            list(scorer.score([Response(5, [1], [2] * 40)], [PLAIN]))
        with pytest.raises(SamplerError, match=r"the prompt of sample 6 has no token"):
            list(scorer.score([Response(6, [], [2])], [PLAIN]))
        for decodings in ([PLAIN, Decoding(0.6)], [Decoding(0.6)], []):
            with pytest.raises(SamplerError, match="at temperature 1 alone"):
                list(scorer.score(responses(1), decodings))
        (empty,) = scorer.score([Response(7, [1], [], True)], [PLAIN])
        assert empty.logp.shape == (1, 0)


def test_several_are_on_their_way_at_once_and_an_endless_supply_may_be_left(fake: Fake) -> None:
    fake.delay_s = 0.01
    taken = 0

    def endless() -> Iterator[Response]:
        nonlocal taken
        for taken in count(1):
            yield Response(taken, [5], [6, 7, taken % 400])

    with opened(fake, batch=6) as scorer:
        assert len(list(islice(scorer.score(endless(), [PLAIN]), 40))) == 40
    assert 4 <= fake.most_at_once <= 6
    assert taken <= 40 + 6 + 1


def test_what_the_scorer_says_of_itself(fake: Fake, tokenizer: Any) -> None:
    with load_scorer("server", Opening(MODEL, url=fake.url)) as scorer:
        facts = scorer.facts
    assert (facts.scorer, facts.version, facts.device, facts.dtype) == ("server", "vllm 0.32.0", "unknown", "unknown")
    assert facts.plain_only
    assert facts.detail == "served as tiny; log-probabilities by prompt_logprobs"
    assert facts.stop_ids == (0,)
    assert len(facts.vocabulary) == 64


# -- servers that cannot be used ---------------------------------------------------------------------------------------


def test_a_server_without_log_probabilities_of_prompts(fake: Fake) -> None:
    fake.model, said = None, "gives no log-probabilities of a prompt"
    assert said in refusal(fake), "it passes the fields over"
    fake.refuses = frozenset({"prompt_logprobs", "echo"})
    assert said in refusal(fake)
    fake.refuses = frozenset()
    fake.model, fake.ignores = TinyModel(500), frozenset({"prompt_logprobs", "echo"})
    assert said in refusal(fake)


@pytest.mark.parametrize("shift", [-30.0, -8.0, 3.0, 12.0])
@pytest.mark.parametrize("form", ["prompt_logprobs", "echo"])
def test_logits_are_no_log_probabilities(fake: Fake, shift: float, form: str) -> None:
    assert fake.model is not None
    fake.model.says = fake.model.says_drawn = lambda nats: nats + shift
    fake.refuses = frozenset({"prompt_logprobs"} if form == "echo" else ())
    assert "are no log-probabilities at temperature 1" in refusal(fake)


def test_another_temperature_is_seen_from_what_is_drawn(fake: Fake) -> None:
    """The numbers by themselves might be a distribution's."""
    assert fake.model is not None
    fake.model.says = lambda nats: 1.6 * nats - 0.2
    assert refusal(fake).startswith(fake.url)
    fake.model.says = lambda nats: nats
    opened(fake).__exit__()


def test_numbers_of_another_place_are_seen(fake: Fake) -> None:
    def shifted(choice: dict[str, Any]) -> None:
        told = choice["prompt_logprobs"]
        values = [None, *(entry for entry in told[2:]), told[1]]
        for entry, other in zip(told[1:], values[1:], strict=True):
            numbers = [value["logprob"] for value in other.values()]
            for n, value in enumerate(entry.values()):
                value["logprob"] = numbers[n % len(numbers)]

    fake.fault = changing(shifted)
    assert "says other things of a token in a prompt than as it draws it" in refusal(fake)


def test_another_models_tokenizer(fake: Fake, tmp_path: Path) -> None:
    assert "another tokenizer than the model's folder has" in refusal(fake, save_model(tmp_path / "letters"))
    fake.ignores = frozenset({"return_token_ids", "prompt_logprobs", "return_tokens_as_token_ids"})
    more = save_model(tmp_path / "more", letters="? Letxbanswrhid.,0123456789+-")
    assert "reads other text from the token ids" in refusal(fake, more)
    assert "has no tokenizer; name the folder" in refusal(fake, tmp_path)


def test_other_tokens_than_were_sent(fake: Fake) -> None:
    def other(choice: dict[str, Any]) -> None:
        choice["prompt_logprobs"][2] = {"499": {"logprob": -1.0}, "498": {"logprob": -2.0}}

    with opened(fake) as scorer:
        fake.fault = changing(other)
        with pytest.raises(SamplerError, match="scored other tokens than it was sent"):
            list(scorer.score(responses(2), [PLAIN]))
        fake.fault = changing(lambda choice: choice.update(token_ids=[1]))
        with pytest.raises(SamplerError, match="scored other tokens"):
            list(scorer.score(responses(1), [PLAIN]))


def test_what_an_opening_lacks_or_has_too_much(fake: Fake) -> None:
    with pytest.raises(SamplerError, match="the scorer server needs the address of one"):
        ServerScorer(Opening(MODEL))
    assert "are the server's own" in refusal(fake, dtype="float32")
    assert "serves no other" in refusal(fake, served="other")
    with pytest.raises(SamplerError, match="is no address of a server"):
        ServerScorer(Opening(MODEL, url="ftp://nowhere"))


# -- answers that go wrong ---------------------------------------------------------------------------------------------


def shorter(choice: dict[str, Any]) -> None:
    del choice["prompt_logprobs"][-1]


def longer(choice: dict[str, Any]) -> None:
    choice["prompt_logprobs"].append({"5": {"logprob": -1.0}})


def null_place(choice: dict[str, Any]) -> None:
    choice["prompt_logprobs"][3] = None


def null_value(choice: dict[str, Any]) -> None:
    next(iter(choice["prompt_logprobs"][3].values()))["logprob"] = None


def no_number(choice: dict[str, Any]) -> None:
    next(iter(choice["prompt_logprobs"][3].values()))["logprob"] = float("nan")


def nothing(choice: dict[str, Any]) -> None:
    choice["prompt_logprobs"] = None


def a_word(choice: dict[str, Any]) -> None:
    choice["prompt_logprobs"] = "none"


WRONG = [shorter, longer, null_place, null_value, no_number, nothing, a_word]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: change.__name__)
def test_an_answer_that_lacks_something_is_asked_for_again_but_not_for_ever(
    fake: Fake, change: Callable[[dict[str, Any]], None]
) -> None:
    wanted = responses(3, longest=CAP - 1)
    with opened(fake) as scorer:
        fake.fault = changing(change, 2)
        require_right(by_id(scorer.score(wanted, [PLAIN])), wanted, scorer.tokenizer.vocab_size)
        fake.fault = changing(change)
        with pytest.raises(SamplerError, match=r"gives no answer of use: .*; what was stored is safe"):
            list(scorer.score(wanted, [PLAIN]))
    fake.refuses = frozenset({"echo"})
    assert "gives no log-probabilities of a prompt" in refusal(fake)


@pytest.mark.parametrize(
    "change", [lambda told: told["token_logprobs"].pop(), lambda told: told["top_logprobs"].pop()], ids=["tokens", "top"]
)
def test_an_echo_of_another_length(fake: Fake, change: Callable[[dict[str, Any]], None]) -> None:
    fake.refuses = frozenset({"prompt_logprobs"})
    with opened(fake) as scorer:
        fake.fault = changing(lambda choice: change(choice["logprobs"]))
        with pytest.raises(SamplerError, match="gives no answer of use"):
            list(scorer.score(responses(1, longest=CAP - 1), [PLAIN]))


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"choices": []}', json.dumps({"choices": [3]}).encode()])
def test_garbage_is_a_sentence(fake: Fake, content: bytes) -> None:
    with opened(fake) as scorer:
        fake.fault = lambda body, _number: Fault(content=content) if body else None
        with pytest.raises(SamplerError, match="gives no answer of use: its answer has no log-probabilities") as failed:
            list(scorer.score(responses(1), [PLAIN]))
        assert "\n" not in str(failed.value)


def test_a_number_above_zero_is_an_error_never_a_score(fake: Fake) -> None:
    def above(choice: dict[str, Any]) -> None:
        next(iter(choice["prompt_logprobs"][-1].values()))["logprob"] = 0.5

    with opened(fake) as scorer:
        fake.fault = changing(above)
        with pytest.raises(SamplerError, match=r"told 0.5 of a token of sample 0, which is no log-probability"):
            list(scorer.score(responses(1, longest=20), [PLAIN]))


def test_what_a_server_writes_for_minus_infinity_is_that(fake: Fake) -> None:
    def never(choice: dict[str, Any]) -> None:
        next(iter(choice["prompt_logprobs"][-1].values()))["logprob"] = -9999.0

    with opened(fake) as scorer:
        fake.fault = changing(never)
        (found,) = scorer.score(responses(1, longest=20), [PLAIN])
    assert found.logp[0, -1] == -np.inf
    assert np.isfinite(found.logp[0, :-1]).all()


def test_a_server_that_dies_in_the_middle_says_that_the_same_line_goes_on(tokenizer: Any) -> None:
    with serving(Fake(tokenizer, model=TinyModel(len(tokenizer)))) as fake:
        scorer = opened(fake, batch=1)
        scoring = scorer.score((Response(n, [5], [6]) for n in count()), [PLAIN])
        assert len(list(islice(scoring, 3))) == 3
        fake.fault = lambda _body, _number: Fault(content=b'{"choices"', half=True)
        with pytest.raises(SamplerError, match=r"does not answer .*; what was stored is safe, and the same command goes on"):
            list(scoring)
    with scorer, pytest.raises(SamplerError, match="does not answer"):
        list(scorer.score(responses(1), [PLAIN]))
