"""SHA-256 of large files, each read once: a later look at the same file, unchanged in size and time, takes what is remembered.

Weights of hundreds of gigabytes would otherwise be read at every dry run. What is remembered lies in the user's cache folder;
where it cannot be written, files are read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

LARGE: Final = 64 << 20
"""Bytes from which a digest is worth remembering."""


def file_digest(file: Path) -> str:
    """SHA-256 (hex) of its content."""
    there = file.stat()
    if there.st_size < LARGE:
        return _read(file)
    key = f"{file.resolve()}:{there.st_size}:{there.st_mtime_ns}"
    known = _remembered()
    if key not in known:
        digest = _read(file)
        _remember(_remembered() | {key: digest})
        return digest
    return known[key]


def _read(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _place() -> Path:
    return user_cache_path("basebound") / "digests.json"


def _remembered() -> dict[str, str]:
    """Whatever is no such file is as good as none."""
    try:
        found = json.loads(_place().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _remember(digests: dict[str, str]) -> None:
    """Put in place whole, for others may read it at this moment."""
    with contextlib.suppress(OSError):
        place = _place()
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".digests-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(digests, file)
        Path(name).replace(place)
