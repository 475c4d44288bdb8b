"""Sampling with vLLM in this process, on one GPU, on several with the model spread over them, or on a CPU.

Written for vLLM 0.20 to 0.32, whichever is installed, and run with 0.28, 0.30 and 0.32 on a CPU; of 0.20 the source was read.
An older one is refused, a newer one used and named in the batch's detail. A version may draw otherwise from the same seed, as
0.32 does from 0.30 on a CPU. The early ones do not tell which of vLLM's two model runners is at work.

- A request of ours is one of the engine's: a seed of its own, every sampling parameter given, nothing of the model's
  generation_config.json. It is handed out when it finishes, so that what is stored never waits for a neighbour.
- The plan and the seeds are the same always. With one version, device, dtype and tensor_parallel the same seed draws the same
  response whatever is decoded beside it, as far as rounding allows: VLLM_BATCH_INVARIANT=1 in the environment makes rounding
  the same too on recent GPUs, and costs some speed. On a CPU in float32 draws did not depend on the batch in any trial.
- Of a seed's 63 bits vLLM's CPU build uses the lower 32: among 1,024 samples of a problem two are the same with a chance of
  1 in 8,000. On a GPU all count.
- Log-probabilities are the engine's own as it draws, after temperature, top-k and top-p.
- Where a stop string ends a response its text is cut here, as the sampler over transformers cuts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Self

# Ours before theirs: it sets the environment that vLLM reads as it is loaded.
from engine.samplers.vllm_engine import open_engine  # isort: skip

from vllm import RequestOutput, SamplingParams
from vllm.sampling_params import RequestOutputKind

from engine.checkpoints import require_model
from engine.configuration import settings_of, stop_ids, vocabulary_digest
from engine.prompts import Template, chat_template_digest, load_tokenizer, render
from engine.samplers.base import Drawn, Facts, Manner, Opening, Request, SamplerError
from engine.samplers.stopping import cut
from engine.samplers.vllm_window import Asking, GivenUp, Window
from store.types import Finish, Prompt

TEMPERATURES: Final = (0.01, 2.0)
"""What vLLM takes; a lower one it would raise without asking."""


class VllmSampler:
    """See the module's first lines. Raises SamplerError where the model cannot be opened; the sentence says what to change."""

    def __init__(self, opening: Opening) -> None:
        require_model(opening.model)
        self._model = opening.model
        self._tokenizer = load_tokenizer(opening.model)
        config, generation = settings_of(opening.model)
        self.stop_ids = stop_ids(config, generation, self._tokenizer)
        self.engine = open_engine(opening, config)
        self.facts = Facts(
            sampler="vllm",
            version=self.engine.version,
            device=self.engine.device,
            dtype=self.engine.dtype,
            context_cap=self.engine.context_cap,
            stop_ids=self.stop_ids,
            vocabulary=vocabulary_digest(self._tokenizer),
            chat_template=chat_template_digest(self._tokenizer),
            detail=self.engine.detail,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def prompt(self, template: Template, statement: str) -> Prompt:
        """As the protocol says."""
        return render(self._tokenizer, template, statement)

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        """As the protocol says. One call at a time."""
        del longest_prompt  # the engine lays its cache out in blocks
        least, most = TEMPERATURES
        if not least <= manner.decoding.temperature <= most:
            raise SamplerError(
                f"vLLM draws at temperatures from {least:g} to {most:g}, not at {manner.decoding.temperature:g};"
                " take another, or the sampler transformers"
            )
        asking = Asking("drawing", partial(self._ask, manner), partial(self._drawn, manner.stop))
        yield from Window(self.engine, asking).run(iter(requests))

    # -- for the window ------------------------------------------------------------------------------------------------

    def _ask(self, manner: Manner, request: Request) -> tuple[Sequence[int], SamplingParams]:
        return request.prompt, self._parameters(request, manner)

    def _parameters(self, request: Request, manner: Manner) -> SamplingParams:
        """All that shapes a draw. Raises SamplerError where the prompt leaves no room for a response."""
        room = self.engine.context_cap - len(request.prompt)
        if room < 1:
            raise SamplerError(
                f"a prompt of {len(request.prompt)} tokens leaves no room for a response within the"
                f" {self.engine.context_cap} positions of {self._model}; shorten it"
            )
        return SamplingParams(
            n=1,
            seed=request.seed,
            temperature=manner.decoding.temperature,
            top_p=manner.decoding.top_p,
            top_k=manner.decoding.top_k,
            min_p=0.0,
            repetition_penalty=1.0,
            presence_penalty=0.0,
            frequency_penalty=0.0,
            min_tokens=0,
            max_tokens=min(manner.max_tokens, room),
            stop=list(manner.stop),
            stop_token_ids=list(self.stop_ids),
            ignore_eos=True,  # the ids above are all that there are
            logprobs=0,
            flat_logprobs=True,
            detokenize=bool(manner.stop),
            skip_special_tokens=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def _drawn(self, stop: Sequence[str], request: Request, output: RequestOutput) -> Drawn:
        """The draw. Raises GivenUp where the engine did not draw it to its end."""
        completion = output.outputs[0]
        if completion.finish_reason not in ("stop", "length"):
            raise GivenUp(str(completion.finish_reason))
        ids, logp = tuple(completion.token_ids), completion.cumulative_logprob
        if completion.finish_reason == "length":
            return Drawn(request, ids, self._text(ids), Finish.LENGTH, None, logp)
        if isinstance(completion.stop_reason, str):
            text, string = cut(self._text(ids), stop) or (completion.text, completion.stop_reason)
            return Drawn(request, ids, text, Finish.STOP, string, logp)
        token = str(self._tokenizer.convert_ids_to_tokens(ids[-1]))
        return Drawn(request, ids, self._text(ids[:-1]), Finish.STOP, token, logp)

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))
