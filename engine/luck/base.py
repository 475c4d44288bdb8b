"""What speaks for luck in a trace: the kinds of reason, and one reason with its place.

A reason is a fact about the text of ONE response, found without asking a model: where it stands (character offsets into
the response), what kind it is and what exactly was seen. It is grounds for reading the trace, never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Why a right answer may owe more to luck than to its chain."""

    FALSE_EQUALITY = "false equality"
    """A stated equality between numbers, or a step said to simplify, whose two sides differ."""
    FALSE_REWRITE = "false rewrite"
    """An equation rewritten from one line to the next into another one."""
    UNDERIVED = "underived"
    """The answer comes from nothing that stands before it."""
    GUESS = "guess"
    """The text says itself that it guesses."""
    ANSWER_AWARE = "answer aware"
    """The text speaks of an answer or solution that it was given."""
    CHANGED = "changed"
    """The answer is another one than what the chain arrived at."""
    NO_CHAIN = "no chain"
    """There is an answer and no derivation."""
    COMMON_WRONG = "common wrong"
    """Wrong chains often give this answer."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One finding: response[start:end] is the text it is about."""

    kind: Kind
    start: int
    end: int
    detail: str
    """One plain sentence for a reader, e.g. "195+367+562+900 is 2024, not 1924"."""
    retracted: bool = False
    """The text takes this line back itself ("wait, that's wrong"): an honest mistake, not one the answer stands on."""
