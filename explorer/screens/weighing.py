"""What models think of the trace on the screen, token by token: the Reader's shades, its forks, and the token gone to.

`l` goes from one way to look at the tokens to the next (`explorer.model.token_shades`), and it stays on while samples are
walked; the keys of forks turn it on. Scores are read in a worker once the text is on the screen, while it is on, and not at all
while it is off. Who audits blind sees none of it: that a model finds a trace likely says whose it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from textual import on
from textual.message import Message

from explorer.model.reading import Reading, Weighed, with_tokens
from explorer.model.session import Session
from explorer.model.walk import Walk
from explorer.render.pieces import Line, dim
from explorer.screens.base import CouldNotRead
from explorer.screens.preparing import Preparing
from explorer.widgets.lines import Lines

if TYPE_CHECKING:
    from explorer.model.token_shades import Lens, Tokens, Way
    from store.types import Model

_LOW: Final = 30
"""Lines of a terminal below which the token gone to takes the place of the levels."""
BLIND: Final = "what models think of a trace is hidden while you read blind: b shows it"


@dataclass
class TokensRead(Message):
    """The trace on the screen with its tokens."""

    reading: Reading


class Weighing(Preparing):
    """Base of the Reader."""

    def __init__(self, session: Session, walk: Walk) -> None:
        super().__init__(session, walk)
        self._weighs = False
        """Tokens are shaded, wherever there are some."""
        self._way: Way | None = None
        """How; None while nobody knows which ways there are."""
        self._turns = 0
        """Key presses that came before the tokens did."""
        self._once_there: Callable[[], None] | None = None
        """The key of forks that turned it on: what to do once there are tokens."""
        self._token: int | None = None
        """The one gone to."""
        self._ranked = -1
        """How far the decisive forks were gone through."""

    @property
    def weighed(self) -> Weighed | None:
        """What is to be read with a trace; None while nothing is shaded."""
        return Weighed(self._way, self.compared) if self._weighs and not self.session.is_blind else None

    @property
    def compared(self) -> tuple[Model, ...]:
        """The models that the screen holds against each other."""
        return ()

    @property
    def lens(self) -> Lens | None:
        """What the text is shaded by."""
        tokens = self._tokens
        return None if tokens is None or self._way is None or self.weighed is None else tokens.lens(self._way)

    @property
    def _tokens(self) -> Tokens | None:
        found = None if self.reading is None else self.reading.tokens
        return None if isinstance(found, str) else found

    def on_screen_resume(self) -> None:
        """An audit may have become blind, or sighted, on top of this screen."""
        if self.trace is not None:
            self.show_likelihood()

    def action_likelihood(self) -> None:
        reading = self.reading
        if reading is None:
            return
        if self.session.is_blind:
            self.say(BLIND)
        elif self._weighs and isinstance(reading.tokens, str):
            self._turn_off()
        else:
            self._weighs = True
            self._turns += 1
            self._look_at_tokens()

    def action_fork(self, by: int) -> None:
        lens = self._with_forks(partial(self.action_fork, by))
        token = None if lens is None else self._response.token_from(by, lens.forks)
        if token is not None:
            self._ranked = -1
            self._come_to_token(token)

    def action_decisive(self) -> None:
        lens = self._with_forks(self.action_decisive)
        if lens is not None:
            self._ranked = (self._ranked + 1) % len(lens.decisive)
            self._come_to_token(lens.decisive[self._ranked])

    def leave_token(self) -> bool:
        """Take away what is said of a token; False where nothing is."""
        if self._token is None:
            return False
        self._token = None
        self._show_lens()
        return True

    def show_likelihood(self, *, anew: bool = False) -> None:
        """Of the trace on the screen: now, or once it has been read. anew: nobody has gone to a token of it."""
        if anew:
            self._token, self._ranked, self._once_there = None, -1, None
        reading = self.reading
        if self.weighed is not None and reading is not None and reading.tokens is None:
            self._show_lines()
            self.call_after_refresh(self._look_at_tokens)  # the text is painted before a thread takes time from it
        else:
            self._show_lens()

    @on(TokensRead)
    def show_tokens(self, message: TokensRead) -> None:
        found, now = message.reading, self.reading
        if now is None or now.trace.row.sample_id != found.trace.row.sample_id or not self._weighs:
            return
        self.reading = replace(now, tokens=found.tokens)
        self._kept.put(self.reading)
        turns, then = self._turns, self._once_there
        self._turns, self._once_there = 0, None
        if isinstance(found.tokens, str) and self._way is None:
            self._turn_off()
            self.say(found.tokens)
        elif turns:
            self._next_ways(turns)
        elif then is not None and self._tokens is not None:
            self._way = self._tokens.telling
            self._show_lens()
            then()
        else:
            self._show_lens()
        self._rest_then_look_ahead()

    @on(CouldNotRead)
    def do_without_tokens(self, message: CouldNotRead) -> None:
        if message.group == "tokens":
            self._turn_off()
            self._rest_then_look_ahead()

    def _look_at_tokens(self) -> None:
        reading, session, weighed = self.reading, self.session, self.weighed
        if reading is None or weighed is None:
            return
        if reading.tokens is not None:
            self.show_tokens(TokensRead(reading))
        else:
            telling = self._once_there is not None

            def look() -> TokensRead:
                found = with_tokens(session, reading, weighed).tokens
                if telling and found is not None and not isinstance(found, str):
                    found.lens(found.telling)
                return TokensRead(replace(reading, tokens=found))

            self.read("tokens", look)

    def _next_way(self) -> Way | None:
        """After the one in force; None after the last one."""
        ways = [] if self._tokens is None else self._tokens.ways
        at = ways.index(self._way) + 1 if self._way in ways else 0
        return ways[at] if at < len(ways) else None

    def _next_ways(self, turns: int) -> None:
        """On by so many ways, or off after the last one."""
        for _ in range(turns):
            self._way, self._token, self._ranked = self._next_way(), None, -1
        if self._way is None:
            self._turn_off()
        else:
            self._show_lens()

    def _turn_off(self) -> None:
        self._weighs, self._way, self._token, self._turns, self._once_there = False, None, None, 0, None
        self._show_lens()

    def _with_forks(self, then: Callable[[], None]) -> Lens | None:
        """The lens, where it has forks; else it is said why not. Where nothing is shaded, something is, and `then` is done."""
        lens = self.lens
        if lens is None:
            self._turn_on(then)
            return None
        if lens.forks:
            return lens
        word = lens.voice.word
        self.say(
            f"no fork: {word}'s first choice is everywhere the token that stands there"
            if lens.forks_known
            else f"{word} was scored by a server that does not tell what else might have stood there"
        )
        return None

    def _turn_on(self, then: Callable[[], None]) -> None:
        reading = self.reading
        if reading is None:
            return
        if self.session.is_blind:
            self.say(BLIND)
        elif isinstance(reading.tokens, str):
            self.say(reading.tokens)
        else:
            self._weighs, self._once_there = True, then
            self._look_at_tokens()

    def _come_to_token(self, token: int) -> None:
        self._token = token
        self._show_lines()  # before the token is looked for: it takes lines from the text
        self._response.come_to_token(token)

    def _show_lens(self) -> None:
        lens = self.lens
        self._response.shade(None if lens is None else lens.shades, self._token)
        self._show_lines()

    def _show_lines(self) -> None:
        widget, lines = self.query_one("#likelihood", Lines), self._likelihood_lines(max(1, self.size.width - 2))
        if len(lines) == len(widget.lines):  # nothing moves, so nothing needs to be laid out
            widget.set_reactive(Lines.lines, lines)
            widget.refresh()
        else:
            widget.lines = lines

    def _likelihood_lines(self, width: int) -> list[Line]:
        tokens, lens = self._tokens, self.lens
        if self.weighed is None or self.reading is None or self._way is None:
            return []
        if self.reading.tokens is None:  # as many lines as before, but for those of a token: the text stays where it is
            before = len(self.query_one("#likelihood", Lines).lines)
            return [[dim("reading what models think of it")], *([] for _ in range(min(before, self._legend_lines) - 1))]
        from explorer.render.forks import panel
        from explorer.render.legend import legend, without

        if tokens is None or lens is None:
            said = self.reading.tokens if isinstance(self.reading.tokens, str) else "not scored this way; l shows another"
            return without(said, width)
        lines = legend(lens, width, self._legend_lines)
        return lines if self._token is None else [*lines, *panel(tokens.facts(lens, self._token), width)]

    @property
    def _legend_lines(self) -> int:
        """At most so many."""
        return 1 if self.is_low or (self.size.height < _LOW and self._token is not None) else 2
