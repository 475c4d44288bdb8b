"""Flags, notes and marked steps go out with labels and come in again, as often as one likes."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from engine.auditing.exchange import Taken, read_in, rows_out, write_csv, write_in, write_jsonl
from explorer import cli
from store.audits import audits
from store.marks import Kind, Mark, MarkWriter, marks
from store.reader import Study
from tests.engine.audited import BASE_SLUG, RL_SLUG, label, make, sample


def exported(path: Path, *, as_csv: bool = False) -> str:
    file = io.StringIO()
    with Study(path) as study:
        (write_csv if as_csv else write_jsonl)(rows_out(study), file)
    return file.getvalue()


def bring(path: Path, text: str, *, as_csv: bool = False) -> Taken:
    with Study(path) as study:
        new, taken = read_in(study, io.StringIO(text, newline=""), is_csv=as_csv, auditor="ann")
    write_in(path, new)
    return taken


def said(path: Path) -> list[tuple[str, str, int | None, str | None]]:
    with Study(path) as study:
        return sorted((row.auditor, str(row.kind), row.step, row.text) for row in marks(study))


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = make(tmp_path / "s.db", {"1": (2, 1), "a/b:c": (1, 0)})
    one, two = sample(path, BASE_SLUG, "a/b:c", 0), sample(path, RL_SLUG, "1", 0)
    label(path, BASE_SLUG, "1", [2])
    with MarkWriter(path) as writer:
        writer.add_all(
            [
                Mark(one, "ann", Kind.FLAG),
                Mark(one, "ann", Kind.NOTE, text='two\nlines, "quoted", 漢字'),
                Mark(one, "ann", Kind.STEP, 3),
                Mark(one, "ann", Kind.STEP, 4),
                Mark(two, "bob", Kind.FLAG),
                Mark(two, "bob", Kind.FLAG, gone=True),
            ]
        )
    return path


@pytest.mark.parametrize("as_csv", [False, True], ids=["jsonl", "csv"])
def test_marks_go_out_and_come_into_a_copy_as_they_were_and_twice_changes_nothing(
    db: Path, tmp_path: Path, as_csv: bool
) -> None:
    copy = make(tmp_path / "copy.db", {"1": (2, 1), "a/b:c": (1, 0)})
    text = exported(db, as_csv=as_csv)
    taken = bring(copy, text, as_csv=as_csv)
    assert (taken.added, taken.marked, taken.there, taken.refused) == (1, 4, 1, [])
    assert said(copy) == said(db)
    for path in (copy, db):
        taken = bring(path, text, as_csv=as_csv)
        assert (taken.added, taken.marked, taken.there) == (0, 0, 6)


def test_an_old_export_does_not_undo_what_was_marked_later(db: Path) -> None:
    old = exported(db)
    with MarkWriter(db) as writer:
        one = sample(db, BASE_SLUG, "a/b:c", 0)
        writer.add(Mark(one, "ann", Kind.FLAG, gone=True))
        writer.add(Mark(one, "ann", Kind.NOTE, text="newer"))
    before = said(db)
    taken = bring(db, old)
    assert (taken.marked, taken.older) == (0, 2)
    assert said(db) == before


def test_labels_alone_are_written_as_ever_and_files_without_marks_come_in(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 1)})
    label(db, BASE_SLUG, "1", [1])
    assert set(json.loads(exported(db))) == {"trace", "auditor", "label", "step", "note", "chosen", "created"}
    old = f"trace,auditor,label,step,note,chosen,created\n{BASE_SLUG}/sums:1/1,ann,2,,,browse,\n"
    assert bring(db, old, as_csv=True).added == 1
    with Study(db) as study:
        assert [row.label for row in audits(study)] == [1, 2]


def test_marks_that_say_nothing_are_named(tmp_path: Path) -> None:
    db = make(tmp_path / "s.db", {"1": (2, 1)})
    link = f"{BASE_SLUG}/sums:1/0"
    lines = [
        {"trace": link, "mark": "star"},
        {"trace": link, "mark": "step"},
        {"trace": link, "mark": "note"},
        {"trace": link, "mark": "flag", "gone": "perhaps"},
        {"trace": f"{link}7", "mark": "flag"},
        {"trace": f"{link}#2", "mark": "step"},
    ]
    taken = bring(db, "\n".join(map(json.dumps, lines)))
    assert [number for number, _ in taken.refused] == [1, 2, 3, 4, 5]
    told = dict(taken.refused)
    assert "flag, note, step" in told[1]
    assert '"step"' in told[2]
    assert '"note"' in told[3]
    assert "neither true nor false" in told[4]
    assert said(db) == [("ann", "step", 2, None)]


def test_the_commands_say_how_many_marks(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "all.csv"
    assert cli.main(["audit", "export", str(db), "--out", str(out)]) == 0
    assert "1 label and 5 marks written" in capsys.readouterr().err
    copy = make(tmp_path / "copy.db", {"1": (2, 1), "a/b:c": (1, 0)})
    assert cli.main(["audit", "import", str(copy), str(out)]) == 0
    assert "1 label and 4 marks added, 1 there already" in capsys.readouterr().err
