r"""Suspicion of luck, from the text of one response: why a right answer may not stand on its chain.

    suspicions(response, answer="73", span=(5120, 5122), statement="...")   ->  reasons, each with its place and a sentence
    suspicion(reasons)                                                      ->  one number in [0, 1] to order traces by

Nothing here asks a model, and nothing is a verdict: a reason is grounds for reading the trace. What stands past the answer's
segment (an invented next question) is not looked at. Linear time; a response may be any text.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.luck.answered import answered
from engine.luck.base import Kind, Reason
from engine.luck.changed import changed, common_wrong
from engine.luck.derivation import no_chain, underived
from engine.luck.equalities import false_equalities
from engine.luck.phrases import answer_aware, guesses
from engine.luck.rewrites import false_rewrites
from engine.luck.score import RETRACTED, WEIGHTS, suspicion

__all__ = ["RETRACTED", "WEIGHTS", "Kind", "Reason", "suspicion", "suspicions"]


def suspicions(
    response: str,
    answer: str | None = None,
    span: tuple[int, int] | None = None,
    reference: str | None = None,
    statement: str | None = None,
    wrong_answers: Sequence[str] = (),
) -> list[Reason]:
    """What speaks for luck in this response, in order of place.

    answer, span: the answer as the verifier read it, and where (characters); without them the last box counts, else the last
    line that states an answer. reference: looked for where nothing states an answer. statement: the problem's, so that what is
    copied from it counts as no derivation. wrong_answers: one for each wrong chain of the same problem.
    """
    text, of = answered(response, answer, span, reference, statement)
    found = [*false_equalities(text), *false_rewrites(text), *guesses(text, statement), *answer_aware(text, statement)]
    if of is not None:
        found += no_chain(of) or underived(of)
        found += [*changed(of), *common_wrong(of.answer, wrong_answers)]
    return sorted(found, key=lambda reason: (reason.start, reason.end, reason.kind))
