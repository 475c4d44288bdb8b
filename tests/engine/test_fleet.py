"""Several engines share plans: the samples are those of one engine, each once, whatever is killed on the way."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import store.lease
from engine.fleet import Pace
from engine.fleet.jobs import Ledger
from engine.fleet.places import Place, left_idle, listed, places, visible_gpus
from engine.fleet.pool import RESTARTS, draw_all
from engine.fleet.reaper import holders, reap
from engine.samplers.base import Drawn, Request, SamplerError
from engine.samplers.scripted import ScriptedSampler
from engine.sampling import Shard, prompts_of, sample
from store.check import check_structure
from store.errors import StudyBusy
from store.writer import Writer
from tests.engine.fleet_job import PROBLEMS, ROOT, Notes, drawn, job, own, plan

TWO = [Place(1, ()), Place(2, ())]


def logs(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("*.log"))


def engines(path: Path) -> list[tuple[str, int]]:
    """Token and pid of those that a study has recorded."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT token, pid FROM engine ORDER BY pid").fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def samples(path: Path) -> int:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        found: int = connection.execute("SELECT count(*) FROM sample").fetchone()[0]
        return found
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def there(path: Path, wanted: int) -> Callable[[], bool]:
    return lambda: path.exists() and samples(path) >= wanted


# -- what is drawn ---------------------------------------------------------------------------------------------------------


def test_two_engines_draw_what_one_in_this_process_draws(tmp_path: Path) -> None:
    models = [ROOT / "sample_data" / "models" / name for name in ("base", "grpo-90")]
    plans = [
        plan(12, "transformers", folder, folder.name, temperature, "float64") for folder in models for temperature in (0.6, 1.0)
    ]
    with Writer(tmp_path / "one.db", "test") as writer:
        alone = [sample(writer, one) for one in plans]
    with Writer(tmp_path / "two.db", "test") as writer:
        together = draw_all(writer, plans, TWO, Notes())
        assert writer.engines() == []
    assert drawn(tmp_path / "two.db") == drawn(tmp_path / "one.db")
    assert [(one.run, one.facts, one.added, one.tokens) for one in together] == [
        (one.run, one.facts, one.added, one.tokens) for one in alone
    ]
    assert list(check_structure(tmp_path / "two.db")) == []
    assert logs(tmp_path / "two.db") == []


def test_a_plan_again_adds_nothing_a_larger_n_what_is_missing_and_shards_their_part(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        for number in (1, 2):
            draw_all(writer, [replace(plan(4), shard=Shard(number, 2))], TWO, Notes())
        (again,) = draw_all(writer, [plan(4)], TWO, Notes())
        (more,) = draw_all(writer, [replace(plan(6), extra={"3": 5})], TWO, Notes())
    assert (again.added, again.known) == (0, 28)
    assert (more.added, more.known) == (19, 28)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*), sum(extra) FROM sample").fetchone() == (47, 5)
    assert list(check_structure(path)) == []


def test_a_model_is_opened_once_for_all_its_plans_and_models_queue_for_places(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abcde"]
    for folder in folders:
        folder.mkdir()
    plans = [plan(8, own("Slow"), folder, folder.name, t) for t in (0.6, 0.8, 1.0) for folder in folders]
    notes = Notes()
    with Writer(tmp_path / "s.db", "test") as writer:
        done = draw_all(writer, plans, TWO, notes)
    assert [one.added for one in done] == [56] * 15
    assert [one.run.model.name for one in done] == list("abcde") * 3
    opened = [len(list(folder.iterdir())) for folder in folders]
    assert sum(opened) <= 6  # the last one may be worth a second engine
    assert opened[:3] == [1, 1, 1]
    assert max(pace.engines for pace in notes.paces) == 2
    last = notes.paces[-1]
    assert (last.done, last.total) == (840, 840)
    assert all(a.done <= b.done for a, b in zip(notes.paces, notes.paces[1:], strict=False))
    assert last.tokens == sum(one.tokens for one in done) > 0


def test_units_are_dealt_round_by_round_over_the_problems(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    started = subprocess.Popen(job(path, "[plan(300, own('Slow'))]"), cwd=ROOT)
    wait_until(there(path, 200))
    started.terminate()
    started.wait()
    with sqlite3.connect(path) as connection:
        counts = [n for (n,) in connection.execute("SELECT count(*) FROM sample GROUP BY problem_id")]
    assert len(counts) == 7
    assert max(counts) - min(counts) <= 12


# -- what is killed ----------------------------------------------------------------------------------------------------------


def whole(tmp_path: Path, n: int) -> list[tuple[object, ...]]:
    with Writer(tmp_path / "whole.db", "test") as writer:
        sample(writer, plan(n))
    return drawn(tmp_path / "whole.db")


def test_an_engine_killed_on_the_way_costs_nothing_but_time(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    notes = Notes()

    def kill() -> None:
        wait_until(lambda: len(engines(path)) == 2 and samples(path) >= 20)
        os.kill(engines(path)[0][1], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    with Writer(path, "test") as writer:
        killer.start()
        (done,) = draw_all(writer, [plan(120, own("Slow"))], TWO, notes)
        killer.join()
    assert done.added == 840
    assert drawn(path) == whole(tmp_path, 120)
    (said,) = notes.said
    assert "was killed (signal 9)" in said
    assert "started again" in said
    assert list(check_structure(path)) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_is_ended_leaves_no_process_and_goes_on_to_the_same_samples(tmp_path: Path, number: int) -> None:
    path = tmp_path / "s.db"
    plans = "[plan(150, own('Parent'))]"
    started = subprocess.Popen(job(path, plans), cwd=ROOT)
    wait_until(there(path, 100))
    tokens = [token for token, _ in engines(path)]
    assert len(holders(tokens)) >= 6  # two engines, their watches, and what they have started
    started.send_signal(number)
    status = started.wait()
    if number == signal.SIGTERM:
        assert status == 130
        assert engines(path) == []
        assert not holders(tokens)
        assert logs(path) == []
    else:
        assert status == -signal.SIGKILL
        wait_until(lambda: len(holders(tokens)) == 2)  # those that left their group are for the reaper
        with Writer(path, "test") as writer:
            (said,) = reap(writer)
        assert said.startswith("ended 2 engine processes that a killed run had left (pids ")
        assert not holders(tokens)
    assert 0 < samples(path) < 1050
    assert list(check_structure(path)) == []
    with Writer(path, "test") as writer:
        assert writer.engines() == []
        draw_all(writer, [plan(150)], TWO, Notes())
    assert drawn(path) == whole(tmp_path, 150)


def test_whatever_is_killed_at_random_each_sample_is_there_once(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    dice = random.Random(7)
    for _ in range(3):
        started = subprocess.Popen(job(path, "[plan(120, own('Slow'))]"), cwd=ROOT, stderr=subprocess.DEVNULL)
        for _ in range(3):
            goal = samples(path) + dice.randint(1, 80) if path.exists() else 1
            wait_until(lambda goal=goal, job=started: there(path, goal)() or job.poll() is not None)  # type: ignore[misc]
            kill_one(path, dice)
        time.sleep(dice.uniform(0, 0.3))
        started.kill()
        started.wait()
    tokens = [token for token, _ in engines(path)]
    assert samples(path) > 0
    with Writer(path, "test") as writer:
        reap(writer)
        assert not holders(tokens)
        draw_all(writer, [plan(120)], TWO, Notes())
    assert drawn(path) == whole(tmp_path, 120)
    assert list(check_structure(path)) == []


def kill_one(path: Path, dice: random.Random) -> None:
    """An engine, where one is running; never what has its number by now."""
    for token, pid in dice.sample(found := engines(path), len(found)):
        if pid in holders([token]):
            os.kill(pid, signal.SIGKILL)
            return


# -- what fails --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sampler", "words", "starts"),
    [
        ("Bad", "bad is no model: it has no config.json", 0),
        ("Killed", "was killed (signal 9), often because the machine's memory ran out: use fewer engines", RESTARTS + 1),
        ("Greedy", "ran out of memory (RuntimeError: CUDA out of memory. Tried to allocate 1 TiB.)", RESTARTS + 1),
        ("Forgetful", "responses to", 1),
        ("Missing", "AttributeError", 0),
    ],
)
def test_a_plan_that_fails_says_why_once_and_the_others_are_done(tmp_path: Path, sampler: str, words: str, starts: int) -> None:
    path = tmp_path / "s.db"
    bad = tmp_path / "bad"
    bad.mkdir()
    notes = Notes()
    plans = [plan(3, own("Slow"), name="good"), plan(3, own(sampler), bad, "bad"), plan(3, own("Slow"), name="fine")]
    with Writer(path, "test") as writer:
        with pytest.raises(
            SamplerError, match="1 of 3 plans failed, and what was drawn is stored: bad on sums at T 1: "
        ) as error:
            draw_all(writer, plans, [Place(1, ())], notes)
        assert writer.engines() == []
    assert words in str(error.value)
    assert len(list(bad.iterdir())) == starts
    assert sum("is given up" in said for said in notes.said) == 1
    assert sum("is started again" in said for said in notes.said) == max(0, starts - 1)
    assert samples(path) == (62 if sampler == "Forgetful" else 42)
    assert logs(path) == ["s.db.engine1.log"]
    if sampler == "Greedy":
        assert "Traceback" in (tmp_path / "s.db.engine1.log").read_text()


def test_a_place_that_is_no_use_is_left_and_the_others_do_its_work(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    notes = Notes()
    with Writer(tmp_path / "s.db", "test") as writer:
        (done,) = draw_all(writer, [plan(100, own("Picky"), folder)], TWO, notes)
    assert done.added == 700
    assert len(list(folder.iterdir())) == 2


def test_a_long_silence_keeps_the_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store.lease, "RENEW_AFTER_S", 0.5)
    path = tmp_path / "s.db"
    renewed = set()

    class Looking(Notes):
        def progress(self, pace: Pace) -> None:
            super().progress(pace)
            with sqlite3.connect(path) as connection:
                renewed.add(connection.execute("SELECT renewed FROM lease WHERE NOT EXISTS (SELECT 1 FROM sample)").fetchone())
            with pytest.raises(StudyBusy):
                Writer(path, "other")

    with Writer(path, "test") as writer:
        draw_all(writer, [plan(1, own("Silent"))], [Place(1, ())], Looking())
    assert len(renewed - {None}) >= 3


# -- the books ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chance", range(8))
def test_in_whatever_order_units_are_dealt_lost_and_sent_each_is_stored_once(tmp_path: Path, chance: int) -> None:
    dice = random.Random(chance)
    asked = plan(1 + chance)
    sampler = ScriptedSampler(asked.opening)
    prompts = list(prompts_of(sampler, asked).values())
    had: dict[int, list[Drawn]] = {0: [], 1: [], 2: []}
    with Writer(tmp_path / "s.db", "test") as writer:
        ledger = Ledger(writer, [asked])
        (book,) = ledger.jobs
        ledger.begin(book, sampler.facts, prompts)
        for _ in range(2000):
            engine, number = dice.randrange(3), dice.randint(1, 5)
            match dice.choice(["deal", "deal", "take", "take", "take", "die", "write"]):
                case "deal":
                    dealt = ledger.deal(book, engine, sampler.facts, number, 3)
                    requests = [Request((one.problem, one.index), prompts[one.problem].ids, one.seed) for one in dealt]
                    had[engine].extend(sampler.sample(requests, asked.manner))
                case "take":
                    ledger.take(book, engine, had[engine][:number])
                    del had[engine][:number]
                case "die":
                    ledger.put_back(book, engine)  # what it sends after that counts no more
                case "write":
                    ledger.write()
            if book.finished:
                break
        else:
            pytest.fail("it never ends")
        ledger.write()
        (done,) = ledger.results()
    assert done.added == book.total == asked.n * len(PROBLEMS) == book.drawn
    with Writer(tmp_path / "alone.db", "test") as writer:
        sample(writer, asked)
    assert drawn(tmp_path / "s.db") == drawn(tmp_path / "alone.db")


# -- places ------------------------------------------------------------------------------------------------------------------


def test_gpus_are_those_that_are_visible_by_the_names_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, seen in {
        "": (),
        "-1": (),
        "3": ("3",),
        "2, 0,-1,5": ("2", "0"),
        "GPU-8932f937-d72c,GPU-1": ("GPU-8932f937-d72c", "GPU-1"),
        "MIG-GPU-8932f937/1/0,MIG-1c2d": ("MIG-GPU-8932f937/1/0", "MIG-1c2d"),
        "NoDevFiles": (),
    }.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
        assert visible_gpus() == seen
        expected: list[tuple[str, ...]] = [(gpu,) for gpu in seen] or [()]
        assert [place.devices for place in places()] == expected


def test_without_the_variable_the_driver_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'GPU 0: A (UUID: GPU-1)'\necho 'GPU 1: B (UUID: GPU-2)'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert visible_gpus() == ("0", "1")
    program.write_text("#!/bin/sh\nexit 9\n")
    assert visible_gpus() == ()


def test_a_gpu_in_pieces_is_listed_by_its_pieces() -> None:
    told = (
        "GPU 0: NVIDIA A100 (UUID: GPU-5d5b)\n"
        "  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4)\n"
        "  MIG 2g.10gb     Device  1: (UUID: MIG-cba6)\n"
        "GPU 1: NVIDIA A100 (UUID: GPU-77aa)\n"
    )
    assert listed(told) == ("MIG-c6d4", "MIG-cba6", "1")


def test_gpus_are_put_into_groups_and_what_does_not_fit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7,8")
    chosen = places(2)
    assert [place.devices for place in chosen] == [("4", "5"), ("6", "7")]
    assert [place.title for place in chosen] == ["GPUs 4, 5", "GPUs 6, 7"]
    assert left_idle(chosen) == "GPU 8 is left idle: 2 engines of 2 GPUs each"
    assert left_idle(places()) is None
    assert left_idle(places(engines=3)) == "GPU 7, 8 are left idle: 3 engines of 1 GPU each"
    assert [place.devices for place in places(device="cpu", engines=2)] == [(), ()]
    for arguments, words in {
        (8, None): "1 engine of 8 GPUs each needs 8 GPUs, 5 can be seen here",
        (2, 3): "3 engines of 2 GPUs each need 6 GPUs, 5 can be seen here",
        (1, 0): "0 engines cannot draw anything",
    }.items():
        with pytest.raises(SamplerError, match=words):
            places(*arguments)
    with pytest.raises(SamplerError, match="leave the device 'cuda:1' out"):
        places(device="cuda:1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(SamplerError, match="1 engine of 2 GPUs each needs 2 GPUs, none can be seen here"):
        places(2)
