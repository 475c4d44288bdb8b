"""Responses on disk: zstd, with a dictionary trained on the study's own first responses.

Reasoning traces of one study repeat each other, so a dictionary pays from the first kilobyte. Dictionaries are versioned:
each row of `text` names the one it needs (NULL: none), so later dictionaries never touch earlier rows. A response is a
Python string; lone surrogates (broken UTF-8 in the source) survive the round trip.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, pairwise
from typing import Any, Final

from store.errors import DamagedText, NotFound

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor, ZstdDict, ZstdError, compress, decompress, train_dict
else:
    from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDict, ZstdError, compress, decompress, train_dict

LEVEL: Final = 3
PACKED_LEVEL: Final = 19
PACKING_THREADS: Final = 2
WORTH_A_THREAD: Final = 100
"""Responses that a thread of its own takes at least."""
DICTIONARY_BYTES: Final = 64 << 10
TRAIN_ON_CHARS: Final = 4 << 20
"""Enough text for a dictionary; more costs time and gains nothing."""
TRAIN_FROM_TEXTS: Final = 64
"""Fewer texts than this do not make a dictionary worth its 64 KiB."""


def pack_file(content: bytes) -> bytes:
    """A whole file, packed as small as it goes."""
    return compress(content, PACKED_LEVEL)


def pack_checked(content: bytes, level: int) -> bytes:
    """With a checksum: a bit that changes on disk is noticed by `unpack_file`."""
    options: dict[int, int] = {CompressionParameter.compression_level: level, CompressionParameter.checksum_flag: 1}
    return compress(content, options=options)


def unpack_file(packed: bytes) -> bytes:
    """The inverse of `pack_file`. Raises DamagedText."""
    try:
        return decompress(packed)
    except ZstdError as error:
        raise DamagedText(f"a packed file is damaged ({error})") from None


@dataclass(slots=True)  # not frozen: made by the million, and never leaves this folder
class Encoded:
    """A response on its way into a study: encoded and hashed once."""

    data: bytes
    chars: int
    digest: int
    """64 bits, signed as SQLite's integers are."""

    @staticmethod
    def of(response: str) -> Encoded:
        data = encode(response)
        return Encoded(data, len(response), int.from_bytes(blake2b(data, digest_size=8).digest(), "big", signed=True))


def encode(response: str) -> bytes:
    return response.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


class TextPacker:
    """Compresses responses with one dictionary, or none. On several threads: zstd lets the others run meanwhile."""

    def __init__(self, dictionary: bytes | None = None) -> None:
        zstd_dict = ZstdDict(dictionary) if dictionary else None
        self._compressors = [ZstdCompressor(LEVEL, zstd_dict=zstd_dict) for _ in range(PACKING_THREADS)]

    def pack(self, response: str) -> bytes:
        return _compressed(self._compressors[0], [encode(response)])[0]

    @contextmanager
    def packing(self, responses: Sequence[bytes]) -> Iterator[Iterator[bytes]]:
        """Encoded responses, in order, packed while the caller does something else."""
        if len(responses) < PACKING_THREADS * WORTH_A_THREAD:
            yield iter(_compressed(self._compressors[0], responses))
            return
        ends = [len(responses) * part // PACKING_THREADS for part in range(PACKING_THREADS + 1)]
        parts = [responses[start:end] for start, end in pairwise(ends)]
        with ThreadPoolExecutor(PACKING_THREADS) as threads:
            yield chain.from_iterable(threads.map(_compressed, self._compressors, parts))


def _compressed(compressor: ZstdCompressor, responses: Sequence[bytes]) -> list[bytes]:
    return [compressor.compress(data, ZstdCompressor.FLUSH_FRAME) for data in responses]


def train(responses: Sequence[str]) -> bytes | None:
    """A dictionary from the first responses of a study; None where they are too few or too alike to train on."""
    parts: list[bytes] = []
    size = 0
    for response in responses:
        # zstd looks at the first 128 KiB of a sample at most.
        parts.append(encode(response)[: 128 << 10])
        size += len(parts[-1])
        if size > TRAIN_ON_CHARS:
            break
    if len(parts) < TRAIN_FROM_TEXTS or size < 8 * DICTIONARY_BYTES:
        return None
    try:
        return train_dict(parts, DICTIONARY_BYTES).dict_content
    except ZstdError:
        return None  # zstd refuses samples it finds no repetition in: without a dictionary is right for those


class TextReader:
    """Reads responses of an open study."""

    def __init__(self, query: Callable[[str, Sequence[object]], list[tuple[Any, ...]]]) -> None:
        """query: rows of a study's query, as `store.reader.Study` gives them."""
        self._query = query
        self._dictionaries: dict[int, ZstdDict] = {}

    def response(self, sample_id: int) -> str:
        """The response, exactly as it came. Raises NotFound."""
        for row in self._query("SELECT dictionary_id, response FROM text WHERE sample_id = ?", (sample_id,)):
            return self.unpack(*row)
        raise NotFound(f"sample {sample_id} has no text in this study")

    def unpack(self, dictionary_id: int | None, packed: bytes) -> str:
        """The response behind one row of `text`. Raises DamagedText."""
        try:
            return decode(decompress(packed, self._dictionary(dictionary_id)))
        except (ZstdError, UnicodeDecodeError) as error:
            raise DamagedText(f"a text of the study is damaged ({error}); `basebound check` lists them all") from None

    def _dictionary(self, dictionary_id: int | None) -> ZstdDict | None:
        if dictionary_id is None:
            return None
        if dictionary_id not in self._dictionaries:
            rows = self._query("SELECT bytes FROM dictionary WHERE dictionary_id = ?", (dictionary_id,))
            if not rows:
                raise DamagedText(f"the study has lost its dictionary {dictionary_id}; go back to a copy of the file")
            self._dictionaries[dictionary_id] = ZstdDict(rows[0][0])
        return self._dictionaries[dictionary_id]
