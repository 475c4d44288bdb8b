"""A sampler that needs no model: each response is made from the prompt and the seed alone. For tests and dry runs.

One response in three boxes the number of the prompt's characters, the others box something else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Self

from engine.prompts import Template
from engine.samplers.base import Drawn, Facts, Manner, Opening, Request
from store.types import Finish, Prompt

_END: Final = 0x110000
"""One past the last character: ids are code points."""


class ScriptedSampler:
    def __init__(self, opening: Opening) -> None:
        self.facts = Facts("scripted", "1", "none", "none", opening.context_cap or 4096, (_END,), "code points")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def prompt(self, template: Template, statement: str) -> Prompt:
        text = template.filled(statement)
        return Prompt(text, tuple(map(ord, text)))

    def sample(self, requests: Iterable[Request], manner: Manner, longest_prompt: int = 0) -> Iterator[Drawn]:
        del longest_prompt  # room is no matter
        for request in requests:
            answer = len(request.prompt) + (0 if request.seed % 3 == 0 else request.seed % 97 + 1)
            text = f"The prompt has some characters; I count {answer}.\n\n\\boxed{{{answer}}}"
            if len(text) < manner.max_tokens:
                yield Drawn(request, (*map(ord, text), _END), text, Finish.STOP, "<end>")
            else:
                text = text[: manner.max_tokens]
                yield Drawn(request, tuple(map(ord, text)), text, Finish.LENGTH)
