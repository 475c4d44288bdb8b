"""Rewrites that change an equation: from one line to the next, or from one side of a chain to the next.

    900 = (195 + 367 + 562 + 900) - 437 - 2*234 - 3X
    900 = 1924 - 805 - 3X        FALSE: the sum is 2024, and 437 + 2*234 is 905; two slips of 100 that cancel

Three kinds of step are looked at, each only where it surely claims to follow from the one before:
- the same left side again, its right side worked out further: terms are matched with the sums they replace, so that slips that
  cancel are seen as well;
- a chain A = B = C with unknowns, where B is only worked out to C;
- a linear equation in one unknown turned into a simpler one that another number solves (3X = 219, then X = 72).
New facts, cases, a second line's equation or substitutions begin with other words or another form and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

from engine.luck.base import Kind, Reason
from engine.luck.chains import Chain, Side, chains
from engine.luck.comparing import Verdict, compare, shown
from engine.luck.expressions import Call, Mixed, Name, Node, Number, Root, is_computed, is_ratio, names_in, walk
from engine.luck.polynomials import minus, polynomial, root, size
from engine.luck.retraction import Retractions
from engine.luck.terms import mismatch, written
from engine.luck.values import evaluate
from engine.luck.words import STEPS

_NEAR: Final = 250
"""Characters between two lines of which the second repeats the first one's left side."""
_NEXT: Final = 160
_OTHER_MATTER: Final = re.compile(
    r"\b(?:case|or|if|when|suppose|alternatively|another|second|other|instead|wait|let|similarly|next|also|assume|try|option|given"
    r"|otherwise|different|now|new|however|but|substitut\w*|since|because|using|plug\w*|replac\w*|where|first|original|initial"
    r"|guess\w*)\b|\n\s*\n\s*\n",
    re.IGNORECASE,
)
_OR: Final = re.compile(r"\b(?:or|lor|vee|either)\b")
"""Two solutions side by side: which follows from which cannot be told."""
_WORDS: Final = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Equation:
    """Two sides that stand in one chain, one behind the other."""

    left: Side
    right: Side
    chain: Chain
    written: str
    """The left side without white space."""


def false_rewrites(text: str) -> list[Reason]:
    """The rewrites that change what they rewrite, in order of place."""
    if "=" not in text and "equal" not in text:
        return []
    retractions = Retractions(text)
    found = []
    usable = [chain for chain in chains(text) if not (chain.note or chain.supposed)]
    for start, end, detail in [*_within(usable), *_between(text, usable)]:
        found.append(Reason(Kind.FALSE_REWRITE, start, end, detail, retractions.covers(start, end)))
    return sorted(found, key=lambda reason: (reason.start, reason.end))


Found = tuple[int, int, str]


def _within(usable: list[Chain]) -> Iterator[Found]:
    """Steps of one chain, behind its first side, that change an expression with unknowns."""
    for chain in usable:
        for at, (before, after) in enumerate(pairwise(chain.sides)):
            last = at == len(chain.sides) - 2
            if at and not chain.about[at] and not (last and chain.after) and before.node and after.node:
                detail = _changed(before, after)
                if detail:
                    yield before.start, after.end, detail


def _between(text: str, usable: list[Chain]) -> Iterator[Found]:
    """Steps from one equation to the next."""
    for first, second in pairwise(usable):
        if second.start - first.end > _NEAR or second.start < first.end:
            continue
        gap = text[first.end : second.start]
        before, after = _equation(text, first, -2), _equation(text, second, 0)
        if before is None or after is None or _is_open(first, second):
            continue
        if _OR.search(text, max(0, first.start - 25), first.start) or _OR.search(
            text, second.sides[1].end, second.sides[1].end + 30
        ):
            continue
        detail = _same_left(gap, text, first, before, after) or _unsolved(gap, before, after)
        if detail:
            yield second.start, after.right.end, detail


def _is_open(first: Chain, second: Chain) -> bool:
    """Whether one of the four sides that are compared may begin earlier or go on further than it was read."""
    begins = first.before and len(first.sides) == 2
    ends = second.after and len(second.sides) == 2
    return begins or first.after or second.before or ends


def _equation(text: str, chain: Chain, at: int) -> Equation | None:
    left, right = chain.sides[at], chain.sides[at + 1] if at >= 0 else chain.sides[-1]
    if right.node is None or any(chain.about):
        return None
    return Equation(left, right, chain, "".join(text[left.start : left.end].split()))


def _same_left(gap: str, text: str, first: Chain, before: Equation, after: Equation) -> str | None:
    """The second equation repeats the first one's left side and works out its right side."""
    head = first.sides[0]
    same = "".join(text[head.start : head.end].split())
    if not after.written or same != after.written or _OTHER_MATTER.search(gap) or _is_listed(gap):
        return None
    return _changed(before.right, after.right) or (_worked(before, after) if _are_steps(gap) else None)


def _worked(before: Equation, after: Equation) -> str | None:
    """x = 12 / 4, then x = 4."""
    one, other = before.right, after.right
    if one.node is None or other.node is None or names_in(one.node) or is_computed(other.node) or one.words | other.words:
        return None
    if not is_computed(one.node) or _has_percent(one.node) or compare(one.node, other.node) is not Verdict.FALSE:
        return None
    value = evaluate(one.node)
    broken = value is not None and value[0].denominator != 1 and is_ratio(one.node)
    exact = f"about {float(value[0]):.6g}" if value is not None and broken else shown(value)
    return f"{written(one.node)} is {exact}, not {written(other.node)}"


def _is_listed(gap: str) -> bool:
    """Whether the two equations stand in a list, with a comma and no word between."""
    return gap.strip(" $\\)").startswith(",") and not _WORDS.search(gap)


def _are_steps(gap: str) -> bool:
    return len(gap) <= _NEXT and all(word.lower() in STEPS for word in _WORDS.findall(gap)) and not _is_listed(gap)


def _changed(before: Side, after: Side) -> str | None:
    """What is wrong where an expression is worked out to another one; None where nothing is, or nothing is sure."""
    if before.node is None or after.node is None or before.spaced_product or after.spaced_product:
        return None
    names = names_in(before.node)
    if not names or names != names_in(after.node) or _has_percent(before.node) or _has_percent(after.node):
        return None
    ours, theirs = polynomial(before.node), polynomial(after.node)
    if ours is None or theirs is None or not _worked_out(before.node, after.node, size(ours)):
        return None
    return mismatch(before.node, after.node, minus(theirs, ours))


def _worked_out(before: Node, after: Node, collected: int) -> bool:
    """Whether the first is not collected yet and the second is written with fewer numbers and letters."""
    return leaves(before) > collected and leaves(after) < leaves(before)


def leaves(node: Node) -> int:
    """How many numbers and letters an expression is written with."""
    return sum(isinstance(part, Number | Name) for part in walk(node))


def _has_percent(node: Node) -> bool:
    return any(isinstance(part, Call | Mixed | Root) for part in walk(node))


def _unsolved(gap: str, before: Equation, after: Equation) -> str | None:
    """A linear equation in one unknown, and a simpler one behind it that another number solves."""
    if before.left.node is None or after.left.node is None or before.right.node is None or after.right.node is None:
        return None
    if not _are_steps(gap):
        return None
    one, other = root(before.left.node, before.right.node), root(after.left.node, after.right.node)
    if one is None or other is None or one[0] != other[0] or _is_near(one[1], other[1]):
        return None
    longer = leaves(before.left.node) + leaves(before.right.node)
    if leaves(after.left.node) + leaves(after.right.node) >= longer or isinstance(before.left.node, Name):
        return None
    return f"the equation before it gives {one[0]} = {shown((one[1], one[1]))}, this one {shown((other[1], other[1]))}"


def _is_near(one: Fraction, other: Fraction) -> bool:
    """Equal, or so near that rounding may be the whole difference: 12.5 squares are 12."""
    if one == other:
        return True
    off = abs(one - other)
    broken = one.denominator != 1 or other.denominator != 1
    return broken and (off <= max(abs(one), abs(other)) / 50 or (off < 1 and other.denominator == 1))
