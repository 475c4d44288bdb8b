"""Claims as people read them, on screen and on paper: a glyph and a word for each finding, the statistic, its chances.

Nothing here computes: `engine.claims.claims` does, in seconds, away from the event loop. Standard library only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from explorer.model.session import Pair, Session
from explorer.render.pieces import Line, Piece, Tone, dim, joined, plain
from explorer.render.words import counted, role
from store.types import Role

if TYPE_CHECKING:
    from engine.claims.base import Finding, Found

GLYPHS: Final = {"supported": "✓", "contradicted": "✗", "not significant": "~", "cannot tell": "?"}
_TONES: Final = {"supported": Tone.GOOD, "contradicted": Tone.BAD, "not significant": Tone.PLAIN, "cannot tell": Tone.DIM}

PROBLEMS, QUEUE, PLOTS = "problems", "queue", "plots"
_WHERE: Final = {
    "within-base": PROBLEMS,
    "coverage-shrinks": PROBLEMS,
    "not-guesses": PROBLEMS,
    "valid-chains": QUEUE,
}
"""Where one can see what a claim rests on, by its name; the others are about curves and figures."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Every claim's rows for a pair of runs."""

    rows: tuple[Found, ...]

    @property
    def tests(self) -> int:
        """Among how many a q-value is."""
        return sum(row.p_value is not None for row in self.rows)


def judged(session: Session, pair: Pair) -> Judged:
    """In a worker, on a connection of its own: it takes seconds, and what a person asks for must not wait."""
    from engine.claims import claims

    with session.apart() as apart:
        return Judged(tuple(claims(apart, pair.board, pair.base, pair.other)))


def doubt(pair: Pair) -> Line:
    """Said loudly where the claims, which are about training, are put to two runs of one kind of model."""
    if pair.other is None or pair.other.model.role is not pair.base.model.role or pair.base.model.role is Role.OTHER:
        return []
    return [(f"  ‼ both are {role(pair.other)} runs, the claims are about RL", Tone.WARN)]


def where(row: Found) -> str:
    """The screen on which one can see what the claim rests on."""
    return _WHERE.get(row.claim.name, PLOTS)


def finding_text(finding: Finding) -> str:
    """Glyph and word."""
    return f"{GLYPHS[finding]} {finding}"


def finding_piece(finding: Finding) -> Piece:
    return finding_text(finding), _TONES[finding]


def who(row: Found) -> str:
    """The runs it is about, the judged one first; "" where it is about none."""
    return " against ".join(name for name in (row.other, row.base) if name is not None)


def figure_text(row: Found) -> str:
    """The statistic with its value, interval, p and q; "" where nothing could be measured."""
    if not row.statistic:
        return ""
    of = "" if row.p_of is None else f" of {row.p_of},"
    chances = [
        f"{name}{said} {value:.3g}"
        for name, said, value in (("p", of, row.p_value), ("q", "", row.q_value))
        if value is not None
    ]
    return "  ".join([f"{row.statistic}: {row.figure}", *chances])


def summary(found: Judged) -> Line:
    """How many of each finding, and among how many tests a q-value is."""
    numbers = Counter(row.finding.value for row in found.rows)
    parts: list[Line] = [[(f"{glyph} {numbers[word]} {word}", _TONES[word])] for word, glyph in GLYPHS.items() if numbers[word]]
    return joined([*parts, [dim(f"q among {counted(found.tests, 'test')}")]])


def about(row: Found) -> list[Line]:
    """A claim in full, a paragraph for each line: sentence and source, statistic and chances, why, settings."""
    figure = figure_text(row)
    lines: list[Line] = [[(row.claim.sentence, Tone.STRONG)], [dim(row.claim.source)]]
    lines.append([finding_piece(row.finding), *([dim(f"  {who(row)}")] if who(row) else [])])
    if figure:
        lines.append([plain(figure)])
    return [*lines, [plain(row.reason)], *([[dim(row.settings)]] if row.settings else [])]
