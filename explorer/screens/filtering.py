"""What lists share: a filter that is typed, and saved views.

A screen with a filter has a `Prompt` with the id "prompt", and says what a new filter changes (`narrow`). What is typed is read
as it is typed; Enter keeps it only where it can be read.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType

from explorer.model.listing import Filter, Narrowed, complaint, field_lines, read_filter, told
from explorer.model.session import Session
from explorer.render.chips import Part, terms
from explorer.render.pieces import Line
from explorer.screens.asking import Asking
from explorer.widgets.prompt import Reading

Result = TypeVar("Result")

FILTER = Binding(
    "/",
    "filter",
    "filter",
    key_display="/",
    id="list.filter",
    tooltip="Only what fits: words in traces, and fields such as set:base-only or perplexity>1.2",
)
"""Each screen lists it among its own keys, so that it stands where it belongs on the last line."""

EXAMPLES = "guess*   set:base-only   perplexity>1.2   label:none   -correct:yes   (a or b)   re:/x|y/"


class Filtering(Asking[Result]):
    """A list that a typed filter narrows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "backspace",
            "drop_part",
            "drop a part",
            show=False,
            id="list.drop_part",
            tooltip="Drop the last part of the filter; Esc drops all of it",
        ),
        Binding("v", "views", "views", show=False, id="list.views", tooltip="Saved views: pick one, save this filter, delete"),
        Binding("F", "all_hits", "all hits", show=False, id="list.all_hits", tooltip="Every trace of the study that fits"),
    ]

    def __init__(self, session: Session, expression: str = "") -> None:
        """Raises BadQuery where the expression cannot be read."""
        super().__init__(session)
        self.wanted: Filter | None = read_filter(expression)
        """The filter in force."""
        self.narrowed: Narrowed | None = None
        """What it leaves; None without a filter, and while that is looked for."""
        self.failed = False
        """It could not be looked for."""

    @property
    def tells_fields(self) -> bool:
        """Whether the prompt tells of the fields while nothing is typed."""
        return True

    @abstractmethod
    def narrow(self) -> None:
        """Another filter is in force, or none: look for what it leaves, and list that."""

    def set_filter(self, wanted: Filter | None) -> None:
        self.wanted, self.narrowed, self.failed = wanted, None, False
        self.narrow()

    def terms_line(self, left: int | None, of: int, where: str = "") -> list[Line]:
        """The filter's parts, for a place over the list; no line without a filter. left: None while it is looked for."""
        if self.wanted is None:
            return []
        each = self.narrowed.each if self.narrowed is not None else (None,) * len(self.wanted.parts)
        parts = [Part(text, number) for text, number in zip(self.wanted.parts, each, strict=True)]
        return [terms(parts, left, of, self.size.width, where)]

    def action_filter(self) -> None:
        before = "" if self.wanted is None else self.wanted.text + " "
        check = check_with_fields if self.tells_fields else check_filter
        self.ask_for("words, or field:value", before, lambda text: self.set_filter(read_filter(text)), check)

    def action_drop_part(self) -> None:
        if self.wanted is None:
            self.say("no filter: / sets one")
        else:
            self.set_filter(self.wanted.without_last())

    def action_views(self) -> None:
        from explorer.screens.views import ViewsScreen

        def back(expression: str | None) -> None:
            if expression is not None and (why := complaint(expression)) is not None:
                self.say(f"this view cannot be read: {why}", error=True)
            elif expression is not None:
                self.set_filter(read_filter(expression))

        self.app.push_screen(ViewsScreen(self.session, "" if self.wanted is None else self.wanted.text), back)

    def action_all_hits(self) -> None:
        self.go("found", "" if self.wanted is None else self.wanted.text)


def check_filter(text: str) -> Reading:
    """What a filter that is being typed says so far: nothing of what is not finished, examples where nothing is typed."""
    if not text.strip():
        return Reading(EXAMPLES)
    why = complaint(text)
    return Reading(told(text)) if why is None else Reading(why, stands=False)


def check_with_fields(text: str) -> Reading:
    """The same, with every field where nothing is typed."""
    found = check_filter(text)
    return found if text.strip() else replace(found, more=field_lines)
