"""Answers that come out of nothing, answers alone, answers that are changed, and answers that wrong chains give."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import partial

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.luck.answered import Answered, answered, option
from engine.luck.base import Kind, Reason
from engine.luck.changed import LEAST_WRONG, changed, common_wrong
from engine.luck.derivation import no_chain, underived
from engine.luck.numbers import computed, tokens, values, written
from engine.verifiers.base import Piece

WORDS = "First we look at each of the cases one by one, and see how they depend on one another in the end."


def chain(text: str, **said: object) -> Answered:
    _, found = answered(text, **said)  # type: ignore[arg-type]
    assert found is not None
    return found


DERIVED = [
    rf"{WORDS} That gives x = 72. So the answer is \boxed{{72}}.",
    rf"{WORDS} There are 72 of them. \boxed{{72}}",
    rf"{WORDS} So it is 24 + 48 = \boxed{{72}}.",
    rf"{WORDS} So it is n(n+1)/2 = \boxed{{72}}.",
    rf"{WORDS} In May she sold half of 48, and 48+24 in both months. \boxed{{72}}",
    rf"{WORDS} What is left are 40 blue ones and 32 red ones. Together: \[\boxed{{72}}\]",
    rf"{WORDS} There are seventy-two of them: \boxed{{72}}",
    rf"{WORDS} The area is \(\frac{{1}}{{2}}(9)(16) = \boxed{{72}}\).",
    rf"{WORDS} It is 1/2 of all. \boxed{{0.5}}",
    rf"{WORDS} It is 0.5 of all. \boxed{{50\%}}",
    rf"{WORDS} It is $15,\!400$ in all. \boxed{{15400}}",
    rf"{WORDS} We get 12.8571 metres. \boxed{{12.86}}",
    rf"{WORDS} We need 8.001 packs, which we round up. \boxed{{9}}",
    rf"{WORDS} So x = 7 and y = 5. \boxed{{(7, 5)}}",
    rf"{WORDS} The probability is $2^4 / 3^4$. \boxed{{\frac{{16}}{{81}}}}",
    rf"{WORDS} The function is even. \boxed{{\text{{even}}}}",
    rf"{WORDS} Here y = 3x - 7. \boxed{{y=3x-7}}",
    rf"{WORDS} The root is $4\sqrt{{13}}$. \boxed{{4 \sqrt{{13}}}}",
    rf"\boxed{{72}} because 8 times 9 is 72 and there are no others. {WORDS}",
    rf"{WORDS} The second one is right. \boxed{{B}}",
    rf"{WORDS} Two days after May 2, 2021. \boxed{{05/04/2021}}",
]

UNDERIVED = [
    rf"{WORDS} So the sum is \boxed{{72}}.",
    rf"{WORDS} The answer is 72. \boxed{{72}}",
    rf"{WORDS} We add 5 and 6 and 7. The answer is 72.",
    rf"{WORDS} So it is 405 + 270 + 180 + 120. \boxed{{1075}}",
    rf"{WORDS} So it is $7 \times 7 \times 4$. \boxed{{1373}}",
    rf"{WORDS} So n = \boxed{{72}}.",
    rf"{WORDS} So the point is \boxed{{(17, 35)}}.",
    rf"{WORDS} So it is \boxed{{4\sqrt{{13}}}}.",
    rf"{WORDS} It is called \boxed{{\text{{median}}}}.",
    f"{WORDS}\n#### 72\nThe answer is: 72",
]


@pytest.mark.parametrize("text", DERIVED)
def test_an_answer_that_comes_out_of_the_text_is_derived(text: str) -> None:
    assert underived(chain(text)) == no_chain(chain(text)) == []


@pytest.mark.parametrize("text", UNDERIVED)
def test_an_answer_that_comes_out_of_nothing_is_flagged_at_its_place(text: str) -> None:
    found = chain(text)
    assert no_chain(found) == []
    [reason] = underived(found)
    assert (reason.kind, text[reason.start : reason.end]) == (Kind.UNDERIVED, found.answer.content)


def test_a_number_of_the_statement_must_come_up_as_a_result() -> None:
    statement = "Ann has 72 beans and plants some of them in rows of 8. How many does she have to begin with?"
    copied = rf"{WORDS} With 72 beans in rows of 8, \boxed{{72}}"
    result = rf"{WORDS} With rows of 8, the number of beans is 72. \boxed{{72}}"
    assert underived(chain(copied)) == []
    assert underived(chain(copied, statement=statement))
    assert underived(chain(result, statement=statement)) == []
    assert underived(chain(f"{statement} {WORDS} \\boxed{{72}}", statement=statement)), "a restated problem derives nothing"


ALONE = [
    r"\boxed{72}",
    "The answer is 72.",
    r"Let's think step by step. So the final answer is \boxed{72}.",
    "#### 72",
    r"**Final Answer** \boxed{72}",
    r"We think about it step-by-step: \boxed{72}",
]

NOT_ALONE = [
    r"8 * 9 = \boxed{72}",
    rf"{WORDS} \boxed{{72}}",
    r"\boxed{72}, since each of the eight boxes holds nine beans, and no box is empty or holds more than that",
    r"x^2 = 144, \boxed{12}",
    r"设每个盒子有九颗豆子，一共有八个盒子，所以答案是 \boxed{72}",
]


@pytest.mark.parametrize("text", ALONE)
def test_an_answer_alone_has_no_chain(text: str) -> None:
    [reason] = no_chain(chain(text))
    assert (reason.kind, text[reason.start : reason.end]) == (Kind.NO_CHAIN, "72")


@pytest.mark.parametrize("text", NOT_ALONE)
def test_a_short_chain_is_one(text: str) -> None:
    assert no_chain(chain(text)) == []


CHANGED = [
    (r"So the answer is \boxed{72}. That is all. So the answer is \boxed{73}.", "72"),
    (r"The answer is 72. Adding up all rows. \boxed{73}", "72"),
    (r"The final answer is $\frac{1}{2}$. As a decimal number. \boxed{0.6}", r"$\frac{1}{2}$"),
    ("The correct answer is (B). Looking at the options again. The correct answer is (C).", "(B)"),
    (r"We get 4.2. None of the given choices is 4.2. \boxed{B}", "None of the given choices"),
    (r"We get 4.2, which does not match any of the options. \boxed{B}", "does not match any of the options"),
    (r"There seems to be an error in the problem. \boxed{12}", "to be an error in the problem"),
]

NOT_CHANGED = [
    r"So the answer is \boxed{72}. Indeed, the answer is \boxed{72}.",
    r"The radius is \boxed{5}. The area is \boxed{25\pi}.",
    r"The answer is x = \boxed{3} and y = \boxed{4}.",
    r"The answer is 12.857. Rounded to cents: \boxed{12.86}",
    r"The answer is 3.7. Rounded to whole metres: \boxed{4}",
    r"The answer is 1/2. As a decimal number: \boxed{0.5}",
    r"The answer is 50 cm. In metres: \boxed{0.5\text{ m}}",
    r"The answer is B. \boxed{\text{B. 12 cm}}",
    r"None of the other options is even, so \boxed{B}",
    r"The closest choice to 4.97 is \boxed{B}, 5.",
    r"The answer is not 72. \boxed{73}",
    "The answer is 72.\n\nQuestion: What is 2 + 2? The answer is 4.",
]


@pytest.mark.parametrize(("text", "at"), CHANGED)
def test_an_answer_that_is_not_what_the_chain_arrived_at(text: str, at: str) -> None:
    [reason] = changed(chain(text))
    assert (reason.kind, text[reason.start : reason.end], reason.retracted) == (Kind.CHANGED, at, False)


@pytest.mark.parametrize("text", NOT_CHANGED)
def test_what_is_no_change_of_the_answer(text: str) -> None:
    assert changed(chain(text)) == []


@pytest.mark.parametrize("note", ["Wait, I forgot one row.", "Let me recheck that.", "That was a mistake.", "Hmm, not quite."])
def test_an_honest_correction_is_marked_as_retracted(note: str) -> None:
    text = r"The answer is \boxed{72}. " + note + r" The answer is \boxed{73}."
    assert [reason.retracted for reason in changed(chain(text))] == [True]


def test_an_answer_that_wrong_chains_often_give() -> None:
    answer = Piece(3, 5, "73")
    often = common_wrong(answer, ["73", r"$73$", "73.0", "72", "71", "70"])
    assert [(one.kind, one.start, one.end) for one in often] == [(Kind.COMMON_WRONG, 3, 5)]
    assert "3 of 6" in often[0].detail
    assert common_wrong(answer, ["73"] * (LEAST_WRONG - 1)) == []
    assert common_wrong(answer, ["73"] * 3 + ["1"] * 50) == []
    assert common_wrong(answer, []) == []
    assert common_wrong(Piece(0, 1, "B"), ["B"] * 20) == [], "one in four wrong chains gives any letter"


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({}, 2),
        ({"span": (0, 2)}, 0),
        ({"answer": "12"}, 2),
        ({"answer": "40"}, 1),
        ({"answer": "nowhere"}, 2),
        ({"span": (90, 95)}, 2),
        ({"reference": "40"}, 2),
    ],
)
def test_the_answer_is_looked_for_where_it_was_read(said: dict[str, object], place: int) -> None:
    text = r"12 and 40 make \boxed{12}. More of it."
    starts = [0, 7, 22]
    assert chain(text, **said).answer.start == starts[place]


def test_the_reference_is_looked_for_where_nothing_states_an_answer() -> None:
    assert chain("there are 140 or 40 or 4.40 of them", reference="40").answer == Piece(17, 19, "40")
    assert answered("there are 40 of them") == ("there are 40 of them", None)
    assert answered("") == ("", None)


def test_what_follows_the_answers_segment_is_cut_off() -> None:
    text, found = answered("The answer is 72.\n\nQuestion: What is 2 + 2? The answer is 4.")
    assert text == "The answer is 72.\n\n"
    assert found is not None
    assert found.answer.content == "72"


@pytest.mark.parametrize(
    ("content", "letter"),
    [("B", "B"), ("(c)", "C"), ("Choice_B", "B"), (r"\text{B}", None), ("B. 12 cm", "B"), ("12", None), ("Ann", None)],
)
def test_an_options_letter(content: str, letter: str | None) -> None:
    assert option(content) == letter


def test_numbers_in_their_spellings() -> None:
    assert written(r"\frac{1}{2} of twelve") == {Fraction(1), Fraction(2), Fraction(1, 2), Fraction(12)}
    assert written(r"1,200 and 1{,}201 and 1,\!202 and .5") == {1200, 1201, 1202, Fraction(1, 2)}
    assert written("3/4 and 5/0") == {3, 4, Fraction(3, 4), 5, 0}
    assert written("one hundred and ninety-nine") == {1, 99}
    assert list(tokens(r"\frac{1}{2} of twelve")) == [(r"\frac{1}{2}", 0), ("twelve", 15)]
    assert values(r"\frac{1}{2}") == (Fraction(1), Fraction(2), Fraction(1, 2))
    assert computed("48+24 clips, 3 * 4 - 2") == {72, 10}
    assert computed(r"10 \times 2^9 and 12 \div 4 \cdot 3, 7 / 0, 99^99") == {5120, 9}


WHOLE = st.integers(0, 10**6)


@given(WHOLE, WHOLE, st.sampled_from([("+", int.__add__), ("-", int.__sub__), (r"\times", int.__mul__)]))
def test_what_is_computed_is_right(one: int, other: int, sign: tuple[str, object]) -> None:
    assert computed(f"{one} {sign[0]} {other}") == {sign[1](one, other)}  # type: ignore[operator]
    assert computed(f"{one:,}{sign[0]} {other:,}") == {sign[1](one, other)}  # type: ignore[operator]


@given(st.integers(1000, 10**6), st.integers(1000, 10**6))
def test_any_number_that_stands_in_the_work_is_derived_and_no_other(one: int, other: int) -> None:
    assume(abs(one - other) != 1)  # the words hold a "one", which would make it
    text = f"{WORDS} This makes {one} in all. So the answer is \\boxed{{{other}}}."
    assert bool(underived(chain(text))) == (one != other)


HOSTILE = (
    r"\boxed{1} ",
    "answer is 12. ",
    "#### 5\n",
    "1",
    "1+",
    "1/2 ",
    "a=b-",
    "= ",
    "(",
    "none of the ",
    r"\frac{1}{2}",
    "Ａ",
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_two_hundred_thousand_characters_take_well_under_a_second(piece: str) -> None:
    text = (piece * 200_000)[:200_000] + r" \boxed{77}"
    began = time.perf_counter()
    found = chain(text, statement="How many are there, 1 or 2 or 3 of them?")
    for look in (no_chain, underived, changed, partial(common_wrong, wrong_answers=["1", "2"] * 500)):
        look(found if look in (no_chain, underived, changed) else found.answer)  # type: ignore[arg-type]
    assert time.perf_counter() - began < 4, piece  # 0.6 s alone on a slow machine


PIECES = st.sampled_from(
    [
        *DERIVED,
        *UNDERIVED,
        *ALONE,
        *(text for text, _ in CHANGED),
        *NOT_CHANGED,
        r"\boxed{",
        "}",
        "\n",
        "\ud800",
        r"\frac{1}{0}",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=6).map(" ".join), st.text(max_size=30))
def test_any_text_gives_reasons_that_lie_within_it(text: str, statement: str) -> None:
    cut, found = answered(text, statement=statement)
    assert text.startswith(cut)
    reasons: list[Reason] = []
    if found is not None:
        assert cut[found.answer.start : found.answer.end] == found.answer.content
        assert list(found.announced) == sorted(found.announced, key=lambda piece: piece.start)
        assert found.answer in found.announced
        reasons = [
            *no_chain(found),
            *underived(found),
            *changed(found),
            *common_wrong(found.answer, [found.answer.content] * 9),
        ]
    assert all(0 <= one.start < one.end <= len(cut) and one.detail for one in reasons)
