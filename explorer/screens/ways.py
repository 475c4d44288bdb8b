"""The ways from one screen to another that a key leads, wherever somebody is: by name, imported when first gone.

Screens that lead to each other would import each other in a circle, and the first paint must not wait for screens that nobody
has asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from explorer.screens.base import ExplorerScreen

WAYS: Final = {
    "queue": "explorer.screens.queue:QueueScreen",
    "plots": "explorer.screens.plots:PlotsScreen",
    "paths": "explorer.screens.paths:PathsScreen",
    "claims": "explorer.screens.claims:ClaimsScreen",
    "why": "explorer.screens.why:WhyScreen",
    "found": "explorer.screens.found:FoundScreen",
    "compare": "explorer.screens.compare:CompareScreen",
    "reader": "explorer.screens.reader:ReaderScreen",
}
"""What each takes beside the session stands in its own docstring; the first four take the pair, and the problem one is at."""


def screen_at(way: str, *arguments: object) -> ExplorerScreen[Any]:
    """The screen at the end of a way, made but not shown yet."""
    module, _, name = WAYS[way].partition(":")
    made: ExplorerScreen[Any] = getattr(import_module(module), name)(*arguments)
    return made
