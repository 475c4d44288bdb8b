"""Sampling with transformers and torch, on a CPU or a GPU: for small models, and where vLLM is not to be had.

- Sequences are decoded together, each at its own position in a cache laid out once. One that ends makes room for the next
  request at that very step, so a batch never waits for its longest member; a prompt that many requests share is read once.
- Each next token is drawn by one uniform number, a hash of the request's seed and the step. The plan and the seeds are the same
  always. Bit by bit the same draws, whatever the batch and wherever a killed job went on, are promised in float64 on one
  machine: there, logits differ between batches by some 1e-15, too little to move a draw in 10^12 tokens. In float32 about one
  token in a million flips; in bfloat16 many more.
- A response's log-probability is summed as it is drawn, under the decoding it is drawn from.
- Where a GPU's memory does not suffice, half as many sequences are decoded together, the unfinished ones again from their
  prompts: their seeds are the same, and so are their draws.
- Models with sliding windows, linear attention, attention sinks or capped scores are refused, not approximated.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Self

import torch
import transformers
from transformers import DynamicCache

from engine.configuration import stop_ids, vocabulary_digest
from engine.decoding import Decoding, draw, log_probabilities, uniforms
from engine.models import find_device, load_model
from engine.prompts import Template, chat_template_digest, render
from engine.samplers.base import Drawn, Facts, Manner, Opening, Request, SamplerError
from engine.samplers.slots import ATTENTION, ReadPrompt, Slots
from engine.samplers.stopping import StopStrings
from store.types import Finish, Prompt

CACHE_SHARE: Final = 0.5
"""Of the memory that is free, for keys and values."""
MOST_SLOTS: Final = 256
PROMPTS_KEPT: Final = 128

_MEMORY: Final = Path("/proc/meminfo")
_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class _Row:
    """A response being written."""

    request: Request
    ids: list[int]
    limit: int
    logp: float = 0.0


class TransformersSampler:
    """See the module's first lines. Raises SamplerError where the model cannot be loaded or is of a kind that is refused."""

    def __init__(self, opening: Opening) -> None:
        if opening.gpus != 1:
            raise SamplerError(
                f"the sampler transformers uses one GPU, not {opening.gpus}; take vllm, or leave tensor_parallel out"
            )
        self._opening = opening
        self._device = find_device(opening.device)
        self._tokenizer, self.model = load_model(opening.model, opening.dtype, self._device, ATTENTION, opening.adapter)
        """A trainer may change its weights between calls of `sample`; `forget_prompts` after that."""
        self._prompts: OrderedDict[tuple[int, ...], ReadPrompt] = OrderedDict()
        self._prompts_kept = PROMPTS_KEPT
        self._stop_ids = stop_ids(self.model.config, self.model.generation_config, self._tokenizer)
        positions = int(self.model.config.max_position_embeddings)
        self._cap = positions if opening.context_cap is None else min(positions, opening.context_cap)
        self.facts = Facts(
            sampler="transformers",
            version=f"transformers {transformers.__version__}, torch {torch.__version__}",
            device=torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else self._device.type,
            dtype=str(self.model.dtype).removeprefix("torch."),
            context_cap=self._cap,
            stop_ids=self._stop_ids,
            vocabulary=vocabulary_digest(self._tokenizer),
            chat_template=chat_template_digest(self._tokenizer),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.forget_prompts()

    def forget_prompts(self) -> None:
        """Drop what was read of prompts."""
        self._prompts.clear()

    def prompt(self, template: Template, statement: str) -> Prompt:
        """As the protocol says."""
        return render(self._tokenizer, template, statement)

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        """As the protocol says."""
        waiting = iter(requests)
        first = next(waiting, None)
        if first is None:
            return
        yield from _Decoder(self, manner, first, waiting, longest_prompt).run()

    def text(self, ids: Sequence[int]) -> str:
        """Of token ids, special ones and all."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    # -- for the decoder -----------------------------------------------------------------------------------------------

    def slots(self, like: ReadPrompt, longest_prompt: int, max_tokens: int) -> tuple[Slots, int]:
        """Not laid out yet; and how many: as memory allows, or as was asked for."""
        cap = min(self._cap, max(longest_prompt, like.length) + max_tokens)
        affordable = int(_free_memory(self._device) * CACHE_SHARE / (cap * like.bytes_a_token))
        return Slots(like, cap), max(1, self._opening.batch or min(MOST_SLOTS, affordable))

    def give_back(self) -> bool:
        """Memory, as much as can be had: it did not suffice. Whether fewer prompts than before will be kept."""
        before, self._prompts_kept = self._prompts_kept, max(1, self._prompts_kept // 2)
        self.forget_prompts()
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        return self._prompts_kept < before

    def no_room(self) -> SamplerError:
        """What is said where not even one sequence fits."""
        return SamplerError(
            f"the memory of {self.facts.device} does not suffice for a single response of {self._opening.model}; give a smaller"
            " context cap or fewer max tokens, another dtype, or lay the model over more GPUs (sampler vllm)"
        )

    def limit(self, request: Request, max_tokens: int) -> int:
        """How many tokens the response may have. Raises SamplerError where there is room for none."""
        room = min(max_tokens, self._cap - len(request.prompt))
        if room < 1:
            raise SamplerError(
                f"a prompt of {len(request.prompt)} tokens leaves no room for a response within the {self._cap} positions"
                f" of {self._opening.model}; shorten it"
            )
        return room

    @torch.inference_mode()
    def read(self, ids: tuple[int, ...]) -> ReadPrompt:
        """The prompt's keys, values and first logits; kept for the next request that has it."""
        if ids in self._prompts:
            self._prompts.move_to_end(ids)
            return self._prompts[ids]
        cache = DynamicCache(config=self.model.config)
        tokens = torch.tensor([ids], device=self._device)
        above = torch.full((len(ids), len(ids)), float("-inf"), dtype=self.model.dtype, device=self._device).triu(1)
        logits = self.model(
            input_ids=tokens, attention_mask=above[None, None], past_key_values=cache, use_cache=True, logits_to_keep=1
        ).logits[0, -1]
        layers: list[Any] = cache.layers
        keys, values = [layer.keys[0] for layer in layers], [layer.values[0] for layer in layers]
        self._prompts[ids] = ReadPrompt(keys, values, logits, len(ids))
        if len(self._prompts) > self._prompts_kept:
            self._prompts.popitem(last=False)
        return self._prompts[ids]

    @torch.inference_mode()
    def forward(self, tokens: torch.Tensor, positions: torch.Tensor, slots: Slots) -> torch.Tensor:
        """Logits [rows, vocabulary] after each row's newest token, written at its position."""
        slots.advance(positions)
        seen = torch.arange(slots.seen, device=self._device)
        mask = torch.zeros(len(tokens), slots.seen, dtype=self.model.dtype, device=self._device)
        mask.masked_fill_(seen[None] > positions[:, None], float("-inf"))
        out = self.model(
            input_ids=tokens[:, None],
            position_ids=positions[:, None],
            attention_mask=mask[:, None, None],
            past_key_values=slots,
            use_cache=True,
        )
        logits: torch.Tensor = out.logits[:, -1]
        return logits

    def finished(self, row: _Row, stop: StopStrings) -> Drawn | None:
        """The draw, where its newest token ends it: a stop token, the end of a stop string, or the last that it may have."""
        newest = row.ids[-1]
        if newest in self._stop_ids:
            reason = str(self._tokenizer.convert_ids_to_tokens(newest))
            return Drawn(row.request, tuple(row.ids), self.text(row.ids[:-1]), Finish.STOP, reason, row.logp)
        if ended := stop.ended(row.ids):
            text, reason = ended
            return Drawn(row.request, tuple(row.ids), text, Finish.STOP, reason, row.logp)
        if len(row.ids) < row.limit:
            return None
        return Drawn(row.request, tuple(row.ids), self.text(row.ids), Finish.LENGTH, None, row.logp)


class _Decoder:
    """One call of `sample`: rows[i] is written in slot i; positions, seeds and steps are theirs, in order."""

    def __init__(
        self,
        sampler: TransformersSampler,
        manner: Manner,
        first: Request,
        waiting: Iterator[Request],
        longest_prompt: int,
    ) -> None:
        self._sampler = sampler
        self._manner = manner
        self._stop = StopStrings(manner.stop, sampler.text)
        self._waiting = chain([first], waiting)
        self._rows: list[_Row] = []
        try:
            like = sampler.read(tuple(first.prompt))
        except torch.OutOfMemoryError:
            raise sampler.no_room() from None
        self._device = like.logits.device
        self._slots, size = sampler.slots(like, longest_prompt, manner.max_tokens)
        self._lay_out(size)

    def run(self) -> Iterator[Drawn]:
        while True:
            new = self._take()
            if not self._rows:
                return
            try:
                drawn = self._begin(new) if new else self._go_on()
            except torch.OutOfMemoryError:
                drawn = None  # let the error go before anything else: it holds the tensors of what failed
            if drawn is None:
                self._start_over()
            else:
                yield from drawn

    def _take(self) -> range:
        """Give free rows to waiting requests. Which rows those are."""
        began = len(self._rows)
        for request in islice(self._waiting, self._size - began):
            self._rows.append(_Row(request, [], self._sampler.limit(request, self._manner.max_tokens)))
        return range(began, len(self._rows))

    def _begin(self, new: range) -> list[Drawn]:
        """Put prompts in the slots of these rows, and draw their first tokens."""
        logits = torch.stack([self._put(row).logits for row in new])
        return self._advance(new, logits)

    def _put(self, row: int) -> ReadPrompt:
        request, limit = self._rows[row].request, self._rows[row].limit
        prompt = self._sampler.read(tuple(request.prompt))
        self._slots.reach(prompt.length + limit)
        self._slots.put(row, prompt)
        self._positions[row] = prompt.length
        self._seeds[row] = request.seed
        self._steps[row] = 0
        return prompt

    def _go_on(self) -> list[Drawn]:
        """A token more for every row."""
        used = len(self._rows)
        logits = self._sampler.forward(self._tokens[:used], self._positions[:used], self._slots)
        self._positions[:used] += 1
        return self._advance(range(used), logits)

    def _advance(self, rows: range, logits: torch.Tensor) -> list[Drawn]:
        """Draw the next token of each of these rows. Those that end leave, the last ones taking their slots."""
        span = slice(rows.start, rows.stop)
        tokens, logp = _next_tokens(logits, self._manner.decoding, self._seeds[span], self._steps[span])
        self._tokens[span] = tokens
        self._steps[span] += 1
        drawn, left = [], []
        for row, token, nats in zip(rows, tokens.tolist(), logp.tolist(), strict=True):
            self._rows[row].ids.append(token)
            self._rows[row].logp += nats
            ended = self._sampler.finished(self._rows[row], self._stop)
            if ended is not None:
                drawn.append(ended)
                left.append(row)
        for row in reversed(left):
            self._leave(row)
        return drawn

    def _leave(self, row: int) -> None:
        last = len(self._rows) - 1
        if row != last:
            self._rows[row] = self._rows[last]
            self._slots.move(last, row)
            for state in (self._tokens, self._positions, self._seeds, self._steps):
                state[row] = state[last]
        self._rows.pop()

    def _start_over(self) -> None:
        """With half the slots, what was being written from its prompts. Raises SamplerError where nothing is left to halve."""
        self._waiting = chain([row.request for row in self._rows], self._waiting)
        self._rows.clear()
        if not self._sampler.give_back() and self._size == 1:
            raise self._sampler.no_room()
        self._lay_out(max(1, self._size // 2))
        _log.info("out of memory: %d sequences are decoded together from here on", self._size)

    def _lay_out(self, size: int) -> None:
        """Make room for so many sequences, or for as many of them as memory allows."""
        while not self._has_room(size):
            if size == 1:
                raise self._sampler.no_room()
            size //= 2
        self._size = size
        self._tokens, self._positions, self._seeds, self._steps = (
            torch.zeros(size, dtype=torch.int64, device=self._device) for _ in range(4)
        )

    def _has_room(self, size: int) -> bool:
        try:
            self._slots.lay_out(size)
        except torch.OutOfMemoryError:
            return False
        return True


@torch.inference_mode()
def _next_tokens(
    logits: torch.Tensor, decoding: Decoding, seeds: torch.Tensor, steps: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """A token for each row, and its log-probability where it was drawn from, float64."""
    logp = log_probabilities(logits, decoding)
    tokens = draw(logp, uniforms(seeds, steps))
    return tokens, logp.gather(-1, tokens[:, None])[:, 0].double()


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if not _MEMORY.exists():
        return 4 << 30
    fields = dict(line.split(":") for line in _MEMORY.read_text(encoding="ascii").splitlines())
    return int(fields["MemAvailable"].split()[0]) * 1024
