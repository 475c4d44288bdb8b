"""Labelling as a mixin: digits, u, e, f and x on a screen that shows one trace. Reader and audit queue share it.

    class ReaderScreen(Labelling[Place]):

It expects of the screen: `trace` (None while nothing is shown), `current_step`, a `Prompt` with the id "prompt", and, where it
wants to say how its traces are chosen, `chosen`. After each change that is on disk, and after no other, it calls
`labelled(said, change)`. What cannot be written is said, and nothing moves.

One change is written at a time: keys that come while one is being written are dropped, since they were meant for a trace that
the person has not seen yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from explorer.render.words import LABELS
from explorer.screens.asking import Asking
from store.audits import LABELS as RULES
from store.audits import Chosen
from store.errors import StudyError

if TYPE_CHECKING:
    from explorer.model.labels import Labels
    from store.rows import Trace

Result = TypeVar("Result")


class Change(Enum):
    """What was done to a trace."""

    LABEL = auto()
    UNDO = auto()
    """The newest change of any kind was taken back."""
    REMARK = auto()
    """A note, a flag, or a mark at a step."""


@dataclass
class LabelKept(Message):
    """A change is on disk."""

    said: str
    change: Change


@dataclass
class NoteRead(Message):
    """The note that is to be changed."""

    sample_id: int
    text: str


@dataclass
class LabelNotKept(Message):
    """Nothing was written. The sentence says why, and what to do."""

    sentence: str


class Labelling(Asking[Result], Generic[Result]):
    """What a person can say of the trace on the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(digit),
                f"label({digit})",
                word,
                show=False,
                id=f"label.{digit}",
                tooltip=f"Label this trace {digit}, {word}: {RULES[digit].rule[0].lower()}{RULES[digit].rule[1:-1]}",
            )
            for digit, word in LABELS.items()
        ),
        Binding("u", "undo", "undo", id="label.undo", tooltip="Take back the newest label, note, flag or mark"),
        Binding("e", "note", "note", show=False, id="label.note", tooltip="Write a note on this trace, or change it"),
        Binding("f", "flag", "flag", show=False, id="label.flag", tooltip="Flag this trace to come back to it, or unflag it"),
        Binding("x", "mark", "mark step", show=False, id="label.mark", tooltip="Mark the current step: the label hangs on it"),
    ]

    _is_writing = False

    trace: reactive[Trace | None] = reactive(None, init=False, always_update=True)
    chosen: Chosen = Chosen.BROWSE
    """How the traces shown here are chosen: it goes with each label."""

    @property
    def current_step(self) -> int:
        """The step of the response that the reader is at, from 1."""
        return 1

    def labelled(self, said: str, change: Change) -> None:  # noqa: ARG002 - for those who override it
        """A change is on disk: show it. `session.labels.last` is the trace it was of."""
        self.say(said)

    def change(self, work: Callable[[Labels], str], change: Change = Change.REMARK) -> None:
        """Do `work` on the session's labels in a thread, then `labelled` with what it returns."""
        if self._is_writing:
            return
        self._is_writing = True

        def working() -> None:
            from explorer.model.labels import why_not

            try:
                self.post_message(LabelKept(work(self.session.labels), change))
            except StudyError as error:
                self.post_message(LabelNotKept(why_not(error)))

        self.run_worker(working, thread=True, group="label")

    @on(LabelKept)
    def tell_kept(self, message: LabelKept) -> None:
        self._is_writing = False
        self.labelled(message.said, message.change)

    @on(LabelNotKept)
    def tell_not_kept(self, message: LabelNotKept) -> None:
        self._is_writing = False
        self.say(message.sentence, error=True)

    @on(NoteRead)
    def ask_note(self, message: NoteRead) -> None:
        trace = self.trace
        if trace is not None and trace.row.sample_id == message.sample_id:

            def take(text: str) -> None:
                self.change(lambda labels: labels.note(trace, text))

            self.ask_for("note on this trace; empty takes it away", message.text, take)

    def action_label(self, digit: int) -> None:
        trace, chosen = self.trace, self.chosen
        if trace is not None:
            self.change(lambda labels: labels.give(trace, digit, chosen=chosen), Change.LABEL)

    def action_digits(self) -> None:
        """The key line names all digits at once; whoever clicks there, or presses 0, is told their words."""
        self.say(" · ".join(f"{digit} {word}" for digit, word in LABELS.items()))

    def action_undo(self) -> None:
        self.change(lambda labels: labels.undo(), Change.UNDO)

    def action_note(self) -> None:
        if self.trace is not None:
            sample_id, labels = self.trace.row.sample_id, self.session.labels
            self.read("note", lambda: NoteRead(sample_id, labels.of(sample_id).note or ""))

    def action_flag(self) -> None:
        trace = self.trace
        if trace is not None:
            self.change(lambda labels: labels.flag(trace))

    def action_mark(self) -> None:
        trace = self.trace
        if trace is not None:
            step = self.current_step
            self.change(lambda labels: labels.mark_step(trace, step))
