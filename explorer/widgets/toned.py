"""A widget that draws lines of toned pieces through Textual's Line API, in the theme's colours.

The one place where pieces become terminal segments: they are made visible and cut to the width here, whoever made them, and
never read as markup.
"""

from __future__ import annotations

from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from explorer.render.pieces import Line, fitted
from explorer.render.theme import CURSOR, tone_styles


class Toned(Widget):
    """Base of all widgets that show a study's text."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._tones: Mapping[str, Style] | None = None
        self._base: Style | None = None

    @property
    def rich_style(self) -> Style:
        """Kept: every line asks for it."""
        if self._base is None:
            self._base = super().rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tones = None
        self._base = None

    @property
    def view_width(self) -> int:
        """Cells a line may take: what scrollbars and padding leave."""
        return self.scrollable_content_region.width

    def strip_of(self, line: Line, width: int, *, cursor: bool = False) -> Strip:
        """The line as a strip of exactly `width` cells; `cursor`: on the cursor's ground."""
        base = self.rich_style + self._style(CURSOR) if cursor else self.rich_style
        pieces = fitted(line, width)
        segments = [Segment(text, base + self._style(tone)) for text, tone in pieces if text]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        if self._tones is None:
            self._tones = tone_styles(self.app.theme)
        return self._tones[name]
