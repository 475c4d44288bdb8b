"""What a word of a text is: a run of letters and digits, capitals aside. One definition, for the index and for reading texts.

The index (store/words.py) is given `for_index(text)` and parts it at what `tokens` parts it at, so that a search finds the
same with it and without it, whatever Unicode SQLite knows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_TOKEN: Final = re.compile(r"[^\W_]+")
_NO_LETTER: Final = re.compile(r"[^\w\x00-\x7f]")
"""Beyond ASCII, where the index takes every character for a letter."""


def folded(text: str) -> str:
    """The text without capitals, as long as it was: a place in it is a place in the text."""
    lower = text.lower()
    if lower.isascii():
        return lower
    if len(lower) != len(text):  # İ alone becomes two characters
        lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    return lower.replace("ς", "σ")  # Python writes the last sigma of a word in another way


def tokens(text: str) -> list[str]:
    """The words of a text, capitals aside."""
    return _TOKEN.findall(folded(text))


def for_index(text: str) -> str:
    """The text as FTS5's tokenizer `ascii` parts it into the same words: what is no letter there is a blank."""
    return text if text.isascii() else _NO_LETTER.sub(" ", folded(text))


class Phrase:
    """Words one after the other, to be looked for in folded texts; prefix: the last of them may go on.

    The first word is looked for as it is, which takes a hundredth of a pattern's time where it is rare.
    """

    def __init__(self, words: Sequence[str], prefix: bool = False) -> None:
        self._first = words[0]
        self._whole = re.compile(r"[\W_]+".join(map(re.escape, words)) + ("" if prefix else r"(?![^\W_])"))

    def search(self, text: str) -> tuple[int, int] | None:
        """Where it stands first in a folded text."""
        start = text.find(self._first)
        while start >= 0:
            if not (start and text[start - 1].isalnum()):
                found = self._whole.match(text, start)
                if found:
                    return found.span()
            start = text.find(self._first, start + 1)
        return None
