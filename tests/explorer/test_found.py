"""Search over all traces, filters of lists and saved views, driven by keys."""

from __future__ import annotations

import shlex
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import memory
from explorer.model.hits import snippet_line
from explorer.model.listing import all_of, complaint, field_lines, read_filter
from explorer.render.chips import Part, terms
from explorer.render.pieces import Tone, width_of
from explorer.screens.filtering import check_filter
from explorer.screens.found import FoundScreen
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.traces import TracesScreen
from explorer.screens.views import ViewsScreen
from explorer.widgets.prompt import Prompt
from store.errors import StudyError
from store.query import FIELDS, parse
from store.query.nearest import unheard_of
from store.reader import Study
from tests.explorer.conftest import make_study
from tests.explorer.driving import TO_SUMS, Driver, MakeApp, crumbs, driven, press, said, shown, top


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def prompt(pilot: Driver) -> Prompt:
    return pilot.app.screen.query_one("#prompt", Prompt)


async def test_every_hit_is_listed_with_its_place_and_read_one_after_the_other(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "F") as pilot:
        screen = top(pilot, FoundScreen)
        assert "words, phrases and beginnings" in shown(pilot)  # what may be asked for, while nothing is
        await press(pilot, *"role:base correct:yes", "enter")
        assert len(screen.hits) == 10 + 1  # of sums, and aime24's one
        assert "= 11 of " in said(pilot, "#terms")
        await press(pilot, "slash", *" columns", "enter")
        assert len(screen.hits) == 10
        assert "10" in crumbs(pilot)
        assert "Add the columns" in shown(pilot)
        await press(pilot, "enter")
        reader = top(pilot, ReaderScreen)
        keys = [reader.walk.problem.key]
        for _ in range(3):
            await press(pilot, "]")
            keys.append(reader.walk.problem.key)
        assert keys == ["0", "0", "0", "1"]  # past the problem's last hit, to the next one's
        await press(pilot, "J")
        assert reader.walk.problem.key == "2"
        await press(pilot, "K", "escape")
        if isinstance(pilot.app.screen, ReaderScreen):  # the first one dropped the search
            await press(pilot, "escape")
        assert screen.selected is not None
        assert screen.selected.key == "1"


async def test_an_expression_that_cannot_be_read_is_said_and_nothing_is_lost(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", *"set:bse", "enter") as pilot:
        assert prompt(pilot).value == "set:bse"
        assert prompt(pilot).said.startswith("‼ set is never 'bse' (column 5); write set:base-only")
        await press(pilot, *("backspace" for _ in range(2)), *"ase-only", "enter")
        screen = top(pilot, ProblemsScreen)
        assert [row.problem.key for row in screen.listed] == ["1"]


async def test_parts_of_a_filter_count_alone_and_together_and_can_be_dropped(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", *"set:both|base-only answer:99", "enter") as pilot:
        screen = top(pilot, ProblemsScreen)
        assert "/ set:both|base-only 4  answer:99 4  = 2 of 6" in said(pilot, "#chips")
        assert [row.problem.key for row in screen.listed] == ["1", "2"]
        assert "2 of 6" in crumbs(pilot)
        await press(pilot, "backspace")
        assert [row.problem.key for row in screen.listed] == ["0", "1", "2", "5"]
        await press(pilot, "escape")
        assert len(screen.listed) == 6
        assert top(pilot, ProblemsScreen) is screen


async def test_traces_take_the_filter_of_problems_along(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", *"answer:99", "enter", "enter") as pilot:
        screen = top(pilot, TracesScreen)
        assert screen.problem.key == "1"
        assert {row.answer for row in screen.listed} == {"99"}
        assert "[all 6] ✗ incorrect 6" in said(pilot, "#chips")
        assert said(pilot, "#chips").endswith("/ answer:99 6 of 8")
        assert "/ answer:99 6 of 8" in said(pilot, "#chips")
        await press(pilot, "slash", *" role:base", "enter")
        assert "/ answer:99 6  role:base 4  = 2 of 8" in said(pilot, "#chips")
        await press(pilot, "backspace", "backspace")
        assert len(screen.listed) == 8
        await press(pilot, "escape")
        assert top(pilot, ProblemsScreen).selected is not None


async def test_a_filter_that_found_a_problem_by_its_statement_hides_no_trace_of_it(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", *"leaving", "enter") as pilot:
        assert len(top(pilot, ProblemsScreen).listed) == 6
        await press(pilot, "enter")
        assert len(top(pilot, TracesScreen).listed) == 8
        assert "no trace fits: all shown" in crumbs(pilot)


async def test_what_cannot_be_known_is_one_sentence(make_app: MakeApp) -> None:
    async with driven(make_app(), "enter", "slash", *"set:both", "enter") as pilot:  # aime24 has one run
        screen = top(pilot, ProblemsScreen)
        assert "no second run" in screen.said
        assert "not searched" in crumbs(pilot)
        await press(pilot, "escape")
        assert screen.wanted is None


async def test_views_are_saved_used_and_deleted(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "v") as pilot:
        assert "no views yet" in shown(pilot)
        await press(pilot, "s")
        assert top(pilot, ViewsScreen).said.startswith("no filter in force")
        await press(pilot, "escape", "slash", *"answer:99", "enter", "v", "s", "enter")
        assert prompt(pilot).said == "‼ a view needs a name"
        await press(pilot, *"odd ones", "enter")
        assert memory.load().views == {"odd ones": "answer:99"}
        views = top(pilot, ViewsScreen)
        command = f"basebound list traces {shlex.quote(str(views.session.study.path.resolve()))} --view 'odd ones'"
        assert f"`{command}`" in views.said
        await press(pilot, "y")
        assert views.said.startswith("the command that finds the same")
        assert "filter in force: answer:99\ns saves the filter above" in said(pilot, "#now")
        await press(pilot, "escape", "escape", "v", "enter")
        screen = top(pilot, ProblemsScreen)
        assert [row.problem.key for row in screen.listed] == ["1", "2", "3", "4"]
        await press(pilot, "v", "d")
        views = top(pilot, ViewsScreen)
        assert views.said == "d again deletes odd ones, for good; any other key keeps it"
        await press(pilot, "j", "d")
        assert memory.load().views == {"odd ones": "answer:99"}
        await press(pilot, "d")
        assert memory.load().views == {}
        assert views.said == "deleted: odd ones"


async def test_a_failing_search_says_so(make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_study(tmp_path / "own.db")

    def fail(*_: object, **__: object) -> None:
        raise StudyError("the study is locked by another program")

    async with driven(make_app(path=path), *TO_SUMS, "enter", "F") as pilot:
        monkeypatch.setattr("engine.finding.Finder.traces", fail)
        await press(pilot, *"columns", "enter")
        assert "not searched, R searches again: the study is locked" in shown(pilot)
        monkeypatch.undo()
        await press(pilot, "R")
        assert len(top(pilot, FoundScreen).hits) == 48


def test_what_is_typed_is_read_along() -> None:
    assert check_filter("").said.startswith("guess*")
    assert check_filter("set:base-only  answer:2").said == "set:base-only   answer:2"
    assert check_filter("set:base-only answer:2").stands
    assert not check_filter("(a or").stands


@given(st.text(max_size=60))
def test_anything_typed_is_a_filter_or_a_sentence(text: str) -> None:
    why = complaint(text)
    if why is None:
        found = read_filter(text)
        assert found is None or read_filter(found.text) == found
    else:
        assert why


@given(st.lists(st.tuples(st.text(min_size=1, max_size=60), st.none() | st.integers(0, 9999)), min_size=1, max_size=8))
def test_what_parts_leave_together_is_always_in_sight(parts: list[tuple[str, int | None]]) -> None:
    line = terms([Part(*part) for part in parts], 17, 300, 80)
    assert "".join(text for text, _ in line).endswith(" 17 of 300")
    assert ("= " in "".join(text for text, tone in line if tone is not Tone.ACCENT)) == (len(parts) > 1)
    assert width_of(line) <= 80 or len([tone for _, tone in line if tone is Tone.ACCENT]) == 1


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 20), st.integers(0, 40))
def test_a_snippet_keeps_its_match(text: str, start: int, length: int, before: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    line = snippet_line(text, [(start, end)] if end > start else (), before)
    assert [piece for piece, tone in line if tone is Tone.MATCH] == ([text[start:end]] if end > start else [])


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_hits_without_words_are_told_apart_by_number_and_answer(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "F", *"answer:99", "enter", size=size) as pilot:
        titles = shown(pilot).splitlines()[2].split()
        assert titles == ["problem", "run", "#", "verdict", "answer"]
        await press(pilot, "slash", *" columns", "enter")
        narrow = [title for title in titles if title != "verdict"]  # its sign is enough there
        assert shown(pilot).splitlines()[2].split() == [*(narrow if size[0] < 120 else titles), "where"]
        assert "the columns" in shown(pilot)
        assert all("✗" in line or "∅" in line for line in shown(pilot).splitlines()[3:6])


async def test_hits_of_a_reason_say_the_first_one(make_app: MakeApp, tmp_path: Path) -> None:
    path = make_study(tmp_path / "own.db")
    with sqlite3.connect(path) as study:
        study.execute("INSERT INTO suspicion (sample_id, version, score) VALUES (1, 1, 0.5)")
        for place, kind in enumerate(("guess", "underived", "underived")):
            values = (place, kind, 0, 5, f"sentence {place}", 0)
            study.execute(
                "INSERT INTO reason (sample_id, place, kind, start, end, detail, retracted) VALUES (1,?,?,?,?,?,?)", values
            )
    async with driven(make_app(path=path), *TO_SUMS, "enter", "F", *"why:underived", "enter") as pilot:
        assert "first reason" in shown(pilot)
        assert "underived: sentence 1" in shown(pilot)
        await press(pilot, "slash", *(["backspace"] * 10), *"any", "enter")
        assert "guess: sentence 0" in shown(pilot)


async def test_nothing_found_under_a_name_says_what_would_fit(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", *"run:tiny", "enter", size=(80, 24)) as pilot:
        assert "no run is called 'tiny'; run:tiny* would fit 4" in shown(pilot)
        await press(pilot, "F")
        assert "no run is called 'tiny'; run:tiny* would fit 4" in shown(pilot)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("run:rl", "no run is called 'rl'; run:*rl* would fit 1"),
        ("model:tinybase", "no model is called 'tinybase'; the nearest: model:tiny-base"),
        ("label:none (benchmark:sum or x)", "no benchmark is called 'sum'; benchmark:sum* would fit 1"),
        ("problem:zzz", "no problem is called 'zzz'; there are 0, 1, 15, 2 and 3 more"),
        ("-run:rl run:tiny* columns", ""),
        ("tag:odd", ""),
    ],
)
def test_names_that_nothing_has_are_told(study_path: Path, asked: str, told: str) -> None:
    with Study(study_path) as study:
        assert unheard_of(study, None, parse(asked)) == told


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (80, 12)], ids=str)
async def test_an_empty_prompt_tells_the_fields_where_there_is_room(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", size=size) as pilot:
        lines = [prompt(pilot).render_line(y).text for y in range(prompt(pilot).size.height)]
        assert ("perplexity>" in "\n".join(lines[2:])) == (size[1] > 12)
        await press(pilot, "a")
        assert prompt(pilot).size.height == 2
        await press(pilot, "backspace", "escape")
        assert not prompt(pilot).display


async def test_a_complaint_is_read_to_its_end_at_80_cells(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", *"evidenc:clear", "enter", size=(80, 24)) as pilot:
        lines = [prompt(pilot).render_line(y).text.strip() for y in range(1, prompt(pilot).size.height)]
        assert len(lines) > 1
        assert " ".join(lines) == prompt(pilot).said
        assert lines[-1].endswith("to look for the word")


def test_fields_are_told_within_their_room() -> None:
    lines = field_lines(78, 13)
    assert lines
    assert max(map(len, lines)) <= 78
    assert all(name in " ".join(lines) for name in FIELDS)
    assert field_lines(78, 4) == []
    assert all_of("", "a or b", "set:both") == "(a or b) set:both"
