"""The traces of one problem, every run's, each with its verdict, answer, and the file's own score beside ours.

They lie in one list, grouped by answer, or side by side for the two runs compared. Everything that is counted is counted in the
worker that reads them (`explorer.model.tracelist`); how suspicious right answers are is worked out there too, where it is not
stored, and shown as it arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer

from explorer.model.session import Pair, Session
from explorer.model.trace_table import EXTRA, Sight
from explorer.model.tracelist import Habits, TraceList, TraceOrder, View, ordered, read_traces, to_suspect
from explorer.model.walk import ALL, Choice, Goal, Place, Walk, choices
from explorer.render.chips import Chip, chips
from explorer.render.histogram import histogram
from explorer.render.paragraph import first_lines
from explorer.render.pieces import Line, Tone, dim, fitted, plain, strong
from explorer.render.text import one_line
from explorer.render.words import NONE, correct_of, counted, outcome, short_names
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.filtering import FILTER, Filtering
from explorer.screens.reader import ReaderScreen
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.prompt import Prompt
from explorer.widgets.trace_lists import TraceLists
from store.names import Link
from store.rows import ProblemRow, TraceRow

_PROBLEM = Binding.Group("problem")
_STATEMENT_LINES = 3
_TALL = 40
"""Lines of a terminal from which every run's answers have room above the list."""
_RUNS_ON_TALL, _RUNS_ON_LOW = 8, 2
_BESIDE_CELLS: Final = 120
"""Cells that two lists beside each other need."""
_REST_SECONDS: Final = 0.3
"""How long somebody stays with a problem before its right answers are looked at."""
_SUSPECTED_AT_ONCE: Final = 20
"""Suspicions are shown in parts of so many."""


@dataclass
class TracesRead(Message):
    """One problem whole, and its traces."""

    read: TraceList


@dataclass
class Suspected(Message):
    """How suspicious some right answers of a problem are, by sample id."""

    problem_id: int
    scores: Mapping[int, float]
    are_last: bool


class TracesScreen(Filtering[Place]):
    """Hands back the problem it ended on: the Reader may have gone to another one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "read", key_display="Enter", id="traces.open", tooltip="Read this trace, or open this group"),
        Binding(
            "tab",
            "choose(1)",
            "next filter",
            key_display="Tab",
            id="traces.next_filter",
            tooltip="Only correct, incorrect, … traces, or one run's; side by side: to the other run's list",
        ),
        Binding(
            "shift+tab", "choose(-1)", "previous filter", show=False, id="traces.previous_filter", tooltip="The filter before"
        ),
        Binding("o", "lie", "group", id="traces.view", tooltip="One list, grouped by answer, or the two runs side by side"),
        Binding("s", "sort", "sort", id="traces.sort", tooltip="Order by length, perplexity, suspicion or label"),
        FILTER,
        Binding(
            "=",
            "compare",
            "compare",
            key_display="=",
            id="traces.compare",
            tooltip="Mark this trace, then = on another one compares the two; = twice on one looks for its counterpart",
        ),
        Binding(
            "J",
            "problem(1)",
            "next problem",
            group=_PROBLEM,
            id="traces.next_problem",
            tooltip="The traces of the next problem",
        ),
        Binding(
            "K",
            "problem(-1)",
            "previous problem",
            group=_PROBLEM,
            id="traces.previous_problem",
            tooltip="The traces of the problem before",
        ),
        Binding("w", "why", "why", show=False, id="traces.why", tooltip="All evidence about this problem on one page"),
        Binding("right", "unfold(True)", "open group", show=False, id="traces.unfold", tooltip="Open the group of answers"),
        Binding("left", "unfold(False)", "close group", show=False, id="traces.fold", tooltip="Close the group of answers"),
        Binding(
            "1,2,3,4,5,6,7,8",
            "read_first",
            "label",
            show=False,
            key_display="1-8",
            id="traces.digits",
            tooltip="A digit labels the trace that is read: Enter reads it first",
        ),
        Binding("R", "again", "read again", show=False, id="traces.again", tooltip="Read the traces again"),
        Binding(
            "escape", "back", "back", key_display="Esc", id="traces.back", tooltip="Drop the filter, else back to the problems"
        ),
    ]

    DEFAULT_CSS = """
    TracesScreen #about { padding: 0 2; margin: 0 0 1 0; }
    TracesScreen.-low #about { margin: 0; }
    """

    choice: reactive[Choice] = reactive(ALL, init=False)

    def __init__(
        self,
        session: Session,
        pair: Pair,
        problems: tuple[ProblemRow, ...],
        at: int,
        goto: Goal | None = None,
        expression: str = "",
        habits: Habits | None = None,
        begin: Choice = ALL,
    ) -> None:
        """expression: a filter. Where no trace of a problem fits it, it found the problem by other things: all are listed.

        habits: how the traces lie and are ordered; changed here, for the next problem.

        begin: which traces are listed first, where there are some. From a set that one run alone solves, that is the right
        ones: whoever opens such a problem asks how it was solved, and among a thousand wrong traces its few right ones are
        far down. The pair's runs come before all others, and Tab leads to the rest.
        """
        super().__init__(session, expression)
        self.pair = pair
        self._problems = problems
        self._at = at
        self._goto = goto
        self._want_sample: int | None = goto.trace.row.sample_id if goto and goto.trace else None
        self._runs = pair.runs_first()
        self._names = short_names(pair.board.runs)
        self._read = TraceList(problems[at])
        self._is_read = False
        self._inherited = self.wanted
        self._failure: str | None = None
        self._suspicions: dict[int, float] = {}
        self._is_suspecting = False
        self._rest: Timer | None = None
        self._marked: int | None = None
        self._habits = habits or Habits()
        self._begin_with: Choice | None = begin
        """Until the first traces are there, or somebody has chosen."""
        self.listed: list[TraceRow] = []
        """The traces that the filters leave, in order."""

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="about")
        yield Lines(id="chips")
        yield TraceLists(id="lists")
        yield Prompt(id="prompt")
        yield KeyLine()

    def on_mount(self) -> None:
        self._lists.first.focus()
        self._list_rows()
        self._begin()

    @property
    def problem(self) -> ProblemRow:
        return self._problems[self._at]

    @property
    def view(self) -> View:
        """How they lie; side by side only where there is room."""
        is_beside = self._habits.view is View.BESIDE and (self.pair.other is None or self.size.width < _BESIDE_CELLS)
        return View.FLAT if is_beside else self._habits.view

    @property
    def selected(self) -> TraceRow | None:
        """The trace under the cursor; None on a group, and where nothing is listed."""
        return self._lists.selected

    @property
    def here(self) -> Here:
        row = self.selected
        slug = self.pair.base.slug if row is None else next(run.slug for run in self._runs if run.run_id == row.run_id)
        link = Link(slug, self.problem.benchmark, self.problem.key, None if row is None else row.idx)
        return Here(self.pair, self.problem, link)

    @property
    def _lists(self) -> TraceLists:
        return self.query_one(TraceLists)

    @on(TracesRead)
    def show_traces(self, message: TracesRead) -> None:
        if message.read.problem.problem_id != self.problem.problem_id:
            return
        self._read, self._is_read, self.narrowed = message.read, True, message.read.narrowed
        begin, self._begin_with = self._begin_with, None
        if begin is not None and begin in self._sizes:
            self.set_reactive(TracesScreen.choice, begin)
        self._suspect()
        self._list_rows()
        if self._goto is not None:
            goto, self._goto = self._goto, None
            if goto.read:
                self.open_reader(goto.step)

    @on(Suspected)
    def show_suspected(self, message: Suspected) -> None:
        if message.problem_id != self.problem.problem_id:
            return
        self._suspicions |= message.scores
        self._is_suspecting = not message.are_last
        if message.are_last and self._habits.order is TraceOrder.SUSPICION:
            self._list_rows()
        else:
            self._lists.update_rows()

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group == "suspicion":
            self._is_suspecting = False
        elif message.group == "traces":
            self._failure = message.sentence
        self._list_rows()

    def study_changed(self) -> None:
        if self._is_read:
            self._want_sample = self.selected.sample_id if self.selected else None
            self._begin()

    def narrow(self) -> None:
        self._inherited = None
        self._begin()
        self._show_about()

    def watch_choice(self) -> None:
        self._list_rows()

    def on_resize(self) -> None:
        # What is said of the problem is wrapped for its width, which it gets after the screen has got its own.
        self.call_after_refresh(self._show_about)
        if self._habits.view is View.BESIDE:
            self.call_after_refresh(self._list_rows)

    def action_all_hits(self) -> None:
        """Sets are this pair's, as here."""
        self.go("found", "" if self.wanted is None else self.wanted.text, None, self.pair)

    def action_read_first(self) -> None:
        self.say("a digit labels the trace that is read: Enter reads this one")

    def action_choose(self, by: int) -> None:
        self._begin_with = None
        if self.view is View.BESIDE and by > 0:
            self._lists.switch()
            return
        offered = self._offered()
        self.choice = offered[(offered.index(self.choice) + by) % len(offered)]

    def action_lie(self) -> None:
        views = list(View)
        self._habits.view = views[(views.index(self._habits.view) + 1) % len(views)]
        if self._habits.view is View.BESIDE and self.view is View.FLAT:
            needs = "another run to compare with" if self.pair.other is None else f"a terminal of {_BESIDE_CELLS} cells"
            self.say(f"one list: side by side needs {needs}")
            self._habits.view = View.FLAT
        self._list_rows()

    def action_sort(self) -> None:
        orders = list(TraceOrder)
        self._habits.order = orders[(orders.index(self._habits.order) + 1) % len(orders)]
        self._list_rows()

    def action_unfold(self, wide: bool) -> None:
        """Open the group under the cursor, or close the one the cursor is in."""
        sample_id = self._lists.fold(wide=wide)
        if sample_id is not None:
            self._want_sample = sample_id
            self._list_rows()

    def action_problem(self, by: int) -> None:
        at = self._at + by
        if 0 <= at < len(self._problems):
            self._go_to(at, None)
        else:
            self.say_end(by, "problem of the list")

    def action_again(self) -> None:
        self._go_to(self._at, self.selected.sample_id if self.selected else None)

    def action_open(self) -> None:
        if self._lists.is_on_group:
            self.action_unfold(True)
            return
        if self.selected is None:
            self.say(f"no trace to read: {self._empty()}")
        self.open_reader()

    def action_compare(self) -> None:
        row = self.selected
        if row is None:
            self.say("no trace under the cursor to compare")
        elif self._marked is None:
            self._marked = row.sample_id
            self._list_rows()
            self.say("marked: = on another trace compares the two, = again looks for a counterpart")
        else:
            first, self._marked = self._marked, None
            self._list_rows()
            self.go("compare", self.pair, first, None if first == row.sample_id else row.sample_id)

    def action_why(self) -> None:
        self.go("why", self.pair, self.problem)

    def open_reader(self, step: int = 1) -> None:
        row = self.selected
        if row is None:
            return
        traces = self._lists.way(row)
        at = next(at for at, trace in enumerate(traces) if trace.sample_id == row.sample_id)
        walk = Walk(self._problems, self._at, tuple(traces), at, self.choice)
        sought = self.wanted.words[:1] if self.wanted is not None else ()
        self.app.push_screen(ReaderScreen(self.session, self.pair, walk, step, *sought), self._come_back)

    def action_back(self) -> None:
        if self.wanted is not None and self.wanted != self._inherited:
            self.set_filter(None)
        else:
            self.dismiss(Place(self.problem))

    def _come_back(self, place: Place | None) -> None:
        if place is None:
            return
        at = next(at for at, problem in enumerate(self._problems) if problem == place.problem)
        if place.choice is not None:
            self.set_reactive(TracesScreen.choice, place.choice)
        if at == self._at:
            self._want_sample = place.sample_id
            self._list_rows()
        else:
            self._go_to(at, place.sample_id)

    def _go_to(self, at: int, sample_id: int | None) -> None:
        self._at, self._want_sample = at, sample_id
        self._read, self._is_read, self._failure = TraceList(self.problem), False, None
        self.narrowed, self._suspicions, self._is_suspecting = None, {}, False
        self.workers.cancel_group(self, "suspicion")
        self._list_rows()
        self._begin()

    def _begin(self) -> None:
        session, pair, problem, runs, wanted = self.session, self.pair, self.problem, self._runs, self.wanted
        self.read("traces", lambda: TracesRead(read_traces(session, pair, problem, runs, wanted)))

    def _suspect(self) -> None:
        """Work out how suspicious the right answers are, where the study does not say."""
        session, problem_id = self.session, self.problem.problem_id
        ids = [sample_id for sample_id in to_suspect(self._read.rows, self.pair) if sample_id not in self._suspicions]
        self._is_suspecting = bool(ids)

        def work() -> Iterator[Suspected]:
            from engine.suspecting import suspect

            scores: dict[int, float] = {}
            with session.apart() as study:
                for one in suspect(study, ids, session.verifier):
                    scores[one.sample_id] = one.score
                    if len(scores) == _SUSPECTED_AT_ONCE:
                        yield Suspected(problem_id, scores, are_last=False)
                        scores = {}
            yield Suspected(problem_id, scores, are_last=True)

        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, lambda: self.stream("suspicion", work)) if ids else None

    # -- what is listed ------------------------------------------------------------------------------------------------

    @property
    def _kept(self) -> Sequence[TraceRow]:
        """What the typed filter leaves; all, where it was brought along and fits no trace here."""
        if self.narrowed is None or self._is_set_aside:
            return self._read.rows
        return [row for row in self._read.rows if row.sample_id in self.narrowed.whole]

    @property
    def _is_set_aside(self) -> bool:
        """The filter of the Problems screen found this problem by something that is in none of its traces."""
        return self.narrowed is not None and self.wanted == self._inherited and not self.narrowed.whole

    def _list_rows(self) -> None:
        before = self._want_sample or (self.selected.sample_id if self.selected else None)
        self._want_sample = None if self._read.rows else self._want_sample
        kept = [row for row in self._kept if self.choice.fits(row)]
        self.listed = ordered(kept, self._habits.order, self._suspicions)
        self._lists.show(self._read, self.listed, self.view, self._sight(), before=before, empty=self._empty())
        self._show_about()

    def _sight(self) -> Sight:
        return Sight(self.pair, self._names, self._suspicions, self._is_suspecting, self._marked)

    def _offered(self) -> list[Choice]:
        """All, the one in force, and every filter that leaves some traces."""
        return [choice for choice in choices(self._runs) if choice == self.choice or choice in self._sizes]

    @property
    def _sizes(self) -> Mapping[Choice, int]:
        return self._read.unfiltered if self._is_set_aside else self._read.sizes

    # -- what is said of it --------------------------------------------------------------------------------------------

    def _show_about(self) -> None:
        problem, about = self._read.problem, self.query_one("#about", Lines)
        statement, most = problem.statement or "no statement in this study", 1 if self.is_low else _STATEMENT_LINES
        lines = list(first_lines(statement, max(20, about.view_width), most))
        lines.append([dim("reference "), strong(one_line(problem.reference) if problem.reference is not None else NONE)])
        about.lines = [*lines, *self._answer_lines()]
        self._show_chips()
        self._show_crumbs()

    def _show_crumbs(self) -> None:
        notes: list[Line] = [[dim(f"problem {self._at + 1} of {len(self._problems)}")]] if self.size.width >= 100 else []
        notes.append([dim("by "), plain(self.pair.board.verifier)])
        if self.view is not View.FLAT:
            notes.append([plain(self.view)])
        if self._habits.order is not TraceOrder.STUDY:
            notes.append([dim("by "), plain(self._habits.order)])
        if "extra" in self._read.known:
            beyond = sum(row.extra for row in self._read.rows)
            notes.append([(EXTRA, Tone.ACCENT), dim(f" {counted(beyond, 'extra sample')}")])
        if self.wanted is not None and self._is_read:
            shown = f"{len(self.listed):,} of {len(self._read.rows):,}"
            notes.append([dim("no trace fits: all shown")] if self._is_set_aside else [(shown, Tone.ACCENT)])
        self.set_crumbs(self.problem.benchmark, self.problem.key, notes=notes)

    def _show_chips(self) -> None:
        line = self.query_one("#chips", Lines)
        terms = self.terms_line(None if self.narrowed is None else len(self.narrowed.whole), len(self._read.rows))
        if not self._is_read:
            line.lines = [[], *terms]
            return
        offered = self._offered()
        made = [
            Chip(self._word(choice), self._sizes.get(choice, 0), self._tone(choice), is_name=choice.run is not None)
            for choice in offered
        ]
        counts = [count for run in self._runs if (count := self.pair.count(run, self.problem)) is not None]
        if any(count.is_part for count in counts):  # the first is all of them
            made[0] = replace(made[0], of=sum(max(count.counted, count.samples) for count in counts))
        line.lines = [chips(made, offered.index(self.choice), self.size.width), *terms]

    def _answer_lines(self) -> list[Line]:
        if self.is_low:
            return []
        width = min(max(map(len, self._names.values())), 24)
        lines: list[Line] = []
        for run in self._runs:
            own, count, name = self._read.answers.get(run.run_id), self.pair.count(run, self.problem), self._names[run.run_id]
            label = [self.pair.mark(run.run_id), *fitted([plain(name)], width, middle=True), plain("  ")]
            if own:
                lines.append([*label, *histogram(own, count)])
            elif count is not None and count.samples and not self._is_read:
                lines.append([*label, dim("…")])  # so that nothing moves when they are read
            elif count is not None and self._is_read:
                said = f"counts only: no traces were imported for {name} ({correct_of(count)})"
                lines.append([self.pair.mark(run.run_id), (said, Tone.WARN)])
        return lines[: _RUNS_ON_TALL if self.size.height >= _TALL else _RUNS_ON_LOW]

    def _empty(self) -> str:
        """Why no trace is listed."""
        if self._failure is not None:
            return f"not read, R reads again: {self._failure}"
        if not self._is_read:
            return "reading …"
        if self._read.rows:
            if self.narrowed is not None and self.narrowed.hint:
                return self.narrowed.hint
            dropped = "Esc drops the filter, " if self.wanted is not None else ""
            return f"none of these traces fits: {dropped}Tab changes the choice"
        return self._without_traces()

    def _without_traces(self) -> str:
        counted_only = any(self.pair.count(run, self.problem) is not None for run in self._runs)
        return (
            "counts only: no traces of this problem were imported"
            if counted_only
            else "no traces of this problem were imported"
        )

    def _word(self, choice: Choice) -> str:
        return choice.word if choice.run is None else self.pair.mark(choice.run.run_id)[0] + self._names[choice.run.run_id]

    def _tone(self, choice: Choice) -> Tone:
        if choice.run is not None:
            return self.pair.mark(choice.run.run_id)[1]
        return Tone.WARN if choice.disputed else outcome(choice.outcome)[1] if choice.outcome else Tone.PLAIN
