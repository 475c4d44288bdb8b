"""The traces of a problem on the screen: in one list, grouped by answer, or in two lists side by side.

A closed group is a row of its own; an open one is a heading over its traces. The second list is made when first asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal

from explorer.model.trace_table import GROUPED_RUN, Sight, group_cells, group_heading, trace_fields, widened
from explorer.model.tracelist import Group, TraceList, View, groups
from explorer.widgets.virtual_list import Heading, Row, Table, VirtualList
from store.rows import RunRow, TraceRow


class TraceLists(Horizontal):
    """One list, or two; the cursor of the one in use is the cursor."""

    DEFAULT_CSS = """
    TraceLists { height: 1fr; }
    TraceLists VirtualList { width: 1fr; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._view = View.FLAT
        self._entries: Sequence[TraceRow | Group] = ()
        """The rows of the first list: groups only where it is grouped."""
        self._beside: Sequence[TraceRow] = ()
        self._open: set[object] = set()
        """Keys of the groups that are open."""

    def compose(self) -> ComposeResult:
        yield VirtualList(id="traces")

    @property
    def first(self) -> VirtualList:
        return self.query_one("#traces", VirtualList)

    @property
    def selected(self) -> TraceRow | None:
        """The trace under the cursor; None on a closed group, and where nothing is listed."""
        found = self._under_cursor
        return found if isinstance(found, TraceRow) else None

    @property
    def is_on_group(self) -> bool:
        return isinstance(self._under_cursor, Group)

    def show(
        self, read: TraceList, rows: Sequence[TraceRow], view: View, sight: Sight, *, before: int | None, empty: str
    ) -> None:
        """before: the sample under the cursor, where it is among the rows. empty: what to say where there are none."""
        self._view = view
        if view is View.GROUPED:
            self._show_groups(read, rows, sight, before, empty)
        elif view is View.BESIDE and sight.pair.other is not None:
            self._show_beside(read, rows, sight, before, empty)
        else:
            self._entries = rows
            _fill(self.first, read, rows, sight, None, before, empty)
        for beside in self.query("#beside"):
            beside.display = view is View.BESIDE
        if view is not View.BESIDE and self._is_other_side:
            self.first.focus()

    def update_rows(self) -> None:
        for shown in self.query(VirtualList).results(VirtualList):
            shown.update_rows()

    def switch(self) -> None:
        """To the other list."""
        (self.first if self._is_other_side else self.query_one("#beside", VirtualList)).focus()

    def fold(self, *, wide: bool) -> int | None:
        """Open the group under the cursor, or close the one the cursor is in; the sample to be at then. None: nothing to do."""
        found = self._under_cursor
        if self._view is not View.GROUPED or found is None or isinstance(found, Group) is not wide:
            return None
        group = found if isinstance(found, Group) else self._group_of(found)
        (self._open.add if wide else self._open.discard)(group.key)
        return group.rows[0].sample_id

    def way(self, row: TraceRow) -> Sequence[TraceRow]:
        """What one goes through from that trace: the list it stands in, and of a grouped one its group."""
        if self._view is View.GROUPED:
            return self._group_of(row).rows
        return self._beside if self._is_other_side else [one for one in self._entries if isinstance(one, TraceRow)]

    @property
    def _is_other_side(self) -> bool:
        return any(beside.has_focus for beside in self.query("#beside"))

    @property
    def _under_cursor(self) -> TraceRow | Group | None:
        rows: Sequence[TraceRow | Group] = self._beside if self._is_other_side else self._entries
        place = (self.query_one("#beside", VirtualList) if self._is_other_side else self.first).cursor
        return rows[place] if place < len(rows) else None

    def _group_of(self, row: TraceRow) -> Group:
        return next(one for one in self._entries if isinstance(one, Group) and any(own is row for own in one.rows))

    def _show_groups(self, read: TraceList, rows: Sequence[TraceRow], sight: Sight, before: int | None, empty: str) -> None:
        fields, entries = trace_fields(read, sight), list[TraceRow | Group]()
        for group in groups(rows):
            entries += [group, *(group.rows if group.key in self._open else ())]
        self._entries = entries

        def row(at: int) -> Row | Heading:
            entry = entries[at]
            if isinstance(entry, TraceRow):
                return Row([field.cell(entry) for field in fields])
            if entry.key in self._open:
                return Heading(group_heading(entry, read, sight.pair))
            return Row(group_cells(entry, read, sight.pair, len(fields)))

        columns = widened([field.column for field in fields], GROUPED_RUN)
        self.first.show(Table(columns, len(entries), row, empty=empty), self._place_of(before))

    def _place_of(self, sample_id: int | None) -> int:
        """Of the trace, or of the closed group it is in."""
        for at, entry in enumerate(self._entries):
            if isinstance(entry, TraceRow):
                if entry.sample_id == sample_id:
                    return at
            elif entry.key not in self._open and any(row.sample_id == sample_id for row in entry.rows):
                return at
        return 0

    def _show_beside(self, read: TraceList, rows: Sequence[TraceRow], sight: Sight, before: int | None, empty: str) -> None:
        if not self.query("#beside"):
            self.mount(VirtualList(id="beside"))
        base, other = sight.pair.runs
        own = [row for row in rows if row.run_id == base.run_id]
        self._entries, self._beside = own, [row for row in rows if row.run_id == other.run_id]
        _fill(self.first, read, own, sight, base, before, empty)
        _fill(self.query_one("#beside", VirtualList), read, self._beside, sight, other, before, empty)


def _fill(
    shown: VirtualList,
    read: TraceList,
    rows: Sequence[TraceRow],
    sight: Sight,
    alone: RunRow | None,
    before: int | None,
    empty: str,
) -> None:
    fields = trace_fields(read, sight, alone)
    columns = [field.column for field in fields]
    table = Table(columns, len(rows), lambda at: Row([field.cell(rows[at]) for field in fields]), empty=empty)
    shown.show(table, next((at for at, row in enumerate(rows) if row.sample_id == before), 0))
