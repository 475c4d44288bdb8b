"""Many sequences in one forward pass, end to end, with no padding and no mask: attention goes through each one by itself.

A prompt that many responses answer stands there once: every layer goes through it once, and only attention, which is little of
the work, is made for each sequence as a whole.

transformers asks an attention function by name; ours is handed the pack's layout with the call and refuses to run without it,
so that a model which does not pass it on is refused too, rather than letting sequences see one another. It is unknown to
transformers' masks, which are therefore not built.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AttentionInterface

from engine.likelihood.base import Response
from engine.models import REFUSED
from engine.samplers.base import SamplerError

ATTENTION: Final = "basebound_packed"

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Run:
    """Sequences of one length that follow one another; they share a call."""

    start: int
    count: int
    length: int


@dataclass(frozen=True, slots=True)
class Pack:
    """Prompts and responses end to end, a prompt that several responses have but once. The last token of each response is left
    out: nothing is asked after it."""

    ids: torch.Tensor
    """[1, tokens]."""
    positions: torch.Tensor
    """[1, tokens], each counted from the start of its sequence."""
    rows: torch.Tensor
    """[response tokens]: where each is predicted, one before it stands."""
    targets: torch.Tensor
    """[response tokens]: their ids."""
    runs: tuple[Run, ...]
    """How attention goes through the sequences, each whole: places of its own count, below."""
    places: torch.Tensor | None
    """[sum of lengths]: the token that stands there; None where that is each token in turn."""
    kept: torch.Tensor | None
    """[tokens]: where it stands; of a prompt that is shared, in one of its sequences."""


def length(response: Response) -> int:
    """Positions it takes by itself."""
    return len(response.prompt) + len(response.ids) - 1


def ordered(responses: Iterable[Response]) -> list[Response]:
    """Those of one prompt together, and the longest first: where memory does not suffice, that shows at once."""
    by_prompt: dict[tuple[int, ...], list[Response]] = {}
    for response in sorted(responses, key=length, reverse=True):
        by_prompt.setdefault(tuple(response.prompt), []).append(response)
    return list(chain.from_iterable(by_prompt.values()))


def how_many(waiting: Sequence[Response], tokens: int, most: int) -> int:
    """Of the first ones, how many go into a pack of so many tokens: at least one, at most `most`."""
    total = 0
    for count, response in enumerate(waiting[:most]):
        total += length(response)
        if count and total > tokens:
            return count
    return min(len(waiting), most)


def lay(responses: Sequence[Response], device: torch.device) -> Pack:
    """Each with a prompt and a response; at least one."""
    ids: list[int] = []
    positions, rows, places = [], [], []
    starts: dict[tuple[int, ...], int] = {}
    for response in responses:
        prompt, size = tuple(response.prompt), len(response.prompt)
        if prompt not in starts:
            starts[prompt] = len(ids)
            ids += prompt
            positions.append(np.arange(size))
        start, own = starts[prompt], len(ids)
        ids += response.ids[:-1]
        positions.append(np.arange(size, size + len(ids) - own))
        places.append(np.concatenate((np.arange(start, start + size), np.arange(own, len(ids)))))
        rows.append(places[-1][size - 1 :])
    places.sort(key=len, reverse=True)
    return _pack(ids, positions, rows, [token for response in responses for token in response.ids], places, device)


def _pack(
    ids: list[int], positions: list[Ints], rows: list[Ints], targets: list[int], places: list[Ints], device: torch.device
) -> Pack:
    whole = np.concatenate(places)
    in_turn = len(whole) == len(ids) and bool((whole[1:] > whole[:-1]).all())
    kept = np.empty(len(ids), dtype=np.int64)
    kept[whole] = np.arange(len(whole))
    return Pack(
        ids=torch.tensor([ids], device=device),
        positions=torch.from_numpy(np.concatenate(positions))[None].to(device),
        rows=torch.from_numpy(np.concatenate(rows)).to(device),
        targets=torch.tensor(targets, device=device),
        runs=_runs([len(part) for part in places]),
        places=None if in_turn else torch.from_numpy(whole).to(device),
        kept=None if in_turn else torch.from_numpy(kept).to(device),
    )


def _runs(lengths: list[int]) -> tuple[Run, ...]:
    runs, start = [], 0
    for each, same in groupby(lengths):
        count = len(list(same))
        runs.append(Run(start, count, each))
        start += count * each
    return tuple(runs)


def attention(
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    pack: Pack | None = None,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence of the pack. query [1, heads, tokens, d]; key, value [1, kv heads, tokens, d]."""
    if others.get("softcap") is not None or others.get("s_aux") is not None or others.get("position_bias") is not None:
        raise SamplerError(f"this model caps or biases its attention scores, {REFUSED}")
    if pack is None:
        raise SamplerError(f"this model does not tell its attention how sequences are packed, {REFUSED}")
    if pack.places is not None:
        query, key, value = (part.index_select(2, pack.places) for part in (query, key, value))
    mixed = query.new_empty(1, query.shape[2], query.shape[1], value.shape[-1])
    for run in pack.runs:
        out = mixed[0, run.start : run.start + run.count * run.length].unflatten(0, (run.count, run.length))
        out.copy_(_causal(_slice(query, run), _slice(key, run), _slice(value, run), scaling).transpose(1, 2))
    return mixed if pack.kept is None else mixed.index_select(1, pack.kept), None


def _slice(part: torch.Tensor, run: Run) -> torch.Tensor:
    """[1, heads, tokens, d] -> [count, heads, length, d], a view."""
    stretch = part[0, :, run.start : run.start + run.count * run.length]
    return stretch.view(len(stretch), run.count, run.length, -1).transpose(0, 1)


def _causal(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float | None) -> torch.Tensor:
    shared = query.shape[1] // key.shape[1]
    if shared > 1 and query.device.type != "cpu" and query.element_size() > 2:
        # Of a GPU's kernels that need no square of the length, those for float32 know no shared keys.
        key, value, shared = key.repeat_interleave(shared, dim=1), value.repeat_interleave(shared, dim=1), 1
    mixed: torch.Tensor = torch.nn.functional.scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=scaling, enable_gqa=shared > 1
    )
    return mixed


AttentionInterface.register(ATTENTION, attention)
