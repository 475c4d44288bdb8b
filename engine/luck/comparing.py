"""Whether two sides are equal, are surely not, or cannot be told: rounding is the whole difficulty.

10/3 and 3.33      HOLDS: right to the digits shown (rounded or cut off)
3.33 * 3 and 10    UNSURE: 3.33 may stand for more digits
7/2 and 3          UNSURE: rounded to a whole number, or a quotient without its remainder
17 * 3 and 41      FALSE
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction

from engine.luck.expressions import Call, Name, Node, Number, Power, Root, Sum, walk
from engine.luck.values import LOOSE, OTHERS, Interval, evaluate


class Verdict(Enum):
    """What can be said of left = right."""

    HOLDS = "holds"
    FALSE = "false"
    UNSURE = "unsure"


def compare(left: Node, right: Node, about: bool = False) -> Verdict:
    """Judge left = right, or left ≈ right; closed expressions only, UNSURE where either has no value."""
    ours, theirs = evaluate(left), evaluate(right)
    if ours is None or theirs is None:
        return Verdict.UNSURE
    if _overlap(ours, theirs):
        return Verdict.HOLDS
    if _is_shown(ours, right) or _is_shown(theirs, left):
        return Verdict.HOLDS
    if isinstance(right, Call) and right.what == "!" and compare(left, right.arguments[0], about) is Verdict.HOLDS:
        return Verdict.HOLDS  # we have 2 + 3 = 5!
    doubt = _may_be_rounded(left, right, ours, theirs, about)
    for reading in OTHERS:
        mine, yours = evaluate(left, reading), evaluate(right, reading)
        # Only one side may need the other reading: (15/60) * 100 = 25%.
        for one, other in ((mine, yours), (mine, theirs), (ours, yours)):
            if (one, other) == (ours, theirs) or one is None or other is None:
                continue
            if _overlap(one, other) or _is_shown(one, right) or _is_shown(other, left):
                return Verdict.HOLDS
            doubt = doubt or _may_be_rounded(left, right, one, other, about)
    return Verdict.UNSURE if doubt else Verdict.FALSE


def shown(value: Interval | None) -> str:
    """A value for a reader: a whole number, a short decimal, a fraction, or about so much."""
    if value is None:
        return "something else"
    low, high = value
    if low != high:
        return "0" if low <= 0 <= high else f"about {_scientific(low)}"
    if low.denominator == 1 and abs(low) < 10**15:
        return str(low.numerator)
    decimals = next((places for places in range(1, 5) if (low * 10**places).denominator == 1), None)
    if decimals is not None and abs(low) < 10**12:
        return f"{float(low):.{decimals}f}"
    return (
        f"{low.numerator}/{low.denominator}" if max(abs(low.numerator), low.denominator) < 1000 else f"about {_scientific(low)}"
    )


def _scientific(value: Fraction) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:
        return f"10^{len(str(abs(int(value)))) - 1}"


def _overlap(one: Interval | None, other: Interval | None) -> bool:
    return one is not None and other is not None and one[0] <= other[1] and other[0] <= one[1]


def _is_shown(value: Interval, node: Node) -> bool:
    """Whether a number is written with decimals that are the value's first ones, rounded or cut off."""
    inner = node.terms[0][1] if isinstance(node, Sum) and len(node.terms) == 1 else node
    return isinstance(inner, Number) and inner.decimals > 0 and _overlap(value, evaluate(node, LOOSE))


def _may_be_rounded(left: Node, right: Node, ours: Interval, theirs: Interval, about: bool) -> bool:
    off = max(abs(ours[0] - theirs[1]), abs(ours[1] - theirs[0]))
    size = max(abs(ours[0]), abs(theirs[0]))
    if about:
        return off <= size * Fraction(3, 20) or off < 1
    if _overlap(evaluate(left, LOOSE), evaluate(right, LOOSE)):
        return True
    whole = _is_whole(ours) and _is_whole(theirs)
    if not whole and off < 1 and (_is_whole(ours) or _is_whole(theirs)):
        return True
    return (not whole or _has_rounded(left) or _has_rounded(right)) and off <= size / 100


def _is_whole(value: Interval) -> bool:
    return value[0] == value[1] and value[0].denominator == 1


def _has_rounded(node: Node) -> bool:
    """Whether anything in it is usually rounded: decimals, roots, pi, powers of ten."""
    for part in walk(node):
        match part:
            case Number(decimals=decimals) if decimals:
                return True
            case Root() | Name():
                return True
            case Power(exponent=Sum()) | Power(base=Number(value=Fraction(numerator=10, denominator=1))):
                return True
    return False
