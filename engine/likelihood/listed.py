"""What an engine lists of a response's tokens, a log-probability each and the most probable ones beside it, as scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.decoding import PLAIN, Decoding
from engine.likelihood.base import Response, Scored
from engine.samplers.base import SamplerError
from store.token_scores import LEAST_OTHER, MOST_OTHERS, OTHERS_BELOW, Other

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ids = NDArray[np.int64]

NO_TOKEN: Final = -1
"""As an id, where a place has fewer tokens listed than another; its log-probability is -inf."""


@dataclass(frozen=True, slots=True)
class Top:
    """The K most probable tokens at each of T places, the first first."""

    ids: Ids | None
    """[T, K]; None where the engine names them in a way that ids do not follow from."""
    logp: Floats
    """[T, K]"""


def tops_wanted(response: Response) -> int:
    """How many of the most probable tokens are to be listed: the first one tells whether a token is the first choice."""
    return MOST_OTHERS + 1 if response.detailed else 1


def scored(response: Response, logp: Floats, top: Top | None) -> Scored:
    """logp: [T] nats at temperature 1, none of them nan. top: None where the engine does not tell."""
    others = None
    if response.detailed and top is not None and top.ids is not None and top.ids.shape[1] > MOST_OTHERS:
        others = _others(response.ids, logp, top.ids, top.logp)
    return Scored(
        sample_id=response.sample_id,
        logp=logp[None, :],
        first=None if top is None else logp >= top.logp[:, 0],  # two may be equally probable
        others=others,
    )


def unread(response: Response) -> Scored:
    """The scores of a response without tokens: no engine takes it."""
    none = np.zeros(0)
    return scored(response, none, Top(np.zeros((0, MOST_OTHERS + 1), dtype=np.int64), np.zeros((0, MOST_OTHERS + 1))))


def require_plain(scorer: str, decodings: Sequence[Decoding]) -> None:
    """Raises SamplerError for what cannot be told from log-probabilities at temperature 1."""
    if list(decodings) != [PLAIN]:
        raise SamplerError(f"the scorer {scorer} tells log-probabilities at temperature 1 alone; score with transformers")


def require_room(response: Response, cap: int | None, model: object) -> None:
    """Raises SamplerError where a response cannot be read: it is too long, or its first token follows upon nothing."""
    length = len(response.prompt) + len(response.ids)
    if not response.prompt:
        raise SamplerError(
            f"the prompt of sample {response.sample_id} has no token, and without one its first token has no probability here;"
            " score with transformers"
        )
    if cap is not None and length > cap:
        raise SamplerError(
            f"sample {response.sample_id} has {length:,} tokens with its prompt, more than the {cap:,} positions of {model};"
            " score with a model that reads that far"
        )


def _others(ids: Sequence[int], logp: Floats, top_ids: Ids, top_logp: Floats) -> dict[int, tuple[Other, ...]]:
    places = np.flatnonzero(logp < log(OTHERS_BELOW)).tolist()
    return {place: _apart(ids[place], top_ids[place].tolist(), top_logp[place].tolist()) for place in places}


def _apart(own: int, ids: list[int], logp: list[float]) -> tuple[Other, ...]:
    """The most probable tokens apart from the response's own."""
    others = [Other(*one) for one in zip(ids, logp, strict=True) if one[0] not in (own, NO_TOKEN)][:MOST_OTHERS]
    return tuple(other for rank, other in enumerate(others) if rank == 0 or other.logp >= log(LEAST_OTHER))
