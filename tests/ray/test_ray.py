"""Engines over a Ray cluster of several machines, all of them this one: a study is finished whatever becomes of some of them,
and each sample is there once.

Run it by `python -m pytest tests/ray -n 0`, with the extra `ray` installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.fleet import Pace, ray_engines
from engine.fleet.ray_engines import draw_all_on_ray
from engine.judging import judge
from engine.samplers.base import SamplerError
from engine.sampling import Plan, Sampled, sample
from store.check import check_structure
from store.types import Problem
from store.writer import Writer
from tests.contents import contents
from tests.engine.test_sampling import plan
from tests.engine.tiny import save_model

pytestmark = pytest.mark.filterwarnings("default")  # Ray leaves sockets and processes to its own clean-up

SLOW = '''
import os, time
from engine.samplers.scripted import ScriptedSampler

class Slow(ScriptedSampler):
    """{what}"""
    def sample(self, *how):
        for drawn in super().sample(*how):
            {do}
            yield drawn
'''


class Ear:
    """Listens to how it goes; `at` is called once that many samples are there."""

    def __init__(self, at: int | None = None, then: Callable[[], object] = lambda: None) -> None:
        self.said: list[str] = []
        self.paces: list[Pace] = []
        self._at, self._then = at, then

    def progress(self, pace: Pace) -> None:
        self.paces.append(pace)
        if self._at is not None and pace.done >= self._at:
            self._at = None
            self._then()

    def say(self, sentence: str) -> None:
        self.said.append(sentence)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without room for engines; the tests add machines."""
    import ray
    from ray.cluster_utils import Cluster

    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 0, "object_store_memory": 80 << 20, "include_dashboard": False, "_system_config": soon}
    made = Cluster(initialize_head=True, head_node_args=head)
    ray.init(address=made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def machines(cluster: Any) -> Iterator[Callable[[], Any]]:
    """Adds a machine with room for one engine."""
    there = []

    def add() -> Any:
        there.append(cluster.add_node(num_cpus=1, object_store_memory=80 << 20))
        return there[-1]

    yield add
    for node in there:
        if node in cluster.worker_nodes:
            cluster.remove_node(node, allow_graceful=False)


def slow(folder: Path, do: str, name: str = "slow") -> str:
    """A sampler of one's own, by the path of its file."""
    (folder / f"{name}.py").write_text(SLOW.format(what=name, do=do))
    return f"{folder / name}.py:Slow"


def draw(path: Path, plans: list[Plan], ear: Ear, engines: int | None = None) -> list[Sampled]:
    with Writer(path, "test") as writer:
        done = draw_all_on_ray(writer, plans, None, ear, engines=engines)
        judge(writer, "math")
    return done


def at_once(path: Path, plans: list[Plan]) -> dict[str, list[Any]]:
    """The study of one process that nobody disturbs."""
    with Writer(path, "test") as writer:
        for one in plans:
            sample(writer, one)
        judge(writer, "math")
    return contents(path)


def test_a_machine_is_lost_half_way_another_joins_and_each_sample_is_there_once(
    cluster: Any, machines: Callable[[], Any], tmp_path: Path
) -> None:
    doomed, _ = machines(), machines()

    def change() -> None:
        cluster.remove_node(doomed, allow_graceful=False)
        machines()

    ear = Ear(at=150, then=change)
    sampler = slow(tmp_path, "time.sleep(0.02)")
    plans = [plan(tmp_path, 40, sampler=sampler, seed=seed) for seed in (0, 1)]
    done = draw(tmp_path / "study.db", plans, ear)
    assert [(one.added, one.known) for one in done] == [(280, 0), (280, 0)]
    assert contents(tmp_path / "study.db") == at_once(tmp_path / "whole.db", plans)
    assert list(check_structure(tmp_path / "study.db")) == []
    assert [sentence for sentence in ear.said if sentence.startswith("lost the engine on ")]
    assert max(pace.engines for pace in ear.paces) == 2
    assert ear.paces[-1].done == ear.paces[-1].total == 560
    again = draw(tmp_path / "study.db", plans, Ear())
    assert [(one.added, one.known) for one in again] == [(0, 280), (0, 280)]


def test_a_real_model_gives_the_samples_of_one_process(machines: Callable[[], Any], tmp_path: Path) -> None:
    """In float64 the draws are the same bit by bit, whatever they are batched with."""
    machines()
    plans = [plan(save_model(tmp_path / "model"), 12, sampler="transformers")]
    draw(tmp_path / "study.db", plans, Ear())
    found, whole = contents(tmp_path / "study.db"), at_once(tmp_path / "whole.db", plans)
    for one in (found, whole):  # sums of a response's log-probabilities differ in the last digits
        one["samples"] = [(*row[:10], round(row[10], 9), *row[11:]) for row in one["samples"]]
    assert found == whole


def test_one_bad_model_or_prompt_does_not_stop_the_others(machines: Callable[[], Any], tmp_path: Path) -> None:
    machines()
    good = plan(tmp_path, 20)
    long = [*good.problems, Problem("sums", "long", "What is 1 + 1? " * 300, "2")]
    crowded = plan(tmp_path, 6, problems=long, model=replace(good.model, name="crowded"))
    cut = plan(save_model(tmp_path / "cut"), 5, sampler="transformers", model=replace(good.model, name="cut", revision="r2"))
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    absent = plan(tmp_path / "nowhere", 5, model=replace(good.model, name="absent", revision="r3"))
    ear = Ear()
    with pytest.raises(SamplerError) as refused:
        draw(tmp_path / "study.db", [absent, cut, crowded, good], ear)
    sentence = str(refused.value)
    assert sentence.startswith("3 of 4 plans failed, and what was drawn is stored: absent on sums at T 0.6: on ")
    assert "there is no folder" in sentence
    assert "; cut on sums at T 0.6: on " in sentence, sentence
    assert "; crowded on sums at T 0.6: the prompt of sums:long has " in sentence, sentence
    assert "tiny on sums" not in sentence
    assert sum(" is given up: " in said for said in ear.said) == 3
    with Writer(tmp_path / "study.db", "test") as writer:
        judge(writer, "math")
    assert contents(tmp_path / "study.db") == at_once(tmp_path / "whole.db", [good])


def test_what_is_drawn_is_there_while_a_straggler_is_not(machines: Callable[[], Any], tmp_path: Path) -> None:
    machines()
    go = tmp_path / "go"
    ear = Ear(at=34, then=go.touch)
    wait = f"any(os.path.exists({str(go)!r}) or time.sleep(0.05) for _ in range(400))"
    sampler = slow(tmp_path, f"drawn.request.unit == (6, 4) and {wait}")
    assert [one.added for one in draw(tmp_path / "study.db", [plan(tmp_path, 5, sampler=sampler)], ear)] == [35]
    assert go.exists(), "the last but one came with the last"


def test_no_more_engines_than_asked_for(machines: Callable[[], Any], tmp_path: Path) -> None:
    machines()
    machines()
    ear = Ear()
    sampler = slow(tmp_path, "time.sleep(0.02)")
    plans = [plan(tmp_path, 20, sampler=sampler), plan(tmp_path, 5, seed=1)]
    assert [one.added for one in draw(tmp_path / "study.db", plans, ear, engines=1)] == [140, 35]
    assert max(pace.engines for pace in ear.paces) == 1


def test_what_cannot_be_drawn_is_a_sentence(
    machines: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as impatient:
        impatient.setattr(ray_engines, "NOBODY_S", 3.0)
        with pytest.raises(SamplerError, match=r"no machine of the cluster has had room for an engine \(num_cpus 1\)"):
            draw(tmp_path / "study.db", [plan(tmp_path, 5)], Ear())
    machines()
    with pytest.raises(SamplerError, match=r"there is no folder .*nowhere; every machine of the cluster needs the models"):
        draw(tmp_path / "study.db", [plan(tmp_path / "nowhere", 5)], Ear())
    deadly = slow(tmp_path, "os.kill(os.getpid(), 9)", "deadly")
    with pytest.raises(SamplerError, match="3 engines in a row died on the cluster before they had drawn anything"):
        draw(tmp_path / "study.db", [plan(tmp_path, 5, sampler=deadly), plan(tmp_path, 5, seed=1)], ear := Ear())
    assert ear.paces[-1].done == 35  # the other plan is drawn
    lazy = slow(tmp_path, "if drawn.request.seed % 5 == 0: continue", "lazy")
    with pytest.raises(SamplerError, match=r"left \d+ samples out"):
        draw(tmp_path / "study.db", [plan(tmp_path, 5, sampler=lazy)], Ear())
