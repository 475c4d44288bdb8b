"""A judge model's server: what it is asked, and what counts as an answer. How it is asked: engine/asking.py."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from engine.asking import Client, Patience, Silent
from engine.asking import Refused as Refusal
from store.errors import BaseboundError

_HOPELESS: Final = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
"""Statuses that every other request would get as well."""


class JudgeError(BaseboundError):
    """The server cannot be used."""


class Refused(Exception):
    """This one request got no answer; others may."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the judge is."""

    url: str
    """Of the API, e.g. http://localhost:8000/v1."""
    model: str
    key: str | None = field(default=None, repr=False)
    timeout_s: float = 600.0
    first_wait_s: float = 1.0
    """Before the second try; doubled before each further one."""
    _client: Client = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        patience = Patience(first_wait_s=self.first_wait_s, answer_s=self.timeout_s)
        try:
            object.__setattr__(self, "_client", Client(self.url, self.key, patience))
        except ValueError as error:
            raise JudgeError(str(error)) from None

    @property
    def endpoint(self) -> str:
        return self.url.rstrip("/") + "/chat/completions"

    def close(self) -> None:
        """Break off whatever is under way; nothing can be asked after that."""
        self._client.close()

    def ask(self, messages: Sequence[dict[str, str]]) -> str:
        """The text of the answer, drawn at temperature 0. Raises Refused, or JudgeError where asking more is in vain."""
        body = {"model": self.model, "messages": list(messages), "temperature": 0}
        try:
            return _content(self._client.ask("/chat/completions", body, bytes))
        except Refusal as refusal:
            if refusal.status in _HOPELESS:
                raise JudgeError(f"{self.endpoint} refuses with {refusal}; check --url, --model and the key") from None
            raise Refused(f"the server says {refusal}") from None
        except Silent as silent:
            raise JudgeError(f"{self.endpoint} does not answer ({silent}); check --url and that the server runs") from None


def _content(answer: bytes) -> str:
    value: Any = None
    with suppress(ValueError, LookupError, TypeError):
        value = json.loads(answer)["choices"][0]["message"]["content"]
    if value is None:
        raise Refused("the server's answer holds no choices[0].message.content")
    return str(value)
