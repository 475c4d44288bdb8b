"""The values that travel between the folders: outcomes, models, settings, runs, problems, samples, verdicts, counts.

Every value is frozen. A dict never crosses a folder: an importer or a sampler builds these at the file's edge, the writer
takes them, the reader gives the row types of `store.reader` back. Nothing here touches a file or needs a third-party package.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Final

UNKNOWN: Final = "unknown"
"""What a setting is called that nobody recorded. Settings are never NULL: two unknowns compare equal, and are seen."""

IMPORTED: Final = "imported"
"""The verifier under which a file's own score is kept, beside ours."""

JUDGE_PREFIX: Final = "judge:"
"""What the name of an auditor that is a model begins with."""

PER_SOURCE: Final = "per-source"
"""The seed of a run whose samples were imported: each source file has its own (`source.seed`), or none that is known."""


class Outcome(StrEnum):
    """What a verifier says of one sample. n = CORRECT + INCORRECT + NO_ANSWER; ERROR and unjudged are counted apart."""

    CORRECT = "correct"
    INCORRECT = "incorrect"
    NO_ANSWER = "no_answer"
    ERROR = "error"


class Role(StrEnum):
    """What a model is in the comparison."""

    BASE = "base"
    SFT = "sft"
    RL = "rl"
    DISTILLED = "distilled"
    INSTRUCT = "instruct"
    OTHER = "other"


class Finish(StrEnum):
    """Why generation ended. LENGTH means truncated, by the token limit or by the context cap."""

    STOP = "stop"
    LENGTH = "length"
    UNKNOWN = "unknown"


Number = float | int | str
"""A numeric setting, or the word "unknown"."""


@dataclass(frozen=True, slots=True)
class Model:
    """A set of weights: name and revision identify it, the rest says where it comes from."""

    name: str
    revision: str = UNKNOWN
    """Content digest, commit or step label; "unknown" where nobody recorded one."""
    role: Role = Role.OTHER
    parent: str | None = None
    """Name of the model it was trained from."""
    algorithm: str | None = None
    step: int | None = None
    """Training step of this checkpoint."""
    training_seed: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How samples were drawn. Part of a run's identity: one changed setting is another run."""

    prompt_template: str = UNKNOWN
    chat_template: str = UNKNOWN
    temperature: Number = UNKNOWN
    top_p: Number = UNKNOWN
    top_k: Number = UNKNOWN
    min_p: Number = UNKNOWN
    repetition_penalty: Number = UNKNOWN
    max_tokens: Number = UNKNOWN
    """Limit on new tokens that was asked for."""
    context_cap: Number = UNKNOWN
    """Prompt plus response limit that was in force: a cap below prompt + max_tokens truncates silently."""
    stop: str = UNKNOWN
    """Stop strings as a canonical JSON list."""
    stop_ids: str = UNKNOWN
    """Stop token ids as a canonical JSON list."""
    seed: Number = PER_SOURCE


SETTING_NAMES: Final = tuple(f.name for f in fields(Settings))
NUMERIC_SETTINGS: Final = frozenset(
    {"temperature", "top_p", "top_k", "min_p", "repetition_penalty", "max_tokens", "context_cap", "seed"}
)


@dataclass(frozen=True, slots=True)
class Run:
    """What is compared: one model, one benchmark, one way of drawing. Engine, version and host are no part of it."""

    model: Model
    benchmark: str
    settings: Settings = field(default_factory=Settings)

    @property
    def key(self) -> str:
        """SHA-256 (hex) over canonical JSON of model name, revision, benchmark and all settings."""
        identity: dict[str, Number] = {name: _canonical(getattr(self.settings, name)) for name in SETTING_NAMES}
        identity |= {"model": self.model.name, "revision": self.model.revision, "benchmark": self.benchmark}
        text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Number) -> Number:
    """1 and 1.0 are one temperature: whole floats become integers, so that both hash alike."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


@dataclass(frozen=True, slots=True)
class Problem:
    """A question with a checkable answer, known as `benchmark:key`."""

    benchmark: str
    key: str
    statement: str | None = None
    """None where a file gives counts only; filled in when a later file brings it."""
    reference: str | None = None
    """The answer to compare with; None means samples of this problem stay unjudged."""
    kind: str = "math"
    """Which verifier of ours decides: its name in `engine.verifiers.VERIFIERS`."""
    level: str | None = None
    images: tuple[str, ...] = ()
    """Paths of the images that belong to the statement, as the file gives them."""


@dataclass(frozen=True, slots=True)
class NewSample:
    """One response on its way into a study, with the place in its source file that makes it unique there."""

    response: str
    line: int
    """1-based line of the source file."""
    item: int = 0
    """0-based place within that line, where one line holds several responses."""
    finish: Finish = Finish.UNKNOWN
    stop_reason: str | None = None
    tokens: int | None = None
    seed: int | None = None
    extra: bool = False
    """Marked in the file as beyond the run's n: see `NewDraw`."""


class Rule(StrEnum):
    """Which of several answers in a response is read."""

    FIRST = "first"
    """The first that holds something."""
    SEGMENT = "segment"
    """The last before the answer's segment ends: before a stop token, a role marker or an invented next question."""
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Reading:
    """What another rule would have read, and what the verifier would have said of it."""

    rule: Rule
    outcome: Outcome
    answer: str | None
    """None where this rule finds no answer."""
    span: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one verifier says of one sample, and how it came to say so."""

    outcome: Outcome
    route: str
    """How the answer was found and compared, e.g. "boxed, number"."""
    answer: str | None = None
    """The extracted answer as it stands in the response; None where there is none."""
    span: tuple[int, int] | None = None
    """Start and end of the answer, in characters of the response."""
    detail: str | None = None
    """Why: an error's sentence, or what the source said."""
    readings: tuple[Reading, ...] = ()
    """By the rules that would have read another answer than the one that counts."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a person says of a trace in the file that brings it: a label, or a step that they marked, or both."""

    auditor: str
    label: int | None = None
    """As in `store.audits.LABELS`."""
    step: int | None = None
    """1-based step of the response (`engine.steps`); it is marked."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NewTrace:
    """A sample with all it belongs to: what importers yield."""

    run: Run
    problem: Problem
    sample: NewSample
    imported: Verdict | None = None
    """The file's own score; None where it has none."""
    opinions: tuple[Opinion, ...] = ()
    """They become audits and marks, once: with the trace itself."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What made samples of ours. It may change while a run is topped up, so it is no part of the run."""

    sampler: str
    version: str
    """Of the engine, e.g. "transformers 5.19.0, torch 2.13.0"."""
    device: str
    dtype: str
    host: str
    vocabulary: str
    """SHA-256 of the vocabulary: token ids mean something under it only."""
    started: str | None = None
    """UTC, as SQLite writes it; None for now."""
    detail: str = ""
    """What of the engine may move a draw by rounding."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a run's model is given for a problem, template and all."""

    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewDraw:
    """One response of ours on its way into a study, known by its run, problem and index."""

    problem: Problem
    index: int
    seed: int
    """`sample_seed` of all three."""
    response: str
    ids: tuple[int, ...] | None
    """As generated, the stop token included; None where the engine did not tell."""
    finish: Finish
    stop_reason: str | None = None
    logp: float | None = None
    """Nats of all ids under the decoding they were drawn from, as the engine had it; None where unknown."""
    tokens: int | None = None
    """How many were generated, where the ids do not tell."""
    extra: bool = False
    """Beyond the run's n, because a plan asked for it."""


def sample_seed(run_key: str, problem: Problem, index: int) -> int:
    """The seed of one sample, 63 bits: a hash of what names it, so that neither order nor machine matters, and shards merge."""
    name = f"{run_key}/{problem.benchmark}:{problem.key}/{index}"
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8"), digest_size=8).digest(), "big") >> 1


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What a model thinks of one response at one decoding: sums over its tokens, in nats."""

    sample_id: int
    temperature: float
    top_p: float
    top_k: int
    tokens: int
    """Scored, the stop token among them where there is one."""
    logp: float | None
    """None: the response holds tokens that this decoding can never draw."""
    outside: int
    """How many those are."""
    stop_logp: float | None
    """The stop token's part of logp; None where none was generated, or it cannot be drawn."""
    entropy: float | None = None
    """Of the decoding distribution, summed over the tokens; None where the scorer does not tell, as with all below."""
    lowest: float | None = None
    """Log-probability of the least probable token among those that can be drawn."""
    lowest_at: int | None = None
    """Its place among the tokens, from 0."""
    first_choices: int | None = None
    """Tokens that are the scorer's most probable ones there."""
    edge: float | None = None
    """The largest, over the tokens, of (mass of the tokens more probable than it) - top_p; None without a nucleus."""
    retokenized: bool = False
    """The text was tokenized anew: the tokens need not be those generated, and no stop token is among them."""


@dataclass(frozen=True, slots=True)
class NewProblem:
    """A problem that a benchmark's file brings, without samples."""

    problem: Problem
    line: int


@dataclass(frozen=True, slots=True)
class NewCount:
    """Counts somebody published for one run and problem, without the samples."""

    run: Run
    problem: Problem
    line: int
    correct: int
    n: int
    """Judged samples: correct + incorrect + no answer."""
