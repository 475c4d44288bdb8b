"""The Claims screen, driven by keys: what is found, why, and where each claim leads."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.claims import CLAIMS
from explorer.model import claims
from explorer.model.pictures import Kind
from explorer.render.pieces import Tone
from explorer.render.wrapped import wrapped
from explorer.screens.claims import ClaimsScreen
from explorer.screens.plots import PlotsScreen
from explorer.screens.problems import ProblemsScreen
from explorer.screens.queue import QueueScreen
from explorer.widgets.virtual_list import VirtualList
from store.audits import Audit, AuditWriter
from store.types import Model, NewCount, Problem, Role, Run
from store.writer import SourceFile, Writer
from tests.builders import answers, source
from tests.explorer.conftest import make_study
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, locked, press, said, settle, shown, top

TO_CLAIMS = ("j", "j", "C")
NAMES = list(CLAIMS)


def list_text(screen: ClaimsScreen) -> str:
    rows = screen.query_one(VirtualList)
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


def to_claim(name: str) -> tuple[str, ...]:
    return ("g", *("j" for _ in range(NAMES.index(name))))


async def test_every_claim_has_a_finding_with_glyph_and_word(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_CLAIMS) as pilot:
        screen = top(pilot, ClaimsScreen)
        assert screen.judged is not None
        assert [row.claim.name for row in screen.judged.rows] == NAMES
        for row in screen.judged.rows:
            assert f"{claims.GLYPHS[row.finding]} {row.finding}" in list_text(screen)
        assert said(pilot, "#pair") == "■ tiny-base  against  ○ tiny-rl step 100"
        assert "q among" in said(pilot, "#findings")
        assert crumbs(pilot).startswith("study.db › sums › claims")


@pytest.mark.parametrize("size", [(80, 24), (80, 18), (120, 40), (200, 50)], ids=str)
async def test_the_claim_under_the_cursor_is_told_in_full(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_CLAIMS, size=size) as pilot:
        text = said(pilot, "#detail").replace("\n", " ")
        assert text.startswith("RL raises pass@1. Yue et al. 2025")
        assert "pass@1, other - base: 16.7 points" in text
        assert " p " in text
        assert "k 4 · n 4" in text or size[1] < 20
        await press(pilot, *to_claim("other-temperatures"))
        assert "? cannot tell" in said(pilot, "#detail")


@pytest.mark.parametrize(
    ("claim", "screen"),
    [("coverage-shrinks", ProblemsScreen), ("raises-pass-at-1", PlotsScreen), ("valid-chains", QueueScreen)],
)
async def test_enter_goes_where_one_can_see_it(make_app: MakeApp, claim: str, screen: type[ProblemsScreen]) -> None:
    async with driven(make_app(), *TO_CLAIMS, *to_claim(claim), "enter") as pilot:
        top(pilot, screen)
        await press(pilot, "escape")
        top(pilot, ClaimsScreen)
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ClaimsScreen)


async def test_a_claim_opens_its_own_plot_not_that_of_the_problem_one_came_from(make_app: MakeApp) -> None:
    for claim, kind in (("raises-pass-at-1", Kind.PASS), ("accuracy-to-the-ends", Kind.ACCURACY)):
        async with driven(make_app(), *TO_SUMS, "enter", "j", "C", *to_claim(claim), "enter") as pilot:
            screen = top(pilot, PlotsScreen)
            assert screen.kind is kind
            assert screen.here.problem is None
            assert crumbs(pilot).startswith("study.db › sums › plots")
            await press(pilot, "tab")


async def test_no_count_of_findings_is_cut_at_80_cells(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_CLAIMS, size=(80, 24)) as pilot:
        screen = top(pilot, ClaimsScreen)
        assert screen.judged is not None
        whole = "".join(text for text, _ in claims.summary(screen.judged))
        lines = said(pilot, "#findings").splitlines()
        assert " · ".join(lines) == whole
        assert max(map(len, lines)) <= 76
        assert screen.query_one("#findings").size.height == len(lines)


async def test_a_changed_study_is_said_and_judged_again_when_asked(make_app: MakeApp, tmp_path: Path) -> None:
    path = make_study(tmp_path / "own.db")
    async with driven(make_app(path=path), *TO_CLAIMS, "j") as pilot:
        screen = top(pilot, ClaimsScreen)
        with AuditWriter(path) as writer:
            writer.add(Audit(1, "ann", 1))
        screen.study_changed()
        await settle(pilot)
        assert "the study has changed since: R" in crumbs(pilot)
        before = screen.judged
        await press(pilot, "R")
        assert screen.judged is not before
        assert "changed since" not in crumbs(pilot)
        assert screen.query_one(VirtualList).cursor == 1


async def test_a_locked_file_is_told_and_can_be_tried_again(make_app: MakeApp, tmp_path: Path) -> None:
    path = make_study(tmp_path / "own.db")
    async with driven(make_app(path=path), "j", "j") as pilot:
        with locked(path):
            await press(pilot, "C")
            assert "not judged, R tries again: " in shown(pilot)
            await press(pilot, "enter")
            assert "locked by another program" in top(pilot, ClaimsScreen).said
        await press(pilot, "R")
        assert "✓" in shown(pilot) or "~" in shown(pilot)


async def test_counts_alone_are_judged_and_what_needs_traces_says_so(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "counts.db"
    with Writer(path, "test") as writer:
        src = writer.open_source(SourceFile("counts.csv", "test", "5" * 64, 1))
        for role in (Role.BASE, Role.RL):
            of = Run(Model(role.value, role=role), "sums")
            writer.add_counts(src, [NewCount(of, Problem("sums", str(i)), 1, i, 8) for i in range(6)])
    async with driven(make_app(path=path), "j", "C", *to_claim("likely-under-base")) as pilot:
        assert "? cannot tell" in said(pilot, "#detail")
        await press(pilot, *to_claim("raises-pass-at-1"))
        assert "~ not significant" in said(pilot, "#detail")


async def test_one_run_alone_is_told_what_is_missing(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["one", "two"]))
    async with driven(make_app(path=path), "C") as pilot:
        assert "needs two runs, and there is one" in said(pilot, "#detail").replace("\n", " ")
        await press(pilot, "enter")


async def test_claims_about_training_are_doubted_for_two_base_runs(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "C") as pilot:
        assert "claims are about RL" not in said(pilot, "#pair")


def test_a_line_is_wrapped_with_its_tones() -> None:
    line = [("the first part ", Tone.STRONG), ("and the second, which is longer", Tone.DIM)]
    lines = wrapped(line, 14)
    assert ["".join(text for text, _ in each) for each in lines] == [
        "the first part", "and the", "second, which", "is longer",
    ]  # fmt: skip
    assert lines[0] == [("the first part", Tone.STRONG)]
    assert wrapped([], 10) == [[]]
