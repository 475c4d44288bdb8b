"""A server on this machine that answers /completions as vLLM's does, and goes wrong in whatever way it is told to.

What it draws depends on the prompt and the seed alone. Its words are those of the tokenizer that it is given. Where it has a
model, it draws from that and tells the log-probabilities of prompts, in vLLM's form or as an echo.
"""

from __future__ import annotations

import json
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

WORDS: Final = (" so", " 3", " 17", "\n", " x", " =", "42", " we have")
OPENING_LIMIT: Final = 1
"""Requests of one token are those of the opening: faults spare them unless told otherwise."""


@dataclass(frozen=True)
class Fault:
    """Instead of an answer, or to be done to one."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    half: bool = False
    """The connection breaks in the middle."""
    change: Callable[[dict[str, Any]], None] | None = None
    """Of an answer that is otherwise right."""


@cache
def next_logp(size: int, last: int, place: int) -> tuple[float, ...]:
    """Of a model that knows the last token and its place: nats of what follows, by id."""
    chance = random.Random(f"{last} at {place}")
    logits = [chance.gauss(0, 3) for _ in range(size)]
    mass = math.log(sum(map(math.exp, logits)))
    return tuple(logit - mass for logit in logits)


@dataclass
class TinyModel:
    """What a server tells of a model of so many tokens."""

    size: int
    by_id: bool = True
    """In an echo, tokens can be named by their ids."""
    says: Callable[[float], float] = lambda nats: nats
    """In place of a prompt's log-probability."""
    says_drawn: Callable[[float], float] = lambda nats: nats
    """In place of a drawn token's."""
    is_processed: bool = False
    """What a request forbids has no probability."""

    def drawn(self, prompt: list[int], body: dict[str, Any]) -> int:
        logp = next_logp(self.size, prompt[-1], len(prompt))
        allowed: list[int] = body.get("allowed_token_ids") or list(range(self.size))
        if body.get("top_k") == 1:
            return max(allowed, key=lambda token: logp[token])
        chance = random.Random(body.get("seed"))
        return chance.choices(allowed, [math.exp(logp[token]) for token in allowed])[0]

    def place(self, before: list[int], token: int, tops: int, says: Callable[[float], float]) -> dict[int, float]:
        """The token first, then the most probable ones."""
        logp = next_logp(self.size, before[-1], len(before))
        best = sorted(range(self.size), key=lambda one: -logp[one])[:tops]
        return {one: says(logp[one]) for one in (token, *best)}

    def named(self, place: dict[int, float], tokenizer: Any, by_id: bool) -> dict[str, float]:
        names = {one: f"token_id:{one}" if by_id and self.by_id else tokenizer.decode([one]) for one in place}
        return {names[one]: nats for one, nats in place.items()}

    def choice(self, prompt: list[int], body: dict[str, Any], tokenizer: Any) -> dict[str, Any]:
        """Of the completions API."""
        ids = [self.drawn(prompt, body)] if body["max_tokens"] else []
        echoes = prompt if body.get("echo") else []
        text = tokenizer.decode([*echoes, *ids], skip_special_tokens=False)
        choice: dict[str, Any] = {"index": 0, "text": text, "finish_reason": "length", "logprobs": None}
        if body.get("return_token_ids"):
            choice |= {"token_ids": ids, "prompt_token_ids": prompt}
        if (tops := body.get("prompt_logprobs")) is not None:
            places = [self.place(prompt[:at], prompt[at], tops, self.says) for at in range(1, len(prompt))]
            choice["prompt_logprobs"] = [None, *({str(t): {"logprob": nats} for t, nats in p.items()} for p in places)]
        if (tops := body.get("logprobs")) is not None:
            choice["logprobs"] = self._logprobs([*prompt, *ids], len(prompt), bool(echoes), tops, body, tokenizer)
        return choice

    def _logprobs(
        self, ids: list[int], sent: int, echoes: bool, tops: int, body: dict[str, Any], tokenizer: Any
    ) -> dict[str, Any]:
        by_id = bool(body.get("return_tokens_as_token_ids"))
        of_draws = (lambda _: 0.0) if self.is_processed and body.get("allowed_token_ids") else self.says_drawn
        first = 1 if echoes else sent
        places = [self.place(ids[:at], ids[at], tops, self.says if at < sent else of_draws) for at in range(first, len(ids))]
        none = [None] * echoes
        return {
            "tokens": [next(iter(self.named({token: 0.0}, tokenizer, by_id))) for token in ids[0 if echoes else sent :]],
            "token_logprobs": [*none, *(next(iter(place.values())) for place in places)],
            "top_logprobs": [*none, *(self.named(place, tokenizer, by_id) for place in places)],
        }


@dataclass
class Fake:
    tokenizer: Any
    models: tuple[dict[str, Any], ...] = ({"id": "tiny", "owned_by": "vllm", "max_model_len": 64},)
    refuses: frozenset[str] = frozenset()
    """Fields that it answers with 400."""
    ignores: frozenset[str] = frozenset()
    end: int = 0
    """The id of its end token."""
    fault: Callable[[dict[str, Any], int], Fault | None] = lambda _body, _number: None
    """Of a request and how many were asked before it."""
    delay_s: float = 0.0
    model: TinyModel | None = None
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Bodies, those of the opening aside."""
    knocks: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def completion(self, body: dict[str, Any]) -> dict[str, Any]:
        body = {name: value for name, value in body.items() if name not in self.ignores}
        prompt = body["prompt"]
        if isinstance(prompt, str):
            prompt = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        if self.model is not None:
            return {"id": "cmpl-1", "model": body["model"], "choices": [self.model.choice(list(prompt), body, self.tokenizer)]}
        ids, finish, reason = self._drawn(prompt, body)
        is_ended = finish == "stop" and reason is None
        text = self.tokenizer.decode(ids[:-1] if is_ended else ids, skip_special_tokens=False)
        text = text[: text.index(reason)] if reason else text
        choice: dict[str, Any] = {"index": 0, "text": text, "finish_reason": finish, "stop_reason": reason, "logprobs": None}
        if body.get("return_token_ids"):
            choice |= {"token_ids": ids, "prompt_token_ids": list(prompt)}
        if body.get("logprobs") is not None:
            top = {str(number): -1.7 - number for number in range(body["logprobs"])}
            choice["logprobs"] = {"token_logprobs": [-0.5] * len(ids), "top_logprobs": [top] * len(ids)}
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(ids)}
        return {"id": "cmpl-1", "model": body["model"], "choices": [choice], "usage": usage}

    def _drawn(self, prompt: list[int], body: dict[str, Any]) -> tuple[list[int], str, str | None]:
        chance = random.Random(f"{prompt}{body.get('seed')}" if body.get("top_k") != 1 else f"{prompt}")
        ids: list[int] = []
        while True:
            new = [self.end] if chance.random() < 0.1 else self.tokenizer(chance.choice(WORDS))["input_ids"]
            for token in new:
                ids.append(token)
                if token == self.end or token in (body.get("stop_token_ids") or ()):
                    return ids, "stop", None
                for stop in body.get("stop") or ():
                    if stop in self.tokenizer.decode(ids, skip_special_tokens=False):
                        return ids, "stop", stop
                if len(ids) == body["max_tokens"]:
                    return ids, "length", None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fake"
    sys_version = ""
    wbufsize = -1  # an answer leaves in one piece: two would wait for each other's receipt, 40 ms each time
    fake: Fake

    def setup(self) -> None:
        super().setup()
        with self.fake.lock:
            self.fake.connections += 1

    def do_GET(self) -> None:
        fake = self.fake
        with fake.lock:
            fake.headers.append(dict(self.headers))
            fake.paths.append(self.path)
        fault = fake.fault({}, 0)
        if fault is not None:
            self._say(fault.status, fault.content, fault.headers)
        elif self.path.endswith("/v1/models"):
            self._say(200, json.dumps({"data": fake.models}).encode())
        elif self.path == "/version":
            self._say(200, b'{"version": "0.32.0"}')
        else:
            self._say(404, b'{"detail": "Not Found"}')

    def do_POST(self) -> None:
        fake = self.fake
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with fake.lock:
            kept = fake.knocks if body["max_tokens"] == OPENING_LIMIT else fake.asked
            number = len(kept)
            kept.append(body)
            fake.headers.append(dict(self.headers))
            fake.paths.append(self.path)
            fake.at_once += 1
            fake.most_at_once = max(fake.most_at_once, fake.at_once)
        time.sleep(fake.delay_s)
        with fake.lock:
            fake.at_once -= 1
        if body["model"] not in [model["id"] for model in fake.models]:
            return self._say(404, b'{"error": {"message": "The model does not exist."}}')
        if refused := sorted(fake.refuses & body.keys()):
            return self._say(400, b'{"error": {"message": "Unrecognized request argument supplied: %s"}}' % refused[0].encode())
        if len(body.get("stop") or ()) > 4:
            return self._say(400, b'{"error": {"message": "List should have at most 4 items"}}')
        if fake.model is not None and len(body["prompt"]) + max(1, body["max_tokens"]) > fake.models[0]["max_model_len"]:
            return self._say(400, b'{"error": {"message": "The prompt is longer than the maximum model length."}}')
        fault = fake.fault(body, number)
        if fault is None or fault.change is not None:
            answer = fake.completion(body)
            if fault is not None and fault.change is not None:
                fault.change(answer)
            return self._say(200, json.dumps(answer).encode())
        return self._say(fault.status, fault.content, fault.headers, fault.half)

    def _say(self, status: int, content: bytes, headers: dict[str, str] | None = None, half: bool = False) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) * (2 if half else 1)))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.close_connection or half

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(fake: Fake) -> Iterator[Fake]:
    """The address is in fake.url."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
    server.daemon_threads = False  # waited for, so that none leaves its socket open
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
