"""At which decodings a run's responses are scored: temperature 1, and the one that they were drawn with.

Of a run whose own decoding nobody knows (a person's answers, an import without settings) it is that of the run whose prompts
its texts are scored after: whether base can draw them is asked of base as it is sampled.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.board import compared_with
from engine.decoding import PLAIN, Decoding
from store.rows import RunRow
from store.types import UNKNOWN, Model


def decoding_of(run: RunRow, after: RunRow | None = None) -> Decoding | None:
    """The run's own; where that is unknown, the one of the run that its texts are scored `after`. None where neither is known,
    and where it is greedy."""
    settings = run.settings
    if is_unknown(run):
        return None if after is None else decoding_of(after)
    try:
        # -1 is what vLLM and many dumps call no limit.
        return Decoding(float(settings.temperature), float(settings.top_p), max(0, int(settings.top_k)))
    except ValueError:
        return None


def is_greedy(run: RunRow) -> bool:
    """Does it always draw the most probable token? It has no distribution to ask then."""
    return run.settings.temperature == 0


def is_unknown(run: RunRow) -> bool:
    """Did nobody record how it was drawn?"""
    settings = run.settings
    return UNKNOWN in (settings.temperature, settings.top_p, settings.top_k)


def decodings_of(run: RunRow, after: RunRow | None = None) -> list[Decoding]:
    """Temperature 1, and `decoding_of` where it is known and another one. The last is written with the others."""
    own = decoding_of(run, after)
    return [PLAIN] if own is None or own == PLAIN else [PLAIN, own]


def scored_after(runs: Sequence[RunRow], run: RunRow, scorer: Model, prompt_of: RunRow | None) -> RunRow | None:
    """The run whose prompts the texts of another, of unknown decoding, are scored after: the one named, else the scorer's own.

    runs: of the benchmark. Of several of the scorer's own the one that this run is held against, else the first whose decoding
    is known. None where there is none.
    """
    if prompt_of is not None and prompt_of.benchmark == run.benchmark:
        return prompt_of
    own = [one for one in runs if is_of(one, scorer) and one.run_id != run.run_id and decoding_of(one) is not None]
    held = compared_with(runs, run)
    return held if held in own else next(iter(own), None)


def is_of(run: RunRow, model: Model) -> bool:
    """Did this model draw the run?"""
    return (run.model.name, run.model.revision) == (model.name, model.revision)


def values_of(decoding: Decoding) -> tuple[float, float, int]:
    """As the study names it."""
    return decoding.temperature, decoding.top_p, decoding.top_k
