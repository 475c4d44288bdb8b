"""The colours can be read, and the two runs told apart, in both themes and in 16 colours."""

from __future__ import annotations

import pytest
from rich.color import Color as TerminalColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from explorer.render.theme import DARK, LIGHT

WORDS = ("run-base", "run-other", "said-good", "said-bad", "said-warn", "said-accent", "text-muted")


def luminance(color: Color) -> float:
    parts = [part / 255 for part in color.rgb]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2 contrast ratio."""
    light, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("ground", ["background", "crumb-line", "cursor-line"])
def test_every_word_can_be_read(theme: Theme, ground: str) -> None:
    behind = theme.variables.get(ground) or str(theme.background)
    floor = 3.0 if ground == "cursor-line" else 4.5  # the line under the cursor is bold
    assert {
        word: contrast(theme.variables[word], behind) for word in WORDS if contrast(theme.variables[word], behind) < floor
    } == {}


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_what_differs_stays_different_in_16_colours(theme: Theme) -> None:
    number = {word: TerminalColor.parse(theme.variables[word]).downgrade(ColorSystem.STANDARD).number for word in WORDS}
    assert number["run-base"] != number["run-other"]
    assert number["said-good"] != number["said-bad"]
    ground = TerminalColor.parse(str(theme.background)).downgrade(ColorSystem.STANDARD).number
    assert ground not in number.values()
