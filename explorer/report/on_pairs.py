"""What the report says of pairs: the difference and its tests, the crossover, the four sets with evidence, the standing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.analyses.boundary import Standing
from engine.analyses.crossover import Crossover
from explorer.report import figures, pair_figures
from explorer.report.document import Block, Grid, Picture, Prose
from explorer.report.material import BenchmarkPart, PairPart
from explorer.report.wording import (
    LEVEL_WORDS,
    UNKNOWN_MARK,
    between,
    crossing,
    figure_name,
    in_file,
    mcnemar,
    p_text,
    percent,
    points,
    problems,
    ratio,
    settings,
    short,
    whole,
)

MOST_PAIRS: Final = 24
"""With pictures of their own; the tables have all."""
MOST_KEYS: Final = 24
"""Of a set, in the document; sets.csv has all."""

BANDS: Final = (
    f"Light band: {LEVEL_WORDS} for the whole curve, over problems like these (problems drawn again)."
    f" Dark band: {LEVEL_WORDS} for the whole curve on these very problems, from sampling alone."
)

_SETS: Final = (("both", "both"), ("base_only", "base only"), ("other_only", "other only"), ("neither", "neither"))


def glance(part: BenchmarkPart) -> Block:
    """Every pair in a line."""
    runs = list(dict.fromkeys(run for pair in part.pairs for run in (pair.base, pair.other)))
    header = ["run", "against base", "k", "pass@1, points", "pass@k, points", "base overtakes at k"]
    header += ["base only", "other only", "McNemar\u00a0p"]
    note = (
        f"Differences are other − base, with {LEVEL_WORDS} intervals over problems and a sign-flip test. Base only, other only:"
        " problems that one of the two solves in k draws; clear where Fisher's exact test tells the runs apart (q ≤ 0.05 over"
        f" the problems). McNemar’s test takes runs with equal n on every problem. {settings(runs, part.board.verifier)}"
    )
    return Grid("At a glance", header, [_line(pair) for pair in part.pairs], note, left=2)


def _line(pair: PairPart) -> list[str]:
    found, alone = pair.compared, (pair.sets.base_only, pair.sets.other_only)
    return [
        pair.other.name,
        pair.base.name,
        whole(pair.k),
        *(
            f"{points(found.difference[at])}\n{_limits(pair, at)}\np {p_text(p_value)}"
            for at, p_value in ((0, found.p_first), (-1, found.p_value))
        ),
        _overtakes(found.crossover),
        *(f"{len(keys):,}\n{pair.clear(keys):,} clear" for keys in alone),
        f"{UNKNOWN_MARK}\nn differ" if pair.sets.mcnemar_p is None else p_text(pair.sets.mcnemar_p),
    ]


def _limits(pair: PairPart, at: int) -> str:
    limits = pair.compared.problems
    return between(limits.low[at], limits.high[at], signed=True)


def _overtakes(found: Crossover) -> str:
    """Where, and how sure that is."""
    chance = f"{found.probability:.2f}"
    if found.k is None:
        return f"{found.verdict.value}\nprobability of overtaking {chance}"
    high = "beyond n" if found.high is None else whole(found.high)
    return f"{found.k:,}\n{whole(found.low)} to {high}\nprobability {chance}"


def sets(part: BenchmarkPart) -> Iterator[Block]:
    """The picture of every pair's four sets; nothing without pairs."""
    pairs = part.pairs[: figures.MOST_RUNS]
    if not pairs:
        return
    yield Picture(
        figure_name(part.board.benchmark, "sets"),
        figures.sets(part),
        "Which problems both, one or neither of two runs solve",
        "Each run against its base, at their common k. A problem counts as solved where k draws from its samples solve it at"
        " least as likely as not. Filled: Fisher's exact test tells the runs apart there (q ≤ 0.05 over the problems)."
        " Hatched: it does not, and “only” may be how the samples fell.",
        settings(
            list(dict.fromkeys(run for pair in pairs for run in (pair.base, pair.other))),
            part.board.verifier,
            ks=[pair.k for pair in pairs],
            n=[int(n) for pair in pairs for side in (pair.base_n, pair.other_n) for n in side],
            problems_of=[len(pair.keys) for pair in pairs],
        ),
        "; ".join(
            f"{pair.other.name}: both {len(pair.sets.both)}, base only {len(pair.sets.base_only)},"
            f" other only {len(pair.sets.other_only)}, neither {len(pair.sets.neither)}"
            for pair in pairs
        ),
    )


def pair(part: BenchmarkPart, one: PairPart, at: int) -> Iterator[Block]:
    """All of one pair, the benchmark's number `at` from 0."""
    made = settings(
        [one.base, one.other],
        part.board.verifier,
        ks=one.compared.ks.tolist(),
        n=[*one.base_n.tolist(), *one.other_n.tolist()],
        problems_of=[len(one.keys)],
    )
    yield Prose(reading(one))
    yield _tests(one, made)
    if at < MOST_PAIRS:
        yield _curves(part, one, at, made)
        yield _problems(part, one, at, made)
    yield _set_sizes(one, made)
    yield _standings(one, made)


def reading(one: PairPart) -> str:
    """What a pair's numbers say, in sentences."""
    found, alone = one.compared, one.sets
    name = one.other.name
    return (
        f"At k = 1 {name} is {_side(one, 0, found.p_first)}; at k = {one.k:,} it is {_side(one, -1, found.p_value)}."
        f" Base overtakes it: {crossing(found.crossover, one.k)}."
        f" Base alone solves {problems(len(alone.base_only))} ({one.clear(alone.base_only):,} clearly), {name} alone"
        f" {len(alone.other_only):,} ({one.clear(alone.other_only):,} clearly); {mcnemar(alone.mcnemar_p)}."
    )


def _side(one: PairPart, at: int, p_value: float) -> str:
    difference = float(one.compared.difference[at])
    ahead = "ahead of base" if difference > 0 else "behind base" if difference < 0 else "apart from base"
    return f"{percent(abs(difference))} points {ahead} ({LEVEL_WORDS} {_limits(one, at)}, p {p_text(p_value)})"


def _tests(one: PairPart, made: str) -> Block:
    found = one.compared
    rows = [
        [
            f"difference at k = {k:,}", f"{points(found.difference[at])} points", _limits(one, at),
            between(found.samples.low[at], found.samples.high[at], signed=True), p_text(p_value), p_text(q_value),
        ]
        for k, at, p_value, q_value in ((1, 0, found.p_first, one.q_first), (one.k, -1, found.p_value, one.q_value))
    ]  # fmt: skip
    gap = between(found.gap_interval.low, found.gap_interval.high, signed=True)
    rows.append([f"gap: base pass@{one.k:,} − other pass@1", f"{points(found.gap)} points", gap, *[UNKNOWN_MARK] * 3])
    header = ["other − base", "estimate", f"{LEVEL_WORDS} over problems", f"{LEVEL_WORDS} from sampling", "p", "q"]
    note = (
        f"Base overtakes the other run: {crossing(found.crossover, one.k)}. The other run overtakes base:"
        f" {crossing(found.mirror, one.k, 'the other run')}. p: paired test over problems. q: over the pairs of this benchmark"
        f" (Benjamini and Hochberg), those at k = 1 and those at the common k apart, other tests left out. {made}"
    )
    return Grid("Difference", header, rows, note)


def _curves(part: BenchmarkPart, one: PairPart, at: int, made: str) -> Block:
    base, other, found = one.base.name, one.other.name, one.compared
    crosses = found.crossover.k is not None or found.mirror.k is not None
    bar = " The bar on the zero line is the crossover's interval, over problems." if crosses else ""
    return Picture(
        figure_name(part.board.benchmark, f"pair-{at + 1}"),
        pair_figures.curves(one),
        f"{other} against {base}: pass@k and its difference",
        f"Base (blue, circles): {base}. Other (orange, squares): {other}. {BANDS}{bar}",
        made,
        f"{other} less {base}: {points(found.difference[0])} points at k = 1, {points(found.difference[-1])} points at"
        f" k = {one.k:,}. Base overtakes: {crossing(found.crossover, one.k)}.",
    )


def _problems(part: BenchmarkPart, one: PairPart, at: int, made: str) -> Block:
    clear = sum(found.clear for found in one.evidence)
    return Picture(
        figure_name(part.board.benchmark, f"problems-{at + 1}"),
        pair_figures.problems(one),
        f"{one.other.name} against {one.base.name}: problem by problem",
        "Left: each problem's share of right samples under both runs, on a logarithmic scale with a place for none; filled"
        " where Fisher's exact test tells the runs apart (q ≤ 0.05 over the problems). Right: problems by that share, in twelve"
        " bins.",
        made,
        f"{clear} of {problems(len(one.keys))} are told apart by Fisher's test.",
    )


def _set_sizes(one: PairPart, made: str) -> Block:
    rows = []
    for (name, word), expected in zip(_SETS, one.sets.expected, strict=True):
        keys, limits = getattr(one.sets, name), getattr(one.support, name)
        sizes = [whole(len(keys)), whole(one.clear(keys)), f"{expected:.1f}", f"{limits.low:.1f} to {limits.high:.1f}"]
        rows.append([word, _keys(keys), *sizes])
    ratios = " · ".join(f"{name.upper()} {ratio(getattr(one.sets, name))}" for name in ("srr", "ndr", "sds", "nscr"))
    note = (
        f"At k = {one.k:,}. Clear: Fisher's exact test, q ≤ 0.05 over the problems. Expected: the size that k draws of each run"
        f" would give, with its {LEVEL_WORDS} interval from sampling alone. Test: {mcnemar(one.sets.mcnemar_p)}."
        f" {ratios}{'' if one.sets.equal_n else ', of the expected sizes'}. All keys: {in_file('sets')}. {made}"
    )
    return Grid("Sets of problems", ["set", "problems", "size", "clear", "expected", LEVEL_WORDS], rows, note, left=2)


def _keys(keys: tuple[str, ...]) -> str:
    told = ", ".join(short(key, 40) for key in keys[:MOST_KEYS])
    more = f", … {len(keys) - MOST_KEYS:,} more" if len(keys) > MOST_KEYS else ""
    return told + more or UNKNOWN_MARK


def _standings(one: PairPart, made: str) -> Block:
    rows = [[f"{budget:,}", *(whole(found[standing]) for standing in Standing)] for budget, found in one.standings]
    note = (
        "A run can solve a problem within a budget of K draws where the lower bound of its chance is at least 1/K; it cannot"
        " where the upper bound is under 0.05/K, which takes about 60 K samples without a success. Elicited: both can."
        " Created: only the other can. Lost: only base can. What settling each problem would"
        f" cost: {in_file('sets')}. {made}"
    )
    return Grid("Standing at a budget", ["budget K", *(standing.value for standing in Standing)], rows, note, left=0)
