"""Matching the terms of a worked-out sum with the terms it replaces, to say which part went wrong.

    mismatch((195+367+562+900) - 437 - 2*234 - 3X, 1924 - 805 - 3X)
        ->  "195 + 367 + 562 + 900 is 2024, not 1924; 437 + 2*234 is 905, not 805: slips that cancel"

A step is called false only where every part but the wrong one is accounted for: the terms with unknowns agree and the plain
numbers can be matched, or the numbers agree and one unknown's coefficient does not.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from engine.luck.comparing import shown
from engine.luck.expressions import Call, Mixed, Name, Node, Number, Power, Product, Root, Sum, walk
from engine.luck.polynomials import Monomial, Polynomial, polynomial

_MOST: Final = 14
"""Plain terms that are matched."""

Terms = list[tuple[Fraction, tuple[tuple[int, Node], ...]]]
"""Value and signed nodes of each term or group of terms."""


def mismatch(before: Node, after: Node, off: Polynomial) -> str | None:
    """What differs, where the step from before to after is surely false; off is after - before, multiplied out."""
    if len(off) > 1 or (off and _may_be_rounded(before, after, off)):
        return None
    if not off or () in off:
        return _numbers(before, after, cancelled=not off)
    return _coefficient(before, after, next(iter(off)))


def _may_be_rounded(before: Node, after: Node, off: Polynomial) -> bool:
    """Whether decimals were rounded on the way: 21 * 0.00975 to 0.205."""
    if not any(isinstance(part, Number) and part.decimals for node in (before, after) for part in walk(node)):
        return False
    monomial, difference = next(iter(off.items()))
    terms = polynomial(before) or {}
    largest = max((abs(part.value) for part in walk(before) if isinstance(part, Number)), default=Fraction(1))
    return abs(difference) <= max(abs(terms.get(monomial, Fraction(0))), largest if not monomial else Fraction(0)) / 50


def written(node: Node) -> str:  # noqa: PLR0911 one for each kind
    """An expression in plain signs."""
    match node:
        case Number():
            return _plain(node.value)
        case Name():
            return node.name
        case Sum():
            return signed(node.terms)
        case Product():
            return "".join(_factor(sign, factor, at) for at, (sign, factor) in enumerate(node.factors))
        case Power():
            return f"{_bracketed(node.base)}^{_bracketed(node.exponent)}"
        case Root():
            return f"sqrt({written(node.inner)})"
        case Mixed():
            return f"{written(node.whole)} {written(node.part)}"
        case Call():
            return f"{', '.join(written(one) for one in node.arguments)}{node.what}"


def signed(terms: tuple[tuple[int, Node], ...]) -> str:
    """Terms with their signs; brackets that only hold a sum are dropped."""
    parts = [
        f"{'+' if sign > 0 else '-'} {written(term) if isinstance(term, Sum) and sign > 0 else _inner(term)}"
        for sign, term in terms
    ]
    text = " ".join(parts)
    return text[2:] if text.startswith("+ ") else text.replace("- ", "-", 1)


def _plain(value: Fraction) -> str:
    return shown((value, value))


def _inner(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, Sum) else written(node)


def _bracketed(node: Node) -> str:
    return written(node) if isinstance(node, Number | Name) else f"({written(node)})"


def _factor(sign: str, factor: Node, at: int) -> str:
    between = "" if not at else sign or ("" if isinstance(factor, Name) else "*")
    return between + (f"({written(factor)})" if isinstance(factor, Sum | Product) else written(factor))


def _numbers(before: Node, after: Node, cancelled: bool) -> str | None:
    """The plain terms of both matched; the groups whose sums differ are what went wrong."""
    ours, theirs = _plain_terms(before), _plain_terms(after)
    if ours is None or theirs is None or not ours or not theirs or len(theirs) > len(ours) or len(ours) > _MOST:
        return None
    _cancel(ours, theirs)
    if not ours or not theirs:
        return None
    groups = _grouped(ours, [value for value, _ in theirs])
    wrong = [(group, stated) for group, (stated, _) in zip(groups, theirs, strict=True) if group[0] != stated]
    if not wrong or (cancelled and not _are_slips(wrong)):
        return None
    parts = [_slip(group, stated) for group, stated in wrong]
    return "; ".join(parts) + (": slips that cancel, so the result is as if they had not been made" if cancelled else "")


def _slip(group: tuple[Fraction, tuple[tuple[int, Node], ...]], stated: Fraction) -> str:
    """One wrong sum in words, turned positive where it is taken away: 437 + 2*234 is 905, not 805."""
    value, terms = group
    if terms[0][0] < 0 and value < 0:
        return f"{signed(tuple((-sign, term) for sign, term in terms))} is {_plain(-value)}, not {_plain(-stated)}"
    return f"{signed(terms)} is {_plain(value)}, not {_plain(stated)}"


def _are_slips(wrong: list[tuple[tuple[Fraction, tuple[tuple[int, Node], ...]], Fraction]]) -> bool:
    """Whether each wrong part is a computation with one digit off; a sum rearranged (98 + 47 to 100 + 45) is none."""
    return all(
        sum(isinstance(part, Number) for _, term in terms for part in walk(term)) >= 2 and _is_one_digit(stated - value)
        for (value, terms), stated in wrong
    )


def _is_one_digit(off: Fraction) -> bool:
    digits = str(abs(off.numerator)).rstrip("0") if off.denominator == 1 else "12"
    return len(digits) == 1


def _plain_terms(node: Node) -> Terms | None:
    """The terms without unknowns, brackets with a plus or minus opened only where they hold unknowns too."""
    found: Terms = []
    waiting = [(1, node)]
    while waiting:
        sign, current = waiting.pop()
        terms = polynomial(current)
        if terms is None:
            return None
        if isinstance(current, Sum) and (current is node or set(terms) != {()}):
            waiting += [(sign * inner, term) for inner, term in reversed(current.terms)]
        elif set(terms) <= {()}:
            found.append((sign * terms.get((), Fraction(0)), ((sign, current),)))
        elif () in terms:
            return None  # numbers inside a product with unknowns: 3(x + 2)
    return found


def _cancel(ours: Terms, theirs: Terms) -> None:
    """Take away the terms that stand on both sides unchanged."""
    for term in list(theirs):
        same = next((own for own in ours if own[0] == term[0]), None)
        if same is not None:
            ours.remove(same)
            theirs.remove(term)


def _grouped(ours: Terms, stated: list[Fraction]) -> Terms:
    """Our terms cut into as many runs as there are stated numbers, with the fewest, then the most likely, differences."""
    best: tuple[tuple[int, int, Fraction], Terms] | None = None
    for cuts in _cuts(len(ours), len(stated)):
        groups = [_joined(ours[start:end]) for start, end in cuts]
        wrong = [abs(group[0] - value) for group, value in zip(groups, stated, strict=True)]
        cost = (sum(one != 0 for one in wrong), sum(not _is_one_digit(one) for one in wrong if one), sum(wrong, Fraction(0)))
        if best is None or cost < best[0]:
            best = cost, groups
    return best[1] if best else []


def _joined(terms: Terms) -> tuple[Fraction, tuple[tuple[int, Node], ...]]:
    return sum((value for value, _ in terms), Fraction(0)), tuple(part for _, nodes in terms for part in nodes)


def _cuts(count: int, groups: int) -> list[list[tuple[int, int]]]:
    """All ways to cut `count` terms into that many runs, none empty; only the one into single runs for many groups."""
    if groups == 1:
        return [[(0, count)]]
    if groups > 4:
        return [[*((at, at + 1) for at in range(groups - 1)), (groups - 1, count)]]
    return [
        [(0, first), *((start + first, end + first) for start, end in rest)]
        for first in range(1, count - groups + 2)
        for rest in _cuts(count - first, groups - 1)
    ]


def _coefficient(before: Node, after: Node, monomial: Monomial) -> str | None:
    """One unknown's coefficient differs and it is written out in both."""
    ours, theirs = polynomial(before), polynomial(after)
    if ours is None or theirs is None or monomial not in ours or monomial not in theirs:
        return None
    name = "".join(letter if power == 1 else f"{letter}^{power}" for letter, power in monomial)
    return f"{written(before)} gives {_times(ours[monomial])}{name}, not {_times(theirs[monomial])}{name}"


def _times(coefficient: Fraction) -> str:
    return {"1": "", "-1": "-"}.get(_plain(coefficient), _plain(coefficient))
