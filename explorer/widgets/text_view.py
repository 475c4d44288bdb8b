"""A text of any length, wrapped to the width and drawn line by line, with a gutter of step numbers and a current step.

`open` shows a text, `turn` shows the same one another way (raw, with remarks) at the same place, `come_to_step`, `find` and
`come_to_remark` go to a part of it. However the view got there, `current` is the step the reader is at: the one gone to while
some of it is in view, else the one on top. The gutter says the step's number, ▶ at the current one and ✎ at marked ones.
`shade` tones the text by tokens and puts a bar in the gutter of each step; `come_to_token` goes to one of them.

Only lines in view are drawn. The view keeps its own top line and draws its own bar: going to another line or text paints this
one widget again and lays out nothing, which is what makes a page turn in milliseconds. Laying out a long text takes longer, so
whoever opens one may bring the page along, made elsewhere for `text_width`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.signal import Signal
from textual.strip import Strip

from explorer.render.page import Document, Mark, Page, matches, page_of
from explorer.render.pieces import Line, Piece, Tone, dim, plain, width_of
from explorer.render.shades import FORBIDS, Shades
from explorer.render.wrap import Span
from explorer.widgets.pager import pager_keys
from explorer.widgets.toned import Toned

__all__ = ["EMPTY", "Document", "Made", "TextView"]

_NUMBER = 4
_GUTTER = _NUMBER + 4
_BAR = 2
_KEPT_ABOVE = 1
_WHEEL = 3

EMPTY = Document("", steps=False)


@dataclass(frozen=True, slots=True)
class Made:
    """A page and the width it was made for."""

    page: Page
    width: int


def _in_gutter(step: int) -> str:
    """The step's number in the cells there are: of a long one the end; the whole stands on the first line of the screen."""
    text = str(step) if step < 10**_NUMBER else f"…{str(step)[1 - _NUMBER :]}"
    return f"{text:>{_NUMBER - 1}}".ljust(_NUMBER)


class TextView(Toned, can_focus=True):
    """Reads like a pager."""

    BINDINGS: ClassVar[list[BindingType]] = pager_keys("text")

    DEFAULT_CSS = """
    TextView { height: 1fr; width: 1fr; overflow: hidden; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.moved: Signal[int] = Signal(self, "moved")
        """A key or a search led to another step or match. Opening a text does not say so: who opens it knows.

        Heard at once, where a message would come one painting later and make two of each page.
        """
        self._document = EMPTY
        self._page = page_of(EMPTY, 2)
        self._wrapped_for = 0
        self._top = 0
        self._current = 1
        self._chosen = False
        self._put_on_top = (-1, 0)
        self._marked: Collection[int] = ()
        self._layers: tuple[Sequence[Mark], ...] = ()
        """What stands out beside what the page itself has: the answer, over it the matches, over these the one gone to."""
        self._shades: Shades | None = None
        self._token: int | None = None
        """The token gone to."""
        self._keeps_token = False
        """It is to stay in view when the size changes: nobody has scrolled since."""
        self._remark_line = -1
        """The remark gone to; -1 after scrolling away from it."""
        self._found: list[Span] = []
        """In characters of the text: they outlast another wrapping."""
        self._found_shown: list[Span] = []
        self._found_at = -1
        self._bodies: dict[int, Strip] = {}
        self._gutters: dict[tuple[int, bool, bool], Strip] = {}

    @property
    def document(self) -> Document:
        return self._document

    @property
    def page(self) -> Page:
        return self._page

    @property
    def top(self) -> int:
        """The line at the top of the view."""
        return self._top

    @property
    def last_top(self) -> int:
        """Where it stands at the end of the text."""
        return max(0, len(self._page.lines) - self.size.height)

    @property
    def current(self) -> int:
        """1-based step the reader is at; 1 where the text has no steps."""
        return self._current

    @property
    def step_count(self) -> int:
        return len(self._page.steps)

    @property
    def found(self) -> tuple[int, int]:
        """Which match the view is at, from 1, and how many there are."""
        return self._found_at + 1, len(self._found)

    @property
    def marked(self) -> Collection[int]:
        """Steps that bear a ✎ in the gutter."""
        return self._marked

    @marked.setter
    def marked(self, steps: Collection[int]) -> None:
        if set(steps) != set(self._marked):
            self._marked = frozenset(steps)
            self.refresh()

    @property
    def shades(self) -> Shades | None:
        return self._shades

    @property
    def token(self) -> int | None:
        """The token that stands out as the one gone to."""
        return self._token

    def shade(self, shades: Shades | None, token: int | None = None) -> None:
        """Tone the text's tokens, or do not, with that one standing out. The text stays where it is."""
        if shades is self._shades and token == self._token:
            return
        if shades is not self._shades:
            self._gutters.clear()
        self._shades, self._token = shades, token
        self._bodies.clear()
        self.refresh()

    def text_width(self, document: Document) -> int:
        """Cells that a line of the document may take here."""
        return self._room(document, self.view_width)

    def _room(self, document: Document, width: int) -> int:
        # Before the first layout, what it will be in a screen of its own: else the text is wrapped again once there is one.
        width = width or self.app.size.width
        return width - _BAR - (_GUTTER if document.steps and not document.raw else 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        """Of the whole text, where the styles let it decide."""
        same = width == self._wrapped_for
        return len((self._page if same else page_of(self._document, self._room(self._document, width))).lines)

    def open(self, document: Document, step: int = 1, wanted: str = "", made: Made | None = None) -> None:
        """Show another text from that step on, or from the first match of `wanted`. A step too far is the last one."""
        self._document = document
        self._shades, self._token = None, None
        self._put_on_top = (-1, 0)
        self._found, self._found_at = [], -1
        self._lay_out(made)
        self._current = self._nearest(step)
        self._chosen = self._current > 1
        self._top = 0
        if self._chosen:
            self._scroll(self._page.steps[self._current - 1] - _KEPT_ABOVE)
        self._seek(wanted)

    def turn(self, document: Document, made: Made | None = None) -> None:
        """Show the same text another way at the same place, step and match."""
        place = self._place_on_top()
        self._document = document
        self._lay_out(made)
        self._place_found()
        self._bring_on_top(place)

    def come_to_step(self, step: int) -> None:
        """The whole step in view, or its first line on top where it does not fit. A step too far is the nearest there is."""
        if not self._page.steps:
            return
        step = self._nearest(step)
        first = self._page.steps[step - 1]
        end = self._page.steps[step] if step < self.step_count else len(self._page.lines)
        if first < self._top or end > self._top + self.size.height:
            self._scroll(first - _KEPT_ABOVE)
        self._come_to(step, chosen=True)

    def come_to_remark(self, by: int) -> bool:
        """The next line that bears a remark, from where the last one or the reader is; False where there is none."""
        lines = self._page.remarked
        here = self._remark_line if self._remark_line >= 0 else self._top - (by > 0)
        onward = [line for line in lines if (line > here if by > 0 else line < here)]
        if not onward:
            return False
        line = onward[0] if by > 0 else onward[-1]
        self._bring_into_view(line)
        self._remark_line = line
        self._current, self._chosen = max(1, self._page.step_at(line)), True
        self._bodies.clear()
        self.refresh()
        self.moved.publish(self._current)
        return True

    def come_to_token(self, token: int) -> None:
        """The token in view, standing out, and its step the current one."""
        if self._shades is None:
            return
        self.shade(self._shades, token)
        line = self._line_of(token)
        self._bring_into_view(line)
        self._keeps_token = True
        self._current, self._chosen = max(1, self._page.step_at(line)), True
        self.moved.publish(self._current)

    def token_from(self, by: int, tokens: Sequence[int]) -> int | None:
        """The next of these, which ascend, from the token gone to where that is in view, else from the top of the view; round
        the ends. None where there are none."""
        if self._shades is None or not tokens:
            return None
        if self._token is not None and self._is_in_view(self._line_of(self._token)):
            at = bisect_right(tokens, self._token) if by > 0 else bisect_left(tokens, self._token) - 1
        else:
            first = bisect_left(self._shades.starts, self._page.source_at(min(self._top, len(self._page.lines) - 1)))
            at = bisect_left(tokens, first) - (by < 0)
        return tokens[at % len(tokens)]

    def find(self, wanted: str) -> None:
        """Mark what is wanted, and go to the first match at or after the top of the view."""
        self._seek(wanted)
        self.moved.publish(self._current)

    def find_next(self, by: int) -> None:
        """Go to the next or previous match, round the ends."""
        if self._found:
            self._found_at = (self._found_at + by) % len(self._found)
            self._mark()
            self._show_found()
            self.moved.publish(self._current)

    def action_by_lines(self, by: int) -> None:
        self._scroll(self._top + by)
        self._follow()

    def action_by_pages(self, by: int) -> None:
        self.action_by_lines(by * max(1, self.size.height - 2))

    def action_to_top(self) -> None:
        self._scroll(0)
        self._come_to(1, chosen=False)

    def action_to_end(self) -> None:
        self._scroll(self.last_top)
        self._come_to(self.step_count, chosen=True)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_by_lines(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_by_lines(-_WHEEL)

    def on_resize(self) -> None:
        """Wrap again where the width is another one, with the line on top kept on top."""
        if self.view_width != self._wrapped_for:
            self.turn(self._document)
        else:
            self._scroll(self._top)
        if self._keeps_token and self._token is not None:
            self._bring_into_view(self._line_of(self._token))
            self._keeps_token = True

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._bodies.clear()
        self._gutters.clear()

    def render_line(self, y: int) -> Strip:
        line = self._top + y
        width = self.view_width - _BAR
        if line >= len(self._page.lines):
            return self.strip_of((), self.view_width)
        if not self._document.text:
            return self.strip_of((plain(" "), dim(self._document.empty)), self.view_width)
        gutter = self._gutter_strip(line)
        body = self._bodies.get(line)
        if body is None:
            body = self._bodies[line] = self.strip_of(self._body(line), width - gutter.cell_length)
        return Strip.join([gutter, body, self._bar_strip(y)])

    def _body(self, line: int) -> Line:
        pieces = self._shaded(line) if self._shades is not None else self._page.pieces(line, *self._layers)
        if line - 1 == self._remark_line >= 0 and line in self._page.sentences:
            text, tone = pieces[0]
            return [("  ▸ ", Tone.ACCENT), (text.lstrip(), tone)]
        return pieces

    def _shaded(self, line: int) -> Line:
        """The shades lie beneath the answer and the matches, the token gone to over them."""
        shades = self._shades
        if shades is None:
            return ()
        below, here = shades.marks(self._page, line), shades.here(self._page, line, self._token)
        pieces = self._page.pieces(line, below, *self._layers, here)
        tail = shades.tail(self._page, line, self._token)
        room = self.text_width(self._document) - width_of(pieces)
        return [*pieces, tail] if tail is not None and room > 0 else pieces

    def _gutter_strip(self, line: int) -> Strip:
        if not self._page.steps or self._document.raw:
            key = (-1, False, False)
            return self._gutter_of(key, [plain(" ")])
        step = self._page.step_at(line)
        here, marked, first = step == self._current, step in self._marked, self._page.steps[step - 1] == line
        bar = ("▎", Tone.ACCENT if here else Tone.DIM)
        if not first:
            return self._gutter_of((0, here, False), [plain(" " * _NUMBER), bar, plain("   ")])
        sign = ("▶" if here else " ") + ("✎" if marked else " ")
        number: Line = [(_in_gutter(step), Tone.ACCENT if here else Tone.DIM)]
        if self._shades is not None:
            bar = self._shades.bars.get(step, bar)
            number = self._with_sign(number[0], step)
        return self._gutter_of((step, here, marked), [*number, bar, (f"{sign} ", Tone.ACCENT)])

    def _with_sign(self, number: Piece, step: int) -> Line:
        """✕ behind the number of a step that holds a token outside, where there is a cell for it."""
        text, tone = number
        if self._shades is None or step not in self._shades.forbidding or not text.endswith(" "):
            return [number]
        return [(text[:-1], tone), (FORBIDS, Tone.BAD)]

    def _gutter_of(self, key: tuple[int, bool, bool], pieces: Line) -> Strip:
        found = self._gutters.get(key)
        if found is None:
            found = self._gutters[key] = self.strip_of(pieces, 1 if key[0] < 0 else _GUTTER)
        return found

    def _bar_strip(self, y: int) -> Strip:
        """Where in the text the view is; nothing where all of it is in view."""
        height, lines = self.size.height, len(self._page.lines)
        sign = " "
        if lines > height:
            length = max(1, height * height // lines)
            first = round(self._top / max(1, lines - height) * (height - length))
            sign = "┃" if first <= y < first + length else "│"
        key = (-2 - "│┃".find(sign), False, False)
        found = self._gutters.get(key)
        if found is None:
            found = self._gutters[key] = self.strip_of([dim(f" {sign}")], _BAR)
        return found

    def _lay_out(self, made: Made | None) -> None:
        self._wrapped_for = self.view_width
        width = self.text_width(self._document)
        self._page = made.page if made is not None and made.width == width else page_of(self._document, width)
        self._bodies.clear()
        self._gutters.clear()
        self._remark_line = -1
        if self.styles.is_auto_height:
            self.refresh(layout=True)

    def _place_found(self) -> None:
        self._found_shown = [self._page.shown.span(start, end) for start, end in self._found]
        answer = [] if self._page.answer is None else [(*self._page.answer, Tone.ANSWER)]
        self._layers = (answer, [(start, end, Tone.MATCH) for start, end in self._found_shown], ())
        self._mark()

    def _mark(self) -> None:
        here = [(*self._found_shown[self._found_at], Tone.MATCH_HERE)] if self._found else []
        self._layers = (*self._layers[:2], here)
        self._bodies.clear()
        self.refresh()

    def _seek(self, wanted: str) -> None:
        self._found = matches(self._document.text, wanted)
        top = self._page.source_at(self._top)
        self._found_at = next((place for place, (start, _) in enumerate(self._found) if start >= top), 0) if self._found else -1
        self._place_found()
        self._show_found()

    def _show_found(self) -> None:
        """The match in view, a third of the way down where it was not; its step becomes the current one."""
        if self._found:
            line = self._page.line_at(self._found_shown[self._found_at][0])
            self._bring_into_view(line)
            self._current, self._chosen = max(1, self._page.step_at(line)), True

    def _line_of(self, token: int) -> int:
        shown = () if self._shades is None else self._shades.shown_at(self._page, token)
        return self._page.line_at(min(shown[0], max(0, len(self._page.shown.text) - 1))) if shown else 0

    def _is_in_view(self, line: int) -> bool:
        return self._top <= line < self._top + self.size.height

    def _bring_into_view(self, line: int) -> None:
        if not self._is_in_view(line):
            self._scroll(line - self.size.height // 3)

    def _follow(self) -> None:
        """After scrolling: the step gone to while some of it is in view, else the one on top; at the end the last one."""
        lines = self._page.lines
        bottom = min(self._top + self.size.height, len(lines)) - 1
        # A step ends with its blank lines: where only these are left of it, the reader is at the next one.
        first = next((line for line in range(self._top, bottom) if lines[line][0] < lines[line][1]), self._top)
        if self._chosen and self._page.step_at(first) <= self._current <= self._page.step_at(bottom):
            return
        at_end = 0 < self.last_top <= self._top
        self._come_to(self.step_count if at_end else self._page.step_at(first), chosen=at_end)

    def _come_to(self, step: int, *, chosen: bool) -> None:
        before, self._current, self._chosen = self._current, self._nearest(step), chosen
        if self._current != before:
            self.refresh()
            self.moved.publish(self._current)

    def _nearest(self, step: int) -> int:
        return max(1, min(step, self.step_count))

    def _place_on_top(self) -> int:
        """The source's character on top. While nobody scrolls it stays the same one, or the text would creep at each turn."""
        line, place = self._put_on_top
        return place if line == self._top else self._page.source_at(min(self._top, len(self._page.lines) - 1))

    def _bring_on_top(self, place: int) -> None:
        self._scroll(self._page.line_at(self._page.shown.at(place)) if place else 0)
        self._put_on_top = (self._top, place)

    def _scroll(self, line: int) -> None:
        top = max(0, min(line, self.last_top))
        if top != self._top:
            self._top, self._remark_line, self._keeps_token = top, -1, False
            self.refresh()
