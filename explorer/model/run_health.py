"""How sound the samples of a run are, from stored sums alone: cut, without an answer, without a verdict, of what length.

A share names its denominator; what nobody recorded is None and shown as a dash, never as 0. Standard library only: this is
part of the first paint. What needs the samples themselves (medians, responses drawn twice) is told by `basebound health`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from explorer.render.pieces import Line, Tone, dim, plain
from explorer.render.words import NONE, counted, percent
from store.measures import RunDrawn
from store.rows import Count
from store.types import IMPORTED

MANY_CUT: Final = 0.05
"""Share of truncated responses from which a run is marked: what a longer cap would have solved may move every figure."""


@dataclass(frozen=True, slots=True)
class RunHealth:
    """Sums over the problems of one run."""

    problems: int
    """Judged ones."""
    of_problems: int
    judged: int
    """n: correct + incorrect + no answer."""
    no_answer: int | None
    """None where the counts cannot tell it from a wrong answer: published ones, and files that say right or wrong."""
    error: int | None
    unjudged: int
    samples: int
    """Traces stored."""
    counted: int
    """Samples that verdicts or published counts tell of."""
    truncated: int
    """Of the traces stored."""

    @property
    def cut(self) -> float | None:
        """Share of the stored traces that ended at a length limit; whether the file tells so is another thing."""
        return self.truncated / self.samples if self.samples else None

    @property
    def without_answer(self) -> float | None:
        return None if self.no_answer is None or not self.judged else self.no_answer / self.judged

    @property
    def is_part(self) -> bool:
        return 0 < self.samples < self.counted


def run_health(counts: Iterable[Count], of_problems: int) -> RunHealth:
    """counts: all of one run's; of_problems: how many the benchmark has."""
    counts = list(counts)
    telling = [count for count in counts if not count.published and count.verifier is not None]
    no_answer, error = (sum(getattr(count, name) for count in counts) for name in ("no_answer", "error"))
    tells = any(count.verifier != IMPORTED for count in telling)
    return RunHealth(
        problems=sum(count.n > 0 for count in counts),
        of_problems=of_problems,
        judged=sum(count.n for count in counts),
        no_answer=no_answer if tells or no_answer else None,
        error=error if tells or error else None,
        unjudged=sum(count.unjudged for count in counts),
        samples=sum(count.samples for count in counts),
        counted=sum(count.counted for count in counts),
        truncated=sum(count.truncated for count in counts),
    )


def cut_share(health: RunHealth, drawn: RunDrawn | None) -> float | None:
    """The share of truncated traces; None where there are none, or the file does not say how they ended.

    drawn: None while it has not been read.
    """
    return None if drawn is None or not (drawn.ends_known or health.truncated) else health.cut


def mean_chars(drawn: RunDrawn | None) -> float | None:
    return None if drawn is None else drawn.chars / drawn.samples


def health_parts(health: RunHealth, drawn: RunDrawn | None, labels: int | None) -> list[Line]:
    """Everything of a run in words, what casts doubt first; each part with its denominator.

    labels: traces with a person's label; None while they are being counted.
    """
    loud = [*_without_traces(health), *_cut(health, drawn), *_errors(health), *_open(health)]
    if not health.samples:
        return loud
    quiet = [*_quiet_cut(health, drawn), *_answers(health)]
    mean = mean_chars(drawn)
    length = "…" if drawn is None else NONE if mean is None else f"{mean:,.0f}"
    given = "…" if labels is None else f"{counted(labels, 'trace')} labelled"
    return [*loud, *quiet, [dim("mean length "), plain(f"{length} chars")], [plain(given)]]


def _without_traces(health: RunHealth) -> list[Line]:
    if not health.samples and health.counted:
        return [[("‼ counts only", Tone.WARN), dim(": no traces, so nothing is known of cuts, answers and lengths")]]
    if not health.samples:
        return [[("no samples", Tone.WARN)]]
    if health.is_part:
        return [[(f"‼ {health.samples:,} of {health.counted:,} traces stored", Tone.WARN)]]
    return []


def _cut(health: RunHealth, drawn: RunDrawn | None) -> list[Line]:
    cut = cut_share(health, drawn)
    if cut is None or cut < MANY_CUT:
        return []
    return [[(f"‼ {percent(cut)} % truncated", Tone.WARN), dim(f" of {health.samples:,}")]]


def _quiet_cut(health: RunHealth, drawn: RunDrawn | None) -> list[Line]:
    cut = cut_share(health, drawn)
    if drawn is None:
        return [[dim("truncated …")]]
    if cut is None:
        return [[dim("truncated – "), dim("(the file does not say how responses ended)")]]
    return [] if cut >= MANY_CUT else [[plain(f"{percent(cut)} % truncated"), dim(f" of {health.samples:,}")]]


def _answers(health: RunHealth) -> list[Line]:
    if not health.judged:
        return []
    if health.without_answer is None:
        return [[dim("no answer – "), dim("(the file says right or wrong)")]]
    return [[plain(f"∅ {percent(health.without_answer)} % no answer"), dim(f" of {health.judged:,}")]]


def _errors(health: RunHealth) -> list[Line]:
    return [[(f"‼ {health.error:,} error", Tone.WARN), dim(f" of {health.counted:,}")]] if health.error else []


def _open(health: RunHealth) -> list[Line]:
    found: list[Line] = []
    if health.unjudged:
        found.append([(f"‼ {health.unjudged:,} unjudged", Tone.WARN)])
    if 0 < health.problems < health.of_problems:
        found.append([(f"{health.problems:,} of {counted(health.of_problems, 'problem')} judged", Tone.WARN)])
    return found
