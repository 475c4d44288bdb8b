"""What is asked of an OpenAI-compatible server's /completions, every field said, and how its answers are read.

A server fills in what is not said from the model's generation_config.json or from its own defaults (Qwen's chat models bring
top-k 20 and a repetition penalty that way), so nothing is left to it. Fields that are not NEEDED a server may refuse (OpenAI's
own API lacks many) or pass over in silence.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.asking import Garbled
from engine.samplers.base import Manner

NEEDED: Final = frozenset({"model", "prompt", "temperature", "top_p", "max_tokens", "stop"})
"""Fields without which a server is of no use."""
NO_LIMIT: Final = -1
"""As top_k: vLLM takes 0 and -1 for none, its older versions and other servers -1 alone."""
LEAST_LOGPROB: Final = -9999.0
"""What servers write for minus infinity, which JSON lacks."""
ROUNDING: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Ask:
    """One response wanted, as the server is asked for it."""

    model: str
    prompt: Sequence[int] | str
    seed: int
    manner: Manner
    limit: int
    """Tokens at most, once prompt and cap are taken into account."""
    stop_ids: tuple[int, ...] = ()
    only_these: bool = False
    """No other stop ids, whatever the server finds in its model's settings."""
    logprobs: int | None = None

    def body(self, without: frozenset[str] = frozenset()) -> dict[str, object]:
        """without: names of fields that the server does not take."""
        decoding = self.manner.decoding
        fields: dict[str, object] = {
            "model": self.model,
            "prompt": self.prompt if isinstance(self.prompt, str) else list(self.prompt),
            "n": 1,
            "seed": self.seed,
            "temperature": decoding.temperature,
            "top_p": decoding.top_p,
            "top_k": decoding.top_k or NO_LIMIT,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
            "max_tokens": self.limit,
            "min_tokens": 0,
            "ignore_eos": self.only_these,
            "stop": list(self.manner.stop) or None,
            "stop_token_ids": list(self.stop_ids),
            "include_stop_str_in_output": False,
            "skip_special_tokens": False,
            "add_special_tokens": True,
            "logprobs": self.logprobs,
            "return_token_ids": True,
            "echo": False,
            "stream": False,
        }
        return {name: value for name, value in fields.items() if name not in without}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    text: str
    finish: str
    """ "stop" or "length"."""
    stop_reason: str | int | None
    """The stop string or token, where the server says so."""
    ids: tuple[int, ...] | None
    prompt_ids: tuple[int, ...] | None
    logprobs: tuple[float, ...] | None
    """Of each token drawn."""
    top: tuple[float, ...]
    """Of the most probable first tokens, where they were asked for."""
    tokens: int | None
    """Generated."""
    prompt_tokens: int | None


def read_reply(content: bytes) -> Reply:
    """Raises Garbled where it is no whole answer, or one that was broken off (finish reasons such as "abort")."""
    try:
        value = json.loads(content)
        choice = value["choices"][0]
        finish, text = choice["finish_reason"], choice["text"]
        usage = value.get("usage") or {}
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Garbled(f"its answer is no completion: {content[:60]!r}") from None
    if finish not in ("stop", "length"):
        raise Garbled(f"a response ended with finish reason {finish!r}")
    if not isinstance(text, str):
        raise Garbled("its answer has no text")
    return Reply(
        text=text,
        finish=finish,
        stop_reason=_kind(choice.get("stop_reason"), (str, int)),
        ids=_numbers(choice.get("token_ids"), int),
        prompt_ids=_numbers(choice.get("prompt_token_ids"), int),
        logprobs=_numbers((choice.get("logprobs") or {}).get("token_logprobs"), float),
        top=_top(choice.get("logprobs")),
        tokens=_kind(usage.get("completion_tokens"), (int,)),
        prompt_tokens=_kind(usage.get("prompt_tokens"), (int,)),
    )


def are_log_probabilities(reply: Reply) -> bool:
    """Whether the numbers given for the first token can be such: a server may be set to give logits in their place."""
    mass = sum(math.exp(min(nats, 1.0)) for nats in reply.top)
    return bool(reply.logprobs) and len(reply.top) > 1 and mass < 1.001


def log_probability(reply: Reply) -> float | None:
    """Nats of all tokens; None where the server does not give one number for each, or one that is no log-probability."""
    found, tokens = reply.logprobs, len(reply.ids) if reply.ids is not None else reply.tokens
    if not found or len(found) != tokens or not all(LEAST_LOGPROB < nats < ROUNDING for nats in found):
        return None
    return sum(found)


def _kind(value: Any, kinds: tuple[type, ...]) -> Any:
    return value if isinstance(value, kinds) and not isinstance(value, bool) else None


def _numbers(values: Any, kind: type) -> Any:
    """As a tuple; None where they are no list of such numbers."""
    if not isinstance(values, list) or any(_kind(value, (int, kind)) is None for value in values):
        return None
    return tuple(values)


def _top(logprobs: Any) -> tuple[float, ...]:
    tops = logprobs.get("top_logprobs") if isinstance(logprobs, dict) else None
    if not isinstance(tops, list) or not tops or not isinstance(tops[0], dict):
        return ()
    return _numbers(list(tops[0].values()), float) or ()
