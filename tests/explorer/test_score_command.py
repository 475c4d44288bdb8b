"""basebound score, and the scoring of `run`: what was asked is there afterwards, and what could not be done is said."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.decoding import Decoding
from engine.judging import judge
from engine.prompts import Template
from engine.samplers.base import Manner, Opening
from engine.sampling import Plan, content_revision, sample
from explorer import cli
from explorer.commands import score
from store.reader import Study
from store.types import Model, Problem, Role
from store.writer import Writer
from tests.builders import native, write_jsonl
from tests.engine.tiny import LETTERS, save_model

pytestmark = pytest.mark.usefixtures("wide")

PROBLEMS = [Problem("sums", str(key), f"{key}?", str(key)) for key in range(4)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("here") / "models"
    save_model(folder / "my-base-7b", seed=1)
    save_model(folder / "my-rl-7b", seed=2)
    return folder


@pytest.fixture
def here(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two models, and a study that both were sampled for."""
    monkeypatch.chdir(tmp_path)
    Path("models").symlink_to(models)
    drawn("my-base-7b", Role.BASE)
    drawn("my-rl-7b", Role.RL, "my-base-7b")
    return tmp_path


def drawn(name: str, role: Role, parent: str | None = None) -> None:
    """As DECLARATION asks for it, too."""
    folder = Path("models", name) if Path("models", name).is_dir() else Path(name)
    model = Model(name, content_revision(folder), role, parent)
    with Writer("study.db", "test") as writer:
        sample(writer, Plan(model, Opening(folder), PROBLEMS, Template("{problem}"), Manner(Decoding(0.6, 0.95), 30), 4))


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = cli.main(list(words))
    said = capsys.readouterr()
    return status, said.out, said.err


def asked(sql: str) -> list[tuple[Any, ...]]:
    with Study("study.db") as study:
        return study.query(sql)


BASE = ("score", "study.db", "--scorer", "models/my-base-7b", "--of")


def test_the_example_runs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Writer(here / "study.db", "test") as writer:
        judge(writer, "math")
    status, out, err = call(capsys, *shlex.split(score.EXAMPLE.format(db="study.db")))
    assert status == 0
    assert "my-base-7b scored 32 responses" in err
    assert "my-base-7b@sums, my-rl-7b@sums" in err.replace(" of ", " ")
    assert out.startswith("perplexity at T 1")
    lines = out.splitlines()
    start = lines.index("under my-base-7b, on sums · supported % at T 0.6, top-p 0.95")
    header, *rows = lines[start + 1 : start + 4]
    assert header.split("  ")[0] == "responses of"
    assert [row.split()[:2] for row in rows] == [["my-base-7b", "16"], ["my-rl-7b", "16"]]
    assert rows[0].split()[-1] == "100.0"
    assert lines[-1] == "basebound likelihood study.db"
    assert max(map(len, lines)) <= 100
    assert call(capsys, *shlex.split(score.EXAMPLE.format(db="study.db")))[1] == out


@pytest.mark.parametrize(
    ("words", "sums", "tokens"),
    [
        ((), 32, 0),
        (("--tokens",), 32, 32),
        (("--tokens", "problem:1"), 32, 8),
        (("--where", "problem:1 or problem:2"), 16, 0),
        (("--where", "problem:1 or problem:2", "--tokens", "run:my-rl-7b"), 16, 8),
    ],
)
def test_where_and_tokens_say_which(
    here: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str], sums: int, tokens: int
) -> None:
    assert call(capsys, *BASE, "my-base-7b", "my-rl-7b", *words)[0] == 0
    assert asked("SELECT count(DISTINCT sample_id) FROM likelihood") == [(sums,)]
    assert asked("SELECT count(*) FROM token_score") == [(tokens,)]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--where", "sett:base-only"), "sett"),
        (("--tokens", "(correct:yes"), "is not closed"),
        (("--prompt-of", "my-base-7b"), "--prompt-of is for texts that --retokenize scores"),
        (("--engine", "vlm"), "no scorer is called 'vlm'; known: transformers, vllm, server"),
        (("--url", "http://localhost:1/v1"), "--url and --served are for --engine server"),
        (("--adapter", "models"), "adapter"),
        (("--retokenize", "--prompt-of", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_loaded(
    here: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str], sentence: str
) -> None:
    status, out, err = call(capsys, *BASE, "my-base-7b", *words)
    assert status != 0
    assert out == ""
    assert sentence in err
    assert len(err.splitlines()) == 1
    assert asked("SELECT count(*) FROM likelihood") == [(0,)]


def test_a_scorer_that_is_not_there_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = call(capsys, "score", "study.db", "--scorer", "models/other", "--of", "my-base-7b")
    assert status != 0
    assert "models/other is not there" in err


def test_responses_too_long_for_the_scorer_are_told_even_when_quiet(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_model(here / "short", seed=3, max_position_embeddings=16)
    status, _, err = call(capsys, "score", "study.db", "--scorer", "short", "--of", "my-base-7b", "--quiet")
    assert status == 1
    assert err.startswith("‼ ")
    assert "the 16 positions of short and stayed unscored" in err
    (scored,) = asked("SELECT count(DISTINCT sample_id) FROM likelihood")[0]
    assert 0 < scored < 16


def test_only_what_this_scorer_says_is_told_and_what_it_has_not_scored(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, *BASE, "my-base-7b", "my-rl-7b")[0] == 0
    status, out, _ = call(
        capsys, "score", "study.db", "--scorer", "models/my-rl-7b", "--of", "my-rl-7b", "--where", "problem:1 or problem:2"
    )
    assert status == 0
    assert "under my-rl-7b, on sums" in out
    assert "under my-base-7b" not in out
    assert "‼ my-rl-7b has scored 8 of the 16 responses of my-rl-7b@sums" in out
    with Study("study.db") as study:
        score.show(study)
    everything = capsys.readouterr().out
    assert "under my-rl-7b, on sums" in everything
    assert "under my-base-7b, on sums" in everything


def test_a_person_s_solutions_are_scored_and_marked(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = {"model": "a person", "role": "other"}
    lines = [native(str(key), f"{key}{key}a", statement=f"{key}?", reference=str(key)) | known for key in range(3)]
    write_jsonl(here / "reference.jsonl", lines)
    assert call(capsys, "import", "study.db", "reference.jsonl")[0] == 0
    status, _, err = call(capsys, *BASE, "a person")
    assert status != 0
    assert "--retokenize scores their text" in err
    status, out, err = call(capsys, *BASE, "a person", "--retokenize", "--tokens")
    assert status == 0
    assert "scored 3 responses (3 token by token, 3 tokenized anew)" in err
    anew = "‼ tokenized anew, not as they were generated, and without a stop token: 3 of a-person@sums under my-base-7b"
    assert anew in out.replace("\n  ", " ")
    assert asked("SELECT temperature, count(*) FROM likelihood WHERE retokenized GROUP BY 1") == [(0.6, 3), (1.0, 3)]
    status, _, err = call(capsys, *BASE, "a person", "--retokenize", "--prompt-of", "my-rl-7b", "--quiet")
    assert (status, err) == (0, "")


DECLARATION = """
study = "study.db"

[[model]]
name = "my-base-7b"
path = "models/my-base-7b"
role = "base"

[[model]]
name = "my-rl-7b"
path = "models/my-rl-7b"
role = "rl"
parent = "my-base-7b"
{more}
[[benchmark]]
name = "sums"
file = "sums.jsonl"

[[prompt]]
name = "plain"
template = "{{problem}}"

[sampling]
n = 4
max_tokens = 30

[engine]
sampler = "transformers"

[analyses]
verify = false
score = true
{tokens}
"""


def declare(tokens: str = "", more: str = "") -> None:
    Path("study.toml").write_text(DECLARATION.format(tokens=tokens, more=more))
    write_jsonl(Path("sums.jsonl"), [{"key": str(key), "statement": f"{key}?", "reference": str(key)} for key in range(4)])


CROSSED = """
SELECT author.name, scorer.name, count(*), sum(EXISTS (SELECT 1 FROM token_score
    WHERE token_score.sample_id = likelihood.sample_id AND token_score.scorer_id = likelihood.scorer_id))
FROM likelihood JOIN sample USING (sample_id) JOIN run USING (run_id) JOIN model AS author ON author.model_id = run.model_id
JOIN model AS scorer ON scorer.model_id = scorer_id WHERE likelihood.temperature = 1 GROUP BY 1, 2 ORDER BY 1, 2
"""


def test_run_scores_both_models_on_both_and_tokens_where_they_are_declared(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declare('tokens = "problem:1"')
    status, _, err = call(capsys, "run", "study.toml")
    assert status == 0, err
    assert "my-rl-7b at T 0.6 on sums: all 16 samples are there" in err
    assert asked(CROSSED) == [
        (author, scorer, 16, 4) for author in ("my-base-7b", "my-rl-7b") for scorer in ("my-base-7b", "my-rl-7b")
    ]
    status, _, err = call(capsys, "run", "study.toml")
    assert "scored 0 responses" in err


def test_run_says_which_models_cannot_score_each_other_and_scores_the_rest(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_model(here / "stranger", letters=LETTERS[::-1])
    drawn("stranger", Role.DISTILLED)
    declare(more='\n[[model]]\nname = "stranger"\npath = "stranger"\nrole = "distilled"\n')
    status, _, err = call(capsys, "run", "study.toml")
    assert status == 1
    assert "‼ my-base-7b has another vocabulary than stranger@sums, which it does not score" in err
    assert "‼ stranger has another vocabulary than my-base-7b@sums, which it does not score" in err
    pairs = {(author, scorer) for author, scorer, *_ in asked(CROSSED)}
    ours = ("my-base-7b", "my-rl-7b")
    assert pairs == {(author, scorer) for author in ours for scorer in ours} | {("stranger", "stranger")}


def test_run_scores_all_the_same_where_the_set_of_tokens_is_not_there(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models").symlink_to(models)
    drawn("my-base-7b", Role.BASE)
    declare('tokens = "set:base-only"')
    text = Path("study.toml").read_text()
    start, end = text.index('[[model]]\nname = "my-rl-7b"'), text.index("[[benchmark]]")
    Path("study.toml").write_text(text[:start] + text[end:])
    status, _, err = call(capsys, "run", "study.toml")
    assert status == 1
    assert "‼ no token scores: " in err
    assert "no second run" in err
    assert asked(CROSSED) == [("my-base-7b", "my-base-7b", 16, 0)]
