"""Suspicion for traces of a study: the verdict's answer, the problem's statement, and the answers of other chains."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.judging import judge
from engine.luck import Kind
from engine.suspecting import Suspected, suspect, suspect_problem
from store.audits import Audit, AuditWriter
from store.errors import NotFound
from store.reader import Study
from store.types import Outcome
from store.writer import Writer
from tests.builders import BASE, RL, problem, run, source, trace

SOUND = r"There are 36 of one kind and 7 of the other. We have 36 + 7 = 43. \boxed{43}"
SLIP = r"There are 38 of one kind and 7 of the other. We have 38 + 7 = 43. \boxed{43}"
ALONE = r"\boxed{43}"
WRONG = r"There are 37 of one kind and 7 of the other. We have 37 + 7 = 44. \boxed{44}"
NO_ANSWER = "I'll guess that there is no answer."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Problem 1: base SOUND, SLIP, WRONG; RL ALONE, NO_ANSWER. Problem 2: base SOUND."""
    one, two = problem("1", reference="43"), problem("2", reference="43")
    base, rl = run(BASE), run(RL)
    rows = [
        (base, one, SOUND),
        (base, one, SLIP),
        (base, one, WRONG),
        (rl, one, ALONE),
        (rl, one, NO_ANSWER),
        (base, two, SOUND),
    ]
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_traces(source(writer), [trace(text, at + 1, of=of, on=on) for at, (of, on, text) in enumerate(rows)])
        judge(writer, "math")
    return tmp_path / "s.db"


def ids(study: Study) -> dict[str, int]:
    """Sample by its response; the sound one of problem 1."""
    return {
        study.texts.response(row.sample_id): row.sample_id
        for of in reversed(study.problems("sums"))
        for row in study.traces(of.problem_id)
    }


def kinds(one: Suspected) -> list[Kind]:
    return [reason.kind for reason in one.reasons]


def test_the_right_answers_of_a_problem_come_most_suspicious_first(path: Path) -> None:
    with Study(path) as study:
        found = suspect_problem(study, study.problem("sums", "1").problem_id)
        told = [(one.outcome, kinds(one)) for one in found]
        assert told == [
            (Outcome.CORRECT, [Kind.FALSE_EQUALITY]),
            (Outcome.CORRECT, [Kind.NO_CHAIN]),
            (Outcome.CORRECT, []),
        ]
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        assert [one.sample_id for one in found] == [ids(study)[text] for text in (SLIP, ALONE, SOUND)]


def test_a_run_and_an_outcome_may_be_chosen(path: Path) -> None:
    with Study(path) as study:
        rl = next(one for one in study.runs() if one.model == RL)
        of = study.problem("sums", "1").problem_id
        [alone] = suspect_problem(study, of, run_id=rl.run_id)
        assert (alone.run_id, alone.problem_id, alone.index) == (rl.run_id, of, study.trace(alone.sample_id).row.idx)
        [unanswered] = suspect_problem(study, of, outcome=Outcome.NO_ANSWER)
        assert kinds(unanswered) == [Kind.GUESS]
        assert len(suspect_problem(study, of, outcome=Outcome.INCORRECT)) == 1
        assert suspect_problem(study, of, verifier="imported") == []


def test_traces_come_in_the_order_that_was_asked_for(path: Path) -> None:
    with Study(path) as study:
        of = ids(study)
        wanted = [of[SLIP], of[ALONE], of[SLIP], of[SOUND]]
        found = list(suspect(study, wanted))
        assert [one.sample_id for one in found] == wanted
        assert found[0] == found[2]
        assert list(suspect(study, [])) == []


def test_the_place_of_a_reason_is_a_place_in_the_response(path: Path) -> None:
    with Study(path) as study:
        [found] = suspect(study, [ids(study)[SLIP]])
        [reason] = found.reasons
        assert "38 + 7 = 43" in SLIP[reason.start : reason.end]


def test_an_id_that_is_not_there_is_said_to_be_missing(path: Path) -> None:
    with Study(path) as study, pytest.raises(NotFound, match="no sample with id 999"):
        list(suspect(study, [999]))


def test_a_study_that_nobody_has_judged_is_read_all_the_same(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_traces(source(writer), [trace(SLIP, 1)])
    with Study(tmp_path / "s.db") as study:
        [found] = suspect(study, ids(study).values())
        assert (found.outcome, kinds(found)) == (None, [Kind.FALSE_EQUALITY])


def test_chains_that_people_called_unsound_make_an_answer_one_that_wrong_chains_give(tmp_path: Path) -> None:
    slips = [SLIP.replace("kind", f"kind {number}") for number in range(4)]
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_traces(
            source(writer), [trace(text, at, on=problem(reference="43")) for at, text in enumerate([SOUND, *slips])]
        )
        judge(writer, "math")
    with Study(tmp_path / "s.db") as study:
        of = ids(study)
    for auditor, label, expected in [("judge:m", 2, []), ("ann", 2, [Kind.COMMON_WRONG]), ("ann", 1, [])]:
        with AuditWriter(tmp_path / "s.db") as audits:
            for text in slips[:3]:
                audits.add(Audit(of[text], auditor, label))
        with Study(tmp_path / "s.db") as study:
            [found] = suspect(study, [of[SOUND]])
            assert kinds(found) == expected, (auditor, label)
            [itself] = suspect(study, [of[slips[0]]])
            assert Kind.COMMON_WRONG not in kinds(itself), "two others are too few, and it is never held against itself"
