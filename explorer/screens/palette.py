"""The palette: every action that a key leads to where one is, found by words of what it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from explorer.render.columns import UNLIMITED, Column
from explorer.render.pieces import Tone, plain
from explorer.widgets.key_line import far
from explorer.widgets.safe_input import SafeInput
from explorer.widgets.virtual_list import Row, Table, VirtualList

_KEYS = 10


def actions(active: Iterable[ActiveBinding]) -> list[ActiveBinding]:
    """One of each name, the screen's own first."""
    found: dict[str, ActiveBinding] = {}
    for each in sorted(active, key=lambda each: far(each.binding)):
        if each.enabled and each.binding.id is not None and each.binding.description:
            found.setdefault(each.binding.id, each)
    return list(found.values())


def fitting(found: Sequence[ActiveBinding], typed: str) -> list[ActiveBinding]:
    """Those whose sentence holds every word that was typed, those that begin with it first."""
    words = typed.casefold().split()
    kept = [each for each in found if all(word in _sentence(each).casefold() for word in words)]
    return sorted(kept, key=lambda each: not _sentence(each).casefold().startswith(typed.casefold().strip()))


def _sentence(active: ActiveBinding) -> str:
    return active.binding.tooltip or active.binding.description


class PaletteScreen(ModalScreen[ActiveBinding | None]):
    """Hands back the action that was chosen; None where none was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "close", id="palette.close", tooltip="Close without doing anything"),
        Binding("down", "move(1)", "down", show=False, id="palette.down", tooltip="The next action"),
        Binding("up", "move(-1)", "up", show=False, id="palette.up", tooltip="The action before"),
    ]

    DEFAULT_CSS = """
    PaletteScreen { align: center top; }
    PaletteScreen Vertical { width: 76; max-width: 100%; height: 70%; padding: 0 1; margin: 1 0 0 0; }
    PaletteScreen Vertical { border: round $run-base; background: $background; }
    PaletteScreen Input { height: 1; border: none; padding: 0; background: $crumb-line; }
    PaletteScreen Input:focus { border: none; }
    """

    def __init__(self, active: Iterable[ActiveBinding]) -> None:
        super().__init__()
        self._all = actions(active)
        self.listed = self._all

    def compose(self) -> ComposeResult:
        with Vertical():
            yield SafeInput(placeholder="what to do: type words, Enter does it")
            yield VirtualList(id="actions")

    def on_mount(self) -> None:
        self.query_one(VirtualList).can_focus = False
        self.query_one(Input).focus()
        self._show("")

    @on(Input.Changed)
    def narrow(self, message: Input.Changed) -> None:
        self._show(message.value)

    @on(Input.Submitted)
    def choose(self) -> None:
        if self.listed:
            self.dismiss(self.listed[self.query_one(VirtualList).cursor])

    def action_move(self, by: int) -> None:
        self.query_one(VirtualList).action_move(by)

    def _show(self, typed: str) -> None:
        self.listed = listed = fitting(self._all, typed)
        columns = [Column("key", _KEYS), Column("action", 20, most=UNLIMITED)]

        def row(place: int) -> Row:
            binding = listed[place].binding
            key = binding.key_display or self.app.get_key_display(binding)
            return Row([[(key, Tone.ACCENT)], [plain(_sentence(listed[place]))]])

        self.query_one(VirtualList).show(Table(columns, len(listed), row, empty="no action here says that", titles=False))
