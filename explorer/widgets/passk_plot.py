"""pass@k of the baseline and the compared one: a plot, and beneath it the numbers where there is room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.reactive import reactive
from textual.strip import Strip

from explorer.render.pieces import Line, Tone, dim, strong
from explorer.render.plots.picture import BAND_SIGNS
from explorer.render.words import BOTH_MARK, MARKS, percent
from explorer.widgets.toned import Toned

_NUMBER = 6
_ROOM_FOR_NUMBERS = 13
"""Lines from which the numbers are worth the room they take from the plot."""


@dataclass(frozen=True, slots=True)
class Curves:
    """pass@k on problems judged for both runs. Values are shares; None beyond a run's samples."""

    over: str
    """What they are means over: the benchmark and its problems."""
    ks: tuple[int, ...]
    words: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    low: tuple[tuple[float | None, ...], ...] = ()
    """Ends of each run's band, 95 % over problems, as is `high`; empty while intervals are being computed."""
    high: tuple[tuple[float | None, ...], ...] = ()


class PassKPlot(Toned):
    """Empty until there are curves: what computes them runs apart from the first paint."""

    DEFAULT_CSS = """
    PassKPlot { height: 1fr; width: 1fr; }
    """

    curves: reactive[Curves | None] = reactive(None)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._drawn: list[Line] = []
        self._drawn_for: tuple[Curves | None, int, int] | None = None

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        return self.strip_of(lines[y] if y < len(lines) else (), self.size.width)

    def _lines(self) -> list[Line]:
        wanted = (self.curves, self.size.width, self.size.height)
        if wanted != self._drawn_for:
            self._drawn_for = wanted
            self._drawn = self._draw()
        return self._drawn

    def _draw(self) -> list[Line]:
        curves = self.curves
        if curves is None:
            return []
        # Where there are curves a worker has imported plotext already: here it costs nothing.
        from explorer.render.plot import Curve, plot

        numbers = _numbers(curves, self.size.width) if self.size.height >= _ROOM_FOR_NUMBERS else []
        height = self.size.height - 1 - len(numbers)
        bands = zip(curves.low, curves.high, strict=True) if curves.low else [((), ())] * len(curves.words)
        series = [Curve(word, values, *band) for word, values, band in zip(curves.words, curves.values, bands, strict=True)]
        drawn = plot(curves.ks, series, self.size.width, height)
        meet = any(BOTH_MARK in text for line in drawn for text, _ in line)
        return [_legend(curves, meet=meet), *drawn, *(numbers if drawn else _numbers(curves, self.size.width))]


def _legend(curves: Curves, *, meet: bool) -> Line:
    pieces = [dim("pass@k in %  ")]
    for word, (mark, tone), band in zip(curves.words, MARKS, BAND_SIGNS, strict=False):
        pieces.append((f"{mark}{word} {band}  " if curves.low else f"{mark}{word}  ", tone))
    if meet:
        pieces.append(strong(f"{BOTH_MARK} both  "))
    if curves.low:
        pieces.append(dim("95 % bands  "))
    return [*pieces, dim(curves.over)]


def _numbers(curves: Curves, width: int) -> list[Line]:
    """k and the values beneath each other: all of them, or first and last ones where there is no room for all."""
    label = max(len(word) for word in curves.words) + 3
    chosen = _chosen(len(curves.ks), max(1, (width - label) // _NUMBER))
    lines: list[Line] = [[dim("k".ljust(label)), dim("".join(f"{curves.ks[place]:>{_NUMBER}}" for place in chosen))]]
    for word, values, (mark, tone) in zip(curves.words, curves.values, MARKS, strict=False):
        said = "".join(f"{percent(values[place]):>{_NUMBER}}" for place in chosen)
        lines.append([(f"{mark}{word}".ljust(label), tone), (said, Tone.PLAIN)])
    return lines


def _chosen(number: int, room: int) -> Sequence[int]:
    if number <= room:
        return range(number)
    every = -(-(number - 1) // max(room - 1, 1))
    return sorted({*range(0, number - 1, every), number - 1})[-room:]
