"""What a plan will take: from the nearest that is there, with what it rests on; nothing made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.decoding import Decoding
from engine.estimating import Estimate, Rate, estimate, seen_rate
from engine.prompts import Template
from engine.samplers.base import Manner, Opening
from engine.sampling import Plan, sample
from store.reader import Study
from store.types import Batch, Finish, Model, NewDraw, Prompt, Run, Settings
from store.writer import Writer
from tests.builders import BASE, RL, problem

FACTS = Batch("scripted", "1", "none", "none", "here", "code points")
PLAN = Plan(BASE, Opening(Path("there")), [problem()], Template("{problem}"), Manner(Decoding(0.6, 0.95), 1000), 64)
LIKE_IT = Settings(prompt_template="{problem}", temperature=0.6, top_p=0.95, top_k=0, max_tokens=1000, seed=0)


def add(path: Path, lengths: Sequence[int], model: Model = BASE, cut: int = 0, **settings: object) -> None:
    """Samples of so many tokens; the first `cut` ended by their limit."""
    run = Run(model, "sums", replace(LIKE_IT, **settings))  # type: ignore[arg-type]
    with Writer(path, "test") as writer:
        batch = writer.open_batch(run, FACTS, {problem(): Prompt("?", (1,))})
        ends = [Finish.LENGTH] * cut + [Finish.STOP] * (len(lengths) - cut)
        draws = [
            NewDraw(problem(), i, i, "x", None, end, tokens=n) for i, (n, end) in enumerate(zip(lengths, ends, strict=True))
        ]
        writer.add_draws(batch, draws)


def of(path: Path, samples: int = 100, plan: Plan = PLAN, rate: Rate | None = None) -> Estimate:
    with Study(path) as study:
        return estimate(study, plan, samples, rate)


def test_without_a_study_only_the_limit_is_known() -> None:
    found = estimate(None, PLAN, 100)
    assert (found.low, found.tokens, found.high, found.seconds) == (None, None, 100_000, None)
    assert "nothing drawn on this benchmark yet" in found.basis
    assert "max_tokens (1,000)" in found.basis
    assert found.rate_basis == "unknown until a first batch has run"


def test_lengths_nobody_counted_tell_nothing(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        batch = writer.open_batch(Run(BASE, "sums", LIKE_IT), FACTS, {problem(): Prompt("?", (1,))})
        writer.add_draws(batch, [NewDraw(problem(), 0, 0, "x", None, Finish.STOP)])
    assert of(tmp_path / "s.db").tokens is None


def test_the_same_drawn_before_tells_most_whatever_else_is_there(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [100, 200, 300])
    add(tmp_path / "s.db", [900] * 50, temperature=1.0)
    add(tmp_path / "s.db", [900] * 50, RL)
    found = of(tmp_path / "s.db")
    assert found.tokens == 20_000
    assert found.low is not None
    assert 0 < found.low < 20_000 < found.high < 100_000
    assert "3 responses of base-7b@sums, drawn like this: 200 tokens each" in found.basis


def test_another_seed_is_the_same_drawing(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [100, 200, 300], seed=7)
    assert of(tmp_path / "s.db").tokens == 20_000


def test_the_range_of_the_same_holds_what_then_comes(tmp_path: Path) -> None:
    random, hits = np.random.default_rng(0), 0
    for i in range(60):
        add(tmp_path / f"{i}.db", random.integers(1, 1000, 200).tolist())
        found = of(tmp_path / f"{i}.db", 50)
        assert found.low is not None
        hits += found.low <= int(random.integers(1, 1000, 50).sum()) <= found.high
    assert hits >= 53, f"{hits} of 60"


def test_the_model_drawn_otherwise_comes_before_other_models_and_the_most_alike_first(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [300] * 5, RL)
    found = of(tmp_path / "s.db")
    assert (found.low, found.tokens, found.high) == (None, 30_000, 100_000), "one run tells no range"
    assert found.basis.startswith("other models (rl-7b-step-100@sums): 300 tokens a response")
    add(tmp_path / "s.db", [400] * 5, temperature=1.0)
    add(tmp_path / "s.db", [900] * 5, temperature=1.0, top_p=1.0)
    found = of(tmp_path / "s.db")
    assert (found.low, found.tokens) == (None, 40_000)
    assert found.basis.startswith("this model drawn otherwise (base-7b@sums): 400")
    add(tmp_path / "s.db", [600] * 5, temperature=0.8)
    found = of(tmp_path / "s.db")
    assert (found.low, found.tokens, found.high) == (40_000, 50_000, 60_000)


def test_another_revision_is_another_model(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [300] * 5)
    assert of(tmp_path / "s.db", plan=replace(PLAN, model=replace(BASE, revision="r2"))).basis.startswith("other models")


def test_a_lower_limit_shortens_what_was_longer_and_a_higher_one_says_it_may_be_more(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [100, 100, 1000, 1000], cut=0)
    short = of(tmp_path / "s.db", plan=replace(PLAN, manner=replace(PLAN.manner, max_tokens=500)))
    assert short.tokens == 30_000
    assert short.high <= 50_000
    add(tmp_path / "t.db", [400, 100], cut=1, max_tokens=400)
    assert "50.0 % were cut by a lower limit, so it may be more" in of(tmp_path / "t.db").basis


@pytest.mark.parametrize("benchmark", ["sums", "other"])
def test_other_benchmarks_tell_nothing(tmp_path: Path, benchmark: str) -> None:
    add(tmp_path / "s.db", [300] * 5)
    plan = replace(PLAN, problems=[problem(benchmark=benchmark)])
    assert (of(tmp_path / "s.db", plan=plan).tokens is None) == (benchmark == "other")


def test_time_is_of_the_likely_number_and_needs_a_rate(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [100, 300])
    assert of(tmp_path / "s.db").seconds is None
    found = of(tmp_path / "s.db", rate=Rate(1000.0, "seen with base-7b"))
    assert (found.tokens, found.seconds, found.rate_basis) == (20_000, 20.0, "seen with base-7b")
    assert estimate(None, PLAN, 100, Rate(1000.0, "seen")).seconds is None, "no tokens, no time"


def test_nothing_missing_takes_nothing(tmp_path: Path) -> None:
    add(tmp_path / "s.db", [100, 300])
    found = of(tmp_path / "s.db", 0)
    assert (found.low, found.tokens, found.high) == (0, 0, 0)


def test_the_rate_is_what_batches_of_the_model_were_else_of_others(tmp_path: Path) -> None:
    with Writer(tmp_path / "s.db", "test") as writer:
        for model, tokens, seconds in ((RL, 3000, 10.0), (BASE, 1000, 2.0), (BASE, 1000, 3.0), (BASE, 9999, None)):
            run = Run(model, "sums", replace(LIKE_IT, seed=tokens + int(seconds or 0)))
            batch = writer.open_batch(run, FACTS, {problem(): Prompt("?", (1,))})
            writer.add_draws(batch, [NewDraw(problem(), 0, 0, "x", None, Finish.STOP, tokens=tokens)], seconds)
    plan = replace(PLAN, sampler="scripted")
    with Study(tmp_path / "s.db") as study:
        own, other = seen_rate(study, plan, 4), seen_rate(study, replace(plan, model=replace(BASE, name="new")))
        assert seen_rate(study, PLAN) is None, "another sampler tells nothing"
    assert own == Rate(1600.0, "400 tokens/s an engine, seen here with this model (scripted on none)")
    assert other is not None
    assert other.tokens_a_second == pytest.approx(5000 / 15)
    assert "other models" in other.basis


def test_a_batch_is_timed_while_it_draws(tmp_path: Path) -> None:
    plan = replace(PLAN, sampler="scripted", n=5)
    with Writer(tmp_path / "s.db", "test") as writer:
        drawn = sample(writer, plan)
    with Study(tmp_path / "s.db") as study:
        assert study.query("SELECT tokens, seconds BETWEEN 0 AND 60 FROM batch") == [(drawn.tokens, 1)]
        assert seen_rate(study, plan) is not None
