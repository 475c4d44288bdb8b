"""Which of a run's stored responses a figure may be made of.

A study may store fewer traces than were counted, and those may have been kept for their answers: a figure of all of them would
be one of chosen answers. So of such a run the first m samples of each problem are used, m being the largest number such that
every problem has all of its first m stored: a choice by index, which no answer has a say in. Where there is no such m, or the
traces were imported, so that an index is no more than a place in a file, all stored are used and said to be perhaps chosen by
their answers. A run that is stored whole, an imported one too, is used whole. Standard library only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engine.analyses.perplexity import Perplexity, perplexities
from engine.board import Board
from store.likelihoods import LikelihoodRow, likelihoods
from store.reader import Study
from store.rows import RunRow

_FIRST: Final = """
SELECT min(first), min(here), count(*) FROM (
  SELECT sum(idx = place) AS first, min(batch_id IS NOT NULL) AS here FROM (
    SELECT problem_id, idx, batch_id, row_number() OVER (PARTITION BY problem_id ORDER BY idx) - 1 AS place
    FROM problem JOIN sample USING (problem_id) WHERE benchmark = ? AND run_id = ? AND NOT extra)
  GROUP BY problem_id)
"""

_STORED: Final = """
SELECT count(*), count(CASE WHEN idx < ifnull(:first, idx + 1) THEN 1 END) FROM sample
WHERE run_id = :run_id AND problem_id IN (SELECT value FROM json_each(:problems)) AND NOT extra
"""

_SCORED: Final = """
SELECT name, revision, count(*) FROM sample CROSS JOIN likelihood AS scored USING (sample_id) JOIN model ON model_id = scorer_id
WHERE run_id = :run_id AND problem_id IN (SELECT value FROM json_each(:problems)) AND NOT extra
  AND idx < ifnull(:first, idx + 1) AND scored.temperature = 1 AND scored.top_p = 1 AND scored.top_k = 0 GROUP BY name, revision
"""


@dataclass(frozen=True, slots=True)
class Used:
    """Which responses of one run figures are made of, on the problems of one board."""

    run_id: int
    first: int | None
    """Only the first so many samples of each problem; None: all that are stored."""
    perhaps_chosen: bool
    """A part of what was counted is stored, and nobody knows how it was chosen."""
    stored: int
    """Traces, used or not."""
    of: int
    """Traces that are used where they are scored."""
    scored: Mapping[tuple[str, str], int]
    """Of those, how many each model (name, revision) has scored at temperature 1; models without any are not there."""

    @property
    def words(self) -> str:
        """What was used: "all samples", "the first 32 samples of each problem"."""
        if self.first is not None:
            return f"the first {self.first:,} sample{'' if self.first == 1 else 's'} of each problem"
        return "all stored samples, a part that was perhaps chosen by its answers" if self.perhaps_chosen else "all samples"

    @property
    def partly(self) -> tuple[tuple[str, int], ...]:
        """Names of models that have scored some of them but not all, and how many."""
        return tuple((name, number) for (name, _), number in self.scored.items() if 0 < number < self.of)

    def holds(self, idx: int) -> bool:
        """Is the sample of this index used?"""
        return self.first is None or idx < self.first


def used_of(study: Study, board: Board, run: RunRow) -> Used:
    """The rule. Which problems are looked at for m is the same whatever problems the board shows."""
    first, perhaps_chosen = _rule(study, board, run)
    problems = json.dumps([problem.problem_id for problem in board.problems])
    asked = {"run_id": run.run_id, "problems": problems, "first": first}
    ((stored, of),) = study.query(_STORED, asked)
    scored = {(name, revision): number for name, revision, number in study.query(_SCORED, asked)}
    return Used(run.run_id, first, perhaps_chosen, stored, of, MappingProxyType(scored))


def used_by_run(study: Study, board: Board, runs: Iterable[RunRow] | None = None) -> dict[int, Used]:
    """By run_id. runs: None for all of the board."""
    return {run.run_id: used_of(study, board, run) for run in (board.runs if runs is None else runs)}


def fair_rows(rows: Iterable[LikelihoodRow], used: Mapping[int, Used]) -> Iterator[LikelihoodRow]:
    """Those that are used; rows of runs that `used` does not know are not."""
    return (row for row in rows if row.run_id in used and used[row.run_id].holds(row.idx))


def fair_perplexities(study: Study, board: Board, rows: Sequence[LikelihoodRow] | None = None) -> list[Perplexity]:
    """`engine.analyses.perplexity.perplexities` of the board's runs, of the responses that are used.

    rows: of the board's benchmark, where somebody has read them; else they are read.
    """
    found = likelihoods(study, board.benchmark) if rows is None else rows
    return perplexities(fair_rows(found, used_by_run(study, board)))


def _rule(study: Study, board: Board, run: RunRow) -> tuple[int | None, bool]:
    """How many first samples of each problem, and whether it is all that is stored, perhaps chosen."""
    cells = [count for (run_id, _), count in board.cells.items() if run_id == run.run_id]
    if not any(count.is_part for count in cells):
        return None, False
    ((first, here, problems),) = study.query(_FIRST, (board.benchmark, run.run_id))
    is_fair = first and here and problems == sum(count.counted > 0 for count in cells)
    return (first, False) if is_fair else (None, True)
