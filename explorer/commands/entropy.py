"""basebound entropy: nats a token of what each run was drawn from, and the temperature that gives other models the same.

The entropy is of the distribution that tokens were drawn from: after temperature, top-k and top-p. Whether a published figure
is of that or of the whole vocabulary, its paper must tell; under a top-p below 1 ours is the smaller of the two.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from explorer.commands.narration import Narrator
from explorer.commands.tables import UNKNOWN_MARK, how_drawn, parts, table
from explorer.render.text import visible
from explorer.render.words import counted
from store.names import number_text, revision_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.entropy import Match, NoMatch, RunEntropy
    from store.reader import Study

EXAMPLE = "entropy {db}"

_HEADER: Final = ["run", "told by", "T", "top-p", "nats/token", "±", "over problems", "problems", "samples", "tokens"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("db", type=Path, metavar="DB")
    parser.add_argument("--benchmark", metavar="B", help="this one only")
    parser.add_argument("--match", metavar="RUN", help="the temperature at which each other model has this run's entropy")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    from engine.entropy import entropies
    from explorer.commands.passk import bases_of
    from store.reader import Study

    with Study(arguments.db) as study:
        names = [study.benchmark(arguments.benchmark)] if arguments.benchmark else study.benchmarks()
        targets = bases_of(study, arguments.match, names) if arguments.match else {}
        found = {name: entropies(study, name) for name in names}
        counted_in = {name: _counted(study, name) for name in names}
        warning = parts(study)
    narrator = Narrator(arguments.quiet)
    documents, texts = [], []
    for name, rows in found.items():
        target = next((row for row in rows if name in targets and row.run.run_id == targets[name].run_id), None)
        matches = [] if target is None else _matches(rows, target)
        documents.append(_document(name, [_run(row, counted_in[name]) for row in rows], target, matches))
        texts.append(_text(name, rows) + ("" if target is None else _matched(target, matches)))
        for sentence in _said(rows):
            narrator.complain(f"{name}: {sentence}")
    if arguments.json:
        sys.stdout.write(json.dumps({"schema": 1, "benchmarks": documents}, indent=1) + "\n")
    else:
        sys.stdout.write("\n".join(texts) + warning)
    return 0


def _counted(study: Study, benchmark: str) -> dict[int, int]:
    """By run_id, how many samples verdicts or published counts tell of: there may be more than are stored."""
    found: dict[int, int] = {}
    for count in study.counts(benchmark):
        found[count.run_id] = found.get(count.run_id, 0) + count.counted
    return found


def _matches(rows: Sequence[RunEntropy], target: RunEntropy) -> list[tuple[list[RunEntropy], Match | NoMatch]]:
    from engine.entropy import matching, sweeps

    return [(sweep, matching(sweep, target)) for sweep in sweeps(rows, target)]


def _text(benchmark: str, rows: Sequence[RunEntropy]) -> str:
    title = f"{benchmark} · entropy of what was drawn from, over all tokens · ± standard error over problems"
    return visible(title) + "\n" + how_drawn([row.run for row in rows]) + table(_HEADER, [_cells(row) for row in rows])


def _cells(row: RunEntropy) -> list[str]:
    return [
        row.run.slug,
        row.source or "",
        number_text(row.run.settings.temperature),
        number_text(row.run.settings.top_p),
        _nats(row.nats),
        _nats(row.error),
        _nats(row.over_problems),
        f"{len(row.parts):,}",
        f"{row.samples:,}" if row.samples == row.of else f"{row.samples:,} of {row.of:,}",
        f"{row.tokens:,}" if row.source else UNKNOWN_MARK,
    ]


def _nats(value: float | None) -> str:
    return UNKNOWN_MARK if value is None else f"{value:.4f}"


def _said(rows: Sequence[RunEntropy]) -> list[str]:
    """What a reader must know and no column tells."""
    unknown = [row.run.slug for row in rows if row.source is None]
    said = [] if not unknown else [f"entropy unknown, for no log-probability of their draws is: {', '.join(unknown)}"]
    return said + [
        f"{row.run.slug}: {counted(row.outside, 'response')} left out, with tokens that its scorer could not have drawn"
        for row in rows
        if row.outside
    ]


def _matched(target: RunEntropy, matches: Sequence[tuple[list[RunEntropy], Match | NoMatch]]) -> str:
    from engine.entropy import Match
    from engine.parity import unlike_settings

    title = f"\nat which temperature the entropy is that of {target.run.slug} ({_nats(target.nats)})"
    rows, lines = [], []
    for sweep, found in matches:
        first = sweep[0].run
        name = f"{first.model.name} {revision_name(first.model)}".strip()
        if isinstance(found, Match):
            rows.append([name, *_limits(found)])
            lines.append(_to_write(name, found.temperature))
        else:
            lines.append(f"{name}: {found.reason}")
        unlike = [one.name for one in unlike_settings(target.run.settings, first.settings) if one.name != "temperature"]
        lines += [f"‼ {name} has another {' and '.join(unlike)} there than {target.run.slug}"] if unlike else []
    if not matches:
        lines.append("no other model was drawn on this benchmark")
    header = ["model", "between", "temperature", "95 %", "nats/token", "problems"]
    return visible(title) + "\n" + (table(header, rows) if rows else "") + "".join(visible(line) + "\n" for line in lines)


def _limits(found: Match) -> list[str]:
    between = " and ".join(f"T {number_text(run.settings.temperature)}" for run in found.between)
    low, high = ("…" if limit is None else f"{limit:.3f}" for limit in (found.low, found.high))
    return [between, f"{found.temperature:.3f}", f"{low}–{high}", _nats(found.nats), f"{found.problems:,}"]


def _to_write(model: str, temperature: float) -> str:
    said = f"temperature = {temperature:.2f} under [sampling]"
    return f"to draw {model} there: a study file for `basebound run` that declares it alone, with {said}"


def _document(
    benchmark: str,
    runs: Sequence[dict[str, Any]],
    target: RunEntropy | None,
    matches: Sequence[tuple[list[RunEntropy], Match | NoMatch]],
) -> dict[str, Any]:
    document: dict[str, Any] = {"benchmark": benchmark, "runs": runs}
    if target is not None:
        document |= {"match": target.run.slug, "matches": [_match(sweep, found) for sweep, found in matches]}
    return document


def _run(row: RunEntropy, counted_in: Mapping[int, int]) -> dict[str, Any]:
    return {
        "run": row.run.slug,
        "model": row.run.model.name,
        "temperature": row.run.settings.temperature,
        "top_p": row.run.settings.top_p,
        "nats_per_token": row.nats,
        "standard_error": row.error,
        "mean_over_problems": row.over_problems,
        "problems": len(row.parts),
        "samples": row.samples,
        "of": row.of,
        "counted": counted_in.get(row.run.run_id, 0),
        "tokens": row.tokens,
        "source": row.source,
        "left_out": row.outside,
    }


def _match(sweep: Sequence[RunEntropy], found: Match | NoMatch) -> dict[str, Any]:
    from engine.entropy import Match

    model = sweep[0].run.model
    document: dict[str, Any] = {"model": model.name, "revision": model.revision, "runs": [one.run.slug for one in sweep]}
    if not isinstance(found, Match):
        return document | {"temperature": None, "reason": found.reason}
    between = [run.slug for run in found.between]
    limits = {"temperature": found.temperature, "low": found.low, "high": found.high}
    return document | limits | {"between": between, "nats_per_token": found.nats, "problems": found.problems}
