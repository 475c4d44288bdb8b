"""The picture of recovery: what one run's right answers say of base's chance, problem by problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from engine.analyses.recovery import Recovery
from engine.likelihoods import PairLikelihoods
from explorer.report.drawing import LIGHT, drawn
from explorer.report.marks import WIDTH, colour, name
from explorer.report.wording import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST: Final = 30
"""Problems in one picture: those that base solves least often."""
LEAST: Final = 1e-6
"""Where the axis begins; what is less stands there."""


def recovery(found: PairLikelihoods, keys: Mapping[int, str]) -> str:
    """Base's own limits, the floor and the importance-sampling bound of each problem of which something is known."""
    rows = [
        (keys[problem_id], of) for problem_id, of in found.recovery.items() if of.floor is not None and of.direct is not None
    ]
    rows.sort(key=lambda row: row[1].direct.correct / row[1].direct.n if row[1].direct else 0.0)
    return drawn(lambda axes: _recovery(axes, rows[:MOST]), WIDTH, 1.1 + 0.2 * min(len(rows), MOST))


def _recovery(axes: Axes, rows: Sequence[tuple[str, Recovery]]) -> None:
    from matplotlib.ticker import FuncFormatter

    for row, (_, of) in enumerate(rows):
        if of.direct is not None:
            axes.plot(
                [max(of.direct.low, LEAST), of.direct.high], [row, row], color=colour(0), linewidth=4, alpha=0.45,
                solid_capstyle="butt",
            )  # fmt: skip
        axes.plot([max(of.floor or 0.0, LEAST)], [row], color=LIGHT["ink"], marker="^", markersize=4, linestyle="")
        if of.importance is not None and of.importance.value > 0:
            fill = LIGHT["paper"] if of.importance.warning else colour(1)
            value = min(max(of.importance.value, LEAST), 1.0)
            axes.plot(
                [value], [row], color=colour(1), marker="s", markersize=4, linestyle="", markerfacecolor=fill,
            )  # fmt: skip
    axes.set_yticks(range(len(rows)), [name(key) for key, _ in rows], color=LIGHT["ink"], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.set_xlim(LEAST / 1.4, 1.2)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{plain(100 * value)} %"))
    axes.set_xlabel("probability of a right answer")
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
