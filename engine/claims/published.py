"""What the published tables say when they are computed again. What the claims say of the sets is in
`engine.claims.on_published`.

    checks()            what is stated beside what its own numbers give, row by row
    inconsistencies()   those rows of it that do not agree

The tables are those of `engine.claims.tables`, as published. A row whose `stated` is None is a figure that the paper does not
give: there is nothing to agree with, and `agrees` is None. Without per-problem counts no interval of pass@k can be computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.analyses.coverage import Coverage, mcnemar_exact
from engine.claims import tables
from engine.claims.base import LEVEL
from engine.claims.tables import ALGORITHMS, BASE, BENCHMARKS, FOUR_WAYS, SETS, STEPS, FourWay, Solved

_TEXT: Final = "text and figures"
_ROUNDING: Final = 0.051
"""Of figures with one decimal."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One statement, what is said and what its own tables give."""

    what: str
    stated: str | None
    """None where the paper gives no such figure."""
    computed: str
    agrees: bool | None
    source: str
    """Where in the paper (`engine.claims.tables.PAPER`)."""


def checks() -> list[Checked]:
    """Every statement and figure, in the order of the tables."""
    return [
        _stated_gaps(),
        *(_always_above(name) for name in BENCHMARKS),
        *(_base_at_256(name) for name in BENCHMARKS),
        *(_spread(name) for name in BENCHMARKS),
        *(_longer(name) for name in BENCHMARKS),
        *(row for solved in SETS for row in _sets(solved)),
        *(row for split in FOUR_WAYS for row in _four_way(split)),
        _uniform_guess(),
    ]


def inconsistencies() -> list[Checked]:
    """The statements that their own numbers contradict."""
    return [row for row in checks() if row.agrees is False]


def gaps(benchmark: str) -> dict[str, float]:
    """Sampling efficiency gap of each algorithm in points: base's pass@256 less its own pass@1."""
    return {row.model: round(BASE.on(benchmark)[1] - row.on(benchmark)[0], 1) for row in ALGORITHMS}


def sets_of(solved: Solved) -> Coverage:
    """The published sets as `engine.analyses.coverage` gives them; `neither` is empty where nobody says how many there were."""
    split = (solved.both, solved.base_only, solved.other_only, solved.neither or [])
    both, base_only, other_only, neither = (tuple(str(one) for one in part) for part in split)
    sizes = len(both), len(base_only), len(other_only), len(neither)
    return Coverage(solved.k or 0, both, base_only, other_only, neither, expected=sizes, equal_n=True)


def sizes_of(split: FourWay) -> tuple[int, ...]:
    """How many problems the percentages stand for."""
    return tuple(round(share * split.problems / 100) for share in split.percent)


def _stated_gaps() -> Checked:
    found = gaps("Omni-Test")
    worst, best = max(found.values()), min(found.values())
    agrees = abs(worst - tables.GAP_SAID[0]) < _ROUNDING and abs(best - tables.GAP_SAID[1]) < _ROUNDING
    named = ", ".join(f"{name} {gap:.1f}" for name, gap in found.items())
    said = "from {} to {} points".format(*tables.GAP_SAID)
    return Checked("gaps of six algorithms on Omni-Test", said, f"from {worst:.1f} to {best:.1f}: {named}", agrees, _source(2))


def _always_above(benchmark: str) -> Checked:
    found = gaps(benchmark).values()
    below = sum(gap <= tables.GAP_ABOVE for gap in found)
    computed = f"{min(found):.1f} to {max(found):.1f} points: {below} of {len(found)} are not"
    return Checked(f"the gap on {benchmark}", "always above 40 points", computed, not below, _source(2))


def _base_at_256(benchmark: str) -> Checked:
    base = BASE.on(benchmark)[1]
    above = {row.model: row.on(benchmark)[1] for row in ALGORITHMS if row.on(benchmark)[1] > base}
    named = "".join(f", {name} {value:.1f}" for name, value in above.items())
    computed = f"{len(above)} of {len(ALGORITHMS)} algorithms are above base's {base:.1f}{named}"
    said = "base reaches or passes RL"
    return Checked(f"pass@{tables.K} on {benchmark}", said, computed, not above, _source(2))


def _spread(benchmark: str) -> Checked:
    columns = list(zip(*(row.on(benchmark) for row in ALGORITHMS), strict=True))
    first, last = (max(column) - min(column) for column in columns)
    computed = f"{first:.1f} points at pass@1, {last:.1f} at pass@{tables.K}; no test without counts, one seed each"
    return Checked(f"spread of six algorithms on {benchmark}", None, computed, None, _source(2))


def _longer(benchmark: str) -> Checked:
    first, last = ([row.on(benchmark)[i] for _, row in STEPS] for i in (0, 1))
    agrees = first == sorted(first) and last == sorted(last, reverse=True)
    steps = "/".join(str(step) for step, _ in STEPS)
    computed = f"at steps {steps} pass@1 is {_row_of(first)} and pass@{tables.K} {_row_of(last)}"
    return Checked(f"longer training on {benchmark}", "pass@1 rises, pass@k falls", computed, agrees, _source(3))


def _row_of(values: list[float]) -> str:
    return "/".join(f"{value:.1f}" for value in values)


def _sets(solved: Solved) -> list[Checked]:
    sets = sets_of(solved)
    lost, new = len(sets.base_only), len(sets.other_only)
    split = f"{len(sets.both)} both, base only {_listed(sets.base_only)}, RL only {_listed(sets.other_only)}"
    ratios = {"SRR": sets.srr, "NDR": sets.ndr, "SDS": sets.sds, "NSCR": sets.nscr}
    shown = ", ".join(f"{name} {'–' if value is None else f'{value:.3f}'}" for name, value in ratios.items())
    where = solved.benchmark
    return [
        Checked(f"{where}, what RL solves is in base", "RL solves nothing new", split, not new, solved.source),
        _mcnemar(where, lost, new, solved.source),
        Checked(f"{where}, support", None, shown, None, solved.source),
    ]


def _mcnemar(where: str, lost: int, new: int, source: str) -> Checked:
    p_value = mcnemar_exact(lost, new)
    word = "significant" if p_value <= 1 - LEVEL else "not significant"
    return Checked(f"{where}, McNemar exact", None, f"{lost} against {new}: p = {p_value:.3g}, {word}", None, source)


def _listed(keys: tuple[str, ...]) -> str:
    return "{" + ", ".join(keys) + "}"


def _four_way(split: FourWay) -> list[Checked]:
    sizes = sizes_of(split)
    told = " / ".join(f"{share:.1f}" for share in split.percent)
    again = " / ".join(f"{100 * size / split.problems:.1f}" for size in sizes)
    agrees = sum(sizes) == split.problems and again == told
    for solved in SETS:
        if solved.benchmark == split.benchmark and solved.neither is not None:
            agrees = agrees and sizes == tuple(
                len(part) for part in (solved.both, solved.base_only, solved.other_only, solved.neither)
            )
    named = " / ".join(str(size) for size in sizes)
    where, told = f"{split.benchmark}, both / base only / RL only / neither", f"{told} %"
    row = Checked(where, told, f"{named} of {split.problems} are {again} %", agrees, _TEXT)
    if split.benchmark in {solved.benchmark for solved in SETS}:
        return [row]
    return [row, _mcnemar(split.benchmark, sizes[1], sizes[2], _TEXT)]


def _uniform_guess() -> Checked:
    computed = 100 * (1 - (1 - 1 / 1000) ** 1024)
    what = "one of AIME's 1000 answers at random, pass@1024"
    return Checked(what, "64.1 %", f"{computed:.1f} %", abs(computed - 64.1) < _ROUNDING, _TEXT)


def _source(table: int) -> str:
    return f"table {table}"
