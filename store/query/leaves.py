"""One comparison of a field as a condition: SQL over `sample` that is 0 or 1 and never NULL, since unknown satisfies nothing.

What depends on the problem or the run alone is looked up in Python first (`ids`), so that it narrows a search before anything
else, and Unicode's capitals count as such. Answers and notes are compared by SQLite, which knows ASCII's capitals only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from math import log
from typing import Any, Final

from store.audits import MEANINGS
from store.query.facts import Facts, ProblemFact, fits, holds
from store.query.fields import LABEL_DIGITS, MEANING_WORDS, UNJUDGED
from store.query.terms import Compared, Known, Op, Value
from store.reader import BASE_NATS, FLAGGED, IN_FORCE, PATH, STANDING, SUSPICION, contradicted
from store.rows import RunRow
from store.types import Finish, Outcome

CELL: Final = "(sample.run_id << 32 | sample.problem_id)"


class Of(Enum):
    """What the ids of a condition are of."""

    PROBLEM = "sample.problem_id"
    RUN = "sample.run_id"
    CELL = CELL


@dataclass(frozen=True, slots=True)
class Condition:
    """When a sample is one of those sought."""

    sql: str
    values: dict[str, object] = field(default_factory=dict)
    of: Of | None = None
    """None where it takes the sample itself to tell."""
    ids: frozenset[int] = frozenset()
    """Of `of`, those that it holds of."""
    judged: bool = False
    """Does it need the deciding verdict (`ours`, `theirs`) joined?"""


Members = Callable[[str, str], frozenset[int]]
"""Ids of the problems in a set (of "set" or "evidence"), for the pair of runs that is looked at."""


class Leaves:
    """Conditions for one question. Every value in them has a name of its own."""

    def __init__(self, facts: Facts, members: Members) -> None:
        self.facts = facts
        self._members = members
        self._number = 0

    def condition(self, leaf: Compared) -> Condition:
        return _MAKERS[leaf.field](self, leaf)

    def named(self, value: object) -> tuple[str, dict[str, object]]:
        """A placeholder of its own for a value."""
        self._number += 1
        return f":v{self._number}", {f"v{self._number}": value}

    def among(self, of: Of, ids: Iterable[int]) -> Condition:
        chosen = frozenset(ids)
        name, values = self.named(json.dumps(sorted(chosen)))
        return Condition(f"{of.value} IN (SELECT value FROM json_each({name}))", values, of, chosen)

    # -- of the problem ----------------------------------------------------------------------------------------------

    def in_set(self, leaf: Compared) -> Condition:
        found: set[int] = set()
        for value in leaf.values:
            found |= self._members(leaf.field, value if isinstance(value, Known) else value.value)
        return self.among(Of.PROBLEM, found)

    def tagged(self, leaf: Compared) -> Condition:
        test, words = fits(leaf.values), self.facts.tags
        return self.among(Of.PROBLEM, (p.problem_id for p in self.facts.problems if test(words.get(p.problem_id, ()))))

    def stating(self, leaf: Compared) -> Condition:
        test, stated = holds(leaf.values), self.facts.statements
        ids = (p.problem_id for p in self.facts.problems if test([stated[p.problem_id]] if p.problem_id in stated else []))
        return self.among(Of.PROBLEM, ids)

    # -- of the run --------------------------------------------------------------------------------------------------

    def solved(self, leaf: Compared) -> Condition:
        test = _share_test(leaf)
        shares = self.facts.shares
        if Known.NONE in leaf.values:  # a condition on what is not there needs all that may be
            known = self.among(Of.CELL, (_cell(key) for key in shares))
            held = self.among(Of.CELL, (_cell(key) for key, share in shares.items() if test(share)))
            return Condition(f"({known.sql} AND NOT {held.sql}) IS NOT 1", known.values | held.values)
        return self.among(Of.CELL, (_cell(key) for key, share in shares.items() if test(share)))

    # -- of the verdict ----------------------------------------------------------------------------------------------

    def decided(self, column: str) -> str:
        """A column of the deciding verdict; NULL where nobody has judged."""
        if not self.facts.files():
            return f"ours.{column}"
        if not self.facts.own_verifiers():
            return f"theirs.{column}"
        return f"(CASE WHEN ours.sample_id IS NULL THEN theirs.{column} ELSE ours.{column} END)"

    def joins(self) -> str:
        """Puts the deciding verdict beside a sample: ours as `ours`, the file's as `theirs`."""
        ours, theirs = self.facts.own_verifiers(), self.facts.files()
        found = (
            f"LEFT JOIN verdict AS theirs ON theirs.sample_id = sample.sample_id AND theirs.verifier_id IN ({_list(theirs)})"
        )
        if not ours and theirs:
            return found
        if self.facts.verifier is None and len(self.facts.kinds()) > 1:
            which = "SELECT verifier_id FROM verifier JOIN problem ON kind = name WHERE problem_id = sample.problem_id"
        else:
            which = _list(ours)
        own = f"LEFT JOIN verdict AS ours ON ours.sample_id = sample.sample_id AND ours.verifier_id IN ({which})"
        return f"{own} {found}" if theirs else own

    def correct(self, leaf: Compared) -> Condition:
        outcomes = {"yes": ("correct",), "no": ("incorrect", "no_answer"), Known.ANY: ("correct", "incorrect", "no_answer")}
        asked = {word for value in leaf.values if value is not Known.NONE for word in outcomes[_word(value)]}
        unknown = [("error", None)] if Known.NONE in leaf.values else []
        return self._outcomes(asked | {"error" for _ in unknown}, unjudged=bool(unknown))

    def outcome(self, leaf: Compared) -> Condition:
        words = {_word(value).replace("-", "_") for value in leaf.values}
        unjudged = bool({UNJUDGED, Known.NONE.value} & words)
        if Known.ANY in leaf.values:
            words |= {"correct", "incorrect", "no_answer", "error"}
        return self._outcomes(words, unjudged=unjudged)

    def _outcomes(self, asked: Iterable[str], *, unjudged: bool) -> Condition:
        listed = ", ".join(f"'{word}'" for word in sorted(set(asked) & set(Outcome)))
        return Condition(_in(self.decided("outcome"), listed, or_unknown=unjudged), judged=True)

    def answer(self, leaf: Compared) -> Condition:
        column = self.decided("answer")

        def test(value: Value) -> tuple[str, dict[str, object]]:
            name, values = self.named(_like(value.value) if value.wild else value.value)
            return f"{column} LIKE {name} ESCAPE '\\'" if value.wild else f"{column} = {name} COLLATE NOCASE", values

        return replace(_against(column, leaf, test), judged=True)

    def route(self, leaf: Compared) -> Condition:
        return self._one_of(self.decided("route"), self.facts.routes, leaf)

    def verifier(self, leaf: Compared) -> Condition:
        test = fits(leaf.values)
        chosen = [one for one, name in self.facts.verifiers.items() if test([name])]
        unjudged = Known.NONE in leaf.values
        return Condition(_in(self.decided("verifier_id"), _list(chosen), or_unknown=unjudged), judged=True)

    def _one_of(self, column: str, known: Sequence[str], leaf: Compared) -> Condition:
        """For columns of few different values: those that fit are looked up first."""
        test = fits(leaf.values)
        name, values = self.named(json.dumps([one for one in known if test([one])]))
        chosen = f"SELECT value FROM json_each({name})"
        return Condition(_in(column, chosen, or_unknown=Known.NONE in leaf.values), values, judged=True)

    def disputed(self, leaf: Compared) -> Condition:
        """As `TraceRow.disputed`: another verifier, or another rule of the deciding one, says the reverse."""
        outcome, verifier = self.decided("outcome"), self.decided("verifier_id")
        sql = f"coalesce({outcome} IS NOT NULL AND {contradicted(outcome, verifier)}, 0)"
        return _yes_no(Condition(sql, judged=True), leaf, known=f"{outcome} IS NOT NULL")

    # -- of what people said -----------------------------------------------------------------------------------------

    def label(self, leaf: Compared) -> Condition:
        digits = {digit for value in leaf.values if isinstance(value, Value) for digit in _digits(value.value)}
        if Known.ANY in leaf.values:
            digits |= set(MEANINGS)
        standing = f"(SELECT label FROM audit WHERE audit_id = {STANDING})"
        return Condition(_in(standing, _list(sorted(digits)), or_unknown=Known.NONE in leaf.values))

    def auditor(self, leaf: Compared) -> Condition:
        test = fits(leaf.values)
        name, values = self.named(json.dumps([one for one in self.facts.auditors if test([one])]))
        by = "SELECT 1 FROM audit AS given WHERE given.sample_id = sample.sample_id AND {which} AND " + IN_FORCE
        found = f"EXISTS ({by.format(which=f'given.auditor IN (SELECT value FROM json_each({name}))')})"
        if Known.NONE in leaf.values:
            found = f"({found} OR NOT EXISTS ({by.format(which='1')}))"
        return Condition(found, values)

    def noted(self, leaf: Compared) -> Condition:
        texts: dict[int, list[str]] = {}
        for sample_id, text in self.facts.notes:
            texts.setdefault(sample_id, []).append(text)
        test = holds(leaf.values)
        name, values = self.named(json.dumps([sample_id for sample_id, found in texts.items() if test(found)]))
        found = f"sample.sample_id IN (SELECT value FROM json_each({name}))"
        if Known.NONE in leaf.values:
            every, more = self.named(json.dumps(list(texts)))
            found = f"({found} OR sample.sample_id NOT IN (SELECT value FROM json_each({every})))"
            values |= more
        return Condition(found, values)

    def flag(self, leaf: Compared) -> Condition:
        return _yes_no(Condition(FLAGGED), leaf, known="1")

    # -- of what was measured ----------------------------------------------------------------------------------------

    def number(self, column: str, leaf: Compared) -> Condition:
        """column: SQL, NULL where it is not known."""

        def test(value: Value) -> tuple[str, dict[str, object]]:
            name, values = self.named(int(value.value) if value.value.isdecimal() else float(value.value))
            return f"{column} {'=' if leaf.op is Op.IS else leaf.op} {name}", values

        return _against(column, leaf, test)

    def rounded(self, column: str, leaf: Compared, scale: Callable[[float], float] = float) -> Condition:
        """Like `number`, of what has more digits than people write: 1.06 is whatever is shown as that.

        scale: from what people write to what is stored.
        """

        def test(value: Value) -> tuple[str, dict[str, object]]:
            if leaf.op is not Op.IS:
                name, values = self.named(scale(float(value.value)))
                return f"{column} {leaf.op} {name}", values
            low, high = _span(value)
            first, values = self.named(scale(low))
            second, more = self.named(scale(high))
            return f"{column} >= {first} AND {column} < {second}", values | more

        return _against(column, leaf, test)

    def perplexity(self, leaf: Compared) -> Condition:
        """Compared in nats a token, as likelihoods are stored."""
        return self.rounded(BASE_NATS, leaf, scale=_nats)

    def why(self, leaf: Compared) -> Condition:
        kinds = [_word(value).replace("-", " ") for value in leaf.values if isinstance(value, Value)]
        name, values = self.named(json.dumps(kinds))
        of_kind = "SELECT 1 FROM reason WHERE reason.sample_id = sample.sample_id"
        parts = [f"EXISTS ({of_kind} AND kind IN (SELECT value FROM json_each({name})))"]
        parts += [f"EXISTS ({of_kind})"] * (Known.ANY in leaf.values) + [f"NOT EXISTS ({of_kind})"] * (
            Known.NONE in leaf.values
        )
        return Condition(_any(parts), values)

    def finish(self, leaf: Compared) -> Condition:
        words = {_word(value) for value in leaf.values}
        if Known.ANY in leaf.values:
            words |= {Finish.STOP, Finish.LENGTH}
        if Known.NONE in leaf.values:
            words |= {Finish.UNKNOWN}
        name, values = self.named(json.dumps(sorted(words)))
        return Condition(f"sample.finish IN (SELECT value FROM json_each({name}))", values)


def _against(column: str, leaf: Compared, test: Callable[[Value], tuple[str, dict[str, object]]]) -> Condition:
    """What holds of a column that is NULL where nothing is known: one of the values, as `test` compares them."""
    parts, values = [], dict[str, object]()
    for value in leaf.values:
        if isinstance(value, Known):
            parts.append(f"{column} IS {'NOT ' * (value is Known.ANY)}NULL")
        else:
            sql, new = test(value)
            parts.append(f"coalesce({sql}, 0)")
            values |= new
    return Condition(_any(parts), values)


def _in(column: str, listed: str, *, or_unknown: bool) -> str:
    """listed: SQL, may be empty."""
    return f"(coalesce({column} IN ({listed}), 0)" + f" OR {column} IS NULL" * or_unknown + ")"


def _of_problem(names: Callable[[ProblemFact], str | None]) -> Callable[[Leaves, Compared], Condition]:
    def made(leaves: Leaves, leaf: Compared) -> Condition:
        test = fits(leaf.values)
        return leaves.among(Of.PROBLEM, (fact.problem_id for fact in leaves.facts.problems if test([names(fact)])))

    return made


def _of_run(names: Callable[[RunRow], Sequence[str]]) -> Callable[[Leaves, Compared], Condition]:
    def made(leaves: Leaves, leaf: Compared) -> Condition:
        test = fits(leaf.values)
        return leaves.among(Of.RUN, (run.run_id for run in leaves.facts.runs if test(names(run))))

    return made


_MAKERS: Final[dict[str, Callable[[Leaves, Compared], Condition]]] = {
    "set": Leaves.in_set,
    "evidence": Leaves.in_set,
    "correct": Leaves.correct,
    "outcome": Leaves.outcome,
    "answer": Leaves.answer,
    "label": Leaves.label,
    "auditor": Leaves.auditor,
    "note": Leaves.noted,
    "flag": Leaves.flag,
    "tag": Leaves.tagged,
    "perplexity": Leaves.perplexity,
    "length": lambda leaves, leaf: leaves.number("sample.chars", leaf),
    "tokens": lambda leaves, leaf: leaves.number("sample.tokens", leaf),
    "path": lambda leaves, leaf: leaves.number(PATH, leaf),
    "suspicion": lambda leaves, leaf: leaves.rounded(SUSPICION, leaf),
    "why": Leaves.why,
    "benchmark": _of_problem(lambda fact: fact.benchmark),
    "problem": _of_problem(lambda fact: fact.key),
    "statement": Leaves.stating,
    "reference": _of_problem(lambda fact: fact.reference),
    "level": _of_problem(lambda fact: fact.level),
    "kind": _of_problem(lambda fact: fact.kind),
    "run": _of_run(lambda run: [run.slug, run.slug.rsplit("@", 1)[0], run.name]),
    "model": _of_run(lambda run: [run.model.name, run.model.name.rstrip("/").rsplit("/", 1)[-1]]),
    "role": _of_run(lambda run: [run.model.role]),
    "route": Leaves.route,
    "finish": Leaves.finish,
    "verifier": Leaves.verifier,
    "disputed": Leaves.disputed,
    "sample": lambda leaves, leaf: leaves.number("sample.idx", leaf),
    "extra": lambda _leaves, leaf: _yes_no(Condition("sample.extra"), leaf, known="1"),
    "solved": Leaves.solved,
}


def _digits(word: str) -> set[int]:
    """The labels a word of the field stands for."""
    if word.isdecimal():
        return {int(word)}
    if word in LABEL_DIGITS:
        return {LABEL_DIGITS[word]}
    return {digit for digit, meaning in MEANINGS.items() if meaning is MEANING_WORDS[word]}


def _yes_no(found: Condition, leaf: Compared, known: str) -> Condition:
    """`found` for yes, its reverse for no, of what is known."""
    words = {_word(value) for value in leaf.values}
    parts = {
        "yes": found.sql,
        "no": f"({known} AND NOT {found.sql})",
        Known.ANY.value: f"({known})",
        Known.NONE.value: f"(NOT ({known}))",
    }
    return Condition(_any([parts[word] for word in sorted(words)]), found.values, judged=found.judged)


def _share_test(leaf: Compared) -> Callable[[float], bool]:
    def one(value: Value | Known) -> Callable[[float], bool]:
        if isinstance(value, Known):
            return lambda _share: value is Known.ANY
        limit, (low, high) = float(value.value), _span(value)
        tests: dict[Op, Callable[[float], bool]] = {
            Op.IS: lambda share: low <= share < high,
            Op.MORE: lambda share: share > limit,
            Op.LEAST: lambda share: share >= limit,
            Op.LESS: lambda share: share < limit,
            Op.MOST: lambda share: share <= limit,
        }
        return tests[leaf.op]

    tests = [one(value) for value in leaf.values]
    return lambda share: any(test(share) for test in tests)


def _span(value: Value) -> tuple[float, float]:
    """From where to where a number is written as this one."""
    half = 0.5 * 10 ** -len(value.value.partition(".")[2])
    return float(value.value) - half, float(value.value) + half


def _nats(perplexity: float) -> float:
    return log(perplexity) if perplexity > 0 else float("-inf")


def _cell(key: tuple[int, int]) -> int:
    return key[0] << 32 | key[1]


def _like(text: str) -> str:
    """As a pattern of LIKE, whose own signs mean themselves here."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return text.replace("*", "%")


def _word(value: Value | Known) -> Any:
    return value if isinstance(value, Known) else value.value


def _list(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))


def _any(parts: Sequence[str]) -> str:
    return f"({' OR '.join(parts)})"
