"""Plain tables for stdout: columns aligned by width on screen, every cell made safe to print.

Shares, differences and p-values are said as on the screens (`explorer.render.words`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from explorer.render.text import visible
from explorer.render.words import NONE as UNKNOWN_MARK
from explorer.render.words import p_value, percent, points, settings

if TYPE_CHECKING:
    from store.reader import Study
    from store.rows import RunRow

__all__ = ["UNKNOWN_MARK", "how_drawn", "p_value", "parts", "percent", "points", "span", "table"]


def span(low: float | None, high: float | None) -> str:
    """Limits in percent; nothing where there are none."""
    return "" if low is None or high is None else f"{percent(low)}–{percent(high)}"


def how_drawn(runs: Sequence[RunRow]) -> str:
    """How the runs were drawn, a line for each way; the runs are named where there are several."""
    ways: dict[str, list[str]] = {}
    for run in runs:
        said = "".join(text for text, _ in settings(run.settings)).replace("\n", "⏎")
        ways.setdefault(said, []).append(run.slug)
    lines = [said if len(ways) == 1 else f"{said}: {', '.join(slugs)}" for said, slugs in ways.items()]
    return "".join(visible(line) + "\n" for line in lines)


def parts(study: Study) -> str:
    """A line on runs of which fewer traces are stored than were counted; nothing where there are none.

    Figures made from traces are then of those stored, and which those are may depend on their answers.
    """
    from engine.board import read_board

    told = []
    for name in study.benchmarks():
        board = read_board(study, name)
        for run in board.runs:
            counts = [board.cells[key] for key in board.cells if key[0] == run.run_id]
            if any(count.is_part for count in counts):
                told.append(f"{run.slug} {sum(c.samples for c in counts):,} of {sum(c.counted for c in counts):,}")
    return f"‼ of the traces stored only, which may have been chosen by their answers: {', '.join(told)}\n" if told else ""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first two columns to the left, the others to the right."""
    cells = [[visible(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(header))]
    return "".join("  ".join(_pad(cell, widths[i], left=i < 2) for i, cell in enumerate(row)).rstrip() + "\n" for row in cells)


def _pad(cell: str, width: int, *, left: bool) -> str:
    space = " " * (width - cell_len(cell))
    return cell + space if left else space + cell
