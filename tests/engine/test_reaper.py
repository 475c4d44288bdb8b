"""What a killed job left behind is ended: what holds a recorded token on this host, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.fleet.reaper import TOKEN, end_processes, holders, reap
from store.writer import Writer

Start = subprocess.Popen[bytes]


@pytest.fixture
def started() -> Iterator[list[Start]]:
    """Processes that the test has started; ended with it."""
    running: list[Start] = []
    yield running
    for process in running:
        process.kill()
        process.wait()


def sleeping(token: str, stubborn: bool = False) -> Start:
    ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" if stubborn else ""
    code = f"{ignore}import time; print(flush=True); time.sleep(600)"
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", code],
        env={**os.environ, TOKEN: token},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_what_holds_a_recorded_token_is_ended_and_said_and_nothing_else(tmp_path: Path, started: list[Start]) -> None:
    started += [sleeping("left"), sleeping("left"), sleeping("leftover"), sleeping("other"), sleeping("far")]
    left, also, longer, other, far = started
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_engine("left", left.pid)
        writer.add_engine("gone", 1)
        writer.add_engine("far", far.pid)
        with sqlite3.connect(tmp_path / "s.db") as connection:
            connection.execute("UPDATE engine SET host = 'elsewhere', started = '2026-01-01T00:00:00Z' WHERE token = 'far'")
        elsewhere, ended = reap(writer)
        assert [row.token for row in writer.engines()] == ["far"]
        assert len(reap(writer)) == 1
    low, high = sorted((left.pid, also.pid))
    assert ended == f"ended 2 engine processes that a killed run had left (pids {low}, {high})"
    assert elsewhere.startswith(
        f"a run on elsewhere was killed and may have left an engine there (process {far.pid}, started 2026"
    )
    assert left.wait(5) == also.wait(5) == -signal.SIGTERM
    assert [longer.poll(), other.poll(), far.poll()] == [None, None, None]


def test_another_host_s_engines_are_no_news_while_its_job_may_still_be_at_work(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_engine("far", 7)
        with sqlite3.connect(tmp_path / "s.db") as connection:
            connection.execute("UPDATE engine SET host = 'elsewhere'")
        assert reap(writer) == []
        (row,) = writer.engines()
    assert row.host == "elsewhere" != socket.gethostname()
    assert 0 <= row.age_s < 60


def test_what_does_not_listen_is_killed(started: list[Start]) -> None:
    started += [sleeping("deaf", stubborn=True)]
    began = time.monotonic()
    assert end_processes(["deaf"], grace_s=0.3) == [started[0].pid]
    assert started[0].wait(5) == -signal.SIGKILL
    assert 0.3 < time.monotonic() - began < 5
    assert holders(["deaf"]) == set()


def test_no_token_is_nobody_and_this_process_is_never_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "mine")
    assert holders([]) == holders(["", "mine"]) == set()
    assert end_processes([]) == []


def test_nothing_is_left_and_nothing_is_said(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_engine("gone", 1)
        assert reap(writer) == []
        assert writer.engines() == []
