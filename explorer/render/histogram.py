"""Which answers a run gave to one problem, on one line: ✓ 52 ×6 ██████  ✗ 57 ×2 ██."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from explorer.render.pieces import Line, Piece, Tone, dim, plain
from explorer.render.text import one_line
from explorer.render.words import glyph
from store.rows import TraceRow
from store.types import Outcome

_TONES: dict[Outcome | None, Tone] = {Outcome.CORRECT: Tone.GOOD, Outcome.INCORRECT: Tone.PLAIN}
_ANSWERS_AT_MOST = 12
_LONGEST_BAR = 16

Answer = tuple[str, Outcome | None]


def answers(rows: Iterable[TraceRow]) -> Counter[Answer]:
    """How often each answer was given, by its text and what it was judged to be."""
    return Counter((_text(row), row.outcome) for row in rows)


def histogram(found: Counter[Answer]) -> Line:
    """The answers, most frequent first, each with a bar as long as its share."""
    total = found.total()
    pieces: list[Piece] = []
    for (text, judged), number in found.most_common(_ANSWERS_AT_MOST):
        tone = _TONES.get(judged, Tone.WARN)
        bar = "█" * max(1, round(_LONGEST_BAR * number / total))
        pieces += [(f"{glyph(judged)} {text} ", tone), plain(f"×{number:,} "), (bar, tone), plain("  ")]
    if (rest := len(found) - _ANSWERS_AT_MOST) > 0:
        pieces.append(dim(f"and {rest:,} more answers"))
    return pieces or [dim("no traces")]


def _text(row: TraceRow) -> str:
    if row.answer is None:
        return "none" if row.outcome is Outcome.NO_ANSWER else "?"
    text = one_line(row.answer[:80]) or "(empty)"
    return text if len(text) <= 24 else text[:23] + "…"
