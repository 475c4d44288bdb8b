"""A whole STUDY.toml, changes of it, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.declaration import DeclarationError, read

WHOLE = """\
study = "sums.db"

[[model]]
name = "base"
path = "models/base"
role = "base"

[[model]]
name = "rl"
path = "models/step-{step}"
steps = [50, 100]
role = "rl"
parent = "base"
algorithm = "GRPO"
training_seed = 7

[[benchmark]]
name = "sums"
file = "sums.jsonl"
n = 4
prompt = ["boxed", "direct"]

[[benchmark]]
name = "more"
file = "sums.jsonl"
verifier = "own.py:judge"
prompt = "boxed"

[[prompt]]
name = "boxed"
template = '''
{problem}
Put the answer in \\boxed{}.
'''

[[prompt]]
name = "direct"
template = "{problem}"
chat = true
system = "Answer at once."
n = 16
max_tokens = 8
stop = "."

[sampling]
n = 2
temperature = [0.6, 1]
top_p = 0.9
top_k = 20
max_tokens = 100
context_cap = 200
stop = ["END", "\\n\\n"]
seed = 3

[engine]
sampler = "transformers"
tensor_parallel = 2
engines = 3
dtype = "float32"
device = "cpu"
batch = 5

[analyses]
verify = false
score = true
tokens = "set:base-only correct:yes"
paths = true
index = true
"""
WHOLE_BOXED = "{problem}\nPut the answer in \\boxed{}.\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_text(text)
    return path


def told(folder: Path, text: str) -> list[str]:
    """Each mistake of a file, without the file's name."""
    path = write(folder, text)
    with pytest.raises(DeclarationError) as raised:
        read(path)
    lines = str(raised.value).split("\n")
    assert all(line.startswith(str(path)) for line in lines)
    return [line.removeprefix(str(path)).lstrip(", ") for line in lines]


def changed(old: str, new: str) -> str:
    assert old in WHOLE
    return WHOLE.replace(old, new, 1)


def line(words: str, text: str = WHOLE) -> int:
    return text[: text.index(words)].count("\n") + 1


SERVED = changed('sampler = "transformers"', 'sampler = "server"\nurl = "http://localhost:8000/v1"')
