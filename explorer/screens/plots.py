"""Pictures of a pair of runs: pass@k with bands and crossover, differences, accuracies, lengths, perplexity, sets, series.

One cursor goes through the places of a picture and through its numbers beneath; a line between them reads out the values with
their intervals. Everything is computed in a worker after the screen is there; a picture is drawn once for its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from explorer.model.picture_files import save
from explorer.model.pictures import Kind, Pictures
from explorer.model.session import Boards, Pair, Session
from explorer.render.pieces import Line, Tone, dim, fitted, flow, plain, strong, width_of
from explorer.render.plots.numbers import numbers, read_out
from explorer.render.plots.picture import Picture, Shape, mark, styled
from explorer.render.text import one_line
from explorer.render.words import MARKS
from explorer.screens.base import CouldNotRead, ExplorerScreen, Here
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.picture_view import PictureView, can_be_whole, whole
from explorer.widgets.virtual_list import NO_TABLE, Row, Table, VirtualList
from store.rows import ProblemRow

_RUN, _CURSOR = Binding.Group("run"), Binding.Group("cursor")
_WAITING: Final = "computing …"
_AROUND = 4
"""Lines of crumbs, chips, title and keys."""
_NUMBERS_AT_LEAST = 4
_FACTS_WHERE_LOW = 2
_FACTS = 6
_READ_OUT = 3


@dataclass
class PictureReady(Message):
    pictures: Pictures
    kind: Kind
    picture: Picture


@dataclass
class BoardsRead(Message):
    """The study's boards as they are now; None where nothing has changed."""

    boards: Boards | None


@dataclass
class Saved(Message):
    """What became of saving, in one sentence."""

    sentence: str
    failed: bool = False


class PlotsScreen(ExplorerScreen[None]):
    """The plots of one pair, and of one problem where somebody comes from one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "turn(1)", "next plot", key_display="Tab", id="plots.next", tooltip="Show the next plot"),
        Binding("shift+tab", "turn(-1)", "previous plot", show=False, id="plots.previous", tooltip="Show the plot before"),
        Binding("left", "move(-1)", "left", key_display="←", group=_CURSOR, id="plots.left", tooltip="Cursor to the left"),
        Binding("right", "move(1)", "right", key_display="→", group=_CURSOR, id="plots.right", tooltip="Cursor to the right"),
        Binding("h", "move(-1)", "left", show=False, group=_CURSOR, id="plots.left_too", tooltip="Cursor to the left"),
        Binding("l", "move(1)", "right", show=False, group=_CURSOR, id="plots.right_too", tooltip="Cursor to the right"),
        Binding("s", "save", "save", id="plots.save", tooltip="Save this plot as SVG and its numbers as CSV, in this folder"),
        Binding("z", "zoom", "zoom", id="plots.zoom", tooltip="The whole axis from 0 to 100 %, or the part with the curves"),
        Binding(
            "right_square_bracket", "other(1)", "next run", key_display="]", group=_RUN, id="plots.next_run",
            tooltip="Hold the next run of the benchmark against the baseline",
        ),
        Binding(
            "left_square_bracket", "other(-1)", "previous run", key_display="[", group=_RUN, id="plots.previous_run",
            tooltip="Hold the run before against the baseline",
        ),
        Binding("c", "other(1)", "compare run", show=False, id="plots.compare", tooltip="Compare another run: the next one"),
        Binding("R", "again", "read again", show=False, id="plots.again", tooltip="Read the study again"),
        Binding("escape", "back", "back", key_display="Esc", id="plots.back", tooltip="Back to where you came from"),
    ]  # fmt: skip

    DEFAULT_CSS = """
    PlotsScreen #chips { height: 1; }
    PlotsScreen #title { height: 1; padding: 0 1; }
    PlotsScreen #read-out { max-height: 3; padding: 0 1; }
    PlotsScreen #facts { padding: 0 1; max-height: 6; }
    """

    kind: reactive[Kind] = reactive(Kind.PASS, init=False)
    picture: reactive[Picture | None] = reactive(None, init=False)

    def __init__(self, session: Session, pair: Pair, problem: ProblemRow | None = None) -> None:
        super().__init__(session)
        self._pictures = Pictures(session, pair, problem)
        self.set_reactive(PlotsScreen.kind, Kind.PASS if problem is None else Kind.PROBLEM)
        self._places: dict[str, str] = {}
        """By what an axis is of, the place the cursor was at last: going from plot to plot keeps the k."""

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="chips")
        yield Lines(id="title")
        yield PictureView(id="picture")
        yield Lines(id="read-out")
        yield VirtualList(id="numbers")
        yield Lines(id="facts")
        yield KeyLine()

    def on_mount(self) -> None:
        self.query_one(VirtualList).focus()
        self._show_chips()
        self.call_after_refresh(self._read_picture)

    @property
    def pair(self) -> Pair:
        return self._pictures.pair

    @property
    def here(self) -> Here:
        return Here(self.pair, self._pictures.problem)

    @on(PictureReady)
    def take_picture(self, message: PictureReady) -> None:
        if message.pictures is self._pictures and message.kind is self.kind:
            self.picture = message.picture

    def watch_kind(self) -> None:
        self._show_chips()
        self._read_picture()

    def watch_picture(self) -> None:
        picture, view = self.picture, self.query_one(PictureView)
        view.is_whole = False
        view.picture = picture
        table = NO_TABLE if picture is None else self._table(picture)
        self.query_one(VirtualList).show(table, self._start(picture))
        self._lay_out()

    @on(VirtualList.Highlighted)
    def come_to_place(self, message: VirtualList.Highlighted) -> None:
        if self.picture is not None and message.place < len(self.picture.places):
            self._places[self.picture.axis] = self.picture.places[message.place]
        self._show_cursor()

    def on_resize(self) -> None:
        # The parts are laid out for their widths, which they get after the screen has got its own.
        self.call_after_refresh(self._resized)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Not to itself: p leads here from elsewhere."""
        return False if (action, parameters) == ("way", ("plots",)) else super().check_action(action, parameters)

    def action_turn(self, by: int) -> None:
        kinds = self._pictures.kinds()
        self.kind = kinds[(kinds.index(self.kind) + by) % len(kinds)]

    def action_move(self, by: int) -> None:
        self.query_one(VirtualList).action_move(by)

    def action_zoom(self) -> None:
        view = self.query_one(PictureView)
        if self.picture is None or not can_be_whole(self.picture):
            self.say("this plot has all of its axis already")
            return
        view.is_whole = not view.is_whole
        self._show_title()

    def action_other(self, by: int) -> None:
        board = self.pair.board
        others = [run for run in board.runs if run != self.pair.base and board.counts(run)]
        if len(others) < 2:
            self.say("there is no other run of this benchmark to compare")
            return
        at = others.index(self.pair.other) if self.pair.other in others else -1
        self._show_pair(Pair(board, self.pair.base, others[(at + by) % len(others)]))

    def action_save(self) -> None:
        picture = self.picture
        if picture is None or picture.is_empty:
            self.say("nothing to save: " + ("it is still being computed" if picture is None else "this plot is empty"))
            return
        shown = whole(picture) if self.query_one(PictureView).is_whole else picture
        study, benchmark = self.session.name, self.pair.board.benchmark
        self.read("save", lambda: _saved(shown, study, benchmark))

    @on(Saved)
    def say_saved(self, message: Saved) -> None:
        self.say(message.sentence, error=message.failed)

    def action_again(self) -> None:
        self.study_changed()

    def action_back(self) -> None:
        self.dismiss()

    def study_changed(self) -> None:
        session = self.session
        self.read("boards", lambda: BoardsRead(session.newer_boards()))

    @on(BoardsRead)
    def show_boards(self, message: BoardsRead) -> None:
        if message.boards is None:
            if self.picture is None:
                self._read_picture()
            return
        self.session.take(message.boards)
        if self.pair.board.benchmark in message.boards.ours:
            found = self.session.pair(self.pair.board.benchmark, self.pair.base, self.pair.other)
            if found is not None:
                self._show_pair(found)

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group == "picture":
            self.query_one(PictureView).waiting = f"could not be read: {one_line(message.sentence)} (R reads again)"

    def _show_pair(self, pair: Pair) -> None:
        self._pictures = Pictures(self.session, pair, self._pictures.problem)
        self._show_chips()
        self._read_picture()

    def _read_picture(self) -> None:
        pictures, kind = self._pictures, self.kind
        self.picture = pictures.known(kind)
        self.query_one(PictureView).waiting = _WAITING
        if self.picture is None:
            self.read("picture", lambda: PictureReady(pictures, kind, pictures.picture(kind)))

    def _start(self, picture: Picture | None) -> int:
        """Where the cursor begins: where it was on such an axis, else at the last k, else at the first place."""
        if picture is None:
            return 0
        before = self._places.get(picture.axis)
        last = len(picture.places) - 1 if picture.shape is Shape.LINES else 0
        return picture.places.index(before) if before in picture.places else max(last, 0)

    def _resized(self) -> None:
        self._show_chips()
        if self.picture is not None:
            listed = self.query_one(VirtualList)
            listed.show(self._table(self.picture), listed.cursor)
        self._lay_out()

    def _lay_out(self) -> None:
        """Share the height: the picture takes what it can use, the numbers a third or what is left."""
        picture, view, rows_list = self.picture, self.query_one(PictureView), self.query_one(VirtualList)
        self._show_title()
        self._show_facts()
        self._show_cursor()
        room = (
            self.size.height
            - _AROUND
            - len(self.query_one("#read-out", Lines).lines)
            - len(self.query_one("#facts", Lines).lines)
        )
        rows = 0 if picture is None or picture.is_empty else len(picture.places) + 1
        rows_list.display = rows > 0
        if rows and self.focused is None:  # what is not shown loses the focus
            rows_list.focus()
        height = min(rows, max(_NUMBERS_AT_LEAST, room // 3)) if rows else 0
        drawn = view.height_wanted(max(room - height, 1), self.size.width)
        view.styles.height = drawn
        rows_list.styles.height = max(height, min(rows, room - drawn))

    def _show_chips(self) -> None:
        kinds = self._pictures.kinds()
        self.query_one("#chips", Lines).lines = [_chips([str(kind) for kind in kinds], kinds.index(self.kind), self.size.width)]
        names = zip(self.pair.runs, MARKS, strict=False)
        problem = self._pictures.problem
        way = (self.pair.board.benchmark, *([] if problem is None else [problem.key]), "plots")
        notes: list[Line] = [[(name + run.name, tone)] for run, (name, tone) in names]
        room = max(10, (self.size.width - 24) // len(notes))
        self.set_crumbs(*way, notes=[fitted(note, min(width_of(note), room), middle=True) for note in notes])

    def _show_title(self) -> None:
        title = self.query_one("#title", Lines)
        if self.picture is None:
            title.lines = ()
            return
        picture = whole(self.picture) if self.query_one(PictureView).is_whole else self.picture
        pieces = [strong(one_line(picture.title)), dim(f"  in {picture.unit}" if picture.is_drawn else "")]
        if picture.shape is not Shape.ROWS and picture.is_drawn:
            for style, one in styled(picture.series) if picture.shape is Shape.BARS else ():
                pieces += [dim("  "), (f"{'█▒'[style % 2]}{mark(style)[0]} {one_line(one.word)}", mark(style)[1])]
            if picture.limits[0] > 0:
                pieces.append(dim(f", axis from {picture.limits[0]:g} to {picture.limits[1]:g}"))
        title.lines = [pieces]

    def _show_facts(self) -> None:
        facts = self.query_one("#facts", Lines)
        picture = self.picture
        if picture is None:
            facts.lines = ()
            return
        notes = [[(one_line(note), Tone.WARN)] for note in picture.notes] if picture.is_drawn else []
        parts: list[Line] = [[dim(part)] for fact in picture.facts for part in one_line(fact).split(" · ")]
        lines = [*picture.extra, *flow([*notes, *parts], max(facts.view_width, 20))]
        facts.lines = lines[: _FACTS_WHERE_LOW + min(len(notes) + len(picture.extra), 2) if self.size.height < 30 else _FACTS]

    def _show_cursor(self) -> None:
        place = self.query_one(VirtualList).cursor
        self.query_one(PictureView).place = place
        said = [] if self.picture is None else read_out(self.picture, place, max(self.size.width - 3, 20), _READ_OUT)
        self.query_one("#read-out", Lines).lines = said

    def _table(self, picture: Picture) -> Table:
        """A row for each place."""
        found = numbers(picture, self.size.width)
        return Table(found.columns, len(found.rows), lambda place: Row([[plain(cell)] for cell in found.rows[place]]), empty="")


def _saved(picture: Picture, study: str, benchmark: str) -> Saved:
    """Save into the folder the explorer was started in, which may be gone by now."""
    folder: Path | str = "this folder"
    try:
        folder = Path.cwd()
        paths = save(picture, study, benchmark, folder)
    except OSError as error:
        return Saved(
            f"could not save into {folder}: {error.strerror or error}; start the explorer where you may write", failed=True
        )
    return Saved(f"saved {' and '.join(path.name for path in paths)} in {folder}")


def _chips(words: Sequence[str], chosen: int, width: int) -> Line:
    """The plots on one line, the one shown in brackets; where not all fit, those before it give way."""
    first = 0
    while first < chosen and sum(len(word) + 2 for word in words[first : chosen + 1]) + 1 > width:
        first += 1
    line: list[tuple[str, Tone]] = [dim("‹" if first else " ")]
    for place, word in enumerate(words[first:], first):
        line += [("[", Tone.ACCENT), strong(word), ("]", Tone.ACCENT)] if place == chosen else [plain(f" {word} ")]
    return line
