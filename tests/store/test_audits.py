"""Labels: appended and never changed, on disk before the call returns, written while a job writes."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.suspecting import _WRONG, suspect_problem
from store.audits import LABELS, Audit, AuditRow, AuditWriter, Chosen, Meaning, auditors, audits, history, is_model
from store.errors import NotAStudy, NotFound, StudyBusy
from store.exporting import samples
from store.reader import Study
from store.types import Outcome
from store.writer import Writer
from tests.builders import answers, problem, source
from tests.engine.audited import BASE_SLUG, REFERENCE, label, make, sample

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return make(tmp_path / "study.db", {"1": (2, 0), "2": (1, 3)})


def in_force(path: Path, **wanted: object) -> list[AuditRow]:
    with Study(path) as study:
        return audits(study, **wanted)  # type: ignore[arg-type]


def test_the_newest_label_of_each_auditor_is_in_force(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with AuditWriter(db) as writer:
        writer.add(Audit(one, "ann", 1, step=2, note="fine"))
        writer.add(Audit(one, "bob", 3))
        writer.add(Audit(one, "ann", 2, chosen=Chosen.INFLUENCE))
    found = in_force(db)
    assert [(row.auditor, row.label, row.step, row.note) for row in found] == [("bob", 3, None, None), ("ann", 2, None, None)]
    assert {row.outcome for row in found} == {Outcome.CORRECT}
    assert [row.meaning for row in found] == [Meaning.UNSOUND, Meaning.UNSOUND]
    with Study(db) as study:
        assert [row.label for row in history(study, one)] == [1, 3, 2]


def test_a_row_without_a_label_takes_it_back_and_undo_brings_it_again(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with AuditWriter(db) as writer:
        writer.add(Audit(one, "ann", 4, step=3, note="knows it"))
        (before,) = in_force(db)
        writer.add(Audit(one, "ann", None))
        assert in_force(db) == []
        assert [row.label for row in in_force(db, taken_back=True)] == [None]
        writer.put_back(one, "ann", before)
        (again,) = in_force(db)
        assert (again.label, again.step, again.note, again.chosen) == (4, 3, "knows it", Chosen.BROWSE)
        writer.put_back(one, "ann", None)
    assert in_force(db) == []


def test_a_trace_drawn_at_random_stays_so_when_it_is_labelled_again_from_a_list(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with AuditWriter(db) as writer:
        writer.add(Audit(one, "ann", 1, chosen=Chosen.RANDOM))
        writer.add(Audit(one, "ann", 2, chosen=Chosen.BROWSE))
        writer.add(Audit(one, "bob", 2, chosen=Chosen.BROWSE))
    assert {(row.auditor, row.chosen, row.random) for row in in_force(db)} == {
        ("ann", Chosen.BROWSE, True),
        ("bob", Chosen.BROWSE, False),
    }


def test_reading_by_benchmark_sample_and_verifier(db: Path) -> None:
    label(db, BASE_SLUG, "1", [1, 1])
    label(db, BASE_SLUG, "2", [8], auditor="judge:m")
    one = sample(db, BASE_SLUG, "2", 0)
    assert len(in_force(db, benchmark="sums")) == 3
    assert in_force(db, benchmark="other") == []
    assert [row.sample_id for row in in_force(db, sample_id=one)] == [one]
    assert [row.outcome for row in in_force(db, sample_id=one, verifier="imported")] == [None]
    with Study(db) as study:
        assert auditors(study) == ["ann", "judge:m"]
    assert [is_model(name) for name in ("ann", "judge:m", "judge judy")] == [False, True, False]


def test_a_label_survives_kill_9_right_after_it_was_given(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 1)
    script = (
        "import os, signal, sys\n"
        "from store.audits import *\n"
        f"AuditWriter({str(db)!r}).add(Audit({one}, 'ann', 2))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    assert [(row.sample_id, row.label) for row in in_force(db)] == [(one, 2)]


def test_every_label_is_synced_to_disk(db: Path) -> None:
    with AuditWriter(db) as writer:
        assert writer._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_a_person_labels_while_a_job_writes(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with Writer(db, "sample") as job:
        src = source(job, "b.jsonl")
        with AuditWriter(db) as writer:
            for number in range(3):
                writer.add(Audit(one, "ann", 1 + number))
                on = problem("1", reference=REFERENCE)
                job.add_traces(src, answers([f"new {number}"], start=number + 1, on=on))
        assert [row.label for row in in_force(db)] == [3]
    assert not db.with_name(db.name + "-wal").exists()
    with sqlite3.connect(db) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()


def test_a_study_left_by_a_job_while_labels_are_given_is_one_file_in_the_end(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    writer = AuditWriter(db)
    with Writer(db, "sample"):
        writer.add(Audit(one, "ann", 1))
    writer.add(Audit(one, "ann", 2))
    writer.close()
    writer.close()
    assert sorted(path.name for path in db.parent.iterdir()) == [db.name]
    assert [row.label for row in in_force(db)] == [2]


def test_a_short_lock_is_waited_for_and_a_long_one_told(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    holder = sqlite3.connect(db, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN IMMEDIATE")
    with AuditWriter(db, busy_ms=50) as writer, pytest.raises(StudyBusy):
        writer.add(Audit(one, "ann", 1))
    release = threading.Timer(0.2, lambda: holder.execute("COMMIT"))
    release.start()
    with AuditWriter(db, busy_ms=5000) as writer:
        writer.add(Audit(one, "ann", 1))
    release.join()
    holder.close()
    assert [row.label for row in in_force(db)] == [1]


@pytest.mark.parametrize(
    "audit",
    [Audit(1, "ann", 0), Audit(1, "ann", 9), Audit(1, "  ", 1), Audit(1, "ann", 1, step=0)],
    ids=["label 0", "label 9", "no name", "step 0"],
)
def test_what_no_auditor_can_have_said_is_refused(db: Path, audit: Audit) -> None:
    with AuditWriter(db) as writer, pytest.raises(ValueError, match=r"label|step|name"):
        writer.add(audit)
    assert in_force(db) == []


def test_one_bad_row_of_many_leaves_none(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with AuditWriter(db) as writer, pytest.raises(NotFound, match="999"):
        writer.add_all([Audit(one, "ann", 1), Audit(999, "ann", 1)])
    assert in_force(db) == []


def test_a_study_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotAStudy):
        AuditWriter(tmp_path / "none.db")
    assert list(tmp_path.iterdir()) == []


def test_broken_text_in_a_note_is_stored_as_far_as_it_can_be(db: Path) -> None:
    one = sample(db, BASE_SLUG, "1", 0)
    with AuditWriter(db) as writer:
        writer.add(Audit(one, "ann", 1, note="half \ud800 a character, 漢字"))
    assert [row.note for row in in_force(db)] == ["half ? a character, 漢字"]


def test_the_labels_are_those_of_the_project() -> None:
    means = {digit: found.meaning for digit, found in LABELS.items()}
    assert means == {
        1: Meaning.SOUND, 2: Meaning.UNSOUND, 3: Meaning.UNSOUND, 4: Meaning.UNSOUND, 5: Meaning.UNDECIDED,
        6: Meaning.CORRECTED, 7: Meaning.CORRECTED, 8: Meaning.UNDECIDED,
    }  # fmt: skip


def test_reading_and_labelling_need_the_standard_library_only() -> None:
    script = "import store.audits, sys; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"numpy", "sqlite_utils", "msgspec"}.isdisjoint(done.stdout.split())


def test_lists_exports_and_suspicion_go_by_one_label_in_force(db: Path) -> None:
    """A person's before a judge model's, whoever came last, and one that was taken back hides nobody's."""
    one = sample(db, BASE_SLUG, "1", 0)
    with AuditWriter(db) as writer:
        writer.add(Audit(one, "ann", 3))
        writer.add(Audit(one, "judge:m", 1))
        writer.add(Audit(one, "bob", 1))
        writer.add(Audit(one, "bob", None))
    with Study(db) as study:
        row = study.trace(one).row
        (run,) = [run for run in study.runs() if run.slug == BASE_SLUG]
        exported = [found for batch in samples(study, run, None) for found in batch if found.sample_id == one]
        wrong = [found for found in suspect_problem(study, row.problem_id) if found.sample_id != one]
    assert row.label == 3
    assert [found.label for found in exported] == [3]
    assert wrong, "the other right answer"
    with Study(db) as study:
        values = {"problem_id": row.problem_id, "verifier": None}
        assert one in [sample_id for sample_id, _ in study.query(_WRONG, values)], "ann calls its chain a guess"
