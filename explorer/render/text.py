"""Text from a study made safe to show: what a terminal would act on or hide is spelled out instead.

Control characters become their pictures (ESC is ␛), everything else that has no glyph of its own - bidi controls, zero-width
and tag characters, lone surrogates, line separators - becomes ⟨U+202E⟩. A tab becomes four spaces; newlines stay. More than
four combining marks in a row, or one with nothing to stand on, are spelled out too. Variation selectors 15 and 16 only choose
a glyph, and are left out, because terminals disagree on the cells they take; `raw` shows them, tabs and line ends as well.

Every string of a study passes through here on its way to the screen (`explorer.render.pieces` sees to it). The cost follows
the number of DISTINCT characters: ASCII without controls is returned as it is.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from rich.cells import get_character_cell_size

_PLAIN = re.compile(r"[\n -~]*")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_GLYPH_CHOICE = frozenset("\ufe0e\ufe0f")
_MARKS_IN_A_ROW = 4
_CLOSING, _MARK, _SPACE, _OPENING = range(4)
"""In which order things stand at one place: what closes, what is said of the text before, what maths put there, what opens."""


Span = tuple[int, int]
"""Start and end."""
_PutIn = tuple[int, int, int, str]
Edit = tuple[int, int, str]
"""source[start:end] is shown as another text; what is put in has start == end. Edits are ascending and do not overlap."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A span of the source that is shown as another text, and which of its characters went where."""

    start: int
    end: int
    source: str
    """The span itself."""
    shown: str
    parts: Sequence[tuple[int, int, int, int]] = ()
    """Start and end in the source, start and end in `shown`; ascending in both."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A text as it is shown, and where each of its characters went.

    Outside of what was replaced, each character of the source has its own place; a replaced span has one for all of it.
    """

    text: str
    starts: Sequence[int] = ()
    """Places in the source at which something was replaced or put in, ascending."""
    ends: Sequence[int] = ()
    """Where each of these ends in the source."""
    new_starts: Sequence[int] = ()
    """Where what is shown instead begins in `text`, and ends."""
    new_ends: Sequence[int] = ()
    answer: Span | None = None
    """In `text`: the ⟦ ⟧ put around a part of the source, with what they hold."""
    expressions: Sequence[Span] = ()
    """In the source: what is shown as it reads, each one whole."""

    def at(self, place: int) -> int:
        """Where the source's character `place` begins in `text`; what was put in at that very place comes after it.

        Inside a replaced span: where that begins.
        """
        edit = bisect_left(self.starts, place) - 1
        if edit < 0:
            return place
        if place < self.ends[edit]:
            return self.new_starts[edit]
        return self.new_ends[edit] + place - self.ends[edit]

    def source_at(self, place: int) -> int:
        """The inverse: the last character of the source that begins at or before a place of `text`, none from within a span."""
        edit = bisect_right(self.new_starts, place) - 1
        if edit < 0:
            return place
        if place < self.new_ends[edit]:
            return self.starts[edit]
        return self.ends[edit] + place - self.new_ends[edit]

    def span(self, start: int, end: int) -> Span:
        """Where source[start:end] went, without what was put in at its ends.

        A replaced span that it touches is taken whole, and the whole expression where it begins or ends inside of a sign.
        """
        last = self._past(end - 1) if end > start else self.at(end)
        first = min(self._begin(start), last)
        if self.expressions and end > start and (first == last or self._is_inside(start) or self._is_inside(end)):
            first = min(first, self._expression_at(start, (first, last))[0])
            last = max(last, self._expression_at(end - 1, (first, last))[1])
        return first, last

    def _is_inside(self, place: int) -> bool:
        edit = bisect_left(self.starts, place) - 1
        return edit >= 0 and place < self.ends[edit]

    def _expression_at(self, place: int, otherwise: Span) -> Span:
        """Where the expression went that holds the source's character."""
        at = bisect_right(self.expressions, place, key=lambda span: span[0]) - 1
        if at < 0 or self.expressions[at][1] <= place:
            return otherwise
        start, end = self.expressions[at]
        return self._begin(start), self._past(end - 1)

    def _begin(self, place: int) -> int:
        """Like `at`, past what was put in there."""
        edit = bisect_right(self.starts, place) - 1
        if edit < 0:
            return place
        if place < self.ends[edit]:
            return self.new_starts[edit]
        return self.new_ends[edit] + place - self.ends[edit]

    def _past(self, place: int) -> int:
        """The end of what is shown for the source's character `place`."""
        edit = bisect_right(self.starts, place) - 1
        if edit >= 0 and place < self.ends[edit]:
            return self.new_ends[edit]
        return self._begin(place) + 1


def visible(text: str, *, raw: bool = False) -> str:
    """The text with everything spelled out that a terminal would act on or hide."""
    if _is_plain(text, raw):
        return text
    pattern = _unseen_in(text, raw)
    return pattern.sub(lambda found: _spelled(found[0], raw), text) if pattern else text


def pictured(text: str) -> str:
    """The text with a picture of one cell for every character that a terminal would act on or hide: as long as it was."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_picture(char) if _is_unseen(char) else char for char in text)


def _picture(char: str) -> str:
    code = ord(char)
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "\ufffd"


def one_line(text: str) -> str:
    """The text for one line of a list: white space collapsed, the rest visible."""
    return visible(re.sub(r"[ \t\r\n]+", " ", text).strip(" "))


def shortened(text: str, most: int) -> str:
    """The same in at most that many characters; an ellipsis says that there is more."""
    clean = one_line(text[: 4 * most])
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def shown(
    text: str,
    *,
    raw: bool = False,
    around: Span | None = None,
    replaced: Sequence[Edit] = (),
    put_in: Sequence[tuple[int, str]] = (),
    expressions: Sequence[Span] = (),
) -> Shown:
    """Like `visible`, with the way from source to screen; ⟦ ⟧ are put `around` that part of the source.

    replaced, expressions: what is shown as it reads (`edits_of`), and the spans of it. put_in: what to show behind the
    character before a place, or behind the sign that holds it.
    """
    edits = [] if _is_plain(text, raw) else _changes(text, raw)
    if replaced:
        edits = _merged(edits, replaced)
    brackets = [] if around is None else _brackets(edits, around)
    if brackets or put_in:
        ranked = [(start, end, _SPACE, new) for start, end, new in edits]
        marks = [(at := outside(edits, place), at, _MARK, new) for place, new in put_in]
        new_order = sorted([*ranked, *brackets, *marks], key=lambda each: each[:3])
        edits = [(start, end, new) for start, end, _, new in new_order]
    view = _made(text, edits, expressions)
    return replace(view, answer=_answer(view, brackets)) if brackets else view


def edits_of(expressions: Sequence[Expression]) -> list[Edit]:
    """The expressions as edits, as fine as it is known where each of their signs went."""
    return [edit for one in expressions for edit in _edits_of(one)]


def answer_in(expressions: Sequence[Expression], around: Span) -> Span:
    """The part of the source to put brackets around, so that they stand next to what is shown of it and not inside a sign.

    An answer in an expression of which nobody can say where it went is the whole expression.
    """
    left, right = around
    if left < right:
        if (one := _holder(expressions, left)) is not None:
            parts = [part for part in one.parts if part[1] > left and part[0] < right]
            left = one.start if not parts else left if _is_exact(parts[0]) and parts[0][0] < left else parts[0][0]
        if (one := _holder(expressions, right)) is not None:
            parts = [part for part in one.parts if part[1] > around[0] and part[0] < right]
            right = one.end if not parts else right if _is_exact(parts[-1]) and parts[-1][1] > right else parts[-1][1]
    return left, max(left, right)


def _holder(expressions: Sequence[Expression], place: int) -> Expression | None:
    at = bisect_left(expressions, place, key=lambda one: one.start) - 1
    return expressions[at] if at >= 0 and place < expressions[at].end else None


def _is_exact(part: tuple[int, int, int, int]) -> bool:
    """Whether a part is shown letter by letter."""
    return part[1] - part[0] == part[3] - part[2]


def _edits_of(one: Expression) -> Iterator[Edit]:
    view = visible(one.shown)
    if view != one.shown:
        yield one.start, one.end, view
        return
    done, at = one.start, 0
    for start, end, first, last in one.parts:
        if start > done or first > at:
            yield done, start, view[at:first]
        if end - start != last - first or one.source[start - one.start : end - one.start] != view[first:last]:
            yield start, end, view[first:last]
        done, at = end, last
    if one.end > done or len(view) > at:
        yield done, one.end, view[at:]


def _made(text: str, edits: Sequence[Edit], expressions: Sequence[Span]) -> Shown:
    if not edits:
        return Shown(text)
    parts: list[str] = []
    new_starts: list[int] = []
    new_ends: list[int] = []
    done, length = 0, 0
    for start, end, new in edits:
        parts += (text[done:start], new)
        new_starts.append(length + start - done)
        length = new_starts[-1] + len(new)
        new_ends.append(length)
        done = end
    starts, ends = [edit[0] for edit in edits], [edit[1] for edit in edits]
    return Shown("".join([*parts, text[done:]]), starts, ends, new_starts, new_ends, expressions=expressions)


def _merged(spelled: Sequence[Edit], replaced: Sequence[Edit]) -> list[Edit]:
    """Both, without what is spelled out inside a span that is shown as something else anyway."""
    starts = [start for start, _, _ in replaced]
    kept = [edit for edit in spelled if (at := bisect_right(starts, edit[0]) - 1) < 0 or replaced[at][1] <= edit[0]]
    return sorted([*kept, *replaced], key=lambda edit: edit[:2]) if kept else list(replaced)


def _holding(edits: Sequence[Edit], place: int) -> Edit | None:
    """The replaced span that holds the gap before `place`; None for a place that can be told apart."""
    at = bisect_left(edits, place, key=lambda edit: edit[0]) - 1
    return edits[at] if at >= 0 and place < edits[at][1] else None


def outside(edits: Sequence[Edit], place: int) -> int:
    """The place, or the end of the replaced span that holds it: its beginning where nothing but room is shown for it."""
    held = _holding(edits, place)
    if held is None:
        return place
    return held[1] if held[2].strip() else held[0]


def _brackets(edits: Sequence[Edit], around: Span) -> list[_PutIn]:
    """Each bracket outside of every replaced span that it touches."""
    left, right = around
    held = _holding(edits, left)
    first = left if held is None else held[0]
    if left == right:
        return [(first, first, _CLOSING, "⟦"), (first, first, _CLOSING, "⟧")]
    held = _holding(edits, right)
    last = right if held is None else held[1]
    return [(first, first, _OPENING, "⟦"), (last, last, _CLOSING, "⟧")]


def _answer(view: Shown, brackets: Sequence[_PutIn]) -> Span:
    (first, *_, opening), (last, *_, closing) = brackets
    return view.text.index(opening, view.at(first)), view.text.index(closing, view.at(last)) + 1


def _is_plain(text: str, raw: bool) -> bool:
    return text.isascii() and _PLAIN.fullmatch(text) is not None and not (raw and "\n" in text)


def _changes(text: str, raw: bool) -> list[tuple[int, int, str]]:
    pattern = _unseen_in(text, raw)
    return [(m.start(), m.end(), _spelled(m[0], raw)) for m in pattern.finditer(text)] if pattern else []


def _unseen_in(text: str, raw: bool) -> re.Pattern[str] | None:
    """A pattern for each single character of the text that must be spelled out; None where there is none."""
    present = set(text)
    unseen = "".join(sorted(char for char in present if _is_unseen(char) and (raw or char != "\n")))
    marks = "".join(sorted(char for char in present if get_character_cell_size(char) == 0 and not _is_unseen(char)))
    parts = [f"[{re.escape(unseen)}]"] if unseen else []
    if marks:
        mark = f"[{re.escape(marks)}]"
        # A line may break at a blank, and what is spelled out is no letter to stand on.
        before = f"[\n\t {re.escape(unseen)}]"
        parts += [f"\\A{mark}", f"(?<={before}){mark}", f"(?<={mark}{{{_MARKS_IN_A_ROW}}}){mark}"]
    return re.compile("|".join(parts)) if parts else None


@cache
def _is_unseen(char: str) -> bool:
    category = unicodedata.category(char)
    return char in _GLYPH_CHOICE or category in _UNSEEN or (category == "Cn" and get_character_cell_size(char) == 0)


@cache
def _spelled(char: str, raw: bool) -> str:
    code = ord(char)
    if char == "\n":
        return "␊\n"
    if char == "\t" and not raw:
        return "    "
    if char in _GLYPH_CHOICE and not raw:
        return ""
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"
