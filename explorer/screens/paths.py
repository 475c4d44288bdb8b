"""Reasoning paths of the right answers: which runs take which, for a problem, or for every problem of the benchmark.

Paths are what `basebound paths` has stored: surface clusters, a proxy for strategy. Where it has not run, the screen says so.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from explorer.model.path_tables import paths_table, problem_lines, problems_summary, problems_table
from explorer.model.path_walk import OnPath, PathWalk
from explorer.model.paths import PathRow, ProblemPaths, path_rows, problem_paths, problem_rows
from explorer.model.session import Pair, Session
from explorer.model.walk import Place
from explorer.render.paragraph import first_lines
from explorer.render.pieces import Line, Tone, dim, flow, joined, plain, strong
from explorer.render.text import one_line
from explorer.render.words import MARKS, NONE
from explorer.render.wrapped import wrapped
from explorer.screens.base import CouldNotRead, ExplorerScreen, Here
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.virtual_list import VirtualList
from store import measures
from store.measures import PathCount
from store.names import Link
from store.reader import Study
from store.rows import ProblemRow, TraceRow

_READING: Final = "reading …"
_EXAMPLE_CHARS: Final = 400
_PROBLEM = Binding.Group("problem")


@dataclass
class TableRead(Message):
    """The problems with paths; `found`: whether anything at all was put into paths."""

    rows: Sequence[ProblemPaths]
    found: bool


@dataclass
class ProblemRead(Message):
    problem: ProblemRow
    """Whole."""
    counts: Sequence[PathCount]


@dataclass
class ExamplesRead(Message):
    """First words of a response by path."""

    problem_id: int
    examples: Mapping[int, str]


@dataclass
class TracesRead(Message):
    """The two runs' right traces on one path."""

    problem: ProblemRow
    path: int
    rows: Sequence[TraceRow]


class PathsScreen(ExplorerScreen[Place]):
    """PathsScreen(session, pair, problem): the problem's paths, or, without one, all problems. Hands back where it ended."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="Enter", id="paths.open", tooltip="Read the traces of this path"),
        Binding(
            "J", "problem(1)", "next problem", group=_PROBLEM, id="paths.next_problem", tooltip="Paths of the next problem"
        ),
        Binding(
            "K", "problem(-1)", "previous problem", group=_PROBLEM, id="paths.previous_problem", tooltip="The problem before"
        ),
        Binding("tab", "turn", "all problems", key_display="Tab", id="paths.turn", tooltip="All problems, or the one again"),
        Binding("R", "again", "read again", show=False, id="paths.again", tooltip="Read the paths again"),
        Binding("escape", "back", "back", key_display="Esc", id="paths.back", tooltip="Back to where you came from"),
    ]

    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-high"), (34, "-tall")]  # noqa: RUF012

    DEFAULT_CSS = """
    PathsScreen #about { padding: 0 2; margin: 0 0 1 0; max-height: 8; }
    PathsScreen #detail { padding: 0 2; margin: 1 0 0 0; max-height: 6; }
    PathsScreen.-low #about { margin: 0; max-height: 3; }
    PathsScreen.-low #detail { display: none; }
    PathsScreen.-tall #paths.one { height: auto; max-height: 60%; }
    """

    def __init__(self, session: Session, pair: Pair, problem: ProblemRow | None = None) -> None:
        super().__init__(session)
        self.pair = pair
        self.problem = problem
        """None: the table over all problems."""
        self._came_with = problem
        self._table_read: TableRead | None = None
        self._read_problem: ProblemRead | None = None
        self._examples: Mapping[int, str] = {}
        self._failure: str | None = None
        self.paths: Sequence[PathRow] = ()

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="about")
        yield VirtualList(id="paths")
        yield Lines(id="detail")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show()
        self._read()

    @property
    def here(self) -> Here | None:
        slug, at = (self.pair.other or self.pair.base).slug, self.problem or self._problem_under_cursor()
        return Here(self.pair, at, Link(slug) if at is None else Link(slug, at.benchmark, at.key))

    @property
    def selected(self) -> PathRow | None:
        """The path under the cursor; None in the table over problems."""
        place = self.query_one(VirtualList).cursor
        return self.paths[place] if self.problem is not None and place < len(self.paths) else None

    @property
    def problems(self) -> tuple[ProblemRow, ...]:
        """Those with paths, in the table's order."""
        return () if self._table_read is None else tuple(row.problem for row in self._table_read.rows)

    def study_changed(self) -> None:
        self._read()

    @on(TableRead)
    def show_table(self, message: TableRead) -> None:
        self._table_read, self._failure = message, None
        self._show()

    @on(ProblemRead)
    def show_problem(self, message: ProblemRead) -> None:
        if self.problem is None or message.problem.problem_id != self.problem.problem_id:
            return
        self._read_problem, self._failure, before = message, None, self.selected
        self.paths = path_rows(self.pair, message.counts)
        kept = [at for at, row in enumerate(self.paths) if before is not None and row.path == before.path]
        self._show(cursor=kept[0] if kept else None)
        study, problem_id = self.session.study, message.problem.problem_id
        self.read("examples", lambda: ExamplesRead(problem_id, _examples(study, problem_id)))

    @on(ExamplesRead)
    def show_examples(self, message: ExamplesRead) -> None:
        if self.problem is not None and message.problem_id == self.problem.problem_id:
            self._examples = message.examples
            self._show()

    @on(TracesRead)
    def open_reader(self, message: TracesRead) -> None:
        if not message.rows:
            self.say("none of these traces is judged right any more: `basebound paths` clusters them anew")
            return
        problems = self.problems if message.problem in self.problems else (message.problem,)
        walk = PathWalk(problems, problems.index(message.problem), tuple(message.rows), 0, OnPath(path=message.path))
        self.go("reader", self.pair, walk, back=self._come_back)

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group in ("table", "problem"):
            self._failure = message.sentence
            self._show()

    @on(VirtualList.Highlighted)
    def show_under_cursor(self) -> None:
        self._show_detail()

    def on_resize(self) -> None:
        # These are wrapped for their width, which they get after the screen has got its own.
        self.call_after_refresh(self._show_about)
        self.call_after_refresh(self._show_detail)

    def action_open(self) -> None:
        at = self._problem_under_cursor()
        if at is not None:
            self._go_to(at)
        elif self.selected is None:
            self.say(self._without_any() if self._finds_nothing else self._empty())
        else:
            self._read_traces(self.selected)

    def action_problem(self, by: int) -> None:
        problems = self.problems
        at = self.problem
        if at is None:
            self.query_one(VirtualList).action_move(by)
            return
        place = problems.index(at) + by if at in problems else 0 if by > 0 else len(problems) - 1
        if 0 <= place < len(problems):
            self._go_to(problems[place])
        else:
            self.say_end(by, "problem with paths")

    def action_turn(self) -> None:
        if self.problem is not None:
            self._leave_problem()
        elif (at := self._problem_under_cursor()) is not None:
            self._go_to(at)

    def action_again(self) -> None:
        self._read()

    def action_back(self) -> None:
        if self.problem is not None and self._came_with is None:
            self._leave_problem()
        else:
            self.dismiss(None if self.problem is None else Place(self.problem))

    def _problem_under_cursor(self) -> ProblemRow | None:
        """In the table over problems."""
        place, problems = self.query_one(VirtualList).cursor, self.problems
        return problems[place] if self.problem is None and place < len(problems) else None

    def _leave_problem(self) -> None:
        before, self.problem = self.problem, None
        self._show(cursor=self.problems.index(before) if before in self.problems else 0)

    def _come_back(self, place: Place | None) -> None:
        if place is not None and self.problem is not None and place.problem.problem_id != self.problem.problem_id:
            self._go_to(next((one for one in self.problems if one.problem_id == place.problem.problem_id), self.problem))

    def _go_to(self, problem: ProblemRow) -> None:
        self.problem, self._read_problem, self._examples, self.paths = problem, None, {}, ()
        self._show(cursor=0)
        self._read_one()

    def _read(self) -> None:
        session, pair = self.session, self.pair
        self.read("table", lambda: _table_read(session, pair))
        if self.problem is not None:
            self._read_one()

    def _read_one(self) -> None:
        study, problem = self.session.study, self.problem
        if problem is not None:
            self.read("problem", lambda: _problem_read(study, problem))

    def _read_traces(self, row: PathRow) -> None:
        session, problem, runs, on = self.session, self.problem, self.pair.runs, OnPath(path=row.path)
        if problem is None:
            return

        def work() -> TracesRead:
            return TracesRead(problem, row.path, [trace for trace in session.traces(problem, runs) if on.fits(trace)])

        self.read("traces", work)

    def _show(self, cursor: int | None = None) -> None:
        rows = self.query_one(VirtualList)
        at = rows.cursor if cursor is None else cursor
        rows.set_class(self.problem is not None, "one")
        if self.problem is None:
            of = () if self._table_read is None else self._table_read.rows
            rows.show(problems_table(self.pair, of, self._empty()), at)
        else:
            rows.show(paths_table(self.pair, self.paths, self._examples, self._empty()), at)
        self._show_about()
        self._show_detail()

    def _empty(self) -> str:
        """Why nothing is listed."""
        if self._failure is not None:
            return f"not read, R reads again: {self._failure}"
        if self._table_read is None or (self.problem is not None and self._read_problem is None):
            return _READING
        if self._finds_nothing:
            return "no paths here"
        if self.problem is None:
            return "no right trace of these runs was put into a path"
        return "no right trace of this problem was put into a path: J and K go to problems with some"

    @property
    def _finds_nothing(self) -> bool:
        """Nothing in the study was put into paths."""
        return self._failure is None and self._table_read is not None and not self._table_read.found

    def _without_any(self) -> str:
        if not any(count.samples for count in self.pair.board.cells.values()):
            return "counts only: paths are found in traces, and this benchmark has none"
        command = shlex.join(["basebound", "paths", str(self.session.study.path.resolve())])
        return f"no paths yet: `{command}` clusters the right answers"

    def _show_about(self) -> None:
        about = self.query_one("#about", Lines)
        width = max(20, about.view_width)
        lines = self._about_all(width) if self.problem is None else self._about_problem(self.problem, width)
        about.lines = [*lines, *wrapped([plain(self._without_any())], width)] if self._finds_nothing else lines
        notes: list[Line] = [[dim("paths: wording alike, "), plain(_method())], [dim("by "), plain(self.pair.board.verifier)]]
        way = [self.pair.board.benchmark]
        if self.problem is not None:
            way.append(self.problem.key)
            if self.problem in self.problems:
                notes.insert(0, [dim("problem "), plain(f"{self.problems.index(self.problem) + 1} of {len(self.problems)}")])
        self.set_crumbs(*way, "paths", notes=notes)

    def _about_all(self, width: int) -> list[Line]:
        names: list[Line] = [[mark, (run.name, mark[1])] for run, mark in zip(self.pair.runs, MARKS, strict=False)]
        rows = () if self._table_read is None else self._table_read.rows
        return [joined(names, dim("  against  ")), *(flow(problems_summary(self.pair, rows), width) if rows else [])]

    def _about_problem(self, problem: ProblemRow, width: int) -> list[Line]:
        whole = problem if self._read_problem is None else self._read_problem.problem
        lines = list(first_lines(whole.statement or "no statement in this study", width, 1 if self.is_low else 3))
        if not self.is_low:
            lines.append([dim("reference "), strong(one_line(whole.reference) if whole.reference is not None else NONE)])
        if self._read_problem is None:
            return lines
        return lines + flow(problem_lines(self.pair, problem_paths(self.pair, problem, self._read_problem.counts)), width)

    def _show_detail(self) -> None:
        """More of how a path begins than the list has room for; of a problem, its statement."""
        detail, row, at = self.query_one("#detail", Lines), self.selected, self._problem_under_cursor()
        width = max(20, detail.view_width)
        if row is not None and row.path in self._examples:
            text = one_line(self._examples[row.path]) or "(empty)"
            detail.lines = [[dim(f"path {row.path} begins")], *first_lines(text, width, 5)]
        elif at is not None:
            detail.lines = first_lines(at.statement or "no statement in this study", width, 3)
        else:
            detail.lines = [[("", Tone.PLAIN)]]


def _method() -> str:
    from engine.analyses.surface import METHOD

    return METHOD


def _table_read(session: Session, pair: Pair) -> TableRead:
    # On a connection of its own: over a million traces it takes a second, and what a person asks for must not wait.
    with session.apart() as apart:
        rows = problem_rows(pair, measures.path_counts(apart, _method(), pair.board.benchmark))
        return TableRead(rows, bool(rows) or measures.has_paths(apart, _method()))


def _problem_read(study: Study, problem: ProblemRow) -> ProblemRead:
    whole = study.problem(problem.benchmark, problem.key)
    return ProblemRead(whole, measures.problem_paths(study, _method(), problem.problem_id))


def _examples(study: Study, problem_id: int) -> dict[int, str]:
    first = measures.path_examples(study, _method(), problem_id)
    return {path: study.texts.response(sample_id)[:_EXAMPLE_CHARS] for path, sample_id in first.items()}
