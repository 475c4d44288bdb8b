"""What the report says of a benchmark's runs: pass@k, accuracies, the health of their samples."""

from __future__ import annotations

from collections.abc import Iterator

from engine.health import PERCENTILES, RunHealth
from explorer.report import figures
from explorer.report.document import Block, Grid, Picture, Points, Prose
from explorer.report.material import BenchmarkPart, RunPart
from explorer.report.wording import (
    LEVEL_WORDS,
    UNKNOWN_MARK,
    between,
    figure_name,
    in_file,
    percent,
    settings,
    span,
    whole,
)

SHOWN_KS = 5
"""Columns of pass@k in the table; the figure and pass_at_k.csv have every k."""


def results(part: BenchmarkPart) -> Iterator[Block]:
    """The table and the picture of pass@k; without pairs, the histogram of accuracies too."""
    judged = [one for one in part.runs if one.bands is not None]
    if not judged:
        yield Prose("Nobody has judged a sample yet: `basebound verify` does.", warns=True)
        return
    yield _table(part, judged)
    yield _curves(part, judged)
    if not part.pairs:
        yield Picture(
            figure_name(part.board.benchmark, "accuracy"),
            figures.accuracy(part),
            "How often problems are solved",
            "Problems by the share of their samples that is right, in twelve bins: never and always stand apart.",
            _made(part, judged[: figures.MOST_BARS]),
            f"Histogram of the problems' accuracies. The numbers: {in_file('accuracy')}.",
        )


def _table(part: BenchmarkPart, judged: list[RunPart]) -> Block:
    ks = _shown_ks(judged)
    header = ["run", "role", "problems", "n", "errors", "unjudged", *(f"pass@{k:,}" for k in ks)]
    rows = [
        [
            one.run.name, one.run.model.role.value, whole(len(one.keys)), span(one.n.tolist()), whole(one.errors),
            whole(one.unjudged), *(_estimate(one, k) for k in ks),
        ]
        for one in part.runs
    ]  # fmt: skip
    note = f"pass@k in %, the mean over problems; below it its {LEVEL_WORDS} interval over problems. {_made(part, judged)}"
    return Grid("pass@k of every run", header, rows, note, left=2)


def _shown_ks(runs: list[RunPart]) -> list[int]:
    """1, the largest and some between, of the k that some run has."""
    every = _every_k(runs)
    last = SHOWN_KS - 1
    return every if len(every) <= SHOWN_KS else [every[round(at * (len(every) - 1) / last)] for at in range(SHOWN_KS)]


def _every_k(runs: list[RunPart]) -> list[int]:
    return sorted({int(k) for one in runs if one.bands is not None for k in one.bands.ks})


def _estimate(one: RunPart, k: int) -> str:
    if one.bands is None or k not in one.bands.ks:
        return UNKNOWN_MARK
    at = one.bands.ks.tolist().index(k)
    limits = between(one.bands.problems.low[at], one.bands.problems.high[at])
    return f"{percent(float(one.bands.estimate[at]))}\n{limits}"


def _made(part: BenchmarkPart, runs: list[RunPart], ks: list[int] | None = None) -> str:
    return settings(
        [one.run for one in runs],
        part.board.verifier,
        ks=ks or [],
        n=[int(n) for one in runs for n in one.n],
        problems_of=[len(one.keys) for one in runs],
    )


def _curves(part: BenchmarkPart, judged: list[RunPart]) -> Block:
    shown = judged[: figures.MOST_RUNS]
    more = f" {len(judged) - len(shown)} runs more are in the table." if len(judged) > len(shown) else ""
    bands = "Bands are in the pairs' figures."
    if len(shown) <= figures.BANDS_UP_TO:
        bands = f"Bands: {LEVEL_WORDS} for the whole curve, over problems like these."
    return Picture(
        figure_name(part.board.benchmark, "runs"),
        figures.curves(part),
        "pass@k of every run",
        f"The share of problems of which at least one of k samples is right, unbiased, mean over problems. {bands}{more}",
        _made(part, shown, _every_k(shown)),
        "; ".join(f"{one.run.name}: {_from_to(one)}" for one in shown),
    )


def _from_to(one: RunPart) -> str:
    if one.bands is None:
        return "not judged"
    first, last = float(one.bands.estimate[0]), float(one.bands.estimate[-1])
    return f"{percent(first)} % at k = 1, {percent(last)} % at k = {int(one.bands.ks[-1]):,}"


def health(part: BenchmarkPart) -> Iterator[Block]:
    """What ails the samples, and how compared runs differ besides their models."""
    if part.warnings:
        yield Points(part.warnings, warns=True)
    rates = ("effective n", "cut\u00a0%", "cut at", "box\u00a0%", "no answer\u00a0%", "error\u00a0%", "unjudged")
    header = ["run", "length in", "traces", *rates, "5\u00a0%", "median", "95\u00a0%", "longest"]
    note = (
        "Traces are those stored; rates of answers and errors are of all that were judged, published counts among them."
        f" {settings(list(part.board.runs), part.board.verifier)}"
    )
    yield Grid("Cut, without an answer, drawn twice; lengths", header, [_health(row) for row in part.health], note, left=2)


def _health(row: RunHealth) -> list[str]:
    lengths = [f"{value:,.0f}" for value in row.lengths] if row.lengths else [UNKNOWN_MARK] * len(PERCENTILES)
    return [
        row.run.name,
        UNKNOWN_MARK if row.lengths is None else "tokens" if row.in_tokens else "characters",
        whole(row.samples),
        whole(row.repeats.effective_n),
        _rate(row.truncated, row.samples - row.finish_unknown),
        whole(row.cut_at),
        _rate(*row.boxed) if row.boxed else UNKNOWN_MARK,
        _rate(row.no_answer, row.judged),
        _rate(row.error, row.judged),
        whole(row.unjudged),
        *lengths,
    ]


def _rate(number: int, of: int) -> str:
    return percent(number / of if of else None)
