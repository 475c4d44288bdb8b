"""basebound sample: every option reaches the sampler and the run, and what does not go together is one sentence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from explorer import cli
from sample_data import BASE
from store.reader import Study
from store.types import UNKNOWN, Model

OWN = """
import dataclasses, json
from pathlib import Path
from engine.samplers.scripted import ScriptedSampler

class Noting(ScriptedSampler):
    def __init__(self, opening):
        super().__init__(opening)
        self.opening = opening

    def sample(self, requests, manner, longest_prompt=0):
        noted = {"opening": dataclasses.asdict(self.opening), "manner": dataclasses.asdict(manner)}
        Path("noted.json").write_text(json.dumps(noted, default=str))
        return super().sample(requests, manner, longest_prompt)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text(OWN)
    Path("p.jsonl").write_text('{"benchmark": "b", "key": "1", "statement": "What is 1 + 1?", "reference": "2"}\n')
    return tmp_path


def sampled(*options: str) -> int:
    return cli.main(["sample", "s.db", "--problems", "p.jsonl", "--n", "2", "--max-tokens", "40", "--quiet", *options])


def test_options_reach_the_sampler_and_the_run() -> None:
    of_model = ["--model", "Org/name-7B", "--sampler", "own.py:Noting", "--dtype", "bfloat16", "--device", "cuda:1"]
    placed = ["--gpus", "2", "--batch", "9", "--url", "http://x/v1", "--served", "it", "--context-cap", "300"]
    assert sampled(*of_model, *placed, "--stop", r"\n\n", "--stop", "Problem:", "--top-k", "7") == 0
    noted = json.loads(Path("noted.json").read_text())
    assert noted["opening"] == {
        "model": "Org/name-7B",
        "adapter": None,
        "context_cap": 300,
        "batch": 9,
        "dtype": "bfloat16",
        "device": "cuda:1",
        "gpus": 2,
        "memory": None,
        "url": "http://x/v1",
        "served": "it",
    }
    decoding = {"temperature": 0.6, "top_p": 0.95, "top_k": 7}
    assert noted["manner"] == {"decoding": decoding, "max_tokens": 40, "stop": ["\n\n", "Problem:"]}
    with Study("s.db") as study:
        (run,) = study.runs()
    assert run.model == Model("Org/name-7B", UNKNOWN)
    assert (run.settings.context_cap, run.settings.stop) == (300, r'["\n\n","Problem:"]')
    assert (run.settings.prompt_template, run.settings.chat_template) == ("{problem}\n", "none")


def test_a_name_without_a_folder_is_told_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sample", "s.db", "--problems", "p.jsonl", "--n", "1", "--model", "Org/name", "--sampler", "own.py:Noting"]
    assert cli.main(arguments) == 0
    assert "Org/name is no folder here: prompts go as text" in capsys.readouterr().err


def chatty(folder: Path) -> Path:
    """The bundled model with a chat template in its tokenizer's settings."""
    shutil.copytree(BASE.path, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    chat = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant: "
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": chat}))
    return folder


def test_a_chat_is_another_run_with_the_chat_template_s_name(folder: Path) -> None:
    model = str(chatty(folder / "chatty"))
    for options in ([], ["--chat"], ["--chat", "--system", "Be brief."]):
        assert sampled("--model", model, *options) == 0
    with Study("s.db") as study:
        plain, chat, systematic = study.runs()
        prompts = [text for (text,) in study.query("SELECT text FROM prompt ORDER BY run_id")]
        (logp,) = study.query("SELECT max(logp) FROM sample")[0]
    assert logp < 0
    assert prompts == [
        "What is 1 + 1?\n",
        "user: What is 1 + 1?\nassistant: ",
        "system: Be brief.\nuser: What is 1 + 1?\nassistant: ",
    ]
    assert plain.settings.chat_template == "none"
    assert chat.settings.chat_template == systematic.settings.chat_template
    assert chat.settings.chat_template.startswith("sha256:")
    assert chat.settings.prompt_template != systematic.settings.prompt_template
    assert len({run.model for run in (plain, chat, systematic)}) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--chat"], "has no chat template; leave chat out"),
        (["--system", "Be brief."], "system message but is no chat"),
        (["--url", "http://localhost:8000/v1"], "are for --sampler server, not transformers"),
        (["--gpus", "2"], "one GPU, not 2; take vllm"),
        (["--adapter", "none"], "no adapter_config.json"),
        (["--sampler", "server"], "needs the address of one"),
        (["--sampler", "vlm"], "no sampler is called 'vlm'"),
        (["--context-cap", "5"], "within the 5 positions"),
        (["--prompt", ""], "no {problem} in it"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(options: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sampled("--model", str(BASE.path), *options) == 2
    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("basebound: ")]
    assert words in sentence


def test_an_empty_stop_string_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sampled("--model", str(BASE.path), "--stop", "")
    assert "would end every response before it began" in capsys.readouterr().err
