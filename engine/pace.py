"""Results gathered for one transaction: often enough that a kill costs little, seldom enough to be fast."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

WRITE_EVERY_S: Final = 2.0

Item = TypeVar("Item")


def in_time(items: Iterable[Item]) -> Iterator[list[Item]]:
    """What has come in, every WRITE_EVERY_S seconds or at the next item after that, and what is left at the end."""
    waiting: list[Item] = []
    since = time.monotonic()
    for item in items:
        waiting.append(item)
        if time.monotonic() - since > WRITE_EVERY_S:
            yield waiting
            waiting, since = [], time.monotonic()
    if waiting:
        yield waiting
