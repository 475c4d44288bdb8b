"""What is said of one token: its probability under each scorer, whether it could be drawn, what might stand there instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isnan
from typing import Final

from explorer.render.pieces import GAP, Line, Piece, Tone, dim, flow, joined, plain, strong, width_of
from explorer.render.shades import END, FORBIDS, LINE_END
from explorer.render.text import visible
from explorer.render.words import rate

_TOKEN: Final = 24
"""Characters of a token that are shown; of a choice less."""
_CHOICE: Final = 14
_BAR: Final = 10
"""Cells of a bar of 100 %."""
_BLANK = "␣"
_ABOUT = "≈"
"""Before what is stored in one byte a token: the heading has the exact one of the token that lies furthest outside."""


@dataclass(frozen=True, slots=True)
class View:
    """What one scorer thinks of the token."""

    name: str
    tone: Tone
    logp: float
    entropy: float | None
    decoded: float | None
    """None where the decoding is the model's own distribution."""
    edge: float | None
    decoding: tuple[float, float, int]
    """Temperature, top-p, top-k."""
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A token that the scorer thought of."""

    text: str
    """Empty where nobody stored how it reads."""
    token_id: int
    logp: float


@dataclass(frozen=True, slots=True)
class AtToken:
    """One token of a trace."""

    text: str
    """Of a part of a character, that character; empty for a token behind the response."""
    part: bool
    """It brings no character itself."""
    place: int
    tokens: int
    step: int
    fork: tuple[int | None, int]
    """Which fork it is, from 1 (None: it is none), and how many there are."""
    ratio: float | None
    """None where one model alone is looked at."""
    views: tuple[View, ...]
    chooser: tuple[str, Tone]
    """Whose choices these are."""
    choices: tuple[Choice, ...]
    choices_known: bool


def panel(at: AtToken, width: int) -> list[Line]:
    """One line of the token, one of each scorer, one of what the chooser would rather have. As many lines at every token."""
    return [_first(at, width), *_views(at, width), _instead(at, width)]


def token_text(text: str, most: int = _TOKEN) -> str:
    """A token as it is named: its blanks and line ends in sight."""
    shown = visible(text[:most].replace("\n", LINE_END))
    begun = len(shown) - len(shown.lstrip(" "))
    shown = _BLANK * begun + shown.strip(" ") + _BLANK * (len(shown.rstrip(" ")) < len(shown) and begun < len(shown))
    return shown if len(shown) <= most and len(text) <= most else shown[: most - 1] + "…"


def chance(logp: float) -> str:
    """12 % (1 in 8.3); of what is more likely than not the share alone."""
    from engine.analyses.perplexity import odds

    share = exp(min(logp, 0.0))
    said = rate(share) if share >= 0.001 else "<0.1 %" if share else "0 %"
    return f"{said} ({odds(logp)})" if share < 0.5 else said


def nats(value: float) -> str:
    """With its sign, and a real minus."""
    return "unknown" if isnan(value) else f"{value:+.2f}".replace("-", "−").replace("inf", "∞")


def _first(at: AtToken, width: int) -> Line:
    number, of = at.fork
    fork: Line = [strong(f"fork {number:,}"), dim(f" of {of:,}")] if number is not None else [dim("no fork")]
    ratio: list[Line] = [] if at.ratio is None else [[dim("log-ratio "), strong(nats(at.ratio))]]
    where: Line = [dim(f"token {at.place + 1:,} of {at.tokens:,} · step {at.step}")]
    parts: list[Line] = [[("▸ ", Tone.ACCENT), *_named(at)], fork, *ratio, where]
    return flow(parts, width)[0]


def _named(at: AtToken) -> Line:
    if not at.text:
        return [strong(END), dim(" the end")]
    return [*([dim("part of ")] if at.part else []), strong(token_text(at.text))]


def _views(at: AtToken, width: int) -> list[Line]:
    column = max(width_of([plain(view.name)]) for view in at.views)
    return [_view(view, column, width) for view in at.views]


def _view(view: View, column: int, width: int) -> Line:
    """In the longest words that fit."""
    begun: Line = [(view.name.ljust(column), view.tone), plain(f"  {chance(view.logp)}")]
    entropy = None if view.entropy is None else f"{_ABOUT}{view.entropy:.2f}"
    line: Line = begun
    for word, settings in (("entropy", True), ("H", True), ("H", False)):
        line = joined([begun, _nucleus(view, settings=settings), [dim(f"{word} {entropy}")] if entropy is not None else []])
        if width_of(line) <= width:
            break
    return line


def _nucleus(view: View, *, settings: bool) -> Line:
    """inside by ≈0.34 at T 0.6 top-p 0.95; nothing where the decoding excludes nothing, or nobody told."""
    temperature, top_p, top_k = view.decoding
    if view.decoded is None or (top_p >= 1 and not top_k):
        return []
    at = f" at T {temperature:g} top-p {top_p:g}" + (f" top-k {top_k}" if top_k else "") if settings else ""
    edge = view.edge
    by = "" if edge is None else f" by {_ABOUT}{abs(edge):.2g}"
    near: Line = [(", within rounding", Tone.WARN)] if edge is not None and abs(edge) < view.margin else []
    if view.decoded > -inf:
        return [dim(f"inside{by}"), *near, dim(at)]
    cut = edge is not None and edge < 0
    return [(f"{FORBIDS} outside{': cut by top-k' if cut else by}", Tone.BAD), *near, dim(at)]


def _instead(at: AtToken, width: int) -> Line:
    """base would  ␣so 61 % ██████ · ␣but 12 % █"""
    name, tone = at.chooser
    begun: list[Piece] = [(name, tone)]
    if not at.choices_known:
        return [*begun, dim(" does not tell what else it thought of")]
    if not at.choices:
        return [*begun, dim(" thought of nothing else worth keeping")]
    verb = " would rather " if at.fork[0] is not None else " next thought of "
    line = [*begun, dim(verb)]
    for place, choice in enumerate(at.choices):
        piece: Sequence[Piece] = [*([GAP] if place else []), *_choice(choice)]
        if place and width_of([*line, *piece]) > width:
            break
        line += piece
    return line


def _choice(choice: Choice) -> list[Piece]:
    share = exp(min(choice.logp, 0.0))
    name = token_text(choice.text, _CHOICE) if choice.text else f"token {choice.token_id}"
    bar = "█" * max(1, round(_BAR * share))
    return [strong(name), plain(f" {rate(share)} "), (bar, Tone.OTHER)]
