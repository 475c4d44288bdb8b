"""Stop strings: where in its text a response ends, whoever generates its tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

_OF_A_CHARACTER: Final = 4
"""Tokens that one character may be spread over: its bytes in UTF-8."""
_BROKEN: Final = "\ufffd"
"""What the bytes of a part of a character are shown as."""


def cut(text: str, stop: Sequence[str]) -> tuple[str, str] | None:
    """The text before the first stop string, and that string; None where none is in it."""
    found = [(place, string) for string in stop if (place := text.find(string)) >= 0]
    if not found:
        return None
    place, string = min(found)
    return text[:place], string


class StopStrings:
    """Watches responses for stop strings while their tokens come.

    Most tokens cannot end any of them and cost a look-up. After the others the end of the text is read, and the whole of it
    only where a stop string is in that.
    """

    def __init__(self, stop: Sequence[str], text_of: Callable[[Sequence[int]], str]) -> None:
        """text_of: the text of token ids."""
        self._stop = tuple(stop)
        self._text_of = text_of
        self._lasts = {string[-1] for string in stop}
        self._tail = _OF_A_CHARACTER * max(map(len, stop), default=0)
        self._may_end: dict[int, bool] = {}

    def ended(self, ids: Sequence[int]) -> tuple[str, str] | None:
        """As `cut` of the text of these ids, where the newest of them ended a stop string. Ask after every token."""
        if not self._stop or not self._can_end(ids[-1]):
            return None
        if cut(self._text_of(ids[-self._tail :]), self._stop) is None:
            return None
        return cut(self._text_of(ids), self._stop)  # which the beginning of the tail, read alone, may have looked like

    def _can_end(self, token: int) -> bool:
        known = self._may_end.get(token)
        if known is None:
            text = self._text_of([token, token])  # twice: some tokenizers drop the space that a text begins with
            known = self._may_end[token] = _BROKEN in text or not self._lasts.isdisjoint(text)
        return known
