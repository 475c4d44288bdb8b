"""How an OpenAI-compatible server is asked for the log-probabilities of a prompt's tokens, and how its answers are read.

vLLM's has a field for it and names each token by its id:

    {"choices": [{"prompt_logprobs": [null, {"17": {"logprob": -0.4, "rank": 1}, "5": {"logprob": -1.2, "rank": 2}}]}]}

Others echo the prompt before what they draw, as OpenAI's own did, and name tokens by their text ("token_id:17" where vLLM's is
asked to):

    {"choices": [{"logprobs": {"tokens": ["a", " b"], "token_logprobs": [null, -0.4], "top_logprobs": [null, {" b": -0.4}]}}]}
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from engine.asking import Garbled
from engine.decoding import PLAIN
from engine.likelihood.listed import NO_TOKEN, Top
from engine.samplers.base import Manner, SamplerError
from engine.samplers.completions import LEAST_LOGPROB, Ask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BY_ID: Final = "token_id:"


@dataclass(frozen=True, slots=True)
class Form:
    """A way to ask."""

    title: str
    is_echo: bool
    limit: int
    """Tokens to be drawn."""


PROMPT: Final = Form("prompt_logprobs", False, 1)
FORMS: Final = (PROMPT, Form("echo", True, 0), Form("echo and one token", True, 1))
"""The first that a server takes is used."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Tokens to be scored, and as what they are sent."""

    ids: Sequence[int]
    tops: int
    """How many of the most probable tokens are to be listed at each place."""
    draws_last: bool = False
    """The last one is not sent: it is drawn, being the only one allowed, since a context that is full leaves no room."""

    def body(self, form: Form, model: str, lacks: frozenset[str]) -> dict[str, object]:
        """lacks: names of fields that the server does not take."""
        prompt = self.ids[:-1] if self.draws_last else self.ids
        limit = 1 if self.draws_last else form.limit
        body = Ask(model, prompt, 1, Manner(PLAIN, 1), limit, logprobs=None).body(lacks)
        if form.is_echo or self.draws_last:
            body |= {"logprobs": self.tops, "return_tokens_as_token_ids": True, "echo": form.is_echo}
        if not form.is_echo:
            body["prompt_logprobs"] = self.tops
        if self.draws_last:
            body["allowed_token_ids"] = [self.ids[-1]]
        return body


@dataclass(frozen=True, slots=True)
class Told:
    """What a server says of N tokens, the first aside, before which there is nothing."""

    logp: Floats
    """[N - 1] nats."""
    top: Top | None
    """None where nothing is listed beside them."""
    text: str = ""
    """Of the prompt, where it is echoed, and what was drawn."""

    def last(self, tokens: int) -> Told:
        """Of the last ones alone."""
        top = self.top and Top(None if self.top.ids is None else self.top.ids[-tokens:], self.top.logp[-tokens:])
        return Told(self.logp[-tokens:], top)


_Place = tuple[float, list[tuple[int | None, float]]]
"""A token's log-probability, and what is listed beside it; None: a token that is named in another way."""


def read_told(asked: Asked, form: Form, content: bytes) -> Told:
    """Raises Garbled where it is no whole answer, SamplerError where other tokens were scored than were sent."""
    try:
        choice = json.loads(content)["choices"][0]
        places = _echoed(asked, choice) if form.is_echo else _prompt(asked, choice)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Garbled(f"its answer has no log-probabilities of the prompt: {content[:60]!r}") from None
    logp = np.array([own for own, _ in places], dtype=np.float64)
    return Told(logp, _top([listed for _, listed in places], asked.tops), str(choice.get("text") or "") if form.is_echo else "")


def _prompt(asked: Asked, choice: Any) -> list[_Place]:
    sent = len(asked.ids) - asked.draws_last
    told = choice["prompt_logprobs"]
    _require_length(told, sent, sent)
    places = [_named(entry, token) for entry, token in zip(told[1:], asked.ids[1:sent], strict=True)]
    if asked.draws_last:
        places += _logprobs(choice["logprobs"])[:1]
        _require_drawn(choice, asked.ids[-1])
    return places


def _echoed(asked: Asked, choice: Any) -> list[_Place]:
    told = choice["logprobs"]
    _require_length(told["token_logprobs"], len(asked.ids), len(asked.ids) + 1)
    names = [name.removeprefix(_BY_ID) for name in told.get("tokens") or () if name.startswith(_BY_ID)]
    if names and [int(name) for name in names[: len(asked.ids)]] != list(asked.ids):
        raise _others_scored()
    first_aside = {name: column[1 : len(asked.ids)] for name, column in told.items() if isinstance(column, list)}
    return _logprobs(first_aside)


def _require_length(told: Any, least: int, most: int) -> None:
    if not isinstance(told, list) or not least <= len(told) <= most:
        found = len(told) if isinstance(told, list) else "no"
        raise Garbled(f"an answer has {found} log-probabilities where {least} tokens were sent")


def _require_drawn(choice: Any, token: int) -> None:
    drawn = choice.get("token_ids")
    if drawn is not None and drawn != [token]:
        raise _others_scored()


def _others_scored() -> SamplerError:
    return SamplerError("the server scored other tokens than it was sent; score with another engine")


def _named(entry: dict[str, Any], token: int) -> _Place:
    """A place of vLLM's form."""
    listed = {int(name): _nats(value["logprob"]) for name, value in entry.items()}
    if token not in listed:
        raise _others_scored()
    return listed[token], list(listed.items())


def _logprobs(told: dict[str, Any]) -> list[_Place]:
    """Places of OpenAI's form."""
    own = [_nats(value) for value in told["token_logprobs"]]
    tops = told.get("top_logprobs") or [None] * len(own)
    return [(nats, _beside(top)) for nats, top in zip(own, tops, strict=True)]


def _beside(top: dict[str, Any] | None) -> list[tuple[int | None, float]]:
    return [
        (int(name.removeprefix(_BY_ID)) if name.startswith(_BY_ID) else None, _nats(value))
        for name, value in (top or {}).items()
    ]


def _nats(value: Any) -> float:
    """Raises Garbled where it is none: a server under strain forgets some."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value):
        raise Garbled("an answer lacks some of the log-probabilities")
    return -inf if value <= LEAST_LOGPROB else float(value)


def _top(listed: list[list[tuple[int | None, float]]], tops: int) -> Top | None:
    """The most probable ones of each place, the first first; what else a server lists is left out."""
    if not all(listed):
        return None
    shape = (len(listed), tops)
    ids, logp = np.full(shape, NO_TOKEN, dtype=np.int64), np.full(shape, -np.inf)
    is_named = True
    for at, place in enumerate(listed):
        best = sorted(place, key=lambda one: -one[1])[:tops]
        logp[at, : len(best)] = [nats for _, nats in best]
        names = [token for token, _ in best if token is not None]
        ids[at, : len(names)] = names
        is_named = is_named and len(names) == len(best)
    return Top(ids if is_named else None, logp)
