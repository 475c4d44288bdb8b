"""The Plots screen, driven by keys: what is shown, read out, saved, and what is not done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.app import BaseboundApp
from explorer.model.pictures import Kind, Pictures
from explorer.model.session import Session
from explorer.render.plots.cells import with_cursor
from explorer.render.plots.numbers import numbers
from explorer.render.plots.picture import Picture, Series, Shape
from explorer.render.plots.rows import rows
from explorer.screens.plots import PlotsScreen
from explorer.screens.study import StudyScreen
from explorer.widgets.picture_view import PictureView
from explorer.widgets.virtual_list import VirtualList
from store.rows import ProblemRow
from tests.engine.token_study import token_study
from tests.explorer.driving import Driver, MakeApp, crumbs, driven, press, said, settle, shown, top
from tests.explorer.test_pictures import counts_study, run

SIZES = [(80, 24), (120, 40), (200, 50), (250, 60)]


async def plots(pilot: Driver, problem: ProblemRow | None = None, benchmark: str = "sums") -> PlotsScreen:
    """The screen as a way leads to it."""
    app = pilot.app
    assert isinstance(app, BaseboundApp)
    pair = app.session.pair(benchmark)
    assert pair is not None
    await app.push_screen(PlotsScreen(app.session, pair, problem))
    await settle(pilot)
    return top(pilot, PlotsScreen)


def view(pilot: Driver) -> PictureView:
    return pilot.app.screen.query_one(PictureView)


def picture_text(pilot: Driver) -> str:
    return "\n".join("".join(text for text, _ in line) for line in view(pilot).lines())


async def test_it_begins_with_pass_at_k_and_reads_out_the_last_k(make_app: MakeApp) -> None:
    async with driven(make_app(), size=(80, 24)) as pilot:
        await plots(pilot)
        assert "[pass@k]" in said(pilot, "#chips")
        assert said(pilot, "#read-out").startswith("k = 4 · ■ base 66.7 [")
        assert "○ RL 66.7 [" in said(pilot, "#read-out")
        assert "difference +0.0 [" in said(pilot, "#read-out")
        assert "■" in picture_text(pilot)
        assert "verdicts by math" in said(pilot, "#facts")
        assert "plots" in crumbs(pilot)


@pytest.mark.parametrize("keys", [("left",), ("h",), ("k",), ("up",)])
async def test_the_cursor_reads_out_another_k_without_drawing_again(make_app: MakeApp, keys: tuple[str, ...]) -> None:
    async with driven(make_app()) as pilot:
        await plots(pilot)
        before, drawings = picture_text(pilot), view(pilot).drawings
        await press(pilot, *keys)
        assert said(pilot, "#read-out").startswith("k = 2 · ")
        assert picture_text(pilot) != before
        await press(pilot, "right")
        assert picture_text(pilot) == before
        assert view(pilot).drawings == drawings


async def test_what_is_read_out_is_what_stands_in_the_table(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        screen = await plots(pilot)
        for place in range(3):
            await press(pilot, *(("g",) if place == 0 else ("l",)))
            row = screen.query_one(VirtualList).table.row(place)
            cells = ["".join(text for text, _ in cell) for cell in row.cells]  # type: ignore[union-attr]
            assert all(cell in said(pilot, "#read-out") for cell in cells)


@pytest.mark.parametrize("size", SIZES)
async def test_tab_goes_through_all_plots_and_each_fits(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), size=size) as pilot:
        screen = await plots(pilot, make_problem(pilot))
        kinds = []
        for _ in Kind:
            kinds.append(screen.kind)
            assert screen.picture is not None
            assert f"[{screen.kind}]" in said(pilot, "#chips")[: size[0]]
            assert shown(pilot)
            regions = [each.region for each in screen.query("Toned") if each.display and each.size.height]
            assert sum(region.height for region in regions) <= size[1]
            assert all(region.bottom <= size[1] for region in regions)
            await press(pilot, "tab")
        assert kinds == list(Kind)
        assert "[problem]" in said(pilot, "#chips")
        await press(pilot, "shift+tab")
        assert "[runs]" in said(pilot, "#chips")


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return token_study(tmp_path_factory.mktemp("tokens") / "tokens.db").path


@pytest.mark.parametrize("size", SIZES)
async def test_likelihoods_of_both_models_are_drawn_and_read_out(
    make_app: MakeApp, by_token: Path, size: tuple[int, int]
) -> None:
    async with driven(make_app(path=by_token), size=size) as pilot:
        screen = await plots(pilot)
        wanted = {Kind.PERPLEXITY: "RL wrong or none ✗ under RL", Kind.SUPPORT: "RL's own, the null", Kind.RECOVERY: "found ‼"}
        for kind, drawn in wanted.items():
            screen.kind = kind
            await settle(pilot)
            assert f"[{kind}]" in said(pilot, "#chips")[: size[0]]
            assert drawn in picture_text(pilot)
        assert said(pilot, "#read-out").startswith("found ‼ · c/n [95 %] 0 [0, 0.6024] · floor 0.6258")
        screen.kind = Kind.PERPLEXITY_STEPS
        await settle(pilot)
        assert "one training step only" in picture_text(pilot)


def test_of_a_list_too_long_the_first_rows_are_drawn_and_the_numbers_have_all() -> None:
    box = Series("c/n", "c/n", (0.1,) * 30, (0.05,) * 30, (0.2,) * 30, (0.01,) * 30, (0.3,) * 30)
    names = tuple(f"problem {number}" for number in range(30))
    many = Picture("recovery", "t", Shape.ROWS, places=names, series=(box,), is_log=True, limits=(0.001, 1.0), is_list=True)
    found = rows(many, 80, 12)
    text = "\n".join("".join(part for part, _ in line) for line in found.lines)
    assert "problem 9" in text
    assert "problem 10" not in text
    assert "▸" in "".join(part for line in with_cursor(found, 9) for part, _ in line)
    assert "▸" not in "".join(part for line in with_cursor(found, 20) for part, _ in line), "no row is pointed at but its own"
    assert len(numbers(many, 80).rows) == 30


def make_problem(pilot: Driver) -> ProblemRow:
    app = pilot.app
    assert isinstance(app, BaseboundApp)
    return app.session.boards["sums"].problems[1]


async def test_of_a_problem_its_own_plot_comes_first(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        screen = await plots(pilot, make_problem(pilot))
        assert screen.kind is Kind.PROBLEM
        assert "sums:1, pass@k of this problem" in said(pilot, "#title")
        assert "base 1/4 · RL 0/4" in said(pilot, "#facts")
        assert "✗ 99 ×" in said(pilot, "#facts")
        assert screen.here.problem == make_problem(pilot)


async def test_the_k_stays_from_plot_to_plot(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        await plots(pilot)
        await press(pilot, "g", "tab")
        assert said(pilot, "#read-out").startswith("k = 1 · ◇ difference")


async def test_brackets_compare_the_next_run(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        screen = await plots(pilot)
        first = screen.pair.other
        await press(pilot, "right_square_bracket")
        assert screen.pair.other not in (first, screen.pair.base)
        assert "distilled" in said(pilot, "#read-out")
        assert "n differ" in said(pilot, "#facts")
        await press(pilot, "left_square_bracket")
        assert screen.pair.other == first


async def test_z_shows_the_whole_axis_and_back(make_app: MakeApp, tmp_path: Path) -> None:
    runs = [(run(name), [(36 + place % 4, 40) for place in range(60)]) for name in ("lab/a", "lab/b")]
    async with driven(make_app(path=counts_study(tmp_path / "high.db", runs))) as pilot:
        await plots(pilot)
        part = picture_text(pilot)
        assert "axis from 80 to 100" in said(pilot, "#title")
        await press(pilot, "z")
        assert "axis from" not in said(pilot, "#title")
        assert picture_text(pilot).splitlines()[-3].startswith("  0┤")
        await press(pilot, "z")
        assert picture_text(pilot) == part


async def test_saving_writes_into_this_folder_and_says_so(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven(make_app()) as pilot:
        screen = await plots(pilot)
        await press(pilot, "s")
        assert screen.said == f"saved study-sums-pass-at-k.svg and study-sums-pass-at-k.csv in {tmp_path}"
        await press(pilot, "s")
        assert "study-sums-pass-at-k-2.svg" in screen.said
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody may write into")
async def test_a_folder_that_cannot_be_written_gets_a_sentence(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")
    async with driven(make_app()) as pilot:
        screen = await plots(pilot)
        await press(pilot, "s")
        assert screen.said.startswith("could not save into /proc: ")


async def test_a_folder_that_is_gone_gets_a_sentence(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    async with driven(make_app()) as pilot:
        screen = await plots(pilot)
        folder.rmdir()
        await press(pilot, "s")
        assert screen.said.startswith("could not save into ")


async def test_a_benchmark_without_what_a_plot_needs_says_so(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        await plots(pilot, benchmark="aime24")
        await press(pilot, "tab")
        assert "one run of this benchmark only" in picture_text(pilot)
        await press(pilot, "s")
        assert top(pilot, PlotsScreen).said == "nothing to save: this plot is empty"
        await press(pilot, "j", "left", "z")
        assert top(pilot, PlotsScreen).said == "this plot has all of its axis already"
        await press(pilot, "right_square_bracket")
        assert top(pilot, PlotsScreen).said == "there is no other run of this benchmark to compare"
        await press(pilot, "tab", "tab", "tab")
        assert "basebound score" in picture_text(pilot)


async def test_a_study_that_cannot_be_read_gets_a_sentence_and_r_reads_again(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.errors import StudyError

    def broken(self: Pictures, kind: Kind) -> None:
        raise StudyError("study.db is locked by another program; try again")

    async with driven(make_app()) as pilot:
        with monkeypatch.context() as patch:
            patch.setattr(Pictures, "picture", broken)
            await plots(pilot)
            assert "could not be read: study.db is locked" in picture_text(pilot)
        await press(pilot, "R")
        assert "■" in picture_text(pilot)


async def test_a_resize_draws_again_and_keeps_the_place(make_app: MakeApp) -> None:
    async with driven(make_app(), size=(120, 40)) as pilot:
        await plots(pilot)
        await press(pilot, "left")
        for size in ((80, 24), (30, 10), (250, 60), (20, 6), (100, 30)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            shown(pilot)
        assert said(pilot, "#read-out").startswith("k = 2")


async def test_escape_goes_back(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        await plots(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, StudyScreen)


async def test_without_colour_the_two_runs_are_told_apart(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven(make_app(), size=(80, 24)) as pilot:
        await plots(pilot)
        drawn = picture_text(pilot)
        assert "■ base" in drawn
        assert "○ RL" in drawn
        assert "░" in drawn
        assert "·" in drawn


async def test_the_first_paint_waits_for_no_number(make_app: MakeApp) -> None:
    async with driven(make_app()) as pilot:
        app = pilot.app
        assert isinstance(app, BaseboundApp)
        pair = app.session.pair("sums")
        assert pair is not None
        pictures = Pictures(app.session, pair)
        assert all(pictures.known(kind) is None for kind in Kind)
        await app.push_screen(PlotsScreen(app.session, pair))
        assert "[pass@k]" in said(pilot, "#chips")
        await settle(pilot)


def test_importing_the_screen_imports_neither_numpy_nor_plotext() -> None:
    import subprocess
    import sys

    code = "import sys, explorer.screens.plots; print([name for name in ('numpy', 'scipy', 'plotext') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_session_is_all_it_needs(study_path: Path) -> None:
    with Session.open(study_path) as session:
        pair = session.pair("sums")
        assert pair is not None
        assert Pictures(session, pair).kinds() == [kind for kind in Kind if kind is not Kind.PROBLEM]
