"""The seam every scorer fits: responses in, what the model thinks of each of their tokens out, in any order.

A response is a prompt and what followed it, as token ids of the scorer's vocabulary. A scorer that cannot tell something (a
server knows no nucleus) says None, and the study keeps it as unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

from engine.decoding import Decoding
from store.token_scores import Other

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Response:
    """A prompt and what followed it, as token ids."""

    sample_id: int
    prompt: Sequence[int]
    ids: Sequence[int]
    detailed: bool = False
    """The tokens that might have stood there are wanted, too."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model thinks of one response of T tokens, at D decodings."""

    sample_id: int
    logp: Floats
    """[D, T] nats; -inf where that decoding can never draw the token."""
    entropy: Floats | None = None
    """[D, T] nats, of each decoding's distribution before the token; None where the scorer does not tell."""
    edge: Floats | None = None
    """[D, T]: mass of the tokens more probable than this one, after temperature and top-k, less top_p; below 0 it lies in the
    nucleus. nan for a decoding without one. None where the scorer does not tell."""
    first: Flags | None = None
    """[T]: no token is more probable there. None where the scorer does not tell."""
    others: dict[int, tuple[Other, ...]] | None = None
    """Of a detailed response, as `store.token_scores.TokenScores.others` has them; None where the scorer does not tell."""


@dataclass(frozen=True, slots=True)
class ScorerFacts:
    """What a scorer found on opening its model."""

    scorer: str
    version: str
    """Of the engine, e.g. "transformers 5.19.0, torch 2.13.0"."""
    device: str
    dtype: str
    context_cap: int | None
    """Prompt plus response; None where a server does not tell."""
    vocabulary: str
    """SHA-256 as `engine.configuration.vocabulary_digest` has it."""
    stop_ids: tuple[int, ...] | None
    chat_template: str = "none"
    """As `engine.prompts.chat_template_digest` has it."""
    plain_only: bool = False
    """It tells log-probabilities at temperature 1 alone: no other decoding, no nucleus."""
    detail: str = ""
    """Settings of the engine that may move a number by rounding."""


class Scorer(Protocol):
    """One model that scores. A context manager: it may hold a GPU."""

    @property
    def facts(self) -> ScorerFacts: ...

    @property
    def tokenizer(self) -> Any:
        """The model's, as transformers has it: how tokens read, and how a text is tokenized."""

    def score(self, responses: Iterable[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        """Each response's scores, in any order. decodings: one row each; PLAIN alone where `facts.plain_only`.

        Raises SamplerError where a response is longer than the model reads, or the engine breaks down.
        """

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None: ...
