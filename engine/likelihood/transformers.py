"""Scoring with transformers and torch, on a CPU or a GPU: every decoding, entropies, the nucleus, other tokens.

- Responses of many problems go through the model in one pass, end to end without padding; each attends to itself alone.
- The output head is applied to the response's places alone, and in float32 even for a model of 16 bits; statistics are float32,
  of a float64 model float64.
- Where memory does not suffice, half as much goes through at once; a response that does not fit by itself is a SamplerError.
- On opening, a few short texts go through packed and as transformers does it. A model for which the two differ (one that
  changes its logits after the head, or mixes its tokens by anything but attention) is refused, not approximated.
- A response has the same scores whatever stands beside it, up to rounding. Against float64 the bundled base model's are off
  by at most 4e-5 nats a token in float32, on average 5e-7; in bfloat16 by at most 0.7, on average 2e-3, and a response's mean
  by 7e-3 (300 responses).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import log
from typing import Any, Final, Self, TypeVar

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from engine.configuration import stop_ids, vocabulary_digest
from engine.decoding import Decoding
from engine.likelihood.base import Response, Scored, ScorerFacts
from engine.likelihood.head import Head
from engine.likelihood.packed import ATTENTION, Pack, how_many, lay, length, ordered
from engine.likelihood.statistics import Statistics, joined, statistics
from engine.models import REFUSED, find_device, load_model
from engine.prompts import chat_template_digest
from engine.samplers.base import Opening, SamplerError
from store.token_scores import LEAST_OTHER, OTHERS_BELOW, Other

TOKENS_AT_ONCE: Final = {"cpu": 4_096, "cuda": 32_768}
"""Positions of one forward pass; a longer response has one to itself."""
LOGITS_AT_ONCE: Final = {"cpu": 1 << 22, "cuda": 1 << 28}
"""Places times vocabulary whose logits are held at once, in some four copies: 64 MiB on a CPU, where small ones stay in its
caches, 4 GiB on a GPU."""
SORTED_AT_ONCE: Final = 2_048
"""Responses put in order at a time."""

_NO_MEMORY: Final = ("not enough memory", "can't allocate memory")
"""What torch says on a CPU, where it has no exception of its own for it."""
_PROBE: Final = (7, 3, 3, 12)
"""Lengths of the texts that go through on opening."""
_DIFFERENCE: Final = {torch.float64: 1e-6, torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 0.1}
"""Of packed and plain logits at a place, root mean square, against the plain ones' spread, that rounding explains."""
Made = TypeVar("Made")

_log: Final = logging.getLogger(__name__)


class TransformersScorer:
    """See the module's first lines. Raises SamplerError where the model cannot be loaded or is of a kind that is refused."""

    def __init__(self, opening: Opening) -> None:
        if opening.gpus != 1:
            raise SamplerError(
                f"the scorer transformers uses one GPU, not {opening.gpus}; take vllm, or leave tensor_parallel out"
            )
        self._folder = opening.model
        self._device = find_device(opening.device)
        self.tokenizer, self._model = load_model(opening.model, opening.dtype, self._device, ATTENTION, opening.adapter)
        self._head = Head(self._model)
        self._most = opening.batch or SORTED_AT_ONCE
        self._tokens = TOKENS_AT_ONCE.get(self._device.type, TOKENS_AT_ONCE["cpu"])
        self._rows = max(1, LOGITS_AT_ONCE.get(self._device.type, LOGITS_AT_ONCE["cpu"]) // self._head.vocabulary)
        positions = int(self._model.config.max_position_embeddings)
        self._cap = positions if opening.context_cap is None else min(positions, opening.context_cap)
        self._require_the_same_packed()
        self.facts = ScorerFacts(
            scorer="transformers",
            version=f"transformers {transformers.__version__}, torch {torch.__version__}",
            device=torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else self._device.type,
            dtype=str(self._model.dtype).removeprefix("torch."),
            context_cap=self._cap,
            vocabulary=vocabulary_digest(self.tokenizer),
            stop_ids=stop_ids(self._model.config, self._model.generation_config, self.tokenizer),
            chat_template=chat_template_digest(self.tokenizer),
            detail="packed, head in float32" if self._model.dtype.itemsize < 4 else "packed",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The memory is given back; nothing can be scored after that."""
        torch.nn.Module.to(self._model, device="meta")
        del self._head

    def score(self, responses: Iterable[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        """As the protocol says."""
        waiting: list[Response] = []
        for response in responses:
            if not response.ids:
                yield _nothing(response, len(decodings))
                continue
            self._require_room(response)
            waiting.append(response)
            if len(waiting) == SORTED_AT_ONCE:
                yield from self._sorted(waiting, decodings)
                waiting = []
        yield from self._sorted(waiting, decodings)

    def _require_room(self, response: Response) -> None:
        if not response.prompt:
            raise SamplerError("a response without a prompt has nothing that its first token follows; give its prompt")
        tokens = len(response.prompt) + len(response.ids)
        if tokens > self._cap:
            raise SamplerError(
                f"a response with its prompt has {tokens:,} tokens, more than the {self._cap:,} positions of {self._folder};"
                " score with a model that reads that far"
            )

    def _sorted(self, waiting: list[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        waiting = ordered(waiting)
        while waiting:
            batch = waiting[: how_many(waiting, self._tokens, self._most)]
            found = self._packed(batch, decodings)
            if found is not None:
                yield from _told(batch, found)
                del waiting[: len(batch)]

    @torch.inference_mode()
    def _packed(self, batch: Sequence[Response], decodings: Sequence[Decoding]) -> Statistics | None:
        """Of all their tokens, end to end; None where memory did not suffice, and less goes through from here on."""
        pack = lay(batch, self._device)
        hidden = self._if_it_fits(partial(self._predicting, pack))
        others = any(response.detailed for response in batch)
        found = None if hidden is None else self._read(hidden, pack.targets, decodings, others)
        if found is None:
            self._take_fewer(batch)
        elif bool(found.plain.isnan().any()):
            raise SamplerError(f"{self._folder} yields no numbers in {self.facts.dtype}, which overflows; give another dtype")
        return found

    def _read(
        self, hidden: torch.Tensor, targets: torch.Tensor, decodings: Sequence[Decoding], others: bool
    ) -> Statistics | None:
        """Some places at a time; None where memory does not suffice for a single one."""
        parts: list[Statistics] = []
        done = 0
        while done < len(targets):
            rows = slice(done, done + self._rows)
            part = self._if_it_fits(partial(self._statistics, hidden[rows], targets[rows], decodings, others))
            if part is not None:
                parts.append(part)
                done = rows.stop
            elif self._rows == 1:
                return None
            else:
                self._rows = max(1, min(self._rows, len(targets)) // 2)
                _log.info("out of memory: the logits of %d places are held at once from here on", self._rows)
        return joined(parts)

    def _predicting(self, pack: Pack) -> torch.Tensor:
        """The last layer's output where a response token comes next, [response tokens, width]."""
        return self.hidden(pack)[pack.rows]

    def _statistics(
        self, hidden: torch.Tensor, targets: torch.Tensor, decodings: Sequence[Decoding], others: bool
    ) -> Statistics:
        return statistics(self.logits(hidden), targets, decodings, others)

    def _take_fewer(self, batch: Sequence[Response]) -> None:
        """Half as many tokens at once from here on. Raises SamplerError where it was but one response."""
        if len(batch) == 1:
            raise SamplerError(
                f"the memory of {self.facts.device} does not suffice for one response of {length(batch[0]) + 1:,} tokens under"
                f" {self._folder}; give another dtype or device, or lay the model over more GPUs (scorer vllm)"
            )
        self._tokens = sum(map(length, batch)) // 2
        _log.info("out of memory: %d tokens go through at once from here on", self._tokens)

    def _if_it_fits(self, make: Callable[[], Made]) -> Made | None:
        try:
            return make()
        except RuntimeError as error:
            if not (isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in _NO_MEMORY)):
                raise
        if self._device.type == "cuda":  # only here, where the error no longer holds on to what was made
            torch.cuda.empty_cache()
        return None

    def hidden(self, pack: Pack) -> torch.Tensor:
        """The last layer's output, [tokens, width]."""
        body: Any = self._model.base_model
        out: torch.Tensor = body(input_ids=pack.ids, position_ids=pack.positions, use_cache=False, pack=pack).last_hidden_state
        return out[0]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """[places, vocabulary], float32 or float64."""
        return self._head(hidden)

    @torch.inference_mode()
    def _require_the_same_packed(self) -> None:
        """Whether what packing and the head by itself yield is what the model says of each text alone, in its own way."""
        size = self._head.vocabulary
        texts = [[(11 + 7 * place + 5 * number) % size for place in range(n)] for number, n in enumerate(_PROBE)]
        texts = [text[: self._cap] for text in texts]
        ours = self.logits(self.hidden(lay([Response(0, text, (0,)) for text in texts], self._device)))
        self._model.set_attn_implementation("sdpa")
        plain = torch.cat([self._model(input_ids=torch.tensor([text], device=self._device)).logits[0] for text in texts])
        self._model.set_attn_implementation(ATTENTION)
        apart = (ours.double() - plain.double()).square().mean(dim=-1).sqrt()
        if not bool((apart <= _DIFFERENCE[self._model.dtype] * plain.double().std(dim=-1).clamp(min=1e-3)).all()):
            raise SamplerError(
                f"{self._folder} says otherwise when texts go through it together and its output head is applied by"
                f" itself, {REFUSED}"
            )


def _nothing(response: Response, decodings: int) -> Scored:
    """The scores of an empty response."""
    none = np.zeros((decodings, 0))
    return Scored(response.sample_id, none, none, none, np.zeros(0, dtype=bool), {} if response.detailed else None)


def _told(batch: Sequence[Response], found: Statistics) -> Iterator[Scored]:
    """Response by response."""
    logp, entropy, edge, plain = (
        part.to("cpu", torch.float64).numpy() for part in (found.logp, found.entropy, found.edge, found.plain)
    )
    first = found.first.cpu().numpy()
    ids, nats = (None if part is None else part.cpu().numpy() for part in (found.other_ids, found.other_logp))
    end = 0
    for response in batch:
        part = slice(end, end := end + len(response.ids))
        others = None
        if response.detailed and ids is not None and nats is not None:
            others = _others(plain[part], ids[part], nats[part])
        yield Scored(response.sample_id, logp[:, part], entropy[:, part], edge[:, part], first[part], others)


def _others(plain: NDArray[Any], ids: NDArray[Any], nats: NDArray[Any]) -> dict[int, tuple[Other, ...]]:
    """By place where the token is not nearly certain: the first other token, and further ones that are not too improbable."""
    found: dict[int, tuple[Other, ...]] = {}
    for place in np.flatnonzero(plain < log(OTHERS_BELOW)).tolist():
        first, *further = map(Other, ids[place].tolist(), nats[place].tolist())
        found[place] = (first, *(other for other in further if other.logp >= log(LEAST_OTHER)))
    return found
