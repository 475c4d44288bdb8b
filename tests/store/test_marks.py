"""Flags, notes, marked steps and tags: the promises of labels, and what survives of an audit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store.appending import Appender
from store.audits import Audit, AuditWriter, audits
from store.errors import NotFound, StudyUnwritable
from store.marks import Kind, Mark, MarkRow, MarkWriter, Tag, marks, tags
from store.reader import Study
from store.writer import Writer
from tests.builders import answers, source
from tests.engine.audited import BASE_SLUG, make, sample

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make(tmp_path / "study.db", {"1": (2, 0), "2": (1, 3)})


def in_force(path: Path, sample_id: int | None = None) -> list[MarkRow]:
    with Study(path) as study:
        return marks(study, sample_id)


def test_the_newest_mark_of_each_auditor_kind_and_step_is_in_force(db: Path) -> None:
    one, two = (sample(db, BASE_SLUG, "1", index) for index in (0, 1))
    with MarkWriter(db) as writer:
        writer.add(Mark(one, "ann", Kind.FLAG))
        writer.add(Mark(one, "ann", Kind.NOTE, text="first"))
        writer.add(Mark(one, "ann", Kind.NOTE, text="second"))
        writer.add(Mark(one, "ann", Kind.STEP, 3))
        writer.add(Mark(one, "ann", Kind.STEP, 5))
        writer.add(Mark(one, "ann", Kind.STEP, 3, gone=True))
        writer.add(Mark(one, "bob", Kind.NOTE, text="mine"))
        writer.add(Mark(two, "ann", Kind.FLAG))
        writer.add(Mark(two, "ann", Kind.FLAG, gone=True))
    found = [(row.auditor, row.kind, row.step, row.text) for row in in_force(db)]
    assert found == [
        ("ann", Kind.FLAG, None, None),
        ("ann", Kind.NOTE, None, "second"),
        ("ann", Kind.STEP, 5, None),
        ("bob", Kind.NOTE, None, "mine"),
    ]
    assert in_force(db, two) == []
    with Study(db) as study:
        assert [row.gone for row in marks(study, two, taken_away=True)] == [True]
        assert study.trace(one).row.flagged
        assert not study.trace(two).row.flagged


def test_tags_are_each_auditors_own_and_shown_together(db: Path) -> None:
    with Study(db) as study:
        one, two = (problem.problem_id for problem in study.problems("sums"))
    with MarkWriter(db) as writer:
        writer.add_tags([Tag(one, "hard", "ann"), Tag(one, "odd", "bob"), Tag(one, "hard", "bob"), Tag(two, "hard", "ann")])
        writer.add_tags([Tag(one, "hard", "ann", gone=True), Tag(two, "hard", "ann", gone=True)])
    with Study(db) as study:
        assert tags(study, "sums") == {one: ("hard", "odd")}
        assert tags(study, "sums", "ann") == {}
        assert tags(study, "other") == {}


def test_a_mark_survives_kill_9_right_after_it_was_given(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 1)
    script = (
        "import os, signal\n"
        "from store.marks import *\n"
        f"MarkWriter({str(db)!r}).add(Mark({one}, 'ann', Kind.NOTE, text='here'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert [(row.sample_id, row.text) for row in in_force(db)] == [(one, "here")]


def test_every_mark_is_synced_to_disk_and_none_is_ever_changed(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with MarkWriter(db) as writer:
        writer.add(Mark(one, "ann", Kind.FLAG))
        assert writer._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        for change in ("UPDATE mark SET gone = 1", "DELETE FROM mark"):
            with pytest.raises(Exception, match="append-only"):
                writer._connection.execute(change)


@pytest.mark.parametrize(
    "mark",
    [
        Mark(1, "ann", Kind.STEP),
        Mark(1, "ann", Kind.STEP, 0),
        Mark(1, "ann", Kind.FLAG, 2),
        Mark(1, "ann", Kind.NOTE, text=" "),
        Mark(1, " ", Kind.FLAG),
    ],
    ids=["no step", "step 0", "a flag on a step", "an empty note", "no name"],
)
def test_what_no_auditor_can_have_marked_is_refused(db: Path, mark: Mark) -> None:
    with MarkWriter(db) as writer, pytest.raises(ValueError, match=r"step|note|name"):
        writer.add(mark)
    assert in_force(db) == []


def test_one_bad_row_of_many_leaves_none(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with MarkWriter(db) as writer:
        with pytest.raises(NotFound, match="no sample with id 999"):
            writer.add_all([Mark(one, "ann", Kind.FLAG), Mark(999, "ann", Kind.FLAG)])
        with pytest.raises(NotFound, match="no problem with id 999"):
            writer.add_tags([Tag(1, "hard", "ann"), Tag(999, "hard", "ann")])
        with pytest.raises(ValueError, match="word"):
            writer.add_tags([Tag(1, "  ", "ann")])
    assert in_force(db) == []
    with Study(db) as study:
        assert tags(study, "sums") == {}


def test_a_person_marks_while_a_job_writes(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with Writer(db, "sample"), MarkWriter(db) as writer:
        writer.add(Mark(one, "ann", Kind.FLAG))
        assert len(in_force(db)) == 1
    assert not db.with_name(db.name + "-wal").exists()


def test_broken_text_in_a_note_is_stored_as_far_as_it_can_be(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with MarkWriter(db) as writer:
        writer.add(Mark(one, "ann", Kind.NOTE, text="half \ud800 a character, 漢字"))
    assert [row.text for row in in_force(db)] == ["half ? a character, 漢字"]


def test_what_was_said_of_traces_survives_importing_their_file_again(tmp_path: Path) -> None:
    path, texts = tmp_path / "study.db", ["one", "two", "three"]

    def bring() -> None:
        with Writer(path, "import") as writer:
            writer.add_traces(source(writer), answers(texts))

    bring()
    with Study(path) as study:
        (problem,) = study.problems("sums")
        one = study.traces(problem.problem_id)[1].sample_id
    with AuditWriter(path) as labels, MarkWriter(path) as writer:
        labels.add(Audit(one, "ann", 3, step=2))
        writer.add(Mark(one, "ann", Kind.FLAG))
        writer.add(Mark(one, "ann", Kind.STEP, 2))
        writer.add_tags([Tag(problem.problem_id, "hard", "ann")])
    texts.append("four")
    bring()
    with Study(path) as study:
        rows = study.traces(problem.problem_id)
        assert len(rows) == 4
        assert [(row.sample_id, row.label) for row in audits(study)] == [(one, 3)]
        assert [(row.sample_id, row.kind) for row in marks(study)] == [(one, Kind.FLAG), (one, Kind.STEP)]
        assert tags(study, "sums") == {problem.problem_id: ("hard",)}
        assert study.trace(one).response == "two"


def test_a_study_that_cannot_be_written_says_so_before_anything_is_lost(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root every file can be written, so the system's word is what is changed here."""
    monkeypatch.setattr("store.appending.os.access", lambda *_: False)
    for writer in (AuditWriter, MarkWriter, Appender):
        with pytest.raises(StudyUnwritable, match="read-only; make the file and its folder writable, or work on a copy"):
            writer(db)


def test_reading_and_marking_need_the_standard_library_only() -> None:
    script = "import store.marks, sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"numpy", "sqlite_utils", "msgspec"}.isdisjoint(done.stdout.split())
