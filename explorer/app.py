"""The explorer: one app over one study. Screens lie on each other: Study, Problems, Traces, Reader, and those that a key leads
to from anywhere (`explorer.screens.ways`).

Enter goes in, Esc goes out. The app itself is bindings and a theme; it looks every two seconds whether the study has grown, and
keeps where its user was when it ends. Each screen reads the study in its own workers. Nothing here or in what it imports at the
top needs numpy.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from io import UnsupportedOperation
from pathlib import Path
from typing import ClassVar, Final, Literal

from textual import on
from textual.app import App
from textual.binding import ActiveBinding, Binding, BindingType
from textual.message import Message

from explorer import memory
from explorer.hanging_up import watch_terminal
from explorer.memory import Remembered
from explorer.model.session import Session
from explorer.model.walk import Goal
from explorer.render.theme import DARK, LIGHT, VARIABLES
from explorer.screens.base import ExplorerScreen
from explorer.screens.help import HelpScreen, key_help
from explorer.screens.palette import PaletteScreen
from explorer.screens.study import StudyScreen
from store.errors import StudyError
from store.names import Link, parse_link

LOOK_EVERY_S: Final = 2.0
SWITCH_S: Final = 0.001
"""How long a worker keeps the interpreter when a key waits for it; Python's own 5 ms, several times a key, can be felt."""
READING: Final = frozenset({"ReaderScreen", "CompareScreen"})
"""Screens whose place is a trace that was open."""
BESIDE: Final = {
    "QueueScreen": "queue",
    "AuditScreen": "queue",
    "PlotsScreen": "plots",
    "PathsScreen": "paths",
    "ClaimsScreen": "claims",
}
"""Screens beside the way in: the way that leads to them from a run."""
_HUNG_UP: Final = 129
"""Exit status of a program whose terminal has gone: 128 and SIGHUP."""


@dataclass
class StudyLooked(Message):
    """Somebody has committed to the study, or it cannot be read any more (then the sentence says why)."""

    sentence: str = ""


class BaseboundApp(App[None]):
    """The explorer over an open session."""

    TITLE = "Basebound"
    ALLOW_SELECT = False
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012 - not ours
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "help", "help", key_display="?", id="app.help", tooltip="Every key that works here"),
        Binding(
            "colon,ctrl+p",
            "palette",
            "actions",
            show=False,
            key_display=":",
            id="app.palette",
            tooltip="Find an action by what it does",
        ),
        Binding("q", "quit", "quit", id="app.quit", tooltip="Leave the explorer"),
        Binding("ctrl+t", "turn_light", "light or dark", show=False, id="app.light", tooltip="Light or dark colours"),
        Binding(
            "ctrl+l", "redraw", "redraw", show=False, id="app.redraw", tooltip="Draw the screen again, as in other programs"
        ),
        Binding("ctrl+z", "suspend_process", "suspend", show=False, id="app.suspend", tooltip="To the shell; `fg` comes back"),
    ]

    def __init__(
        self, session: Session, goal: Goal | None = None, keys: Mapping[str, str] | None = None, greeting: str = ""
    ) -> None:
        """keys: the user's own, by action name (`explorer.keys.own_keys`). greeting: what to say at the start."""
        super().__init__()
        self.animation_level: Literal["none", "basic", "full"] = "none"
        self.session = session
        self._goal = goal
        self._greeting = greeting
        self._own_keys = dict(keys or {})
        self._is_looking = False
        self._said_gone = ""
        self.is_interrupted = False
        """Was it ended by a signal?"""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def on_mount(self) -> None:
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = (LIGHT if terminal_is_light() else DARK).name
        self.set_keymap(self._own_keys)
        self.push_screen(self.first_screen(self._goal))
        if self._greeting:
            self.notify(self._greeting, markup=False, timeout=6)
        self.set_interval(LOOK_EVERY_S, self._look)
        with suppress(NotImplementedError, RuntimeError, ValueError):  # no signals here: a thread, another system
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGHUP, self.hang_up)
            for ending in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(ending, self._interrupt)

    def first_screen(self, goal: Goal | None) -> StudyScreen:
        """What everything else lies on."""
        return StudyScreen(self.session, goal)

    def action_help(self) -> None:
        self.push_screen(HelpScreen(key_help(self, self.screen.active_bindings.values())))

    def action_palette(self) -> None:
        if isinstance(self.screen, ExplorerScreen):
            self.push_screen(PaletteScreen(self.screen.active_bindings.values()), self._do)

    async def _do(self, chosen: ActiveBinding | None) -> None:
        if chosen is not None:
            await self.run_action(chosen.binding.action, default_namespace=chosen.node)

    def action_redraw(self) -> None:
        self.refresh(layout=True)

    def action_turn_light(self) -> None:
        self.theme = (DARK if self.theme == LIGHT.name else LIGHT).name

    async def action_quit(self) -> None:
        self.keep_place()
        self.exit()

    def keep_place(self, *, lost: bool = False) -> None:
        """Remember where the user is, for the next time this study is opened. lost: with the terminal, not by the user."""
        deepest = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, ExplorerScreen)), None)
        here = deepest.here if deepest is not None else None
        if here is not None:
            screen, blind = type(deepest).__name__, self.session.is_blind
            run = Link((here.pair.other or here.pair.base).slug)
            link = run if screen in BESIDE or here.link is None else here.link
            memory.load().remember(self.session.study.path, Remembered(str(link), screen, lost, blind))

    @on(StudyLooked)
    def tell_screen(self, message: StudyLooked) -> None:
        screen = self.screen
        if not isinstance(screen, ExplorerScreen):
            return
        if not message.sentence:
            self._said_gone = ""
            screen.hear_of_change()
        elif message.sentence != self._said_gone:
            self._said_gone = message.sentence
            screen.say(message.sentence, error=True)

    def _look(self) -> None:
        """Look at the study, away from the event loop: a lock is waited for."""
        if self._is_looking:
            return
        self._is_looking = True

        def looking() -> None:
            try:
                if self.session.look():
                    self.post_message(StudyLooked())
            except StudyError as error:
                self.post_message(StudyLooked(str(error)))
            finally:
                self._is_looking = False

        self.run_worker(looking, thread=True, group="look")

    def _interrupt(self) -> None:
        """Another program ends this one: in order, as q does."""
        self.keep_place()
        self.is_interrupted = True
        self.exit()

    def hang_up(self) -> None:
        """The terminal has gone: nothing can be said any more, so it is said when the study is opened again.

        An orderly end would write to the terminal, and might wait for it for ever. Labels are on disk already.
        """
        try:
            self.keep_place(lost=True)
        finally:
            os._exit(_HUNG_UP)


def terminal_is_light() -> bool:
    """What COLORFGBG says of the background: rxvt, Konsole and others set it as "text;background". Dark where unset."""
    return os.environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def run_explorer(
    path: Path,
    link: str | None = None,
    verifier: str | None = None,
    auditor: str | None = None,
    *,
    mouse: bool = True,
    fresh: bool = False,
) -> int:
    """Open the explorer on a study until it is left; the exit status. link: the place to show at once. fresh: without one, not
    where the user was the last time.

    Raises StudyError where the study or the link cannot be opened, and BadKeys, before the terminal is touched.
    """
    from explorer.keys import own_keys

    keys = own_keys()
    with Session.open(path, verifier, auditor) as session:
        goal, greeting = last_place(session) if link is None and not fresh else (None, "")
        if link is not None:
            goal = session.goal(parse_link(link))
        sys.setswitchinterval(SWITCH_S)
        app = BaseboundApp(session, goal, keys, greeting)
        with suppress(UnsupportedOperation):  # a stand-in for a terminal
            watch_terminal(sys.stdin.fileno(), app.hang_up)
        app.run(mouse=mouse)
        if app.is_interrupted:
            raise KeyboardInterrupt
        return app.return_code or 0


def last_place(session: Session) -> tuple[Goal | None, str]:
    """Where the user was the last time, and what to say of it; nothing where that is the top, or not there any more."""
    where = memory.load().place(session.study.path)
    lost = "the terminal went away the last time; every label given was stored. " if where.lost else ""
    try:
        goal = None if where.link is None else session.goal(parse_link(where.link), read=where.screen in READING)
    except StudyError:
        goal = None
    if goal is None:
        return None, lost.removesuffix(". ")
    if way := BESIDE.get(where.screen):
        session.labels.blind = where.blind
        return replace(goal, way=way), f"{lost}back at the {way}{', blind' if where.blind else ''}: Esc leads out"
    if goal.problem is None:
        return goal, lost.removesuffix(". ")
    return goal, f"{lost}back at {goal.problem.key}: Esc leads out, `explore --fresh` starts at the top"
