"""Answers by the deciding verdict, their classes, and votes over them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from engine.answers import AnswerClasses, answer_classes, classes_of, guess_rate, majority_at_k, mean_majority_at_k
from engine.judging import judge
from engine.verifiers.surface import normalise
from store.answers import AnswerCount, answer_counts
from store.reader import Study
from store.types import NewSample, NewTrace, Outcome, Verdict
from store.writer import Writer
from tests.builders import RL, answers, problem, run, source


def rows(**samples: int) -> list[AnswerCount]:
    """c4: correct, answered 4; i7: incorrect, answered 7; n: no answer; e: error; i: incorrect without one."""
    words = {"c": Outcome.CORRECT, "i": Outcome.INCORRECT, "n": Outcome.NO_ANSWER, "e": Outcome.ERROR}
    return [AnswerCount(1, 1, name[1:] or None, words[name[0]], number) for name, number in samples.items()]


def test_correct_answers_are_one_class_and_blanks_and_errors_are_told_apart() -> None:
    found = classes_of([*rows(c4=3, i7=2, i9=1, n=4, e=5), AnswerCount(1, 1, r"\frac{8}{2}", Outcome.CORRECT, 2)])
    assert found == AnswerClasses(correct=5, wrong=(("7", 2), ("9", 1)), blank=4, unknown=0)
    assert found.n == 12


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\frac12", r"\dfrac{1}{2}", True),
        ("1,000", "1000", True),
        ("+7", "7", True),
        ("1/2", "0.5", False),
        ("07", "7", False),
    ],
)
def test_wrong_answers_are_alike_on_the_surface_only(one: str, other: str, same: bool) -> None:
    found = classes_of([AnswerCount(1, 1, text, Outcome.INCORRECT, 2) for text in (one, other)])
    assert found.sizes == ((4,) if same else (2, 2))
    assert {text for text, _ in found.wrong} == {normalise(one), normalise(other)}


def test_an_answer_nobody_recorded_makes_the_vote_unknown() -> None:
    found = classes_of(rows(c4=3, i=1))
    assert (found.unknown, found.n) == (1, 4)
    assert majority_at_k(found, 2) is None
    assert guess_rate(found) is None
    whole = classes_of(rows(c4=3, i7=1))
    assert majority_at_k(whole, 2) == pytest.approx(0.75)
    assert majority_at_k(whole, 5) is None
    assert mean_majority_at_k([whole, found], 2) is None
    assert mean_majority_at_k([whole, whole], 1) == pytest.approx(0.75)
    assert mean_majority_at_k([], 1) is None


def test_wrong_answers_that_agree_make_a_guess_likely() -> None:
    assert guess_rate(classes_of(rows(c4=3, i7=3, i9=1))) == pytest.approx((3 + 0.5) / (6 + 1))
    assert guess_rate(classes_of(rows(c4=3, i7=1))) is None


def test_plain_numbers_take_a_short_way_to_the_same_text() -> None:
    for text in ("0", "7", "1234", "007", "1 000", "²", "٣", "12345678"):
        ((written, _),) = classes_of([AnswerCount(1, 1, text, Outcome.INCORRECT, 1)]).wrong
        assert written == normalise(text)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Base answers problem 1 six times; problem 2 is judged by its file only; RL answers problem 1 once, unjudged by ours."""
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        src = source(writer)
        texts = [r"\boxed{4}", r"\boxed{ 4 }", r"\boxed{5}", r"\boxed{5}", r"\boxed{\frac12}", "I do not know."]
        writer.add_traces(src, answers(texts, correct=False))
        scored = Verdict(Outcome.INCORRECT, "file", "8")
        unread = problem("2", reference=None)
        writer.add_traces(src, [NewTrace(run(), unread, NewSample("so 8", 7), scored)])
        writer.add_traces(src, [NewTrace(run(), unread, NewSample("so 9", 8), Verdict(Outcome.CORRECT, "file"))])
        judge(writer, "math")
        writer.add_traces(src, answers([r"\boxed{4}"], start=9, of=run(RL), correct=True))
    return path


def test_each_sample_is_counted_once_under_its_deciding_verdict(db: Path) -> None:
    with Study(db) as study:
        found = answer_counts(study, "sums")
        imported = answer_counts(study, "sums", "imported")
        totals = {(count.run_id, count.problem_id): count for count in study.counts("sums")}
        ids = [problem.problem_id for problem in study.problems("sums")]
        base, rl = (run.run_id for run in study.runs("sums"))
    of = Counter({(row.run_id, row.problem_id, row.outcome, row.answer): row.samples for row in found})
    right, wrong = Outcome.CORRECT, Outcome.INCORRECT
    assert of[base, ids[0], wrong, "5"] == 2
    assert of[base, ids[0], wrong, r"\frac12"] == 1
    assert of[base, ids[0], Outcome.NO_ANSWER, None] == 1
    assert of[base, ids[1], wrong, "8"] == of[base, ids[1], right, None] == of[rl, ids[0], right, None] == 1
    for key, count in totals.items():
        mine = [row for row in found if (row.run_id, row.problem_id) == key]
        assert sum(row.samples for row in mine) == count.counted
        assert sum(row.samples for row in mine if row.outcome is right) == count.correct
    assert sum(row.samples for row in imported) == 9
    assert {row.outcome for row in imported if row.run_id == base and row.problem_id == ids[0]} == {wrong}


def test_classes_of_a_study(db: Path) -> None:
    with Study(db) as study:
        found = answer_classes(study, "sums")
        judged = answer_classes(study, "sums", "math")
        (base, _), first = (run.run_id for run in study.runs("sums")), study.problems("sums")[0].problem_id
    assert found[base, first] == AnswerClasses(2, (("5", 2), (r"\frac{1}{2}", 1)), 1, 0)
    assert majority_at_k(found[base, first], 6) == pytest.approx(0.5)
    assert list(judged) == [(base, first)]
