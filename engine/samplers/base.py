"""The seam every sampler fits: requests in, draws out, each as it finishes.

A request carries its own seed, so that what is drawn for it depends on nothing else: not on the requests beside it, not on
their order, not on where a killed job went on. How far a sampler keeps that promise, bit by bit or in the plan and the seeds
only, stands in its docstring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from engine.decoding import Decoding
from engine.prompts import Template
from store.errors import BaseboundError
from store.types import Finish, Prompt


class SamplerError(BaseboundError):
    """A model cannot be loaded or sampled; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Which model, and how it is to be loaded. One that is open serves every manner of drawing."""

    model: Path
    """A folder with config, safetensors and tokenizer, as transformers saves them."""
    adapter: Path | None = None
    """A LoRA adapter's folder; the model is what it was trained on."""
    context_cap: int | None = None
    """Prompt plus response at most; None: as many positions as the model has."""
    batch: int | None = None
    """Sequences decoded together; None: what memory allows."""
    dtype: str | None = None
    """"float64", "float32", "bfloat16" or "float16"; None: what the sampler thinks right for the model and the device."""
    device: str | None = None
    """"cpu", "cuda", "cuda:1"; None: a GPU where there is one."""
    gpus: int = 1
    """Over how many the model is laid (tensor parallel)."""
    memory: float | None = None
    """Of each GPU's memory, the share that vLLM may take; None: as much as it takes by itself."""
    url: str | None = None
    """Of a server's API, e.g. http://localhost:8000/v1, for the sampler that asks one."""
    served: str | None = None
    """What that server calls the model; None: the only one it has."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How responses are drawn."""

    decoding: Decoding
    max_tokens: int
    """Limit on new tokens."""
    stop: tuple[str, ...] = ()
    """Strings that end a response; its text is cut before the one that did."""


@dataclass(frozen=True, slots=True)
class Request:
    """One response wanted. `unit` is whatever the caller knows it by; the sampler hands it back."""

    unit: object
    prompt: Sequence[int]
    """Token ids; none where only a server knows them."""
    seed: int
    """63 bits."""
    text: str = ""
    """The prompt as text, for those who cannot be given ids."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One response, finished."""

    request: Request
    ids: tuple[int, ...] | None
    """As generated, with the stop token where one ended it; None where the engine does not tell."""
    text: str
    """Of the ids without the stop token, or up to the stop string."""
    finish: Finish
    stop_reason: str | None = None
    """The stop token as text, or the stop string."""
    logp: float | None = None
    """Nats of all its ids under the decoding they were drawn from, as the engine has it while drawing; None where unknown."""
    tokens: int | None = None
    """How many were generated, where the ids do not tell."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sampler found on opening its model: for the run what shapes the samples, for the batch the rest."""

    sampler: str
    version: str
    """Of the engine, e.g. "transformers 5.19.0, torch 2.13.0"."""
    device: str
    dtype: str
    context_cap: int | None
    """Prompt plus response: what is in force, whatever was asked for. None where a server does not tell."""
    stop_ids: tuple[int, ...] | None
    """That end a response; None where a server does not tell."""
    vocabulary: str
    """SHA-256 of the vocabulary: ids mean something under it only; "unknown" where a server does not tell."""
    chat_template: str = "none"
    """SHA-256 of the tokenizer's chat template, as `engine.prompts.chat_template_digest` has it; "none" without one."""
    detail: str = ""
    """Settings of the engine that may move a draw by rounding, e.g. "tensor parallel 2, batch invariant"."""


class Sampler(Protocol):
    """What draws responses from one model in one way. A context manager: it may hold processes or a GPU."""

    @property
    def facts(self) -> Facts: ...

    def prompt(self, template: Template, statement: str) -> Prompt:
        """The statement as the model is given it: text and token ids. Raises SamplerError where the template cannot be used."""

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        """Each request's draw, as it finishes, in any order. Requests are taken as there is room for them.

        longest_prompt: of all of them, in tokens, where it is known: room is made for it once.
        Raises SamplerError where a prompt leaves no room for a response.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
