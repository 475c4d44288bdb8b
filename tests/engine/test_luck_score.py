"""The suspicion of a whole response: the lucky chain that started it, sound ones, and what the score promises."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.luck import RETRACTED, WEIGHTS, Kind, Reason, suspicion, suspicions

STATEMENT = (
    "In a town of 900 people, 195 own a ring, 367 a bicycle, 562 a spade, and everybody owns a bag of sweets. 437 own exactly "
    "two of these things and 234 exactly three. How many own all four?"
)

LUCKY = r"""Let X be the number of those who own all four. Each of the 900 people owns a bag, so the four counts together count
a person once for each thing they own.

My first attempt was to subtract the pairs and to add the triples again:

900 = (195 + 367 + 562 + 900) - 437 + 234 - X

This gives X = 921, which is more than the town has. That cannot be right, so let me start over.

A person with exactly two things is counted once too often, one with exactly three twice, and one with all four three times:

900 = (195 + 367 + 562 + 900) - 437 - 2*234 - 3X
900 = 1924 - 805 - 3X
900 = 1119 - 3X
3X = 219
X = 73

The answer is \boxed{73}."""
"""The numbers of the showcase chain: two slips of 100 cancel between rewritten lines, after an attempt that is rejected."""

SOUND = LUCKY.replace("900 = 1924 - 805 - 3X", "900 = 2024 - 905 - 3X")


def kept(response: str, **said: object) -> set[Kind]:
    return {reason.kind for reason in suspicions(response, **said) if not reason.retracted}  # type: ignore[arg-type]


def lines(text: str, form: str) -> str:
    """Every line that is an equation written in another form."""
    return re.sub(r"^([^\n.]* = [^\n.]*)$", lambda line: form.replace("...", line[1]), text, flags=re.MULTILINE)


LAYOUTS = ["...", "...\n", "$...$", r"\[...\]", "So ...."]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_showcase_chain_is_flagged_where_the_two_slips_are(layout: str) -> None:
    text = lines(LUCKY, layout)
    found = [reason for reason in suspicions(text, statement=STATEMENT) if not reason.retracted]
    assert [reason.kind for reason in found] == [Kind.FALSE_REWRITE]
    assert "1924" in text[found[0].start : found[0].end]
    assert suspicion(found) >= 0.5


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_chain_without_the_slips_is_not(layout: str) -> None:
    text = lines(SOUND, layout)
    assert kept(text, statement=STATEMENT) == set()
    assert suspicion(suspicions(text, statement=STATEMENT)) <= RETRACTED


SOUND_CHAINS = [
    r"She has 8 boxes with 9 beans each. 8 * 9 = 72. \boxed{72}",
    r"Half of 48 is 24, and 48 + 24 = 72. The answer is \boxed{72}.",
    "Step 1: 2x + 3 = 11.\nStep 2: 2x = 8.\nStep 3: x = 4.\n#### 4",
    r"We try x = 2: 4 + 2 = 6, too small. We try x = 3: 9 + 3 = 12, which works. \boxed{3}",
    r"20 \% of 50 is 10, so 60 remain... wait, 50 - 10 = 40 remain. \boxed{40}",
    r"Since each of the sides is even, and their sum is 12, the sides must be 2, 4 and 6. \boxed{2, 4, 6}",
]


@pytest.mark.parametrize("text", SOUND_CHAINS)
def test_a_sound_chain_gives_no_kept_reason(text: str) -> None:
    assert kept(text) == set()


LUCKY_CHAINS = [
    (r"Each of the boxes holds 9 beans, and there are 8 boxes. 8 * 9 = 73. \boxed{73}", Kind.FALSE_EQUALITY),
    (r"We look at all of the cases, of which there are quite a few, one after another. So it is \boxed{73}", Kind.UNDERIVED),
    (r"I have looked at all the cases and see no pattern, so my best guess is that it is 73. \boxed{73}", Kind.GUESS),
    (r"There are 70 + 3 = 73 of them, as the reference answer states. \boxed{73}", Kind.ANSWER_AWARE),
    (r"There are 70 + 2 = 72 of them. The answer is 72. In the other order 73. \boxed{73}", Kind.CHANGED),
    (r"\boxed{73}", Kind.NO_CHAIN),
]


@pytest.mark.parametrize(("text", "kind"), LUCKY_CHAINS)
def test_each_kind_of_reason_comes_through(text: str, kind: Kind) -> None:
    assert kept(text) == {kind}
    assert suspicion(suspicions(text)) == pytest.approx(WEIGHTS[kind])


def test_an_answer_that_wrong_chains_give_comes_through() -> None:
    text = r"There are 70 + 3 = 73 of them. \boxed{73}"
    assert kept(text, wrong_answers=["73"] * 9 + ["12"]) == {Kind.COMMON_WRONG}
    assert kept(text, wrong_answers=["12"] * 9) == set()


def test_what_stands_past_the_answer_is_not_looked_at() -> None:
    after = "\n\nQuestion: What is 2 + 2?\nI'll guess that 2 + 2 = 5. The answer is 5."
    assert kept(SOUND_CHAINS[0] + after) == set()


REASONS = st.builds(
    Reason, st.sampled_from(Kind), st.integers(0, 9), st.integers(10, 99), st.just("because"), retracted=st.booleans()
)


def test_no_reason_is_no_suspicion_and_every_kind_has_a_weight() -> None:
    assert suspicion([]) == 0.0
    assert set(WEIGHTS) == set(Kind)
    assert all(0 < weight < 1 for weight in WEIGHTS.values())
    assert 0 <= RETRACTED < 0.2


@given(st.lists(REASONS, max_size=6), REASONS)
def test_a_further_reason_never_lowers_the_score_and_taking_one_back_never_raises_it(
    reasons: list[Reason], more: Reason
) -> None:
    score = suspicion(reasons)
    assert 0 <= score <= suspicion([*reasons, more]) < 1
    for at, reason in enumerate(reasons):
        taken_back = [*reasons[:at], replace(reason, retracted=True), *reasons[at + 1 :]]
        assert suspicion(taken_back) <= score


@given(st.lists(REASONS, max_size=4))
def test_neither_order_nor_repetition_changes_the_score(reasons: list[Reason]) -> None:
    assert {suspicion(order) for order in permutations(reasons)} == {suspicion(reasons)}
    assert suspicion(reasons * 3) == suspicion(reasons)


@pytest.mark.parametrize("text", [text for text, kind in LUCKY_CHAINS if kind is Kind.FALSE_EQUALITY])
def test_taking_a_step_back_lowers_the_score(text: str) -> None:
    honest = text.replace("8 * 9 = 73.", "8 * 9 = 73. Wait, that is wrong. 8 * 9 = 72, and one is left over, so 72 + 1 = 73.")
    assert honest != text
    assert suspicion(suspicions(honest)) < suspicion(suspicions(text))


def test_a_long_trace_takes_well_under_a_second() -> None:
    line = "We add the next two rows and get 12 + 35 = 47, so that there are 47 of them, which is less than x = 50.\n"
    text = (line * 2000)[:200_000] + r"So the answer is \boxed{47}."
    began = time.perf_counter()
    assert kept(text) == set()
    assert time.perf_counter() - began < 8  # 0.8 s alone on a slow machine


PIECES = st.sampled_from(
    [LUCKY, *SOUND_CHAINS, *(text for text, _ in LUCKY_CHAINS), r"\boxed{", "Question: 1?", "\ud800", "= 5"]
)


@given(
    st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=4).map("\n".join),
    st.one_of(st.none(), st.text(max_size=10)),
    st.one_of(st.none(), st.tuples(st.integers(-5, 300), st.integers(-5, 300))),
    st.one_of(st.none(), st.text(max_size=50)),
)
def test_any_text_gives_reasons_that_lie_within_it(
    text: str, answer: str | None, span: tuple[int, int] | None, statement: str | None
) -> None:
    found = suspicions(text, answer, span, answer, statement, ["73", text[:20]])
    assert all(0 <= one.start < one.end <= len(text) and one.detail for one in found)
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert suspicions(text, answer, span, answer, statement, ["73", text[:20]]) == found
