"""Scoring by an OpenAI-compatible server, at temperature 1: a response goes with its prompt as one prompt of token ids.

- The model's folder is needed, for its tokenizer: ids mean something under one vocabulary only, and texts are never sent.
- On opening the server must show that it tells log-probabilities of a prompt (see `told` for the ways), that they are such (of
  what it lists, the mass lies where a distribution's must), and that it says the same of a token as it draws it, at
  temperature 1, and as part of a prompt.
- Servers leave room for one more token behind a prompt. The last token of a response that fills the context is drawn therefore,
  being the only one allowed, where the server is seen to tell it as the model has it; else the cap is one token less.
- An answer that lacks some of it is asked for again. One about other tokens than were sent is an error.
- Slow beside the other scorers: an answer has some 40 KB for a thousand tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from engine.asking import Patience, Unanswered
from engine.at_once import answers
from engine.configuration import settings_of, vocabulary_digest
from engine.decoding import Decoding
from engine.likelihood.base import Response, Scored, ScorerFacts
from engine.likelihood.listed import require_plain, require_room, scored, tops_wanted, unread
from engine.likelihood.told import Asked, Told, read_told
from engine.likelihood.trying import find_way
from engine.prompts import chat_template_digest
from engine.samplers.base import Opening, SamplerError
from engine.samplers.completions import ROUNDING
from engine.samplers.knocking import knock, sentence
from engine.samplers.server import PATIENCE, SAFE, open_client, read_folder, required_url
from store.types import UNKNOWN

AT_ONCE: Final = 16
"""Requests on their way, where nobody says: a server reads few prompts together."""


class ServerScorer:
    """See the module's first lines. Raises SamplerError where the server cannot be used as the opening says."""

    def __init__(self, opening: Opening, patience: Patience = PATIENCE) -> None:
        self._url = required_url(opening, "scorer")
        self._at_once = opening.batch or AT_ONCE
        tokenizer, stops = read_folder(opening.model)
        if tokenizer is None:
            raise SamplerError(f"{opening.model} has no tokenizer; name the folder of the model that {self._url} serves")
        self.tokenizer: Any = tokenizer
        self._client = open_client(self._url, patience)
        try:
            self._served = knock(self._client, self._url, opening.served, tokenizer, stops or ())
            self._way = find_way(self._client, self._url, self._served, tokenizer, _size(opening.model, tokenizer))
        except SamplerError:
            self._client.close()
            raise
        self.facts = ScorerFacts(
            scorer="server",
            version=self._served.version,
            device=UNKNOWN,
            dtype=UNKNOWN,
            context_cap=self._cap(opening.context_cap),
            vocabulary=vocabulary_digest(tokenizer),
            stop_ids=stops,
            chat_template=chat_template_digest(tokenizer),
            plain_only=True,
            detail=self._detail(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def score(self, responses: Iterable[Response], decodings: Sequence[Decoding]) -> Iterator[Scored]:
        """As the protocol says."""
        require_plain("server", decodings)
        for _, one in answers(self._score, responses, self._at_once):
            yield one

    def _cap(self, wanted: int | None) -> int | None:
        """What can be scored: a token less than the server reads, where the last one cannot be drawn."""
        served = self._served.cap
        caps = [wanted, None if served is None else served - (not self._way.draws_last)]
        return min((cap for cap in caps if cap is not None), default=None)

    def _detail(self) -> str:
        said = [self._served.detail, f"log-probabilities by {self._way.form.title}"]
        if not self._way.is_listed:
            said.append("lists no tokens beside them")
        return "; ".join(said)

    # -- in the threads that ask ---------------------------------------------------------------------------------------

    def _score(self, response: Response) -> Scored:
        if not response.ids:
            return unread(response)
        require_room(response, self.facts.context_cap, self._served.name)
        is_full = len(response.prompt) + len(response.ids) == self._served.cap
        told = self._told(Asked([*response.prompt, *response.ids], tops_wanted(response), is_full)).last(len(response.ids))
        if (told.logp > ROUNDING).any():
            raise SamplerError(
                f"{self._url} told {float(np.max(told.logp)):.3g} of a token of sample {response.sample_id}, which is no"
                " log-probability; score with transformers"
            )
        return scored(response, told.logp, told.top)

    def _told(self, asked: Asked) -> Told:
        form = self._way.form
        try:
            body = asked.body(form, self._served.name, self._served.lacks)
            return self._client.ask("/completions", body, partial(read_told, asked, form))
        except Unanswered as error:
            raise SamplerError(sentence(self._url, error) + SAFE) from None


def _size(folder: Path, tokenizer: Any) -> int:
    """Of the vocabulary, with the rows that some models have beyond their tokenizer's."""
    size = len(tokenizer)
    if (folder / "config.json").is_file():
        size = max(size, int(getattr(settings_of(folder)[0], "vocab_size", 0) or 0))
    return size
