"""The Reader, driven by keys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from textual.widgets import Input

from explorer.app import BaseboundApp
from explorer.model.reading import check_trace
from explorer.model.session import Session
from explorer.render.page import Document
from explorer.screens.help import HelpScreen
from explorer.screens.preparing import TraceChecked
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.study import StudyScreen
from explorer.screens.traces import TracesScreen
from explorer.widgets.key_line import KeyLine
from explorer.widgets.text_view import TextView
from store.audits import Audit, AuditWriter
from store.errors import StudyError
from store.reader import Study
from store.rows import ProblemRow, RunRow, Trace, TraceRow
from store.types import Model, NewSample, NewTrace, Problem, Role, Run, Settings
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


async def looked_ahead(pilot: Driver) -> None:
    """Until the trace on the screen has been checked and those beside it are prepared."""
    await pilot.pause(0.1)
    await settle(pilot)


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
        assert "So the answer is ┤⟦2⟧├." in shown(pilot)
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
        place = response(pilot).top
        await press(pilot, *"mmmm")
        assert (response(pilot).top, response(pilot).current) == (place, 30)
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
        for key in ("] [ sample", "/ search", "Esc back", "? help", "q quit"):
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
        await looked_ahead(pilot)
        session.gate.clear()
        for key in ("right_square_bracket", "right_square_bracket", "}"):
            await pilot.press(key)
        assert "sample 2 of 8 · step 2 of 4" in crumbs(pilot)
        assert "sample #1" in said(pilot, "#heading")
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


WRONG = """Add them.

First 2 + 2 = 4.

Then 40 + 50 = 80, so it is 80.

Then 50 + 50 = 110, so it is 110.

The answer is \\boxed{4}."""


async def test_what_is_wrong_is_marked_where_it_stands_and_told_on_top(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long(WRONG), *TO_LONG, size=(80, 24)) as pilot:
        await looked_ahead(pilot)
        text = shown(pilot).replace("\u00a0", " ")
        assert "First 2 + 2 = 4 ✓." in text
        assert "✗ 40 + 50 is 90, not 80" in text
        assert "✗ 50 + 50 is 100, not 110" in text
        assert "⚠ 2 reasons" in said(pilot, "#heading")
        assert "false equality at steps 3, 4" in said(pilot, "#heading")
        await press(pilot, "m")
        assert "✗" not in "".join(response(pilot).render_line(y).text for y in range(20))
        await press(pilot, "full_stop")
        assert top(pilot, ReaderScreen).said == "raw shows the text alone: m shows the marks again"
        await press(pilot, "m")
        assert "✗ 40 + 50 is 90, not 80" in shown(pilot)


async def test_a_key_goes_from_mark_to_mark(make_long: Callable[..., BaseboundApp]) -> None:
    text = "\n\n".join([*(f"Line {n} of it." for n in range(40)), WRONG, *(f"More {n}." for n in range(40))])
    async with driven(make_long(text), *TO_LONG, size=(80, 24)) as pilot:
        await looked_ahead(pilot)
        await press(pilot, "full_stop")
        assert "step 43 of 85" in crumbs(pilot)
        assert "  ▸ ✗ 40 + 50 is 90, not 80" in shown(pilot)
        await press(pilot, "full_stop")
        assert "step 44 of 85" in crumbs(pilot)
        await press(pilot, "full_stop")
        assert top(pilot, ReaderScreen).said == "this is the last mark of the trace"
        await press(pilot, "comma")
        assert "step 43 of 85" in crumbs(pilot)
        await press(pilot, "comma")
        assert top(pilot, ReaderScreen).said == "this is the first mark of the trace"


async def test_marks_that_come_later_leave_the_line_on_top(make_long: Callable[..., BaseboundApp]) -> None:
    text = "\n\n".join(f"{n} + {n} = {2 * n + n % 2}, which is part {n}." for n in range(2, 60))
    async with driven(make_long(text), *TO_LONG, size=(80, 24)) as pilot:
        screen = top(pilot, ReaderScreen)
        assert screen.reading is not None
        plain_text = screen.reading.document
        response(pilot).turn(Document(plain_text.text, plain_text.answer))
        await press(pilot, "space", "space", "j")
        before = first_shown(pilot)
        await looked_ahead(pilot)
        checked = check_trace(screen.session, screen.reading)
        screen.show_checked(TraceChecked(checked))
        await pilot.pause()
        assert first_shown(pilot).split(",")[0].replace("\u00a0✗", "").replace("\u00a0✓", "") == before.split(",")[0]


async def test_without_marks_the_key_says_so(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long("It is \\boxed{4} because 2 + 2 = 4."), *TO_LONG) as pilot:
        await looked_ahead(pilot)
        marked = bool(response(pilot).page.remarked)
        await press(pilot, "full_stop")
        assert marked or top(pilot, ReaderScreen).said == "nothing is marked wrong or doubtful here"


async def test_a_label_given_here_is_on_the_heading_and_in_the_file(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long(LONG), *TO_LONG, "}", "x", "2", "f") as pilot:
        await looked_ahead(pilot)
        screen = top(pilot, ReaderScreen)
        heading = said(pilot, "#heading")
        assert f"{screen.session.auditor}: 2 cancelling errors at step 2" in heading
        assert "⚑ flagged" in heading
        assert "✎" in shown(pilot)
        await press(pilot, "e", *"hm", "enter")
        assert "note “hm”" in said(pilot, "#heading")
        await press(pilot, "u", "u", "u", "u")
        heading = said(pilot, "#heading")
        assert not any(word in heading for word in ("cancelling", "flagged", "note"))
        assert "✎" not in shown(pilot)


async def test_what_another_program_says_comes_in_place(make_long: Callable[..., BaseboundApp]) -> None:
    async with driven(make_long(LONG), *TO_LONG, "space", "j") as pilot:
        screen = top(pilot, ReaderScreen)
        before = first_shown(pilot)
        with AuditWriter(screen.session.study.path) as writer:
            writer.add(Audit(screen.walk.trace.sample_id, "ann", 3))
        screen.study_changed()
        await settle(pilot)
        assert "ann: 3 guess" in said(pilot, "#heading")
        assert first_shown(pilot) == before


async def test_a_word_sought_elsewhere_is_found_at_once(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter") as pilot:
        first = top(pilot, ReaderScreen)
        pilot.app.push_screen(ReaderScreen(first.session, first.pair, first.walk, sought="ANSWER"))
        await settle(pilot)
        assert "/answer 1/1" in crumbs(pilot)
        await press(pilot, "right_square_bracket")
        assert "/answer 1/1" in crumbs(pilot)
        await press(pilot, "escape", "escape")
        assert top(pilot, ReaderScreen) is first


async def test_here_is_the_problem_and_a_link_with_the_step(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "}") as pilot:
        here = top(pilot, ReaderScreen).here
        assert here.problem is not None
        assert here.problem.key == "0"
        assert str(here.link) == "tiny-base@sums/sums:0/0#2"


async def test_equals_opens_the_other_run_beside_and_comes_back(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", "equals_sign") as pilot:
        assert type(pilot.app.screen).__name__ == "CompareScreen"
        await press(pilot, "escape")
        top(pilot, ReaderScreen)


async def test_images_are_named_with_their_size_and_never_opened(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "images.db"
    (tmp_path / "a.png").write_bytes(b"x" * 1234)
    problem = Problem("sums", "7", "Look at ![it](pics/b.png).", "4", images=("a.png", "gone\x1b.png"))
    with Writer(path, "test") as writer:
        run = Run(Model("lab/one", role=Role.BASE), "sums", Settings())
        writer.add_traces(source(writer), [NewTrace(run, problem, NewSample("It is \\boxed{4}.", 1), None)])
    async with driven(make_app(None, path), *TO_LONG, "t") as pilot:
        text = shown(pilot)
        assert "image a.png (1,234 bytes)" in text
        assert "image gone␛.png (not here)" in text
        assert "image pics/b.png (not here)" in text
        assert "3 images" in said(pilot, "#heading")


@pytest.mark.parametrize("size", [(80, 24), (80, 19), (200, 50)])
async def test_the_heading_leaves_the_screen_to_the_text(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "enter", size=size) as pilot:
        await looked_ahead(pilot)
        lines = said(pilot, "#heading").splitlines()
        assert len(lines) <= (2 if size[1] < 20 else 4)
        assert "answer 0" in lines[0]
        assert "reference 0" in lines[0]
        assert response(pilot).size.height >= size[1] - 7


async def test_the_next_sample_is_prepared_and_drawn_without_reading(study_path: Path) -> None:
    session = GatedSession(Study(study_path))
    async with driven(BaseboundApp(session), *TO_SUMS, "enter", "enter", "enter") as pilot:
        await looked_ahead(pilot)
        session.gate.clear()
        try:
            await pilot.press("right_square_bracket")
            assert "sample #1" in said(pilot, "#heading")
        finally:
            session.gate.set()


@pytest.mark.parametrize("text", ["word " * 200_000, "x" * 1_000_000, "1 + 1 = 3\n\n" * 80_000], ids=["words", "line", "sums"])
async def test_a_megabyte_opens_and_pages_at_once(make_long: Callable[..., BaseboundApp], text: str) -> None:
    app = make_long(text)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.press("enter", "enter")
        await pilot.pause(0.3)
        start = time.perf_counter()
        await pilot.press("enter")
        while not (isinstance(app.screen, ReaderScreen) and app.screen.reading) and time.perf_counter() - start < 20:
            await pilot.pause(0.02)
        took = time.perf_counter() - start
        view = response(pilot)
        assert view.step_count
        start = time.process_time()
        view.action_to_end()
        view.action_by_pages(-1)
        assert time.process_time() - start < 0.5
        assert took < 5  # 0.3 to 0.8 s on a quiet machine
        app.screen.workers.cancel_all()
    app.session.study.close()
