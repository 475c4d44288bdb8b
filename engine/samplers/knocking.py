"""What a server is found to be before anything is drawn from it: its model, its cap, what it takes and what it tells.

Some ten requests of one token each. What a server refuses it says; whether it passes top-k over in silence is seen from what it
draws, and whether it has the tokenizer of the model's folder from what it makes of a text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from engine.asking import Client, Garbled, Patience, Refused, Silent, Unanswered
from engine.decoding import PLAIN, Decoding
from engine.samplers.base import Manner, SamplerError
from engine.samplers.completions import NEEDED, Ask, Reply, are_log_probabilities, read_reply

_OPENING: Final = Patience(tries=3, first_wait_s=0.5, longest_wait_s=30, answer_s=300)
"""A wrong address should be told soon."""
_TEXT: Final = "What is 12 + 345 - 6? Let x² = 7;"
"""Any text will do. Digits, signs and a character of two bytes are what tokenizers differ in."""
_TRIALS: Final = 8
"""Draws with top-k 1, which leaves one token, or two where the best are equal up to rounding."""
_TOP: Final = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """A model of a server's list."""

    name: str
    owner: str
    cap: int | None
    parent: str | None
    """Of an adapter: the model it is added to."""


@dataclass(frozen=True, slots=True)
class Served:
    """What the server is."""

    name: str
    """What it calls the model."""
    version: str
    cap: int | None
    lacks: frozenset[str]
    """Fields that it refuses."""
    tells_ids: bool
    tells_logprobs: bool
    heeds_top_k: bool

    @property
    def detail(self) -> str:
        """For the batch."""
        said = [f"served as {printable(self.name)}"]
        if self.lacks:
            said.append(f"takes no {', '.join(sorted(self.lacks))}")
        if not self.heeds_top_k and "top_k" not in self.lacks:
            said.append("passes top_k over")
        if not self.tells_ids:
            said.append("tells no token ids")
        return "; ".join(said)


def knock(client: Client, url: str, served: str | None, tokenizer: Any, stop_ids: Sequence[int]) -> Served:
    """Find out. tokenizer: of the model's folder; None where there is none.

    Raises SamplerError where the server cannot be used, or is not the one that it should be.
    """
    try:
        listed = _listed(client)
        model = _chosen(listed, served, url)
        ids = None if tokenizer is None else tuple(tokenizer(_TEXT, add_special_tokens=False)["input_ids"])
        plain = Ask(model.name, ids or _TEXT, 1, Manner(PLAIN, 1), 1, tuple(stop_ids), logprobs=_TOP)
        lacks, reply = _lacks(client, plain)
        if ids is not None and "add_special_tokens" not in lacks:
            _require_tokenizer(client, plain, lacks, ids, url)
        return Served(
            name=model.name,
            version=_version(client, model),
            cap=model.cap,
            lacks=lacks,
            tells_ids=reply.ids is not None,
            tells_logprobs=are_log_probabilities(reply),
            heeds_top_k="top_k" not in lacks and _heeds_top_k(client, plain, lacks),
        )
    except Unanswered as error:
        raise SamplerError(sentence(url, error)) from None


def sentence(url: str, error: Unanswered) -> str:
    """What to do about a server that gives no answer."""
    if isinstance(error, Silent):
        return f"{url} does not answer ({error}); check url, and that the server runs"
    if not isinstance(error, Refused):
        return f"{url} gives no answer of use: {error}"
    if error.status in (401, 403):
        return f"{url} refuses the key with {error}; set BASEBOUND_API_KEY to one that it takes"
    if 300 <= error.status < 400:
        return f"{url} redirects ({error.status}): not followed, as the key would go along; give the address it leads to"
    if error.status == 404:
        return f"{url} has no such path or model: {error}; check url, which ends in /v1 with most servers, and served"
    return f"{url} refuses a request with {error}"


def _listed(client: Client) -> list[Listed]:
    """The server's models; none where it has no list."""
    try:
        return client.ask("/models", None, _read_list, _OPENING)
    except Refused as refused:
        if refused.status in (404, 405, 501):
            return []
        raise


def _read_list(content: bytes) -> list[Listed]:
    try:
        models = [_read_model(entry) for entry in json.loads(content)["data"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Garbled(f"its list of models is none: {content[:60]!r}") from None
    caps = {model.name: model.cap for model in models}
    return [Listed(model.name, model.owner, model.cap or caps.get(model.parent or ""), model.parent) for model in models]


def _read_model(entry: Any) -> Listed:
    cap, parent = entry.get("max_model_len"), entry.get("parent")
    return Listed(
        name=str(entry["id"]),
        owner=str(entry.get("owned_by") or ""),
        cap=cap if isinstance(cap, int) and cap > 0 else None,
        parent=parent if isinstance(parent, str) else None,
    )


def _chosen(listed: list[Listed], served: str | None, url: str) -> Listed:
    names = printable(", ".join(model.name for model in listed))
    if not listed and served is None:
        raise SamplerError(f"{url} lists no models; say what it calls the one wanted (served)")
    if not listed:
        return Listed(str(served), "", None, None)
    if served is None and len(listed) > 1:
        raise SamplerError(f"{url} serves several models; say which is wanted (served): {names}")
    for model in listed:
        if served in (None, model.name):
            return model
    raise SamplerError(f"{url} serves no {served}; it serves: {names}")


def _version(client: Client, model: Listed) -> str:
    """As vLLM tells it, else what the server calls itself."""
    number = ""
    with suppress(Unanswered):
        number = client.ask("//version", None, _read_version, _OPENING)
    said = f"{model.owner} {number}".strip() if number else client.server
    return printable(said)[:80].strip() or "unknown"


def printable(text: str) -> str:
    """What a stranger's text holds beside control characters."""
    return "".join(character for character in text if character.isprintable())


def _read_version(content: bytes) -> str:
    try:
        return str(json.loads(content)["version"])
    except (ValueError, LookupError, TypeError):
        return ""


def _lacks(client: Client, ask: Ask) -> tuple[frozenset[str], Reply]:
    """Which fields the server refuses, and what it answers without them."""
    if (whole := _taken(client, ask.body())) is not None:
        return frozenset(), whole
    optional = frozenset(ask.body()) - NEEDED
    _try(client, ask.body(optional))  # where even that is refused, its reason is the one to tell
    lacks = frozenset(name for name in optional if _taken(client, ask.body(optional - {name})) is None)
    return lacks, _try(client, ask.body(lacks))


def _taken(client: Client, body: dict[str, object]) -> Reply | None:
    """The answer; None where the server refuses something in the request."""
    try:
        return _try(client, body)
    except Refused as refused:
        if refused.status in (400, 422):
            return None
        raise


def _require_tokenizer(client: Client, ask: Ask, lacks: frozenset[str], ids: Sequence[int], url: str) -> None:
    reply = _try(client, ask.body(lacks) | {"prompt": _TEXT, "add_special_tokens": False})
    if reply.prompt_ids is not None and reply.prompt_ids != tuple(ids):
        raise SamplerError(
            f"{url} serves {ask.model} with another tokenizer than the model's folder has: the same text becomes other token"
            " ids; check that both are one model"
        )


def _heeds_top_k(client: Client, ask: Ask, lacks: frozenset[str]) -> bool:
    """Whether draws with top-k 1 are alike, whatever the seed."""
    manner = Manner(Decoding(2.0, 1.0, 1), 1)
    found = set()
    for seed in range(_TRIALS):
        reply = _try(client, Ask(ask.model, ask.prompt, seed, manner, 1, ask.stop_ids).body(lacks))
        found.add((reply.ids, reply.text))
    return len(found) <= 2


def _try(client: Client, body: dict[str, object]) -> Reply:
    return client.ask("/completions", body, read_reply, _OPENING)
