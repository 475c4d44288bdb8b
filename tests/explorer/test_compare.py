"""Two traces beside each other, driven by keys."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.board import Board
from explorer.app import BaseboundApp
from explorer.model.partners import READ_AT_MOST, partners
from explorer.model.session import Pair, Session
from explorer.render.pieces import Tone
from explorer.screens.compare import CompareScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.study import StudyScreen
from explorer.widgets.key_line import KeyLine
from explorer.widgets.two_texts import TwoTexts
from store.errors import StudyError
from store.rows import RunRow, Trace, TraceRow
from store.types import Finish, Model, NewTrace, Outcome, Settings
from store.writer import Writer
from tests import builders
from tests.explorer.conftest import HOSTILE
from tests.explorer.driving import Driver, MakeApp, crumbs, driven, press, said, settle, shown, top

COUNTING = "First the apples are counted: there are 3 of them.\n\n"
LEFT = COUNTING + "Then come the pears: these are 4 more.\n\nTogether that makes 7 pieces of fruit.\n\nSo it is \\boxed{7}."
RIGHT = COUNTING + "Then come the pears: these are 5 more.\n\nA word on plums.\n\nTogether that makes 8 pieces of fruit."
SHORT = "Nothing to count here."
RL_RUN = builders.run(builders.RL)


def base(text: str, line: int, *, correct: bool | None = None) -> NewTrace:
    return builders.trace(text, line, correct=correct)


def rl(text: str, line: int, *, correct: bool | None = None) -> NewTrace:
    return builders.trace(text, line, of=RL_RUN, correct=correct)


BOTH = (base(LEFT, 1, correct=True), rl(SHORT, 2, correct=True), rl(RIGHT, 3, correct=False), rl("Else.", 4, correct=False))
"""One of the baseline, and three it can be held against."""


@asynccontextmanager
async def comparing(
    make_app: MakeApp,
    folder: Path,
    traces: Sequence[NewTrace] = BOTH,
    *keys: str,
    of: int = 0,
    other: int | None = None,
    size: tuple[int, int] = (120, 40),
    step: int = 1,
    back: Callable[[int | None], None] | None = None,
) -> AsyncIterator[Driver]:
    """The screen over a study of these traces; `of` and `other` are places among them."""
    path = folder / "compared.db"
    with Writer(path, "test") as writer:
        writer.add_traces(builders.source(writer), traces)
    async with driven(make_app(path=path), size=size) as pilot:
        ids = [
            sample_id for (sample_id,) in app_of(pilot).session.study.query("SELECT sample_id FROM sample ORDER BY source_line")
        ]
        pilot.app.push_screen(screen_of(pilot, ids[of], None if other is None else ids[other], step), back)
        await settle(pilot)
        await press(pilot, *keys)
        yield pilot


def app_of(pilot: Driver) -> BaseboundApp:
    assert isinstance(pilot.app, BaseboundApp)
    return pilot.app


def screen_of(pilot: Driver, sample_id: int, other: int | None = None, step: int = 1) -> CompareScreen:
    session = app_of(pilot).session
    return CompareScreen(session, pair_of(session), sample_id, other, step)


def pair_of(session: Session) -> Pair:
    pair = session.pair("sums")
    assert pair is not None
    return pair


def texts(pilot: Driver) -> TwoTexts:
    return pilot.app.screen.query_one(TwoTexts)


def rows(pilot: Driver) -> list[str]:
    view = texts(pilot)
    return [view.render_line(y).text.rstrip() for y in range(view.size.height)]


def sides(pilot: Driver) -> tuple[Trace, ...]:
    compared = top(pilot, CompareScreen).compared
    assert compared is not None
    return compared.sides


def halves(row: str) -> tuple[str, str]:
    left, _, right = row.partition("│")
    return left.strip(), right.strip()


async def test_the_partner_is_a_wrong_one_that_begins_alike_and_the_header_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path) as pilot:
        header = said(pilot, "#between")
        assert f"same for the first {len(COUNTING) + 31} characters (step 2), then they differ" in header
        assert "neither has an answer" in header
        assert "wrong against right, chosen for the longest same start of 2 traces read" in header
        assert "partner 2 of 3" in header
        assert "steps = 1 same  ≈ 2 alike  + 2 alone" in header
        named = said(pilot, "#sides")
        assert "▸■ base-7b #0 ✓ correct" in named
        assert "○ rl-7b step 100 #1 ✗ incorrect" in named
        assert f"{len(LEFT)} ch" in named


async def test_equal_steps_face_each_other_and_one_without_partner_faces_nothing(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path) as pilot:
        found = [halves(row) for row in rows(pilot)]
        assert ("1=▌ First the apples are counted: there are 3 of them.",) * 2 in found
        assert ("▏ ▼ first difference", "▏ ▼ first difference") in found
        assert ("2≈▏ Then come the pears: these are 4 more.", "2≈▏ Then come the pears: these are 5 more.") in found
        assert ("", "3+▏ A word on plums.") in found
        assert ("3≈▏ Together that makes 7 pieces of fruit.", "4≈▏ Together that makes 8 pieces of fruit.") in found
        assert any(left.startswith("4+▏ So it is") and not right for left, right in found)


async def test_the_first_differing_word_stands_out_and_later_ones_are_underlined(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path) as pilot:
        spread = texts(pilot).spread
        assert spread is not None
        pieces = [piece for row in range(len(spread.rows)) for piece in spread.pieces(row, 1)]
        assert ("5", Tone.MATCH_HERE) in pieces
        assert ("8", Tone.ONLY_HERE) in pieces
        assert ("First the apples are counted: there are 3 of them.", Tone.DIM) in pieces


async def test_steps_go_by_the_chosen_side_and_the_other_side_follows(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path) as pilot:
        assert "step 1/4 │ 1/4" in crumbs(pilot)
        await press(pilot, "}", "}")
        assert "step 3/4 │ 4/4" in crumbs(pilot)
        await press(pilot, "{", "tab", "}")
        assert "step –/4 │ 3/4" in crumbs(pilot)
        await press(pilot, "}", "}", "}")
        assert "step 3/4 │ 4/4" in crumbs(pilot)


async def test_n_and_capital_n_go_from_difference_to_difference(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path) as pilot:
        assert "difference – of 4" in crumbs(pilot)
        await press(pilot, "n")
        assert "difference 1 of 4 · step 2/4 │ 2/4" in crumbs(pilot)
        await press(pilot, "n", "n", "n", "n")
        assert "difference 4 of 4 · step 4/4 │ –/4" in crumbs(pilot)
        assert top(pilot, CompareScreen).said == "no further difference"
        await press(pilot, "N", "N", "N", "N")
        assert top(pilot, CompareScreen).said == "no difference before this"
        assert "difference 1 of 4" in crumbs(pilot)


async def test_brackets_walk_through_the_partners(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, BOTH, "]") as pilot:
        assert "partner 3 of 3" in said(pilot, "#between")
        assert "chosen for" not in said(pilot, "#between")
        assert sides(pilot)[1].response == "Else."
        await press(pilot, "]")
        assert top(pilot, CompareScreen).said == "this is the last partner"
        await press(pilot, "[", "[", "[")
        assert top(pilot, CompareScreen).said == "this is the first partner"
        assert sides(pilot)[1].response == SHORT
        assert "they differ from the first character" in said(pilot, "#between")


async def test_swapping_exchanges_the_sides_and_keeps_trace_step_and_partner(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, BOTH, "}", "s") as pilot:
        assert [trace.response for trace in sides(pilot)] == [RIGHT, LEFT]
        assert top(pilot, CompareScreen).chosen == 1
        assert said(pilot, "#sides").index("○") < said(pilot, "#sides").index("▸■")
        assert "step 2/4 │ 2/4" in crumbs(pilot)
        await press(pilot, "]")
        assert [trace.response for trace in sides(pilot)] == ["Else.", LEFT]
        await press(pilot, "s")
        assert [trace.response for trace in sides(pilot)] == [LEFT, "Else."]


async def test_a_trace_of_the_other_run_stands_on_the_right_and_is_chosen(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, of=2) as pilot:
        assert [trace.response for trace in sides(pilot)] == [LEFT, RIGHT]
        assert "▸○" in said(pilot, "#sides")
        assert "right against wrong, the only one" in said(pilot, "#between")


async def test_who_is_asked_for_is_the_partner(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, other=1) as pilot:
        assert sides(pilot)[1].response == SHORT
        assert "partner 1 of 3\nas chosen" in said(pilot, "#between")


async def test_two_samples_of_one_run_can_be_asked_for(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, of=1, other=2) as pilot:
        assert [trace.response for trace in sides(pilot)] == [SHORT, RIGHT]
        assert said(pilot, "#sides").count("○") == 2


async def test_enter_reads_the_chosen_trace_alone_at_its_step_and_esc_comes_back(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, BOTH, "tab", "}", "}", "enter") as pilot:
        reader = top(pilot, ReaderScreen)
        assert reader.walk.trace.sample_id == 3
        assert "step 3 of 4" in crumbs(pilot)
        await press(pilot, "escape")
        assert "step –/4 │ 3/4" in crumbs(pilot)


@pytest.mark.parametrize("key", ["escape", "equals_sign"])
async def test_leaving_hands_back_the_step(make_app: MakeApp, tmp_path: Path, key: str) -> None:
    left: list[int | None] = []
    async with comparing(make_app, tmp_path, BOTH, "}", "}", key, back=left.append) as pilot:
        top(pilot, StudyScreen)
    assert left == [3]


async def test_it_opens_at_the_step_it_is_given(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, step=3) as pilot:
        assert "step 3/4 │ 4/4" in crumbs(pilot)


async def test_a_link_to_the_chosen_step_is_here(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, BOTH, "tab", "}") as pilot:
        here = top(pilot, CompareScreen).here
        assert here is not None
        assert str(here.link).endswith("/sums:1/1#2")


async def test_raw_spells_out_what_is_not_seen(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, BOTH, "}", "m") as pilot:
        assert "of them.␊" in shown(pilot)
        assert "raw" in crumbs(pilot)
        assert "step 2/4" in crumbs(pilot)
        await press(pilot, "m")
        assert "␊" not in shown(pilot)


async def test_hostile_texts_are_spelled_out_on_both_sides(make_app: MakeApp, tmp_path: Path) -> None:
    one = f"{HOSTILE}\n\nThe same word here: {HOSTILE} left"
    two = f"{HOSTILE}\n\nThe same word here: \x1b[2J{HOSTILE} right \u200b\u2066 e\u0301\u0301"
    for size in ((80, 24), (60, 20)):
        folder = tmp_path / str(size[0])
        folder.mkdir()
        async with comparing(make_app, folder, (base(one, 1), rl(two, 2)), size=size) as pilot:
            await press(pilot, "G", "tab")
            text = "\n".join([*rows(pilot), said(pilot, "#sides")])
            assert not {"\x1b", "\u202e", "\u2066", "\u200b", "\ud800"} & set(text)
            assert "␛[2J" in text
            assert "漢字" in text
            assert "[bold]not" in text
            assert all(texts(pilot).render_line(y).cell_length == texts(pilot).view_width for y in range(10))


async def test_where_it_is_narrow_one_side_shows_and_tab_shows_the_other(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, size=(60, 24)) as pilot:
        assert said(pilot, "#sides").count("\n") == 1
        assert "these are 4 more" in shown(pilot)
        assert "these are 5 more" not in shown(pilot)
        assert "(a step of the other text only)" in shown(pilot)
        await press(pilot, "n", "tab")
        assert "these are 5 more" in shown(pilot)
        assert "these are 4 more" not in shown(pilot)
        assert "step 2/4 │ 2/4" in crumbs(pilot)


async def test_another_width_keeps_the_step(make_app: MakeApp, tmp_path: Path) -> None:
    many = "\n\n".join(f"{number}. The step with number {number} says a good deal about fruit." for number in range(60))
    async with comparing(make_app, tmp_path, (base(many, 1), rl(many, 2)), *["}"] * 30) as pilot:
        for width in (80, 200, 60, 120):
            await pilot.resize_terminal(width, 30)
            await settle(pilot)
            assert "step 31/60 │ 31/60" in crumbs(pilot)
            assert any("31=▌" in row for row in rows(pilot))


async def test_the_same_text_twice_has_no_difference(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, (base(LEFT, 1), rl(LEFT, 2)), "n") as pilot:
        assert "the same text throughout" in said(pilot, "#between")
        assert "no difference" in crumbs(pilot)
        assert "▼" not in shown(pilot)
        assert "difference" not in pilot.app.screen.query_one(KeyLine).render_line(0).text


async def test_paging_reaches_both_ends(make_app: MakeApp, tmp_path: Path) -> None:
    many = "\n\n".join(f"{number}. Of fruit." for number in range(60))
    async with comparing(make_app, tmp_path, (base(many, 1), rl(many + "\n\nAnd more.", 2)), "G") as pilot:
        assert "step –/60 │ 61/61" in crumbs(pilot)
        await press(pilot, "g", "space", "j", "j", "k", "pageup")
        assert "step 1/60" in crumbs(pilot)


async def test_with_one_run_its_own_samples_are_held_against_each_other(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, (base(LEFT, 1), base(RIGHT, 2))) as pilot:
        assert "this benchmark has one run only: held against its own samples" in said(pilot, "#between")
        assert said(pilot, "#sides").count("■") == 2


async def test_where_the_other_run_has_no_trace_of_the_problem_the_screen_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    elsewhere = builders.trace(SHORT, 3, of=RL_RUN, on=builders.problem("2"))
    async with comparing(make_app, tmp_path, (base(LEFT, 1), base(RIGHT, 2), elsewhere)) as pilot:
        assert "rl-7b step 100 has no trace of this problem" in said(pilot, "#between")


@pytest.mark.parametrize("keys", [(), ("]", "n", "}", "s", "m", "tab", "enter")])
async def test_an_only_trace_gets_a_sentence_and_no_key_harms(make_app: MakeApp, tmp_path: Path, keys: Sequence[str]) -> None:
    async with comparing(make_app, tmp_path, (base(LEFT, 1),), *keys) as pilot:
        assert "nothing to compare with: this is the only trace of this problem" in shown(pilot)
        assert "■ base-7b" in said(pilot, "#sides")
        await press(pilot, "escape")
        top(pilot, StudyScreen)


@pytest.mark.parametrize(("left", "right"), [("", ""), ("", LEFT), (LEFT, ""), ("\n \n", LEFT), (LEFT, LEFT + "\n")])
async def test_empty_texts_are_compared_too(make_app: MakeApp, tmp_path: Path, left: str, right: str) -> None:
    async with comparing(make_app, tmp_path, (base(left, 1), rl(right, 2)), "n", "}", "s", "m", "tab", "j", "G") as pilot:
        header = said(pilot, "#between")
        assert any(words in header for words in ("both are empty", "one of them is empty", "differ"))


async def test_a_study_that_cannot_be_read_ends_in_a_sentence_and_r_tries_again(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = True

    def trace(self: Session, sample_id: int) -> Trace:
        if failing:
            raise StudyError("the study is locked by another program; try again")
        return self.study.trace(sample_id, self.verifier)

    monkeypatch.setattr(Session, "trace", trace)
    async with comparing(make_app, tmp_path) as pilot:
        assert top(pilot, CompareScreen).said == "the study is locked by another program; try again"
        assert "could not be read: R tries again" in shown(pilot)
        failing = False
        await press(pilot, "R")
        assert "these are 4 more" in shown(pilot)


async def test_the_screen_is_there_before_anything_was_read(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def trace(self: Session, sample_id: int) -> Trace:
        assert go.wait(10)
        return self.study.trace(sample_id, self.verifier)

    async with comparing(make_app, tmp_path) as pilot:
        monkeypatch.setattr(Session, "trace", trace)
        pilot.app.push_screen(screen_of(pilot, 1))
        await pilot.pause()
        await pilot.pause()
        assert "comparing …" in shown(pilot)
        await pilot.press("n", "}", "s", "enter", "tab", "m", "]", "y")
        go.set()
        await settle(pilot)
        assert top(pilot, CompareScreen).compared is not None
        assert "of them." in shown(pilot)


async def test_verdicts_that_change_are_read_again_at_the_same_step(make_app: MakeApp, tmp_path: Path) -> None:
    async with comparing(make_app, tmp_path, BOTH, "]", "}") as pilot:
        before = said(pilot, "#between"), crumbs(pilot)
        top(pilot, CompareScreen).study_changed()
        await settle(pilot)
        assert crumbs(pilot) == before[1]
        assert sides(pilot)[1].response == "Else."


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (250, 60), (40, 12), (20, 6)])
async def test_every_size_is_drawn_within_its_width(make_app: MakeApp, tmp_path: Path, size: tuple[int, int]) -> None:
    async with comparing(make_app, tmp_path, size=size) as pilot:
        await press(pilot, "G")
        assert shown(pilot)
        if size[0] >= 80:
            assert "n N difference" in pilot.app.screen.query_one(KeyLine).render_line(0).text


def test_no_more_than_a_few_dozen_texts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "many.db"
    many = [base(LEFT, 1, correct=True), *(rl(f"{COUNTING}{number}", 2 + number, correct=False) for number in range(100))]
    with Writer(path, "test") as writer:
        writer.add_traces(builders.source(writer), many)
    read: list[int] = []
    with Session.open(path) as session:
        pair = pair_of(session)
        rows = session.traces(session.study.problems("sums")[0], pair.runs)

        def text(sample_id: int) -> str:
            read.append(sample_id)
            return session.study.texts.response(sample_id)

        found = partners(rows[0], rows, pair, text)
        assert len(read) == READ_AT_MOST + 1
        assert found.row.outcome is Outcome.INCORRECT
        assert len(found.rows) == 100
        last: Any = found
        while (after := last.next(1)) is not None:
            last = after
        assert last.at == 99


def test_where_no_start_is_the_same_none_is_called_the_longest() -> None:
    rows = [
        TraceRow(
            sample_id=at, run_id=0, problem_id=1, idx=at, outcome=None, verifier=None, route=None, answer=None, imported=None,
            finish=Finish.UNKNOWN, chars=1, tokens=None, label=None,
        )
        for at in range(3)
    ]  # fmt: skip
    run = RunRow(0, "one", "one", "sums", Model("one"), Settings(), "one")
    pair = Pair(Board("sums", "math", (run,), (), {}), run, None)
    assert partners(rows[0], rows, pair, lambda at: "abc"[at]).how == "the first: no start is the same of 2 traces read"
