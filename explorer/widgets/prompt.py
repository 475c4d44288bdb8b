"""The line that `/` opens: type, Enter keeps it, Esc gives it up. Until then it keeps the focus, so no other key means more.

Who asks may read along (`check`): what is typed so far is said in a line beneath, and Enter keeps nothing that does not stand:
then the line says in one sentence why, and what was typed stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Input

from explorer.render.pieces import dim, fitted, strong
from explorer.render.wrapped import wrapped
from explorer.widgets.safe_input import SafeInput


@dataclass(frozen=True, slots=True)
class Reading:
    """What is made of something typed so far."""

    said: str
    """One line. "" where there is nothing to say."""
    stands: bool = True
    """Enter may keep it."""
    more: Callable[[int, int], Sequence[str]] | None = None
    """What there is to say beneath it where the terminal has room: lines for that many cells, at most so many."""


Check = Callable[[str], Reading]

_KEPT: Final = 11
"""Lines of the terminal that stay for what is behind, and for the prompt itself."""
_COMPLAINT: Final = 4


class Prompt(SafeInput):
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
        self._lines: Sequence[str] = ()
        """What stands beneath what is typed."""

    def ask(self, placeholder: str, text: str = "", check: Check | None = None) -> None:
        """Open with that text in it. check: called with what is typed; it must be quick."""
        self._check, self._complaint = check, ""
        self.app.clear_notifications()  # they would lie over what is typed
        self.placeholder = placeholder
        self.value = text
        self.cursor_position = len(text)
        self.display = True
        self._fit()
        self.focus()

    @property
    def said(self) -> str:
        """What stands beneath what is typed."""
        if self._complaint:
            return f"‼ {self._complaint}"
        return "" if self._check is None else self._check(self.value).said

    @property
    def _said_width(self) -> int:
        return max(self.app.size.width - 2, 20)

    def _fit(self) -> None:
        """As high as there is something to say: a complaint takes the lines it needs, so that its end, which helps, is seen."""
        self._lines = self._made_lines()
        self.styles.height = 1 + len(self._lines)
        self.refresh(layout=True)

    def _made_lines(self) -> Sequence[str]:
        if self._check is None:
            return ()
        if self._complaint:
            return ["".join(text for text, _ in line) for line in wrapped([strong(self.said)], self._said_width)][:_COMPLAINT]
        reading = self._check(self.value)
        room = self.app.size.height - _KEPT
        more = () if reading.more is None or room < 1 else reading.more(self._said_width, room)
        return (reading.said, *more)

    def on_resize(self) -> None:
        if self.display and len(self._made_lines()) != len(self._lines):
            self._fit()

    def render_line(self, y: int) -> Strip:
        if not y or self._check is None:
            return super().render_line(y)
        width, lines = self._said_width, self._lines
        style = self.rich_style + self.get_component_rich_style(
            "prompt--complaint" if self._complaint else "prompt--said", partial=True
        )
        text = lines[y - 1] if y <= len(lines) else ""
        said = fitted([strong(text) if self._complaint else dim(text)], width)
        return Strip([Segment(text, style) for text, _ in said])

    @on(Input.Changed)
    def read_along(self, event: Input.Changed) -> None:
        event.stop()
        self._complaint = ""
        self._fit()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        reading = Reading("") if self._check is None else self._check(self.value)
        if reading.stands:
            self._leave(self.value)
        else:
            self._complaint = reading.said
            self._fit()

    def action_stay(self) -> None:
        """Tab would take the focus away, or reach the screen behind."""

    def action_give_up(self) -> None:
        self._leave(None)

    def _leave(self, text: str | None) -> None:
        self.display = False
        self.post_message(self.Entered(text))
