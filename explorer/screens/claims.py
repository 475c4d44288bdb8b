"""What the runs say of each claim of the field: a finding with its statistic and chances, and beneath it why.

The claims are judged in a worker for the pair somebody came with; Enter goes where one can see what a claim rests on. A study
that has grown since is not judged again by itself, which takes seconds: it is said, and R does it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from explorer.model import claims
from explorer.model.claims import Judged
from explorer.model.pictures import Kind
from explorer.model.session import Pair, Session
from explorer.render.columns import Column
from explorer.render.pieces import GAP, Line, Piece, Tone, dim, flow, joined, plain
from explorer.render.words import MARKS, NONE
from explorer.render.wrapped import wrapped
from explorer.screens.base import CouldNotRead, ExplorerScreen, Here
from explorer.screens.problems import ProblemsScreen
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.virtual_list import Row, Table, VirtualList
from store.names import Link
from store.rows import ProblemRow, RunRow

if TYPE_CHECKING:
    from engine.claims.base import Found

_COMPUTING: Final = "computing …"
_PLOTS: Final = {
    "accuracy-to-the-ends": Kind.ACCURACY,
    "likely-under-base": Kind.PERPLEXITY,
    "reachable-from-base": Kind.PERPLEXITY,
    "algorithms-alike": Kind.RUNS,
    "distillation-beyond": Kind.RUNS,
    "longer-training": Kind.STEPS,
    "other-temperatures": Kind.TEMPERATURES,
}
"""Where a claim's figure is drawn, by its name; the others rest on the curves of pass@k."""
_MOST_LINES: Final = 12
"""Of what is said of one claim: on a low screen the list keeps half of it."""


@dataclass
class ClaimsJudged(Message):
    judged: Judged


class ClaimsScreen(ExplorerScreen[None]):
    """ClaimsScreen(session, pair, problem): the problem is kept for the keys that lead on from here; claims are about all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "open",
            "see",
            key_display="Enter",
            id="claims.open",
            tooltip="Where one can see what this claim rests on: problems, plots or the audit queue",
        ),
        Binding("R", "again", "judge again", id="claims.again", tooltip="Judge all claims again on the study as it is now"),
        Binding("escape", "back", "back", key_display="Esc", id="claims.back", tooltip="Back to where you came from"),
    ]

    VERTICAL_BREAKPOINTS: list[tuple[int, str]] | None = [(0, "-low"), (20, "-high"), (34, "-tall")]  # noqa: RUF012

    DEFAULT_CSS = """
    ClaimsScreen #pair { height: 1; padding: 0 2; }
    ClaimsScreen #findings { max-height: 2; padding: 0 2; margin: 0 0 1 0; }
    ClaimsScreen #detail { padding: 0 2; margin: 1 0 0 0; max-height: 12; }
    ClaimsScreen.-low #findings { margin: 0; }
    ClaimsScreen.-low #detail { margin: 0; max-height: 5; }
    ClaimsScreen.-tall #claims { height: auto; max-height: 60%; }
    """

    def __init__(self, session: Session, pair: Pair, problem: ProblemRow | None = None) -> None:
        super().__init__(session)
        self.pair = pair
        self._problem = problem
        self.judged: Judged | None = None
        """None while they are being computed, or could not be."""
        self._failure: str | None = None
        self._is_old = False
        self._is_judging = False

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="pair")
        yield Lines(id="findings")
        yield VirtualList(id="claims")
        yield Lines(id="detail")
        yield KeyLine()

    def on_mount(self) -> None:
        names: list[Line] = [[mark, (run.name, mark[1])] for run, mark in zip(self.pair.runs, MARKS, strict=False)]
        self.query_one("#pair", Lines).lines = [[*joined(names, dim("  against  ")), *claims.doubt(self.pair)]]
        self._judge()

    @property
    def here(self) -> Here | None:
        return Here(self.pair, self._problem, Link((self.pair.other or self.pair.base).slug))

    @property
    def selected(self) -> Found | None:
        """The row under the cursor."""
        rows, place = self._rows(), self.query_one(VirtualList).cursor
        return rows[place] if place < len(rows) else None

    def study_changed(self) -> None:
        self._is_old = self.judged is not None
        self._show_crumbs()

    @on(ClaimsJudged)
    def show_claims(self, message: ClaimsJudged) -> None:
        self.judged, self._is_judging = message.judged, False
        self._show_list()

    def could_not_read(self, message: CouldNotRead) -> None:
        if message.group == "claims":
            self._failure, self._is_judging = message.sentence, False
            self._show_list()

    @on(VirtualList.Highlighted)
    def claim_under_cursor(self) -> None:
        self._show_detail()

    def on_resize(self) -> None:
        # It is wrapped for its width, which it gets after the screen has got its own.
        self.call_after_refresh(self._show_findings)
        self.call_after_refresh(self._show_detail)

    def action_again(self) -> None:
        fresh = self.session.boards.get(self.pair.board.benchmark)
        if fresh is not None:
            runs = {run.run_id: run for run in fresh.runs}
            base, other = self.pair.base, self.pair.other
            self.pair = Pair(fresh, runs.get(base.run_id, base), other and runs.get(other.run_id, other))
        self._judge()

    def action_open(self) -> None:
        row = self.selected
        if row is None:
            self.say(self._empty())
            return
        pair = self._pair_of(row)
        match claims.where(row):
            case claims.PROBLEMS:
                self.app.push_screen(ProblemsScreen(self.session, pair))
            case claims.PLOTS:
                self._open_plot(pair, row.claim.name)
            case way:
                self.go(way, pair)

    def _open_plot(self, pair: Pair, claim: str) -> None:
        """The plot the claim rests on, of all problems: not of the one somebody came from."""
        from explorer.screens.plots import PlotsScreen

        screen = PlotsScreen(self.session, pair)
        screen.set_reactive(PlotsScreen.kind, _PLOTS.get(claim, Kind.PASS))
        self.app.push_screen(screen)

    def action_back(self) -> None:
        self.dismiss()

    def _judge(self) -> None:
        """What was found before stays on the screen until there is something newer."""
        self._failure, self._is_old, self._is_judging = None, False, True
        self._show_list()
        session, pair = self.session, self.pair
        self.read("claims", lambda: ClaimsJudged(claims.judged(session, pair)))

    def _rows(self) -> tuple[Found, ...]:
        return () if self.judged is None else self.judged.rows

    def _empty(self) -> str:
        return f"not judged, R tries again: {self._failure}" if self._failure else _COMPUTING

    def _show_list(self) -> None:
        rows = self.query_one(VirtualList)
        rows.show(self._table(), rows.cursor)
        self._show_findings()
        self._show_crumbs()
        self._show_detail()

    def _show_findings(self) -> None:
        line = self.query_one("#findings", Lines)
        line.lines = [] if self.judged is None else flow(parts_of(claims.summary(self.judged)), max(20, line.view_width))

    def _show_crumbs(self) -> None:
        notes: list[Line] = [[dim("by "), plain(self.pair.board.verifier)]]
        if self._is_judging:
            notes.append([(_COMPUTING, Tone.WARN)])
        if self._is_old:
            notes.append([("the study has changed since: R", Tone.WARN)])
        self.set_crumbs(self.pair.board.benchmark, "claims", notes=notes)

    def _show_detail(self) -> None:
        row, detail = self.selected, self.query_one("#detail", Lines)
        width = max(20, detail.view_width)
        lines = [] if row is None else [line for said in claims.about(row) for line in wrapped(said, width)]
        detail.lines = lines[:_MOST_LINES]

    def _table(self) -> Table:
        rows = self._rows()
        others = any((row.base, row.other) != (rows[0].base, rows[0].other) for row in rows)
        columns = [
            Column("finding", 17),
            Column("claim", 21),
            Column("statistic", 26, most=34),
            Column("p", 7, right=True, drop=2),
            Column("q", 7, right=True, drop=1),
            Column("in words", 24, most=90, drop=3),
            *([Column("runs", 20, most=60, drop=4)] if others else []),
        ]

        def row(place: int) -> Row:
            one = rows[place]
            return Row(
                [
                    [claims.finding_piece(one.finding)],
                    [plain(one.claim.name.replace("-", " "))],
                    [plain(one.figure or NONE)],
                    [dim(_chance(one.p_value))],
                    [plain(_chance(one.q_value))],
                    [dim(one.claim.sentence)],
                    *([[dim(claims.who(one) or NONE)]] if others else []),
                ]
            )

        return Table(columns, len(rows), row, empty=self._empty())

    def _pair_of(self, row: Found) -> Pair:
        """The runs a row is about, which may be others than those somebody came with."""
        runs: dict[str, RunRow] = {run.slug: run for run in self.pair.board.runs}
        base, other = runs.get(row.base or ""), runs.get(row.other or "")
        if base is None or other is None:
            return self.pair
        return Pair(self.pair.board, base, other)


def parts_of(line: Line) -> list[Line]:
    """What stands between the gaps of a line: parts that `flow` may put on several."""
    parts: list[list[Piece]] = [[]]
    for piece in line:
        if piece == GAP:
            parts.append([])
        else:
            parts[-1].append(piece)
    return list(parts)


def _chance(value: float | None) -> str:
    if value is None:
        return NONE
    return "<0.0001" if value < 0.0001 else f"{value:.2g}"
