"""Mistakes of a file, gathered while it is read, so that all are told at once; and a table's values, taken with care."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from engine.declaration.lines import Place, line_of
from engine.declaration.values import DeclarationError

SHOWN: Final = 20
LARGEST: Final = 2**63 - 1
"""What a study can hold of a whole number."""
_SHOWN_CHARS: Final = 40
_SPOILED: Final = {"\b": r"\b", "\f": r"\f"}
r"""What TOML makes control characters of between double quotes: of \boxed and \frac nothing good is left."""

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(slots=True)
class Mistakes:
    """What is wrong with one file. Nothing is raised before all of it is known."""

    path: Path
    lines: dict[Place, int]
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, place: Place, sentence: str) -> None:
        self.found.append((line_of(self.lines, place), sentence))

    def complain(self) -> None:
        """Raises DeclarationError where there are any, in the order of their lines."""
        if not self.found:
            return
        told = [f"{self.path}, line {line}: {sentence}" for line, sentence in sorted(dict.fromkeys(self.found))]
        if len(told) > SHOWN:
            told[SHOWN:] = [f"{self.path} has {len(told) - SHOWN} mistakes more"]
        raise DeclarationError("\n".join(told))


def shown(value: object) -> str:
    """A value of the file, as a sentence about it has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"


def nearest(name: str, known: Collection[str]) -> str:
    """What to write instead: the name that was probably meant, else all there are."""
    close = get_close_matches(name.lower(), known, 1, 0.6)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the file. Each method takes a key's value; where that is of no use it notes the mistake and gives the
    default, so that reading goes on and finds the rest."""

    mistakes: Mistakes
    place: Place
    content: Mapping[str, Any]
    what: str
    """As a sentence calls it: "the model 'x'"."""

    @property
    def line(self) -> int:
        return line_of(self.mistakes.lines, self.place)

    def wrong(self, key: str, sentence: str) -> None:
        self.mistakes.add((*self.place, key), sentence)

    def only(self, known: Sequence[str]) -> None:
        """Notes keys that mean nothing here."""
        for key in self.content:
            if key not in known:
                self.wrong(key, f"{self.what} has a key '{key}' that is not known; {nearest(key, known)}")

    def require(self, key: str, example: str) -> bool:
        """Whether the key is there; notes it where it is not."""
        if key not in self.content:
            self.mistakes.add(self.place, f"{self.what} has no {key}; add {key} = {example}")
        return key in self.content

    def text(self, key: str, default: str | None = None) -> str | None:
        return self._take(key, default, _text, "a text between quotes")

    def prose(self, key: str) -> str | None:
        r"""A text for a model. A backslash that TOML has taken for its own is a mistake: \boxed becomes a backspace."""
        text = self.text(key)
        for character, written in _SPOILED.items():
            if text is not None and character in text:
                self.wrong(
                    key, f"{key} has {written} between double quotes, which TOML does not keep; write it between single quotes"
                )
        return text

    def whole(self, key: str, least: int = -LARGEST) -> int | None:
        return self._take(key, None, lambda value: _whole(value, least), _whole_wanted(least))

    def whole_or(self, key: str, least: int, default: int) -> int:
        return self._take(key, default, lambda value: _whole(value, least), _whole_wanted(least))

    def wholes(self, key: str, least: int) -> tuple[int, ...] | None:
        """One whole number, or a list of different ones."""
        return self._several(key, lambda value: _whole(value, least), _whole_wanted(least))

    def flag(self, key: str, default: bool) -> bool:
        return self._take(key, default, lambda value: value if isinstance(value, bool) else None, "true or false")

    def number(self, key: str, default: float, fits: Callable[[float], bool], wanted: str) -> float:
        return self._take(key, default, lambda value: _number(value, fits), wanted)

    def share(self, key: str) -> float | None:
        return self._take(key, None, lambda value: _number(value, lambda share: 0 < share <= 1), "a share above 0, at most 1")

    def numbers(self, key: str, default: float, fits: Callable[[float], bool], wanted: str) -> tuple[float, ...]:
        """One number, or a list of different ones."""
        return self._several(key, lambda value: _number(value, fits), wanted) or (default,)

    def texts(self, key: str, *, empty: bool) -> tuple[str, ...] | None:
        """One text, or a list of different ones, which may be `empty`; None where the key is not there or wrong."""
        return self._several(key, _text, "a text between quotes", empty)

    def choice(self, key: str, known: Collection[str], default: Value) -> str | Value:
        """One of the known words."""
        text = self.text(key)
        if text is None:
            return default
        if text not in known:
            self.wrong(key, f"no {key} is called {shown(text)}; {nearest(text, known)}")
            return default
        return text

    def place_of(self, key: str, folder: Path) -> Path | None:
        """A path, relative to the file's folder."""
        text = self.text(key)
        try:
            return None if text is None else folder / Path(text).expanduser()
        except RuntimeError:
            self.wrong(key, f"{key} is {shown(text)}, the home of nobody here; write the whole path")
            return None

    def _take(self, key: str, default: Default, taken: Callable[[Any], Value | None], wanted: str) -> Value | Default:
        if key not in self.content:
            return default
        value = taken(self.content[key])
        if value is None:
            self.wrong(key, f"{key} is {shown(self.content[key])}; give {wanted}")
            return default
        return value

    def _several(
        self, key: str, taken: Callable[[Any], Value | None], wanted: str, empty: bool = False
    ) -> tuple[Value, ...] | None:
        if key not in self.content:
            return None
        content = self.content[key]
        if not isinstance(content, list):
            value = self._take(key, None, taken, f"{wanted}, or a list of such")
            return None if value is None else (value,)
        if not content and not empty:
            self.wrong(key, f"{key} is an empty list; give {wanted}")
        values = [taken(entry) for entry in content]
        for index, (entry, value) in enumerate(zip(content, values, strict=True)):
            if value is None:
                self.mistakes.add((*self.place, key, index), f"{key} has {shown(entry)} in it; give {wanted}")
            elif value in values[:index]:
                self.mistakes.add((*self.place, key, index), f"{key} has {shown(entry)} twice; leave one out")
        found = tuple(value for value in values if value is not None)
        return found if len(found) == len(values) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _whole(value: Any, least: int) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= LARGEST
    return value if fits else None


def _whole_wanted(least: int) -> str:
    return "a whole number" if least == -LARGEST else f"a whole number from {least} up"


def _number(value: Any, fits: Callable[[float], bool]) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < LARGEST and math.isfinite(value) and fits(float(value)) else None
