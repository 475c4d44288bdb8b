"""Parts of a study that are drawn apart: how a part is named, and which file it is drawn into.

Every process writes a file of its own, on its own disk; `basebound merge` puts them together.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from store.errors import BaseboundError

if TYPE_CHECKING:
    from engine.sampling import Shard


def parse_shard(text: str) -> Shard:
    """ "3/8": the third of eight parts. Raises BaseboundError where there is no such part."""
    from engine.sampling import Shard  # it brings numpy

    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
    number, of = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= of:
        raise BaseboundError(f"'{text}' is no part of a study; give its number, from 1, and how many there are: 3/8")
    return Shard(number, of)


def shard_path(study: Path, shard: Shard) -> Path:
    """Where a part is drawn into: beside the study, study.shard-3-of-8.db."""
    return study.with_name(f"{study.stem}.shard-{shard.number}-of-{shard.of}{study.suffix}")
