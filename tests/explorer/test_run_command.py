"""basebound run: what a STUDY.toml declares is there afterwards, once, judged; and what is shown before it is drawn."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from explorer import cli
from sample_data import BASE, GRPO
from store.reader import Study

PUPIL = """
import re
from dataclasses import replace
from pathlib import Path

from engine.samplers.base import Drawn, SamplerError
from engine.samplers.scripted import ScriptedSampler
from store.types import Finish

class Pupil(ScriptedSampler):
    '''The base model is right in half of its draws, the other in all; on the hard problem base one time in eight, RL never.'''

    def __init__(self, opening):
        super().__init__(opening)
        self._name = opening.model.name
        Path(f"opened-{self._name}").write_text("")
        if Path("broken").exists() and self._name != "base":
            raise SamplerError(f"{opening.model} is broken; mend it")

    def sample(self, requests, manner, longest_prompt=0):
        for request in requests:
            number = int(re.search(r"[0-9]+", request.text)[0])
            hard = number == 4
            right = request.seed % 8 == 0 if hard else request.seed % 2 == 0
            if self._name != "base":
                right = not hard
            text = "\\\\boxed{%d}" % (2 * number if right else 0)
            yield Drawn(request, tuple(map(ord, text)), text, Finish.STOP, logp=-1.0)
"""

DECLARATION = """
study = "s.db"

[[model]]
name = "a-base"
path = "{base}"
role = "base"

[[model]]
name = "an-rl"
path = "{other}"
role = "rl"
parent = "a-base"

[[benchmark]]
name = "sums"
file = "sums.jsonl"

[[prompt]]
name = "plain"
template = "Problem: {{problem}}\\n"

[sampling]
n = {n}
temperature = {temperature}
max_tokens = 30

[engine]
sampler = "{sampler}"

[analyses]
score = false
paths = false
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pupil.py").write_text(PUPIL)
    lines = (f'{{"key": "{i}", "statement": "What is {i} + {i}?", "reference": "{2 * i}"}}\n' for i in range(1, 5))
    Path("sums.jsonl").write_text("".join(lines))
    declare()
    return tmp_path


def declare(n: int = 8, temperature: float = 0.6, sampler: str = "pupil.py:Pupil") -> None:
    text = DECLARATION.format(base=BASE.path, other=GRPO[-1].path, n=n, temperature=temperature, sampler=sampler)
    Path("study.toml").write_text(text)


def ran(*options: str) -> int:
    return cli.main(["run", "study.toml", *options])


def samples() -> dict[str, int]:
    with Study("s.db") as study:
        return dict(study.query("SELECT slug, sum(samples) FROM drawn JOIN run USING (run_id) GROUP BY slug"))


def test_it_draws_what_is_declared_and_judges_it_and_again_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran() == 0
    assert samples() == {"a-base@sums": 32, "an-rl@sums": 32}
    with Study("s.db") as study:
        counts = {(c.run_id, c.problem_id): (c.correct, c.n) for c in study.counts("sums", None)}
    assert {n for _, n in counts.values()} == {8}
    assert sum(correct for (run_id, _), (correct, _) in counts.items() if run_id == 2) == 24
    said = capsys.readouterr().err
    assert "a-base on sums at T 0.6" in said
    assert said.splitlines()[-1] == "s.db has what study.toml declares: `basebound explore s.db`"
    assert ran() == 0
    assert samples() == {"a-base@sums": 32, "an-rl@sums": 32}


def test_a_larger_n_adds_and_another_setting_is_another_run() -> None:
    ran("--quiet")
    declare(n=12)
    assert ran("--quiet") == 0
    assert samples() == {"a-base@sums": 48, "an-rl@sums": 48}
    declare(n=2, temperature=1.0)
    assert ran("--quiet") == 0
    assert sorted(samples().values()) == [8, 8, 48, 48]


def test_a_run_that_lacks_nothing_opens_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    declare(n=2, sampler="transformers")
    assert ran("--dry-run") == 0
    assert not Path("s.db").exists(), "a dry run makes nothing"
    shown = capsys.readouterr().out
    assert "study.toml declares 2 runs for s.db, which will be made" in shown
    assert "  │ Problem: What is 1 + 1?" in shown
    assert "sums:1 as a-base, an-rl would be given it" in shown
    assert "at most 240" in shown
    assert ran("--quiet") == 0
    with sqlite3.connect("s.db") as study:
        assert study.execute("SELECT count(*), count(logp), min(tokens > 0) FROM sample").fetchone() == (16, 16, 1)
        (batches,) = study.execute("SELECT count(*) FROM batch").fetchone()
    capsys.readouterr()
    assert ran() == 0
    said = capsys.readouterr().err
    assert "a-base at T 0.6 on sums: all 8 samples are there" in said
    with sqlite3.connect("s.db") as study:
        assert study.execute("SELECT count(*) FROM batch").fetchone() == (batches,)
    declare(n=3, sampler="transformers")
    assert ran("--dry-run") == 0
    shown = capsys.readouterr().out
    assert "tokens/s an engine, seen here with this model (transformers on cpu)" in shown
    assert "T 0.6 · top-p 0.95 · max tokens 30 · cap 256" in shown


def test_extra_samples_go_where_they_settle_and_leave_every_rate_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert ran("--plan") == 2
    assert "--spend" in capsys.readouterr().err
    ran("--quiet")
    before = samples()
    assert ran("--plan", "--spend", "40") == 0
    assert "extra samples" in capsys.readouterr().err
    assert samples() == before
    with Study("s.db") as study:
        extra = study.query("SELECT key, sum(extra) FROM drawn JOIN problem USING (problem_id) GROUP BY key HAVING sum(extra)")
        judged = study.query("SELECT sum(correct + incorrect + no_answer + error) FROM extra_tally")[0][0]
    assert extra, "the hard problem is not settled by eight samples"
    assert 0 < sum(number for _, number in extra) <= 40
    assert judged == sum(number for _, number in extra), "extra samples are judged too"
    assert cli.main(["check", "s.db", "--quiet"]) == 0
    declare(n=64)
    assert ran("--quiet") == 0
    with Study("s.db") as study:
        regular = study.query("SELECT min(samples), max(samples) FROM drawn")[0]
    assert regular == (64, 64), "a later, larger n takes extra samples in"
    assert cli.main(["check", "s.db", "--quiet"]) == 0


def test_parts_put_together_are_the_study() -> None:
    for part in (1, 2, 3):
        assert ran("--quiet", "--shard", f"{part}/3") == 0
    assert not Path("s.db").exists()
    assert cli.main(["merge", "m.db", *map(str, Path().glob("s.shard-*.db")), "--quiet"]) == 0
    assert ran("--quiet") == 0
    sql = """SELECT slug, problem.key, idx, sample.seed, digest
             FROM sample JOIN run USING (run_id) JOIN problem USING (problem_id) ORDER BY 1, 2, 3"""
    with Study("s.db") as whole, Study("m.db") as merged:
        assert merged.query(sql) == whole.query(sql)


def test_a_model_that_cannot_be_sampled_is_told_and_the_rest_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken").write_text("")
    assert ran() == 2
    assert "is broken; mend it" in capsys.readouterr().err.splitlines()[-1]
    assert samples() == {"a-base@sums": 32}
    with Study("s.db") as study:
        assert study.query("SELECT count(*) FROM verdict") == [(32,)]
    Path("broken").unlink()
    assert ran("--quiet") == 0
    assert samples() == {"a-base@sums": 32, "an-rl@sums": 32}


def test_mistakes_are_told_with_their_lines_before_anything_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    text = Path("study.toml").read_text().replace("temperature = 0.6", 'temperature = "hot"').replace("n = 8", "m = 8")
    Path("study.toml").write_text(text)
    assert ran() == 2
    said = capsys.readouterr().err
    assert f"line {text.splitlines().index('m = 8') + 1}" in said
    assert "hot" in said
    assert not Path("s.db").exists()


def test_a_second_job_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    """Closing a file that SQLite has open in the same process would drop its locks, and the second would take the log away."""
    from store.writer import Writer

    ran("--quiet")
    with Writer("s.db", "test") as writer:
        with Study("s.db") as study:
            assert study.runs()
        code = "import sys; from explorer.cli import main; sys.exit(main(['verify', 's.db']))"
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 2
        assert "is being written" in done.stderr
        assert Path("s.db-wal").exists(), "the log of whoever writes is left alone"
        writer.add_problems([])
    assert cli.main(["check", "s.db", "--quiet"]) == 0


def test_a_problem_that_changed_in_its_file_is_told_before_anything_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    ran("--quiet")
    text = Path("sums.jsonl").read_text()
    for changed in (text.replace("1 + 1", "1 plus 1"), text.replace('"reference": "2"', '"reference": "3"')):
        Path("sums.jsonl").write_text(changed)
        for options in ((), ("--dry-run",)):
            assert ran(*options) == 2
            assert "than the benchmark's file has now" in capsys.readouterr().err
    assert samples() == {"a-base@sums": 32, "an-rl@sums": 32}
