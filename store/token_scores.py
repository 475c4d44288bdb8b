"""What a scorer says of a response token by token, and how that lies on disk.

Layout 1: one byte of the layout, then a zstd frame, with its checksum, of
    tokens    n, as 4 bytes little-endian; then one byte of flags: 1 entropy, 2 decoded, 4 edge, 8 spans, 16 others
    logp      n half floats, all their low bytes before all their high bytes
    entropy   n bytes q: 16 (q / 255)^2 nats
    decoded   n half floats like logp
    edge      n signed bytes q: sign(q) (q / 127)^2
    spans     n bytes of characters; 255: the number stands among the 4-byte ones that follow the n bytes, in order
    others    n bytes of how many a token has; then of all of them the ids, 4 bytes each, all lowest bytes first; then of all
              of them one byte q: -16 (q / 255)^2 nats
Quantities that need more precision are sums, and those stand in `likelihood` in full. A half float has 11 bits, so a
log-probability of -3 is known to 0.001 nats; entropies, probabilities of others and edges are known to about a hundredth, edges
to 0.0001 where they matter, about 0.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice, repeat
from math import sqrt
from types import MappingProxyType
from typing import Final, NamedTuple

from store.errors import DamagedText
from store.texts import pack_checked, unpack_file

LAYOUT: Final = 1
LEVEL: Final = 12

_ENTROPY, _DECODED, _EDGE, _SPANS, _OTHERS = 1, 2, 4, 8, 16
_LARGEST: Final = 60_000.0
"""Half floats end soon after."""
_NATS: Final = 16.0
_LONG: Final = 255
_NATS_OF: Final = [_NATS * (q / 255) ** 2 for q in range(256)]
_LESS_NATS_OF: Final = [-nats for nats in _NATS_OF]
_EDGE_OF: Final = [(q / 127) * abs(q / 127) for q in (*range(128), *range(-128, 0))]


class Other(NamedTuple):
    """A token that a scorer found probable where the response has another one."""

    token_id: int
    logp: float
    """At temperature 1."""


@dataclass(frozen=True, slots=True)
class TokenScores:
    """One response under one scorer; every sequence is [tokens], None where the scorer does not tell."""

    logp: Sequence[float]
    """Nats at temperature 1."""
    entropy: Sequence[float] | None = None
    """Of the scorer's distribution before each token, at temperature 1, in nats."""
    decoded: Sequence[float] | None = None
    """Nats under the run's decoding; -inf where that can never draw the token. None where it is temperature 1 as well."""
    edge: Sequence[float] | None = None
    """Under that decoding: mass of the tokens more probable than this one, less top_p. Below 0 it lies in the nucleus."""
    spans: Sequence[int] | None = None
    """Characters of the response that each token brings, the first first; a stop token brings none, as does a part of a
    character. Together they may be more than the response has: a stop string is cut off. None where the ids read otherwise."""
    others: Mapping[int, tuple[Other, ...]] | None = field(default_factory=lambda: MappingProxyType({}))
    """By place of a token that has a probability below OTHERS_BELOW: the most probable tokens apart from it, first first."""

    def is_fork(self, place: int) -> bool:
        """Whether the scorer's first choice there is another token."""
        others = (self.others or {}).get(place, ())
        return bool(others) and others[0].logp > self.logp[place]


OTHERS_BELOW: Final = 0.9
"""Others are kept where a token's probability at temperature 1 is less."""
MOST_OTHERS: Final = 4
LEAST_OTHER: Final = 0.01
"""Others less probable are left out, but for the first."""


def pack_scores(scores: TokenScores) -> bytes:
    """The bytes of a `token_score`."""
    flags, parts = 0, [_halves(scores.logp)]
    if scores.entropy is not None:
        flags |= _ENTROPY
        parts.append(bytes(_companded(nats) for nats in scores.entropy))
    if scores.decoded is not None:
        flags |= _DECODED
        parts.append(_halves(scores.decoded))
    if scores.edge is not None:
        flags |= _EDGE
        parts.append(array("b", map(_edge, scores.edge)).tobytes())
    if scores.spans is not None:
        flags |= _SPANS
        parts += [bytes(min(chars, _LONG) for chars in scores.spans), _words([n for n in scores.spans if n >= _LONG])]
    if scores.others is not None:
        flags |= _OTHERS
        parts += _others(scores.others, len(scores.logp))
    content = struct.pack("<IB", len(scores.logp), flags) + b"".join(parts)
    return bytes([LAYOUT]) + pack_checked(content, LEVEL)


def unpack_scores(packed: bytes) -> TokenScores:
    """The inverse of `pack_scores`, up to the layout's precision. Raises DamagedText, which does not know whose they are."""
    if packed[:1] == bytes([LAYOUT]):
        with suppress(DamagedText, struct.error, ValueError):
            return _Content(unpack_file(packed[1:])).scores()
        raise DamagedText(_DAMAGED)
    known = len(packed) > 1 and LAYOUT < packed[0] < _LAYOUTS_TO_COME
    raise DamagedText(f"are of layout {packed[0]}, which a newer version wrote: upgrade basebound" if known else _DAMAGED)


_DAMAGED: Final = (
    "are damaged: `basebound check` lists all such, and `basebound score` with --tokens and --again makes them anew"
)
_LAYOUTS_TO_COME: Final = 16
"""A first byte beyond is none of ours."""


class _Content:
    """Reads the columns one behind the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 5
        self._tokens, self._flags = struct.unpack_from("<IB", content)

    def scores(self) -> TokenScores:
        logp = self._halves()
        entropy = list(map(_NATS_OF.__getitem__, self._take(self._tokens))) if self._has(_ENTROPY) else None
        decoded = self._halves() if self._has(_DECODED) else None
        edge = list(map(_EDGE_OF.__getitem__, self._take(self._tokens))) if self._has(_EDGE) else None
        spans = self._spans() if self._has(_SPANS) else None
        others = self._others() if self._has(_OTHERS) else None
        if self._at != len(self._content):
            raise ValueError("bytes are left")
        return TokenScores(logp, entropy, decoded, edge, spans, others)

    def _has(self, flag: int) -> bool:
        return bool(self._flags & flag)

    def _take(self, length: int) -> bytes:
        self._at += length
        if self._at > len(self._content):
            raise ValueError("bytes are missing")
        return self._content[self._at - length : self._at]

    def _halves(self) -> Sequence[float]:
        return struct.unpack(f"<{self._tokens}e", _woven(self._take(2 * self._tokens), 2))

    def _words(self, number: int) -> Sequence[int]:
        return struct.unpack(f"<{number}I", _woven(self._take(4 * number), 4))

    def _spans(self) -> Sequence[int]:
        short = self._take(self._tokens)
        long = iter(self._words(short.count(_LONG)))
        return [next(long) if chars == _LONG else chars for chars in short] if _LONG in short else list(short)

    def _others(self) -> Mapping[int, tuple[Other, ...]]:
        numbers = self._take(self._tokens)
        ids = self._words(sum(numbers))
        nats = map(_LESS_NATS_OF.__getitem__, self._take(len(ids)))
        every = map(tuple.__new__, repeat(Other), zip(ids, nats, strict=True))  # no call in Python for each of thousands
        return {place: tuple(islice(every, number)) for place, number in enumerate(numbers) if number}


def _halves(values: Sequence[float]) -> bytes:
    return _parted(struct.pack(f"<{len(values)}e", *(value if value == -_INFINITE else _bounded(value) for value in values)), 2)


_INFINITE: Final = float("inf")


def _bounded(value: float) -> float:
    return max(-_LARGEST, min(value, _LARGEST))


def _words(values: Sequence[int]) -> bytes:
    return _parted(struct.pack(f"<{len(values)}I", *values), 4)


def _others(others: Mapping[int, tuple[Other, ...]], tokens: int) -> list[bytes]:
    every = [one for place in sorted(others) for one in others[place]]
    numbers = bytes(len(others.get(place, ())) for place in range(tokens))
    return [numbers, _words([one.token_id for one in every]), bytes(_companded(-one.logp) for one in every)]


def _companded(nats: float) -> int:
    return min(255, round(255 * sqrt(max(nats, 0.0) / _NATS)))


def _edge(mass: float) -> int:
    """Never 0 for what lies outside, or inside: the sign is what it is asked for."""
    size = min(127, round(127 * sqrt(abs(mass))))
    return max(size, 1) if mass >= 0 else -max(size, 1)


def _parted(content: bytes, width: int) -> bytes:
    """All first bytes, then all second ones: like stands beside like, which packs better."""
    return b"".join(content[at::width] for at in range(width))


def _woven(parted: bytes, width: int) -> bytes:
    content, number = bytearray(len(parted)), len(parted) // width
    for at in range(width):
        content[at::width] = parted[at * number : (at + 1) * number]
    return bytes(content)
