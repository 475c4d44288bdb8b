"""What the Study screen says of the two runs it compares: in words, and as curves for its plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.parity import unlike_settings
from explorer.model.audit_stand import AuditStand, audit_parts
from explorer.model.numbers import Membership, PairDepth, PairNumbers, Sets
from explorer.model.session import Pair
from explorer.render.pieces import Line, Tone, dim, flow, plain
from explorer.render.words import MARKS, counted, settings
from explorer.widgets.passk_plot import Curves
from store.names import number_text
from store.rows import RunRow
from store.types import Settings

_NAMES: Final = {"temperature": "T", "top_p": "top-p", "top_k": "top-k", "min_p": "min-p", "context_cap": "cap"}
"""Settings that have a shorter name than their own."""
_LONGEST: Final = 24
"""Characters of a setting's value in a sentence on two runs: templates and lists of stop strings are longer."""


def pair_curves(pair: Pair, numbers: PairNumbers, depth: PairDepth | None = None) -> Curves:
    words = pair.words[: len(pair.runs)]
    over = f"{counted(numbers.problems, 'problem')} of {pair.board.benchmark}"
    if depth is None or depth.ks != numbers.ks:
        return Curves(over, numbers.ks, words, numbers.curves)
    return Curves(over, numbers.ks, words, numbers.curves, low=depth.low, high=depth.high)


def about_pair(
    pair: Pair,
    numbers: PairNumbers | None,
    width: int,
    depth: PairDepth | None = None,
    stand: AuditStand | None = None,
    beyond: Sequence[str] = (),
) -> list[Line]:
    """The pair in words: who, the sets at a common k, where one overtakes, what the audit stands at, how samples were drawn.

    beyond: in what the two differ beside settings (`engine.parity.beyond_settings`).
    """
    base, *others = [[(mark + run.name, tone)] for run, (mark, tone) in zip(pair.runs, MARKS, strict=False)]
    if pair.other is None:
        return [[*base, dim("  the only run of this benchmark")], settings(pair.base.settings)]
    lines = [*flow([base, [dim("against "), *others[0]]], width), *_unlike(pair.base, pair.other, beyond, width)]
    is_compared = numbers is not None and numbers.sets is not None
    if numbers is not None:
        lines += flow(_sets(pair, numbers.sets, depth), width)
    if is_compared:
        lines += _crossing(depth, width)
        lines += flow(parts, width) if (parts := audit_parts(stand, pair.words)) else []
    # What a low screen has no room for stands at the end.
    return [*lines, *_drawn(pair.base, pair.other), *(_differences(depth, width) if is_compared else [])]


def unlike(base: Settings, other: Settings) -> list[tuple[str, str, str]]:
    """Name and both values of each setting that is known for both and differs; seeds aside, which are meant to."""
    return [
        (_NAMES.get(one.name, one.name.replace("_", " ")), _short(one.base), _short(one.other))
        for one in unlike_settings(base, other)
    ]


def _unlike(base: RunRow, other: RunRow, beyond: Sequence[str], width: int) -> list[Line]:
    """Loudly, in what two runs differ beside their models: it may be all that their curves show."""
    different = [f"{name} {one} against {two}" for name, one, two in unlike(base.settings, other.settings)]
    different += beyond
    if not different:
        return []
    return flow(
        [[("‼ drawn differently: " + different[0], Tone.WARN)], *([(text, Tone.WARN)] for text in different[1:])], width
    )


def _drawn(base: RunRow, other: RunRow) -> list[Line]:
    if settings(base.settings) == settings(other.settings):
        return [settings(base.settings)]
    return [[MARKS[0], *settings(base.settings)], [MARKS[1], *settings(other.settings)]]


def _crossing(depth: PairDepth | None, width: int) -> list[Line]:
    if depth is None:
        return [[dim("crossover "), plain("computing …")]]
    if depth.crossing is None:
        return []
    # "…, probability 0.91 by k = 1024" may stand on a line of its own.
    said = [part for half in depth.crossing.split("; ") for part in half.split("], ")]
    where = said[0] + ("]" if "[" in said[0] else "")
    return flow([[dim("crossover "), plain(where)], *([plain(more)] for more in said[1:])], width)


def _differences(depth: PairDepth | None, width: int) -> list[Line]:
    parts = [] if depth is None else [[plain(text)] for text in (depth.first, depth.last) if text is not None]
    return flow([[dim("difference "), *parts[0]], *parts[1:]], width) if parts else []


def _sets(pair: Pair, sets: Sets | None, depth: PairDepth | None) -> list[Line]:
    if sets is None:
        return [[("no problem was judged for both", Tone.WARN)]]
    base, other = pair.words
    return [
        [dim(f"at k = {sets.k}: "), plain(f"both {sets.size(Membership.BOTH)}")],
        [(f"{base} only {_size(sets, Membership.BASE_ONLY, depth)}", Tone.BASE)],
        [(f"{other} only {_size(sets, Membership.OTHER_ONLY, depth)}", Tone.OTHER)],
        [plain(f"neither {sets.size(Membership.NEITHER)}")],
        [dim("n differ: no exact test" if sets.mcnemar_p is None else f"McNemar p {sets.mcnemar_p:.3g}")],
    ]


def _size(sets: Sets, which: Membership, depth: PairDepth | None) -> str:
    size = sets.size(which)
    return f"{size}" if not size or depth is None else f"{size} ({depth.clear.get(which, 0)} with evidence)"


def _short(value: object) -> str:
    text = number_text(value) if isinstance(value, float | int) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
