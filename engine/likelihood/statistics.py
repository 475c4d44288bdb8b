"""What logits say of the tokens that followed them: log-probability, entropy, the nucleus, other tokens.

Everything is float64 for float64 logits, else float32. The vocabulary is sorted as a whole only in rows that flat: the
most probable tokens are looked up once and serve every decoding, since a temperature does not change their order.
What is inside and what is tied is decided as `engine.decoding.log_probabilities` decides it, which sampling draws from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch

from engine.decoding import PLAIN, Decoding
from store.token_scores import MOST_OTHERS

_FIRST_LOOK: Final = 64
"""Most nuclei are this small."""
_LOOK_FURTHER: Final = 16
"""Times as many where one is not."""
_NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of T tokens at D decodings."""

    logp: torch.Tensor
    """[D, T] nats; -inf outside top-k and nucleus."""
    entropy: torch.Tensor
    """[D, T] nats, of the decoding's distribution."""
    edge: torch.Tensor
    """[D, T]: mass of strictly more probable tokens, after temperature and top-k, less top_p. nan without a nucleus."""
    plain: torch.Tensor
    """[T] nats at temperature 1, whatever the decodings are."""
    first: torch.Tensor
    """[T] bool: no token is more probable."""
    other_ids: torch.Tensor | None = None
    """[T, up to MOST_OTHERS]: the most probable tokens apart from the one there, first first. None unless they are wanted."""
    other_logp: torch.Tensor | None = None
    """Their nats at temperature 1."""


def statistics(logits: torch.Tensor, targets: torch.Tensor, decodings: Sequence[Decoding], others: bool = False) -> Statistics:
    """logits: [T, vocabulary], any float type. targets: [T], the tokens that followed. One row for each decoding."""
    logits = logits if logits.dtype == torch.float64 else logits.float()
    targets = targets[:, None]
    top = _top(logits, _look(decodings, others))
    plain = torch.log_softmax(logits, dim=-1)
    best = plain.amax(dim=-1) if top is None else plain.gather(-1, top[:, :1])[:, 0]
    own = plain.gather(-1, targets)[:, 0]
    other_ids, other_logp = _others(plain, targets, top) if others and top is not None else (None, None)
    rows: dict[Decoding, _Rows] = {}
    # The plain distribution is at hand, so its temperature comes first and it is given back before the next.
    for temperature in sorted({d.temperature for d in decodings}, key=lambda t: t != PLAIN.temperature):
        if temperature != PLAIN.temperature:
            del plain
            plain = torch.log_softmax(logits / temperature, dim=-1)
        rows |= {d: _at(plain, targets, d, top) for d in decodings if d.temperature == temperature}
    logp, entropy, edge = (torch.stack([rows[d][part] for d in decodings]) for part in range(3))
    return Statistics(logp, entropy, edge, own, own >= best, other_ids, other_logp)


def joined(parts: Sequence[Statistics]) -> Statistics:
    """Of tokens one after another; at least one part."""
    logp, entropy, edge = (
        torch.cat(of, dim=1) for of in ([p.logp for p in parts], [p.entropy for p in parts], [p.edge for p in parts])
    )
    plain, first = torch.cat([p.plain for p in parts]), torch.cat([p.first for p in parts])
    ids = [p.other_ids for p in parts if p.other_ids is not None]
    nats = [p.other_logp for p in parts if p.other_logp is not None]
    return Statistics(logp, entropy, edge, plain, first, torch.cat(ids) if ids else None, torch.cat(nats) if nats else None)


_Rows = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Log-probability, entropy and edge of each token, [T]."""


def _look(decodings: Sequence[Decoding], others: bool) -> int:
    """How many of the most probable tokens are looked up; 0 where nobody asks."""
    cut = [max(_FIRST_LOOK, d.top_k + 1) for d in decodings if d.top_k or d.top_p < 1]
    return max([*cut, MOST_OTHERS + 1 if others else 0])


def _top(logits: torch.Tensor, size: int) -> torch.Tensor | None:
    """Ids of the most probable tokens, [T, size], first first."""
    return logits.topk(min(size, logits.shape[-1]), dim=-1).indices if size else None


def _others(plain: torch.Tensor, targets: torch.Tensor, top: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The most probable tokens apart from the one there: ids and log-probabilities."""
    ids = top[:, : MOST_OTHERS + 1]
    own_last = (ids == targets).to(torch.int8).argsort(dim=-1, stable=True)
    ids = ids.gather(-1, own_last)[:, : min(MOST_OTHERS, plain.shape[-1] - 1)]
    return ids, plain.gather(-1, ids)


def _at(logp: torch.Tensor, targets: torch.Tensor, decoding: Decoding, top: torch.Tensor | None) -> _Rows:
    """logp: [T, vocabulary], at the decoding's temperature."""
    top_k = decoding.top_k if decoding.top_k < logp.shape[-1] else 0
    if top is None or not (top_k or decoding.top_p < 1):
        own = logp.gather(-1, targets)[:, 0]
        # A product of rows and columns: no copy of the vocabulary but exp.
        entropy = -torch.bmm(logp.exp()[:, None], logp[..., None])[:, 0, 0]
        return own, entropy, torch.full_like(own, float("nan"))
    return _cut(logp, targets, top, top_k, decoding.top_p)


def _cut(logp: torch.Tensor, targets: torch.Tensor, top: torch.Tensor, top_k: int, top_p: float) -> _Rows:
    """Under top-k and nucleus. top: the most probable tokens, at least top_k + 1 of them or all; more are looked up in rows
    where these do not hold the nucleus."""
    best, own = logp.gather(-1, top), logp.gather(-1, targets)
    smallest = best[:, -1:]
    if top_k:
        least = best[:, top_k - 1 : top_k]
        best, own = _only(best, own, least)
        # All that are kept are seen, unless as probable ones may follow.
        spilled = smallest >= least
    mass = best.exp().cumsum(dim=-1)
    above = torch.nn.functional.pad(mass, (1, 0)).gather(-1, (best > own).sum(dim=-1, keepdim=True))
    seen = mass[:, -1:]
    if top_p < 1:
        last = (mass < top_p).sum(dim=-1, keepdim=True).clamp(max=best.shape[-1] - 1)
        least = best.gather(-1, last)
        if not top_k:
            spilled = (seen < top_p) | (smallest >= least)
        inner, own_inner = _only(best, own, least)
    else:
        inner, own_inner = best, own
    found = inner.exp() * inner.clamp(min=torch.finfo(inner.dtype).min)
    edge = above - top_p if top_p < 1 else torch.full_like(above, float("nan"))
    rows = (own_inner[:, 0], -found.sum(dim=-1), edge[:, 0])
    if top.shape[-1] == logp.shape[-1]:
        return rows
    if not top_k:
        _weigh_far(rows[2], logp, own, ~spilled & (own < smallest), seen, top_p)
    return _looked_further(rows, logp, targets, spilled[:, 0], top.shape[-1], top_k, top_p)


def _only(best: torch.Tensor, own: torch.Tensor, least: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Those at least as probable as `least`, renormalised, and the tokens' own among them."""
    kept = best.masked_fill(best < least, _NEVER)
    total = kept.logsumexp(dim=-1, keepdim=True)
    return kept - total, own.masked_fill(own < least, _NEVER) - total


def _weigh_far(
    edge: torch.Tensor, logp: torch.Tensor, own: torch.Tensor, far: torch.Tensor, seen: torch.Tensor, top_p: float
) -> None:
    """Put right the edge of tokens less probable than all that were looked up: outside, and by how much takes a sum."""
    (rows,) = far[:, 0].nonzero(as_tuple=True)
    if len(rows):
        some = logp[rows]
        mass = some.exp().masked_fill_(some <= own[rows], 0).sum(dim=-1)
        edge[rows] = torch.maximum(mass, seen[rows, 0]) - top_p


def _looked_further(
    found: _Rows, logp: torch.Tensor, targets: torch.Tensor, spilled: torch.Tensor, size: int, top_k: int, top_p: float
) -> _Rows:
    """The rows whose nucleus does not lie in the first `size` tokens, again with more of them."""
    (rows,) = spilled.nonzero(as_tuple=True)
    if len(rows):
        some = logp[rows]
        top = some.topk(min(size * _LOOK_FURTHER, logp.shape[-1]), dim=-1).indices
        for whole, part in zip(found, _cut(some, targets[rows], top, top_k, top_p), strict=True):
            whole[rows] = part
    return found
