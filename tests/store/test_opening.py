"""What a person meets on opening: older, newer, foreign, locked, read-only, damaged; one sentence each, nothing lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store import files, migrations
from store.errors import NotAStudy, StudyBusy, StudyError, StudyUnwritable, WrongSchema
from store.files import network_filesystem
from store.lease import Lease, started
from store.reader import Study
from store.schema import MIGRATIONS, SCHEMA_VERSION
from store.writer import Writer
from tests.builders import answers, source

ROOT = Path(__file__).parents[2]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a", "b"], correct=True))
    return path


def opens_with(path: Path, samples: int) -> bool:
    with Study(path) as study:
        return [count.samples for count in study.counts("sums")] == [samples]


def test_a_closed_study_is_one_file_without_wal(study: Path) -> None:
    assert [p.name for p in study.parent.iterdir()] == ["study.db"]
    assert study.read_bytes()[18:20] == b"\x01\x01"  # the header's version numbers: 1 rollback journal, 2 WAL


def test_missing_empty_and_foreign_files_are_told_apart(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("model,n\n" * 200)
    short = tmp_path / "short.db"
    short.write_text("x")
    empty = tmp_path / "empty.db"
    empty.touch()
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    for path, what in (
        (tmp_path / "none.db", "does not exist"),
        (tmp_path, "is not a file"),
        (empty, "is empty"),
        (text, "no SQLite file"),
        (other, "another program"),
        (short, "no SQLite file"),
    ):
        with pytest.raises(NotAStudy, match=what):
            Study(path)
    for path in (text, other):
        with pytest.raises(NotAStudy):
            Writer(path, "test")
    assert text.read_text() == "model,n\n" * 200
    with sqlite3.connect(other) as connection:
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_schema")] == ["t"]
    connection.close()


def test_an_empty_file_left_by_a_killed_start_becomes_a_study(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.touch()
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a"]))
    assert opens_with(path, 1)


def test_a_newer_study_is_refused_and_left_alone(study: Path) -> None:
    with sqlite3.connect(study) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = study.read_bytes()
    for attempt in (lambda: Study(study), lambda: Writer(study, "test"), lambda: migrations.migrate(study)):
        with pytest.raises(WrongSchema, match="newer basebound"):
            attempt()
    assert study.read_bytes() == before


def test_a_study_of_this_schema_s_number_but_another_shape_is_refused_in_words(study: Path) -> None:
    with sqlite3.connect(study) as connection:
        connection.execute("ALTER TABLE source DROP COLUMN sidecar")
    connection.close()
    for opens in (lambda: Study(study), lambda: Writer(study, "test")):
        with pytest.raises(WrongSchema, match=r"no column source\.sidecar"):
            opens()


def test_an_older_study_is_never_migrated_by_opening_but_by_migrate_after_a_backup(study: Path) -> None:
    newer = (*MIGRATIONS, ("0002 a later one", "CREATE TABLE later (x INTEGER) STRICT;\nINSERT INTO later VALUES (1);"))
    connection = sqlite3.connect(study)
    with pytest.raises(WrongSchema, match="basebound migrate"):
        files.require_schema(connection, study, current=len(newer))
    connection.close()
    version, backup = migrations.migrate(study, newer)
    assert version == len(MIGRATIONS)
    assert backup is not None
    assert opens_with(backup, 2)
    connection = sqlite3.connect(study)
    assert connection.execute("SELECT x FROM later").fetchall() == [(1,)]
    assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)
    connection.close()
    assert migrations.migrate(study, newer) == (len(newer), None)


def test_a_migration_that_fails_changes_nothing(study: Path) -> None:
    broken = (*MIGRATIONS, ("0002 broken", "CREATE TABLE later (x INTEGER) STRICT; INSERT INTO nowhere VALUES (1);"))
    with pytest.raises(StudyError):
        migrations.migrate(study, broken)
    assert opens_with(study, 2)
    connection = sqlite3.connect(study)
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").fetchone() == (0,)
    connection.close()


def test_a_backup_in_the_way_stops_migrate(study: Path) -> None:
    newer = (*MIGRATIONS, ("0002", "CREATE TABLE later (x INTEGER) STRICT;"))
    study.with_name(f"study.db.schema{len(MIGRATIONS)}.bak").touch()
    with pytest.raises(StudyUnwritable, match="in the way"):
        migrations.migrate(study, newer)


def test_a_second_writer_is_told_who_writes(study: Path) -> None:
    with Writer(study, "import") as writer, pytest.raises(StudyBusy, match=rf"basebound import.*process {os.getpid()}"):
        Writer(study, "verify")
    del writer
    with Writer(study, "verify"):
        pass


def test_the_lease_of_a_dead_process_is_taken_over_and_a_foreign_one_after_a_while(study: Path) -> None:
    def leave(host: str, pid: int, since: str, renewed: float) -> None:
        with sqlite3.connect(study) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO lease VALUES ('write', 'run', ?, ?, ?, ?)", (host, pid, since, int(renewed))
            )
        connection.close()

    import socket

    here = socket.gethostname()
    leave(here, 2**22 + 1, "1", time.time())
    Writer(study, "test").close()
    leave(here, os.getpid(), "another start of the same number", time.time())
    Writer(study, "test").close()
    leave("elsewhere", 1, "1", time.time() - 3600)
    Writer(study, "test").close()
    leave("elsewhere", 1, "1", time.time())
    with pytest.raises(StudyBusy, match="on elsewhere"):
        Writer(study, "test")
    assert started(os.getpid()) != ""
    assert Lease.__doc__


def test_a_locked_study_is_told_so(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BUSY_TIMEOUT_MS", 50)
    holder = sqlite3.connect(study, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StudyBusy, match="locked by another program"):
        Study(study)
    holder.close()


def test_a_reader_sees_what_a_writer_commits_and_closing_beside_it_is_fine(study: Path) -> None:
    with Study(study) as reader:
        with Writer(study, "test") as writer:
            writer.add_traces(source(writer, "b"), answers(["c"]))
            assert [c.samples for c in reader.counts("sums")] == [3]
        assert [c.samples for c in reader.counts("sums")] == [3]


def test_a_reader_that_stays_leaves_no_rows_outside_the_file(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.open_study.SWITCH_TIMEOUT_MS", 20)
    with Writer(study, "test") as writer:
        reader = sqlite3.connect(f"file:{study}?mode=ro", uri=True)
        reader.execute("SELECT count(*) FROM sample").fetchone()
        writer.add_traces(source(writer, "b"), answers(["c"]))
    copy = tmp_path / "copy.db"
    copy.write_bytes(study.read_bytes())
    reader.close()
    assert opens_with(study, 3)
    connection = sqlite3.connect(copy)
    assert connection.execute("SELECT count(*) FROM sample").fetchone() == (3,)
    connection.close()


def test_a_program_in_the_middle_of_a_query_is_told_as_a_lock(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.open_study.BUSY_TIMEOUT_MS", 50)
    other = sqlite3.connect(f"file:{study}?mode=ro", uri=True)
    rows = other.execute("SELECT * FROM sample")
    rows.fetchone()
    with pytest.raises(StudyBusy, match="locked by another program"):
        Writer(study, "test")
    other.close()


def test_a_link_to_a_live_study_shows_what_was_just_written(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "study.db"
    link.symlink_to(study)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Writer(study, "test") as writer:
        writer.add_traces(source(writer, "b"), answers(["c"]))
        assert opens_with(link, 3)


def test_a_study_may_have_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "a b?c#d%20é.db", "-dash.db"):
        with Writer(name, "test") as writer:
            writer.add_traces(source(writer), answers(["a"]))
        assert opens_with(Path(name), 1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_study_opens_for_reading_and_refuses_writing(study: Path) -> None:
    study.chmod(0o444)
    study.parent.chmod(0o555)
    try:
        assert opens_with(study, 2)
        with pytest.raises(StudyUnwritable):
            Writer(study, "test")
    finally:
        study.parent.chmod(0o755)


def test_read_only_is_a_sentence_for_root_too(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert opens_with(study, 2)  # opened immutable: no -wal stands beside it
    reader = Study(study)
    reader._connection.execute("PRAGMA query_only=0")
    with pytest.raises(StudyUnwritable, match="read-only"), files.explained(study):
        reader._connection.execute("DELETE FROM sample")
    reader.close()


def test_a_full_disk_keeps_what_was_stored_and_says_so(study: Path) -> None:
    def fill() -> None:
        with Writer(study, "test") as writer:
            pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
            writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
            writer.add_traces(source(writer, "b"), answers([os.urandom(4000).hex() for _ in range(200)]))

    with pytest.raises(StudyUnwritable, match="disk is full"):
        fill()
    assert opens_with(study, 2)
    with Writer(study, "test") as writer:
        writer.add_traces(source(writer, "b"), answers(["c"]))
    assert opens_with(study, 3)


def test_a_damaged_file_is_told_so(study: Path) -> None:
    data = bytearray(study.read_bytes())
    data[4096:] = b"\x5a" * (len(data) - 4096)
    study.write_bytes(data)
    with pytest.raises(NotAStudy, match="damaged"), Study(study) as opened:
        opened.counts("sums")


def test_network_file_systems_are_recognised_by_the_nearest_mount() -> None:
    mounts = (
        "21 1 0:1 / / rw - ext4 /dev/sda rw\n"
        "22 21 0:2 / /home rw shared:1 - nfs4 server:/home rw\n"
        "23 22 0:3 / /home/local\\040disk rw - xfs /dev/sdb rw\n"
        "24 21 0:4 / /scratch rw - lustre mds:/x rw\n"
    )
    assert network_filesystem(Path("/data/s.db"), mounts) is None
    assert network_filesystem(Path("/home/ann/s.db"), mounts) == "nfs4"
    assert network_filesystem(Path("/home/local disk/s.db"), mounts) is None
    assert network_filesystem(Path("/homework/s.db"), mounts) is None
    assert network_filesystem(Path("/scratch/s.db"), mounts) == "lustre"


def test_on_a_network_file_system_a_rollback_journal_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.open_study.network_filesystem", lambda _: "nfs4")
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_traces(source(writer), answers(["a"]))
        assert writer._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert not (tmp_path / "s.db-wal").exists()
    monkeypatch.undo()
    with Writer(tmp_path / "s.db", "test") as writer:
        assert writer._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


_WRITES_FOREVER = """
import sys
from pathlib import Path
from tests.builders import answers, source
from store.writer import Writer
with Writer(Path(sys.argv[1]), "test") as writer:
    src = source(writer, sys.argv[2])
    line = 1
    while True:
        writer.add_traces(src, answers([(sys.argv[2] + " text %d " % line) * 20] * 20, start=line, correct=True))
        line += 20
        print(line, flush=True)
"""


def test_kill_9_at_any_moment_leaves_a_study_that_opens_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    promised = 0
    for turn in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITES_FOREVER, str(path), f"source {turn}"], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        line = 1
        for _ in range(1 + 3 * turn):
            line = int(process.stdout.readline())
        time.sleep(0.003 * turn)
        process.send_signal(signal.SIGKILL)
        line = max([line, *(int(rest) for rest in process.stdout.read().split())])
        process.wait()
        process.stdout.close()
        promised += line - 1
        from store.check import check_structure

        with Study(path) as study:
            (count,) = study.counts("sums")
        assert count.samples >= promised, "a transaction that was reported as done is gone"
        assert count.samples % 20 == 0, "half a transaction was stored"
        assert list(check_structure(path)) == []
        promised = count.samples
