"""The colours: blue and orange for the two runs, told apart in 16 colours and by colour-blind people; markers say the same.

Tones get their styles from here and not from style sheets: Textual would match some twenty rules for every widget of a screen
that opens, which took longer than all else.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from rich.style import Style
from textual.theme import Theme

from explorer.render.pieces import Tone

_DARK_VARIABLES: Final = {
    "run-base": "#6aa3ff",
    "run-other": "#e69f00",
    "said-good": "#5fd75f",
    "said-bad": "#ff8787",
    "said-warn": "#ffd75f",
    "said-accent": "#87d7ff",
    "cursor-line": "#303a4a",
    "crumb-line": "#1c2026",
}

_LIGHT_VARIABLES: Final = {
    "run-base": "#004fb0",
    "run-other": "#964f00",
    "said-good": "#006f00",
    "said-bad": "#af0000",
    "said-warn": "#875f00",
    "said-accent": "#00688b",
    "cursor-line": "#c0c8d0",
    "crumb-line": "#eceff2",
}

VARIABLES: Final = _DARK_VARIABLES
"""What any other theme of Textual gets for the names our widgets use."""

DARK: Final = Theme(
    name="basebound-dark",
    primary="#6aa3ff",
    background="#101214",
    surface="#101214",
    panel="#1c2026",
    foreground="#e4e6e8",
    dark=True,
    variables=_DARK_VARIABLES | {"text-muted": "#9aa2aa"},
)

LIGHT: Final = Theme(
    name="basebound-light",
    primary="#004fb0",
    background="#ffffff",
    surface="#ffffff",
    panel="#eceff2",
    foreground="#16181a",
    dark=False,
    variables=_LIGHT_VARIABLES | {"text-muted": "#5a6066"},
)

_COLOURS: Final = {
    Tone.DIM: "text-muted",
    Tone.BASE: "run-base",
    Tone.OTHER: "run-other",
    Tone.GOOD: "said-good",
    Tone.BAD: "said-bad",
    Tone.WARN: "said-warn",
    Tone.ACCENT: "said-accent",
    Tone.MATCH: "said-accent",
    Tone.MATCH_HERE: "said-accent",
    Tone.KEYWORD: "said-accent",
    Tone.STRING: "said-good",
    Tone.NUMBER: "run-other",
    Tone.COMMENT: "text-muted",
    Tone.FALL_1: "run-other",
    Tone.FALL_2: "run-other",
    Tone.FALL_3: "run-other",
    Tone.RISE_1: "run-base",
    Tone.RISE_2: "run-base",
    Tone.RISE_3: "run-base",
    Tone.OUTSIDE: "said-bad",
    Tone.CHOSEN: "said-accent",
}
_SHAPES: Final = {
    Tone.STRONG: Style(bold=True),
    Tone.WARN: Style(bold=True),
    Tone.ACCENT: Style(bold=True),
    Tone.ANSWER: Style(bold=True, reverse=True),
    Tone.MATCH: Style(bold=True, underline=True),
    Tone.MATCH_HERE: Style(reverse=True),
    Tone.COMMENT: Style(italic=True),
    Tone.ONLY_HERE: Style(bold=True, underline=True),
    # Levels of tokens are told apart by their shapes alone: colours only say the direction again.
    Tone.FALL_1: Style(underline=True),
    Tone.FALL_2: Style(bold=True, underline=True),
    Tone.FALL_3: Style(reverse=True),
    Tone.RISE_1: Style(italic=True),
    Tone.RISE_2: Style(bold=True, italic=True),
    Tone.RISE_3: Style(italic=True, reverse=True),
    Tone.OUTSIDE: Style(bold=True, reverse=True, strike=True),
    Tone.CHOSEN: Style(bold=True, underline=True, reverse=True),
}
CURSOR: Final = "cursor"
"""The ground of the line under the cursor, beside the tones."""


@cache
def tone_styles(theme: str) -> Mapping[str, Style]:
    """The style of every tone and of CURSOR in the theme of that name."""
    colours = (LIGHT if theme == LIGHT.name else DARK).variables
    styles: dict[str, Style] = {
        tone: _SHAPES.get(tone, Style()) + Style(color=colours[_COLOURS[tone]] if tone in _COLOURS else None) for tone in Tone
    }
    return styles | {CURSOR: Style(bgcolor=colours["cursor-line"], bold=True)}
