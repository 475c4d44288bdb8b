"""Alignment of two texts: what must hold of any two of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.model.differences import differences, shared_start, words_of
from explorer.model.divergence import Divergence, Facing, Likeness, align, diverge
from explorer.render.page import Document
from explorer.render.pieces import Tone
from explorer.render.spread import BREAK, MISSING, NO_LINE, Spread, spread

WORDS = st.sampled_from(
    ["so", "the", "sum", "12", "3.5", "\\frac", "{", "x", "=", ",", "漢字", "e\u0301", "\x1b[31m", "\u202e"]
)
SENTENCES = st.lists(WORDS, max_size=12).map(" ".join)
STEPS = st.lists(SENTENCES, max_size=12)
TEXTS = st.one_of(STEPS.map("\n\n".join), STEPS.map("\n".join), st.text(max_size=60))
"""Few different words, so that steps are often the same or alike."""


def turned(facings: list[Facing]) -> list[Facing]:
    return [Facing(facing.right, facing.left, facing.likeness) for facing in facings]


def beside(left: str, right: str, width: int, *, raw: bool = False, side: int | None = None) -> Spread:
    return spread(diverge(left, right), (Document(left, raw=raw), Document(right, raw=raw)), width, side)


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """What of a text the other one has too."""
    ends, starts = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    return "".join(text[end:start] for end, start in zip(ends, starts, strict=True))


@given(TEXTS, TEXTS)
def test_every_step_of_both_faces_once_and_in_order(left: str, right: str) -> None:
    found = diverge(left, right)
    for side in (0, 1):
        held = [step for facing in found.facings if (step := facing.of(side)) is not None]
        assert held == list(range(len(found.steps[side])))
    for facing in found.facings:
        assert (facing.likeness is Likeness.ALONE) == (None in (facing.left, facing.right))


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    found = diverge(text, text)
    assert found.prefix == len(text)
    assert found.first is None
    assert found.differing == []
    assert all(found.only_here(at) == ([], []) for at in range(len(found.facings)))


@given(TEXTS, TEXTS, TEXTS)
def test_the_shared_start_is_exact(start: str, left: str, right: str) -> None:
    one, two = start + left, start + right
    shared = shared_start(one, two)
    assert shared >= len(start)
    assert one[:shared] == two[:shared]
    assert shared == min(len(one), len(two)) or one[shared] != two[shared]


@given(TEXTS, TEXTS)
def test_what_both_have_and_what_one_has_give_back_each_text(left: str, right: str) -> None:
    mine, other = differences(left, right)
    for text, spans in ((left, mine), (right, other)):
        assert all(0 <= start < end <= len(text) for start, end in spans)
        assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert without(left, mine) == without(right, other)


@given(TEXTS, TEXTS)
def test_differences_of_facing_steps_stay_within_them_and_leave_the_same(left: str, right: str) -> None:
    found = diverge(left, right)
    for at, facing in enumerate(found.facings):
        rest = []
        for side, spans in enumerate(found.only_here(at)):
            step = facing.of(side)
            start, end = (0, 0) if step is None else (found.steps[side][step].start, found.steps[side][step].end)
            assert all(start <= one < two <= end for one, two in spans)
            rest.append(without(found.texts[side][start:end], [(one - start, two - start) for one, two in spans]))
        assert rest[0] == rest[1]


@given(TEXTS, TEXTS)
def test_swapping_the_texts_swaps_the_answer(left: str, right: str) -> None:
    one, two = diverge(left, right), diverge(right, left)
    assert list(one.facings) == turned(list(two.facings))
    assert one.prefix == two.prefix
    assert [one.only_here(at) for at in range(len(one.facings))] == [two.only_here(at)[::-1] for at in range(len(two.facings))]
    assert one.swapped().facings == two.facings
    assert one.swapped().texts == two.texts


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_equal_steps_face_each_other_whatever_was_left_out(gone: set[int], missing: set[int]) -> None:
    keys = [f"this is step {number * number}" for number in range(31)]
    left = [key for number, key in enumerate(keys) if number not in gone]
    right = [key for number, key in enumerate(keys) if number not in missing]
    found = align(left, right, lambda _, __: 0.0)
    same = {left[facing.left] for facing in found if facing.likeness is Likeness.SAME and facing.left is not None}
    assert same == set(left) & set(right)


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 3))
def test_comparisons_grow_with_the_steps_and_not_with_their_square(mine: int, other: int, common: int) -> None:
    asked = 0

    def similarity(at: int, opposite: int) -> float:
        nonlocal asked
        asked += 1
        return (at * 7 + opposite * 3) % 10 / 10

    left = [f"left {number if number % 50 > common else 'heading'}" for number in range(mine)]
    right = [f"right {number}" if number % 50 > common else "left heading" for number in range(other)]
    align(left, right, similarity)
    assert asked <= 26 * (mine + other)


def test_alike_steps_face_each_other_and_the_one_put_in_faces_nothing() -> None:
    left = "We count the apples: 3 and 4.\n\nTogether these are 7 apples.\n\nSo the answer is 7."
    right = "We count the apples: 3 and 4.\n\nFirst a word on pears, of which nobody asked.\n\nTogether these are 8 apples."
    found = diverge(left, right)
    assert [(each.left, each.right, str(each.likeness)) for each in found.facings] == [
        (0, 0, "same"),
        (None, 1, "alone"),
        (1, 2, "alike"),
        (2, None, "alone"),
    ]
    assert found.first == 1
    assert [found.texts[side][slice(*found.only_here(2)[side][0])] for side in (0, 1)] == [" 7 ", " 8 "]
    assert (found.at_step(0, 1), found.at_step(1, 1), found.step_near(0, 1), found.step_near(1, 3)) == (2, 1, 0, 2)


def test_white_space_alone_makes_steps_the_same_but_not_the_texts() -> None:
    found = diverge("One.\n\nTwo.", "One.\n\n\nTwo.\n")
    assert found.first is None
    assert found.prefix == len("One.\n\n")
    assert found.only_here(0) == ([(4, 6)], [(4, 7)])


def test_a_combining_mark_stays_with_its_letter() -> None:
    assert differences("cafe bar", "cafe\u0301 bar") == ([(0, 5)], [(0, 6)])


@pytest.mark.parametrize("words", [2_000, 60_000])
def test_long_steps_differ_as_a_whole_instead_of_taking_forever(words: int) -> None:
    left, right = "a " + "b c " * words + "end", "a " + "d c " * words + "end"
    assert differences(left, right) == ([(1, 4 * words)], [(1, 4 * words)])


def test_texts_are_known_by_commands_numbers_and_words() -> None:
    assert words_of("\\frac{1,200.5}{x_2} isn't") == {"\\frac", "1,200.5", "x", "2", "isn", "t"}


@given(TEXTS, TEXTS, st.integers(2, 40), st.booleans(), st.sampled_from([None, 0, 1]))
def test_a_spread_shows_every_line_that_is_not_blank_once_and_in_order(
    left: str, right: str, width: int, raw: bool, side: int | None
) -> None:
    made = beside(left, right, width, raw=raw, side=side)
    assert list(made.starts) == sorted(made.starts)
    for which in (0, 1) if side is None else (side,):
        page = made.pages[which]
        lines = [row[which + 1] for row in made.rows if row[which + 1] >= 0]
        assert lines == sorted(set(lines))
        left_out = set(range(len(page.lines))) - set(lines)
        assert all(not page.shown.text[slice(*page.lines[line])].strip() for line in left_out)
        for row in range(len(made.rows)):
            said = "".join(text for text, _ in made.pieces(row, which))
            line = made.rows[row][which + 1]
            assert line in (NO_LINE, BREAK, MISSING) or said == page.shown.text[slice(*page.lines[line])]


def test_facing_steps_begin_on_one_row() -> None:
    made = beside("long " * 30 + "\n\nsame here", "short\n\nsame here", 20)
    assert [made.number(row, 0) for row in made.starts[1:]] == ["2="]
    assert [made.number(row, 1) for row in made.starts[1:]] == ["2="]
    assert made.number(made.starts[0] + 1, 1) == "1≠"


def test_a_facing_where_they_differ_stands_under_a_mark() -> None:
    made = beside("a b\n\nthis is so 4", "a b\n\nthis is so 5", 20)
    row = made.starts[1]
    assert made.rows[row] == (1, BREAK, BREAK)
    assert made.pieces(row, 0)[0][0] == made.pieces(row, 1)[0][0] == "▼ first difference"
    assert ("4", "match-here") in made.pieces(row + 1, 0)


def test_the_nearest_facing_is_found_for_steps_that_are_not_there() -> None:
    empty: Divergence = diverge("", "")
    assert (empty.at_step(0, 4), empty.step_near(1, 0), empty.step_at(0, 9), empty.first) == (0, 0, 0, None)


def test_where_nearly_all_of_two_alike_steps_differs_no_word_is_marked() -> None:
    left = "same start here\n\nThe total distance is forty miles."
    made = beside(
        left, "same start here\n\nForty miles: distance divided, total is unknown, which somebody should find out.", 80
    )
    first = made.starts[1] + 1
    assert made.number(first, 0) == "2≈"
    assert [tone for _, tone in made.pieces(first, 0)].count(Tone.ONLY_HERE) == 0
    assert made.pieces(first, 0)[0] == ("The", Tone.MATCH_HERE)
