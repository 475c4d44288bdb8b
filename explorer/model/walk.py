"""A way through traces: which problems, which of a problem's traces, and where on it the reader is. No Textual here.

The Traces screen makes a walk from its list and filter, the Reader goes along it, and hands back where it ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explorer.render.words import outcome
from store.rows import ProblemRow, RunRow, Trace, TraceRow
from store.types import Outcome


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody is: a problem and, deeper in, one of its samples."""

    problem: ProblemRow
    sample_id: int | None = None
    choice: Choice | None = None
    """Which traces are listed there; None where nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which traces of a problem are listed. One of these at a time; none of them: all."""

    outcome: Outcome | None = None
    unjudged: bool = False
    disputed: bool = False
    run: RunRow | None = None

    def fits(self, row: TraceRow) -> bool:
        if self.outcome is not None:
            return row.outcome is self.outcome
        if self.unjudged:
            return row.outcome is None
        if self.disputed:
            return row.disputed
        return self.run is None or row.run_id == self.run.run_id

    @property
    def word(self) -> str:
        if self.outcome is not None:
            return outcome(self.outcome)[0]
        if self.run is not None:
            return self.run.name
        return "· unjudged" if self.unjudged else "disputed" if self.disputed else "all"


ALL = Choice()


@dataclass(frozen=True, slots=True)
class Goal:
    """A place to go straight to, through all the screens above it: a run, a problem, or a trace and a step of it."""

    run: RunRow
    problem: ProblemRow | None = None
    trace: Trace | None = None
    step: int = 1
    read: bool = True
    """Whether to open the trace, or to stop at its place in the list."""
    way: str = ""
    """From a run: another screen that is gone to from there (`explorer.screens.ways`)."""


def choices(runs: Sequence[RunRow]) -> list[Choice]:
    """Everything that Tab goes through for a problem with traces of these runs."""
    by_outcome = [Choice(outcome=value) for value in Outcome]
    return [ALL, *by_outcome, Choice(unjudged=True), Choice(disputed=True), *(Choice(run=run) for run in runs)]


@dataclass(frozen=True, slots=True)
class Walk:
    """The Reader's way."""

    problems: tuple[ProblemRow, ...]
    """In the order and filter of the Problems screen."""
    at_problem: int
    traces: tuple[TraceRow, ...]
    """Of that problem, in the order and filter of the Traces screen."""
    at_trace: int
    choice: Choice

    @property
    def problem(self) -> ProblemRow:
        return self.problems[self.at_problem]

    @property
    def trace(self) -> TraceRow:
        return self.traces[self.at_trace]

    @property
    def place(self) -> Place:
        return Place(self.problem, self.trace.sample_id, self.choice)

    def sample(self, by: int) -> Walk | None:
        """The walk one sample on; None at its end."""
        at = self.at_trace + by
        return self.to(at) if 0 <= at < len(self.traces) else None

    def to(self, at: int) -> Walk:
        """The walk at the trace of that place."""
        return replace(self, at_trace=at)

    def next_problem(self, by: int, at: int | None = None) -> int | None:
        """The place of the problem that many on, None past the ends."""
        found = (self.at_problem if at is None else at) + by
        return found if 0 <= found < len(self.problems) else None

    def at(self, at_problem: int, rows: Sequence[TraceRow]) -> Walk | None:
        """The walk at another problem with these traces: a trace of the same run, a correct one rather than the first.

        The filter stays where it leaves a trace of that run, else it is given up. None where the run has no trace there.
        """
        run_id = self.trace.run_id
        for choice in (self.choice, ALL):
            traces = tuple(row for row in rows if choice.fits(row))
            same_run = [place for place, row in enumerate(traces) if row.run_id == run_id]
            if same_run:
                correct = [place for place in same_run if traces[place].outcome is Outcome.CORRECT]
                return Walk(self.problems, at_problem, traces, (correct or same_run)[0], choice)
        return None


@dataclass(frozen=True, slots=True)
class Hits(Walk):
    """A way through what a search found: `traces` are of all `problems`, in the order they were found."""

    def at(self, at_problem: int, rows: Sequence[TraceRow]) -> Walk | None:  # noqa: ARG002 - the hits are known already
        """The first hit in that problem."""
        wanted = self.problems[at_problem].problem_id
        return self.to(next(at for at, row in enumerate(self.traces) if row.problem_id == wanted))

    def to(self, at: int) -> Walk:
        problem_id = self.traces[at].problem_id
        at_problem = next(place for place, problem in enumerate(self.problems) if problem.problem_id == problem_id)
        return replace(self, at_trace=at, at_problem=at_problem)
