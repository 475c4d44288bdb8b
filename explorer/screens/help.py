"""Every key that works where `?` was pressed, made from the bindings themselves, and what the marks on the screens mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen

from explorer.render.pieces import Line, Piece, Tone, dim, fitted, plain, strong, width_of
from explorer.render.words import BASE_MARK, OTHER_MARK
from explorer.render.wrap import wrap
from explorer.widgets.key_line import far
from explorer.widgets.lines import Lines
from explorer.widgets.pager import pager_keys

_WIDTH = 76
_FRAME = 5
"""Cells of the box's width that its border, padding and scrollbar take."""
_KEYS_AT_MOST = 18

_MARKS: Sequence[tuple[Piece, str]] = (
    ((BASE_MARK, Tone.BASE), "the baseline run, mostly the base model"),
    ((OTHER_MARK, Tone.OTHER), "the run that is compared with it"),
    (("✓ ✗ ∅", Tone.PLAIN), "correct, incorrect, no answer"),
    (("‼", Tone.WARN), "an error of the verifier, or a truncated response"),
    (("·", Tone.DIM), "unjudged: the deciding verifier has no verdict; also a run that is not one of the two compared"),
    (("≠", Tone.WARN), "the file's own score says otherwise than the deciding verdict"),
    (("⟦ ⟧", Tone.STRONG), "the answer that the deciding verdict was given for"),
    (("▶", Tone.ACCENT), "the step of the reasoning you are at"),
    (("✎", Tone.ACCENT), "a step that somebody marked"),
    (
        ("✓ ✗ ⚠", Tone.PLAIN),
        "in a response: an equality that holds, one that does not, another reason for doubt; none: not checkable",
    ),
    (("▁ … █", Tone.OTHER), "with l, in the gutter: a step's nats; + a step in which the other model rises"),
    (("✕ ␊ ␃", Tone.PLAIN), "with l: a token outside the nucleus; a token that is a line end; the end of the response"),
    (("✓2 ?1 ✗1", Tone.PLAIN), "in an audit column: right answers that people found sound, left undecided, found unsound"),
    (("1 … 8", Tone.ACCENT), "labels: 1 sound; 2, 3, 4 unsound; 5, 8 undecided; 6, 7 turn the verdict"),
    (("┤ ├", Tone.PLAIN), "a box"),
    (("░ ·", Tone.PLAIN), "in a plot: the 95 % band of the baseline (shaded) and of the compared run (dotted ends)"),
)
_CLOSING = (
    "Hold Shift to select text with the mouse as your terminal does it (or start with --no-mouse). "
    "`basebound keys` says how to give actions other keys."
)


@dataclass(frozen=True, slots=True)
class KeyHelp:
    keys: str
    what: str
    group: str = ""
    """What keys of a kind share, such as next and previous; they are shown on one line."""


def key_help(app: App[None], active: Iterable[ActiveBinding]) -> list[KeyHelp]:
    """One for each action that has a description, its keys together: the screen's own first, and of them the shown ones."""
    keys: dict[tuple[str, str, str], list[str]] = {}
    in_order = sorted(active, key=lambda each: (each.node is not app.screen, far(each.binding), not each.binding.show))
    for binding in (each.binding for each in in_order):
        if binding.description and not binding.system and binding.id is not None:
            shown = binding.key_display or app.get_key_display(binding)
            group = binding.group.description if binding.group else ""
            keys.setdefault((binding.id, binding.tooltip or binding.description, group), []).append(shown)
    return [KeyHelp(" ".join(dict.fromkeys(found)), what, group) for (_, what, group), found in keys.items()]


def paired(rows: Iterable[KeyHelp]) -> list[KeyHelp]:
    """The same with the keys of a group together, at the place of the first."""
    groups: dict[str, list[KeyHelp]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(row.group or f"no group {place}", []).append(row)
    return [
        KeyHelp(" ".join(row.keys for row in found), " · ".join(row.what for row in found), found[0].group)
        for found in groups.values()
    ]


def help_lines(rows: Sequence[KeyHelp], width: int) -> list[Line]:
    """The keys, then the marks, each with what it means wrapped beside it."""
    keys: list[tuple[Piece, str]] = [((row.keys, Tone.ACCENT), row.what) for row in paired(rows)]
    column = min(_KEYS_AT_MOST, max((width_of([key]) for key, _ in keys), default=0))
    lines: list[Line] = []
    for key, what in keys:
        lines += _beside(key, what, column, width)
    lines += [[], [strong("Marks")]]
    for mark, what in _MARKS:
        lines += _beside(mark, what, column, width)
    return [*lines, [], *([plain(_CLOSING[start:end])] for start, end in wrap(_CLOSING, width))]


def _beside(name: Piece, what: str, column: int, width: int) -> list[Line]:
    """What it means on the right; a name too long for its column stands on a line of its own."""
    long = width_of([name]) > column
    lines: list[Line] = [[name]] if long else []
    for start, end in wrap(what, width - column - 2):
        left = fitted([name] if not lines else [], column)
        lines.append([*left, plain("  " + what[start:end])])
    return lines


class HelpScreen(ModalScreen[None]):
    """Closes on Esc, q or ? again. Reads like a pager."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "close", id="help.close", tooltip="Close this help"),
        *pager_keys("help"),
    ]

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen Vertical { width: 76; max-width: 100%; height: 92%; padding: 0 1; }
    HelpScreen Vertical { border: round $run-base; background: $background; }
    HelpScreen VerticalScroll { height: 1fr; scrollbar-size-vertical: 1; }
    """

    def __init__(self, rows: Sequence[KeyHelp]) -> None:
        super().__init__()
        self.rows = rows

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Lines(id="title")
            with VerticalScroll(can_focus=False):
                yield Lines(id="lines")

    def on_mount(self) -> None:
        self.query_one("#title", Lines).lines = [[strong("Keys here"), dim("   Esc closes, j k PgDn PgUp scroll")], []]

    def on_resize(self) -> None:
        width = max(20, min(_WIDTH, self.size.width) - _FRAME)
        self.query_one("#lines", Lines).lines = help_lines(self.rows, width)

    def action_by_lines(self, by: int) -> None:
        self._body.scroll_relative(y=by, animate=False)

    def action_by_pages(self, by: int) -> None:
        self.action_by_lines(by * max(1, self._body.size.height - 1))

    def action_to_top(self) -> None:
        self._body.scroll_home(animate=False)

    def action_to_end(self) -> None:
        self._body.scroll_end(animate=False)

    @property
    def _body(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)
