"""Text from a study: nothing a terminal acts on gets through, nothing is lost, and lines fit the view."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from explorer.model.reading import expressions
from explorer.render.page import Document, Remark, matches, page_of
from explorer.render.pieces import Tone, fitted, width_of
from explorer.render.text import Expression, answer_in, edits_of, pictured, shown, visible
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
    page = page_of(Document(text, (0, len(text))), width)
    for place in range(len(page.lines)):
        line = "".join(part for part, _ in page.pieces(place, [(1, 5, Tone.MATCH)]))
        assert cell_len(line) <= width
        assert is_safe(line)


def test_a_search_finds_what_the_source_holds_and_marks_it_in_the_view() -> None:
    source = "\t\\boxed{4} and \x1b again \\BOXED{4}"
    page = page_of(Document(source, (8, 9)), 80)
    found = [page.shown.text[page.shown.at(start) : page.shown.at(end)] for start, end in matches(source, "boxed{4}")]
    assert found == ["boxed{⟦4⟧}", "BOXED{4}"]
    assert len(matches(source, "BOXED")) == 1


@given(ANY_TEXT, st.integers(2, 40), st.booleans())
def test_a_line_knows_the_character_it_begins_with(text: str, width: int, raw: bool) -> None:
    page = page_of(Document(text, raw=raw), width)
    for line, (start, _) in enumerate(page.lines):
        place = page.source_at(line)
        assert page.shown.at(place) <= start
        assert place == len(text) or page.shown.at(place + 1) > start


@pytest.mark.parametrize("text", ["word " * 250_000, "x" * 1_000_000, "漢字 " * 300_000, "\x1b" * 300_000], ids="awce")
def test_a_megabyte_wraps_in_well_under_a_second(text: str) -> None:
    start = time.process_time()
    page_of(Document(text), 76)
    assert time.process_time() - start < 2.5  # 0.1 to 0.5 s on the slowest machine we have; room for a busy one


MATHS_PIECES = [
    "$", "\\(", "\\)", "\\[", "\\]", "\\boxed{", "}", "{", "\\frac{3}{4}", "x^{12}", "\\cdot ", " = ", "73", "\n", "\n\n",
    "a", " ", "$3 + 4 = 7$", "\\boxed{\\frac{14}{3}}", "\\begin{align}a &= 1 \\\\ b &= 2\\end{align}", "漢", "\x1b", "e\u0301",
]  # fmt: skip
MATHS = st.lists(st.sampled_from(MATHS_PIECES), max_size=25).map("".join)


@st.composite
def made_expressions(draw: st.DrawFn, text: str) -> list[Expression]:
    """Expressions as no maths would make them: shown as anything, with parts anywhere in order."""
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    found = []
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        new = draw(st.text("ab \n½漢┤├", max_size=8))
        places = sorted(draw(st.sets(st.integers(start, end), max_size=4)))
        targets = sorted(draw(st.lists(st.integers(0, len(new)), min_size=len(places), max_size=len(places))))
        pairs = list(zip(places, targets, strict=True))
        parts = [(*(a[0], b[0]), *(a[1], b[1])) for a, b in zip(pairs[::2], pairs[1::2], strict=False)]
        found.append(Expression(start, end, text[start:end], new, tuple(parts)))
    return found


@given(st.data(), ANY_TEXT)
def test_every_character_of_the_source_has_its_place_or_lies_in_a_replaced_span(data: st.DataObject, text: str) -> None:
    made = data.draw(made_expressions(text))
    edits = edits_of(made)
    start = data.draw(st.integers(0, len(text)))
    around = answer_in(made, (start, data.draw(st.integers(start, len(text)))))
    put_in = [(data.draw(st.integers(0, len(text))), "\u00a0✓") for _ in range(data.draw(st.integers(0, 3)))]
    view = shown(text, around=around, replaced=edits, put_in=put_in, expressions=[(one.start, one.end) for one in made])
    places = [view.at(place) for place in range(len(text) + 1)]
    assert places == sorted(places)
    assert places[0] >= 0
    assert places[-1] <= len(view.text)
    replaced = {place for first, last, _ in edits for place in range(first + 1, last)}
    for place in range(len(text)):
        assert view.at(view.source_at(places[place])) <= places[place]
        first, last = view.span(place, place + 1)
        assert 0 <= first <= last <= len(view.text)
        if not any(one.start <= place < one.end for one in made):
            assert place not in replaced
            assert view.text[first:last] == visible_char(text, place)
            assert place == view.source_at(places[place]) or places[place + 1] == places[place]
    assert view.answer is not None
    assert view.text[view.answer[0]] == "⟦"
    assert view.text[view.answer[1] - 1] == "⟧"
    assert view.text.count("✓") == len(put_in) + text.count("✓")


def visible_char(text: str, place: int) -> str:
    """What the plain view shows for one character."""
    view = shown(text)
    return view.text[slice(*view.span(place, place + 1))]


@given(MATHS, st.data(), st.integers(4, 60))
def test_a_page_with_maths_and_remarks_keeps_order_and_bounds(text: str, data: st.DataObject, width: int) -> None:
    start = data.draw(st.integers(0, len(text)))
    answer = start, data.draw(st.integers(start, len(text)))
    remarks = []
    said = st.sampled_from([("✓", ""), ("✗", "2 + 2 is 4, \x1b[31m not 5"), ("⚠", "guess")])
    for glyph, sentence in data.draw(st.lists(said, max_size=4)):
        at = data.draw(st.integers(0, len(text)))
        remarks.append(Remark(at, data.draw(st.integers(at, len(text))), glyph, Tone.BAD, sentence))
    page = page_of(Document(text, answer, rendered=expressions(text), remarks=remarks), width)
    assert page.answer is not None
    assert page.shown.text[page.answer[0]] == "⟦"
    assert page.shown.text[page.answer[1] - 1] == "⟧"
    assert [span[0] for span in page.lines] == sorted(span[0] for span in page.lines)
    assert list(page.steps) == sorted(page.steps)
    assert not page.steps or page.steps[0] == 0
    assert all(line in range(len(page.lines)) for line in page.remarked)
    for place in range(len(page.lines)):
        line = "".join(part for part, _ in fitted(page.pieces(place, [(*page.answer, Tone.ANSWER)]), width))
        assert is_safe(line)
        assert cell_len("".join(part for part, _ in page.pieces(place))) <= width
        assert place in page.sentences or page.line_at(page.shown.at(page.source_at(place))) <= place
    sentences = {remark.sentence for remark in remarks if remark.sentence}
    beneath = "".join(part for line in page.sentences.values() for part, _ in line).replace(" ", "")
    assert all(visible(sentence).replace(" ", "") in beneath for sentence in sentences)


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("It is \\boxed{73}.", "73", "It is ┤⟦73⟧├."),
        ("$x = \\boxed{\\frac{3}{4}}$", "\\frac{3}{4}", "x = ┤⟦3/4⟧├"),
        ("$x = \\boxed{-\\frac{3}{4}}$", "-\\frac{3}{4}", "x = ┤⟦-3/4⟧├"),
        ("so $3X = 219$ and 73", "219", "so 3X = ⟦219⟧ and 73"),
        ("the box \\boxed{\\unknowncommand{7}}", "7", "the box \\boxed{\\unknowncommand{⟦7⟧}}"),
    ],
)
def test_the_answer_keeps_its_brackets_inside_what_is_rendered(text: str, answer: str, expected: str) -> None:
    start = text.rindex(answer)
    page = page_of(Document(text, (start, start + len(answer)), rendered=expressions(text)), 80)
    assert page.shown.text == expected


def test_a_match_inside_a_sign_takes_the_whole_expression() -> None:
    text = "take $\\frac{3}{4} + x$ of it"
    view = page_of(Document(text, rendered=expressions(text)), 80).shown

    def highlighted(wanted: str) -> str:
        return view.text[slice(*view.span(*matches(text, wanted)[0]))]

    assert view.text == "take 3/4 + x of it"
    assert highlighted("frac{3") == "3/4 + x"
    assert highlighted("x$ of") == "x of"
    assert highlighted("of it") == "of it"


def test_sentences_stand_beneath_the_line_they_are_about_and_do_not_move_what_is_read() -> None:
    text = "word " * 30 + "5 + 5 = 11 and " + "word " * 30
    start = text.index("5 + 5")
    page = page_of(Document(text, remarks=[Remark(start, start + 10, "✗", Tone.BAD, "5 + 5 is 10, not 11")]), 40)
    line = page.remarked[0]
    assert "11\u00a0✗" in "".join(part for part, _ in page.pieces(line))
    assert "".join(part for part, _ in page.pieces(line + 1)).strip() == "✗ 5 + 5 is 10, not 11"
    assert page.step_at(line + 1) == 1
    assert len(page.sentences) == 1


def test_a_step_begins_a_line_whatever_maths_would_span() -> None:
    text = "one $a\n\n2. b$ two"
    crossing = [Expression(4, 12, text[4:12], "rendered")]
    page = page_of(Document(text, rendered=crossing), 40)
    assert page.steps == [0, 2]
    assert "rendered" not in page.shown.text


@given(st.text())
def test_a_field_shows_as_many_characters_as_it_holds_and_none_that_acts(text: str) -> None:
    shown = pictured(text)
    assert len(shown) == len(text)
    assert visible(shown) == shown or any(is_mark(char) for char in shown)
    assert all(pictured(char) == "\ufffd" for char in "\u202e\u200b\U000e0041\U000e01f0")


def is_mark(char: str) -> bool:
    """Whether it is drawn on the sign before it: accents, vowels of Hangul, tones of skin."""
    return cell_len(char) == 0 and not unicodedata.category(char).startswith("C")
