"""The stage `verify`: nothing twice, nothing lost when it stops half-way, and errors are no wrong answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from engine import judging, verifiers
from engine.judging import Recheck, judge
from engine.verifiers.base import Question, VerifierError
from store.check import check_structure
from store.reader import Study
from store.types import Outcome, Problem, Verdict
from store.writer import Writer
from tests.builders import answers, problem, source, trace


class Scripted:
    """A verifier that says what the response says, and breaks when told to."""

    name = "math"
    version = "scripted 1"
    asked: list[str] = []  # noqa: RUF012 - shared by the instances of one test
    breaks_at: int | None = None

    def judge(self, items: Sequence[Question]) -> list[Verdict]:
        Scripted.asked += [item.response for item in items]
        if Scripted.breaks_at is not None and len(Scripted.asked) >= Scripted.breaks_at:
            raise RuntimeError("broken on purpose")
        return [Verdict(Outcome(item.response.split()[0]), "scripted") for item in items]

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


@pytest.fixture
def db(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(verifiers.VERIFIERS, "math", f"{__name__}:Scripted")
    monkeypatch.setattr(judging, "BATCH", 4)
    monkeypatch.setattr(Scripted, "asked", [])
    monkeypatch.setattr(Scripted, "breaks_at", None)
    monkeypatch.setattr(Scripted, "version", "scripted 1")
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        outcomes = [list(Outcome)[i % 4] for i in range(10)]
        writer.add_traces(source(writer), answers([f"{outcome} {i}" for i, outcome in enumerate(outcomes)]))
    return path


def test_each_sample_is_judged_once_and_errors_are_counted_apart(db: Path) -> None:
    told: list[tuple[int, int]] = []
    with Writer(db, "test") as writer:
        result = judge(writer, "math", lambda done, total: told.append((done, total)))
        assert judge(writer, "math").outcomes.total() == 0
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert result.outcomes == {Outcome.CORRECT: 3, Outcome.INCORRECT: 3, Outcome.NO_ANSWER: 2, Outcome.ERROR: 2}
    assert len(Scripted.asked) == 10
    with Study(db) as study:
        (count,) = study.counts("sums")
    assert (count.n, count.error, count.unjudged) == (8, 2, 0)


def test_stopped_half_way_it_goes_on_with_what_is_missing(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scripted, "breaks_at", 8)
    with Writer(db, "test") as writer, pytest.raises(RuntimeError, match="on purpose"):
        judge(writer, "math")
    with Study(db) as study:
        assert study.count_to_judge("math", "math", "scripted 1") == 6
    monkeypatch.setattr(Scripted, "breaks_at", None)
    monkeypatch.setattr(Scripted, "asked", [])
    with Writer(db, "test") as writer:
        assert judge(writer, "math").outcomes.total() == 6
    assert Scripted.asked[0] == "correct 4"
    assert list(check_structure(db)) == []


def test_a_new_version_replaces_the_old_verdicts(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Writer(db, "test") as writer:
        judge(writer, "math")
        monkeypatch.setattr(Scripted, "version", "scripted 2")
        assert judge(writer, "math").outcomes.total() == 10
    with Study(db) as study:
        assert [verdict.version for verdict in study.trace(1).verdicts] == ["scripted 2"]
        assert study.counts("sums")[0].n == 8
    assert list(check_structure(db)) == []


def test_problems_without_reference_and_of_another_kind_are_left_alone(db: Path) -> None:
    with Writer(db, "test") as writer:
        src = source(writer, "more")
        writer.add_traces(src, [trace("correct", 1, on=problem("2", reference=None))])
        writer.add_traces(src, [trace("correct", 2, on=Problem("sums", "3", "?", "4", kind="choice"))])
        result = judge(writer, "math")
    assert (result.outcomes.total(), result.without_reference) == (10, 1)


def test_recheck_names_a_verdict_that_comes_out_otherwise_but_no_error(db: Path) -> None:
    with Writer(db, "test") as writer:
        judge(writer, "math")
        assert list(Recheck(db).findings()) == []
        writer._connection.execute("UPDATE verdict SET outcome = 'correct' WHERE sample_id IN (2, 4)")
        writer._connection.execute("UPDATE verdict SET answer = '99' WHERE sample_id = 1")
    assert list(Recheck(db).findings()) == [
        "sample 1 is stored with another answer by math than its text has",
        "sample 2 is stored as correct by math, but is incorrect",
    ]


def test_recheck_counts_what_it_could_not_compare(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Writer(db, "test") as writer:
        judge(writer, "math")
        monkeypatch.setattr(Scripted, "version", "scripted 2")
        recheck = Recheck(db)
        assert list(recheck.findings()) == []
        assert (recheck.compared, recheck.other_versions) == (0, 10)
        writer.add_traces(source(writer, "more"), [trace("x", 1, on=Problem("sums", "9", "?", "4", kind="mth"))])
    assert "no verifier" in next(Recheck(db).findings())


def test_an_unknown_verifier_is_a_sentence(db: Path) -> None:
    with Writer(db, "test") as writer, pytest.raises(VerifierError, match="oracle"):
        judge(writer, "oracle")
