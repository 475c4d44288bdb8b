"""What can be asked of traces: every field by its name, what values it takes, and the sentence that says what it is.

The one table for parser, help and completion. Which SQL answers a field stands in `store.query.sql`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from store.audits import LABELS, Meaning
from store.types import Finish, Outcome, Role


class Kind(StrEnum):
    """What a field's values are."""

    CHOICE = "one of a few words"
    WHOLE = "a whole number"
    NUMBER = "a number"
    NAME = "a name"
    """Compared as a whole, capitals aside; a bare * stands for anything."""
    TEXT = "a text"
    """Held where it occurs in it, capitals aside."""


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    told: str
    """What it is, for help and completion."""
    choices: tuple[str, ...] = ()
    """Of a choice: every word, hyphens for blanks."""
    of_problem: bool = False
    """Is it the same for all traces of a problem (of one pair of runs)?"""


def _slugs(words: list[str]) -> tuple[str, ...]:
    return tuple(word.replace(" ", "-") for word in words)


YES_NO: Final = ("yes", "no")
SETS: Final = ("base-only", "other-only", "both", "neither", "unjudged")
EVIDENCE: Final = ("clear", "undetermined")
UNJUDGED: Final = "unjudged"
REASONS: Final = (
    "false-equality", "false-rewrite", "underived", "guess", "answer-aware", "changed", "no-chain", "common-wrong",
)  # fmt: skip
"""Kinds of reason for suspicion, as `engine.luck` has them."""
MEANING_WORDS: Final = {
    "sound": Meaning.SOUND, "unsound": Meaning.UNSOUND, "undecided": Meaning.UNDECIDED, "corrected": Meaning.CORRECTED,
}  # fmt: skip
LABEL_DIGITS: Final = {label.word.replace(" ", "-"): digit for digit, label in LABELS.items()}

_LABELS: Final = (*map(str, LABELS), *LABEL_DIGITS, *MEANING_WORDS)
_OUTCOMES: Final = (*_slugs([outcome.replace("_", " ") for outcome in Outcome]), UNJUDGED)

_ALL: Final = (
    Field("set", Kind.CHOICE, "which of the two runs solve the problem, at their common k", SETS, of_problem=True),
    Field("evidence", Kind.CHOICE, "do the two runs' rates differ clearly on the problem", EVIDENCE, of_problem=True),
    Field("correct", Kind.CHOICE, "is the answer right; errors and what nobody judged are neither", YES_NO),
    Field("outcome", Kind.CHOICE, "what the deciding verifier says", _OUTCOMES),
    Field("answer", Kind.NAME, "the answer as the deciding verifier read it"),
    Field("label", Kind.CHOICE, "the label in force: a digit, its word, or what it means", _LABELS),
    Field("auditor", Kind.NAME, "who has labelled it"),
    Field("note", Kind.TEXT, "what somebody noted of it"),
    Field("flag", Kind.CHOICE, "has somebody flagged it", YES_NO),
    Field("tag", Kind.NAME, "a word that somebody put on the problem", of_problem=True),
    Field("perplexity", Kind.NUMBER, "under the base model, at temperature 1"),
    Field("length", Kind.WHOLE, "in characters"),
    Field("tokens", Kind.WHOLE, "in tokens, where they were counted"),
    Field("path", Kind.WHOLE, "the reasoning path it takes, a number within its problem"),
    Field("suspicion", Kind.NUMBER, "how much speaks for luck, from 0 to 1"),
    Field("why", Kind.CHOICE, "a reason for suspicion, also one that the text takes back", REASONS),
    Field("benchmark", Kind.NAME, "the problem's benchmark", of_problem=True),
    Field("problem", Kind.NAME, "the problem's key", of_problem=True),
    Field("statement", Kind.TEXT, "the problem's statement", of_problem=True),
    Field("reference", Kind.NAME, "the problem's reference answer", of_problem=True),
    Field("level", Kind.NAME, "the problem's level", of_problem=True),
    Field("kind", Kind.NAME, "the problem's kind, such as math", of_problem=True),
    Field("run", Kind.NAME, "the run's slug, with or without @benchmark, or its short name"),
    Field("model", Kind.NAME, "the model's name, or its last part"),
    Field("role", Kind.CHOICE, "what the model is in the comparison", tuple(Role)),
    Field("route", Kind.NAME, "how the deciding verifier came to its verdict"),
    Field("finish", Kind.CHOICE, "why generation ended; length is a limit", (Finish.STOP, Finish.LENGTH)),
    Field("verifier", Kind.NAME, "whose verdict decides"),
    Field("disputed", Kind.CHOICE, "does another verifier, the file or another rule contradict the verdict", YES_NO),
    Field("sample", Kind.WHOLE, "its number within run and problem"),
    Field("extra", Kind.CHOICE, "was it drawn beyond the run's n because a plan asked for it", YES_NO),
    Field("solved", Kind.NUMBER, "its run's share of right answers to the problem, c/n, from 0 to 1"),
)

FIELDS: Final = {field.name: field for field in _ALL}
ALIASES: Final = {"ppl": "perplexity", "chars": "length", "idx": "sample", "index": "sample", "flagged": "flag",
                  "reason": "why", "bench": "benchmark", "key": "problem"}  # fmt: skip
"""Other names that people type."""
