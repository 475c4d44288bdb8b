"""The Reader as auditors use it: the queue's progress on the first line, the digits with their words always in sight, and on to
the next trace once a label is on disk.

In blind mode nothing on the screen says which model wrote the trace or what others said of it. The answer stays, since it
stands in the text anyway. The verdict cannot be hidden in truth: a blind queue asks for right answers alone, so each trace was
judged right, and the notice says so. The reference goes all the same: 6 and 7, which judge it and the verdict, need eyes open.
What the rules of suspicion find in the text is somebody's opinion, and goes with the rest.

The problem's statement stands over the response by itself where both fit, or where it takes little room; once t was pressed, t
decides. It is no secret: blind mode shows it, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from explorer.model.labels import TAKES_BACK, Said
from explorer.model.queue import Entry, Listing, QueueWalk, Standing, read_listing, read_standing, walk_over
from explorer.model.session import Pair, Session
from explorer.model.walk import Walk
from explorer.render import auditing
from explorer.render.page import page_of
from explorer.render.pieces import Line, Tone, dim, fitted, plain
from explorer.render.text import one_line
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.labelling import Change
from explorer.screens.reader import ReaderScreen
from explorer.widgets.lines import Lines
from explorer.widgets.text_view import TextView
from store.audits import MEANINGS, Meaning
from store.rows import ProblemRow, Trace

_FRAME: Final = 3
"""Lines for the way here, the digits and the keys."""
_ROOM_FOR_UNDO: Final = 110
"""Columns from which the first line says how to take a label back; the last line always does."""
_SMALL: Final = 5
"""A statement of one in so many lines of the room may stand over any response."""
_BEGINNING: Final = 400
"""Characters of a statement that may fill one line."""
_LARGEST: Final = 0.4
"""Of the screen that a statement may take (the styles' max-height): more of it would have to be scrolled."""


@dataclass
class TakenBack(Message):
    """What stands of a trace now that the newest change of it was taken back."""

    sample_id: int
    label: int | None


@dataclass
class Followed(Message):
    """What the queue is now, after labels."""

    listing: Listing
    standing: Standing
    blind: bool


class AuditScreen(ReaderScreen):
    """AuditScreen(session, pair, listing, at, standing, problem): from that place of the queue on, to the next unread trace.

    standing: what the listing was made of. problem: what it was listed for, where that is one problem.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "space",
            "skip",
            "skip",
            key_display="Space",
            priority=True,
            id="audit.skip",
            tooltip="The next unread trace, without a label for this one",
        ),
        Binding("b", "blind", "blind", id="audit.blind", tooltip="Hide, or show, the model, the verdict and what others say"),
        Binding("u", "undo", "undo", id="label.undo", tooltip="Take back the newest label, note, flag or mark"),
        Binding("e", "note", "note", id="label.note", tooltip="Write a note on this trace, or change it"),
        Binding("f", "flag", "flag", id="label.flag", tooltip="Flag this trace to come back to it, or unflag it"),
        Binding("x", "mark", "step", id="label.mark", tooltip="Mark the current step: the label hangs on it"),
    ]

    DEFAULT_CSS = """
    AuditScreen #problem { padding: 0 1; }
    AuditScreen #digits { height: 1; padding: 0 1; background: $crumb-line; }
    """

    def __init__(
        self, session: Session, pair: Pair, listing: Listing, at: int, standing: Standing, problem: ProblemRow | None = None
    ) -> None:
        self._queue: QueueWalk = walk_over(listing, at)
        super().__init__(session, pair, self._queue)
        self._listing, self._standing, self._problem = listing, standing, problem
        self._places = {entry.sample_id: place for place, entry in enumerate(listing.entries)}
        self._listed_blind = session.labels.blind
        self._judged: set[int] = set()
        self._still: set[int] = set()
        self._given: set[int] = set()
        """Labelled here: an undecided trace that is read again may stay undecided, and is not asked for twice."""
        self._statement_wanted: bool | None = None
        """What t said; None while nobody has pressed it."""
        self._last = ""
        """What the newest change was, for the first line."""
        self._told_then = ""
        """What to say once the trace that is being read is shown."""
        self._awaited: int | None = self._queue.trace.sample_id
        """The trace that is being read: until it is shown, no key is meant for it."""
        self._count(listing)

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield Lines(id="problem")
        yield Lines(id="digits")

    def on_mount(self) -> None:
        super().on_mount()
        self._show_digits()

    @property
    def blind(self) -> bool:
        return self.session.labels.blind

    @property
    def entry(self) -> Entry:
        """Of the trace on the screen."""
        return self._listing.entries[self.walk.at_trace]

    @property
    def here(self) -> Here:
        """Without a link in blind mode: it names the run."""
        here = super().here
        return Here(here.pair, here.problem) if self.blind else here

    def heading_lines(self, trace: Trace, width: int) -> Sequence[Line]:
        if self.blind:
            return auditing.blind_heading(trace, self.reading.said if self.reading else None, width)
        lines = super().heading_lines(trace, width)
        item = self.entry.item
        asks = not item.right and item.sample_id == trace.row.sample_id
        return [auditing.in_doubt(item), *lines] if asks else lines

    def marks_of(self, said: Said) -> tuple[int, ...]:
        return said.steps if self.blind else super().marks_of(said)

    def name_of(self, trace: Trace) -> str:
        return "" if self.blind else super().name_of(trace)

    def labelled(self, said: str, change: Change) -> None:
        """A change is on disk: on to the next trace after a label, back to the trace that an undoing was of."""
        self._last = self.said = said
        self.app.clear_notifications()  # the first line says it, and an older notice is of something else
        sample_id = self.session.labels.last
        if change is Change.LABEL and sample_id is not None:
            self._given.add(sample_id)
            self._judged.add(sample_id)
            self._still.discard(sample_id)
            self._kept.drop(sample_id)
            self._follow()
            self._advance()
        elif change is Change.UNDO and sample_id is not None:
            session = self.session
            self._kept.drop(sample_id)
            self.read("undone", lambda: TakenBack(sample_id, session.labels.of(sample_id).label))
        else:  # it stays here: a notice has room for all of it
            self._last = ""
            self.say(said)
            self.read_labels()
        self._show_crumbs()

    @on(TakenBack)
    def go_back(self, message: TakenBack) -> None:
        of, place = message.sample_id, self._places.get(message.sample_id)
        self._given.discard(of)
        if message.label is None:
            self._judged.discard(of)
            if place is not None:
                self._still.add(of)
        self._follow()
        if place is None:
            self._last += " · it is not in this queue"
            self._show_crumbs()
        elif of == self.walk.trace.sample_id:
            self.read_labels()
        else:
            self._go_to(place)

    @on(Followed)
    def count_again(self, message: Followed) -> None:
        if message.blind is self.blind:
            self._standing = message.standing
            self._count(message.listing)
            if self._listed_blind is not self.blind:
                self._walk_anew(message.listing)
            self._show_crumbs()

    @on(CouldNotRead)
    def wait_no_longer(self) -> None:
        self._awaited = None

    def watch_trace(self) -> None:
        super().watch_trace()
        if self.trace is not None and self.trace.row.sample_id == self._wanted.trace.sample_id:
            self._awaited = None
            if self._told_then:
                self.say(self._told_then)
                self._told_then = ""

    def on_resize(self) -> None:
        super().on_resize()
        self._show_digits()
        self._show_statement()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Space comes before the text's own keys; while something is typed, a blank is a blank."""
        if action == "skip" and isinstance(self.focused, Input):
            return False
        if action == "digits":  # each has its word in sight
            return False
        return super().check_action(action, parameters)

    def action_label(self, digit: int) -> None:
        if self._awaited is not None or self.trace is None:
            return
        if self.blind and MEANINGS[digit] is Meaning.CORRECTED:
            self.say(auditing.SEE_FIRST)
            return
        self.chosen = self.entry.item.chosen
        super().action_label(digit)

    def action_skip(self) -> None:
        self._last = ""
        self._advance()

    def action_sample(self, by: int) -> None:
        self._last = ""
        super().action_sample(by)

    def action_problem(self, by: int) -> None:
        """The next trace of the queue that is of another problem."""
        entries, at = self._listing.entries, self._wanted.at_trace
        key = entries[at].item.problem.problem_id
        others = range(at + 1, len(entries)) if by > 0 else range(at - 1, -1, -1)
        place = next((place for place in others if entries[place].item.problem.problem_id != key), None)
        if place is None:
            self.say_end(by, "problem of the queue")
        else:
            self._go_to(place)

    def action_blind(self) -> None:
        self.session.labels.blind = not self.blind
        self._last = ""
        self._step_wanted = self.current_step
        self._kept.drop()
        self.app.clear_notifications()
        self._go_to(self.walk.at_trace)
        self._follow()
        self.say(auditing.BLIND if self.blind else auditing.SIGHTED)

    def action_copy(self) -> None:
        if self.blind:
            self.say(auditing.LINK_HIDDEN)
        else:
            super().action_copy()

    def action_reason(self, by: int) -> None:
        if self.blind:
            self.say("marks are hidden while you read blind: b shows them")
        else:
            super().action_reason(by)

    def action_statement(self) -> None:
        self._statement_wanted = not self.query_one("#statement", TextView).has_class("shown")
        self._show_statement()

    def action_way(self, way: str) -> None:
        """The queue is where one comes from."""
        if way == "queue":
            self.dismiss(self.walk.place)
        else:
            super().action_way(way)

    def _advance(self) -> None:
        """To the next unread trace after this one, from the first again after the last; back to the queue when none is left."""
        here, number = self.walk.at_trace, len(self._listing.entries)
        for by in range(1, number):
            place = (here + by) % number
            if self._listing.entries[place].sample_id in self._still:
                self._go_to(place)
                return
        if self._listing.entries[here].sample_id in self._still:
            self.say_end(1, "unread trace of the queue")
        else:
            self.dismiss(self.walk.place)

    def _go_to(self, place: int) -> None:
        self._onward = 1
        self._go(self._queue.to(place))

    def _go(self, walk: Walk) -> None:
        self._awaited = walk.trace.sample_id
        super()._go(walk)

    def _follow(self) -> None:
        """See in the background what the labels have made of the queue: what nothing hangs on any more is passed over."""
        session, pair, by, earlier = self.session, self.pair, self._listing.by, self._standing
        problem, blind = self._problem, self.blind

        def work() -> Followed:
            standing = read_standing(session, pair, earlier)
            return Followed(read_listing(session, pair, by, standing, problem), standing, blind)

        self.read("follow", work)

    def _walk_anew(self, listing: Listing) -> None:
        """Blind and sighted queues are two: another order, and wrong answers in one of them alone."""
        if not listing.entries:
            self.dismiss(self.walk.place)
            return
        self._listing, self._listed_blind, self._queue = listing, self.blind, walk_over(listing, 0)
        self._places = {entry.sample_id: place for place, entry in enumerate(listing.entries)}
        place = self._places.get(self.walk.trace.sample_id)
        said = auditing.BLIND + auditing.left_out(listing) if self.blind else auditing.SIGHTED
        if place is None:
            place = next((at for at, entry in enumerate(listing.entries) if entry.sample_id in self._still), 0)
            self._told_then = said
        else:
            self._step_wanted = self.current_step
            self.say(said)
        self.walk = self._queue.to(place)
        self._go_to(place)

    def _count(self, listing: Listing) -> None:
        given = self._given & self._places.keys()
        self._judged = {entry.sample_id for entry in listing.entries if entry.judged} | given
        self._still = set(listing.still) - self._given

    @property
    def checks(self) -> bool:
        """In blind mode nothing is checked: what arithmetic finds is another's opinion."""
        return not self.blind

    def _show_statement(self) -> None:
        statement, wanted = self.query_one("#statement", TextView), self._statement_wanted
        shows = self._has_room(statement) if wanted is None else wanted
        if statement.has_focus and not shows:
            self._response.focus()
        if shows != statement.has_class("shown"):
            statement.set_class(shows, "shown")
        super()._show_statement()
        self._show_problem(hidden=not shows)

    def _show_problem(self, *, hidden: bool) -> None:
        """Where the statement is not shown, that t shows it, and how it begins."""
        if self.reading is None:
            return
        line: Line = [("t", Tone.ACCENT), dim(" statement  "), plain(one_line(self.reading.statement.text[:_BEGINNING]))]
        self.query_one("#problem", Lines).lines = (
            [fitted(line, max(1, self.size.width - 2))] if hidden and not self.is_low else []
        )

    def _has_room(self, statement: TextView) -> bool:
        """For the statement above the response. Reckoned, not measured: nothing is laid out twice."""
        reading = self.reading
        if reading is None or self.size.width == 0:
            return False
        gap = 0 if self.is_low else 1
        room = self.size.height - _FRAME - len(self.query_one("#heading", Lines).lines) - gap
        document = reading.statement
        lines = len(page_of(document, statement.text_width(document)).lines)
        if lines > _LARGEST * self.size.height:
            return False
        return lines + 1 <= room / _SMALL or lines + 1 + len(self._response.page.lines) <= room

    def _show_digits(self) -> None:
        self.query_one("#digits", Lines).lines = [auditing.digits(self.size.width - 2)]

    def _show_crumbs(self) -> None:
        walk, name = self.walk, "" if self.trace is None else self.name_of(self.trace)
        judged, still = len(self._judged), len(self._still)
        notes: list[Line] = [auditing.progress(judged, judged + still)]
        if self._last:
            has_room = self.size.width >= _ROOM_FOR_UNDO
            notes.append([(self._last if has_room else self._last.removesuffix(f" · {TAKES_BACK}"), Tone.ACCENT)])
        else:
            notes += [[dim("trace "), plain(f"{walk.at_trace + 1}")], *self._where()]
        self.set_crumbs(walk.problem.benchmark, "audit", walk.problem.key, *([name] if name else []), notes=notes)
