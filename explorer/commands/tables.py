"""Plain tables for stdout: columns aligned by width on screen, every cell made safe to print."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from explorer.render.text import visible

UNKNOWN_MARK = "–"


def percent(value: float | None) -> str:
    """A share in percent with one decimal; a dash where it is unknown."""
    return UNKNOWN_MARK if value is None else f"{100 * value:.1f}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first two columns to the left, the others to the right."""
    cells = [[visible(cell) for cell in row] for row in (header, *rows)]
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(header))]
    return "".join("  ".join(_pad(cell, widths[i], left=i < 2) for i, cell in enumerate(row)).rstrip() + "\n" for row in cells)


def _pad(cell: str, width: int, *, left: bool) -> str:
    space = " " * (width - cell_len(cell))
    return cell + space if left else space + cell
