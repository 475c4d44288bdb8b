"""Every trace of the study that fits an expression, listed as it is found; Enter reads it, and ] there goes to the next one.

Without an expression it asks for one at once, over a list of what may be asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.worker import get_current_worker

from explorer.model.hits import LISTED_AT_MOST, Part, Span, reasons_asked_for, search, snippet_line, walk_of
from explorer.model.listing import WAYS, Narrowed
from explorer.model.session import Pair, Session
from explorer.model.walk import Place
from explorer.render.columns import UNLIMITED, Column
from explorer.render.pieces import Line, Tone, dim, plain, strong
from explorer.render.text import one_line
from explorer.render.words import MARKS, NONE, glyph, outcome, short_names
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.filtering import FILTER, Filtering
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.prompt import Prompt
from explorer.widgets.virtual_list import Heading, Row, Table, VirtualList
from store.names import Link
from store.query import FIELDS

if TYPE_CHECKING:
    from engine.finding import Hit

_BEFORE: Final = ((160, 40), (120, 16), (0, 8))
"""Characters before a match that are shown, by the cells the terminal has at least: the match itself must be seen."""
_WIDE: Final = 120
_REASON: Final = "first reason"


@dataclass
class PartFound(Message):
    part: Part


class FoundScreen(Filtering[None]):
    """What a search over all traces finds."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter", "open", "read", key_display="Enter", id="found.open", tooltip="Read this trace; ] goes to the next hit"
        ),
        FILTER,
        Binding("R", "again", "search again", show=False, id="found.again", tooltip="Search again"),
        Binding("escape", "back", "back", key_display="Esc", id="found.back", tooltip="Back to where you were"),
    ]

    def __init__(self, session: Session, expression: str = "", benchmark: str | None = None, pair: Pair | None = None) -> None:
        """benchmark: this one's traces only. pair: whose sets are meant on its benchmark, and whose runs are marked there.

        Raises BadQuery where the expression cannot be read.
        """
        super().__init__(session, expression)
        self._benchmark = benchmark
        self.hits: list[Hit] = []
        """Those listed."""
        self._spans: dict[int, tuple[Span, ...]] = {}
        self._reasons: dict[int, str] = {}
        self._hint = ""
        self.total: int | None = None
        """How many fit; None while that is not known."""
        self._failure = ""
        boards = {name: board for name, board in session.boards.items() if benchmark in (None, name)}
        self._pair = pair
        self._pairs: dict[str, Pair | None] = {name: session.pair(name) for name in boards}
        if pair is not None and pair.board.benchmark in boards:
            self._pairs[pair.board.benchmark] = pair
        self._problems = {problem.problem_id: problem for board in boards.values() for problem in board.problems}
        self._names = {run_id: name for board in boards.values() for run_id, name in short_names(board.runs).items()}
        self._samples = sum(count.samples for board in boards.values() for count in board.cells.values())

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="terms")
        yield VirtualList(id="hits")
        yield Prompt(id="prompt")
        yield KeyLine()

    def on_mount(self) -> None:
        self.narrow()
        if self.wanted is None:
            self.action_filter()

    @property
    def selected(self) -> Hit | None:
        place = self.query_one(VirtualList).cursor
        return self.hits[place] if self.wanted is not None and place < len(self.hits) else None

    @property
    def here(self) -> Here | None:
        hit = self.selected
        pair = self._pairs.get(self._benchmark or next(iter(self._pairs), "")) if hit is None else self._pairs[hit.benchmark]
        if pair is None:
            return None
        if hit is None:
            return Here(pair)
        slug = next(run.slug for run in pair.board.runs if run.run_id == hit.run_id)
        return Here(pair, self._problems[hit.problem_id], Link(slug, hit.benchmark, hit.key, hit.idx))

    @on(PartFound)
    def show_part(self, message: PartFound) -> None:
        part = message.part
        if part.filter != self.wanted:
            return
        was_empty = not self.hits
        known = [hit for hit in part.hits if hit.run_id in self._names and hit.problem_id in self._problems]
        self.hits += known
        self._spans |= part.spans
        self._reasons |= part.reasons
        self.total, self._hint = part.total, part.hint
        if part.each:
            self.narrowed = Narrowed(part.filter, frozenset(), tuple(part.each))
        self._show(0 if was_empty else self.query_one(VirtualList).cursor)

    @property
    def tells_fields(self) -> bool:
        """Without a filter the list itself tells them."""
        return self.wanted is not None

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group == "search":
            self._failure = message.sentence
            self._show(0)

    def narrow(self) -> None:
        self.hits, self._spans, self._reasons, self.total, self._failure, self._hint = [], {}, {}, None, "", ""
        self._show(0)
        self.workers.cancel_group(self, "search")
        if self.wanted is not None:
            session, wanted, benchmark, pair = self.session, self.wanted, self._benchmark, self._pair

            def work() -> Iterator[PartFound]:
                worker = get_current_worker()
                for part in search(session, wanted, benchmark, pair, lambda: worker.is_cancelled):
                    yield PartFound(part)

            self.stream("search", work)

    def on_resize(self) -> None:
        self._show(self.query_one(VirtualList).cursor)

    def action_again(self) -> None:
        self.narrow()

    def action_open(self) -> None:
        hit = self.selected
        pair = None if hit is None else self._pairs[hit.benchmark]
        if hit is None or pair is None:
            self.say("nothing to read: / searches" if self.wanted is None else f"nothing to read: {self._empty()}")
            return
        sought = next(iter(self.wanted.words if self.wanted is not None else ()), "")
        self.go("reader", pair, walk_of(self.hits, hit, self._problems), 1, sought, back=self._come_back)

    def action_back(self) -> None:
        self.dismiss()

    def _come_back(self, place: Place | None) -> None:
        if place is not None:
            found = [at for at, hit in enumerate(self.hits) if hit.sample_id == place.sample_id]
            self.query_one(VirtualList).cursor = found[0] if found else self.query_one(VirtualList).cursor

    # -- what is on the screen -----------------------------------------------------------------------------------------

    def _show(self, place: int) -> None:
        self.query_one(VirtualList).show(self._help() if self.wanted is None else self._table(), place)
        self.query_one("#terms", Lines).lines = self.terms_line(self.total, self._samples)
        self._show_crumbs()

    def _show_crumbs(self) -> None:
        notes: list[Line] = []
        if self.wanted is not None and not self._failure:
            number = len(self.hits) if self.total is None else self.total
            searching = self.total is None
            notes.append([(f"{number:,}{' … still searching' if searching else ''}", Tone.WARN if searching else Tone.ACCENT)])
            if self.total is not None and self.total > LISTED_AT_MOST:
                notes.append([plain(f"the first {LISTED_AT_MOST:,} listed")])
        self.set_crumbs(*([self._benchmark] if self._benchmark else []), "traces that fit", notes=notes)

    def _table(self) -> Table:
        hits = self.hits
        several = len({hit.benchmark for hit in hits[:1]} | {hit.benchmark for hit in hits[-1:]}) > 1
        longest = max((len(self._where(hit, several=several)) for hit in hits[:200]), default=7)
        names = max(map(len, self._names.values()), default=3) + 2
        told = self._told()
        is_tight = bool(told) and self.size.width < _WIDE  # what is told gets the room: a sign is verdict enough
        before = next(chars for least, chars in _BEFORE if self.size.width >= least)
        columns = [
            Column("problem", max(7, min(longest, 14 if is_tight else 16)), most=max(7, min(longest, 32)), middle=True),
            Column("run", min(names, 11 if is_tight else 14), most=names, middle=True, drop=2),
            Column("#", 4, right=True),
            Column("" if is_tight else "verdict", 1 if is_tight else 11, drop=0 if is_tight else 1),
            Column("answer", 6, most=16),
            *([Column(told, 12, most=UNLIMITED)] if told else []),
        ]

        def row(at: int) -> Row:
            hit = hits[at]
            cells: list[Line] = [
                [plain(self._where(hit, several=several))],
                self._run(hit),
                [plain(str(hit.idx))],
                [(glyph(hit.outcome), outcome(hit.outcome)[1]) if is_tight else outcome(hit.outcome)],
                [plain(NONE if hit.answer is None else one_line(hit.answer[:200]))],
            ]
            if told == _REASON:
                cells.append([plain(one_line(self._reasons.get(hit.sample_id, NONE)))])
            elif told:
                cells.append(snippet_line(hit.snippet, self._spans.get(hit.sample_id, ()), before))
            return Row(cells)

        return Table(columns, len(hits), row, empty=self._empty())

    def _told(self) -> str:
        """Title of the last column: where the words stand, else the first reason; "" where the filter asks for neither."""
        if self.wanted is None:
            return ""
        if any(True for _ in self.wanted.query.sought()):
            return "where"
        return _REASON if reasons_asked_for(self.wanted) is not None else ""

    def _where(self, hit: Hit, *, several: bool) -> str:
        return f"{hit.benchmark}:{hit.key}" if several else hit.key

    def _run(self, hit: Hit) -> Line:
        pair = self._pairs[hit.benchmark]
        runs = () if pair is None else pair.runs
        mark = next((mark for run, mark in zip(runs, MARKS, strict=False) if run.run_id == hit.run_id), dim("· "))
        return [mark, plain(self._names[hit.run_id])]

    def _empty(self) -> str:
        if self._failure:
            return f"not searched, R searches again: {self._failure}"
        if self.total is None:
            return "searching …"
        return self._hint or "no trace fits: / changes the search, Backspace drops its last part"

    def _help(self) -> Table:
        """What may be asked for, while nothing is."""
        lines: list[Row | Heading] = [Row([[strong(example)], [plain(told)]]) for example, told in WAYS]
        lines.append(Heading([dim("  fields, each as field:value")]))
        for field in FIELDS.values():
            values = f": {' '.join(field.choices)}" if field.choices else ""
            lines.append(Row([[strong(f"{field.name}:")], [plain(field.told), dim(values)]]))
        columns = [Column("write", 20, most=36), Column("to find", 30, most=UNLIMITED)]
        return Table(columns, len(lines), lambda at: lines[at])
