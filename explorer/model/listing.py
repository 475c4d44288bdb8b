"""What is typed after `/`, read once and used by every list: a filter, and what each of its parts leaves. No Textual here.

The grammar and the search are `store.query` and `engine.finding`, which `basebound list` uses as well. A list adds one thing:
words without a field also find problems by their key, statement, reference and answers, at once, before any trace is searched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from explorer.model.session import Pair, Session
from store.errors import BaseboundError
from store.query import FIELDS, Field, Kind, Query, parse
from store.query.nearest import unheard_of
from store.query.terms import Compared, Words, leaves
from store.reader import Study
from store.rows import ProblemRow, RunRow

WAYS: Final = (
    ('carefully "so the answer" guess*', "words, phrases and beginnings of words in the text, capitals aside"),
    ("re:/cancel(s|led)/", "a regular expression: slow, so put fields before it"),
    ("label:2|3   answer:42   label:none", "a field and its value, several with |, none, any"),
    ("perplexity>1.2   length<=900", "numbers"),
    ("-correct:yes   (a or b) c", "- turns what follows round; a space is and"),
)
"""What may be typed beside fields, with examples of each."""
_VALUES: Final = 4
"""Of a field with a few words to choose from: so many are named where there is little room."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Something typed that can be read."""

    query: Query

    @property
    def text(self) -> str:
        return self.query.text

    @property
    def parts(self) -> tuple[str, ...]:
        """Its top-level terms."""
        return tuple(term.text for term in self.query.terms)

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self.query.words)

    @property
    def each(self) -> tuple[Filter, ...]:
        """A filter of each part by itself."""
        return tuple(Filter(type(self.query)((term,))) for term in self.query.terms)

    @property
    def texts(self) -> tuple[str, ...] | None:
        """What it asks for, where that is words and nothing else."""
        words = [term.value for term in self.query.terms if isinstance(term, Words)]
        return tuple(words) if len(words) == len(self.query.terms) else None

    @property
    def asks_for_traces(self) -> bool:
        """Whether a trace must be looked at: not where it asks for nothing but what is the same for all traces of a problem."""
        found = (leaf for term in self.query.terms for leaf in leaves(term))
        return any(not isinstance(leaf, Compared) or not FIELDS[leaf.field].of_problem for leaf in found)

    def without_last(self) -> Filter | None:
        """None where nothing is left."""
        if len(self.query.terms) < 2:
            return None
        return Filter(self.query.without(len(self.query.terms) - 1))


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a filter leaves: ids of problems, or of samples."""

    filter: Filter
    whole: frozenset[int]
    each: tuple[int, ...]
    """How many each part leaves by itself."""
    hint: str = ""
    """Where nothing is left: a name in it that nothing has, and what to write instead."""


def read_filter(text: str) -> Filter | None:
    """None for nothing. Raises BadQuery with one sentence: where, and what to write instead."""
    return Filter(parse(text)) if text.strip() else None


def all_of(*texts: str) -> str:
    """Filters in one: what fits every one of them. Raises BadQuery."""
    return Query(tuple(term for text in texts if text.strip() for term in parse(text).terms)).text


def complaint(text: str) -> str | None:
    """Why a text is no filter; None where it is one, or nothing."""
    try:
        read_filter(text)
    except BaseboundError as error:
        return str(error)
    return None


def told(text: str) -> str:
    """What is understood of a text so far, in one line; "" where it is not finished."""
    try:
        found = read_filter(text)
    except BaseboundError:
        return ""
    return "" if found is None else "   ".join(found.parts)


def field_lines(width: int, height: int) -> list[str]:
    """Every field with its first values, in at most that many lines; none where they do not fit."""
    parts, lines = [_written(field) for field in FIELDS.values()], [""]
    for part in parts:
        if lines[-1] and len(lines[-1]) + len(part) + 3 > width:
            lines.append("")
        lines[-1] += f"   {part}" if lines[-1] else part
    return lines if len(lines) <= height else []


def _written(field: Field) -> str:
    if field.kind in (Kind.WHOLE, Kind.NUMBER):
        return f"{field.name}>"
    more = "|…" if len(field.choices) > _VALUES else ""
    return f"{field.name}:{'|'.join(field.choices[:_VALUES])}{more}"


def holds(problem: ProblemRow, text: str) -> bool:
    """Whether the problem holds the text, capitals aside: in its key, statement (as lists have it) or reference."""
    wanted = text.casefold()
    return any(wanted in part.casefold() for part in (problem.key, problem.statement, problem.reference) if part)


def found_at_once(problems: Iterable[ProblemRow], wanted: Filter) -> frozenset[int] | None:
    """Problems that hold every word in their own fields; None where it asks for more than words, which must be looked for."""
    texts = wanted.texts
    if texts is None:
        return None
    return frozenset(problem.problem_id for problem in problems if all(holds(problem, text) for text in texts))


def narrowed_problems(session: Session, pair: Pair, wanted: Filter) -> Narrowed:
    """The problems that fit, or some trace of which does. On a connection of its own: it may take long."""
    with session.apart() as study:
        each = [_problems_of(study, session, pair, part) for part in wanted.each]
        whole = each[0] if len(each) == 1 else _problems_of(study, session, pair, wanted)
        hint = "" if whole else unheard_of(study, session.verifier, wanted.query)
    return Narrowed(wanted, frozenset(whole), tuple(map(len, each)), hint)


def narrowed_samples(session: Session, pair: Pair, wanted: Filter, problem: ProblemRow, among: Iterable[int]) -> Narrowed:
    """Those of the problem's samples with these ids that fit."""
    from engine.finding import Finder

    known = set(among)
    with session.apart() as study:
        finder = Finder(study, session.verifier)
        each = [finder.sample_ids(part.query, problem.problem_id, pair=runs_of(pair)) & known for part in wanted.each]
        whole = each[0] if len(each) == 1 else finder.sample_ids(wanted.query, problem.problem_id, pair=runs_of(pair)) & known
        hint = "" if whole else unheard_of(study, session.verifier, wanted.query)
    return Narrowed(wanted, frozenset(whole), tuple(map(len, each)), hint)


def runs_of(pair: Pair) -> tuple[RunRow, RunRow] | None:
    """What set: and evidence: are about."""
    return None if pair.other is None else (pair.base, pair.other)


def _problems_of(study: Study, session: Session, pair: Pair, wanted: Filter) -> set[int]:
    from engine.finding import Finder

    found = Finder(study, session.verifier).problems(wanted.query, pair.board.benchmark, runs_of(pair))
    return set(found) | _by_their_own(study, pair, wanted)


def _by_their_own(study: Study, pair: Pair, wanted: Filter) -> set[int]:
    """Problems that hold each word in their own fields or in an answer; none where it asks for more than words."""
    if wanted.texts is None:
        return set()
    kept = {problem.problem_id for problem in pair.board.problems}
    for text in wanted.texts:
        own = {problem.problem_id for problem in pair.board.problems if holds(problem, text)}
        kept &= own | study.problems_answering(pair.board.benchmark, text)
    return kept
