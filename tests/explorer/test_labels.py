"""Labels of a session: what was said is on disk, and every change can be taken back, in any order they came."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.model.labels import NOTHING_LEFT, Labels, Said, why_not
from explorer.model.session import Session
from explorer.screens.labelling import Labelling
from explorer.screens.reader import ReaderScreen
from store.audits import Audit, AuditWriter, Chosen, audits, history
from store.errors import NotAStudy, StudyBusy, StudyUnwritable
from store.marks import Kind, Mark, MarkWriter, tags
from store.reader import Study
from store.rows import Trace
from tests.explorer.conftest import make_study
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, press, said, shown, top

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(study_path: Path, tmp_path: Path) -> Path:
    """A copy that may be written."""
    return Path(shutil.copy(study_path, tmp_path / "study.db"))


@pytest.fixture
def session(db: Path) -> Iterator[Session]:
    with Session.open(db, auditor="ann") as opened:
        yield opened


@contextmanager
def being_written(path: Path) -> Iterator[None]:
    """A job is in the midst of a write: reading goes on, and nobody else may write."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def some_traces(session: Session, number: int = 3) -> list[Trace]:
    problem = session.study.problems("sums")[0]
    return [session.trace(row.sample_id) for row in session.study.traces(problem.problem_id)[:number]]


def test_a_label_is_on_disk_when_its_sentence_comes_back(session: Session) -> None:
    (one, *_) = some_traces(session)
    said = session.labels.give(one, 2, chosen=Chosen.INFLUENCE)
    assert said == "2 cancelling errors on 0 #0 · u takes it back"
    with Study(session.study.path) as study:
        assert [(row.auditor, row.label, row.chosen) for row in audits(study)] == [("ann", 2, Chosen.INFLUENCE)]
    assert (session.labels.last, session.labels.undoable) == (one.row.sample_id, 1)


def test_a_label_survives_kill_9_right_after_the_digit(db: Path) -> None:
    script = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from explorer.model.session import Session\n"
        f"session = Session.open(Path({str(db)!r}), auditor='ann')\n"
        "session.labels.give(session.trace(3), 4)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    with Study(db) as study:
        assert [(row.sample_id, row.label) for row in audits(study)] == [(3, 4)]


def test_undoing_goes_back_over_traces_to_what_stood_before_the_session(session: Session, db: Path) -> None:
    one, two, _ = some_traces(session)
    with AuditWriter(db) as writer:
        writer.add(Audit(one.row.sample_id, "ann", 1, 3, "from before", Chosen.RANDOM))
    labels = session.labels
    labels.give(one, 2)
    labels.give(two, 5)
    labels.give(one, 8)
    assert labels.undo() == "took back 8 cannot tell of 0 #0 · 2 more to take back"
    assert labels.last == one.row.sample_id
    assert labels.of(one.row.sample_id).label == 2
    assert labels.undo() == "took back 5 skipped steps of 0 #1 · 1 more to take back"
    assert labels.last == two.row.sample_id
    assert labels.of(two.row.sample_id).label is None
    assert labels.undo() == "took back 2 cancelling errors of 0 #0 · nothing more to take back"
    row = labels.of(one.row.sample_id).own
    assert row is not None
    assert (row.label, row.step, row.note, row.random) == (1, 3, "from before", True)
    assert labels.undo() == NOTHING_LEFT
    assert [row.label for row in history(session.study, one.row.sample_id)] == [1, 2, 8, 2, 1]


def test_a_label_hangs_on_the_step_marked_last_and_keeps_an_imported_note(session: Session, db: Path) -> None:
    one, *_ = some_traces(session)
    with AuditWriter(db) as writer:
        writer.add(Audit(one.row.sample_id, "ann", 1, note="theirs"))
    labels = session.labels
    assert labels.mark_step(one, 3) == "step 3 of 0 #0 marked: your 1 valid hangs on it · u takes it back"
    labels.mark_step(one, 2)
    assert labels.give(one, 2) == "2 cancelling errors at step 2 on 0 #0 · u takes it back"
    labels.mark_step(one, 2)
    labels.give(one, 2)
    own = labels.of(one.row.sample_id).own
    assert own is not None
    assert (own.step, own.note) == (3, "theirs")


def test_a_note_is_written_changed_and_taken_away_and_each_comes_back(session: Session, db: Path) -> None:
    one, *_ = some_traces(session)
    sample_id, labels = one.row.sample_id, session.labels
    with AuditWriter(db) as writer:
        writer.add(Audit(sample_id, "ann", 1, note="imported"))
    notes: list[str | None] = [labels.of(sample_id).note]
    for text in ("  new ", "newer", ""):
        labels.note(one, text)
        notes.append(labels.of(sample_id).note)
    assert notes == ["imported", "new", "newer", None]
    assert labels.note(one, "") == "the note is as it was"
    for before in reversed(notes[:-1]):
        labels.undo()
        assert labels.of(sample_id).note == before


def test_what_another_session_of_ones_own_has_labelled_since_is_left_as_it_is(session: Session, db: Path) -> None:
    (one, *_) = some_traces(session)
    session.labels.give(one, 2)
    with Session.open(db, auditor="ann") as elsewhere:
        elsewhere.labels.give(elsewhere.trace(one.row.sample_id), 5)
    assert (
        session.labels.undo()
        == "your label of 0 #0 was changed elsewhere since, and stays as it is · nothing more to take back"
    )
    assert [row.label for row in audits(session.study)] == [5]


def test_nothing_is_written_into_another_file_in_the_place_of_the_study(session: Session, db: Path) -> None:
    (one, *_) = some_traces(session)
    Path(shutil.copy(db, db.with_name("other.db"))).replace(db)
    with pytest.raises(NotAStudy, match="is another file by now"):
        session.labels.give(one, 2)
    with pytest.raises(NotAStudy, match="is another file by now"):
        session.labels.flag(one)
    with Study(db) as study:
        assert audits(study) == []


def test_others_are_shown_and_not_touched(session: Session, db: Path) -> None:
    one, *_ = some_traces(session)
    sample_id = one.row.sample_id
    with AuditWriter(db) as writer, MarkWriter(db) as marks:
        writer.add(Audit(sample_id, "judge:m", 1))
        writer.add(Audit(sample_id, "bob", 2))
        marks.add(Mark(sample_id, "bob", Kind.FLAG))
    session.labels.give(one, 3)
    session.labels.flag(one)
    session.labels.flag(one)
    session.labels.undo()
    found = session.labels.of(sample_id)
    assert (found.label, [(row.auditor, row.label) for row in found.others]) == (3, [("bob", 2), ("judge:m", 1)])
    assert (found.flagged, [mark.auditor for mark in found.other_marks]) == (True, ["bob"])


def test_tags_are_set_as_a_whole_and_taken_back(session: Session) -> None:
    problem = session.study.problems("sums")[1]
    labels = session.labels
    assert labels.tag(problem, "hard, carry") == "problem 1: hard, carry · u takes it back"
    labels.tag(problem, ["hard", "odd"])
    assert tags(session.study, "sums") == {problem.problem_id: ("hard", "odd")}
    assert labels.tag(problem, "odd hard") == "the tags are as they were"
    labels.undo()
    assert (labels.tags(problem), labels.last) == (("carry", "hard"), None)
    labels.undo()
    assert tags(session.study, "sums") == {}


def test_what_cannot_be_written_changes_nothing_and_says_what_to_do(
    session: Session, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = some_traces(session)
    monkeypatch.setattr("explorer.model.labels.BUSY_MS", 20)
    session.labels.give(one, 1)
    changes: list[Callable[[], str]] = [
        lambda: session.labels.give(one, 2),
        session.labels.undo,
        lambda: session.labels.flag(one),
    ]
    with being_written(db):
        for change in changes:
            with pytest.raises(StudyBusy, match="locked by another program"):
                change()
    assert session.labels.of(one.row.sample_id).label == 1
    assert session.labels.undoable == 1
    monkeypatch.setattr("store.appending.os.access", lambda *_: False)
    with pytest.raises(StudyUnwritable) as caught:
        session.labels.give(one, 2)
    assert "read-only; make the file and its folder writable, or work on a copy (`cp`, then" in why_not(caught.value)


def test_the_label_follows_the_step_that_is_marked_after_it_and_both_come_back_at_once(session: Session, db: Path) -> None:
    one, *_ = some_traces(session)
    sample_id, labels = one.row.sample_id, session.labels

    def hangs() -> tuple[int | None, tuple[int, ...]]:
        own = labels.of(sample_id).own
        return (None if own is None else own.step), labels.of(sample_id).steps

    labels.give(one, 3, chosen=Chosen.RANDOM)
    assert labels.mark_step(one, 2) == "step 2 of 0 #0 marked: your 3 guess hangs on it · u takes it back"
    labels.mark_step(one, 1)
    assert hangs() == (1, (2, 1))
    assert labels.mark_step(one, 1).startswith("step 1 of 0 #0 is no longer marked: your 3 guess hangs on step 2 · ")
    assert labels.mark_step(one, 2).startswith("step 2 of 0 #0 is no longer marked: your 3 guess hangs on no step any more")
    seen = [hangs()]
    while labels.undoable > 1:
        labels.undo()
        seen.append(hangs())
    assert seen == [(None, ()), (2, (2,)), (1, (2, 1)), (2, (2,)), (None, ())]
    own = labels.of(sample_id).own
    assert own is not None
    assert (own.label, own.chosen) == (3, Chosen.RANDOM)


def test_a_label_that_cannot_follow_its_step_is_said_and_the_mark_stays(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, *_ = some_traces(session)
    session.labels.give(one, 3)

    def fails(*_: object) -> None:
        raise StudyBusy(session.study.path)

    monkeypatch.setattr(Labels, "_label", fails)
    said = session.labels.mark_step(one, 2)
    assert said.startswith("step 2 of 0 #0 marked, but the label did not follow (")
    assert "3 hangs it there" in said
    found = session.labels.of(one.row.sample_id)
    assert (found.steps, found.own.step if found.own else 0, session.labels.undoable) == ((2,), None, 2)


def test_sentences_name_the_trace_and_in_blind_mode_its_problem_alone(session: Session) -> None:
    one, two, _ = some_traces(session)
    assert session.labels.flag(two) == "0 #1 flagged: a, then f lists flags · u takes it back"
    assert session.labels.note(two, "hm") == "note kept on 0 #1 · u takes it back"
    session.labels.blind = True
    assert session.labels.give(one, 5) == "5 skipped steps on 0 · u takes it back"
    assert session.labels.undo() == "took back 5 skipped steps of 0 · 2 more to take back"


Step = tuple[str, int, Any]

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.integers(0, 2), st.integers(1, 8)),
        st.tuples(st.just("flag"), st.integers(0, 2), st.none()),
        st.tuples(st.just("note"), st.integers(0, 2), st.sampled_from(["", "a", "b"])),
        st.tuples(st.just("mark"), st.integers(0, 2), st.integers(1, 3)),
        st.tuples(st.just("undo"), st.just(0), st.none()),
    ),
    max_size=14,
)


def _state(said: Said) -> tuple[int | None, int | None, bool, str | None, frozenset[int]]:
    return said.label, said.own.step if said.own else None, said.flagged, said.note, frozenset(said.steps)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_study(tmp_path_factory.mktemp("labels") / "study.db")


@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_any_row_of_changes_and_undoings_ends_where_a_stack_says(template: Path, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(template, Path(folder) / "study.db"))
        with Session.open(path, auditor="ann") as session:
            labels, traces = session.labels, some_traces(session)
            now = [_state(labels.of(trace.row.sample_id)) for trace in traces]
            stack: list[tuple[int, Any]] = []
            for what, at, value in steps:
                if what == "undo":
                    if stack:
                        at, before = stack.pop()
                        now[at] = before
                        labels.undo()
                        assert labels.last == traces[at].row.sample_id
                    else:
                        assert labels.undo() == NOTHING_LEFT
                    continue
                number = labels.undoable
                _do(labels, traces[at], what, value)
                if labels.undoable > number:
                    stack.append((at, now[at]))
                now[at] = _state(labels.of(traces[at].row.sample_id))
            assert [_state(labels.of(trace.row.sample_id)) for trace in traces] == now
            while labels.undoable:
                labels.undo()
            assert [_state(labels.of(trace.row.sample_id)) for trace in traces] == [(None, None, False, None, frozenset())] * 3


def _do(labels: Labels, trace: Trace, what: str, value: Any) -> None:
    match what:
        case "give":
            labels.give(trace, value)
        case "flag":
            labels.flag(trace)
        case "note":
            labels.note(trace, value)
        case "mark":
            labels.mark_step(trace, value)


async def test_in_the_reader_a_digit_labels_and_stays_and_u_takes_it_back(make_app: MakeApp, db: Path) -> None:
    async with driven(make_app(path=db), *TO_SUMS, "enter", "enter", "enter", "1") as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.said == "1 valid on 0 #0 · u takes it back"
        assert "1 valid" in said(pilot, "#heading")
        before = screen.walk
        await press(pilot, "u")
        assert screen.said == "took back 1 valid of 0 #0 · nothing more to take back"
        assert "1 valid" not in said(pilot, "#heading")
        await press(pilot, "u")
        assert screen.said == NOTHING_LEFT
        assert screen.walk is before


async def test_what_was_said_of_a_trace_goes_with_it(make_app: MakeApp, db: Path) -> None:
    async with driven(make_app(path=db), *TO_SUMS, "enter", "enter", "enter", "1") as pilot:
        assert len(pilot.app._notifications) == 1
        await press(pilot, "}")
        assert len(pilot.app._notifications) == 1, "another step of the same trace"
        await press(pilot, "right_square_bracket")
        assert len(pilot.app._notifications) == 0


async def test_digits_stand_on_the_key_line_and_0_says_their_words(make_app: MakeApp, db: Path) -> None:
    async with driven(make_app(path=db), *TO_SUMS, "enter", "enter", "enter", size=(160, 40)) as pilot:
        keys = shown(pilot).splitlines()[-1]
        assert "1-8 label" in keys
        assert "u undo" in keys
        await press(pilot, "0")
        assert top(pilot, ReaderScreen).said.startswith("1 valid · 2 cancelling errors · 3 guess")
        assert audits(top(pilot, ReaderScreen).session.study) == []


async def test_notes_flags_and_marks_in_the_reader(make_app: MakeApp, db: Path) -> None:
    async with driven(make_app(path=db), *TO_SUMS, "enter", "enter", "enter", "e", *"ok 1", "enter", "f", "}", "x") as pilot:
        screen = top(pilot, ReaderScreen)
        assert "/ok" not in crumbs(pilot)
        assert screen.trace is not None
        found = screen.session.labels.of(screen.trace.row.sample_id)
        assert (found.note, found.flagged, found.steps, found.label) == ("ok 1", True, (2,), None)
        await press(pilot, "e", "escape", "u", "u", "u")
        found = screen.session.labels.of(screen.trace.row.sample_id)
        assert (found.note, found.flagged, found.steps) == (None, False, ())


async def test_a_locked_study_gives_the_sentence_and_pretends_no_label(
    make_app: MakeApp, db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.model.labels.BUSY_MS", 20)
    async with driven(make_app(path=db), *TO_SUMS, "enter", "enter", "enter") as pilot:
        screen = top(pilot, ReaderScreen)
        with being_written(db):
            await press(pilot, "2")
            assert "locked by another program" in screen.said
        assert screen.said.startswith("not kept: ")
        assert "2 cancelling" not in shown(pilot)
        await press(pilot, "2")
        assert screen.said == "2 cancelling errors on 0 #0 · u takes it back"


async def test_a_digit_before_the_trace_is_there_labels_nothing(make_app: MakeApp, db: Path) -> None:
    async with driven(make_app(path=db), *TO_SUMS, "enter", "enter", "enter") as pilot:
        screen = top(pilot, ReaderScreen)
        assert isinstance(screen, Labelling)
        screen.set_reactive(ReaderScreen.trace, None)
        await press(pilot, "1", "e", "f", "x")
        assert audits(screen.session.study) == []


def test_labelling_needs_no_numeric_library() -> None:
    script = (
        "import explorer.model.labels, explorer.screens.labelling, explorer.screens.queue, sys; print(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "numpy" not in done.stdout.split()
