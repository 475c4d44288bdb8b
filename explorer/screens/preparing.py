"""What the Reader does while somebody reads: it checks the trace on the screen, and prepares the samples beside it.

Threads prepare and post; nothing here touches a widget but to ask how wide a line may be.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Final

from textual import on
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer
from textual.worker import get_current_worker

from explorer.model.reading import Kept, Reading, Weighed, Widths, check_trace, read_trace, with_tokens
from explorer.model.session import Session
from explorer.model.walk import Place, Walk
from explorer.render.heading import CHECKED_CHARS
from explorer.screens.labelling import Labelling
from explorer.widgets.text_view import Document, TextView
from store.errors import StudyError

_REST_SECONDS: Final = 0.05
"""How long a trace stays on the screen before it is checked and the samples beside it are read: holding ] does neither."""
_CHECKED_AHEAD_CHARS: Final = 60_000
"""Of a sample beside the one on the screen: no thread can be stopped, and one may never go there."""
_CHECKING: Final = Lock()
"""One check at a time: those of traces that were left meanwhile are not even begun."""


@dataclass
class Ahead(Message):
    """A sample beside the one on the screen, prepared."""

    reading: Reading


@dataclass
class TraceChecked(Message):
    reading: Reading


class Preparing(Labelling[Place]):
    """Base of the Reader."""

    raw: reactive[bool] = reactive(False, init=False, repaint=False)

    def __init__(self, session: Session, walk: Walk) -> None:
        super().__init__(session)
        self.walk = walk
        """Where the trace on screen is."""
        self.reading: Reading | None = None
        """What is on the screen: `trace`, and what was prepared of it."""
        self._kept = Kept()
        self._onward = 1
        """The direction in which the reader walks: the next sample that way is prepared first."""
        self._rest: Timer | None = None

    @property
    def checks(self) -> bool:
        """Whether traces are checked, and what is found shown. Who is not to see it reads without."""
        return True

    @property
    def weighed(self) -> Weighed | None:
        """What is to be read of the tokens of each trace; None while nobody wants them."""
        return None

    @property
    def _response(self) -> TextView:
        return self.query_one("#response", TextView)

    @property
    def _widths(self) -> Widths:
        steps, raw = (self._response.text_width(Document("", raw=raw)) for raw in (False, True))
        return Widths(steps, raw)

    @on(Ahead)
    def keep(self, message: Ahead) -> None:
        self._kept.put(message.reading)

    def _rest_then_look_ahead(self) -> None:
        self.workers.cancel_group(self, "ahead")
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, self._look_ahead)

    def _look_ahead(self) -> None:
        """Check the trace on the screen, and prepare those beside it, the next one on the way first."""
        now = self.reading
        if now is None:
            return
        session, widths, raw, checks, weighed = self.session, self._widths, self.raw, self.checks, self.weighed
        beside = [walk for by in (self._onward, -self._onward) if (walk := self.walk.sample(by)) is not None]
        known = {walk.trace.sample_id: self._kept.get(walk.trace.sample_id) for walk in beside}

        def prepared(sample_id: int, found: Reading | None) -> Reading:
            if found is None:
                return read_trace(session, sample_id, widths, raw=raw, weighed=weighed)
            return found if weighed is None or found.tokens is not None else with_tokens(session, found, weighed)

        def looking() -> None:
            with suppress(StudyError):  # who goes there reads again, and is told
                ready = [prepared(sample_id, found) for sample_id, found in known.items()]
                for reading in ready:
                    self.post_message(Ahead(reading))
                if weighed is not None and now.tokens is not None and not isinstance(now.tokens, str):
                    now.tokens.make_all()
                long = [one for one in ready if len(one.document.text) > _CHECKED_AHEAD_CHARS]
                for reading in [now, *(one for one in ready if one not in long)] if checks else ():
                    self._check(reading)

        self.run_worker(looking, thread=True, exclusive=True, group="ahead")

    def _check(self, reading: Reading, *, asked: bool = False) -> None:
        """In a worker: what can be found in a trace, unless that is known, or would take long and nobody has asked for it."""
        if reading.checked is not None or (len(reading.document.text) > CHECKED_CHARS and not asked):
            return
        with _CHECKING:
            if not get_current_worker().is_cancelled:
                self.post_message(TraceChecked(check_trace(self.session, reading)))
