"""Traces token by token, and where runs part: against a study whose forks and falls were made up by hand."""

from __future__ import annotations

import shlex
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import basebound
from engine.board import Board, read_board
from engine.partings import PairPartings, forbidden, lacking, pair_partings, partings, trace_sums, trace_tokens
from store.errors import DamagedText
from store.new_scores import NewTokenScores
from store.query import parse
from store.reader import Study
from store.rows import RunRow
from store.token_scores import OTHERS_BELOW, Other, TokenScores
from store.types import Batch, Finish, Likelihood, Model, NewDraw, Outcome, Prompt, Role, Verdict
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import BASE, RL, problem, run
from tests.engine.token_study import DECODING, PLAIN, UNREAD, VOCABULARY, TokenStudy, token_study, words_of

THIRD = Model("lab/sft-7b", role=Role.SFT)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TokenStudy:
    return token_study(tmp_path_factory.mktemp("tokens") / "study.db")


@pytest.fixture
def study(made: TokenStudy) -> Iterator[Study]:
    with Study(made.path) as found:
        yield found


def pair(study: Study) -> tuple[Board, RunRow, RunRow]:
    board = read_board(study, "sums")
    base, other = board.runs
    return board, base, other


def found(study: Study) -> PairPartings:
    return pair_partings(study, *pair(study))


# -- one trace --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["gave_up", "hostile", "gained", "cut", "told_little", "stopped", "alone"])
def test_the_tokens_of_a_trace_are_its_text(made: TokenStudy, study: Study, name: str) -> None:
    tokens = trace_tokens(study, made.ids[name])
    assert tokens is not None
    texts = [tokens.text(place) for place in range(tokens.tokens)]
    assert "".join(text or "" for text in texts) == tokens.response == made.told[name].text
    words = words_of(name)
    assert len(texts) == len(words)
    whole = [(text, word.text) for text, word in zip(texts, words, strict=True) if word.chars is None]
    assert all(text == word for text, word in whole[:-1])
    assert all(text == "" for text, word in zip(texts, words, strict=True) if not word.span)


def test_a_stop_string_is_in_the_last_token_and_not_in_the_text(made: TokenStudy, study: Study) -> None:
    tokens = trace_tokens(study, made.ids["stopped"])
    assert tokens is not None
    assert tokens.starts is not None
    assert (tokens.text(2), tokens.starts[-1]) == ("", len(tokens.response))


def test_own_is_the_model_that_drew_it(made: TokenStudy, study: Study) -> None:
    for name, told in made.told.items():
        tokens = trace_tokens(study, made.ids[name])
        assert tokens is not None
        assert tokens.own is not None
        model, other = (BASE, RL) if told.run == "base" else (RL, BASE)
        assert (tokens.own.scorer.name, list(tokens.own.scores.logp)) == (model.name, list(told.own.logp))
        assert [row.scorer.name for row in tokens.others] == ([] if told.other is None else [other.name])
        assert all(list(row.scores.logp) == list(told.other.logp) for row in tokens.others if told.other is not None)


def test_a_trace_with_sums_alone_has_no_tokens(made: TokenStudy, study: Study) -> None:
    assert trace_tokens(study, made.ids["summed"]) is None
    assert {one.scorer.name for one in trace_sums(study, made.ids["summed"])} == {BASE.name, RL.name}


def test_tokens_that_read_otherwise_have_no_places_and_no_steps(made: TokenStudy, study: Study) -> None:
    tokens = trace_tokens(study, made.ids["unplaced"])
    assert tokens is not None
    assert (tokens.starts, tokens.text(0)) == (None, None)
    parting = tokens.parting()
    assert (parting.step_of, parting.steps, [fork.step for fork in parting.forks]) == (None, (), [None])


def test_what_others_read_is_known_where_somebody_stored_it(made: TokenStudy, study: Study) -> None:
    tokens = trace_tokens(study, made.ids["hostile"])
    assert tokens is not None
    others = {one.token_id for row in tokens.rows for every in (row.scores.others or {}).values() for one in every}
    assert set(tokens.pieces) < others
    assert "[/red]" in tokens.pieces.values()
    assert UNREAD not in tokens.pieces.values()


def test_sums_are_those_of_the_tokens(made: TokenStudy, study: Study) -> None:
    for name, told in made.told.items():
        sums = {one.scorer.name: one for one in trace_sums(study, made.ids[name])}
        tokens = trace_tokens(study, made.ids[name])
        assert tokens is not None
        for row in tokens.rows:
            one = sums[row.scorer.name]
            assert one.tokens == tokens.tokens == len(told.words)
            assert one.nats == sum(row.scores.logp)
            assert one.stop == (row.scores.logp[-1] if name not in ("cut", "stopped") else None)


def test_the_builder_keeps_others_as_scorers_do(made: TokenStudy) -> None:
    for told in made.told.values():
        for scores in (told.own, told.other):
            if scores is not None and scores.others is not None:
                likely = [place for place, logp in enumerate(scores.logp) if 2.718281828**logp < OTHERS_BELOW]
                assert sorted(scores.others) == likely


def test_forbidden_tokens_are_those_beyond_the_nucleus_and_the_margin(made: TokenStudy, study: Study) -> None:
    tokens = trace_tokens(study, made.ids["gave_up"])
    assert tokens is not None
    base, rl = tokens.rows
    assert (forbidden(base, "float32"), forbidden(rl, "float32")) == ([], [5, 9])
    by_hand = replace(rl, scores=TokenScores([-1.0] * 3, edge=[-0.01, 0.01, 0.03], decoded=[-1.0, -1.0, -1.0]))
    assert [forbidden(by_hand, dtype) for dtype in ("float32", "bfloat16")] == [[1, 2], [2]]
    assert forbidden(replace(rl, temperature=1.0, top_p=1.0, top_k=0), "float32") is None
    assert forbidden(replace(rl, scores=TokenScores([-1.0])), "float32") is None
    server = trace_tokens(study, made.ids["told_little"])
    assert server is not None
    assert forbidden(server.others[0], "float32") is None


# -- scores that cannot stand beside each other -----------------------------------------------------------------------


def rescored(path: Path, name: str, model: Model, scores: TokenScores, vocabulary: str = VOCABULARY) -> TokenStudy:
    made = token_study(path)
    with Writer(path, "test") as writer:
        row = NewTokenScores(made.ids[name], *PLAIN, vocabulary, scores)
        sums = Likelihood(made.ids[name], *PLAIN, len(scores.logp), sum(scores.logp), 0, None, retokenized=True)
        writer.add_likelihoods(model, "float32", [sums], by_token=[row])
    return made


def test_a_model_of_other_tokens_is_named_and_left_out(tmp_path: Path) -> None:
    others: list[tuple[TokenScores, str]] = [
        (TokenScores([-1.0] * 18, spans=[word.span for word in words_of("gave_up")]), "another"),
        (TokenScores([-1.0] * 3, spans=[10, 10, 20]), VOCABULARY),
        (TokenScores([-1.0] * 18, spans=[*range(18)]), VOCABULARY),
    ]
    for number, (scores, vocabulary) in enumerate(others):
        made = rescored(tmp_path / f"{number}.db", "gave_up", THIRD, scores, vocabulary)
        with Study(made.path) as study:
            tokens = trace_tokens(study, made.ids["gave_up"])
            assert tokens is not None
            assert [model.name for model in tokens.elsewhere] == [THIRD.name]
            assert [row.scorer.name for row in tokens.rows] == [BASE.name, RL.name]


def test_a_third_model_stands_beside_the_other(tmp_path: Path) -> None:
    made = rescored(tmp_path / "s.db", "alone", THIRD, TokenScores([-1.0] * 4))
    with Study(made.path) as study:
        tokens = trace_tokens(study, made.ids["alone"])
    assert tokens is not None
    assert [row.scorer.name for row in tokens.rows] == [RL.name, THIRD.name]
    assert tokens.parting().whole == -4.0 - sum(word.own for word in words_of("alone"))


def test_where_the_model_that_drew_it_is_unknown_a_base_model_is_held_against(tmp_path: Path) -> None:
    """A person's trace, say: two models have scored it, and neither wrote it."""
    path = tmp_path / "s.db"
    person = run(Model("people"))
    with Writer(path, "test") as writer:
        batch = writer.open_batch(person, Batch("x", "1", "x", "x", "x", VOCABULARY), {problem(): Prompt("?", (1,))})
        writer.add_draws(batch, [NewDraw(problem(), 0, 0, "It is 4.", None, Finish.UNKNOWN)])
        for model, nats in ((RL, -1.0), (BASE, -3.0)):
            row = NewTokenScores(1, *PLAIN, VOCABULARY, TokenScores([nats, nats], spans=[3, 5]))
            writer.add_likelihoods(model, "float32", [], by_token=[row])
    with Study(path) as study:
        tokens = trace_tokens(study, 1)
    assert tokens is not None
    assert tokens.own is None
    assert [row.scorer.name for row in tokens.rows] == [BASE.name, RL.name]
    assert tokens.parting().whole == 4.0
    alone = tokens.parting(tokens.reference)
    assert (alone.ratio, list(alone.own)) == (None, [-3.0, -3.0])


def test_damaged_scores_are_told(tmp_path: Path) -> None:
    made = token_study(tmp_path / "s.db")
    with sqlite3.connect(made.path) as connection:
        connection.execute("UPDATE token_score SET data = substr(data, 1, 9) WHERE sample_id = 1")
    connection.close()
    with Study(made.path) as study, pytest.raises(DamagedText):
        trace_tokens(study, 1)


# -- a pair of runs ---------------------------------------------------------------------------------------------------


def test_the_fall_of_a_trace_is_where_it_was_put(study: Study) -> None:
    one = found(study).traces[0]
    assert (one.side, str(one.link), one.step, one.steps) == ("base only", "base-7b@sums/sums:lost/0#2", 2, 3)
    assert (one.fall, one.whole) == (-9.9375, -9.9375)
    assert one.share == 9.9375 / (9.9375 + 0.25)
    assert (one.place, one.tokens, one.token, one.own, one.other) == (5, 18, "Wait", -2.0, -8.0)
    assert (one.choice, one.at, one.truncated) == ("So", 5 / 18, False)
    assert one.fork is not None
    assert one.fork.own_leaves is True


def test_the_reverse_is_rl_traces_under_base(study: Study) -> None:
    gained, cut = (one for one in found(study).traces if one.side == "other only")
    assert (gained.link.slug, gained.step, gained.token, gained.choice) == ("rl-7b-step-100@sums", 1, "Set", "We")
    assert (gained.fall, gained.whole, gained.truncated) == (-4.75, -5.75, False)
    assert (cut.step, cut.token, cut.fork, cut.fork_known, cut.choice, cut.truncated) == (2, "and", None, True, None, True)


def test_every_right_trace_of_the_two_sets_is_counted(study: Study) -> None:
    told = found(study)
    assert told.k == 4
    assert [(one.side, one.problem.key, one.right, one.looked_at, one.falling) for one in told.problems] == [
        ("base only", "lost", 3, 2, 2),
        ("other only", "found", 2, 2, 2),
    ]
    assert told.looked_at == 4
    lost = told.problems[0]
    assert lost.at == pytest.approx((5 / 18 + 3 / 10) / 2)
    assert lost.fall == (-9.9375 - 3.25) / 2
    assert partings(study, *pair(study)) == list(told.traces)


def test_swapping_the_runs_swaps_the_sides(study: Study) -> None:
    board, base, other = pair(study)
    mirrored = pair_partings(study, board, other, base)
    sides = {"base only": "other only", "other only": "base only"}
    assert {replace(one, side=sides[one.side]) for one in mirrored.traces} == set(found(study).traces)


def test_what_was_not_looked_at_has_a_line_that_scores_it(study: Study) -> None:
    lines = lacking(study, found(study), *pair(study)[1:])
    assert len(lines) == 2
    for line, model in zip(lines, ("base-7b", "rl-7b"), strict=True):
        words = shlex.split(line)
        assert words[:3] == ["basebound", "score", str(study.path)]
        assert words[3:7] == ["--scorer", f"folder-of-{model}", "--of", "base-7b@sums"]
        assert words[7] == "--tokens"
        parse(words[8])
        assert words[8] == "set:base-only correct:yes"


def test_of_another_pair_than_the_natural_one_the_line_names_problems(study: Study) -> None:
    board, base, other = pair(study)
    mirrored = pair_partings(study, board, other, base)
    lines = lacking(study, mirrored, other, base)
    assert [shlex.split(line)[6] for line in lines] == ["base-7b@sums"] * 2
    for line in lines:
        query = shlex.split(line)[8]
        parse(query)
        assert query == 'problem:"lost" correct:yes'


def test_a_model_does_not_part_from_itself(study: Study) -> None:
    """Two runs of one model, at two temperatures say."""
    board, base, other = pair(study)
    told = pair_partings(study, board, base, replace(other, model=base.model))
    assert [(one.right, one.looked_at) for one in told.problems if one.side == "base only"] == [(3, 0)]
    assert lacking(study, told, base, replace(other, model=base.model)) == []


def test_a_study_without_token_scores_says_so_and_how_to_get_them(tmp_path: Path) -> None:
    made = token_study(tmp_path / "s.db")
    with sqlite3.connect(made.path) as connection:
        connection.execute("DELETE FROM token_score")
    connection.close()
    with Study(made.path) as study:
        told = found(study)
        assert (told.traces, told.looked_at, [one.right for one in told.problems]) == ((), 0, [3, 2])
        assert [one.at for one in told.problems] == [None, None]
        assert len(lacking(study, told, *pair(study)[1:])) == 4


def test_runs_that_share_no_problem_have_nothing_to_part(study: Study) -> None:
    board, base, other = pair(study)
    assert pair_partings(study, replace(board, cells={}), base, other) == PairPartings(None, (), ())


def test_right_is_what_the_boards_verifier_says(tmp_path: Path) -> None:
    made = token_study(tmp_path / "s.db")
    with Writer(made.path, "test") as writer, Study(made.path) as study:
        rows = [row for one in study.problems("sums") for row in study.traces(one.problem_id)]
        right = made.ids["hostile"]
        verdicts = [
            Judged(
                row.sample_id,
                row.run_id,
                row.problem_id,
                Verdict(Outcome.CORRECT if row.sample_id == right else Outcome.INCORRECT, "by hand"),
            )
            for row in rows
        ]
        writer.add_verdicts("strict", "1", verdicts)
    with Study(made.path) as study:
        board = read_board(study, "sums", "strict")
        (one,) = partings(study, board, *board.runs)
    assert one.sample_id == right


# -- frames and time --------------------------------------------------------------------------------------------------


def test_the_frame_has_every_token_of_every_model(made: TokenStudy) -> None:
    with basebound.open(made.path) as study:
        frame = study.frames.tokens()
        texts = {name: study.trace(sample_id).response for name, sample_id in made.ids.items()}
    assert len(frame) == sum(len(told.words) * (1 + (told.other is not None)) for told in made.told.values())
    rl = frame[(frame["sample_id"] == made.ids["gave_up"]) & (frame["scorer"] == RL.name)]
    assert rl["place"].tolist() == list(range(18))
    assert [texts["gave_up"][start:end] for start, end in zip(rl["start"], rl["end"], strict=True)] == [
        word.text if word.span else "" for word in words_of("gave_up")
    ]
    assert rl["logp"].tolist() == [word.other for word in words_of("gave_up")]
    assert rl[rl["is_fork"]]["first_other_text"].tolist() == ["So", " 11"]
    assert rl["decoded"].iloc[5] == float("-inf")


def test_what_a_scorer_does_not_tell_is_missing_in_the_frame(made: TokenStudy) -> None:
    with basebound.open(made.path) as study:
        frame = study.frames.tokens(benchmark="sums", run="base-7b@sums")
    assert set(frame["run"]) == {"base-7b@sums"}
    server = frame[(frame["sample_id"] == made.ids["told_little"]) & (frame["scorer"] == RL.name)]
    assert server[["entropy", "decoded", "edge", "is_fork", "first_other_text"]].isna().all().all()
    assert server[["start", "end", "logp"]].notna().all().all()
    unplaced = frame[frame["sample_id"] == made.ids["unplaced"]]
    assert unplaced[["start", "end"]].isna().all().all()
    hostile = frame[frame["sample_id"] == made.ids["hostile"]]
    assert hostile["first_other_text"].isna().sum() == hostile["first_other_logp"].isna().sum() + 2


def test_a_long_trace_is_read_at_once(tmp_path: Path) -> None:
    """16,384 tokens under two models, three in ten in doubt: 28 ms where nothing else runs; the limit is a busy one's."""
    path, n = tmp_path / "s.db", 16_384
    logp = [-1.5 if place % 10 < 3 else -0.03125 for place in range(n)]
    others = {place: (Other(place % 999, -0.5), Other(7, -3.0)) for place in range(n) if place % 10 < 3}
    scores = TokenScores(logp, [0.5] * n, logp, [-0.5] * n, [4] * n, others)
    with Writer(path, "test") as writer:
        batch = writer.open_batch(run(), Batch("x", "1", "x", "x", "x", VOCABULARY), {problem(): Prompt("?", (1,))})
        writer.add_draws(batch, [NewDraw(problem(), 0, 0, "so a\n\n." * (4 * n // 7), None, Finish.STOP)])
        for model in (BASE, RL):
            row = NewTokenScores(1, *DECODING, VOCABULARY, scores)
            writer.add_likelihoods(model, "float32", [], by_token=[row], pieces={place: f"p{place}" for place in range(999)})
    with Study(path) as study:

        def seconds() -> float:
            began = time.perf_counter()
            assert trace_tokens(study, 1) is not None
            return time.perf_counter() - began

        assert min(seconds() for _ in range(5)) < 0.2
