"""What the Reader does while somebody reads: it checks the trace on the screen, and prepares the samples beside it.

Threads prepare and post; nothing here touches a widget but to ask how wide a line may be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
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
_OF_TOKENS: Final = ("engine.trace_tokens", "explorer.model.token_shades", "explorer.render.legend")
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
        now, weighed = self.reading, self.weighed
        if now is None or (weighed is not None and now.tokens is None):  # somebody waits for tokens: once they are there
            return
        session, widths, raw = self.session, self._widths, self.raw
        beside = [walk for by in (self._onward, -self._onward) if (walk := self.walk.sample(by)) is not None]
        known = {walk.trace.sample_id: self._kept.get(walk.trace.sample_id) for walk in beside}
        steps = self._ahead(now, known, lambda sample_id: read_trace(session, sample_id, widths, raw=raw), weighed)

        def looking() -> None:
            worker = get_current_worker()
            with suppress(StudyError):  # who goes there reads again, and is told
                for _ in steps:
                    if worker.is_cancelled:
                        return

        self.run_worker(looking, thread=True, exclusive=True, group="ahead")

    def _ahead(
        self, now: Reading, known: Mapping[int, Reading | None], read: Callable[[int], Reading], weighed: Weighed | None
    ) -> Iterator[None]:
        """In a worker, step by step: between them it can stop, so that the next key waits for no more than one."""
        if now.detailed:  # the first key of likelihoods waits for no import
            for module in _OF_TOKENS:
                import_module(module)
        ready: list[Reading] = []
        for sample_id, found in known.items():
            reading = found or read(sample_id)
            self.post_message(Ahead(reading))
            yield
            if weighed is not None and reading.tokens is None:
                reading = with_tokens(self.session, reading, weighed)
                self.post_message(Ahead(reading))
                yield
            ready.append(reading)
        if weighed is not None and now.tokens is not None and not isinstance(now.tokens, str):
            for way in now.tokens.ways:  # so that going to the next one is instant
                now.tokens.lens(way)
                yield
        short = [reading for reading in ready if len(reading.document.text) <= _CHECKED_AHEAD_CHARS]
        for reading in [now, *short] if self.checks else ():
            self._check(reading)
            yield

    def _check(self, reading: Reading, *, asked: bool = False) -> None:
        """In a worker: what can be found in a trace, unless that is known, or would take long and nobody has asked for it."""
        if reading.checked is not None or (len(reading.document.text) > CHECKED_CHARS and not asked):
            return
        with _CHECKING:
            if not get_current_worker().is_cancelled:
                self.post_message(TraceChecked(check_trace(self.session, reading)))
