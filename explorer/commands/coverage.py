"""basebound coverage: which problems both, one or none of two runs solve at a common k, and how strong each claim of "only" is.

"clear" is a problem on which the runs differ by Fisher's exact test, adjusted for the number of problems. It says that the
rates differ, not that one model cannot: what can be said of that at a budget of draws is the standing. A set's size is a count;
beside it are the size expected at k and that one's interval, which need not hold the count where runs have more samples than k.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from explorer.commands.arguments import whole_number
from explorer.commands.tables import how_drawn, p_value, percent, table
from explorer.render.text import visible
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.analyses.boundary import Evidence, Support
    from engine.analyses.coverage import Coverage
    from engine.analyses.intervals import Interval
    from engine.board import Board
    from store.reader import Study
    from store.rows import RunRow

_LISTED: Final = 12

EXAMPLE = "coverage {db} --base my-base-7b --other my-rl-7b"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--base", required=True, metavar="RUN", help="slug or model name")
    parser.add_argument("--other", required=True, metavar="RUN")
    parser.add_argument("--benchmark", metavar="B", help="needed where a model has runs on several")
    parser.add_argument("--k", type=whole_number, metavar="K", help="compare at this k; else the smallest n of both runs")
    parser.add_argument("--budget", type=whole_number, metavar="N", help="draws within which a model is to solve it; else k")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--json", action="store_true")


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything of a pair."""

    board: Board
    base: RunRow
    other: RunRow
    sets: Coverage
    support: Support
    """The sets' sizes as intervals, from sampling alone."""
    budget: int
    evidence: Mapping[str, Evidence]
    """By problem key."""
    counts: Mapping[str, tuple[int, int, int, int]]
    """By problem key: base n, base c, other n, other c."""

    def only(self) -> Sequence[str]:
        """Keys of problems that one run alone solves."""
        return (*self.sets.base_only, *self.sets.other_only)


def run(arguments: argparse.Namespace) -> int:
    from store.reader import Study

    with Study(arguments.db) as study:
        study.require_verifier(arguments.verifier)
        board, base, other = _chosen(study, arguments)
    found = _found(board, base, other, arguments.k, arguments.budget)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(found), indent=1) + "\n")
    else:
        sys.stdout.write(_text(found))
    return 0


def _chosen(study: Study, arguments: argparse.Namespace) -> tuple[Board, RunRow, RunRow]:
    from engine.board import read_board
    from store.errors import NotFound

    base = study.find_run(arguments.base, arguments.benchmark)
    other = study.find_run(arguments.other, base.benchmark)
    if base.run_id == other.run_id:
        raise NotFound(f"--base and --other are one run, {base.slug}; name two")
    return read_board(study, base.benchmark, arguments.verifier), base, other


def _found(board: Board, base: RunRow, other: RunRow, k: int | None, budget: int | None) -> _Found:
    from engine.analyses.boundary import evidence, support
    from engine.summary import cover, paired_counts

    sets = cover(board, base, other, k)
    problems, counts = paired_counts(board, base, other)
    keys = [problem.key for problem in problems]
    base_n, base_c, other_n, other_c = counts
    told = evidence(base_n, base_c, other_n, other_c, budget or sets.k)
    by_key = dict(zip(keys, told, strict=True))
    sizes = support(base_n, base_c, other_n, other_c, sets.k)
    rows = zip(base_n, base_c, other_n, other_c, strict=True)
    return _Found(board, base, other, sets, sizes, budget or sets.k, by_key, dict(zip(keys, rows, strict=True)))


def _document(found: _Found) -> dict[str, Any]:
    sets = found.sets
    names = ("both", "base_only", "other_only", "neither")
    return {
        "schema": 1,
        "benchmark": found.board.benchmark,
        "base": found.base.slug,
        "other": found.other.slug,
        "k": sets.k,
        "verifier": found.board.verifier,
        **{name: list(getattr(sets, name)) for name in names},
        "expected": dict(zip(names, sets.expected, strict=True)),
        "sizes": {name: asdict(getattr(found.support, name)) for name in names},
        "mcnemar_p": sets.mcnemar_p,
        "srr": sets.srr,
        "ndr": sets.ndr,
        "sds": sets.sds,
        "nscr": sets.nscr,
        "evidence": {key: _word(found.evidence[key]) for key in found.only()},
        "budget": found.budget,
        "problems": {key: _problem(found, key) for key in found.evidence},
    }


def _problem(found: _Found, key: str) -> dict[str, Any]:
    base_n, base_c, other_n, other_c = found.counts[key]
    counts = {"base_n": base_n, "base_correct": base_c, "other_n": other_n, "other_correct": other_c}
    return counts | asdict(found.evidence[key])


def _word(evidence: Evidence) -> str:
    return "clear" if evidence.clear else "undetermined"


def _text(found: _Found) -> str:
    board, sets = found.board, found.sets
    title = f"{board.benchmark} · verifier {board.verifier} · k {sets.k} · {len(found.evidence)} problems"
    lines = [title, f"base   {found.base.slug}", f"other  {found.other.slug}"]
    named = {"both": "both", "base only": "base_only", "other only": "other_only", "neither": "neither"}
    lines.append(f"{'set':<10} {'size':>5}  {'expected':>8}  95 % from sampling alone, of the expected size")
    for (name, field), expected in zip(named.items(), sets.expected, strict=True):
        lines.append(_set(name, getattr(sets, field), expected, getattr(found.support, field)))
    ratios = {"SRR": sets.srr, "NDR": sets.ndr, "SDS": sets.sds, "NSCR": sets.nscr}
    lines.append(_mcnemar(sets.mcnemar_p) + "  " + "  ".join(f"{k} {_ratio(v)}" for k, v in ratios.items()))
    standings = Counter(evidence.standing.value for evidence in found.evidence.values())
    lines.append(f"at a budget of {found.budget} draws: " + ", ".join(f"{number} {name}" for name, number in standings.items()))
    left = len(board.problems) - len(found.evidence)
    if left:
        lines.append(f"{counted(left, 'problem')} of {len(board.problems)} left out: no judged samples in one of the runs")
    drawn = how_drawn([found.base, found.other])
    return visible("\n".join(lines[:3]) + "\n") + drawn + visible("\n".join(lines[3:]) + "\n") + _table_of_only(found)


def _table_of_only(found: _Found) -> str:
    return "\n" + _only(found) if found.only() else ""


def _set(name: str, keys: Sequence[str], expected: float, size: Interval) -> str:
    """The sets that one run alone solves are listed whole: each of their problems has a row below."""
    cut = len(keys) > _LISTED and name in ("both", "neither")
    listed = f"{len(keys)} keys, --json lists them" if cut else " ".join(keys)
    return f"{name:<10} {len(keys):>5}  {expected:>8.1f}  [{size.low:.1f}, {size.high:.1f}]  {listed}".rstrip()


def _mcnemar(p: float | None) -> str:
    return "McNemar – (n differ)" if p is None else f"McNemar exact p {p:.3g}"


def _only(found: _Found) -> str:
    """What stands behind each problem that one run alone solves."""
    header = ["problem", "only", "base c/n", "other c/n", "base p <=", "other p <=", "p", "q", "evidence", "standing"]
    rows = []
    for key in found.only():
        evidence, (base_n, base_c, other_n, other_c) = found.evidence[key], found.counts[key]
        side = "base" if key in found.sets.base_only else "other"
        bounds = [percent(evidence.base_high), percent(evidence.other_high)]
        tests = [p_value(evidence.p_value), p_value(evidence.q_value)]
        rows.append(
            [key, side, f"{base_c}/{base_n}", f"{other_c}/{other_n}", *bounds, *tests, _word(evidence), evidence.standing.value]
        )
    return "p <=: upper bounds, 95 %, one-sided at 0 correct and two-sided else\n" + table(header, rows)


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
