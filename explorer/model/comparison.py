"""What the Study screen says of the two runs it compares: in words, and as curves for its plot."""

from __future__ import annotations

from explorer.model.numbers import Membership, PairNumbers, Sets
from explorer.model.session import Pair
from explorer.render.pieces import Line, Tone, dim, flow, plain
from explorer.render.words import MARKS, counted, settings
from explorer.widgets.passk_plot import Curves


def pair_curves(pair: Pair, numbers: PairNumbers) -> Curves:
    words = pair.words[: len(pair.runs)]
    over = f"{counted(numbers.problems, 'problem')} of {pair.board.benchmark}"
    return Curves(over, numbers.ks, words, numbers.curves)


def about_pair(pair: Pair, numbers: PairNumbers | None, width: int) -> list[Line]:
    """The pair in words: who, the sets at a common k, how the samples were drawn."""
    base, *others = [[(mark + run.name, tone)] for run, (mark, tone) in zip(pair.runs, MARKS, strict=False)]
    if pair.other is None:
        return [[*base, dim("  the only run of this benchmark")], settings(pair.base.settings)]
    lines = flow([base, [dim("against "), *others[0]]], width)
    if numbers is not None:
        lines += flow(_sets(pair, numbers.sets), width)
    if pair.base.settings == pair.other.settings:
        return [*lines, settings(pair.base.settings)]
    return [*lines, [MARKS[0], *settings(pair.base.settings)], [MARKS[1], *settings(pair.other.settings)]]


def _sets(pair: Pair, sets: Sets | None) -> list[Line]:
    if sets is None:
        return [[("no problem was judged for both", Tone.WARN)]]
    base, other = pair.words
    return [
        [dim(f"at k = {sets.k}: "), plain(f"both {sets.size(Membership.BOTH)}")],
        [(f"{base} only {sets.size(Membership.BASE_ONLY)}", Tone.BASE)],
        [(f"{other} only {sets.size(Membership.OTHER_ONLY)}", Tone.OTHER)],
        [plain(f"neither {sets.size(Membership.NEITHER)}")],
        [dim("n differ: no exact test" if sets.mcnemar_p is None else f"McNemar p {sets.mcnemar_p:.3g}")],
    ]
