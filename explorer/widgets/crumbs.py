"""The first line of every screen: the way here on the left, what must stay in sight on the right.

Where both do not fit, the way is cut: it can be walked again, the notes cannot be guessed.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive
from textual.strip import Strip

from explorer.render.pieces import Line, Piece, dim, fitted, joined, plain, strong, width_of
from explorer.widgets.toned import Toned

_SHORTEST_WAY = 16


class Crumbs(Toned):
    """study.db › gsm8k › 12                      sample 3 of 8 · step 2 of 9"""

    DEFAULT_CSS = """
    Crumbs { height: 1; width: 1fr; background: $crumb-line; }
    """

    way: reactive[Sequence[str]] = reactive(())
    notes: reactive[Sequence[Line]] = reactive((), always_update=True)

    def render_line(self, y: int) -> Strip:
        return self.strip_of(self._line(self.view_width) if y == 0 else (), self.view_width)

    @property
    def text(self) -> str:
        """What is said, cut by nothing."""
        return " › ".join(self.way) + " | " + "".join(text for text, _ in joined(self.notes))

    def _line(self, width: int) -> Line:
        notes = [*joined(self.notes), plain(" ")]
        room = max(_SHORTEST_WAY, width - width_of(notes) - 2)
        return [*fitted(self._way(), min(room, width)), plain("  "), *notes]

    def _way(self) -> Line:
        pieces: list[Piece] = [plain(" ")]
        for part in self.way[:-1]:
            pieces += [dim(part), dim(" › ")]
        return [*pieces, *(strong(part) for part in self.way[-1:])]
