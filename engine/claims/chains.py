"""The claim that base's right answers to hard problems are reasoned: at least one sound chain for most of them, by audits.

The published protocol: of problems with accuracy above 0 and below 5 %, read ALL right answers and report how many problems
have at least one valid chain. A problem with a sound chain is settled by that one; a problem without is settled only once all
its right answers were read and none is undecided. What is unsettled counts as without for "supported" and as with for
"contradicted". Labels are people's, never a model's, and traces on which people disagree are undecided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.auditing.chains import Chain, protocol
from engine.auditing.labels import Labels, read_labels
from engine.claims import sizes
from engine.claims.base import LEVEL, Claim, Estimate, Finding, Found, Measured, Unit, counted, of_two
from engine.claims.ground import Ground
from store.rows import RunRow

HARD: Final = 0.05
"""Accuracy above 0 and below this makes a problem hard; the published protocol's."""
MOST: Final = 0.5

VALID: Final = Claim(
    "valid-chains",
    "Base's right answers to most hard problems include a valid chain of thought.",
    "Yue et al. 2025 (2504.13837), section 3, manual audit",
)


@dataclass(frozen=True, slots=True)
class Audit:
    """Hard problems of one run: with a valid chain, without one, and those that nobody has settled."""

    valid: int
    without: int
    unsettled: int

    @property
    def problems(self) -> int:
        return self.valid + self.without + self.unsettled


def valid_chains(ground: Ground) -> list[Found]:
    """Share of a base run's hard problems with a sound chain, tested against MOST."""
    labels = read_labels(ground.study, ground.board.benchmark, verifier=ground.verifier)
    return [_valid(ground, run, labels) for run in ground.bases()] or [ground.cannot_tell(VALID, ground.no_pair())]


def of_hard_problems(audit: Audit, level: float = LEVEL) -> tuple[Estimate, Finding]:
    """The share with a valid chain, its interval with everything unsettled counted the unfavourable way, and the finding.

    Raises ValueError where there is no hard problem.
    """
    if not audit.problems:
        raise ValueError("there is no hard problem to take a share of")
    few, most = audit.valid, audit.valid + audit.unsettled
    low, _ = sizes.share_interval(few, audit.problems, level)
    _, high = sizes.share_interval(most, audit.problems, level)
    tests = sizes.p_at_least(few, audit.problems, MOST), sizes.p_at_most(most, audit.problems, MOST)
    finding, p_value = of_two(*tests, 1 - level)
    return Estimate(audit.valid / audit.problems, low, high, p_value), finding


def _valid(ground: Ground, run: RunRow, labels: Labels) -> Found:
    [row] = protocol(ground.study, ground.board, labels, [run], HARD)
    hard = f"{counted(len(row.chains), 'hard problem')} (accuracy above 0 and below {100 * HARD:g} %)"
    if not row.chains:
        few = f"{run.name} has no hard problem (accuracy above 0 and below {100 * HARD:g} %) of {len(ground.board.counts(run))}"
        return ground.of_run(VALID, run, f"{few}: more samples with `basebound sample {ground.study.path}` may show some")
    if not row.audited:
        db = ground.study.path
        read = (
            f"`basebound audit queue {db} --by protocol` lists them, and `basebound audit import {db} FILE` brings labels as"
            " `basebound audit export` writes them"
        )
        first = "" if row.stored else f"import the traces with `basebound import {ground.study.path} FILE` and "
        missing = (
            f"nobody has labelled the {row.to_audit:,} right answers of {run.name} to its {hard}, {row.stored:,} of them stored"
        )
        return ground.of_run(VALID, run, f"{missing}: {first}{read}")
    unsettled = row.count(Chain.AMBIGUOUS) + row.count(Chain.OPEN)
    audit = Audit(row.count(Chain.VALID), row.count(Chain.NONE), unsettled)
    estimate, finding = of_hard_problems(audit, ground.level)
    reason = (
        f"of {hard} of {run.name} {audit.valid} have a valid chain, {audit.without} have none, and {unsettled} are unsettled,"
        f" which the interval counts both ways; {row.audited:,} of {row.to_audit:,} right answers were read ({labels.told})"
    )
    return ground.of_run(VALID, run, reason, Measured("share with a valid chain", estimate, finding, Unit.SHARE))
