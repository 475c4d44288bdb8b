"""Pictures made from the counts of a pair: pass@k, its difference, accuracies, sets and coverage. Call them in a worker."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import TYPE_CHECKING, Final

from explorer.model import picture_facts as facts
from explorer.model.session import Pair
from explorer.render.plots.picture import Crossing, Picture, Series, Shape
from store.rows import Count

if TYPE_CHECKING:
    from engine.analyses.crossover import Crossover
    from engine.analyses.pairs import Comparison

_ONE_RUN: Final = "there is one run of this benchmark only: nothing to compare it with"
_NO_GROUND: Final = "no problem was judged for both runs: nothing to compare; c in the study compares another run"
_NOT_JUDGED: Final = "nothing was judged: `basebound verify` makes verdicts"
_NEVER: Final = "never"
_SHORT_BINS: Final = ("0", *(f"≤.{tenth}" for tenth in range(1, 10)), "<1", "1")


@dataclass(frozen=True)
class PairCounts:
    """The pair's counts over the problems judged for both, and what is made of them once."""

    pair: Pair
    counts: tuple[tuple[Count, ...], ...]
    """Run by run, problems in one order."""

    @classmethod
    def of(cls, pair: Pair) -> PairCounts:
        problems = pair.board.judged(*pair.runs)
        return cls(pair, tuple(tuple(pair.board.cells[run.run_id, one.problem_id] for one in problems) for run in pair.runs))

    @property
    def why_not(self) -> str | None:
        """Why the two cannot be compared; None where they can."""
        if self.pair.other is None:
            return _ONE_RUN
        return None if self.counts[0] else _NO_GROUND

    @property
    def sides(self) -> tuple[list[int], ...]:
        """n and c of base, n and c of the other run."""
        return tuple(side for of_run in self.counts for side in ([one.n for one in of_run], [one.correct for one in of_run]))

    @property
    def reach(self) -> tuple[int, ...]:
        """Of each run the smallest n: as far as its curve goes."""
        return tuple(min((count.n for count in of_run), default=0) for of_run in self.counts)

    @cached_property
    def ks(self) -> tuple[int, ...]:
        """Every run's grid, together."""
        from engine.analyses.passk import k_grid

        return tuple(sorted({k for most in self.reach for k in k_grid(most)}))

    @cached_property
    def comparison(self) -> Comparison:
        from engine.analyses.pairs import compare

        base_n, base_c, other_n, other_c = self.sides
        return compare(base_n, base_c, other_n, other_c, [k for k in self.ks if k <= min(self.reach)])

    @property
    def facts(self) -> tuple[str, ...]:
        return facts.pair_facts(self.pair, self.counts)

    @property
    def unequal(self) -> tuple[str, ...]:
        return facts.unequal(self.pair, self.counts)


def pass_at_k(of: PairCounts) -> Picture:
    """pass@k of both with bands, and where one overtakes the other."""
    title = "pass@k with 95 % bands over problems"
    if not of.counts[0]:
        return Picture("pass@k", title, notes=(_NOT_JUDGED if of.pair.other is None else _NO_GROUND,))
    series = tuple(map(run_curve, of.pair.words, (run.slug for run in of.pair.runs), of.counts, [of.ks] * len(of.counts)))
    compared = of.why_not is None
    crossing, said = _crossing(of) if compared else (None, ())
    return Picture(
        "pass@k",
        title,
        places=tuple(map(str, of.ks)),
        series=series,
        aside=(_difference(of),) if compared else (),
        limits=facts.percent_limits(series),
        crossing=crossing,
        facts=(*said, *of.facts, facts.OVER_PROBLEMS),
        notes=of.unequal,
    )


def difference(of: PairCounts) -> Picture:
    """The other run's pass@k minus base's, with its band, around zero."""
    base, other = of.pair.words
    title = f"pass@k, {other} − {base}, with 95 % band: above zero {other} is ahead"
    if of.why_not:
        return Picture("difference", "difference of pass@k", notes=(of.why_not,))
    one = _difference(of)
    crossing, said = _crossing(of)
    return Picture(
        "difference",
        title,
        unit="points",
        places=tuple(str(k) for k in of.ks if k <= min(of.reach)),
        series=(_cut(one, of),),
        limits=facts.symmetric_limits((one,)),
        has_zero=True,
        crossing=crossing,
        facts=(*said, *of.facts, "intervals 95 % over problems, drawn again in pairs"),
        notes=of.unequal,
    )


def accuracy(of: PairCounts) -> Picture:
    """How many problems each run solves how often."""
    from engine.analyses.accuracy import BINS, histogram

    title = "problems by accuracy c/n"
    if not of.counts[0]:
        return Picture("accuracy", title, notes=(_NOT_JUDGED if of.pair.other is None else _NO_GROUND,))
    sides = [histogram([one.n for one in run], [one.correct for one in run]).tolist() for run in of.counts]
    series = tuple(
        Series(word, run.slug, tuple(map(float, bins)))
        for word, run, bins in zip(of.pair.words, of.pair.runs, sides, strict=False)
    )
    most = float(max(max(bins) for bins in sides))
    return Picture(
        "accuracy", title, Shape.BARS, "c/n", "problems", BINS, _SHORT_BINS, series, digits=0,
        limits=(0.0, 1.12 * most), facts=of.facts, notes=of.unequal,
    )  # fmt: skip


def sets(of: PairCounts) -> Picture:
    """How many problems are solved by both, by one only, by neither, at the common k."""
    title = "problems by who solves them"
    if of.why_not or of.pair.other is None:
        return Picture("sets", title, notes=(of.why_not or _ONE_RUN,))
    from engine.analyses.boundary import support
    from engine.summary import cover

    found = cover(of.pair.board, of.pair.base, of.pair.other)
    base_n, base_c, other_n, other_c = of.sides
    limits = support(base_n, base_c, other_n, other_c, found.k)
    spans = (limits.base_only, limits.other_only, limits.both, limits.neither)
    members = tuple(float(len(keys)) for keys in (found.base_only, found.other_only, found.both, found.neither))
    test = "n differ: no exact test" if found.mcnemar_p is None else f"McNemar p {found.mcnemar_p:.3g}"
    both, base_only, other_only, neither = found.expected
    base, other = of.pair.words
    return Picture(
        "sets", f"{title} at k = {found.k:,}: expected sizes", Shape.ROWS, "set", "problems",
        (f"{base} only", f"{other} only", "both", "neither"),
        series=(Series("expected", "expected size", (base_only, other_only, both, neither), tuple(one.low for one in spans),
                       tuple(one.high for one in spans)),),
        aside=(Series("in the set", "problems in the set", members, digits=0),),
        limits=(0.0, float(len(of.counts[0]))),
        facts=(test, *of.facts, "intervals 95 % from sampling alone: these very problems"),
        notes=of.unequal,
    )  # fmt: skip


def coverage(of: PairCounts) -> Picture:
    """The share of problems solved by both and by one only, as k grows."""
    from engine.analyses.coverage import coverage as covered

    title = "share of problems solved within k draws"
    if of.why_not:
        return Picture("coverage", title, notes=(of.why_not,))
    ks = [k for k in of.ks if k <= min(of.reach)]
    keys = [str(place) for place in range(len(of.counts[0]))]
    base_n, base_c, other_n, other_c = of.sides
    sizes = [covered(keys, base_n, base_c, other_n, other_c, k).expected for k in ks]
    both, base_only, other_only, neither = (
        facts.percents(size / len(keys) for size in part) for part in zip(*sizes, strict=True)
    )
    base, other = (f"{word} only" for word in of.pair.words)
    series = Series(base, base, base_only), Series(other, other, other_only), Series("both", "both", both)
    return Picture(
        "coverage", title, places=tuple(map(str, ks)), series=series, aside=(Series("neither", "neither", neither),),
        facts=(*of.facts, "expected shares; the sets at the common k have intervals"), notes=of.unequal,
    )  # fmt: skip


def run_curve(word: str, name: str, counts: Sequence[Count], ks: Sequence[int]) -> Series:
    """pass@k of a run at each k, with its band over problems; nothing beyond its smallest n."""
    from engine.analyses.intervals import band, resampled_curves
    from engine.analyses.passk import mean_pass_at_k

    n, c = [count.n for count in counts], [count.correct for count in counts]
    reached = [k for k in ks if k <= min(n)]
    estimate = mean_pass_at_k(n, c, reached)
    limits = band(resampled_curves(n, c, reached), estimate)
    values, low, high = (facts.filled(facts.percents(of), len(ks)) for of in (estimate, limits.low, limits.high))
    return Series(word, name, values, low, high)


def place_of(ks: Sequence[int], k: int) -> float:
    """Where k stands along the grid, by ratios between two places of it."""
    left = min(bisect_right(ks, k), len(ks) - 1) - 1
    return left + log(k / ks[left]) / log(ks[left + 1] / ks[left]) if left >= 0 else 0.0


def _difference(of: PairCounts) -> Series:
    found = of.comparison
    limits = found.problems
    values, low, high = (facts.filled(facts.percents(part), len(of.ks)) for part in (found.difference, limits.low, limits.high))
    base, other = of.pair.words
    return Series("difference", f"{other} - {base}", values, low, high, is_signed=True, style=3)


def _cut(one: Series, of: PairCounts) -> Series:
    """Without the places beyond the common k."""
    upto = sum(k <= min(of.reach) for k in of.ks)
    return Series(one.word, one.name, one.values[:upto], one.low[:upto], one.high[:upto], is_signed=True, style=3)


def _crossing(of: PairCounts) -> tuple[Crossing | None, tuple[str, ...]]:
    """Where one run overtakes the other, and the sentence on it."""
    base, other = of.pair.words
    found = of.comparison
    for who, whom, one in ((base, other, found.crossover), (other, base, found.mirror)):
        if one.k is not None:
            span = f"[{_limit(one.low)}, {_limit(one.high)}]"
            said = f"{who} overtakes {whom} at k = {one.k:,} {span}, P {one.probability:.2f}"
            return Crossing(place_of(of.ks, one.k), f"k* {one.k:,} {span}"), (said,)
    return None, (_not_crossing(found.crossover, base, other, min(of.reach)),)


def _not_crossing(found: Crossover, base: str, other: str, most: int) -> str:
    tie = "a tie at" if found.verdict == "tie" else "no crossing seen up to"
    return f"{tie} k = {most:,}; P {found.probability:.2f} that {base} overtakes {other} by then"


def _limit(k: int | None) -> str:
    return _NEVER if k is None else f"{k:,}"
