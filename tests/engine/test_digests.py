"""A digest is that of the content, remembered or not."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from engine import digests
from engine.digests import file_digest


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(digests, "LARGE", 4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_a_file_that_is_unchanged_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"abcdefgh")
    expected = hashlib.sha256(b"abcdefgh").hexdigest()
    assert file_digest(file) == expected
    times = file.stat().st_mtime_ns
    file.write_bytes(b"12345678")
    os.utime(file, ns=(times, times))  # nobody can see the change: what was remembered is taken
    assert file_digest(file) == expected
    os.utime(file, ns=(times, times + 1))
    assert file_digest(file) == hashlib.sha256(b"12345678").hexdigest()


@pytest.mark.parametrize("broken", ["", "[]", "{", '{"a": 1}'])
def test_a_broken_memory_is_as_good_as_none(tmp_path: Path, broken: str) -> None:
    place = tmp_path / "cache" / "basebound" / "digests.json"
    place.parent.mkdir(parents=True)
    place.write_text(broken, encoding="utf-8")
    file = tmp_path / "weights"
    file.write_bytes(b"abcdefgh")
    assert file_digest(file) == hashlib.sha256(b"abcdefgh").hexdigest()


def test_where_nothing_can_be_remembered_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    file = tmp_path / "weights"
    file.write_bytes(b"abcdefgh")
    assert file_digest(file) == hashlib.sha256(b"abcdefgh").hexdigest()
