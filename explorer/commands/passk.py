"""basebound passk: pass@k per run and the gap of each pair, as a table or as the JSON of the contract (null: not known)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.commands.narration import Narrator
from explorer.commands.tables import percent, table
from explorer.render.text import visible

if TYPE_CHECKING:
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
    parser.add_argument("--json", action="store_true")


def whole_numbers(text: str) -> list[int]:
    """Numbers from 1 up, separated by commas."""
    return [whole_number(part) for part in text.split(",")]


def whole_number(text: str) -> int:
    """A number from 1 up."""
    if not (text.strip().isdecimal() and 0 < int(text) < 10**9):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 up")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    from store.reader import Study

    with Study(arguments.db) as study:
        summaries = summarised(study, arguments.benchmark, arguments.k, arguments.base, arguments.verifier)
    if arguments.json:
        sys.stdout.write(json.dumps(_document(summaries, arguments.verifier), indent=1) + "\n")
    else:
        show(summaries, Narrator(arguments.quiet))
    return 0


def summarised(
    study: Study,
    benchmark: str | None = None,
    ks: list[int] | None = None,
    base: str | None = None,
    verifier: str | None = None,
) -> list[BenchmarkSummary]:
    """One summary per benchmark. base: a run by name, on each benchmark where there is one.

    Raises NotFound for a benchmark, run or verifier that is not there, and for a study without runs.
    """
    from engine.board import read_board
    from engine.summary import summarise
    from store.errors import NotFound

    names = [study.benchmark(benchmark)] if benchmark else study.benchmarks()
    if not names:
        raise NotFound(f"{study.path} has no runs yet; `basebound import {study.path} FILE...` brings some")
    study.require_verifier(verifier)
    bases = _bases(study, base, names) if base else {}
    return [summarise(read_board(study, name, verifier), ks, bases.get(name)) for name in names]


def _bases(study: Study, base: str, benchmarks: list[str]) -> dict[str, RunRow]:
    """The run called `base` on each benchmark that has it."""
    from store.errors import NotFound

    found: dict[str, RunRow] = {}
    for name in benchmarks:
        try:
            found[name] = study.find_run(base, name)
        except NotFound:
            if len(benchmarks) == 1:
                raise
    return found or {(run := study.find_run(base)).benchmark: run}


def show(summaries: list[BenchmarkSummary], narrator: Narrator) -> None:
    """The tables on stdout."""
    sys.stdout.write("\n".join(_text(summary, narrator) for summary in summaries))


def _document(summaries: list[BenchmarkSummary], verifier: str | None) -> dict[str, Any]:
    used = sorted({summary.verifier for summary in summaries} - {"none"})
    return {
        "schema": 1,
        "verifier": verifier or (used[0] if len(used) == 1 else "deciding"),
        "benchmarks": [
            {
                "benchmark": summary.benchmark,
                "verifier": summary.verifier,
                "common_k": summary.common_k,
                "runs": [_run(entry) for entry in summary.runs],
                "pairs": [_pair(pair) for pair in summary.pairs],
            }
            for summary in summaries
        ],
    }


def _run(entry: RunSummary) -> dict[str, Any]:
    unknown = [None] * len(entry.k)
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
        "low": unknown,
        "high": unknown,
    }


def _pair(pair: PairSummary) -> dict[str, Any]:
    return {
        "base": pair.base.slug,
        "other": pair.other.slug,
        "problems": pair.problems,
        "crossover": None,
        "gap": {"k": pair.k, "value": pair.gap},
        "p_value": None,
    }


def _text(summary: BenchmarkSummary, narrator: Narrator) -> str:
    ks = sorted({k for entry in summary.runs for k in entry.k})
    rows = [_row(entry, ks) for entry in summary.runs]
    header = ["run", "role", "problems", "n", "errors", "unjudged", *(f"pass@{k}" for k in ks)]
    if len({entry.problems for entry in summary.runs}) > 1:
        narrator.say(f"{summary.benchmark}: runs cover different problems; compare them by their pairs")
    if len(summary.runs) > 1 and not summary.pairs:
        narrator.say(
            f"{summary.benchmark}: no pairs, no run is known as base; name one with --base, or roles with import --role"
        )
    title = f"{summary.benchmark} · verifier {summary.verifier} · common k {summary.common_k or 'none'} · pass@k in %"
    pairs = [
        f"gap  {pair.base.slug} pass@{pair.k} - {pair.other.slug} pass@1 = {percent(pair.gap)} points"
        f" ({pair.problems} problems)"
        for pair in summary.pairs
    ]
    return visible(f"{title}\n") + table(header, rows) + "".join(visible(line) + "\n" for line in pairs)


def _row(entry: RunSummary, ks: list[int]) -> list[str]:
    values = dict(zip(entry.k, entry.pass_at_k, strict=True))
    n = str(entry.n_min) if entry.n_min == entry.n_max else f"{entry.n_min}-{entry.n_max}"
    numbers = [str(entry.problems), n, str(entry.errors), str(entry.unjudged)]
    return [entry.run.slug, entry.run.model.role, *numbers, *(percent(values.get(k)) for k in ks)]
