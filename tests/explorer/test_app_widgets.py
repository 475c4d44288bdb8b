"""The two widgets everything stands on: a list of any length, and a text of any length."""

from __future__ import annotations

import time

import pytest
from textual.app import App, ComposeResult

from explorer.render.columns import Column
from explorer.render.pieces import plain
from explorer.render.theme import VARIABLES
from explorer.widgets.text_view import Document, TextView, _in_gutter
from explorer.widgets.virtual_list import Heading, Row, Table, VirtualList

ROWS = 200_000


class Bench(App[None]):
    """One list and one text."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def compose(self) -> ComposeResult:
        yield VirtualList()
        yield TextView()


def numbered(asked: list[int], length: int = ROWS, heading_every: int = 0) -> Table:
    def row(place: int) -> Row | Heading:
        asked.append(place)
        if heading_every and place % heading_every == 0:
            return Heading([plain("heading")])
        return Row([[plain(str(place))], [plain("word")]])

    return Table([Column("number", 8, right=True), Column("word", 6)], length, row)


async def test_a_list_of_200_000_rows_makes_only_those_in_view() -> None:
    asked: list[int] = []
    async with Bench().run_test(size=(80, 40)) as pilot:
        rows = pilot.app.query_one(VirtualList)
        rows.show(numbered(asked))
        await pilot.press("G", "g", "pagedown", "j", "k")
        assert rows.cursor == 18
        assert len(set(asked)) < 120
        assert "▸" in "".join(rows.render_line(y).text for y in range(rows.size.height))


async def test_the_cursor_passes_headings_and_stays_in_view() -> None:
    async with Bench().run_test(size=(80, 20)) as pilot:
        rows = pilot.app.query_one(VirtualList)
        rows.show(numbered([], length=30, heading_every=5))
        seen = [rows.cursor]
        for _ in range(26):
            await pilot.press("j")
            seen.append(rows.cursor)
            assert sum("▸" in rows.render_line(y).text for y in range(rows.size.height)) == 1
        assert seen[:6] == [1, 2, 3, 4, 6, 7]
        assert seen[-1] == 29
        await pilot.press("g")
        assert rows.cursor == 1
        assert rows.scroll_y == 0


async def test_an_empty_list_takes_every_key() -> None:
    async with Bench().run_test() as pilot:
        rows = pilot.app.query_one(VirtualList)
        rows.show(Table([Column("a", 3)], 0, lambda _: Row([[plain("x")]]), empty="nothing here"))
        await pilot.press("j", "k", "g", "G", "pagedown", "pageup")
        assert "nothing here" in rows.render_line(1).text


async def test_a_text_of_200_000_words_opens_and_scrolls_at_once() -> None:
    async with Bench().run_test(size=(80, 40)) as pilot:
        view = pilot.app.query_one(TextView)
        start = time.process_time()
        view.open(Document("reasoning about it, then " * 50_000 + "\n\nthe end"))
        assert time.process_time() - start < 1
        view.focus()
        await pilot.press("G")
        assert "the end" in view.render_line(view.size.height - 1).text
        await pilot.press("k", "g", "space", "pageup")
        assert view.top == 0


async def test_a_resize_wraps_again_and_keeps_the_place() -> None:
    async with Bench().run_test(size=(80, 40)) as pilot:
        view = pilot.app.query_one(TextView)
        view.open(Document("\n\n".join(f"paragraph {n} " + "word " * 30 for n in range(200))))
        view.come_to_step(150)
        await pilot.pause()
        assert any("paragraph 149" in view.render_line(y).text for y in range(view.size.height))
        await pilot.resize_terminal(50, 30)
        await pilot.pause()
        assert any("paragraph 149" in view.render_line(y).text for y in range(view.size.height))
        assert all(len(view.render_line(y).text) <= 50 for y in range(view.size.height))


PARAGRAPHS = "\n\n".join(f"paragraph {n} " + "word " * 30 for n in range(1, 201))


async def test_another_height_alone_wraps_nothing_again() -> None:
    async with Bench().run_test(size=(80, 40)) as pilot:
        view = pilot.app.query_one(TextView)
        view.open(Document("漢字 " * 900_000))
        await pilot.pause()

        async def seconds_at(width: int, height: int) -> float:
            start = time.process_time()
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            return time.process_time() - start

        wrapping = await seconds_at(79, 40)
        assert await seconds_at(79, 30) < wrapping / 3


async def test_the_step_gone_to_stays_current_while_it_is_in_view() -> None:
    async with Bench().run_test(size=(80, 40)) as pilot:
        view = pilot.app.query_one(TextView)
        view.open(Document(PARAGRAPHS), step=50)
        view.focus()
        await pilot.press("k", "k", "j")
        assert view.current == 50
        await pilot.press(*"jjjjj")
        assert view.current == 51
        await pilot.press(*"kkk")
        assert view.current == 50
        for _ in range(12):
            await pilot.press("pageup")
        assert view.current < 50
        while view.top < view.last_top:
            await pilot.press("pagedown")
        assert view.current == view.step_count == 200


async def test_turning_raw_again_and_again_does_not_creep() -> None:
    async with Bench().run_test(size=(80, 40)) as pilot:
        view = pilot.app.query_one(TextView)
        view.open(Document(PARAGRAPHS))
        view.focus()
        await pilot.press("space", "space", "j", "j")
        before = view.top
        for _ in range(5):
            view.turn(Document(PARAGRAPHS, raw=True))
            await pilot.pause()
            view.turn(Document(PARAGRAPHS))
            await pilot.pause()
        assert view.top == before


@pytest.mark.parametrize(("step", "said"), [(1, "  1 "), (999, "999 "), (1200, "1200"), (20001, "…001")])
def test_the_gutter_holds_a_step_of_any_number(step: int, said: str) -> None:
    assert _in_gutter(step) == said
