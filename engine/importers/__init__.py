"""File formats, one file each. A plain table, name -> "module:Class", in the order in which a file is held against them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Final, cast

from engine.importers.base import Importer, ImportProblem, Line

IMPORTERS: Final = {
    "basebound": "engine.importers.native:NativeImporter",
    "harness": "engine.importers.harness:HarnessImporter",
    "rollouts": "engine.importers.nested:NestedImporter",
    "counts": "engine.importers.counts:CountsImporter",
}


def load(name: str) -> Importer:
    """The importer of that name. Raises ImportProblem for a name that is not there."""
    if name not in IMPORTERS:
        raise ImportProblem(f"there is no format '{name}'; the formats are: {', '.join(IMPORTERS)}")
    module, _, attribute = IMPORTERS[name].partition(":")
    return cast(Importer, getattr(import_module(module), attribute)())


def all_importers() -> Iterator[Importer]:
    return (load(name) for name in IMPORTERS)


def recognise(first: Line) -> Importer | None:
    """The importer whose kind of file begins like this."""
    return next((importer for importer in all_importers() if importer.recognises(first)), None)
