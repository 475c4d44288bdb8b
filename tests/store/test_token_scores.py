"""Token scores on disk: what goes in comes out, as near as the layout says; damage is named; slices and checks know of them."""

from __future__ import annotations

import sqlite3
from math import inf
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.check import check_structure
from store.errors import DamagedText
from store.likelihoods import detailed_samples, likelihoods, pieces, score_states, to_score, token_scores
from store.new_scores import NewTokenScores
from store.reader import Study
from store.slicing import slice_study
from store.token_scores import Other, TokenScores, pack_scores, unpack_scores
from store.types import Likelihood
from store.writer import Writer
from tests.builders import BASE, RL, answers, run, source

Number = TypeVar("Number", int, float)

NATS = st.floats(-40, 0, allow_nan=False)
EDGES = st.floats(-1, 1, allow_nan=False)


@st.composite
def scores(draw: st.DrawFn) -> TokenScores:
    tokens = draw(st.integers(0, 40))

    def column(of: st.SearchStrategy[Number]) -> st.SearchStrategy[list[Number]]:
        return st.lists(of, min_size=tokens, max_size=tokens)

    one = st.builds(Other, st.integers(0, 200_000), NATS)
    places = st.dictionaries(
        st.integers(0, max(tokens - 1, 0)), st.lists(one, min_size=1, max_size=4).map(tuple), max_size=tokens
    )
    return TokenScores(
        draw(column(NATS)),
        draw(st.none() | column(st.floats(0, 12))),
        draw(st.none() | column(NATS | st.just(-inf))),
        draw(st.none() | column(EDGES)),
        draw(st.none() | column(st.integers(0, 700))),
        draw(st.none() | (places if tokens else st.just({}))),
    )


def near(found: float, wanted: float) -> bool:
    """As a half float has it."""
    return found == wanted or abs(found - wanted) <= 2e-3 * abs(wanted) + 1e-6


@given(scores())
def test_what_goes_in_comes_out(wanted: TokenScores) -> None:
    found = unpack_scores(pack_scores(wanted))
    assert len(found.logp) == len(wanted.logp)
    assert all(map(near, found.logp, wanted.logp))
    for got, given_ in ((found.decoded, wanted.decoded), (found.edge, wanted.edge), (found.entropy, wanted.entropy)):
        assert (got is None) == (given_ is None)
    assert all(map(near, found.decoded or (), wanted.decoded or ()))
    assert all(abs(a - b) < 0.1 for a, b in zip(found.entropy or (), wanted.entropy or (), strict=True))
    for stored, edge in zip(found.edge or (), wanted.edge or (), strict=True):
        assert (stored < 0) == (edge < 0)
        assert abs(stored - edge) <= 0.02 * abs(edge) ** 0.5 + 1e-4
    assert found.spans == wanted.spans
    if wanted.others is None:
        assert found.others is None
    else:
        assert {place: [one.token_id for one in some] for place, some in (found.others or {}).items()} == {
            place: [one.token_id for one in some] for place, some in wanted.others.items()
        }


def test_the_first_choice_stays_the_first_where_it_is_told_apart() -> None:
    scores = TokenScores([-2.0, -0.1], others={0: (Other(7, -0.2), Other(3, -5.0)), 1: (Other(9, -2.4),)})
    for one in (scores, unpack_scores(pack_scores(scores))):
        assert one.is_fork(0)
        assert not one.is_fork(1)


@given(st.binary(max_size=200))
def test_damage_is_named_and_nothing_else_is_raised(content: bytes) -> None:
    packed = pack_scores(TokenScores([-1.0] * 50, spans=[3] * 50))
    assert len(unpack_scores(packed).logp) == 50
    for damaged in (content, packed[:1] + content, packed[: len(content)], packed[: len(content)] + content):
        if damaged != packed:
            with pytest.raises(DamagedText):
                unpack_scores(damaged)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.db"
    with Writer(path, "test") as writer:
        writer.add_traces(source(writer), answers(["ab", "cd"], correct=True))
        writer.add_traces(source(writer, "b"), answers(["ef"], of=run(RL), correct=False))
        told = [Likelihood(one, 1, 1, 0, 2, -3.0, 0, -1.0, 4.0, -2.0, 0, 1, None) for one in (1, 2)]
        own = [Likelihood(one, 0.6, 0.95, 0, 2, -3.0, 0, -1.0, 4.0, -2.0, 0, 1, -0.25) for one in (1, 2)]
        whole = TokenScores([-2.0, -1.0], [1.0, 3.0], [-2.0, -1.0], [-0.25, -0.5], [2, 0], {0: (Other(5, -0.5),)})
        detail = [NewTokenScores(1, 0.6, 0.95, 0, "v", whole)]
        writer.add_likelihoods(BASE, "float64", told + own, engine="e 1, cpu", by_token=detail, pieces={5: "x"})
    return path


def test_a_stage_is_told_what_is_there(study: Path) -> None:
    with Study(study) as opened:
        base, rl = opened.runs()
        states = score_states(opened, base.run_id, BASE, (0.6, 0.95, 0))
        assert [(one.sample_id, one.summed, one.whole, one.detailed) for one in states] == [
            (1, True, True, True),
            (2, True, True, False),
        ]
        assert not any(one.summed for one in score_states(opened, base.run_id, RL, (1, 1, 0)))
        assert [one.summed for one in score_states(opened, rl.run_id, BASE, (1, 1, 0))] == [False]
        assert [(one.sample_id, one.ids, one.prompt) for one in to_score(opened, [3, 1])] == [(1, None, None), (3, None, None)]
        assert detailed_samples(opened, base.run_id, BASE) == [1]


def test_rows_tell_all_that_was_stored(study: Path) -> None:
    with Study(study) as opened:
        first, *others = likelihoods(opened, "sums")
        assert (first.tokens, first.logp, first.entropy, first.lowest, first.lowest_at, first.first_choices) == (
            2, -3.0, 4.0, -2.0, 0, 1,
        )  # fmt: skip
        assert {one.edge for one in others if not one.is_plain} == {-0.25}
        assert likelihoods(opened, "another") == []
        (row,) = token_scores(opened, 1)
        assert (row.scorer, row.temperature, row.vocabulary, row.scores.spans) == (BASE, 0.6, "v", [2, 0])
        assert pieces(opened, "v", [5, 6]) == {5: "x"}
        assert token_scores(opened, 2) == []


def test_scored_again_gives_way(study: Path) -> None:
    with Writer(study, "test") as writer:
        again = NewTokenScores(1, 1, 1, 0, "v", TokenScores([-9.0, -9.0]))
        writer.add_likelihoods(BASE, "float32", [Likelihood(1, 1, 1, 0, 2, -18.0, 0, None)], by_token=[again])
    with Study(study) as opened:
        (row,) = token_scores(opened, 1)
        assert list(row.scores.logp) == [-9.0, -9.0]
        first, _ = score_states(opened, opened.runs()[0].run_id, BASE, (1, 1, 0))
        assert (first.summed, first.whole) == (True, False)
        assert opened.query("SELECT logp, entropy, dtype FROM likelihood WHERE sample_id = 1 AND temperature = 1") == [
            (-18.0, None, "float32")
        ]
    assert list(check_structure(study)) == []


def test_a_slice_takes_them_along(study: Path, tmp_path: Path) -> None:
    slice_study(study, tmp_path / "small.db", [1])
    with Study(tmp_path / "small.db") as opened:
        (row,) = token_scores(opened, 1)
        assert row.scores.spans == [2, 0]
        assert pieces(opened, "v", [5]) == {5: "x"}
    assert list(check_structure(tmp_path / "small.db")) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE token_score SET data = x'01'",
        "UPDATE token_score SET data = x''",
        "UPDATE token_score SET data = x'02aa'",
        "UPDATE likelihood SET tokens = 3 WHERE temperature = 1",
        "UPDATE likelihood SET logp = -2.9 WHERE temperature = 1",
        "DELETE FROM likelihood WHERE temperature = 1",
        "UPDATE sample SET chars = 3",
    ],
)
def test_a_check_finds_damage(study: Path, change: str) -> None:
    with sqlite3.connect(study) as connection:
        connection.execute(change)
    connection.close()
    assert any("token scores of sample 1" in found for found in check_structure(study))


@given(st.integers(min_value=0), st.integers(0, 7))
def test_a_bit_that_changes_is_noticed(place: int, bit: int) -> None:
    whole = pack_scores(TokenScores([-1.0, -0.5, -0.25], [0.5] * 3, spans=[3] * 3))
    packed = bytearray(whole)
    packed[place % len(packed)] ^= 1 << bit
    try:
        assert unpack_scores(bytes(packed)) == unpack_scores(whole)  # a bit that zstd leaves unused
    except DamagedText:
        return


def test_whose_scores_are_damaged_is_said(study: Path) -> None:
    with sqlite3.connect(study) as connection:
        connection.execute("UPDATE token_score SET data = substr(data, 1, 12)")
    connection.close()
    with Study(study) as opened, pytest.raises(DamagedText, match="sample 1 by lab/base-7b are damaged"):
        token_scores(opened, 1)
