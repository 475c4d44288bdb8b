"""The commands that put many runs, or accuracies, into a table: series and accuracy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer import cli
from tests.builders import native, write_jsonl


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = cli.main([str(argument) for argument in arguments])
    return status, *capsys.readouterr()


@pytest.fixture
def counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A base model and three steps of one algorithm, each better at k = 1 than the one before."""
    db = tmp_path / "s.db"
    for step, correct in ((None, (1, 8, 3)), (10, (2, 8, 3)), (20, (4, 8, 4)), (30, (7, 8, 6))):
        path = tmp_path / f"{step}.csv"
        model = "base" if step is None else "tuned"
        path.write_text("model,problem,n,correct\n" + "".join(f"{model},p{i},8,{c}\n" for i, c in enumerate(correct)))
        more = ["--role", "base"] if step is None else ["--role", "rl", "--set", f"step={step}", "--set", "algorithm=GRPO"]
        assert call(capsys, "import", db, path, "--benchmark", "sums", *more)[0] == 0
    return db


def test_a_series_of_steps_is_in_their_order_at_one_k(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "series", counted, "--by", "step", "--k", 1, "--json")
    (found,) = json.loads(out)["series"]
    assert (status, found["k"], found["common_k"], found["problems"]) == (0, 1, 8, 3)
    entries = found["entries"]
    assert [entry["label"] for entry in entries] == ["base", "step 10", "step 20", "step 30"]
    assert [entry["pass_at_k"] for entry in entries] == pytest.approx([12 / 24, 13 / 24, 16 / 24, 21 / 24])
    assert [entry["base"] for entry in entries] == [None, *["base@sums"] * 3]
    assert entries[3]["difference"] == pytest.approx(9 / 24)
    assert all(entry["low"] <= entry["pass_at_k"] <= entry["high"] for entry in entries)
    assert all(entry["p_value"] <= entry["q_value"] for entry in entries[1:])


def test_a_series_says_that_one_training_seed_is_one(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = call(capsys, "series", counted, "--by", "algorithm")
    assert "3 entries are of one training seed each" in err
    assert out.startswith("sums by algorithm · verifier imported · pass@8 in % · 3 problems")


def test_a_series_of_chosen_runs_and_its_limits(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "series", counted, "--by", "step", "--run", "tuned-step-30", "--base", "tuned-step-10", "--json")
    (entry,) = json.loads(out)["series"][0]["entries"]
    assert (entry["runs"], entry["base"]) == (["tuned-step-30@sums"], "tuned-step-10@sums")
    status, _, err = call(capsys, "series", counted, "--by", "step", "--k", 9)
    assert (status, "their smallest n is 8" in err) == (2, True)


def test_accuracies_of_counts_have_no_votes(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "accuracy", counted, "--json")
    (found,) = json.loads(out)["benchmarks"]
    base = found["runs"][0]
    assert (status, sum(base["histogram"]), base["k"], base["maj_at_k"]) == (0, 3, 8, None)
    bins = dict(zip(found["bins"], base["histogram"], strict=True))
    assert (bins["1"], bins["(.1, .2]"], bins["(.3, .4]"]) == (1, 1, 1)
    assert base["cover_at_tau"] == pytest.approx([2 / 3, 1 / 3, 1 / 3, 1 / 3])
    assert base["g_pass_at_k"][3] == pytest.approx(1 / 3), "at k = n all 8 must be right"


def test_votes_need_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[dict[str, Any]] = [native("1", rf"\boxed{{{answer}}}") for answer in (4, 4, 5, 6)]
    path = write_jsonl(tmp_path / "a.jsonl", lines)
    db = tmp_path / "s.db"
    call(capsys, "import", db, path)
    _, out, _ = call(capsys, "accuracy", db, "--k", 3, "--json")
    (run,) = json.loads(out)["benchmarks"][0]["runs"]
    # Of the four draws of three: two hold 4 twice, two hold 4, 5, 6 once each, where 4 is chosen one time in three.
    assert run["maj_at_k"] == pytest.approx((2 + 2 / 3) / 4)
    text = call(capsys, "accuracy", db, "--k", 3)[1]
    assert "G-Pass@k 0.5" in text
    assert text.rstrip().endswith("66.7")


def test_beyond_n_is_fitted_by_two_families(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = call(capsys, "beyond", counted, "--k", "8,16,64", "--json")
    assert status == 0
    for run in json.loads(out)["benchmarks"][0]["runs"]:
        assert run["k"] == [8, 16, 64]
        for figures in ("beta_binomial", "zero_inflated", "low", "high"):
            assert run[figures] == sorted(run[figures]), "more draws never solve less"
        assert all(low < fit <= high for low, fit, high in zip(run["low"], run["zero_inflated"], run["high"], strict=True))
        assert run["unsolved"] == 0
        assert run["solved_by_as_many_again"] == 0.0, "nothing is left to solve"
    text = call(capsys, "beyond", counted, "--k", "64")[1]
    assert "@64" in text
    assert "± one s.e." in text
    assert re.search(r"base@sums +3 +8 +100\.0 +\d+\.\d–\d+\.\d +0 +0\.0 ± 0\.8", text)


def test_solved_problems_of_a_pure_guesser_are_not_clearly_more_than_guessing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every solved problem was chosen for being solved; few direct answers that are all wrong are no proof of g = 0."""
    rng = np.random.default_rng(8)
    guessed, asked = rng.binomial(1024, 0.001, 200), rng.binomial(256, 0.001, 200)
    rows = [f"M,p{i},1024,{c}\nD,p{i},256,{d}\n" for i, (c, d) in enumerate(zip(guessed, asked, strict=True))]
    db, path = tmp_path / "s.db", tmp_path / "t.csv"
    path.write_text("model,problem,n,correct\n" + "".join(rows), encoding="utf-8")
    call(capsys, "import", db, path, "--benchmark", "sums")
    run = json.loads(call(capsys, "guess", db, "--direct", "D", "--k", "1024", "--json")[1])["benchmarks"][0]["runs"][0]
    assert (guessed > 0).sum() > 100
    assert len(run["not_clearly_more_than_guessing"]) >= (guessed > 0).sum() - 1
    assert run["guessing_alone"] < run["guessing_alone_at_most"]
    assert run["guess_adjusted"] < 0.05
    assert run["pass_at_k"] > 0.5


def test_direct_answers_tell_what_guessing_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db, path = tmp_path / "s.db", tmp_path / "t.csv"
    # p1 is guessed one time in a hundred and solved no more often; p2 is never guessed; p3 is easy even without a chain.
    path.write_text(
        "model,problem,n,correct\nM,p1,100,1\nM,p2,100,40\nM,p3,100,90\nD,p1,100,1\nD,p2,100,0\nD,p3,100,60\n", encoding="utf-8"
    )
    call(capsys, "import", db, path, "--benchmark", "sums")
    status, out, _ = call(capsys, "guess", db, "--direct", "D", "--k", "1", "--json")
    (run,) = json.loads(out)["benchmarks"][0]["runs"]
    assert (status, run["problems"], run["not_guessable"], run["not_clearly_more_than_guessing"]) == (0, 3, 2, ["p1"])
    assert run["pass_at_k"] == pytest.approx(1.31 / 3)
    assert run["guessing_alone"] == pytest.approx((1.5 + 0.5 + 60.5) / 101 / 3), "one half more than were right, of one more"
    assert run["guessing_alone_at_most"] == pytest.approx((0.04656 + 0.02951 + 0.68247) / 3, abs=1e-4)
    assert run["guess_adjusted"] == pytest.approx((0 + 0.4 + (0.9 - 0.6) / 0.4) / 3, abs=0.01), "about (c/n - g) / (1 - g)"
    assert run["pass_at_k_of_those"] == pytest.approx(1.3 / 2)
    assert "M@sums not clearly more than guessing: p1" in call(capsys, "guess", db, "--direct", "D")[1].replace(
        "m@sums", "M@sums"
    )


def test_without_answers_guessing_is_unknown(counted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = call(capsys, "guess", counted)
    assert (status, "how 3 of 3 problems are guessed is not known" in err) == (0, True)
    assert out.splitlines()[3].split()[1:] == ["0", "8", "–", "–", "–", "–", "–"]
