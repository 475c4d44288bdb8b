"""What a server is found to tell of a prompt's tokens before anything is scored: in which way, and whether it can be right.

A dozen requests over one short text. That the server has the tokenizer of the model's folder is seen from what it names, or
from the text that it echoes; `knock` has looked before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from engine.asking import Client, Garbled, Patience, Refused, Unanswered
from engine.decoding import PLAIN
from engine.likelihood.told import FORMS, Asked, Form, Told, read_told
from engine.samplers.base import Manner, SamplerError
from engine.samplers.completions import ROUNDING, Ask, read_reply
from engine.samplers.knocking import Served, sentence
from store.token_scores import MOST_OTHERS

_TEXT: Final = "Let x be 12 + 345 - 6. Then x is 351, and the answer is 351."
_PATIENCE: Final = Patience(tries=2, first_wait_s=0.2, longest_wait_s=30, answer_s=300)
_TOPS: Final = MOST_OTHERS + 1
_TRIALS: Final = 4
"""Tokens drawn and then sent."""
_AGREE: Final = 0.5
"""Nats by which what is said of a token may differ in the mean of the trials; half precision alone moves some by a tenth."""
_SURE: Final = 1.5
"""Nats below which a token's log-probability is no other's: one that is allowed alone, and told as such, has 0."""
_MASS: Final = 1e-3
"""By which a mass may miss its bounds: a server's numbers are rounded."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the server is to be asked."""

    form: Form
    draws_last: bool
    """A last token that is drawn, being the only one allowed, is told as the model has it."""
    is_listed: bool
    """The most probable tokens are told as well."""


def find_way(client: Client, url: str, served: Served, tokenizer: Any, size: int) -> Way:
    """size: of the vocabulary. Raises SamplerError where the server cannot be used."""
    try:
        return _Trial(client, url, served).way(tokenizer, size)
    except Unanswered as error:
        raise SamplerError(sentence(url, error)) from None


class _Trial:
    def __init__(self, client: Client, url: str, served: Served) -> None:
        self._client = client
        self._url = url
        self._served = served
        self._reason = ""

    def way(self, tokenizer: Any, size: int) -> Way:
        ids = tokenizer(_TEXT, add_special_tokens=False)["input_ids"][: self._served.cap and self._served.cap - 2]
        form, told = self._form(ids)
        self._require_text(told, tokenizer.decode(ids))
        self._require_distribution(told, size)
        self._require_alike(form, ids)
        return Way(form, self._draws_last(form, ids, told), told.top is not None)

    def _form(self, ids: Sequence[int]) -> tuple[Form, Told]:
        for form in FORMS:
            told = self._told(form, Asked(ids, _TOPS))
            if told is not None:
                return form, told
        raise SamplerError(
            f"{self._url} gives no log-probabilities of a prompt ({self._reason}); serve the model with vLLM, or score with"
            " transformers"
        )

    def _told(self, form: Form, asked: Asked) -> Told | None:
        """None where the server does not tell, for a reason that is kept."""
        body = asked.body(form, self._served.name, self._served.lacks)
        try:
            return self._client.ask("/completions", body, partial(read_told, asked, form), _PATIENCE)
        except (Refused, Garbled) as reason:
            self._reason = str(reason)
            return None

    def _require_text(self, told: Told, text: str) -> None:
        if told.text and not "".join(told.text.split()).startswith("".join(text.split())):
            raise SamplerError(
                f"{self._url} reads other text from the token ids than the model's folder does; check that both are one model"
            )

    def _require_distribution(self, told: Told, size: int) -> None:
        """The K most probable of V tokens have a mass of K / V at least and 1 at most; logits would miss that somewhere."""
        wrong = bool((told.logp > ROUNDING).any())
        if told.top is not None:
            listed, mass = np.isfinite(told.top.logp).sum(axis=1), np.exp(np.minimum(told.top.logp, 1)).sum(axis=1)
            wrong |= bool((mass > 1 + _MASS).any() or (mass < (1 - _MASS) * np.minimum(1, listed / size)).any())
        if wrong:
            raise SamplerError(
                f"{self._url} tells numbers of a prompt that are no log-probabilities at temperature 1; start vLLM's server"
                " with --logprobs-mode raw_logprobs, or score with transformers"
            )

    def _require_alike(self, form: Form, ids: Sequence[int]) -> None:
        """What is said of a token as it is drawn is said of it as part of a prompt, at the same place."""
        if not (self._served.tells_ids and self._served.tells_logprobs):
            return
        differences = [self._difference(form, ids, seed) for seed in range(_TRIALS)]
        if sum(differences) / _TRIALS > _AGREE:
            raise SamplerError(
                f"{self._url} says other things of a token in a prompt than as it draws it, by {max(differences):.2g} nats;"
                " score with transformers"
            )

    def _difference(self, form: Form, ids: Sequence[int], seed: int) -> float:
        ask = Ask(self._served.name, ids, seed, Manner(PLAIN, 1), 1, logprobs=1)
        reply = self._client.ask("/completions", ask.body(self._served.lacks), read_reply, _PATIENCE)
        if not reply.ids or not reply.logprobs:
            raise Garbled("an answer came without the token ids that others have")
        told = self._told(form, Asked([*ids, reply.ids[0]], 1))
        if told is None:
            raise Garbled(self._reason)
        return abs(float(told.logp[-1]) - reply.logprobs[0])

    def _draws_last(self, form: Form, ids: Sequence[int], told: Told) -> bool:
        """Seen from the least probable token of the text."""
        at = int(np.argmin(told.logp))
        expected = float(told.logp[at])
        try:
            found = self._told(form, Asked(ids[: at + 2], _TOPS, draws_last=True))
        except SamplerError:  # another token was drawn than the one allowed
            return False
        return found is not None and -np.inf < expected < -_SURE and abs(float(found.logp[-1]) - expected) < -expected / 3
