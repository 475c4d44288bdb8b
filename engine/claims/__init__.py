"""The claims of the field, each a function from a study to a statistic, a finding and a reason. CLAIMS is the table.

    claims(study, board)             every claim, for every pair of runs that the roles tell
    claims(study, board, base, other)           for these two

What a single test would call supported or contradicted is so only where it stays below 1 - level among all tests made with it
(Benjamini-Hochberg over claims and pairs of one benchmark): the more one asks, the more evidence each answer takes.

Benjamini and Hochberg's rule bounds the share of false findings where the tests are independent or positively dependent (PRDS).
Claims about the same runs are dependent: those that rest on the same rise or loss positively, the two ends of a curve that
crosses not surely. Positive dependence is assumed and not shown; `engine.analyses.many.adjusted_any` (Benjamini and Yekutieli)
assumes nothing and takes more evidence for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Final, cast

from engine.board import Board
from engine.claims.base import LEVEL, Claim, Finding, Found
from engine.claims.ground import Ground
from store.reader import Study
from store.rows import RunRow

__all__ = ["CLAIMS", "Claim", "Finding", "Found", "among_all", "claims"]

CLAIMS: Final = {
    "raises-pass-at-1": "engine.claims.curves:raises_pass_at_1",
    "base-catches-up": "engine.claims.curves:base_catches_up",
    "within-base": "engine.claims.coverage:within_base",
    "coverage-shrinks": "engine.claims.coverage:coverage_shrinks",
    "gap-stays-large": "engine.claims.curves:gap_stays_large",
    "algorithms-alike": "engine.claims.series:algorithms_alike",
    "longer-training": "engine.claims.series:longer_training",
    "distillation-beyond": "engine.claims.curves:distillation_beyond",
    "likely-under-base": "engine.claims.likelihood:likely_under_base",
    "reachable-from-base": "engine.claims.likelihood:reachable_from_base",
    "accuracy-to-the-ends": "engine.claims.accuracy:accuracy_to_the_ends",
    "valid-chains": "engine.claims.chains:valid_chains",
    "not-guesses": "engine.claims.guesses:not_guesses",
    "other-temperatures": "engine.claims.series:other_temperatures",
}
"""Where each claim's function is: it is imported when the claim is judged."""

Judge = Callable[[Ground], list[Found]]


def claims(
    study: Study,
    board: Board,
    base: RunRow | None = None,
    other: RunRow | None = None,
    level: float = LEVEL,
    seed: int = 0,
    direct: RunRow | None = None,
) -> list[Found]:
    """What is found of every claim, in the table's order, with q-values over all that was tested.

    base, other: the runs to compare; where None, the roles and parents of the board's runs tell, and every RL run is judged.
    direct: a run of direct answers, without a chain of thought, which tells how easily problems are guessed.
    Claims about several runs at once look at all runs of their kind. Raises ValueError for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    ground = Ground(study, board, base, other, direct, level, seed)
    return among_all([found for name in CLAIMS for found in _judge(name)(ground)], level)


def among_all(found: Sequence[Found], level: float) -> list[Found]:
    """The same rows with their q-values; a finding that only a test of its own would give becomes "not significant"."""
    from engine.analyses.many import adjusted

    tested = [row.p_value for row in found if row.p_value is not None]
    q_values = dict(zip(tested, adjusted(tested).tolist(), strict=True))
    return [row if row.p_value is None else _weighed(row, q_values[row.p_value], len(tested), level) for row in found]


def _weighed(row: Found, q_value: float, tests: int, level: float) -> Found:
    if row.finding not in (Finding.SUPPORTED, Finding.CONTRADICTED) or q_value <= 1 - level:
        return replace(row, q_value=q_value)
    reason = f"{row.reason}; p = {row.p_value:.3g} would do for one test, not among {tests} (q = {q_value:.3g})"
    return replace(row, q_value=q_value, finding=Finding.NOT_SIGNIFICANT, reason=reason)


def _judge(name: str) -> Judge:
    module, _, function = CLAIMS[name].partition(":")
    return cast(Judge, getattr(import_module(module), function))
