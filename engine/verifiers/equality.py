r"""The cheap ladder: decides most pairs of answers from their text and from exact arithmetic, without computer algebra.

    cheap_equal("1/2", "0.5")        ->  (True, "number")
    cheap_equal("(1,2)", r"\{1,2\}") ->  (False, "text")
    cheap_equal("x+1", "1+x")        ->  None: undecided, ask Math-Verify

Exact numbers decide both ways and without tolerance: 0.3333 is not 1/3. A percentage equals the bare number and the
fraction (50% equals 50 and 0.5, which are not equal to one another). A unit counts only where both sides write one. Words
are compared without case. Some pairs that Math-Verify 0.9.0 holds equal are refused here: an interval and a set, a ratio
and a fraction, morning and evening, one numeral in two bases, words with the same letters.
"""

from __future__ import annotations

import re
from typing import Final

from engine.verifiers.quantities import Quantity, is_qualified, quantity
from engine.verifiers.surface import normalise

_WORDS: Final = re.compile(r"\(?([A-Za-z]+(?:[ '-][A-Za-z]+)*)\)?")
_AS_TEXT: Final = re.compile(r"[\s$]*\\(?:text|mbox|mathrm)")
_LONG_WORD: Final = re.compile(r"[A-Za-z]{4}")
_RATIO: Final = re.compile(r"[0-9]+:[0-9]+")
_BASED: Final = re.compile(r"[0-9A-Z]+_(\{[0-9]+\}|[0-9]+)")
_HALF_OF_DAY: Final = re.compile(r"[0-9]\s*([ap])\.?m\b", re.IGNORECASE)


def cheap_equal(reference: str, answer: str) -> tuple[bool, str] | None:
    """Whether the two are equal and the rung that says so ("text" or "number"), or None where neither can."""
    ours, theirs = normalise(reference), normalise(answer)
    if ours and ours == theirs:
        return True, "text"
    if not ours or not theirs:
        return None
    if (equal := _equal_quantities(quantity(reference), quantity(answer))) is not None:
        return equal, "number"
    if (equal := _equal_words(reference, answer)) is not None:
        return equal, "text"
    if is_qualified(reference) != is_qualified(answer) or _clash(ours, theirs):
        return False, "text"
    return None


def _equal_quantities(ours: Quantity | None, theirs: Quantity | None) -> bool | None:
    """None also where two units differ: 1 m and 100 cm, or two spellings of one."""
    if ours is None or theirs is None:
        return None
    if ours.unit == theirs.unit:
        return ours.value == theirs.value
    if ours.unit and theirs.unit:
        return None
    if "%" not in {ours.unit, theirs.unit}:
        return ours.value == theirs.value
    percentage, bare = (ours, theirs) if ours.unit == "%" else (theirs, ours)
    return bare.value in {percentage.value, percentage.value / 100}


def _equal_words(reference: str, answer: str) -> bool | None:
    """Math-Verify reads bare letters as a product, in which "east" is "seat"; words it must not see."""
    ours, theirs = _WORDS.fullmatch(normalise(reference)), _WORDS.fullmatch(normalise(answer))
    if ours is None or theirs is None:
        return None
    # A word and not a product of variables: set as text, or four letters in a row.
    if not any(_AS_TEXT.match(side) for side in (reference, answer)) and not any(
        _LONG_WORD.search(m[1]) for m in (ours, theirs)
    ):
        return None
    return ours[1].casefold() == theirs[1].casefold()


def _clash(ours: str, theirs: str) -> bool:
    """Whether two normalised texts are of kinds that are never equal."""
    return (
        _differ(_brackets(ours), _brackets(theirs))
        or (bool(_RATIO.fullmatch(ours)) and ":" not in theirs)
        or (bool(_RATIO.fullmatch(theirs)) and ":" not in ours)
        or _differ(_found(_HALF_OF_DAY.search(ours)), _found(_HALF_OF_DAY.search(theirs)))
        or _differ(_found(_BASED.fullmatch(ours)), _found(_BASED.fullmatch(theirs)))
    )


def _differ(ours: str | None, theirs: str | None) -> bool:
    """Whether both sides have the feature, and it is not the same."""
    return None not in {ours, theirs} and ours != theirs


def _found(match: re.Match[str] | None) -> str | None:
    return match[1].lower().strip("{}") if match else None


def _brackets(text: str) -> str | None:
    r"""The pair around a whole list, such as "[)" for [2,5), or None where it is no list in one pair of brackets."""
    bare = text.replace("\\", "")
    if "," not in bare or bare[0] not in "([{" or bare[-1] not in ")]}":
        return None
    depth = 0
    for place, character in enumerate(bare, start=1):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and place < len(bare):
            return None
    return bare[0] + bare[-1]
