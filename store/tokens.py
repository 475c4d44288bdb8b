"""Token ids on disk: one byte that tells the width, 2 or 4, then each id as that many bytes, little-endian.

Two bytes hold every vocabulary up to 65,536 tokens; larger ones take four.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Final

from store.errors import DamagedText

_CODES: Final = {2: "H", 4: "I"}


def pack_ids(ids: Sequence[int]) -> bytes:
    """Raises OverflowError for an id that is negative or needs more than four bytes."""
    width = 2 if max(ids, default=0) < 1 << 16 else 4
    packed = array(_CODES[width], ids)
    if sys.byteorder == "big":
        packed.byteswap()
    return bytes([width]) + packed.tobytes()


def unpack_ids(packed: bytes) -> list[int]:
    """The inverse of `pack_ids`. Raises DamagedText."""
    width = packed[0] if packed else 0
    if width not in _CODES or (len(packed) - 1) % width:
        raise DamagedText("token ids of the study are damaged; `basebound check` lists them all")
    ids = array(_CODES[width], packed[1:])
    if sys.byteorder == "big":
        ids.byteswap()
    return ids.tolist()
