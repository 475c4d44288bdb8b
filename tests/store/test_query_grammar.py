"""The grammar of filter expressions: every reading has one spelling, and everything that cannot be read has one sentence."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.luck import Kind as Reason
from store.query import ALIASES, FIELDS, BadQuery, Kind, Query, parse
from store.query.facts import _test
from store.query.fields import REASONS
from store.query.grammar import DEEPEST, LONGEST, MOST_TERMS
from store.query.terms import All, AnyOf, Compared, Known, Not, Op, Pattern, Term, Value, Words
from store.query.tokens import Phrase, folded, for_index, tokens

ROOT = Path(__file__).parents[2]

# -- every reading has one spelling ------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
WORDS = st.builds(Words, TEXT.filter(tokens), st.booleans())


def _compiles(value: str) -> bool:
    try:
        re.compile(value)
    except (re.error, OverflowError, FutureWarning):
        return False
    return not value.endswith("\\")


PATTERNS = st.builds(
    Pattern,
    st.sampled_from([r"wait,? no", "a/b", r"\\", r"\d+\s*=", "x|y", r'"\)', "(?i)é", r"[/\]]"]).filter(_compiles),
    st.booleans(),
)


@st.composite
def compared(draw: st.DrawFn) -> Compared:
    field = FIELDS[draw(st.sampled_from(sorted(FIELDS)))]
    numeric = field.kind in (Kind.WHOLE, Kind.NUMBER)
    op = draw(st.sampled_from(Op)) if numeric else Op.IS
    value: st.SearchStrategy[Value | Known]
    if field.kind is Kind.CHOICE:
        value = st.sampled_from([Value(choice) for choice in field.choices])
    elif field.kind is Kind.WHOLE:
        value = st.integers(0, 10**9).map(lambda number: Value(str(number)))
    elif field.kind is Kind.NUMBER:
        value = st.integers(0, 10**6).map(lambda number: Value(f"{number / 1000:.3f}"))
    else:
        value = TEXT.map(Value)
    if op is not Op.IS:
        return Compared(field.name, op, (draw(value),))
    return Compared(field.name, op, tuple(draw(st.lists(value | st.sampled_from(Known), min_size=1, max_size=3, unique=True))))


LEAVES = WORDS | PATTERNS | compared()


def _not(term: Term) -> Term:
    return term.term if isinstance(term, Not) else Not(term)


def _joined(kind: type[AnyOf] | type[All], terms: list[Term]) -> Term:
    flat = [one for term in terms for one in (term.terms if isinstance(term, kind) else (term,))]
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


def terms() -> st.SearchStrategy[Term]:
    return st.recursive(
        LEAVES,
        lambda inner: st.one_of(
            inner.map(_not),
            st.lists(inner, min_size=1, max_size=3).map(lambda found: _joined(AnyOf, found)),
            st.lists(inner, min_size=1, max_size=3).map(lambda found: _joined(All, found)),
        ),
        max_leaves=6,
    )


QUERIES = st.lists(terms(), max_size=4).map(
    lambda found: Query(tuple(one for term in found for one in (term.terms if isinstance(term, All) else (term,))))
)


@given(QUERIES)
def test_the_spelling_of_a_query_reads_as_that_query(query: Query) -> None:
    assert parse(query.text) == query
    assert parse(parse(query.text).text).text == query.text


@given(st.text(max_size=60) | st.text(' ()"|-!:<>=*/\\re.orandnt123labelcorrectyes', max_size=60))
def test_whatever_is_typed_is_read_or_told_why_not(text: str) -> None:
    bad: BadQuery | None = None
    try:
        query = parse(text)
    except BadQuery as error:
        bad = error
    if bad is None:
        assert parse(query.text) == query
    else:
        assert 0 <= bad.place <= len(text)
        assert re.search(r"\(column \d+\); ", str(bad)), str(bad)


@given(QUERIES, st.data())
def test_a_term_can_be_taken_out(query: Query, data: st.DataObject) -> None:
    for place in range(len(query.terms)):
        less = query.without(place)
        assert len(less.terms) == len(query.terms) - 1
        assert parse(less.text) == less
        assert query.terms[place].text in query.text or len(query.terms) == 1


# -- readings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("", ""),
        ("  wait   no ", "wait no"),
        ("a and b", "a b"),
        ("a b or c", "a b or c"),
        ("(a or b) c", "(a or b) c"),
        ("a (b c)", "a b c"),
        ("(a or (b or c))", "a or b or c"),
        ("-(-a)", "a"),
        ("!correct:yes", "-correct:yes"),
        ("-(a b)", "-(a b)"),
        ('"and"', '"and"'),
        ('say """hi"""', 'say """hi"""'),
        ('"plain"', "plain"),
        ("contra*", "contra*"),
        ('"on the"*', '"on the"*'),
        ("PPL>3", "perplexity>3"),
        ("length>=4,000", "length>=4000"),
        ("solved=50%", "solved:0.50"),
        ("label:2|3|2", "label:2|3"),
        ("label:NONE", "label:none"),
        ('answer:"none"', 'answer:"none"'),
        (r'answer:"\frac{1}{2}"', r"answer:\frac{1}{2}"),
        (r"answer:\frac{1}{2}", r"answer:\frac{1}{2}"),
        ('answer:"f(x)"', 'answer:"f(x)"'),
        ("model:qwen*", "model:qwen*"),
        ('model:"qwen*"', 'model:"qwen*"'),
        ("label:cancelling", "label:cancelling-errors"),
        ('label:"cannot tell"', "label:cannot-tell"),
        ("set:base_only", "set:base-only"),
        ("set:baseonly or set:both", "set:base-only or set:both"),
        (r"re:/a\/b/i", r"re:/a\/b/i"),
        ("why:false-equality|guess", "why:false-equality|guess"),
        ("f(x)", "f x"),
        ("is not", 'is "not"'),
    ],
)
def test_readings(typed: str, spelled: str) -> None:
    assert parse(typed).text == spelled


def test_what_is_sought_in_texts_is_told_without_what_must_not_be_there() -> None:
    query = parse('wait "let me" -never (hmm or -(-again)) contra* re:/x/ label:1')
    assert query.words == ("wait", "let me", "hmm", "again", "contra")


def test_a_bare_none_asks_for_what_is_unknown_and_a_quoted_one_for_the_word() -> None:
    assert parse("tag:none").terms == (Compared("tag", Op.IS, (Known.NONE,)),)
    assert parse('tag:"none"').terms == (Compared("tag", Op.IS, (Value("none"),)),)


# -- sentences ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "place", "what", "instead"),
    [
        ("lable:2", 0, "there is no field 'lable'", "write label:"),
        ("wait corect:yes", 5, "there is no field 'corect'", "write correct:"),
        ("x=5", 0, "there is no field 'x'", '"x" in quotes to look for the word'),
        ("ppl>high", 4, "compared with a number, not 'high'", "perplexity>0.5"),
        ("length>-3", 7, "a whole number", "length>1"),
        ("length>3.5", 7, "a whole number", "length>1"),
        ('wait "let me', 5, 'a quote " is not closed', 'write " where it ends'),
        ("(a or b", 0, "the bracket '(' is not closed", "write )"),
        ("a) b", 1, "a bracket ')' closes nothing", "take it away"),
        ("()", 1, "nothing stands before the bracket", "take it away"),
        ("a or", 2, "nothing stands after 'or'", '"or" in quotes'),
        ("or a", 0, "nothing stands before 'or'", '"or" in quotes'),
        ("a or or b", 5, "nothing stands before 'or'", '"or" in quotes'),
        ("and", 0, "nothing stands before 'and'", '"and" in quotes'),
        ("a - b", 2, "'-' stands before nothing", "-correct:yes"),
        ("not correct:yes", 0, "'not' is no operator", "-correct:yes"),
        ("NOT (a or b)", 0, "'not' is no operator", "-correct:yes"),
        ("ppl > 3", 4, "'>' stands alone", "ppl>3"),
        ("label: 2", 6, "no value stands after label:", "label:1"),
        ("label:1|", 8, "no value stands after label:", "label:1"),
        ("label!=2", 5, "'!=' is no sign", "-label:VALUE"),
        ("label:9", 6, "label is never '9'", "label:1, label:2"),
        ("label:soud", 6, "label is never 'soud'", "label:sound"),
        ("set:bse-only", 4, "set is never 'bse-only'", "set:base-only"),
        ("set:b", 4, "set is never 'b'", "set:base-only or set:both"),
        ("model>3", 0, "model is no number", 'model:"NAME"'),
        ("ppl>1|2", 0, "takes one number", "perplexity>1"),
        ("answer:f(x)", 8, "a ( stands within the value of answer", "in quotes"),
        ('note:""', 5, "the value of note is empty", "note:any"),
        ("wait|no", 0, "| stands between the values of a field", "wait or hmm"),
        ("w*t", 0, "a * stands at the end of a word only", "re:/"),
        ("+", 0, "holds no letter or digit", "re:/"),
        ('"..."', 0, "holds no letter or digit", "re:/"),
        ("re:wait", 0, "between slashes", "re:/wait,? no/"),
        ("re:/wait", 0, "is not closed", "re:/wait,? no/"),
        ("re:/wait/x", 9, "'x' stands after the regular expression", "write i"),
        ("re:/a(b/", 5, "cannot be read: missing )", "write it anew"),
        ("re://", 4, "is empty", "re:/wait,? no/"),
        ("(" * (DEEPEST + 1) + "a", DEEPEST, f"more than {DEEPEST} deep", "flatter"),
        ("a " * (MOST_TERMS + 1), 2 * MOST_TERMS, f"more than {MOST_TERMS} terms", "fewer"),
        ("a" * (LONGEST + 1), LONGEST, "characters long", f"at most {LONGEST:,}"),
        ("answer:" + "a" * 1001, 7, "1,001 characters long", "at most 1,000"),
    ],
)
def test_every_error_says_what_and_where_and_what_to_write_instead(typed: str, place: int, what: str, instead: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(typed)
    sentence = str(caught.value)
    assert caught.value.place == place
    assert what in sentence
    assert instead in sentence
    if "characters long" not in what or "answer" in typed:
        assert f"(column {place + 1})" in sentence


# -- the table of fields -------------------------------------------------------------------------------------------------


def test_reasons_are_those_that_the_rules_find() -> None:
    assert sorted(reason.replace("-", " ") for reason in REASONS) == sorted(Reason)


def test_aliases_are_of_fields_and_no_fields_themselves() -> None:
    assert set(ALIASES.values()) <= set(FIELDS)
    assert not set(ALIASES) & set(FIELDS)


def test_importing_it_is_light_and_quick() -> None:
    script = (
        "import sys; import store.query; print([m for m in ('numpy', 'regex', 'sqlite_utils', 'engine') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_long_expression_is_read_in_no_time() -> None:
    began = time.perf_counter()
    for text in ('"' * 9_999, "re:/" + "\\" * 9_000, "-" * 9_999, "a" * 9_999, "label:" + "1|" * 4_000 + "1", "(" * 9_999):
        with contextlib.suppress(BadQuery):
            parse(text)
    assert time.perf_counter() - began < 2


# -- words -----------------------------------------------------------------------------------------------------------


def test_words_are_runs_of_letters_and_digits() -> None:
    assert tokens("Wait, let_me don't 3.5 \\frac{1}{2} ÉTÉ x²") == [
        "wait", "let", "me", "don", "t", "3", "5", "frac", "1", "2", "été", "x²",
    ]  # fmt: skip


@given(st.text(max_size=40))
def test_folding_keeps_places(text: str) -> None:
    assert len(folded(text)) == len(text)
    assert folded(folded(text)) == folded(text)


@given(st.lists(st.text("abé_ ,.İΣς½\u0301", max_size=6), max_size=6).map("".join), TEXT.filter(tokens), st.booleans())
def test_a_phrase_finds_what_the_words_say(text: str, sought: str, prefix: bool) -> None:
    """Against the plain definition: one word after the other in the list of words."""
    have, want = tokens(text + " " + sought[:3] + " " + text), tokens(sought)
    places = range(len(have) - len(want) + 1)
    last = want[-1]
    expected = any(
        have[at : at + len(want) - 1] == want[:-1]
        and (have[at + len(want) - 1].startswith(last) if prefix else have[at + len(want) - 1] == last)
        for at in places
    )
    found = Phrase(want, prefix).search(folded(text + " " + sought[:3] + " " + text))
    assert (found is not None) == expected


@given(st.text(max_size=30))
def test_the_index_is_given_the_same_words(text: str) -> None:
    parted = re.findall(r"[0-9a-z\u0080-\U0010ffff]+", for_index(text).lower() if text.isascii() else for_index(text))
    assert parted == tokens(text)


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("re:/(((a{5000}){5000}){5000})/", "repeats too often"),
        ("answer:" + "|".join(map(str, range(500))), "more than 200 terms and values"),
    ],
)
def test_what_would_take_all_memory_is_refused(expression: str, sentence: str) -> None:
    with pytest.raises(BadQuery, match=sentence):
        parse(expression)
    parse("re:/a{500}b{500}/")


@given(
    st.text("ab*", max_size=12),
    st.text("ab", max_size=12),
)
def test_stars_match_what_a_regular_expression_of_them_matches(pattern: str, name: str) -> None:
    wanted = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    assert _test(Value(pattern, wild="*" in pattern))([name]) == (wanted.fullmatch(name) is not None)


def test_many_stars_take_no_time() -> None:
    assert not _test(Value("*a" * 200 + "*b", wild=True))(["a" * 400])
