"""A small study out of a large one, and token ids on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.judging import judge
from engine.sampling import sample
from store import slicing
from store.check import check_structure
from store.errors import DamagedText, StudyError, StudyUnwritable
from store.merging import merge_study
from store.reader import Study
from store.slicing import slice_study
from store.tokens import pack_ids, unpack_ids
from store.writer import Writer
from tests.builders import RL, answers, run, source
from tests.engine.test_sampling import PROBLEMS, plan


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "whole.db"
    with Writer(path, "test") as writer:
        texts = [f"sample {i}: \\boxed{{{4 + i % 3}}}" for i in range(300)]
        writer.add_traces(source(writer), answers(texts, correct=True))
        writer.add_traces(source(writer, "b"), answers(texts[:40], of=run(RL)))
        judge(writer, "math")
    return path


def test_a_slice_keeps_the_counts_of_all_and_the_traces_of_some(whole: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.db"
    with Study(whole) as study:
        counts = {count.run_id: (count.correct, count.n) for count in study.counts("sums")}
        chosen = [row.sample_id for row in study.traces(1) if row.idx % 7 == 2]
        texts = {sample_id: study.trace(sample_id).response for sample_id in chosen}
        places = {row.sample_id: (row.run_id, row.idx, row.outcome) for row in study.traces(1) if row.sample_id in texts}
    slice_study(whole, small, chosen)
    assert list(check_structure(small)) == []
    with Study(small) as study:
        assert {count.run_id: (count.correct, count.n) for count in study.counts("sums")} == counts
        assert {row.sample_id: (row.run_id, row.idx, row.outcome) for row in study.traces(1)} == places
        assert {sample_id: study.trace(sample_id).response for sample_id in chosen} == texts
    assert small.stat().st_size < whole.stat().st_size
    again = tmp_path / "again.db"
    slice_study(small, again, [chosen[0]])  # published counts stay the whole study's
    with Study(again) as study:
        assert {count.run_id: (count.correct, count.n) for count in study.counts("sums")} == counts


def test_a_slice_of_everything_can_be_sliced_again(whole: Path, tmp_path: Path) -> None:
    """Published and derived counts of one size stand beside each other in it."""
    with Study(whole) as study:
        everything = [row.sample_id for row in study.traces(1)]
        counts = {count.run_id: (count.correct, count.n) for count in study.counts("sums")}
    slice_study(whole, tmp_path / "all.db", everything)
    slice_study(tmp_path / "all.db", tmp_path / "again.db", everything[:3])
    with Study(tmp_path / "again.db") as study:
        assert {count.run_id: (count.correct, count.n) for count in study.counts("sums")} == counts


def test_a_slice_that_fails_leaves_nothing_in_the_way(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slicing, "_DRAWN", "this is no SQL")
    with pytest.raises(StudyError):
        slice_study(whole, tmp_path / "small.db", [1])
    assert not (tmp_path / "small.db").exists()


def test_a_file_that_is_there_is_left_alone(whole: Path, tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.write_text("mine")
    with pytest.raises(StudyUnwritable, match="is there already"):
        slice_study(whole, there, [1])
    assert there.read_text() == "mine"


@given(st.lists(st.integers(0, 2**32 - 1)))
def test_token_ids_survive_the_round_trip(ids: list[int]) -> None:
    packed = pack_ids(ids)
    assert unpack_ids(packed) == ids
    assert len(packed) == 1 + len(ids) * (2 if max(ids, default=0) < 65536 else 4)


@pytest.mark.parametrize("packed", [b"", b"\x03abc", b"\x02abc", b"\x04ab"])
def test_damaged_token_ids_are_told(packed: bytes) -> None:
    with pytest.raises(DamagedText):
        unpack_ids(packed)


def test_shards_drawn_apart_are_the_study_drawn_at_once(tmp_path: Path) -> None:
    def drawn(path: Path) -> list[tuple[object, ...]]:
        with Study(path) as study:
            return study.query(
                """SELECT run.key, problem.key, idx, sample.seed, ids, finish, stop_reason, digest FROM sample JOIN token
                   USING (sample_id) JOIN run USING (run_id) JOIN problem USING (problem_id) ORDER BY 1, 2, 3"""
            )

    whole = plan(tmp_path, 4)
    for name, problems in (("all", PROBLEMS), ("one", PROBLEMS[::2]), ("two", PROBLEMS[1::2])):
        with Writer(tmp_path / name, "test") as writer:
            sample(writer, replace(whole, problems=problems))
            sample(writer, replace(whole, problems=problems, seed=1))
    with Writer(tmp_path / "two", "test") as writer:
        assert merge_study(writer, tmp_path / "one").added == 32
        assert merge_study(writer, tmp_path / "one").added == 0
    assert drawn(tmp_path / "two") == drawn(tmp_path / "all")
    assert list(check_structure(tmp_path / "two")) == []
