"""A widget that draws lines of toned pieces through Textual's Line API, in the theme's colours.

The one place where pieces become terminal segments: they are made visible and cut to the width here, whoever made them, and
never read as markup.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from explorer.render.pieces import Line, Tone, fitted


class Toned(Widget):
    """Base of all widgets that show a study's text."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in Tone} | {"tone--cursor"}

    DEFAULT_CSS = """
    Toned > .tone--dim { color: $text-muted; }
    Toned > .tone--strong { text-style: bold; }
    Toned > .tone--base { color: $run-base; }
    Toned > .tone--other { color: $run-other; }
    Toned > .tone--good { color: $said-good; }
    Toned > .tone--bad { color: $said-bad; }
    Toned > .tone--warn { color: $said-warn; text-style: bold; }
    Toned > .tone--accent { color: $said-accent; text-style: bold; }
    Toned > .tone--answer { text-style: bold reverse; }
    Toned > .tone--match { text-style: underline bold; color: $said-accent; }
    Toned > .tone--match-here { text-style: reverse; color: $said-accent; }
    Toned > .tone--keyword { color: $said-accent; }
    Toned > .tone--string { color: $said-good; }
    Toned > .tone--number { color: $run-other; }
    Toned > .tone--comment { color: $text-muted; text-style: italic; }
    Toned > .tone--only-here { text-style: bold underline; }
    Toned > .tone--cursor { background: $cursor-line; text-style: bold; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self._styles_by_name: dict[str, Style] = {}
        self._base: Style | None = None

    @property
    def rich_style(self) -> Style:
        """Kept: every line asks for it."""
        if self._base is None:
            self._base = super().rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._styles_by_name.clear()
        self._base = None

    @property
    def view_width(self) -> int:
        """Cells a line may take: what scrollbars and padding leave."""
        return self.scrollable_content_region.width

    def strip_of(self, line: Line, width: int, *, cursor: bool = False) -> Strip:
        """The line as a strip of exactly `width` cells; `cursor`: on the cursor's ground."""
        base = self.rich_style + self._style("cursor") if cursor else self.rich_style
        pieces = fitted(line, width)
        segments = [Segment(text, base + self._style(tone)) for text, tone in pieces if text]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, name: str) -> Style:
        found = self._styles_by_name.get(name)
        if found is None:
            found = self.get_component_rich_style(f"tone--{name}", partial=True)
            self._styles_by_name[name] = found
        return found
