"""A sampler that needs no model: each response is made from the prompt and the seed alone. For tests and dry runs.

One response in three boxes the number of the prompt's characters, the others box something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Self

from engine.samplers.base import Drawn, Facts, Opening, Request
from store.types import Finish

_END: Final = 0x110000
"""One past the last character: ids are code points."""


class ScriptedSampler:
    def __init__(self, opening: Opening) -> None:
        self.facts = Facts("scripted", "1", "none", "none", 4096, (_END,), "code points")
        self._max_tokens = opening.max_tokens

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def encode(self, prompt: str) -> list[int]:
        return [ord(character) for character in prompt]

    def sample(self, requests: Iterable[Request], longest_prompt: int = 0) -> Iterator[Drawn]:  # noqa: ARG002 - room is no matter
        for request in requests:
            answer = len(request.prompt) + (0 if request.seed % 3 == 0 else request.seed % 97 + 1)
            text = f"The prompt has some characters; I count {answer}.\n\n\\boxed{{{answer}}}"
            if len(text) < self._max_tokens:
                yield Drawn(request, (*map(ord, text), _END), text, Finish.STOP, "<end>")
            else:
                text = text[: self._max_tokens]
                yield Drawn(request, tuple(map(ord, text)), text, Finish.LENGTH)
