"""Samplers: what draws responses from a model. One file each, chosen by name, imported when chosen.

SAMPLERS is the table of those we ship. "path.py:Class" is a sampler of your own (see `own`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Final, cast

from engine.samplers.base import Opening, Sampler, SamplerError
from engine.samplers.own import is_own, load_own, require_own


@dataclass(frozen=True, slots=True)
class Entry:
    """module:Class, and what it is in a line."""

    place: str
    title: str
    extra: str | None = None
    """The installation extra that brings what it needs."""


SAMPLERS: Final[dict[str, Entry]] = {
    "transformers": Entry(
        "engine.samplers.transformers:TransformersSampler", "transformers and torch, on a CPU or a GPU", "models"
    ),
    "vllm": Entry("engine.samplers.vllm:VllmSampler", "vLLM in this process, on one GPU, several, or a CPU", "vllm"),
    "server": Entry("engine.samplers.server:ServerSampler", "a server of OpenAI's API: vLLM's or another's"),
    "scripted": Entry("engine.samplers.scripted:ScriptedSampler", "no model: made-up responses, to try a plan out"),
}


def require(name: str) -> None:
    """Raises SamplerError where what the sampler needs is not installed. Loads it: call it where it will be used."""
    if is_own(name):
        require_own(name)
        return
    with needing(SAMPLERS[name].extra):
        import_module(SAMPLERS[name].place.partition(":")[0])


def load(name: str, opening: Opening) -> Sampler:
    """A new sampler by name, its model loaded. Raises SamplerError for an unknown name, and where it is not installed."""
    if is_own(name):
        return load_own(name, opening)
    if name not in SAMPLERS:
        known = ", ".join(SAMPLERS)
        raise SamplerError(f"no sampler is called {name!r}; known: {known}, and path.py:Class for one of your own")
    module, _, attribute = SAMPLERS[name].place.partition(":")
    with needing(SAMPLERS[name].extra):
        made = getattr(import_module(module), attribute)
    return cast(Sampler, made(opening))


@contextmanager
def needing(extra: str | None) -> Iterator[None]:
    """Turn a missing package into a sentence that says which extra brings it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if extra is None:
            raise
        raise SamplerError(
            f"{error.name} is not installed, which sampling and scoring need;"
            f" install basebound with its extra: pip install 'basebound[{extra}]'"
        ) from error
