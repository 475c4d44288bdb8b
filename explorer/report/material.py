"""What a report says of a study, as values: per benchmark the runs, the pairs, their tests, what ails the samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.analyses.boundary import Evidence, Standing, Support
from engine.analyses.coverage import Coverage
from engine.analyses.intervals import CurveBands
from engine.analyses.pairs import Comparison
from engine.analyses.perplexity import Perplexity
from engine.auditing import ProtocolRow
from engine.auditing.chains import Cot
from engine.auditing.concord import Concord
from engine.board import Board
from engine.claims.base import Found
from engine.fair import Used
from engine.health import RunHealth
from engine.likelihoods import PairLikelihoods
from engine.partings import ProblemPartings, TraceParting
from store.audits import AuditRow
from store.rows import RunRow

Counts = NDArray[np.int64]

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report is asked for."""

    bases: Mapping[str, RunRow]
    """By benchmark, the run to compare the others with; else the roles tell."""
    verifier: str | None
    """Whose verdicts count; None for the deciding one of each sample."""
    version: str
    """Of basebound."""


@dataclass(frozen=True, slots=True)
class SourcePart:
    """An imported file. Its name is its path as it was given, without what names a place on somebody's machine."""

    name: str
    format: str
    sha256: str
    """Of the uncompressed content."""
    bytes: int
    imported: str
    complete: bool
    samples: int


@dataclass(frozen=True, slots=True)
class BatchPart:
    """What drew samples of a run here."""

    run: str
    sampler: str
    version: str
    device: str
    dtype: str
    started: str


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which study this is, and what made it."""

    study: str
    """The file's name."""
    sha256: str
    bytes: int
    schema: int
    basebound: str
    verifier: str | None
    """The one asked for; None for the deciding one of each sample."""
    sources: tuple[SourcePart, ...]
    judges: tuple[tuple[str, str, int], ...]
    """Name, version and verdicts of each verifier."""
    batches: tuple[BatchPart, ...]


@dataclass(frozen=True, slots=True)
class RunPart:
    """One run on the problems it was judged on; the arrays are [problems], in the board's order."""

    run: RunRow
    keys: tuple[str, ...]
    n: Counts
    c: Counts
    bands: CurveBands | None
    """None where nobody has judged the run."""
    bins: Counts | None
    """Problems in each of the twelve bins of accuracy."""
    errors: int
    unjudged: int


@dataclass(frozen=True, slots=True)
class PairPart:
    """A run against its base run, on the problems both were judged on."""

    base: RunRow
    other: RunRow
    keys: tuple[str, ...]
    base_n: Counts
    base_c: Counts
    other_n: Counts
    other_c: Counts
    compared: Comparison
    q_value: float
    """p_value adjusted for the pairs of this benchmark, as is q_first."""
    q_first: float
    sets: Coverage
    support: Support
    evidence: tuple[Evidence, ...]
    """Of each problem, at budget k."""
    standings: tuple[tuple[int, dict[Standing, int]], ...]
    """Budget, and problems of each standing at it."""

    @property
    def k(self) -> int:
        return self.compared.k

    def clear(self, keys: Iterable[str]) -> int:
        """How many of these problems are clear evidence that the runs differ there."""
        found = {key for key, one in zip(self.keys, self.evidence, strict=True) if one.clear}
        return len(found.intersection(keys))


@dataclass(frozen=True, slots=True)
class PerplexityPart:
    """What one model thinks of one run's stored responses."""

    run: RunRow
    scorer: str
    found: Perplexity
    quantiles: tuple[float, ...]
    """QUANTILES of the responses' perplexities at temperature 1."""
    by_base: bool
    """The scoring model is a base model."""
    used: Used
    """Which of the run's responses these are."""


@dataclass(frozen=True, slots=True)
class PartingPart:
    """A right trace where the model that does not solve its problem leaves it."""

    found: TraceParting
    ratios: tuple[float | None, ...]
    """Step by step, the log-ratio in nats; None where it is unknown. Of one trace a problem; empty for the others."""


@dataclass(frozen=True, slots=True)
class LikelihoodPart:
    """What models think of the responses of a pair."""

    found: PairLikelihoods
    sets: Mapping[str, str]
    """By key, the set of each problem that one of the two alone solves: "base only", "other only"."""
    partings: tuple[PartingPart, ...]
    looked_at: tuple[ProblemPartings, ...]
    """Of how many right traces, for each of these problems."""


@dataclass(frozen=True, slots=True)
class AuditPart:
    """What labels say. Numbers are by people's labels; a model's are among the rows and in the agreement only."""

    rows: tuple[AuditRow, ...]
    """Labels in force, of everybody."""
    told: str
    """Whose labels make the numbers, and how they are combined."""
    protocol: tuple[ProtocolRow, ...]
    chains: tuple[Cot, ...]
    """CoT-pass@k of each run that was read, what could not be decided left out."""
    concord: Concord


@dataclass(frozen=True, slots=True)
class BenchmarkPart:
    board: Board
    runs: tuple[RunPart, ...]
    pairs: tuple[PairPart, ...]
    common_k: int | None
    health: tuple[RunHealth, ...]
    warnings: tuple[str, ...]
    """What is drawn twice, and how compared runs differ besides their models."""
    perplexities: tuple[PerplexityPart, ...]
    likelihoods: tuple[LikelihoodPart, ...]
    """Of the pairs of which anything was scored."""
    audit: AuditPart | None
    """None where nobody has labelled a trace."""
    claims: tuple[Found, ...]
    parts: tuple[RunRow, ...]
    """Runs of which fewer traces are stored than were counted: what is made from traces is of those stored only."""


@dataclass(frozen=True, slots=True)
class Material:
    provenance: Provenance
    benchmarks: tuple[BenchmarkPart, ...]
