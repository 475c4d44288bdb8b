"""What reading a study gives back, in two sizes: a row for a list (`TraceRow`, no text) and the whole (`Trace`)."""

from __future__ import annotations

from dataclasses import dataclass

from store.names import Link
from store.types import Finish, Model, Outcome, Reading, Settings


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as lists show it."""

    run_id: int
    slug: str
    key: str
    benchmark: str
    model: Model
    settings: Settings
    name: str
    """Short name for a column, unlike that of any other run of its benchmark: see `store.names.run_names`."""


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One problem as lists show it: the statement is cut after 300 characters."""

    problem_id: int
    benchmark: str
    key: str
    statement: str | None
    reference: str | None
    kind: str
    level: str | None
    images: tuple[str, ...] = ()
    """Of a whole problem only."""


@dataclass(frozen=True, slots=True)
class Count:
    """Counts of one run on one problem under one verifier."""

    run_id: int
    problem_id: int
    verifier: str | None
    """Whose counts these are; None where nobody has judged."""
    correct: int
    incorrect: int
    no_answer: int
    error: int
    samples: int
    """Traces stored. May be fewer than n where the counts were published, and 0 for counts alone."""
    truncated: int
    """Of `samples`, those that ended at a length limit."""
    published: bool
    extra: int = 0
    """Traces stored beyond those: the run's n has no room for them, a plan asked for them."""
    extra_correct: int = 0
    extra_n: int = 0
    """Of those, judged by the same verifier; 0 beside published counts."""

    @property
    def n(self) -> int:
        """Judged samples: correct + incorrect + no answer. ERROR is no part of it."""
        return self.correct + self.incorrect + self.no_answer

    @property
    def all_correct(self) -> int:
        """Extra samples too: for what is said of this one problem, never for a rate over several."""
        return self.correct + self.extra_correct

    @property
    def all_n(self) -> int:
        """What `all_correct` is of."""
        return self.n + self.extra_n

    @property
    def counted(self) -> int:
        """Samples that verdicts or published counts tell of, ERROR too."""
        return self.n + self.error

    @property
    def is_part(self) -> bool:
        """Are fewer traces stored than were counted? They may have been chosen by their answers."""
        return 0 < self.samples < self.counted

    @property
    def unjudged(self) -> int:
        return 0 if self.published else self.samples - self.n - self.error


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One trace as lists show it."""

    sample_id: int
    run_id: int
    problem_id: int
    idx: int
    outcome: Outcome | None
    """By the deciding verifier; None where nobody has judged it."""
    verifier: str | None
    route: str | None
    answer: str | None
    imported: Outcome | None
    """What the file it came from says; None where it says nothing."""
    finish: Finish
    chars: int
    tokens: int | None
    label: int | None
    """The newest audit label in force, a person's before a judge model's."""
    disputed: bool = False
    """Another verifier, the file, or another rule of reading calls right what the deciding verdict does not, or the reverse."""
    perplexity: float | None = None
    """Under the base model, at temperature 1; None where a base model has not scored it."""
    path: int | None = None
    """Which reasoning path of its problem it takes; None where it was not clustered."""
    suspicion: float | None = None
    """How much speaks for luck, in [0, 1]; None where it was not looked at (`basebound index`)."""
    flagged: bool = False
    """Has somebody flagged it, to come back to it?"""
    extra: bool = False
    """Drawn beyond the run's n because a plan asked for it: no part of the run's rates."""


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A stored verdict, with who gave it."""

    verifier: str
    version: str
    outcome: Outcome
    route: str
    answer: str | None
    span: tuple[int, int] | None
    detail: str | None
    readings: tuple[Reading, ...] = ()
    """By rules that would have read another answer; of a whole trace only."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """What one model thinks of a response."""

    scorer: str
    step: int | None
    """The scorer's training step."""
    perplexity: float | None
    """At temperature 1; None where it was not measured there."""
    outside: int | None
    """Tokens that the scorer could never draw at the run's decoding; None where it was not measured there."""
    nats: float | None = None
    """Of the whole response, at temperature 1."""
    edge: float | None = None
    """By how much its furthest token lies outside the nucleus of the run's decoding, below 0 inside; None where unknown."""
    retokenized: bool = False
    """Its tokens need not be those generated: the text was tokenized anew."""
    dtype: str = "float64"
    """In which the scorer computed: rounding moves what lies at the edge."""


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace, whole."""

    row: TraceRow
    run: RunRow
    problem: ProblemRow
    """With the full statement."""
    response: str
    """As it came, control characters and all: show it only through explorer.render."""
    verdicts: tuple[VerdictRow, ...]
    """Deciding verdict first."""
    seed: int | None
    stop_reason: str | None
    source: str | None
    """File and line it was imported from."""
    scores: tuple[ScoreRow, ...] = ()
    path: int | None = None
    """Which reasoning path of its problem it takes; None where it was not clustered."""

    @property
    def link(self) -> Link:
        return Link(self.run.slug, self.problem.benchmark, self.problem.key, self.row.idx)


@dataclass(frozen=True, slots=True)
class ToJudge:
    """A sample that a verifier has not judged yet."""

    sample_id: int
    run_id: int
    problem_id: int
    reference: str
    response: str
    finish: Finish
