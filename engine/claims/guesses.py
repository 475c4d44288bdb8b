"""The claim that problems which only base solves are no lucky guesses.

The chance g to guess a problem right is known in one of two ways: from a run of direct answers, where somebody names one, as
(c + 1/2) / (n + 1); else from the spread of base's own wrong answers, as the chance that two of them agree. A slip that is made
again and again raises the latter, so it can show that a problem is no guess, never that it is one. Each base-only problem's c
is held against what guessing gets in n, g known no better than it is, given that c is large enough for the problem to count as
solved (`engine.analyses.guess.against_guessing`): without that condition any problem chosen for its c > 0 looks like more.

Per problem, clearly above guessing, guessing suffices (clearly not above), or neither; q-values over these problems.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from engine.analyses.coverage import least_right
from engine.analyses.guess import Chance, Guessable, against_guessing, chance_of_direct, guessable
from engine.analyses.many import adjusted
from engine.answers import Classes, answer_classes, guess_chance
from engine.claims import sizes
from engine.claims.base import LARGE_K, LEVEL, Claim, Estimate, Finding, Found, Measured, Unit, counted, of_two
from engine.claims.ground import Ground, Pair
from engine.summary import cover
from store.rows import ProblemRow

Values = NDArray[np.float64]

MOST: Final = 0.5

GUESSES: Final = Claim(
    "not-guesses",
    "Most problems that only base solves are solved more often than by guessing.",
    "Yue et al. 2025 (2504.13837), section 3 and appendix, against the critics' lucky guesses",
)


@dataclass(frozen=True, slots=True)
class Held:
    """Base-only problems held against guessing."""

    above: int
    suffices: int
    problems: int


def not_guesses(ground: Ground) -> list[Found]:
    """Share of base-only problems clearly above guessing, tested against MOST; contradicted where, by direct answers, guessing
    clearly suffices for most of them."""
    return ground.over_pairs(GUESSES, _not_guesses)


def held_against(n: ArrayLike, c: ArrayLike, guess: ArrayLike, k: int, level: float = LEVEL, told: ArrayLike = np.inf) -> Held:
    """n, c: whole numbers [problems] of problems that count as solved at k; guess: their g, each in [0, 1]; told: how many
    trials each g is known from, as in `engine.analyses.guess.Chance`.

    Raises ValueError for a problem that is not solved at k: the test would not be of what was chosen.
    """
    totals, correct = np.asarray(n, dtype=np.int64), np.asarray(c, dtype=np.int64)
    least = np.array([least_right(n, k) for n in totals.tolist()], dtype=np.int64)
    if (correct < least).any():
        raise ValueError(f"a problem is not solved at k = {k}: give those alone that are")
    clear = [int((adjusted(p) <= 1 - level).sum()) for p in against_guessing(totals, correct, guess, told, least)]
    return Held(clear[0], clear[1], len(totals))


def of_problems(held: Held, level: float = LEVEL) -> tuple[Estimate, Finding]:
    """The share above guessing, its interval, and what is found."""
    low, high = sizes.share_interval(held.above, held.problems, level)
    supports, contradicts = (sizes.p_at_least(number, held.problems, MOST) for number in (held.above, held.suffices))
    finding, p_value = of_two(supports, contradicts, 1 - level)
    return Estimate(held.above / held.problems, low, high, p_value), finding


def _not_guesses(ground: Ground, pair: Pair) -> Found:
    if pair.k < LARGE_K:
        return ground.cannot_tell(GUESSES, ground.too_few("base-only is a matter of large k", pair.k, len(pair.keys)), pair)
    sets = cover(ground.board, pair.base, pair.other)
    if not sets.base_only:
        none = f"no problem of {len(pair.keys)} is solved by {pair.base.name} only at k = {sets.k}, so none can be a guess"
        return ground.cannot_tell(GUESSES, f"{none}; `basebound sample {ground.study.path}` may find some", pair)
    rates, how = _rates(ground, pair)
    known = [key for key in sets.base_only if key in rates]
    if not known:
        return ground.cannot_tell(GUESSES, _unknown(ground, pair, len(sets.base_only)), pair)
    at = [pair.keys.index(key) for key in known]
    n, c = ([counts[i] for i in at] for counts in (pair.base_n, pair.base_c))
    chances = [rates[key] for key in known]
    g, told = [chance.value for chance in chances], [chance.told for chance in chances]
    held = held_against(n, c, g, sets.k, ground.level, told)
    held = held if ground.direct else replace(held, suffices=0)
    estimate, finding = of_problems(held, ground.level)
    reason = (
        f"{pair.base.name} alone solves {len(sets.base_only)} of {pair.size} at k = {sets.k}; of"
        f" {len(known)} the chance to be guessed is known, {how}; {held.above} of these {_is(held.above)} solved clearly more"
        f" often than guessing would{_the_rest(ground, held)}"
    )
    of = "the share for which guessing suffices" if held.suffices > held.above else None
    return ground.found(GUESSES, pair, Measured("share above guessing", estimate, finding, Unit.SHARE, of), reason)


def _the_rest(ground: Ground, held: Held) -> str:
    if ground.direct:
        return f", and for {held.suffices} guessing would do"
    return "; wrong answers that agree can show that a problem was not guessed, never that it was"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _rates(ground: Ground, pair: Pair) -> tuple[dict[str, Chance], str]:
    """By key, the chance to guess the problem, and how it is known."""
    if ground.direct is not None:
        return _from_direct(ground), f"from {ground.direct.name}'s direct answers"
    classes = answer_classes(ground.study, ground.board.benchmark, ground.verifier)
    found = {problem.key: _rate(ground, pair, problem, classes) for problem in ground.board.problems}
    return {key: rate for key, rate in found.items() if rate is not None}, "from how often two of its wrong answers agree"


def _rate(ground: Ground, pair: Pair, problem: ProblemRow, classes: Classes) -> Chance | None:
    """None where nothing tells, and where the stored traces are a part of what was counted: they may have been chosen by their
    answers."""
    place = pair.base.run_id, problem.problem_id
    answers, cell = classes.get(place), ground.board.cells.get(place)
    return guess_chance(answers) if answers is not None and cell is not None and answers.n == cell.n else None


def _from_direct(ground: Ground) -> dict[str, Chance]:
    """Easy problems are known rather than guessed: they have no chance to guess."""
    if ground.direct is None:
        return {}
    cells = (
        (problem.key, ground.board.cells.get((ground.direct.run_id, problem.problem_id))) for problem in ground.board.problems
    )
    counts = {key: (cell.n, cell.correct) for key, cell in cells if cell is not None and cell.n}
    kinds = guessable([n for n, _ in counts.values()], [c for _, c in counts.values()])
    kept = (one for one, kind in zip(counts.items(), kinds, strict=True) if kind is not Guessable.EASY)
    return {key: chance for key, (n, c) in kept if (chance := chance_of_direct(n, c)) is not None}


def _unknown(ground: Ground, pair: Pair, number: int) -> str:
    return (
        f"nothing tells how easily the {counted(number, 'problem')} that only {pair.base.name} solves are guessed: it takes"
        " different wrong answers among all its traces (a part of them may have been chosen by their answers;"
        f" `basebound import {ground.study.path} FILE` brings the rest), or a run of direct answers, named with --direct RUN"
    )
