"""What the pictures share: series told apart by colour, marker and line; bands; axes; bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.accuracy import BINS
from engine.analyses.intervals import Band
from explorer.report.drawing import LIGHT
from explorer.report.wording import safe, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH: Final = 7.4
"""Inches of every picture."""
NAME_CHARS: Final = 30

SERIES: Final = ("base", "other", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES: Final = ("-", (0, (5, 1.6)), (0, (1.2, 1.4)), (0, (5, 1.5, 1.2, 1.5)))
HATCHES: Final = ("", "////", "----", "xxx")


def colour(at: int) -> str:
    return LIGHT[SERIES[at % len(SERIES)]]


def line(at: int) -> dict[str, Any]:
    """How the curve of series `at` is drawn."""
    style = LINES[(at + at // len(SERIES)) % len(LINES)]
    return {"color": colour(at), "marker": MARKERS[at % len(MARKERS)], "linestyle": style}


def name(text: str) -> str:
    """A name as a picture shows it. One that begins with an underscore matplotlib would leave out of a legend."""
    shown = short(safe(text), NAME_CHARS)
    return f" {shown}" if shown.startswith("_") else shown


def band(axes: Axes, ks: NDArray[np.int64], limits: Band, shade: str, alpha: float = 0.13) -> None:
    """The band for the whole curve, of shares, in percent."""
    axes.fill_between(ks, 100 * limits.low_all, 100 * limits.high_all, color=shade, alpha=alpha, linewidth=0)


def percent_axis(axes: Axes, label: str) -> None:
    axes.set_ylim(0, 104)
    axes.set_yticks(range(0, 101, 20))
    axes.set_ylabel(label)


def log2_axis(axes: Axes, most: int) -> None:
    """k doubling from tick to tick, written as whole numbers."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    powers = [1 << bit for bit in range(most.bit_length())]
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(powers[:: 1 if len(powers) <= 9 else 2]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_xlim(0.9, max(most, 2) * 1.12)
    axes.set_xlabel("k, samples per problem")
    axes.grid(axis="x", visible=False)


def whole_ticks(axes: Axes, which: str = "y") -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(6, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def legend(axes: Axes, place: Any, *, small: bool = False) -> None:
    axes.legend(loc=place, frameon=False, fontsize=7.5 if small else 8, handlelength=2.4, borderaxespad=0.3, labelspacing=0.35)


def bars(axes: Axes, sides: Sequence[tuple[str, NDArray[np.int64]]]) -> None:
    """Problems in the twelve bins of accuracy, side by side."""
    width = 0.84 / len(sides)
    for at, (label, bins) in enumerate(sides):
        hatch = HATCHES[at % len(HATCHES)]
        face = LIGHT["paper"] if hatch else colour(at)
        places = np.arange(len(BINS)) + (at - (len(sides) - 1) / 2) * width
        axes.bar(places, bins, width, facecolor=face, edgecolor=colour(at), linewidth=0.8, hatch=hatch, label=label)
    ticks = ["0", "≤10", *(f"≤{10 * tenth}" for tenth in range(2, 10)), "<100", "100"]
    axes.set_xticks(range(len(BINS)), ticks, fontsize=7)
    axes.set_xlabel("accuracy, %")
    axes.set_ylabel("problems")
    axes.grid(axis="x", visible=False)
    axes.margins(x=0.01)
    whole_ticks(axes)
    legend(axes, "best", small=True)
