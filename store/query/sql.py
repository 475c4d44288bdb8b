"""From a query to SQL: what SQLite can tell of a sample becomes a condition; what it takes a text to tell, a test.

    plan = Compiler(facts, members).plan(query, indexed=True)
    plan.where, plan.values            # leaves no sample out that fits
    plan.tests                         # what must hold beside it, each told from a text and the columns `plan.columns`

With the index of words, one word is told by it alone. Of a phrase it tells which texts hold all its words, and of a regular
expression nothing; without it (`indexed=False`) all three are read. What is read is read last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from store.query.facts import Facts
from store.query.leaves import Condition, Leaves, Members, Of
from store.query.terms import All, AnyOf, Compared, Not, Pattern, Query, Term, Words, leaves
from store.query.tokens import tokens
from store.words import match

_HIT: Final = "SELECT rowid FROM words WHERE words MATCH {} AND rowid > :after AND rowid <= :until"

Holds = Callable[[Words | Pattern], bool]
"""Whether a response holds what is sought in it."""


@dataclass(slots=True)
class Plan:
    """How to find the samples that fit, from one segment of a study: what is in the index of words, or what is not."""

    conditions: list[str] = field(default_factory=list)
    """All of them hold of every sample that fits. They may ask for :after and :until, the ids looked at."""
    values: dict[str, object] = field(default_factory=dict)
    columns: dict[Compared | Words, str] = field(default_factory=dict)
    """SQL, 0 or 1, of what the tests need to know beside the text."""
    tests: list[Term] = field(default_factory=list)
    """Of these a text must be read."""
    joins: str = ""
    judged: bool = False
    """Do conditions or columns need the deciding verdict joined?"""
    problems: frozenset[int] | None = None
    """Only these problems' samples can fit; None for no limit."""

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions) or "1"


class Compiler:
    """For one question to one study. members: see `store.query.leaves.Members`."""

    def __init__(self, facts: Facts, members: Members) -> None:
        self.leaves = Leaves(facts, members)
        self._made: dict[Compared, Condition] = {}
        self._numbers = count(1)

    def condition(self, leaf: Compared) -> Condition:
        if leaf not in self._made:
            self._made[leaf] = self.leaves.condition(leaf)
        return self._made[leaf]

    def plan(self, query: Query, *, indexed: bool) -> Plan:
        plan = Plan(joins=self.leaves.joins())
        for term in query.terms:
            if _needs_text(term, indexed):
                plan.conditions.append(self._relaxed(term, plan, indexed=indexed))
                plan.tests.append(term)
                self._add_columns(term, plan, indexed=indexed)
            else:
                plan.conditions.append(self._sql(term, plan))
            self._narrow(term, plan)
        return plan

    def _sql(self, term: Term, plan: Plan) -> str:
        """Of a term that needs no text."""
        if isinstance(term, Not):
            return f"NOT {self._sql(term.term, plan)}"
        if isinstance(term, AnyOf | All):
            joint = " OR " if isinstance(term, AnyOf) else " AND "
            return f"({joint.join(self._sql(one, plan) for one in term.terms)})"
        if isinstance(term, Words):
            return self._match(term, plan)
        if isinstance(term, Pattern):
            raise TypeError("no SQL finds a regular expression")
        found = self.condition(term)
        plan.values |= found.values
        plan.judged |= found.judged
        return found.sql

    def _match(self, term: Words, plan: Plan) -> str:
        name = f"m{next(self._numbers)}"
        plan.values[name] = match(tokens(term.value), term.prefix)
        return f"sample.sample_id IN ({_HIT.format(':' + name)})"

    def _relaxed(self, term: Term, plan: Plan, *, indexed: bool, holds: bool = True) -> str:
        """What holds of every sample of which the term, or its inverse, may hold."""
        if isinstance(term, Not):
            return self._relaxed(term.term, plan, indexed=indexed, holds=not holds)
        if isinstance(term, AnyOf | All):
            joint = " OR " if isinstance(term, AnyOf) is holds else " AND "
            return f"({joint.join(self._relaxed(one, plan, indexed=indexed, holds=holds) for one in term.terms)})"
        if not _needs_text(term, indexed):
            return self._sql(term if holds else Not(term), plan)
        return self._match(term, plan) if isinstance(term, Words) and indexed and holds else "1"

    def _add_columns(self, term: Term, plan: Plan, *, indexed: bool) -> None:
        for leaf in leaves(term):
            if not isinstance(leaf, Pattern) and not _needs_text(leaf, indexed) and leaf not in plan.columns:
                plan.columns[leaf] = self._sql(leaf, plan)

    def _narrow(self, term: Term, plan: Plan) -> None:
        found = self.problems_of(term)
        if found is not None:
            plan.problems = found if plan.problems is None else plan.problems & found

    def problems_of(self, term: Term) -> frozenset[int] | None:
        """The only problems that the term may hold of; None where it does not say."""
        if isinstance(term, Compared):
            of = self.condition(term)
            return of.ids if of.of is Of.PROBLEM else None
        if isinstance(term, All):
            told = [found for one in term.terms if (found := self.problems_of(one)) is not None]
            return frozenset.intersection(*told) if told else None
        if isinstance(term, AnyOf):
            parts = [self.problems_of(one) for one in term.terms]
            return None if None in parts else frozenset[int]().union(*(part for part in parts if part is not None))
        return None


def holds_of(term: Term, known: Callable[[Compared | Words], bool | None], in_text: Holds) -> bool:
    """Whether a term holds. known: what was told without the text; None of a leaf that needs it."""
    if isinstance(term, Not):
        return not holds_of(term.term, known, in_text)
    if isinstance(term, All):
        return all(holds_of(one, known, in_text) for one in term.terms)
    if isinstance(term, AnyOf):
        return any(holds_of(one, known, in_text) for one in term.terms)
    told = None if isinstance(term, Pattern) else known(term)
    return told if told is not None else not isinstance(term, Compared) and in_text(term)


def _needs_text(term: Term, indexed: bool) -> bool:
    return any(
        isinstance(leaf, Pattern) or (isinstance(leaf, Words) and (not indexed or len(tokens(leaf.value)) > 1))
        for leaf in leaves(term)
    )
