"""Requests to an OpenAI-compatible server: tried again where that may help, told from those that no try would save.

Redirects are not followed and only http and https are spoken, so that the key goes to the named server alone (by way of the
proxy that the environment names, where it names one). Connections are kept and used again; many threads may ask at once.
"""

from __future__ import annotations

import json
import random
import socket
import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Event, Lock
from typing import Any, Final, TypeVar
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

Answer = TypeVar("Answer")

_PASSING: Final = frozenset({408, 409, 425, 429})
"""Statuses after which the same request may succeed, beside all from 500 on."""
_CONNECT_S: Final = 30.0
_ALIVE: Final = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""A host that is gone is noticed within two minutes, though an answer may take an hour."""
_QUOTED: Final = 300
"""Characters of what a server says."""


class Unanswered(Exception):
    """No answer of use came, however often it was tried; the message says why."""


class Refused(Unanswered):
    """The server refuses this request."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"{status} ({said})" if said else str(status))
        self.status = status


class Silent(Unanswered):
    """It cannot be reached, or breaks off."""


class Garbled(Unanswered):
    """It answers what cannot be used; raised by whoever reads answers."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried."""

    tries: int = 4
    first_wait_s: float = 1.0
    """Before the second try; doubled before each further one."""
    longest_wait_s: float = 60.0
    """Longer ones are cut to this, those that the server wishes for (Retry-After) among them."""
    answer_s: float = 600.0
    """For one answer to come."""

    def wait_s(self, tried: int, wish_s: float) -> float:
        """After so many tries, the server wishing for so long a wait. Up to a quarter more: not all shall come back at once."""
        wait = min(self.longest_wait_s, max(wish_s, self.first_wait_s * 2.0 ** (tried - 1)))
        return wait * (1 + random.random() / 4)  # noqa: S311 - no secret


PATIENCE: Final = Patience()


def address_of(url: str) -> SplitResult:
    """An API's address, in parts. Raises ValueError, with a sentence, where it is none."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        is_one = parts.scheme in ("http", "https") and bool(host) and parts.port != 0 and parts.path.isascii()
    except ValueError:
        is_one = False
    if "@" in url or "?" in url or "#" in url:  # whatever stands there might be secret, and a message would show it
        raise ValueError("the server's address has a name, password or query in it; leave that out")
    if not is_one:
        raise ValueError(f"'{url}' is no address of a server; give one such as http://localhost:8000/v1")
    return parts


class Client:
    """Asks one server. Raises ValueError, with a sentence, where the address is none or the key can be none."""

    def __init__(self, url: str, key: str | None = None, patience: Patience = PATIENCE) -> None:
        self._address = address_of(url)
        self._key = (key or "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise ValueError("the key holds characters that no key has; set it again")
        self._patience = patience
        self._way = _way_to(self._address)
        self._idle: list[HTTPConnection] = []
        self._busy: set[HTTPConnection] = set()
        self._lock = Lock()
        self._closed = Event()
        self.server = ""
        """What it calls itself, once it has answered."""

    def close(self) -> None:
        """Break off whatever is under way, so that the server stops working on it."""
        self._closed.set()
        with self._lock:
            idle, busy = list(self._idle), list(self._busy)
            self._idle.clear()
        for connection in idle:
            connection.close()
        for connection in busy:
            with suppress(OSError, AttributeError):  # its thread may be closing it at this very moment
                connection.sock.shutdown(socket.SHUT_RDWR)

    def ask(self, path: str, body: object, read: Callable[[bytes], Answer], patience: Patience | None = None) -> Answer:
        """What `read` makes of the answer; where that raises Garbled, the request is tried again.

        path: below the address, e.g. "/completions"; "//version" is beside its /v1. body: posted as JSON; None: a GET.
        Raises Refused, Silent or Garbled when the last try has failed.
        """
        patience = patience or self._patience
        content = None if body is None else json.dumps(body).encode()
        for tried in range(1, patience.tries + 1):
            wish_s = 0.0
            try:
                status, wish_s, said = self._exchange(path, content, patience.answer_s)
                if status < 300:
                    return read(said)
                failed: Unanswered = Refused(status, self._quoted(said))
                if status < 500 and status not in _PASSING:
                    break
            except Garbled as error:
                failed = error
            except (HTTPException, OSError) as error:
                failed = Silent(str(error) or type(error).__name__)
            if tried == patience.tries or self._closed.wait(patience.wait_s(tried, wish_s)):
                break
        raise failed

    def _exchange(self, path: str, content: bytes | None, answer_s: float) -> tuple[int, float, bytes]:
        """Status, the wait that the server wishes for, and what it says."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            with suppress(ConnectionError):  # it was closed for its age: that is no failure of the server
                return self._over(kept, path, content, answer_s)
        return self._over(self._way.connection(), path, content, answer_s)

    def _over(self, connection: HTTPConnection, path: str, content: bytes | None, answer_s: float) -> tuple[int, float, bytes]:
        with self._lock:
            self._busy.add(connection)
        stays = False
        try:
            self._send(connection, path, content, answer_s)
            response = connection.getresponse()
            said = response.read()
            stays = not response.will_close
            self.server = response.getheader("Server") or self.server
            return response.status, _wish_s(response), said
        finally:
            self._release(connection, stays)

    def _send(self, connection: HTTPConnection, path: str, content: bytes | None, answer_s: float) -> None:
        if connection.sock is None:
            connection.connect()
            _watch(connection)
        if self._closed.is_set():
            raise ConnectionAbortedError("the work was ended")
        connection.sock.settimeout(answer_s)
        headers = self._way.headers | ({} if content is None else {"Content-Type": "application/json"})
        headers |= {"Authorization": f"Bearer {self._key}"} if self._key else {}
        base = self._address.path.rstrip("/")
        target = base.removesuffix("/v1") + path[1:] if path.startswith("//") else base + path
        connection.request("GET" if content is None else "POST", self._way.prefix + target, content, headers)

    def _release(self, connection: HTTPConnection, stays: bool) -> None:
        with self._lock:
            self._busy.discard(connection)
            if stays and not self._closed.is_set():
                self._idle.append(connection)
                return
        connection.close()

    def _quoted(self, said: bytes) -> str:
        """What a server says of a refusal, in short, printable, and without the key."""
        text = said[:8000].decode("utf-8", "replace")
        with suppress(ValueError):
            text = _message(json.loads(said)) or text
        text = text.replace(self._key, "…") if self._key else text
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_QUOTED]


@dataclass(frozen=True, slots=True)
class _Way:
    """How a server is reached: directly, or by a proxy."""

    secure: bool
    host: str
    port: int | None
    tunnel: tuple[str, int | None] | None
    """Through the proxy at host and port, for https."""
    prefix: str
    """Before each path, for a proxy that is told the whole address."""
    proxy_headers: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        """Of every request."""
        return {} if self.tunnel else dict(self.proxy_headers)

    def connection(self) -> HTTPConnection:
        """A new one, to be connected."""
        kind = HTTPSConnection if self.secure else HTTPConnection
        made = kind(self.host, self.port, timeout=_CONNECT_S)
        if self.tunnel:
            made.set_tunnel(*self.tunnel, headers=self.proxy_headers)
        return made


def _way_to(address: SplitResult) -> _Way:
    host, is_secure = str(address.hostname), address.scheme == "https"
    proxy = None if proxy_bypass(host) else getproxies().get(address.scheme)
    if not proxy:
        return _Way(is_secure, host, address.port, None, "", {})
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    secret = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
    headers = {"Proxy-Authorization": f"Basic {b64encode(secret).decode()}"} if parts.username else {}
    tunnel = (host, address.port) if is_secure else None
    prefix = "" if is_secure else f"http://{address.netloc}"
    return _Way(is_secure, str(parts.hostname), parts.port, tunnel, prefix, headers)


def _watch(connection: HTTPConnection) -> None:
    """Have the system find out where the other end is gone without a word."""
    connected: socket.socket = connection.sock
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _ALIVE:
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _wish_s(response: HTTPResponse) -> float:
    """Seconds that Retry-After asks for, given as a number or as a date; 0 without one."""
    wish = response.getheader("Retry-After", "")
    with suppress(ValueError):
        return max(0.0, float(wish))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(wish).timestamp() - time.time())
    return 0.0


def _message(value: Any) -> str:
    """Of an error as such servers write one; "" where it is none."""
    for name in ("error", "message", "detail"):
        if isinstance(value, dict) and value.get(name):
            value = value[name]
    return value if isinstance(value, str) else ""
