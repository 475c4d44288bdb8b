"""A picture before it is drawn: places along an axis, and what each series says at each place.

Terminal, SVG, table, read-out and CSV are all made from it, so they cannot differ. Values are in the unit they are said in:
58.1 is 58.1 %. What is not known is None; it is not drawn, and said as a dash.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import floor, log10
from typing import Final

from explorer.render.pieces import Line, Piece, Tone
from explorer.render.words import BASE_MARK, NONE, OTHER_MARK

Values = tuple[float | None, ...]

MARKERS: Final = (BASE_MARK, OTHER_MARK, "▲", "◇", "×", "●", "▽", "◆")
"""Of the series of a picture, in their order: no two alike, whatever the colours are."""
_TONES: Final = (Tone.BASE, Tone.OTHER, Tone.ACCENT, Tone.PLAIN)
MOST_SERIES: Final = len(MARKERS)
BAND_SIGNS: Final = ("░", "·")
"""How the bands of the first two series look: shaded, and dotted along both ends."""


class Shape(StrEnum):
    """How the places stand."""

    LINES = "lines"
    """Along k, steps or temperatures: points, joined, with bands."""
    BARS = "bars"
    """Along bins, series beside each other."""
    ROWS = "rows"
    """Under each other, one bar or box a place, on one scale."""


@dataclass(frozen=True, slots=True)
class Series:
    """One run, or one thing counted, along the places."""

    word: str
    """Short, for the end of a line and the title of a column."""
    name: str
    """What tells it apart in the whole study: a run's slug, or the word again."""
    values: Values
    low: Values = ()
    """Ends of the intervals; empty where there are none. Of a box: its quartiles."""
    high: Values = ()
    least: Values = ()
    """Of a box: the 5 and 95 % quantiles, as is `most`. Empty for all else."""
    most: Values = ()
    is_signed: bool = False
    """A difference: said with its sign."""
    digits: int | None = None
    """After the point; None for as many as its picture's values have."""
    is_chance: bool = False
    """Probabilities of any size: what would be nothing but zeros is said as a power of ten."""
    style: int | None = None
    """Which marker and tone it has; None for those of its place among the series."""

    def at(self, place: int) -> tuple[float | None, float | None, float | None]:
        """Value and interval."""
        low, high = (ends[place] if ends else None for ends in (self.low, self.high))
        return self.values[place], low, high


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the baseline overtakes the other run, or the reverse."""

    place: float
    """Along the places: 3.5 is midway between the fourth and the fifth."""
    word: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, whole. Without series it says in `notes` why there are none."""

    kind: str
    """Word of its chip, and part of a saved file's name."""
    title: str
    shape: Shape = Shape.LINES
    axis: str = "k"
    """What the places are."""
    unit: str = "%"
    """What the values are in."""
    places: tuple[str, ...] = ()
    ticks: tuple[str, ...] = ()
    """The places said shorter, for the axis; empty for the same words."""
    series: tuple[Series, ...] = ()
    """Drawn."""
    aside: tuple[Series, ...] = ()
    """In the table and the read-out only."""
    digits: int = 1
    limits: tuple[float, float] = (0.0, 100.0)
    """Ends of the axis of values."""
    is_log: bool = False
    """The axis of values, in ROWS: by ratios."""
    a_colour: int = 2
    """Boxes beneath each other that have one colour, in ROWS: those of one run."""
    is_list: bool = False
    """ROWS that may be many: where not all fit, the first ones are drawn, and the numbers have all."""
    has_zero: bool = False
    """A line at zero is to be drawn."""
    crossing: Crossing | None = None
    facts: tuple[str, ...] = ()
    """How the numbers were made: k, n, verifier, problems, settings."""
    extra: tuple[Line, ...] = ()
    """Lines beneath the numbers: which answers were given."""
    notes: tuple[str, ...] = ()
    """What a reader must know and the picture does not show. Said loudly."""

    @property
    def columns(self) -> tuple[Series, ...]:
        return (*self.series, *self.aside)

    @property
    def is_empty(self) -> bool:
        return not self.places or all(value is None for one in self.columns for value in one.values)

    @property
    def is_drawn(self) -> bool:
        """False where there are numbers to read but nothing that a picture would not falsify."""
        return bool(self.series) and not self.is_empty

    @property
    def labels(self) -> tuple[str, ...]:
        return self.ticks or self.places

    def number(self, value: float | None, of: Series | None = None) -> str:
        """A value of that series as it is said everywhere; minus zero is zero."""
        if value is None:
            return NONE
        digits = self.digits if of is None or of.digits is None else of.digits
        if of is not None and of.is_chance and value < 10.0**-digits:
            return f"10^{log10(value):.1f}" if value > 0 else "0"
        rounded = round(value, digits) + 0.0
        return f"{rounded:+,.{digits}f}" if of is not None and of.is_signed else f"{rounded:,.{digits}f}"

    def said(self, of: Series, place: int) -> str:
        """Value and interval of a series at a place: 58.1 [50.2, 65.9]."""
        value, low, high = of.at(place)
        if value is None or low is None or high is None:
            return self.number(value, of)
        return f"{self.number(value, of)} [{self.number(low, of)}, {self.number(high, of)}]"


def styled(series: tuple[Series, ...]) -> list[tuple[int, Series]]:
    """Each series after the number of its style."""
    return [(place if one.style is None else one.style, one) for place, one in enumerate(series)]


def mark(style: int) -> Piece:
    """The marker of a series of that style, in its tone."""
    return MARKERS[style % MOST_SERIES], tone(style)


def tone(style: int) -> Tone:
    return _TONES[style] if style < len(_TONES) else _TONES[2 + style % 2]


def step_between(low: float, high: float, most: int) -> float:
    """A round step (1, 2, 2.5, 5, 10, ...) that divides low to high into at most that many parts."""
    size = 10.0 ** floor(log10(max(high - low, 1e-9) / max(most, 1)))
    return next(size * times for times in (1, 2, 2.5, 5, 10, 20) if size * times * max(most, 1) >= (high - low) * (1 - 1e-9))
