r"""Maths of a trace as it can be read in a terminal, or as it came: what cannot be shown without loss is not rendered.

`rendered` finds what stands in $..$, $$..$$, \(..\), \[..\], a bare \boxed{..} or \fbox{..} and environments of maths, and
gives the characters that stand for it. Prices stay as they are: no dollar sign is paired across prose, a blank line or more
than 2,000 characters. Nothing is touched in fenced or quoted code. An unknown command, an unbalanced brace, anything that
could be read in two ways once it is plain characters leaves its whole expression out (`items` says how the result is read).

A box is shown as ┤14/3├: no other sign of maths looks like it, and the Reader's own ⟦ ⟧ fit inside. `Rendered.shown_span`
finds where a piece of the source, such as the answer, went.

Linear in the text, never raises; each expression is rendered once (the last thousand are kept).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from explorer.render.maths.expression import expression
from explorer.render.maths.finding import found
from explorer.render.maths.items import Line, Part

__all__ = ["Rendered", "rendered"]

_JOINS = frozenset("/^_")
_PLAIN_FRACTION = re.compile(r"[0-9]+/[0-9]+")
_LONGEST_INDENT = 200


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to show instead of `text[start:end]`, delimiters included. Display maths may have several lines."""

    start: int
    end: int
    shown: str
    parts: tuple[Part, ...] = ()
    """Where pieces of the source went: (source start, source end, start in `shown`, end in `shown`), in order, not touching
    one another's source. Empty where nobody can say, as in a matrix of several lines beside other things."""

    def shown_span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where `shown` has that piece of the source, as closely as it is known; None where it has not."""
        found = [part for part in self.parts if part[0] < end and part[1] > start]
        if not found:
            return None
        (first, first_end, at, first_to), (last, last_end, last_at, to) = found[0], found[-1]
        # A piece shown letter by letter can be cut.
        if first < start and first_end - first == first_to - at:
            at += start - first
        if last_end > end and last_end - last == to - last_at:
            to -= last_end - end
        return at, to


def rendered(text: str) -> list[Rendered]:
    """The expressions of `text` that can be shown faithfully, in order, not overlapping."""
    if "$" not in text and "\\" not in text:
        return []
    shown: list[Rendered] = []
    for start, inner, inner_end, end, display in found(text):
        lines = expression(text[inner:inner_end], display)
        if lines:
            one = _placed(text, start, end, inner, lines, display)
            glued = bool(shown) and shown[-1].end == start
            if one is not None and not (glued and _runs_together(shown[-1].shown[-1:], one.shown[:1])):
                shown.append(one)
    return shown


def _placed(text: str, start: int, end: int, by: int, lines: tuple[Line, ...], display: bool) -> Rendered | None:
    """The lines where they stand in the text; None where they would run together with what is beside them."""
    before, after = text[start - 1 : start], text[end : end + 1]
    opened = closed = ""
    if len(lines) > 1:
        lead = text[max(0, start - _LONGEST_INDENT) : start].rpartition("\n")[2]
        words = lead.lstrip(" ")
        between = "\n" + lead[: len(lead) - len(words)]
        opened = between if words else ""
        closed = between if after not in ("", "\n") else ""
    else:
        between = ""
        shown = lines[0].text
        if display:
            opened = "" if not before or before.isspace() else " "
            closed = "" if not after or after.isspace() or after in ".,;:)" else " "
        elif before.isdecimal() and _PLAIN_FRACTION.fullmatch(shown):
            opened = " "  # 12$\frac{1}{2}$ is twelve and a half
        elif _runs_together(before, shown[:1]) or _runs_together(shown[-1:], after):
            return None
        elif _could_be_misread(before, shown, after):
            opened, closed = "()"
    parts: list[Part] = []
    at = len(opened)
    for line in lines:
        parts += [(first + by, last + by, place + at, to + at) for first, last, place, to in line.parts]
        at += len(line.text) + len(between)
    return Rendered(start, end, opened + between.join(line.text for line in lines) + closed, tuple(parts))


def _could_be_misread(before: str, shown: str, after: str) -> bool:
    """3/$\\frac12$ and $\\frac12$x: typeset they are clear, as characters they are not."""
    if "/" not in shown and " " not in shown:
        return False
    return before in _JOINS or before.isalnum() or after in _JOINS or (("/" in shown) and (after == "(" or after.isalnum()))


def _runs_together(left: str, right: str) -> bool:
    """Whether digits that were apart would read as one number."""
    return left.isdecimal() and right.isdecimal()
