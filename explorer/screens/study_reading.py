"""What the Study screen's workers find out, as messages: stored sums, rates, intervals, and the pair under the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import sleep
from typing import Final

from textual.message import Message
from textual.worker import get_current_worker

from engine.parity import beyond_settings
from explorer.model.audit_stand import AuditStand, audit_stand
from explorer.model.every_run import Against
from explorer.model.numbers import Limits, PairDepth, PairNumbers, StudyNumbers, pair_depth, pair_numbers
from explorer.model.session import Boards, Pair, Session
from store.measures import RunDrawn

_REST_SECONDS: Final = 0.1
"""How long the cursor rests on a run before intervals are computed: holding j computes none."""
_ONE_AT_A_TIME: Final = Lock()
"""Intervals of a thousand problems take seconds: whoever goes on to the next run must not wait for those of the last ones."""

PairKey = tuple[int, int | None]


@dataclass
class Painted(Message):
    """The stored tallies are on the screen; what needs numpy may begin."""


@dataclass
class RunsRead(Message):
    """Stored sums of each run, by run_id."""

    drawn: Mapping[int, RunDrawn]
    labelled: Mapping[int, int]


@dataclass
class NumbersReady(Message):
    numbers: StudyNumbers


@dataclass
class LimitsReady(Message):
    """By run_id."""

    limits: Mapping[int, Limits]


@dataclass
class PairReady(Message):
    pair: Pair
    numbers: PairNumbers


@dataclass
class DepthReady(Message):
    """What is uncertain about a pair, and what its audit stands at; None where the cursor has left it."""

    pair: Pair
    depth: PairDepth | None
    stand: AuditStand | None
    beyond: Sequence[str] = ()
    """In what the two differ beside models and settings."""


@dataclass
class EveryoneReady(Message):
    """All runs against the baseline of this pair."""

    pair: Pair
    rows: Sequence[Against]


@dataclass
class BoardsRead(Message):
    """The study's boards as they are now; None where nothing has changed."""

    boards: Boards | None
    asked: bool
    """Whether somebody asked for it, and so wants an answer."""


def key_of(pair: Pair) -> PairKey:
    return pair.base.run_id, None if pair.other is None else pair.other.run_id


def compared(pair: Pair) -> PairReady:
    # plotext is imported here, in the worker, so that the plot widget finds it ready.
    import explorer.render.plot  # noqa: F401

    return PairReady(pair, pair_numbers(pair))


def deeper(session: Session, pair: Pair, numbers: PairNumbers) -> DepthReady:
    sleep(_REST_SECONDS)
    with _ONE_AT_A_TIME:
        if get_current_worker().is_cancelled:
            return DepthReady(pair, None, None)
        stand = audit_stand(session.study, session.verifier, pair, numbers.sets)
        beyond = [] if pair.other is None else beyond_settings(session.study, pair.base, pair.other)
        return DepthReady(pair, pair_depth(pair, numbers), stand, beyond)
