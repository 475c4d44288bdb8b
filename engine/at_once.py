"""Many questions on their way at once, by threads: for what waits for an answer from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Final, Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Found = TypeVar("Found")

_LAST_LOOK_S: Final = 1.0
"""How long whoever stops asking waits for a question that is being taken."""


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _End:
    """Of the questions, or of a thread's work."""


_END: Final = _End()


def answers(
    ask: Callable[[Question], Answer], questions: Iterable[Question], at_once: int
) -> Iterator[tuple[Question, Answer]]:
    """Each question with its answer, as answers come; never more than `at_once` questions are taken and unanswered.

    Questions are taken in a thread of their own, so that one that is long in coming holds up no answer. Whatever taking or
    asking raises is raised here. The threads are daemons: whoever stops waiting for a slow server need not wait for it to end.
    """
    yield from _Asking(ask, questions, at_once).run()


class _Asking(Generic[Question, Answer]):
    def __init__(self, ask: Callable[[Question], Answer], questions: Iterable[Question], at_once: int) -> None:
        self._ask = ask
        self._questions = questions
        self._at_once = at_once
        self._room = Semaphore(at_once)
        self._stopped = Event()
        self._asked: SimpleQueue[tuple[Question] | _End] = SimpleQueue()
        self._answered: SimpleQueue[tuple[Question, Answer] | _Failed | _End] = SimpleQueue()

    def run(self) -> Iterator[tuple[Question, Answer]]:
        taker = Thread(target=self._take, name="taking", daemon=True)
        for thread in (taker, *(Thread(target=self._work, name="asking", daemon=True) for _ in range(self._at_once))):
            thread.start()
        ended = 0
        try:
            while ended < self._at_once:
                found = self._answered.get()
                if isinstance(found, _Failed):
                    raise found.error
                if isinstance(found, _End):
                    ended += 1
                    continue
                self._room.release()
                yield found
        finally:
            self._stopped.set()
            self._room.release()
            self._end_work()
            taker.join(_LAST_LOOK_S)

    def _take(self) -> None:
        waiting = iter(self._questions)
        while True:
            self._room.acquire()
            if self._stopped.is_set():
                return
            question = _caught(lambda: next(waiting, _END))
            if isinstance(question, _Failed):
                self._answered.put(question)
                return
            if isinstance(question, _End):
                self._end_work()
                return
            self._asked.put((question,))

    def _end_work(self) -> None:
        for _ in range(self._at_once):
            self._asked.put(_END)

    def _work(self) -> None:
        while not isinstance(asked := self._asked.get(), _End):
            (question,) = asked
            answer = _caught(partial(self._ask, question))
            self._answered.put(answer if isinstance(answer, _Failed) else (question, answer))
        self._answered.put(_END)


def _caught(work: Callable[[], Found]) -> Found | _Failed:
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - a defect, too, must reach whoever waits
        return _Failed(error)
