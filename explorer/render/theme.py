"""The colours: blue and orange for the two runs, told apart in 16 colours and by colour-blind people; markers say the same."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

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
