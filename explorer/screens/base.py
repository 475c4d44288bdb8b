"""What all screens share: the way here on the first line, the keys on the last, the ways to other screens, one way to read in
the background.

No screen scrolls: its list does. Where the terminal is low (`is_low`, the class -low), what surrounds the list gives way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.worker import get_current_worker

from explorer.model.session import Pair, Session
from explorer.render.pieces import Line, Tone
from explorer.render.text import visible
from explorer.screens.ways import screen_at
from explorer.widgets.clipboard import copy_to_tmux, write_clip_file
from explorer.widgets.crumbs import Crumbs
from store.errors import StudyError
from store.names import Link
from store.rows import ProblemRow

Result = TypeVar("Result")

SHOWS_WHAT_BLIND_HIDES: Final = frozenset({"plots", "paths", "claims", "why", "compare", "found"})
"""Ways that somebody who audits blind must not go."""
_LOW: Final = 20
"""Lines of a terminal below which lists need all of them."""


@dataclass
class CouldNotRead(Message):
    """The study could not be read. The sentence says why, and what to do."""

    sentence: str
    group: str = ""
    """Of the work that failed."""


@dataclass
class Copied(Message):
    """Something was copied."""

    text: str
    what: str
    by_tmux: bool
    file: Path | None


@dataclass(frozen=True, slots=True)
class Here:
    """Where somebody is: what the ways to other screens begin at."""

    pair: Pair
    problem: ProblemRow | None = None
    """None where they are at no single problem."""
    link: Link | None = None
    """What `y` copies: as deep as the place is. None where there is nothing to point at."""


class ExplorerScreen(Screen[Result], Generic[Result], inherit_bindings=False):
    """Base of the screens of one study. Without Textual's own bindings: Tab is for our filters, and Enter leads the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "way('queue')", "audit", id="go.queue", tooltip="The audit queue: what to read next, and label"),
        Binding("p", "way('plots')", "plots", id="go.plots", tooltip="Pictures: pass@k, differences, coverage, perplexity"),
        Binding("P", "way('paths')", "paths", show=False, id="go.paths", tooltip="Which reasoning paths each run takes"),
        Binding("C", "way('claims')", "claims", show=False, id="go.claims", tooltip="What the runs say of each claim"),
        Binding("y", "copy", "copy", show=False, id="go.copy", tooltip="Copy a link to this place: `explore --open LINK`"),
    ]

    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (_LOW, "-high")]  # noqa: RUF012 - not ours

    DEFAULT_CSS = """
    ExplorerScreen { layout: vertical; overflow: hidden; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.said = ""
        self._version_seen: int | None = None

    @property
    def is_low(self) -> bool:
        return self.size.height < _LOW

    def set_crumbs(self, *way: str, notes: Sequence[Line] = ()) -> None:
        crumbs = self.query_one(Crumbs)
        crumbs.way = (self.session.name, *way)
        crumbs.notes = [[("blind", Tone.WARN)], *notes] if self.session.is_blind else notes

    @property
    def here(self) -> Here | None:
        """Where the screen is; None while it is nowhere (no runs, nothing read yet)."""
        return None

    def go(self, way: str, *arguments: object, back: Callable[[Any], None] | None = None) -> None:
        """Show the screen at the end of that way (`explorer.screens.ways`); `back` gets what it hands back."""
        self.app.push_screen(screen_at(way, self.session, *arguments), back)

    def action_way(self, way: str) -> None:
        here = self.here
        if here is not None and not self.hidden_while_blind(way):
            self.go(way, here.pair, here.problem)

    def hidden_while_blind(self, way: str) -> bool:
        """Whether a screen would show what a blind audit hides; it says so."""
        if self.session.is_blind and way in SHOWS_WHAT_BLIND_HIDES:
            self.say("you audit blind: this would show runs and verdicts; b in the audit queue ends that")
            return True
        return False

    def action_copy(self) -> None:
        here = self.here
        if here is None or here.link is None:
            self.say("nothing here that a link could point at")
        else:
            self.copy(str(here.link), f"for `explore --open`: {here.link}")

    def copy(self, text: str, what: str) -> None:
        """Copy a text by every way there is, and say by which: `what` is how the notice calls it."""
        self.read("copy", lambda: Copied(text, what, copy_to_tmux(text), write_clip_file(text)))

    @on(Copied)
    def say_copied(self, message: Copied) -> None:
        if not message.by_tmux:
            self.app.copy_to_clipboard(message.text)
        way = "tmux buffer" if message.by_tmux else "terminal clipboard (OSC 52)"
        self.say(f"{message.what}\ncopied to the {way}" + (f" and {message.file}" if message.file else ""))

    def on_screen_resume(self) -> None:
        """Coming back, perhaps after the study has changed while another screen lay on this one."""
        if self._version_seen is not None:
            self.hear_of_change()
        self._version_seen = self.session.version_seen

    def on_screen_suspend(self) -> None:
        """What was said here is not about the screen that comes now."""
        self.app.clear_notifications()

    def hear_of_change(self) -> None:
        """Read again where the study is another one than when this screen last heard of it."""
        version, self._version_seen = self._version_seen, self.session.version_seen
        if version != self._version_seen:
            self.study_changed()

    def study_changed(self) -> None:
        """Another program, or a label given here, has changed the study: read again what may be another thing now."""

    def read(self, group: str, work: Callable[[], Message]) -> None:
        """Run `work` in a thread; its message comes back to this screen, unless newer work of the group has begun."""

        def once() -> Iterator[Message]:
            yield work()

        self.stream(group, once)

    def stream(self, group: str, messages: Callable[[], Iterable[Message]]) -> None:
        """Like `read`, for work that has something to say more than once."""

        def reading() -> None:
            worker = get_current_worker()
            for message in _until_it_fails(messages(), group):
                if worker.is_cancelled:
                    return
                self.post_message(message)

        self.run_worker(reading, thread=True, exclusive=True, group=group)

    @on(CouldNotRead)
    def say_why(self, message: CouldNotRead) -> None:
        self.say(message.sentence, error=True)
        self.could_not_read(message)

    def could_not_read(self, message: CouldNotRead) -> None:
        """What a screen does beside saying it: give up waiting for what will not come."""

    def say(self, text: str, *, error: bool = False) -> None:
        """A notice at the corner for some seconds, in place of the one before: they never stack. `said` keeps the newest."""
        self.said = visible(text)
        self.app.clear_notifications()
        self.notify(self.said, severity="error" if error else "information", markup=False, timeout=15 if error else 4)

    def say_end(self, by: int, of: str) -> None:
        """There is nothing further that way."""
        self.say(f"this is the {'last' if by > 0 else 'first'} {of}")


def _until_it_fails(messages: Iterable[Message], group: str) -> Iterator[Message]:
    try:
        yield from messages
    except StudyError as error:
        yield CouldNotRead(str(error), group)
