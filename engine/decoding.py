"""The decoding distribution: what a model's next-token logits become under temperature, top-k and top-p.

Sampling draws from it and scoring sums its logarithms; both call `log_probabilities`, so that they mean the same thing.
torch is imported by the functions that need it: naming a Decoding costs nothing.

Order: temperature, then top-k, then top-p over what is left, as transformers and vLLM have it. The nucleus is the smallest
set of most probable tokens whose mass reaches top_p (Holtzman et al. 2020, arXiv 1904.09751); tokens exactly as probable as
the last one of it are in, so that the set does not depend on the order in which a sort leaves ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

_FIRST_LOOK: Final = 64
"""Most nuclei are this small: a full sort of the vocabulary is made only where one is not."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the next token is drawn. The default is the model's own distribution, at which perplexity is measured."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    """0: no limit."""

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature {self.temperature} is not above 0: greedy decoding has no distribution to sample")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top-p {self.top_p} is not in (0, 1]")
        if self.top_k < 0:
            raise ValueError(f"top-k {self.top_k} is negative; 0 means no limit")


PLAIN: Final = Decoding()


def log_probabilities(logits: torch.Tensor, decoding: Decoding) -> torch.Tensor:
    """Natural log-probabilities of the decoding distribution, -inf outside top-k and nucleus.

    logits: [..., vocabulary], any float type; the result has the same shape, float64 for float64 logits, else float32.
    """
    import torch

    logits = logits if logits.dtype == torch.float64 else logits.float()
    logp = torch.log_softmax(logits / decoding.temperature, dim=-1)
    if 0 < decoding.top_k < logp.shape[-1]:
        least = logp.topk(decoding.top_k, dim=-1).values[..., -1:]
        logp = _only(logp, least)
    if decoding.top_p < 1:
        logp = _only(logp, _least_in_nucleus(logp, decoding.top_p))
    return logp


def _least_in_nucleus(logp: torch.Tensor, top_p: float) -> torch.Tensor:
    """The smallest log-probability inside the nucleus, [..., 1]."""
    vocabulary = logp.shape[-1]
    size = min(vocabulary, _FIRST_LOOK)
    while True:
        top = logp.topk(size, dim=-1).values
        mass = top.exp().cumsum(dim=-1)
        if size == vocabulary or bool((mass[..., -1] >= top_p).all()):
            break
        size = min(vocabulary, size * 16)
    last = (mass < top_p).sum(dim=-1, keepdim=True).clamp(max=size - 1)
    return top.gather(-1, last)


def _only(logp: torch.Tensor, least: torch.Tensor) -> torch.Tensor:
    """Those at least as probable as `least`, renormalised."""
    kept = logp.masked_fill(logp < least, float("-inf"))
    return kept - kept.logsumexp(dim=-1, keepdim=True)


_WEYL: Final = -7046029254386353131  # 0x9E3779B97F4A7C15 as a signed 64-bit number
_MIX: Final = (-4658895280553007687, -7723592293110705685)  # 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def uniforms(seeds: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """One uniform number in [0, 1) for each (seed, step): the step-th output of SplitMix64 started at the seed.

    seeds, steps: int64 of one shape; the result is float64. A counter, not a state: any step of any sequence can be drawn
    alone, on any device, in any order. (Steele, Lea and Flood 2014; constants of Vigna's public-domain splitmix64.c.)
    """
    import torch

    x = seeds + (steps + 1) * _WEYL
    x = (x ^ _shifted(x, 30)) * _MIX[0]
    x = (x ^ _shifted(x, 27)) * _MIX[1]
    x = x ^ _shifted(x, 31)
    return _shifted(x, 11).to(torch.float64) * 2.0**-53


def _shifted(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Right shift as if unsigned: torch's own carries the sign along."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def draw(logp: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The token whose share of the cumulative distribution holds `uniform`: [..., vocabulary] and [...] -> [...] of int64."""
    import torch

    cumulative = logp.to(torch.float64).exp().cumsum(dim=-1)
    total = cumulative[..., -1]
    # Never the total itself, which rounding could reach: beyond the last probable token lies nothing.
    wanted = torch.minimum(uniform * total, torch.nextafter(total, torch.zeros_like(total)))
    return torch.searchsorted(cumulative, wanted.unsqueeze(-1), right=True).squeeze(-1)
