"""Parts of a study drawn by processes that are killed again and again, merged: the study of one run that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.fleet.shards import parse_shard, shard_path
from engine.judging import judge
from engine.sampling import Shard, sample
from explorer import cli
from store.check import check_structure
from store.errors import BaseboundError
from store.reader import Study
from store.writer import Writer
from tests.contents import contents
from tests.engine.test_sampling import plan
from tests.engine.tiny import save_model

ROOT = Path(__file__).parents[2]
N = 60

PROGRAM = """
import sys, time
from dataclasses import replace
from pathlib import Path
import engine.pace
from engine import samplers
from engine.fleet.shards import parse_shard, shard_path
from engine.samplers.scripted import ScriptedSampler
from engine.sampling import sample
from store.writer import Writer
from tests.engine.test_sampling import plan

engine.pace.WRITE_EVERY_S = 0.02

class Slow(ScriptedSampler):
    def sample(self, *how):
        for drawn in super().sample(*how):
            time.sleep(0.004)
            yield drawn

samplers.load = lambda name, opening: Slow(opening)
study, part, n = Path(sys.argv[1]), parse_shard(sys.argv[2]), int(sys.argv[3])
with Writer(shard_path(study, part), "test") as writer:
    for seed in (0, 1):
        sample(writer, plan(study.parent, n, seed=seed, shard=part))
"""


def test_shards_killed_at_random_until_done_merge_into_exactly_the_study_of_one_run(tmp_path: Path) -> None:
    study, parts = tmp_path / "study.db", [Shard(number, 3) for number in (1, 2, 3)]
    chance = random.Random(7)
    jobs = {part: start(study, part) for part in parts}
    kills = 0
    deadline = time.monotonic() + 180
    while jobs:
        assert time.monotonic() < deadline, "the shards were not done in three minutes"
        time.sleep(0.05)
        for part, job in list(jobs.items()):
            if job.poll() is not None:
                assert job.returncode in (0, -signal.SIGKILL), log(study, part).read_text()
                del jobs[part]
                if job.returncode:
                    jobs[part] = start(study, part)
            elif kills < 6 and is_writing(study, part) and chance.random() < 0.3:
                os.kill(job.pid, signal.SIGKILL)
                kills += 1
    assert kills == 6
    whole = tmp_path / "whole.db"
    with Writer(whole, "test") as writer:
        for seed in (0, 1):
            sample(writer, plan(tmp_path, N, seed=seed))
        judge(writer, "math")
    shards = [str(shard_path(study, part)) for part in parts]
    assert sum(len(contents(Path(shard))["samples"]) for shard in shards) == 2 * 7 * N  # no sample in two parts
    assert cli.main(["merge", str(study), *shards, "--quiet"]) == 0
    assert contents(study) == contents(whole)
    assert list(check_structure(study)) == []


def start(study: Path, part: Shard) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, str(study), f"{part.number}/{part.of}", str(N)]
    with log(study, part).open("w") as said:
        return subprocess.Popen(command, cwd=ROOT, stderr=said)


def log(study: Path, part: Shard) -> Path:
    return shard_path(study, part).with_suffix(".log")


def is_writing(study: Path, part: Shard) -> bool:
    """Has it drawn what it did not have before? Its journal lies beside the file."""
    path = shard_path(study, part)
    return path.with_name(path.name + "-wal").exists()


def test_shards_of_a_real_model_merge_into_the_study_of_one_run(tmp_path: Path) -> None:
    """In float64 the draws are the same bit by bit, whatever they are batched with."""
    model = save_model(tmp_path / "model")
    whole, merged = tmp_path / "whole.db", tmp_path / "merged.db"
    for path, part in ((whole, None), *((tmp_path / f"{i}.db", Shard(i, 3)) for i in (1, 2, 3))):
        with Writer(path, "test") as writer:
            sample(writer, plan(model, 12, sampler="transformers", shard=part))
    assert cli.main(["merge", str(merged), *(str(tmp_path / f"{i}.db") for i in (2, 3, 1)), "--quiet", "--no-verify"]) == 0
    one, other = contents(whole), contents(merged)
    for found in (one, other):  # sums of a response's log-probabilities differ in the last digits
        found["samples"] = [(*row[:10], round(row[10], 9), *row[11:]) for row in found["samples"]]
    assert other == one


@given(st.integers(1, 9), st.integers(0, 2**63 - 1))
def test_every_seed_is_in_one_part(of: int, seed: int) -> None:
    assert sum(Shard(number, of).holds(seed) for number in range(1, of + 1)) == 1


def test_parts_are_of_about_equal_size(tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        with Writer(tmp_path / f"{number}.db", "test") as writer:
            sample(writer, plan(tmp_path, 100, shard=Shard(number, 4)))
        with Study(tmp_path / f"{number}.db") as study:
            ((found,),) = study.query("SELECT count(*) FROM sample")
        assert 140 < found < 210  # of 700 / 4 = 175, within 3 standard deviations


@given(st.integers(1, 10**6).flatmap(lambda of: st.tuples(st.integers(1, of), st.just(of))))
def test_a_part_is_read_as_it_is_written(part: tuple[int, int]) -> None:
    assert parse_shard(f"{part[0]}/{part[1]}") == Shard(*part)


@pytest.mark.parametrize("text", ["", "3", "0/8", "9/8", "-1/8", "1/0", "a/b", "1/2/3", "1.5/2", "3/8x"])
def test_what_is_no_part_is_a_sentence(text: str) -> None:
    with pytest.raises(BaseboundError, match="is no part of a study; give its number"):
        parse_shard(text)


def test_a_part_has_a_file_of_its_own_beside_the_study() -> None:
    assert shard_path(Path("x/study.db"), Shard(3, 8)) == Path("x/study.shard-3-of-8.db")
