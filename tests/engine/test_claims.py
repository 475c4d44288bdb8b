"""Claims against studies whose truth is known: strong effects are seen, reversed ones contradict, equal models do neither."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest, ttest_1samp

from engine.analyses.coverage import mcnemar_exact
from engine.analyses.pairs import compare, paired_p
from engine.analyses.support import MARGINS, margin_of
from engine.board import read_board
from engine.claims import CLAIMS, Finding, Found, among_all, claims
from engine.claims.base import LEVEL, Claim, Estimate, Measured, Unit, of_two, points
from engine.claims.base import found as told
from engine.claims.chains import Audit, of_hard_problems
from engine.claims.coverage import discoveries
from engine.claims.guesses import held_against, of_problems
from engine.claims.likelihood import MARGIN_SQL
from engine.claims.means import mean_against, ratio_against, unbounded_mean
from engine.claims.parts import both_ways, one_order, p_of_both, p_of_order
from engine.claims.sizes import net_change, p_at_least, p_at_most, share_interval
from store.audits import Audit as Label
from store.audits import AuditWriter
from store.reader import Study
from store.types import Likelihood, Model, NewCount, Number, Outcome, Problem, Role, Run, Verdict
from store.writer import Writer
from tests.builders import BASE, RL, SETTINGS, source, trace

Rates = NDArray[np.float64]
SUPPORTED, CONTRADICTED = Finding.SUPPORTED, Finding.CONTRADICTED
UNCLEAR, CANNOT_TELL = Finding.NOT_SIGNIFICANT, Finding.CANNOT_TELL
DISTILLED = Model("lab/distilled-7b", role=Role.DISTILLED, parent="lab/base-7b")
CHANGES = ("raises-pass-at-1", "base-catches-up", "coverage-shrinks", "distillation-beyond", "accuracy-to-the-ends")
"""Claims that are false of two runs of one model."""


def drawn(model: Model, rates: Rates, n: int, seed: int, temperature: Number = 0.6) -> tuple[Run, list[tuple[int, int]]]:
    """(n, c) of each problem, each solved at its rate."""
    of = Run(model, "sums", replace(SETTINGS, temperature=temperature))
    return of, [(n, int(c)) for c in np.random.default_rng(seed).binomial(n, rates)]


def counted(path: Path, *runs: tuple[Run, Sequence[tuple[int, int]]]) -> Path:
    with Writer(path, "test") as writer:
        src = source(writer)
        for of, counts in runs:
            rows = [NewCount(of, Problem("sums", f"p{i}"), 1, c, n) for i, (n, c) in enumerate(counts)]
            writer.add_counts(src, rows)
    return path


def judged(path: Path, base: str | None = None, other: str | None = None, direct: str | None = None) -> list[Found]:
    with Study(path) as study:
        board = read_board(study, "sums")
        runs = [None if name is None else study.find_run(name) for name in (base, other, direct)]
        return claims(study, board, runs[0], runs[1], direct=runs[2])


def findings(rows: Sequence[Found]) -> dict[str, Finding]:
    """By claim, of studies where each has one row."""
    assert len({row.claim.name for row in rows}) == len(rows)
    return {row.claim.name: row.finding for row in rows}


def sharpened() -> tuple[Rates, Rates]:
    """Base solves 100 problems now and then and 30 rarely; RL solves the first nearly always, and never the others."""
    base = np.concatenate([np.linspace(0.05, 0.4, 100), np.full(30, 0.03)])
    return base, np.concatenate([np.full(100, 0.95), np.zeros(30)])


def test_a_strong_effect_is_seen(tmp_path: Path) -> None:
    base, rl = sharpened()
    found = findings(judged(counted(tmp_path / "s.db", drawn(BASE, base, 256, 1), drawn(RL, rl, 256, 2))))
    for name in ("raises-pass-at-1", "base-catches-up", "within-base", "coverage-shrinks", "accuracy-to-the-ends"):
        assert found[name] is SUPPORTED, name
    assert found["gap-stays-large"] is CONTRADICTED


def test_the_reverse_is_contradicted(tmp_path: Path) -> None:
    base, rl = sharpened()
    found = findings(judged(counted(tmp_path / "s.db", drawn(BASE, rl, 256, 2), drawn(RL, base, 256, 1))))
    for name in ("raises-pass-at-1", "base-catches-up", "within-base", "coverage-shrinks", "accuracy-to-the-ends"):
        assert found[name] is CONTRADICTED, name
    assert found["gap-stays-large"] is SUPPORTED


@pytest.mark.parametrize("ns", [(128, 128), (1024, 128), (128, 1024)])
def test_two_runs_of_one_model_show_no_change(tmp_path: Path, ns: tuple[int, int]) -> None:
    for seed in range(2):
        rates = np.random.default_rng(seed).beta(0.25, 1.5, 150)
        path = counted(tmp_path / f"{seed}.db", drawn(BASE, rates, ns[0], 100 + seed), drawn(RL, rates, ns[1], 200 + seed))
        found = findings(judged(path))
        for name in CHANGES:
            assert found[name] in (UNCLEAR, CANNOT_TELL), (seed, name)
        assert found["within-base"] is not CONTRADICTED


def test_exchanging_the_runs_turns_the_findings(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rates = rng.beta(0.4, 1, (2, 60))
    runs = [drawn(BASE, rates[0], 128, 1)[1], drawn(RL, rates[1], 128, 2)[1]]
    there = judged(counted(tmp_path / "a.db", (Run(BASE, "sums"), runs[0]), (Run(RL, "sums"), runs[1])))
    back = judged(counted(tmp_path / "b.db", (Run(BASE, "sums"), runs[1]), (Run(RL, "sums"), runs[0])))
    for name in ("raises-pass-at-1", "coverage-shrinks"):
        [one], [other] = ([row for row in rows if row.claim.name == name] for rows in (there, back))
        assert one.value == pytest.approx(-(other.value or 0))
        assert one.p_value == other.p_value
        assert [one.low, one.high] == pytest.approx([-(other.high or 0), -(other.low or 0)])


def test_one_lost_sample_leaves_a_clear_rise_clear_and_claims_print_the_p_that_passk_prints(tmp_path: Path) -> None:
    rates = np.random.default_rng(0).uniform(0.1, 0.8, 80)
    base, rl = drawn(BASE, rates, 128, 1), drawn(RL, rates + 0.04, 128, 2)
    lost = (rl[0], [(127, min(rl[1][0][1], 127)), *rl[1][1:]])
    found = []
    for name, of in (("a", rl), ("b", lost)):
        path = counted(tmp_path / f"{name}.db", base, of)
        [row] = [row for row in judged(path) if row.claim.name == "raises-pass-at-1"]
        (base_n, base_c), (rl_n, rl_c) = np.array(base[1]).T, np.array(of[1]).T
        assert row.p_value == paired_p(base_n, base_c, rl_n, rl_c, 1) == compare(base_n, base_c, rl_n, rl_c).p_first
        found.append(row)
    assert [row.finding for row in found] == [SUPPORTED, SUPPORTED]
    assert (found[1].p_value or 1) < 1e-3


OWN = {"rare": np.full(40, 0.003), "clear": np.full(40, 0.1), "none": np.zeros(40)}


@pytest.mark.parametrize("ns", [(128, 1024), (1024, 128), (127, 128)])
@pytest.mark.parametrize(("own", "wanted"), [("rare", UNCLEAR), ("clear", CONTRADICTED), ("none", SUPPORTED)])
def test_what_rl_alone_solves_is_seen_where_n_differ_either_way(
    tmp_path: Path, ns: tuple[int, int], own: str, wanted: Finding
) -> None:
    """A fifth of the problems is RL's alone; the rare finds are fewer than six of 1024, so that the sets would miss them."""
    base, rl = (np.concatenate([np.full(160, 0.3), rates]) for rates in (np.zeros(40), OWN[own]))
    rows = judged(counted(tmp_path / "s.db", drawn(BASE, base, ns[0], 1), drawn(RL, rl, ns[1], 2)))
    [row] = [row for row in rows if row.claim.name == "within-base"]
    assert row.finding is wanted
    assert row.statistic.startswith("expected NDR")
    assert "not every n is k" in row.reason


def test_distillation_either_way(tmp_path: Path) -> None:
    hard, easy = np.full(80, 0.0005), np.full(80, 0.2)
    beyond = counted(tmp_path / "a.db", drawn(BASE, hard, 128, 1), drawn(DISTILLED, easy, 128, 2))
    behind = counted(tmp_path / "b.db", drawn(BASE, easy, 128, 1), drawn(DISTILLED, hard, 128, 2))
    assert findings(judged(beyond))["distillation-beyond"] is SUPPORTED
    assert findings(judged(behind))["distillation-beyond"] is CONTRADICTED
    asked = findings(judged(beyond, other="distilled-7b"))
    assert (asked["distillation-beyond"], asked["raises-pass-at-1"]) == (SUPPORTED, CANNOT_TELL)


def algorithm(name: str, step: int = 100, seed: int = 1) -> Model:
    return Model(f"lab/{name}", f"step-{step}", Role.RL, "lab/base-7b", name, step, seed)


def test_algorithms_are_alike_only_where_that_is_shown(tmp_path: Path) -> None:
    rates = np.random.default_rng(0).beta(0.5, 1, 400)
    alike = [drawn(algorithm(name), rates, 128, i) for i, name in enumerate(("GRPO", "PPO", "RLOO"))]
    path = counted(tmp_path / "a.db", drawn(BASE, rates, 128, 9), *alike)
    [row] = [row for row in judged(path) if row.claim.name == "algorithms-alike"]
    assert row.finding is SUPPORTED
    assert "one training seed of each" in row.reason
    few = counted(tmp_path / "b.db", *(drawn(algorithm(name), rates[:12], 128, i) for i, name in enumerate(("GRPO", "PPO"))))
    assert findings(judged(few))["algorithms-alike"] is UNCLEAR  # nothing differs, and nothing is shown
    worse = [drawn(algorithm("GRPO"), rates, 128, 0), drawn(algorithm("PPO"), 0.3 * rates, 128, 1)]
    assert [row.finding for row in judged(counted(tmp_path / "c.db", *worse)) if row.claim.name == "algorithms-alike"] == [
        CONTRADICTED
    ]


def test_algorithms_are_compared_at_a_step_that_all_have(tmp_path: Path) -> None:
    rates = np.full(100, 0.5)
    steps = [("GRPO", 30), ("GRPO", 60), ("GRPO", 90), ("RLOO", 60)]
    path = counted(tmp_path / "s.db", *(drawn(algorithm(name, step), rates, 64, i) for i, (name, step) in enumerate(steps)))
    [row] = [row for row in judged(path) if row.claim.name == "algorithms-alike"]
    assert "GRPO step 60, RLOO step 60" in row.reason


@pytest.mark.parametrize(("order", "wanted"), [((0, 1), SUPPORTED), ((1, 0), CONTRADICTED)])
def test_longer_training_either_way(tmp_path: Path, order: tuple[int, int], wanted: Finding) -> None:
    curves = sharpened()
    runs = [drawn(algorithm("GRPO", step), curves[which], 256, step) for step, which in zip((100, 300), order, strict=True)]
    path = counted(tmp_path / "s.db", *runs)
    [row] = [row for row in judged(path) if row.claim.name == "longer-training"]
    assert row.finding is wanted
    assert "from step 100 to 300" in row.reason
    assert "one training seed" in row.reason


def test_steps_of_two_training_seeds_are_no_series(tmp_path: Path) -> None:
    rates = np.full(80, 0.3)
    runs = [drawn(algorithm("GRPO", step, seed), rates, 128, step) for step, seed in ((100, 1), (300, 2))]
    assert findings(judged(counted(tmp_path / "s.db", *runs)))["longer-training"] is CANNOT_TELL


def test_order_at_other_temperatures(tmp_path: Path) -> None:
    base, rl = sharpened()
    cold = [drawn(BASE, base, 128, 1), drawn(RL, rl, 128, 2)]
    same = [drawn(BASE, base, 128, 3, 1.0), drawn(RL, rl, 128, 4, 1.0)]
    turned = [drawn(BASE, rl, 128, 5, 1.0), drawn(RL, base, 128, 6, 1.0)]
    for name, runs, wanted in (("a", same, SUPPORTED), ("b", turned, CONTRADICTED), ("c", [], CANNOT_TELL)):
        rows = judged(counted(tmp_path / f"{name}.db", *cold, *runs))
        assert {row.finding for row in rows if row.claim.name == "other-temperatures"} == {wanted}


def test_the_gap_is_judged_at_the_papers_k_or_where_any_k_would_do(tmp_path: Path) -> None:
    base, rl = np.full(60, 0.05), np.full(60, 0.2)
    for n, rates, wanted in (
        (256, rl, SUPPORTED),
        (64, rl, SUPPORTED),
        (4, rl, CANNOT_TELL),
        (4, np.full(60, 0.9), CONTRADICTED),
    ):
        path = counted(tmp_path / f"{n}{rates[0]}.db", drawn(BASE, base, n, 1), drawn(RL, rates, n, 2))
        assert findings(judged(path))["gap-stays-large"] is wanted, (n, rates[0])


def test_a_gap_is_told_beside_the_one_that_base_has_to_itself(tmp_path: Path) -> None:
    base = [(256, 16)] * 60
    rows = judged(counted(tmp_path / "s.db", (Run(BASE, "sums"), base), (Run(RL, "sums"), base)))
    [row] = [row for row in rows if row.claim.name == "gap-stays-large"]
    assert row.finding is SUPPORTED
    assert "identical to base has such a gap, too (93.8 points here)" in row.reason


def test_a_small_k_says_nothing_of_large_k(tmp_path: Path) -> None:
    base, rl = sharpened()
    rows = judged(counted(tmp_path / "s.db", drawn(BASE, base / 50, 16, 1), drawn(RL, rl, 16, 2)))
    found = findings(rows)
    assert found["raises-pass-at-1"] is SUPPORTED
    for name in ("base-catches-up", "within-base", "coverage-shrinks", "not-guesses"):
        assert found[name] is CANNOT_TELL
        assert "less than 64" in next(row.reason for row in rows if row.claim.name == name)


def one_run(path: Path) -> Path:
    return counted(path, drawn(BASE, np.full(20, 0.3), 128, 1))


def no_roles(path: Path) -> Path:
    return counted(path, *(drawn(Model(name), np.full(20, 0.3), 128, i) for i, name in enumerate("ab")))


def nothing_shared(path: Path) -> Path:
    with Writer(path, "test") as writer:
        src = source(writer)
        writer.add_counts(src, [NewCount(Run(BASE, "sums"), Problem("sums", "1"), 1, 5, 128)])
        writer.add_counts(src, [NewCount(Run(RL, "sums"), Problem("sums", "2"), 2, 5, 128)])
    return path


def one_problem(path: Path) -> Path:
    return counted(path, (Run(BASE, "sums"), [(128, 0)]), (Run(RL, "sums"), [(128, 128)]))


def nothing_solved(path: Path) -> Path:
    return counted(path, *((Run(model, "sums"), [(128, 0)] * 9) for model in (BASE, RL, DISTILLED)))


def everything_solved(path: Path) -> Path:
    return counted(path, *((Run(model, "sums"), [(300, 300)] * 9) for model in (BASE, RL, DISTILLED)))


POOR = [one_run, no_roles, nothing_shared, one_problem, nothing_solved, everything_solved]


@pytest.mark.parametrize("make", POOR, ids=lambda make: make.__name__)
def test_a_poor_study_gets_an_answer_to_every_claim_and_no_finding_of_change(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    rows = judged(make(tmp_path / "s.db"))
    found = findings(rows)
    assert list(found) == list(CLAIMS)
    assert all(found[name] in (UNCLEAR, CANNOT_TELL) for name in CHANGES)
    for row in rows:
        if row.finding is CANNOT_TELL:
            assert (row.value, row.p_value, row.q_value, row.figure) == (None, None, None, "")
            assert "basebound " in row.reason, row


def test_one_run_tells_nothing_of_pairs(tmp_path: Path) -> None:
    assert set(findings(judged(one_run(tmp_path / "s.db"))).values()) == {CANNOT_TELL}


def test_runs_without_roles_are_compared_where_somebody_names_them(tmp_path: Path) -> None:
    path = no_roles(tmp_path / "s.db")
    rows = judged(path)
    assert any("--base RUN" in row.reason for row in rows)
    assert findings(judged(path, base="a", other="b"))["raises-pass-at-1"] is UNCLEAR


def test_every_rl_run_is_judged_unless_one_is_asked_for(tmp_path: Path) -> None:
    rates = np.full(30, 0.3)
    runs = [drawn(algorithm("GRPO", step), rates, 64, step) for step in (1, 2, 3)]
    path = counted(tmp_path / "s.db", drawn(BASE, rates, 64, 0), *runs)
    assert sum(row.claim.name == "raises-pass-at-1" for row in judged(path)) == 3
    with Study(path) as study:
        slug = study.runs("sums")[2].slug
    assert [row.other for row in judged(path, other=slug) if row.claim.name == "raises-pass-at-1"] == [slug]


def test_every_measured_row_holds_together(tmp_path: Path) -> None:
    base, rl = sharpened()
    rows = judged(counted(tmp_path / "s.db", drawn(BASE, base, 256, 1), drawn(RL, rl, 128, 2), drawn(DISTILLED, rl, 128, 3)))
    measured = [row for row in rows if row.finding is not CANNOT_TELL]
    assert len(measured) > 5
    for row in measured:
        assert row.value is not None
        assert row.low is not None
        assert row.high is not None
        assert row.low - 1e-12 <= row.value <= row.high + 1e-12
        assert row.p_value is not None
        assert row.q_value is not None
        assert 0 <= row.p_value <= row.q_value <= 1
        assert (row.finding is UNCLEAR) or row.q_value <= 1 - LEVEL
        assert f"k {row.k} · n 128-256 · T 0.6 · top-p 0.95 · prompt boxed · max tokens 16384" in row.settings
        assert row.problems == 130
    assert rows == judged(tmp_path / "s.db")


# --- traces: likelihoods, audits, answers

PAPER = replace(SETTINGS, top_k=0)
Response = Callable[[int, int], tuple[str, bool]]
"""Answer and verdict of (problem, sample)."""


def traced(path: Path, *runs: tuple[Model, Response], problems: int = 40, n: int = 64) -> Path:
    with Writer(path, "test") as writer:
        for model, response in runs:
            traces = []
            for line, (i, j) in enumerate(product(range(problems), range(n)), start=1):
                answer, right = response(i, j)
                verdict = Verdict(Outcome.CORRECT if right else Outcome.INCORRECT, "file", answer=answer)
                on = Problem("sums", f"p{i}", f"Sum {i}?", "4")
                new = trace(f"{answer} {i} {j}", line, of=Run(model, "sums", PAPER), on=on)
                traces.append(replace(new, imported=verdict))
            writer.add_traces(source(writer, f"{model.name}.jsonl"), traces)
    return path


def half_right(problem: int, sample: int) -> tuple[str, bool]:
    return "4", sample % 2 == 0


def never_right(problem: int, sample: int) -> tuple[str, bool]:
    return "5", False


def stored(path: Path) -> list[tuple[int, str, int]]:
    """(sample id, model name, problem id) of every trace."""
    sql = "SELECT sample_id, model.name, problem_id FROM sample JOIN run USING (run_id) JOIN model USING (model_id)"
    with Study(path) as study:
        return [(sample_id, name, problem_id) for sample_id, name, problem_id in study.query(sql)]


def score(path: Path, perplexity: float, outside: float) -> Path:
    """Base's own responses at perplexity 1.2 and inside its nucleus; RL's at these, `outside` being a share."""
    rows = []
    for sample_id, name, problem in stored(path):
        is_base = name == BASE.name
        logp = -10 * log(1.2 if is_base else perplexity) * (1 + 0.01 * (problem % 3))
        out = int(not is_base and sample_id % 10 < 10 * outside)
        rows += [Likelihood(sample_id, 1, 1, 0, 10, logp, 0, None), Likelihood(sample_id, 0.6, 0.95, 0, 10, None, out, None)]
    with Writer(path, "test") as writer:
        writer.add_likelihoods(BASE, "float64", rows)
    return path


@pytest.mark.parametrize(
    ("perplexity", "outside", "likely", "reachable"),
    [(1.1, 0.0, SUPPORTED, SUPPORTED), (1.5, 0.5, CONTRADICTED, CONTRADICTED), (1.2, 0.5, SUPPORTED, CONTRADICTED)],
)
def test_likelihoods_either_way(tmp_path: Path, perplexity: float, outside: float, likely: Finding, reachable: Finding) -> None:
    path = score(traced(tmp_path / "s.db", (BASE, half_right), (RL, half_right), problems=100, n=10), perplexity, outside)
    rows = judged(path)
    assert (findings(rows)["likely-under-base"], findings(rows)["reachable-from-base"]) == (likely, reachable)
    [ratio] = [row for row in rows if row.claim.name == "likely-under-base"]
    assert ratio.value == pytest.approx(perplexity / 1.2, rel=0.02)
    assert "all that were counted" in ratio.reason


@pytest.mark.parametrize(
    ("dtype", "edge", "reachable"),
    [
        ("float64", 1e-10, SUPPORTED),
        ("float64", 1e-5, CONTRADICTED),
        ("float32", 1e-5, SUPPORTED),
        ("float32", 1e-3, CONTRADICTED),
        ("bfloat16", 0.01, SUPPORTED),
        ("bfloat16", 0.04, CONTRADICTED),
        ("int8", 0.01, SUPPORTED),  # nobody listed it: the widest margin
        ("int8", 0.04, CONTRADICTED),
    ],
)
def test_reaching_forgives_what_rounding_does_at_the_edge(tmp_path: Path, dtype: str, edge: float, reachable: Finding) -> None:
    """Half of RL's responses hold a token so far outside; base's own, the null, lie inside."""
    path = traced(tmp_path / "s.db", (BASE, half_right), (RL, half_right), problems=100, n=10)
    rows = []
    for sample_id, name, _ in stored(path):
        out = name == RL.name and sample_id % 2 == 0
        rows.append(Likelihood(sample_id, 0.6, 0.95, 0, 10, None if out else -1.0, int(out), None, edge=edge if out else -0.1))
    with Writer(path, "test") as writer:
        writer.add_likelihoods(BASE, dtype, rows)
    [row] = [row for row in judged(path) if row.claim.name == "reachable-from-base"]
    margin = margin_of(dtype, 0.95)
    assert row.finding is reachable
    assert "as the null, for 100.0 % of 1,000 of" in row.reason
    assert f"up to a margin of {margin:g} ({dtype})" in row.reason


@pytest.mark.parametrize("dtype", [*MARGINS, "int8"])
@pytest.mark.parametrize("top_p", [0.5, 0.95, 0.98, 0.99, 0.9999])
def test_the_claims_margin_is_the_analyses(dtype: str, top_p: float) -> None:
    sql = f"SELECT {MARGIN_SQL} FROM (SELECT ? AS dtype, ? AS top_p) AS scored"
    assert sqlite3.connect(":memory:").execute(sql, (dtype, top_p)).fetchone() == (margin_of(dtype, top_p),)


def test_texts_tokenized_anew_are_not_asked_whether_base_can_draw_them(tmp_path: Path) -> None:
    path = traced(tmp_path / "s.db", (BASE, half_right), (RL, half_right), problems=12, n=10)
    anew = [Likelihood(one, 0.6, 0.95, 0, 10, -1.0, 0, None, edge=-0.1, retokenized=True) for one, _, _ in stored(path)]
    with Writer(path, "test") as writer:
        writer.add_likelihoods(BASE, "float64", [*anew, *(replace(one, temperature=1, top_p=1, edge=None) for one in anew)])
    [likely] = [row for row in judged(path) if row.claim.name == "likely-under-base"]
    assert "120 and 120 of them tokenized anew, without a stop token" in likely.reason
    [row] = [row for row in judged(path) if row.claim.name == "reachable-from-base"]
    assert row.finding is CANNOT_TELL


@pytest.mark.parametrize(("problems", "told"), [(1, False), (9, False), (12, True)])
def test_few_problems_say_nothing_of_perplexities(tmp_path: Path, problems: int, told: bool) -> None:
    path = score(traced(tmp_path / "s.db", (BASE, half_right), (RL, half_right), problems=problems, n=10), 1.1, 0.0)
    [row] = [row for row in judged(path) if row.claim.name == "likely-under-base"]
    assert (row.finding is CANNOT_TELL) != told
    assert told or f"{problems} problem" in row.reason


def test_another_models_scores_are_not_bases(tmp_path: Path) -> None:
    path = traced(tmp_path / "s.db", (BASE, half_right), (RL, half_right), problems=4, n=8)
    with Writer(path, "test") as writer:
        writer.add_likelihoods(RL, "float64", [Likelihood(one, 1, 1, 0, 10, -1.0, 0, None) for one, _, _ in stored(path)])
    for name in ("likely-under-base", "reachable-from-base"):
        [row] = [row for row in judged(path) if row.claim.name == name]
        assert (row.finding, "basebound score" in row.reason) == (CANNOT_TELL, True)


def test_where_no_token_is_excluded_reaching_says_nothing(tmp_path: Path) -> None:
    rates = np.full(10, 0.5)
    for settings, why in ((replace(SETTINGS, top_p=1, top_k=0), "excludes no token"), (SETTINGS, "is not known")):
        runs = [(Run(model, "sums", settings), drawn(model, rates, 64, i)[1]) for i, model in enumerate((BASE, RL))]
        [row] = [row for row in judged(counted(tmp_path / f"{why}.db", *runs)) if row.claim.name == "reachable-from-base"]
        assert (row.finding, why in row.reason) == (CANNOT_TELL, True)


def rarely_right(problem: int, sample: int) -> tuple[str, bool]:
    return ("4", True) if sample < 2 else (str(10 + sample), False)


@pytest.mark.parametrize(
    ("label", "share", "wanted"),
    [(1, 1.0, SUPPORTED), (2, 1.0, CONTRADICTED), (5, 1.0, UNCLEAR), (1, 0.2, UNCLEAR), (2, 0.2, UNCLEAR)],
)
def test_audits_either_way(tmp_path: Path, label: int, share: float, wanted: Finding) -> None:
    path = traced(tmp_path / "s.db", (BASE, rarely_right), (RL, never_right), problems=20)
    problems = sorted({problem for _, _, problem in stored(path)})[: int(20 * share)]
    with AuditWriter(path) as writer:
        writer.add_all(
            [Label(one, "ann", label) for one, name, problem in stored(path) if name == BASE.name and problem in problems]
        )
    [row] = [row for row in judged(path) if row.claim.name == "valid-chains"]
    assert (row.finding, row.other) == (wanted, None)
    assert "20 hard problems" in row.reason
    assert "labels of ann" in row.reason


def test_a_judge_models_labels_are_no_audit(tmp_path: Path) -> None:
    path = traced(tmp_path / "s.db", (BASE, rarely_right), (RL, never_right), problems=20)
    with AuditWriter(path) as writer:
        writer.add_all([Label(one, "judge:some-model", 1) for one, name, _ in stored(path) if name == BASE.name])
    [row] = [row for row in judged(path) if row.claim.name == "valid-chains"]
    assert row.finding is CANNOT_TELL
    assert "basebound audit import" in row.reason
    assert "basebound audit export" in row.reason
    assert "basebound explore" not in row.reason  # it cannot label


def test_scattered_wrong_answers_make_guessing_hard_and_repeated_ones_prove_nothing(tmp_path: Path) -> None:
    def scattered(problem: int, sample: int) -> tuple[str, bool]:
        return ("4", True) if sample < 12 else (str(100 + sample), False)

    def repeated(problem: int, sample: int) -> tuple[str, bool]:
        return ("4", True) if sample < 12 else ("5", False)

    for response, wanted in ((scattered, {SUPPORTED}), (repeated, {UNCLEAR, CANNOT_TELL})):
        path = traced(tmp_path / f"{response.__name__}.db", (BASE, response), (RL, never_right))
        assert findings(judged(path))["not-guesses"] in wanted


@pytest.mark.parametrize(("direct", "wanted"), [(0.0005, SUPPORTED), (0.04, CONTRADICTED)])
def test_direct_answers_tell_a_guess(tmp_path: Path, direct: float, wanted: Finding) -> None:
    asked = Run(BASE, "sums", replace(SETTINGS, prompt_template="answer only"))
    told = drawn(BASE, np.full(40, direct), 2048, 3)[1]
    runs = [drawn(BASE, np.full(40, 0.02), 1024, 1), drawn(RL, np.zeros(40), 1024, 2)]
    path = counted(tmp_path / "s.db", *runs, (asked, told))
    with Study(path) as study:
        base, answers_only = (
            next(run.slug for run in study.runs() if run.settings.prompt_template == prompt)
            for prompt in ("boxed", "answer only")
        )
    assert findings(judged(path, base=base, direct=answers_only))["not-guesses"] is wanted
    assert findings(judged(path, base=base))["not-guesses"] is CANNOT_TELL


# --- the numbers beneath


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_net_change_holds_zero_exactly_where_mcnemar_does_not_reject(level: float) -> None:
    for lost, found in product(range(25), repeat=2):
        one = net_change(lost, found, 50, level)
        assert one.p_value == mcnemar_exact(lost, found)
        assert (one.low <= 0 <= one.high) == (one.p_value > 1 - level), (lost, found)
        mirrored = net_change(found, lost, 50, level)
        assert [mirrored.low, mirrored.high] == pytest.approx([-one.high, -one.low])


def test_where_nothing_moved_the_interval_is_over_the_problems() -> None:
    one = net_change(0, 0, 30, 0.95)
    most = 30 * (1 - 0.025 ** (1 / 30))
    assert (one.value, one.p_value) == (0, 1.0)
    assert [one.low, one.high] == pytest.approx([-most, most])
    assert np.isnan(net_change(0, 0, None, 0.95).high)
    with pytest.raises(ValueError, match="cannot have moved"):
        net_change(3, 3, 5, 0.95)


def test_share_intervals_are_clopper_and_pearsons() -> None:
    for whole in range(1, 12):
        for part in range(whole + 1):
            exact = binomtest(part, whole).proportion_ci(0.95, "exact")
            assert share_interval(part, whole, 0.95) == pytest.approx((exact.low, exact.high))
    assert share_interval(0, 0, 0.95) == (0, 1)
    with pytest.raises(ValueError, match="is no share"):
        share_interval(3, 2, 0.95)


def test_a_discovery_rate_of_zero_takes_enough_problems_to_mean_something() -> None:
    assert discoveries(19, 0, None, 0.95)[1] is UNCLEAR
    assert discoveries(72, 0, None, 0.95)[1] is SUPPORTED
    assert discoveries(70, 30, 30, 0.95)[1] is CONTRADICTED
    assert discoveries(70, 30, 0, 0.95)[1] is UNCLEAR  # no evidence beside the bare counts
    assert discoveries(0, 0, None, 0.95)[1] is UNCLEAR


def test_unsettled_audits_count_both_ways() -> None:
    assert of_hard_problems(Audit(12, 0, 0))[1] is SUPPORTED
    assert of_hard_problems(Audit(12, 0, 20))[1] is UNCLEAR
    assert of_hard_problems(Audit(0, 12, 0))[1] is CONTRADICTED
    assert of_hard_problems(Audit(0, 12, 20))[1] is UNCLEAR
    with pytest.raises(ValueError, match="no hard problem"):
        of_hard_problems(Audit(0, 0, 0))


def test_a_success_that_chose_its_problem_is_no_evidence_against_guessing() -> None:
    lucky = held_against([1024] * 30, [1] * 30, [0.0001] * 30, 1024)
    assert (lucky.above, of_problems(lucky)[1]) == (0, UNCLEAR)
    assert held_against([1024] * 30, [8] * 30, [0.0001] * 30, 1024).above == 30
    assert held_against([1024] * 30, [8] * 30, [0.05] * 30, 1024).suffices == 30
    assert held_against([128, 128], [1, 1], [0.0, 1.0], 128).above == 1
    with pytest.raises(ValueError, match="not solved"):
        held_against([1024], [1], [0.1], 128)


def test_guessing_alone_is_rarely_called_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    c = rng.binomial(1024, 0.002, 4000)
    solved = c[c > 0]
    held = held_against(np.full(len(solved), 1024), solved, np.full(len(solved), 0.002), 1024)
    assert held.above + held.suffices <= 2


def test_no_loss_among_thirty_is_no_proof_of_few_losses() -> None:
    assert mean_against(np.zeros(30), -0.02, 0.95, 0).p_value > 0.05
    assert mean_against(np.zeros(1000), -0.02, 0.95, 0).p_value < 0.01
    with pytest.raises(ValueError, match="no problems"):
        mean_against([], 0, 0.95, 0)


def test_neither_the_order_of_problems_nor_which_run_is_base_changes_a_mean() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0.02, 0.1, 30)
    one = mean_against(values, 0.0, 0.95, 0)
    for _ in range(5):
        assert mean_against(rng.permutation(values), 0.0, 0.95, 0) == one
        back = mean_against(-rng.permutation(values), 0.0, 0.95, 0)
        assert (-back.value, -back.high, -back.low, back.p_value) == (one.value, one.low, one.high, one.p_value)
    there, back = mean_against(values, -0.02, 0.95, 0, (-1, 0.5)), mean_against(-values, 0.02, 0.95, 0, (-0.5, 1))
    assert (there.p_value, there.low) == (back.p_value, -back.high)
    assert mean_against([0.1, -0.1], 0.0, 0.95, 0).p_value == 1.0


def test_a_mean_of_logarithms_is_students_and_few_of_them_are_refused() -> None:
    values = np.random.default_rng(1).normal(0.1, 0.3, 20)
    one, expected = unbounded_mean(values, 0.02, 0.95), ttest_1samp(values, 0.02)
    limits = expected.confidence_interval(0.95)
    assert [one.low, one.high, one.p_value] == pytest.approx([limits.low, limits.high, expected.pvalue])
    assert unbounded_mean(np.zeros(10), 0.05, 0.95).p_value == 2**-9  # equal values are no certainty
    assert unbounded_mean(np.zeros(10), 0.0, 0.95).p_value == 1.0
    with pytest.raises(ValueError, match="too few"):
        unbounded_mean(np.zeros(9), 0.05, 0.95)


@pytest.mark.parametrize("problems", [10, 30])
def test_a_mean_of_logarithms_at_the_margin_is_rarely_called_off_it(problems: int) -> None:
    rng = np.random.default_rng(problems)
    for draw, most in ((rng.normal, 0.07), (lambda size: rng.gamma(4, 0.5, size) - 2, 0.08)):
        called = [unbounded_mean(draw(size=problems), 0.0, 0.95).p_value <= 0.05 for _ in range(2000)]
        assert 0.03 < np.mean(called) < most


def test_a_share_at_its_limit_is_rarely_called_off_it_and_whole_problems_give_the_binomial_tests() -> None:
    new = [1] * 9 + [0] * 60 + [0] * 20
    estimate, few, many = ratio_against(new, [1] * 69 + [0] * 20, 0.05, 0.95, 0)
    assert estimate.value == pytest.approx(9 / 69)
    assert [few, many] == pytest.approx([p_at_most(9, 69, 0.05), p_at_least(9, 69, 0.05)], abs=0.01)
    rng, called = np.random.default_rng(3), np.zeros(2)
    for _ in range(200):
        whole = rng.random(100)
        _, *p_values = ratio_against(whole * (rng.random(100) < 0.05), whole, 0.05, 0.95, 0)
        called += np.array(p_values) <= 0.025
    assert (called <= 12).all()
    with pytest.raises(ValueError, match="nothing to take a share of"):
        ratio_against([0, 0], [0, 0], 0.05, 0.95, 0)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(-0.5, 0.5))
def test_a_mean_lies_in_its_interval_and_mirrors(values: list[float], margin: float) -> None:
    one = mean_against(values, margin, 0.95, 0)
    assert one.low <= one.value <= one.high
    assert 0 < one.p_value <= 1
    assert mean_against([-value for value in values], -margin, 0.95, 0).value == pytest.approx(-one.value)


P = st.floats(0, 1)


@given(st.floats(-1, 1), P, st.floats(-1, 1), P)
def test_both_ways_is_supported_only_where_both_are_and_order_is_nothing(a: float, p: float, b: float, q: float) -> None:
    finding, p_value = both_ways((a, p), (b, q), 0.05)
    assert (finding, p_value) == both_ways((b, q), (a, p), 0.05)
    assert (finding is SUPPORTED) == (a > 0 < b and max(p, q) <= 0.05)
    assert finding is not CONTRADICTED or min(a, b) < 0
    assert (finding is UNCLEAR) == (p_value > 0.05)


@given(st.floats(-1, 1), P, st.floats(-1, 1), P)
def test_the_part_that_a_p_is_of_has_that_p(a: float, p: float, b: float, q: float) -> None:
    _, p_value = both_ways((a, p), (b, q), 0.05)
    told = p_of_both((a, p), (b, q), ("one", "two"))
    part = (a, p) if "one" in told else (b, q)
    assert p_value == min(1.0, 2 * part[1]) if told.endswith("doubled") else p_value == part[1] or part[0] <= 0


def test_the_temperature_that_a_p_is_of() -> None:
    assert p_of_order([(0.1, 0.01), (0.2, 0.04)], ["0.6", "1"]) == "the weaker part, T 1"
    assert p_of_order([(0.1, 0.001), (-0.2, 0.3)], ["0.6", "1"]) == "opposite orders at T 0.6 and T 1, times 2"
    assert p_of_order([(0.0, 1.0), (0.1, 0.3)], ["0.6", "1"]) == "opposite orders at two temperatures"


def test_no_figure_is_minus_nothing() -> None:
    claim = Claim("c", "C.", "here")
    assert told(claim, "", "", Measured("x", Estimate(-0.0001, -0.0002, 0, 1), UNCLEAR)).figure == "0.0 points (0.0 to 0.0)"
    assert points(-0.0001) == "0.0 points"


def test_traces_that_are_a_part_of_what_was_counted_tell_nothing_of_guessing(tmp_path: Path) -> None:
    """Whole, the same wrong answers make guessing hard; of a part they may have been chosen."""
    path = traced(tmp_path / "s.db", (BASE, rarely_right), (RL, never_right), problems=20)
    whole = {row.claim.name: row for row in judged(path)}["not-guesses"]
    with Study(path) as study:
        counts = study.counts("sums")
        runs = {run.run_id: run for run in study.runs()}
        keys = {problem.problem_id: problem.key for problem in study.problems("sums")}
    with Writer(path, "test") as writer:
        published = [
            NewCount(
                Run(runs[one.run_id].model, "sums", runs[one.run_id].settings),
                Problem("sums", keys[one.problem_id]),
                at + 1,
                one.correct,
                one.n + 8,
            )
            for at, one in enumerate(counts)
        ]
        writer.add_counts(source(writer, "counts.csv"), published)
    with Study(path) as study:
        board = read_board(study, "sums", "imported")
        part = next(row for row in claims(study, board) if row.claim.name == "not-guesses")
        assert any(cell.is_part for cell in board.cells.values())
    assert whole.finding is not CANNOT_TELL
    assert part.finding is CANNOT_TELL
    assert "a part of them" in part.reason


@given(P, P)
def test_two_sides_turn(one: float, other: float) -> None:
    turned = {SUPPORTED: CONTRADICTED, CONTRADICTED: SUPPORTED, UNCLEAR: UNCLEAR}
    finding, p_value = of_two(one, other, 0.05)
    if one != other:
        assert of_two(other, one, 0.05) == (turned[finding], p_value)


def test_one_order_needs_every_temperature_and_two_clear_ones_to_turn() -> None:
    assert one_order([(0.1, 0.01), (0.2, 0.04)], 0.05) == (SUPPORTED, 0.04)
    assert one_order([(-0.1, 0.01), (-0.2, 0.04)], 0.05) == (SUPPORTED, 0.04)
    assert one_order([(0.1, 0.01), (0.2, 0.4)], 0.05)[0] is UNCLEAR
    assert one_order([(0.1, 0.001), (-0.2, 0.001)], 0.05) == (CONTRADICTED, 0.002)
    assert one_order([(0.1, 0.001), (-0.2, 0.3)], 0.05)[0] is UNCLEAR
    assert one_order([(0.0, 1.0), (0.0, 1.0)], 0.05)[0] is UNCLEAR


def row_of(p_value: float) -> Found:
    measured = Measured("x", Estimate(1, 0.5, 2, p_value), SUPPORTED if p_value <= 0.05 else UNCLEAR)
    return told(Claim("c", "C.", "here"), "because", "k 1", measured)


def test_the_more_is_asked_the_more_it_takes() -> None:
    assert among_all([row_of(0.04)], 0.95)[0].finding is SUPPORTED
    rows = among_all([row_of(0.04), row_of(0.9), row_of(0.7), told(Claim("d", "D.", "here"), "missing", "")], 0.95)
    assert [row.finding for row in rows] == [UNCLEAR, UNCLEAR, UNCLEAR, CANNOT_TELL]
    assert "not among 3 (q = 0.12)" in rows[0].reason
    assert rows[3].q_value is None


def test_figures_as_people_read_them() -> None:
    claim = Claim("c", "C.", "here")
    shown = {
        told(claim, "", "", Measured("x", Estimate(value, low, high, 0.5), UNCLEAR, unit)).figure
        for value, low, high, unit in (
            (0.134, 0.1, 0.2, Unit.POINTS), (0.5, 0, 1, Unit.SHARE), (-4, -4, 0.82, Unit.PROBLEMS), (1.05, 1, 1.1, Unit.RATIO),
        )
    }  # fmt: skip
    assert shown == {
        "13.4 points (10.0 to 20.0)", "50.0 % (0.0 to 100.0)", "-4 problems (-4 to 0.8)", "1.050 × (1.000 to 1.100)",
    }  # fmt: skip
