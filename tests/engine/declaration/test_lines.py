"""Where a key stands: against documents that are written with their lines noted."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.declaration.lines import Place, line_of, lines_of

BARE = st.text("abz_-09", min_size=1, max_size=3)
SPACES = st.sampled_from(["", " ", "\t", "  "])
COMMENTS = st.sampled_from(["", " # plain", " # \"quotes\" ''' [ { } ]", "#\t= x"])
BREAKS = st.sampled_from(["", "\n", " # in\n", "\n\n  # a ] in a comment\n ", " "])
TEXTS = st.text("ab =#[]{}'\"\n\\,.", max_size=8)
SCALARS = st.sampled_from(["1", "-0.5", "1_000", "true", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00", "inf", "0xff", "6e-2"])


class Document:
    """Writes a document, and keeps the line of everything it writes."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Place, int] = {}

    def put(self, text: str) -> None:
        self.text += text

    def note(self, place: Place) -> None:
        self.lines.setdefault(place, self.text.count("\n") + 1)

    def key(self, key: str) -> None:
        self.put(self.draw(st.sampled_from([key, json.dumps(key), f"'{key}'"])))

    def string(self, multiline: bool) -> None:
        text = self.draw(TEXTS)
        single = json.dumps(text)
        forms = [single] if "'" in text or "\n" in text else [single, f"'{text}'"]
        if multiline:
            forms.append('"""' + single[1:-1].replace("\\n", "\n").replace('\\"', '\\"') + '"""')
            forms += [f"'''{text}'''"] if "'" not in text else [f'"""a"b""c\\""""{chr(34) * 2}', "'''a'[b''\nc]'''''"]
        self.put(self.draw(st.sampled_from(forms)))

    def value(self, place: Place, depth: int, multiline: bool = True) -> None:
        kind = self.draw(st.sampled_from(["scalar", "string", *(["array", "inline"] if depth else [])]))
        if kind == "scalar":
            self.put(self.draw(SCALARS))
        elif kind == "string":
            self.string(multiline)
        elif kind == "array":
            self.array(place, depth - 1, multiline)
        else:
            self.inline(place, depth - 1)

    def array(self, place: Place, depth: int, multiline: bool) -> None:
        count = self.draw(st.integers(0, 3))
        self.put("[")
        for index in range(count):
            self.put(self.draw(BREAKS) if multiline else " ")
            self.note((*place, index))
            self.value((*place, index), depth, multiline)
            self.put(self.draw(BREAKS) if multiline else "")
            self.put("," if index < count - 1 else self.draw(st.sampled_from(["", ","])))
        self.put((self.draw(BREAKS) if multiline else "") + "]")

    def inline(self, place: Place, depth: int) -> None:
        keys = self.draw(st.lists(BARE, max_size=3, unique=True))
        self.put("{")
        for at, key in enumerate(keys):
            self.put(", " if at else self.draw(SPACES))
            self.pair(place, [key], depth, multiline=False)
        self.put(self.draw(SPACES) + "}")

    def pair(self, table: Place, keys: list[str], depth: int, multiline: bool = True) -> None:
        for at in range(len(keys)):
            self.note((*table, *keys[: at + 1]))
        for at, key in enumerate(keys):
            self.put(self.draw(SPACES) + "." + self.draw(SPACES) if at else "")
            self.key(key)
        self.put(f"{self.draw(SPACES)}={self.draw(SPACES)}")
        self.value((*table, *keys), depth, multiline)

    def statement(self, table: Place, key: str) -> None:
        self.put(self.draw(st.sampled_from(["", "  ", "\n", "# a comment [x]\n", "\t"])))
        self.pair(table, self.draw(st.sampled_from([[key], [key, "sub"]])), 2)
        self.put(self.draw(COMMENTS) + "\n")


@st.composite
def documents(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[str, dict[Place, int]]:
    document = Document(draw)
    for key in draw(st.lists(BARE, max_size=2, unique=True)):
        document.statement((), f"{key}1")
    counts: dict[str, int] = {}
    for name, double, sub in draw(st.lists(st.tuples(BARE, st.booleans(), st.booleans()), max_size=4)):
        if name in counts and not (double and name.endswith("9")):
            continue  # a table comes once
        name = f"{name}9" if double and not name.endswith("9") else name
        if not double and name.endswith("9"):
            continue
        counts[name] = counts.get(name, -1) + 1
        document.put(draw(st.sampled_from(["", "\n", "# before\n"])))
        document.note((name,))
        place: Place = (name, counts[name]) if double else (name,)
        document.note(place)
        document.put(f"[[ {name} ]]" if double else f"[{name}]")
        document.put(draw(COMMENTS) + "\n")
        for key in draw(st.lists(BARE, max_size=3, unique=True)):
            document.statement(place, f"{key}1")
        if sub:
            document.note((*place, "inner"))
            document.put(f"[{name}.inner]\n")
            document.statement((*place, "inner"), "x")
    return document.text, document.lines


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*place, key)
        yield from places(one, (*place, key))


@settings(max_examples=400, deadline=None)
@given(documents())
def test_every_key_is_found_on_its_line(document: tuple[str, dict[Place, int]]) -> None:
    text, expected = document
    found = lines_of(text)
    assert found == expected
    assert set(found) == set(places(tomllib.loads(text))), "and nothing else is"


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    lines = lines_of("a = 1\n[[t]]\nx = 1\n[[t]]\ny = {z = [\n1,\n2]}\n")
    assert line_of(lines, ("t", 1, "y", "z", 1)) == 7
    assert line_of(lines, ("t", 1, "missing")) == 4
    assert line_of(lines, ("none", "x")) == 1


def test_a_header_of_several_parts_finds_the_newest_table() -> None:
    lines = lines_of('[[a]]\n[a.b]\nc = 1\n[[a]]\n[[a."b c".d]]\nx = 1\n[[a."b c".d]]\ny.z = """\n]\n"""\nw=1\n')
    assert lines["a", 0, "b", "c"] == 3
    assert lines["a", 1, "b c", "d", 1, "y", "z"] == 8
    assert lines["a", 1, "b c", "d", 1, "w"] == 11
