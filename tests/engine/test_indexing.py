"""The index and suspicions: what is lacking is made, once, and whatever is killed, the study opens and goes on."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine import indexing
from engine.finding import Finder
from engine.indexing import VERSION, index_suspicions, index_words
from engine.judging import judge
from engine.suspecting import suspect
from store import words
from store.check import check_structure
from store.errors import StudyError
from store.index_writer import IndexWriter
from store.query import parse
from store.reader import Study
from store.suspicions import reasons, suspicions
from store.writer import Writer
from tests.builders import RL, answers, run, source

ROOT = Path(__file__).parents[2]
LUCKY = "First 2 + 2 = 5, so x = 5. Then 5 - 1 = 3. I will just guess: \\boxed{4}"
CLEAN = "Two and two are four: 2 + 2 = 4. \\boxed{4}"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        texts = [(LUCKY, CLEAN, "Wrong: \\boxed{7}")[i % 3] + f" ({i})" for i in range(30)]
        writer.add_traces(source(writer), answers(texts))
        writer.add_traces(source(writer, "b"), answers(texts[:6], of=run(RL)))
        judge(writer, "math")
    return path


def index(path: Path, processes: int | None = None) -> tuple[indexing.Indexed, indexing.Looked]:
    with IndexWriter(path, "index") as writer:
        return index_words(writer), index_suspicions(writer, processes=processes)


def test_what_is_lacking_is_made_once(db: Path) -> None:
    done, looked = index(db)
    assert (done.added, done.possible, looked.read) == (36, True, 24)
    assert 0 < looked.with_reasons < 24
    done, looked = index(db)
    assert (done.added, looked.read) == (0, 0)
    with Writer(db, "test") as writer:
        writer.add_traces(source(writer, "c"), answers([LUCKY + " anew"]))
        judge(writer, "math")
    done, looked = index(db)
    assert (done.added, looked.read) == (1, 1)
    assert list(check_structure(db)) == []


def test_suspicions_are_what_the_rules_say(db: Path) -> None:
    index(db)
    with Study(db) as study:
        scores = suspicions(study, 1)
        assert len(scores) == 24
        for found in suspect(study, list(scores)):
            assert scores[found.sample_id] == found.score
            stored = reasons(study, found.sample_id)
            assert stored is not None
            assert [(one.kind, one.start, one.end, one.detail, one.retracted) for one in stored] == [
                (one.kind, one.start, one.end, one.detail, one.retracted) for one in found.reasons
            ]
        wrong = next(row for row in study.traces(1) if row.outcome == "incorrect")
        assert wrong.suspicion is None
        assert reasons(study, wrong.sample_id) is None, "nobody looked at it"
        clean = next(one for one, score in scores.items() if score == 0)
        assert reasons(study, clean) == ()
        assert Finder(study).count(parse("suspicion>0")) == sum(score > 0 for score in scores.values())
        assert Finder(study).count(parse("why:guess")) == Finder(study).count(parse('"just guess"'))


def test_rows_of_older_rules_are_made_again(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(db)
    monkeypatch.setattr(indexing, "VERSION", VERSION + "x")
    _, looked = index(db)
    assert looked.read == 24
    with Study(db) as study:
        assert study.query("SELECT DISTINCT version FROM suspicion") == [(VERSION + "x",)]
    assert list(check_structure(db)) == []


def test_processes_find_the_same(db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.db"
    shutil.copy(db, other)
    index(db)
    monkeypatch.setattr(indexing, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(indexing, "_PART", 5)
    _, looked = index(other, processes=2)
    assert looked.read == 24
    rows = []
    for path in (db, other):
        with Study(path) as study:
            rows.append([study.query(f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("suspicion", "reason")])
    assert rows[0] == rows[1]


def test_an_index_of_another_making_is_made_anew(db: Path) -> None:
    index(db)
    connection = sqlite3.connect(db)
    connection.execute("DROP TABLE words")
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(response)")
    connection.close()
    with Study(db) as study:
        assert Finder(study).count(parse("boxed")) == 36, "read instead"
    done, _ = index(db)
    assert (done.made_anew, done.added) == (True, 36)


def test_an_index_with_holes_is_found_and_made_anew(db: Path) -> None:
    index(db)
    connection = sqlite3.connect(db)
    connection.execute("DELETE FROM words_docsize WHERE id = 7")
    connection.commit()
    connection.close()
    assert any("index of words lacks 1" in found for found in check_structure(db))
    done, _ = index(db)
    assert (done.made_anew, done.added) == (True, 36)
    assert list(check_structure(db)) == []


def test_without_the_module_texts_are_read(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index(db)
    monkeypatch.setattr(words, "has_fts5", lambda _study: False)
    with Study(db) as study:
        assert Finder(study).count(parse("guess")) == 12
    with IndexWriter(db, "index") as writer:
        assert not index_words(writer).possible


def test_a_process_that_is_killed_is_told_in_a_sentence(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "_WORTH_PROCESSES", 1)
    monkeypatch.setattr(indexing, "_look", _die)
    with pytest.raises(StudyError, match="was killed"):
        index(db, processes=2)
    assert list(check_structure(db)) == []


def _die(_sample_ids: object) -> None:
    import os

    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_killed_at_any_moment_it_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        texts = [f"{LUCKY} {i} " + f"word{i % 97} and {i} more. " * 40 for i in range(3_000)]
        writer.add_traces(source(writer), answers(texts, correct=True))
    for wait_s in (0.6, 1.4):
        command = [sys.executable, "-m", "basebound", "index", str(path), "--processes", "2"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        time.sleep(wait_s)
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert number is signal.SIGKILL or process.returncode in (0, 130), err
        assert number is signal.SIGKILL or b"Traceback" not in err  # its orphans may say that they lost it
        with Study(path) as study:
            assert Finder(study).count(parse("word13")) == 31, "indexed or not, nothing is missed"
    assert list(check_structure(path)) == []
    subprocess.run([sys.executable, "-m", "basebound", "index", str(path), "--words-only", "-q"], cwd=ROOT, check=True)
    with Study(path) as study:
        assert words.state(study).indexed_to == 3_000
        assert not words.has_holes(study, 3_000)
        assert Finder(study).count(parse("word13")) == 31
