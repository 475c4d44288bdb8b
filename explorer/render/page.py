"""A response laid out for a width: its lines, which step each belongs to, and where the source's characters went.

What is shown is the text with expressions rendered, the answer in ⟦ ⟧ and remarks: a glyph behind what a remark is about, and
beneath that line a sentence of its own. None of it is in the source, and raw shows the source alone. Pure and fast (a megabyte
in a fraction of a second); `explorer.widgets.text_view` draws the lines in view.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from engine.steps import Step, split_steps
from explorer.render.pieces import Line, Tone
from explorer.render.text import Edit, Expression, Shown, answer_in, edits_of, one_line, outside, shown
from explorer.render.wrap import Span, wrap

Mark = tuple[int, int, Tone]
"""A part of the shown text that stands out: start, end, how."""

_GLUE = "\u00a0"
"""Between a text and the glyph behind it: no line breaks there."""
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Remark:
    """Something said of text[start:end]: a glyph behind it, and a sentence beneath the line where there is one."""

    start: int
    end: int
    glyph: str
    tone: Tone
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a text view shows."""

    text: str
    """As it came from the study."""
    answer: Span | None = None
    """The extracted answer, in characters of `text`, as are all places here. It stands in ⟦ ⟧, unless raw."""
    raw: bool = False
    """As it came, every unseen character spelled out."""
    steps: bool = True
    """Whether to number its steps."""
    empty: str = ""
    """What to say where there is no text."""
    rendered: Sequence[Expression] = ()
    """Expressions shown as they read."""
    code: Sequence[Mark] = ()
    remarks: Sequence[Remark] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of a text, ready to draw."""

    shown: Shown
    lines: Sequence[Span]
    """In characters of `shown.text`; blank where a sentence about the line before stands."""
    steps: Sequence[int]
    """The line on which each step begins, ascending; empty for a text without steps."""
    sentences: Mapping[int, Line] = field(default_factory=dict)
    """What stands on lines that are none of the text."""
    beneath: Sequence[Mark] = ()
    """What stands out by itself: code, and what remarks are about."""
    glyphs: Sequence[Mark] = ()
    """The remarks' glyphs; no match hides them."""
    remarked: Sequence[int] = ()
    """The line of each remark, ascending."""

    @property
    def answer(self) -> Span | None:
        """The answer in its ⟦ ⟧."""
        return self.shown.answer

    def source_at(self, line: int) -> int:
        """The source's character with which the line begins, or the one it begins inside of."""
        return self.shown.source_at(self.lines[line][0])

    def source_of(self, line: int) -> Span:
        """The source's characters that stand on the line, with the whole of every sign and expression that it shows part of."""
        view, (start, end) = self.shown, self.lines[line]
        first, last = view.source_at(start), view.source_at(max(start, end - 1)) + 1
        edit = bisect_right(view.new_starts, max(start, end - 1)) - 1
        if edit >= 0 and end <= view.new_ends[edit]:
            last = max(last, view.ends[edit])
        for begin, done in (_holding(view.expressions, first), _holding(view.expressions, last - 1)):
            first, last = min(first, begin), max(last, done)
        return first, last

    def step_at(self, line: int) -> int:
        """The 1-based step that holds the line; 0 where there are no steps."""
        return bisect_right(self.steps, line)

    def line_at(self, place: int) -> int:
        """The line that holds a character of the shown text."""
        return max(0, bisect_right(self.lines, place, key=lambda span: span[0]) - 1)

    def pieces(self, line: int, *layers: Sequence[Mark]) -> Line:
        """One line, cut at the marks that touch it; where marks of several layers lie on each other, the last one shows.

        The ends of a layer's marks ascend.
        """
        if line in self.sentences:
            return self.sentences[line]
        start, end = self.lines[line]
        text = self.shown.text[start:end]
        touching = [mark for layer in (self.beneath, *layers, self.glyphs) for mark in _touching(layer, start, end)]
        if not touching:
            return [(text, Tone.PLAIN)]
        tones = [Tone.PLAIN] * len(text)
        for mark_start, mark_end, tone in touching:
            first, last = max(mark_start, start) - start, min(mark_end, end) - start
            tones[first:last] = [tone] * (last - first)
        runs = [(tone, len(list(run))) for tone, run in groupby(tones)]
        ends = [0]
        for _, length in runs:
            ends.append(ends[-1] + length)
        return [(text[ends[at] : ends[at + 1]], tone) for at, (tone, _) in enumerate(runs)]


def page_of(document: Document, width: int) -> Page:
    """The page of a document in lines of at most `width` cells."""
    text = document.text
    parts = split_steps(text) if document.steps else []
    if document.raw:
        view = shown(text, raw=True)
        lines = wrap(view.text, width)
        return Page(view, lines, _first_lines(view, lines, parts))
    kept = _within(document.rendered, [step.start for step in parts])
    edits = edits_of(kept)
    placed = _placed(document.remarks, edits)
    view = shown(
        text,
        around=None if document.answer is None else answer_in(kept, document.answer),
        replaced=edits,
        put_in=list(dict.fromkeys((place, _GLUE + remark.glyph) for place, remark in placed)),
        expressions=[(one.start, one.end) for one in kept],
    )
    page = Page(view, lines := wrap(view.text, width), _first_lines(view, lines, parts), beneath=_beneath(view, document))
    return _with_remarks(page, placed, width) if placed else page


def matches(source: str, wanted: str) -> list[Span]:
    """Where `wanted` stands, in characters of the source; capitals count only where `wanted` has some."""
    if not wanted:
        return []
    flags = re.NOFLAG if wanted != wanted.lower() else re.IGNORECASE
    return [match.span() for match in re.finditer(re.escape(wanted), source, flags)]


def _first_lines(view: Shown, lines: Sequence[Span], parts: Sequence[Step]) -> list[int]:
    return [bisect_left(lines, view.at(step.start), key=lambda span: span[0]) for step in parts]


def _within(rendered: Sequence[Expression], begins: Sequence[int]) -> list[Expression]:
    """The expressions that lie within one step: links count steps, so each begins a line of its own."""
    if len(begins) < 2:
        return list(rendered)
    return [one for one in rendered if bisect_right(begins, one.start) == bisect_left(begins, one.end)]


def _beneath(view: Shown, document: Document) -> list[Mark]:
    """Code and what remarks are about, one behind the other: where they overlap, what began first goes on."""
    marks = [*document.code, *((remark.start, remark.end, remark.tone) for remark in document.remarks)]
    found: list[Mark] = []
    done = 0
    for start, end, tone in sorted(marks, key=lambda mark: mark[:2]):
        first, last = view.span(start, end)
        if last > max(first, done):
            found.append((max(first, done), last, tone))
            done = last
    return found


def _placed(remarks: Sequence[Remark], rendered: Sequence[Edit]) -> list[tuple[int, Remark]]:
    """Each with the place its glyph stands at, ascending. What is right is not said of an expression with something wrong."""
    placed = sorted(((outside(rendered, remark.end), remark) for remark in remarks), key=lambda each: each[0])
    with_sentence = {place for place, remark in placed if remark.sentence}
    return [(place, remark) for place, remark in placed if remark.sentence or place not in with_sentence]


def _with_remarks(page: Page, placed: Sequence[tuple[int, Remark]], width: int) -> Page:
    """The page with each remark's glyph toned, and its sentence beneath the line on which the glyph stands."""
    glyphs: set[Mark] = set()
    said: dict[int, dict[tuple[str, Tone], None]] = {}
    at_lines: list[int] = []
    for place, remark in placed:
        first = page.shown.text.index(_GLUE + remark.glyph, page.shown.at(place)) + len(_GLUE)
        glyphs.add((first, first + len(remark.glyph), remark.tone))
        if remark.sentence:
            at_lines.append(line := page.line_at(first))
            said.setdefault(line, {})[f"{remark.glyph} {one_line(remark.sentence)}", remark.tone] = None
    return _with_sentences(page, sorted(glyphs), said, at_lines, width)


def _with_sentences(
    page: Page, glyphs: Sequence[Mark], said: Mapping[int, Iterable[tuple[str, Tone]]], at_lines: Sequence[int], width: int
) -> Page:
    lines: list[Span] = []
    sentences: dict[int, Line] = {}
    moved: list[int] = []
    for place, span in enumerate(page.lines):
        moved.append(len(lines))
        lines.append(span)
        for sentence, tone in said.get(place, ()):
            for line in _sentence_lines(sentence, tone, width):
                sentences[len(lines)] = line
                lines.append((span[1], span[1]))
    first = [moved[line] if line < len(moved) else len(lines) for line in page.steps]
    remarked = sorted({moved[line] for line in at_lines})
    return Page(page.shown, lines, first, sentences, page.beneath, glyphs, remarked)


def _sentence_lines(sentence: str, tone: Tone, width: int) -> list[Line]:
    indent = _INDENT if width > 4 * _INDENT else 0
    found = wrap(sentence, width - indent - 2)
    return [[(" " * (indent + 2 * bool(place)) + sentence[start:end], tone)] for place, (start, end) in enumerate(found)]


def _holding(spans: Sequence[Span], place: int) -> Span:
    """The span that holds a place, else the place alone."""
    at = bisect_right(spans, place, key=lambda span: span[0]) - 1
    return spans[at] if at >= 0 and place < spans[at][1] else (place, place + 1)


def _touching(marks: Sequence[Mark], start: int, end: int) -> Iterator[Mark]:
    for place in range(bisect_right(marks, start, key=lambda mark: mark[1]), len(marks)):
        if marks[place][0] >= end:
            break
        yield marks[place]
