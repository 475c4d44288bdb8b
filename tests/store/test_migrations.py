"""Studies of every older schema become what a new study is: the same tables, and everything that was in them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlite_utils import Database

import sample_data
from store.check import check_structure
from store.errors import WrongSchema
from store.likelihoods import likelihoods
from store.migrations import create_schema, migrate
from store.reader import Study
from store.schema import MIGRATIONS, SCHEMA_VERSION
from store.texts import unpack_file

OLD = Path(__file__).parent / "studies"
"""As a program of that schema left them: one judged trace, suspicions and all."""


def tables(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """All columns of every table, as SQLite tells them."""
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    found = {name: connection.execute(f"PRAGMA table_info({name})").fetchall() for name in names}
    connection.close()
    return found


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(path)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    connection.close()
    return found


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_every_older_schema_becomes_that_of_a_new_study(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    create_schema(Database(old), MIGRATIONS[:version])
    create_schema(Database(new))
    assert migrate(old)[0] == version
    assert tables(old) == tables(new)


def test_a_study_of_schema_4_keeps_all_that_was_in_it(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(unpack_file((OLD / "schema4.db.zst").read_bytes()))
    with pytest.raises(WrongSchema, match="basebound migrate"):
        Study(path)
    before = rows(path)
    assert migrate(path)[0] == 4
    after = rows(path)
    for table, had in before.items():
        assert [row[: len(old)] for row, old in zip(after[table], had, strict=True)] == had
    assert len(before["sample"]) == 1
    with Study(path) as study:
        assert study.query("SELECT logp, extra FROM sample") == [(None, 0)]
        assert study.query("SELECT extra FROM drawn") == [(0,)]
        assert [run.slug for run in study.runs()] == ["retold-base@valley"]
    assert list(check_structure(path)) == []


def test_likelihoods_of_schema_5_stay_and_what_they_never_told_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(unpack_file((OLD / "schema5.db.zst").read_bytes()))
    before = rows(path)
    assert migrate(path)[0] == 5
    after = rows(path)
    for table, had in before.items():
        assert [row[: len(old)] for row, old in zip(after[table], had, strict=True)] == had
    with Study(path) as study:
        found = likelihoods(study)
        assert len(found) == len(before["likelihood"]) == 4
        assert all((one.entropy, one.edge, one.lowest, one.retokenized) == (None, None, None, False) for one in found)
    assert list(check_structure(path)) == []


@pytest.mark.parametrize("packed", [sample_data.STUDY, sample_data.LUCKY], ids=lambda path: path.stem)
def test_what_comes_with_the_program_is_of_its_schema(tmp_path: Path, packed: Path) -> None:
    path = tmp_path / "study.db"
    path.write_bytes(unpack_file(packed.read_bytes()))
    assert migrate(path) == (SCHEMA_VERSION, None)
