"""What a job and its engines tell each other over a pipe, pickled.

    job:     Open, then for each plan Begin and as many More as the engine asks for, an empty one last; Close at the end
    engine:  Opened; for each plan Begun, Hungry whenever its queue runs low, Drew, at last Ended; Refused and Broke

Requests travel as numbers only: the engine has rendered the plan's prompts itself, and told them. It needs nothing of the
study, and imports nothing of what writes one.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.prompts import Template
from engine.samplers.base import Drawn, Facts, Manner, Opening
from store.types import Prompt


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sample to draw."""

    problem: int
    """Its place among the plan's problems."""
    index: int
    seed: int


@dataclass(frozen=True, slots=True)
class Open:
    sampler: str
    opening: Opening


@dataclass(frozen=True, slots=True)
class Begin:
    number: int
    """By which both sides know the plan from now on."""
    template: Template
    statements: tuple[str, ...]
    """Of the plan's problems."""
    manner: Manner


@dataclass(frozen=True, slots=True)
class More:
    wanted: tuple[Wanted, ...]
    """None: that was all of this plan."""


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Opened:
    facts: Facts


@dataclass(frozen=True, slots=True)
class Begun:
    number: int
    prompts: tuple[Prompt, ...]
    """In the order of the plan's problems."""


@dataclass(frozen=True, slots=True)
class Hungry:
    number: int
    count: int
    """How many it would like."""


@dataclass(frozen=True, slots=True)
class Drew:
    number: int
    drawn: tuple[Drawn, ...]
    """The unit of each request is a pair: the problem's place, and the index. The prompt is left out."""


@dataclass(frozen=True, slots=True)
class Ended:
    """All that was wanted of this plan is drawn."""

    number: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The sampler's own sentence on why it cannot: trying again would end the same."""

    sentence: str
    number: int | None = None
    """Of the plan that cannot be drawn; None: the model cannot be opened, and the engine ends."""


@dataclass(frozen=True, slots=True)
class Broke:
    """An engine's last words."""

    sentence: str
    memory: bool
    """It ran out of memory."""


Order = Open | Begin | More | Close
News = Opened | Begun | Hungry | Drew | Ended | Refused | Broke
