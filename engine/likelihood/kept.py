"""From what a scorer says of a response to what the study keeps of it: sums in float64, and the tokens one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum, inf, isnan
from typing import TYPE_CHECKING, Any

from engine.decoding import Decoding
from engine.likelihood.base import Scored
from engine.likelihood.spelling import spans
from store.token_scores import TokenScores
from store.types import Likelihood

if TYPE_CHECKING:
    from engine.likelihood.base import Floats


def sums_of(scored: Scored, decodings: Sequence[Decoding], *, stopped: bool, retokenized: bool = False) -> Iterator[Likelihood]:
    """One for each decoding. stopped: the last token is the stop token."""
    for row, decoding in enumerate(decodings):
        logp: list[float] = scored.logp[row].tolist()
        drawable = [(nats, place) for place, nats in enumerate(logp) if nats > -inf]
        lowest, lowest_at = min(drawable, default=(None, None))
        outside = len(logp) - len(drawable)
        yield Likelihood(
            sample_id=scored.sample_id,
            temperature=decoding.temperature,
            top_p=decoding.top_p,
            top_k=decoding.top_k,
            tokens=len(logp),
            logp=None if outside else fsum(logp),
            outside=outside,
            stop_logp=logp[-1] if stopped and logp and logp[-1] > -inf else None,
            entropy=None if scored.entropy is None else fsum(scored.entropy[row].tolist()),
            lowest=lowest,
            lowest_at=lowest_at,
            first_choices=None if scored.first is None else int(scored.first.sum()),
            edge=None if scored.edge is None else max(_known(scored.edge[row]), default=None),
            retokenized=retokenized,
        )


def token_scores_of(scored: Scored, ids: Sequence[int], text: str, tokenizer: Any) -> TokenScores:
    """Row 0 is of temperature 1; the next, where there is one, of the run's decoding.

    text: what the study has of the response; tokenizer: under which the ids mean something.
    """
    has_own = len(scored.logp) > 1
    edges = scored.edge[-1] if has_own and scored.edge is not None else None
    return TokenScores(
        logp=scored.logp[0].tolist(),
        entropy=None if scored.entropy is None else scored.entropy[0].tolist(),
        decoded=scored.logp[1].tolist() if has_own else None,
        edge=None if edges is None or len(_known(edges)) < len(edges) else edges.tolist(),
        spans=spans(tokenizer, ids, text),
        others=scored.others,
    )


def nothing(sample_id: int, decodings: int) -> Scored:
    """Of a response without a token."""
    import numpy as np

    none = np.zeros((decodings, 0))
    return Scored(sample_id, none, none, none, np.zeros(0, dtype=bool), {})


def _known(edges: Floats) -> list[float]:
    """Without those of a decoding that has no nucleus."""
    return [edge for edge in edges.tolist() if not isnan(edge)]
