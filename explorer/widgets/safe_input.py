"""A field to type in whose text may be a stranger's: a note that was imported, a saved view, something pasted.

Textual draws what a field holds as it is. Here every character that a terminal would act on or hide becomes a picture of one
cell, so that the cursor stands where it belongs; what the field holds stays as it was.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Input

from explorer.render.text import pictured


class SafeInput(Input):
    """`Input`, drawn without control characters."""

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if all(pictured(segment.text) == segment.text for segment in strip):
            return strip
        width = strip.cell_length
        drawn = Strip(Segment(pictured(segment.text), segment.style) for segment in strip)
        return drawn.crop(0, width)
