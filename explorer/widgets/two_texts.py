"""Two texts beside each other, locked by step: a `Spread` drawn row by row, with a gutter of step numbers and signs.

One of the sides is chosen: `come_to` and `step` go by its steps, the other side is there too. Where the widget is too narrow
for both, the chosen side alone is shown. It says `Narrowed` when a `Spread` of another width is needed, and goes on drawing
the one it has: who made it makes the next one, off the event loop. Only rows in view are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from explorer.render.pieces import Line, Tone, dim, fitted, plain
from explorer.render.spread import Spread
from explorer.widgets.pager import pager_keys
from explorer.widgets.toned import Toned

_TOO_NARROW: Final = 70
"""Cells below which two texts beside each other would be two columns of syllables."""

_NUMBER: Final = 4
_GUTTER: Final = _NUMBER + 2
_BETWEEN: Final = dim("│")
_KEPT_ABOVE: Final = 1
_TONES: Final = {"=": Tone.DIM, "≈": Tone.PLAIN, "≠": Tone.WARN, "+": Tone.WARN}


class TwoTexts(Toned, ScrollView, can_focus=True):
    """Reads like a pager with two columns."""

    BINDINGS: ClassVar[list[BindingType]] = pager_keys("texts")

    DEFAULT_CSS = """
    TwoTexts { height: 1fr; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    """

    class Moved(Message):
        """A key led to another step."""

    @dataclass
    class Narrowed(Message):
        """There is room for columns of another width, or for another number of them."""

    @dataclass
    class Clicked(Message):
        """A side was clicked."""

        side: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._spread: Spread | None = None
        self._current = 0
        self._gone_to = False
        self._empty = ""
        self._cache: dict[int, Strip] = {}
        self._width_seen = 0

    @property
    def spread(self) -> Spread | None:
        return self._spread

    @property
    def current(self) -> int:
        """The facing the reader is at, from 0."""
        return self._current

    @property
    def is_narrow(self) -> bool:
        """Is there room for one text only?"""
        return self.view_width < _TOO_NARROW

    @property
    def pane_width(self) -> int:
        """Cells of one column, its gutter taken along."""
        return self.view_width if self.is_narrow else (self.view_width - 1) // 2

    @property
    def text_width(self) -> int:
        """Cells that a `Spread` may use for the text of one column."""
        return max(8, self.pane_width - _GUTTER)

    def show(self, spread: Spread, at: int) -> None:
        """Show another spread, with that facing on top unless it is the first."""
        self._spread, self._empty = spread, ""
        self._gone_to = False
        self._fit()
        self._current = max(0, min(at, len(spread.starts) - 1))
        self._scroll(spread.starts[self._current] - _KEPT_ABOVE if self._current else 0)

    def turn(self, spread: Spread) -> None:
        """Show the same texts laid out anew, with the same facing at the same height."""
        before = self._spread
        if before is None or not spread.starts or not before.starts:
            self.show(spread, self._current)
            return
        above = before.starts[min(self._current, len(before.starts) - 1)] - self._top
        self._spread = spread
        self._fit()
        self._scroll(spread.starts[self._current] - max(-2, min(above, self.size.height - 2)))

    def clear(self, why: str) -> None:
        """Show nothing but a sentence."""
        self._spread, self._current, self._empty = None, 0, why
        self._fit()

    def come_to(self, at: int) -> None:
        """Bring the whole facing into view, or its first row on top where it does not fit."""
        spread = self._spread
        if spread is None or not spread.starts:
            return
        at = max(0, min(at, len(spread.starts) - 1))
        if spread.starts[at] < self._top or spread.end_of(at) > self._top + self.size.height:
            self._scroll(spread.starts[at] - _KEPT_ABOVE)
        self._be_at(at, gone_to=True)

    def action_by_lines(self, by: int) -> None:
        self._scroll(self._top + by)
        self._follow()

    def action_by_pages(self, by: int) -> None:
        self.action_by_lines(by * max(1, self.size.height - 2))

    def action_to_top(self) -> None:
        self._scroll(0)
        self._be_at(0, gone_to=False)

    def action_to_end(self) -> None:
        if self._spread is not None:
            self._scroll(len(self._spread.rows))
            self._be_at(len(self._spread.starts) - 1, gone_to=True)

    def on_resize(self) -> None:
        if self.view_width != self._width_seen:
            self._width_seen = self.view_width
            self._cache.clear()
            self.post_message(self.Narrowed())

    def on_click(self, event: events.Click) -> None:
        if not self.is_narrow:
            self.post_message(self.Clicked(int(event.x > self.pane_width)))

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._cache.clear()

    def render_line(self, y: int) -> Strip:
        row = self._top + y
        if self._spread is None or row >= len(self._spread.rows):
            said = [dim("  " + self._empty)] if y == 0 and self._spread is None else ()
            return self.strip_of(said, self.view_width)
        if row not in self._cache:
            self._cache[row] = self.strip_of(self._line(self._spread, row), self.view_width)
        return self._cache[row]

    @property
    def _top(self) -> int:
        return max(0, round(self.scroll_y))

    def _line(self, spread: Spread, row: int) -> Line:
        if spread.side is not None:
            return fitted(self._half(spread, row, spread.side), self.view_width)
        left, right = (fitted(self._half(spread, row, side), self.pane_width) for side in (0, 1))
        return [*left, _BETWEEN, *right]

    def _half(self, spread: Spread, row: int, side: int) -> Line:
        if not spread.has_line(row, side):
            return ()
        here = spread.facing_at(row) == self._current
        bar = ("▌" if here else "▏", Tone.ACCENT if here else Tone.DIM)
        number = spread.number(row, side)
        tone = _TONES[number[-1]] if number else Tone.DIM
        shown = number if len(number) <= _NUMBER else f"…{number[1 - _NUMBER :]}"
        return [(f"{shown:>{_NUMBER}}", tone), bar, plain(" "), *spread.pieces(row, side)]

    def _follow(self) -> None:
        """After scrolling: the step gone to while some of it is in view, else the one on top; at the end the last one."""
        spread = self._spread
        if spread is None or not spread.rows:
            return
        bottom = min(self._top + self.size.height, len(spread.rows)) - 1
        first, last = spread.facing_at(min(self._top, bottom)), spread.facing_at(bottom)
        if self._gone_to and first <= self._current <= last:
            return
        at_end = 0 < self.max_scroll_y <= self._top
        self._be_at(last if at_end else first, gone_to=at_end)

    def _be_at(self, at: int, *, gone_to: bool) -> None:
        before, self._current, self._gone_to = self._current, max(0, at), gone_to
        if self._current != before:
            self._cache.clear()
            self.refresh()
            self.post_message(self.Moved())

    def _fit(self) -> None:
        self._cache.clear()
        self.virtual_size = Size(self.view_width, len(self._spread.rows) if self._spread is not None else 1)
        self.refresh()

    def _scroll(self, row: int) -> None:
        self.scroll_to(y=max(0, row), animate=False, force=True)
