"""What the report says of the field's claims: for each the findings, with statistic, test and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from engine.claims.base import Finding, Found, once
from explorer.report.document import Block, Grid, Prose
from explorer.report.material import BenchmarkPart
from explorer.report.wording import UNKNOWN_MARK, p_text

_Q: Final = (
    "q: over all tests of these claims, for all runs of this benchmark (Benjamini and Hochberg, independent or positively"
    " dependent tests assumed); the pairs' own q, and those over the problems, are apart."
)


def blocks(part: BenchmarkPart) -> Iterator[Block]:
    numbers = Counter(one.finding for one in part.claims)
    told = ", ".join(f"{numbers[finding]} {finding.value}" for finding in Finding if numbers[finding])
    yield Prose(f"Findings: {told}. {_Q}")
    names = {run.slug: run.name for run in part.board.runs}
    apart, shared = once(part.claims)
    for same in shared:
        yield Prose(f"Cannot be told: {same[0].reason}. Claims: {' '.join(one.claim.sentence for one in same)}")
    for _, group in groupby(apart, key=lambda one: one.claim):
        yield _claim(names, list(group))


def _claim(names: Mapping[str, str], found: Sequence[Found]) -> Block:
    claim = found[0].claim
    rows = [[_runs(names, one), one.finding.value, _figure(one), p_text(one.q_value), one.reason] for one in found]
    made = " / ".join(dict.fromkeys(one.settings for one in found))
    header = ["run, and its base", "finding", "statistic", "q", "reason"]
    return Grid(claim.sentence, header, rows, f"{claim.source}. {made}", left=5)


def _runs(names: Mapping[str, str], one: Found) -> str:
    return "\n".join(names.get(slug, slug) for slug in (one.other, one.base) if slug) or UNKNOWN_MARK


def _figure(one: Found) -> str:
    if not one.figure:
        return UNKNOWN_MARK
    return f"{one.figure}\n{one.statistic}" + (f"\nq of {one.p_of}" if one.p_of else "")
