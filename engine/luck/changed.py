r"""Answers that are not what the chain arrived at, and answers that wrong chains often give.

    "The answer is 72. ... \boxed{73}"                                    CHANGED: another one was announced before
    "None of the choices matches 4.2. ... \boxed{B}"                      CHANGED: its result fits nothing that is offered
    73, where 9 of 20 wrong chains of the same problem give 73 as well    COMMON_WRONG

Where the text says in between that something was wrong ("wait", "let me recheck"), the change is an honest correction: the
reason is kept, marked as retracted. A box that is not called the answer may hold a result on the way and is passed over, and so
is what one sentence announces together (x = \boxed{3}, y = \boxed{4}), and a rounding. "The closest choice" is no sign: on
labelled chains that is mostly a rounding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from engine.luck.answered import Answered, option
from engine.luck.base import Kind, Reason
from engine.verifiers.base import Piece
from engine.verifiers.equality import cheap_equal
from engine.verifiers.quantities import quantity

COMPARED: Final = 40
"""Answers that are compared with the one that counts: the last that are announced, the most frequent of wrong chains."""
LONGEST: Final = 300
"""In characters; a longer answer is not compared."""
OFTEN: Final = 0.2
"""Of the wrong chains; a smaller share is no sign."""
LEAST_WRONG: Final = 3
"""Wrong chains that must give the answer."""

_CORRECTS: Final = re.compile(
    r"\b(?:wait|actually|hmm|oops|mistaken?|wrong|incorrect|error|re-?check|re-?consider|re-?calculate|re-?examine|revise|sorry"
    r"|correct(?:ion|ing)|not correct|double[- ]check|apolog|scratch that|go back|let me (?:check|verify|try|redo|see))",
    re.IGNORECASE,
)
_FINAL: Final = re.compile(r"\banswer\b|\bfinal\b|\#{4}", re.IGNORECASE)
_OFFERED: Final = (
    r"(?:the |these |those )?(?:(?!other )[a-z]{1,12} ){0,3}(?:choices|options|answers)\b(?! (?:\w{1,12} ){0,3}(?:except|but))"
)
_DECIMALS: Final = re.compile(r"[0-9]\.([0-9]{1,12})")
_NO_FIT: Final = re.compile(
    rf"\bnone of {_OFFERED}"
    rf"|\b(?:does|do)(?: not|n['’]t) (?:exactly )?(?:match|correspond to|agree with|equal|fit) (?:any|one) of {_OFFERED}"
    rf"|\b(?:not|isn['’]t) (?:listed )?(?:among|one of|in) {_OFFERED}"
    r"|\bto be (?:an? )?(?:\w{1,12} )?(?:error|mistake|typo|inconsistency|discrepancy) (?:in|with) the (?:\w{1,12} ){0,2}"
    r"(?:problem|question|choices|options|statement|answer)",
    re.IGNORECASE,
)


def changed(of: Answered) -> list[Reason]:
    """CHANGED, at an announced answer that is not the one that counts, or where the result is said to fit nothing offered."""
    return [*_other_answer(of), *_no_fit(of)]


def common_wrong(answer: Piece, wrong_answers: Sequence[str]) -> list[Reason]:
    """COMMON_WRONG where at least OFTEN of the wrong chains, and LEAST_WRONG of them, give this answer; no option's letter.

    wrong_answers: one entry for each wrong chain of the same problem that gives an answer.
    """
    if len(answer.content) > LONGEST or option(answer.content):
        return []
    often = Counter(text for text in wrong_answers if len(text) <= LONGEST).most_common(COMPARED)
    same = sum(times for text, times in often if _equal(text, answer.content))
    if same < max(LEAST_WRONG, OFTEN * len(wrong_answers)):
        return []
    return [
        Reason(Kind.COMMON_WRONG, answer.start, answer.end, f"{same} of {len(wrong_answers)} wrong chains give this answer too")
    ]


@lru_cache(maxsize=4096)
def _equal(one: str, other: str) -> bool:
    """Kept, because the traces of one problem ask for the same pairs again and again."""
    return (cheap_equal(one, other) or (False, ""))[0]


def _other_answer(of: Answered) -> list[Reason]:
    """The first announced answer that surely differs from the one that counts, which comes in a later sentence."""
    own, _ = of.leads[of.announced.index(of.answer)]
    earlier = [(lead, piece) for lead, piece in zip(of.leads, of.announced, strict=True) if piece.end <= own]
    for lead, piece in earlier[-COMPARED:]:
        if _FINAL.search(of.text, *lead) and _differ(piece.content, of.answer.content):
            honest = _CORRECTS.search(of.text, piece.end, of.answer.start) is not None
            said = f"it announces {_short(piece)} first and {_short(of.answer)} in the end"
            return [Reason(Kind.CHANGED, piece.start, piece.end, said, retracted=honest)]
    return []


def _no_fit(of: Answered) -> list[Reason]:
    match = _NO_FIT.search(of.text)
    if match is None or match[0].casefold() in (of.statement or "").casefold():
        return []
    said = f"what it arrives at does not fit what is offered: “{' '.join(match[0].split())}”"
    return [Reason(Kind.CHANGED, *match.span(), said)]


def _differ(one: str, other: str) -> bool:
    """Whether two answers are surely two. What cannot be compared cheaply is taken for the same."""
    if max(len(one), len(other)) > LONGEST:
        return False
    letters = option(one), option(other)
    if letters != (None, None):
        return None not in letters and letters[0] != letters[1]
    decided = cheap_equal(one, other)
    return decided is not None and not decided[0] and not _rounded(one, other)


def _rounded(one: str, other: str) -> bool:
    """Whether one may be the other to fewer digits, up or down: 3.7 and 4, 12.857 and 12.86."""
    values = [found.value for text in (one, other) if (found := quantity(text)) is not None]
    places = [
        len(decimals[1]) if (decimals := _DECIMALS.search(text)) else 0
        for text in (one, other)
        if "/" not in text and "frac" not in text
    ]
    return len(values) == 2 and bool(places) and abs(values[0] - values[1]) * 10 ** min(places) < 1


def _short(piece: Piece) -> str:
    text = " ".join(piece.content.split())
    return text if len(text) <= 40 else text[:39] + "…"
