"""The last line: what the next key does. Made from the bindings in force; what does not fit the width is left to `?`."""

from __future__ import annotations

from collections.abc import Sequence

from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from explorer.render.pieces import Line, Piece, Tone, dim, plain, width_of
from explorer.widgets.toned import Toned

_BETWEEN = plain("  ")
_KEPT = {"help", "back", "quit"}
"""Actions that stay in sight: the way to the other keys, and the ways out."""


class KeyLine(Toned):
    """Keys and one word each, of the bindings that want to be shown."""

    DEFAULT_CSS = """
    KeyLine { height: 1; dock: bottom; width: 1fr; }
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._refresh_keys)

    def render_line(self, y: int) -> Strip:
        return self.strip_of(self._fitting(self._keys(), self.size.width) if y == 0 else (), self.size.width)

    def _refresh_keys(self, _: Screen[object]) -> None:
        self.refresh()

    def _keys(self) -> list[tuple[str, Line]]:
        """Action and line of each key, the app's own last. Bindings of one group share a line: ] [ sample."""
        keys: dict[tuple[str, str], list[str]] = {}
        for binding in self._shown_bindings():
            name = (
                (binding.group.description, binding.group.description)
                if binding.group
                else (binding.action, binding.description)
            )
            shown = binding.key_display or self.app.get_key_display(binding)
            if binding.group or name not in keys:
                keys.setdefault(name, []).append(shown)
        return [(action, ((" ".join(found), Tone.ACCENT), dim(f" {word}"))) for (action, word), found in keys.items()]

    def _shown_bindings(self) -> list[Binding]:
        """Where something is being typed, keys are letters, and only the field's own bindings hold."""
        active = [each for each in self.screen.active_bindings.values() if each.binding.show]
        typing = self.screen.focused if isinstance(self.screen.focused, Input) else None
        return [each.binding for each in active if typing is None or each.node is typing]

    def _fitting(self, keys: Sequence[tuple[str, Line]], width: int) -> Line:
        """As many as fit: the last of those that may go goes first."""
        kept = list(keys)
        while kept and width_of(_line(kept)) > width:
            loose = [place for place, (action, _) in enumerate(kept) if action not in _KEPT]
            if not loose:
                break
            del kept[loose[-1]]
        return _line(kept)


def _line(keys: Sequence[tuple[str, Line]]) -> Line:
    pieces: list[Piece] = [plain(" ")]
    for _, line in keys:
        pieces += [*line, _BETWEEN]
    return pieces[:-1] if keys else pieces
