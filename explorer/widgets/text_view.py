"""A text of any length, wrapped to the width and drawn line by line, with a gutter of step numbers and a current step.

`open` shows a text, `turn` shows the same one raw at the same place, `come_to_step` and `find` go to a part of it. However the
view got there, `current` is the step the reader is at: the one gone to while some of it is in view, else the one on top. Only
lines in view are drawn. The gutter says the step's number and, at the current one, ▶; later it will hold what is known of
each step.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from explorer.render.page import Mark, lay_out, matches
from explorer.render.pieces import Line, Tone, dim, plain
from explorer.render.wrap import Span
from explorer.widgets.toned import Toned

_NUMBER = 4
_GUTTER = _NUMBER + 4
_KEPT_ABOVE = 1
_LINE, _PAGE, _ENDS = (Binding.Group(word) for word in ("line", "page", "ends"))


@dataclass(frozen=True, slots=True)
class Document:
    """What a text view shows."""

    text: str
    """As it came from the study."""
    answer: tuple[int, int] | None = None
    """The extracted answer, in characters of `text`."""
    raw: bool = False
    steps: bool = True
    """Whether to number its steps."""
    empty: str = ""
    """What to say where there is no text."""


EMPTY = Document("", steps=False)


class TextView(Toned, ScrollView, can_focus=True):
    """Reads like a pager."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "by_lines(1)", "line down", show=False, group=_LINE, id="text.down", tooltip="One line down"),
        Binding("k,up", "by_lines(-1)", "line up", show=False, group=_LINE, id="text.up", tooltip="One line up"),
        Binding(
            "space,pagedown,ctrl+f",
            "by_pages(1)",
            "page down",
            show=False,
            group=_PAGE,
            id="text.page_down",
            tooltip="One page down",
        ),
        Binding("pageup,ctrl+b", "by_pages(-1)", "page up", show=False, group=_PAGE, id="text.page_up", tooltip="One page up"),
        Binding("g,home", "to_top", "top", show=False, group=_ENDS, id="text.top", tooltip="To the beginning"),
        Binding("G,end", "to_end", "end", show=False, group=_ENDS, id="text.end", tooltip="To the end"),
    ]

    DEFAULT_CSS = """
    TextView { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """A key or a search led to another step or match. Opening a text does not say so: who opens it knows."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._document = EMPTY
        self._page = lay_out("", 2)
        self._wrapped_for = 0
        self._current = 1
        self._chosen = False
        self._put_on_top = (-1, 0)
        self._marks: list[Mark] = []
        self._found: list[Span] = []
        """In characters of the text: they outlast another wrapping."""
        self._found_shown: list[Span] = []
        self._found_at = -1
        self._cache: dict[int, Strip] = {}

    @property
    def document(self) -> Document:
        return self._document

    @property
    def current(self) -> int:
        """1-based step the reader is at; 1 where the text has no steps."""
        return self._current

    @property
    def step_count(self) -> int:
        return len(self._page.steps)

    @property
    def found(self) -> tuple[int, int]:
        """Which match the view is at, from 1, and how many there are."""
        return self._found_at + 1, len(self._found)

    def open(self, document: Document, step: int = 1, wanted: str = "") -> None:
        """Show another text from that step on, or from the first match of `wanted`. A step too far is the last one."""
        self._document = document
        self._put_on_top = (-1, 0)
        self._found, self._found_at = [], -1
        self._wrap()
        self._current = self._nearest(step)
        self._chosen = self._current > 1
        self._scroll(self._page.steps[self._current - 1] - _KEPT_ABOVE if self._chosen else 0)
        self._seek(wanted)

    def turn(self, *, raw: bool) -> None:
        """Show the same text as it came, or as it reads, at the same place, step and match."""
        place = self._place_on_top()
        self._document = replace(self._document, raw=raw)
        self._wrap()
        self._bring_on_top(place)

    def come_to_step(self, step: int) -> None:
        """The whole step in view, or its first line on top where it does not fit. A step too far is the nearest there is."""
        if not self._page.steps:
            return
        step = self._nearest(step)
        first = self._page.steps[step - 1]
        end = self._page.steps[step] if step < self.step_count else len(self._page.lines)
        top = self._top
        if first < top or end > top + self.size.height:
            self._scroll(first - _KEPT_ABOVE)
        self._come_to(step, chosen=True)

    def find(self, wanted: str) -> None:
        """Mark what is wanted, and go to the first match at or after the top of the view."""
        self._seek(wanted)
        self.post_message(self.Moved())

    def find_next(self, by: int) -> None:
        """Go to the next or previous match, round the ends."""
        if self._found:
            self._found_at = (self._found_at + by) % len(self._found)
            self._mark()
            self._show_found()
            self.post_message(self.Moved())

    def action_by_lines(self, by: int) -> None:
        self._scroll(self._top + by)
        self._follow()

    def action_by_pages(self, by: int) -> None:
        self.action_by_lines(by * max(1, self.size.height - 2))

    def action_to_top(self) -> None:
        self._scroll(0)
        self._come_to(1, chosen=False)

    def action_to_end(self) -> None:
        self._scroll(round(self.max_scroll_y))
        self._come_to(self.step_count, chosen=True)

    def on_resize(self) -> None:
        """Wrap again where the width is another one, with the line on top kept on top."""
        if self.view_width != self._wrapped_for:
            place = self._place_on_top()
            self._wrap()
            self._bring_on_top(place)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._cache.clear()

    def render_line(self, y: int) -> Strip:
        line = self._top + y
        if line >= len(self._page.lines):
            return self.strip_of((), self.view_width)
        if line not in self._cache:
            self._cache[line] = self.strip_of(self._line(line), self.view_width)
        return self._cache[line]

    @property
    def _top(self) -> int:
        """The line at the top of the view."""
        return min(round(self.scroll_y), len(self._page.lines) - 1)

    def _line(self, line: int) -> Line:
        if not self._document.text:
            return (plain(" "), dim(self._document.empty))
        return [*self._gutter(line), *self._page.pieces(line, self._marks)]

    def _gutter(self, line: int) -> Line:
        if not self._page.steps or self._document.raw:
            return (plain(" "),)
        step = self._page.step_at(line)
        here = step == self._current
        bar = ("▎", Tone.ACCENT if here else Tone.DIM)
        if self._page.steps[step - 1] != line:
            return (plain(" " * _NUMBER), bar, plain("   "))
        number = f"{step:>{_NUMBER - 1}} "
        return ((number, Tone.ACCENT if here else Tone.DIM), bar, ("▶  " if here else "   ", Tone.ACCENT))

    def _wrap(self) -> None:
        document = self._document
        gutter = _GUTTER if document.steps and not document.raw else 1
        self._wrapped_for = self.view_width
        self._page = lay_out(
            document.text, self.view_width - gutter, raw=document.raw, steps=document.steps, answer=document.answer
        )
        self.virtual_size = Size(self.view_width, len(self._page.lines))
        self._place_found()

    def _place_found(self) -> None:
        at = self._page.shown.at
        self._found_shown = [(at(start), at(end)) for start, end in self._found]
        self._mark()

    def _mark(self) -> None:
        """Everything that stands out; a match hides the answer it touches."""
        shown = self._page.shown
        found = [
            (start, end, Tone.MATCH_HERE if place == self._found_at else Tone.MATCH)
            for place, (start, end) in enumerate(self._found_shown)
        ]
        answer = self._document.answer
        if answer is not None and not self._document.raw:
            span = shown.at(answer[0]), shown.at(answer[1]) + 1
            if not any(start < span[1] and span[0] < end for start, end, _ in found):
                found = sorted([*found, (*span, Tone.ANSWER)])
        self._marks = found
        self._cache.clear()
        self.refresh()

    def _seek(self, wanted: str) -> None:
        self._found = matches(self._document.text, wanted)
        top = self._page.source_at(self._top)
        self._found_at = next((place for place, (start, _) in enumerate(self._found) if start >= top), 0) if self._found else -1
        self._place_found()
        self._show_found()

    def _show_found(self) -> None:
        """The match in view, a third of the way down where it was not; its step becomes the current one."""
        if self._found:
            line = self._page.line_at(self._found_shown[self._found_at][0])
            if not self._top <= line < self._top + self.size.height:
                self._scroll(line - self.size.height // 3)
            self._current, self._chosen = max(1, self._page.step_at(line)), True

    def _follow(self) -> None:
        """After scrolling: the step gone to while some of it is in view, else the one on top; at the end the last one."""
        lines = self._page.lines
        bottom = min(self._top + self.size.height, len(lines)) - 1
        # A step ends with its blank lines: where only these are left of it, the reader is at the next one.
        first = next((line for line in range(self._top, bottom) if lines[line][0] < lines[line][1]), self._top)
        if self._chosen and self._page.step_at(first) <= self._current <= self._page.step_at(bottom):
            return
        at_end = 0 < self.max_scroll_y <= self._top
        self._come_to(self.step_count if at_end else self._page.step_at(first), chosen=at_end)

    def _come_to(self, step: int, *, chosen: bool) -> None:
        before, self._current, self._chosen = self._current, self._nearest(step), chosen
        if self._current != before:
            self._cache.clear()
            self.refresh()
            self.post_message(self.Moved())

    def _nearest(self, step: int) -> int:
        return max(1, min(step, self.step_count))

    def _place_on_top(self) -> int:
        """The source's character on top. While nobody scrolls it stays the same one, or the text would creep at each turn."""
        line, place = self._put_on_top
        return place if line == self._top else self._page.source_at(self._top)

    def _bring_on_top(self, place: int) -> None:
        self._scroll(self._page.line_at(self._page.shown.at(place)))
        self._put_on_top = (self._top, place)

    def _scroll(self, line: int) -> None:
        self.scroll_to(y=max(0, line), animate=False, force=True)
