"""Every run of a benchmark against one baseline, at a glance: what a large screen shows beneath the pair under the cursor.

No Textual here; numpy comes in with `everyone`, which takes a moment for each run: call it from a worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.model.numbers import Membership, Sets, clear_sizes, crossing_at, pair_numbers
from explorer.model.session import Pair
from explorer.render.columns import Column, row_line, share, title_line
from explorer.render.pieces import Line, plain
from explorer.render.words import NONE, p_value
from store.rows import RunRow

_COLUMNS: Final = (
    Column("k", 5, right=True),
    Column("both", 4, right=True),
    Column("base only (evid.)", 17, right=True),
    Column("its own (evid.)", 15, right=True),
    Column("neither", 7, right=True),
    Column("McNemar p", 9, right=True),
    Column("base ahead from k", 17, right=True, drop=1),
)


@dataclass(frozen=True, slots=True)
class Against:
    """One run against the baseline."""

    run: RunRow
    sets: Sets
    clear: Mapping[Membership, int]
    """Problems of the sets that one run alone solves, with evidence."""
    crossing: int | None
    """From which k on the baseline is ahead, by the curves as estimated: for its limits, the cursor."""


def everyone(pair: Pair) -> list[Against]:
    """All runs of the pair's benchmark that share judged problems with its baseline, in the board's order."""
    found = []
    for run in pair.board.runs:
        if run.run_id != pair.base.run_id:
            one = Pair(pair.board, pair.base, run)
            numbers = pair_numbers(one)
            if numbers.sets is not None:
                found.append(Against(run, numbers.sets, clear_sizes(one, numbers.sets), crossing_at(one)))
    return found


def against_lines(pair: Pair, rows: Sequence[Against], width: int) -> list[Line]:
    """A small table; the run under the cursor bears its mark. Nothing where there are no others than that one."""
    if len(rows) < 2:
        return []
    columns = [Column(f"  every run against {pair.base.name}", 22, most=44, middle=True), *_COLUMNS]
    widths = share(columns, width)
    return [title_line(columns, widths), *(row_line(columns, widths, _cells(pair, row)) for row in rows)]


def _cells(pair: Pair, row: Against) -> list[Line]:
    chance = row.sets.mcnemar_p
    return [
        [pair.mark(row.run.run_id), plain(row.run.name)],
        [plain(str(row.sets.k))],
        [plain(str(row.sets.size(Membership.BOTH)))],
        [plain(_only(row, Membership.BASE_ONLY))],
        [plain(_only(row, Membership.OTHER_ONLY))],
        [plain(str(row.sets.size(Membership.NEITHER)))],
        [plain(NONE if chance is None else p_value(chance))],
        [plain(NONE if row.crossing is None else str(row.crossing))],
    ]


def _only(row: Against, which: Membership) -> str:
    size = row.sets.size(which)
    return f"{size} ({row.clear.get(which, 0)})" if size else "0"
