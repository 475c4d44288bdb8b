"""The keys: what each screen and widget binds, and the user's own ones.

    [keys]
    "reader.next_sample" = "ctrl+n"          # in basebound/keys.toml, in ~/.config or what stands for it
    "go.plots" = "p,f2"                      # several, with commas

`basebound keys` lists every name. A file with a name or a key that cannot be is refused before the terminal is touched.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final

from platformdirs import user_config_path
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys, key_to_character

from store.errors import BaseboundError

_NAMED: Final = frozenset(key.value for key in Keys)
_PACKAGES: Final = ("explorer.screens", "explorer.widgets")


class BadKeys(BaseboundError):
    """The user's file of keys cannot be used."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One action that keys lead to."""

    name: str
    keys: str
    """As they are bound without a file, with commas."""
    what: str
    place: str
    """The class that binds it: actions of one place cannot share a key."""


def keys_file() -> Path:
    return user_config_path("basebound", appauthor=False) / "keys.toml"


def all_keys() -> list[KeyRow]:
    """Every action with a name, in the order of its place. Imports every screen."""
    from explorer.app import BaseboundApp

    rows: dict[str, KeyRow] = {}
    kinds: list[type[DOMNode]] = [BaseboundApp, *_classes()]
    for kind in kinds:
        for binding in kind.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id is not None and binding.id not in rows:
                what = binding.tooltip or binding.description
                rows[binding.id] = KeyRow(binding.id, binding.key, what, kind.__name__)
    return list(rows.values())


def own_keys(path: Path | None = None) -> dict[str, str]:
    """The user's own keys by action name; nothing without a file. Raises BadKeys."""
    path = path or keys_file()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeys(f"{path} cannot be read: {error}; mend it, or move it away") from None
    try:
        table = tomllib.loads(text).get("keys", {})
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadKeys(f"{path} is not TOML: {error}; mend it, or move it away") from None
    return _checked(path, table)


def _checked(path: Path, table: object) -> dict[str, str]:
    if not isinstance(table, Mapping):
        raise BadKeys(f'{path}: [keys] must be a table of lines such as "reader.next_sample" = "ctrl+n"')
    rows = {row.name: row for row in all_keys()}
    for name, keys in table.items():
        if name not in rows:
            near = get_close_matches(str(name), rows, 1)
            hint = f"did you mean {near[0]}?" if near else "`basebound keys` lists them"
            raise BadKeys(f"{path}: there is no action '{name}'; {hint}")
        if not isinstance(keys, str) or not all(part.strip() for part in keys.split(",")):
            raise BadKeys(f'{path}: the keys of {name} must be a text such as "ctrl+n" or "n,f3", not {keys!r}')
    for name, keys in table.items():
        for key in map(str.strip, keys.split(",")):
            if not _is_key(key):
                raise BadKeys(
                    f"{path}: {name}: there is no key {key!r}; write it as in x, X, f5, ctrl+n, space or question_mark"
                )
    _refuse_clashes(path, rows, table)
    return {str(name): ",".join(part.strip() for part in keys.split(",")) for name, keys in table.items()}


def _is_key(name: str) -> bool:
    """Whether a terminal can send it: a sign by itself or by its name, a named key, each with ctrl, alt or shift before it."""
    *held, last = name.split("+") if len(name) > 1 else [name]
    sign = key_to_character(last)
    return set(held) <= {"ctrl", "alt", "shift"} and (
        last in _NAMED or (sign is not None and len(sign) == 1 and sign.isprintable())
    )


def _refuse_clashes(path: Path, rows: Mapping[str, KeyRow], table: Mapping[Any, str]) -> None:
    """Two actions of one place on one key: only one of them could ever be reached."""
    taken: dict[tuple[str, str], str] = {}
    for name, row in rows.items():
        for key in (table.get(name) or row.keys).split(","):
            other = taken.setdefault((row.place, key.strip()), name)
            if other != name and (name in table or other in table):
                raise BadKeys(f"{path}: {other} and {name} are both on the key '{key.strip()}'; give one of them another key")


def _classes() -> Iterator[type[DOMNode]]:
    for package in _PACKAGES:
        folder = import_module(package)
        for module in iter_modules(folder.__path__, f"{package}."):
            for kind in vars(import_module(module.name)).values():
                if isinstance(kind, type) and kind.__module__ == module.name and "BINDINGS" in kind.__dict__:
                    yield kind
