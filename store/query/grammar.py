r"""The grammar of filter expressions: text in, `Query` out, and one sentence for whatever cannot be read.

    wait "let me check" contra*          words of the response, a phrase, a beginning; capitals aside
    re:/wait,? no/  re:/wait/i           a regular expression; i: capitals aside
    label:2|3  answer:"\frac{1}{2}"      a field and its value; | between several; in quotes anything (" twice)
    ppl>3  length>=4000  path:1          numbers: > >= < <= and : (or =)
    label:none  label:any                nothing known, something known
    model:qwen*                          a bare * in a name stands for anything
    -correct:yes  !(a or b)              the inverse: everything else
    a b or c                             space (or `and`) binds closer than `or`; ( ) group

An unknown value satisfies no comparison: unknown is not 0. Capitals of fields and of words do not matter.
"""

from __future__ import annotations

import re
import warnings
from math import prod
from typing import Final

from store.query import values
from store.query.fields import Field, Kind
from store.query.terms import (
    All,
    AnyOf,
    BadQuery,
    Compared,
    Known,
    Not,
    Op,
    Pattern,
    Query,
    Term,
    Value,
    Words,
)
from store.query.tokens import tokens
from store.verdicts import storable

MOST_TERMS: Final = 200
DEEPEST: Final = 40
LONGEST: Final = 10_000
"""Characters. Whatever is more is a file pasted by mistake, and SQLite has its limits."""

_COUNT: Final = re.compile(r"(\)?)\{(?:\d*,)?(\d{1,9})\}")
_LARGEST_REPEAT: Final = 100_000
"""Counts of repeated groups multiplied, and the largest other one: nested ones are unrolled, and would take all memory."""

_BLANK: Final = re.compile(r"\s*")
_FIELD: Final = re.compile(r"([^\W\d_]\w*)(>=|<=|!=|[:=<>])")
_REGEX: Final = re.compile(r"re:/((?:[^/\\]|\\.)*)/", re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:[^"]|"")*)"')
_WORD: Final = re.compile(r'[^\s"()]+')
_VALUE: Final = re.compile(r'[^\s"()|]+')
_OPERATOR: Final = re.compile(r'(and|or)(?=[\s"()]|$)', re.IGNORECASE)
_NOT: Final = re.compile(r"not(?=\s*\(|\s+[-!]?([^\W\d_]\w*(?:[:=<>])))", re.IGNORECASE)


def parse(text: str) -> Query:
    """What the expression says; without any terms where it is empty. Raises BadQuery."""
    if len(text) > LONGEST:
        raise BadQuery(f"the expression is {len(text):,} characters long; write one of at most {LONGEST:,}", LONGEST)
    return _Parser(storable(text) or "").query()


class _Parser:
    """One pass from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._terms = 0

    def query(self) -> Query:
        self._skip()
        if self._at == len(self._text):
            return Query()
        term = self._any()
        if self._at < len(self._text):  # only a bracket ends an expression before its end
            raise self._bad("a bracket ')' closes nothing", "take it away, or open one before it")
        return Query(term.terms if isinstance(term, All) else (term,))

    # -- operators ---------------------------------------------------------------------------------------------------

    def _any(self) -> Term:
        found = [self._all()]
        while self._operator() == "or":
            self._take_operator()
            found.append(self._all())
        flat = [one for term in found for one in (term.terms if isinstance(term, AnyOf) else (term,))]
        return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))

    def _all(self) -> Term:
        found = [self._factor()]
        while self._at < len(self._text) and self._text[self._at] != ")" and self._operator() != "or":
            if self._operator() == "and":
                self._take_operator()
            found.append(self._factor())
        flat = [one for term in found for one in (term.terms if isinstance(term, All) else (term,))]
        return flat[0] if len(flat) == 1 else All(tuple(flat))

    def _operator(self) -> str | None:
        found = _OPERATOR.match(self._text, self._at)
        return found[1].lower() if found else None

    def _take_operator(self) -> None:
        word, place = self._text[self._at : self._at + 3].strip(), self._at
        self._at += len(self._operator() or "")
        self._skip()
        if self._at == len(self._text) or self._text[self._at] == ")":
            raise self._bad(f"nothing stands after '{word}'", f'write what is sought there, or "{word}" in quotes', place)

    def _factor(self) -> Term:
        place, char = self._at, self._text[self._at]
        if (word := self._operator()) is not None:
            raise self._bad(f"nothing stands before '{word}'", f'write what is sought there, or "{word}" in quotes')
        if char == ")":
            raise self._bad("nothing stands before the bracket ')'", "write what is sought there, or take it away")
        if char in "-!":
            return self._inverse()
        if char == "(":
            return self._group()
        if _NOT.match(self._text, place):
            raise self._bad("'not' is no operator", 'write - before what must not be, as in -correct:yes, or "not" in quotes')
        term = self._leaf()
        self._terms += len(term.values) if isinstance(term, Compared) else 1
        if self._terms > MOST_TERMS:
            raise self._bad(f"there are more than {MOST_TERMS} terms and values", "write fewer of them", place)
        self._skip()
        return term

    def _inverse(self) -> Term:
        self._at += 1
        if self._at == len(self._text) or self._text[self._at] in ") \t\n":
            sign = self._text[self._at - 1]
            raise self._bad(f"'{sign}' stands before nothing", "write it right before a term: -correct:yes", self._at - 1)
        self._deeper(self._at - 1)
        term = self._factor()
        self._depth -= 1
        return term.term if isinstance(term, Not) else Not(term)

    def _group(self) -> Term:
        place = self._at
        self._at += 1
        self._skip()
        self._deeper(place)
        if self._at == len(self._text):
            raise self._bad("the bracket '(' is not closed", "write ) where it ends", place)
        term = self._any()
        self._depth -= 1
        if self._at == len(self._text):
            raise self._bad("the bracket '(' is not closed", "write ) where it ends", place)
        self._at += 1
        self._skip()
        return term

    def _deeper(self, place: int) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise self._bad(f"brackets lie more than {DEEPEST} deep", "write the expression flatter", place)

    # -- leaves ------------------------------------------------------------------------------------------------------

    def _leaf(self) -> Term:
        if self._text.startswith("re:", self._at):
            return self._pattern()
        if self._text[self._at] == '"':
            return self._phrase()
        found = _FIELD.match(self._text, self._at)
        return self._compared(found) if found else self._word()

    def _pattern(self) -> Pattern:
        place = self._at
        found = _REGEX.match(self._text, place)
        if found is None:
            slash = self._text.startswith("re:/", place)
            what = "the regular expression is not closed" if slash else "a regular expression stands between slashes"
            raise self._bad(what, r"write re:/wait,? no/ (a slash within it as \/)")
        self._at = found.end()
        flags = _WORD.match(self._text, self._at)
        if flags and flags[0] != "i":
            raise self._bad(f"'{flags[0]}' stands after the regular expression", "write i there for capitals aside, or a blank")
        self._at += len(flags[0]) if flags else 0
        value = re.sub(r"(?s)\\(.)", lambda pair: "/" if pair[1] == "/" else pair[0], found[1])
        self._try(value, place + len("re:/"))
        return Pattern(value, flags is not None)

    def _try(self, value: str, place: int) -> None:
        if not value:
            raise self._bad(
                "the regular expression is empty", "write what is sought between the slashes: re:/wait,? no/", place
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                re.compile(value)
        except re.error as error:
            raise self._bad(
                f"the regular expression cannot be read: {error.msg}",
                r"write it anew (\ before a sign that is meant itself)",
                place + min(error.pos or 0, len(value)),
            ) from None
        except (OverflowError, RecursionError):
            raise self._bad("the regular expression is too large", "write a shorter one", place) from None
        groups = prod(max(1, int(count)) for closed, count in _COUNT.findall(value) if closed)
        if groups * max((int(count) for closed, count in _COUNT.findall(value) if not closed), default=1) > _LARGEST_REPEAT:
            raise self._bad("the regular expression repeats too often", "write smaller numbers in its { }", place)

    def _phrase(self) -> Words:
        place = self._at
        value = self._quoted()
        self._require_words(value, place)
        prefix = self._text.startswith("*", self._at)
        self._at += prefix
        return Words(value, prefix)

    def _quoted(self) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise self._bad('a quote " is not closed', 'write " where it ends ("" is a quote within)')
        self._at = found.end()
        return found[1].replace('""', '"')

    def _word(self) -> Words:
        found = _WORD.match(self._text, self._at)
        assert found is not None
        word, place = found[0], self._at
        if word[0] in "<>=:" and len(word) > 1 - (word[0] in "<>="):
            raise self._bad(f"'{word}' stands alone", "write field, sign and value without blanks: ppl>3", place)
        if "|" in word:
            raise self._bad("| stands between the values of a field only", "write or between words: wait or hmm", place)
        prefix = word.endswith("*")
        bare = word[: len(word) - prefix]
        if "*" in bare:
            raise self._bad("a * stands at the end of a word only", r"write re:/\bw\w*t\b/ for more than that", place)
        self._require_words(bare, place)
        self._at = found.end()
        return Words(bare, prefix)

    def _require_words(self, value: str, place: int) -> None:
        if not tokens(value):
            raise self._bad(
                f"'{value}' holds no letter or digit, and texts are searched by words",
                r"write a regular expression: re:/\\boxed/",
                place,
            )

    def _compared(self, found: re.Match[str]) -> Compared:
        place = self._at
        field = values.field_named(found[1], place)
        sign = found[2]
        if sign == "!=":
            raise self._bad("'!=' is no sign here", f"write -{field.name}:VALUE for what is not", found.start(2))
        op = Op.IS if sign == "=" else Op(sign)
        if op is not Op.IS and field.kind not in (Kind.WHOLE, Kind.NUMBER):
            raise self._bad(f"{field.name} is no number", f"write {field.name}:{values.example(field)}", place)
        self._at = found.end()
        given = [self._value(field, op)]
        while self._text.startswith("|", self._at):
            self._at += 1
            given.append(self._value(field, op))
        if op is not Op.IS and len(given) > 1:
            raise self._bad(f"{field.name}{op} takes one number", f"write {field.name}{op}{_text(given[0])}", place)
        return Compared(field.name, op, tuple(dict.fromkeys(given)))

    def _value(self, field: Field, op: Op) -> Value | Known:
        place = self._at
        if self._text.startswith('"', place):
            value = values.read(field, op, self._quoted(), place, quoted=True)
        else:
            found = _VALUE.match(self._text, place)
            if found is None:
                raise self._bad(
                    f"no value stands after {field.name}{op}",
                    f"write it without a blank: {field.name}{op}{values.example(field)}",
                )
            self._at = found.end()
            value = values.read(field, op, found[0], place, quoted=False)
        if self._text[self._at : self._at + 1] in ('"', "("):
            sign = self._text[self._at]
            raise self._bad(f"a {sign} stands within the value of {field.name}", f'write it in quotes: {field.name}:"f(x)"')
        return value

    def _skip(self) -> None:
        found = _BLANK.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _bad(self, what: str, instead: str, place: int | None = None) -> BadQuery:
        return values.bad(what, instead, self._at if place is None else place)


def _text(value: Value | Known) -> str:
    return value if isinstance(value, Known) else value.text
