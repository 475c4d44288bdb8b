"""What stands beneath the boundary table: the problem under the cursor, and which answers each run gave. No Textual here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from explorer.model.boundary import BoundaryRow
from explorer.model.boundary_table import audit_words
from explorer.model.session import Pair, Session
from explorer.render.histogram import Answer, answers, histogram
from explorer.render.paragraph import first_lines
from explorer.render.pieces import Line, Tone, dim, joined, plain, strong
from explorer.render.text import one_line
from explorer.render.words import MARKS, NONE, extra_of, rate
from store.rows import ProblemRow


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to one problem."""

    problem: ProblemRow
    """With its full statement."""
    by_run: Mapping[int, Counter[Answer]]
    """By run_id."""
    never: Mapping[int, float] = field(default_factory=dict)
    """Runs, by run_id, that never answered right, with the 95 % upper bound of their chance to."""


def read_answers(session: Session, pair: Pair, problem: ProblemRow) -> Answered:
    """For a worker: it reads all traces of the problem."""
    from engine.analyses.intervals import zero_bound

    rows = session.traces(problem, pair.runs)
    by_run = {run.run_id: answers(row for row in rows if row.run_id == run.run_id) for run in pair.runs}
    counts = {run.run_id: pair.count(run, problem) for run in pair.runs}
    never = {run_id: zero_bound(one.all_n) for run_id, one in counts.items() if one and one.all_n and not one.all_correct}
    return Answered(session.study.problem(problem.benchmark, problem.key), by_run, never)


def detail_lines(pair: Pair, row: BoundaryRow, read: Answered | None, width: int, height: int) -> list[Line]:
    """At most `height` lines: the statement takes what the others leave. read: None until it has been read."""
    problem = row.problem
    if read is not None and read.problem.problem_id == problem.problem_id:
        below, statement = _answer_lines(pair, row, read), read.problem.statement
    else:
        below, statement = [], problem.statement
    said = [
        [dim("reference "), strong(one_line(problem.reference) if problem.reference is not None else NONE)],
        [dim("audit "), *audit_words(row)],
        [dim("tags "), (" ".join(row.tags), Tone.ACCENT)] if row.tags else [],
    ]
    room = max(1, height - 1 - len(pair.runs))
    return [*first_lines(statement or "no statement in this study", width, room), joined(said), *below]


def _answer_lines(pair: Pair, row: BoundaryRow, read: Answered) -> list[Line]:
    width = max(len(word) for word in pair.words)
    lines: list[Line] = []
    for run, word, (mark, tone) in zip(pair.runs, pair.words, MARKS, strict=False):
        count = pair.count(run, row.problem)
        told = histogram(read.by_run[run.run_id], count)
        n = 0 if count is None else count.all_n
        beyond = [(f"{more}  ", Tone.ACCENT)] if (more := extra_of(count)) else []
        bound = read.never.get(run.run_id)
        lines.append([(f"{mark}{word:<{width}}  ", tone), *beyond, *_never(row.problem, n, bound), *told])
    return lines


def _never(problem: ProblemRow, n: int, bound: float | None) -> Sequence[tuple[str, Tone]]:
    """45 never in 1,024 (p < 0.29 % at 95 %)."""
    if bound is None:
        return ()
    answer = "right" if problem.reference is None else one_line(problem.reference[:40])
    return [(f"{answer} never in {n:,}", Tone.WARN), plain(f" (p < {rate(bound)} at 95 %)  ")]
