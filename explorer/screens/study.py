"""The first screen: every run with its pass@1 and pass@k, and how the one under the cursor compares to the baseline.

The first paint shows stored tallies; pass@k beyond 1, curves and sets come from workers that begin after it. Who comes back
to it, or presses R, sees what jobs have added to the study meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.message import Message
from textual.reactive import reactive

from explorer.model.comparison import about_pair, pair_curves
from explorer.model.numbers import BoardNumbers, PairNumbers, StudyNumbers, common_k, pair_numbers, study_numbers
from explorer.model.session import Boards, Pair, Session
from explorer.model.tallies import run_tallies
from explorer.model.walk import Goal
from explorer.render.columns import UNLIMITED, Column
from explorer.render.pieces import Line, Tone, dim, plain, strong
from explorer.render.words import MARKS, NONE, counted, percent, role
from explorer.screens.base import ExplorerScreen
from explorer.screens.problems import ProblemsScreen
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.passk_plot import PassKPlot
from explorer.widgets.virtual_list import Heading, Row, Table, VirtualList
from store.rows import RunRow


@dataclass
class Painted(Message):
    """The stored tallies are on the screen; what needs numpy may begin."""


@dataclass
class NumbersReady(Message):
    numbers: StudyNumbers


@dataclass
class PairReady(Message):
    pair: Pair
    numbers: PairNumbers


@dataclass
class BoardsRead(Message):
    """The study's boards as they are now; None where nothing has changed."""

    boards: Boards | None
    asked: bool
    """Whether somebody asked for it, and so wants an answer."""


_NO_RUNS = "no runs in this study yet: `basebound import` adds some, R reads again"

PairKey = tuple[int, int | None]


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
        Binding("R", "again", "read again", id="study.again", tooltip="Read the study again: a job may have added to it"),
    ]

    DEFAULT_CSS = """
    StudyScreen .main { layout: vertical; height: 1fr; }
    StudyScreen .left { height: auto; width: 1fr; }
    StudyScreen #runs { height: auto; max-height: 11; }
    StudyScreen #pair { margin: 1 0 0 0; padding: 0 0 0 2; }
    StudyScreen #plot { margin: 1 2 0 2; }
    StudyScreen.-low #plot { display: none; }
    StudyScreen.-low .left { height: 1fr; }
    StudyScreen.-low #runs { height: 1fr; max-height: 100%; }
    StudyScreen.-low #pair { margin: 0; max-height: 2; }
    StudyScreen.-wide .main { layout: horizontal; }
    StudyScreen.-wide .left { height: 1fr; width: 13fr; }
    StudyScreen.-wide.-high #runs { max-height: 70%; }
    StudyScreen.-wide #plot { width: 7fr; margin: 0 1 1 2; max-height: 30; }
    """

    numbers: reactive[StudyNumbers] = reactive(StudyNumbers())

    def __init__(self, session: Session, goto: Goal | None = None) -> None:
        super().__init__(session)
        self._goto = goto
        self._baselines: dict[str, int] = {}
        """By benchmark, the run_id of the one that was chosen."""
        self._is_painted = False
        self._take_stock()

    def compose(self) -> ComposeResult:
        yield Crumbs()
        with Container(classes="main"):
            with Vertical(classes="left"):
                yield VirtualList(id="runs")
                yield Lines(id="pair")
            yield PassKPlot(id="plot")
        yield KeyLine()

    def on_mount(self) -> None:
        self.set_crumbs(notes=[[dim("verdicts by "), plain(self.session.verifier)]] if self.session.verifier else [])
        self.query_one(VirtualList).show(self._table())
        if self._goto is not None:
            self._select(self._goto.trace.run.run_id)
            self.open_problems(self._goto)
        self.call_after_refresh(self.post_message, Painted())

    def on_screen_resume(self) -> None:
        if self._is_painted:
            self._read_again(asked=False)

    @on(Painted)
    def begin_reading(self) -> None:
        self._is_painted = True
        self._read_numbers()

    @on(BoardsRead)
    def show_boards(self, message: BoardsRead) -> None:
        if message.boards is None:
            if message.asked:
                self.say("nothing has changed in the study")
            return
        run = self._run()
        self.session.take(message.boards)
        self._take_stock()
        self.numbers = StudyNumbers()
        self.query_one(VirtualList).show(self._table(), self._place_of(None if run is None else run.run_id))
        self._read_numbers()

    @on(NumbersReady)
    def show_numbers(self, message: NumbersReady) -> None:
        self.numbers = message.numbers
        self._compare()

    def watch_numbers(self) -> None:
        self.query_one(VirtualList).show(self._table(), self.query_one(VirtualList).cursor)

    def action_again(self) -> None:
        self._read_again(asked=True)

    @on(VirtualList.Highlighted)
    def run_under_cursor(self) -> None:
        self.query_one(VirtualList).update_rows()
        self._show_pair()
        if self.numbers.ours:
            self._compare()

    def on_resize(self) -> None:
        # The summary is laid out for its width, which it gets after the screen has got its own.
        self.call_after_refresh(self._show_pair)

    @on(PairReady)
    def show_pair(self, message: PairReady) -> None:
        # Numbers of boards that have been read again since are no longer true.
        if message.pair.board is self.session.boards.get(message.pair.board.benchmark):
            self._pairs[_key(message.pair)] = message.numbers
            self._show_pair()

    def action_open(self) -> None:
        if self._run() is None:
            self.say(_NO_RUNS)
        self.open_problems()

    def action_baseline(self) -> None:
        run = self._run()
        if run is None:
            self.say(_NO_RUNS)
        else:
            self._baselines[run.benchmark] = run.run_id
            self.run_under_cursor()

    def open_problems(self, goto: Goal | None = None) -> None:
        pair = self._pair()
        if pair is not None:
            self.app.push_screen(ProblemsScreen(self.session, pair, goto))

    def _run(self) -> RunRow | None:
        place = self.query_one(VirtualList).cursor
        found = self._places[place] if place < len(self._places) else None
        return found if isinstance(found, RunRow) else None

    def _take_stock(self) -> None:
        """All that follows from the session's boards."""
        self._places = _places(self.session)
        self._tallies = run_tallies(self.session)
        self._has_notes = any(tally.notes for tally in self._tallies.values())
        self._pairs: dict[PairKey, PairNumbers] = {}

    def _read_again(self, *, asked: bool) -> None:
        session = self.session
        self.read("boards", lambda: BoardsRead(session.newer_boards(), asked))

    def _read_numbers(self) -> None:
        boards, files = self.session.boards, self.session.file_boards
        self.read("numbers", lambda: NumbersReady(study_numbers(boards, files)))

    def _place_of(self, run_id: int | None) -> int:
        """The run's place in the list; the first where there is no such run."""
        places = (place for place, found in enumerate(self._places) if isinstance(found, RunRow) and found.run_id == run_id)
        return next(places, 0)

    def _select(self, run_id: int) -> None:
        rows = self.query_one(VirtualList)
        rows.show(self._table(), self._place_of(run_id))

    def _baseline(self, benchmark: str) -> RunRow | None:
        chosen = self._baselines.get(benchmark)
        return next((run for run in self.session.boards[benchmark].runs if run.run_id == chosen), None)

    def _pair(self) -> Pair | None:
        run = self._run()
        return None if run is None else self.session.pair(run.benchmark, self._baseline(run.benchmark), run)

    def _compare(self) -> None:
        pair = self._pair()
        if pair is not None and _key(pair) not in self._pairs:
            self.read("pair", lambda: _compared(pair))

    def _show_pair(self) -> None:
        pair = self._pair()
        if pair is None:
            return
        numbers = self._pairs.get(_key(pair))
        about = self.query_one("#pair", Lines)
        # Where it is low, there are two lines: one for who is compared, one for the sets.
        about.lines = about_pair(pair, numbers, UNLIMITED if self.is_low else about.view_width)
        self.query_one(PassKPlot).curves = None if numbers is None or not numbers.ks else pair_curves(pair, numbers)

    def _table(self) -> Table:
        runs = [found for found in self._places if isinstance(found, RunRow)]
        file, names = bool(self.session.file_boards), max((len(run.name) + 2 for run in runs), default=8)
        columns = [
            Column("run", min(names, 12 if file else 30), most=names, middle=True),
            Column("role", max(4, *(len(role(run)) for run in runs)) if runs else 4, drop=2),
            Column("n", max((len(tally.n) for tally in self._tallies.values()), default=1), right=True),
            Column("pass@1", 6, right=True),
            Column("pass@k", 6, right=True),
            *([Column("file @1", 7, right=True), Column("file @k", 7, right=True)] if file else []),
            *([Column("notes", 12, most=48, drop=1)] if self._has_notes else []),
        ]
        return Table(columns, len(self._places), self._row, empty=_NO_RUNS)

    def _row(self, place: int) -> Row | Heading:
        found = self._places[place]
        return self._run_row(found) if isinstance(found, RunRow) else Heading(self._heading(found))

    def _heading(self, benchmark: str) -> Line:
        board = self.session.boards[benchmark]
        k = common_k(board)
        at = f"k = {k}" if k else "nothing judged"
        return [strong(benchmark), dim(f" · {counted(len(board.problems), 'problem')} · verdicts by {board.verifier} · {at}")]

    def _run_row(self, run: RunRow) -> Row:
        pair, tally = self._pair_of(run.benchmark), self._tallies[run.run_id]
        mark = MARKS[pair.runs.index(run)] if pair is not None and run in pair.runs else dim("· ")
        numbers = self.numbers
        file_first = _beside(percent(tally.file_pass_at_1), percent(tally.beside_file))
        file_at_k = _beside(self._at_k(numbers.files, run), self._at_k(numbers.beside, run))
        return Row(
            [
                [mark, plain(run.name)],
                [plain(role(run))],
                [plain(tally.n)],
                [plain(percent(tally.pass_at_1))],
                [plain(self._at_k(numbers.ours, run))],
                *([file_first, file_at_k] if self.session.file_boards else []),
                *([tally.notes] if self._has_notes else []),
            ]
        )

    def _at_k(self, numbers: dict[str, BoardNumbers], run: RunRow) -> str:
        if not self.numbers.ours:
            return "…"
        found = numbers.get(run.benchmark)
        return NONE if found is None else percent(found.pass_at_k.get(run.run_id))

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


def _beside(file: str, ours: str) -> Line:
    """The file's own rate, pointed out where it is not ours: both over the same problems, so either both are there or none."""
    return [dim(file)] if file == ours or NONE in (file, ours) else [(f"≠ {file}", Tone.WARN)]


def _key(pair: Pair) -> PairKey:
    return pair.base.run_id, None if pair.other is None else pair.other.run_id


def _compared(pair: Pair) -> PairReady:
    # plotext is imported here, in the worker, so that the plot widget finds it ready.
    import explorer.render.plot  # noqa: F401

    return PairReady(pair, pair_numbers(pair))
