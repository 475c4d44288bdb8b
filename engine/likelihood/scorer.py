"""The log-probability of each response token under a model, with transformers and torch.

Token ids as they were generated, the response's tokens only, its stop token among them. Each decoding's log-probabilities are
those of `engine.decoding.log_probabilities`, which sampling draws from. Rows of one forward pass are of like length and padded
on the right, where no token looks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from engine.configuration import vocabulary_digest
from engine.decoding import Decoding, log_probabilities
from engine.models import find_device, load_model
from engine.samplers.base import SamplerError

TOKENS_AT_ONCE: Final = 16_384
"""Positions of one forward pass, padding among them; a longer response has one to itself."""
LOGITS_AT_ONCE: Final = 1 << 25
"""Positions times vocabulary whose logits are held at once: 128 MiB a copy in float32."""
SORTED_AT_ONCE: Final = 2_048
"""Responses put in order of length at a time."""


@dataclass(frozen=True, slots=True)
class Response:
    """A prompt and what followed it, as token ids."""

    sample_id: int
    prompt: Sequence[int]
    ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Scored:
    """logp[d][t]: nats of response token t at decoding d, float64; -inf where that decoding can never draw it."""

    sample_id: int
    logp: torch.Tensor


class Scorer:
    """One model that scores. Raises SamplerError where it cannot be loaded."""

    def __init__(self, folder: Path, dtype: str | None = None, device: str | None = None, adapter: Path | None = None) -> None:
        """adapter: a LoRA adapter's folder."""
        self._device = find_device(device)
        self._tokenizer, self._model = load_model(folder, dtype, self._device, attention="sdpa", adapter=adapter)
        self._head: Any = self._model.get_output_embeddings()
        self._rows = max(1, LOGITS_AT_ONCE // self._model.config.vocab_size)
        self._require_plain_head(folder)
        self.context_cap = int(self._model.config.max_position_embeddings)
        self.dtype = str(self._model.dtype).removeprefix("torch.")
        self.vocabulary = vocabulary_digest(self._tokenizer)

    @torch.inference_mode()
    def _require_plain_head(self, folder: Path) -> None:
        """Some models scale or cap their logits after the head, which we apply by itself to save memory."""
        ids = torch.arange(8, device=self._device)[None] % self._model.config.vocab_size
        whole = self._model(input_ids=ids).logits.float()
        if not torch.allclose(self._head(self._hidden(ids)).float(), whole, rtol=1e-3, atol=1e-3):
            raise SamplerError(f"{folder} changes its logits after the output head, which scoring here does not do")

    def score(self, responses: Iterable[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        """Each response's log-probabilities, in any order. decodings: one row of `logp` each."""
        waiting: list[Response] = []
        for response in responses:
            waiting.append(response)
            if len(waiting) == SORTED_AT_ONCE:
                yield from self._sorted(waiting, decodings)
                waiting = []
        yield from self._sorted(waiting, decodings)

    def _sorted(self, responses: list[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        batch: list[Response] = []
        for response in sorted(responses, key=lambda r: len(r.prompt) + len(r.ids)):
            longest = len(response.prompt) + len(response.ids)
            if batch and longest * (len(batch) + 1) > TOKENS_AT_ONCE:
                yield from self._forward(batch, decodings)
                batch = []
            batch.append(response)
        if batch:
            yield from self._forward(batch, decodings)

    @torch.inference_mode()
    def _forward(self, batch: list[Response], decodings: Sequence[Decoding]) -> list[Scored]:
        longest = max(len(r.prompt) + len(r.ids) for r in batch)
        ids = torch.zeros(len(batch), longest, dtype=torch.int64)
        wanted = torch.zeros(len(batch), longest, dtype=torch.bool)
        for row, response in enumerate(batch):
            ids[row, : len(response.prompt) + len(response.ids)] = torch.tensor([*response.prompt, *response.ids])
            wanted[row, len(response.prompt) : len(response.prompt) + len(response.ids)] = True
        ids, wanted = ids.to(self._device), wanted.to(self._device)
        hidden = self._hidden(ids[:, :-1])[wanted[:, 1:]]
        targets = ids[:, 1:][wanted[:, 1:]]
        logp = torch.cat(
            [
                self._log_probabilities(hidden[i : i + self._rows], targets[i : i + self._rows], decodings)
                for i in range(0, len(targets), self._rows)
            ],
            dim=1,
        ).cpu()
        parts = logp.split([len(r.ids) for r in batch], dim=1)
        return [Scored(response.sample_id, part) for response, part in zip(batch, parts, strict=True)]

    def _hidden(self, ids: torch.Tensor) -> torch.Tensor:
        """The last layer's output, [rows, length, width]."""
        body: Any = self._model.base_model
        hidden: torch.Tensor = body(input_ids=ids, use_cache=False).last_hidden_state
        return hidden

    def _log_probabilities(self, hidden: torch.Tensor, targets: torch.Tensor, decodings: Sequence[Decoding]) -> torch.Tensor:
        """[decodings, tokens], float64."""
        logits = self._head(hidden)
        rows = [log_probabilities(logits, decoding).gather(-1, targets[:, None]).squeeze(-1) for decoding in decodings]
        return torch.stack(rows).to(torch.float64)
