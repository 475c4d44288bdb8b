"""A judge model behind an OpenAI-compatible server, as one more auditor called "judge:NAME".

Its labels stand beside those of people and never among them: every statistic takes people alone unless a judge is named
(store/audits.py). An answer that holds no label is none; it is counted, and asked for again on the next call. What has a label
of this judge is not asked again, so a call that was stopped goes on. What it is asked: question.py; the requests: server.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Final

from engine.auditing.order import QueueItem
from engine.auditing.question import Split, prompt, read_opinion
from engine.auditing.server import JudgeError, Refused, Server
from store.audits import Audit, AuditWriter, audits
from store.reader import Study
from store.types import JUDGE_PREFIX

AT_ONCE: Final = 8
Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""

_Messages = list[dict[str, str]]
_Answer = str | Refused | JudgeError


@dataclass(slots=True)
class Judged:
    """What became of one call."""

    auditor: str
    labelled: int = 0
    there: int = 0
    """Had a label of this judge already."""
    unreadable: int = 0
    """The answer held no label: none was stored."""
    unread: str = ""
    """The first of those, as it came."""
    refused: int = 0
    """The server gave no answer to this one, for its length perhaps."""
    refusal: str = ""
    """The last one's sentence."""


def auditor_name(name: str) -> str:
    """Always with the prefix that tells models from people."""
    return name if name.startswith(JUDGE_PREFIX) else JUDGE_PREFIX + name


def judge(
    study: Study,
    server: Server,
    items: Sequence[QueueItem],
    *,
    name: str | None = None,
    split: Split | None = None,
    at_once: int = AT_ONCE,
    progress: Progress = lambda _done, _all: None,
) -> Judged:
    """Label these traces, each on disk as its answer arrives. name: the judge's, else its model's. split: numbers the steps.

    Raises JudgeError where the server does not answer, or refuses every request alike; what was labelled before is stored.
    """
    result = Judged(auditor_name(name or server.model))
    has = {row.sample_id for row in audits(study) if row.auditor == result.auditor}
    left = [item for item in items if item.sample_id not in has]
    result.there = len(items) - len(left)
    questions = ((item, prompt(study.trace(item.sample_id), split)) for item in left)
    with AuditWriter(study.path) as writer:
        for done, (item, answer) in enumerate(_asked(server, questions, at_once), start=1):
            _keep(writer, result, item, answer)
            progress(done, len(left))
    return result


def _keep(writer: AuditWriter, result: Judged, item: QueueItem, answer: str | Refused) -> None:
    if isinstance(answer, Refused):
        result.refused += 1
        result.refusal = str(answer)
        return
    opinion = read_opinion(answer)
    if opinion is None:
        result.unread = result.unread or answer
        result.unreadable += 1
        return
    writer.add(Audit(item.sample_id, result.auditor, opinion.label, opinion.step, opinion.reason, item.chosen))
    result.labelled += 1


def _asked(
    server: Server, questions: Iterable[tuple[QueueItem, _Messages]], at_once: int
) -> Iterator[tuple[QueueItem, str | Refused]]:
    """Answers as they arrive, with never more than `at_once` questions on their way.

    The threads are daemons: whoever stops waiting for a slow server need not wait for it to end.
    """
    asked: SimpleQueue[tuple[QueueItem, _Messages] | None] = SimpleQueue()
    answered: SimpleQueue[tuple[QueueItem, _Answer]] = SimpleQueue()
    threads = [Thread(target=_serve, args=(server, asked, answered), daemon=True) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    waiting, running = iter(questions), 0
    try:
        while True:
            while running < at_once and (question := next(waiting, None)) is not None:
                asked.put(question)
                running += 1
            if not running:
                return
            item, answer = answered.get()
            running -= 1
            if isinstance(answer, JudgeError):
                raise answer
            yield item, answer
    finally:
        for _ in threads:
            asked.put(None)


def _serve(
    server: Server,
    asked: SimpleQueue[tuple[QueueItem, _Messages] | None],
    answered: SimpleQueue[tuple[QueueItem, _Answer]],
) -> None:
    while (question := asked.get()) is not None:
        item, messages = question
        answer: _Answer = JudgeError(f"asking {server.endpoint} failed unexpectedly; the traceback says how")
        try:
            answer = server.ask(messages)
        except (Refused, JudgeError) as error:
            answer = error
        finally:  # a defect, too, must reach whoever waits
            answered.put((item, answer))
