"""The Study screen, driven by keys: rates with their intervals, health at every size, the pair in words, changes in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.model.about_pair import unlike
from explorer.model.numbers import pair_depth, pair_numbers
from explorer.model.run_health import cut_share, health_parts, run_health
from explorer.model.session import Session
from explorer.screens.found import FoundScreen
from explorer.screens.study import StudyScreen
from explorer.widgets.passk_plot import PassKPlot
from explorer.widgets.virtual_list import VirtualList
from store.audits import Audit, AuditWriter
from store.measures import RunDrawn, drawn, labelled
from store.rows import Count
from store.types import Model, NewCount, Problem, Role, Run, Settings
from store.writer import SourceFile, Writer
from tests.builders import answers, source
from tests.explorer.conftest import make_study
from tests.explorer.driving import TO_SUMS, MakeApp, driven, locked, press, said, settle, shown, top

TO_RL = ("j", "j")


def listed(screen: StudyScreen) -> list[str]:
    rows = screen.query_one(VirtualList)
    return [rows.render_line(y).text for y in range(rows.size.height)]


def row_of(screen: StudyScreen, name: str) -> str:
    """The run's last row: tiny-base has one of aime24 before."""
    return [line for line in listed(screen) if f" {name} " in line][-1]


@pytest.fixture
def own_study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "own.db")


def right_samples(path: Path, run: str, key: str) -> list[int]:
    with Session.open(path) as session:
        problem = session.study.problem("sums", key)
        runs = [each for each in session.boards["sums"].runs if each.slug.startswith(run)]
        return [row.sample_id for row in session.traces(problem, runs) if row.outcome == "correct"]


async def test_a_wide_screen_has_intervals_gap_and_health_in_columns(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_RL, size=(250, 60)) as pilot:
        screen = top(pilot, StudyScreen)
        for title in ("95 %", "gap", "cut %", "∅ %", "error", "mean ch", "labels"):
            assert title in listed(screen)[0]
        base = row_of(screen, "tiny-base").split()
        assert base[-5:-2] == ["20.8", "20.8", "0"]
        assert base[-1] == "0"
        assert "k = 4, 95 % over problems, gap = base pass@4 - pass@1" in "".join(listed(screen))


@pytest.mark.parametrize("size", [(80, 24), (80, 18), (120, 40), (200, 50), (250, 60)], ids=str)
async def test_the_health_of_the_run_under_the_cursor_is_said_at_every_size(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, size=size) as pilot:
        assert "‼ 20.8 % truncated of 24" in shown(pilot)
        await press(pilot, "j")
        text = said(pilot, "#health")
        assert "‼" not in text
        assert "0.0 % truncated of 24" in text
        assert "∅ 0.0 % no answer of 24" in text
        await press(pilot, "j")
        assert "‼ counts only" in shown(pilot)


async def test_counts_alone_have_no_health_and_no_zero_stands_for_it(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "j", "j", size=(250, 60)) as pilot:
        line = row_of(top(pilot, StudyScreen), "tiny-distilled")
        assert "counts only" in line
        # Wrong answers, no answers and errors came as one number; of cuts, lengths and labels there is nothing.
        assert line.split("counts only")[1].split()[:5] == ["–"] * 5


async def test_the_pair_is_told_with_differences_crossover_evidence_and_audit(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_RL) as pilot:
        text = said(pilot, "#pair")
        assert (
            "at k = 4: both 3 · base only 1 (0 with evidence) · RL only 1 (0 with evidence) · neither 1 · McNemar p 1" in text
        )
        assert "difference pass@1 +16.7 [" in text
        assert "crossover tie by k = 4 · probability that base overtakes by then" in text
        assert "audit: 0 of 1 right trace of the base-only set judged · a: what to read first" in text
        curves = pilot.app.screen.query_one(PassKPlot).curves
        assert curves is not None
        assert len(curves.low) == len(curves.high) == 2


async def test_a_tall_screen_has_every_run_against_the_baseline(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_RL, size=(200, 50)) as pilot:
        lines = said(pilot, "#everyone").splitlines()
        assert lines[0].split()[:4] == ["every", "run", "against", "tiny-base"]
        assert lines[1].split()[:5] == ["○", "tiny-rl", "step", "100", "4"]
        assert lines[2].split()[:3] == ["·", "tiny-distilled", "4"]
        await press(pilot, "c")
        assert said(pilot, "#everyone").startswith("  every run against tiny-rl step 100")
    async with driven(make_app(), *TO_RL, size=(120, 40)) as pilot:
        assert said(pilot, "#everyone") == ""


async def test_settings_that_differ_are_said_loudly(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "j", "j") as pilot:
        assert "‼ drawn differently: T 0.6 against 1" in said(pilot, "#pair")
        await press(pilot, "k")
        assert "drawn differently" not in said(pilot, "#pair")


async def test_a_label_is_counted_in_place_and_the_cursor_stays(make_app: MakeApp, own_study: Path) -> None:
    async with driven(make_app(path=own_study), *TO_RL, size=(250, 60)) as pilot:
        screen = top(pilot, StudyScreen)
        before = listed(screen)
        [sample] = right_samples(own_study, "tiny-base", "1")
        with AuditWriter(own_study) as writer:
            writer.add(Audit(sample, "ann", 2))
            writer.add(Audit(sample, "judge:model", 1))
        screen.study_changed()
        assert "…" not in row_of(screen, "tiny-base")
        await settle(pilot)
        assert "1 of 1 right trace of the base-only set judged: 0 sound, 1 unsound, 0 undecided" in said(pilot, "#pair")
        changed = [(old, new) for old, new in zip(before, listed(screen), strict=True) if old != new]
        assert [(old.split()[-1], new.split()[-1]) for old, new in changed] == [("0", "1")]
        assert listed(screen)[screen.query_one(VirtualList).cursor + 1].startswith("▸")
        await press(pilot, "k")
        assert "1 trace labelled" in said(pilot, "#health")


async def test_nothing_is_read_twice_where_nothing_has_changed(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_RL) as pilot:
        screen = top(pilot, StudyScreen)
        known = screen.known
        screen.study_changed()
        await settle(pilot)
        assert screen.known is known
        await press(pilot, "R")
        assert screen.said == "nothing has changed in the study"


async def test_a_new_baseline_moves_the_gaps_and_the_pair(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_RL, "c", "k", size=(250, 60)) as pilot:
        screen = top(pilot, StudyScreen)
        # The gap of the base run from the RL run: RL's pass@4 66.7 less base's pass@1 41.7.
        assert "25.0" in row_of(screen, "tiny-base")
        assert said(pilot, "#pair").startswith("■ tiny-rl step 100 · against ○ tiny-base")


async def test_slash_searches_the_benchmark_of_the_run(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "slash") as pilot:
        top(pilot, FoundScreen)


async def test_where_it_is_can_be_copied_as_a_link(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_RL) as pilot:
        here = top(pilot, StudyScreen).here
        assert here is not None
        assert here.problem is None
        assert str(here.link).startswith("tiny-rl-step-100@sums")


async def test_a_locked_file_is_told_and_what_is_known_stays(make_app: MakeApp, own_study: Path) -> None:
    async with driven(make_app(path=own_study), *TO_RL) as pilot:
        before = listed(top(pilot, StudyScreen))
        with locked(own_study):
            await press(pilot, "R")
            assert "own.db is locked by another program" in top(pilot, StudyScreen).said
        assert listed(top(pilot, StudyScreen)) == before
        await press(pilot, "R")


async def test_one_run_and_no_run_have_their_sentences(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["one", "two"]))
    async with driven(make_app(path=path)) as pilot:
        assert "the only run of this benchmark" in said(pilot, "#pair")
        assert "‼ 2 unjudged" in said(pilot, "#health")
        assert "truncated – (the file does not say how responses ended)" in said(pilot, "#health")
    empty = tmp_path / "empty.db"
    Writer(empty, "test").close()
    async with driven(make_app(path=empty), "slash", "R", "a", "p") as pilot:
        assert "no runs in this study yet" in shown(pilot)
        assert top(pilot, StudyScreen).here is None


async def test_a_study_of_counts_has_intervals_and_a_crossover(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "counts.db"
    with Writer(path, "test") as writer:
        src = writer.open_source(SourceFile("counts.csv", "test", "5" * 64, 1))
        for role, correct in ((Role.BASE, (1, 1, 1, 1, 0)), (Role.RL, (14, 15, 16, 0, 0))):
            of = Run(Model(role.value, role=role), "sums")
            writer.add_counts(src, [NewCount(of, Problem("sums", str(i)), 1, c, 16) for i, c in enumerate(correct)])
    async with driven(make_app(path=path), "j") as pilot:
        text = said(pilot, "#pair")
        assert "crossover base is ahead from k = " in text
        assert "probability" in text
        assert "no right trace of the base-only set is stored" in text


def test_intervals_hold_their_estimates_and_name_the_crossing(study_path: Path) -> None:
    with Session.open(study_path) as session:
        pair = session.pair("sums")
        assert pair is not None
        numbers = pair_numbers(pair)
        depth = pair_depth(pair, numbers)
        for low, values, high in zip(depth.low, numbers.curves, depth.high, strict=True):
            assert all(a <= b <= c for a, b, c in zip(low, values, high, strict=True) if None not in (a, b, c))  # type: ignore[operator]
        with_samples = {run.run_id for run in pair.board.runs[:2]} | {session.boards["aime24"].runs[0].run_id}
        assert drawn(session.study).keys() == with_samples
        assert labelled(session.study) == {}


COUNTS = st.builds(
    lambda right, wrong, none, bad, waiting, cut, published: Count(
        1, 1, "imported" if published else "math", right, 0 if published else wrong, 0 if published else none,
        0 if published else bad, 0 if published else right + wrong + none + bad + waiting,
        0 if published else min(cut, right + wrong), published,
    ),
    *[st.integers(0, 50)] * 6, st.booleans(),
)  # fmt: skip


@given(st.lists(COUNTS, max_size=6))
def test_health_never_says_zero_for_what_nobody_knows(counts: list[Count]) -> None:
    health = run_health(counts, len(counts))
    assert health.judged == sum(count.n for count in counts)
    if all(count.published for count in counts):
        assert health.no_answer is health.error is health.cut is None
    text = "".join(piece for part in health_parts(health, None, None) for piece, _ in part)
    if not health.samples:
        assert "mean length" not in text
    assert cut_share(health, None) is None


def test_a_run_that_does_not_say_how_responses_ended_has_no_share_of_cuts() -> None:
    health = run_health([Count(1, 1, "math", 3, 1, 0, 0, 4, 0, False)], 1)
    assert cut_share(health, RunDrawn(4, 0, 100, ends_known=False)) is None
    assert cut_share(health, RunDrawn(4, 0, 100, ends_known=True)) == 0


def test_only_settings_known_of_both_differ_and_seeds_never_do() -> None:
    one = Settings(temperature=0.6, top_p=0.95, seed=1, stop="unknown", prompt_template="a" * 60)
    two = Settings(temperature=1.0, seed=2, stop='["x"]', prompt_template="b" * 60)
    assert [name for name, *_ in unlike(one, two)] == ["prompt template", "T"]
    assert all(len(value) <= 24 for _, *values in unlike(one, two) for value in values)
