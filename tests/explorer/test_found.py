"""Search over all traces, filters of lists and saved views, driven by keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer import memory
from explorer.model.hits import snippet_line
from explorer.model.listing import complaint, read_filter
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
        assert "/ answer:99 6  = 6 of 8" in said(pilot, "#chips")
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
        await press(pilot, "escape", "escape", "v", "enter")
        screen = top(pilot, ProblemsScreen)
        assert [row.problem.key for row in screen.listed] == ["1", "2", "3", "4"]
        await press(pilot, "v", "d")
        assert memory.load().views == {}


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
    assert "".join(text for text, _ in line).endswith("= 17 of 300")
    assert width_of(line) <= 80 or len([tone for _, tone in line if tone is Tone.ACCENT]) == 1


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 20), st.integers(0, 40))
def test_a_snippet_keeps_its_match(text: str, start: int, length: int, before: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    line = snippet_line(text, [(start, end)] if end > start else (), before)
    assert [piece for piece, tone in line if tone is Tone.MATCH] == ([text[start:end]] if end > start else [])
