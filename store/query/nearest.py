"""What to write instead of a name that nothing in the study has: said where a filter leaves nothing.

    unheard_of(study, verifier, parse("run:ba"))   ->  "no run is called 'ba'; run:ba* would fit 3"

Looked at are names that are few and known without reading a trace: runs, models, problems, tags and the like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from store.query.facts import Facts, fits
from store.query.fields import FIELDS, Kind
from store.query.terms import All, AnyOf, Compared, Not, Op, Query, Term, Value
from store.reader import Study

_LISTED: Final = 4
_LONGEST: Final = 40
Names = Iterable[tuple[str, ...]]
"""Of each thing, all names it answers to."""

_NAMES: Final[dict[str, Callable[[Facts], Names]]] = {
    "run": lambda facts: ((run.slug.rsplit("@", 1)[0], run.name, run.slug) for run in facts.runs),
    "model": lambda facts: {(run.model.name.rstrip("/").rsplit("/", 1)[-1], run.model.name) for run in facts.runs},
    "benchmark": lambda facts: {(one.benchmark,) for one in facts.problems},
    "problem": lambda facts: ((one.key,) for one in facts.problems),
    "reference": lambda facts: ((one.reference,) for one in facts.problems if one.reference is not None),
    "level": lambda facts: {(one.level,) for one in facts.problems if one.level is not None},
    "kind": lambda facts: {(one.kind,) for one in facts.problems},
    "tag": lambda facts: {(tag,) for tags in facts.tags.values() for tag in tags},
    "auditor": lambda facts: ((name,) for name in facts.auditors),
    "verifier": lambda facts: ((name,) for name in facts.verifiers.values()),
}


def unheard_of(study: Study, verifier: str | None, query: Query) -> str:
    """One sentence on the first such name of a query, "" where there is none. Raises StudyError as reading does."""
    facts = Facts(study, verifier)
    for leaf in (leaf for term in query.terms for leaf in _asked(term)):
        known = list(_NAMES[leaf.field](facts)) if leaf.field in _NAMES else []
        for value in leaf.values:
            if known and isinstance(value, Value) and not value.wild and not any(map(fits([value]), known)):
                return f"no {leaf.field} is called '{_cut(value.value)}'; {_instead(leaf.field, value.value, known)}"
    return ""


def _asked(term: Term) -> Iterator[Compared]:
    """Names asked for; not those that a trace must not have."""
    if isinstance(term, AnyOf | All):
        for one in term.terms:
            yield from _asked(one)
    elif isinstance(term, Compared) and term.op is Op.IS and FIELDS[term.field].kind is Kind.NAME:
        yield term
    elif isinstance(term, Not):
        return


def _instead(field: str, asked: str, known: list[tuple[str, ...]]) -> str:
    for pattern in (f"{asked}*", f"*{asked}*"):
        number = sum(map(fits([Value(pattern, wild=True)]), known))
        if number and '"' not in asked and " " not in asked:
            return f"{field}:{pattern} would fit {number:,}"
    names = sorted({names[0] for names in known})
    folded = {name.casefold(): name for name in reversed(names)}
    near = [folded[name] for name in get_close_matches(asked.casefold(), list(folded), _LISTED - 1)]
    if near:
        return "the nearest: " + ", ".join(f"{field}:{Value(_cut(name)).text}" for name in near)
    shown = ", ".join(_cut(name) for name in names[:_LISTED])
    return f"there are {shown} and {len(names) - _LISTED:,} more" if len(names) > _LISTED else f"there is {shown}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
