"""Extra samples on the screen: beside the counts they are no part of, and marked in lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.model.boundary import boundary_rows
from explorer.model.boundary_detail import detail_lines, read_answers
from explorer.model.session import Pair, Session
from explorer.model.trace_table import EXTRA, Sight, trace_fields
from explorer.model.tracelist import read_traces
from explorer.model.why import evidence_page
from explorer.render.heading import heading
from explorer.render.pieces import Line
from explorer.render.words import extra_of
from store.rows import Count
from tests.engine.test_extra import made


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Of problem a, the other run was right in its extra samples only; of d nobody ever was, extra samples or not."""
    never = ["r" * 8, "r" * 8, "r" * 8, "w" * 8]
    path = made(tmp_path / "s.db", [never, ["w" * 8, *never[1:]]], [["", "", "", "w" * 8], ["rr" + "w" * 6, "", "", ""]])
    with Session.open(path) as found:
        yield found


@pytest.fixture
def pair(session: Session) -> Pair:
    found = session.pair("sums")
    assert found is not None
    return found


def text(lines: list[Line]) -> list[str]:
    return ["".join(piece[0] for piece in line) for line in lines]


def test_the_detail_says_never_only_where_no_sample_at_all_was_right(session: Session, pair: Pair) -> None:
    rows = {row.problem.key: row for row in boundary_rows(pair, None, None)}
    told = {}
    for key in "ad":
        read = read_answers(session, pair, rows[key].problem)
        told[key] = text(detail_lines(pair, rows[key], read, 100, 10))[-2:]
    assert "+2/8 extra" in told["a"][1]
    assert "never" not in told["a"][1]
    assert "+0/8 extra" in told["d"][0]
    assert "never in 16" in told["d"][0]
    assert "never in 8" in told["d"][1]
    assert "extra" not in told["d"][1]


def test_the_why_page_counts_them_apart_and_bounds_them_together(session: Session, pair: Pair) -> None:
    counts = evidence_page(session, pair, pair.board.problems[0])[0]
    told = [" ".join(text(list(one.parts))) for one in counts.statements]
    assert "0 of 8 right +2/8 extra" in told[1]
    assert "p <" not in told[1]
    assert counts.statements[1].source.endswith("Clopper-Pearson, of all samples")
    assert "extra" not in told[0]


def test_traces_bear_a_sign_where_any_is_extra(session: Session, pair: Pair) -> None:
    sight = Sight(pair, {run.run_id: run.name for run in pair.runs}, {}, is_suspecting=False)
    for problem, number in zip(pair.board.problems, (8, 0, 0, 8), strict=True):
        read = read_traces(session, pair, problem, pair.runs, None)
        signs = [field for field in trace_fields(read, sight) if field.column.title == EXTRA]
        assert len(signs) == bool(number)
        assert sum(text([signs[0].cell(row)]) == [EXTRA] for row in read.rows if signs) == number


def test_the_heading_of_a_trace_says_that_it_is_one(session: Session, pair: Pair) -> None:
    told = {
        row.extra: " ".join(text(list(heading(session.trace(row.sample_id), 200))))
        for row in session.traces(pair.board.problems[0], pair.runs)
    }
    assert "extra: no part of the run's n" in told[True]
    assert "extra" not in told[False]


def test_words() -> None:
    count = Count(1, 1, "math", 1, 7, 0, 0, 8, 0, False)
    assert extra_of(count) == extra_of(None) == ""
    assert extra_of(Count(1, 1, "math", 1, 7, 0, 0, 8, 0, False, 1024, 3, 1000)) == "+3/1,000 extra"
    assert extra_of(Count(1, 1, None, 0, 0, 0, 0, 8, 0, False, 64)) == "+64 extra"
