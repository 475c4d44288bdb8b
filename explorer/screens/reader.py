"""One trace, read step by step, with what decides about it in sight: who, verdict, answer, reference, file's score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from explorer.model.session import Pair, Session
from explorer.model.walk import Place, Walk
from explorer.render.heading import deciding, heading
from explorer.render.pieces import Line, Tone, dim, plain
from explorer.render.words import counted, short_names
from explorer.screens.base import CouldNotRead, ExplorerScreen
from explorer.widgets.clipboard import copy_to_tmux, write_clip_file
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.prompt import Prompt
from explorer.widgets.text_view import Document, TextView
from store.rows import Trace

_SAMPLE, _STEP, _PROBLEM, _MATCH = (Binding.Group(word) for word in ("sample", "step", "problem", "match"))
_SOUGHT_AT_MOST = 20


@dataclass
class TraceRead(Message):
    walk: Walk
    trace: Trace


@dataclass
class ProblemReached(Message):
    """The nearest problem in a direction at which the run has a trace; None where there is none."""

    walk: Walk | None


@dataclass
class Copied(Message):
    """A link was copied."""

    text: str
    by_tmux: bool
    file: Path | None


class ReaderScreen(ExplorerScreen[Place]):
    """Hands back where it ended, so that the lists beneath follow."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "right_square_bracket",
            "sample(1)",
            "next",
            key_display="]",
            group=_SAMPLE,
            id="reader.next_sample",
            tooltip="Next sample of the list",
        ),
        Binding(
            "left_square_bracket",
            "sample(-1)",
            "previous",
            key_display="[",
            group=_SAMPLE,
            id="reader.previous_sample",
            tooltip="Previous sample",
        ),
        Binding(
            "right_curly_bracket",
            "step(1)",
            "next step",
            key_display="}",
            group=_STEP,
            id="reader.next_step",
            tooltip="Next step of the reasoning",
        ),
        Binding(
            "left_curly_bracket",
            "step(-1)",
            "previous step",
            key_display="{",
            group=_STEP,
            id="reader.previous_step",
            tooltip="Previous step",
        ),
        Binding(
            "J",
            "problem(1)",
            "next problem",
            group=_PROBLEM,
            id="reader.next_problem",
            tooltip="Next problem, same run, a correct trace first",
        ),
        Binding(
            "K", "problem(-1)", "previous problem", group=_PROBLEM, id="reader.previous_problem", tooltip="Previous problem"
        ),
        Binding(
            "/",
            "search",
            "search",
            key_display="/",
            id="reader.search",
            tooltip="Search in this trace; capitals count if you type some",
        ),
        Binding(
            "n", "match(1)", "next match", show=False, group=_MATCH, id="reader.next_match", tooltip="Next match of the search"
        ),
        Binding(
            "N",
            "match(-1)",
            "previous match",
            show=False,
            group=_MATCH,
            id="reader.previous_match",
            tooltip="Previous match",
        ),
        Binding("y", "copy", "copy", id="reader.copy", tooltip="Copy a link to this place: `basebound explore --open LINK`"),
        Binding("t", "statement", "statement", id="reader.statement", tooltip="Show or hide the full statement"),
        Binding(
            "tab,shift+tab",
            "app.focus_next",
            "focus",
            show=False,
            key_display="Tab",
            id="reader.focus",
            tooltip="Where t has opened the statement: scroll that, or the response again",
        ),
        Binding(
            "m", "raw", "raw", id="reader.raw", tooltip="The text as it came: no gutter, every unseen character spelled out"
        ),
        Binding(
            "escape", "back", "back", key_display="Esc", id="reader.back", tooltip="Drop the search, else back to the list"
        ),
    ]

    DEFAULT_CSS = """
    ReaderScreen #heading { padding: 0 1; margin: 0 0 1 0; }
    ReaderScreen #statement { display: none; max-height: 40%; height: auto; margin: 0 0 1 0; background: $crumb-line; }
    ReaderScreen #statement.shown { display: block; }
    """

    trace: reactive[Trace | None] = reactive(None, init=False, always_update=True)
    raw: reactive[bool] = reactive(False, init=False)

    def __init__(self, session: Session, pair: Pair, walk: Walk, step: int = 1) -> None:
        super().__init__(session)
        self.pair = pair
        self._walk = walk
        self._wanted = walk
        """Where the keys have got to; the trace on screen is still that of `_walk` until this one has been read."""
        self._step_wanted = step
        self._aimed_at: int | None = None
        self._sought = ""

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="heading")
        yield TextView(id="statement")
        yield TextView(id="response")
        yield Prompt(id="prompt")
        yield KeyLine()

    def on_mount(self) -> None:
        self._response.focus()
        self._show_crumbs()
        self._go(self._walk)

    @property
    def walk(self) -> Walk:
        """Where the trace on screen is."""
        return self._walk

    @property
    def _response(self) -> TextView:
        return self.query_one("#response", TextView)

    @on(TraceRead)
    def show_trace(self, message: TraceRead) -> None:
        if message.walk is self._wanted:
            self._walk = message.walk
            self.trace = message.trace

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
        self._wanted, self._aimed_at = self._walk, None

    @on(TextView.Moved)
    def show_where(self) -> None:
        self._show_crumbs()

    @on(Copied)
    def say_copied(self, message: Copied) -> None:
        if not message.by_tmux:
            self.app.copy_to_clipboard(message.text)
        way = "tmux buffer" if message.by_tmux else "terminal clipboard (OSC 52)"
        self.say(f"{message.text}\ncopied to the {way}" + (f" and {message.file}" if message.file else ""))

    @on(Prompt.Entered)
    def find(self, message: Prompt.Entered) -> None:
        self._response.focus()
        if message.text is not None:
            self._sought = message.text
            self._response.find(message.text)

    def watch_trace(self) -> None:
        self._show_text()
        self._show_statement()
        self._show_heading()
        self._show_crumbs()
        self.refresh_bindings()

    def watch_raw(self) -> None:
        self._response.turn(raw=self.raw)
        self._show_crumbs()

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

    def action_sample(self, by: int) -> None:
        walk = self._wanted.sample(by)
        if walk is None:
            self.say("this is the last sample of the list" if by > 0 else "this is the first sample of the list")
        else:
            self._go(walk)

    def action_problem(self, by: int) -> None:
        walk, session, runs = self._wanted, self.session, self.pair.runs_first()
        first = walk.next_problem(by, self._aimed_at)
        if first is None:
            self.say("this is the last problem of the list" if by > 0 else "this is the first problem of the list")
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
        self.query_one(Prompt).ask("search in this trace", self._sought)

    def action_match(self, by: int) -> None:
        if self._sought:
            self._response.find_next(by)
        else:
            self.say("no search yet: / searches")

    def action_statement(self) -> None:
        self.query_one("#statement", TextView).toggle_class("shown")

    def action_raw(self) -> None:
        self.raw = not self.raw

    def action_copy(self) -> None:
        if self.trace is None:
            return
        step = self._response.current
        text = str(replace(self.trace.link, step=step if step > 1 else None))
        self.read("copy", lambda: Copied(text, copy_to_tmux(text), write_clip_file(text)))

    def action_back(self) -> None:
        if self._sought:
            self._sought = ""
            self._response.find("")
        else:
            self.dismiss(self._walk.place)

    def _go(self, walk: Walk) -> None:
        self._wanted = walk
        session = self.session
        self.read("trace", lambda: TraceRead(walk, session.trace(walk.trace.sample_id)))

    def _show_text(self) -> None:
        trace = self.trace
        if trace is None:
            return
        verdict = deciding(trace)
        step, self._step_wanted = self._step_wanted, 1
        document = Document(
            trace.response, verdict.span if verdict is not None else None, raw=self.raw, empty="(empty response)"
        )
        self._response.open(document, step, self._sought)
        if step > max(1, self._response.step_count):
            self.say(f"the link names step {step}, but this trace has {counted(self._response.step_count, 'step')}")

    def _show_statement(self) -> None:
        if self.trace is not None:
            statement = self.trace.problem.statement or "no statement in this study"
            self.query_one("#statement", TextView).open(Document(statement, steps=False))

    def _show_heading(self) -> None:
        if self.trace is not None:
            self.query_one("#heading", Lines).lines = heading(self.trace, self.size.width - 2)

    def _show_crumbs(self) -> None:
        walk, name = self._walk, short_names(self.pair.board.runs)[self._walk.trace.run_id]
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
        if self._sought:
            at, number = view.found
            short = self._sought if len(self._sought) <= _SOUGHT_AT_MOST else self._sought[: _SOUGHT_AT_MOST - 1] + "…"
            notes.append([dim("/"), (f"{short} {at}/{number}", Tone.ACCENT if number else Tone.WARN)])
        return notes
