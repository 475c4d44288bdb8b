"""The audit queue of a pair: what to read next and why, how far one is, and what the labels have changed so far.

The list comes first, in an order that needs no reading of texts; what speaks for luck follows from a worker and settles ties.
Enter reads a trace in the audit's own Reader (`AuditScreen`), which goes on to the next one by itself.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from explorer.model.queue import By, Entry, Listing, Standing, offered, read_listing, read_standing
from explorer.model.session import Pair, Session
from explorer.model.walk import Place
from explorer.render import auditing
from explorer.render.columns import Column
from explorer.render.paragraph import first_lines
from explorer.render.pieces import Line, Tone, dim, plain, strong
from explorer.render.words import NONE, outcome, short_names
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.labelling import Change, Labelling
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.virtual_list import Row, Table, VirtualList
from store.rows import ProblemRow
from store.types import Outcome

_LOW_LINES = 2
"""Of what the audit stands at, on a low terminal."""

_HIDDEN = "carries the conclusion"
"""Why a trace is listed, in blind mode: more would tell its run and its verdict."""


@dataclass
class QueueRead(Message):
    """The queue and what the audit stands at, chosen and counted as they were asked for."""

    listing: Listing
    standing: Standing
    blind: bool
    looked: bool = False
    """Suspicions were worked out for it."""


class QueueScreen(Labelling[None]):
    """QueueScreen(session, pair, problem): the queue of a pair; `problem` is what "one problem" means."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "read", key_display="Enter", id="queue.open", tooltip="Read this trace, and label it"),
        Binding("tab,o", "choose(1)", "other choice", key_display="Tab", id="queue.next", tooltip="Choose traces another way"),
        Binding("shift+tab", "choose(-1)", "choice before", show=False, id="queue.previous", tooltip="The choice before"),
        Binding("u", "undo", "undo", show=False, id="label.undo", tooltip="Take back the newest label, note, flag or mark"),
        Binding("b", "blind", "blind", id="queue.blind", tooltip="Hide, or show, models, verdicts and what others say"),
        Binding(
            "f", "flagged", "flagged", show=False, id="queue.flagged", tooltip="The flagged traces; again: the choice before"
        ),
        Binding(
            "1,2,3,4,5,6,7,8",
            "read_first",
            "label",
            show=False,
            key_display="1-8",
            id="queue.digits",
            tooltip="A digit labels the trace that is read: Enter reads it first",
        ),
        Binding("R", "again", "read again", show=False, id="queue.again", tooltip="Read the queue again"),
        Binding("escape", "back", "back", key_display="Esc", id="queue.back", tooltip="Back to where you came from"),
    ]

    DEFAULT_CSS = """
    QueueScreen #standing { padding: 0 1; }
    QueueScreen #ways { height: 1; margin: 1 0 0 0; }
    QueueScreen #why { height: 3; padding: 0 2; margin: 1 0 0 0; }
    QueueScreen.-low #ways { margin: 0; }
    QueueScreen.-low #why { display: none; }
    """

    def __init__(self, session: Session, pair: Pair, problem: ProblemRow | None = None) -> None:
        super().__init__(session)
        self.pair = pair
        self.problem = problem
        self._came = problem is not None
        self.by = offered(pair, problem)[0]
        self._by_before = self.by
        self._went_blind = False
        """Nobody has been told yet what the blind queue leaves out."""
        self._came_back = False
        """From reading: the cursor belongs on the next trace to read."""
        self.listing: Listing | None = None
        self.standing: Standing | None = None
        self._names = short_names(pair.board.runs)
        self._failure: str | None = None

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="standing")
        yield Lines(id="ways")
        yield VirtualList(id="queue")
        yield Lines(id="why")
        yield KeyLine()

    def on_mount(self) -> None:
        self._show()
        self._read()

    @property
    def here(self) -> Here:
        entry = self.selected
        link = None if entry is None or self.session.labels.blind else entry.item.link
        return Here(self.pair, entry.item.problem if entry else self.problem, link)

    @property
    def selected(self) -> Entry | None:
        place = self.query_one(VirtualList).cursor
        entries = self.listing.entries if self.listing else ()
        return entries[place] if place < len(entries) else None

    @on(QueueRead)
    def show_queue(self, message: QueueRead) -> None:
        if message.listing.by is not self.by or message.blind is not self.session.labels.blind:
            return
        before = self.selected if self.query_one(VirtualList).cursor else None  # who has not moved stays at the first one
        self._failure, self.standing, self.listing = None, message.standing, message.listing
        self._show(before.sample_id if before else None)
        if self._went_blind and message.blind and message.standing.is_whole:
            self._went_blind = False
            self.say(auditing.BLIND + auditing.left_out(message.listing))
        if not message.standing.is_whole:
            self._read(whole=True)
        elif message.listing.lacks_suspicion and not message.looked:
            self._read(look=True)

    def could_not_read(self, message: CouldNotRead) -> None:
        self._failure = message.sentence
        self._show()

    @on(VirtualList.Highlighted)
    def show_why(self) -> None:
        lines, entry = self.query_one("#why", Lines), self.selected
        told = ""
        if entry is not None and not entry.judged and not self.session.labels.blind:
            told = f"why: {auditing.long_why(entry.item, self.pair.words)}"
        lines.lines = first_lines(told, max(20, lines.view_width), 3) if told else ()

    def study_changed(self) -> None:
        self._read()

    def labelled(self, said: str, change: Change) -> None:  # noqa: ARG002 - only undoing is possible here
        """Something was taken back."""
        self.say(said)
        self._read()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_standing)
        self.call_after_refresh(self.show_why)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Marks and notes are of a trace that is read, and the queue is here."""
        if action == "way" and parameters == ("queue",):
            return False
        return action not in ("note", "flag", "mark") and super().check_action(action, parameters)

    def action_read_first(self) -> None:
        self.say("a digit labels the trace that is read: Enter reads this one")

    def action_open(self) -> None:
        if self.listing is None or self.standing is None or self.selected is None:
            self.say(self._empty())
            return
        if self._hangs:
            self._choose(By.UNDECIDED)
            return
        from explorer.screens.audit import AuditScreen

        place = self.query_one(VirtualList).cursor
        arguments = self.session, self.pair, self.listing, place, self.standing, self._one_problem()
        self.app.push_screen(AuditScreen(*arguments), self._come_back)

    def action_choose(self, by: int) -> None:
        ways = self._ways()
        self._choose(ways[(ways.index(self.by) + by) % len(ways)])

    def action_flagged(self) -> None:
        self._choose(self._by_before if self.by is By.FLAGGED else By.FLAGGED)

    def _choose(self, by: By) -> None:
        self._by_before, self.by = self.by, by
        self.listing, self._failure = None, None
        self._show()
        self._read()

    @property
    def _hangs(self) -> bool:
        """Nothing unread could move a set, and something that was read and not decided does: Enter lists that."""
        listing, standing = self.listing, self.standing
        done = listing is not None and listing.is_done and listing.by is By.INFLUENCE
        return done and standing is not None and standing.contested > 0

    def action_copy(self) -> None:
        if self.session.labels.blind:
            self.say(auditing.LINK_HIDDEN)
        else:
            super().action_copy()

    def action_blind(self) -> None:
        labels = self.session.labels
        labels.blind = self._went_blind = not labels.blind
        self.listing = None
        self._show()
        self._read()
        self.say(auditing.BLIND if labels.blind else auditing.SIGHTED)

    def action_again(self) -> None:
        self.standing = None
        self._read()

    def action_back(self) -> None:
        self.dismiss()

    def _come_back(self, _: Place | None) -> None:
        """Where the next trace to read is, so that Enter goes on."""
        self._came_back = True
        self._read()

    def _read(self, *, whole: bool = False, look: bool = False) -> None:
        """In three goes: right answers; then wrong ones that may be right (whole); then what speaks for luck (look)."""
        session, pair, by, earlier, problem = self.session, self.pair, self.by, self.standing, self._one_problem()
        blind = session.labels.blind

        def work() -> QueueRead:
            standing = read_standing(session, pair, earlier, whole=whole)
            return QueueRead(read_listing(session, pair, by, standing, problem, look=look), standing, blind, look)

        self.read("queue", work)

    def _one_problem(self) -> ProblemRow | None:
        if self.problem is None and self.selected is not None:
            self.problem = self.selected.item.problem
        return self.problem

    def _ways(self) -> list[By]:
        hanging = self.by is By.UNDECIDED or (self.standing is not None and self.standing.contested > 0)
        return offered(self.pair, self._one_problem(), hanging=hanging)

    def _show(self, sample_id: int | None = None) -> None:
        entries = self.listing.entries if self.listing else ()
        place = next((at for at, entry in enumerate(entries) if entry.sample_id == sample_id), 0)
        if self._came_back and entries:
            place, self._came_back = (0 if entries[place].judged else place), False
        self.query_one(VirtualList).show(self._table(entries), place)
        self._show_crumbs()
        self._show_standing()
        self.show_why()

    def _show_crumbs(self) -> None:
        notes: list[Line] = []
        if self.listing is not None:
            notes.append(auditing.progress(self.listing.judged, len(self.listing.entries)))
        notes.append([dim("by "), plain(self.session.auditor)])
        self.set_crumbs(self.pair.board.benchmark, "audit", notes=notes)

    def _show_standing(self) -> None:
        lines = self.query_one("#standing", Lines)
        width, blind = max(20, lines.view_width), self.session.labels.blind
        key = self.problem.key if self.problem else None
        self.query_one("#ways", Lines).lines = [auditing.ways(self._ways(), self.by, key, self.size.width)]
        if self.standing is None or self.listing is None:
            lines.lines = [[dim("reading …")]] if self._failure is None else [[(self._failure, Tone.WARN)]]
            return
        now, listing = self.standing, self.listing
        told = (
            auditing.blind_standing(listing, now.drawn, width) if blind else auditing.standing(now, listing, self.pair, width)
        )
        if self.by is By.PROBLEM and key is not None:
            told = auditing.of_problem(key, width, came=self._came) + told
        told = told[:_LOW_LINES] if self.is_low else told
        if listing.is_done:
            study = shlex.quote(str(self.session.study.path.resolve()))
            done = auditing.done(listing, now.contested, study, width)
            told = done if self.is_low else told + done
        lines.lines = told

    def _table(self, entries: tuple[Entry, ...]) -> Table:
        blind = self.session.labels.blind
        columns = [
            Column("", 4, right=True, drop=3),
            Column("problem", 12, most=26, middle=True),
            *([] if blind else [Column("run", 12, most=30, middle=True), Column("#", 4, right=True)]),
            Column("why", 22 if blind else 29, most=50),
            *([] if blind else [Column("susp.", 5, right=True, drop=1)]),
            Column("label", 12, most=40),
        ]

        def row(place: int) -> Row:
            entry = entries[place]
            number: Line = [dim(f"{place + 1}")]
            first: list[Line] = [number, [plain(entry.item.problem.key)]]
            last: Line = auditing.label_cell(entry, blind=blind)
            if blind:
                return Row([*first, [dim(_HIDDEN if self.by is By.INFLUENCE else str(self.by))], last])
            return Row([*first, *self._cells(entry), last])

        return Table(columns, len(entries), row, empty=self._empty())

    def _cells(self, entry: Entry) -> list[Line]:
        item = entry.item
        mark = self.pair.mark(item.run.run_id)
        verdict = outcome(Outcome.CORRECT if item.right else Outcome.INCORRECT)
        score = NONE if item.suspicion is None else f"{item.suspicion:.2f}"
        return [
            [mark, plain(self._names[item.run.run_id])],
            [plain(str(item.index))],
            [(f"{verdict[0][0]} ", verdict[1]), plain(auditing.short_why(item, self.pair.words))],
            [strong(score) if item.suspicion else dim(score)],
        ]

    def _empty(self) -> str:
        if self._failure is not None:
            return f"not read, R reads again: {self._failure}"
        if self.listing is None:
            return "reading …"
        return f"nothing to read: {self.listing.why_empty}"
