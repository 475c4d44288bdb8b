"""Why a problem is in its set: the page of evidence, driven by keys and read as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.analyses.boundary import evidence
from explorer.model.facts import proofs
from explorer.model.session import Session
from explorer.model.why import Section, evidence_page
from explorer.render.words import rate
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.traces import TracesScreen
from explorer.screens.why import WhyScreen
from store.errors import StudyError
from store.types import Outcome
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, press, shown, top


def page(path: Path, key: str, benchmark: str = "sums") -> tuple[list[Section], str]:
    with Session.open(path) as session:
        pair = session.pair(benchmark)
        assert pair is not None
        sections = evidence_page(session, pair, session.study.problem(benchmark, key))
    lines = [
        " · ".join("".join(text for text, _ in part) for part in statement.parts)
        for section in sections
        for statement in section.statements
    ]
    return sections, "\n".join(lines)


def test_the_page_says_every_count_with_its_denominator_and_source(study_path: Path) -> None:
    sections, text = page(study_path, "1")
    assert "■ base 1 of 4 right · p 0.63 % to 81 % at 95 %" in text
    assert "○ RL 0 of 4 right · p < 53 % at 95 %" in text
    assert "set base only · the rates differ: undetermined · Fisher p 1, q 1 over 6 problems" in text
    assert "RL can reach it within 4 draws: undetermined · " in text
    assert "■ base 1 right answer: 1 unread" in text
    assert "○ RL ✗ 99 4 of 4 stored, 100 %" in text
    assert "■ base ∅ no answer 1 of 4 stored" in text
    assert "■ base truncated 1 of 4 stored" in text
    assert "○ RL 0 of 4 hold the reference in another box or at their end" in text
    assert all(statement.source for section in sections for statement in section.statements)


def test_what_is_not_known_names_the_command_that_makes_it(study_path: Path) -> None:
    sections, text = page(study_path, "0")
    sources = [statement.source for section in sections for statement in section.statements]
    assert "basebound score --scorer M --of RUN" in sources
    assert "basebound paths" in sources
    assert "unknown: nobody has looked for them" in text
    assert "chance to guess it unknown" in text


def test_a_wrong_answer_that_the_file_calls_right_is_a_near_miss(study_path: Path) -> None:
    sections, text = page(study_path, "3")
    assert "○ RL 1 of 4 wrong answers are right by another verdict or reading" in text
    near = next(section for section in sections if section.title.startswith("judged wrong"))
    doubtful = [trace for statement in near.statements for trace in statement.traces]
    assert [(trace.outcome, trace.imported) for trace in doubtful] == [(Outcome.INCORRECT, Outcome.CORRECT)]


def test_a_problem_with_one_run_is_not_compared(study_path: Path) -> None:
    _, text = page(study_path, "15", "aime24")
    assert "base 1 of 1 right" in text
    assert "not compared: that needs judged samples of two runs" in text


def test_the_proofs_are_those_of_the_coverage_command(study_path: Path) -> None:
    with Session.open(study_path) as session:
        pair = session.pair("sums")
        assert pair is not None
        found = proofs(pair, 4)
    assert [proof.evidence for proof in found.values()] == evidence([4] * 6, [3, 1, 2, 0, 0, 4], [4] * 6, [4, 0, 4, 0, 2, 4], 4)
    assert {proof.problems for proof in found.values()} == {6}


async def test_a_line_that_speaks_of_traces_opens_them(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "w") as pilot:
        screen = top(pilot, WhyScreen)
        assert "sums › 1 › why" in crumbs(pilot)
        assert screen.selected is not None
        assert len(screen.selected.traces) == 1  # base's right answer
        await press(pilot, "enter")
        reader = top(pilot, ReaderScreen)
        assert reader.trace is not None
        assert reader.trace.row.outcome is Outcome.CORRECT
        await press(pilot, "escape", "j", "enter")
        assert top(pilot, WhyScreen).said.startswith("this line speaks of no trace")
        await press(pilot, "escape")
        row = top(pilot, ProblemsScreen).selected
        assert row is not None
        assert row.problem.key == "1"


async def test_traces_lead_there_too(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "enter", "w") as pilot:
        assert top(pilot, WhyScreen).problem.key == "1"
        await press(pilot, "escape")
        assert top(pilot, TracesScreen).problem.key == "1"


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (250, 60)], ids=str)
async def test_no_line_is_cut(make_app: MakeApp, size: tuple[int, int]) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "w", size=size) as pilot:
        text = shown(pilot)
        assert "right · p" in text
        if size[0] >= 80:
            rows = top(pilot, WhyScreen).query_one("#evidence")
            lines = [rows.render_line(y).text for y in range(rows.size.height)]
            assert not any(line.rstrip().endswith("…") for line in lines)


async def test_a_failing_read_is_said_where_the_page_would_be(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StudyError("the study is locked by another program")

    async with driven(make_app(), *TO_SUMS, "enter") as pilot:
        monkeypatch.setattr(Session, "traces", fail)
        await press(pilot, "w")
        assert "not read, R reads again: the study is locked" in shown(pilot)
        monkeypatch.undo()
        await press(pilot, "R")
        assert "set and evidence" in shown(pilot)


async def test_long_statements_go_on_in_the_next_line_at_80_cells(make_app: MakeApp) -> None:
    async with driven(make_app(), *TO_SUMS, "enter", "j", "w", size=(60, 40)) as pilot:
        text = " ".join(shown(pilot).split())
        assert "other problems aside" in text
        assert "if these rates went on" in text


@pytest.mark.parametrize(("value", "told"), [(0.0029, "0.29 %"), (0.53, "53 %"), (0.996, "100 %"), (1.0, "100 %")])
def test_bounds_of_rates_are_written_in_percent(value: float, told: str) -> None:
    assert rate(value) == told
