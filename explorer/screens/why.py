"""Why a problem is inside or outside a run's boundary: all evidence about it for this pair, on one page.

Each line says where it comes from; Enter on one that speaks of traces opens them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from explorer.model.session import Pair, Session
from explorer.model.walk import ALL, Walk
from explorer.model.why import evidence_page
from explorer.model.why_values import Section, Statement
from explorer.render.columns import UNLIMITED, Column
from explorer.render.paragraph import first_lines
from explorer.render.pieces import Line, Tone, dim, flow, joined, plain, strong, width_of
from explorer.render.text import one_line
from explorer.render.words import MARKS, NONE, correct_of, counted, extra_of
from explorer.render.wrapped import wrapped
from explorer.screens.base import CouldNotRead, ExplorerScreen, Here
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.virtual_list import Heading, Row, Table, VirtualList
from store.names import Link
from store.rows import ProblemRow

_COLUMN = (Column("", 10, most=UNLIMITED),)
_STATEMENT_LINES = 3
_AROUND, _FURTHER = 3, 4
"""Cells that a line leaves free for the pointer and before a scroll bar; those by which further lines are set in."""


@dataclass
class PageRead(Message):
    problem: ProblemRow
    """Whole."""
    sections: Sequence[Section]


class WhyScreen(ExplorerScreen[None]):
    """The evidence about one problem."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "read", key_display="Enter", id="why.open", tooltip="Read the traces this line speaks of"),
        Binding("R", "again", "read again", show=False, id="why.again", tooltip="Gather it all again"),
        Binding("escape", "back", "back", key_display="Esc", id="why.back", tooltip="Back to where you were"),
    ]

    DEFAULT_CSS = """
    WhyScreen #about { padding: 0 2; margin: 0 0 1 0; }
    WhyScreen.-low #about { margin: 0; }
    """

    def __init__(self, session: Session, pair: Pair, problem: ProblemRow) -> None:
        super().__init__(session)
        self.pair = pair
        self.problem = problem
        self._sections: Sequence[Section] | None = None
        self._failure = ""
        self._rows: list[Line | Statement] = []
        """What stands on each line: of a statement its first line, then a plain one for each further one."""
        self._lines: list[Line] = []

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="about")
        yield VirtualList(id="evidence")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show_about()
        self._show()
        self._begin()

    @property
    def here(self) -> Here:
        return Here(self.pair, self.problem, Link(self.pair.base.slug, self.problem.benchmark, self.problem.key))

    @property
    def selected(self) -> Statement | None:
        """What the line under the cursor states."""
        place = self.query_one(VirtualList).cursor
        row = self._rows[place] if place < len(self._rows) else None
        return row if isinstance(row, Statement) else None

    @on(PageRead)
    def show_page(self, message: PageRead) -> None:
        self.problem, self._sections, self._failure = message.problem, message.sections, ""
        self._show_about()
        self._show()

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group == "why":
            self._failure = message.sentence
            self._show()

    def study_changed(self) -> None:
        self._begin()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_about)
        self.call_after_refresh(self._show)

    def action_again(self) -> None:
        self._sections = None
        self._show()
        self._begin()

    def action_open(self) -> None:
        chosen = self.selected
        if chosen is None or not chosen.traces:
            self.say("this line speaks of no trace; those with › do")
            return
        self.go("reader", self.pair, Walk((self.problem,), 0, tuple(chosen.traces), 0, ALL))

    def action_back(self) -> None:
        self.dismiss()

    def _begin(self) -> None:
        session, pair, problem = self.session, self.pair, self.problem

        def work() -> PageRead:
            whole = session.study.problem(problem.benchmark, problem.key)
            return PageRead(whole, evidence_page(session, pair, problem))

        self.read("why", work)

    def _show_about(self) -> None:
        problem, about = self.problem, self.query_one("#about", Lines)
        most = 1 if self.is_low else _STATEMENT_LINES
        counts: list[Line] = [
            [
                (mark + word, tone),
                plain(f" {correct_of(count)}"),
                (f" {more}" if (more := extra_of(count)) else "", Tone.ACCENT),
            ]
            for run, word, (mark, tone) in zip(self.pair.runs, self.pair.words, MARKS, strict=False)
            for count in [self.pair.count(run, problem)]
        ]
        reference = [dim("reference "), strong(one_line(problem.reference) if problem.reference is not None else NONE)]
        statement = problem.statement or "no statement in this study"
        about.lines = [*first_lines(statement, max(20, about.view_width), most), joined([reference, *counts])]
        self.set_crumbs(problem.benchmark, problem.key, "why", notes=[[dim("by "), plain(self.pair.board.verifier)]])

    def _show(self) -> None:
        shown, place = self.query_one(VirtualList), self.query_one(VirtualList).cursor
        self._rows, self._lines = [], []
        for section in self._sections or ():
            self._add([strong(section.title)], None)
            for statement in section.statements:
                self._add_statement(statement, max(20, shown.view_width - _AROUND))
        lines, rows = self._lines, self._rows

        def row(at: int) -> Row | Heading:
            return Row([lines[at]]) if isinstance(rows[at], Statement) else Heading(lines[at])

        empty = f"not read, R reads again: {self._failure}" if self._failure else "gathering the evidence …"
        shown.show(Table(_COLUMN, len(rows), row, empty=empty, titles=False), place)

    def _add_statement(self, statement: Statement, width: int) -> None:
        opens = [dim(f"› {counted(len(statement.traces), 'trace')}")] if statement.traces else []
        parts = [*statement.parts, *([opens] if opens else []), [dim(statement.source)]]
        first = next((n for n in range(len(parts), 0, -1) if len(flow(parts[:n], width)) == 1), len(parts))
        lines: list[Line] = []
        for line in [*flow(parts[:first], width), *flow(parts[first:], width - _FURTHER)]:
            fits = width_of(line) <= width - _FURTHER * bool(lines)
            lines += [line] if fits else wrapped(line, width - _FURTHER)
        for number, line in enumerate(lines):
            self._add(line if not number else [plain(" " * _FURTHER), *line], statement if not number else None)

    def _add(self, line: Line, statement: Statement | None) -> None:
        self._lines.append(line)
        self._rows.append(line if statement is None else statement)
