"""basebound entropy: the table, the matching temperature, and what is not known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.commands import entropy
from store.errors import NotFound
from store.types import Batch, Finish, Model, NewDraw, Prompt, Run, Settings
from store.writer import Writer
from tests.builders import BASE, RL, problem

DRAWN = Settings(prompt_template="{problem}", temperature=0.6, top_p=0.95, top_k=0, max_tokens=99, seed=0)
FACTS = Batch("scripted", "1", "none", "none", "here", "code points")


def add(path: Path, model: Model, nats: Mapping[float, float | None], benchmark: str = "sums", **settings: object) -> None:
    """By temperature, the nats a token of four responses of ten tokens; a little apart on the two problems."""
    problems = {key: problem(key, benchmark) for key in "ab"}
    with Writer(path, "test") as writer:
        for temperature, value in nats.items():
            run = Run(model, benchmark, replace(DRAWN, temperature=temperature, **settings))  # type: ignore[arg-type]
            batch = writer.open_batch(run, FACTS, {one: Prompt("?", (1,)) for one in problems.values()})
            draws = [
                NewDraw(one, i, i, f"{i}", tuple(range(10)), Finish.STOP, "<end>", logp=logp)
                for key, one in problems.items()
                for i in range(2)
                for logp in [None if value is None else -10 * value - (0.1 if key == "a" else -0.1)]
            ]
            writer.add_draws(batch, draws)


def printed(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[str, str]:
    """stdout and stderr."""
    parser = argparse.ArgumentParser()
    entropy.add_arguments(parser)
    assert entropy.run(argparse.Namespace(quiet=False, **vars(parser.parse_args([str(one) for one in arguments])))) == 0
    told = capsys.readouterr()
    return told.out, told.err


def document(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[dict[str, Any]]:
    out, _ = printed(capsys, *arguments, "--json")
    found: list[dict[str, Any]] = json.loads(out)["benchmarks"]
    return found


def test_every_run_has_its_line_and_how_it_was_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    add(path, BASE, {0.6: 0.47})
    add(path, RL, {0.6: None})
    out, err = printed(capsys, path)
    base, rl = (next(line for line in out.splitlines() if line.startswith(name)) for name in ("base-7b@sums", "rl-7b"))
    assert base.split() == ["base-7b@sums", "drawn", "0.6", "0.95", "0.4700", "0.0100", "0.4700", "2", "4", "40"]
    assert rl.split() == ["rl-7b-step-100@sums", "0.6", "0.95", "–", "–", "–", "0", "0", "of", "4", "–"]
    assert "T 0.6 · top-p 0.95 · max tokens 99" in out
    assert "sums: entropy unknown, for no log-probability of their draws is: rl-7b-step-100@sums" in err


def test_the_matching_temperature_is_told_with_its_limits_and_what_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.db"
    add(path, BASE, {0.6: 0.47})
    add(path, RL, {0.6: 0.2, 1.0: 0.4, 1.5: 0.5})
    add(path, replace(RL, revision="step-200", step=200), {0.6: 0.1, 1.0: 0.2})
    out, _ = printed(capsys, path, "--match", "base-7b@sums")
    assert "at which temperature the entropy is that of base-7b@sums (0.4700)" in out
    line = next(line for line in out.splitlines() if "T 1 and T 1.5" in line)
    assert line.split()[-4:] == ["1.350", "1.350–1.350", "0.4700", "2"]
    assert "declares it alone, with temperature = 1.35 under [sampling]" in out
    assert "lab/rl-7b step-200: 0.47 is above T 1's 0.2: draw hotter" in out
    assert "‼" not in out


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    add(path, BASE, {0.6: 0.47})
    add(path, RL, {0.6: 0.2, 1.0: 0.52})
    (found,) = document(capsys, path, "--match", "base-7b@sums")
    base, *_ = found["runs"]
    assert (base["run"], base["source"], base["tokens"], base["of"], base["counted"]) == ("base-7b@sums", "drawn", 40, 4, 0)
    assert base["nats_per_token"] == pytest.approx(0.47)
    assert base["standard_error"] == pytest.approx(0.01)
    (match,) = found["matches"]
    assert match["temperature"] == pytest.approx(0.6 + 0.4 * 0.27 / 0.32)
    assert (match["model"], match["revision"], len(match["between"])) == ("lab/rl-7b", "step-100", 2)
    add(path, BASE, {0.6: 0.9}, benchmark="hard")
    assert [one["benchmark"] for one in document(capsys, path)] == ["hard", "sums"]
    assert [one["benchmark"] for one in document(capsys, path, "--benchmark", "hard")] == ["hard"]


def test_no_match_has_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.db"
    add(path, BASE, {0.6: 0.47})
    assert "no other model was drawn on this benchmark" in printed(capsys, path, "--match", "base-7b@sums")[0]
    add(path, RL, {0.6: 0.2}, top_p=1.0)
    out, _ = printed(capsys, path, "--match", "base-7b@sums")
    assert "lab/rl-7b step-100: known at T 0.6 only (0.2): draw it hotter as well" in out
    assert "‼ lab/rl-7b step-100 has another top_p there than base-7b@sums" in out
    (match,) = document(capsys, path, "--match", "base-7b@sums")[0]["matches"]
    assert match["temperature"] is None
    assert "draw it hotter" in match["reason"]


def test_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    add(tmp_path / "s.db", BASE, {0.6: 0.47})
    parser = argparse.ArgumentParser()
    entropy.add_arguments(parser)
    with pytest.raises(NotFound, match="nobody"):
        entropy.run(argparse.Namespace(quiet=True, **vars(parser.parse_args([str(tmp_path / "s.db"), "--match", "nobody"]))))
