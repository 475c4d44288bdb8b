"""The report's values, gathered once from a study by the analyses."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from engine.analyses.accuracy import histogram
from engine.analyses.boundary import Evidence, Standing, evidence, support
from engine.analyses.coverage import coverage
from engine.analyses.many import adjusted
from engine.analyses.pairs import Comparison
from engine.analyses.passk import k_grid
from engine.analyses.perplexity import Perplexity
from engine.auditing import audited_run, cot, protocol, read_labels
from engine.auditing.concord import concord
from engine.board import Board
from engine.claims import claims
from engine.claims.base import Found
from engine.exporting import source_name
from engine.fair import fair_perplexities, used_by_run
from engine.health import health
from engine.likelihoods import read_pair
from engine.partings import SIDES, TraceParting, pair_partings, trace_tokens
from engine.summary import BenchmarkSummary, PairSummary, RunSummary, paired_counts
from explorer.report.material import (
    Asked,
    AuditPart,
    BatchPart,
    BenchmarkPart,
    LikelihoodPart,
    Material,
    PairPart,
    PartingPart,
    PerplexityPart,
    Provenance,
    RunPart,
    SourcePart,
)
from store.audits import audits
from store.likelihoods import LikelihoodRow, likelihoods
from store.measures import models
from store.reader import Study
from store.rows import Count, RunRow
from store.schema import SCHEMA_VERSION
from store.types import Role

FAILURES_PER_BUDGET: Final = 60
"""How many samples without a success it takes, for each draw of a budget, before a model counts as one that cannot."""

_SCORINGS: Final = 4
"""Of two runs' responses by two models."""

_SOURCES: Final = """
SELECT path, format, sha256, bytes, imported, complete, (SELECT count(*) FROM sample WHERE sample.source_id = source.source_id)
FROM source ORDER BY source_id
"""

_JUDGES: Final = """
SELECT name, version, count(*) FROM verdict JOIN verifier USING (verifier_id) GROUP BY name, version ORDER BY name, version
"""

_BATCHES: Final = """
SELECT slug, sampler, version, device, dtype, started FROM batch JOIN run USING (run_id) ORDER BY batch_id
"""


def gather(study: Study, asked: Asked, boards: Sequence[Board], summaries: Sequence[BenchmarkSummary]) -> Material:
    """Everything, for the benchmarks of these boards and the pairs of their summaries, which were made with intervals."""
    scored = likelihoods(study)
    return Material(
        _provenance(study, asked),
        tuple(_benchmark(study, asked, board, of, scored) for board, of in zip(boards, summaries, strict=True)),
    )


def _provenance(study: Study, asked: Asked) -> Provenance:
    sources = (
        SourcePart(source_name(path), kind, sha256, size, imported, bool(complete), samples)
        for path, kind, sha256, size, imported, complete, samples in study.query(_SOURCES)
    )
    return Provenance(
        study=study.path.name,
        sha256=_sha256(study.path),
        bytes=study.path.stat().st_size,
        schema=SCHEMA_VERSION,
        basebound=asked.version,
        verifier=asked.verifier,
        sources=tuple(sources),
        judges=tuple((name, number, verdicts) for name, number, verdicts in study.query(_JUDGES)),
        batches=tuple(BatchPart(*row) for row in study.query(_BATCHES)),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _benchmark(
    study: Study, asked: Asked, board: Board, summary: BenchmarkSummary, scored: list[LikelihoodRow]
) -> BenchmarkPart:
    rows, warnings = health(study, board)
    return BenchmarkPart(
        board=board,
        runs=tuple(_run(board, entry) for entry in summary.runs),
        pairs=_pairs(board, summary.pairs),
        common_k=summary.common_k,
        health=tuple(rows),
        warnings=tuple(warnings),
        perplexities=_perplexities(study, board, scored),
        likelihoods=_likelihoods(study, board, summary.pairs, {row.run_id for row in scored}),
        audit=_audit(study, board, asked.verifier),
        claims=_claims(study, board, asked.bases.get(board.benchmark)),
        parts=tuple(run for run in board.runs if any(count.is_part for count in _cells(board, run))),
    )


def _audit(study: Study, board: Board, verifier: str | None) -> AuditPart | None:
    rows = tuple(audits(study, board.benchmark, verifier=verifier))
    if not rows:
        return None
    labels = read_labels(study, board.benchmark, verifier=verifier)
    read = {one.run_id for one in labels.reads.values()}
    runs = [run for run in board.runs if run.run_id in read and board.judged(run)]
    audited = [audited_run(study, board, run, labels) for run in runs]
    return AuditPart(
        rows=rows,
        told=labels.told,
        protocol=tuple(protocol(study, board, labels, runs)) if runs else (),
        chains=tuple(cot(one, k_grid(min(side.n for side in one.sides))) for one in audited),
        concord=concord(study, board.benchmark),
    )


def _cells(board: Board, run: RunRow) -> list[Count]:
    return [count for (run_id, _), count in board.cells.items() if run_id == run.run_id]


def _run(board: Board, entry: RunSummary) -> RunPart:
    problems = board.judged(entry.run)
    cells = [board.cells[entry.run.run_id, problem.problem_id] for problem in problems]
    n, c = (np.array(counts, dtype=np.int64) for counts in ([cell.n for cell in cells], [cell.correct for cell in cells]))
    return RunPart(
        run=entry.run,
        keys=tuple(problem.key for problem in problems),
        n=n,
        c=c,
        bands=entry.bands,
        bins=histogram(n, c) if len(n) else None,
        errors=entry.errors,
        unjudged=entry.unjudged,
    )


def _pairs(board: Board, pairs: Sequence[PairSummary]) -> tuple[PairPart, ...]:
    compared = [(pair, pair.comparison) for pair in pairs]
    q_values = adjusted([np.nan if found is None else found.p_value for _, found in compared])
    q_first = adjusted([np.nan if found is None else found.p_first for _, found in compared])
    return tuple(
        _pair(board, pair, found, (float(q_values[at]), float(q_first[at])))
        for at, (pair, found) in enumerate(compared)
        if found is not None
    )


def _pair(board: Board, pair: PairSummary, compared: Comparison, q_values: tuple[float, float]) -> PairPart:
    problems, listed = paired_counts(board, pair.base, pair.other)
    keys = tuple(problem.key for problem in problems)
    base_n, base_c, other_n, other_c = (np.array(column, dtype=np.int64) for column in listed)
    sides = base_n, base_c, other_n, other_c
    k = compared.k
    budgets = sorted({max(2, k // FAILURES_PER_BUDGET), k})
    at_budget = {budget: tuple(evidence(*sides, budget)) for budget in budgets}
    return PairPart(
        base=pair.base,
        other=pair.other,
        keys=keys,
        base_n=base_n,
        base_c=base_c,
        other_n=other_n,
        other_c=other_c,
        compared=compared,
        q_value=q_values[0],
        q_first=q_values[1],
        sets=coverage(keys, *sides, k),
        support=support(*sides, k),
        evidence=at_budget[k],
        standings=tuple((budget, _standings(found)) for budget, found in at_budget.items()),
    )


def _standings(found: Sequence[Evidence]) -> dict[Standing, int]:
    return {standing: sum(one.standing is standing for one in found) for standing in Standing}


def _perplexities(study: Study, board: Board, scored: list[LikelihoodRow]) -> tuple[PerplexityPart, ...]:
    runs = {run.run_id: run for run in board.runs}
    known = {(model.name, model.revision): model for model in models(study)}
    scoring = {row.run_id for row in scored}
    used = used_by_run(study, board, [run for run in board.runs if run.run_id in scoring])
    found = [(of, known.get((of.scorer, of.revision))) for of in fair_perplexities(study, board, scored) if of.responses]
    return tuple(
        PerplexityPart(
            runs[of.run_id],
            _scorer(of, None if model is None else model.step),
            of,
            of.quantiles,
            model is not None and model.role is Role.BASE,
            used[of.run_id],
        )
        for of, model in sorted(
            found,
            key=lambda one: (
                list(runs).index(one[0].run_id),
                one[1] is None or one[1].role is not Role.BASE,
                one[0].scorer,
                one[0].revision,
            ),
        )
    )


def _likelihoods(study: Study, board: Board, pairs: Sequence[PairSummary], scored: set[int]) -> tuple[LikelihoodPart, ...]:
    """scored: runs of which a response was scored by any model."""
    asked = [pair for pair in pairs if scored.intersection((pair.base.run_id, pair.other.run_id))]
    every = (_likelihood(study, board, pair) for pair in asked)
    return tuple(one for one in every if len(one.found.missing) < _SCORINGS)


def _likelihood(study: Study, board: Board, pair: PairSummary) -> LikelihoodPart:
    parted = pair_partings(study, board, pair.base, pair.other)
    deepest: dict[tuple[str, str | None], TraceParting] = {}
    for row in sorted(parted.traces, key=lambda row: row.fall):
        deepest.setdefault((row.side, row.link.key), row)
    return LikelihoodPart(
        found=read_pair(study, board, pair.base, pair.other),
        sets={one.problem.key: one.side for one in parted.problems},
        partings=tuple(
            PartingPart(row, _ratios(study, row, pair) if row is deepest[row.side, row.link.key] else ())
            for row in parted.traces
        ),
        looked_at=parted.problems,
    )


def _ratios(study: Study, row: TraceParting, pair: PairSummary) -> tuple[float | None, ...]:
    """Step by step along the trace, under the model that does not solve its problem against the one that drew it."""
    tokens = trace_tokens(study, row.sample_id)
    leaving = (pair.other if row.side == SIDES[0] else pair.base).model
    if tokens is None:
        return ()
    by = next((of for of in tokens.others if (of.scorer.name, of.scorer.revision) == (leaving.name, leaving.revision)), None)
    return () if by is None else tuple(step.ratio for step in tokens.parting(by).steps)


def _claims(study: Study, board: Board, base: RunRow | None) -> tuple[Found, ...]:
    """A reason names the study by its file, not by where it lies."""
    found = claims(study, board, base)
    return tuple(replace(one, reason=one.reason.replace(str(study.path), study.path.name)) for one in found)


def _scorer(one: Perplexity, step: int | None) -> str:
    name = one.scorer.rsplit("/", 1)[-1]
    return name if step is None else f"{name} step {step}"
