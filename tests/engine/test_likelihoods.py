"""What a study's likelihoods say of a pair: on a study made by hand, and on the bundled models, whose every count is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import exp, log
from pathlib import Path
from typing import Any

import pytest

from engine.board import read_board
from engine.decoding import PLAIN, Decoding
from engine.likelihood.decodings import decodings_of
from engine.likelihoods import PairLikelihoods, over_steps, read_pair
from engine.summary import pairs_of
from explorer.commands.bundled import bundled_study
from explorer.commands.narration import Narrator
from store.reader import Study
from store.types import Batch, Finish, Likelihood, Model, NewDraw, Outcome, Prompt, Role, Run, Settings, Verdict
from store.verdicts import Judged
from store.writer import Writer
from tests.builders import BASE, RL, problem

DRAWN = Settings(
    prompt_template="{problem}",
    temperature=0.6,
    top_p=0.95,
    top_k=0,
    min_p=0,
    repetition_penalty=1,
    max_tokens=9,
    seed=0,
)
FACTS = Batch("scripted", "1", "none", "none", "here", "code points")
approx: Callable[[float], Any] = pytest.approx
KEYS = ("a", "b")
PER_PROBLEM = 8


def drawn(path: Path, model: Model, texts: Sequence[str] = ("right", "wrong"), prompt: int = 1, **settings: Any) -> Run:
    """Eight responses to each of two problems, these in turn; what begins with "right" is judged correct."""
    run = Run(model, "sums", replace(DRAWN, **settings))
    problems = [problem(key) for key in KEYS]
    with Writer(path, "test") as writer:
        batch = writer.open_batch(run, FACTS, {one: Prompt("?", (prompt,)) for one in problems})
        writer.add_draws(
            batch,
            [
                NewDraw(one, i, i, texts[i % len(texts)], (7, i % len(texts), 0), Finish.STOP, "<end>")
                for one in problems
                for i in range(PER_PROBLEM)
            ],
        )
    return run


def judge(path: Path) -> None:
    with Study(path) as study:
        traces = [study.trace(i) for (i,) in study.query("SELECT sample_id FROM sample")]
    judged = [
        Judged(trace.row.sample_id, trace.row.run_id, trace.row.problem_id, _verdict(trace.response.startswith("right")))
        for trace in traces
    ]
    with Writer(path, "test") as writer:
        writer.add_verdicts("math", "1", judged)


def _verdict(right: bool) -> Verdict:
    return Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, "script")


def scored(path: Path, scorer: Model, run: Run, nats: Callable[[str, int], float], **more: Any) -> None:
    """nats: of a whole response, by text and index; both at temperature 1 and at the run's decoding."""
    sql = "SELECT sample_id, idx FROM sample JOIN run USING (run_id) WHERE run.key = ?"
    with Study(path) as study:
        samples = [(i, idx, study.trace(i).response) for i, idx in study.query(sql, (run.key,))]
    settings = run.settings
    own = (float(settings.temperature), float(settings.top_p), int(settings.top_k))
    rows = []
    for i, idx, text in samples:
        plain = Likelihood(i, 1.0, 1.0, 0, 3, nats(text, idx), 0, -0.25)
        rows.append(plain)
        if own != (1.0, 1.0, 0):
            decoded = replace(plain, temperature=own[0], top_p=own[1], top_k=own[2], **{"edge": -0.1, **more})
            rows.append(decoded)
    with Writer(path, "test") as writer:
        writer.add_likelihoods(scorer, "float64", rows)


def pair(path: Path) -> PairLikelihoods:
    with Study(path) as study:
        board = read_board(study, "sums")
        [(base, other)] = pairs_of(board)
        return read_pair(study, board, base, other)


def everything(path: Path, **settings: Any) -> tuple[Run, Run]:
    """A base and an RL run, each right every other time; both models score both."""
    runs = drawn(path, BASE), drawn(path, RL, **settings)
    judge(path)
    for run in runs:
        scored(path, BASE, run, lambda text, _: log(0.1) if text == "right" else -3.0)
        scored(path, RL, run, lambda text, _: log(0.5) if text == "right" else -6.0)
    return runs


def test_all_four_perplexities_support_percentiles_and_recovery(tmp_path: Path) -> None:
    everything(path := tmp_path / "s.db")
    found = pair(path)
    medians = [found.base_on_base, found.base_on_other, found.other_on_other, found.other_on_base]
    assert [one.responses for one in medians if one is not None] == [16] * 4
    assert found.base_on_other is not None
    assert found.other_on_base is not None
    assert found.base_on_other.median_correct == approx(exp(-log(0.1) / 3))
    assert found.other_on_base.median_correct == approx(exp(-log(0.5) / 3))
    supports = [found.support, found.null, found.support_back, found.null_back]
    assert [one.share for one in supports if one is not None] == [1.0] * 4
    assert found.percentiles is not None
    assert (found.percentiles.mean, found.percentiles.own) == (50, 16)
    assert (found.missing, found.no_support, found.no_recovery) == ((), None, None)
    assert sorted(found.recovery) == sorted(found.recovery_back)
    for one in found.recovery.values():
        assert one.importance is not None
        assert one.direct is not None
        assert one.drawn is not None
        assert (one.floor, one.distinct) == (approx(0.1), 1)
        assert (one.importance.value, one.importance.n, one.importance.whole) == (approx(0.5 * 0.1 / 0.5), 8, True)
        assert (one.direct.correct, one.direct.n, one.drawn.n) == (4, 8, 8)
    for one in found.recovery_back.values():
        assert one.floor == approx(0.5)


def test_what_a_scorer_has_not_seen_is_missing_and_nothing_is_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    base, rl = drawn(path, BASE), drawn(path, RL)
    judge(path)
    scored(path, BASE, rl, lambda *_: -1.0)
    found = pair(path)
    assert [(model.name, run.model.name) for model, run in found.missing] == [
        (BASE.name, BASE.name),
        (RL.name, BASE.name),
        (RL.name, RL.name),
    ]
    assert (found.base_on_base, found.null, found.percentiles) == (None, None, None)
    assert {one.why for one in found.recovery.values()} == {
        "neither every correct trace nor the one with index 0 is stored and scored by both: a share needs its whole"
    }
    assert all((one.floor, one.importance) == (None, None) for one in found.recovery.values())
    scored(path, BASE, base, lambda *_: -1.0)
    assert pair(path).percentiles is not None


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"temperature": 0.8}, "temperature 0.6 and 0.8"),
        ({"max_tokens": 10}, "max-tokens 9 and 10"),
        ({"stop": '["\\n"]'}, "stop unknown and"),
        ({"min_p": 0.1}, "min-p or a repetition penalty"),
        ({"top_p": "unknown"}, "is not known"),
        ({"temperature": 0}, "temperature 0, which draws one trace alone"),
    ],
)
def test_runs_that_draw_in_different_ways_recover_nothing_of_each_other(
    tmp_path: Path, settings: Mapping[str, Any], why: str
) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE)
    drawn(path, RL, **settings)
    judge(path)
    found = pair(path)
    assert found.no_recovery is not None
    assert why in found.no_recovery
    assert (found.recovery, found.recovery_back) == ({}, {})


def test_a_decoding_that_excludes_nothing_tells_nothing_of_support(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    for model in (BASE, RL):
        run = drawn(path, model, temperature=1.0, top_p=1.0)
        judge(path)
        scored(path, BASE, run, lambda *_: -1.0)
        scored(path, RL, run, lambda *_: -1.0)
    found = pair(path)
    assert found.no_support is not None
    assert "excludes no token" in found.no_support
    assert (found.support, found.null) == (None, None)
    assert all(one.floor == approx(exp(-1)) for one in found.recovery.values())  # at T 1 the plain sums are the draw's


def test_a_greedy_run_has_no_distribution_to_ask(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE, temperature=0, top_p=1.0)
    drawn(path, RL, temperature=0, top_p=1.0)
    judge(path)
    found = pair(path)
    assert found.no_support is not None
    assert "temperature 0" in found.no_support


@pytest.mark.parametrize("limits", [(0, -1), (-1, 0), (-1, -1)])
def test_minus_one_as_top_k_is_no_limit(tmp_path: Path, limits: tuple[int, int]) -> None:
    path = tmp_path / "s.db"
    drawn(path, BASE, top_k=limits[0])
    drawn(path, RL, top_k=limits[1])
    judge(path)
    found = pair(path)
    assert (found.no_support, found.no_recovery) == (None, None)
    with Study(path) as study:
        assert all(decodings_of(run) == [PLAIN, Decoding(0.6, 0.95)] for run in study.runs())


def test_another_prompt_is_another_question(tmp_path: Path) -> None:
    everything(path := tmp_path / "s.db", prompt=2)
    assert {one.why for one in pair(path).recovery.values()} == {
        "the runs were not given the same prompt, or nobody knows which"
    }


def test_counts_by_another_verifier_are_not_put_beside_our_verdicts(tmp_path: Path) -> None:
    everything(path := tmp_path / "s.db")
    with Study(path) as study:
        board = read_board(study, "sums")
        cells = {key: replace(count, verifier="imported") for key, count in board.cells.items()}
        found = read_pair(study, replace(board, cells=cells), *board.runs)
    assert all(one.why is not None and "counted by imported" in one.why for one in found.recovery.values())


def test_texts_tokenized_anew_are_no_traces_and_take_the_stop_token_out_of_percentiles(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    base, rl = drawn(path, BASE), drawn(path, RL)
    judge(path)
    scored(path, BASE, base, lambda *_: -1.0)  # 0.75 nats over two tokens without the stop token
    with Study(path) as study:
        ids = [i for (i,) in study.query("SELECT sample_id FROM sample JOIN run USING (run_id) WHERE run.key = ?", (rl.key,))]
    for scorer in (BASE, RL):
        with Writer(path, "test") as writer:
            anew = [Likelihood(i, 1.0, 1.0, 0, 2, -0.75, 0, None, retokenized=True) for i in ids]
            anew += [replace(one, temperature=0.6, top_p=0.95, edge=-0.1) for one in anew]
            writer.add_likelihoods(scorer, "float64", anew)
    found = pair(path)
    assert found.percentiles is not None
    assert found.percentiles.mean == 50
    assert found.support is not None
    assert found.support.retokenized == 16
    assert all((one.floor, one.importance) == (None, None) for one in found.recovery.values())


def test_over_steps_runs_are_in_the_order_of_their_training(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    later = Model("lab/rl-7b", "step-200", Role.RL, "lab/base-7b", step=200)
    runs = [drawn(path, model) for model in (BASE, later, RL)]
    judge(path)
    for run, nats in zip(runs, (-1.0, -3.0, -2.0), strict=True):
        scored(path, BASE, run, lambda *_, nats=nats: nats)
    with Study(path) as study:
        board = read_board(study, "sums")
        found = over_steps(study, board, board.runs[0])
    assert [(one.run.model.step, one.perplexity.median) for one in found] == [
        (100, approx(exp(2 / 3))),
        (200, approx(exp(1))),
    ]
    assert [one.percentiles and one.percentiles.mean for one in found] == [100, 100]


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[PairLikelihoods]]:
    with Study(bundled_study(Narrator(quiet=True), tmp_path_factory.mktemp("data"))) as study:
        board = read_board(study, "tiny-sums")
        yield [read_pair(study, board, base, other) for base, other in pairs_of(board)]


def test_on_the_bundled_models_no_floor_is_above_what_base_was_seen_to_do(bundled: list[PairLikelihoods]) -> None:
    """Against the upper end of the exact interval of 1,024 draws. 1 in 40 of those ends lies below the truth, but the floors
    were made from few of the ways to be right."""
    tried = 0
    for found in bundled:
        for one in (*found.recovery.values(), *found.recovery_back.values()):
            if one.floor is not None and one.direct is not None:
                tried += 1
                assert one.floor <= one.direct.high, one
    assert tried > 250


def test_on_the_bundled_models_importance_sampling_lies_under_the_direct_estimate(bundled: list[PairLikelihoods]) -> None:
    """Two standard errors above the upper limit: one side of 5 % with a sound error, so of those with no warning few may."""
    tried = above = 0
    for found in bundled:
        for one in (*found.recovery.values(), *found.recovery_back.values()):
            if one.importance is not None and one.direct is not None and one.importance.warning is None:
                tried += 1
                above += one.importance.value - 2 * one.importance.error > one.direct.high
    assert tried > 80
    assert above <= 0.02 * tried


def test_a_bundled_models_own_traces_are_all_in_its_nucleus(bundled: list[PairLikelihoods]) -> None:
    nulls = [null for found in bundled for null in (found.null, found.null_back) if null is not None]
    assert nulls
    assert all(null.share == 1 for null in nulls)
    assert any(found.support is not None and found.support.share < 0.9 for found in bundled)
