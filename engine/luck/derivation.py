r"""Does the answer come out of anything? Two reasons, each about a whole response:

    NO_CHAIN    "The answer is \boxed{12}."                                    hardly any words, and nothing computed
    UNDERIVED   "We look at the cases one by one. So the sum is \boxed{12}."   a chain in which 12 never comes up

An answer is derived where its value stands anywhere but where it is announced, where plain numbers combine to it (48+24 for
72, or two of the last ones before it), or where the announcing sentence computes it ("so it is n(n-1)/2 = \boxed{12}"). A value
that the problem's statement holds, too, must come up as a result ("= 12", "is 12"): a copy is derived from nothing.

Compared are exact values in all spellings (1/2, 0.5, 50%, twelve, 1,200), roundings to the answer's decimals, and for other
answers their text without spaces; a list or a formula is derived where each of its numbers is. Not judged: the letter of an
option, whose value is not known, and dates.
"""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import permutations
from typing import Final

from engine.luck.answered import Answered, option
from engine.luck.base import Kind, Reason
from engine.luck.numbers import computed, tokens, values, written
from engine.verifiers.quantities import quantity

LEAST_WORDS: Final = 8
"""Fewer words than this, with nothing computed, are no chain."""
LAST_NUMBERS: Final = 5
LAST_WITHIN: Final = 300
"""The numbers before the answer that a reader combines at sight, and in how many characters."""
LONGEST: Final = 300
"""In characters; whether a longer answer is derived is not judged."""

_WORD: Final = re.compile(r"[\u3040-\u9fff]|[^\W\d_\u3040-\u9fff]{2,}")
"""Or a sign of Chinese or Japanese."""
_ANNOUNCING: Final = re.compile(
    r"let['’]s think step[- ]by[- ]step"
    r"|\b(?:so|thus|hence|therefore|and|the|final|solution|correct|answer|is|are|value|step|boxed|text|please|here)\b",
    re.IGNORECASE,
)
_SIGN: Final = r"(?:[-+*/×÷·^−]|\\(?:cdot|times|div|pm|choose)(?![a-z])|\\[dtc]?frac|\\binom|\\sqrt)"
_OPERATION: Final = re.compile(
    rf"[0-9)}}]\s{{0,2}}(?:=|{_SIGN})\s{{0,2}}[$\\]{{0,2}}[0-9(a-z]|[a-z)}}]\s{{0,2}}=\s{{0,2}}[$\\]{{0,2}}[0-9(a-z]"
)
_COMPUTES: Final = re.compile(
    rf"[0-9a-zA-Z)}}%]\s{{0,3}}{_SIGN}[^=\n]{{0,200}}(?:=|≈|≡|\\approx|\\equiv)"
    rf"|=\s{{0,3}}[^=\n]{{0,60}}[0-9]\s{{0,3}}{_SIGN}\s{{0,3}}\\?[0-9a-zA-Z({{$]"
    r"|[0-9][^=\n]{0,80}(?:=|≈|≡|\\approx|\\equiv)[\s$\\{(&]{0,8}(?:boxed|fbox)?[\s{(]{0,3}$"
)
"""An equality with an operation on one of its sides, or with a number on the left and the answer on the right."""
_RESULT: Final = re.compile(
    r"(?:[=≈≡→]|->|\\(?:approx|equiv|implies|Rightarrow|to)"
    r"|\b(?:is|are|be|was|were|gives?|get|gets|equals?|obtain|yields?|has|have|find|left|leaves?|exactly|only|of|needs?"
    r"|becomes?|to|totals?|makes?|takes?))[\s:$\\({*]{0,8}(?:text|mathrm|mathbf)?[\s{$-]{0,3}$"
)
_RESULT_WITHIN: Final = 30
_SQUEEZED: Final = re.compile(
    r"\\(?:left|right|,|;|!|displaystyle)(?![A-Za-z])|(?<=\\)[dtc](?=frac)|[\s${}]|\\(?:text|mathrm|mbox)"
)
_SMALL: Final = frozenset(map(Fraction, range(3)))
_ROUNDING: Final = re.compile(r"\b(?:round|integer|whole|nearest)", re.IGNORECASE)
_DATE: Final = re.compile(r"[0-9]{1,4}[/-][0-9]{1,2}[/-][0-9]{1,4}")
_DECIMALS: Final = re.compile(r"[0-9]\.([0-9]{1,12})")


def no_chain(of: Answered) -> list[Reason]:
    """NO_CHAIN where hardly anything stands around the answer."""
    words = len(_WORD.findall(_ANNOUNCING.sub(" ", of.work[:5000])))
    if words >= LEAST_WORDS or _OPERATION.search(of.work):
        return []
    return [Reason(Kind.NO_CHAIN, of.answer.start, of.answer.end, "the answer stands alone, without any reasoning")]


def underived(of: Answered) -> list[Reason]:
    """UNDERIVED where the answer's value comes out of nothing in the response."""
    if _not_judged(of.answer.content) or any(_COMPUTES.search(of.text, *lead) for lead in of.leads):
        return []
    number = quantity(of.answer.content)
    if _symbols_derived(of) if number is None else _number_derived(of, number.value):
        return []
    shown = " ".join(of.answer.content.split())[:60]
    return [Reason(Kind.UNDERIVED, of.answer.start, of.answer.end, f"nothing in the response leads to {shown}")]


def _not_judged(content: str) -> bool:
    return len(content) > LONGEST or option(content) is not None or _DATE.search(content) is not None


def _number_derived(of: Answered, number: Fraction) -> bool:
    """Whether the value stands in the work, as a result where the statement holds it too."""
    if number in of.computed or _combines(of, number):
        return True
    content = of.answer.content
    wanted = {abs(number)} | ({abs(number) / 100, abs(number) * 100} if "%" in content else set())
    if abs(number) not in written(of.statement or ""):
        return not wanted.isdisjoint(of.values) or _rounds(of, number) or _as_written(of) or _parts_derived(of)
    return any(not wanted.isdisjoint(values(token)) and _is_result(of.work, start) for token, start in tokens(of.work))


def _is_result(work: str, place: int) -> bool:
    return _RESULT.search(work, max(0, place - _RESULT_WITHIN), place) is not None


def _rounds(of: Answered, number: Fraction) -> bool:
    """Whether something in the work, rounded to the answer's decimals, is the answer."""
    decimals = _DECIMALS.search(of.answer.content)
    margin = Fraction(1, 2 * 10 ** len(decimals[1])) if decimals else 0
    return margin > 0 and any(abs(value - abs(number)) <= margin for value in of.values)


def _symbols_derived(of: Answered) -> bool:
    """For an answer that is no number: its text, or each of its numbers, or each of its words, stands in the work."""
    if _as_written(of):
        return True
    if any(character.isdecimal() for character in of.answer.content):
        return _parts_derived(of)
    work = of.work.casefold()
    return all(word.casefold() in work for word in _WORD.findall(of.answer.content))


def _parts_derived(of: Answered) -> bool:
    """Whether each number of an answer that writes several, such as a fraction or a pair, stands in the work or is computed."""
    found = [values(token) for token, _ in tokens(of.answer.content)]
    whole = len(found) == 1 and len(found[0]) == 1 and quantity(of.answer.content) is not None
    return not whole and all(part in of.values or part in _SMALL for parts in found for part in parts[:2])


def _combines(of: Answered, number: Fraction) -> bool:
    """Whether two of the last numbers before the answer make it, or one of them does where it is rounded."""
    end = of.answer.start
    near = of.text[max(0, end - LAST_WITHIN) : end]
    last = [value for token, _ in tokens(near) for value in values(token) if value != number][-LAST_NUMBERS:]
    if any(abs(value - number) <= _rounding(value, near) for value in last):
        return True
    pairs = permutations([*last, *computed(near)], 2)
    return any(number in {one + other, one - other, one * other, one / other if other else None} for one, other in pairs)


def _rounding(value: Fraction, near: str) -> Fraction:
    """How far rounding may take a value: to the nearest whole number where the text does not say that it rounds."""
    if _ROUNDING.search(near):
        return max(Fraction(1), abs(value) / 100)
    return Fraction(value.denominator > 1, 2)


def _as_written(of: Answered) -> bool:
    """Whether an answer that is more than a few digits stands in the work as it is written."""
    content = _SQUEEZED.sub("", of.answer.content).casefold()
    return not content.isdecimal() and content in _SQUEEZED.sub("", of.work).casefold()
