"""A list of any length: only the lines in view are made, so 200,000 rows open as fast as 20.

It holds a `Table` (columns, a length, a function from place to row) and a cursor. Rows that are headings are passed over by
the cursor. Line API; the column titles stay in the first line of the view.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from explorer.render.columns import Column, row_line, share, title_line
from explorer.render.pieces import Line, Piece, dim, plain, strong
from explorer.widgets.toned import Toned

_POINTER = "▸ "
_NO_POINTER = "  "
_CACHED_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a cell for each column."""

    cells: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Heading:
    """A line over the rows that follow. The cursor passes it."""

    line: Line


@dataclass(frozen=True, slots=True)
class Table:
    """What a list shows. `row` is asked for the rows in view only, and again when they change."""

    columns: Sequence[Column]
    length: int
    row: Callable[[int], Row | Heading]
    empty: str = "nothing to show"
    titles: bool = True


NO_TABLE = Table((), 0, lambda _: Heading(()), empty="")


class VirtualList(Toned, ScrollView, can_focus=True):
    """The list every screen uses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "down", show=False, id="list.down", tooltip="One row down"),
        Binding("k,up", "move(-1)", "up", show=False, id="list.up", tooltip="One row up"),
        Binding("g,home", "jump(0)", "first", show=False, id="list.first", tooltip="To the first row"),
        Binding("G,end", "jump(-1)", "last", show=False, id="list.last", tooltip="To the last row"),
        Binding("pagedown,ctrl+f,space", "page(1)", "page down", show=False, id="list.page_down", tooltip="One page down"),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False, id="list.page_up", tooltip="One page up"),
    ]

    DEFAULT_CSS = """
    VirtualList { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    cursor: reactive[int] = reactive(0)

    @dataclass
    class Highlighted(Message):
        """The cursor has come to a row."""

        widget: VirtualList
        place: int

        @property
        def control(self) -> VirtualList:
            return self.widget

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._table = NO_TABLE
        self._widths: list[int] = []
        self._widths_for = -1
        self._cache: dict[tuple[int, bool], Strip] = {}

    @property
    def table(self) -> Table:
        return self._table

    def show(self, table: Table, cursor: int = 0) -> None:
        """Show another table, or the same one with changed rows, with the cursor on that row."""
        self._table = table
        self._forget()
        self._fit()
        # Even where the place is the same there is another row at it, which watchers must hear of.
        self.set_reactive(VirtualList.cursor, self._selectable(cursor, 1))
        self.refresh()
        self._come_to(self.cursor)

    def update_rows(self) -> None:
        """Make the rows in view again: what they say has changed, not which there are."""
        self._forget()
        self.refresh()

    def validate_cursor(self, place: int) -> int:
        return max(0, min(place, self._table.length - 1))

    def watch_cursor(self, before: int, after: int) -> None:
        self.refresh_line(before + self._table.titles)
        self.refresh_line(after + self._table.titles)
        self._come_to(after)

    def action_move(self, by: int) -> None:
        self.cursor = self._selectable(self.cursor + by, 1 if by > 0 else -1)

    def action_jump(self, place: int) -> None:
        last = self._table.length - 1
        self.cursor = self._selectable(last, -1) if place < 0 else self._selectable(place, 1)

    def action_page(self, by: int) -> None:
        self.action_move(by * max(1, self._rows_in_view() - 1))

    def on_click(self, event: events.Click) -> None:
        """A click leads the cursor to the row, a second one does what Enter does."""
        place = self._place_at(event.y)
        if place is None:
            return
        event.stop()
        self.cursor = place
        if event.chain == 2:
            self.app.simulate_key("enter")

    def _place_at(self, y: int) -> int | None:
        """The row on that line of the view; None for titles, headings and what lies beneath the last row."""
        place = round(self.scroll_y) + y - self._table.titles
        is_row = y >= self._table.titles and 0 <= place < self._table.length and not self._is_heading(place)
        return place if is_row else None

    def on_resize(self) -> None:
        self._forget()
        self._fit()
        self._keep_in_view(self.cursor)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._cache.clear()

    def render_line(self, y: int) -> Strip:
        titles = self._table.titles
        if titles and y == 0:
            return self.strip_of([plain(_NO_POINTER), *title_line(self._table.columns, self._widths_now())], self.view_width)
        place = round(self.scroll_y) + y - titles
        if place < self._table.length:
            return self._row_strip(place)
        empty = not self._table.length and y == titles
        return self.strip_of([dim(_NO_POINTER + self._table.empty)] if empty else (), self.view_width)

    def _row_strip(self, place: int) -> Strip:
        key = (place, place == self.cursor)
        if key not in self._cache:
            if len(self._cache) > _CACHED_ROWS:
                self._cache.clear()
            self._cache[key] = self.strip_of(self._line(place), self.view_width, cursor=key[1])
        return self._cache[key]

    def _line(self, place: int) -> Line:
        row = self._table.row(place)
        if isinstance(row, Heading):
            return row.line
        pointer: Piece = strong(_POINTER) if place == self.cursor else plain(_NO_POINTER)
        return [pointer, *row_line(self._table.columns, self._widths_now(), row.cells)]

    def _widths_now(self) -> list[int]:
        if self._widths_for != self.view_width:
            self._widths_for = self.view_width
            self._widths = share(self._table.columns, self.row_width)
        return self._widths

    @property
    def row_width(self) -> int:
        """Cells of a row's columns together: after the pointer, and with a blank before the scroll bar, where there is one."""
        return self.view_width - len(_POINTER) - bool(self.show_vertical_scrollbar)

    def _come_to(self, place: int) -> None:
        self._keep_in_view(place)
        if self._table.length:
            self.post_message(self.Highlighted(self, place))

    def _keep_in_view(self, place: int) -> None:
        """Scroll the least way to the row, and to the heading just above it."""
        top, rows = round(self.scroll_y), self._rows_in_view()
        above = 1 if place > 0 and rows > 1 and self._is_heading(place - 1) else 0
        wanted = min(max(top, place - rows + 1), place - above)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, force=True)

    def _selectable(self, place: int, towards: int) -> int:
        """The nearest row that is no heading, looked for in that direction first."""
        last = self._table.length - 1
        place = max(0, min(place, last))
        for step in (towards, -towards):
            at = place
            while 0 <= at <= last:
                if not self._is_heading(at):
                    return at
                at += step
        return place

    def _is_heading(self, place: int) -> bool:
        return place < self._table.length and isinstance(self._table.row(place), Heading)

    def _rows_in_view(self) -> int:
        return max(1, self.size.height - self._table.titles)

    def _fit(self) -> None:
        self.virtual_size = Size(self.view_width, max(self._table.length, 1) + self._table.titles)

    def _forget(self) -> None:
        self._cache.clear()
        self._widths_for = -1
