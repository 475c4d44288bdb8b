"""How sound the samples of each run are: cut, without an answer, without a verdict, of what length, drawn twice; and in what
the runs of a comparison differ besides their models.

A rate is of the traces stored, which `samples` counts, or of those judged, which `judged` counts; extra samples are in neither,
for a plan drew them of problems that it chose. Nothing here needs the
texts: lengths, digests and verdicts are columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.duplicates import Digests, Repeats, repeats, shared
from engine.board import Board, compared_with
from engine.parity import Side, side_of, unlike
from store.reader import Study
from store.rows import RunRow

PERCENTILES: Final = (5, 50, 95, 100)
RATES_DIFFER: Final = 0.01
"""Rates closer than a hundredth are not told apart here, however many samples there are."""
CUTS_DIFFER: Final = 0.02
"""Of the longer: the usual lengths of truncated responses differ a little with their prompts."""
_SIGMAS: Final = 4.0

_SAMPLES: Final = """
SELECT run_id, problem_id, digest, coalesce(tokens, -1), chars, finish = 'length', finish = 'unknown'
FROM sample JOIN problem USING (problem_id) WHERE benchmark = ? AND NOT extra ORDER BY run_id, problem_id, idx
"""

_DIGESTS: Final = "SELECT problem_id, digest FROM sample WHERE run_id = ? AND NOT extra ORDER BY problem_id, idx"

_NO_BOX: Final = """
SELECT run_id, count(*), sum(route = 'no box')
FROM sample JOIN problem USING (problem_id) JOIN verdict USING (sample_id) JOIN verifier USING (verifier_id)
WHERE benchmark = ? AND verifier.name = 'math' AND NOT extra GROUP BY run_id
"""


@dataclass(frozen=True, slots=True)
class RunHealth:
    """One run. Counts of verdicts are the deciding ones', published counts among them; the rest is of the traces stored."""

    run: RunRow
    correct: int
    incorrect: int
    no_answer: int
    error: int
    unjudged: int
    samples: int
    truncated: int
    finish_unknown: int
    boxed: tuple[int, int] | None
    """Traces with a box, of those that `math` has judged; None where it has judged none."""
    lengths: tuple[float, ...] | None
    """PERCENTILES of tokens, or of characters where tokens were not counted; None without traces."""
    in_tokens: bool
    cut_at: int | None
    """The usual length of truncated responses in tokens: the cap in force, whatever was asked for."""
    repeats: Repeats

    @property
    def judged(self) -> int:
        return self.correct + self.incorrect + self.no_answer + self.error


@dataclass(frozen=True, slots=True)
class _Samples:
    digests: list[Digests]
    problems: list[int]
    tokens: Digests
    chars: Digests
    truncated: NDArray[np.bool_]
    unknown: NDArray[np.bool_]


def health(study: Study, board: Board) -> tuple[list[RunHealth], list[str]]:
    """Every run of the board, and loud sentences: what was drawn twice, and how the runs that are compared differ."""
    samples = _samples(study, board.benchmark)
    boxed = {run_id: (judged - without, judged) for run_id, judged, without in study.query(_NO_BOX, (board.benchmark,))}
    rows = [_health(board, run, samples.get(run.run_id), boxed.get(run.run_id)) for run in board.runs]
    by_run = {row.run.run_id: row for row in rows}
    labels = [told for row in rows if (told := _sentence(row.run, row.repeats))]
    bases: dict[int, Side] = {}
    for row in rows:
        base = compared_with(board.runs, row.run)
        if base is not None:
            if base.run_id not in bases:
                bases[base.run_id] = side_of(study, base)
            labels += unlike(bases[base.run_id], side_of(study, row.run))
            labels += _differences(by_run[base.run_id], row)
    labels += _same_draws(rows, samples)
    return rows, labels


def _samples(study: Study, benchmark: str) -> dict[int, _Samples]:
    found: dict[int, list[tuple[int, ...]]] = defaultdict(list)
    for run_id, *facts in study.query(_SAMPLES, (benchmark,)):
        found[run_id].append(tuple(facts))
    return {run_id: _columns(facts) for run_id, facts in found.items()}


def _columns(facts: Sequence[tuple[int, ...]]) -> _Samples:
    problem, digest, tokens, chars, truncated, unknown = np.array(facts, dtype=np.int64).T
    starts = np.flatnonzero(np.diff(problem, prepend=problem[0] - 1))
    return _Samples(
        np.split(digest, starts[1:]), problem[starts].tolist(), tokens, chars, truncated.astype(bool), unknown.astype(bool)
    )


def _health(board: Board, run: RunRow, of: _Samples | None, boxed: tuple[int, int] | None) -> RunHealth:
    counts = [count for (run_id, _), count in board.cells.items() if run_id == run.run_id]
    in_tokens = of is not None and bool((of.tokens >= 0).all())
    lengths = None if of is None else of.tokens if in_tokens else of.chars
    cut = of.tokens[of.truncated & (of.tokens >= 0)] if of is not None else np.empty(0)
    return RunHealth(
        run=run,
        correct=sum(count.correct for count in counts),
        incorrect=sum(count.incorrect for count in counts),
        no_answer=sum(count.no_answer for count in counts),
        error=sum(count.error for count in counts),
        unjudged=sum(count.unjudged for count in counts),
        samples=0 if of is None else len(of.tokens),
        truncated=0 if of is None else int(of.truncated.sum()),
        finish_unknown=0 if of is None else int(of.unknown.sum()),
        boxed=boxed,
        lengths=None if lengths is None else tuple(np.percentile(lengths, PERCENTILES).tolist()),
        in_tokens=in_tokens,
        cut_at=int(np.median(cut)) if len(cut) else None,
        repeats=repeats([] if of is None else of.digests),
    )


def repeated_in(study: Study, run: RunRow) -> str | None:
    """The loud sentence on a run with responses that are equal beyond chance; None where there are none."""
    digests: dict[int, list[int]] = defaultdict(list)
    for problem_id, digest in study.query(_DIGESTS, (run.run_id,)):
        digests[problem_id].append(digest)
    return _sentence(run, repeats([np.array(of, dtype=np.int64) for of in digests.values()]))


def _sentence(run: RunRow, found: Repeats) -> str | None:
    if found.times > 1:
        return f"{run.slug}: each response comes {found.times} times: effective n {found.effective_n:,} of {found.n:,}"
    if found.lag is None:
        return None
    said = f"{found.matched:,} responses equal the one {found.lag} before them, beyond chance"
    return f"{run.slug}: {said}: effective n {found.effective_n:,} of {found.n:,}"


def _same_draws(rows: Sequence[RunHealth], samples: dict[int, _Samples]) -> Iterator[str]:
    for place, row in enumerate(rows):
        for other in rows[:place]:
            of = [samples.get(one.run.run_id) for one in (other, row)]
            if of[0] is None or of[1] is None:
                continue
            mine, theirs = (dict(zip(one.problems, one.digests, strict=True)) for one in of if one is not None)
            common = [problem for problem in mine if problem in theirs]
            equal = shared([mine[p] for p in common], [theirs[p] for p in common])
            if equal is not None:
                yield f"{other.run.slug} and {row.run.slug}: {equal:,} responses are equal at equal places, beyond chance"


def _differences(base: RunHealth, row: RunHealth) -> Iterator[str]:
    """How the responses of two runs that are compared came out unlike."""
    pair = f"{base.run.slug} and {row.run.slug}"
    for what, counts in {
        "truncated responses": [(one.truncated, one.samples - one.finish_unknown) for one in (base, row)],
        "responses without an answer": [(one.no_answer, one.judged) for one in (base, row)],
        "verifier errors": [(one.error, one.judged) for one in (base, row)],
    }.items():
        if _rates_differ(*counts):
            said = " against ".join(f"{100 * number / of:.1f} % of {of:,}" for number, of in counts)
            yield f"{pair} differ in {what}: {said}"
    cuts = [one.cut_at for one in (base, row) if one.cut_at is not None]
    if len(cuts) == 2 and abs(cuts[0] - cuts[1]) > CUTS_DIFFER * max(cuts):
        yield f"{pair} are cut at different lengths: {cuts[0]:,} tokens against {cuts[1]:,}"


def _rates_differ(one: tuple[int, int], other: tuple[int, int]) -> bool:
    if 0 in (one[1], other[1]):
        return False
    rates = one[0] / one[1], other[0] / other[1]
    both = (one[0] + other[0]) / (one[1] + other[1])
    noise = sqrt(both * (1 - both) * (1 / one[1] + 1 / other[1]))
    return abs(rates[0] - rates[1]) > max(RATES_DIFFER, _SIGMAS * noise)
