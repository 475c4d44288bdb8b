r"""Stated equalities between numbers, right and wrong, in running text, LaTeX, code and calculator notes.

    stated("3 x 5 = 15 apples, and \frac{3}{4} \cdot 8 = 7")
        ->  [.. holds True, .. holds False, "\frac{3}{4} \cdot 8 is 6, not 7"]

Every pair of a chain a = b = c is looked at. A pair HOLDS where its values are equal, or equal to the digits shown; it is
FALSE only where no usual reading saves it: rounding here or earlier, units that change, percent, a sum carried on
("3 + 4 = 7 * 2"), remainders, congruences, number bases, ambiguous signs, words that belong to the formula. What is in doubt
is not reported at all, so that a finding can be relied upon; an equation with an unknown is a statement about the unknown and
no finding.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from engine.luck.base import Kind, Reason
from engine.luck.chains import Chain, Side, chains
from engine.luck.comparing import Verdict, compare, shown
from engine.luck.expressions import Call, Node, Product, Sum, is_computed, is_ratio, names_in
from engine.luck.retraction import Retractions
from engine.luck.units import convertible, is_conversion, scaled
from engine.luck.values import Interval, evaluate
from engine.luck.words import LEADING


@dataclass(frozen=True, slots=True)
class Stated:
    """One checked equality: text[start:end] says left = right."""

    start: int
    end: int
    left: str
    right: str
    holds: bool
    detail: str
    """One plain sentence where it does not hold, else blank."""
    retracted: bool = False


_OTHER_ARITHMETIC: Final = re.compile(
    r"(?i:\bbase[-\s]?\$?(?:\d|two|three|four|five|six|seven|eight|nine|ten\b)|\bbinary\b|\bhexadecimal\b|\boctal\b|\bbitwise\b|\bxor\b)|\d_\{?\d"
)
_CONGRUENCE: Final = re.compile(
    r"\bmod(?:ulo|ulus)?\b|\\[pb]?mod\b|\\equiv|≡|\bremainder|\bo'?clock|\bGF\(|\bcongruen", re.IGNORECASE
)
_MEASURED: Final = re.compile(
    r"%|percent|cent|\$|hour|minute|second|day|week|month|year|inch|feet|foot|yard|mile|met(?:er|re)|gram|ounce|pound|gallon|cup"
    r"|\b[kcm]?m\b|\bk?g\b|lit(?:er|re)|\bm?l\b",
    re.IGNORECASE,
)
_MODULUS: Final = re.compile(
    r"(?:mod(?:ulo|ulus)?|divided by|divide by|divisible by|multiples? of)\W{0,8}(\d{1,6})(?!\d)", re.IGNORECASE
)


def false_equalities(text: str) -> list[Reason]:
    """The stated equalities that do not hold, in order of place."""
    return [Reason(Kind.FALSE_EQUALITY, one.start, one.end, one.detail, one.retracted) for one in stated(text) if not one.holds]


def stated(text: str) -> list[Stated]:
    """All equalities that could be checked, in order of place; what could not be is left out."""
    if not _has_equality(text):
        return []
    retractions = Retractions(text)
    if _OTHER_ARITHMETIC.search(text):
        moduli = frozenset({1})
    else:
        moduli = frozenset(int(number) for number in _MODULUS.findall(text)) if _CONGRUENCE.search(text) else frozenset()
    found = [one for chain in chains(text) for one in _pairs(text, chain, moduli, retractions)]
    return sorted(_unrepeated(found), key=lambda one: (one.start, one.end))


def _has_equality(text: str) -> bool:
    return any(sign in text for sign in ("=", "≈", "equal", "approx"))


def _pairs(text: str, chain: Chain, moduli: frozenset[int], retractions: Retractions) -> list[Stated]:
    found = []
    for at, (left, right) in enumerate(pairwise(chain.sides)):
        if left.node is None or right.node is None or not (is_computed(left.node) or is_computed(right.node)):
            continue
        if names_in(left.node) or names_in(right.node):
            continue
        verdict = compare(left.node, right.node, chain.about[at])
        if verdict is Verdict.UNSURE or (
            verdict is Verdict.FALSE and (_congruent(left.node, right.node, moduli) or _is_doubtful(text, chain, at))
        ):
            continue
        holds = verdict is Verdict.HOLDS
        ours, theirs = text[left.start : left.end], text[right.start : right.end]
        detail = "" if holds else _detail(ours, theirs, left.node, right.node)
        taken_back = not holds and retractions.covers(left.start, right.end)
        found.append(Stated(left.start, right.end, ours, theirs, holds, detail, taken_back))
    return found


def _is_doubtful(text: str, chain: Chain, at: int) -> bool:
    """Whether anything beside the numbers may save an equality whose numbers differ."""
    left, right = chain.sides[at], chain.sides[at + 1]
    if chain.supposed or (at == 0 and chain.before) or (at == len(chain.sides) - 2 and chain.after):
        return True
    if left.spaced_product or right.spaced_product or scaled(left.words | right.words):
        return True
    if _is_cut_off(text, left, right) or (at == 0 and _is_label(chain, left)):
        return True
    return _in_units(text, chain, left, right) or _is_carried_on(text, left, right) or _is_congruence(text, chain)


def _is_label(chain: Chain, left: Side) -> bool:
    """Whether a bare left side names something instead of being worked out: Day 1 = .., 1% = 1980 / 110, 1 pizza = 16 / 2."""
    if left.node is None or is_computed(left.node):
        return False
    return isinstance(left.node, Call) or bool(left.words) or chain.label not in LEADING | {""}


def _is_cut_off(text: str, left: Side, right: Side) -> bool:
    """Whether the response ends within the right side, by what is missing: 2 * 3 * 7 = 2 * 3, 79^6 = 243087."""
    if right.end < len(text) or text[right.end - 1] in ")}" or left.node is None or right.node is None:
        return False
    value, stated_value = evaluate(left.node), evaluate(right.node)
    if is_computed(right.node) or value is None or stated_value is None:
        return True
    return abs(value[0]) >= 10 * max(Fraction(1), abs(stated_value[0])) or value[0].denominator != 1


def _in_units(text: str, chain: Chain, left: Side, right: Side) -> bool:
    """Whether the two sides may be one amount in two units."""
    words = left.words | right.words
    if convertible(left.words, right.words):
        return True
    one, other = _value(left), _value(right)
    if one is None or other is None:
        return True
    return (
        is_conversion(one[0], other[0], words) and _MEASURED.search(text, max(0, chain.start - 80), chain.end + 60) is not None
    )


def _value(side: Side) -> Interval | None:
    return evaluate(side.node) if side.node is not None else None


def _is_carried_on(text: str, left: Side, right: Side) -> bool:
    """3 + 4 = 7 * 2 = 14: the sign stands for "and then", the right side begins or ends with the left one's value.

    Nobody carries on in brackets: (7 + 5 + 2) = (14 + 2) means what it says.
    """
    if left.node is None or right.node is None or text[right.start] + text[right.end - 1] == "()":
        return False
    if (
        isinstance(left.node, Sum)
        and isinstance(right.node, Sum)
        and left.node.terms[: len(right.node.terms)] == right.node.terms
    ):
        return True  # a sum worked off term by term: 3 - 12 + 23 = 3 - 12
    value = evaluate(left.node)
    return value is not None and any(evaluate(part) == value for part in _ends(right.node))


def _ends(node: Node) -> list[Node]:
    """What an expression begins with, however far, and its last operand."""
    found: list[Node] = []
    while isinstance(node, Sum | Product):
        parts = node.terms if isinstance(node, Sum) else node.factors
        if isinstance(node, Sum):
            found += [Sum(node.terms[:count]) for count in range(1, min(len(parts), 12))]
        else:
            found += [Product(node.factors[:count]) for count in range(1, min(len(parts), 12))]
        found.append(parts[-1][1])
        node = parts[0][1]
        found.append(node)
    return found


def _congruent(left: Node, right: Node, moduli: frozenset[int]) -> bool:
    """Whether the two may be one number in the arithmetic of a modulus that the text names (1: another base, so any two)."""
    one, other = evaluate(left), evaluate(right)
    if one is None or other is None:
        return False
    off = (one[0] - other[0]).numerator
    return any(modulus and off % modulus == 0 for modulus in moduli)


def _is_congruence(text: str, chain: Chain) -> bool:
    start = max(text.rfind("\n", 0, chain.start), chain.start - 120) + 1
    end = text.find("\n", chain.end, chain.end + 160)
    return _CONGRUENCE.search(text, start, end if end >= 0 else min(len(text), chain.end + 160)) is not None


def _detail(ours: str, theirs: str, left: Node, right: Node) -> str:
    plain = not is_computed(right) or is_ratio(right)
    one, other = evaluate(left), evaluate(right)
    if is_computed(left) and plain:
        return f"{_flat(ours)} is {shown(one)}, not {_flat(theirs)}"
    if not is_computed(left) or is_ratio(left):
        return f"{_flat(theirs)} is {shown(other)}, not {_flat(ours)}"
    return f"{_flat(ours)} is {shown(one)}, but {_flat(theirs)} is {shown(other)}"


def _flat(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:38]} ... {text[-38:]}"


def _unrepeated(found: list[Stated]) -> list[Stated]:
    """Without what a calculator note says again inside a span that was checked."""
    spans = sorted((one.start, one.end) for one in found)
    kept = []
    for one in found:
        own = (one.start, one.end)
        if not any(span[0] <= own[0] and own[1] <= span[1] and span != own for span in _near(spans, one)):
            kept.append(one)
    return kept


def _near(spans: list[tuple[int, int]], one: Stated) -> list[tuple[int, int]]:
    """The spans that begin right before it: a chain's spans overlap by one side only."""
    at = bisect_right(spans, (one.start, 1 << 60))
    return spans[max(0, at - 4) : at]
