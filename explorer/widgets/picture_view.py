"""One picture: drawn once for its size, the cursor laid over it when it moves. Where nothing is drawn, the reason stands there.

plotext keeps its figure in module state, so it is called here, on the event loop, and nowhere else: a drawing takes 5 to 30 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual.reactive import reactive
from textual.strip import Strip

from explorer.render.pieces import Line, Tone, dim
from explorer.render.plots.cells import NOTHING, Drawn, with_cursor
from explorer.render.plots.picture import Picture, Shape
from explorer.render.text import one_line
from explorer.render.wrap import wrap
from explorer.widgets.toned import Toned

_NO_ROOM = "no room for the picture: the numbers are beneath"
_MOST_LINES_A_ROW = 4
_AXIS = 2


class PictureView(Toned):
    """Empty until there is a picture: what computes it runs apart from the first paint."""

    DEFAULT_CSS = """
    PictureView { height: 1fr; width: 1fr; }
    """

    picture: reactive[Picture | None] = reactive(None)
    place: reactive[int] = reactive(0)
    is_whole: reactive[bool] = reactive(False)
    """Shares from 0 to 100, however small the part is that they span."""
    waiting: reactive[str] = reactive("")
    """What is said while there is no picture."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.drawings = 0
        """How often the picture was drawn: moving the cursor must not add to it."""
        self._drawn: Drawn = NOTHING
        self._drawn_for: tuple[object, ...] = ()
        self._lines: Sequence[Line] = ()
        self._lines_for: tuple[object, ...] = ()

    def render_line(self, y: int) -> Strip:
        lines = self.lines()
        return self.strip_of(lines[y] if y < len(lines) else (), self.size.width)

    def lines(self) -> Sequence[Line]:
        """What is shown now, line by line."""
        wanted = (self.picture, self.size, self.is_whole, self.place, self.waiting)
        if wanted != self._lines_for:
            self._lines_for = wanted
            self._lines = self._made()
        return self._lines

    def height_wanted(self, room: int, width: int) -> int:
        """Lines the picture makes use of, of those there are."""
        picture = self.picture
        if picture is None or not picture.is_drawn:
            return min(room, max(1, len(self._said(width))))
        return min(room, _MOST_LINES_A_ROW * len(picture.places) + _AXIS) if picture.shape is Shape.ROWS else room

    def _made(self) -> Sequence[Line]:
        if self.picture is None or not self.picture.is_drawn:
            return self._said(self.size.width)
        key = (self.picture, self.size, self.is_whole)
        if key != self._drawn_for:
            self._drawn_for, self._drawn = key, self._draw(self.picture)
        return with_cursor(self._drawn, self.place) if self._drawn.grid else [[dim(_NO_ROOM)]]

    def _draw(self, picture: Picture) -> Drawn:
        # Where there is a picture a worker has imported plotext already: here it costs nothing.
        from explorer.render.plots.drawing import drawn

        self.drawings += 1
        return drawn(whole(picture) if self.is_whole else picture, self.size.width, self.size.height)

    def _said(self, width: int) -> list[Line]:
        if self.picture is None:
            return [[dim(f"  {self.waiting}")]]
        lines: list[Line] = []
        for note in map(one_line, self.picture.notes):
            lines += [[("  " + note[start:end], Tone.WARN)] for start, end in wrap(note, max(width - 4, 8))]
        return lines


def whole(picture: Picture) -> Picture:
    """The picture with all of its axis, where it is one of shares."""
    return replace(picture, limits=(0.0, 100.0)) if can_be_whole(picture) else picture


def can_be_whole(picture: Picture) -> bool:
    return picture.unit == "%" and picture.shape is Shape.LINES and picture.limits != (0.0, 100.0)
