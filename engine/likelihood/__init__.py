"""Likelihood: what a model thinks of a response, token by token.

SCORERS is the table of what can run the model, one file each, imported when chosen; base.py is the seam they fit. The stage
`score` in engine/scoring.py asks the study what is missing and writes what they say.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from engine.likelihood.base import Scorer
from engine.samplers import Entry, needing
from engine.samplers.base import Opening, SamplerError

SCORERS: Final[dict[str, Entry]] = {
    "transformers": Entry(
        "engine.likelihood.transformers:TransformersScorer",
        "transformers and torch, at any decoding, with the nucleus",
        "models",
    ),
    "vllm": Entry("engine.likelihood.vllm:VllmScorer", "vLLM in this process, at temperature 1", "vllm"),
    "server": Entry("engine.likelihood.server:ServerScorer", "a server that gives prompt log-probabilities, at temperature 1"),
}

PLAIN_ONLY: Final = frozenset({"vllm", "server"})
"""Of SCORERS, those that know temperature 1 alone (`ScorerFacts.plain_only`): known before one of them is loaded."""


def require_scorer(name: str) -> None:
    """Raises SamplerError for an unknown name. Loads nothing."""
    if name not in SCORERS:
        raise SamplerError(f"no scorer is called {name!r}; known: {', '.join(SCORERS)}")


def load_scorer(name: str, opening: Opening) -> Scorer:
    """A new scorer by name, its model loaded. Raises SamplerError for an unknown name, and where it is not installed."""
    require_scorer(name)
    module, _, attribute = SCORERS[name].place.partition(":")
    with needing(SCORERS[name].extra):
        made = getattr(import_module(module), attribute)
    return cast(Scorer, made(opening))
