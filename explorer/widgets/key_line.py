"""The last line: what the next key does. Made from the bindings in force; what does not fit the width is left to `?`.

A click on a key is that key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Input

from explorer.render.pieces import Line, Piece, Tone, dim, plain, width_of
from explorer.widgets.toned import Toned

_BETWEEN = plain("  ")
_KEPT = {"help", "back", "quit", "blind"}
"""Actions that stay in sight: the way to the other keys, and the ways out."""


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of the line."""

    action: str
    line: Line
    keys: Sequence[str]
    """What is pressed: of a group one each."""


class KeyLine(Toned):
    """Keys and one word each, of the bindings that want to be shown."""

    DEFAULT_CSS = """
    KeyLine { height: 1; dock: bottom; width: 1fr; }
    """

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._refresh_keys)

    def render_line(self, y: int) -> Strip:
        return self.strip_of(_line(self._fitting(self._keys(), self.size.width)) if y == 0 else (), self.size.width)

    def on_click(self, event: events.Click) -> None:
        at = 1
        for key in self._fitting(self._keys(), self.size.width):
            width = width_of(key.line)
            if at <= event.x < at + width:
                self.app.simulate_key(key.keys[0] if event.x - at < width // 2 or len(key.keys) == 1 else key.keys[1])
                return
            at += width + len(_BETWEEN[0])

    def _refresh_keys(self, _: Screen[object]) -> None:
        self.refresh()

    def _keys(self) -> list[Key]:
        """The app's own last. Bindings of one group share a line: ] [ sample."""
        found: dict[tuple[str, str], list[Binding]] = {}
        for binding in self._shown_bindings():
            group = binding.group
            name = (group.description, group.description) if group else (binding.action, binding.description)
            if group or name not in found:
                found.setdefault(name, []).append(binding)
        return [self._key(action, word, bindings) for (action, word), bindings in found.items()]

    def _key(self, action: str, word: str, bindings: Sequence[Binding]) -> Key:
        shown = " ".join(binding.key_display or self.app.get_key_display(binding) for binding in bindings)
        return Key(action, ((shown, Tone.ACCENT), dim(f" {word}")), [binding.key for binding in bindings])

    def _shown_bindings(self) -> list[Binding]:
        """Where something is being typed, keys are letters, and only the field's own bindings hold."""
        active = [each for each in self.screen.active_bindings.values() if each.binding.show]
        typing = self.screen.focused if isinstance(self.screen.focused, Input) else None
        return sorted((each.binding for each in active if typing is None or each.node is typing), key=far)

    def _fitting(self, keys: Sequence[Key], width: int) -> list[Key]:
        """As many as fit: the last of those that may go goes first."""
        kept = list(keys)
        while kept and width_of(_line(kept)) > width:
            loose = [place for place, key in enumerate(kept) if key.action not in _KEPT]
            if not loose:
                break
            del kept[loose[-1]]
        return kept


def far(binding: Binding) -> int:
    """What belongs to the screen comes first, then the ways to other screens, then the app's own keys."""
    kind = (binding.id or "").partition(".")[0]
    return {"go": 1, "app": 2}.get(kind, 0)


def _line(keys: Sequence[Key]) -> Line:
    pieces: list[Piece] = [plain(" ")]
    for key in keys:
        pieces += [*key.line, _BETWEEN]
    return pieces[:-1] if keys else pieces
