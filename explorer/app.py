"""The explorer: one app over one study. Screens lie on each other: Study, Problems, Traces, Reader.

Enter goes in, Esc goes out. The app itself is bindings and a theme; each screen reads the study in its own workers. Nothing
here or in what it imports at the top needs numpy.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, Literal

from textual.app import App
from textual.binding import Binding, BindingType

from explorer.model.session import Session
from explorer.model.walk import Goal
from explorer.render.theme import DARK, LIGHT, VARIABLES
from explorer.screens.help import HelpScreen, key_help
from explorer.screens.study import StudyScreen
from store.names import parse_link


class BaseboundApp(App[None]):
    """The explorer over an open session."""

    TITLE = "Basebound"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - not ours
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="Every key that works here"),
        Binding("q", "quit", "quit", id="app.quit", tooltip="Leave the explorer"),
        Binding("ctrl+t", "turn_light", "light or dark", show=False, id="app.light", tooltip="Light or dark colours"),
        Binding(
            "ctrl+l", "redraw", "redraw", show=False, id="app.redraw", tooltip="Draw the screen again, as in other programs"
        ),
    ]

    def __init__(self, session: Session, goal: Goal | None = None) -> None:
        super().__init__()
        self.animation_level: Literal["none", "basic", "full"] = "none"
        self.session = session
        self._goal = goal

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = (LIGHT if terminal_is_light() else DARK).name
        self.push_screen(self.first_screen(self._goal))

    def first_screen(self, goal: Goal | None) -> StudyScreen:
        """What everything else lies on."""
        return StudyScreen(self.session, goal)

    def action_help(self) -> None:
        self.push_screen(HelpScreen(key_help(self, self.screen.active_bindings.values())))

    def action_redraw(self) -> None:
        self.refresh(layout=True)

    def action_turn_light(self) -> None:
        self.theme = (DARK if self.theme == LIGHT.name else LIGHT).name


def terminal_is_light() -> bool:
    """What COLORFGBG says of the background: rxvt, Konsole and others set it as "text;background". Dark where unset."""
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def run_explorer(path: Path, link: str | None = None, verifier: str | None = None) -> int:
    """Open the explorer on a study until it is left; the exit status. link: the trace to show at once.

    Raises StudyError where the study or the link cannot be opened, before the terminal is touched.
    """
    with Session.open(path, verifier) as session:
        goal = None
        if link is not None:
            parsed = parse_link(link)
            goal = Goal(session.place(parsed), parsed.step or 1)
        # Without mouse reporting the terminal's own selection works, which is how people copy over SSH.
        app = BaseboundApp(session, goal)
        app.run(mouse=False)
        return app.return_code or 0
