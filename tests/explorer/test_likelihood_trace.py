"""One trace on stdout: steps, forks and the whole of it are the study's, and nothing in it reaches the terminal unspelled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from explorer.commands.likelihood_trace import show_trace
from explorer.commands.narration import Narrator
from store.errors import NotFound
from store.new_scores import NewTokenScores
from store.reader import Study
from store.token_scores import Other, TokenScores
from store.types import Likelihood, Model, Role
from store.writer import Writer
from tests.engine.token_study import DECODING, PLAIN, VOCABULARY, TokenStudy, token_study

pytestmark = pytest.mark.usefixtures("wide")

Show = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> TokenStudy:
    return token_study(tmp_path_factory.mktemp("tokens") / "study.db")


@pytest.fixture
def show(made: TokenStudy, capsys: pytest.CaptureFixture[str]) -> Show:
    def shown(name: str, *, as_json: bool = False) -> str:
        with Study(made.path) as study:
            link = str(study.trace(made.ids[name]).link)
            assert show_trace(study, link, Narrator(), as_json=as_json) == 0
        out, err = capsys.readouterr()
        assert err == ""
        return out

    return shown


def rows(text: str, head: str) -> list[list[str]]:
    """Of the table whose first column is called that, the cells of each row."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(head + " "))
    end = next((place for place in range(start, len(lines)) if not lines[place]), len(lines))
    return [re.split(r" {2,}", line.rstrip()) for line in lines[start + 1 : end]]


def test_steps_and_forks_are_those_that_were_put_there(show: Show) -> None:
    text = show("gave_up")
    assert rows(text, "step") == [
        ["#1", "First count pairs.", "5", "-0.75", "-0.50", "+0.25", "░"],
        ["#2", "Wait, there are 12.", "7", "-2.38", "-12.31", "-9.94", "█" * 12],
        ["#3", "So \\boxed{12}.", "6", "-0.75", "-1.00", "-0.25", "▎"],
    ]
    assert rows(text, "token") == [
        ["6", "“Wait”", "#2", "14", "<0.1", "-6.00", "both", "“So” 94 %", "“Now” 5.1 %"],
        ["10", "“ 12”", "#2", "94", "1.8", "-3.94", "only other", "“ 11” 94 %"],
    ]
    assert "own: base-7b · other: rl-7b step-100 · ratio: log p_other − log p_own" in text
    assert max(cell_len(line) for line in text.splitlines()) <= 100


def test_the_whole_trace_stands_above_with_its_odds_and_settings(show: Show) -> None:
    text = show("gave_up")
    assert text.startswith("base-7b@sums/sums:lost/0 · ✓ correct · 18 tokens\nT 0.6 · top-p 0.95")
    assert "the scores below are at T 1" in text
    base, rl = (line for line in text.splitlines() if "as generated" in line)
    assert re.search(r"base-7b \(drew it\) .* 18 +-3\.88 +-0\.06 +1 in 48", base)
    assert re.search(r"rl-7b step-100 .* 18 +-13\.81 +-0\.06 +1 in 1,000,000", rl)
    assert "at T 0.6, top-p 0.95 base-7b can draw it\n" in text
    assert "at T 0.6, top-p 0.95 rl-7b step-100 cannot draw 2 of 18 tokens: 6 “Wait”, 10 “ 12”\n" in text


def test_a_hostile_trace_is_spelled_out(show: Show) -> None:
    text = show("hostile")
    assert not set(text) & set("\x1b\x07\u202e\ud800")
    assert "“␛[31mLook”" in text
    assert "“[/red]”" in text
    assert "no text" in text
    widths = {len(row) for row in rows(text, "step")}
    assert widths == {7}


def test_what_is_unknown_says_so(show: Show) -> None:
    assert "forks are unknown" in show("told_little")
    unplaced = show("unplaced")
    assert "nobody can say which step" in unplaced
    assert rows(unplaced, "token") == [["2", "–", "–", "61", "14", "-1.50", "only other", "“we” 78 %"]]
    assert "‼ truncated" in show("cut")
    assert "no forks" in show("cut")


def test_one_model_alone_has_its_own_nats_and_forks(show: Show) -> None:
    text = show("alone")
    assert "rl-7b step-100 alone" in text
    assert rows(text, "step") == [["#1", "As before \\boxed{4}", "4", "-1.19", "█" * 12]]
    assert rows(text, "token") == [["2", "“ before”", "#1", "37", "“ said” 61 %"]]


def test_a_trace_without_tokens_names_the_line_that_scores_it(made: TokenStudy) -> None:
    with Study(made.path) as study, pytest.raises(NotFound, match=r"basebound score .* --of base-7b@sums --tokens") as raised:
        show_trace(study, "base-7b@sums/sums:lost/2", Narrator())
    assert "'problem:\"lost\" sample:2'" in str(raised.value)


def test_a_step_in_the_link_is_no_hindrance_and_a_wrong_link_is_told(
    made: TokenStudy, capsys: pytest.CaptureFixture[str]
) -> None:
    with Study(made.path) as study:
        assert show_trace(study, "base-7b@sums/sums:lost/0#2") == 0
        with pytest.raises(NotFound):
            show_trace(study, "base-7b@sums/sums:lost/77")


def test_a_model_of_other_tokens_is_said_to_be_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = token_study(tmp_path / "s.db")
    with Writer(made.path, "test") as writer:
        row = NewTokenScores(made.ids["alone"], *PLAIN, "another", TokenScores([-1.0]))
        writer.add_likelihoods(Model("lab/sft-7b", role=Role.SFT), "float32", [], by_token=[row])
    with Study(made.path) as study:
        show_trace(study, str(study.trace(made.ids["alone"]).link), Narrator(quiet=True))
    out, err = capsys.readouterr()
    assert err == "sft-7b is left out: its scores are of other tokens than those of rl-7b step-100\n"
    assert "rl-7b step-100 alone" in out


def test_blanks_and_line_ends_of_a_token_are_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = token_study(tmp_path / "s.db")
    scores = TokenScores(
        [-3.0, -1.0, -1.0, -1.0], spans=[2, 7, 10, 0], others={0: (Other(900, -0.25),), 1: (Other(901, -0.5),)}
    )
    with Writer(made.path, "test") as writer:
        row = NewTokenScores(made.ids["alone"], *PLAIN, VOCABULARY, scores)
        third = Model("lab/sft-7b", role=Role.SFT)
        writer.add_likelihoods(third, "float32", [], by_token=[row], pieces={900: "\n\t so", 901: "x" * 99})
    with Study(made.path) as study:
        show_trace(study, str(study.trace(made.ids["alone"]).link))
    forks = rows(capsys.readouterr().out, "token")
    assert [fork[-1] for fork in forks] == ["“⏎␉ so” 78 %", f"“{'x' * 13}…” 61 %"]


@pytest.mark.parametrize("name", ["gave_up", "hostile", "told_little", "unplaced", "alone", "cut"])
def test_json_holds_the_same(show: Show, made: TokenStudy, name: str) -> None:
    text = show(name, as_json=True)
    assert text.isascii()
    document: dict[str, Any] = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    told = made.told[name]
    (one,) = document["partings"]
    assert document["tokens"] == len(told.words)
    assert (one["other"] is None) == (told.other is None)
    assert {whole["nats"] for whole in document["whole"] if whole["drew_it"]} == {sum(told.own.logp)}
    if told.other is not None:
        assert one["ratio"] == sum(told.other.logp) - sum(told.own.logp)
        assert (one["forks"] is None) == (told.other.others is None)
        if one["steps"]:
            assert sum(step["ratio"] for step in one["steps"]) == one["ratio"]


def test_a_model_whose_sums_alone_are_there_says_whether_it_can_draw_the_trace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = token_study(tmp_path / "s.db")
    sample_id = made.ids["gave_up"]
    can, cannot = (Model(f"lab/{name}", role=Role.SFT) for name in ("near", "far"))
    with Writer(made.path, "test") as writer:
        for model, outside, edge in ((can, 0, -0.1), (cannot, 3, 0.04)):
            row = Likelihood(sample_id, 0.6, 0.95, 0, 18, None if outside else -3.0, outside, None, edge=edge)
            writer.add_likelihoods(model, "float32", [row])
    with Study(made.path) as study:
        link = str(study.trace(sample_id).link)
        show_trace(study, link)
        text = capsys.readouterr().out
        show_trace(study, link, as_json=True)
    draws = {one["scorer"]: one["can_draw"] for one in json.loads(capsys.readouterr().out)["draws"]}
    assert "at T 0.6, top-p 0.95 near can draw it\n" in text
    assert "at T 0.6, top-p 0.95 far cannot draw 3 of 18 tokens (it was not scored token by token)\n" in text
    assert draws == {"lab/base-7b": True, "lab/rl-7b": False, "lab/near": True, "lab/far": False}


def test_other_says_which_model_is_held_against_the_one_that_drew_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = token_study(tmp_path / "s.db")
    told = made.told["gave_up"].own
    with Writer(made.path, "test") as writer:
        row = NewTokenScores(made.ids["gave_up"], *DECODING, VOCABULARY, told)
        writer.add_likelihoods(Model("lab/sft-7b", role=Role.SFT), "float32", [], by_token=[row])
    with Study(made.path) as study:
        link = str(study.trace(made.ids["gave_up"]).link)
        show_trace(study, link)
        assert capsys.readouterr().out.count("own: base-7b · other: ") == 2
        show_trace(study, link, other="rl-7b")
        text = capsys.readouterr().out
        assert text.count("own: base-7b · other: ") == text.count("other: rl-7b step-100") == 1
        show_trace(study, link, other="base-7b")
        assert "base-7b alone" in capsys.readouterr().out
        alone = str(study.trace(made.ids["alone"]).link)
        with pytest.raises(NotFound, match=r"base-7b has not gone through .* this does it: basebound score"):
            show_trace(study, alone, other="base-7b")


def test_a_wide_trace_stays_within_80_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = token_study(tmp_path / "s.db")
    scores = TokenScores([-150.0] * 4, spans=[2, 7, 10, 0], others={0: tuple(Other(900 + i, -0.25) for i in range(3))})
    long = Model(f"lab/{'long-name-' * 12}", role=Role.SFT)
    with Writer(made.path, "test") as writer:
        row = NewTokenScores(made.ids["alone"], *PLAIN, VOCABULARY, scores)
        sums = [Likelihood(made.ids["alone"], *PLAIN, 4, -600.0, 0, None)]
        writer.add_likelihoods(long, "float32", sums, by_token=[row], pieces={900 + i: "字" * 40 for i in range(3)})
    with Study(made.path) as study:
        show_trace(study, str(study.trace(made.ids["alone"]).link))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cell_len, lines)) <= 100
    assert max(cell_len(line) for line in lines if re.search(r"\S {2,}\S", line)) <= 80
    assert any("long-" in line and "…" in line for line in lines)
