"""From a problem's statement to what a model is given: a template, the model's own chat template where that is asked for,
and the token ids.

Every engine gets these ids, so that base and RL model are asked alike whoever draws. transformers is imported where a tokenizer
is loaded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from store.errors import BaseboundError
from store.types import Prompt

NO_CHAT: Final = "none"
"""What a run's chat template is called where none is applied."""
PLACE: Final = "{problem}"
TODAY: Final = datetime(2024, 7, 26, tzinfo=UTC)
"""The day that chat templates are told it is (Llama 3.1's own, where nobody tells it): with the real one a study could not go
on tomorrow, nor base and RL model be asked alike on two days."""


class PromptError(BaseboundError):
    """A statement cannot be turned into a prompt; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Template:
    """What stands around a statement."""

    text: str
    """With {problem} where the statement goes."""
    chat: bool = False
    """The text is a user's message, put into the chat template of the model's tokenizer."""
    system: str | None = None
    """The system message, in a chat."""

    def __post_init__(self) -> None:
        if PLACE not in self.text:
            raise PromptError(f"the prompt has no {PLACE} in it, where the statement would go; add it")
        if self.system is not None and not self.chat:
            raise PromptError("the prompt has a system message but is no chat; leave one of the two out")

    @property
    def name(self) -> str:
        """What a run's settings hold: the text, and the system message of a chat."""
        return self.text if self.system is None else f"system: {self.system}\n\nuser: {self.text}"

    def filled(self, statement: str) -> str:
        """The text with a statement in it."""
        return self.text.replace(PLACE, statement)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model's folder. Raises PromptError where there is none that can be read."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise PromptError(f"{folder} has no tokenizer that can be loaded: {str(error).splitlines()[0]}") from error


def render(tokenizer: Any, template: Template, statement: str) -> Prompt:
    """Text and ids of a statement's prompt: as the tokenizer encodes a text, with its first token (BOS) where it adds one;
    a chat template brings its special tokens itself.

    Raises PromptError where a chat is asked for and the tokenizer has no template, or one that refuses the messages.
    """
    text = template.filled(statement)
    if not template.chat:
        return Prompt(text, tuple(tokenizer(text)["input_ids"]))
    _require_chat_template(tokenizer)
    system = [] if template.system is None else [{"role": "system", "content": template.system}]
    try:
        whole = tokenizer.apply_chat_template(
            [*system, {"role": "user", "content": text}],
            tokenize=False,
            add_generation_prompt=True,
            strftime_now=TODAY.strftime,
            date_string=TODAY.strftime("%d %b %Y"),
        )
    except Exception as error:  # the template is a stranger's program: whatever it raises is its refusal
        raise PromptError(f"the chat template of {tokenizer.name_or_path} refuses the prompt: {error}") from error
    return Prompt(whole, tuple(tokenizer(whole, add_special_tokens=False)["input_ids"]))


def chat_template_digest(tokenizer: Any) -> str:
    """What tells one chat template from another: "sha256:" and 16 hex digits; "none" where the tokenizer has none."""
    template = getattr(tokenizer, "chat_template", None)
    if not template:
        return NO_CHAT
    return f"sha256:{hashlib.sha256(str(template).encode()).hexdigest()[:16]}"


def _require_chat_template(tokenizer: Any) -> None:
    if not getattr(tokenizer, "chat_template", None):
        raise PromptError(
            f"{tokenizer.name_or_path} has no chat template; leave chat out, and write the whole prompt in the template"
        )
