"""Fields and values as people write them: names with slips in them, words of a choice, numbers with commas or in percent."""

from __future__ import annotations

import re
from typing import Final

from store.query.fields import ALIASES, FIELDS, Field, Kind
from store.query.terms import BadQuery, Known, Op, Value

LONGEST: Final = 1_000
"""Characters of a value."""

_NUMBER: Final = re.compile(r"(-?\d{1,15}(?:\.\d{1,9})?)(%?)")
_WHOLE: Final = re.compile(r"\d{1,15}")
_LISTED: Final = 12
_EXAMPLES: Final = {
    Kind.WHOLE: "1", Kind.NUMBER: "0.5", Kind.TEXT: '"some words"', Kind.NAME: '"NAME"'
}  # fmt: skip


def bad(what: str, instead: str, place: int) -> BadQuery:
    return BadQuery(f"{what} (column {place + 1}); {instead}", place)


def field_named(name: str, place: int) -> Field:
    """Raises BadQuery with the names nearest to it."""
    word = name.lower()
    word = ALIASES.get(word, word)
    if word in FIELDS:
        return FIELDS[word]
    near = _near(word, [*FIELDS, *ALIASES])
    instead = f"write {_listing([f'{one}:' for one in near])}" if near else f"write one of {', '.join(FIELDS)}"
    raise bad(f"there is no field '{name}'", f'{instead}, or "{name}" in quotes to look for the word', place)


def read(field: Field, op: Op, text: str, place: int, *, quoted: bool) -> Value | Known:
    """One value of a field, as it is kept. Raises BadQuery where it cannot be one."""
    if not quoted and op is Op.IS and text.lower() in tuple(Known):
        return Known(text.lower())
    if len(text) > LONGEST:
        raise bad(f"a value of {field.name} is {len(text):,} characters long", f"write at most {LONGEST:,}", place)
    if field.kind is Kind.CHOICE:
        return Value(_choice(field, text, place))
    if field.kind in (Kind.WHOLE, Kind.NUMBER):
        return Value(_number(field, op, text, place))
    if not text and field.kind is Kind.TEXT:
        raise bad(f"the value of {field.name} is empty", f"write {field.name}:any for whatever there is", place)
    return Value(text, wild=not quoted and "*" in text and field.kind is Kind.NAME)


def example(field: Field) -> str:
    """A value to show how one is written."""
    return field.choices[0] if field.choices else _EXAMPLES[field.kind]


def _choice(field: Field, text: str, place: int) -> str:
    word = re.sub(r"[\s_]+", "-", text.strip().lower())
    if word in field.choices:
        return word
    joined = [choice for choice in field.choices if choice.replace("-", "") == word]
    begun = joined or [choice for choice in field.choices if word and choice.startswith(word)]
    if len(begun) == 1:
        return begun[0]
    near = begun or _near(word, list(field.choices)) or list(field.choices[:_LISTED])
    raise bad(f"{field.name} is never '{text}'", f"write {_listing([f'{field.name}:{one}' for one in near])}", place)


def _number(field: Field, op: Op, text: str, place: int) -> str:
    plain = text.replace(",", "").replace("_", "")
    found = _WHOLE.fullmatch(plain) if field.kind is Kind.WHOLE else _NUMBER.fullmatch(plain)
    if found is None:
        shown = f"{field.name}{op}{example(field)}"
        raise bad(f"{field.name} is compared with {field.kind}, not '{text}'", f"write one like {shown}", place)
    if field.kind is Kind.WHOLE:
        return str(int(plain))
    return _shifted(found[1]) if found[2] else found[1]


def _shifted(percent: str) -> str:
    """Percent as a share: the point two places to the left."""
    from decimal import Decimal

    return f"{Decimal(percent).scaleb(-2):f}"


def _near(word: str, known: list[str]) -> list[str]:
    from difflib import get_close_matches

    found = get_close_matches(word, known, n=3, cutoff=0.6)
    return list(dict.fromkeys(ALIASES.get(one, one) for one in found))


def _listing(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
