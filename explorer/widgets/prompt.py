"""The line that `/` opens: type, Enter keeps it, Esc gives it up. Until then it keeps the focus, so no other key means more.

Who asks may read along (`check`): what is typed so far is said in a line beneath, and Enter keeps nothing that does not stand:
then the line says in one sentence why, and what was typed stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from explorer.render.pieces import dim, fitted, strong


@dataclass(frozen=True, slots=True)
class Reading:
    """What is made of something typed so far."""

    said: str
    """One line. "" where there is nothing to say."""
    stands: bool = True
    """Enter may keep it."""


Check = Callable[[str], Reading]


class Prompt(Input):
    """Hidden until `ask`; says `Entered` once, then hides again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "keep", key_display="Enter", id="prompt.keep", tooltip="Use what was typed"),
        Binding(
            "escape", "give_up", "cancel", key_display="Esc", id="prompt.cancel", tooltip="Leave without changing anything"
        ),
        Binding("tab,shift+tab", "stay", "stay", show=False, id="prompt.stay", tooltip="Nothing, while something is typed"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"prompt--said", "prompt--complaint"}

    DEFAULT_CSS = """
    Prompt { height: 1; border: none; padding: 0 1; dock: bottom; margin-bottom: 1; display: none; }
    Prompt:focus { border: none; }
    Prompt.checked { height: 2; }
    Prompt > .prompt--said { color: $text-muted; }
    Prompt > .prompt--complaint { color: $said-warn; text-style: bold; }
    """

    @dataclass
    class Entered(Message):
        """What was typed. None: given up."""

        text: str | None

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, select_on_focus=False)
        self._check: Check | None = None
        self._complaint = ""

    def ask(self, placeholder: str, text: str = "", check: Check | None = None) -> None:
        """Open with that text in it. check: called with what is typed; it must be quick."""
        self._check, self._complaint = check, ""
        self.app.clear_notifications()  # they would lie over what is typed
        self.set_class(check is not None, "checked")
        self.placeholder = placeholder
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self.focus()

    @property
    def said(self) -> str:
        """What stands beneath what is typed."""
        if self._complaint:
            return f"‼ {self._complaint}"
        return "" if self._check is None else self._check(self.value).said

    def render_line(self, y: int) -> Strip:
        if y != 1 or self._check is None:
            return super().render_line(y)
        width = self.scrollable_content_region.width + 1
        style = self.rich_style + self.get_component_rich_style(
            "prompt--complaint" if self._complaint else "prompt--said", partial=True
        )
        said = fitted([strong(self.said) if self._complaint else dim(self.said)], width)
        return Strip([Segment(text, style) for text, _ in said])

    @on(Input.Changed)
    def read_along(self, event: Input.Changed) -> None:
        event.stop()
        self._complaint = ""
        self.refresh()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        reading = Reading("") if self._check is None else self._check(self.value)
        if reading.stands:
            self._leave(self.value)
        else:
            self._complaint = reading.said
            self.refresh()

    def action_stay(self) -> None:
        """Tab would take the focus away, or reach the screen behind."""

    def action_give_up(self) -> None:
        self._leave(None)

    def _leave(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Entered(text))
