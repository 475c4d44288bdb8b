"""The first screen: every run with its rates and its health, and how the one under the cursor compares to the baseline.

The first paint shows stored tallies; pass@k beyond 1, curves, sets and what is uncertain about them come from workers that
begin after it. What jobs and audits add to the study meanwhile is read again in place: the cursor stays, and old figures stand
until the new ones are there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.reactive import reactive

from explorer.model.about_pair import about_pair, pair_curves
from explorer.model.every_run import against_lines, everyone
from explorer.model.numbers import (
    board_limits,
    common_k,
    study_numbers,
)
from explorer.model.run_health import health_parts
from explorer.model.session import Pair, Session
from explorer.model.study_table import Known, study_columns
from explorer.model.tallies import run_tallies
from explorer.model.walk import Goal
from explorer.render.columns import UNLIMITED
from explorer.render.pieces import Line, Piece, dim, flow, plain, strong
from explorer.render.words import MARKS, counted
from explorer.screens.base import CouldNotRead, ExplorerScreen, Here
from explorer.screens.problems import ProblemsScreen
from explorer.screens.study_reading import (
    BoardsRead,
    DepthReady,
    EveryoneReady,
    LimitsReady,
    NumbersReady,
    Painted,
    PairKey,
    PairReady,
    RunsRead,
    compared,
    deeper,
    key_of,
)
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.passk_plot import PassKPlot
from explorer.widgets.virtual_list import Heading, Row, Table, VirtualList
from store.measures import drawn, labelled
from store.names import Link
from store.rows import RunRow

_NO_RUNS: Final = "no runs in this study yet: `basebound import` adds some, R reads again"
_HEALTH_LINES: Final = 2


class StudyScreen(ExplorerScreen[None]):
    """Runs of all benchmarks in one list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "problems",
            key_display="Enter",
            id="study.open",
            tooltip="The problems of this benchmark, this run beside the baseline",
        ),
        Binding("c", "baseline", "baseline", id="study.baseline", tooltip="Make the run under the cursor the baseline"),
        Binding("/", "search", "search", key_display="/", id="study.search", tooltip="Search all traces of this benchmark"),
        Binding(
            "R",
            "again",
            "read again",
            show=False,
            id="study.again",
            tooltip="Read the study again: a job may have added to it",
        ),
    ]

    HORIZONTAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-narrow"), (160, "-wide")]  # noqa: RUF012 - not ours

    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-high"), (48, "-tall")]  # noqa: RUF012 - not ours

    DEFAULT_CSS = """
    StudyScreen .main { layout: vertical; height: 1fr; }
    StudyScreen .left { height: auto; width: 1fr; }
    StudyScreen #runs { height: auto; max-height: 11; }
    StudyScreen #health { padding: 0 0 0 2; max-height: 2; }
    StudyScreen #pair { margin: 1 0 0 0; padding: 0 0 0 2; }
    StudyScreen #everyone { display: none; margin: 1 0 0 0; padding: 0 0 0 2; }
    StudyScreen.-tall #everyone { display: block; }
    StudyScreen #plot { margin: 1 2 0 2; }
    StudyScreen.-low #plot { display: none; }
    StudyScreen.-low .left { height: 1fr; }
    StudyScreen.-low #runs { height: 1fr; max-height: 100%; }
    StudyScreen.-low #health { max-height: 1; }
    StudyScreen.-low #pair { margin: 0; max-height: 2; }
    StudyScreen.-wide .main { layout: horizontal; }
    StudyScreen.-wide .left { height: 1fr; width: 18fr; }
    StudyScreen.-wide #runs { max-height: 60%; }
    StudyScreen.-wide.-low #runs { max-height: 100%; }
    StudyScreen.-wide #plot { width: 7fr; margin: 0 1 1 2; max-height: 40; }
    """

    known: reactive[Known | None] = reactive(None, init=False)
    """What there is to say of the runs: the list paints itself where it changes."""

    def __init__(self, session: Session, goto: Goal | None = None) -> None:
        super().__init__(session)
        self._goto = goto
        self._baselines: dict[str, int] = {}
        """By benchmark, the run_id of the one that was chosen."""
        self._is_painted = False
        self._pairs: dict[PairKey, PairReady] = {}
        self._depths: dict[PairKey, DepthReady] = {}
        self._everyone: EveryoneReady | None = None
        self._comparing: Pair | None = None
        """The pair that a worker is asked about, so that nobody asks twice."""
        self._boards = session.boards
        self._places = _places(session)
        self.set_reactive(StudyScreen.known, self._stock())

    def compose(self) -> ComposeResult:
        yield Crumbs()
        with Container(classes="main"):
            with Vertical(classes="left"):
                yield VirtualList(id="runs")
                yield Lines(id="health")
                yield Lines(id="pair")
                yield Lines(id="everyone")
            yield PassKPlot(id="plot")
        yield KeyLine()

    def on_mount(self) -> None:
        self.set_crumbs(notes=[[dim("verdicts by "), plain(self.session.verifier)]] if self.session.verifier else [])
        self.query_one(VirtualList).show(self._table())
        if self._goto is not None:
            self._select(self._goto.run.run_id)
            if self._goto.way:
                self.action_way(self._goto.way)
            elif self._goto.problem is not None:
                self.open_problems(self._goto)
        self.call_after_refresh(self.post_message, Painted())

    def on_screen_resume(self) -> None:
        self.study_changed()

    @property
    def here(self) -> Here | None:
        run, pair = self._run(), self._pair()
        return None if run is None or pair is None else Here(pair, None, Link(run.slug))

    @on(Painted)
    def begin_reading(self) -> None:
        self._is_painted = True
        self._read_runs()
        self._read_numbers()

    def study_changed(self) -> None:
        if self._is_painted:
            self._read_again(asked=False)

    @on(BoardsRead)
    def show_boards(self, message: BoardsRead) -> None:
        if message.boards is not None:
            self.session.take(message.boards)
        # Another screen may have taken newer ones meanwhile.
        if self.session.boards is not self._boards:
            self._take_stock()
        elif message.asked:
            self.say("nothing has changed in the study")

    def _take_stock(self) -> None:
        """Show the session's boards: the cursor stays on its run, what workers found out stands until they find out more."""
        run, self._boards = self._run(), self.session.boards
        self._places = _places(self.session)
        self.set_reactive(StudyScreen.known, self._stock())
        self.query_one(VirtualList).show(self._table(), self._place_of(None if run is None else run.run_id))
        self._read_runs()
        self._read_numbers()

    @on(RunsRead)
    def show_runs(self, message: RunsRead) -> None:
        self.known = replace(self._known, drawn=message.drawn, labelled=message.labelled)

    @on(NumbersReady)
    def show_numbers(self, message: NumbersReady) -> None:
        self.known = replace(self._known, numbers=message.numbers)
        self._compare()
        boards = self.session.boards
        self.read("limits", lambda: LimitsReady({k: v for board in boards.values() for k, v in board_limits(board).items()}))

    @on(LimitsReady)
    def show_limits(self, message: LimitsReady) -> None:
        self.known = replace(self._known, limits=message.limits)

    def watch_known(self) -> None:
        runs = self.query_one(VirtualList)
        runs.show(self._table(), runs.cursor)

    def action_again(self) -> None:
        self._read_again(asked=True)

    @on(VirtualList.Highlighted)
    def run_under_cursor(self) -> None:
        self.query_one(VirtualList).update_rows()
        self._show_health()
        self._show_pair()
        if self._known.numbers.ours:
            self._compare()

    def on_resize(self) -> None:
        # Both are laid out for their width, which they get after the screen has got its own.
        self.call_after_refresh(self._lay_out)

    def _lay_out(self) -> None:
        self.watch_known()
        self._show_health()
        self._show_pair()

    @on(PairReady)
    def show_pair(self, message: PairReady) -> None:
        # Numbers of boards that have been read again since are no longer true.
        if not self._is_now(message.pair):
            return
        self._pairs[key_of(message.pair)] = message
        self._show_pair()
        self._read_depth(message)

    @on(DepthReady)
    def show_depth(self, message: DepthReady) -> None:
        if message.depth is not None and self._is_now(message.pair):
            self._depths[key_of(message.pair)] = message
            self._comparing = None
            self._show_pair()
            self._read_everyone(message.pair)

    @on(EveryoneReady)
    def show_everyone(self, message: EveryoneReady) -> None:
        if self._is_now(message.pair):
            self._everyone = message
            self._show_everyone()

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group in ("pair", "depth"):
            self._comparing = None

    def action_open(self) -> None:
        if self._run() is None:
            self.say(_NO_RUNS)
        self.open_problems()

    def action_search(self) -> None:
        run = self._run()
        if run is None:
            self.say(_NO_RUNS)
        else:
            self.go("found", "", run.benchmark)

    def action_baseline(self) -> None:
        run = self._run()
        if run is None:
            self.say(_NO_RUNS)
        else:
            self._baselines[run.benchmark] = run.run_id
            self.run_under_cursor()
            self._read_numbers()

    def open_problems(self, goto: Goal | None = None) -> None:
        pair = self._pair()
        if pair is not None:
            self.app.push_screen(ProblemsScreen(self.session, pair, goto))

    @property
    def _known(self) -> Known:
        return self.known or self._stock()

    def _run(self) -> RunRow | None:
        place = self.query_one(VirtualList).cursor
        found = self._places[place] if place < len(self._places) else None
        return found if isinstance(found, RunRow) else None

    def _stock(self) -> Known:
        """All that follows from the session's boards, beside the newest that workers have found out."""
        tallies, has_files = run_tallies(self.session), bool(self.session.file_boards)
        return Known(tallies, has_files=has_files) if self.known is None else replace(self.known, tallies=tallies)

    def _read_again(self, *, asked: bool) -> None:
        session = self.session
        self.read("boards", lambda: BoardsRead(session.newer_boards(), asked))

    def _read_runs(self) -> None:
        study = self.session.study
        self.read("runs", lambda: RunsRead(drawn(study), labelled(study)))

    def _read_numbers(self) -> None:
        boards, files = self.session.boards, self.session.file_boards
        bases = {name: run for name in boards if (run := self._baseline(name)) is not None}
        self.read("numbers", lambda: NumbersReady(study_numbers(boards, files, bases)))

    def _place_of(self, run_id: int | None) -> int:
        """The run's place in the list; the first where there is no such run."""
        places = (place for place, found in enumerate(self._places) if isinstance(found, RunRow) and found.run_id == run_id)
        return next(places, 0)

    def _select(self, run_id: int) -> None:
        self.query_one(VirtualList).show(self._table(), self._place_of(run_id))

    def _baseline(self, benchmark: str) -> RunRow | None:
        chosen = self._baselines.get(benchmark)
        return next((run for run in self.session.boards[benchmark].runs if run.run_id == chosen), None)

    def _pair(self) -> Pair | None:
        run = self._run()
        return None if run is None else self.session.pair(run.benchmark, self._baseline(run.benchmark), run)

    def _is_now(self, pair: Pair) -> bool:
        return pair.board is self.session.boards.get(pair.board.benchmark)

    def _compare(self) -> None:
        """Have workers find out what is not known yet of the pair under the cursor, on the boards as they are now."""
        pair = self._pair()
        if pair is None or self._is_asked(pair):
            return
        key = key_of(pair)
        found, deep = self._pairs.get(key), self._depths.get(key)
        if found is None or not self._is_now(found.pair):
            self._comparing = pair
            self.read("pair", lambda: compared(pair))
        elif deep is None or not self._is_now(deep.pair):
            self._read_depth(found)
        else:
            self._read_everyone(pair)

    def _read_depth(self, found: PairReady) -> None:
        session, self._comparing = self.session, found.pair
        self.read("depth", lambda: deeper(session, found.pair, found.numbers))

    def _read_everyone(self, pair: Pair) -> None:
        """All runs against that baseline, where there is room for them: after what was asked for, since it takes longest."""
        found = self._everyone
        is_known = found is not None and found.pair.board is pair.board and found.pair.base == pair.base
        if self.has_class("-tall") and not is_known:
            self.read("everyone", lambda: EveryoneReady(pair, everyone(pair)))

    def _is_asked(self, pair: Pair) -> bool:
        asked = self._comparing
        return asked is not None and key_of(asked) == key_of(pair) and self._is_now(asked)

    def _show_health(self) -> None:
        """All of the run under the cursor, where the columns may have no room for it."""
        run, line = self._run(), self.query_one("#health", Lines)
        if run is None:
            line.lines = ()
            return
        known = self._known
        found = None if known.drawn is None else known.drawn.get(run.run_id)
        labels = None if known.labelled is None else known.labelled.get(run.run_id, 0)
        parts = health_parts(known.tallies[run.run_id].health, found, labels)
        line.lines = flow(parts, max(20, line.view_width))[:_HEALTH_LINES]

    def _show_pair(self) -> None:
        pair = self._pair()
        if pair is None:
            return
        found, deep = self._pairs.get(key_of(pair)), self._depths.get(key_of(pair))
        about, plot = self.query_one("#pair", Lines), self.query_one(PassKPlot)
        numbers = None if found is None else found.numbers
        depth, stand, beyond = (None, None, ()) if deep is None else (deep.depth, deep.stand, deep.beyond)
        # Where it is low, there are two lines: one for who is compared, one for the sets.
        about.lines = about_pair(pair, numbers, UNLIMITED if self.is_low else about.view_width, depth, stand, beyond)
        curves = None if numbers is None or not numbers.ks else pair_curves(pair, numbers, depth)
        if curves != plot.curves:
            plot.curves = curves
        self._show_everyone()

    def _show_everyone(self) -> None:
        pair, found, line = self._pair(), self._everyone, self.query_one("#everyone", Lines)
        is_known = pair is not None and found is not None and key_of(found.pair)[0] == key_of(pair)[0]
        line.lines = against_lines(pair, found.rows, line.view_width) if is_known and pair and found else []

    def _table(self) -> Table:
        rows = self.query_one(VirtualList)
        runs = [found for found in self._places if isinstance(found, RunRow)]
        shown = study_columns(self._known, runs, self._mark, rows.view_width)
        # A list asks again and again for its rows: what goes over all counts is made once.
        headings = {name: self._heading(name) for name in self.session.boards}

        def row(place: int) -> Row | Heading:
            found = self._places[place]
            return Row([each.cell(found) for each in shown]) if isinstance(found, RunRow) else Heading(headings[found])

        return Table([each.column for each in shown], len(self._places), row, empty=_NO_RUNS)

    def _heading(self, benchmark: str) -> Line:
        board = self.session.boards[benchmark]
        k = common_k(board)
        at = f"k = {k}, 95 % over problems, gap = base pass@{k} - pass@1" if k else "nothing judged"
        about = f" · {counted(len(board.problems), 'problem')} · verdicts by {board.verifier} · {at}"
        return [strong(benchmark), dim(about)]

    def _mark(self, run: RunRow) -> Piece:
        pair = self._pair_of(run.benchmark)
        return MARKS[pair.runs.index(run)] if pair is not None and run in pair.runs else dim("· ")

    def _pair_of(self, benchmark: str) -> Pair | None:
        """The pair that the marks of a benchmark show: the one under the cursor, elsewhere the natural one."""
        here = self._pair()
        if here is not None and here.board.benchmark == benchmark:
            return here
        return self.session.pair(benchmark, self._baseline(benchmark))


def _places(session: Session) -> list[RunRow | str]:
    """What each line of the list holds: a run, or the benchmark whose runs follow."""
    places: list[RunRow | str] = []
    for board in session.boards.values():
        places += (board.benchmark, *board.runs)
    return places
