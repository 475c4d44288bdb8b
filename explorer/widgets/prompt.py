"""The line that `/` opens: type, Enter keeps it, Esc gives it up. Until then it keeps the focus, so no other key means more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class Prompt(Input):
    """Hidden until `ask`; says `Entered` once, then hides again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", key_display="Enter", id="prompt.keep", tooltip="Use what was typed"),
        Binding(
            "escape", "give_up", "cancel", key_display="Esc", id="prompt.cancel", tooltip="Leave without changing anything"
        ),
        Binding("tab,shift+tab", "stay", "stay", show=False, id="prompt.stay", tooltip="Nothing, while something is typed"),
    ]

    DEFAULT_CSS = """
    Prompt { height: 1; border: none; padding: 0 1; dock: bottom; margin-bottom: 1; display: none; }
    Prompt:focus { border: none; }
    """

    @dataclass
    class Entered(Message):
        """What was typed. None: given up."""

        text: str | None

    def ask(self, placeholder: str, text: str = "") -> None:
        self.placeholder = placeholder
        self.value = text
        self.display = True
        self.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._leave(self.value)

    def action_stay(self) -> None:
        """Tab would take the focus away, or reach the screen behind."""

    def action_give_up(self) -> None:
        self._leave(None)

    def _leave(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Entered(text))
