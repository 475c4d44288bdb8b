"""The pictures of a pair: both curves with their difference, and its problems one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.analyses.accuracy import histogram
from engine.analyses.crossover import Crossing
from engine.analyses.intervals import curve_bands
from explorer.report.drawing import LIGHT, drawn
from explorer.report.marks import WIDTH, band, bars, colour, legend, line, log2_axis, name, percent_axis
from explorer.report.material import PairPart

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def curves(pair: PairPart) -> str:
    """pass@k of both with its bands, and the difference with its own."""

    def draw(left: Axes, right: Axes) -> None:
        _both(left, pair)
        _difference(right, pair)

    return drawn(draw, WIDTH, 3.3, (1.06, 1))


def _both(axes: Axes, pair: PairPart) -> None:
    ks = pair.compared.ks
    sides = ((pair.base.name, pair.base_n, pair.base_c), (pair.other.name, pair.other_n, pair.other_c))
    for at, (label, n, c) in enumerate(sides):
        found = curve_bands(n, c, ks)
        band(axes, ks, found.problems, colour(at))
        band(axes, ks, found.samples, colour(at), alpha=0.35)
        axes.plot(ks, 100 * found.estimate, label=name(label), **line(at))
    percent_axis(axes, "pass@k, % of problems")
    log2_axis(axes, int(ks[-1]))
    legend(axes, "lower right")
    axes.set_title("pass@k")


def _difference(axes: Axes, pair: PairPart) -> None:
    found, ks, shade = pair.compared, pair.compared.ks, LIGHT["fourth"]
    axes.axhline(0, color=LIGHT["ink"], linewidth=1)
    band(axes, ks, found.problems, shade, alpha=0.16)
    band(axes, ks, found.samples, shade, alpha=0.35)
    axes.plot(ks, 100 * found.difference, color=shade, marker="D", markersize=4)
    log2_axis(axes, int(ks[-1]))
    most = max(*(abs(limit) for limit in axes.get_ylim()), 2.0)
    axes.set_ylim(-most, most)
    _crossover(axes, pair, most)
    axes.set_ylabel("difference, points")
    axes.set_title("other − base")
    axes.text(0.985, 0.985, "other ahead", transform=axes.transAxes, ha="right", va="top", color=LIGHT["muted"], fontsize=7.5)
    axes.text(0.985, 0.015, "base ahead", transform=axes.transAxes, ha="right", va="bottom", color=LIGHT["muted"], fontsize=7.5)


def _crossover(axes: Axes, pair: PairPart, most: float) -> None:
    """Where one run overtakes the other: a ring on the zero line, its interval a bar, a word below."""
    found = pair.compared.crossover if pair.compared.crossover.k is not None else pair.compared.mirror
    if found.verdict is not Crossing.CROSSES or found.k is None:
        return
    high = pair.k * 1.12 if found.high is None else found.high
    axes.plot([found.low or 1, high], [0, 0], color=LIGHT["ink"], linewidth=4, alpha=0.55, solid_capstyle="butt")
    axes.plot([found.k], [0], marker="o", markersize=6, color=LIGHT["ink"], markerfacecolor=LIGHT["paper"], markeredgewidth=1.6)
    axes.annotate(
        f"crosses at k = {found.k:,}", (found.k, 0), xytext=(found.k, -0.62 * most), ha="center", va="center", fontsize=8,
        color=LIGHT["ink"], arrowprops={"arrowstyle": "-", "color": LIGHT["muted"], "linewidth": 0.7, "shrinkB": 5},
    )  # fmt: skip


def problems(pair: PairPart) -> str:
    """Each problem's accuracy under both runs, and the twelve-bin histogram of each."""

    def draw(left: Axes, right: Axes) -> None:
        _scatter(left, pair)
        sides = ((pair.base.name, pair.base_n, pair.base_c), (pair.other.name, pair.other_n, pair.other_c))
        bars(right, [(name(label), histogram(n, c)) for label, n, c in sides])
        right.set_title("how often problems are solved", pad=22)

    return drawn(draw, WIDTH, 3.4, (1, 1.12))


def _scatter(axes: Axes, pair: PairPart) -> None:
    x, y = pair.base_c / pair.base_n, pair.other_c / pair.other_n
    clear = np.array([found.clear for found in pair.evidence])
    axes.plot([0, 1], [0, 1], color=LIGHT["muted"], linewidth=0.8, linestyle=(0, (4, 3)))
    for chosen, role, marker, label in (
        (~clear, "muted", "o", "undecided"),
        (clear & (y < x), "base", "o", "base better"),
        (clear & (y > x), "other", "s", "other better"),
    ):
        _dots(axes, (x[chosen], y[chosen]), role, marker, label)
    _accuracy_axes(axes, 1 / float(max(pair.base_n.max(), pair.other_n.max())))
    axes.set_xlabel("accuracy of base")
    axes.set_ylabel("accuracy of other")
    axes.set_title("problem by problem", pad=22)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=7.5, handletextpad=0.1, columnspacing=1.1,
        borderaxespad=0.2, borderpad=0,
    )  # fmt: skip


def _dots(axes: Axes, places: tuple[NDArray[np.float64], NDArray[np.float64]], role: str, marker: str, label: str) -> None:
    face, alpha = ("none", 0.9) if role == "muted" else (LIGHT[role], 0.75)
    axes.plot(
        *places, linestyle="none", marker=marker, markersize=4.6, markeredgecolor=LIGHT[role], markerfacecolor=face,
        alpha=alpha, label=label, clip_on=False,
    )  # fmt: skip


def _accuracy_axes(axes: Axes, least: float) -> None:
    """Logarithmic above `least`, one success in n, with a place for none."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("symlog", linthresh=least, linscale=0.45, base=10)
    axes.set_yscale("symlog", linthresh=least, linscale=0.45, base=10)
    axes.set_xlim(-0.35 * least, 1.25)
    axes.set_ylim(-0.35 * least, 1.25)
    ticks = [0.0, *(tick for tick in (0.0001, 0.001, 0.01, 0.1, 1.0) if tick >= least)]
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
