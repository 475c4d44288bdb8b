"""What conditions are made of that is small enough to look up first: problems, runs, verifiers, auditors, tags, notes.

Read anew for each question, so that a growing study is never answered from memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from store.marks import tags
from store.query.terms import Known, Value
from store.reader import IN_FORCE, NEWEST_MARK, Study
from store.rows import RunRow
from store.types import IMPORTED

_NOTES: Final = f"""
SELECT sample_id, text FROM mark AS given WHERE NOT gone AND text <> '' AND {NEWEST_MARK}
UNION ALL
SELECT sample_id, note FROM audit AS given WHERE note <> '' AND {IN_FORCE}
"""


@dataclass(frozen=True, slots=True)
class ProblemFact:
    problem_id: int
    benchmark: str
    key: str
    reference: str | None
    kind: str
    level: str | None


class Facts:
    """Of one study, for one question."""

    def __init__(self, study: Study, verifier: str | None) -> None:
        self._study = study
        self.verifier = verifier

    @cached_property
    def problems(self) -> list[ProblemFact]:
        rows = self._study.query("SELECT problem_id, benchmark, key, reference, kind, level FROM problem ORDER BY problem_id")
        return [ProblemFact(*row) for row in rows]

    @cached_property
    def runs(self) -> list[RunRow]:
        return self._study.runs()

    @cached_property
    def verifiers(self) -> dict[int, str]:
        return dict(self._study.query("SELECT verifier_id, name FROM verifier"))

    @cached_property
    def statements(self) -> dict[int, str]:
        return dict(self._study.query("SELECT problem_id, statement FROM problem WHERE statement IS NOT NULL"))

    @cached_property
    def auditors(self) -> list[str]:
        return [name for (name,) in self._study.query("SELECT DISTINCT auditor FROM audit")]

    @cached_property
    def routes(self) -> list[str]:
        return [route for (route,) in self._study.query("SELECT DISTINCT route FROM verdict")]

    @cached_property
    def tags(self) -> dict[int, tuple[str, ...]]:
        """By problem_id."""
        return tags(self._study)

    @cached_property
    def notes(self) -> list[tuple[int, str]]:
        return self._study.query(_NOTES)

    @cached_property
    def shares(self) -> dict[tuple[int, int], float]:
        """c/n by (run_id, problem_id); those that nobody judged are not there."""
        names = self._study.benchmarks()
        counts = [count for name in names for count in self._study.counts(name, self.verifier)]
        return {(count.run_id, count.problem_id): count.correct / count.n for count in counts if count.n}

    def own_verifiers(self) -> list[int]:
        """Whose verdict decides before the file's: our verifiers of these kinds of problem, or the one that was asked for."""
        names = {fact.kind for fact in self.problems} if self.verifier is None else {self.verifier}
        return [verifier_id for verifier_id, name in self.verifiers.items() if name in names]

    def files(self) -> list[int]:
        """Of the files' own scores, where they may decide."""
        return [one for one, name in self.verifiers.items() if name == IMPORTED and self.verifier is None]

    def kinds(self) -> set[str]:
        return {fact.kind for fact in self.problems}


def fits(values: Iterable[Value | Known]) -> Callable[[Iterable[str | None]], bool]:
    """Tells whether something is held by one of the values under one of its names; without a name nothing is known of it."""
    tests = [_test(value) for value in values]
    return lambda names: any(test([name for name in names if name is not None]) for test in tests)


def holds(values: Iterable[Value | Known]) -> Callable[[Iterable[str]], bool]:
    """Like `fits`, for texts that a value occurs in."""

    def test(value: Value | Known) -> Callable[[list[str]], bool]:
        if isinstance(value, Known):
            return _known(value)
        wanted = value.value.casefold()
        return lambda texts: any(wanted in text.casefold() for text in texts)

    tests = [test(value) for value in values]
    return lambda texts: any(one(list(texts)) for one in tests)


def _test(value: Value | Known) -> Callable[[list[str]], bool]:
    if isinstance(value, Known):
        return _known(value)
    wanted = value.value.casefold()
    if not value.wild:
        return lambda names: any(name.casefold() == wanted for name in names)
    first, *middle, last = wanted.split("*")
    return lambda names: any(_is_like(name.casefold(), first, middle, last) for name in names)


def _is_like(name: str, first: str, middle: Sequence[str], last: str) -> bool:
    """Whether the parts stand in the name one after another, first and last at its ends: in linear time, however many."""
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _known(value: Known) -> Callable[[list[Any]], bool]:
    return lambda found: bool(found) is (value is Known.ANY)
