"""One prompt for everything that a screen asks: what is entered goes to whoever asked last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual import on

from explorer.model.session import Session
from explorer.screens.base import ExplorerScreen
from explorer.widgets.prompt import Check, Prompt
from explorer.widgets.virtual_list import VirtualList

Result = TypeVar("Result")


class Asking(ExplorerScreen[Result]):
    """A screen with a `Prompt` of the id "prompt"."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._then: Callable[[str], None] | None = None

    def ask_for(self, what: str, text: str, then: Callable[[str], None], check: Check | None = None) -> None:
        """Open the prompt with that text in it; `then` gets what is entered, and nothing where it is given up."""
        self._then = then
        self.query_one("#prompt", Prompt).ask(what, text, check)

    def focus_back(self) -> None:
        """Where keys go once nothing is typed any more."""
        self.query_one(VirtualList).focus()

    @on(Prompt.Entered)
    def hand_over(self, message: Prompt.Entered) -> None:
        self.focus_back()
        then, self._then = self._then, None
        if message.text is not None and then is not None:
            then(message.text)
