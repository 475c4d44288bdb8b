r"""What a text takes back: lines before "wait, that's wrong" or "let me redo this" are an honest attempt, no part of it.

    Retractions(text).covers(start, end)   whether text[start:end] stands in a stretch that is taken back soon after

Two strengths. A doubt ("Wait,", "hmm", "Actually, no") reaches back over the lines right before it; a rejection ("that's
wrong", "I made a mistake", "let me start over", "this doesn't work") over the attempt, back to the words that began it ("Let
me try", "Alternatively") where they are near. Struck text (~~...~~, \sout{...}) is taken back as well. One pass: linear.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import Final

_DOUBT: Final = re.compile(
    r"\bwait\b(?=\s*[,.!:;…—-])|\bwait (?:no|that|this|a minute|but)\b"
    r"|\b(?:hmm+|hold on|oops|whoops|correction|my apologies|i apologi[sz]e)\b"
    r"|\blet(?:'s| me|’s) (?:double[- ]?check|re-?check|recompute|recalculate|re-?evaluate|reconsider|correct)\b"
    r"|\bactually,? (?:no|that|this|it|i|the correct)\b|(?:(?<=[.!?\n] )|(?<=\n))no[,.]",
    re.IGNORECASE,
)
_REJECTION: Final = re.compile(
    r"\b(?:that|this|it|which|above|result|answer)(?:'s|’s| is| was| seems| looks| must be)"
    r" (?:clearly |obviously |also |just |still )?"
    r"(?:wrong|incorrect|not (?:right|correct|possible|valid|true)|an error|a mistake|impossible)\b"
    r"|\b(?:made|making|there (?:is|was|seems to be)) (?:a|an|some)(?: \w+)? (?:mistake|error)\b"
    r"|\b(?:doesn['’]t|does not|didn['’]t|did not) (?:\w+ )?(?:work|match|fit|make sense|seem right|add up)\b"
    r"|\blet(?:'s| me|’s) (?:redo|start over|start again|try again|retry|fix|scrap)\b"
    r"|\b(?:scratch that|start(?:ing)? over|ignore that|disregard|miscalculated|miscounted|mistakenly)\b",
    re.IGNORECASE,
)
_ATTEMPT: Final = re.compile(
    r"\b(?:alternatively|another (?:approach|way|idea|attempt|try)"
    r"|(?:first|second|third) attempt|attempt \d|let(?:'s| me|’s) try|trying)\b",
    re.IGNORECASE,
)
_STRUCK: Final = re.compile(r"~~[^~\n]{1,500}~~|\\sout\{[^{}\n]{1,500}\}")

_FAR: Final = 1 << 62
_DOUBT_REACH: Final = 250
_REJECTION_REACH: Final = 700
_ATTEMPT_REACH: Final = 2000
"""Characters back from the phrase."""


class Retractions:
    """The stretches of one text that are taken back."""

    def __init__(self, text: str) -> None:
        self.spans: list[tuple[int, int]] = _merged(_spans(text))
        """As (start, end), in order and apart."""

    def covers(self, start: int, end: int) -> bool:
        """Whether all of text[start:end] is taken back."""
        at = bisect_right(self.spans, (start, _FAR)) - 1
        return at >= 0 and self.spans[at][0] <= start and end <= self.spans[at][1]


def _spans(text: str) -> list[tuple[int, int]]:
    spans = [match.span() for match in _STRUCK.finditer(text)]
    spans += [(max(0, match.start() - _DOUBT_REACH), match.start()) for match in _DOUBT.finditer(text)]
    attempts = [match.start() for match in _ATTEMPT.finditer(text)]
    spans += [(_attempt_start(attempts, match.start()), match.start()) for match in _REJECTION.finditer(text)]
    return spans


def _attempt_start(attempts: list[int], end: int) -> int:
    at = bisect_left(attempts, end) - 1
    if at >= 0 and attempts[at] >= end - _ATTEMPT_REACH:
        return attempts[at]
    return max(0, end - _REJECTION_REACH)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
