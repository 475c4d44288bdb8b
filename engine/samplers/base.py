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
from store.errors import BaseboundError
from store.types import Finish


class SamplerError(BaseboundError):
    """A model cannot be loaded or sampled; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Which model, and how it is to be sampled."""

    model: Path
    """A folder with config, safetensors and tokenizer, as transformers saves them."""
    decoding: Decoding
    max_tokens: int
    """Limit on new tokens."""
    batch: int | None = None
    """Sequences decoded together; None: what memory allows."""
    dtype: str | None = None
    """"float64", "float32" or "bfloat16"; None: what the sampler thinks right for the model and the device."""
    device: str | None = None
    """"cpu", "cuda", "cuda:1"; None: a GPU where there is one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One response wanted. `unit` is whatever the caller knows it by; the sampler hands it back."""

    unit: object
    prompt: Sequence[int]
    """Token ids."""
    seed: int
    """63 bits."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One response, finished."""

    request: Request
    ids: tuple[int, ...]
    """As generated, with the stop token where one ended it."""
    text: str
    """Of the ids without the stop token."""
    finish: Finish
    stop_reason: str | None = None
    """The stop token as text."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sampler found on opening its model: for the run what shapes the samples, for the batch the rest."""

    sampler: str
    version: str
    """Of the engine, e.g. "transformers 5.19.0, torch 2.13.0"."""
    device: str
    dtype: str
    context_cap: int
    """Prompt plus response: where the model's positions end."""
    stop_ids: tuple[int, ...]
    vocabulary: str
    """SHA-256 of the vocabulary: ids mean something under it only."""


class Sampler(Protocol):
    """What draws responses from one model in one way. A context manager: it may hold processes or a GPU."""

    @property
    def facts(self) -> Facts: ...

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a rendered prompt, as the tokenizer encodes a text: with its first token (BOS) where it adds one."""

    def sample(self, requests: Iterable[Request], longest_prompt: int = 0) -> Iterator[Drawn]:
        """Each request's draw, as it finishes, in any order. Requests are taken as there is room for them.

        longest_prompt: of all of them, in tokens, where it is known: room is made for it once.
        Raises SamplerError where a prompt leaves no room for a response.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
