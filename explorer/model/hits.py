"""Hits of a search over all traces, as a list shows them and the Reader walks them. No Textual here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from explorer.model.listing import Filter, runs_of
from explorer.model.session import Pair, Session
from explorer.model.walk import ALL, Hits
from explorer.render.pieces import Line, Tone, dim, plain
from store.query.nearest import unheard_of
from store.query.reading import Reading
from store.query.terms import Compared, Known, leaves
from store.reader import Study
from store.rows import ProblemRow, RunRow, TraceRow
from store.suspicions import first_reasons
from store.types import Finish

if TYPE_CHECKING:
    from engine.finding import Finder, Hit

LISTED_AT_MOST: Final = 10_000
"""Hits that are listed; more are counted only."""
_SHOWN_EVERY_S: Final = 0.15

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """Some more of what is found."""

    filter: Filter
    hits: Sequence[Hit]
    spans: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    """By sample id: where in the snippet stands what was sought."""
    reasons: Mapping[int, str] = field(default_factory=dict)
    """By sample id, where reasons were asked for: what the first one says."""
    total: int | None = None
    """How many fit in all; None while it is searched."""
    each: Sequence[int] = ()
    """With the total, where it is known: how many each part of the filter leaves by itself."""
    hint: str = ""
    """With a total of 0: a name in the filter that nothing has, and what to write instead."""


def search(
    session: Session,
    wanted: Filter,
    benchmark: str | None,
    pair: Pair | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Part]:
    """The first hit at once, then what is found in each short while; at the end how many there are.

    On a connection of its own: it may take long. pair: whose sets are meant, on its benchmark; None for the natural one's.
    stop: asked now and then; nothing more comes once it says yes.
    Raises StudyError where the study cannot be read, or nothing is known of what is asked for.
    """
    from engine.finding import Finder, Stopped

    with session.apart() as study:
        found = _Search(
            study, Finder(study, session.verifier, stop), wanted, benchmark, None if pair is None else runs_of(pair)
        )
        try:
            yield from found.parts(session.verifier)
        except Stopped:
            return


@dataclass(frozen=True, slots=True)
class _Search:
    """One search, and where it looks."""

    study: Study
    finder: Finder
    wanted: Filter
    benchmark: str | None
    runs: tuple[RunRow, RunRow] | None

    def parts(self, verifier: str | None) -> Iterator[Part]:
        found: list[Hit] = []
        number, since = 0, time.monotonic()
        for hit in self.finder.traces(self.wanted.query, self.benchmark, self.runs, limit=LISTED_AT_MOST + 1):
            number += 1
            if number > LISTED_AT_MOST:
                break
            found.append(hit)
            if number == 1 or time.monotonic() - since > _SHOWN_EVERY_S:
                yield self._part(found)
                found, since = [], time.monotonic()
        yield self._part(found)
        total = number if number <= LISTED_AT_MOST else self._count(self.wanted)
        hint = "" if total else unheard_of(self.study, verifier, self.wanted.query)
        yield Part(self.wanted, (), total=total, hint=hint)
        each = self.wanted.each
        yield Part(self.wanted, (), total=total, each=[total] if len(each) == 1 else list(map(self._count, each)), hint=hint)

    def _count(self, wanted: Filter) -> int:
        return self.finder.count(wanted.query, self.benchmark, self.runs)

    def _part(self, found: Sequence[Hit]) -> Part:
        spans = {hit.sample_id: _spans(hit.snippet, self.wanted) for hit in found if hit.snippet is not None}
        kinds = reasons_asked_for(self.wanted)
        reasons = {} if kinds is None else first_reasons(self.study, [hit.sample_id for hit in found], kinds)
        return Part(self.wanted, found, spans, reasons)


def reasons_asked_for(wanted: Filter) -> frozenset[str] | None:
    """The kinds of reason in a filter, empty where any will do; None where it asks for no reason."""
    asked = [leaf for term in wanted.query.terms for leaf in leaves(term) if isinstance(leaf, Compared) and leaf.field == "why"]
    if not asked:
        return None
    return frozenset(value.value.replace("-", " ") for leaf in asked for value in leaf.values if not isinstance(value, Known))


def walk_of(hits: Sequence[Hit], chosen: Hit, problems: Mapping[int, ProblemRow]) -> Hits:
    """The Reader's way through the hits of the chosen one's benchmark, beginning at it."""
    own = [hit for hit in hits if hit.benchmark == chosen.benchmark and hit.problem_id in problems]
    met = tuple(problems[problem_id] for problem_id in dict.fromkeys(hit.problem_id for hit in own))
    at_problem = next(at for at, problem in enumerate(met) if problem.problem_id == chosen.problem_id)
    return Hits(met, at_problem, tuple(map(_row, own)), own.index(chosen), ALL)


def _row(hit: Hit) -> TraceRow:
    """What the Reader needs of a row to go along; it reads the rest."""
    return TraceRow(
        sample_id=hit.sample_id,
        run_id=hit.run_id,
        problem_id=hit.problem_id,
        idx=hit.idx,
        outcome=hit.outcome,
        verifier=None,
        route=None,
        answer=hit.answer,
        imported=None,
        finish=Finish.UNKNOWN,
        chars=hit.chars,
        tokens=None,
        label=None,
    )


def snippet_line(snippet: str | None, spans: Sequence[Span], before: int) -> Line:
    """The text around what was sought, that set off; at most `before` characters of what stands before it."""
    if snippet is None:
        return []
    begin = max(0, spans[0][0] - before) if spans else 0
    pieces = [dim("…")] if begin else []
    at = begin
    for start, end in spans:
        if start >= at:
            pieces += [plain(snippet[at:start]), (snippet[start:end], Tone.MATCH)]
            at = end
    return [*pieces, plain(snippet[at:])]


def _spans(snippet: str | None, wanted: Filter) -> tuple[Span, ...]:
    """Where in the snippet stands what was sought. For a worker: an expression may take long."""
    if snippet is None:
        return ()
    reading = Reading(snippet)
    found = (reading.place(leaf) for leaf in wanted.query.sought())
    return tuple(sorted(place for place in found if place is not None and place[0] < place[1]))
