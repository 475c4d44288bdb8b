"""The Paths screen, driven by keys, and what a path is lost or new by."""

from __future__ import annotations

import itertools
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.analyses.surface import METHOD
from explorer.model.paths import Takes, expected_paths, path_rows, problem_rows
from explorer.model.session import Session
from explorer.screens.paths import PathsScreen
from explorer.screens.reader import ReaderScreen
from explorer.widgets.virtual_list import VirtualList
from store.measures import PathCount, path_counts
from store.reader import Study
from store.types import Model, NewCount, Outcome, Problem, Role, Run
from store.writer import SourceFile, Writer
from tests.builders import answers, source
from tests.explorer.conftest import HOSTILE, make_study
from tests.explorer.driving import MakeApp, crumbs, driven, locked, press, said, settle, shown, top

TO_PATHS = ("j", "j", "P")


def cluster(path: Path, by: dict[str, dict[str, list[int]]]) -> Path:
    """Put right samples into paths. by: problem key -> run's slug begins with -> path of each right sample in turn."""
    with Session.open(path) as session:
        board = session.boards["sums"]
        found = {}
        for key, runs in by.items():
            problem = session.study.problem("sums", key)
            numbers: dict[int, int] = {}
            for name, paths in runs.items():
                run = next(run for run in board.runs if run.slug.startswith(name))
                right = [row for row in session.traces(problem, [run]) if row.outcome is Outcome.CORRECT]
                numbers |= {row.sample_id: path for row, path in zip(right, paths, strict=False)}
            found[problem.problem_id] = numbers
    with Writer(path, "test") as writer:
        for problem_id, numbers in found.items():
            writer.put_paths(METHOD, problem_id, numbers)
    return path


@pytest.fixture
def clustered(tmp_path: Path) -> Path:
    """Problem 0: base on paths 1, 1, 2, RL on 1 and 3. Problem 1: base only. Problem 5: both on one path."""
    return cluster(
        make_study(tmp_path / "paths.db"),
        {
            "0": {"tiny-base": [1, 1, 2], "tiny-rl": [1, 1, 3, 3]},
            "1": {"tiny-base": [1]},
            "5": {"tiny-base": [1, 1, 1, 1], "tiny-rl": [1, 1]},
        },
    )


def list_text(screen: PathsScreen) -> list[str]:
    rows = screen.query_one(VirtualList)
    return [line for y in range(rows.size.height) if (line := rows.render_line(y).text).strip()]


async def test_the_table_has_problems_that_lost_paths_first(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, size=(200, 50)) as pilot:
        screen = top(pilot, PathsScreen)
        rows = [line.split() for line in list_text(screen)[1:]]
        assert [row[0] for row in rows] == ["▸", "1", "5"]
        assert rows[0][1:7] == ["0", "2", "2", "1", "1", "(1"]
        about = said(pilot, "#about").replace("\n", " · ")
        assert "■ base 4 paths · ○ RL 3 paths · 2 shared · 2 lost on 2 problems · 1 new · of 3 problems with paths" in about
        # Of problem 5 RL has four right traces and two in paths.
        assert "2 of 4" in list_text(screen)[3]


async def test_a_problem_has_its_paths_with_counts_of_each_run_and_first_words(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, "enter") as pilot:
        screen = top(pilot, PathsScreen)
        assert crumbs(pilot).startswith("paths.db › sums › 0 › paths | problem 1 of 3")
        lines = list_text(screen)
        assert [line[:35].split() for line in lines[1:]] == [
            ["▸", "2", "■", "base", "only", "1", "0"],
            ["3", "○", "RL", "only", "0", "2"],
            ["1", "▣", "both", "2", "2"],
        ]
        assert all("Add the two numbers." in line for line in lines[1:])
        assert "■ base 2 paths of 3 right traces · ○ RL 2 paths of 4 right traces" in said(pilot, "#about")
        assert "with 3 traces of each: base 2.0 and RL 2.0 expected" in said(pilot, "#about").replace("\n", " · ")


async def test_enter_reads_the_traces_of_a_path_and_the_keys_go_on(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, "enter", "G", "enter") as pilot:
        walk = top(pilot, ReaderScreen).walk
        assert len(walk.traces) == 4
        assert {row.path for row in walk.traces} == {1}
        assert "sample 1 of 4" in crumbs(pilot)
        assert "only path 1" in crumbs(pilot)
        await press(pilot, "]")
        assert "only path 1" in crumbs(pilot)
        assert [problem.key for problem in walk.problems] == ["0", "1", "5"]
        await press(pilot, "J")
        assert "only ✓ correct" in crumbs(pilot)  # a path's number means nothing in another problem
        await press(pilot, "escape")
        assert top(pilot, PathsScreen).problem is not None
        assert crumbs(pilot).startswith("paths.db › sums › 1 › paths | problem 2 of 3")


async def test_j_and_k_go_from_problem_to_problem_and_tab_to_all(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, "enter", "J", "J") as pilot:
        screen = top(pilot, PathsScreen)
        assert screen.problem is not None
        assert screen.problem.key == "5"
        assert "‼ " not in said(pilot, "#about")
        assert "2 stored and clustered of 4 right" in said(pilot, "#about")
        await press(pilot, "J")
        assert screen.said == "this is the last problem with paths"
        await press(pilot, "tab")
        assert top(pilot, PathsScreen).problem is None
        assert screen.query_one(VirtualList).cursor == 2
        await press(pilot, "tab", "K", "escape")
        assert top(pilot, PathsScreen).problem is None
        assert screen.query_one(VirtualList).cursor == 1
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, PathsScreen)


async def test_it_opens_on_the_problem_somebody_is_at(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), "j", "j", "enter", "j", "P") as pilot:
        screen = top(pilot, PathsScreen)
        assert screen.problem is not None
        assert screen.problem.key == "1"
        assert screen.here is not None
        assert str(screen.here.link).endswith("/sums:1")
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, PathsScreen)


async def test_first_words_are_shown_and_never_sent(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, "J", "enter") as pilot:
        text = shown(pilot)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert HOSTILE[:3] == "red"
        assert "red " in text


async def test_new_paths_are_read_in_place(make_app: MakeApp, clustered: Path) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, "enter", "j", "j") as pilot:
        screen = top(pilot, PathsScreen)
        cluster(clustered, {"0": {"tiny-base": [1, 1, 2], "tiny-rl": [1, 1, 3, 4]}})
        screen.study_changed()
        await settle(pilot)
        assert [row.path for row in screen.paths] == [2, 3, 4, 1]
        assert screen.selected is not None
        assert screen.selected.path == 1


async def test_without_clusters_it_says_which_command_makes_them(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_PATHS, size=(80, 24)) as pilot:
        path = shlex.quote(str(top(pilot, PathsScreen).session.study.path.resolve()))
        assert f"no paths yet: `basebound paths {path}` clusters the right answers" in said(pilot, "#about").replace("\n", " ")
        await press(pilot, "enter", "J", "tab")
        assert "no paths yet" in top(pilot, PathsScreen).said
        assert pilot.app.screen.query_one(VirtualList).cursor == 0


async def test_counts_one_run_and_a_locked_file_have_their_sentences(
    make_app: MakeApp, clustered: Path, tmp_path: Path
) -> None:
    counts, one = tmp_path / "counts.db", tmp_path / "one.db"
    with Writer(counts, "test") as writer:
        src = writer.open_source(SourceFile("counts.csv", "test", "5" * 64, 1))
        writer.add_counts(src, [NewCount(Run(Model("m", role=Role.BASE), "sums"), Problem("sums", "1"), 1, 3, 8)])
    async with driven(make_app(path=counts), "P") as pilot:
        assert "counts only: paths are found in traces, and this benchmark has none" in shown(pilot)
    with Writer(one, "test") as writer:
        writer.add_traces(source(writer), answers(["one", "two"], correct=True))
    with Study(one) as study:
        [problem] = study.problems("sums")
        ids = [row.sample_id for row in study.traces(problem.problem_id)]
    with Writer(one, "test") as writer:
        writer.put_paths(METHOD, problem.problem_id, {ids[0]: 1, ids[1]: 2})
    async with driven(make_app(path=one), "P", "enter") as pilot:
        assert len(top(pilot, PathsScreen).paths) == 2
        assert "base 2 paths of 2 right traces" in said(pilot, "#about")
    async with driven(make_app(path=clustered), "j", "j") as pilot:
        with locked(clustered):
            await press(pilot, "P")
            assert "not read, R reads again: " in shown(pilot)
        await press(pilot, "R")
        assert len(top(pilot, PathsScreen).problems) == 3


@pytest.mark.parametrize("size", [(80, 24), (80, 18), (120, 40), (250, 60), (40, 10)], ids=str)
async def test_it_survives_every_size(make_app: MakeApp, clustered: Path, size: tuple[int, int]) -> None:
    async with driven(make_app(path=clustered), *TO_PATHS, size=size) as pilot:
        shown(pilot)
        await press(pilot, "enter")
        shown(pilot)
        await pilot.resize_terminal(size[0] + 20, size[1] + 5)
        await settle(pilot)
        shown(pilot)


def test_where_no_right_trace_is_stored_nothing_is_called_lost(tmp_path: Path) -> None:
    path = cluster(make_study(tmp_path / "p.db"), {"0": {"tiny-base": [1, 2]}, "1": {"tiny-base": [1]}})
    with Session.open(path) as session:
        pair = session.pair("sums")
        assert pair is not None
        rows = {row.problem.key: row for row in problem_rows(pair, path_counts(session.study, METHOD, "sums"))}
        # RL has four right answers to problem 0, none of them in a path; of problem 1 it has none at all.
        assert rows["0"].other.is_unknown
        assert rows["0"].lost is None
        assert rows["1"].lost == 1
        assert list(rows) == ["1", "0"]
        assert path_counts(session.study, METHOD, "aime24") == []
        [first, *_] = path_rows(pair, [PathCount(pair.base.run_id, 1, 7, 2), PathCount(-1, 1, 8, 2)])
        assert (first.path, first.takes) == (7, Takes.BASE_ONLY)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_expected_paths_are_the_mean_over_all_draws(sizes: list[int], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, sum(sizes)))
    traces = [path for path, size in enumerate(sizes) for _ in range(size)]
    drawn = [len(set(each)) for each in itertools.combinations(traces, number)]
    assert expected_paths(sizes, number) == pytest.approx(sum(drawn) / len(drawn))


def test_expected_paths_of_a_published_case_and_of_too_many() -> None:
    assert [round(expected_paths([3, 2, 2, 1], number), 2) for number in (1, 2, 4, 8)] == [1.0, 1.82, 3.0, 4.0]
    with pytest.raises(ValueError, match="9 traces of 8"):
        expected_paths([3, 2, 2, 1], 9)
