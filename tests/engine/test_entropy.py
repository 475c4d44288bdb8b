"""The entropy of runs: against distributions whose entropy is known, and against a real model's logits at the very places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import log
from pathlib import Path

import numpy as np
import pytest

from engine.decoding import Decoding, log_probabilities
from engine.entropy import LEVEL, Match, NoMatch, Part, RunEntropy, Source, entropies, matching, sweeps
from engine.prompts import Template
from engine.samplers.base import Manner, Opening
from engine.sampling import Plan, sample
from sample_data import BASE as TINY
from sample_data import PROMPT
from store.reader import Study
from store.rows import RunRow
from store.tokens import unpack_ids
from store.types import Batch, Finish, Likelihood, Model, NewDraw, Problem, Prompt, Run, Settings
from store.writer import Writer
from tests.builders import BASE, RL, problem

DRAWN = Settings(
    prompt_template="{problem}", temperature=0.6, top_p=0.95, top_k=0, min_p=0, repetition_penalty=1, max_tokens=99, seed=0
)
FACTS = Batch("scripted", "1", "none", "none", "here", "code points")


def known(run: RunRow, parts: dict[int, Part]) -> RunEntropy:
    return RunEntropy(run, parts, Source.DRAWN, len(parts), len(parts), 0)


def row(temperature: float, model: Model = RL, run_id: int = 1, **settings: object) -> RunRow:
    drawn = replace(DRAWN, temperature=temperature, **settings)  # type: ignore[arg-type]
    return RunRow(run_id, f"{model.name}-t{temperature:g}", "key", "sums", model, drawn, "name")


def at(temperature: float, nats: Iterable[float], **other: object) -> RunEntropy:
    """A run with that many nats a token on each problem, 1000 tokens each."""
    parts = {i: Part(1000 * float(value), 1000) for i, value in enumerate(nats)}
    return known(row(temperature, **other), parts)  # type: ignore[arg-type]


def write(
    path: Path, run: Run, draws: Sequence[tuple[str, int, float | None, bool]], likelihoods: Sequence[Likelihood] = ()
) -> None:
    """Draws as (problem's key, tokens, logp, extra); likelihoods are the run's own model's."""
    with Writer(path, "test") as writer:
        problems = {key: problem(key) for key, *_ in draws}
        batch = writer.open_batch(run, FACTS, {one: Prompt("?", (1,)) for one in problems.values()})
        made = [
            NewDraw(problems[key], i, i, "x" * tokens, tuple(range(tokens)), Finish.STOP, "<end>", logp, extra=extra)
            for i, (key, tokens, logp, extra) in enumerate(draws)
        ]
        writer.add_draws(batch, made)
        writer.add_likelihoods(run.model, "float64", likelihoods)


def found(path: Path) -> dict[float | int | str, RunEntropy]:
    with Study(path) as study:
        return {one.run.settings.temperature: one for one in entropies(study)}


def test_the_mean_nats_of_draws_come_to_the_entropy_of_the_distribution(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    p = np.array([0.5, 0.25, 0.2, 0.05])
    exact = -float((p * np.log(p)).sum())
    draws = []
    for i in range(2000):
        tokens = [int(random.choice(4, p=p))]
        while tokens[-1] != 3 and len(tokens) < 40:  # the last one ends a response: its entropy counts as well
            tokens.append(int(random.choice(4, p=p)))
        draws.append((str(i % 40), len(tokens), float(np.log(p[tokens]).sum()), False))
    write(tmp_path / "s.db", Run(BASE, "sums", DRAWN), draws)
    (one,) = found(tmp_path / "s.db").values()
    assert one.source is Source.DRAWN
    assert (one.samples, one.of, len(one.parts), one.tokens) == (2000, 2000, 40, sum(draw[1] for draw in draws))
    assert one.nats is not None
    assert one.error is not None
    assert 0 < one.error < 0.01
    assert abs(one.nats - exact) < 4 * one.error
    assert one.over_problems == pytest.approx(np.mean([part.nats / part.tokens for part in one.parts.values()]))


def test_the_standard_error_covers_the_ratio_of_more_such_problems() -> None:
    """Problems differ in entropy and length, and harder ones are longer: the mean over tokens is not that over problems."""
    from scipy.special import stdtrit

    random = np.random.default_rng(1)
    many = [_random_parts(random, 200_000)]
    truth = sum(part.nats for part in many[0].values()) / sum(part.tokens for part in many[0].values())
    half, hits = float(stdtrit(29, (1 + LEVEL) / 2)), 0
    for _ in range(1000):
        one = known(row(0.6), _random_parts(random, 30))
        assert one.nats is not None
        assert one.error is not None
        hits += abs(one.nats - truth) < half * one.error
    assert 915 <= hits <= 975, f"{hits} of 1000 intervals hold the truth"


def _random_parts(random: np.random.Generator, problems: int) -> dict[int, Part]:
    hard = random.uniform(size=problems)
    tokens = random.poisson(100 + 900 * hard) + 1
    nats = tokens * (0.2 + 0.5 * hard + random.normal(0, 0.05, problems))
    return {i: Part(float(n), int(t)) for i, (n, t) in enumerate(zip(nats, tokens, strict=True))}


def test_one_problem_has_no_standard_error_and_none_no_entropy(tmp_path: Path) -> None:
    write(tmp_path / "s.db", Run(BASE, "sums", DRAWN), [("1", 4, -2.0, False), ("1", 6, -1.0, False)])
    (one,) = found(tmp_path / "s.db").values()
    assert (one.nats, one.error) == (0.3, None)
    write(tmp_path / "t.db", Run(BASE, "sums", DRAWN), [("1", 4, None, False)])
    (none,) = found(tmp_path / "t.db").values()
    assert (none.nats, none.error, none.over_problems, none.source, none.of) == (None, None, None, None, 1)


def test_samples_beyond_n_and_those_nobody_told_of_are_left_out(tmp_path: Path) -> None:
    draws = [("1", 4, -2.0, False), ("2", 6, None, False), ("2", 5, -99.0, True)]
    write(tmp_path / "s.db", Run(BASE, "sums", DRAWN), draws)
    (one,) = found(tmp_path / "s.db").values()
    assert (one.nats, one.samples, one.of, one.tokens) == (0.5, 1, 2, 4)


def test_scores_of_the_own_model_at_the_own_decoding_stand_in_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    draws = [(str(i % 2), 10, None, False) for i in range(4)]
    plain = [Likelihood(i, 1.0, 1.0, 0, 10, -7.0, 0, None) for i in range(1, 5)]
    own = [Likelihood(i, 0.6, 0.95, 0, 10, -3.0, 0, None) for i in range(1, 4)]
    write(path, Run(BASE, "sums", DRAWN), draws, plain)
    with Writer(path, "test") as writer:
        near = [
            replace(plain[0], temperature=0.6),
            replace(plain[0], top_p=0.95),
            Likelihood(1, 0.6, 0.95, 9, 10, -7.0, 0, None),
        ]
        writer.add_likelihoods(BASE, "float64", near)
    assert found(path)[0.6].source is None, "responses drawn at 0.6 tell nothing of the entropy elsewhere"
    with Writer(path, "test") as writer:
        writer.add_likelihoods(RL, "float64", [replace(one, logp=-9.0) for one in own])
    assert found(path)[0.6].source is None, "another model's thoughts are a cross-entropy"
    with Writer(path, "test") as writer:
        writer.add_likelihoods(BASE, "float64", [*own, Likelihood(4, 0.6, 0.95, 0, 10, None, 2, None)])
    one = found(path)[0.6]
    assert (one.source, one.nats, one.samples, one.of, one.outside) == (Source.SCORED, 0.3, 3, 4, 1)


def test_at_temperature_one_perplexity_scores_are_the_runs_own_decoding(tmp_path: Path) -> None:
    plain = [Likelihood(1, 1.0, 1.0, 0, 10, -7.0, 0, None)]
    write(tmp_path / "s.db", Run(BASE, "sums", replace(DRAWN, temperature=1.0, top_p=1.0)), [("1", 10, None, False)], plain)
    (one,) = found(tmp_path / "s.db").values()
    assert (one.source, one.nats) == (Source.SCORED, 0.7)


def test_what_was_told_while_drawing_is_never_mixed_with_scores(tmp_path: Path) -> None:
    draws = [("1", 10, -1.0, False), ("1", 10, -1.0, False), ("2", 10, None, False)]
    own = [Likelihood(i, 0.6, 0.95, 0, 10, -3.0, 0, None) for i in (1, 2)]
    write(tmp_path / "s.db", Run(BASE, "sums", DRAWN), draws, own)
    (one,) = found(tmp_path / "s.db").values()
    assert (one.source, one.nats, one.samples) == (Source.DRAWN, 0.1, 2)
    with Writer(tmp_path / "s.db", "test") as writer:
        writer.add_likelihoods(BASE, "float64", [Likelihood(3, 0.6, 0.95, 0, 10, -3.0, 0, None)])
    (one,) = found(tmp_path / "s.db").values()
    assert (one.source, one.samples) == (Source.SCORED, 3), "scores tell of more responses"
    assert one.nats == pytest.approx(0.3)


@pytest.mark.parametrize("decoding", [Decoding(), Decoding(0.6, 0.95)])
def test_a_real_models_draws_come_to_the_entropy_of_its_logits_at_the_very_places(tmp_path: Path, decoding: Decoding) -> None:
    """The oracle: at each prefix that was drawn, the exact entropy of the decoding distribution. The nats a token that the
    sampler told may be off from their mean by chance only, token by token."""
    import torch
    from transformers import AutoModelForCausalLM

    folder, n = TINY.path, 64
    problems = [Problem("sums", str(i), f"What is {i} + {2 * i}?", str(3 * i)) for i in range(1, 5)]
    plan = Plan(
        Model("tiny", "r1"), Opening(folder, dtype="float64"), problems, Template(PROMPT), Manner(decoding, 60), n, seed=3
    )
    with Writer(tmp_path / "s.db", "test") as writer:
        assert sample(writer, plan).added == n * len(problems)
    model = AutoModelForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float64).eval()
    exact, told, squares, tokens = 0.0, 0.0, 0.0, 0
    with Study(tmp_path / "s.db") as study:
        (one,) = entropies(study)
        drawn = study.query("SELECT prompt.ids, token.ids, logp FROM sample JOIN token USING (sample_id) "
                            "JOIN prompt USING (run_id, problem_id)")  # fmt: skip
    for prompt, response, logp in drawn:
        start, ids = len(unpack_ids(prompt)), unpack_ids(response)
        with torch.inference_mode():
            logits = model(torch.tensor([unpack_ids(prompt) + ids])).logits[0, start - 1 : -1]
        logps = log_probabilities(logits, decoding)
        nats = -logps.gather(-1, torch.tensor(ids)[:, None])[:, 0]
        entropy = -(logps.exp() * logps.masked_fill(logps.isinf(), 0.0)).sum(-1)
        assert -logp == pytest.approx(float(nats.sum()), abs=1e-6)
        exact, told, tokens = exact + float(entropy.sum()), told + float(nats.sum()), tokens + len(ids)
        squares += float(((nats - entropy) ** 2).sum())
    assert one.tokens == tokens > 5000
    assert one.nats == pytest.approx(told / tokens, abs=1e-9)
    chance = squares**0.5 / tokens
    assert chance < 0.01
    assert one.nats is not None
    assert abs(one.nats - exact / tokens) < 4 * chance


# -- the temperature that matches ----------------------------------------------------------------------------------------


def test_the_matching_temperature_lies_on_the_line_between_two_runs() -> None:
    target = at(0.6, [0.4, 0.6], model=BASE)
    sweep = [at(1.0, [0.5, 0.7]), at(0.6, [0.2, 0.4]), at(1.4, [0.9, 1.1])]
    match = matching(sweep, target)
    assert isinstance(match, Match)
    assert match.temperature == pytest.approx(0.6 + 0.4 * 2 / 3)
    assert [run.settings.temperature for run in match.between] == [0.6, 1.0]
    assert [match.low, match.high] == pytest.approx([match.temperature] * 2), "the runs differ by as much on every problem"
    assert (match.nats, match.problems) == (0.5, 2)


def test_a_temperature_that_was_drawn_matches_itself() -> None:
    sweep = [at(t, [t, t + 0.2]) for t in (0.2, 0.5, 1.0)]
    for one in sweep:
        match = matching(sweep, at(0.6, [one.parts[0].nats / 1000, one.parts[1].nats / 1000], model=BASE))
        assert isinstance(match, Match)
        assert match.temperature == pytest.approx(one.run.settings.temperature)


def test_higher_targets_match_hotter_and_limits_hold_the_match() -> None:
    random = np.random.default_rng(2)
    sweep = [at(t, 0.3 * t + random.normal(0, 0.02, 30)) for t in (0.4, 0.8, 1.2, 1.6)]
    matches = [matching(sweep, at(0.6, level + random.normal(0, 0.02, 30), model=BASE)) for level in (0.15, 0.25, 0.33, 0.45)]
    found = [match for match in matches if isinstance(match, Match)]
    assert len(found) == 4
    assert [match.temperature for match in found] == sorted(match.temperature for match in found)
    for match in found:
        assert match.low is not None
        assert match.high is not None
        assert match.low < match.temperature < match.high


def test_limits_hold_the_true_temperature_as_often_as_they_say() -> None:
    random, hits = np.random.default_rng(3), 0
    for _ in range(400):
        own = random.normal(0, 0.1, 20)  # how uncertain a problem leaves any model
        sweep = [at(t, 0.5 * t + own + random.normal(0, 0.05, 20)) for t in (0.5, 1.0, 1.5)]
        match = matching(sweep, at(0.6, 0.4 + own + random.normal(0, 0.05, 20), model=BASE))
        assert isinstance(match, Match)
        hits += (match.low is None or match.low <= 0.8) and (match.high is None or match.high >= 0.8)
    assert 366 <= hits <= 394, f"{hits} of 400"


def test_nothing_is_told_beyond_what_was_drawn() -> None:
    sweep = [at(0.6, [0.2, 0.2]), at(1.2, [0.61, 0.61])]
    above, below = matching(sweep, at(0.6, [0.7, 0.7], model=BASE)), matching(sweep, at(0.6, [0.1, 0.1], model=BASE))
    assert isinstance(above, NoMatch)
    assert above.reason == "0.7 is above T 1.2's 0.61: draw hotter"
    assert isinstance(below, NoMatch)
    assert below.reason == "0.1 is below T 0.6's 0.2: draw cooler"


def test_an_open_side_has_no_limit() -> None:
    random = np.random.default_rng(4)
    sweep = [at(t, level + random.normal(0, 0.3, 5)) for t, level in ((0.6, 0.2), (1.2, 1.2))]
    match = matching(sweep, at(0.6, [0.3] * 5, model=BASE))
    assert isinstance(match, Match)
    assert match.low is None
    assert match.high is not None
    assert match.high > match.temperature


def test_an_entropy_that_does_not_rise_gives_no_temperature() -> None:
    sweep = [at(0.4, [0.2] * 3), at(0.6, [0.5] * 3), at(0.8, [0.3] * 3), at(1.0, [0.7] * 3)]
    match = matching(sweep, at(0.6, [0.4] * 3, model=BASE))
    assert isinstance(match, NoMatch)
    assert "more than once" in match.reason
    assert isinstance(matching(sweep, at(0.6, [0.6] * 3, model=BASE)), Match), "above all that wavers"
    falling = matching([at(0.4, [0.7]), at(0.8, [0.2])], at(0.6, [0.4], model=BASE))
    assert isinstance(falling, NoMatch)


def test_too_little_is_said_to_be_too_little() -> None:
    nothing = RunEntropy(row(0.8), {}, None, 0, 5, 0)
    target = at(0.6, [0.4], model=BASE)
    for sweep, goal, said in (
        ([nothing], target, "no entropy of its runs is known"),
        ([at(0.6, [0.2]), nothing], target, "known at T 0.6 only (0.2): draw it hotter"),
        ([at(0.6, [0.2]), at(0.6, [0.3])], target, "known at T 0.6 only"),
        ([at(0.6, [0.2]), at(0.9, [0.5])], nothing, "the entropy of lab/rl-7b-t0.8 is not known"),
        ([known(row(t), {9: Part(t, 2)}) for t in (0.5, 1.0)], target, "share no problem"),
    ):
        match = matching(sweep, goal)
        assert isinstance(match, NoMatch)
        assert said in match.reason


def test_entropies_are_compared_on_the_problems_that_all_have() -> None:
    whole = [at(0.5, [0.2, 0.2, 5.0]), at(1.0, [0.6, 0.6, 9.0])]
    match = matching(whole, at(0.6, [0.4, 0.4], model=BASE))
    assert isinstance(match, Match)
    assert match.temperature == pytest.approx(0.75)
    assert match.problems == 2


def test_a_sweep_is_of_one_model_and_differs_in_temperature_and_seed_only() -> None:
    target = at(0.6, [0.4], model=BASE)
    hot, other_seed = at(1.0, [0.4]), at(1.0, [0.4], seed=7)
    elsewhere = replace(hot, run=replace(hot.run, benchmark="other"))
    runs = [target, at(1.0, [0.9], model=BASE), at(0.6, [0.2]), hot, other_seed, at(1.0, [0.4], top_p=1.0), elsewhere]
    assert sweeps(runs, target) == [[runs[2], hot, other_seed], [runs[5]]]


def test_entropy_of_a_fair_coin_is_log_two() -> None:
    assert at(1.0, [log(2)] * 3).nats == pytest.approx(log(2))
