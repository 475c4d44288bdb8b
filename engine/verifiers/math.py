r"""The verifier `math`: the last box of a response against the reference answer.

    with MathVerifier() as verifier:
        verdicts = verifier.judge([Question(r"... so \boxed{0.5}", "1/2")])     # CORRECT, route "boxed, number"

Only a box is an answer: no last number, no answer line, no guess at a truncated response. Without a box that holds
something the outcome is NO_ANSWER, whatever the reference is. Routes: "no box", "boxed, text", "boxed, number",
"boxed, math-verify". What cannot be decided is ERROR, never INCORRECT: a reference that is blank or that Math-Verify cannot
read, a comparison past its deadline or its memory.

An answer of more than LONGEST_ANSWER characters is INCORRECT unseen. It is a response that went astray inside its box; as an
ERROR it would leave n, and the rate would rise with every one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Final, Self

from engine.verifiers.base import Question
from engine.verifiers.boxed import Box, final_box
from engine.verifiers.equality import cheap_equal
from engine.verifiers.worker import MathVerifyPool
from store.types import Finish, Outcome, Verdict

RULES: Final = 1
"""Version of our own rules. Add one with every change that could change a verdict."""

LONGEST_ANSWER: Final = 2000

Pair = tuple[str, str]
"""Reference and answer."""


@dataclass(frozen=True, slots=True)
class _Ruling:
    """What is said of every sample with this reference and this answer."""

    outcome: Outcome
    route: str
    detail: str | None = None


class MathVerifier:
    """Compares boxed answers by text, then as exact numbers, then with Math-Verify in worker processes."""

    name: Final = "math"

    def __init__(self, pool: MathVerifyPool | None = None) -> None:
        self._pool = pool or MathVerifyPool()
        # A plain dict: a million samples hold some thousand distinct pairs, a few hundred bytes each.
        self._rulings: dict[Pair, _Ruling] = {}

    @cached_property
    def version(self) -> str:
        """Of our rules and of Math-Verify, e.g. "1+math-verify-0.9.0"."""
        return f"{RULES}+math-verify-{version('math-verify')}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pool.close()

    def judge(self, items: Sequence[Question]) -> list[Verdict]:
        """One verdict for each question, in order; each distinct pair of reference and answer is compared once."""
        answers = [final_box(item.response) for item in items]
        asked = dict.fromkeys((item.reference, box.content) for item, box in zip(items, answers, strict=True) if box)
        self._decide([pair for pair in asked if pair not in self._rulings])
        return [self._verdict(item, box) for item, box in zip(items, answers, strict=True)]

    def _decide(self, pairs: Sequence[Pair]) -> None:
        """Rule on each pair: here where that is cheap, all others together in the pool."""
        undecided = []
        for pair in pairs:
            if ruling := _cheap_ruling(*pair):
                self._rulings[pair] = ruling
            else:
                undecided.append(pair)
        for pair, comparison in zip(undecided, self._pool.judge(undecided), strict=True):
            self._rulings[pair] = _Ruling(_outcome(comparison.equal), "boxed, math-verify", comparison.detail)

    def _verdict(self, item: Question, box: Box | None) -> Verdict:
        if box is None:
            truncated = item.finish is Finish.LENGTH
            return Verdict(Outcome.NO_ANSWER, "no box", detail="truncated" if truncated else None)
        ruling = self._rulings[item.reference, box.content]
        return Verdict(ruling.outcome, ruling.route, box.content, (box.start, box.end), ruling.detail)


def _cheap_ruling(reference: str, answer: str) -> _Ruling | None:
    """What needs no computer algebra, or None."""
    if not reference.strip():
        return _Ruling(Outcome.ERROR, "boxed, text", "the reference is blank")
    if len(reference) > LONGEST_ANSWER:
        return _Ruling(Outcome.ERROR, "boxed, text", f"the reference has {len(reference):,} characters")
    if len(answer) > LONGEST_ANSWER:
        return _Ruling(Outcome.INCORRECT, "boxed, text", f"the answer has {len(answer):,} characters")
    decided = cheap_equal(reference, answer)
    return decided and _Ruling(_outcome(decided[0]), f"boxed, {decided[1]}")


def _outcome(equal: bool | None) -> Outcome:
    if equal is None:
        return Outcome.ERROR
    return Outcome.CORRECT if equal else Outcome.INCORRECT
