"""Scoring with vLLM in this process, at temperature 1: a response and its prompt are read as one prompt, nothing is drawn.

Run with vLLM 0.32 on a CPU; the sampler's versions have what is asked of them here.

- vLLM tells the model's own log-probabilities of a prompt's tokens, in float32, whatever a request says of how to draw. Whether
  a token is the first choice follows from the most probable one beside it; entropy and nucleus it does not tell.
- Where vLLM's newer model runner is at work, logits are made for the tokens of the response alone (`ROWS`), and first choices
  are told of detailed responses only. Its older one, which every CPU has, makes them for the prompt as well (`WHOLE`). Which it
  is stands in the facts' detail; it is found out on opening, and both must tell the same of a few tokens.
- An engine never reads a prompt that leaves no room for one more token. Of a response that fills the context the last token is
  drawn therefore, being the only one allowed: its log-probability is told as the model has it.
- Rounding is that of the engine's dtype. In bfloat16 the bundled model's tokens are 0.06 nats off in the mean and 1.3 at most,
  on text that is hard for it; so are those of a plain forward pass. In float32 no token is off by 1e-4.
- Beside an adapter responses are read one by one. An adapter of the output head is refused: prompts would be read without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

# Ours before theirs: it sets the environment that vLLM reads as it is loaded.
from engine.samplers.vllm_engine import open_engine  # isort: skip

import numpy as np
from numpy.typing import NDArray
from vllm import RequestOutput, SamplingParams
from vllm.sampling_params import RequestOutputKind

from engine.checkpoints import require_adapter, require_model
from engine.configuration import settings_of, stop_ids, vocabulary_digest
from engine.decoding import Decoding
from engine.likelihood.base import Response, Scored, ScorerFacts
from engine.likelihood.listed import Top, require_plain, require_room, scored, tops_wanted, unread
from engine.prompts import chat_template_digest, load_tokenizer
from engine.samplers.base import Opening, SamplerError
from engine.samplers.vllm_window import Asking, GivenUp, Window

ROWS: Final = "log-probabilities of response rows"
WHOLE: Final = "log-probabilities of whole prompts"
HEADS: Final = frozenset({"lm_head", "embed_tokens"})
"""As adapters call the output head, and the embedding that may be the same."""
_PROBE: Final = Response(0, (0,), (1, 2, 3))
"""Ids that every vocabulary has."""
_AGREE: Final = 0.1
"""Nats by which both ways may differ on a token, rounding in half precision among them."""

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]


class VllmScorer:
    """See the module's first lines. Raises SamplerError where the model cannot be opened; the sentence says what to change."""

    def __init__(self, opening: Opening) -> None:
        require_model(opening.model)
        self._model = opening.model
        self.tokenizer: Any = load_tokenizer(opening.model)
        config, generation = settings_of(opening.model)
        _require_no_head(opening.adapter)
        self.engine = open_engine(opening, config, scoring=True)
        self._rows = False
        self._rows = self._tells_rows()
        self.facts = ScorerFacts(
            scorer="vllm",
            version=self.engine.version,
            device=self.engine.device,
            dtype=self.engine.dtype,
            context_cap=self.engine.context_cap,
            vocabulary=vocabulary_digest(self.tokenizer),
            stop_ids=stop_ids(config, generation, self.tokenizer),
            chat_template=chat_template_digest(self.tokenizer),
            plain_only=True,
            detail=f"{self.engine.detail}, {ROWS if self._rows else WHOLE}",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def score(self, responses: Iterable[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        """As the protocol says. One call at a time."""
        require_plain("vllm", decodings)
        yield from self._score(responses)

    def _score(self, responses: Iterable[Response]) -> Iterator[Scored]:
        short: list[Response] = []
        asking = Asking("scoring", self._ask, self._read)
        yield from Window(self.engine, asking).run(_with_tokens(responses, short))
        yield from map(unread, short)

    def _tells_rows(self) -> bool:
        """Whether response rows alone can be asked for, and are told right."""
        (whole,) = self._score([_PROBE])
        self._rows = True
        try:
            (rows,) = self._score([_PROBE])
        except (SamplerError, TypeError):  # refused, or of a version that has no such parameter
            return False
        return bool(np.allclose(rows.logp, whole.logp, rtol=0, atol=_AGREE))

    # -- for the window ------------------------------------------------------------------------------------------------

    def _ask(self, response: Response) -> tuple[list[int], SamplingParams]:
        """The tokens read, and what is to be told of them."""
        require_room(response, self.engine.context_cap, self._model)
        ids, tops = [*response.prompt, *response.ids], tops_wanted(response)
        last = ids.pop() if self._is_full(response) else None
        wanted: dict[str, Any] = {"prompt_logprobs": tops}
        if self._by_rows(response):
            rows = np.array(ids[len(response.prompt) :], dtype=np.int64)[:, None]
            wanted = {"prompt_logprob_token_ids": rows, "prompt_logprob_start": len(response.prompt) - 1}
        if last is not None:
            wanted |= {"allowed_token_ids": [last], "logprobs": tops}
        return ids, _parameters(wanted)

    def _read(self, response: Response, output: RequestOutput) -> Scored:
        """Raises GivenUp where not all of it was told: an engine that runs out of room forgets what it had found."""
        if output.outputs[0].finish_reason not in ("stop", "length"):
            raise GivenUp(str(output.outputs[0].finish_reason))
        ids, logp = self._told(response, output)
        if np.isnan(logp).any():
            raise SamplerError(
                f"{self._model} gives no numbers (nan) for sample {response.sample_id} in {self.engine.dtype};"
                " give another dtype, or make the checkpoint anew"
            )
        if not np.array_equal(ids[:, 0], np.asarray(response.ids)):
            raise GivenUp("other tokens were told of")
        top = Top(ids[:, 1:], logp[:, 1:]) if ids.shape[1] > 1 else None
        return scored(response, logp[:, 0], top)

    def _told(self, response: Response, output: RequestOutput) -> tuple[Ids, Floats]:
        """[T, 1 + K] each: the response's tokens, beside them the most probable ones."""
        is_full, before, tops = self._is_full(response), len(response.prompt) - 1, tops_wanted(response)
        read = len(response.ids) - is_full
        if self._by_rows(response):
            ids, logp = np.asarray(response.ids[:read], dtype=np.int64)[:, None], _rows(output, read)
        else:
            every_id, every_logp = _table(output.prompt_logprobs, before + read, 1 + tops)
            ids, logp = every_id[before:], every_logp[before:]
        if is_full:
            last_id, last_logp = _table(output.outputs[0].logprobs, 1, 1 + tops)
            width = ids.shape[1]
            ids, logp = np.concatenate([ids, last_id[:, :width]]), np.concatenate([logp, last_logp[:, :width]])
        return ids, logp

    def _is_full(self, response: Response) -> bool:
        return len(response.prompt) + len(response.ids) == self.engine.context_cap

    def _by_rows(self, response: Response) -> bool:
        """Fixed ids are told without what lies beside them; a response of one token that fills the context has no row."""
        return self._rows and not response.detailed and not (self._is_full(response) and len(response.ids) == 1)


def _require_no_head(adapter: Path | None) -> None:
    if adapter is None:
        return
    require_adapter(adapter)
    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    changed = {name for field in ("target_modules", "modules_to_save") for name in settings.get(field) or ()}
    if not changed.isdisjoint(HEADS):
        raise SamplerError(
            f"the adapter {adapter} changes the output head, which vLLM leaves out of scores; merge it into its model, or score"
            " with transformers"
        )


def _parameters(wanted: dict[str, Any]) -> SamplingParams:
    return SamplingParams(
        n=1,
        temperature=1.0,
        max_tokens=1,  # the least that there is
        flat_logprobs=True,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
        **wanted,
    )


def _table(told: Any, places: int, width: int) -> tuple[Ids, Floats]:
    """Ids and log-probabilities, [places, width], of what vLLM lays flat: the token of a place, then the most probable ones."""
    if told is None or len(told.logprobs) != places * width:
        raise GivenUp("not all log-probabilities were told")
    shape = (places, width)
    return np.array(told.token_ids, dtype=np.int64).reshape(shape), np.array(told.logprobs, dtype=np.float64).reshape(shape)


def _rows(output: RequestOutput, places: int) -> Floats:
    """[places, 1]: those of the ids that were asked for."""
    told = output.prompt_token_id_logprobs
    if told is None or np.shape(told) != (places, 1):
        raise GivenUp("not all log-probabilities were told")
    return np.asarray(told, dtype=np.float64)


def _with_tokens(responses: Iterable[Response], without: list[Response]) -> Iterator[Response]:
    """Those that have tokens; the others are put aside."""
    for response in responses:
        if response.ids:
            yield response
        else:
            without.append(response)
