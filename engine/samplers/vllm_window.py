"""Many requests on their way through one engine of vLLM: handed over as there is room, each read as it finishes.

A few times as many as the engine works on together are handed to it at once; no more are taken from the caller before there is
room. What the engine gives up it is asked again, but not for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Generic, TypeVar

# Ours before theirs: it sets the environment that vLLM reads as it is loaded.
from engine.samplers.vllm_engine import Engine, told  # isort: skip

from vllm import RequestOutput, SamplingParams

from engine.samplers.base import SamplerError

WINDOW: Final = 4
"""Requests handed to the engine, for each sequence that it works on."""
TRIES: Final = 3
"""Of a request that the engine gives up."""

Wanted = TypeVar("Wanted")
Made = TypeVar("Made")


class GivenUp(Exception):
    """A request ended without what was asked for; the message says how."""


@dataclass(frozen=True, slots=True)
class Asking(Generic[Wanted, Made]):
    """What is asked of the engine, and how its outputs are read."""

    doing: str
    """For a message, e.g. "drawing"."""
    ask: Callable[[Wanted], tuple[Sequence[int], SamplingParams]]
    """Prompt and parameters. Raises SamplerError where there can be none."""
    read: Callable[[Wanted, RequestOutput], Made]
    """Of a finished request. Raises GivenUp where it should be asked again."""


@dataclass(slots=True)
class _Asked(Generic[Wanted]):
    """A request that the engine has."""

    wanted: Wanted
    tries: int


class Window(Generic[Wanted, Made]):
    """One round of work: the requests that the engine has, by the names it knows them by."""

    def __init__(self, engine: Engine, asking: Asking[Wanted, Made]) -> None:
        self._engine = engine
        self._asking = asking
        self._asked: dict[str, _Asked[Wanted]] = {}

    def run(self, waiting: Iterator[Wanted]) -> Iterator[Made]:
        """Each one's outcome as it finishes. Raises SamplerError where the engine breaks down or refuses one."""
        try:
            while self._fill(waiting):
                for output in self._step():
                    yield from self._landed(output)
        finally:
            if self._asked:  # the caller went away
                self._engine.steps.abort_request(list(self._asked))

    def _fill(self, waiting: Iterator[Wanted]) -> bool:
        """Hand over what there is room for. False: there is nothing to wait for, and a step would wait for ever."""
        for wanted in islice(waiting, WINDOW * self._engine.batch - len(self._asked)):
            self._ask(wanted, 1)
        return bool(self._asked)

    def _ask(self, wanted: Wanted, tries: int) -> None:
        prompt, parameters = self._asking.ask(wanted)
        with told("vLLM refuses a request"):
            name = self._engine.add(prompt, parameters)
        self._asked[name] = _Asked(wanted, tries)

    def _step(self) -> list[RequestOutput]:
        with told(f"vLLM broke down while {self._asking.doing}"):
            outputs: list[RequestOutput] = self._engine.steps.step()
        return outputs

    def _landed(self, output: RequestOutput) -> Iterator[Made]:
        """The outcome, where a request of ours has finished. One that the engine gave up is asked again, just as it was."""
        asked = self._asked.pop(output.request_id, None) if output.finished else None
        if asked is None:
            return
        try:
            made = self._asking.read(asked.wanted, output)
        except GivenUp as reason:
            if asked.tries == TRIES:
                raise SamplerError(
                    f"vLLM gave a request up {TRIES} times ({reason}); its messages say why, and the same command goes on"
                    " where it stopped"
                ) from None
            self._ask(asked.wanted, asked.tries + 1)
        else:
            yield made
