"""Which answers a run gave to one problem, on one line: ✓ 52 ×6 ██████  ✗ 57 ×2 ██."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from explorer.render.pieces import Line, Piece, Tone, dim, plain
from explorer.render.text import shortened
from explorer.render.words import counted, glyph
from store.rows import Count, TraceRow
from store.types import Outcome

_TONES: dict[Outcome | None, Tone] = {Outcome.CORRECT: Tone.GOOD, Outcome.INCORRECT: Tone.PLAIN}
_ANSWERS_AT_MOST = 12
_LONGEST_ANSWER = 24
_LONGEST_BAR = 16

Answer = tuple[str, Outcome | None]


def answers(rows: Iterable[TraceRow]) -> Counter[Answer]:
    """How often each answer was given, by its text and what it was judged to be."""
    return Counter((_text(row), row.outcome) for row in rows)


def histogram(found: Counter[Answer], count: Count | None) -> Line:
    """The answers, most frequent first, each with a bar as long as its share.

    count: of all that was judged, beside which there may be extra samples. Where fewer traces are stored, they may have been
    chosen by their answers: that is said, and there are no bars, for shares of what was chosen mislead.
    """
    total = found.total()
    every = 0 if count is None else count.counted + count.extra
    is_part = total < every
    pieces: list[Piece] = [(f"{total:,} of {every:,} stored: ", Tone.WARN)] if is_part else []
    for (text, judged), number in found.most_common(_ANSWERS_AT_MOST):
        tone = _TONES.get(judged, Tone.WARN)
        pieces += [(f"{glyph(judged)} {text} ", tone), plain(f"×{number:,} ")]
        pieces += [plain(" ")] if is_part else [("█" * max(1, round(_LONGEST_BAR * number / total)), tone), plain("  ")]
    if (rest := len(found) - _ANSWERS_AT_MOST) > 0:
        pieces.append(dim(f"and {counted(rest, 'more answer')}"))
    return pieces if found else [*pieces, dim("no traces")]


def _text(row: TraceRow) -> str:
    if row.answer is None:
        return "none" if row.outcome is Outcome.NO_ANSWER else "?"
    return shortened(row.answer, _LONGEST_ANSWER) or "(empty)"
