"""Rows of the report's tables on likelihoods: support, percentiles, recovery, partings."""

from __future__ import annotations

from collections.abc import Iterator
from math import isinf
from typing import Final

from engine.likelihoods import PairLikelihoods
from explorer.report.material import BenchmarkPart, Material
from explorer.report.wording import settings

Row = dict[str, object]

SUPPORT: Final = (
    "responses", "inside", "strictly", "near", "without_edge", "correct", "correct_inside", "forbidding", "forbidding_tokens",
    "tokens", "truncated", "retokenized", "margin", "over_problems",
)  # fmt: skip
_TOLD: Final = ("step", "steps", "fall", "share", "whole", "place", "tokens", "token", "choice", "truncated")
IMPORTANCE: Final = ("value", "error", "n", "correct", "whole", "effective", "largest", "impossible", "warning")


def support(material: Material) -> Iterator[Row]:
    for part, found in _pairs(material):
        sides = (
            (found.base, found.other, found.support), (found.base, found.base, found.null),
            (found.other, found.base, found.support_back), (found.other, found.other, found.null_back),
        )  # fmt: skip
        for judge, drawn, of in sides:
            if of is not None:
                row: Row = _pair(part, found) | {"scorer": judge.slug, "run": drawn.slug, "dtype": " ".join(of.dtypes)}
                row |= {"temperature": of.temperature, "top_p": of.top_p, "top_k": of.top_k}
                row |= {"used": found.used[drawn.run_id].words}
                yield row | {name: getattr(of, name) for name in SUPPORT}


def percentiles(material: Material) -> Iterator[Row]:
    for part, found in _pairs(material):
        if (of := found.percentiles) is not None:
            row = _pair(part, found) | {"mean": of.mean, "low": of.interval.low, "high": of.interval.high}
            row |= {"problems": len(of.problems), "left_out": of.left_out}
            yield row | {"responses": of.responses, "own": of.own}


def recovery(material: Material) -> Iterator[Row]:
    for part, found in _pairs(material):
        keys = {problem.problem_id: problem.key for problem in part.board.problems}
        for judged, drawn, every in (
            (found.base, found.other, found.recovery),
            (found.other, found.base, found.recovery_back),
        ):
            for problem_id, of in every.items():
                row = _pair(part, found) | {"judged": judged.slug, "drawn": drawn.slug, "problem": keys[problem_id]}
                own, theirs = of.direct, of.drawn
                row |= {"c": own and own.correct, "n": own and own.n, "low": own and own.low, "high": own and own.high}
                row |= {"drawn_c": theirs and theirs.correct, "drawn_n": theirs and theirs.n}
                row |= {"floor": of.floor, "distinct": of.distinct, "drawable": of.drawable, "why": of.why}
                found_by = of.importance
                yield row | {f"is_{name}": None if found_by is None else _real(getattr(found_by, name)) for name in IMPORTANCE}


def partings(material: Material) -> Iterator[Row]:
    for part in material.benchmarks:
        for one in part.likelihoods:
            for parting in one.partings:
                of = parting.found
                row = _pair(part, one.found) | {"side": of.side, "problem": of.link.key, "link": str(of.link)}
                row |= {name: _real(getattr(of, name)) for name in _TOLD}
                row |= {"own_logp": _real(of.own), "other_logp": _real(of.other)}
                likes = None if of.fork is None else of.fork.choices[0].logp
                yield row | {"choice_logp": likes, "per_step": " ".join(map(_step, parting.ratios))}


def _step(value: float | None) -> str:
    return "?" if value is None else f"{value:.6g}"


def _real(value: object) -> object:
    """JSON has no infinity: what can never be drawn is spelled."""
    return str(value) if isinstance(value, float) and isinf(value) else value


def _pairs(material: Material) -> Iterator[tuple[BenchmarkPart, PairLikelihoods]]:
    for part in material.benchmarks:
        for one in part.likelihoods:
            yield part, one.found


def _pair(part: BenchmarkPart, found: PairLikelihoods) -> Row:
    row: Row = {"benchmark": part.board.benchmark, "base": found.base.slug, "other": found.other.slug}
    return row | {"verifier": part.board.verifier, "settings": settings([found.base, found.other], part.board.verifier)}
