"""A picture as an SVG file: our own small writer, no dependency, the same bytes for the same picture.

Readable on light and dark: colours are classes, which the viewer's preference turns. Series differ in marker and dashes as
well, bands and boxes in their hatching. Every text is escaped, with what hides or acts in it spelled out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape

from explorer.render.plots.picture import Picture, Series, Shape, step_between, styled
from explorer.render.plots.rows import share_along, tick_text, value_ticks
from explorer.render.text import one_line

WIDTH: Final = 760
_LEFT, _RIGHT, _TOP, _PLOT = 64, 190, 70, 330
_ROW: Final = 46
_ROWS_LEFT: Final = 190
_LINE: Final = 16
_TICKS: Final = 8
_CHARS: Final = 112
"""Of a caption's line."""

_LIGHT: Final = ("#16181b", "#59616a", "#dfe3e7", "#ffffff")
_DARK: Final = ("#e6e8ea", "#a2abb4", "#30363d", "#14171a")
_SERIES: Final = (
    ("#0a5db3", "#6cabff"), ("#c2570a", "#f0a13a"), ("#0b7a5c", "#45cfa2"), ("#9c2f78", "#e890cb"),
    ("#7a6400", "#d8c456"), ("#4a6fa1", "#9ab8e6"), ("#b3312a", "#ff8f85"), ("#3f4650", "#c3c9d0"),
)  # fmt: skip
_DASHES: Final = ("", "7 3", "2 3", "10 3 2 3", "5 2", "1 4", "12 4", "8 2 2 2")
_SHAPES: Final = (
    '<rect x="-4" y="-4" width="8" height="8"{}/>',
    '<circle r="4.2"{}/>',
    '<path d="M0 -5L5 4H-5Z"{}/>',
    '<path d="M0 -5.5L5 0L0 5.5L-5 0Z"{}/>',
    '<path d="M-4 -4L4 4M-4 4L4 -4"{}/>',
    '<circle r="3"{}/>',
    '<path d="M0 5L5 -4H-5Z"{}/>',
    '<path d="M0 -6L3 0L0 6L-3 0Z"{}/>',
)
_NO_XML: Final = str.maketrans({"\ufffe": "⟨U+FFFE⟩", "\uffff": "⟨U+FFFF⟩"})


def svg(picture: Picture, subject: str) -> str:
    """The picture as a file of its own. subject: what it is of, beneath its title."""
    body = [*_ROWS_OR_PLACES[picture.shape](picture)] if picture.is_drawn else []
    height = _TOP + (_plot_height(picture) + 46 if body else 0)
    caption = list(_caption(picture, height))
    total = height + _LINE * (len(caption) + 1)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" width="{WIDTH}" height="{total}" role="img">'
    title = f"<title>{_safe(f'{picture.title}, {subject}')}</title>"
    paper = f'<rect class="paper" width="{WIDTH}" height="{total}"/>'
    words = [_text(16, 24, picture.title, "title"), _text(16, 42, subject, "muted")]
    return "\n".join(
        ['<?xml version="1.0" encoding="utf-8"?>', head, title, _style(), _HATCH, paper, *words, *body, *caption, "</svg>", ""]
    )


_HATCH: Final = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="paper" width="6" height="6"/><path class="ink-line" d="M0 0V6" stroke-width="2"/></pattern></defs>'
)


def _style() -> str:
    def rules(of: int, ground: Sequence[str]) -> str:
        ink, muted, grid, paper = ground
        series = "".join(f".s{at}{{stroke:{pair[of]}}}.f{at}{{fill:{pair[of]}}}" for at, pair in enumerate(_SERIES))
        return (
            f".paper{{fill:{paper}}}text{{fill:{ink}}}.muted{{fill:{muted}}}.grid{{stroke:{grid}}}"
            f".ink-line{{stroke:{ink};fill:none}}{series}"
        )

    return (
        "<style>text{font:12px system-ui,sans-serif}.title{font-weight:bold;font-size:14px}.line{fill:none;stroke-width:1.8}"
        f".open{{fill-opacity:0}}{rules(0, _LIGHT)}@media(prefers-color-scheme:dark){{{rules(1, _DARK)}}}</style>"
    )


def _plot_height(picture: Picture) -> int:
    return _ROW * len(picture.places) if picture.shape is Shape.ROWS else _PLOT


def _x(picture: Picture, place: float) -> float:
    """Of a place; bars stand in the middle of theirs."""
    across, number = WIDTH - _LEFT - _RIGHT, len(picture.places)
    if picture.shape is Shape.BARS or number == 1:
        return _LEFT + across * (place + 0.5) / number
    return _LEFT + across * place / (number - 1)


def _y(picture: Picture, value: float) -> float:
    low, high = picture.limits
    return _TOP + _PLOT * (1 - (value - low) / (high - low))


def _lines(picture: Picture) -> Iterator[str]:
    yield from _axes(picture)
    if picture.has_zero:
        yield f'<path class="ink-line" stroke-dasharray="3 3" d="M{_LEFT} {_y(picture, 0):.2f}H{WIDTH - _RIGHT}"/>'
    for style, one in styled(picture.series):
        yield from _band(picture, style, one) if picture.axis == "k" else _whiskers(picture, style, one)
    for style, one in styled(picture.series):
        yield from _curve(picture, style, one)
    yield from _end_words(picture)
    if picture.crossing is not None:
        x = _x(picture, picture.crossing.place)
        yield f'<path class="ink-line" stroke-dasharray="2 4" d="M{x:.2f} {_TOP}V{_TOP + _PLOT}"/>'
        yield _text(x + 5, _TOP + _PLOT - 6, picture.crossing.word)


def _bars(picture: Picture) -> Iterator[str]:
    yield from _axes(picture)
    across = 0.8 * (WIDTH - _LEFT - _RIGHT) / len(picture.places) / len(picture.series)
    for number, (style, one) in enumerate(styled(picture.series)):
        for place, value in enumerate(one.values):
            if value is None:
                continue
            left = _x(picture, place) + across * (number - len(picture.series) / 2)
            top, foot = _y(picture, value), _TOP + _PLOT
            yield _filled(
                left, top, across, foot - top, style, f"{picture.places[place]}: {one.word} {picture.number(value, one)}"
            )
            yield _text(left + across / 2, top - 4, picture.number(value, one), "muted", "middle")
        yield _filled(WIDTH - _RIGHT + 14, _TOP + 22 * number, 14, 12, style, one.name)
        yield _text(WIDTH - _RIGHT + 34, _TOP + 11 + 22 * number, _short(one.word))


def _rows(picture: Picture) -> Iterator[str]:
    foot = _TOP + _plot_height(picture)
    for value in value_ticks(picture, _TICKS):
        x = _along(picture, value)
        yield f'<path class="grid" d="M{x:.2f} {_TOP}V{foot}"/>'
        yield _text(x, foot + 16, tick_text(value), "muted", "middle")
    yield _text((_ROWS_LEFT + WIDTH - 40) / 2, foot + 34, picture.unit, "muted", "middle")
    for place, word in enumerate(picture.places):
        middle = _TOP + _ROW * (place + 0.5)
        yield _text(_ROWS_LEFT - 12, middle + 4, _short(word), "", "end")
        for one in picture.series:
            yield from _row(picture, one, place, middle)


def _row(picture: Picture, one: Series, place: int, middle: float) -> Iterator[str]:
    value, low, high = one.at(place)
    if value is None:
        return
    said = f"{picture.places[place]}: {picture.said(one, place)}"
    is_box = bool(one.least) and low is not None and high is not None
    ends = (one.least[place], one.most[place]) if one.least else (low, high)
    start, stop = (
        (_along(picture, low or 0), _along(picture, high or 0)) if is_box else (_along(picture, 0), _along(picture, value))
    )
    style = 2 * (place // 2) + place % 2 if not is_box else place // picture.a_colour
    if is_box and place % 2:
        yield f'<rect x="{start:.2f}" y="{middle - 11:.2f}" width="{stop - start:.2f}" height="22" fill="url(#hatch)"/>'
        yield _filled(start, middle - 11, stop - start, 22, style, said, " open")
    else:
        yield _filled(start, middle - 11, stop - start, 22, style, said)
    if ends[0] is not None and ends[1] is not None:
        first, last = _along(picture, ends[0]), _along(picture, ends[1])
        top, foot = middle - 5, middle + 5
        yield f'<path class="ink-line" d="M{first:.2f} {top}V{foot}M{first:.2f} {middle}H{last:.2f}M{last:.2f} {top}V{foot}"/>'
    if is_box:
        x = _along(picture, value)
        yield f'<path class="ink-line" stroke-width="3" d="M{x:.2f} {middle - 13}V{middle + 13}"/>'


_ROWS_OR_PLACES: Final = {Shape.LINES: _lines, Shape.BARS: _bars, Shape.ROWS: _rows}


def _along(picture: Picture, value: float) -> float:
    return _ROWS_LEFT + share_along(picture, value) * (WIDTH - 40 - _ROWS_LEFT)


def _axes(picture: Picture) -> Iterator[str]:
    right, foot = WIDTH - _RIGHT, _TOP + _PLOT
    low, high = picture.limits
    step = step_between(low, high, _TICKS)
    at = -(-low // step) * step
    while at <= high + 1e-9:
        yield f'<path class="grid" d="M{_LEFT} {_y(picture, at):.2f}H{right}"/>'
        yield _text(_LEFT - 8, _y(picture, at) + 4, f"{round(at, 9):,.10g}", "muted", "end")
        at += step
    yield f'<path class="ink-line" d="M{_LEFT} {_TOP}V{foot}H{right}"/>'
    for place, word in enumerate(picture.labels):
        x = _x(picture, place)
        yield f'<path class="ink-line" d="M{x:.2f} {foot}v4"/>' + _text(x, foot + 17, _short(word), "muted", "middle")
    yield _text((_LEFT + right) / 2, foot + 35, picture.axis, "muted", "middle")
    yield _text(16, _TOP - 9, picture.unit, "muted")


def _known(picture: Picture, one: Series) -> list[tuple[float, float, int]]:
    return [(_x(picture, at), _y(picture, value), at) for at, value in enumerate(one.values) if value is not None]


def _curve(picture: Picture, style: int, one: Series) -> Iterator[str]:
    """The line, and a marker a point that says its values to who points at it or has it read aloud."""
    known = _known(picture, one)
    dash, colour = _DASHES[style % len(_DASHES)], style % len(_SERIES)
    path = " ".join(f"{x:.2f},{y:.2f}" for x, y, _ in known)
    yield f'<polyline class="line s{colour}" stroke-dasharray="{dash}" points="{path}"/>'
    shape = _SHAPES[style % len(_SHAPES)].format(
        f' class="s{colour} f{colour}{" open" if style % 2 else ""}" stroke-width="1.6"'
    )
    for x, y, at in known:
        said = _safe(f"{picture.axis} = {picture.places[at]}: {one.word} {picture.said(one, at)}")
        yield f'<g class="point" transform="translate({x:.2f} {y:.2f})"><title>{said}</title>{shape}</g>'


def _band(picture: Picture, style: int, one: Series) -> Iterator[str]:
    if len(picture.series) > 2:
        return
    ends = [
        (_x(picture, at), low, high)
        for at, (_, low, high) in enumerate(map(one.at, range(len(one.values))))
        if low is not None and high is not None
    ]
    if ends:
        upper = [f"{x:.2f},{_y(picture, high):.2f}" for x, _, high in ends]
        lower = [f"{x:.2f},{_y(picture, low):.2f}" for x, low, _ in ends]
        colour, dash = style % len(_SERIES), _DASHES[style % len(_DASHES)]
        yield (
            f'<polygon class="band s{colour} f{colour}" fill-opacity="0.13" stroke-opacity="0.6" stroke-width="0.8"'
            f' stroke-dasharray="{dash}" points="{" ".join([*upper, *reversed(lower)])}"/>'
        )


def _whiskers(picture: Picture, style: int, one: Series) -> Iterator[str]:
    for at in range(len(one.values)):
        _, low, high = one.at(at)
        if low is not None and high is not None:
            x = _x(picture, at) + 3 * (style - len(picture.series) / 2)
            ends = f"M{x:.2f} {_y(picture, high):.2f}V{_y(picture, low):.2f}"
            yield f'<path class="s{style % len(_SERIES)}" stroke-width="1.1" d="{ends}"/>'


def _end_words(picture: Picture) -> Iterator[str]:
    """A word at the end of each line, as near to it as the others leave room."""
    ends = [
        (known[-1][0], known[-1][1], style, one) for style, one in styled(picture.series) if (known := _known(picture, one))
    ]
    last = _TOP - 14.0
    for x, y, style, one in sorted(ends, key=lambda end: end[1]):
        last = max(y, last + 15)
        colour = style % len(_SERIES)
        lead = f"M{x + 7:.2f} {y:.2f}L{WIDTH - _RIGHT + 16} {last:.2f}"
        yield f'<path class="s{colour}" stroke-width="0.7" stroke-dasharray="1 3" d="{lead}"/>'
        yield _text(WIDTH - _RIGHT + 20, last + 4, _short(one.word), f"f{colour}")


def _filled(x: float, y: float, width: float, height: float, style: int, said: str, more: str = "") -> str:
    """A bar: the first style is full, the others are lighter with a firm edge."""
    colour, weight = style % len(_SERIES), "0.9" if style == 0 else "0.35"
    fill = "" if more else f' fill-opacity="{weight}"'
    box = f'x="{x:.2f}" y="{y:.2f}" width="{max(width, 0):.2f}" height="{max(height, 0):.2f}"'
    return f'<rect class="bar s{colour} f{colour}{more}"{fill} {box}><title>{_safe(said)}</title></rect>'


def _caption(picture: Picture, top: int) -> Iterator[str]:
    """Notes first, then how the numbers were made: all of it, wrapped."""
    y = top + _LINE
    for said, kind in (*((note, "") for note in picture.notes), *((fact, "muted") for fact in picture.facts)):
        for line in _wrapped(one_line(said)):
            yield _text(16, y, line, kind)
            y += _LINE


def _wrapped(text: str) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= _CHARS:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return lines


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "") -> str:
    given = (f' class="{kind}"' if kind else "") + (f' text-anchor="{anchor}"' if anchor else "")
    return f'<text x="{x:.2f}" y="{y:.2f}"{given}>{_safe(text)}</text>'


def _short(text: str) -> str:
    clean = one_line(text)
    return clean if len(clean) <= 26 else clean[:12] + "…" + clean[-13:]


def _safe(text: str) -> str:
    return escape(one_line(text).translate(_NO_XML), {'"': "&quot;"})
