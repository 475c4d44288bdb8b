"""Sampling by an OpenAI-compatible server (vLLM's and others): one request per sample, each with its own seed.

- Where the model's folder is at hand, prompts are rendered and encoded here and sent as token ids, so that every model is asked
  alike and can be seen to be; responses come back as ids and are read by the folder's tokenizer, as the other samplers do it.
  Where only a served name is known, prompts go as text, and ids, stop ids and vocabulary are unknown.
- The plan and the seeds are the same always. Whether the same seed draws the same response is the server's affair: vLLM's does
  on one machine up to rounding, since what is decoded beside a request moves its logits in the last digits.
- What an answer shows to be otherwise than agreed is an error, never a sample: another prompt than was sent, an end at a token
  that is no stop token, a cut before the limit (a cap that the server did not tell).
- The key comes from the environment (BASEBOUND_API_KEY, else OPENAI_API_KEY), goes to the named server alone and is never kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from engine.asking import Client, Garbled, Patience, Refused, Unanswered
from engine.at_once import answers
from engine.configuration import settings_of, stop_ids, vocabulary_digest
from engine.decoding import PLAIN
from engine.prompts import Template, chat_template_digest, load_tokenizer, render
from engine.samplers.base import Drawn, Facts, Manner, Opening, Request, SamplerError
from engine.samplers.completions import Ask, Reply, log_probability, read_reply
from engine.samplers.knocking import knock, sentence
from store.types import UNKNOWN, Finish, Prompt

AT_ONCE: Final = 64
"""Requests on their way, where nobody says."""
FEW_STOPS: Final = 4
"""Stop strings that every server takes."""
LEAST_TEMPERATURE: Final = 0.01
"""vLLM raises lower ones to this."""
TOKENIZERS: Final = ("tokenizer*", "vocab*", "spiece.model", "tekken.json", "*.tiktoken")
"""What a folder has that holds a tokenizer."""
KEYS: Final = ("BASEBOUND_API_KEY", "OPENAI_API_KEY")
PATIENCE: Final = Patience(tries=10, first_wait_s=1, longest_wait_s=60, answer_s=7200)
"""Some five minutes in all: a server may be started anew. A long response may take an hour of a busy one."""
SAFE: Final = "; what was stored is safe, and the same command goes on"


class ServerSampler:
    """See the module's first lines. Raises SamplerError where the server cannot be used as the opening says."""

    def __init__(self, opening: Opening, patience: Patience = PATIENCE) -> None:
        self._url = required_url(opening)
        self._at_once = opening.batch or AT_ONCE
        self._tokenizer, self._stop_ids = read_folder(opening.model)
        self._client = open_client(self._url, patience)
        try:
            served = knock(self._client, self._url, opening.served, self._tokenizer, self._stop_ids or ())
        except SamplerError:
            self._client.close()
            raise
        self._served = served
        caps = [cap for cap in (served.cap, opening.context_cap) if cap is not None]
        self._cap = min(caps) if caps else None
        self._lengths: dict[str, int | None] = {}
        self.facts = Facts(
            sampler="server",
            version=served.version,
            device=UNKNOWN,
            dtype=UNKNOWN,
            context_cap=self._cap,
            stop_ids=self._stop_ids if served.tells_ids or "stop_token_ids" not in served.lacks else None,
            vocabulary=UNKNOWN if self._tokenizer is None else vocabulary_digest(self._tokenizer),
            chat_template="none" if self._tokenizer is None else chat_template_digest(self._tokenizer),
            detail=served.detail,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def prompt(self, template: Template, statement: str) -> Prompt:
        """As the protocol says; without ids where the model's folder is not at hand."""
        if self._tokenizer is not None:
            return render(self._tokenizer, template, statement)
        if template.chat:
            raise SamplerError(
                "a chat is asked of a model that only its server knows; name the model's folder, so that its chat template is"
                " applied here, where it can be seen"
            )
        return Prompt(template.filled(statement), ())

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        """As the protocol says."""
        del longest_prompt  # room is the server's affair
        self._require(manner)
        for _, drawn in answers(partial(self._draw, manner), requests, self._at_once):
            yield drawn

    def _require(self, manner: Manner) -> None:
        """That the server does what the manner says."""
        if manner.decoding.temperature < LEAST_TEMPERATURE:
            raise SamplerError(
                f"vLLM's server would draw at temperature {LEAST_TEMPERATURE:g}, not at {manner.decoding.temperature:g},"
                " without a word; take another, or the sampler transformers"
            )
        if manner.decoding.top_k and not self._served.heeds_top_k:
            raise SamplerError(
                f"{self._url} does not heed top_k, so that its responses would come from another distribution;"
                " leave top_k out, or sample with vllm or transformers"
            )
        if len(manner.stop) > FEW_STOPS:
            self._require_stops(manner)

    def _require_stops(self, manner: Manner) -> None:
        try:
            self._ask(Ask(self._served.name, "1", 1, manner, 1, self._stop_ids or ()))
        except Refused as refused:
            raise SamplerError(
                f"{self._url} does not take {len(manner.stop)} stop strings: {refused}; give {FEW_STOPS} at most, start"
                " vLLM's server with a larger VLLM_MAX_STOP_STRINGS, or sample with vllm or transformers"
            ) from None
        except Unanswered as error:
            raise SamplerError(sentence(self._url, error) + SAFE) from None

    def _ask(self, ask: Ask) -> Reply:
        return self._client.ask("/completions", ask.body(self._served.lacks), read_reply)

    # -- in the threads that ask ---------------------------------------------------------------------------------------

    def _draw(self, manner: Manner, request: Request) -> Drawn:
        try:
            ask = self._ask_for(request, manner, self._limit(request, manner))
            return self._client.ask(
                "/completions",
                ask.body(self._served.lacks),
                lambda content: self._read(request, ask, read_reply(content)),
            )
        except Unanswered as error:
            raise SamplerError(sentence(self._url, error) + SAFE) from None

    def _ask_for(self, request: Request, manner: Manner, limit: int) -> Ask:
        """Log-probabilities are asked for where they are those of the distribution drawn from: servers give the model's own,
        before temperature and top-p, and giving them costs a quarter of the speed."""
        served = self._served
        return Ask(
            model=served.name,
            prompt=request.prompt or request.text,
            seed=request.seed,
            manner=manner,
            limit=limit,
            stop_ids=self._stop_ids or (),
            only_these=bool(self._stop_ids) and served.tells_ids and "stop_token_ids" not in served.lacks,
            logprobs=0 if served.tells_logprobs and manner.decoding == PLAIN else None,
        )

    def _limit(self, request: Request, manner: Manner) -> int:
        """How many tokens the response may have. Raises SamplerError where there is room for none."""
        length = len(request.prompt) or self._length(request, manner)
        if self._cap is None or length is None:
            return manner.max_tokens
        if length >= self._cap:
            raise SamplerError(
                f"a prompt of {length} tokens leaves no room for a response within the {self._cap} positions of"
                f" {self._served.name}; shorten it"
            )
        return min(manner.max_tokens, self._cap - length)

    def _length(self, request: Request, manner: Manner) -> int | None:
        """Tokens of a prompt that only the server can count; None where they do not matter or it does not tell."""
        if self._cap is None or len(request.text.encode("utf-8", "replace")) + FEW_STOPS + manner.max_tokens <= self._cap:
            return None  # a token has a byte at least
        if request.text not in self._lengths:
            ask = Ask(self._served.name, request.text, request.seed, manner, 1)
            self._lengths[request.text] = self._ask(ask).prompt_tokens
        return self._lengths[request.text]

    def _read(self, request: Request, ask: Ask, reply: Reply) -> Drawn:
        """What a reply says, and whether it can be so. Raises Garbled where another try may be better, else SamplerError."""
        ids = self._checked(request, ask, reply)
        tokens = len(ids) if ids is not None else reply.tokens
        finish = Finish(reply.finish)
        if finish is Finish.LENGTH and tokens is not None and tokens < ask.limit:
            raise SamplerError(
                f"{self._url} cut a response after {tokens} tokens where {ask.limit} were allowed: it has a context cap that"
                " it does not tell; give the same as context_cap"
            )
        if ids is None or self._tokenizer is None:
            reason = self._reason_told(reply) if finish is Finish.STOP else None
            return Drawn(request, None, reply.text, finish, reason, log_probability(reply), tokens)
        text, why = (self._text(ids), None) if finish is Finish.LENGTH else self._ended(ids, ask.manner.stop, reply)
        return Drawn(request, ids, text, finish, why, log_probability(reply))

    def _checked(self, request: Request, ask: Ask, reply: Reply) -> tuple[int, ...] | None:
        """The response's ids, where they are told."""
        if request.prompt and reply.prompt_ids is not None and reply.prompt_ids != tuple(request.prompt):
            raise SamplerError(f"{self._url} gave the model another prompt than it was sent; sample with another engine")
        if self._served.tells_ids and not reply.ids:
            raise Garbled("an answer came without the token ids that others have")
        if reply.ids is not None and len(reply.ids) > ask.limit:
            raise Garbled(f"a response of {len(reply.ids)} tokens came where {ask.limit} were allowed")
        if reply.ids is not None and not set(self._stop_ids or ()).isdisjoint(reply.ids[:-1]):
            raise SamplerError(f"{self._url} does not stop at the model's stop tokens; sample with another engine")
        return reply.ids

    def _ended(self, ids: tuple[int, ...], stop: Sequence[str], reply: Reply) -> tuple[str, str]:
        """The text of a response that ended by itself, and what ended it."""
        if ids[-1] in (self._stop_ids or ()):
            return self._text(ids[:-1]), self._token(ids[-1])
        whole = self._text(ids)
        found = [(place, string) for string in stop if (place := whole.find(string)) >= 0]
        if found:
            place, string = min(found)
            return whole[:place], string
        if isinstance(reply.stop_reason, str) and reply.stop_reason in stop:
            return reply.text, reply.stop_reason  # its pieces read otherwise than the whole
        if self._stop_ids is None:
            return self._text(ids[:-1]), self._token(ids[-1])
        raise SamplerError(
            f"{self._url} ended a response at the token {self._token(ids[-1])!r}, which is no stop token of the model's folder;"
            " start vLLM's server with --generation-config vllm, or check that both are one model"
        )

    def _reason_told(self, reply: Reply) -> str | None:
        if isinstance(reply.stop_reason, int):
            return None if self._tokenizer is None else self._token(reply.stop_reason)
        return reply.stop_reason

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def _token(self, number: int) -> str:
        return str(self._tokenizer.convert_ids_to_tokens(number))


def required_url(opening: Opening, who: str = "sampler") -> str:
    """The address, without a slash at its end. Raises SamplerError where the opening has none, or says what is the server's."""
    if opening.url is None:
        raise SamplerError(f"the {who} server needs the address of one (url), e.g. http://localhost:8000/v1")
    if opening.dtype is not None or opening.device is not None or opening.gpus != 1:
        raise SamplerError("dtype, device and tensor_parallel are the server's own; leave them out, and start it with them")
    if opening.adapter is not None and opening.served is None:
        raise SamplerError(f"say what the server calls the model with the adapter {opening.adapter} (served)")
    return opening.url.rstrip("/")


def open_client(url: str, patience: Patience) -> Client:
    """With the key that the environment has. Raises SamplerError where the address is none."""
    try:
        return Client(url, next(filter(None, map(os.environ.get, KEYS)), None), patience)
    except ValueError as error:
        raise SamplerError(str(error)) from None


def read_folder(folder: Path) -> tuple[Any, tuple[int, ...] | None]:
    """Tokenizer and stop ids, each None where the folder has none. No weights are read."""
    if not any(file for pattern in TOKENIZERS for file in folder.glob(pattern)):
        return None, None
    from engine.samplers import needing

    with needing("models"):
        tokenizer = load_tokenizer(folder)
        return tokenizer, _folders_stop_ids(folder, tokenizer)


def _folders_stop_ids(folder: Path, tokenizer: Any) -> tuple[int, ...] | None:
    """As a sampler has them that loads the model."""
    return stop_ids(*settings_of(folder), tokenizer) if (folder / "config.json").is_file() else None
