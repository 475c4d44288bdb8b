"""STUDY.toml: one readable file that says what a study should hold. engine/declaration/templates.py has whole examples.

    read(path) -> Declaration               or every mistake of the file, each with its line
    plans(declaration) -> list[Plan]        what to draw: model x benchmark x prompt x temperature, in the file's order

Reading loads nothing heavy and touches no model; plans fetch what is on the hub, read problems and hash weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.declaration.reading import read
from engine.declaration.values import (
    Analyses,
    Declaration,
    DeclarationError,
    DeclaredBenchmark,
    DeclaredModel,
    DeclaredPrompt,
    EngineChoice,
    Sampling,
)

if TYPE_CHECKING:
    from engine.sampling import Plan, Shard

__all__ = [
    "Analyses",
    "Declaration",
    "DeclarationError",
    "DeclaredBenchmark",
    "DeclaredModel",
    "DeclaredPrompt",
    "EngineChoice",
    "Sampling",
    "plans",
    "read",
]


def plans(
    declaration: Declaration, shard: Shard | None = None, folders: Mapping[str, Path] | None = None, *, weights: bool = True
) -> list[Plan]:
    """What to draw, as `engine.declaration.planned.plans` has it; imported here, because writing needs numpy."""
    from engine.declaration import planned

    return planned.plans(declaration, shard, folders, weights=weights)
