"""What the explorer keeps for its user between two sessions: where they were in each study, and saved views.

One small JSON file in the user's state folder ($XDG_STATE_HOME/basebound/explorer.json on Linux), mode 0600, written whole. It
holds nothing of a study but its path and places in it; a file that cannot be read or written costs the memory, never a session.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

_STUDIES_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Remembered:
    """Where somebody was in a study."""

    link: str | None = None
    """A link as deep as the place was."""
    screen: str = ""
    """On which screen; "" for the study's."""
    lost: bool = False
    """Did the session end because its terminal went away?"""
    blind: bool = False
    """Was the audit blind?"""


@dataclass(slots=True)
class Memory:
    """Read with `load`; every change is written at once."""

    places: dict[str, Remembered] = field(default_factory=dict)
    """By the study's resolved path, the newest last."""
    views: dict[str, str] = field(default_factory=dict)
    """Filter expressions by the name they were saved under."""

    def place(self, study: Path) -> Remembered:
        return self.places.get(str(study.resolve()), Remembered())

    def remember(self, study: Path, where: Remembered) -> None:
        name = str(study.resolve())
        self.places.pop(name, None)
        self.places[name] = where
        self._write()

    def save_view(self, name: str, expression: str) -> None:
        """Under a name that is taken, the new one stands in its place; without an expression the view goes."""
        self.views.pop(name, None)
        if expression:
            self.views[name] = expression
        self._write()

    def _write(self) -> None:
        kept = dict(list(self.places.items())[-_STUDIES_KEPT:])
        places = {name: asdict(where) for name, where in kept.items()}
        text = json.dumps({"places": places, "views": self.views}, ensure_ascii=True, indent=1)
        path = memory_file()
        apart = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(apart, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
                file.write(text + "\n")
            apart.replace(path)
        except OSError:
            apart.unlink(missing_ok=True)


def memory_file() -> Path:
    return user_state_path("basebound", appauthor=False) / "explorer.json"


def load() -> Memory:
    """What was kept; nothing where there is no such file, or it is none of ours."""
    try:
        found = json.loads(memory_file().read_text(encoding="utf-8"))
        places = {str(name): _remembered(where) for name, where in found["places"].items()}
        return Memory(places, {str(name): said for name, said in found["views"].items() if isinstance(said, str)})
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):  # the last: brackets without end
        return Memory()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _remembered(where: dict[str, object]) -> Remembered:
    return Remembered(_text(where.get("link")), str(where.get("screen", "")), bool(where.get("lost")), bool(where.get("blind")))
