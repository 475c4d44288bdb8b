"""The published tables: as they were typed, what they say when computed again, and what the claims say of them."""

from __future__ import annotations

from math import comb
from pathlib import Path

import pytest

from engine.analyses.coverage import coverage, mcnemar_exact
from engine.analyses.passk import mean_pass_at_k
from engine.board import read_board
from engine.claims import Finding, Found, claims
from engine.claims import tables as published_tables
from engine.claims.on_published import found
from engine.claims.published import checks, gaps, inconsistencies, sets_of, sizes_of
from engine.claims.tables import AIME24, ALGORITHMS, BASE, BENCHMARKS, FOUR_WAYS, LIVECODEBENCH, SETS, STEPS, Solved
from store.reader import Study
from store.types import NewCount, Problem
from store.writer import Writer
from tests.builders import BASE as BASE_MODEL
from tests.builders import RL as RL_MODEL
from tests.builders import run, source

TABLE = """
| Qwen2.5-7B | 9.9 / 67.2 | 10.2 / 69.1 | 34.5 / 96.2 |
| GRPO | 26.1 / 66.3 | 25.1 / 68.3 | 74.4 / 97.2 |
| PPO | 27.2 / 65.8 | 26.8 / 69.2 | 75.2 / 97.2 |
| ReMax | 24.4 / 65.5 | 23.8 / 67.5 | 73.5 / 96.6 |
| RLOO | 28.6 / 66.4 | 28.1 / 69.2 | 75.0 / 97.4 |
| Reinforce++ | 28.2 / 67.7 | 28.0 / 69.7 | 75.4 / 96.8 |
| DAPO | 31.4 / 66.1 | 26.5 / 67.0 | 75.6 / 96.4 |
| GRPO step 300 | 33.6 / 65.3 | 27.1 / 66.6 | 75.4 / 96.0 |
| GRPO step 450 | 42.5 / 64.3 | 28.3 / 63.9 | 76.3 / 95.4 |
"""


def test_the_tables_are_the_published_ones() -> None:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.strip().splitlines()]
    typed = {name: [tuple(float(value) for value in cell.split("/")) for cell in cells] for name, *cells in lines}
    rows = {row.model: row for row in (BASE, *ALGORITHMS, *(row for _, row in STEPS))}
    assert {name: [row.on(benchmark) for benchmark in BENCHMARKS] for name, row in rows.items()} == typed


def test_the_tables_are_those_of_the_facts_page_where_it_is_at_hand() -> None:
    page = Path(__file__).parents[3] / "shared" / "FACTS.md"
    if not page.exists():
        pytest.skip("the page is not here")
    text = page.read_text(encoding="utf-8")
    for line in TABLE.strip().splitlines():
        _, name, rest = line.split("|", 2)
        assert f"|{rest}" in next(one for one in text.splitlines() if one.startswith(f"|{name}") and rest in one)
    for solved in SETS:
        for part in (solved.base, solved.other):
            assert ",".join(str(one) for one in sorted(part)) in text.replace("\n", "")


def test_gaps_on_omni_test_and_the_sentence_that_does_not_match_them() -> None:
    assert gaps("Omni-Test") == {
        "GRPO": 44.0, "PPO": 42.3, "ReMax": 45.3, "RLOO": 41.0, "Reinforce++": 41.1, "DAPO": 42.6,
    }  # fmt: skip
    (row,) = [one for one in checks() if one.what.startswith("gaps")]
    assert (row.stated, row.agrees) == ("from 43.9 to 42.6 points", False)
    assert row.computed.startswith("from 45.3 to 41.0")


def test_always_above_40_fails_on_two_of_three_benchmarks() -> None:
    assert (min(gaps("Omni-Train").values()), max(gaps("Omni-Train").values())) == (35.8, 42.8)
    assert all(20.5 < gap < 23 for gap in gaps("MATH500").values())
    agrees = {one.what: one.agrees for one in checks() if one.stated == "always above 40 points"}
    assert agrees == {"the gap on Omni-Train": False, "the gap on Omni-Test": True, "the gap on MATH500": False}


def test_on_math500_all_six_beat_base_at_256() -> None:
    assert all(row.math500[1] > BASE.math500[1] for row in ALGORITHMS)
    (row,) = [one for one in checks() if one.what == "pass@256 on MATH500"]
    assert row.agrees is False
    assert row.computed.startswith("6 of 6 algorithms are above base's 96.2")


def test_longer_training_agrees_on_every_benchmark() -> None:
    assert [one.agrees for one in checks() if one.what.startswith("longer training")] == [True] * 3


def test_aime24_sets() -> None:
    assert (len(AIME24.base), len(AIME24.other), AIME24.base_only, AIME24.other_only) == (23, 19, [4, 11, 17, 19], [])
    assert AIME24.neither == [2, 3, 5, 10, 13, 20, 21]
    sets = sets_of(AIME24)
    assert sets.mcnemar_p == 0.125
    assert [sets.srr, sets.ndr, sets.sds, sets.nscr] == pytest.approx([0.826, 0, 0, -0.174], abs=5e-4)


def test_livecodebench_sets() -> None:
    assert (LIVECODEBENCH.base_only, LIVECODEBENCH.other_only) == ([409, 432, 436, 448], [430])
    assert LIVECODEBENCH.neither is None
    sets = sets_of(LIVECODEBENCH)
    assert sets.mcnemar_p == 0.375
    assert [sets.srr, sets.ndr, sets.sds, sets.nscr] == pytest.approx([0.826, 0.05, 0.094, -0.125], abs=5e-4)


@pytest.mark.parametrize("solved", SETS, ids=lambda solved: solved.benchmark)
def test_the_sets_are_what_coverage_makes_of_counts(solved: Solved) -> None:
    keys = sorted(solved.base | solved.other)
    counts = [[int(key in part) for key in keys] for part in (solved.base, solved.other)]
    again = coverage([str(key) for key in keys], 1024, counts[0], 1024, counts[1])
    sets = sets_of(solved)
    assert (again.both, again.base_only, again.other_only) == (sets.both, sets.base_only, sets.other_only)
    assert again.mcnemar_p == sets.mcnemar_p


def test_four_way_percentages_are_whole_problems_and_those_of_the_sets() -> None:
    aime, math500 = FOUR_WAYS
    assert sizes_of(aime) == (19, 4, 0, 7)
    assert sizes_of(math500) == (462, 18, 5, 15)
    assert round(mcnemar_exact(18, 5), 4) == 0.0106
    assert [row.agrees for row in checks() if "/ neither" in row.what] == [True, True]


def test_a_four_way_split_that_does_not_fit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from engine.claims import published

    wrong = replace(FOUR_WAYS[0], percent=(66.7, 10.0, 0.0, 23.3))
    monkeypatch.setattr(published, "FOUR_WAYS", (wrong, FOUR_WAYS[1]))
    assert [row.agrees for row in published.checks() if "/ neither" in row.what] == [False, True]


def test_entropy_and_the_temperature_that_matches_it() -> None:
    assert list(published_tables.ENTROPY.values()) == [0.47, 0.51, 0.75, 0.72, 0.63, 0.50]
    assert list(published_tables.MATCHED_TEMPERATURE.values()) == [1.5, 0.9, 1.0, 0.85, 0.85, 1.0]
    assert published_tables.ENTROPY.keys() == published_tables.MATCHED_TEMPERATURE.keys()


def test_the_bayes_example() -> None:
    n, c = [5, 5], [3, 4]
    assert mean_pass_at_k(n, c, [1, 2]) == pytest.approx([0.7, 0.95])
    assert sum((1 + one) / (2 + 5) for one in c) / 2 == pytest.approx(0.642857, abs=5e-7)
    assert sum(1 - comb(5 - one, 2) / comb(5, 2) for one in c) / 2 == pytest.approx(0.95)


def test_the_inconsistencies_and_nothing_else() -> None:
    assert [row.what for row in inconsistencies()] == [
        "gaps of six algorithms on Omni-Test",
        "the gap on Omni-Train",
        "the gap on MATH500",
        "pass@256 on Omni-Train",
        "pass@256 on Omni-Test",
        "pass@256 on MATH500",
        "LiveCodeBench 400-450, what RL solves is in base",
    ]
    for row in checks():
        assert (row.stated is None) == (row.agrees is None)


def named(rows: list[Found], claim: str) -> dict[str, Found]:
    """By benchmark, the rows of a claim."""
    return {(row.base or "").removeprefix("base on "): row for row in rows if row.claim.name == claim}


def test_small_published_sets_support_nothing() -> None:
    shrinks = named(found(), "coverage-shrinks")
    assert shrinks["AIME24"].p_value == 0.125
    assert shrinks["LiveCodeBench 400-450"].p_value == 0.375
    assert shrinks["AIME24"].finding is shrinks["LiveCodeBench 400-450"].finding is Finding.NOT_SIGNIFICANT
    assert (shrinks["MATH500"].finding, shrinks["MATH500"].value) == (Finding.SUPPORTED, -13)
    within = named(found(), "within-base")["AIME24"]
    assert (within.value, within.finding) == (0, Finding.NOT_SIGNIFICANT)
    assert within.high == pytest.approx(1 - 0.025 ** (1 / 19))


def test_published_audits() -> None:
    chains = named(found(), "valid-chains")
    assert {name: row.finding for name, row in chains.items()} == {
        "GSM8K": Finding.SUPPORTED,
        "AIME24": Finding.NOT_SIGNIFICANT,
        "visual": Finding.NOT_SIGNIFICANT,
    }
    assert [row.value for row in chains.values()] == [24 / 25, 5 / 6, 7 / 8]


def test_aime24_as_a_study_gives_what_its_sets_give(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with Writer(path, "test") as writer:
        src = source(writer)
        for model, solved in ((BASE_MODEL, AIME24.base), (RL_MODEL, AIME24.other)):
            counts = [NewCount(run(model), Problem("sums", str(i)), 1, int(i in solved), 1024) for i in range(30)]
            writer.add_counts(src, counts)
    with Study(path) as study:
        rows = {row.claim.name: row for row in claims(study, read_board(study, "sums"))}
    sets = named(found(), "coverage-shrinks")["AIME24"]
    again = rows["coverage-shrinks"]
    assert (again.value, again.low, again.high, again.p_value) == (sets.value, sets.low, sets.high, sets.p_value)
    assert again.finding is Finding.NOT_SIGNIFICANT
    assert (rows["within-base"].value, rows["within-base"].finding) == (0, Finding.NOT_SIGNIFICANT)
