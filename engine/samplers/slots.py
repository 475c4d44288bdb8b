"""What the sampler over transformers decodes in: a cache of keys and values laid out once, and attention over it.

transformers asks an attention function by name, and a cache for an `update` by layer; these are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch
from transformers import AttentionInterface

from engine.models import REFUSED
from engine.samplers.base import SamplerError

ATTENTION: Final = "basebound_slots"
_ROUND_UP: Final = 32
"""Positions attended to are rounded up to this, so that the shapes of a step change rarely."""


def attention(
    _module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor,
    scaling: float,
    **others: Any,
) -> tuple[torch.Tensor, None]:
    """Grouped-query attention by two plain products, keys never repeated for the query heads that share them.

    query [rows, heads, new, d]; key, value [rows, kv heads, seen, d]; attention_mask additive [rows, 1, new, seen].
    """
    if others.get("softcap") is not None or others.get("s_aux") is not None or others.get("position_bias") is not None:
        raise SamplerError(f"this model caps or biases its attention scores, {REFUSED}")
    rows, heads, new, width = query.shape
    kv_heads, seen = key.shape[1], key.shape[2]
    grouped = query.reshape(rows, kv_heads, heads // kv_heads, new, width)
    scores = (grouped.flatten(2, 3) @ key.transpose(2, 3)).view(rows, kv_heads, -1, new, seen) * scaling
    weights = torch.softmax(scores + attention_mask.unsqueeze(1), dim=-1)
    mixed = (weights.flatten(2, 3) @ value).view(rows, heads, new, width)
    return mixed.transpose(1, 2), None


AttentionInterface.register(ATTENTION, attention)


@dataclass(slots=True)
class ReadPrompt:
    """A prompt that has been read: what every response to it starts from."""

    keys: list[torch.Tensor]
    """By layer, [kv heads, length, d]."""
    values: list[torch.Tensor]
    logits: torch.Tensor
    """[vocabulary], of the first response token."""
    length: int

    @property
    def bytes_a_token(self) -> int:
        """That keys and values take."""
        return sum(part.shape[0] * part.shape[2] * part.element_size() for part in (*self.keys, *self.values))


class Slots:
    """Keys and values of the sequences being decoded: [slots, kv heads, cap, d] by layer. The first `rows` slots are in use.

    It is what transformers calls a cache: the model's layers hand their new keys and values to `update`.
    """

    def __init__(self, like: ReadPrompt, cap: int) -> None:
        """Of sequences of up to `cap` tokens, by the shapes of a prompt's; `lay_out` makes room for them."""
        self._shapes = [(part.shape[0], part.shape[2]) for part in like.keys]
        self._options: dict[str, Any] = {"dtype": like.keys[0].dtype, "device": like.keys[0].device}
        self.keys: list[torch.Tensor] = []
        self.values: list[torch.Tensor] = []
        self.cap = cap
        self.rows = 0
        self.seen = 0
        self._places: tuple[torch.Tensor, torch.Tensor] | None = None

    def lay_out(self, slots: int) -> None:
        """Room for so many sequences; what was there is forgotten. Raises torch.OutOfMemoryError."""
        self.keys, self.values = [], []  # first give back, then take
        self.keys = [torch.zeros(slots, heads, self.cap, width, **self._options) for heads, width in self._shapes]
        self.values = [torch.zeros_like(part) for part in self.keys]

    def reach(self, cap: int) -> None:
        """Make room for sequences of that many tokens."""
        if cap > self.cap:
            more = -(-cap // _ROUND_UP) * _ROUND_UP - self.cap
            for parts in (self.keys, self.values):
                parts[:] = [torch.nn.functional.pad(part, (0, 0, 0, more)) for part in parts]
            self.cap += more

    def put(self, row: int, prompt: ReadPrompt) -> None:
        for keys, values, new_keys, new_values in zip(self.keys, self.values, prompt.keys, prompt.values, strict=True):
            keys[row, :, : prompt.length] = new_keys
            values[row, :, : prompt.length] = new_values

    def move(self, source: int, target: int) -> None:
        for part in (*self.keys, *self.values):
            part[target] = part[source]

    def advance(self, positions: torch.Tensor) -> None:
        """The next `update` of each layer writes each row's new token at its position."""
        self.rows = len(positions)
        longest = int(positions.max()) + 1
        self.seen = min(self.cap, -(-longest // _ROUND_UP) * _ROUND_UP)
        self._places = (torch.arange(self.rows, device=positions.device), positions)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if self._places is None:
            raise RuntimeError("update before advance")
        rows, positions = self._places
        keys, values = self.keys[layer_idx], self.values[layer_idx]
        keys[rows, :, positions] = key_states[:, :, 0]
        values[rows, :, positions] = value_states[:, :, 0]
        return keys[: self.rows, :, : self.seen], values[: self.rows, :, : self.seen]

    def get_seq_length(self, _layer_idx: int = 0) -> int:
        return self.seen
