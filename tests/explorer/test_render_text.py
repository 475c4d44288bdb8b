"""Text from a study: nothing a terminal acts on gets through, nothing is lost, and lines fit the view."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from explorer.render.page import lay_out, matches
from explorer.render.pieces import Tone, fitted, width_of
from explorer.render.text import shown, visible
from explorer.render.wrap import wrap

NEVER_SHOWN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200) | st.text(
    st.sampled_from("ab \n\t\r\x00\x1b\x7f\x9b\u200b\u202e\u2066\u2028\ufeff\ud800\u0301\u0489漢🇩👍\u200d\ufe0f\U000e0041"),
    max_size=80,
)


def is_safe(line: str) -> bool:
    return all(unicodedata.category(char) not in NEVER_SHOWN for char in line)


@given(ANY_TEXT, st.booleans())
def test_nothing_a_terminal_acts_on_gets_through(text: str, raw: bool) -> None:
    assert is_safe(visible(text, raw=raw).replace("\n", ""))


def test_every_unseen_character_is_spelled_out() -> None:
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.category(char) in NEVER_SHOWN and char not in "\n\t":
            assert is_safe(visible(char)), hex(code)
            assert visible(char), hex(code)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\tb", "a    b"),
        ("a\r\nb", "a␍\nb"),
        ("\x7f\x9b", "␡⟨U+009B⟩"),
        ("x\u202ey", "x⟨U+202E⟩y"),
        ("\ud800", "⟨U+D800⟩"),
        ("⚠\ufe0f", "⚠"),
        ("e\u0301", "e\u0301"),
        ("\u0301a", "⟨U+0301⟩a"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + "⟨U+0301⟩" * 2),
        ("plain \\boxed{4}", "plain \\boxed{4}"),
    ],
)
def test_unseen_characters_have_a_spelling(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_raw_shows_line_ends_tabs_and_glyph_choices() -> None:
    assert visible("a\tb\n⚠\ufe0f", raw=True) == "a␉b␊\n⚠⟨U+FE0F⟩"


@given(ANY_TEXT, st.data())
def test_every_character_is_found_where_it_went(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    view = shown(text, around=(start, end))
    assert view.text == visible_around(text, start, end)
    assert view.text[view.at(start)] == "⟦"
    assert view.text[view.at(end) + (start == end)] == "⟧"


def visible_around(text: str, start: int, end: int) -> str:
    """The same by the long way: each place of the plain view, with the marks put in."""
    view = shown(text)
    return view.text[: view.at(start)] + "⟦" + view.text[view.at(start) : view.at(end)] + "⟧" + view.text[view.at(end) :]


@given(ANY_TEXT, st.integers(2, 40))
def test_lines_fit_and_lose_nothing_but_the_blanks_they_break_at(text: str, width: int) -> None:
    clean = visible(text)
    lines = [clean[start:end] for start, end in wrap(clean, width)]
    assert all(cell_len(line) <= width and is_safe(line) for line in lines)
    assert "".join(lines).replace(" ", "") == clean.replace(" ", "").replace("\n", "")


@given(ANY_TEXT, st.integers(0, 30), st.booleans())
def test_a_fitted_line_has_exactly_its_width(text: str, width: int, right: bool) -> None:
    pieces = fitted([(text, Tone.PLAIN), ("tail", Tone.DIM)], width, right=right)
    assert width_of(pieces) == width
    assert is_safe("".join(part for part, _ in pieces))


@given(ANY_TEXT, st.integers(10, 60))
@settings(max_examples=50)
def test_a_page_draws_every_line_within_its_width(text: str, width: int) -> None:
    page = lay_out(text, width, answer=(0, len(text)))
    for place in range(len(page.lines)):
        line = "".join(part for part, _ in page.pieces(place, [(1, 5, Tone.MATCH)]))
        assert cell_len(line) <= width
        assert is_safe(line)


def test_a_search_finds_what_the_source_holds_and_marks_it_in_the_view() -> None:
    source = "\t\\boxed{4} and \x1b again \\BOXED{4}"
    page = lay_out(source, 80, answer=(8, 9))
    found = [page.shown.text[page.shown.at(start) : page.shown.at(end)] for start, end in matches(source, "boxed{4}")]
    assert found == ["boxed{⟦4⟧}", "BOXED{4}"]
    assert len(matches(source, "BOXED")) == 1


@given(ANY_TEXT, st.integers(2, 40), st.booleans())
def test_a_line_knows_the_character_it_begins_with(text: str, width: int, raw: bool) -> None:
    page = lay_out(text, width, raw=raw)
    for line, (start, _) in enumerate(page.lines):
        place = page.source_at(line)
        assert page.shown.at(place) <= start
        assert place == len(text) or page.shown.at(place + 1) > start


@pytest.mark.parametrize("text", ["word " * 250_000, "x" * 1_000_000, "漢字 " * 300_000, "\x1b" * 300_000], ids="awce")
def test_a_megabyte_wraps_in_well_under_a_second(text: str) -> None:
    start = time.process_time()
    lay_out(text, 76)
    assert time.process_time() - start < 2.5  # 0.1 to 0.5 s on the slowest machine we have; room for a busy one
