"""Traces and problems that a query fits: the one search behind the explorer's lists and `basebound list` and `slice`.

    finder = Finder(study)
    for hit in finder.traces(parse('set:base-only correct:yes "let me check"')):
        ...
    finder.count(query), finder.problems(query, "aime24"), finder.sample_ids(query, problem_id)

- Hits come in the order of their sample's id, which never changes: the first as soon as it is found, and `after` goes on.
- Fields are looked at first, then the index of words, then texts, a few at a time. What is newer than the index is read, so
  nothing is missed, whether there is an index or not.
- A set, or evidence, is of one pair of runs at their common k, as `coverage` and the explorer have it.
- Nothing is written, so a study may be read-only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from engine.board import Board, read_board
from engine.membership import Members, Pair, members, pair_of
from engine.question import Question
from store.errors import NotFound
from store.query.fields import SETS, UNJUDGED
from store.query.reading import Reading
from store.query.sql import Plan, holds_of
from store.query.terms import Query, Term
from store.reader import Study
from store.types import Outcome

_FIRST_WINDOW: Final = 2_000
_WINDOW: Final = 64_000
"""Ids that are looked at in one query, so that whoever waits can see a first hit, or stop."""
_FIRST_TEXTS: Final = 4
_TEXTS: Final = 64
"""Texts that are held at once."""
_ROWS: Final = """
SELECT sample.sample_id, sample.run_id, sample.problem_id, problem.benchmark, problem.key, sample.idx,
       {outcome}, {answer}, chars, sample.extra {columns}
FROM sample JOIN problem ON problem.problem_id = sample.problem_id {joins}
WHERE {where} AND {id} > :after AND {id} <= :until {order}
"""

_COUNT: Final = "SELECT count(*) FROM sample {joins} WHERE {where} AND sample.sample_id > :after AND sample.sample_id <= :until"

_PROBLEMS: Final = """
SELECT * FROM (
  SELECT problem_id, (
    SELECT sample.sample_id FROM sample {joins}
    WHERE sample.problem_id = problem.problem_id AND {where} AND sample.sample_id > :after AND sample.sample_id <= :until
    LIMIT 1
  ) AS example FROM problem WHERE problem_id IN (SELECT value FROM json_each(:among))
) WHERE example IS NOT NULL
"""

_TEXTS_OF: Final = """
SELECT sample_id, dictionary_id, response FROM text WHERE sample_id IN (SELECT value FROM json_each(?))
"""


class Stopped(Exception):
    """Whoever asked wants no answer any more."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A trace that fits."""

    sample_id: int
    run_id: int
    problem_id: int
    benchmark: str
    key: str
    idx: int
    outcome: Outcome | None
    """By the deciding verifier; None where nobody has judged it."""
    answer: str | None
    chars: int
    extra: bool
    """Beyond the run's n, because a plan asked for it."""
    snippet: str | None
    """The text around the first place of what was sought in it, on one line; None where nothing was sought in texts."""
    start: int | None
    """That place, in characters of the response."""


class _Row(NamedTuple):
    """What _ROWS selects: a hit without its text."""

    sample_id: int
    run_id: int
    problem_id: int
    benchmark: str
    key: str
    idx: int
    outcome: str | None
    answer: str | None
    chars: int
    extra: int
    told: tuple[int, ...]
    """Of `Plan.columns`, each 0 or 1."""


_KNOWN: Final = len(_Row._fields) - 1
"""Of the columns of _ROWS; those that the tests ask for come after them."""


class Finder:
    """Over an open study.

    verifier: whose verdicts decide; None for the deciding one. stop: asked now and then; where it says yes, Stopped is raised.
    """

    def __init__(self, study: Study, verifier: str | None = None, stop: Callable[[], bool] = lambda: False) -> None:
        self._study = study
        self._verifier = verifier
        self._stop = stop
        self._sets: dict[tuple[object, ...], Members] = {}

    def traces(
        self,
        query: Query,
        benchmark: str | None = None,
        pair: Pair | None = None,
        limit: int | None = None,
        after: int | None = None,
    ) -> Iterator[Hit]:
        """Every trace that fits, by sample id, each as soon as it is found.

        pair: whose sets are meant; None for the pair that roles tell. after: the sample id of the last hit that is known.
        Raises NotFound for a set where there is no second run, TooSlow for a regular expression that takes too long.
        """
        found = self._hits(self._question(query, benchmark, pair), after or 0, show=True)
        yield from (_hit(row, reading, query) for row, reading in islice(found, limit))

    def count(self, query: Query, benchmark: str | None = None, pair: Pair | None = None) -> int:
        """How many traces fit. Errors as in `traces`."""
        return self._count(self._question(query, benchmark, pair))

    def problems(self, query: Query, benchmark: str, pair: Pair | None = None) -> set[int]:
        """Ids of the benchmark's problems that fit, or of which some trace, of whatever run, fits. Errors as in `traces`."""
        question = self._question(query, benchmark, pair)
        told = question.by_counts(benchmark)
        return set(self._examples(question)) if told is None else told

    def examples(self, query: Query, benchmark: str, pair: Pair | None = None) -> dict[int, int | None]:
        """`problems`, each with the sample id of a trace that fits, None where counts alone are stored. Errors as there."""
        question = self._question(query, benchmark, pair)
        told = question.by_counts(benchmark)
        return dict.fromkeys(told or ()) | self._examples(question)

    def _examples(self, question: Question) -> dict[int, int | None]:
        """By problem, a trace that fits: the first where texts are read, whichever is found first else."""
        found: dict[int, int | None] = {}
        for plan, after, until in question.segments(0):
            if plan.tests:
                rows = self._tested(plan, self._rows(question, plan, after, until), show=False, done=set(found))
                found |= {row.problem_id: row.sample_id for row, _ in rows}
            else:
                among = json.dumps(sorted(question.among - set(found)))
                sql = _PROBLEMS.format(joins=plan.joins if plan.judged else "", where=plan.where)
                found |= dict(self._study.query(sql, plan.values | {"after": after, "until": until, "among": among}))
        return found

    def sample_ids(self, query: Query, problem_id: int, pair: Pair | None = None) -> set[int]:
        """Ids of the problem's traces that fit. Errors as in `traces`."""
        question = self._question(query, None, pair, problem_id)
        return {row.sample_id for row, _ in self._hits(question, 0, show=False)}

    def chosen(self, query: Query, benchmark: str | None = None, pair: Pair | None = None) -> list[tuple[int, int]]:
        """Sample and problem id of every trace that fits, by sample id: `traces` without its texts. Errors as there."""
        question = self._question(query, benchmark, pair)
        return [(row.sample_id, row.problem_id) for row, _ in self._hits(question, 0, show=False)]

    def sets(self, benchmark: str, pair: Pair | None = None) -> dict[int, str]:
        """By problem id, the set it is in: base-only, other-only, both, neither; empty where there is no second run."""
        try:
            members = self.members(benchmark, pair)
        except NotFound:
            return {}
        named = (word for word in SETS if word != UNJUDGED)
        return {problem_id: word for word in named for problem_id in members.get(("set", word), ())}

    def pair(self, benchmark: str, pair: Pair | None = None) -> Pair | None:
        """The pair that sets of the benchmark are of; None where there is no second run."""
        (board,) = self._boards(benchmark)
        return pair_of(board, pair)

    def members(self, benchmark: str | None, pair: Pair | None) -> Members:
        """By field and word, the problems in it. Made once for each state of the study. Raises NotFound: no second run."""
        key = (self._study.data_version(), benchmark, pair and (pair[0].run_id, pair[1].run_id))
        if key not in self._sets:
            self._sets.clear()
            self._sets[key] = members(self._study, self._boards(benchmark), pair)
        return self._sets[key]

    def _boards(self, benchmark: str | None) -> list[Board]:
        names = self._study.benchmarks() if benchmark is None else [benchmark]
        return [read_board(self._study, name, self._verifier) for name in names]

    def _question(self, query: Query, benchmark: str | None, pair: Pair | None, problem_id: int | None = None) -> Question:
        return Question(self._study, self._verifier, query, lambda name: self.members(name, pair), benchmark, problem_id)

    def _count(self, question: Question) -> int:
        found = 0
        for plan, after, until in question.segments(0):
            if plan.tests:
                rows = self._rows(question, plan, after, until)
                found += sum(1 for _ in self._tested(plan, rows, show=False))
            else:
                sql = _COUNT.format(joins=plan.joins if plan.judged else "", where=plan.where)
                found += self._study.query(sql, plan.values | {"after": after, "until": until})[0][0]
        return found

    def _hits(self, question: Question, after: int, *, show: bool) -> Iterator[tuple[_Row, Reading | None]]:
        """Rows that fit, each with its text where it had to be read or is to be shown."""
        for plan, low, high in question.segments(after):
            show_text = show and any(True for _ in question.query.sought())
            yield from self._tested(plan, self._rows(question, plan, low, high), show=show_text)

    def _rows(self, question: Question, plan: Plan, after: int, until: int) -> Iterator[list[_Row]]:
        """Rows that may fit, by id, a window of ids at a time; of few problems all at once, through their index."""
        narrow = question.is_narrow(plan)
        sql = _ROWS.format(
            outcome=question.leaves.decided("outcome"),
            answer=question.leaves.decided("answer"),
            columns="".join(f", {column}" for column in plan.columns.values()),
            joins=plan.joins,
            where=plan.where,
            id="+sample.sample_id" if narrow else "sample.sample_id",
            order="ORDER BY sample.sample_id",
        )
        size = until - after if narrow else _FIRST_WINDOW
        while after < until:
            self._give_up_if_asked()
            last = min(until, after + size)
            rows = self._study.query(sql, plan.values | {"after": after, "until": last})
            yield [_Row._make((*row[:_KNOWN], row[_KNOWN:])) for row in rows]
            after, size = last, min(_WINDOW, 2 * size)

    def _tested(
        self, plan: Plan, windows: Iterator[list[_Row]], *, show: bool, done: set[int] | None = None
    ) -> Iterator[tuple[_Row, Reading | None]]:
        """Those of the rows that fit. done: problems that are not looked at any more; it grows by those that fit."""
        size = _FIRST_TEXTS
        for rows in windows:
            if not (plan.tests or show):
                yield from ((row, None) for row in rows)
                continue
            start = 0
            while start < len(rows):
                self._give_up_if_asked()
                some = [row for row in rows[start : start + size] if done is None or row.problem_id not in done]
                start, size = start + size, min(_TEXTS, 2 * size)
                texts = self._texts([row.sample_id for row in some])
                for row in some:
                    if row.sample_id in texts and (done is None or row.problem_id not in done):
                        reading = Reading(texts[row.sample_id])
                        if _passes(plan, row, reading):
                            if done is not None:
                                done.add(row.problem_id)
                            yield row, reading

    def _texts(self, sample_ids: Sequence[int]) -> dict[int, str]:
        rows = self._study.query(_TEXTS_OF, (json.dumps(sample_ids),))
        return {sample_id: self._study.texts.unpack(*packed) for sample_id, *packed in rows}

    def _give_up_if_asked(self) -> None:
        if self._stop():
            raise Stopped


def _passes(plan: Plan, row: _Row, reading: Reading) -> bool:
    told: dict[Term, bool] = {leaf: bool(value) for leaf, value in zip(plan.columns, row.told, strict=True)}
    return all(holds_of(term, told.get, reading.holds) for term in plan.tests)


def _hit(row: _Row, reading: Reading | None, query: Query) -> Hit:
    place = None if reading is None else next(filter(None, map(reading.place, query.sought())), None)
    return Hit(
        sample_id=row.sample_id,
        run_id=row.run_id,
        problem_id=row.problem_id,
        benchmark=row.benchmark,
        key=row.key,
        idx=row.idx,
        outcome=None if row.outcome is None else Outcome(row.outcome),
        answer=row.answer,
        chars=row.chars,
        extra=bool(row.extra),
        snippet=None if reading is None or place is None else reading.around(place),
        start=None if place is None else place[0],
    )
