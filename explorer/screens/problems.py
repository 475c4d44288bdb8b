"""The boundary table: what each of two runs makes of every problem, by sets at their common k.

The table is there at once, from stored counts; sets and evidence, then guess chances, paths, labels and tags come from workers.
Beneath it, the problem under the cursor: statement, reference and which answers each run gave, read a moment after the cursor
has come to rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.timer import Timer

from engine.board import Board, read_board
from explorer.model.boundary import BoundaryRow, Chosen, Order, boundary_rows, matches, select, sizes
from explorer.model.boundary_detail import Answered, detail_lines, read_answers
from explorer.model.boundary_table import boundary_fields
from explorer.model.facts import NO_FACTS, Facts, Proof, proofs, read_facts, read_labels_again
from explorer.model.listing import Narrowed, all_of, found_at_once, narrowed_problems
from explorer.model.numbers import Sets, pair_numbers
from explorer.model.path_walk import RIGHT
from explorer.model.session import Pair, Session
from explorer.model.tracelist import Habits
from explorer.model.walk import ALL, Goal, Place
from explorer.render.chips import Chip, chips
from explorer.render.pieces import Line, Tone, dim, fitted, joined, plain, width_of
from explorer.render.words import MARKS
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.filtering import FILTER, Filtering
from explorer.screens.traces import TracesScreen
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.prompt import Prompt
from explorer.widgets.virtual_list import Row, Table, VirtualList
from store.errors import StudyError
from store.names import Link
from store.query.terms import Compared, Op, Value
from store.rows import ProblemRow

_REST_SECONDS = 0.08
"""How long the cursor rests on a problem before its traces are read: holding j reads nothing."""

_AGAINST: Final = dim("  against  ")
_NONE_FITS = "no problem fits: Esc drops the filter, Tab changes the set"
_AROUND_CRUMBS: Final = 5
"""Blank cells of the first line."""
_ASKED: Final = {
    Chosen.BASE_ONLY: "set:base-only",
    Chosen.OTHER_ONLY: "set:other-only",
    Chosen.BOTH: "set:both",
    Chosen.NEITHER: "set:neither",
    Chosen.UNJUDGED: "set:unjudged",
    Chosen.DISPUTED: "disputed:yes",
}
"""How a filter asks for what a tab shows."""
_DETAIL_LINES: Final = ((45, 9), (32, 8), (0, 6))
"""Lines of the detail, by how many the terminal has at least."""


@dataclass
class SetsReady(Message):
    sets: Sets | None
    proofs: Mapping[int, Proof]


@dataclass
class DisputedCounted(Message):
    """By (run_id, problem_id)."""

    disputed: Mapping[tuple[int, int], int]


@dataclass
class FactsRead(Message):
    facts: Facts


@dataclass
class AnswersRead(Message):
    answered: Answered


@dataclass
class ProblemsNarrowed(Message):
    narrowed: Narrowed


@dataclass
class BoardRead(Message):
    """The benchmark's board as it is now."""

    board: Board


class ProblemsScreen(Filtering[None]):
    """Every problem of a benchmark, for one pair of runs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "traces", key_display="Enter", id="problems.open", tooltip="The traces of this problem"),
        Binding("tab", "choose(1)", "next set", key_display="Tab", id="problems.next_set", tooltip="Show the next set only"),
        Binding(
            "shift+tab", "choose(-1)", "previous set", show=False, id="problems.previous_set", tooltip="Show the set before"
        ),
        Binding(
            "s",
            "sort",
            "sort",
            id="problems.sort",
            tooltip="Order by key, either run's rate, their difference, evidence, paths, or what was audited",
        ),
        Binding(
            "w", "why", "why", id="problems.why", tooltip="Why this problem is in its set: all evidence about it on one page"
        ),
        FILTER,
        Binding("T", "tags", "tags", show=False, id="problems.tags", tooltip="Put words of your own on this problem"),
        Binding("R", "again", "read again", show=False, id="problems.again", tooltip="Read this problem's answers again"),
        Binding(
            "escape", "back", "back", key_display="Esc", id="problems.back", tooltip="Drop the filter, else back to the study"
        ),
    ]

    DEFAULT_CSS = """
    ProblemsScreen #pair { height: 1; padding: 0 1; }
    ProblemsScreen #problems { margin: 1 0 0 0; }
    ProblemsScreen #detail { height: 7; margin: 1 0 0 0; padding: 0 2; }
    ProblemsScreen.-low #problems { margin: 0; }
    ProblemsScreen.-low #detail { display: none; }
    """

    chosen: reactive[Chosen] = reactive(Chosen.ALL, init=False)
    order: reactive[Order] = reactive(Order.STUDY, init=False)

    def __init__(self, session: Session, pair: Pair, goto: Goal | None = None, expression: str = "") -> None:
        super().__init__(session, expression)
        self.pair = pair
        self._goto = goto
        self._file_board = session.file_boards.get(pair.board.benchmark)
        self._sets: Sets | None = None
        self._sets_known = False
        self._proofs: Mapping[int, Proof] = {}
        self._facts = NO_FACTS
        self._disputed: Mapping[tuple[int, int], int] = {}
        self._rows = boundary_rows(pair, None, self._file_board)
        self._fitting = self._rows
        """The rows that the filter leaves."""
        self.listed: list[BoundaryRow] = self._rows
        """The rows that set and filter leave, in order."""
        self._answered: Answered | None = None
        self._rest: Timer | None = None
        self._habits = Habits()

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="pair")
        yield Lines(id="chips")
        yield VirtualList(id="problems")
        yield Lines(id="detail")
        yield Prompt(id="prompt")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_pair()
        self._list_rows()
        if self._goto is not None and self._goto.problem is not None:
            self._select(self._goto.problem)
            if self._goto.trace is not None:
                self.open_traces(self._goto)
        self._read_numbers()
        self.read("facts", lambda: FactsRead(read_facts(self.session, self.pair)))
        if self.wanted is not None:
            self.narrow()

    @property
    def selected(self) -> BoundaryRow | None:
        """The row under the cursor."""
        place = self.query_one(VirtualList).cursor
        return self.listed[place] if place < len(self.listed) else None

    @property
    def here(self) -> Here:
        row = self.selected
        if row is None:
            return Here(self.pair)
        return Here(
            self.pair, row.problem, Link((self.pair.other or self.pair.base).slug, row.problem.benchmark, row.problem.key)
        )

    @on(SetsReady)
    def show_sets(self, message: SetsReady) -> None:
        self._sets, self._sets_known, self._proofs = message.sets, True, message.proofs
        self._make_rows()

    @on(DisputedCounted)
    def show_disputed(self, message: DisputedCounted) -> None:
        self._disputed = message.disputed
        self._make_rows()

    @on(FactsRead)
    def show_facts(self, message: FactsRead) -> None:
        self._facts = message.facts
        self._make_rows()

    @on(BoardRead)
    def take_board(self, message: BoardRead) -> None:
        if message.board != self.pair.board:
            self.pair = replace(self.pair, board=message.board)
            self._make_rows()
            self._read_numbers()

    @on(VirtualList.Highlighted)
    def problem_under_cursor(self) -> None:
        self._show_detail()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST_SECONDS, self._read_answers)

    @on(AnswersRead)
    def show_answers(self, message: AnswersRead) -> None:
        self._answered = message.answered
        self._show_detail()

    @on(ProblemsNarrowed)
    def show_narrowed(self, message: ProblemsNarrowed) -> None:
        if message.narrowed.filter == self.wanted:
            self.narrowed = message.narrowed
            self._list_rows()

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group == "narrow":
            self.failed = True
            self._list_rows()

    def study_changed(self) -> None:
        session, pair = self.session, self.pair

        def again() -> FactsRead:
            audited, tags = read_labels_again(session, pair)
            return FactsRead(replace(self._facts, audited=audited, tags=tags))

        self.read("board", lambda: BoardRead(read_board(session.study, pair.board.benchmark, session.verifier)))
        self.read("facts", again)

    def narrow(self) -> None:
        if self.wanted is not None:
            session, pair, wanted = self.session, self.pair, self.wanted
            self.read("narrow", lambda: ProblemsNarrowed(narrowed_problems(session, pair, wanted)))
        self._list_rows()

    def watch_chosen(self) -> None:
        self._list_rows()

    def watch_order(self) -> None:
        self._list_rows()

    def on_resize(self) -> None:
        self._show_chips()
        # These are laid out for their width, which they get after the screen has got its own.
        self.call_after_refresh(self._show_pair)
        self.call_after_refresh(self._show_detail)

    def action_open(self) -> None:
        if self.selected is None:
            self.say(self._none_fits if self._rows else "no problems here: nothing of this benchmark was imported")
        self.open_traces()

    def action_again(self) -> None:
        self._read_answers()
        self.set_filter(self.wanted)

    def action_choose(self, by: int) -> None:
        offered = self._offered()
        self.chosen = offered[(offered.index(self.chosen) + by) % len(offered)]

    def action_sort(self) -> None:
        of_pairs = (Order.OTHER, Order.DIFFERENCE, Order.EVIDENCE)
        orders = [order for order in Order if self.pair.other is not None or order not in of_pairs]
        self.order = orders[(orders.index(self.order) + 1) % len(orders)]

    def action_why(self) -> None:
        if self.selected is None:
            self.say(self._none_fits)
        else:
            self.go("why", self.pair, self.selected.problem)

    def action_tags(self) -> None:
        row = self.selected
        if row is None:
            self.say(self._none_fits)
            return

        def put(words: str) -> None:
            try:
                self.say(self.session.labels.tag(row.problem, words))
            except (StudyError, ValueError) as error:
                self.say(f"not kept: {error}", error=True)
            self.hear_of_change()

        self.ask_for("your tags of this problem, with blanks between", " ".join(self.session.labels.tags(row.problem)), put)

    def action_all_hits(self) -> None:
        """Every trace that fits, of the problems in the set that is shown. Sets are this pair's, as here."""
        expression = "" if self.wanted is None else self.wanted.text
        if self.chosen in _ASKED:
            benchmark = Compared("benchmark", Op.IS, (Value(self.pair.board.benchmark),)).text
            expression = all_of(expression, _ASKED[self.chosen], benchmark if len(self.session.boards) > 1 else "")
        self.go("found", expression, None, self.pair)

    def action_back(self) -> None:
        if self.wanted is not None:
            self.set_filter(None)
        else:
            self.dismiss()

    def open_traces(self, goto: Goal | None = None) -> None:
        row = self.selected
        if row is not None:
            problems = tuple(shown.problem for shown in self.listed)
            place = self.query_one(VirtualList).cursor
            expression = "" if self.wanted is None else self.wanted.text
            begin = RIGHT if self.chosen in (Chosen.BASE_ONLY, Chosen.OTHER_ONLY) and goto is None else ALL
            screen = TracesScreen(self.session, self.pair, problems, place, goto, expression, self._habits, begin)
            self.app.push_screen(screen, self._come_back)

    def _come_back(self, place: Place | None) -> None:
        if place is not None:
            self._select(place.problem)

    def _select(self, problem: ProblemRow) -> None:
        found = [place for place, row in enumerate(self.listed) if row.problem.problem_id == problem.problem_id]
        self.query_one(VirtualList).cursor = found[0] if found else 0

    def _read_numbers(self) -> None:
        pair, session = self.pair, self.session

        def numbers() -> SetsReady:
            sets = pair_numbers(pair).sets
            return SetsReady(sets, {} if sets is None else proofs(pair, sets.k))

        self.read("sets", numbers)
        self.read("disputed", lambda: DisputedCounted(session.disputed(pair.board.benchmark)))

    def _read_answers(self) -> None:
        row = self.selected
        if row is not None:
            session, pair, problem = self.session, self.pair, row.problem
            self.read("answers", lambda: AnswersRead(read_answers(session, pair, problem)))

    def _make_rows(self) -> None:
        self._rows = boundary_rows(self.pair, self._sets, self._file_board, self._disputed, self._proofs, self._facts)
        self._list_rows()

    def _list_rows(self) -> None:
        """Show the rows again, with the cursor on the same problem where it is still among them."""
        before = self.selected
        fitting = None
        if self.narrowed is not None:
            fitting = self.narrowed.whole
        elif self.wanted is not None:
            fitting = found_at_once((row.problem for row in self._rows), self.wanted)
        self._fitting = select(self._rows, self.order, fitting)
        self.listed = [row for row in self._fitting if matches(row, self.chosen)]
        place = next((at for at, row in enumerate(self.listed) if before and row.problem == before.problem), 0)
        self.query_one(VirtualList).show(self._table(), place)
        self._show_chips()
        self._show_detail()

    @property
    def _none_fits(self) -> str:
        hint = "" if self.narrowed is None else self.narrowed.hint
        return hint or _NONE_FITS

    def _offered(self) -> list[Chosen]:
        """The sets Tab goes through: those that this pair and study can have."""
        without_other = {Chosen.BASE_ONLY, Chosen.OTHER_ONLY, Chosen.BOTH, Chosen.NEITHER}
        return [
            chosen
            for chosen in Chosen
            if (self.pair.other is not None or chosen not in without_other)
            and (chosen is not Chosen.DISPUTED or self._file_board is not None or self._disputed)
            and (chosen is not Chosen.UNJUDGED or not all(row.is_judged for row in self._rows))
        ]

    def _show_chips(self) -> None:
        base, other = self.pair.words
        words = {Chosen.BASE_ONLY: f"{MARKS[0][0]}{base} only", Chosen.OTHER_ONLY: f"{MARKS[1][0]}{other} only"}
        tones = {Chosen.BASE_ONLY: Tone.BASE, Chosen.OTHER_ONLY: Tone.OTHER, Chosen.DISPUTED: Tone.WARN}
        number, offered = sizes(self._fitting), self._offered()
        made = [Chip(words.get(chosen, str(chosen)), number[chosen], tones.get(chosen, Tone.PLAIN)) for chosen in offered]
        left = None if self.narrowed is None else len(self._fitting)
        line = chips(made, offered.index(self.chosen), self.size.width)
        runs = len(self.pair.board.runs)
        is_wide = self.wanted is not None and self.wanted.asks_for_traces and runs > len(self.pair.runs)
        where = f", in any of {runs} runs" if is_wide else ""  # a problem fits where some trace of it does, of whatever run
        self.query_one("#chips", Lines).lines = [line, *self.terms_line(left, len(self._rows), where)]
        self._show_crumbs()

    def _show_crumbs(self) -> None:
        notes: list[Line] = []
        if self._sets is not None:
            notes.append([dim("at k = "), plain(str(self._sets.k))])
        notes.append([dim("by "), plain(self.pair.board.verifier)])
        last: list[Line] = []
        if self.wanted is not None:
            left = f"{len(self.listed):,} of {len(self._rows):,}"
            looking = "not searched: R looks again" if self.failed else "searching …"
            last.append([(left, Tone.ACCENT)] if self.narrowed is not None else [(looking, Tone.WARN)])
        if self.order is not Order.STUDY:
            last.append([dim("sorted by "), plain(self._order_word())])
        way = self.pair.board.benchmark, "problems"
        room = self.size.width - width_of([plain(" › ".join((self.session.name, *way)))]) - _AROUND_CRUMBS
        while (
            last and notes and width_of(joined([*notes, *last])) > room
        ):  # the way here, and what was just done, stay in sight
            notes.pop()
        self.set_crumbs(*way, notes=[*notes, *last])

    def _order_word(self) -> str:
        base, other = self.pair.words
        return {Order.BASE: f"{base} c/n", Order.OTHER: f"{other} c/n"}.get(self.order, str(self.order))

    def _show_pair(self) -> None:
        """Who is compared. Where there is not room for both names, each is cut in its middle: runs differ at their ends."""
        line = self.query_one("#pair", Lines)
        names: list[Line] = [[mark, (run.name, mark[1])] for run, mark in zip(self.pair.runs, MARKS, strict=False)]
        if width_of(joined(names, _AGAINST)) > line.view_width:
            room = max(8, (line.view_width - width_of([_AGAINST])) // len(names))
            names = [fitted(name, min(room, width_of(name)), middle=True) for name in names]
        line.lines = [joined(names, _AGAINST)]

    def _table(self) -> Table:
        fields = boundary_fields(self.pair, self._rows, sets_known=self._sets_known)
        listed = self.listed
        columns = [field.column for field in fields]
        searching = self.wanted is not None and self.narrowed is None and not self.failed
        empty = "searching …" if searching else self._none_fits
        return Table(columns, len(listed), lambda at: Row([field.cell(listed[at]) for field in fields]), empty=empty)

    def _show_detail(self) -> None:
        detail, row = self.query_one("#detail", Lines), self.selected
        height = next(lines for least, lines in _DETAIL_LINES if self.size.height >= least)
        detail.styles.height = height
        if row is None:
            detail.lines = ()
        else:
            detail.lines = detail_lines(self.pair, row, self._answered, max(20, detail.view_width), height)
