"""What stands written into a response when it is read: equalities that hold or do not, and reasons to doubt the answer.

Glyphs and sentences are remarks (`explorer.render.page`): they are shown, and are never part of the text that is searched,
copied or linked. ✓ ends an equality that was checked and holds, ✗ one that does not, ⚠ what else speaks for luck; an equality
without a glyph could not be checked, which says nothing about it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from explorer.render.page import Remark
from explorer.render.pieces import Line, Tone, dim, plain
from explorer.render.words import counted

if TYPE_CHECKING:  # what looks for them takes a tenth of a second to import, and the first screen must not wait for it
    from engine.luck.base import Kind, Reason
    from engine.luck.equalities import Stated

HOLDS, FAILS, DOUBT = "✓", "✗", "⚠"
TAKEN_BACK = "taken back"

_EQUALITY: Final = "false equality"
_WRONG: Final = (_EQUALITY, "false rewrite")
"""The kinds (`engine.luck.base.Kind`) that are errors, not doubts."""
_LONGEST = 160
"""Characters of a finding that are toned themselves; of a longer one only the glyph stands out."""
_LONGEST_MATHS = 240
_BETWEEN: Final = re.compile(r"( is about | is |, not |, but | gives |: |; )")
"""What stands between the expressions of a sentence."""
_STEPS_NAMED = 4


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in one response."""

    stated: tuple[Stated, ...] = ()
    """Of the whole response, whatever stands past its answer included."""
    reasons: tuple[Reason, ...] = ()
    """Up to the end of the answer's segment."""
    score: float = 0.0

    @property
    def right(self) -> int:
        """Equalities that hold."""
        return sum(one.holds for one in self.stated)


def remarks(checked: Checked) -> list[Remark]:
    """Everything found, as it is written into the response, in order of place."""
    known = {(reason.start, reason.end) for reason in checked.reasons}
    found = [_of_equality(one) for one in checked.stated if one.holds or (one.start, one.end) not in known]
    return sorted([*found, *map(_of_reason, checked.reasons)], key=lambda remark: (remark.end, remark.start))


def summary(checked: Checked, step_starts: Sequence[int], *, scored: bool = True) -> Line:
    """One line of all reasons: ⚠ 2 reasons, suspicion 0.94: false rewrite at step 3 · guess. Empty where there are none.

    step_starts: where each step begins in the response. scored: say how much the reasons weigh together.
    """
    if not checked.reasons:
        return ()
    steps: dict[tuple[Kind, bool], list[int]] = {}
    for reason in checked.reasons:
        steps.setdefault((reason.kind, reason.retracted), []).append(bisect_right(step_starts, reason.start))
    kept = any(not reason.retracted for reason in checked.reasons)
    tone = Tone.WARN if kept else Tone.DIM
    pieces = [(f"{DOUBT} {counted(len(checked.reasons), 'reason')}", tone)]
    if scored:
        pieces += [dim(" suspicion "), plain(f"{checked.score:.2f}")]
    for (kind, retracted), found in steps.items():
        back = f", {TAKEN_BACK}" if retracted else ""
        pieces += [dim(" · "), plain(str(kind)), dim(f" {_at(found)}{back}")]
    return pieces


def _at(steps: Sequence[int]) -> str:
    places = list(dict.fromkeys(steps))
    named = ", ".join(map(str, places[:_STEPS_NAMED])) + (" …" if len(places) > _STEPS_NAMED else "")
    times = f" ({len(steps)} times)" if len(steps) > len(places) else ""
    return f"at step{'s' * (len(places) > 1)} {named}{times}"


def _of_equality(one: Stated) -> Remark:
    if one.holds:
        return Remark(one.end, one.end, HOLDS, Tone.GOOD)
    said = f"{_sentence(one.detail)} ({TAKEN_BACK if one.retracted else 'past the answer'})"
    return Remark(_begin(one.start, one.end), one.end, FAILS, Tone.DIM, said)


def _of_reason(reason: Reason) -> Remark:
    wrong = reason.kind in _WRONG
    detail = _sentence(reason.detail)
    said = detail if reason.kind == _EQUALITY else f"{reason.kind}: {detail}"
    if reason.retracted:
        said = f"{said} ({TAKEN_BACK})"
    tone = Tone.DIM if reason.retracted else Tone.BAD if wrong else Tone.WARN
    return Remark(_begin(reason.start, reason.end), reason.end, FAILS if wrong else DOUBT, tone, said)


def as_it_reads(text: str) -> str:
    """A piece of maths without its delimiters as it reads, on one line; unchanged where it cannot be shown so."""
    if len(text) > _LONGEST_MATHS or not any(sign in text for sign in "\\_^"):
        return text
    from explorer.render.maths import rendered

    found = rendered(f"${text.strip()}$")
    is_whole = len(found) == 1 and found[0].end - found[0].start == len(text.strip()) + 2
    return found[0].shown if is_whole and "\n" not in found[0].shown else text


def _sentence(detail: str) -> str:
    """What the rules say, with the expressions in it as they read."""
    parts = _BETWEEN.split(detail)
    return "".join(part if at % 2 else as_it_reads(part) for at, part in enumerate(parts))


def _begin(start: int, end: int) -> int:
    return start if end - start <= _LONGEST else end
