"""The sampler over HTTP against a real server of vLLM's on this machine: the same runs and samples as from vLLM in process."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine import samplers
from engine.decoding import Decoding
from engine.problems import read_problems
from engine.prompts import Template
from engine.samplers.base import Drawn, Manner, Opening, Request, Sampler, SamplerError
from engine.sampling import Plan, content_revision, run_of, sample
from sample_data import BASE, MAX_TOKENS, PROBLEMS, PROMPT
from store.types import Finish, Model, sample_seed
from store.writer import Writer
from tests.contents import contents

READY_S = 240
CLOSE = 1e-4
"""Nats, in float32."""
PAPER = Manner(Decoding(0.6, 0.95), MAX_TOKENS)
TEMPLATE = Template(PROMPT)
SURROUNDINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
}
ARGUMENTS = (
    *("--model", str(BASE.path), "--served-model-name", "tiny", "--dtype", "float32", "--max-model-len", "256"),
    *("--generation-config", "vllm", "--kv-cache-memory-bytes", str(64 << 20), "--block-size", "32", "--enforce-eager"),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server that is ready. It and all that it started are gone afterwards, whatever happens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log.txt"
    command = (
        sys.executable,
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        *ARGUMENTS,
    )
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | SURROUNDINGS, start_new_session=True)
        try:
            wait_until_ready(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(30)


def die_with_the_tests() -> None:
    """Linux's PR_SET_PDEATHSIG: tests that are killed leave no server behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def wait_until_ready(health: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(health, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"the server is not ready:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def served(url: str) -> Iterator[Sampler]:
    with samplers.load("server", Opening(BASE.path, url=url)) as served:
        yield served


def requests(sampler: Sampler, each: int = 2) -> list[Request]:
    problems = read_problems(PROBLEMS)
    prompts = [(problem, sampler.prompt(TEMPLATE, problem.statement or "")) for problem in problems]
    return [
        Request((problem.key, index), prompt.ids, sample_seed("run", problem, index), prompt.text)
        for index in range(each)
        for problem, prompt in prompts
    ]


def by_unit(drawn: Iterable[Drawn]) -> dict[object, Drawn]:
    return {one.request.unit: one for one in drawn}


def plan(url: str, n: int = 4) -> Plan:
    return Plan(
        model=Model(BASE.name, content_revision(BASE.path), BASE.role),
        opening=Opening(BASE.path, url=url, batch=32),
        problems=read_problems(PROBLEMS),
        template=TEMPLATE,
        manner=PAPER,
        n=n,
        sampler="server",
    )


def test_a_study_over_http_is_the_study_of_vllm_in_process(url: str, tmp_path: Path) -> None:
    """The same run, and for the same seeds the same ids, ends and texts."""
    over_http, in_process = tmp_path / "http.db", tmp_path / "process.db"
    with Writer(over_http, "test") as writer:
        half = sample(writer, plan(url, 2))
        whole = sample(writer, plan(url))
        assert sample(writer, plan(url)).added == 0
    assert whole.known == half.added == whole.added == 2 * len(read_problems(PROBLEMS))
    with Writer(in_process, "test") as writer:
        sample(writer, replace(plan(url), opening=Opening(BASE.path, dtype="float32"), sampler="vllm"))
    ours, theirs = contents(over_http), contents(in_process)
    for part in ("runs", "problems", "prompts", "drawn"):
        assert ours[part] == theirs[part]
    for one, other in zip(ours["samples"], theirs["samples"], strict=True):
        assert one[:10] == other[:10]  # run, problem, index, seed, ids, finish, stop reason, characters, tokens, digest
        assert one[-1] == other[-1]


def test_ends_are_those_of_vllm_in_process(served: Sampler, sampler: Sampler) -> None:
    ends = set()
    for manner in (Manner(Decoding(0.8), 6), Manner(Decoding(0.8), MAX_TOKENS, (".", " so", "zebra")), PAPER):
        ours, theirs = (by_unit(one.sample(requests(one), manner)) for one in (served, sampler))
        for unit, one in ours.items():
            other = theirs[unit]
            assert (one.ids, one.text, one.finish, one.stop_reason) == (other.ids, other.text, other.finish, other.stop_reason)
            ends.add((one.finish, one.stop_reason))
    assert ends >= {(Finish.LENGTH, None), (Finish.STOP, "."), (Finish.STOP, "<|end|>")}


def test_log_probabilities_are_those_of_vllm_in_process_where_they_are_told(served: Sampler, sampler: Sampler) -> None:
    plain = Manner(Decoding(), MAX_TOKENS)
    ours, theirs = (by_unit(one.sample(requests(one), plain)) for one in (served, sampler))
    assert ours.keys() == theirs.keys()
    for unit, one in ours.items():
        assert one.ids == theirs[unit].ids
        assert abs((one.logp or 0.0) - (theirs[unit].logp or 0.0)) < CLOSE
    assert min(one.logp or 0.0 for one in ours.values()) < -3
    assert {one.logp for one in served.sample(requests(served, 1), PAPER)} == {None}


def test_top_k_is_heeded_and_what_the_server_is_found_to_be(served: Sampler, sampler: Sampler, url: str) -> None:
    facts, inside = served.facts, sampler.facts
    assert run_of(plan(url), facts).key == run_of(plan(url), inside).key
    assert facts.vocabulary == inside.vocabulary
    assert inside.version.startswith(facts.version)
    assert facts.detail == "served as tiny"
    greedy = Manner(Decoding(1.0, 1.0, 1), MAX_TOKENS)
    assert {unit: one.ids for unit, one in by_unit(served.sample(requests(served, 1), greedy)).items()} == {
        unit: one.ids for unit, one in by_unit(sampler.sample(requests(sampler, 1), greedy)).items()
    }


def test_by_its_served_name_alone_the_same_texts_come(served: Sampler, url: str) -> None:
    manner = Manner(Decoding(0.6, 0.95), 5000)  # beyond the cap: the server counts the prompts' tokens
    with samplers.load("server", Opening(Path("tiny"), url=url, served="tiny")) as named:
        assert (named.facts.context_cap, named.facts.stop_ids, named.facts.vocabulary) == (256, None, "unknown")
        texts = by_unit(named.sample(requests(named, 1), manner))
    for unit, one in by_unit(served.sample(requests(served, 1), manner)).items():
        other = texts[unit]
        assert one.ids is not None
        assert (other.ids, other.text, other.finish, other.tokens) == (None, one.text, one.finish, len(one.ids))


def test_what_the_server_does_not_take_is_a_sentence(served: Sampler, url: str) -> None:
    with pytest.raises(SamplerError, match=r"does not take 5 stop strings.*VLLM_MAX_STOP_STRINGS"):
        list(served.sample(requests(served, 1), replace(PAPER, stop=tuple("abcde"))))
    with pytest.raises(SamplerError, match="serves no other; it serves: tiny"):
        samplers.load("server", Opening(BASE.path, url=url, served="other"))
    with pytest.raises(SamplerError, match=r"no such path or model.*/v1"):
        samplers.load("server", Opening(BASE.path, url=url + "/wrong", served="tiny"))
    with pytest.raises(SamplerError, match="leaves no room"):
        list(served.sample([Request(0, (5,) * 256, 1)], PAPER))
