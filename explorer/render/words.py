"""How values are said on every screen: one glyph and one word for each thing, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from math import isnan, log10
from typing import Final

from explorer.render.pieces import Piece, Tone, dim, joined, plain
from store import audits
from store.names import number_text
from store.rows import Count, RunRow, ScoreRow, TraceRow
from store.types import Finish, Model, Outcome, Reading, Role, Rule, Settings

BASE_MARK: Final = "■"
OTHER_MARK: Final = "○"
BOTH_MARK: Final = "▣"
"""Where a plot has a point of each at one place."""
MARKS: Final[tuple[Piece, Piece]] = ((f"{BASE_MARK} ", Tone.BASE), (f"{OTHER_MARK} ", Tone.OTHER))
"""What stands before the two runs of a pair, wherever they are named."""
NONE: Final = "–"
"""Where there is no value."""

_OUTCOMES: Final[dict[Outcome | None, Piece]] = {
    Outcome.CORRECT: ("✓ correct", Tone.GOOD),
    Outcome.INCORRECT: ("✗ incorrect", Tone.BAD),
    Outcome.NO_ANSWER: ("∅ no answer", Tone.WARN),
    Outcome.ERROR: ("‼ error", Tone.WARN),
    None: ("· unjudged", Tone.DIM),
}

_ROLES: Final = {
    Role.BASE: "base",
    Role.SFT: "SFT",
    Role.RL: "RL",
    Role.DISTILLED: "distilled",
    Role.INSTRUCT: "instruct",
    Role.OTHER: "other",
}

LABELS: Final = {digit: label.word for digit, label in audits.LABELS.items()}
"""Audit labels by their digit."""


def outcome(value: Outcome | None) -> Piece:
    return _OUTCOMES[value]


def glyph(value: Outcome | None) -> str:
    """The outcome's sign alone."""
    return outcome(value)[0][0]


def role(run: RunRow) -> str:
    return _ROLES[run.model.role]


def role_of(model: Model) -> str:
    return _ROLES[model.role]


def pair_words(base: RunRow, other: RunRow | None) -> tuple[str, str]:
    """What to call the two runs of a pair: their roles, else their steps, else their places."""
    if other is None:
        return role(base), ""
    if role(base) != role(other):
        return role(base), role(other)
    steps = base.model.step, other.model.step
    if None not in steps and steps[0] != steps[1]:
        return f"step {steps[0]}", f"step {steps[1]}"
    return "baseline", "compared"


def short_names(runs: Sequence[RunRow]) -> dict[int, str]:
    """What tells the runs of one benchmark apart, by run_id: their names without the words they all begin with.

    Every name keeps a word with a letter in it: of "run-00" and "run-01" nothing may go, for "00" is no name.
    """
    names = [run.name for run in runs]
    if len(set(names)) < 2:
        return {run.run_id: run.name for run in runs}
    alike = "".join(chars[0] for chars in takewhile(lambda chars: len(set(chars)) == 1, zip(*names, strict=False)))
    starts = [0, *(place + 1 for place, char in enumerate(alike) if char in "-_ /")]
    start = max(start for start in starts if not start or all(_has_letter(name[start:]) for name in names))
    return {run.run_id: run.name[start:] for run in runs}


def _has_letter(text: str) -> bool:
    return any(char.isalpha() for char in text)


def percent(value: float | None) -> str:
    """A share in percent as people compare them, without the sign: 41.4. Minus zero is zero."""
    return NONE if value is None or isnan(value) else f"{round(100 * value, 1) + 0.0:.1f}"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign: +3.2."""
    return f"{round(100 * value, 1) + 0.0:+.1f}"


def small_share(value: float | None) -> str:
    """A share that may be small in percent, without the sign: 0.1, 12."""
    if value is None:
        return NONE
    return f"{100 * value:.0f}" if value >= 0.0995 else f"{100 * value:.1f}" if value >= 0.0005 else "<0.1"


def rate(value: float) -> str:
    """A rate as it is written wherever bounds of one are: 0.29 %, 53 %, 100 %."""
    return f"{100 * value:.2g} %" if value < 0.995 else "100 %"


def margin_text(value: float) -> str:
    """How far a mass may be off, as it is read: 0.0001, 10^-9."""
    return f"{value:g}" if value >= 1e-4 or value <= 0 else f"10^{log10(value):.1f}".removesuffix(".0")


def p_value(value: float) -> str:
    """Two digits that count; never 0."""
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def span_of(values: Iterable[int]) -> str:
    """One number, or the smallest and the largest."""
    found = set(values)
    if not found:
        return NONE
    return str(found.pop()) if len(found) == 1 else f"{min(found)}–{max(found)}"


def correct_of(count: Count | None) -> str:
    """c/n of one run on one problem."""
    return NONE if count is None or not count.n else f"{count.correct}/{count.n}"


def extra_of(count: Count | None) -> str:
    """+2/64 extra, beside c/n; nothing where there are none, and their number alone where no verdict of them counts."""
    if count is None or not count.extra:
        return ""
    return f"+{count.extra_correct:,}/{count.extra_n:,} extra" if count.extra_n else f"+{count.extra:,} extra"


def counted(number: int, one: str, many: str | None = None) -> str:
    """1 trace, 2 traces."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def settings(values: Settings) -> list[Piece]:
    """How samples were drawn, on one line; what nobody recorded says so."""
    said = (
        ("T", values.temperature),
        ("top-p", values.top_p),
        ("max tokens", values.max_tokens),
        ("cap", values.context_cap),
        ("prompt", values.prompt_template),
    )
    return joined([[dim(f"{name} "), plain(number_text(value))] for name, value in said])


def scorer(score: ScoreRow) -> str:
    """The model that scored a response, without where it comes from."""
    return score.scorer.rsplit("/", 1)[-1] + ("" if score.step is None else f" step {score.step}")


def length(row: TraceRow) -> str:
    """Tokens where they were counted, else characters."""
    return f"{row.tokens:,} tok" if row.tokens is not None else f"{row.chars:,} ch"


def finish(value: Finish) -> Piece:
    """Truncation is said loudly: a cut trace is no wrong one."""
    if value is Finish.LENGTH:
        return ("‼ truncated", Tone.WARN)
    return plain("stopped") if value is Finish.STOP else dim("unknown")


def file_score(row: TraceRow) -> Piece:
    """What the file says, in the open where it differs from the deciding verdict."""
    if row.imported is None:
        return dim(NONE)
    text, tone = outcome(row.imported)
    return (f"{text} ≠", Tone.WARN) if differs(row) else (text, tone if row.outcome is None else Tone.DIM)


def differs(row: TraceRow) -> bool:
    """Whether the file's own score calls right what the deciding verdict calls not right, or the reverse."""
    if row.imported is None or row.outcome is None:
        return False
    return (row.imported is Outcome.CORRECT) != (row.outcome is Outcome.CORRECT)


def is_doubt(reading: Reading, decided: Outcome | None) -> bool:
    """Whether another rule's answer casts doubt on the verdict: a wrong first box is a step on the way to a right answer."""
    rights = reading.outcome is Outcome.CORRECT, decided is Outcome.CORRECT
    return rights[0] != rights[1] and not (reading.rule is Rule.FIRST and rights[1])
