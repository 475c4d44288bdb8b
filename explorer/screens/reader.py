"""One trace, read step by step, with what decides about it in sight: who, verdict, answer, reference, file's score, labels.

The text is shown as soon as it is read; what can be checked in it (`explorer.render.annotations`) comes a moment later and
leaves the line on top where it was. Meanwhile the samples beside it are prepared, so that ] shows the next one at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive

from explorer.model.labels import Said
from explorer.model.reading import Reading, fits, laid_out_for, read_again, read_trace
from explorer.model.session import Pair, Session
from explorer.model.walk import Walk
from explorer.render.heading import Beside, heading
from explorer.render.pieces import Line, Tone, dim, plain
from explorer.render.words import counted, short_names
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.labelling import Change
from explorer.screens.preparing import TraceChecked
from explorer.screens.reader_keys import KEYS
from explorer.screens.weighing import Weighing
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.prompt import Prompt
from explorer.widgets.text_view import Made, TextView
from store.rows import Trace
from store.types import Model

_SOUGHT_AT_MOST: Final = 20
_AT_ONCE_CHARS: Final = 100_000
"""A text up to this long is laid out again within a key press; a longer one in a worker."""
_HEADING_LINES: Final = ((20, 2), (30, 4))
"""Lines of heading on a terminal of less than so many lines; on a higher one as many as there are."""


@dataclass
class TraceRead(Message):
    """The trace that the keys have got to."""

    walk: Walk
    reading: Reading


@dataclass
class ReadAgain(Message):
    """The trace on the screen as the study has it now."""

    reading: Reading


@dataclass
class Turned(Message):
    """The trace on the screen, laid out raw or as it reads."""

    reading: Reading


@dataclass
class ProblemReached(Message):
    """The nearest problem in a direction at which the run has a trace; None where there is none."""

    walk: Walk | None


class ReaderScreen(Weighing):
    """Hands back where it ended, so that the lists beneath follow."""

    BINDINGS: ClassVar[list[BindingType]] = KEYS

    DEFAULT_CSS = """
    ReaderScreen #heading { padding: 0 1; margin: 0 0 1 0; }
    ReaderScreen.-low #heading { margin: 0; }
    ReaderScreen #likelihood { padding: 0 1; background: $crumb-line; }
    ReaderScreen #statement { display: none; max-height: 40%; height: auto; margin: 0 0 1 0; background: $crumb-line; }
    ReaderScreen #statement.shown { display: block; }
    """

    trace: reactive[Trace | None] = reactive(None, init=False, always_update=True, repaint=False)

    def __init__(self, session: Session, pair: Pair, walk: Walk, step: int = 1, sought: str = "") -> None:
        """step: the one to begin at. sought: a word to find at once, capitals aside."""
        super().__init__(session, walk)
        self.pair = pair
        self._wanted = walk
        """Where the keys have got to; the trace on screen is still that of `walk` until this one has been read."""
        self._step_wanted = step
        self._aimed_at: int | None = None
        self._sought = sought.lower()
        self._ways: tuple[bool, ...] = ()
        self._names = short_names(pair.board.runs)

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="heading")
        yield TextView(id="statement")
        yield TextView(id="response")
        yield Lines(id="likelihood")
        yield Prompt(id="prompt")
        yield KeyLine()

    def on_mount(self) -> None:
        self._response.focus()
        self._response.moved.subscribe(self, lambda _: self._show_crumbs(), immediate=True)
        self._show_crumbs()
        self._go(self.walk)

    @property
    def compared(self) -> tuple[Model, ...]:
        return tuple(run.model for run in self.pair.runs)

    @property
    def current_step(self) -> int:
        return self._response.current

    @property
    def here(self) -> Here:
        """With the step, where it is not the first: what `y` copies."""
        trace, step = self.trace, self.current_step
        link = None if trace is None else replace(trace.link, step=step if step > 1 else None)
        return Here(self.pair, self.walk.problem, link)

    def heading_lines(self, trace: Trace, width: int) -> Sequence[Line]:
        """What stands over the response. The audit hides some of it."""
        reading, height = self.reading, self.size.height
        beside = None
        if reading is not None:
            beside = Beside(
                reading.said, reading.checked, reading.step_starts, len(reading.images), reading.detailed, self.compared
            )
        most = next((lines for below, lines in _HEADING_LINES if height < below), 1 << 10)
        return heading(trace, width, beside, most)

    def marks_of(self, said: Said) -> tuple[int, ...]:
        """Steps with a sign in the gutter: those that anybody has marked."""
        return said.all_steps

    def name_of(self, trace: Trace) -> str:
        """What the way on the first line calls the trace's run."""
        return self._names[trace.row.run_id]

    def labelled(self, said: str, change: Change) -> None:  # noqa: ARG002 - the audit tells them apart
        """A change is on disk: say it, and show it where it is of this trace."""
        self.say(said)
        self.read_labels()

    def read_labels(self) -> None:
        """Read labels, marks and verdicts of the trace on the screen again."""
        changed = self.session.labels.last
        if changed is not None:
            self._kept.drop(changed)
        reading, session, weighed = self.reading, self.session, self.weighed
        if reading is not None:
            self.read("again", lambda: ReadAgain(read_again(session, reading, weighed)))

    def study_changed(self) -> None:
        self._kept.drop()
        self.read_labels()

    @on(TraceRead)
    def show_trace(self, message: TraceRead) -> None:
        self._kept.put(message.reading)
        if message.walk is self._wanted:
            self._show(message.walk, message.reading)

    @on(TraceChecked)
    def show_checked(self, message: TraceChecked) -> None:
        """Marks come into the text, and the line on top stays."""
        found, now = message.reading, self.reading
        if now is None or now.trace.row.sample_id != found.trace.row.sample_id:
            self._kept.put(found)
            return
        if now.document.answer != found.document.answer:  # another verdict came meanwhile: it is checked by that one
            return
        self.reading = replace(now, checked=found.checked, document=found.document, page=found.page, width=found.width)
        self._kept.put(self.reading)
        if found.document.raw == self.raw:
            if not self.raw and found.document.remarks:
                self._response.turn(found.document, Made(found.page, found.width))
        else:
            self._turn()
        self._show_heading()

    @on(ReadAgain)
    def show_again(self, message: ReadAgain) -> None:
        found, now = message.reading, self.reading
        if now is None or now.trace.row.sample_id != found.trace.row.sample_id:
            return
        if found.document.text == now.document.text and found.document.answer == now.document.answer:
            found = replace(found, checked=now.checked, document=now.document, page=now.page, width=now.width)
        else:
            self._response.turn(found.document, Made(found.page, found.width))
            self._rest_then_look_ahead()
        self.reading = found
        self._kept.put(found)
        self.set_reactive(ReaderScreen.trace, found.trace)
        self._response.marked = self.marks_of(found.said)
        self._show_heading()
        self._show_crumbs()
        self.show_likelihood()

    @on(ProblemReached)
    def come_to_problem(self, message: ProblemReached) -> None:
        self._aimed_at = None
        if message.walk is None:
            self.say("no further problem with a trace of this run")
        else:
            self._go(message.walk)

    @on(CouldNotRead)
    def stay(self) -> None:
        """The next key starts from the trace on screen again."""
        self._wanted, self._aimed_at = self.walk, None
        if self.reading is not None:
            self._rest_then_look_ahead()

    def focus_back(self) -> None:
        self._response.focus()

    def watch_trace(self) -> None:
        self._show_text()
        self._show_heading()
        self._show_statement()
        self.show_likelihood(anew=True)
        self._show_crumbs()
        ways = (len(self._wanted.traces) > 1, len(self._wanted.problems) > 1, self._response.step_count > 1)
        if ways != self._ways:
            self._ways = ways
            self.refresh_bindings()

    def watch_raw(self) -> None:
        self._kept.drop()
        self._turn()
        self._show_crumbs()
        self._rest_then_look_ahead()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No key, and no word of it on the last line, for a way with nowhere to go."""
        match action:
            case "sample":
                return len(self._wanted.traces) > 1
            case "problem":
                return len(self._wanted.problems) > 1
            case "step":
                return self.trace is not None and self._response.step_count > 1
        return super().check_action(action, parameters)

    def on_resize(self) -> None:
        self._show_heading()
        self._show_lines()

    def action_sample(self, by: int) -> None:
        self._onward = by
        walk = self._wanted.sample(by)
        if walk is None:
            self.say_end(by, "sample of the list")
        else:
            self._go(walk)

    def action_problem(self, by: int) -> None:
        walk, session, runs = self._wanted, self.session, self.pair.runs_first()
        first = walk.next_problem(by, self._aimed_at)
        if first is None:
            self.say_end(by, "problem of the list")
            return
        self._aimed_at = first

        def look() -> ProblemReached:
            at: int | None = first
            while at is not None:
                found = walk.at(at, session.traces(walk.problems[at], runs))
                if found is not None:
                    return ProblemReached(found)
                at = walk.next_problem(by, at)
            return ProblemReached(None)

        self.read("problem", look)

    def action_step(self, by: int) -> None:
        self._response.come_to_step(self._response.current + by)

    def action_search(self) -> None:
        self.ask_for("search in this trace", self._sought, self._find)

    def action_match(self, by: int) -> None:
        if self._sought:
            self._response.find_next(by)
        else:
            self.say("no search yet: / searches")

    def action_reason(self, by: int) -> None:
        reading, view = self.reading, self._response
        if reading is None:
            return
        if self.raw:
            self.say("raw shows the text alone: m shows the marks again")
        elif reading.checked is None:
            self.say("checking this trace: what is found will be marked")
            self.run_worker(lambda: self._check(reading, asked=True), thread=True, exclusive=True, group="ahead")
        elif not view.page.remarked:
            self.say("nothing is marked wrong or doubtful here")
        elif not view.come_to_remark(by):
            self.say_end(by, "mark of the trace")

    def action_compare(self) -> None:
        if self.trace is not None and not self.hidden_while_blind("compare"):
            self.go("compare", self.pair, self.trace.row.sample_id)

    def action_statement(self) -> None:
        self.query_one("#statement", TextView).toggle_class("shown")
        self._show_statement()

    def action_raw(self) -> None:
        self.raw = not self.raw

    def action_back(self) -> None:
        if self.leave_token():
            return
        if self._sought:
            self._sought = ""
            self._response.find("")
        else:
            self.dismiss(self.walk.place)

    def _find(self, sought: str) -> None:
        self._sought = sought
        self._response.find(sought)

    def _go(self, walk: Walk) -> None:
        """Show the trace that the walk has come to: at once where it is prepared."""
        self._wanted = walk
        sample_id, session, widths, raw = walk.trace.sample_id, self.session, self._widths, self.raw
        self.workers.cancel_group(self, "ahead")  # what is wanted now must not wait behind what may be
        kept = self._kept.get(sample_id)
        if kept is not None and fits(kept, widths, raw=raw):
            self.workers.cancel_group(self, "trace")
            self._show(walk, kept)
        else:
            self.read("trace", lambda: TraceRead(walk, read_trace(session, sample_id, widths, raw=raw)))

    def _show(self, walk: Walk, reading: Reading) -> None:
        if self.trace is not None and self.trace.row.sample_id != reading.trace.row.sample_id:
            self.app.clear_notifications()  # what was said is of the trace before
        self.walk, self.reading = walk, reading
        self.trace = reading.trace
        self._rest_then_look_ahead()

    def _show_text(self) -> None:
        reading = self.reading
        if reading is None:
            return
        step, self._step_wanted = self._step_wanted, 1
        response = self._response
        response.marked = self.marks_of(reading.said)
        response.open(reading.document, step, self._sought, Made(reading.page, reading.width))
        if step > max(1, response.step_count):
            self.say(f"the link names step {step}, but this trace has {counted(response.step_count, 'step')}")

    def _turn(self) -> None:
        """Show the same trace raw, or as it reads."""
        reading, widths, raw = self.reading, self._widths, self.raw
        if reading is None:
            return
        if len(reading.document.text) <= _AT_ONCE_CHARS:
            self.show_turned(Turned(laid_out_for(reading, widths, raw=raw)))
        else:
            self.read("turn", lambda: Turned(laid_out_for(reading, widths, raw=raw)))

    @on(Turned)
    def show_turned(self, message: Turned) -> None:
        now, found = self.reading, message.reading
        if now is None or now.trace.row.sample_id != found.trace.row.sample_id or found.document.raw != self.raw:
            return
        if found.checked is None and now.checked is not None:  # the check came while this was laid out
            self._turn()
            return
        self.reading = replace(now, document=found.document, page=found.page, width=found.width)
        self._response.turn(found.document, Made(found.page, found.width))
        self._show_crumbs()

    def _show_statement(self) -> None:
        statement = self.query_one("#statement", TextView)
        if self.reading is not None and statement.has_class("shown"):
            statement.open(self.reading.statement)

    def _show_heading(self) -> None:
        if self.trace is None:
            return
        widget, lines = self.query_one("#heading", Lines), self.heading_lines(self.trace, self.size.width - 2)
        if len(lines) == len(widget.lines):  # nothing moves, so nothing needs to be laid out
            widget.set_reactive(Lines.lines, lines)
            widget.refresh()
        else:
            widget.lines = lines

    def _show_crumbs(self) -> None:
        walk, name = self.walk, "" if self.trace is None else self.name_of(self.trace)
        sample = f"{walk.at_trace + 1} of {len(walk.traces)}"
        notes: list[Line] = [[dim("sample "), plain(sample)], *self._where()]
        if walk.choice.word != "all":
            notes.append([dim("only "), plain(walk.choice.word)])
        self.set_crumbs(walk.problem.benchmark, walk.problem.key, name, notes=notes)

    def _where(self) -> list[Line]:
        view = self._response
        notes: list[Line] = [[("raw", Tone.ACCENT)]] if self.raw else []
        if view.step_count:
            notes.append([dim("step "), plain(f"{view.current} of {view.step_count}")])
        if self.reading is not None and self.reading.detailed and not self.session.is_blind:
            notes.append([("l", Tone.ACCENT), dim(" tokens")])
        if self._sought:
            at, number = view.found
            short = self._sought if len(self._sought) <= _SOUGHT_AT_MOST else self._sought[: _SOUGHT_AT_MOST - 1] + "…"
            notes.append([dim("/"), (f"{short} {at}/{number}", Tone.ACCENT if number else Tone.WARN)])
        return notes
