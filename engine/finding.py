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
from typing import Any, Final

from engine.board import Board, opposite_run, read_board, reference_run
from store import words
from store.errors import NotFound
from store.query.facts import Facts
from store.query.fields import SETS, UNJUDGED
from store.query.leaves import Condition, Of
from store.query.reading import Reading
from store.query.sql import Compiler, Plan, holds_of
from store.query.terms import Compared, Known, Query, Term, Words, leaves
from store.reader import Study
from store.rows import RunRow
from store.types import Outcome

Pair = tuple[RunRow, RunRow]
"""The base run, and what is held against it."""

_FIRST_WINDOW: Final = 2_000
_WINDOW: Final = 64_000
"""Ids that are looked at in one query, so that whoever waits can see a first hit, or stop."""
_FIRST_TEXTS: Final = 4
_TEXTS: Final = 64
"""Texts that are held at once."""
_NARROW: Final = 8
"""Where this part of all samples or fewer belong to the problems that may fit, they are looked up by problem."""

_ROWS: Final = """
SELECT sample.sample_id, sample.run_id, sample.problem_id, problem.benchmark, problem.key, sample.idx,
       {outcome}, {answer}, chars {columns}
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
    snippet: str | None
    """The text around the first place of what was sought in it, on one line; None where nothing was sought in texts."""
    start: int | None
    """That place, in characters of the response."""


class Finder:
    """Over an open study.

    verifier: whose verdicts decide; None for the deciding one. stop: asked now and then; where it says yes, Stopped is raised.
    """

    def __init__(self, study: Study, verifier: str | None = None, stop: Callable[[], bool] = lambda: False) -> None:
        self._study = study
        self._verifier = verifier
        self._stop = stop
        self._sets: dict[tuple[object, ...], dict[tuple[str, str], frozenset[int]]] = {}

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
        found = self._hits(_Question(self, query, benchmark, pair), after or 0, show=True)
        yield from (_hit(row, reading, query) for row, reading in islice(found, limit))

    def count(self, query: Query, benchmark: str | None = None, pair: Pair | None = None) -> int:
        """How many traces fit. Errors as in `traces`."""
        return self._count(_Question(self, query, benchmark, pair))

    def problems(self, query: Query, benchmark: str, pair: Pair | None = None) -> set[int]:
        """Ids of the benchmark's problems that fit, or of which some trace, of whatever run, fits. Errors as in `traces`."""
        question = _Question(self, query, benchmark, pair)
        told = question.by_counts(benchmark)
        return set(self._examples(question)) if told is None else told

    def examples(self, query: Query, benchmark: str, pair: Pair | None = None) -> dict[int, int | None]:
        """`problems`, each with the sample id of a trace that fits, None where counts alone are stored. Errors as there."""
        question = _Question(self, query, benchmark, pair)
        told = question.by_counts(benchmark)
        return dict.fromkeys(told or ()) | self._examples(question)

    def _examples(self, question: _Question) -> dict[int, int | None]:
        """By problem, a trace that fits: the first where texts are read, whichever is found first else."""
        found: dict[int, int | None] = {}
        for plan, after, until in question.segments(0):
            if plan.tests:
                rows = self._tested(plan, self._rows(question, plan, after, until), show=False, done=set(found))
                found |= {row[2]: row[0] for row, _ in rows}
            else:
                among = json.dumps(sorted(question.among - set(found)))
                sql = _PROBLEMS.format(joins=plan.joins if plan.judged else "", where=plan.where)
                found |= dict(self._study.query(sql, plan.values | {"after": after, "until": until, "among": among}))
        return found

    def sample_ids(self, query: Query, problem_id: int, pair: Pair | None = None) -> set[int]:
        """Ids of the problem's traces that fit. Errors as in `traces`."""
        question = _Question(self, query, None, pair, problem_id)
        return {row[0] for row, _ in self._hits(question, 0, show=False)}

    def chosen(self, query: Query, benchmark: str | None = None, pair: Pair | None = None) -> list[tuple[int, int]]:
        """Sample and problem id of every trace that fits, by sample id: `traces` without its texts. Errors as there."""
        question = _Question(self, query, benchmark, pair)
        return [(row[0], row[2]) for row, _ in self._hits(question, 0, show=False)]

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
        return _pair(board, pair)

    def _count(self, question: _Question) -> int:
        found = 0
        for plan, after, until in question.segments(0):
            if plan.tests:
                rows = self._rows(question, plan, after, until)
                found += sum(1 for _ in self._tested(plan, rows, show=False))
            else:
                sql = _COUNT.format(joins=plan.joins if plan.judged else "", where=plan.where)
                found += self._study.query(sql, plan.values | {"after": after, "until": until})[0][0]
        return found

    def _hits(self, question: _Question, after: int, *, show: bool) -> Iterator[tuple[tuple[Any, ...], Reading | None]]:
        """Rows that fit, each with its text where it had to be read or is to be shown."""
        for plan, low, high in question.segments(after):
            show_text = show and any(True for _ in question.query.sought())
            yield from self._tested(plan, self._rows(question, plan, low, high), show=show_text)

    def _rows(self, question: _Question, plan: Plan, after: int, until: int) -> Iterator[list[tuple[Any, ...]]]:
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
            yield self._study.query(sql, plan.values | {"after": after, "until": last})
            after, size = last, min(_WINDOW, 2 * size)

    def _tested(
        self, plan: Plan, windows: Iterator[list[tuple[Any, ...]]], *, show: bool, done: set[int] | None = None
    ) -> Iterator[tuple[tuple[Any, ...], Reading | None]]:
        """Those of the rows that fit. done: problems that are not looked at any more; it grows by those that fit."""
        size = _FIRST_TEXTS
        for rows in windows:
            if not (plan.tests or show):
                yield from ((row, None) for row in rows)
                continue
            start = 0
            while start < len(rows):
                self._give_up_if_asked()
                some = [row for row in rows[start : start + size] if done is None or row[2] not in done]
                start, size = start + size, min(_TEXTS, 2 * size)
                texts = self._texts([row[0] for row in some])
                for row in some:
                    if row[0] in texts and (done is None or row[2] not in done):
                        reading = Reading(texts[row[0]])
                        if _passes(plan, row, reading):
                            if done is not None:
                                done.add(row[2])
                            yield row, reading

    def _texts(self, sample_ids: Sequence[int]) -> dict[int, str]:
        rows = self._study.query(_TEXTS_OF, (json.dumps(sample_ids),))
        return {sample_id: self._study.texts.unpack(*packed) for sample_id, *packed in rows}

    def _give_up_if_asked(self) -> None:
        if self._stop():
            raise Stopped

    # -- sets --------------------------------------------------------------------------------------------------------

    def members(self, benchmark: str | None, pair: Pair | None) -> dict[tuple[str, str], frozenset[int]]:
        """By field and word, the problems in it. Made once for each state of the study."""
        key = (self._study.data_version(), benchmark, pair and (pair[0].run_id, pair[1].run_id))
        if key not in self._sets:
            self._sets.clear()
            self._sets[key] = _members(self._boards(benchmark), pair, self._study)
        return self._sets[key]

    def _boards(self, benchmark: str | None) -> list[Board]:
        names = self._study.benchmarks() if benchmark is None else [benchmark]
        return [read_board(self._study, name, self._verifier) for name in names]


class _Question:
    """A query, and where it is asked: what is looked up once for it."""

    def __init__(
        self, finder: Finder, query: Query, benchmark: str | None, pair: Pair | None, problem_id: int | None = None
    ) -> None:
        self.query = query
        self._study = finder._study
        self._verifier = finder._verifier
        self.facts = Facts(self._study, self._verifier)
        inside = [fact for fact in self.facts.problems if benchmark in (None, fact.benchmark)]
        if problem_id is not None:
            inside = [fact for fact in inside if fact.problem_id == problem_id]
            benchmark = inside[0].benchmark if inside else None
        self.among = frozenset(fact.problem_id for fact in inside)
        self._compiler = Compiler(self.facts, lambda field, word: finder.members(benchmark, pair).get((field, word), _NOBODY))
        self.leaves = self._compiler.leaves

    def segments(self, after: int) -> Iterator[tuple[Plan, int, int]]:
        """Plans for the samples that the index of words holds, and for those it does not; each with the ids it is for."""
        (newest,) = self._study.query("SELECT coalesce(max(sample_id), 0) FROM sample")[0]
        reads = any(not isinstance(leaf, Compared) for term in self.query.terms for leaf in leaves(term))
        indexed_to = min(newest, words.state(self._study).indexed_to) if reads else 0
        if after < indexed_to:
            yield self._plan(indexed=True), after, indexed_to
        if max(after, indexed_to) < newest:
            yield self._plan(indexed=False), max(after, indexed_to), newest

    def _plan(self, *, indexed: bool) -> Plan:
        plan = self._compiler.plan(self.query, indexed=indexed)
        if len(self.among) < len(self.facts.problems):
            inside = self.leaves.among(Of.PROBLEM, self.among)
            plan.conditions.append(inside.sql)
            plan.values |= inside.values
            plan.problems = self.among if plan.problems is None else plan.problems & self.among
        return plan

    def is_narrow(self, plan: Plan) -> bool:
        """Whether few samples belong to the problems that may fit."""
        if plan.problems is None:
            return False
        asked = "SELECT coalesce(sum(samples), 0), coalesce(sum(samples * (problem_id IN (SELECT value FROM json_each(?)))), 0)"
        every, some = self._study.query(f"{asked} FROM drawn", (json.dumps(sorted(plan.problems)),))[0]
        return bool(_NARROW * some <= every)

    def by_counts(self, benchmark: str) -> set[int] | None:
        """The problems that fit, where the problem, or the run, tells; None where a sample must be looked at."""
        found = [leaf for term in self.query.terms for leaf in leaves(term)]
        made = {leaf: self._compiler.condition(leaf) for leaf in found if isinstance(leaf, Compared)}
        if len(made) < len(set(found)) or any(one.of is None for one in made.values()):
            return None
        if all(one.of is Of.PROBLEM for one in made.values()):
            return {problem_id for problem_id in self.among if self._fits(made, 0, problem_id)}
        cells = self._study.counts(benchmark, self._verifier)
        return {cell.problem_id for cell in cells if self._fits(made, cell.run_id, cell.problem_id)}

    def _fits(self, made: dict[Compared, Condition], run_id: int, problem_id: int) -> bool:
        ids = {Of.PROBLEM: problem_id, Of.RUN: run_id, Of.CELL: run_id << 32 | problem_id}

        def known(leaf: Compared | Words) -> bool | None:
            if not isinstance(leaf, Compared):
                return None
            of = made[leaf].of
            return of is not None and ids[of] in made[leaf].ids

        return all(holds_of(term, known, lambda _: False) for term in self.query.terms)


_NOBODY: Final[frozenset[int]] = frozenset()
_COLUMNS: Final = 9
"""Of a row, before those that the tests ask for."""


def _passes(plan: Plan, row: tuple[Any, ...], reading: Reading) -> bool:
    told: dict[Term, bool] = {leaf: bool(value) for leaf, value in zip(plan.columns, row[_COLUMNS:], strict=True)}
    return all(holds_of(term, told.get, reading.holds) for term in plan.tests)


def _hit(row: tuple[Any, ...], reading: Reading | None, query: Query) -> Hit:
    sample_id, run_id, problem_id, benchmark, key, idx, outcome, answer, chars, *_ = row
    place = None if reading is None else next(filter(None, map(reading.place, query.sought())), None)
    return Hit(
        sample_id=sample_id,
        run_id=run_id,
        problem_id=problem_id,
        benchmark=benchmark,
        key=key,
        idx=idx,
        outcome=None if outcome is None else Outcome(outcome),
        answer=answer,
        chars=chars,
        snippet=None if reading is None or place is None else reading.around(place),
        start=None if place is None else place[0],
    )


def _members(boards: Sequence[Board], pair: Pair | None, study: Study) -> dict[tuple[str, str], frozenset[int]]:
    """By field and word, over all these benchmarks. Raises NotFound where none has two runs."""
    found: dict[tuple[str, str], set[int]] = {}
    pairs = [(board, _pair(board, pair)) for board in boards]
    if not any(chosen for _, chosen in pairs):
        raise NotFound(
            f"{study.path} has no second run to compare with, so nothing is known of sets; leave out set: and evidence:"
        )
    for board, chosen in pairs:
        for word, ids in _board_members(board, chosen).items():
            found.setdefault(word, set()).update(ids)
    return {word: frozenset(ids) for word, ids in found.items()}


def _pair(board: Board, pair: Pair | None) -> Pair | None:
    """The pair asked for, where it is of this benchmark; else what the roles tell, as the explorer does."""
    if pair is not None and pair[0].benchmark == board.benchmark:
        return pair
    base = reference_run(board.runs) or next(iter(board.runs), None)
    other = None if base is None else opposite_run(board.runs, base)
    return None if base is None or other is None else (base, other)


def _board_members(board: Board, pair: Pair | None) -> dict[tuple[str, str], set[int]]:
    ids = {problem.key: problem.problem_id for problem in board.problems}
    known: dict[tuple[str, str], set[int]] = {}
    evident: set[int] = set()
    if pair is not None and board.common_k(*pair) is not None:
        from engine.analyses.boundary import evidence
        from engine.summary import cover, paired_counts

        sets = cover(board, *pair)
        for word in ("both", "base_only", "other_only", "neither"):
            known["set", word.replace("_", "-")] = {ids[key] for key in getattr(sets, word)}
        problems, counts = paired_counts(board, *pair)
        told = evidence(counts[0], counts[1], counts[2], counts[3], sets.k)
        for problem, one in zip(problems, told, strict=True):
            known.setdefault(("evidence", "clear" if one.clear else "undetermined"), set()).add(problem.problem_id)
        evident = {problem.problem_id for problem in problems}
    unjudged = set(ids.values()) - evident
    known["set", "unjudged"] = unjudged
    for field in ("set", "evidence"):
        known[field, Known.ANY] = evident
        known[field, Known.NONE] = unjudged
    return known
