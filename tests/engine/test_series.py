"""Many runs side by side: on common ground at a common k, each against its base, training seeds averaged and told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from engine.analyses.many import adjusted
from engine.analyses.pairs import paired_p
from engine.analyses.passk import pass_at_k
from engine.board import Board, read_board
from engine.series import By, Entry, Series, series
from store.errors import NotFound
from store.reader import Study
from store.types import Model, NewCount, Problem, Role, Run, Settings
from store.writer import Writer
from tests.builders import source

KEYS = [f"{i:02d}" for i in range(40)]
BASE = Model("lab/base", role=Role.BASE)


def rl(name: str, algorithm: str = "GRPO", step: int | None = None, seed: int | None = None) -> Model:
    return Model(f"lab/{name}", role=Role.RL, parent="lab/base", algorithm=algorithm, step=step, training_seed=seed)


def drawn(seed: int, n: int, power: float = 1.0, problems: int = 40) -> dict[str, tuple[int, int]]:
    p = np.random.default_rng(0).beta(0.5, 0.8, 40) ** power
    c = np.random.default_rng(seed).binomial(n, p)
    return {key: (int(correct), n) for key, correct in list(zip(KEYS, c, strict=True))[:problems]}


def board(path: Path, *runs: tuple[Model, float, Mapping[str, tuple[int, int]]]) -> Board:
    with Writer(path / "s.db", "test") as writer:
        found = [
            NewCount(Run(model, "sums", Settings(temperature=t)), Problem("sums", key), 1, correct, n)
            for model, t, cells in runs
            for key, (correct, n) in cells.items()
        ]
        writer.add_counts(source(writer), found)
    with Study(path / "s.db") as study:
        return read_board(study, "sums")


def by_label(found: Series) -> dict[str, Entry]:
    return {entry.label: entry for entry in found.entries}


def test_every_run_gets_the_smallest_n_of_all_on_the_problems_of_all(tmp_path: Path) -> None:
    cells = {BASE: drawn(1, 64), rl("a"): drawn(2, 32, 0.5), rl("b", "PPO"): drawn(3, 16, 0.5, problems=30)}
    found = series(board(tmp_path, *((model, 0.6, one) for model, one in cells.items())), By.ALGORITHM)
    assert (found.k, found.common_k, found.problems) == (16, 16, 30)
    assert [entry.label for entry in found.entries] == ["base", "GRPO", "PPO"]
    for entry, one in zip(found.entries, cells.values(), strict=True):
        values = [float(pass_at_k(n, c, 16)) for c, n in list(one.values())[:30]]
        assert entry.value == pytest.approx(np.mean(values))
        assert entry.interval.low < entry.value < entry.interval.high


def test_differences_are_paired_and_q_values_span_the_series(tmp_path: Path) -> None:
    cells = {BASE: drawn(1, 32), rl("a"): drawn(2, 32, 0.3), rl("b", "PPO"): drawn(3, 32), rl("c", "DAPO"): drawn(4, 32, 0.8)}
    found = series(board(tmp_path, *((model, 0.6, one) for model, one in cells.items())), By.ALGORITHM, k=1)
    base, *others = found.entries
    assert (base.base, base.difference, base.p_value, base.q_value, base.note) == (None, None, None, None, "")
    assert [entry.label for entry in others] == ["DAPO", "GRPO", "PPO"]
    ours = [c for c, _ in cells[BASE].values()]
    for entry in others:
        assert entry.base == base.runs[0]
        theirs = [c for c, _ in cells[rl({"GRPO": "a", "PPO": "b", "DAPO": "c"}[entry.label], entry.label)].values()]
        assert entry.difference == pytest.approx((np.mean(theirs) - np.mean(ours)) / 32)
        assert entry.p_value == paired_p(32, ours, 32, theirs, 1)
        assert entry.difference is not None
        assert entry.difference_interval is not None
        assert entry.difference_interval.low < entry.difference < entry.difference_interval.high
    q = [entry.q_value for entry in others]
    assert q == adjusted([np.nan if entry.p_value is None else entry.p_value for entry in others]).tolist()
    called = {entry.label for entry in others if entry.q_value is not None and entry.q_value < 0.01}
    assert called == {"GRPO"}


def test_training_seeds_are_averaged_and_their_spread_told(tmp_path: Path) -> None:
    cells = [drawn(seed, 32, power) for seed, power in ((2, 0.3), (3, 0.4), (4, 0.5))]
    seeds = [(rl(f"a-seed{i}", seed=i), 0.6, one) for i, one in enumerate(cells)]
    lonely = (rl("b", "PPO", seed=7), 0.6, drawn(5, 32, 0.5))
    found = by_label(series(board(tmp_path, (BASE, 0.6, drawn(1, 32)), *seeds, lonely), By.ALGORITHM, k=1))
    values = [np.mean([c for c, _ in one.values()]) / 32 for one in cells]
    entry = found["GRPO"]
    assert len(entry.runs) == 3
    assert entry.value == pytest.approx(np.mean(values))
    assert entry.spread == pytest.approx(np.std(values, ddof=1))
    assert entry.note == "mean of 3 training seeds"
    assert found["PPO"].spread is None
    assert found["PPO"].note == "one training seed (7): how much training varies is not seen"


def test_seeds_stay_apart_where_they_are_the_series(tmp_path: Path) -> None:
    seeds = [(rl(f"a-seed{i}", seed=i), 0.6, drawn(i, 8)) for i in (2, 1)]
    found = series(board(tmp_path, (BASE, 0.6, drawn(9, 8)), *seeds), By.SEED)
    assert [entry.label for entry in found.entries] == ["base", "seed 1", "seed 2"]


def test_steps_of_unknown_seed_stay_apart_in_order_and_say_so(tmp_path: Path) -> None:
    steps = [(rl("a", step=step), 0.6, drawn(step, 8)) for step in (450, 150, 1000)]
    steps = [(Model(m.name, f"step-{m.step}", m.role, m.parent, m.algorithm, m.step), t, one) for m, t, one in steps]
    found = series(board(tmp_path, (BASE, 0.6, drawn(9, 8)), *steps), By.STEP)
    assert [entry.label for entry in found.entries] == ["base", "step 150", "step 450", "step 1000"]
    assert found.entries[1].note == "one run, training seed unknown: how much training varies is not seen"


def test_each_temperature_is_held_against_the_base_of_its_own(tmp_path: Path) -> None:
    runs = [(model, t, drawn(i, 8)) for i, (model, t) in enumerate((m, t) for t in (1.0, 0.6) for m in (BASE, rl("a")))]
    found = series(board(tmp_path, *runs), By.TEMPERATURE)
    assert [entry.label.split(" (")[0] for entry in found.entries] == ["T 0.6", "T 0.6", "T 1", "T 1"]
    assert len({entry.label for entry in found.entries}) == 4
    against = [entry for entry in found.entries if entry.base is not None]
    assert len(against) == 2
    for entry in against:
        assert entry.base is not None
        assert entry.base.settings.temperature == entry.runs[0].settings.temperature


def test_roles_come_in_their_order(tmp_path: Path) -> None:
    models = [Model(f"lab/{role}", role=role) for role in (Role.INSTRUCT, Role.RL, Role.SFT, Role.BASE, Role.DISTILLED)]
    found = series(board(tmp_path, *((model, 0.6, drawn(i, 8)) for i, model in enumerate(models))), By.ROLE)
    assert [entry.label for entry in found.entries] == ["base", "sft", "rl", "distilled", "instruct"]


def test_a_named_base_and_named_runs_are_what_is_compared(tmp_path: Path) -> None:
    whole = board(tmp_path, (BASE, 0.6, drawn(1, 8)), (rl("a"), 0.6, drawn(2, 8)), (rl("b", "PPO"), 0.6, drawn(3, 4)))
    _, a, b = whole.runs
    found = series(whole, By.ALGORITHM, runs=[a], base=b)
    (entry,) = found.entries
    assert (entry.base, found.common_k) == (b, 4)


def test_no_ground_and_too_large_a_k_are_sentences(tmp_path: Path) -> None:
    apart = board(tmp_path, (BASE, 0.6, {"1": (1, 4)}), (rl("a"), 0.6, {"2": (1, 4)}))
    with pytest.raises(NotFound, match="share no judged problem"):
        series(apart, By.ROLE)
    with pytest.raises(NotFound, match="share no judged problem"):
        series(apart, By.ROLE, runs=[])
    alone = series(apart, By.ROLE, runs=apart.runs[:1])
    assert [entry.label for entry in alone.entries] == ["base"]
    with pytest.raises(NotFound, match="smallest n is 4"):
        series(apart, By.ROLE, runs=apart.runs[:1], k=5)
