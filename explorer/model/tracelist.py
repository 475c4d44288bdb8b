"""The traces of one problem as a list has them: counted in a worker, ordered, filtered, grouped by answer. No Textual here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from explorer.model.listing import Filter, Narrowed, narrowed_samples
from explorer.model.session import Pair, Session
from explorer.model.walk import ALL, Choice, choices
from explorer.render.histogram import Answer, answers
from explorer.render.text import one_line
from store.rows import ProblemRow, RunRow, TraceRow
from store.types import IMPORTED, Finish, Outcome

SUSPECT_AT_MOST: Final = 300
"""Right answers of a problem whose suspicion is worked out on the spot, where it is not stored."""
SUSPECT_CHARS: Final = 60_000
"""Characters of them all: some tenths of a second of work, in which the screen answers more slowly."""


class View(StrEnum):
    """How the traces lie on the screen."""

    FLAT = "one list"
    GROUPED = "grouped"
    BESIDE = "side by side"


class TraceOrder(StrEnum):
    """How they are ordered; ties keep the study's order, and what is unknown comes last."""

    STUDY = "run and index"
    LENGTH = "length"
    PERPLEXITY = "perplexity"
    SUSPICION = "suspicion"
    LABEL = "label"


@dataclass(slots=True)
class Habits:
    """How somebody looks at traces, from one problem to the next."""

    view: View = View.FLAT
    order: TraceOrder = TraceOrder.STUDY


@dataclass(frozen=True, slots=True)
class TraceList:
    """All traces of a problem, with what a screen would count in them again and again."""

    problem: ProblemRow
    """Whole."""
    rows: Sequence[TraceRow] = ()
    sizes: Mapping[Choice, int] = field(default_factory=dict)
    """How many traces each choice leaves that leaves some, and all; of those that the filter leaves, where there is one."""
    unfiltered: Mapping[Choice, int] = field(default_factory=dict)
    """The same without a filter."""
    answers: Mapping[int, Counter[Answer]] = field(default_factory=dict)
    """By run_id, of every trace."""
    narrowed: Narrowed | None = None
    """What the filter leaves; None without one."""
    has_file: bool = False
    has_cut: bool = False
    known: frozenset[str] = frozenset()
    """Which of perplexity, path, suspicion, label, flagged and extra are known of some trace."""


def read_traces(session: Session, pair: Pair, problem: ProblemRow, runs: Sequence[RunRow], wanted: Filter | None) -> TraceList:
    """For a worker."""
    rows = session.traces(problem, runs)
    narrowed = None if wanted is None else narrowed_samples(session, pair, wanted, problem, [row.sample_id for row in rows])
    kept = rows if narrowed is None else [row for row in rows if row.sample_id in narrowed.whole]
    sizes = _sizes(rows, runs)
    by_run: dict[int, list[TraceRow]] = {}
    for row in rows:
        by_run.setdefault(row.run_id, []).append(row)
    return TraceList(
        problem=session.study.problem(problem.benchmark, problem.key),
        rows=rows,
        sizes=sizes if kept is rows else _sizes(kept, runs),
        unfiltered=sizes,
        answers={run_id: answers(own) for run_id, own in by_run.items()},
        narrowed=narrowed,
        has_file=any(row.imported is not None and row.verifier != IMPORTED for row in rows),
        has_cut=any(row.finish is Finish.LENGTH for row in rows),
        known=frozenset(name for name, value in _KNOWN.items() if any(value(row) not in (None, False) for row in rows)),
    )


_KNOWN: Final[Mapping[str, Callable[[TraceRow], object]]] = {
    "perplexity": lambda row: row.perplexity,
    "path": lambda row: row.path,
    "suspicion": lambda row: row.suspicion,
    "label": lambda row: row.label,
    "flagged": lambda row: row.flagged,
    "extra": lambda row: row.extra,
}


def _sizes(rows: Sequence[TraceRow], runs: Sequence[RunRow]) -> dict[Choice, int]:
    """The same as `Choice.fits` for each choice and row, in one pass."""
    outcomes, by_run = Counter(row.outcome for row in rows), Counter(row.run_id for row in rows)
    disputed = sum(row.disputed for row in rows)
    found: dict[Choice, int] = {}
    for choice in choices(runs):
        if choice == ALL:
            found[choice] = len(rows)
        elif choice.outcome is not None:
            found[choice] = outcomes[choice.outcome]
        elif choice.run is not None:
            found[choice] = by_run[choice.run.run_id]
        else:
            found[choice] = disputed if choice.disputed else outcomes[None]
    return {choice: number for choice, number in found.items() if number or choice == ALL}


def ordered(rows: Iterable[TraceRow], order: TraceOrder, suspicions: Mapping[int, float]) -> list[TraceRow]:
    """suspicions: by sample id, of those whose row has none. Short ones, likely ones, suspicious ones and labels first."""

    def suspicion(row: TraceRow) -> float | None:
        return row.suspicion if row.suspicion is not None else suspicions.get(row.sample_id)

    keys: dict[TraceOrder, Callable[[TraceRow], Any]] = {
        TraceOrder.LENGTH: lambda row: row.tokens if row.tokens is not None else row.chars,
        TraceOrder.PERPLEXITY: lambda row: _last(row.perplexity),
        TraceOrder.SUSPICION: lambda row: _last(suspicion(row), -1),
        TraceOrder.LABEL: lambda row: _last(row.label),
    }
    return list(rows) if order is TraceOrder.STUDY else sorted(rows, key=keys[order])


def _last(value: float | None, sign: int = 1) -> tuple[bool, float]:
    return value is None, sign * (value or 0)


def to_suspect(rows: Iterable[TraceRow], pair: Pair) -> list[int]:
    """Right answers whose suspicion is not stored: all runs', or this pair's alone where all are too many to be read on the
    spot; none where that is too many, too."""
    unknown = [row for row in rows if row.outcome is Outcome.CORRECT and row.suspicion is None]
    compared = {run.run_id for run in pair.runs}
    for chosen in (unknown, [row for row in unknown if row.run_id in compared]):
        if is_quick(chosen):
            return [row.sample_id for row in chosen]
    return []


def is_quick(rows: Sequence[TraceRow]) -> bool:
    """Whether the texts can be looked at while somebody waits."""
    return len(rows) <= SUSPECT_AT_MOST and sum(row.chars for row in rows) <= SUSPECT_CHARS


@dataclass(frozen=True, slots=True)
class Group:
    """Traces with the same answer and verdict. All right answers are one group, however they are written."""

    outcome: Outcome | None
    answer: str | None
    """As most of them write it."""
    ways: int
    """In how many ways it is written."""
    rows: Sequence[TraceRow]

    @property
    def key(self) -> tuple[Outcome | None, str | None]:
        return self.outcome, None if self.outcome is Outcome.CORRECT else self.answer

    def of_run(self, run: RunRow | None) -> int:
        return 0 if run is None else sum(row.run_id == run.run_id for row in self.rows)


def groups(rows: Iterable[TraceRow]) -> list[Group]:
    """Right answers first, then the most frequent ones."""
    from engine.verifiers.surface import normalise

    found: dict[tuple[Outcome | None, str | None], list[TraceRow]] = {}
    for row in rows:
        same = None if row.answer is None or row.outcome is Outcome.CORRECT else normalise(row.answer[:400])
        found.setdefault((row.outcome, same), []).append(row)
    made = [_group(outcome, own) for (outcome, _), own in found.items()]
    return sorted(made, key=lambda group: (group.outcome is not Outcome.CORRECT, -len(group.rows)))


def _group(outcome: Outcome | None, rows: Sequence[TraceRow]) -> Group:
    written = Counter(one_line(row.answer[:200]) for row in rows if row.answer is not None)
    return Group(outcome, written.most_common(1)[0][0] if written else None, len(written), rows)
