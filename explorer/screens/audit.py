"""The Reader as auditors use it: the queue's progress on the first line, the digits with their words always in sight, and on to
the next trace once a label is on disk.

In blind mode nothing on the screen says which model wrote the trace, what was made of its answer, or what others said of it.
The answer stays, since it stands in the text anyway. The reference goes: beside the answer it would be the verdict, and who
knows that a chain ends right reads it more kindly. So 6 and 7, which judge the reference and the verdict, need eyes open. What
the rules of suspicion find in the text is somebody's opinion, too, and goes with the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from explorer.model.queue import Entry, Listing, QueueWalk, Standing, read_listing, read_standing, walk_over
from explorer.model.session import Pair, Session
from explorer.model.walk import Walk
from explorer.render import auditing
from explorer.render.pieces import Line, Tone, dim, plain
from explorer.screens.base import CouldNotRead, Here
from explorer.screens.labelling import LabelNotKept
from explorer.screens.reader import ReaderScreen
from explorer.widgets.lines import Lines
from store.audits import MEANINGS, Meaning
from store.rows import ProblemRow, Trace


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
    AuditScreen #digits { height: 1; padding: 0 1; background: $crumb-line; }
    """

    def __init__(
        self, session: Session, pair: Pair, listing: Listing, at: int, standing: Standing, problem: ProblemRow | None = None
    ) -> None:
        self._queue: QueueWalk = walk_over(listing, at)
        super().__init__(session, pair, self._queue)
        self._listing, self._standing, self._problem = listing, standing, problem
        self._places = {entry.sample_id: place for place, entry in enumerate(listing.entries)}
        self._judged: set[int] = set()
        self._still: set[int] = set()
        self._count(listing)
        self._last = ""
        """What the newest change was, for the first line."""
        self._doing = ""
        self._awaited: int | None = self._queue.trace.sample_id
        """The trace that is being read: until it is shown, no key is meant for it."""

    def compose(self) -> ComposeResult:
        yield from super().compose()
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

    def name_of(self, trace: Trace) -> str:
        return "blind" if self.blind else super().name_of(trace)

    def labelled(self, said: str) -> None:
        """A change is on disk: on to the next trace after a label, back to the trace that an undoing was of."""
        self._last = self.said = said
        sample_id = self.session.labels.last
        if self._doing == "label" and sample_id is not None:
            self._judged.add(sample_id)
            self._still.discard(sample_id)
            self._kept.drop(sample_id)
            self._follow()
            self._advance()
        elif self._doing == "undo" and sample_id is not None:
            session = self.session
            self._kept.drop(sample_id)
            self.read("undone", lambda: TakenBack(sample_id, session.labels.of(sample_id).label))
        else:
            self.read_labels()
        self._doing = ""
        self._show_crumbs()

    @on(TakenBack)
    def go_back(self, message: TakenBack) -> None:
        of, place = message.sample_id, self._places.get(message.sample_id)
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
            self._show_crumbs()

    @on(CouldNotRead)
    def wait_no_longer(self) -> None:
        self._awaited = None

    @on(LabelNotKept)
    def stay_here(self) -> None:
        self._doing = ""

    def watch_trace(self) -> None:
        super().watch_trace()
        if self.trace is not None and self.trace.row.sample_id == self._wanted.trace.sample_id:
            self._awaited = None

    def on_resize(self) -> None:
        super().on_resize()
        self._show_digits()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Space comes before the text's own keys; while something is typed, a blank is a blank."""
        if action == "skip" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_label(self, digit: int) -> None:
        if self._awaited is not None or self.trace is None:
            return
        if self.blind and MEANINGS[digit] is Meaning.CORRECTED:
            self.say(auditing.SEE_FIRST)
            return
        if not self._is_writing:
            self._doing = "label"
        self.chosen = self.entry.item.chosen
        super().action_label(digit)

    def action_undo(self) -> None:
        if not self._is_writing:
            self._doing = "undo"
        super().action_undo()

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
            self.say("this is the last problem of the queue" if by > 0 else "this is the first problem of the queue")
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
            self.say("a link names the run, which is hidden: b shows it")
        else:
            super().action_copy()

    def action_compare(self) -> None:
        if self.blind:
            self.say("comparing shows both runs, which are hidden: b shows them")
        else:
            super().action_compare()

    def action_reason(self, by: int) -> None:
        if self.blind:
            self.say("marks are hidden while you read blind: b shows them")
        else:
            super().action_reason(by)

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
            self.say("this is the last unread trace of the queue")
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

    def _count(self, listing: Listing) -> None:
        self._judged = {entry.sample_id for entry in listing.entries if entry.judged}
        self._still = set(listing.still)

    @property
    def checks(self) -> bool:
        """In blind mode nothing is checked: what arithmetic finds is another's opinion."""
        return not self.blind

    def _show_digits(self) -> None:
        self.query_one("#digits", Lines).lines = [auditing.digits(self.size.width - 2)]

    def _show_crumbs(self) -> None:
        walk, name = self.walk, "" if self.trace is None else self.name_of(self.trace)
        judged, still = len(self._judged), len(self._still)
        notes: list[Line] = [auditing.progress(judged, judged + still)]
        if self._last:
            notes.append([(self._last, Tone.ACCENT)])
        else:
            notes += [[dim("trace "), plain(f"{walk.at_trace + 1}")], *self._where()]
        self.set_crumbs(walk.problem.benchmark, "audit", walk.problem.key, name, notes=notes)
