"""Rows of the report's tables on pairs of runs: plain values by column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from engine.analyses.boundary import Standing
from explorer.report.facts import Row, band_facts, facts_at
from explorer.report.material import BenchmarkPart, Material, PairPart
from explorer.report.wording import settings

SETS: Final = ("both", "base_only", "other_only", "neither")


def pairs(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for pair in part.pairs:
            yield {**_about(part, pair), **_pair_results(pair), **_set_results(pair)}


def _pair_results(pair: PairPart) -> Row:
    found = pair.compared
    row: Row = {
        "difference_1": found.difference[0],
        "low_1": found.problems.low[0],
        "high_1": found.problems.high[0],
        "p_1": found.p_first,
        "q_1": pair.q_first,
        "difference_k": found.difference[-1],
        "low_k": found.problems.low[-1],
        "high_k": found.problems.high[-1],
        "p_k": found.p_value,
        "q_k": pair.q_value,
        "gap": found.gap,
        "gap_low": found.gap_interval.low,
        "gap_high": found.gap_interval.high,
    }
    for name, one in (("crossover", found.crossover), ("mirror", found.mirror)):
        row |= {f"{name}_verdict": one.verdict.value, f"{name}_k": one.k, f"{name}_low": one.low, f"{name}_high": one.high}
        row[f"{name}_probability"] = one.probability
    return row


def _set_results(pair: PairPart) -> Row:
    sets = pair.sets
    row: Row = {}
    for at, name in enumerate(SETS):
        limits = getattr(pair.support, name)
        row |= {name: len(getattr(sets, name)), f"{name}_expected": sets.expected[at]}
        row |= {f"{name}_low": limits.low, f"{name}_high": limits.high}
    row |= {"base_only_clear": pair.clear(sets.base_only), "other_only_clear": pair.clear(sets.other_only)}
    return row | {"mcnemar_p": sets.mcnemar_p, "srr": sets.srr, "ndr": sets.ndr, "sds": sets.sds, "nscr": sets.nscr}


def differences(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for pair in part.pairs:
            found = pair.compared
            bands = band_facts("problems", found.problems) | band_facts("samples", found.samples)
            for at, k in enumerate(found.ks):
                row = _about(part, pair) | {"k": int(k), "difference": found.difference[at]}
                yield row | facts_at(bands, at)


def sets(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for pair in part.pairs:
            members = {key: name for name in SETS for key in getattr(pair.sets, name)}
            for at, (key, one) in enumerate(zip(pair.keys, pair.evidence, strict=True)):
                counts = {name: int(getattr(pair, name)[at]) for name in ("base_n", "base_c", "other_n", "other_c")}
                yield _about(part, pair) | {"problem": key, "set": members[key]} | counts | asdict(one)


def standings(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for pair in part.pairs:
            for budget, found in pair.standings:
                row = _about(part, pair) | {"budget": budget}
                yield row | {standing.value: found[standing] for standing in Standing}


def _about(part: BenchmarkPart, pair: PairPart) -> Row:
    """What every row on a pair begins with."""
    about: Row = {"benchmark": part.board.benchmark, "base": pair.base.slug, "other": pair.other.slug}
    about |= {"common_k": pair.k, "problems": len(pair.keys), "verifier": part.board.verifier}
    return about | {"settings": settings([pair.base, pair.other], part.board.verifier)}
