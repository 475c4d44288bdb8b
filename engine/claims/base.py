"""What a claim is and what is found of it.

A claim of the field is one function, from a `Ground` (engine/claims/ground.py) to what is found: a row for each pair of runs it
speaks of. It never presumes that the claim holds: the same function says "supported" of one study, "contradicted" of another.
Where the study lacks what the claim needs, the row says "cannot tell", names what is missing and the command that brings it.

Standard library only: screens show findings without a numeric library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LEVEL: Final = 0.95

LARGE_K: Final = 64
"""The least k that counts as large: the fewest samples a problem has anywhere in the paper's own study."""


class Finding(StrEnum):
    """What the data say of a claim."""

    SUPPORTED = "supported"
    NOT_SIGNIFICANT = "not significant"
    """The data allow both."""
    CONTRADICTED = "contradicted"
    CANNOT_TELL = "cannot tell"
    """Something is missing; the reason names it."""


class Unit(StrEnum):
    """What a statistic's value is in."""

    POINTS = "points"
    """The value is a difference of shares: 0.134 is 13.4 points."""
    SHARE = "%"
    """The value is a share: 0.134 is 13.4 %."""
    PROBLEMS = "problems"
    RATIO = "×"


_SHOWN: Final = {Unit.POINTS: (100, 1), Unit.SHARE: (100, 1), Unit.PROBLEMS: (1, 1), Unit.RATIO: (1, 3)}
"""How a value is shown: what it is multiplied with, and decimals."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement of the field, in neutral words."""

    name: str
    sentence: str
    source: str
    """Who says so, and where."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with the ends of its interval and a two-sided p-value."""

    value: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured for a claim, and what its own test says of it."""

    statistic: str
    estimate: Estimate
    finding: Finding
    unit: Unit = Unit.POINTS
    p_of: str | None = None
    """What the p-value is of, where it is not of the statistic."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is found of one claim, for one pair of runs or for the board as a whole."""

    claim: Claim
    base: str | None
    """Slug of the run compared with, or a published model's name; None where the claim could not be put to any run."""
    other: str | None
    statistic: str
    """What `value` is; "" where nothing could be measured."""
    value: float | None
    low: float | None
    """Ends of the interval of the level asked for; None where there is none."""
    high: float | None
    p_value: float | None
    """Of this row's own test, alone, whichever way it points; None where nothing was tested."""
    q_value: float | None
    """The same among all rows found with it (Benjamini-Hochberg); None until then."""
    finding: Finding
    reason: str
    """One sentence, with k, n, problems and denominators."""
    settings: str
    unit: Unit = Unit.POINTS
    k: int | None = None
    problems: int | None = None
    p_of: str | None = None
    """What p and q are of, where that is not the statistic: of a claim with several parts, the part that decides. None else."""

    @property
    def figure(self) -> str:
        """The value with its unit and interval, as people read it; "" where there is none."""
        if self.value is None:
            return ""
        told = f"{self._shown(self.value)} {self.unit}"
        if self.low is None or self.high is None:
            return told
        return f"{told} ({self._shown(self.low)} to {self._shown(self.high)})"

    def _shown(self, value: float) -> str:
        scale, digits = _SHOWN[self.unit]
        if self.unit is Unit.PROBLEMS and value == round(value):
            return str(round(value))
        return f"{round(value * scale, digits) + 0.0:.{digits}f}"


def found(
    claim: Claim,
    reason: str,
    settings: str,
    measured: Measured | None = None,
    *,
    runs: tuple[str | None, str | None] = (None, None),
    k: int | None = None,
    problems: int | None = None,
) -> Found:
    """A row of what was measured; without that, of what cannot be told. runs: names of base and other."""
    of = None if measured is None else measured.estimate
    return Found(
        claim=claim,
        base=runs[0],
        other=runs[1],
        statistic="" if measured is None else measured.statistic,
        value=None if of is None else of.value,
        low=None if of is None else of.low,
        high=None if of is None else of.high,
        p_value=None if of is None else of.p_value,
        q_value=None,
        finding=Finding.CANNOT_TELL if measured is None else measured.finding,
        reason=reason,
        settings=settings,
        unit=Unit.POINTS if measured is None else measured.unit,
        k=k,
        problems=problems,
        p_of=None if measured is None else measured.p_of,
    )


def once(rows: Sequence[Found]) -> tuple[list[Found], list[list[Found]]]:
    """The rows to be told one by one, and those that say the same of several claims and of no run: by what they say."""
    same: dict[str, list[Found]] = {}
    for row in rows:
        if row.finding is Finding.CANNOT_TELL and row.base is None and row.other is None:
            same.setdefault(row.reason, []).append(row)
    shared = [of for of in same.values() if len(of) > 1]
    reasons = {of[0].reason for of in shared}
    apart = [row for row in rows if row.reason not in reasons or row.base is not None or row.other is not None]
    return apart, shared


def by_sign(value: float, p_value: float, alpha: float) -> Finding:
    """The finding of a two-sided test of a claim that says `value` is positive."""
    if p_value > alpha or value == 0:
        return Finding.NOT_SIGNIFICANT
    return Finding.SUPPORTED if value > 0 else Finding.CONTRADICTED


def of_two(supports: float, contradicts: float, alpha: float) -> tuple[Finding, float]:
    """The finding of two one-sided tests and their p-value together: Bonferroni's, so that looking both ways costs nothing."""
    p_value = min(1.0, 2 * min(supports, contradicts))
    if p_value > alpha:
        return Finding.NOT_SIGNIFICANT, p_value
    return (Finding.SUPPORTED if supports < contradicts else Finding.CONTRADICTED), p_value


def counted(count: int, one: str) -> str:
    """1 problem, 2 problems."""
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def points(share: float) -> str:
    """A difference of shares as people say it: 13.4 points."""
    return f"{round(100 * share, 1) + 0.0:.1f} points"


def percent(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f} %"


def number(size: float) -> str:
    """A number of problems: whole, or expected with one decimal."""
    return f"{size:.1f}".removesuffix(".0")
