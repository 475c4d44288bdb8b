"""One request to an OpenAI-compatible server: tried again where that may help, told from one that no try would save.

Redirects are not followed and only http and https are spoken, so that the key goes to the named server alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from store.errors import BaseboundError

TRIES: Final = 4
_PASSING: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""
_HOPELESS: Final = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405})
"""Statuses that every other request would get as well."""
_HANDLERS: Final = (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor)


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

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise JudgeError(f"'{self.url}' is no address of a server; give one such as http://localhost:8000/v1")

    @property
    def endpoint(self) -> str:
        return self.url.rstrip("/") + "/chat/completions"

    def ask(self, messages: Sequence[dict[str, str]]) -> str:
        """The text of the answer, drawn at temperature 0. Raises Refused, or JudgeError where asking more is in vain."""
        body = json.dumps({"model": self.model, "messages": list(messages), "temperature": 0}).encode()
        for tried in range(TRIES):
            is_last = tried == TRIES - 1
            try:
                return _content(self._post(body))
            except HTTPError as error:
                said = f"{error.code}{_said(error)}"
                if error.code in _HOPELESS:
                    raise JudgeError(f"{self.endpoint} refuses with {said}; check --url, --model and the key") from None
                if error.code not in _PASSING or is_last:
                    raise Refused(f"the server says {said}") from None
            except (URLError, HTTPException, OSError) as error:
                if is_last:
                    why = getattr(error, "reason", None) or error
                    raise JudgeError(f"{self.endpoint} does not answer ({why}); check --url and that the server runs") from None
            time.sleep(self.first_wait_s * 2**tried)
        raise AssertionError("the last try returns or raises")

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        request = Request(self.endpoint, body, headers)  # noqa: S310 - checked above: http or https
        opener = OpenerDirector()
        for handler in _HANDLERS:
            opener.add_handler(handler())
        with opener.open(request, timeout=self.timeout_s) as response:
            content: bytes = response.read()
        return content


def _content(answer: bytes) -> str:
    value: Any = None
    with suppress(ValueError, LookupError, TypeError):
        value = json.loads(answer)["choices"][0]["message"]["content"]
    if value is None:
        raise Refused("the server's answer holds no choices[0].message.content")
    return str(value)


def _said(error: HTTPError) -> str:
    """What the server says of it, in short."""
    with suppress(OSError, HTTPException):
        text = " ".join(error.read(2000).decode("utf-8", "replace").split())
        return f" ({text[:200]})" if text else ""
    return ""
