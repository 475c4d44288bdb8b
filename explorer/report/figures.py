"""The pictures of a benchmark: pass@k of its runs, the four sets of its pairs, accuracies, perplexity. Each takes the report's
values and gives an SVG (see drawing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from explorer.report.drawing import LIGHT, drawn, spread
from explorer.report.marks import (
    HATCHES,
    MARKERS,
    WIDTH,
    band,
    bars,
    colour,
    line,
    log2_axis,
    name,
    percent_axis,
    whole_ticks,
)
from explorer.report.material import BenchmarkPart, PairPart, PerplexityPart, RunPart
from explorer.report.wording import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Patch

BANDS_UP_TO: Final = 3
"""Runs in one picture: with more, bands hide each other."""
MOST_RUNS: Final = 16
"""Curves, or bars, in one picture."""
MOST_BARS: Final = len(HATCHES)
"""Runs in one histogram."""

_HATCH: Final = HATCHES[1]


def curves(part: BenchmarkPart) -> str:
    """pass@k of every judged run, labelled at the end of its curve."""
    runs = [one for one in part.runs if one.bands is not None][:MOST_RUNS]
    return drawn(lambda axes: _curves(axes, runs), WIDTH, _height(runs))


def _height(runs: Sequence[RunPart]) -> float:
    return max(3.6, 0.2 * len(runs) + 1.2)


def _curves(axes: Axes, runs: Sequence[RunPart]) -> None:
    found = [one.bands for one in runs if one.bands is not None]
    most = max(int(bands.ks[-1]) for bands in found)
    for at, bands in enumerate(found):
        if len(runs) <= BANDS_UP_TO:
            band(axes, bands.ks, bands.problems, colour(at))
        axes.plot(bands.ks, 100 * bands.estimate, **line(at))
    percent_axis(axes, "pass@k, % of problems")
    log2_axis(axes, most)
    ends = [(int(bands.ks[-1]), 100 * float(bands.estimate[-1])) for bands in found]
    places = spread([end for _, end in ends], 0.18 / (_height(runs) - 0.7) * 104, 0, 102)
    for at, (one, end, place) in enumerate(zip(runs, ends, places, strict=True)):
        lead = {"arrowstyle": "-", "color": colour(at), "linewidth": 0.7, "shrinkA": 1, "shrinkB": 4, "relpos": (0, 0.5)}
        axes.annotate(
            name(one.run.name), end, xytext=(most * 1.5, place), color=colour(at), va="center", fontsize=8,
            annotation_clip=False, arrowprops=lead,
        )  # fmt: skip


def accuracy(part: BenchmarkPart) -> str:
    """The twelve-bin histogram of the first runs: for a benchmark without pairs."""
    sides = [(name(one.run.name), one.bins) for one in part.runs if one.bins is not None][:MOST_BARS]
    return drawn(lambda axes: bars(axes, sides), WIDTH, 3.0)


def sets(part: BenchmarkPart) -> str:
    """The four sets of every pair, one bar each."""
    pairs = part.pairs[:MOST_RUNS]
    return drawn(lambda axes: _sets(axes, pairs), WIDTH, 1.25 + 0.42 * len(pairs))


def _sets(axes: Axes, pairs: Sequence[PairPart]) -> None:
    most = max(len(pair.keys) for pair in pairs)
    for row, pair in enumerate(pairs):
        left = 0
        for number, role, hatch in _segments(pair):
            if number:
                _segment(axes, (row, left, number), role, hatch, most)
            left += number
    axes.set_yticks(range(len(pairs)), [name(pair.other.name) for pair in pairs], color=LIGHT["ink"])
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_xlim(0, most)
    axes.set_xlabel("problems")
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    whole_ticks(axes, "x")
    axes.legend(
        handles=_words(), ncols=6, loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=7.5, handlelength=1.3,
        columnspacing=1.2, borderaxespad=0.2,
    )  # fmt: skip


def _segments(pair: PairPart) -> list[tuple[int, str, str]]:
    """Length, colour and hatch of each part of a pair's bar, from left to right."""
    lost, won = pair.clear(pair.sets.base_only), pair.clear(pair.sets.other_only)
    return [
        (lost, "base", ""),
        (len(pair.sets.base_only) - lost, "base", _HATCH),
        (len(pair.sets.both), "both", ""),
        (len(pair.sets.other_only) - won, "other", _HATCH),
        (won, "other", ""),
        (len(pair.sets.neither), "neither", ""),
    ]


def _segment(axes: Axes, place: tuple[int, int, int], role: str, hatch: str, most: int) -> None:
    row, left, number = place
    face = LIGHT["paper"] if hatch else LIGHT[role]
    axes.barh(row, number, 0.66, left, facecolor=face, edgecolor=LIGHT[role], linewidth=0.8, hatch=hatch)
    if number / most > 0.022 * len(str(number)):
        ink = LIGHT["ink"] if hatch or role in ("both", "neither") else LIGHT["paper"]
        boxed = {"boxstyle": "round,pad=0.18", "facecolor": LIGHT["paper"], "edgecolor": "none"} if hatch else None
        axes.text(left + number / 2, row, f"{number:,}", ha="center", va="center", fontsize=8, color=ink, bbox=boxed)


def _words() -> list[Patch]:
    from matplotlib.patches import Patch

    words = [
        ("both", "", "both"), ("base", "", "base only, clear"), ("base", _HATCH, "base only"),
        ("other", "", "other only, clear"), ("other", _HATCH, "other only"), ("neither", "", "neither"),
    ]  # fmt: skip
    return [
        Patch(facecolor=LIGHT["paper"] if hatch else LIGHT[role], edgecolor=LIGHT[role], hatch=hatch, label=word, linewidth=0.8)
        for role, hatch, word in words
    ]


def perplexity(found: Sequence[PerplexityPart]) -> str:
    """Median, quartiles and 90 % of perplexities, one line for each run's responses and scoring model; hollow: the median of
    correct ones."""
    return drawn(lambda axes: _perplexity(axes, found), WIDTH, 1.0 + 0.27 * len(found))


def _perplexity(axes: Axes, found: Sequence[PerplexityPart]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    for row, one in enumerate(found):
        at = 0 if one.by_base else 1
        low, lower, middle, upper, high = one.quantiles
        axes.plot([low, high], [row, row], color=colour(at), linewidth=1)
        axes.plot([lower, upper], [row, row], color=colour(at), linewidth=5, alpha=0.45, solid_capstyle="butt")
        axes.plot([middle], [row], color=colour(at), marker=MARKERS[at], markersize=5)
        if one.found.median_correct is not None:
            axes.plot(
                [one.found.median_correct], [row], color=colour(at), marker=MARKERS[at], markersize=7, markerfacecolor="none",
                markeredgewidth=0.9,
            )  # fmt: skip
    labels = [f"{name(one.run.name)}  under  {name(one.scorer)}" for one in found]
    axes.set_yticks(range(len(found)), labels, color=LIGHT["ink"])
    axes.set_ylim(len(found) - 0.4, -0.6)
    if max(one.quantiles[-1] for one in found) > 10:
        axes.set_xscale("log")
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value) if value > 10 else f"{value:g}"))
    axes.set_xlabel("perplexity at T 1")
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
