"""What stands over two traces that are held against each other: who they are, where they part, whether they agree."""

from __future__ import annotations

from typing import Final

from explorer.model.divergence import Divergence, Likeness
from explorer.model.partners import Partners
from explorer.render.heading import deciding
from explorer.render.pieces import Line, Piece, Tone, dim, fitted, plain, strong, width_of
from explorer.render.spread import SIGNS
from explorer.render.text import shortened
from explorer.render.words import NONE, counted, length, outcome
from store.rows import Trace
from store.types import Outcome

_ANSWER_AT_MOST: Final = 24
_WORDS: Final = {
    Likeness.SAME: "same",
    Likeness.NEAR: "alike",
    Likeness.UNLIKE: "unlike",
    Likeness.ALONE: "alone",
}


def side_line(trace: Trace, mark: Piece, word: str, width: int, *, chosen: bool) -> Line:
    """One side, in one line of that width. word: what to call its run where there is no room for the name."""
    answer = answer_of(trace)
    said: Line = [
        dim(f" #{trace.row.idx} "),
        outcome(trace.row.outcome),
        dim(" = "),
        strong(shortened(answer, _ANSWER_AT_MOST)) if answer is not None else plain(NONE),
        dim(" " + length(trace.row)),
    ]
    head: list[Piece] = [("▸" if chosen else " ", Tone.ACCENT), mark]
    room = max(0, width - width_of([*head, *said]))
    name = trace.run.name if width_of([plain(trace.run.name)]) <= room else word
    return fitted([*head, strong(name) if chosen else plain(name), *said], width)


def between(divergence: Divergence, left: Trace, right: Trace, partners: Partners) -> list[Line]:
    """What is said of both, in parts that `flow` may put on as many lines as it takes."""
    who: Line = [dim("partner "), plain(f"{partners.at + 1} of {len(partners.rows)}")]
    how: list[Line] = [[dim(partners.how)]] if partners.how else []
    aside: list[Line] = [[(partners.aside, Tone.WARN)]] if partners.aside else []
    return [[strong(where_they_part(divergence))], _answers(left, right), _steps(divergence), who, *how, *aside]


def where_they_part(divergence: Divergence) -> str:
    """One sentence on the start that both have."""
    left, right = divergence.texts
    if left == right:
        return "the same text throughout" if left else "both are empty"
    if not left or not right:
        return "one of them is empty"
    if not divergence.prefix:
        return "they differ from the first character"
    step = divergence.step_at(0, min(divergence.prefix, len(left) - 1)) + 1
    start = f"same for the first {counted(divergence.prefix, 'character')} (step {step}), "
    if divergence.first is None:
        return start + "then only blank space differs"
    return start + ("then one of them ends" if divergence.prefix in (len(left), len(right)) else "then they differ")


def answer_of(trace: Trace) -> str | None:
    """The answer the deciding verifier read."""
    verdict = deciding(trace)
    return None if verdict is None else verdict.answer


def _answers(left: Trace, right: Trace) -> Line:
    """Whether they agree. The answers themselves stand with their traces."""
    one, two = answer_of(left), answer_of(right)
    if one is None and two is None:
        return [("neither has an answer", Tone.WARN)]
    if one is None or two is None:
        return [("only one has an answer", Tone.WARN)]
    if one.strip() == two.strip():
        return [dim("same answer")]
    if left.row.outcome is right.row.outcome is Outcome.CORRECT:
        return [dim("both right, written differently")]
    return [("answers differ", Tone.WARN)]


def _steps(divergence: Divergence) -> Line:
    """How many steps are how much alike. It is the legend of the signs in the gutter too."""
    counts = divergence.counts
    said = [f"{SIGNS[likeness]} {counts[likeness]} {_WORDS[likeness]}" for likeness in Likeness if counts[likeness]]
    return [dim("steps "), plain("  ".join(said) or NONE)]
