"""The keys of what reads like a pager: a text, two texts beside each other, the help."""

from __future__ import annotations

from textual.binding import Binding, BindingType

_LINE, _PAGE, _ENDS = (Binding.Group(word) for word in ("line", "page", "ends"))


def pager_keys(place: str) -> list[BindingType]:
    """For actions by_lines, by_pages, to_top and to_end, under names that begin with that place."""
    return [
        Binding("j,down", "by_lines(1)", "line down", show=False, group=_LINE, id=f"{place}.down", tooltip="One line down"),
        Binding("k,up", "by_lines(-1)", "line up", show=False, group=_LINE, id=f"{place}.up", tooltip="One line up"),
        Binding(
            "space,pagedown,ctrl+f",
            "by_pages(1)",
            "page down",
            show=False,
            group=_PAGE,
            id=f"{place}.page_down",
            tooltip="One page down",
        ),
        Binding(
            "pageup,ctrl+b",
            "by_pages(-1)",
            "page up",
            show=False,
            group=_PAGE,
            id=f"{place}.page_up",
            tooltip="One page up",
        ),
        Binding("g,home", "to_top", "top", show=False, group=_ENDS, id=f"{place}.top", tooltip="To the beginning"),
        Binding("G,end", "to_end", "end", show=False, group=_ENDS, id=f"{place}.end", tooltip="To the end"),
    ]
