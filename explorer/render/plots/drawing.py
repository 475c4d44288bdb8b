"""Any picture in cells. Imports plotext: call it where a worker has imported this module before."""

from __future__ import annotations

from explorer.render.plot import lines
from explorer.render.plots.bars import bars
from explorer.render.plots.cells import NOTHING, Drawn
from explorer.render.plots.picture import Picture, Shape
from explorer.render.plots.rows import rows

_WAYS = {Shape.LINES: lines, Shape.BARS: bars, Shape.ROWS: rows}


def drawn(picture: Picture, width: int, height: int) -> Drawn:
    """The picture in exactly that many cells (rows may be fewer lines); NOTHING where there is no room, or nothing to draw."""
    return _WAYS[picture.shape](picture, width, height) if picture.is_drawn else NOTHING
