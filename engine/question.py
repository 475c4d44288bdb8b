"""A query, and where it is asked: what is looked up once for it, and the plans for looking at samples. See `engine.finding`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from engine.membership import Members
from store import words
from store.query.facts import Facts
from store.query.leaves import Condition, Of
from store.query.sql import Compiler, Plan, holds_of
from store.query.terms import Compared, Query, Words, leaves
from store.reader import Study

_NARROW: Final = 8
"""Where this part of all samples or fewer belong to the problems that may fit, they are looked up by problem."""

_NOBODY: Final[frozenset[int]] = frozenset()


class Question:
    """Asked of a study, one of its benchmarks or one problem, as they are now."""

    def __init__(
        self,
        study: Study,
        verifier: str | None,
        query: Query,
        members: Callable[[str | None], Members],
        benchmark: str | None = None,
        problem_id: int | None = None,
    ) -> None:
        """members: of a benchmark (None: of all), made only where the query asks for a set or evidence."""
        self.query = query
        self._study = study
        self._verifier = verifier
        self._facts = Facts(study, verifier)
        inside = [fact for fact in self._facts.problems if benchmark in (None, fact.benchmark)]
        if problem_id is not None:
            inside = [fact for fact in inside if fact.problem_id == problem_id]
            benchmark = inside[0].benchmark if inside else None
        self.among = frozenset(fact.problem_id for fact in inside)
        self._compiler = Compiler(self._facts, lambda field, word: members(benchmark).get((field, word), _NOBODY))
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
        if len(self.among) < len(self._facts.problems):
            inside = self.leaves.among(Of.PROBLEM, self.among)
            plan.conditions.append(inside.sql)
            plan.values |= inside.values
            plan.problems = self.among if plan.problems is None else plan.problems & self.among
        return plan

    def is_narrow(self, plan: Plan) -> bool:
        """Whether few samples belong to the problems that may fit."""
        if plan.problems is None:
            return False
        asked = "SELECT coalesce(sum(stored), 0), coalesce(sum(stored * (problem_id IN (SELECT value FROM json_each(?)))), 0)"
        every, some = self._study.query(
            f"{asked} FROM (SELECT problem_id, samples + extra AS stored FROM drawn)", (json.dumps(sorted(plan.problems)),)
        )[0]
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
