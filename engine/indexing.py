"""The stage `index`: the words of all responses, and what speaks for luck in the right answers, made where they are lacking.

Stopped at any moment, it goes on where it was. Suspicions are found in processes, which read the study themselves; the writer,
here, is the only one that writes. They are of the moment: that wrong chains often give an answer is told by those there are.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from engine.pace import in_time
from engine.suspecting import Suspected, suspect
from store import words
from store.errors import StudyError
from store.index_writer import IndexWriter
from store.reader import Study
from store.suspicions import ReasonRow, SuspicionRow, lacking

VERSION: Final = "1"
"""Of the rules in engine/luck. Whoever changes what they find gives it the next number: stored rows are made again."""

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""

_BATCH: Final = 50
"""Texts read at once."""
_TRANSACTION_CHARS: Final = 16 << 20
_PART: Final = 100
"""Traces that a process is given at once."""
_WORTH_PROCESSES: Final = 400
"""Fewer traces than this are read before a second process has started."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What became of the index of words."""

    added: int
    """Responses that were not in it."""
    possible: bool
    """False where this program's SQLite has no full-text index."""
    made_anew: bool = False
    """What was there was of another making, or another program had changed it."""


@dataclass(slots=True)
class Looked:
    """What became of the right answers."""

    read: int = 0
    with_reasons: int = 0


def index_words(writer: IndexWriter, progress: Progress = lambda _done, _all: None) -> Indexed:
    """Put every response into the index that is not in it."""
    with Study(writer.path) as study:
        if not words.has_fts5(study):
            return Indexed(0, possible=False)
        state = words.state(study)
        had_one = words.exists(study)
        sound = state.usable and not words.has_holes(study, state.indexed_to)
        if not sound:
            writer.make_index()
        after = state.indexed_to if sound else 0
        total, done = words.count_to_index(study, after), 0
        progress(0, total)
        for texts in _transactions(study, after):
            writer.add_words(texts)
            done += len(texts)
            progress(done, total)
    return Indexed(done, possible=True, made_anew=had_one and not sound)


def index_suspicions(
    writer: IndexWriter, progress: Progress = lambda _done, _all: None, processes: int | None = None
) -> Looked:
    """Look at every right answer that this version of the rules has not looked at. processes: None for as many as there are
    cores."""
    looked = Looked()
    with Study(writer.path) as study:
        ids = lacking(study, VERSION)
    progress(0, len(ids))
    with _suspected(writer.path, ids, processes or _cores()) as found:
        for some in in_time(found):
            rows = [row for part in some for row in part]
            writer.put_suspicions(VERSION, rows)
            looked.read += len(rows)
            looked.with_reasons += sum(bool(row.reasons) for row in rows)
            progress(looked.read, len(ids))
    return looked


def _transactions(study: Study, after: int) -> Iterator[list[tuple[int, str]]]:
    """Responses for one transaction each."""
    waiting: list[tuple[int, str]] = []
    chars = 0
    for texts in words.to_index(study, after, _BATCH):
        waiting += texts
        chars += sum(len(text) for _, text in texts)
        if chars > _TRANSACTION_CHARS:
            yield waiting
            waiting, chars = [], 0
    if waiting:
        yield waiting


@contextmanager
def _suspected(path: Path, ids: Sequence[int], processes: int) -> Iterator[Iterator[list[SuspicionRow]]]:
    """What is found, in parts. Raises StudyError where a process was killed."""
    parts = [ids[start : start + _PART] for start in range(0, len(ids), _PART)]
    if processes < 2 or len(ids) < _WORTH_PROCESSES:
        with Study(path) as study:
            yield ([_row(one) for one in suspect(study, part)] for part in parts)
        return
    # Spawned, not forked: a process shares no connection, lock or thread with us.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _start, (path,))
    try:
        yield pool.map(_look, parts)
    except BrokenProcessPool:
        raise StudyError(
            f"a process that was reading {path} was killed, for its memory perhaps; what was found is stored, run the same"
            f" command again to go on"
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_study: Study | None = None
"""Of a process of the pool."""


def _start(path: Path) -> None:
    """What a process does first: leave Ctrl-C to the one that started it, and end with that one however it ends."""
    global _study
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _study = Study(path)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def _look(sample_ids: Sequence[int]) -> list[SuspicionRow]:
    if _study is None:
        raise RuntimeError("the process has no study")
    return [_row(one) for one in suspect(_study, sample_ids)]


def _row(found: Suspected) -> SuspicionRow:
    reasons = (ReasonRow(one.kind, one.start, one.end, one.detail, one.retracted) for one in found.reasons)
    return SuspicionRow(found.sample_id, found.score, tuple(reasons))


def _cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
