"""The data behind the plots: the engine's own numbers, at the right places; and the files they are saved as."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from math import exp, log
from pathlib import Path
from statistics import median
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.likelihoods import read_pair
from explorer.model.picture_files import as_csv, save
from explorer.model.pictures import Kind, Pictures
from explorer.model.pictures_of_pairs import place_of
from explorer.model.session import Pair, Session
from explorer.render.plots.numbers import numbers
from explorer.render.plots.picture import Crossing, Picture, Series, Shape
from explorer.render.svg import svg
from store.reader import Study
from store.rows import RunRow
from store.types import (
    Batch,
    Finish,
    Likelihood,
    Model,
    NewCount,
    NewDraw,
    NewSample,
    NewTrace,
    Outcome,
    Problem,
    Prompt,
    Role,
    Run,
    Settings,
    Verdict,
)
from store.verdicts import Judged
from store.writer import SourceFile, Writer
from tests.engine.token_study import token_study
from tests.explorer.conftest import CORRECT, make_study

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'lab/<b>&"\x1b[31m\u202e\ufffe=cmd|'


@pytest.fixture
def session(study_path: Path) -> Iterator[Session]:
    with Session.open(study_path) as opened:
        yield opened


@pytest.fixture
def sums(session: Session) -> Pair:
    found = session.pair("sums")
    assert found is not None
    return found


def of(session: Session, pair: Pair, kind: Kind) -> Picture:
    return Pictures(session, pair, pair.board.problems[0]).picture(kind)


def counts_study(path: Path, runs: list[tuple[Run, list[tuple[int, int]]]]) -> Path:
    """Counts only: correct and n of each problem."""
    with Writer(path, "test") as writer:
        source = writer.open_source(SourceFile("counts.csv", "test", "3" * 64, 1))
        for run, counts in runs:
            made = [
                NewCount(run, Problem(run.benchmark, str(key), None, None), key + 1, correct, n)
                for key, (correct, n) in enumerate(counts)
            ]
            writer.add_counts(source, made)
    return path


def holds(one: Series) -> bool:
    """Every value lies within its interval."""
    return all(
        None not in (found := one.at(place)) and found[1] <= found[0] <= found[2]  # type: ignore[operator]
        for place in range(len(one.values))
    )


def run(name: str, role: Role = Role.OTHER, step: int | None = None, temperature: float | str = 0.6) -> Run:
    model = Model(name, "unknown" if step is None else f"step-{step}", role, algorithm="GRPO" if step else None, step=step)
    return Run(model, "sums", Settings(temperature=temperature))


def test_pass_at_k_is_the_engine_s_with_the_difference_beside_it(session: Session, sums: Pair) -> None:
    from engine.analyses.passk import mean_pass_at_k

    picture = of(session, sums, Kind.PASS)
    assert picture.places == ("1", "2", "4")
    for one, name in zip(picture.series, ("base", "rl"), strict=True):
        assert one.values == pytest.approx([100 * value for value in mean_pass_at_k([4] * 6, CORRECT[name], [1, 2, 4])])
        assert holds(one)
    (difference,) = picture.aside
    base, other = picture.series
    assert difference.values == pytest.approx([b - a for a, b in zip(base.values, other.values, strict=True)])  # type: ignore[operator]
    said = " ".join(picture.facts)
    assert all(
        word in said for word in ("sums", "6 problems judged for both", "n 4", "verdicts by math", "T 0.6", "top-p 0.95")
    )
    assert of(session, sums, Kind.DIFFERENCE).series[0].values == difference.values


def test_the_histogram_counts_every_problem_once(session: Session, sums: Pair) -> None:
    picture = of(session, sums, Kind.ACCURACY)
    assert [sum(one.values) for one in picture.series] == [6, 6]  # type: ignore[arg-type]
    assert [(one.values[0], one.values[-1]) for one in picture.series] == [(2, 1), (2, 3)]


def test_sets_and_coverage_add_up_to_all_problems(session: Session, sums: Pair) -> None:
    sets = of(session, sums, Kind.SETS)
    assert sets.places == ("base only", "RL only", "both", "neither")
    assert list(sets.aside[0].values) == [1, 1, 3, 1]
    assert sum(sets.series[0].values) == pytest.approx(6)  # type: ignore[arg-type]
    coverage = of(session, sums, Kind.COVERAGE)
    for place in range(len(coverage.places)):
        assert sum(one.values[place] or 0 for one in coverage.columns) == pytest.approx(100)


def test_lengths_are_those_of_right_and_wrong_responses(session: Session, sums: Pair) -> None:
    picture = of(session, sums, Kind.LENGTHS)
    assert picture.places == ("base right ✓", "base wrong ✗", "RL right ✓", "RL wrong ✗")
    assert picture.axis == "responses" and picture.unit == "tokens" and picture.is_drawn  # noqa: PT018
    tokens = [100 + index for right in CORRECT["base"] for index in range(4) if index < right]
    assert picture.series[0].values[0] == median(tokens)
    assert picture.aside[-1].values[0] == len(tokens)


def test_of_a_chosen_part_there_are_numbers_and_no_picture(tmp_path: Path) -> None:
    path = make_study(tmp_path / "part.db")
    with Writer(path, "test") as writer, Study(path) as study:
        published = writer.open_source(SourceFile("all.csv", "test", "9" * 64, 1))
        base = study.runs("sums")[0]
        whole = [
            NewCount(Run(base.model, "sums", base.settings), Problem("sums", str(key), None, None), key + 1, 3, 1000)
            for key in range(6)
        ]
        writer.add_counts(published, whole)
    with Session.open(path) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.LENGTHS)
        assert not picture.is_drawn
        assert not picture.is_empty
        assert "48 traces stored of 6,024 drawn: chosen, not a sample" in picture.notes[0]
        assert [file.suffix for file in save(picture, "part.db", "sums", tmp_path)] == [".csv"]


def test_runs_of_counts_only_have_no_lengths(session: Session) -> None:
    board = session.boards["sums"]
    counted = next(run for run in board.runs if run.model.role is Role.DISTILLED)
    alone = Pair(board, counted, None)
    picture = of(session, alone, Kind.LENGTHS)
    assert picture.is_empty
    assert "counts only" in picture.notes[0]
    assert "one run of this benchmark only" in of(session, alone, Kind.DIFFERENCE).notes[0]
    assert len(of(session, alone, Kind.PASS).series) == 1


def test_without_likelihoods_the_command_that_makes_them_is_named(session: Session, sums: Pair) -> None:
    picture = of(session, sums, Kind.PERPLEXITY)
    assert picture.is_empty
    assert "`basebound score study.db --scorer DIR --of" in picture.notes[0]


def scored_by(path: Path, role: Role, nats: float) -> Path:
    """The first model of that role has scored every sample with so many nats a token."""
    with Study(path) as study:
        model = next(run.model for run in study.runs() if run.model.role is role)
        rows = study.query("SELECT sample_id, tokens FROM sample WHERE tokens IS NOT NULL")
    with Writer(path, "test") as writer:
        found = [Likelihood(one, 1, 1, 0, tokens, -nats * tokens, 0, None) for one, tokens in rows]
        writer.add_likelihoods(model, "float32", found)
    return path


def test_perplexity_is_exp_of_the_nats_a_token_under_base(tmp_path: Path) -> None:
    with Session.open(scored_by(make_study(tmp_path / "scored.db"), Role.BASE, 0.1)) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.PERPLEXITY)
        assert picture.is_drawn
        assert picture.series[0].values == pytest.approx([exp(0.1)] * 4)
        assert all(place.endswith("under base") for place in picture.places)
        assert "RL has not scored responses of base and RL: `basebound score scored.db --scorer DIR --of" in picture.notes[0]


def test_perplexity_of_both_runs_stands_under_both_models(tmp_path: Path) -> None:
    path = scored_by(scored_by(make_study(tmp_path / "both.db"), Role.BASE, 0.1), Role.RL, 0.4)
    with Session.open(path) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.PERPLEXITY)
    assert picture.places == (
        *("base right ✓ under base", "base wrong or none ✗ under base"),
        *("base right ✓ under RL", "base wrong or none ✗ under RL"),
        *("RL right ✓ under base", "RL wrong or none ✗ under base", "RL right ✓ under RL", "RL wrong or none ✗ under RL"),
    )
    assert picture.series[0].values == pytest.approx([exp(0.1), exp(0.1), exp(0.4), exp(0.4)] * 2)
    assert picture.notes == ()
    assert picture.a_colour == 4, "the boxes of one run have one colour"
    tens = next(one for one in picture.aside if one.word == "1 in 10^")
    tokens = [100 + index for right in CORRECT["base"] for index in range(4) if index < right]
    assert tens.values[2] == pytest.approx(0.4 * median(tokens) / log(10))
    assert "whole traces, base right ✓ under base: 1 in " in picture.facts[0]
    assert "float32" in picture.facts[1]


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return token_study(tmp_path_factory.mktemp("tokens") / "tokens.db").path


def test_support_stands_beside_its_null_and_says_its_margin(by_token: Path) -> None:
    with Session.open(by_token) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.SUPPORT)
        with session.apart() as study:
            found = read_pair(study, pair.board, *pair.runs)
    assert picture.places == ("RL's under base", "base's own, the null", "base's under RL", "RL's own, the null")
    assert found.support is not None
    assert list(picture.series[0].values[:2]) == pytest.approx([100 * found.support.share, 100])
    assert "0.0001 in float32" in " ".join(picture.facts)
    assert "T 0.6" in " ".join(picture.facts)


def test_recovery_holds_the_floor_and_the_bound_beside_the_direct_rate(by_token: Path) -> None:
    with Session.open(by_token) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.RECOVERY)
        with session.apart() as study:
            found = read_pair(study, pair.board, *pair.runs).recovery
        keys = {problem.problem_id: problem.key for problem in pair.board.problems}
    known = {keys[problem]: one for problem, one in found.items() if one.floor is not None}
    assert [place.removesuffix(" ‼") for place in picture.places] == sorted(known, key=lambda key: known[key].direct.correct)  # type: ignore[union-attr]
    box = picture.series[0]
    for place, word in enumerate(picture.places):
        one = known[word.removesuffix(" ‼")]
        assert one.direct is not None
        assert (box.values[place], box.low[place], box.least[place]) == (one.direct.correct / 4, one.direct.low, one.floor)
        assert one.importance is not None
        if one.importance.warning:
            assert word.endswith("‼")
            assert box.most[place] == one.floor, "a bound that means little is not drawn"
    assert f"‼ {len(picture.places)} of {len(picture.places)}" in picture.facts[1]


def test_a_chance_of_nothing_is_said_as_nothing_and_a_small_one_as_a_power(by_token: Path, tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    path.write_bytes(by_token.read_bytes())
    found = "sample_id IN (SELECT sample_id FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id) WHERE {})"
    base = "scorer_id = (SELECT model_id FROM model WHERE role = 'base') AND temperature < 1"
    with sqlite3.connect(path) as raw:
        of_rl = found.format("slug LIKE 'rl%' AND problem.key = '{}'")
        raw.execute(f"UPDATE likelihood SET logp = NULL, outside = 1 WHERE {base} AND {of_rl.format('found')}")
        raw.execute(f"UPDATE likelihood SET logp = -30 WHERE {base} AND {of_rl.format('shared')}")
    with Session.open(path) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.RECOVERY)
    places = [place.removesuffix(" ‼") for place in picture.places]
    said = {key: {one.word: picture.said(one, at) for one in picture.columns} for at, key in enumerate(places)}
    none, small = said["found"], said["shared"]
    assert (none["floor"], none["bound"], none["± error"], none["ESS"]) == ("0", "0", "–", "–")
    assert (none["drawable"], none["of right"]) == ("0", "2")
    assert small["floor"] == "10^-12.7"
    assert "floor and bound 0 (1 problem): base can draw none of RL's right traces" in " ".join(picture.facts)
    assert "inf" not in str(said)
    assert "0.0000" not in [small["floor"], small["bound"]]


def test_of_runs_of_which_nobody_knows_a_nucleus_there_is_the_reason(session: Session, sums: Pair) -> None:
    assert "top-k" in of(session, sums, Kind.SUPPORT).notes[0]
    assert of(session, sums, Kind.RECOVERY).notes
    assert "one training step only" in of(session, sums, Kind.PERPLEXITY_STEPS).notes[0]


def drawn_study(path: Path, stored: int) -> Path:
    """Base and three steps, 8 samples of each of two problems drawn here; more were counted than are stored."""
    settings = Settings(temperature=0.6, top_p=0.95, top_k=0)
    runs = [Run(Model("lab/base", role=Role.BASE), "sums", settings)]
    runs += [Run(Model("lab/rl", f"step-{n}", Role.RL, algorithm="GRPO", step=n), "sums", settings) for n in (10, 20, 30)]
    problems = [Problem("sums", key, "?", "4") for key in "ab"]
    facts = Batch("scripted", "1", "none", "none", "here", "v")
    with Writer(path, "test") as writer:
        for run in runs:
            batch = writer.open_batch(run, facts, {one: Prompt("?", (1,)) for one in problems})
            kept = [*range(4), 7] if stored < 8 else range(8)
            writer.add_draws(
                batch, [NewDraw(one, at, at, f"{at}", (1, 2, 3), Finish.STOP, "</s>") for one in problems for at in kept]
            )
    with Study(path) as study:
        rows = study.query("SELECT sample_id, run_id, problem_id, idx, slug FROM sample JOIN run USING (run_id)")
    with Writer(path, "test") as writer:
        right = Verdict(Outcome.CORRECT, "boxed", "4")
        writer.add_verdicts("math", "1", [Judged(one, run, problem, right) for one, run, problem, _, _ in rows])
        if stored < 8:
            source = writer.open_source(SourceFile("all.csv", "test", "9" * 64, 1))
            writer.add_counts(source, [NewCount(run, one, 1, 3, 100) for run in runs for one in problems])
        steps = {run.slug: number for number, run in enumerate(study_runs(path))}
        # The one with index 7 was kept for its answer, and is far less likely.
        found = [Likelihood(one, 1, 1, 0, 3, -3 * (9 if at == 7 else 1 + steps[slug]), 0, None) for one, _, _, at, slug in rows]
        writer.add_likelihoods(runs[0].model, "float64", found)
    return path


def study_runs(path: Path) -> list[RunRow]:
    with Study(path) as study:
        return study.runs("sums")


def test_perplexity_along_steps_begins_with_base_s_own(tmp_path: Path) -> None:
    with Session.open(drawn_study(tmp_path / "steps.db", 8)) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.PERPLEXITY_STEPS)
    assert picture.places == ("base", "10", "20", "30")
    assert [one.word for one in picture.series] == ["base", "GRPO"]
    base, steps = (list(one.values) for one in picture.series)
    assert base == pytest.approx([exp(1), None, None, None])
    assert steps == pytest.approx([None, exp(2), exp(3), exp(4)])
    assert "16 responses a run" in " ".join(picture.facts)
    assert "steps stand at even distances" in picture.facts


def test_lines_along_steps_have_short_names_and_their_columns_titles(tmp_path: Path) -> None:
    path = drawn_study(tmp_path / "steps.db", 8)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE model SET algorithm = 'a way of training with a long name' WHERE role = 'rl'")
    with Session.open(path) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.PERPLEXITY_STEPS)
    assert [one.word for one in picture.series] == ["base", "rl"]
    many = replace(
        picture, series=tuple(replace(one, word=f"{one.word} {at} of many") for at in range(4) for one in picture.series)
    )
    titles = [column.title for column in numbers(many, 96).columns]
    assert all(len(title) > 4 for title in titles[1:]), titles


def test_of_a_part_drawn_here_the_first_samples_of_each_problem_are_a_fair_one(tmp_path: Path) -> None:
    with Session.open(drawn_study(tmp_path / "part.db", 5)) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.PERPLEXITY_STEPS)
        both = of(session, pair, Kind.PERPLEXITY)
    assert picture.is_drawn
    assert picture.series[0].values[0] == pytest.approx(exp(1))
    assert picture.series[0].high[0] == pytest.approx(exp(1)), "the one that was kept for its answer is not among them"
    assert "of the first 4 samples of each problem and run" in picture.facts[0]
    assert both.is_drawn
    assert next(one for one in both.aside if one.word == "traces").values[0] == 8


def test_unequal_n_is_said_and_a_curve_ends_at_its_n(session: Session) -> None:
    board = session.boards["sums"]
    base, counted = board.runs[0], next(run for run in board.runs if run.model.role is Role.DISTILLED)
    picture = of(session, Pair(board, base, counted), Kind.PASS)
    assert picture.places == ("1", "2", "4", "8", "16")
    assert [value is None for value in picture.series[0].values] == [False, False, False, True, True]
    assert None not in picture.series[1].values
    assert [value is None for value in picture.aside[0].values] == [False, False, False, True, True]
    assert "n differ" in picture.notes[0]


def test_one_problem_has_its_curve_its_limits_and_its_answers(session: Session, sums: Pair) -> None:
    picture = of(session, sums, Kind.PROBLEM)
    assert picture.series[0].values == pytest.approx([75, 100, 100])
    assert all(map(holds, picture.series))
    assert "base 3/4 · RL 4/4" in picture.facts[0]
    assert "×3" in "".join(text for text, _ in picture.extra[0])


def test_training_steps_stand_in_their_order_one_line_an_algorithm(tmp_path: Path) -> None:
    counts = [(1, 4), (2, 4), (4, 4)]
    runs = [run("lab/base", Role.BASE), *(run("lab/rl", Role.RL, step) for step in (100, 20, 3))]
    with Session.open(counts_study(tmp_path / "steps.db", [(one, counts) for one in runs])) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.STEPS)
        assert picture.places == ("base", "3", "20", "100")
        assert [one.word for one in picture.series] == ["base", "GRPO"]
        assert picture.series[1].values[0] is None
        assert "one temperature" in of(session, pair, Kind.TEMPERATURES).notes[0]
        assert len(of(session, pair, Kind.RUNS).series) == 4


def test_temperatures_make_one_line_a_model(tmp_path: Path) -> None:
    counts = [(1, 4), (2, 4)]
    runs = [run("lab/base", Role.BASE, temperature=heat) for heat in (1.0, 0.2)] + [run("lab/rl", Role.RL)]
    with Session.open(counts_study(tmp_path / "heat.db", [(one, counts) for one in runs])) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.TEMPERATURES)
        assert picture.places == ("0.2", "0.6", "1")
        assert sorted(one.word for one in picture.series) == ["base", "rl"]
        assert "no run with a training step" in of(session, pair, Kind.STEPS).notes[0]


def test_more_runs_than_markers_are_said_to_be_left_out(tmp_path: Path) -> None:
    runs = [run(f"lab/m{number}") for number in range(11)]
    with Session.open(counts_study(tmp_path / "many.db", [(one, [(1, 2)]) for one in runs])) as session:
        pair = session.pair("sums")
        assert pair is not None
        picture = of(session, pair, Kind.RUNS)
        assert len(picture.series) == 8
        assert "3 lines more" in picture.notes[0]


@given(st.lists(st.integers(1, 2000), min_size=2, max_size=12, unique=True).map(sorted), st.data())
def test_a_k_lies_between_its_neighbours_by_ratios(ks: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(ks[0], ks[-1]))
    place = place_of(ks, k)
    left = min(int(place), len(ks) - 2)
    assert ks[left] <= k <= ks[left + 1]
    assert log(ks[left]) + (place - left) * log(ks[left + 1] / ks[left]) == pytest.approx(log(k))


def example(name: str = "base", **more: object) -> Picture:
    one = Series(name, name, (10.0, 20.0, None), (5.0, 12.0, None), (15.0, 30.0, None))
    two = Series("RL", "RL", (30.0, 25.0, 22.0), (20.0, 20.0, 20.0), (40.0, 30.0, 28.0))
    made = Picture(
        "pass@k", "pass@k", places=("1", "2", "4"), series=(one, two), facts=("n 4",), crossing=Crossing(1.5, "k* 3")
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_the_svg_holds_every_point_at_its_place_with_its_numbers() -> None:
    root = ET.fromstring(svg(example(), "study.db"))
    points = [group.find(f"{SVG}title").text for group in root.iter(f"{SVG}g") if group.get("class") == "point"]  # type: ignore[union-attr]
    assert points == [
        "k = 1: base 10.0 [5.0, 15.0]", "k = 2: base 20.0 [12.0, 30.0]",
        "k = 1: RL 30.0 [20.0, 40.0]", "k = 2: RL 25.0 [20.0, 30.0]", "k = 4: RL 22.0 [20.0, 28.0]",
    ]  # fmt: skip
    lines = list(root.iter(f"{SVG}polyline"))
    assert [len((line.get("points") or "").split()) for line in lines] == [2, 3]
    assert len({line.get("stroke-dasharray") for line in lines}) == 2
    assert len([band for band in root.iter(f"{SVG}polygon") if band.get("class", "").startswith("band")]) == 2
    assert {"n 4", "k* 3", "base", "RL", "k", "%"} <= {text.text for text in root.iter(f"{SVG}text")}
    assert "prefers-color-scheme" in (root.find(f"{SVG}style").text or "")  # type: ignore[union-attr]


@settings(max_examples=60)
@given(st.text(max_size=40), st.sampled_from(list(Shape)))
def test_the_svg_is_well_formed_whatever_the_names_are(name: str, shape: Shape) -> None:
    hostile = name + HOSTILE
    text = svg(example(hostile, shape=shape, title=hostile, places=(hostile, "2", "4"), notes=(hostile,)), hostile)
    root = ET.fromstring(text)
    assert not [one for one in root.iter() if one.tag.rpartition("}")[2] in ("b", "script", "image", "a")]
    assert not set(text) & set("\x1b\u202e\ufffe")


def test_the_csv_is_what_is_shown_and_no_formula() -> None:
    rows = list(csv.DictReader(as_csv(example("=1+1"), "study.db", "sums").splitlines()))
    assert len(rows) == 6
    assert {row["series"] for row in rows} == {"'=1+1", "RL"}
    assert (rows[0]["place"], rows[0]["value"], rows[0]["low"], rows[0]["high"]) == ("1", "10.0", "5.0", "15.0")
    assert rows[4]["value"] == ""
    assert rows[0]["made_from"] == "n 4"


def test_saving_never_writes_over_a_file(tmp_path: Path) -> None:
    first = save(example(), "my study.db", "../sums/é", tmp_path)
    assert [path.name for path in first] == ["my-study-sums-pass-at-k.svg", "my-study-sums-pass-at-k.csv"]
    before = [path.read_bytes() for path in first]
    second = save(example(), "my study.db", "../sums/é", tmp_path)
    assert [path.name for path in second] == ["my-study-sums-pass-at-k-2.svg", "my-study-sums-pass-at-k-2.csv"]
    assert [path.read_bytes() for path in first] == before
    (tmp_path / "my-study-sums-pass-at-k-3.csv").symlink_to(tmp_path / "elsewhere")
    assert save(example(), "my study.db", "../sums/é", tmp_path)[0].name == "my-study-sums-pass-at-k-4.svg"
    assert not (tmp_path / "elsewhere").exists()


def test_series_are_named_by_what_finds_their_runs_again(session: Session, sums: Pair) -> None:
    assert [one.name for one in of(session, sums, Kind.PASS).series] == [run.slug for run in sums.runs]


def test_a_run_imported_whole_is_drawn_beside_one_of_which_the_first_samples_are_used(tmp_path: Path) -> None:
    path = drawn_study(tmp_path / "beside.db", 5)
    person = Run(Model("a person"), "sums")
    with Writer(path, "test") as writer:
        source = writer.open_source(SourceFile("book.jsonl", "test", "8" * 64, 1))
        problems = [Problem("sums", key, "?", "4") for key in "ab"]
        writer.add_traces(source, [NewTrace(person, one, NewSample("4", at)) for at, one in enumerate(problems, 1)])
    with Study(path) as study:
        sql = "SELECT sample_id, run_id, problem_id FROM sample WHERE run_id = (SELECT max(run_id) FROM run)"
        rows = study.query(sql)
        base = study.runs("sums")[0].model
    with Writer(path, "test") as writer:
        right = Verdict(Outcome.CORRECT, "boxed", "4")
        writer.add_verdicts("math", "1", [Judged(one, run, of, right) for one, run, of in rows])
        writer.add_likelihoods(base, "float64", [Likelihood(one, 1, 1, 0, 3, -15, 0, None) for one, _, _ in rows])
    with Session.open(path) as session:
        board = session.boards["sums"]
        theirs = next(run for run in board.runs if run.model.name == "a person")
        picture = of(session, Pair(board, board.runs[0], theirs), Kind.PERPLEXITY)
    assert picture.is_drawn
    places = [at for at, place in enumerate(picture.places) if "right" in place]
    assert [picture.series[0].values[at] for at in places] == pytest.approx([exp(1), exp(5)])
    assert picture.facts[0] == "of the first 4 samples of each problem of runs stored in part: others were chosen"
    assert picture.notes == (), "a person is not asked for scores"
