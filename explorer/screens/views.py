"""Saved views: filters under a name. Pick one, save the filter in force, delete one.

The same names work in `basebound list --view`.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from explorer import memory
from explorer.model.session import Session
from explorer.render.columns import UNLIMITED, Column
from explorer.render.pieces import Tone, dim, plain
from explorer.screens.asking import Asking
from explorer.widgets.crumbs import Crumbs
from explorer.widgets.key_line import KeyLine
from explorer.widgets.lines import Lines
from explorer.widgets.prompt import Prompt, Reading
from explorer.widgets.virtual_list import Row, Table, VirtualList


class ViewsScreen(Asking[str]):
    """Hands back the expression of the view picked; None where none was."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", "use", key_display="Enter", id="views.pick", tooltip="Filter by this view"),
        Binding("s", "save", "save this filter", id="views.save", tooltip="Save the filter in force under a name"),
        Binding("d,delete", "delete", "delete", key_display="d", id="views.delete", tooltip="Delete this view"),
        Binding("escape", "back", "back", key_display="Esc", id="views.back", tooltip="Back without changing the filter"),
    ]

    DEFAULT_CSS = """
    ViewsScreen #now { padding: 0 2; margin: 0 0 1 0; }
    """

    def __init__(self, session: Session, expression: str = "") -> None:
        """expression: the filter in force, to save."""
        super().__init__(session)
        self._expression = expression
        self._memory = memory.load()
        self._doomed: str | None = None
        """The view that the next d deletes."""

    def compose(self) -> ComposeResult:
        yield Crumbs()
        yield Lines(id="now")
        yield VirtualList(id="views")
        yield Prompt(id="prompt")
        yield KeyLine()

    def on_mount(self) -> None:
        self.set_crumbs("saved views")
        now = [(self._expression, Tone.ACCENT)] if self._expression else [dim("none: / in a list sets one")]
        saves = [dim("s saves the filter above under a name")] if self._expression else []
        self.query_one("#now", Lines).lines = [[dim("filter in force: "), *now], *([saves] if saves else [])]
        self._show()

    @property
    def selected(self) -> str | None:
        """The name under the cursor."""
        names, place = list(self._memory.views), self.query_one(VirtualList).cursor
        return names[place] if place < len(names) else None

    def action_pick(self) -> None:
        if self.selected is None:
            self.say("no view to use: s saves the filter in force")
        else:
            self.dismiss(self._memory.views[self.selected])

    def action_save(self) -> None:
        if not self._expression:
            self.say("no filter in force to save: / sets one")
            return

        def keep(typed: str) -> None:
            name = typed.strip()
            self._memory = memory.load()
            self._memory.save_view(name, self._expression)
            self._show(name)
            self.say(f"saved: `{self._command(name)}` finds the same; y copies that command")

        self.ask_for("a name for this filter", "", keep, self._check_name)

    def action_delete(self) -> None:
        name = self.selected
        if name is None:
            self.say("no view to delete")
            return
        if name != self._doomed:
            self._doomed = name
            self.say(f"d again deletes {name}, for good; any other key keeps it")
            return
        self._doomed, self._memory = None, memory.load()
        self._memory.save_view(name, "")
        self._show()
        self.say(f"deleted: {name}")

    def action_copy(self) -> None:
        name = self.selected
        if name is None:
            self.say("no view to copy the command of")
        else:
            self.copy(self._command(name), "the command that finds the same")

    def on_key(self, event: events.Key) -> None:
        if event.key not in ("d", "delete"):
            self._doomed = None

    def action_back(self) -> None:
        self.dismiss()

    def _command(self, name: str) -> str:
        """What finds the same wherever it is pasted."""
        return shlex.join(["basebound", "list", "traces", str(self.session.study.path.resolve()), "--view", name])

    def _check_name(self, text: str) -> Reading:
        name = text.strip()
        if not name:
            return Reading("a view needs a name", stands=False)
        return Reading(f"in place of: {self._memory.views[name]}" if name in self._memory.views else "")

    def _show(self, name: str | None = None) -> None:
        views = list(self._memory.views.items())
        longest = max((len(name) for name, _ in views), default=4)
        columns = [Column("name", max(4, min(longest, 24))), Column("filter", 20, most=UNLIMITED)]
        place = next((at for at, (own, _) in enumerate(views) if own == name), self.query_one(VirtualList).cursor)
        table = Table(
            columns,
            len(views),
            lambda at: Row([[plain(views[at][0])], [(views[at][1], Tone.ACCENT)]]),
            empty="no views yet: set a filter with /, then v and s save it",
        )
        self.query_one(VirtualList).show(table, place)
