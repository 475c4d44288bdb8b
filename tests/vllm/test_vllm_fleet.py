"""Several engines of real vLLM at once: one study, every sample once, the same as one engine draws."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from engine.declaration import plans, read
from engine.sampling import sample
from sample_data import BASE, GRPO, PROBLEMS
from store.writer import Writer
from tests.contents import contents

ROOT = Path(__file__).parents[2]
DECLARATION = f"""
study = "s.db"

[[model]]
name = "a-base"
path = "{BASE.path}"
role = "base"

[[model]]
name = "an-rl"
path = "{GRPO[-1].path}"
role = "rl"
parent = "a-base"

[[benchmark]]
name = "some"
file = "some.jsonl"

[[prompt]]
name = "as trained"
template = "Problem: {{problem}}\\nSolution:\\n"

[sampling]
n = 16
temperature = 0.6
max_tokens = 60

[engine]
sampler = "vllm"
dtype = "float32"
engines = 2

[analyses]
verify = false
score = false
paths = false
"""


def test_two_engines_share_a_study_and_draw_what_one_draws(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(DECLARATION)
    lines = PROBLEMS.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "some.jsonl").write_text("".join(lines[:6]), encoding="utf-8")
    command = [sys.executable, "-m", "basebound", "run", str(tmp_path / "study.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    alone = tmp_path / "alone.db"
    with Writer(alone, "test") as writer:
        for plan in plans(read(tmp_path / "study.toml")):
            assert sample(writer, plan).added == 96
    shared, one = contents(tmp_path / "s.db"), contents(alone)
    for what in ("runs", "problems", "prompts", "drawn"):
        assert shared[what] == one[what]
    assert [row[:6] for row in shared["samples"]] == [row[:6] for row in one["samples"]]
    assert not list(tmp_path.glob("*.log")), "an engine's log is kept only where something went wrong"
    shutil.rmtree(tmp_path)
