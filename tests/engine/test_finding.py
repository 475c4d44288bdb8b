"""Finding: whatever is asked, with the index of words or without it, the answer is what looking at every trace gives."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.board import read_board
from engine.finding import Finder, Stopped
from engine.indexing import index_words
from engine.summary import cover
from store import marks as keeping
from store.audits import MEANINGS, Audit, AuditWriter, Chosen, audits
from store.errors import NotFound
from store.index_writer import IndexWriter
from store.query import FIELDS, Kind, Query, parse
from store.query.fields import LABEL_DIGITS, MEANING_WORDS
from store.query.reading import TooSlow
from store.query.terms import All, AnyOf, Compared, Known, Not, Op, Pattern, Term, Value, Words
from store.reader import Study
from store.rows import ProblemRow, Trace
from store.suspicions import ReasonRow, SuspicionRow
from store.types import (
    Finish,
    Likelihood,
    NewCount,
    NewProblem,
    NewSample,
    NewTrace,
    Outcome,
    Problem,
    Reading,
    Rule,
    Run,
    Verdict,
)
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import BASE, RL, answers, run, source

VOCABULARY = (
    "wait",
    "Wait,",
    "no",
    "let",
    "me",
    "check",
    "ÉTÉ",
    "x_1",
    "3.5",
    "\\boxed{4}",
    "½",
    "—",
    "(no)",
    "waiting",
    "no.\n\nLet",
)
SOUGHT = ("wait", "no", "let me", "wait no", "no let", "été", "x", "3 5", "boxed", "me check", "never", "wai", "½")
PATTERNS = (r"wait,? no", r"\d\.\d", "(?m)^Let", "WAIT")
ANSWERS = ("4", "A", "a", "1_2", "100%", None)


# -- a study with something of everything --------------------------------------------------------------------------------


def make(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    runs = {name: [run(BASE, name), run(RL, name)] for name in ("sums", "tales")}
    problems = [
        Problem(name, str(key), f"Problem {key} of {name}", rng.choice(["4", "A", None]), kind, rng.choice(["1", "5", None]))
        for name, kind in (("sums", "math"), ("tales", "other"))
        for key in range(3)
    ]
    with Writer(path, "test") as writer:
        src = source(writer)
        traces = [
            _trace(rng, line, rng.choice(runs[problem.benchmark]), problem)
            for line, problem in enumerate(rng.choices(problems, k=rng.randrange(20, 50)), start=1)
        ]
        writer.add_traces(src, traces)
    with Study(path) as study:
        places = study.query("SELECT sample_id, run_id, problem_id FROM sample")
    with Writer(path, "test") as writer:
        for name in ("math", "own"):
            some = rng.sample(places, len(places) * 2 // 3)
            writer.add_verdicts(
                name,
                "1",
                [
                    Judged(one, its_run, its_problem, _verdict(rng, readings=name == "math"))
                    for one, its_run, its_problem in some
                ],
            )
        some = rng.sample(places, len(places) // 2)
        found = [Likelihood(one, 1.0, 1.0, 0, 10, -rng.random() * 30, 0, None) for one, _, _ in some]
        writer.add_likelihoods(BASE, "float32", found)
        writer.add_likelihoods(RL, "float32", found[::2])
        for problem_id in {problem_id for _, _, problem_id in places}:
            of = [one for one, _, its in places if its == problem_id and rng.random() < 0.5]
            writer.put_paths("surface 1", problem_id, {one: rng.randrange(1, 4) for one in of})
    _audit(path, rng, [one for one, _, _ in places])
    with IndexWriter(path, "test") as indexer:
        some = rng.sample(places, len(places) // 2)
        indexer.put_suspicions("1", [_suspicion(rng, one) for one, _, _ in some])


def _trace(rng: random.Random, line: int, of: Run, on: Problem) -> NewTrace:
    text = " ".join(rng.choices(VOCABULARY, k=rng.randrange(1, 12))) + f" {line}"
    finish, tokens, extra = rng.choice(list(Finish)), rng.choice([None, len(text)]), line % 6 == 0
    sample = NewSample(text, line, finish=finish, tokens=tokens, extra=extra)
    return NewTrace(of, on, sample, rng.choice([None, _verdict(rng)]))


def _verdict(rng: random.Random, *, readings: bool = False) -> Verdict:
    more = (Reading(rng.choice(list(Rule)), rng.choice(list(Outcome)), "9"),) if readings and rng.random() < 0.5 else ()
    return Verdict(rng.choice(list(Outcome)), rng.choice(["boxed, number", "file"]), rng.choice(ANSWERS), readings=more)


def _audit(path: Path, rng: random.Random, ids: list[int]) -> None:
    with AuditWriter(path) as writer:
        for one in rng.choices(ids, k=len(ids)):
            who = rng.choice(["ann", "Bob", "judge:m"])
            label = rng.choice([None, *range(1, 9)])
            writer.add(Audit(one, who, label, note=rng.choice([None, "odd Step"]), chosen=Chosen.BROWSE))
    with keeping.MarkWriter(path) as writer:
        for one in rng.choices(ids, k=len(ids) // 2):
            who, gone = rng.choice(["ann", "bob"]), rng.random() < 0.3
            kind = rng.choice([keeping.Kind.FLAG, keeping.Kind.NOTE])
            writer.add(keeping.Mark(one, who, kind, text="look Here" if kind is keeping.Kind.NOTE else None, gone=gone))
        for _ in range(6):
            writer.add_tags([keeping.Tag(rng.randrange(1, 6), rng.choice(["hard", "Odd one"]), "ann", gone=rng.random() < 0.3)])


def _suspicion(rng: random.Random, sample_id: int) -> SuspicionRow:
    kinds = rng.sample(["guess", "false equality", "no chain"], rng.randrange(3))
    found = tuple(ReasonRow(kind, 0, 1, "why", retracted=rng.random() < 0.3) for kind in kinds)
    return SuspicionRow(sample_id, rng.randrange(11) / 10 if kinds else 0.0, found)


# -- looking at every trace ------------------------------------------------------------------------------------------------


@dataclass
class Everything:
    """All of a small study, read through what lists and the Reader read."""

    study: Study

    def __post_init__(self) -> None:
        study = self.study
        self.runs = {one.run_id: one for one in study.runs()}
        self.problems: dict[int, ProblemRow] = {p.problem_id: p for name in study.benchmarks() for p in study.problems(name)}
        rows = [row for problem_id in self.problems for row in study.traces(problem_id)]
        self.traces: dict[int, Trace] = {
            row.sample_id: study.trace(row.sample_id) for row in sorted(rows, key=lambda r: r.sample_id)
        }
        self.counts = {(c.run_id, c.problem_id): c for name in study.benchmarks() for c in study.counts(name)}
        self.tags = {
            problem_id: found for name in study.benchmarks() for problem_id, found in keeping.tags(study, name).items()
        }
        self.audits = audits(study)
        self.marks = keeping.marks(study)
        self.reasons: dict[int, list[str]] = {}
        for sample_id, kind in study.query("SELECT sample_id, kind FROM reason"):
            self.reasons.setdefault(sample_id, []).append(kind.replace(" ", "-"))
        self.sets: dict[int, str] = {}
        for name in study.benchmarks():
            board = read_board(study, name)
            ids = {problem.key: problem.problem_id for problem in board.problems}
            base, other = board.runs
            if board.common_k(base, other) is not None:
                found = cover(board, base, other)
                for word in ("both", "base_only", "other_only", "neither"):
                    self.sets |= {ids[key]: word.replace("_", "-") for key in getattr(found, word)}

    def known(self, trace: Trace, field: str) -> list[object]:  # noqa: PLR0911, PLR0912, C901 - a table of fields
        """What is known of a trace under a field; nothing where it is unknown."""
        row, problem, of = trace.row, trace.problem, trace.run
        match field:
            case "set":
                return _some(self.sets.get(row.problem_id))
            case "correct":
                known = {Outcome.CORRECT: "yes", Outcome.INCORRECT: "no", Outcome.NO_ANSWER: "no"}
                return _some(known.get(row.outcome) if row.outcome else None)
            case "outcome":
                return _some(row.outcome.replace("_", "-") if row.outcome else None)
            case "label":
                return _some(row.label)
            case "auditor":
                return [audit.auditor for audit in self.audits if audit.sample_id == row.sample_id]
            case "note":
                mine = [audit.note for audit in self.audits if audit.sample_id == row.sample_id]
                return [note for note in [*mine, *(m.text for m in self.marks if m.sample_id == row.sample_id)] if note]
            case "flag":
                return ["yes" if row.flagged else "no"]
            case "extra":
                return ["yes" if row.extra else "no"]
            case "tag":
                return list(self.tags.get(row.problem_id, ()))
            case "why":
                return list(self.reasons.get(row.sample_id, ()))
            case "run":
                return [of.slug, of.slug.split("@")[0], of.name]
            case "model":
                return [of.model.name, of.model.name.split("/")[-1]]
            case "role":
                return [of.model.role]
            case "finish":
                return _some(None if row.finish is Finish.UNKNOWN else row.finish)
            case "disputed":
                return [] if row.outcome is None else ["yes" if row.disputed else "no"]
            case "solved":
                count = self.counts[row.run_id, row.problem_id]
                return [count.correct / count.n] if count.n else []
            case "length" | "sample":
                return [row.chars if field == "length" else row.idx]
            case "problem":
                return [problem.key]
            case "benchmark" | "statement" | "reference" | "level" | "kind":
                return _some(getattr(problem, field))
            case _:  # answer route verifier perplexity tokens path suspicion
                return _some(getattr(row, field))

    def fits(self, trace: Trace, term: Term) -> bool:
        match term:
            case Not():
                return not self.fits(trace, term.term)
            case AnyOf():
                return any(self.fits(trace, one) for one in term.terms)
            case All():
                return all(self.fits(trace, one) for one in term.terms)
            case Words():
                return _says(trace.response, term)
            case Pattern():
                return re.search(term.value, trace.response, re.IGNORECASE if term.aside else 0) is not None
            case Compared():
                known = self.known(trace, term.field)
                return any(_holds(known, term, value) for value in term.values)

    def all_that_fit(self, query: Query) -> list[int]:
        return [one for one, trace in self.traces.items() if all(self.fits(trace, term) for term in query.terms)]


def _some(value: object) -> list[object]:
    return [] if value is None else [value]


def _says(text: str, sought: Words) -> bool:
    have, want = (re.findall(r"[^\W_]+", one.lower()) for one in (text, sought.value))
    *before, last = want
    for at in range(len(have) - len(want) + 1):
        end = have[at + len(before)]
        if have[at : at + len(before)] == before and (end.startswith(last) if sought.prefix else end == last):
            return True
    return False


def _holds(known: list[object], term: Compared, value: Value | Known) -> bool:  # noqa: PLR0911 - a table
    if isinstance(value, Known):
        return bool(known) is (value is Known.ANY)
    if term.field == "label":
        return any(one in _digits(value.value) for one in known)
    if term.field == "outcome" and value.value == "unjudged":
        return not known
    kind = FIELDS[term.field].kind
    if kind is Kind.TEXT:
        return any(value.value.lower() in str(one).lower() for one in known)
    if kind in (Kind.WHOLE, Kind.NUMBER):
        return any(isinstance(one, int | float) and _compares(one, term.op, value.value) for one in known)
    if value.wild:
        wanted = re.compile(".*".join(map(re.escape, value.value.split("*"))), re.IGNORECASE)
        return any(wanted.fullmatch(str(one)) for one in known)
    return any(str(one).lower() == value.value.lower() for one in known)


def _digits(word: str) -> set[int]:
    if word in MEANING_WORDS:
        return {digit for digit, meaning in MEANINGS.items() if meaning is MEANING_WORDS[word]}
    return {LABEL_DIGITS[word] if word in LABEL_DIGITS else int(word)}


def _compares(one: float, op: Op, text: str) -> bool:
    number = float(text)
    half = 0.5 * 10 ** -len(text.partition(".")[2])
    tests: dict[Op, Callable[[], bool]] = {
        Op.IS: lambda: one == number if isinstance(one, int) else number - half <= one < number + half,
        Op.MORE: lambda: one > number,
        Op.LEAST: lambda: one >= number,
        Op.LESS: lambda: one < number,
        Op.MOST: lambda: one <= number,
    }
    return tests[op]()


# -- expressions ---------------------------------------------------------------------------------------------------------

_NAMES = {
    "answer": ("4", "a", "1_2", "100%", "1*", "*"), "auditor": ("ann", "BOB", "judge:*"), "note": ("step", "here", "odd"),
    "tag": ("hard", "odd*", "odd one"), "benchmark": ("sums", "t*"), "problem": ("0", "1", "*"), "statement": ("of tales", "1"),
    "reference": ("4", "a"), "level": ("1", "5"), "kind": ("math", "other"), "run": ("base-7b", "rl*", "base-7b@tales"),
    "model": ("base-7b", "lab/*", "LAB/RL-7B"), "route": ("file", "boxed*"), "verifier": ("math", "imported", "m*"),
}  # fmt: skip
_NUMBERS = {
    "perplexity": ("1", "2.5", "1.31", "5"), "suspicion": ("0", "0.5", "1", "0.7"), "solved": ("0", "0.25", "0.5", "1"),
    "length": ("20", "40"), "tokens": ("20", "40"), "path": ("1", "2"), "sample": ("0", "2"),
}  # fmt: skip


@st.composite
def compared(draw: st.DrawFn) -> Compared:
    name = draw(st.sampled_from(sorted(set(FIELDS) - {"evidence"})))
    field = FIELDS[name]
    if name in _NUMBERS:
        op = draw(st.sampled_from(Op))
        values = [Value(text) for text in draw(st.lists(st.sampled_from(_NUMBERS[name]), min_size=1, max_size=2, unique=True))]
        if op is not Op.IS:
            return Compared(name, op, (values[0],))
    elif field.kind is Kind.CHOICE:
        values = [Value(text) for text in draw(st.lists(st.sampled_from(field.choices), min_size=1, max_size=2, unique=True))]
    else:
        texts = draw(st.lists(st.sampled_from(_NAMES[name]), min_size=1, max_size=2, unique=True))
        values = [Value(text, wild="*" in text and field.kind is Kind.NAME) for text in texts]
    if name == "set":  # of problems that somebody judged in both runs: `none` asks for the others
        values = [value for value in values if value.value != "unjudged"] or [Value("both")]
    known = draw(st.lists(st.sampled_from(Known), max_size=1))
    return Compared(name, Op.IS, (*values, *known))


def _terms() -> st.SearchStrategy[Term]:
    words = st.builds(Words, st.sampled_from(SOUGHT), st.booleans())
    patterns = st.builds(Pattern, st.sampled_from(PATTERNS), st.booleans())
    return st.recursive(
        words | patterns | compared() | compared(),
        lambda inner: st.one_of(
            inner.map(Not), st.lists(inner, min_size=2, max_size=3).map(lambda found: AnyOf(tuple(found))),
            st.lists(inner, min_size=2, max_size=3).map(lambda found: All(tuple(found))),
        ),
        max_leaves=5,
    )  # fmt: skip


QUERIES = st.lists(_terms(), max_size=3).map(lambda terms: Query(tuple(terms)))
SEEDS = range(4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Studies of each seed: without an index of words, with one of the first half, with all of it."""
    folder = tmp_path_factory.mktemp("finding")
    for seed in SEEDS:
        plain = folder / f"{seed}-plain.db"
        make(plain, seed)
        for name in ("half", "whole"):
            (folder / f"{seed}-{name}.db").write_bytes(plain.read_bytes())
        with IndexWriter(folder / f"{seed}-whole.db", "index") as writer:
            index_words(writer)
        with Study(plain) as study, IndexWriter(folder / f"{seed}-half.db", "index") as writer:
            writer.make_index()
            ids = [one for (one,) in study.query("SELECT sample_id FROM sample ORDER BY sample_id")]
            writer.add_words([(one, study.texts.response(one)) for one in ids[: len(ids) // 2]])
    return folder


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=QUERIES, seed=st.sampled_from(SEEDS))
def test_what_is_found_is_what_fits(folder: Path, query: Query, seed: int) -> None:
    found = {}
    for name in ("plain", "half", "whole"):
        with Study(folder / f"{seed}-{name}.db") as study:
            finder = Finder(study)
            hits = list(finder.traces(query))
            found[name] = [hit.sample_id for hit in hits]
            assert finder.count(query) == len(hits)
            if name == "plain":
                everything = Everything(study)
                expected = everything.all_that_fit(query)
                problems = {everything.traces[one].row.problem_id for one in expected}
            for benchmark in study.benchmarks():
                of = {p.problem_id for p in study.problems(benchmark)}
                told = finder.problems(query, benchmark)
                assert told >= problems & of, "a problem of which a trace fits"
                assert _is_of_problems(query) or told == problems & of
            for problem_id in problems:
                mine = [one for one in expected if everything.traces[one].row.problem_id == problem_id]
                assert finder.sample_ids(query, problem_id) == set(mine)
    assert found["plain"] == expected
    assert found["half"] == expected
    assert found["whole"] == expected


@pytest.mark.parametrize("name", sorted(set(FIELDS) - {"evidence"}))
def test_every_value_of_every_field(folder: Path, name: str) -> None:
    """One by one, with what is known and unknown, and the inverse."""
    field = FIELDS[name]
    texts = field.choices or _NAMES.get(name) or _NUMBERS[name]
    ops = Op if name in _NUMBERS else [Op.IS]
    asked = [Compared(name, op, (Value(one, wild="*" in one and field.kind is Kind.NAME),)) for op in ops for one in texts]
    asked += [Compared(name, Op.IS, (known,)) for known in Known]
    for seed in SEEDS:
        with Study(folder / f"{seed}-plain.db") as study:
            finder, everything = Finder(study), Everything(study)
            for leaf in asked:
                if leaf.values != (Value("unjudged"),) or name != "set":
                    for query in (Query((leaf,)), Query((Not(leaf),))):
                        hits = [hit.sample_id for hit in finder.traces(query)]
                        assert hits == everything.all_that_fit(query), query.text


def _is_of_problems(query: Query) -> bool:
    """Do problems without a trace that was drawn fit, too?"""
    return "-" in query.text or all(":" in term.text for term in query.terms)


# -- hits ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        texts = [
            f"Number {i}. " + "so " * 30 + ("Wait,\n\nno: " if i % 10 == 3 else "yes ") + "and on " * 30 for i in range(60)
        ]
        writer.add_traces(source(writer), answers(texts, correct=True))
    return path


def test_a_hit_says_where_it_is_and_what_stands_there(db: Path) -> None:
    with Study(db) as study:
        hits = list(Finder(study).traces(parse('"wait no"')))
        assert [hit.idx for hit in hits] == [3, 13, 23, 33, 43, 53]
        for hit in hits:
            assert hit.start is not None
            assert study.texts.response(hit.sample_id)[hit.start :].startswith("Wait,\n\nno")
            assert hit.snippet is not None
            assert "so Wait, no: and on" in hit.snippet
            assert hit.snippet.startswith("…")
            assert (hit.benchmark, hit.key, hit.outcome) == ("sums", "1", Outcome.CORRECT)
        assert next(Finder(study).traces(parse("correct:yes"))).snippet is None


def test_hits_go_on_after_the_last(db: Path) -> None:
    with Study(db) as study:
        finder, query = Finder(study), parse("wait or re:/Number 5/")
        every = list(finder.traces(query))
        first = list(finder.traces(query, limit=4))
        assert [*first, *finder.traces(query, after=first[-1].sample_id)] == every
        assert list(finder.traces(query, limit=0)) == []


def test_what_came_after_the_index_is_found_too(db: Path) -> None:
    with IndexWriter(db, "index") as writer:
        index_words(writer)
    with Writer(db, "test") as writer:
        writer.add_traces(source(writer, "b"), answers(["Wait, no, at the very end"], correct=False))
    with Study(db) as study:
        finder = Finder(study)
        assert finder.count(parse("wait")) == 7
        assert finder.count(parse("end")) == 1
        assert finder.count(parse("-wait")) == 54


def test_whoever_asked_can_stop(db: Path) -> None:
    asked = iter([False, False, True])
    with Study(db) as study, pytest.raises(Stopped):
        list(Finder(study, stop=lambda: next(asked)).traces(parse("re:/nowhere/")))


def test_a_regular_expression_without_end_is_given_up_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a" * 60 + "!"], correct=True))
    with Study(path) as study:
        began = time.perf_counter()
        with pytest.raises(TooSlow, match=r"takes more than 2 s on one text .*; write it without"):
            list(Finder(study).traces(parse("re:/(a|aa)+$/")))
        assert time.perf_counter() - began < 10


def test_sets_need_a_second_run_and_are_of_the_pair_that_is_named(db: Path) -> None:
    with Study(db) as study, pytest.raises(NotFound, match="no second run"):
        Finder(study).count(parse("set:both"))
    with Writer(db, "test") as writer:
        writer.add_traces(source(writer, "b"), answers([f"other {i}" for i in range(60)], of=run(RL), correct=False))
    with Study(db) as study:
        base, other = study.runs()
        finder = Finder(study)
        assert finder.count(parse("set:base-only")) == 120
        assert finder.count(parse("set:base-only"), pair=(other, base)) == 0
        assert finder.count(parse("set:other-only evidence:clear"), pair=(other, base)) == 120
        assert finder.sets("sums") == {1: "base-only"}
        assert finder.count(parse("set:unjudged or set:none or evidence:none")) == 0


def test_a_growing_study_is_never_answered_from_memory(db: Path) -> None:
    with Study(db) as study:
        finder = Finder(study)
        assert finder.count(parse("run:rl*")) == 0
        with Writer(db, "test") as writer:
            writer.add_traces(source(writer, "b"), answers(["new"], of=run(RL), correct=True))
        assert finder.count(parse("run:rl*")) == 1
        assert finder.count(parse("set:both")) == 61


def test_a_read_only_study_is_searched(db: Path) -> None:
    with IndexWriter(db, "index") as writer:
        index_words(writer)
    db.chmod(0o444)
    db.parent.chmod(0o555)
    try:
        with Study(db) as study:
            assert Finder(study).count(parse('wait "and on"')) == 6
    finally:
        db.parent.chmod(0o755)


def test_problems_without_traces_fit_by_what_is_known_of_them(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["a"], correct=True))
    with Writer(path, "test") as writer:
        other = Problem("sums", "2", "Counted only", "5")
        writer.add_problems([NewProblem(other, 1), NewProblem(Problem("sums", "3", "Never drawn", "6"), 2)])
        writer.add_counts(source(writer, "counts"), [NewCount(run(), other, 10, 4, 9)])
    with Study(path) as study:
        finder = Finder(study)
        ids = {p.key: p.problem_id for p in study.problems("sums")}
        assert finder.problems(parse(""), "sums") == set(ids.values())
        assert finder.problems(parse("statement:only"), "sums") == {ids["2"]}
        assert finder.problems(parse("solved>0.1"), "sums") == {ids["1"], ids["2"]}
        assert finder.problems(parse("correct:yes"), "sums") == {ids["1"]}
        assert finder.examples(parse("solved>0.1"), "sums") == {ids["1"]: 1, ids["2"]: None}


def test_names_that_sqlite_knows_otherwise_are_themselves(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        odd = Problem("sums", "100%_É'\"; DROP", "x", "4")
        writer.add_traces(source(writer), answers(["a"], on=odd, correct=True))
    with Study(path) as study:
        key = json.dumps('100%_é\'""; drop').replace('\\"\\"', '""').replace("\\u00e9", "é")
        assert Finder(study).count(parse(f"problem:{key}")) == 1
        assert Finder(study).count(parse("problem:100*")) == 1
        assert Finder(study).count(parse("problem:10__*")) == 0


def test_runs_are_named_as_everywhere(db: Path) -> None:
    with Study(db) as study:
        (only,) = study.runs()
        for name in (only.slug, only.slug.upper(), only.name, "base-7b"):
            assert Finder(study).count(parse(f'run:"{name}"')) == 60
