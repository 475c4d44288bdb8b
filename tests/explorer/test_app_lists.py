"""Study, Problems and Traces, driven by keys."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest

from engine.board import read_board
from engine.summary import summarise
from explorer.model.about_pair import about_pair
from explorer.model.boundary import Chosen, Order
from explorer.model.listing import Narrowed, read_filter
from explorer.model.numbers import common_k, pair_numbers
from explorer.model.session import Pair, Session
from explorer.render.columns import UNLIMITED, Column, share
from explorer.render.histogram import Answer, histogram
from explorer.render.words import short_names
from explorer.screens.found import FoundScreen
from explorer.screens.problems import ProblemsNarrowed, ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.study import StudyScreen
from explorer.screens.traces import TracesScreen
from explorer.widgets.key_line import KeyLine
from explorer.widgets.virtual_list import VirtualList
from store.audits import Audit, AuditWriter
from store.reader import Study
from store.rows import RunRow
from store.types import Model, NewCount, NewSample, NewTrace, Outcome, Problem, Role, Run, Settings, Verdict
from store.writer import SourceFile, Writer
from tests.builders import RL, answers, run, source
from tests.explorer.conftest import SETTINGS, make_study, sums_problem
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, locked, press, said, settle, shown, top


@pytest.fixture
def own_study(tmp_path: Path) -> Path:
    """The small study, to write into."""
    return make_study(tmp_path / "own.db")


def add_late_run(path: Path) -> None:
    """What a job does while somebody looks: another run of the same benchmark, with a trace of each problem."""
    late = Run(Model("lab/tiny-late", "step-900", Role.RL, step=900), "sums", SETTINGS)
    with Writer(path, "test") as writer:
        traces = [
            NewTrace(late, sums_problem(n), NewSample("It is 1.", n + 1), Verdict(Outcome.INCORRECT, "file")) for n in range(6)
        ]
        writer.add_traces(writer.open_source(SourceFile("late.jsonl", "test", "3" * 64, 1)), traces)


def list_text(pilot_screen: object) -> str:
    assert isinstance(pilot_screen, StudyScreen | ProblemsScreen | TracesScreen)
    rows = pilot_screen.query_one(VirtualList)
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


async def test_the_study_screen_says_rates_sets_and_settings(make_app: MakeApp) -> None:
    async with driven(make_app(), "j", "j") as pilot:
        runs = pilot.app.screen.query_one("#runs", VirtualList)
        text = "\n".join(runs.render_line(y).text for y in range(runs.size.height))
        assert "k = 4" in text
        assert "≠ 62.5" in text  # the file calls one more of 24 right: 15 against 14
        assert "counts only" in text
        assert "at k = 4: both 3 · base only 1 (0 with evidence) · RL only 1 (0 with" in said(pilot, "#pair")
        assert "T 0.6 · top-p 0.95 · max tokens 2048 · cap unknown · prompt boxed" in said(pilot, "#pair")


@pytest.mark.parametrize(("n", "told"), [(8, "McNemar p 1"), (4, "n differ: no exact test")])
def test_the_pair_in_words_has_a_p_value_only_where_n_are_equal(tmp_path: Path, n: int, told: str) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        src = writer.open_source(SourceFile("counts.csv", "test", "4" * 64, 1))
        for role, samples in ((Role.BASE, 8), (Role.RL, n)):
            of = Run(Model(role.value, role=role), "sums")
            writer.add_counts(src, [NewCount(of, Problem("sums", str(i)), 1, i, samples) for i in range(4)])
    with Study(tmp_path / "s.db") as study:
        board = read_board(study, "sums")
    pair = Pair(board, *board.runs)
    text = "".join(piece for line in about_pair(pair, pair_numbers(pair), 80) for piece, _ in line)
    assert told in text
    assert ("McNemar" in text) == (n == 8)


async def test_another_reference_turns_the_comparison_round(make_app: MakeApp) -> None:
    async with driven(make_app(), "j", "j", "c", "k") as pilot:
        assert said(pilot, "#pair").startswith("■ tiny-rl step 100 · against ○ tiny-base")
        await press(pilot, "enter")
        assert "■ RL only 1  ○ base only 1" in said(pilot, "#chips")


async def test_tab_goes_through_the_sets(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter") as pilot:
        screen = top(pilot, ProblemsScreen)
        seen = {}
        for _ in range(6):
            seen[screen.chosen] = [row.problem.key for row in screen.listed]
            await press(pilot, "tab")
        assert seen == {
            Chosen.ALL: ["0", "1", "2", "3", "4", "5"],
            Chosen.BASE_ONLY: ["1"],
            Chosen.OTHER_ONLY: ["4"],
            Chosen.BOTH: ["0", "2", "5"],
            Chosen.NEITHER: ["3"],
            Chosen.DISPUTED: ["3"],
        }
        assert screen.chosen == "all"
        await press(pilot, "shift+tab")
        assert screen.chosen == "disputed"


async def test_sorting_and_filtering_keep_the_problem_under_the_cursor(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "j") as pilot:
        screen = top(pilot, ProblemsScreen)
        await press(pilot, "s", "s", "s", "s")
        assert screen.order is Order.DIFFERENCE
        assert [row.problem.key for row in screen.listed] == ["1", "3", "5", "0", "2", "4"]
        assert screen.selected is not None
        assert screen.selected.problem.key == "2"
        await press(pilot, "slash", *'"2 + 2"', "enter")
        assert [row.problem.key for row in screen.listed] == ["2"]
        assert "1 of 6" in crumbs(pilot)
        await press(pilot, "escape")
        assert len(screen.listed) == 6
        assert screen.selected.problem.key == "2"


async def test_the_text_filter_looks_into_answers(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "slash", "9", "9", "enter") as pilot:
        assert [row.problem.key for row in top(pilot, ProblemsScreen).listed] == ["1", "2", "3", "4"]


async def test_the_detail_counts_the_answers_of_both_runs(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j") as pilot:
        await pilot.pause(0.15)
        await settle(pilot)
        assert "■ base  ✗ 99 ×2" in said(pilot, "#detail")
        assert "✓ 2 ×1" in said(pilot, "#detail")
        assert "∅ none ×1" in said(pilot, "#detail")


async def test_traces_say_verdict_and_file_and_that_a_run_is_counts_only(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", *"jjj", "enter") as pilot:
        screen = top(pilot, TracesScreen)
        assert "counts only: no traces were imported for distilled (3/16)" in said(pilot, "#about")
        assert "‼ truncated" in shown(pilot)
        assert "✓ correct ≠" in shown(pilot)
        words = []
        for _ in range(6):
            await press(pilot, "tab")
            words.append((screen.choice.word, len(screen.listed)))
        assert words == [
            ("✗ incorrect", 7),
            ("∅ no answer", 1),
            ("disputed", 1),
            ("tiny-base", 4),
            ("tiny-rl step 100", 4),
            ("all", 8),
        ]


async def test_a_run_that_a_job_adds_disturbs_nobody_and_is_there_after_coming_back(make_app: MakeApp, own_study: Path) -> None:
    async with driven(make_app(path=own_study), *TO_SUMS, "enter") as pilot:
        add_late_run(own_study)
        await press(pilot, "enter")
        assert len(top(pilot, TracesScreen).listed) == 8
        await press(pilot, "enter", *("]" for _ in range(9)), "J", "]")
        assert top(pilot, ReaderScreen).walk.problem.key == "1"
        await press(pilot, "escape", "escape", "escape")
        assert "tiny-late step 900" in list_text(top(pilot, StudyScreen))
        await press(pilot, "enter", "enter")
        assert len(top(pilot, TracesScreen).listed) == 9


async def test_the_study_is_read_again_by_a_key(make_app: MakeApp, own_study: Path) -> None:
    async with driven(make_app(path=own_study), *TO_SUMS, "j") as pilot:
        screen = top(pilot, StudyScreen)
        await press(pilot, "R")
        assert screen.said == "nothing has changed in the study"
        add_late_run(own_study)
        await press(pilot, "R")
        assert "tiny-late step 900" in list_text(screen)
        assert "against ○ tiny-rl step 100" in said(pilot, "#pair").replace("\n", " ")
        assert "at k = 4: both 3" in said(pilot, "#pair")


async def test_the_filter_of_traces_stays_from_problem_to_problem_and_through_the_reader(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "tab") as pilot:
        screen = top(pilot, TracesScreen)
        assert screen.choice.outcome is Outcome.CORRECT
        await press(pilot, "J", "J", "J")
        assert screen.choice.outcome is Outcome.CORRECT
        assert screen.listed == []
        assert "[✓ correct 0]" in said(pilot, "#chips")
        await press(pilot, "K", "enter", "K", "]", "escape")
        assert (screen.problem.key, screen.choice.outcome) == ("1", Outcome.CORRECT)
        assert {row.outcome for row in screen.listed} == {Outcome.CORRECT}


async def test_problems_that_nobody_judged_say_so_and_have_a_chip(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "unjudged.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["one", "two"]) + answers(["three"], start=3, of=run(RL)))
    async with driven(make_app(path=path), "enter") as pilot:
        assert "not judged" in list_text(pilot.app.screen)
        assert "…" not in list_text(pilot.app.screen)
        assert "not judged 1" in said(pilot, "#chips")
        await press(pilot, "shift+tab")
        assert [row.problem.key for row in top(pilot, ProblemsScreen).listed] == ["1"]


@pytest.mark.parametrize("size", [(80, 12), (100, 10), (40, 10)], ids=str)
async def test_a_low_terminal_keeps_list_crumbs_and_keys(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, size=size) as pilot:
        for _ in range(3):
            screen = pilot.app.screen
            assert "▸" in list_text(screen)
            assert screen.query_one(VirtualList).size.height >= 4
            assert screen.query_one(VirtualList).region.bottom < size[1]
            assert screen.query_one("Crumbs").region.y == 0
            assert screen.query_one(KeyLine).region.y == size[1] - 1
            assert screen.max_scroll_y == 0
            await press(pilot, "enter")


async def test_a_locked_study_is_said_where_the_traces_would_be_and_read_again(
    make_app: MakeApp, own_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.model.session.BUSY_MS", 50)
    async with driven(make_app(path=own_study), *TO_SUMS, "enter") as pilot:
        with locked(own_study):
            await press(pilot, "enter")
            screen = top(pilot, TracesScreen)
            assert "is locked by another program" in screen.said
            assert "not read, R reads again" in list_text(screen)
            assert "all" not in said(pilot, "#chips")
            await press(pilot, "enter")
            assert screen.said.startswith("no trace to read: ")
        await press(pilot, "R")
        assert len(screen.listed) == 8
        assert "[all 8]" in said(pilot, "#chips")


async def test_traces_are_being_read_until_they_are_there(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    may_go, traces = threading.Event(), Session.traces

    def slow(*arguments: object) -> object:
        may_go.wait(10)
        return traces(*arguments)  # type: ignore[arg-type]

    async with driven(make_app(), *TO_SUMS, "enter") as pilot:
        monkeypatch.setattr(Session, "traces", slow)
        await pilot.press("enter")
        await pilot.pause()
        assert "reading …" in list_text(pilot.app.screen)
        assert said(pilot, "#chips") == ""
        may_go.set()
        await settle(pilot)
        assert "[all 8]" in said(pilot, "#chips")


async def test_chips_count_what_the_text_leaves_and_the_answer_search_is_seen(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go, answering = threading.Event(), Study.problems_answering

    def slow(study: Study, benchmark: str, text: str) -> set[int]:
        may_go.wait(10)
        return answering(study, benchmark, text)

    monkeypatch.setattr(Study, "problems_answering", slow)
    async with driven(make_app(), *TO_SUMS, "enter") as pilot:
        for key in ("slash", *'"2 + 2"', "enter"):
            await pilot.press(key)
        await pilot.pause()
        assert "searching …" in crumbs(pilot)
        assert said(pilot, "#chips").endswith('/ "2 + 2" … of 6, in any of 3 runs')
        assert '/ "2 + 2" … of 6' in said(pilot, "#chips")
        assert said(pilot, "#chips").startswith(" [all 1] ■ base only 0  ○ RL only 0  both 1  neither 0  disputed 0 ")
        may_go.set()
        await settle(pilot)
        assert "searching" not in crumbs(pilot)
        screen = top(pilot, ProblemsScreen)
        another = read_filter("another text")
        assert another is not None
        screen.post_message(ProblemsNarrowed(Narrowed(another, frozenset({1, 2, 3}), (3, 3))))
        await settle(pilot)
        assert len(screen.listed) == 1


def test_answers_are_found_in_one_query(study_path: Path) -> None:
    with Study(study_path) as study:
        keys = {problem.problem_id: problem.key for problem in study.problems("sums")}
        assert {keys[found] for found in study.problems_answering("sums", "99")} == {"1", "2", "3", "4"}
        assert {keys[found] for found in study.problems_answering("sums", "WITHOUT LEAVING ONE out")} == set("012345")
        assert study.problems_answering("aime24", "99") == set()


async def test_the_problems_screen_names_both_runs(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter") as pilot:
        assert said(pilot, "#pair") == "■ tiny-base  against  ○ tiny-rl step 100"
        await pilot.resize_terminal(40, 24)
        await settle(pilot)
        assert said(pilot, "#pair") == "■ tiny-base  against  ○ tiny…ep 100"


async def test_keys_that_can_do_nothing_say_why(make_app: MakeApp, tmp_path: Path) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "K") as pilot:
        screen = top(pilot, TracesScreen)
        assert screen.said == "this is the first problem of the list"
        await press(pilot, *"JJJJJJ")
        assert screen.said == "this is the last problem of the list"
        await press(pilot, "escape", "slash", *"no such text", "enter", "enter")
        assert top(pilot, ProblemsScreen).said.startswith("no problem fits")
    empty = tmp_path / "empty.db"
    Writer(empty, "test").close()
    for key in ("enter", "c"):
        async with driven(make_app(path=empty), key) as pilot:
            assert top(pilot, StudyScreen).said.startswith("no runs in this study yet")


async def test_the_same_sentence_never_stacks(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(notifications=True) as pilot:
        await settle(pilot)
        await press(pilot, *TO_SUMS, "enter", "enter", "K", "K", "K")
        await pilot.pause(0.1)
        assert len(app.screen.query("Toast")) == 1
    app.session.study.close()


async def test_enter_comes_first_among_the_keys(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS) as pilot:
        for _ in range(3):
            assert pilot.app.screen.query_one(KeyLine).render_line(0).text.startswith(" Enter")
            await press(pilot, "enter")


async def test_a_file_is_compared_over_the_problems_that_both_have_judged(make_app: MakeApp, own_study: Path) -> None:
    only_scored = Run(Model("lab/tiny-x", role=Role.RL), "sums", SETTINGS)
    with Writer(own_study, "test") as writer:
        score = Verdict(Outcome.CORRECT, "file's score")
        traces = [NewTrace(only_scored, sums_problem(0), NewSample("It is 0.", 1), score)]
        writer.add_traces(writer.open_source(SourceFile("x.jsonl", "test", "4" * 64, 1)), traces)
    path = own_study
    with Session.open(path, "math") as session:
        assert session.boards["sums"].pass_at_1(next(r for r in session.boards["sums"].runs if "tiny-x" in r.name)) is None
    async with driven(make_app(path=path)) as pilot:
        line = next(line for line in list_text(pilot.app.screen).splitlines() if "tiny-x" in line)
        assert "≠" not in line


def test_common_k_is_the_one_of_the_command_line(study_path: Path) -> None:
    with Session.open(study_path) as session:
        assert {name: common_k(board) for name, board in session.boards.items()} == {"aime24": 1, "sums": 4}
        assert all(summarise(board).common_k == common_k(board) for board in session.boards.values())


def named(*names: str) -> list[str]:
    rows = [RunRow(at, name, name, "sums", Model(name, role=Role.RL), Settings(), name) for at, name in enumerate(names)]
    return list(short_names(rows).values())


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["tiny-base", "tiny-rl"], ["base", "rl"]),
        (["run-00", "run-01"], ["run-00", "run-01"]),
        (["lab-run-00", "lab-run-01"], ["run-00", "run-01"]),
        (["rl step 100", "rl step 200"], ["step 100", "step 200"]),
        (["one"], ["one"]),
        (["same", "same"], ["same", "same"]),
    ],
)
def test_short_names_keep_a_word(names: list[str], short: list[str]) -> None:
    assert named(*names) == short


async def test_the_boundary_table_says_evidence_and_what_was_audited(make_app: MakeApp, own_study: Path) -> None:
    with Study(own_study) as study:
        problem = study.problem("sums", "1")
        right = next(row for row in study.traces(problem.problem_id) if row.outcome is Outcome.CORRECT)
        wrong = next(row for row in study.traces(problem.problem_id) if row.outcome is Outcome.INCORRECT)
    with AuditWriter(own_study) as writer:
        writer.add(Audit(right.sample_id, "ann", 2))
        writer.add(Audit(wrong.sample_id, "ann", 7))
    async with driven(make_app(path=own_study), *TO_SUMS, "enter", "j", size=(80, 24)) as pilot:
        await pilot.pause(0.15)
        await settle(pilot)
        line = next(line for line in list_text(pilot.app.screen).splitlines() if line.startswith("▸ 1"))
        assert "base only" in line
        assert "undetermined" in line
        assert "✗1 ≠1" in line
        assert "audit 1 unsound of 1 right answer, 1 judged wrong found right" in said(pilot, "#detail")
        assert "○ RL    2 never in 4 (p < 53 % at 95 %)" in said(pilot, "#detail")


async def test_evidence_paths_and_audits_order_the_problems(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", *"sssss") as pilot:
        screen = top(pilot, ProblemsScreen)
        assert screen.order is Order.EVIDENCE
        assert [row.problem.key for row in screen.listed[:2]] == ["4", "1"]  # what one run alone solves, the least p first
        await press(pilot, "s")
        assert "sorted by paths" in crumbs(pilot)
        await press(pilot, "s", "s")
        assert "sorted by" not in crumbs(pilot)


async def test_tags_are_put_on_a_problem_and_shown(make_app: MakeApp, own_study: Path) -> None:
    async with driven(make_app(path=own_study), *TO_SUMS, "enter", "j", "T", *"odd one", "enter") as pilot:
        await settle(pilot)
        assert "odd one" in list_text(pilot.app.screen)
        assert "tags odd one" in said(pilot, "#detail")
        await press(pilot, "slash", *"tag:odd", "enter")
        assert [row.problem.key for row in top(pilot, ProblemsScreen).listed] == ["1"]


async def test_traces_lie_grouped_by_answer(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "enter", "o") as pilot:
        screen = top(pilot, TracesScreen)
        rows = [line.rstrip() for line in list_text(screen).splitlines()[1:4]]
        assert rows[0].startswith("▸ + ■1 ○0 of 4")
        assert "✓ correct" in rows[0]
        assert rows[1].startswith("  + ■2 ○4 of 4")
        assert "99" in rows[1]
        assert "∅ no answer" in rows[2]
        await press(pilot, "j", "enter")
        assert "− ✗ 99  ■ 2 of 4  ○ 4 of 4  ← closes" in list_text(screen)
        assert screen.selected is not None
        assert screen.selected.answer == "99"
        await press(pilot, "enter", "]")
        assert len(top(pilot, ReaderScreen).walk.traces) == 6
        await press(pilot, "escape")
        assert screen.selected is not None
        await press(pilot, "left")
        assert "← closes" not in list_text(screen)
        assert "▸ + ■2 ○4 of 4" in list_text(screen)
        await press(pilot, "J")
        assert "grouped" in crumbs(pilot)


async def test_two_runs_lie_side_by_side_where_there_is_room(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "o", "o", size=(140, 40)) as pilot:
        screen = top(pilot, TracesScreen)
        assert "■ base" in list_text(screen)
        beside = screen.query_one("#beside", VirtualList)
        assert beside.region.x >= 70
        assert "○ rl step 100" in beside.render_line(0).text
        await press(pilot, "tab", "j")
        assert screen.focused is beside
        assert screen.selected is not None
        assert screen.selected.run_id == screen.pair.runs[1].run_id
        await press(pilot, "enter")
        assert {row.run_id for row in top(pilot, ReaderScreen).walk.traces} == {screen.pair.runs[1].run_id}
        await press(pilot, "escape")
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert not beside.display
        assert len(screen.listed) == 8
        await press(pilot, "o")
        assert "grouped" not in crumbs(pilot)
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "o", "o", size=(80, 24)) as pilot:
        assert top(pilot, TracesScreen).said == "one list: side by side needs a terminal of 120 cells"


async def test_traces_are_ordered_by_what_is_known_of_them(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "s") as pilot:
        screen = top(pilot, TracesScreen)
        assert [row.tokens for row in screen.listed] == sorted(row.tokens or 0 for row in screen.listed)
        assert "by length" in crumbs(pilot)
        await press(pilot, "J")
        assert "by length" in crumbs(pilot)


async def test_how_suspicious_right_answers_are_is_worked_out_where_it_is_not_stored(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter") as pilot:
        assert "…" in list_text(pilot.app.screen)
        await pilot.pause(0.4)
        await settle(pilot)
        assert "susp." in list_text(pilot.app.screen)
        assert "0." in list_text(pilot.app.screen)
        wrong = next(line for line in list_text(pilot.app.screen).splitlines() if "∅ no answer" in line)
        assert "–" in wrong


async def test_compare_marks_one_trace_and_takes_the_next(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[tuple[object, ...]] = []
    monkeypatch.setattr(TracesScreen, "go", lambda _, *way, **__: gone.append(way))
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "equals_sign") as pilot:
        screen = top(pilot, TracesScreen)
        first = screen.selected
        assert screen.said.startswith("marked")
        assert "=0" in list_text(screen)
        await press(pilot, "j", "equals_sign")
        second = screen.selected
        assert first is not None
        assert second is not None
        assert gone == [("compare", screen.pair, first.sample_id, second.sample_id)]
        await press(pilot, "equals_sign", "equals_sign")
        assert gone[1] == ("compare", screen.pair, second.sample_id, None)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50), (250, 60)], ids=str)
async def test_all_lists_keep_their_keys_and_crumbs_at_every_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", size=size) as pilot:
        for keys in ((), ("slash", *"answer:99", "enter"), ("enter",), ("o",), ("escape",), ("w",), ("escape", "F")):
            await press(pilot, *keys)
            screen = pilot.app.screen
            assert screen.query_one("Crumbs").region.y == 0
            assert screen.query_one(KeyLine).region.y == size[1] - 1
            assert screen.query_one(VirtualList).size.height >= 6
            shown(pilot)


async def test_all_hits_of_a_set_ask_for_the_set_of_this_pair(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "tab", "F") as pilot:
        screen = top(pilot, FoundScreen)
        assert screen.wanted is not None
        assert screen.wanted.text == "set:base-only benchmark:sums"
        assert {hit.key for hit in screen.hits} == {"1"}
        await press(pilot, "escape", "slash", *"answer:99 or answer:2", "enter", "F")
        screen = top(pilot, FoundScreen)
        assert screen.wanted is not None
        assert screen.wanted.text == "(answer:99 or answer:2) set:base-only benchmark:sums"
    async with driven(make_app(), "j", "j", "c", "enter", "tab", "F") as pilot:  # the other way round: RL is the baseline
        assert {hit.key for hit in top(pilot, FoundScreen).hits} == {"4"}


async def test_a_problem_that_one_run_alone_solves_opens_on_its_right_answers(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "tab", "enter") as pilot:
        screen = top(pilot, TracesScreen)
        assert "[✓ correct 1]" in said(pilot, "#chips")
        assert [row.outcome for row in screen.listed] == [Outcome.CORRECT]
        await press(pilot, "shift+tab")
        assert len(screen.listed) == 8
        assert {row.run_id for row in screen.listed[:4]} == {screen.pair.base.run_id}
    async with driven(make_app(), *TO_SUMS, "enter", "j", "enter") as pilot:
        assert "[all 8]" in said(pilot, "#chips")


async def test_a_digit_in_the_list_of_traces_says_what_reads_first(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", "3") as pilot:
        assert top(pilot, TracesScreen).said == "a digit labels the trace that is read: Enter reads this one"


async def test_the_way_here_stays_in_sight_where_problems_are_sorted(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", *"sss", size=(80, 24)) as pilot:
        line = pilot.app.screen.query_one("Crumbs").render_line(0).text
        assert line.startswith(" study.db › sums › problems ")
        assert "sorted by RL c/n" in line


def test_the_statement_grows_before_names_and_numbers_do() -> None:
    columns = [Column("problem", 7), Column("audit", 8, most=14), Column("statement", 16, most=UNLIMITED)]
    assert share(columns, 47) == [7, 8, 28]
    assert share(columns, 70) == [7, 11, 48]
    assert share(columns, 75) == [7, 14, 50]
    some = [Column("a", 10), Column("b", 30, drop=1), Column("c", 5, drop=2)]
    assert share(some, 50) == [10, 30, 5]
    assert share(some, 20) == [10, 0, 5]  # what fits comes back, though it was to go first


async def test_a_blank_stands_before_the_scroll_bar(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "enter", size=(80, 12)) as pilot:
        rows = pilot.app.screen.query_one(VirtualList)
        assert rows.show_vertical_scrollbar
        assert rows.row_width == rows.view_width - 3
        assert all(rows.render_line(y).text.endswith(" ") for y in range(1, rows.size.height))


def test_one_answer_more_is_one_answer() -> None:
    found: Counter[Answer] = Counter({(str(number), Outcome.INCORRECT): 20 - number for number in range(13)})
    assert histogram(found, None)[-1][0] == "and 1 more answer"
