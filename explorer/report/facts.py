"""Rows of the report's tables on the study, its runs and samples, audits and claims: plain values by column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.accuracy import BINS
from engine.analyses.intervals import Band
from engine.auditing import Chain
from engine.exporting import run_facts
from engine.health import PERCENTILES
from explorer.report.material import QUANTILES, BenchmarkPart, Material, RunPart
from explorer.report.wording import settings
from store.audits import is_model
from store.names import Link
from store.types import SETTING_NAMES

Row = dict[str, object]

HEALTH_COUNTS: Final = (
    "correct", "incorrect", "no_answer", "error", "unjudged", "samples", "truncated", "finish_unknown",
)  # fmt: skip

PERPLEXITY_PARTS: Final = ("incorrect", "no_answer", "unjudged", "no_stop", "whole")
PERPLEXITY_FACTS: Final = (
    "pooled", "stopped", "truncated", "retokenized", "impossible", "tokens", "nats", "lowest", "entropy", "entropy_of",
)  # fmt: skip

COT: Final = ("mean", "low", "high", "low_bound", "high_bound")

_FOUND: Final = (
    "base", "other", "statistic", "value", "low", "high", "p_value", "q_value", "p_of", "reason", "settings", "k", "problems",
)  # fmt: skip


def provenance(material: Material) -> Iterator[Row]:
    found = material.provenance
    yield {
        "study": found.study,
        "sha256": found.sha256,
        "bytes": found.bytes,
        "schema": found.schema,
        "basebound": found.basebound,
        "verifier": found.verifier or "deciding",
    }


def sources(material: Material) -> Iterator[Row]:
    for one in material.provenance.sources:
        yield asdict(one)


def verifiers(material: Material) -> Iterator[Row]:
    for name, version, verdicts in material.provenance.judges:
        yield {"verifier": name, "version": version, "verdicts": verdicts}


def batches(material: Material) -> Iterator[Row]:
    for one in material.provenance.batches:
        yield asdict(one)


def runs(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.runs:
            facts = run_facts(one.run) | {name: getattr(one.run.settings, name) for name in SETTING_NAMES if name != "seed"}
            counts = {"problems": len(one.keys), "n_min": _least(one), "n_max": _most(one)}
            yield {**facts, **counts, "errors": one.errors, "unjudged": one.unjudged}


def counts(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        keys = {problem.problem_id: problem.key for problem in part.board.problems}
        runs = {run.run_id: run.slug for run in part.board.runs}
        order = {problem_id: at for at, problem_id in enumerate(keys)}
        cells = sorted(part.board.cells.values(), key=lambda cell: (list(runs).index(cell.run_id), order[cell.problem_id]))
        for cell in cells:
            yield {
                "benchmark": part.board.benchmark,
                "run": runs[cell.run_id],
                "problem": keys[cell.problem_id],
                "verifier": cell.verifier,
                "n": cell.n,
                "correct": cell.correct,
                "incorrect": cell.incorrect,
                "no_answer": cell.no_answer,
                "error": cell.error,
                "unjudged": cell.unjudged,
                "samples": cell.samples,
                "truncated": cell.truncated,
                "published": cell.published,
            }


def health(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for row in part.health:
            lengths = row.lengths or (None,) * len(PERCENTILES)
            yield {
                "benchmark": part.board.benchmark,
                "run": row.run.slug,
                "verifier": part.board.verifier,
                **{name: getattr(row, name) for name in HEALTH_COUNTS},
                "with_box": None if row.boxed is None else row.boxed[0],
                "looked_for_box": None if row.boxed is None else row.boxed[1],
                "length_in": None if row.lengths is None else "tokens" if row.in_tokens else "characters",
                **{f"length_p{at}": value for at, value in zip(PERCENTILES, lengths, strict=True)},
                "cut_at": row.cut_at,
                "distinct": row.repeats.distinct,
                "effective_n": row.repeats.effective_n,
                "part_only": row.run in part.parts,
            }


def pass_at_k(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.runs:
            if one.bands is None:
                continue
            about: Row = {"benchmark": part.board.benchmark, "run": one.run.slug, "problems": len(one.keys)}
            about |= {"n_min": _least(one), "n_max": _most(one)} | _of_run(part, one)
            bands = band_facts("problems", one.bands.problems) | band_facts("samples", one.bands.samples)
            for at, k in enumerate(one.bands.ks):
                yield {**about, "k": int(k), "pass_at_k": one.bands.estimate[at]} | facts_at(bands, at)


def accuracy(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.runs:
            if one.bins is not None:
                for name, problems in zip(BINS, one.bins, strict=True):
                    row: Row = {"benchmark": part.board.benchmark, "run": one.run.slug, "accuracy": name}
                    yield row | {"problems": int(problems), "n_min": _least(one), "n_max": _most(one)} | _of_run(part, one)


def perplexity(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.perplexities:
            row: Row = {"benchmark": part.board.benchmark, "run": one.run.slug, "scorer": one.scorer}
            row |= {"responses": one.found.responses, "median_correct": one.found.median_correct}
            row |= {f"median_{name}": getattr(one.found, name).median for name in PERPLEXITY_PARTS}
            row |= {f"of_{name}": getattr(one.found, name).responses for name in ("correct", *PERPLEXITY_PARTS)}
            row |= {name: getattr(one.found, name) for name in PERPLEXITY_FACTS} | {"pooled_no_stop": one.found.no_stop.pooled}
            row |= {"dtype": " ".join(one.found.dtypes), "temperature": 1.0}
            row |= {f"p{round(100 * at)}": value for at, value in zip(QUANTILES, one.quantiles, strict=True)}
            row |= {"used": one.used.words, "used_responses": one.used.of}
            yield row | {"supported": one.found.supported, "part_only": one.run in part.parts}


def audits(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        runs = {run.run_id: run.slug for run in part.board.runs}
        keys = {problem.problem_id: problem.key for problem in part.board.problems}
        for one in part.audit.rows if part.audit else ():
            link = Link(runs[one.run_id], part.board.benchmark, keys[one.problem_id], one.idx)
            row: Row = {"benchmark": part.board.benchmark, "run": link.slug, "problem": link.key, "link": str(link)}
            row |= {name: getattr(one, name) for name in ("outcome", "auditor", "label", "step", "note", "chosen", "random")}
            yield row | {"by_model": is_model(one.auditor), "meaning": one.meaning and one.meaning.value}


def protocol(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.audit.protocol if part.audit else ():
            row: Row = {"benchmark": part.board.benchmark, "run": one.run.slug, "problems": len(one.chains)}
            row |= {chain.name.lower(): one.count(chain) for chain in Chain}
            yield row | {"labelled": one.audited, "right_answers": one.to_audit, "stored": one.stored}


def cot_pass_at_k(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.audit.chains if part.audit else ():
            for at, k in enumerate(one.ks):
                row: Row = {"benchmark": part.board.benchmark, "run": one.run.slug, "k": k, "problems": one.problems}
                row |= {name: float(getattr(one.curve, name)[at]) for name in COT}
                row |= {
                    "right": one.right,
                    "read": one.read,
                    "random": one.random,
                    "exact": one.exact,
                    "bounds_only": one.bounds_only,
                }
                yield row | {"ambiguous": one.ambiguous.value, "labels": part.audit.told if part.audit else None}


def claims(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.claims:
            row: Row = {"benchmark": part.board.benchmark, "claim": one.claim.name, "sentence": one.claim.sentence}
            row |= {"source": one.claim.source, "unit": one.unit.value, "finding": one.finding.value}
            yield row | {name: getattr(one, name) for name in _FOUND}


def _of_run(part: BenchmarkPart, one: RunPart) -> Row:
    return {"verifier": part.board.verifier, "settings": settings([one.run], part.board.verifier)}


def _least(one: RunPart) -> int | None:
    return int(one.n.min()) if len(one.n) else None


def _most(one: RunPart) -> int | None:
    return int(one.n.max()) if len(one.n) else None


def band_facts(over: str, band: Band) -> dict[str, NDArray[np.float64]]:
    """Limits by the columns' names: pointwise, and of the whole curve."""
    limits = {"low": band.low, "high": band.high, "low_all": band.low_all, "high_all": band.high_all}
    return {f"{over}_{name}": values for name, values in limits.items()}


def facts_at(bands: dict[str, NDArray[np.float64]], at: int) -> Row:
    return {name: float(values[at]) for name, values in bands.items()}
