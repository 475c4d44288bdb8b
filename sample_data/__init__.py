"""What comes with the program: an example to look around in, with the script that wrote it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def example_path() -> Path:
    """The example's traces as JSONL, gzipped."""
    return Path(str(files(__name__) / "example.jsonl.gz"))
