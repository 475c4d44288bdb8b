"""Why a problem is in its set: the page of evidence, driven by keys and read as it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.analyses.boundary import evidence
from explorer.model.facts import proofs
from explorer.model.session import Pair, Session
from explorer.model.why import evidence_page
from explorer.model.why_values import Section
from explorer.render.words import rate
from explorer.screens.problems import ProblemsScreen
from explorer.screens.reader import ReaderScreen
from explorer.screens.traces import TracesScreen
from explorer.screens.why import WhyScreen
from store.errors import StudyError
from store.types import Outcome, Role
from tests.engine.token_study import token_study
from tests.explorer.driving import TO_SUMS, MakeApp, crumbs, driven, press, shown, top
from tests.explorer.test_report import person_study


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


@pytest.fixture(scope="module")
def by_token(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return token_study(tmp_path_factory.mktemp("tokens") / "tokens.db").path


def test_where_the_other_model_leaves_right_traces_is_said_with_its_step_and_token(by_token: Path) -> None:
    sections, text = page(by_token, "lost")
    assert "○ RL falls most at step 2 of 3 in 1 of 2 right answers of base · most at “Wait” (14 %, there 1 in 3,000)" in text
    assert "where it would rather say “So” (94 %) · -9.9 nats in the middle · 2 of 3 are scored token by token" in text
    titles = [section.title for section in sections]
    assert titles.index("likelihood of right answers") == titles.index("set and evidence") + 1, "it is the answer to why"
    likely = next(section for section in sections if section.title.startswith("likelihood"))
    falls = next(statement for statement in likely.statements if "log-ratio" in statement.source)
    assert [trace.idx for trace in falls.traces] == [0], "the line opens the traces that are left there"
    _, text = page(by_token, "found")
    assert "■ base falls most at step 1 of 2 in 1 of 2 right answers of RL" in text, "and the reverse"


def test_each_run_s_right_answers_bound_the_other_s_chance(by_token: Path) -> None:
    _, text = page(by_token, "lost")
    assert "○ RL chance of it, by right answers of base: at least 78 % from 2 of 3 different traces" in text
    assert "which means little: one weight has 90 % of the sum" in text
    assert "its own 0 of 4: 0 % to 60 %" in text
    assert "a whole one 1 in 380 in the middle" in text, "the probability of a whole trace beside the mean"


def test_a_problem_that_both_solve_has_no_parting_and_one_that_none_solves_no_likelihood(by_token: Path) -> None:
    assert "falls most" not in page(by_token, "shared")[1]
    assert "likelihood of right answers" not in {section.title for section in page(by_token, "hard")[0]}


def test_what_no_model_has_gone_through_token_by_token_names_the_command(by_token: Path, tmp_path: Path) -> None:
    path = tmp_path / "sums.db"
    path.write_bytes(by_token.read_bytes())
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM token_score")
    sections, text = page(path, "lost")
    assert "○ RL where it leaves right answers of base: unknown, token by token" in text
    sources = [statement.source for section in sections for statement in section.statements]
    assert any(source.startswith("basebound score") and "--tokens" in source for source in sources)


def test_where_one_model_alone_has_scored_the_other_is_asked_for(by_token: Path, tmp_path: Path) -> None:
    path = tmp_path / "half.db"
    path.write_bytes(by_token.read_bytes())
    with sqlite3.connect(path) as raw:
        raw.execute("DELETE FROM token_score")
        raw.execute("DELETE FROM likelihood WHERE scorer_id = (SELECT model_id FROM model WHERE role = 'rl')")
    _, text = page(path, "lost")
    assert "■ base under RL: unknown" in text
    assert "chance of it" not in text


def test_tokens_of_strangers_do_nothing(by_token: Path, tmp_path: Path) -> None:
    path = tmp_path / "hostile.db"
    path.write_bytes(by_token.read_bytes())
    with sqlite3.connect(path) as raw:
        (first,) = raw.execute(
            "SELECT min(sample_id) FROM sample JOIN problem USING (problem_id) WHERE key = 'lost'"
        ).fetchone()
        raw.execute("DELETE FROM token_score WHERE sample_id = ?", (first,))
    _, text = page(path, "lost")
    assert "falls most" in text, "at the hostile trace alone"
    assert not set(text.replace("\n", "")) & set("\x1b\x07\u202e\ud800")


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


def test_a_person_s_solutions_are_not_asked_for_scores_of_a_person(tmp_path: Path) -> None:
    with Session.open(person_study(tmp_path / "s.db")) as session:
        board = session.boards["sums"]
        person = next(run for run in board.runs if run.model.role is Role.OTHER)
        pair = Pair(board, board.runs[0], person)
        sections = evidence_page(session, pair, session.study.problem("sums", "hard"))
    (likely,) = [section for section in sections if section.title.startswith("likelihood")]
    text = "\n".join("".join(text for part in one.parts for text, _ in part) + one.source for one in likely.statements)
    assert "PPL 1.649" in text
    assert "unknown, token by token" not in text
    assert "--scorer" not in text


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
