"""The sampler over HTTP, against a server that goes wrong in every way there is. The real one: tests/vllm."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.asking import Patience
from engine.decoding import Decoding
from engine.prompts import Template, load_tokenizer
from engine.samplers.base import Drawn, Manner, Opening, Request, SamplerError
from engine.samplers.completions import NEEDED
from engine.samplers.server import ServerSampler
from engine.samplers.transformers import TransformersSampler
from store.types import Finish
from tests.engine.fake_server import OPENING_LIMIT, Fake, Fault, serving

MODEL = Path(__file__).parents[2] / "sample_data" / "models" / "base"
KEY = "sk-of-nobody-else"
QUICK = Patience(tries=4, first_wait_s=0.005, longest_wait_s=0.2, answer_s=10)
MANNER = Manner(Decoding(0.6, 0.95), 20)
PLAIN = Manner(Decoding(), 20)
TEMPLATE = Template("{problem}\n")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASEBOUND_API_KEY", KEY)
    for name in ("OPENAI_API_KEY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(MODEL)


@pytest.fixture
def fake(tokenizer: Any) -> Iterator[Fake]:
    with serving(Fake(tokenizer)) as server:
        yield server


def opened(fake: Fake, model: Path = MODEL, **opening: Any) -> ServerSampler:
    return ServerSampler(Opening(model, url=fake.url, **opening), QUICK)


def requests(sampler: ServerSampler, count: int = 6) -> list[Request]:
    prompt = sampler.prompt(TEMPLATE, "What is 2+2?")
    return [Request(number, prompt.ids, 10**18 + 97 * number, prompt.text) for number in range(count)]


def drawn(fake: Fake, manner: Manner = MANNER, count: int = 6, model: Path = MODEL, **opening: Any) -> list[Drawn]:
    with opened(fake, model, **opening) as sampler:
        found = list(sampler.sample(requests(sampler, count), manner))
    return sorted(found, key=lambda one: int(str(one.request.unit)))


def at_first(fault: Fault, times: int = 1) -> Callable[[dict[str, Any], int], Fault | None]:
    """The first requests go wrong, those of the opening aside."""
    return lambda body, number: fault if number < times and body.get("max_tokens", 1) > OPENING_LIMIT else None


def always(fault: Fault) -> Callable[[dict[str, Any], int], Fault | None]:
    return at_first(fault, 10**9)


# -- what is asked -----------------------------------------------------------------------------------------------------


def test_every_field_is_said_and_prompts_go_as_token_ids(fake: Fake, tokenizer: Any) -> None:
    found = drawn(fake, Manner(Decoding(0.6, 0.95, 7), 20, ("\n",)))
    assert len(fake.asked) == len(found) == 6
    body = next(body for body in fake.asked if body["seed"] == 10**18)
    assert body == {
        "model": "tiny",
        "prompt": tokenizer("What is 2+2?\n")["input_ids"],
        "n": 1,
        "seed": 10**18,
        "temperature": 0.6,
        "top_p": 0.95,
        "top_k": 7,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "max_tokens": 20,
        "min_tokens": 0,
        "ignore_eos": True,
        "stop": ["\n"],
        "stop_token_ids": [0],
        "include_stop_str_in_output": False,
        "skip_special_tokens": False,
        "add_special_tokens": True,
        "logprobs": None,
        "return_token_ids": True,
        "echo": False,
        "stream": False,
    }


def test_no_limit_is_said_as_every_version_takes_it(fake: Fake) -> None:
    drawn(fake)
    assert {body["top_k"] for body in fake.asked} == {-1}


def test_the_responses_limit_leaves_room_for_the_prompt(fake: Fake) -> None:
    long = drawn(fake, Manner(Decoding(), 5000), 2)
    length = len(long[0].request.prompt)
    assert {body["max_tokens"] for body in fake.asked} == {64 - length}
    drawn(fake, Manner(Decoding(), 5000), 2, context_cap=40)
    assert fake.asked[-1]["max_tokens"] == 40 - length
    with opened(fake, context_cap=5) as sampler, pytest.raises(SamplerError, match="no room for a response within the 5"):
        list(sampler.sample(requests(sampler, 1), MANNER))


# -- what comes out ----------------------------------------------------------------------------------------------------


def test_the_facts_that_make_a_run_are_those_of_the_sampler_that_loads_the_model(fake: Fake) -> None:
    with opened(fake, context_cap=60) as sampler, TransformersSampler(Opening(MODEL, context_cap=60)) as other:
        facts, wanted = sampler.facts, other.facts
        assert sampler.prompt(TEMPLATE, "2+2") == other.prompt(TEMPLATE, "2+2")
    assert (facts.context_cap, facts.stop_ids, facts.vocabulary) == (wanted.context_cap, wanted.stop_ids, wanted.vocabulary)
    assert facts.chat_template == wanted.chat_template
    assert (facts.sampler, facts.version, facts.detail) == ("server", "vllm 0.32.0", "served as tiny")


def test_ids_are_as_generated_and_text_is_read_from_them_as_the_other_samplers_do(fake: Fake, tokenizer: Any) -> None:
    found = drawn(fake, Manner(Decoding(0.6), 12, ("=",)), 60)
    kinds = {one.stop_reason for one in found}
    assert kinds == {None, "=", tokenizer.convert_ids_to_tokens(0)}
    for one in found:
        assert one.ids is not None
        whole = tokenizer.decode(one.ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        if one.stop_reason is None:
            assert (one.finish, len(one.ids), one.text) == (Finish.LENGTH, 12, whole)
        elif one.stop_reason == "=":
            assert (one.finish, one.text + "=") == (Finish.STOP, whole)
        else:
            assert (one.finish, one.ids[-1]) == (Finish.STOP, 0)
            assert one.text + one.stop_reason == whole


def test_log_probabilities_are_stored_where_they_are_those_of_what_was_drawn_from_and_nowhere_else(fake: Fake) -> None:
    for one in drawn(fake, PLAIN):
        assert one.ids is not None
        assert one.logp == -0.5 * len(one.ids)
    for decoding in (Decoding(0.6), Decoding(1.0, 0.9), Decoding(1.0, 1.0, 5)):
        assert {one.logp for one in drawn(fake, Manner(decoding, 20))} == {None}
        assert fake.asked[-1]["logprobs"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"top_logprobs": [{"1": 3.2, "2": 2.8}], "token_logprobs": [2.8]},  # logits
        {"top_logprobs": [{"1": -0.1, "2": -0.2}], "token_logprobs": [-0.1]},  # more than all of the mass
        None,
    ],
)
def test_numbers_that_are_no_log_probabilities_are_not_stored(fake: Fake, change: Any) -> None:
    def fault(body: dict[str, Any], _: int) -> Fault | None:
        return Fault(change=lambda answer: answer["choices"][0].update(logprobs=change)) if body.get("logprobs") == 5 else None

    fake.fault = fault
    assert {one.logp for one in drawn(fake, PLAIN)} == {None}


def test_what_is_drawn_depends_on_the_request_alone(fake: Fake) -> None:
    alone = drawn(fake, batch=1, count=30)
    assert drawn(fake, count=30) == alone
    with opened(fake) as sampler:
        backwards = list(sampler.sample(reversed(requests(sampler, 30)), MANNER))
    assert sorted(backwards, key=lambda one: int(str(one.request.unit))) == alone


def test_no_more_are_asked_at_once_than_was_said_and_requests_are_taken_as_there_is_room(fake: Fake) -> None:
    fake.delay_s = 0.01
    taken: list[int] = []
    with opened(fake, batch=3) as sampler:
        waiting = requests(sampler, 30)

        def watched() -> Iterator[Request]:
            for request in waiting:
                taken.append(1)
                yield request

        for done, _ in enumerate(sampler.sample(watched(), MANNER), start=1):
            assert len(taken) <= done + 3
    assert len(taken) == 30
    assert 1 < fake.most_at_once <= 3
    assert fake.connections <= 3 + 1  # they are kept


def test_a_request_that_is_long_in_coming_holds_up_no_answer(fake: Fake) -> None:
    came = threading.Event()
    with opened(fake) as sampler:
        first, second = requests(sampler, 2)

        def slow() -> Iterator[Request]:
            yield first
            assert came.wait(5), "the first answer was not handed on"
            yield second

        found = []
        for one in sampler.sample(slow(), MANNER):
            found.append(one)
            came.set()
    assert len(found) == 2


def test_what_the_requests_raise_is_raised(fake: Fake) -> None:
    def broken() -> Iterator[Request]:
        yield requests(sampler, 1)[0]
        raise KeyError("no such problem")

    with opened(fake) as sampler, pytest.raises(KeyError, match="no such problem"):
        list(sampler.sample(broken(), MANNER))


def test_whoever_goes_away_leaves_nothing_under_way(fake: Fake) -> None:
    with opened(fake, batch=4) as sampler:
        fake.delay_s = 0.05
        drawing = sampler.sample(requests(sampler, 50), MANNER)
        next(drawing)
        drawing.close()  # type: ignore[attr-defined]
    left = [thread for thread in threading.enumerate() if thread.name in ("asking", "taking")]
    for thread in left:
        thread.join(2)
    assert not any(thread.is_alive() for thread in left)
    assert len(fake.asked) <= 4 + 2


# -- faults ------------------------------------------------------------------------------------------------------------

FAULTS = {
    "busy": Fault(429, b"busy", {"Retry-After": "0.05"}),
    "overloaded": Fault(503, b'{"error": {"message": "overloaded"}}'),
    "failing": Fault(500, b"<html>Internal Server Error</html>"),
    "half an answer": Fault(200, b'{"choices": [{"text": "so', half=True),
    "no JSON": Fault(200, b'{"choices": [{"text": "so'),
    "something else": Fault(200, b'{"error": null}'),
    "a list": Fault(200, b"[]"),
    "no choices": Fault(change=lambda answer: answer.update(choices=[])),
    "aborted": Fault(change=lambda answer: answer["choices"][0].update(finish_reason="abort")),
    "filtered": Fault(change=lambda answer: answer["choices"][0].update(finish_reason="content_filter")),
    "no finish": Fault(change=lambda answer: answer["choices"][0].pop("finish_reason")),
    "no ids": Fault(change=lambda answer: answer["choices"][0].pop("token_ids")),
    "strange ids": Fault(change=lambda answer: answer["choices"][0].update(token_ids=["a", None])),
    "no text": Fault(change=lambda answer: answer["choices"][0].update(text=None)),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_passes_is_tried_again_and_leaves_no_trace(fake: Fake, name: str) -> None:
    wanted = drawn(fake)
    fake.asked.clear()
    fake.fault = at_first(FAULTS[name], 3)
    assert drawn(fake) == wanted
    assert len(fake.asked) == 6 + 3


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_pass_ends_it_with_a_sentence_and_nothing_false_comes_out(fake: Fake, name: str) -> None:
    fake.fault = always(FAULTS[name])
    with opened(fake, batch=1) as sampler, pytest.raises(SamplerError, match="what was stored is safe") as caught:
        list(sampler.sample(requests(sampler), MANNER))
    assert len(fake.asked) == QUICK.tries
    assert fake.url in str(caught.value)


def test_what_came_before_a_failure_comes_out(fake: Fake) -> None:
    fake.fault = lambda body, number: Fault(500) if number >= 3 and body.get("max_tokens", 1) > 1 else None
    with opened(fake, batch=1) as sampler:
        drawing = sampler.sample(requests(sampler), MANNER)
        found = [next(drawing) for _ in range(3)]
        with pytest.raises(SamplerError):
            next(drawing)
    assert len({one.request.unit for one in found}) == 3


def test_the_server_may_say_how_long_to_wait() -> None:
    patience = Patience(first_wait_s=1, longest_wait_s=60)
    assert 1 <= patience.wait_s(1, 0) <= 1.25
    assert 8 <= patience.wait_s(4, 0) <= 10
    assert 20 <= patience.wait_s(1, 20) <= 25
    assert 60 <= patience.wait_s(20, 3600) <= 75
    assert len({patience.wait_s(1, 0) for _ in range(20)}) > 10  # not all at the same moment


def test_a_connection_that_died_of_old_age_is_made_anew(fake: Fake) -> None:
    with opened(fake, batch=1) as sampler:
        for connection in sampler._client._idle:
            connection.sock.shutdown(2)
        assert len(list(sampler.sample(requests(sampler), MANNER))) == 6
    assert len(fake.asked) == 6


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(401, b'{"error": {"message": "Incorrect API key: ' + KEY.encode() + b'"}}'), "401 .*BASEBOUND_API_KEY"),
        (Fault(403, b"no"), "403 .*BASEBOUND_API_KEY"),
        (Fault(307, b"", {"Location": "http://127.0.0.1:9/v1/completions"}), "redirects .307.*not followed"),
        (Fault(404, b'{"detail": "Not Found"}'), "Not Found.*/v1"),
        (Fault(400, b'{"error": {"message": "prompt \\u001b[31mtoo long"}}'), "400 .prompt .*too long"),
    ],
)
def test_refusals_end_it_at_once(fake: Fake, fault: Fault, sentence: str) -> None:
    fake.fault = always(fault)
    with opened(fake, batch=1) as sampler, pytest.raises(SamplerError, match=sentence) as caught:
        list(sampler.sample(requests(sampler), MANNER))
    assert len(fake.asked) == 1
    assert KEY not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_server_that_lies_is_found_out(fake: Fake) -> None:
    def length_of_half(answer: dict[str, Any]) -> None:
        choice = answer["choices"][0]
        choice.update(finish_reason="length", stop_reason=None, token_ids=[5, 6, 7])

    def other_prompt(answer: dict[str, Any]) -> None:
        answer["choices"][0]["prompt_token_ids"].insert(0, 1)

    def other_end(answer: dict[str, Any]) -> None:
        answer["choices"][0].update(finish_reason="stop", stop_reason=None, token_ids=[5, 6, 7])

    def runs_on(answer: dict[str, Any]) -> None:
        answer["choices"][0].update(finish_reason="stop", stop_reason=None, token_ids=[5, 0, 7, 0])

    cases = {
        "cut a response after 3 tokens where 20 were allowed": length_of_half,
        "another prompt than it was sent": other_prompt,
        "no stop token of the model's folder.*--generation-config vllm": other_end,
        "does not stop at the model's stop tokens": runs_on,
    }
    for sentence, change in cases.items():
        fake.fault = always(Fault(change=change))
        with opened(fake, batch=1) as sampler, pytest.raises(SamplerError, match=sentence):
            list(sampler.sample(requests(sampler), MANNER))


# -- the opening -------------------------------------------------------------------------------------------------------


def test_the_model_is_the_one_named_or_the_only_one(fake: Fake) -> None:
    fake.models = ({"id": "one", "max_model_len": 32}, {"id": "two", "parent": "one", "max_model_len": None})
    drawn(fake, served="two", count=1)
    assert {body["model"] for body in (*fake.asked, *fake.knocks)} == {"two"}
    with opened(fake, served="two") as sampler:
        assert sampler.facts.context_cap == 32  # an adapter's is its model's
    with pytest.raises(SamplerError, match="serves no three; it serves: one, two"):
        opened(fake, served="three")
    with pytest.raises(SamplerError, match=r"several models.*one, two"):
        opened(fake)


def test_a_server_without_a_list_of_models_must_be_told_the_name(fake: Fake) -> None:
    fake.fault = lambda body, _: None if body else Fault(404, b"{}")
    with opened(fake, served="tiny") as sampler:
        assert (sampler.facts.context_cap, sampler.facts.version) == (None, "fake")
    with pytest.raises(SamplerError, match=r"lists no models.*served"):
        opened(fake)


def test_extensions_that_a_server_refuses_are_left_out_and_recorded(fake: Fake) -> None:
    fake.refuses = frozenset({"top_k", "min_p", "repetition_penalty"})
    found = drawn(fake)
    assert len(found) == 6
    assert all(fake.refuses.isdisjoint(body) for body in fake.asked)
    assert {"seed", "return_token_ids", "stop_token_ids"} <= fake.asked[-1].keys()
    with opened(fake) as sampler:
        assert sampler.facts.detail == "served as tiny; takes no min_p, repetition_penalty, top_k"
        with pytest.raises(SamplerError, match="does not heed top_k"):
            list(sampler.sample(requests(sampler), Manner(Decoding(1, 1, 5), 20)))


def test_top_k_that_is_passed_over_in_silence_is_noticed(fake: Fake) -> None:
    fake.ignores = frozenset({"top_k"})
    with opened(fake) as sampler:
        assert "passes top_k over" in sampler.facts.detail
        assert len(list(sampler.sample(requests(sampler), MANNER))) == 6
        with pytest.raises(SamplerError, match="does not heed top_k"):
            list(sampler.sample(requests(sampler), Manner(Decoding(1, 1, 5), 20)))


@pytest.mark.parametrize("way", ["refuses", "ignores"])
def test_a_server_that_tells_no_ids_is_read_by_its_text(fake: Fake, way: str) -> None:
    wanted = drawn(fake)
    setattr(fake, way, frozenset({"return_token_ids", "stop_token_ids"}))
    for one, full in zip(drawn(fake), wanted, strict=True):
        assert full.ids is not None
        assert (one.ids, one.text, one.finish, one.tokens) == (None, full.text, full.finish, len(full.ids))
    with opened(fake) as sampler:
        assert "tells no token ids" in sampler.facts.detail
        assert sampler.facts.stop_ids == (None if way == "refuses" else (0,))


def test_fields_without_which_a_server_is_of_no_use(fake: Fake) -> None:
    for name in NEEDED:
        fake.refuses = frozenset({name})
        with pytest.raises(SamplerError, match=f"Unrecognized request argument supplied: {name}"):
            opened(fake)


def test_a_server_with_another_tokenizer_is_refused(fake: Fake) -> None:
    fake.fault = lambda body, _: (
        Fault(change=lambda answer: answer["choices"][0].update(prompt_token_ids=[1, 2]))
        if isinstance(body.get("prompt"), str)
        else None
    )
    with pytest.raises(SamplerError, match="another tokenizer than the model's folder"):
        opened(fake)


def test_more_stop_strings_than_a_server_takes_are_refused_before_anything_is_drawn(fake: Fake) -> None:
    with opened(fake) as sampler, pytest.raises(SamplerError, match=r"does not take 5 stop strings.*VLLM_MAX_STOP_STRINGS"):
        list(sampler.sample(requests(sampler), Manner(Decoding(), 20, tuple("abcde"))))
    assert not fake.asked


@pytest.mark.parametrize(
    ("opening", "sentence"),
    [
        ({"url": None}, "needs the address"),
        ({"url": "file:///etc/passwd"}, "no address of a server"),
        ({"url": "localhost:8000"}, "no address of a server"),
        ({"url": "http://h:99999/v1"}, "no address of a server"),
        ({"url": "http://h/v1?key=secret"}, "password or query in it"),
        ({"url": "http://" + "a" * 80 + "/v1"}, "no address of a server"),
        ({"url": "http://h/\u00e9"}, "no address of a server"),
        ({"url": "http://me:secret@127.0.0.1/v1"}, "name, password or query in it"),
        ({"dtype": "float32"}, "server's own"),
        ({"gpus": 2}, "server's own"),
        ({"adapter": Path("lora")}, "what the server calls"),
    ],
)
def test_openings_that_cannot_be_meant(fake: Fake, opening: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SamplerError, match=sentence) as caught:
        ServerSampler(Opening(MODEL, **({"url": fake.url} | opening)), QUICK)
    assert "secret" not in str(caught.value)
    assert not fake.paths


def test_a_temperature_that_the_server_would_raise_is_refused(fake: Fake) -> None:
    with opened(fake) as sampler, pytest.raises(SamplerError, match=r"would draw at temperature 0.01"):
        list(sampler.sample(requests(sampler), Manner(Decoding(0.001), 20)))


def test_a_server_that_is_not_there(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.samplers.knocking._OPENING", QUICK)
    with serving(Fake(tokenizer)) as gone:
        pass
    with pytest.raises(SamplerError, match=r"does not answer.*check url"):
        opened(gone)


# -- only a served name ------------------------------------------------------------------------------------------------


def test_where_only_a_name_is_known_prompts_go_as_text_and_what_is_unknown_is_said_to_be(fake: Fake, tmp_path: Path) -> None:
    wanted = drawn(fake)
    for model in (Path("tiny"), tmp_path):
        found = drawn(fake, model=model)
        assert {body["prompt"] for body in fake.asked[-6:]} == {"What is 2+2?\n"}
        assert [(one.ids, one.text, one.finish) for one in found] == [(None, one.text, one.finish) for one in wanted]
        assert [one.tokens for one in found] == [len(one.ids or ()) for one in wanted]
        with opened(fake, model) as sampler:
            facts = sampler.facts
            assert sampler.prompt(TEMPLATE, "2+2").ids == ()
        assert (facts.stop_ids, facts.vocabulary, facts.context_cap) == (None, "unknown", 64)


def test_a_tokenizer_alone_reads_what_ends_responses_but_claims_no_stop_ids(fake: Fake, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(MODEL / name, tmp_path)
    manner = Manner(Decoding(0.6), 12, ("=",))
    wanted = drawn(fake, manner, 30)
    assert [replace(one, logp=None) for one in drawn(fake, manner, 30, tmp_path)] == wanted
    with opened(fake, tmp_path) as sampler:
        assert sampler.facts.stop_ids is None
    assert not fake.asked[-1]["ignore_eos"]


def test_a_chat_needs_the_models_folder(fake: Fake) -> None:
    with opened(fake, Path("tiny")) as sampler, pytest.raises(SamplerError, match="name the model's folder"):
        sampler.prompt(Template("{problem}", chat=True), "2+2")


def test_a_texts_tokens_are_counted_by_the_server_where_the_cap_is_near(fake: Fake, tokenizer: Any) -> None:
    length = len(tokenizer("What is 2+2?\n")["input_ids"])
    drawn(fake, Manner(Decoding(), 5000), 4, Path("tiny"), batch=1)
    assert {body["max_tokens"] for body in fake.asked} == {64 - length}
    counting = [body for body in fake.knocks if body["prompt"] == "What is 2+2?\n"]
    assert len(counting) == 1


# -- the key -----------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_the_named_server_and_nowhere_else(fake: Fake, tokenizer: Any) -> None:
    with serving(Fake(tokenizer)) as other:
        fake.fault = always(Fault(307, b"", {"Location": f"{other.url}/completions"}))
        with pytest.raises(SamplerError, match="redirects") as caught:
            drawn(fake)
        assert not other.paths
    assert KEY not in str(caught.value)
    assert {headers.get("Authorization") for headers in fake.headers} == {f"Bearer {KEY}"}
    assert KEY not in json.dumps([fake.asked, fake.knocks, fake.paths])


def test_keys_in_order(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    drawn(fake, count=1)
    assert fake.headers[-1]["Authorization"] == f"Bearer {KEY}"
    monkeypatch.delenv("BASEBOUND_API_KEY")
    drawn(fake, count=1)
    assert fake.headers[-1]["Authorization"] == "Bearer second"
    monkeypatch.delenv("OPENAI_API_KEY")
    drawn(fake, count=1)
    assert "Authorization" not in fake.headers[-1]
    monkeypatch.setenv("OPENAI_API_KEY", "two\nlines")
    with pytest.raises(SamplerError, match="characters that no key has") as caught:
        opened(fake)
    assert "lines" not in str(caught.value)


def test_a_proxy_is_asked_where_the_environment_names_one(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", fake.url.removesuffix("/v1").replace("http://", "http://me:word@"))
    monkeypatch.setenv("no_proxy", "")
    sampler = ServerSampler(Opening(MODEL, url="http://far.invalid:8000/v1"), QUICK)
    sampler.__exit__()
    assert {path.rsplit("/", 1)[0] for path in fake.paths} == {"http://far.invalid:8000/v1", "http://far.invalid:8000"}
    assert {headers["Proxy-Authorization"] for headers in fake.headers} == {"Basic bWU6d29yZA=="}
    monkeypatch.setenv("no_proxy", "far.invalid")
    fake.paths.clear()
    monkeypatch.setattr("engine.samplers.knocking._OPENING", QUICK)
    with pytest.raises(SamplerError, match="does not answer"):
        ServerSampler(Opening(MODEL, url="http://far.invalid:8000/v1"), QUICK)
    assert not fake.paths
