r"""What a response says itself: that it guesses, or that it was told the answer.

    guesses("I can't finish this, so I'll guess 12.")                     ->  one Reason, GUESS, at "I'll guess"
    answer_aware("This agrees with the solution provided by the user.")   ->  one Reason, ANSWER_AWARE

Each phrase must be about the response's own answer: "his guess was 80 beans", "an initial guess for Newton's method", "the
given answer choices" and "we know that the answer is an integer" are none. A guess that the text goes on to check ("works",
"let me verify") is trial and error and none either; so is a phrase with "not" before it. A phrase that the problem's statement
holds is the problem's own. "The most likely answer" is none: on labelled chains it is how options are compared, and no sign of
error.

Every repetition is bounded, so hostile input takes linear time. English only: in other languages nothing is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Final

from engine.luck.base import Kind, Reason

CHECKED_WITHIN: Final = 600
"""Characters after a guess in which its check must begin."""
LEFT_BEHIND: Final = 2000
"""Characters after a guess; a text that goes on longer does not end on it."""

# In these tables a space is any white space, ' either apostrophe, and a name in <> one of the pieces below.
_PIECES: Final = {
    "I will": r"\b(?:I|we)(?:'(?:ll|d|m|re|ve)| (?:will|would|can|could|must|may|might|am|are|have|had|just|simply|make|take))",
    "I": r"(?:<I will>|\b(?:I|we))",
    "let": r"\b(?:let(?:'s| us| me)|(?:I|we)(?:'ll| will| can| could| must)?)",
    "answer": r"(?:final |correct |right |numerical )?(?:answer|option|choice)\b(?! (?:choices|options|format|key))",
    "choices": r"(?: (?:choices?|options?|format|sets?)\b)",
    "of a form": (
        r"(?: (?:not|n't|an?|the (?:form|same|sum|product|number)|in|of|at|either|positive|negative|non|between|even|odd|whole"
        r"|integer|less|greater|larger|smaller|more|divisible|one|independent|unique|invariant|given by)\b)"
    ),
    "given": r"(?:provided|given|supplied|reference|official|expected|stated|claimed|known|target|ground.truth|gold|intended)",
    "source": r"(?:reference|official|expected|ground.truth|gold|intended|user's|provided|supplied|model)",
    "somebody": (
        r"(?:the |our )?(?:user|asker|prompt|author|teacher|dataset|textbook|person|problem (?:setter|author)|instructions?"
        r"|you)\b"
    ),
    "says": r"(?:says|states|claims|gives|concludes|uses|shows|has|arrives|finds|notes|goes|indicates|lists)\b",
}

_GUESSES: Final = {
    "it says that it guesses": [
        r"<I will>(?: (?:just|simply|only|now|then|randomly|going to|have to|to|be|make|take|forced to)){0,4}"
        r"(?: (?:a|an|my|our))?(?: (?:wild|random|educated|best|lucky|rough))? guess(?:ing)?\b(?! and)",
        r"\bI guess (?:that )?(?:the <answer>|it(?:'s| is)\b|\$?[0-9]|option\b|\\boxed)",
        r"\blet(?:'s| us| me) (?:just )?(?:guess|take a guess)\b(?! and)",
    ],
    "it calls its answer a guess": [
        r"\b(?:my|our|the|a|an) (?:best|final|wild|random|educated|lucky|rough|pure|blind) guess\b(?! and)",
        r"\b(?:just|only|purely|as) a guess\b|\b(?:my|our) guess (?:is|would be|for the answer)\b",
    ],
    "it assumes the answer": [
        r"<let> (?:just |simply )?(?:assume|suppose|say|pretend|hope|conjecture) (?:that )?(?:the|our) <answer>"
        r" (?:is|would be|must be|to be|=)(?!<of a form>)(?! \$?[a-zA-Z]\b)",
    ],
    "it picks by chance": [
        r"\b(?:pick|choose|select)(?:ing|ed|s)? [^.]{0,40}?\b(?:answer|option|choice|one)\b[^.]{0,20}? "
        r"(?:at random|randomly|arbitrarily)\b",
    ],
    "it calls its answer likely, no more": [
        r"\banswer (?:is|would be) (?:likely|probably|presumably)\b(?! (?:not|to (?:be )?an?)\b)",
        r"\b(?:probably|presumably|likely) (?:that )?the <answer> (?:is|would be)(?!<of a form>)",
        r"(?<!most\s)(?<!more\s)\b(?:likely|probable) answer (?:is|would be)(?!<of a form>)",
        r"\bby (?:trial (?:and|&) error|guess(?:ing|work)?(?: and check)?)\b"
        r"(?=[^.]{0,80}\b(?:probably|likely|seems?|appears?)\b)",
    ],
    "it gives an answer that it says it cannot derive": [
        r"\b(?:can(?:not|'t)|could(?:n't| not)|unable to|not able to) (?:be )?(?:actually |exactly |fully |really )?"
        r"(?:derive|solve|prove|compute|calculate|determine|figure|finish|complete|find)d?\b[^.]{0,80}[.,;] "
        r"(?:so|but|therefore|thus|hence|however)\b[^.]{0,60}\b(?:choose|pick|go with|assume|guess)\b",
    ],
}

_TOLD: Final = {
    "it speaks of a solution or an answer that somebody gave it": [
        r"\b(?:solution|answer|result|response)s? (?:(?:that|which) )?(?:(?:was|is|were|has been|you) )?"
        r"(?:provided|given|supplied|shared|presented|submitted|stated|suggested) by <somebody>",
        r"\buser (?:(?:has|had|also|already) )?(?:provided|gave|given|supplied|stated|submitted|wrote|claims?|says|said"
        r"|proposed) [^.]{0,50}?\b(?:answer|solution)\b(?!<choices>)",
        r"\buser's (?:provided |given |final |own )?(?:answer|solution|reasoning|derivation)\b(?!<choices>)",
        r"\byour (?:provided |given |final )?(?:answer|solution) (?:is|says|matches|states|of)\b",
    ],
    "it cites an answer that it was given": [
        r"\b<given> (?:final |correct |numerical )?answer(?: (?:is|was|of|being|must|should|above|here|<says>)\b|:)"
        r"(?!<of a form>)(?! (?:to be (?:an?|in)|likely|probably|perhaps|maybe)\b)",
        r"\b(?:reference|official|ground.truth|gold|model|user's) solution "
        r"(?:says|states|claims|concludes|arrives|uses|finds|notes)\b",
        r"\banswer key (?:<says>|is\b)",
        r"\baccording to the (?:answer key|official (?:answer|solution)|reference (?:answer|solution)"
        r"|(?:given|provided|known) answer)\b(?!<choices>)",
        r"\bthe answer (?:is supposed to be|was given as|is known to be|is stated to be|provided is|given is)(?!<of a form>)",
    ],
    "it compares its work with an answer that it was given": [
        r"\b(?:match(?:es|ing)?|agree(?:s|ing)? with|consistent with|equals?|same as|in (?:line|agreement) with|confirms?|reach"
        r"|obtain|get to|arrive at|contradicts?|differ(?:s|ent)? (?:from|to)|align(?:s|ed)? with|compar(?:e|ed|ing) (?:with|to)"
        r"|validates?) (?:the|that|their|your|this) (?:<given> (?:final |correct )?answer|<source> (?:final )?solution"
        r"|user's (?:answer|solution)|answer key)\b(?!<choices>)",
        r"\bwork(?:ing)? backwards? from (?:the|this|that) (?:\w{1,12} )?(?:answer|solution)\b(?!<choices>)",
    ],
    "it knows the answer beforehand": [
        r"<I> (?:already |do )?(?:know|knew|recall|remember|happen to know) (?:that )?the <answer>"
        r" (?:is|was|should be|must be|has to be|to be)(?!<of a form>)",
        r"<I> (?:recall|remember) [^.]{0,60}\b(?:the answer (?:is|was|being|to (?:this|that|it))|with answer)\b",
        r"\bsince (?:the )?(?:correct )?answer is (?:already )?(?:known|given|provided)\b(?! (?:as|in|by)\b)",
    ],
}

_CHECKED: Final = re.compile(
    r"\b(?:check(?:ing|ed|s)?|verif(?:y|ies|ied|ying|ication)|confirm(?:s|ed|ing)?|indeed|works|satisf(?:y|ies|ied|ying)"
    r"|substitut(?:e|es|ed|ing)|plug(?:ging)?|test(?:ing)?|prove|proof)\b",
    re.IGNORECASE,
)
_NOT: Final = re.compile(
    r"(?:\bnot|n['’]t|\bcannot|\bnever|\bno|\bwithout|\brather\sthan|\binstead\sof|\bunable\sto|\bunlikely|\bless)"
    r"\s(?:\w{1,12}\s){0,3}$",
    re.IGNORECASE,
)
_LOOK_BACK: Final = 40
MOST: Final = 20
"""Phrases of one kind that are looked at: a text may repeat one for ever."""


def _compiled(table: Mapping[str, list[str]]) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """One expression for a table, whose i-th group is the i-th sentence's."""
    groups = "|".join(f"({'|'.join(patterns)})" for patterns in table.values())
    for _ in range(3):  # pieces may hold pieces
        groups = re.sub(r"<([a-zI][A-Za-z ]*)>", lambda piece: _PIECES[piece[1]], groups)
    return re.compile(groups.replace("'", "['’]").replace(" ", r"\s{1,3}"), re.IGNORECASE), tuple(table)


_GUESS_PATTERN, _GUESS_SENTENCES = _compiled(_GUESSES)
_TOLD_PATTERN, _TOLD_SENTENCES = _compiled(_TOLD)


def guesses(text: str, statement: str | None = None) -> list[Reason]:
    """Declared guesses that the text does not go on to check; those that it leaves far behind are marked as retracted.

    statement: the problem's, whose phrases are not the response's.
    """
    found = _said(_GUESS_PATTERN, _GUESS_SENTENCES, Kind.GUESS, text, statement)
    unchecked = (reason for reason in found if not _checked(text, reason.end))
    return [replace(reason, retracted=len(text) - reason.end > LEFT_BEHIND) for reason in unchecked]


def answer_aware(text: str, statement: str | None = None) -> list[Reason]:
    """Phrases of somebody who has seen the answer, or a solution, before."""
    return list(_said(_TOLD_PATTERN, _TOLD_SENTENCES, Kind.ANSWER_AWARE, text, statement))


def _said(
    pattern: re.Pattern[str], sentences: tuple[str, ...], kind: Kind, text: str, statement: str | None
) -> Iterator[Reason]:
    own = (statement or "").casefold()
    for match in islice(pattern.finditer(text), MOST):
        if not _negated(text, match.start()) and match[0].casefold() not in own:
            yield Reason(kind, *match.span(), f"{sentences[(match.lastindex or 1) - 1]}: “{' '.join(match[0].split())}”")


def _checked(text: str, end: int) -> bool:
    """Whether a check begins soon after, and not one that is said to be impossible."""
    checks = _CHECKED.finditer(text, end, min(len(text), end + CHECKED_WITHIN))
    return any(not _negated(text, check.start(), floor=end) for check in checks)


def _negated(text: str, place: int, floor: int = 0) -> bool:
    return _NOT.search(text, max(floor, place - _LOOK_BACK), place) is not None
