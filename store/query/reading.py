"""Looking for words and regular expressions in texts that were read: the slow path, which an index only shortens.

A regular expression may take longer than anybody waits (nested repeats over a text that nearly fits). The `regex` library,
unlike `re`, gives up after a time, and lets other threads run meanwhile, so the explorer stays alive. What it gives up on
is said, never passed over: a search that left a text out would be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from store.errors import StudyError
from store.query.terms import Pattern, Words
from store.query.tokens import Phrase, folded, tokens

DEADLINE_S: Final = 2.0
"""For one expression in one text: a megabyte takes a sound one 50 ms."""
_BEFORE: Final = 40
_AFTER: Final = 80


class TooSlow(StudyError):
    """A regular expression was given up on. The message names it."""


@dataclass(slots=True)
class Reading:
    """One response, looked at for several things."""

    text: str
    _folded: str | None = None

    def place(self, sought: Words | Pattern) -> tuple[int, int] | None:
        """Where it stands first; None where it does not. Raises TooSlow."""
        if isinstance(sought, Words):
            if self._folded is None:
                self._folded = folded(self.text)
            return _phrase(sought).search(self._folded)
        found = _searched(sought, self.text)
        return None if found is None else found.span()

    def holds(self, sought: Words | Pattern) -> bool:
        return self.place(sought) is not None

    def around(self, span: tuple[int, int]) -> str:
        """The text around a place, one line of it."""
        start = max(0, span[0] - _BEFORE)
        end = min(len(self.text), max(span[0] + _AFTER, min(span[1], span[0] + 2 * _AFTER)))
        cut = " ".join(self.text[start:end].split())
        return "…" * (start > 0) + cut + "…" * (end < len(self.text))


@lru_cache(maxsize=64)
def _phrase(sought: Words) -> Phrase:
    return Phrase(tokens(sought.value), sought.prefix)


@lru_cache(maxsize=64)
def _expression(sought: Pattern) -> Any:
    import regex  # type: ignore[import-untyped, unused-ignore]

    try:
        return regex.compile(sought.value, regex.IGNORECASE if sought.aside else 0)
    except (regex.error, OverflowError, RecursionError, MemoryError) as error:
        raise StudyError(f"the regular expression {sought.text} cannot be read: {error}; write it anew") from None


def _searched(sought: Pattern, text: str) -> Any:
    try:
        return _expression(sought).search(text, timeout=DEADLINE_S, concurrent=True)
    except TimeoutError:
        raise TooSlow(
            f"{sought.text} takes more than {DEADLINE_S:.0f} s on one text of {len(text):,} characters, so the search was given"
            f" up; write it without a repeat within a repeat, as (a+)+ has"
        ) from None
