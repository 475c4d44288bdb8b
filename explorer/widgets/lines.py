"""A few lines of pieces, each cut to the width: headers, summaries, the line of chips."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.reactive import reactive
from textual.strip import Strip

from explorer.render.pieces import Line
from explorer.widgets.toned import Toned


class Lines(Toned):
    """As high as it has lines, unless its styles say otherwise."""

    DEFAULT_CSS = """
    Lines { height: auto; width: 1fr; }
    """

    lines: reactive[Sequence[Line]] = reactive((), always_update=True)

    def watch_lines(self, before: Sequence[Line], after: Sequence[Line]) -> None:
        """A layout of the screen costs more than all else here: only where the height is another."""
        if len(before) != len(after):
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        return len(self.lines)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        return self.strip_of(self.lines[y], width) if y < len(self.lines) else self.strip_of((), width)

    @property
    def text(self) -> str:
        """What is shown, without tones: one line of text for each line."""
        return "\n".join("".join(text for text, _ in line) for line in self.lines)
