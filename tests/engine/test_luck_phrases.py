"""Declared guesses and answer-aware phrases: what is one, and what only looks like one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.luck.base import Kind, Reason
from engine.luck.phrases import CHECKED_WITHIN, LEFT_BEHIND, answer_aware, guesses

GUESSES = [
    "The sum will not come out, so I'll guess 12.",
    "I’ll just guess that it is 12.",
    "I would guess the answer is 12.",
    "If I had to guess, 12 fits best.",
    "We will have to make a guess here: 12.",
    "Let's guess 12 and be done.",
    "I guess the answer is 12.",
    "I guess it's 12.",
    "My best guess is 12.",
    "This is only a wild guess, but 12.",
    "As a guess, 12.",
    "It is just a guess.",
    "Let's assume the answer is 12.",
    "I will simply assume that the final answer is 12.",
    "Let us suppose the correct answer is 12.",
    "I pick one of the options at random: C.",
    "We choose the answer arbitrarily.",
    "So the answer is probably 12.",
    "The answer is likely 12.",
    "Presumably the answer is 12.",
    "The likely answer is 12.",
    "By trial and error it seems to be 12.",
    "I cannot determine the third side, so I will go with 12.",
    "I am unable to solve this equation. Therefore I choose 12.",
]

NO_GUESSES = [
    "His guess was 80 beans, and hers was 100.",
    "Each of the players guesses a number from 1 to 6.",
    "An initial guess of x = 1 makes Newton's method converge.",
    "We guess and check the divisors: 2 fails, 3 fails, 5 divides 35.",
    "I will not guess here. The sum is 12.",
    "Rather than guess, we compute the sum.",
    "I don't want to guess at this point.",
    "I guess we can use induction on n.",
    "The pacing often slows down, I guess.",
    "Let's assume the answer is x and solve for it.",
    "Suppose the answer is an integer; then 4 divides n.",
    "We may assume that a is at most b.",
    "Two cards are picked at random from the deck.",
    "The most likely answer is 12 by comparison of the four options.",
    "The answer is probably not 12, since 12 is even.",
    "The most likely outcome of two dice is the sum 7.",
    "I guess the answer is 12. Let me verify: 3 * 4 = 12.",
    "So the answer is probably 12. Substituting x = 12 gives 0, and it works.",
    "By trial and error we find x = 3: 27 - 9 = 18.",
]

TOLD = [
    "This agrees with the solution provided by the user.",
    "The answer given by the user is 12.",
    "The user already gave a solution to this.",
    "As the user's solution shows, 12 is right.",
    "The given answer is 12.",
    "As the reference answer states, the sum is 12.",
    "Since the expected answer is 12, something is off by one.",
    "The official solution uses a different substitution.",
    "The answer key says 12.",
    "According to the reference solution we add the two.",
    "The answer is supposed to be 12.",
    "This matches the given answer.",
    "To arrive at the expected answer, we double it.",
    "It does differ from the reference answer by one.",
    "Working backwards from the answer, the sum must be 12.",
    "We know the answer should be 12, so one of the terms is 5.",
    "I recall that the answer is 12.",
    "I remember this problem, with answer 12.",
    "We already know that the final answer is 12.",
]

NOT_TOLD = [
    "The given answer choices are 10, 12 and 14.",
    "So the given solution set is the interval from 1 to 2.",
    "We know that the answer is an integer.",
    "We know the answer must be positive.",
    "We know that the answer is not 12.",
    "The correct answer is 12.",
    "The answer is given in simplest form.",
    "The answer is given by the sum of both.",
    "Consistent with the given value of x, we get 12.",
    "The given solution of salt in water has a mass of 12 grams.",
    "A student answers 12 of 15 questions.",
    "Working backwards from the answer choices, only B fits.",
    "The expected answer is probably B.",
    "We know that 12 is even.",
    "The provided information is enough.",
    "The reference solution has a pH of 7, and the provided solution gives a blue colour.",
    "The student's answer to the first part is 12.",
]


@pytest.mark.parametrize("text", GUESSES)
def test_a_declared_guess_is_found_where_it_stands(text: str) -> None:
    found = guesses(text)
    assert [(reason.kind, reason.retracted) for reason in found] == [(Kind.GUESS, False)] * len(found)
    assert found
    assert all(" ".join(text[one.start : one.end].split()) in one.detail for one in found)


@pytest.mark.parametrize("text", NO_GUESSES)
def test_what_only_sounds_like_a_guess_is_none(text: str) -> None:
    assert guesses(text) == []


@pytest.mark.parametrize("text", TOLD)
def test_answer_aware_text_is_found_where_it_stands(text: str) -> None:
    found = answer_aware(text)
    assert found
    assert {reason.kind for reason in found} == {Kind.ANSWER_AWARE}


@pytest.mark.parametrize("text", NOT_TOLD)
def test_what_only_sounds_answer_aware_is_not(text: str) -> None:
    assert answer_aware(text) == []


@pytest.mark.parametrize("text", [*GUESSES, *TOLD])
def test_a_phrase_of_the_statement_is_not_the_responses_own(text: str) -> None:
    assert guesses(text, statement=f"Tell why: {text}") == answer_aware(text, statement=f"Tell why: {text}") == []


@pytest.mark.parametrize("text", [*GUESSES, *TOLD, *NO_GUESSES, *NOT_TOLD])
def test_line_breaks_capitals_and_apostrophes_change_nothing(text: str) -> None:
    def kinds(of: str) -> list[Kind]:
        return [reason.kind for reason in guesses(of) + answer_aware(of)]

    assert kinds(text.replace(" ", "\n")) == kinds(text.replace("'", "’")) == kinds(text)
    assert kinds(text.upper()) == kinds(text)


def test_only_a_check_that_follows_soon_and_can_be_done_clears_a_guess() -> None:
    guess = "My best guess is 12."
    assert guesses(f"{guess} We check: 3 * 4 = 12.") == []
    assert guesses(f"We check the rest. {guess}")
    assert guesses(f"{guess} I cannot verify this.")
    assert guesses(guess + " And so on." * (CHECKED_WITHIN // 10) + " We check it.")


def test_a_guess_that_is_left_far_behind_hardly_counts() -> None:
    near, far = (guesses("I'll guess 12." + " More of it." * times) for times in (1, LEFT_BEHIND // 10))
    assert [one.retracted for one in near] == [False]
    assert [one.retracted for one in far] == [True]


def test_two_hundred_thousand_characters_take_well_under_a_second() -> None:
    for piece in ("I guess the answer is ", "the given answer ", "a-", " we know", "user said "):
        text = (piece * 200_000)[:200_000]
        began = time.perf_counter()
        guesses(text)
        answer_aware(text)
        assert time.perf_counter() - began < 3, piece  # 0.4 s alone on a slow machine


PHRASES = st.sampled_from([*GUESSES, *NO_GUESSES, *TOLD, *NOT_TOLD, "\n", "\\boxed{", "’", "\ud800"])


@given(st.lists(st.one_of(PHRASES, st.text(max_size=20)), max_size=8).map(" ".join))
def test_any_text_gives_reasons_that_lie_within_it(text: str) -> None:
    found: list[Reason] = guesses(text) + answer_aware(text)
    assert all(0 <= one.start < one.end <= len(text) and one.detail for one in found)
