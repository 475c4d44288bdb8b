"""Many runs side by side: on common ground at a common k, each against its base, training seeds averaged and told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from engine.analyses.many import adjusted
from engine.analyses.pairs import paired_p
from engine.analyses.passk import pass_at_k
from engine.analyses.signflip import exchange_p, unequal_p
from engine.board import Board, read_board
from engine.series import By, Entry, Series, series
from explorer import cli
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


def even(c: int, n: int = 128, problems: int = 30) -> dict[str, tuple[int, int]]:
    return dict.fromkeys(KEYS[:problems], (c, n))


def test_seeds_that_go_opposite_ways_are_no_difference(tmp_path: Path) -> None:
    """Each training seed differs from base on every problem; their mean does not, and the test is of the mean."""
    seeds = [(rl(f"a{i}", seed=i), 0.6, even(64 + by)) for i, by in enumerate((20, -20))]
    found = by_label(series(board(tmp_path, (BASE, 0.6, even(64)), *seeds), By.ALGORITHM, k=1))["GRPO"]
    assert (found.difference, found.p_value, found.q_value) == (0.0, 1.0, 1.0)


def test_the_mean_of_seeds_is_tested_by_exchanging_base_with_them(tmp_path: Path) -> None:
    cells = [drawn(seed, 32, power) for seed, power in ((1, 1.0), (2, 0.9), (3, 0.8))]
    runs = [(BASE, 0.6, cells[0]), *((rl(f"a{i}", seed=i), 0.6, one) for i, one in enumerate(cells[1:]))]
    found = by_label(series(board(tmp_path, *runs), By.ALGORITHM, k=1))["GRPO"]
    values = np.array([[c / n for c, n in one.values()] for one in cells]).T
    assert found.p_value == pytest.approx(exchange_p(values), rel=1e-12)
    assert found.difference == pytest.approx((values[:, 1:].mean(axis=1) - values[:, 0]).mean())


def test_seeds_of_unequal_n_are_tested_by_drawing_the_problems_again(tmp_path: Path) -> None:
    cells = [drawn(1, 64), drawn(2, 32, 0.9), drawn(3, 32, 0.8)]
    runs = [(BASE, 0.6, cells[0]), *((rl(f"a{i}", seed=i), 0.6, one) for i, one in enumerate(cells[1:]))]
    found = by_label(series(board(tmp_path, *runs), By.ALGORITHM, k=1))["GRPO"]
    values = np.array([[c / n for c, n in one.values()] for one in cells]).T
    assert found.p_value == pytest.approx(unequal_p(values[:, 1:].mean(axis=1) - values[:, 0], 1 / 32), rel=1e-12)


def test_one_run_gets_the_p_of_its_pair_where_n_are_unequal(tmp_path: Path) -> None:
    ours, theirs, shortest = drawn(1, 64), drawn(2, 32, 0.8), drawn(3, 16)
    whole = board(tmp_path, (BASE, 0.6, ours), (rl("a"), 0.6, theirs), (rl("b", "PPO"), 0.6, shortest))
    found = by_label(series(whole, By.ALGORITHM, k=4))["GRPO"]
    base, other = ([c for c, _ in cells.values()] for cells in (ours, theirs))
    assert found.p_value == pytest.approx(paired_p(64, base, 32, other, 4), rel=1e-12)


def test_names_of_problems_change_no_figure(tmp_path: Path) -> None:
    """The same counts under keys in another order: draws must not depend on which problem comes first."""
    order = np.random.default_rng(0).permutation(40)
    renamed = {old: KEYS[new] for old, new in zip(KEYS, order, strict=True)}
    models = [(BASE, drawn(1, 32)), (rl("a0", seed=0), drawn(2, 32, 0.8)), (rl("a1", seed=1), drawn(3, 32, 0.9))]
    figures = []
    for at, names in enumerate(({key: key for key in KEYS}, renamed)):
        (tmp_path / str(at)).mkdir()
        runs = [(model, 0.6, {names[key]: cell for key, cell in cells.items()}) for model, cells in models]
        for by in (By.ALGORITHM, By.SEED):
            found = series(board(tmp_path / str(at), *runs), by, k=8)
            figures.append(
                [(e.value, e.interval, e.spread, e.difference, e.difference_interval, e.p_value) for e in found.entries]
            )
            (tmp_path / str(at) / "s.db").unlink()
    assert figures[:2] == figures[2:]


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[str, str]:
    assert cli.main(["series", *map(str, arguments)]) == 0
    return capsys.readouterr()


def test_a_series_without_a_base_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unrelated = [
        (Model(f"lab/{name}", role=role), 0.6, even(4, 8, 1)) for name, role in (("x", Role.OTHER), ("y", Role.INSTRUCT))
    ]
    board(tmp_path, unrelated[0])
    out, err = said(capsys, tmp_path / "s.db", "--by", "role")
    assert "no run is known as base; name one with --base, or roles with import --role" in err
    assert "training" not in err, "nobody trained an unrelated model here"
    assert "1 problem ·" in out
    (tmp_path / "s.db").unlink()
    board(tmp_path, *unrelated)
    out, err = said(capsys, tmp_path / "s.db", "--by", "role", "--base", "x")
    assert err == ""
    assert "-0.0" not in out


def test_only_what_was_trained_here_has_training_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    step = Model("lab/steps", role=Role.INSTRUCT, parent="lab/base", step=10)
    whole = board(
        tmp_path, (BASE, 0.6, even(4, 8)), (Model("lab/x", role=Role.INSTRUCT), 0.6, even(4, 8)), (step, 0.6, even(5, 8))
    )
    notes = {entry.runs[0].model.name: entry.note for entry in series(whole, By.STEP).entries}
    assert {name for name, note in notes.items() if note} == {"lab/steps"}
    _, err = said(capsys, tmp_path / "s.db", "--by", "step")
    assert "1 entry is of one training seed: how much training varies is not seen" in err


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
