"""basebound passk: pass@k per run with intervals, and each pair's difference, crossover and gap, as a table or as JSON.

low and high are the 95 % interval over problems at each k. The JSON has them twice more: *_all, over problems and for all k at
once; *_samples, from sampling alone, for these very problems. null: not known.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.arguments import whole_numbers
from explorer.commands.narration import Narrator
from explorer.commands.tables import how_drawn, p_value, percent, points, span, table
from explorer.render.text import visible
from explorer.render.words import counted

if TYPE_CHECKING:
    from engine.analyses.crossover import Crossover
    from engine.analyses.pairs import Comparison
    from engine.board import Board
    from engine.summary import BenchmarkSummary, PairSummary, RunSummary
    from store.reader import Study
    from store.rows import RunRow

EXAMPLE = "passk {db} --k 1,2,4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--k", type=whole_numbers, metavar="1,2,4", help="these k instead of 1, 2, 4, ... up to n")
    parser.add_argument("--base", metavar="RUN", help="pair the other runs with this one; else the roles tell")
    parser.add_argument("--verifier", metavar="V", help="judge by this one's verdicts, e.g. imported; else the deciding one")
    parser.add_argument("--plug-in", action="store_true", help="show the plug-in 1 - (1 - c/n)^k too, which is biased low")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from engine.summary import summarise
    from store.reader import Study

    with Study(arguments.db) as study:
        boards = read_boards(study, arguments.benchmark, arguments.verifier)
        bases = bases_of(study, arguments.base, [board.benchmark for board in boards]) if arguments.base else {}
    summaries = [summarise(board, arguments.k, bases.get(board.benchmark), intervals=True) for board in boards]
    if arguments.json:
        sys.stdout.write(json.dumps(_document(boards, summaries, arguments.verifier), indent=1) + "\n")
    else:
        show(boards, summaries, Narrator(arguments.quiet), arguments.k, plug_in=arguments.plug_in)
    return 0


def read_boards(study: Study, benchmark: str | None = None, verifier: str | None = None) -> list[Board]:
    """One benchmark's board, or all of them. Raises NotFound for one or a verifier that is not there, and without runs."""
    from engine.board import read_board
    from store.errors import NotFound

    names = [study.benchmark(benchmark)] if benchmark else study.benchmarks()
    if not names:
        raise NotFound(f"{study.path} has no runs yet; `basebound import {study.path} FILE...` brings some")
    study.require_verifier(verifier)
    return [read_board(study, name, verifier) for name in names]


def bases_of(study: Study, base: str, benchmarks: list[str]) -> dict[str, RunRow]:
    """The run called `base` on each benchmark that has it. Raises NotFound where none has."""
    from store.errors import NotFound

    found: dict[str, RunRow] = {}
    for name in benchmarks:
        try:
            found[name] = study.find_run(base, name)
        except NotFound:
            if len(benchmarks) == 1:
                raise
    return found or {(run := study.find_run(base)).benchmark: run}


def show(
    boards: list[Board],
    summaries: list[BenchmarkSummary],
    narrator: Narrator,
    asked: list[int] | None = None,
    *,
    plug_in: bool = False,
) -> None:
    """The tables on stdout. asked: k that somebody wants to see; else a choice of those there are."""
    texts = [_text(board, summary, narrator, asked, plug_in) for board, summary in zip(boards, summaries, strict=True)]
    sys.stdout.write("\n".join(texts))


def _document(boards: list[Board], summaries: list[BenchmarkSummary], verifier: str | None) -> dict[str, Any]:
    used = sorted({summary.verifier for summary in summaries} - {"none"})
    return {
        "schema": 1,
        "verifier": verifier or (used[0] if len(used) == 1 else "deciding"),
        "benchmarks": [
            {
                "benchmark": summary.benchmark,
                "verifier": summary.verifier,
                "common_k": summary.common_k,
                "runs": [_run(board, entry) for entry in summary.runs],
                "pairs": [_pair(pair) for pair in summary.pairs],
            }
            for board, summary in zip(boards, summaries, strict=True)
        ],
    }


def _run(board: Board, entry: RunSummary) -> dict[str, Any]:
    from engine.summary import plug_in

    return {
        "run": entry.run.slug,
        "model": entry.run.model.name,
        "role": entry.run.model.role.value,
        "step": entry.run.model.step,
        "problems": entry.problems,
        "n_min": entry.n_min,
        "n_max": entry.n_max,
        "errors": entry.errors,
        "unjudged": entry.unjudged,
        "k": list(entry.k),
        "pass_at_k": list(entry.pass_at_k),
        **_limits(entry),
        "plug_in_biased_low": list(plug_in(board, entry.run, entry.k)),
    }


def _limits(entry: RunSummary) -> dict[str, list[float | None]]:
    """Every kind of limit at each k of the run, None at a k that its samples do not reach."""
    names = ("low", "high", "low_all", "high_all", "low_samples", "high_samples")
    if entry.bands is None:
        return {name: [None] * len(entry.k) for name in names}
    problems, samples = entry.bands.problems, entry.bands.samples
    arrays = (problems.low, problems.high, problems.low_all, problems.high_all, samples.low, samples.high)
    reached = entry.bands.ks.tolist()
    values = [dict(zip(reached, array.tolist(), strict=True)) for array in arrays]
    return {name: [of.get(k) for k in entry.k] for name, of in zip(names, values, strict=True)}


def _pair(pair: PairSummary) -> dict[str, Any]:
    found = pair.comparison
    return {
        "base": pair.base.slug,
        "other": pair.other.slug,
        "problems": pair.problems,
        "crossover": None if found is None else _crossing(found.crossover),
        "mirror": None if found is None else _crossing(found.mirror),
        "gap": {"k": pair.k, "value": pair.gap} | ({} if found is None else _gap_limits(found)),
        "p_value": None if found is None else found.p_value,
        "p_value_at_1": None if found is None else found.p_first,
        "difference": None if found is None else _difference(found),
    }


def _gap_limits(found: Comparison) -> dict[str, float]:
    return {"low": found.gap_interval.low, "high": found.gap_interval.high}


def _crossing(found: Crossover) -> dict[str, Any]:
    return {
        "verdict": found.verdict.value,
        "k": found.k,
        "low": found.low,
        "high": found.high,
        "probability": found.probability,
    }


def _difference(found: Comparison) -> dict[str, list[float]]:
    """Other - base."""
    arrays = {"k": found.ks, "value": found.difference, "low": found.problems.low, "high": found.problems.high}
    arrays |= {"low_all": found.problems.low_all, "high_all": found.problems.high_all}
    arrays |= {"low_samples": found.samples.low, "high_samples": found.samples.high}
    return {name: array.tolist() for name, array in arrays.items()}


def _text(board: Board, summary: BenchmarkSummary, narrator: Narrator, asked: list[int] | None, plug_in: bool) -> str:
    _tell(board, summary, narrator, asked)
    ks = sorted({k for entry in summary.runs for k in entry.k})
    shown = ks if asked else _few(ks, summary.common_k)
    all_judged = not any(entry.errors or entry.unjudged for entry in summary.runs)
    rows = [row for entry in summary.runs for row in _rows(board, entry, shown, all_judged, plug_in)]
    header = ["run", "role", "problems", "n", *([] if all_judged else ["errors", "unjudged"]), *(f"pass@{k}" for k in shown)]
    told = [f"{summary.benchmark} · verifier {summary.verifier}", *(["no errors, all judged"] if all_judged else [])]
    title = " · ".join([*told, f"common k {summary.common_k or 'none'}", "pass@k in %, below it 95 % over problems"])
    drawn = how_drawn([entry.run for entry in summary.runs])
    return visible(f"{title}\n") + drawn + table(header, rows) + "".join(_pair_text(pair) for pair in summary.pairs)


def _few(ks: list[int], common_k: int | None) -> list[int]:
    """Every other doubling, and the largest k that all runs reach: what fits a terminal. JSON has all."""
    return [k for k in ks if k == common_k or (k & (k - 1) == 0 and k.bit_length() % 2 == 1)] or ks


def _tell(board: Board, summary: BenchmarkSummary, narrator: Narrator, asked: list[int] | None) -> None:
    """What the tables do not say."""
    from engine.summary import pairs_of

    name = summary.benchmark
    judged = {frozenset(p.key for p in board.judged(entry.run)) for entry in summary.runs if entry.problems}
    if len(judged) > 1:
        narrator.say(f"{name}: runs cover different problems; compare them by their pairs")
    left = {entry.run.slug: len(board.problems) - entry.problems for entry in summary.runs}
    for slug, number in left.items():
        if number and summary.common_k:
            narrator.say(
                f"{name}: {slug}: {counted(number, 'problem')} of {len(board.problems)} without judged samples left out"
            )
    if len(summary.runs) > 1 and not summary.pairs:
        unknown = "no run is known as base; name one with --base, or roles with import --role"
        why = "base and the other runs share no judged problem" if pairs_of(board) else unknown
        narrator.say(f"{name}: no pairs, {why}")
    if asked and summary.common_k and max(asked) > summary.common_k:
        narrator.say(f"{name}: not every problem has {max(asked)} samples; `basebound beyond` fits what more would solve")


def _rows(board: Board, entry: RunSummary, ks: list[int], all_judged: bool, plug_in: bool) -> list[list[str]]:
    from engine.summary import plug_in as biased

    n = str(entry.n_min) if entry.n_min == entry.n_max else f"{entry.n_min}-{entry.n_max}"
    numbers = [str(entry.problems), n, *([] if all_judged else [str(entry.errors), str(entry.unjudged)])]
    values, limits = dict(zip(entry.k, entry.pass_at_k, strict=True)), _limits(entry)
    spans = dict(zip(entry.k, map(span, limits["low"], limits["high"]), strict=True))
    rows = [[entry.run.slug, entry.run.model.role, *numbers, *(percent(values.get(k)) for k in ks)]]
    empty = [""] * (len(numbers) + 1)
    if any(spans.values()):
        rows.append(["", *empty, *(spans.get(k, "") for k in ks)])
    if plug_in:
        given = dict(zip(entry.k, biased(board, entry.run, entry.k), strict=True))
        rows.append(["  plug-in, biased low", *empty, *(percent(given.get(k)) for k in ks)])
    return rows


def _pair_text(pair: PairSummary) -> str:
    """A pair in a few lines; numbers are points, with 95 % over problems."""
    judged = counted(pair.problems, "problem")
    lines = [f"{pair.other.slug} against {pair.base.slug} · {judged} · common k {pair.k}"]
    found = pair.comparison
    gap = f"{pair.base.slug} pass@{pair.k} - {pair.other.slug} pass@1 = {percent(pair.gap)}"
    if found is not None:
        first, last = found.difference[0], found.difference[-1]
        low, high = found.problems.low, found.problems.high
        at_k = f"; pass@{pair.k} {points(last)} [{points(low[-1])}, {points(high[-1])}] p {p_value(found.p_value)}"
        at_1 = f"pass@1 {points(first)} [{points(low[0])}, {points(high[0])}] p {p_value(found.p_first)}"
        lines.append(f"  difference  {at_1}{at_k if pair.k > 1 else ''}")
        lines.append(f"  crossover   {crossing_text(found, pair.k)}")
        gap += f" [{percent(found.gap_interval.low)}, {percent(found.gap_interval.high)}]"
    return visible("\n" + "\n".join([*lines, f"  gap         {gap} points"]) + "\n")


def crossing_text(found: Comparison, k: int) -> str:
    """Where base overtakes, or that nothing of the kind is seen by k; the mirror case where that is what happens."""
    one, mirror = found.crossover, found.mirror
    if mirror.k is not None:
        return f"the other run is ahead from k = {mirror.k} on {_k_limits(mirror, k)}"
    if one.k is not None:
        return f"base is ahead from k = {one.k} on {_k_limits(one, k)}"
    return f"{one.verdict} by k = {k}; probability that base overtakes by then {one.probability:.2f}"


def _k_limits(found: Crossover, k: int) -> str:
    low, high = (f"not by {k}" if limit is None else str(limit) for limit in (found.low, found.high))
    return f"[{low}, {high}], probability {found.probability:.2f} by k = {k}"
