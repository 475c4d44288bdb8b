"""The Reader, driven by keys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from textual.widgets import Input

from explorer.app import BaseboundApp
from explorer.model.session import Session
from explorer.screens.help import HelpScreen
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.study import StudyScreen
from explorer.screens.traces import TracesScreen
from explorer.widgets.key_line import KeyLine
from explorer.widgets.text_view import TextView
from store.errors import StudyError
from store.reader import Study
from store.rows import ProblemRow, RunRow, Trace, TraceRow
from store.writer import Writer
from tests.builders import answers, source
from tests.explorer.conftest import judge
from tests.explorer.driving import TO_SUMS, Driver, MakeApp, crumbs, driven, press, said, settle, shown, top

LONG = "\n\n".join([f"{n}. So far {n}. " + "And therefore, " * 12 for n in range(1, 30)] + ["So it is \\boxed{4}."])
"""Thirty steps, of which the last holds the answer; a screen shows a few."""


@pytest.fixture
def make_long(make_app: MakeApp, tmp_path: Path) -> Callable[..., BaseboundApp]:
    """The app over one problem with these responses."""

    def make(*texts: str, link: str | None = None) -> BaseboundApp:
        path = tmp_path / "long.db"
        with Writer(path, "test") as writer:
            writer.add_traces(source(writer), answers(texts or [LONG]))
        return make_app(link, path)

    return make


TO_LONG = ("enter", "enter", "enter")


def response(pilot: Driver) -> TextView:
    return pilot.app.screen.query_one("#response", TextView)


def first_shown(pilot: Driver) -> str:
    return response(pilot).render_line(0).text


async def test_the_reader_walks_samples_in_the_filter_it_came_from(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "tab", "enter") as pilot:
        screen = top(pilot, ReaderScreen)
        assert "sample 1 of 7 · step 1 of 4 · only ✓ correct" in crumbs(pilot)
        await press(pilot, *["right_square_bracket"] * 8)
        assert (screen.walk.at_trace, screen.walk.trace.idx) == (6, 3)
        assert screen.trace is not None
        assert screen.trace.run.name == "tiny-rl step 100"
        await press(pilot, "left_square_bracket", "escape")
        selected = top(pilot, TracesScreen).selected
        assert selected is not None
        assert selected.idx == 2


async def test_the_reader_moves_on_to_the_next_problem_of_the_same_run(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", *"jjjj", "enter", "J", "J") as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.walk.problem.key == "2"
        assert screen.trace is not None
        assert screen.trace.run.name == "tiny-rl step 100"
        await press(pilot, "J", "J")
        assert screen.walk.problem.key == "4"
        assert screen.walk.trace.outcome == "correct"
        await press(pilot, "escape", "escape")
        selected = top(pilot, ProblemsScreen).selected
        assert selected is not None
        assert selected.problem.key == "4"


async def test_steps_scroll_and_are_counted(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "right_curly_bracket", "}") as pilot:
        view = pilot.app.screen.query_one("#response", TextView)
        assert (view.current, view.step_count) == (3, 4)
        assert "step 3 of 4" in crumbs(pilot)
        await press(pilot, *"}}}}", "{")
        assert view.current == 3


async def test_the_answer_stands_in_brackets_and_the_heading_says_what_decides(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "enter", "enter") as pilot:
        assert "\\boxed{⟦2⟧}" in shown(pilot)
        heading = said(pilot, "#heading")
        assert "✓ correct  answer 2  (math: boxed, number) · reference 2 · file ✓ correct" in heading
        assert "100 tokens" in heading
        assert "T 0.6" in heading


async def test_hostile_text_is_spelled_out_and_never_read_as_markup(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "enter", "enter") as pilot:
        text = shown(pilot)
        assert "␛[31mtext" in text
        assert "[bold]not bold[/bold] ⟨U+202E⟩ reversed ⟨U+2028⟩ 漢字" in text
        assert "⟨U+D800⟩" in text
        await press(pilot, "}", "}", "m", "}")
        assert "tab␉here␊" in shown(pilot)
        assert "raw" in crumbs(pilot)
        await press(pilot, "m")
        assert "step 4 of 5" in crumbs(pilot)
        assert "raw" not in crumbs(pilot)


async def test_search_counts_matches_and_goes_round(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "slash", *"them", "enter") as pilot:
        assert "/them 1/1" in crumbs(pilot)
        await press(pilot, "slash", *["backspace"] * 4, "a", "enter", "N")
        view = pilot.app.screen.query_one("#response", TextView)
        at, number = view.found
        assert at == number > 5
        await press(pilot, "n")
        assert view.found[0] == 1
        await press(pilot, "escape")
        assert "step 1 of 4" in crumbs(pilot)
        top(pilot, ReaderScreen)


async def test_the_statement_opens_over_the_response(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter") as pilot:
        assert "What is 0 + 0?" not in shown(pilot)
        await press(pilot, "t")
        assert "What is 0 + 0?" in shown(pilot)


async def test_a_link_opens_the_reader_with_the_screens_beneath(make_app: MakeApp) -> None:
    async with driven(make_app("tiny-rl-step-100@sums/sums:4/2#3"), size=(80, 24)) as pilot:
        screen = top(pilot, ReaderScreen)
        assert (screen.walk.problem.key, screen.walk.trace.idx) == ("4", 2)
        assert screen.query_one("#response", TextView).current == 3
        assert [type(each) for each in pilot.app.screen_stack[1:]] == [StudyScreen, ProblemsScreen, TracesScreen, ReaderScreen]
        await press(pilot, "escape", "escape")
        selected = top(pilot, ProblemsScreen).selected
        assert selected is not None
        assert selected.problem.key == "4"


async def test_a_copied_link_opens_where_it_was_copied(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "}", "y") as pilot:
        file = tmp_path / "basebound" / "clip.txt"
        assert file.read_text() == "tiny-base@sums/sums:0/0#2\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert pilot.app.clipboard == "tiny-base@sums/sums:0/0#2"


async def test_tab_leaves_the_prompt_alone(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "slash", "a", "tab", "m", "shift+tab") as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.query_one(Input).value == "am"
        assert not screen.raw
        await press(pilot, "escape")
        assert top(pilot, ReaderScreen).focused is response(pilot)
        await press(pilot, "escape", "escape", "slash", "tab", "x")
        problems = top(pilot, ProblemsScreen)
        assert problems.query_one(Input).value == "x"
        assert "[all 6]" in shown(pilot)


async def test_the_current_step_follows_where_the_reader_has_scrolled(
    make_long: Callable[..., BaseboundApp], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    async with driven(make_long(), *TO_LONG, size=(80, 24)) as pilot:
        await press(pilot, "space")
        assert response(pilot).current > 3
        await press(pilot, "G", "y")
        assert "step 30 of 30" in crumbs(pilot)
        assert (tmp_path / "basebound" / "clip.txt").read_text().endswith("#30\n")
        await press(pilot, "{")
        assert "step 29 of 30" in crumbs(pilot)
        await press(pilot, "g")
        assert "step 1 of 30" in crumbs(pilot)


async def test_reading_on_goes_from_the_match(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long(), *TO_LONG, "slash", *"far 17", "enter", size=(80, 24)) as pilot:
        assert "step 17 of 30 · /far 17 1/1" in crumbs(pilot)
        await press(pilot, "escape", "}")
        assert "step 18 of 30" in crumbs(pilot)
        assert "far 18" in shown(pilot)


async def test_raw_and_back_keeps_place_step_and_match(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long(), *TO_LONG, "G", size=(80, 24)) as pilot:
        place = response(pilot).scroll_y
        await press(pilot, *"mmmm")
        assert (response(pilot).scroll_y, response(pilot).current) == (place, 30)
        await press(pilot, "g", "space", "j", "m")
        before = first_shown(pilot).strip()[:20]
        await press(pilot, "m", "m")
        assert first_shown(pilot).strip()[:20] == before
        await press(pilot, "slash", *"so far", "enter", "n", "n")
        at, number = response(pilot).found
        assert at > 2
        assert number == 29
        assert f"raw · step {at} of 30 · /so far {at}/29" in crumbs(pilot)
        await press(pilot, "m")
        assert response(pilot).found == (at, 29)
        assert f"sample 1 of 1 · step {at} of 30 · /so far {at}/29" in crumbs(pilot)


async def test_only_the_deciding_verdict_marks_its_answer(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "scored.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), [*answers(["It is \\boxed{4}."]), *answers(["4"], start=2, correct=True)])
    with Writer(path, "test") as writer:
        writer.add_verdicts("math", "1", judge(path, "sums"))
    for verifier, marked in ((None, True), ("imported", False)):
        app = BaseboundApp(Session.open(path, verifier))
        async with driven(app, *TO_LONG) as pilot:
            assert top(pilot, ReaderScreen).walk.trace.idx == 0
            assert ("⟦4⟧" in shown(pilot)) == marked
            assert ("· unjudged" in said(pilot, "#heading")) != marked


async def test_a_step_the_trace_does_not_have_is_said(make_app: MakeApp) -> None:
    async with driven(make_app("tiny-rl-step-100@sums/sums:4/2#99")) as pilot:
        assert top(pilot, ReaderScreen).said == "the link names step 99, but this trace has 4 steps"
        assert "step 4 of 4" in crumbs(pilot)


async def test_the_last_line_keeps_the_ways_out_at_80_columns(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", size=(80, 24)) as pilot:
        line = pilot.app.screen.query_one(KeyLine).render_line(0).text
        for key in ("] [ sample", "/ search", "y copy", "Esc back", "? help", "q quit"):
            assert key in line
        await pilot.resize_terminal(40, 24)
        assert "Esc back  ? help  q quit" in pilot.app.screen.query_one(KeyLine).render_line(0).text


async def test_the_last_line_has_no_key_that_leads_nowhere(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long("one step"), *TO_LONG) as pilot:
        line = pilot.app.screen.query_one(KeyLine).render_line(0).text
        assert "/ search" in line
        assert not any(word in line for word in ("sample", "step", "problem"))


async def test_help_tells_every_key_whole_and_every_mark(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "question_mark", size=(80, 24)) as pilot:
        top(pilot, HelpScreen)
        text = said(pilot, "#lines")
        assert "] [ " in text
        assert "n N " in text
        assert "Tab " in text
        assert all(mark in text for mark in "■○⟦⟧▶✓✗∅‼·≠")
        words = " ".join(text.split())
        assert "The text as it came: no gutter, every unseen character spelled out" in words
        body = pilot.app.screen.query_one("VerticalScroll")
        seen = [body.scroll_y]
        for key in ("j", "pagedown", "k", "pageup", "G", "g"):
            await press(pilot, key)
            seen.append(body.scroll_y)
        assert seen[0] == seen[4] == seen[6] == 0
        assert seen[1] == 1
        assert seen[2] > 10
        assert seen[3] == seen[2] - 1
        assert seen[5] == body.max_scroll_y


async def test_an_empty_response_says_so(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long(""), *TO_LONG) as pilot:
        for _ in range(2):
            assert "(empty response)" in shown(pilot)
            await press(pilot, *"}{GgjNm")


async def test_n_without_a_search_says_how_to_search(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "n") as pilot:
        assert top(pilot, ReaderScreen).said == "no search yet: / searches"


async def test_the_statement_scrolls_by_tab_and_gives_the_keys_back(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "tab") as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.focused is response(pilot)
        await press(pilot, "t", "tab")
        assert screen.focused is screen.query_one("#statement")
        await press(pilot, "t")
        assert screen.focused is response(pilot)


class GatedSession(Session):
    """Reads a trace only while its gate is open, and no traces of the problem `broken`."""

    def __init__(self, study: Study, verifier: str | None = None) -> None:
        super().__init__(study, verifier)
        self.gate = threading.Event()
        self.gate.set()
        self.broken = ""

    def trace(self, sample_id: int) -> Trace:
        self.gate.wait(timeout=20)
        return super().trace(sample_id)

    def traces(self, problem: ProblemRow, runs: Sequence[RunRow]) -> list[TraceRow]:
        if problem.key == self.broken:
            raise StudyError("the study cannot be read just now")
        return super().traces(problem, runs)


async def test_the_way_on_the_first_line_is_that_of_the_trace_on_screen(study_path: Path) -> None:
    session = GatedSession(Study(study_path))
    async with driven(BaseboundApp(session), *TO_SUMS, "enter", "enter", "enter") as pilot:
        session.gate.clear()
        for key in ("right_square_bracket", "right_square_bracket", "}"):
            await pilot.press(key)
        assert "sample 1 of 8 · step 2 of 4" in crumbs(pilot)
        assert "sample #0" in said(pilot, "#heading")
        session.gate.set()
        await settle(pilot)
        assert "sample 3 of 8 · step 1 of 4" in crumbs(pilot)
        assert "sample #2" in said(pilot, "#heading")


async def test_a_problem_that_could_not_be_read_is_not_passed_over(study_path: Path) -> None:
    session = GatedSession(Study(study_path))
    async with driven(BaseboundApp(session), *TO_SUMS, "enter", "enter", "enter") as pilot:
        session.broken = "1"
        await press(pilot, "J")
        screen = top(pilot, ReaderScreen)
        assert screen.said == "the study cannot be read just now"
        session.broken = ""
        await press(pilot, "J")
        assert screen.walk.problem.key == "1"
