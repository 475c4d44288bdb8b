"""A judge model behind an OpenAI-compatible server, as one more auditor called "judge:NAME".

Its labels stand beside those of people and never among them: every statistic takes people alone unless a judge is named
(store/audits.py). An answer that holds no label is none; it is counted, and asked for again on the next call. What has a label
of this judge is not asked again, so a call that was stopped goes on. What it is asked: question.py; the requests: server.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from engine.at_once import answers
from engine.auditing.order import QueueItem
from engine.auditing.question import Split, prompt, read_opinion
from engine.auditing.server import Refused, Server
from store.audits import Audit, AuditWriter, audits
from store.reader import Study
from store.types import JUDGE_PREFIX

AT_ONCE: Final = 8
Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""

_Messages = list[dict[str, str]]


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
    """Label these traces, each on disk as its answer arrives; the server is closed after the last.

    name: the judge's, else its model's. split: numbers the steps.

    Raises JudgeError where the server does not answer, or refuses every request alike; what was labelled before is stored.
    """
    result = Judged(auditor_name(name or server.model))
    has = {row.sample_id for row in audits(study) if row.auditor == result.auditor}
    left = [item for item in items if item.sample_id not in has]
    result.there = len(items) - len(left)
    questions = ((item, prompt(study.trace(item.sample_id), split)) for item in left)
    with AuditWriter(study.path) as writer, closing(server):
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
    """Answers as they arrive, with never more than `at_once` questions on their way."""

    def ask(question: tuple[QueueItem, _Messages]) -> str | Refused:
        try:
            return server.ask(question[1])
        except Refused as refused:
            return refused

    for (item, _), answer in answers(ask, questions, at_once):
        yield item, answer
