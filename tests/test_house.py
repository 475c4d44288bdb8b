"""The house rules that no type checker sees: what a person waits for imports nothing heavy, and the layers hold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = (
    "numpy",
    "torch",
    "ray",
    "tokenizers",
    "transformers",
    "vllm",
    "sklearn",
    "scipy",
    "sympy",
    "math_verify",
    "sqlite_utils",
    "plotext",
    "pandas",
    "matplotlib",
    "pyarrow",
)


def imported_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint('\\n' + ' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import basebound",
        "import store.reader",
        "import engine.board",
        "import store.audits, store.answers",
        "import engine.claims, engine.claims.ground, explorer.commands.claims",
        "import engine.importers.base, engine.verifiers",
        "import engine.frames, engine.exporting, explorer.commands.report, explorer.commands.export",
        "import explorer.app",
        "import engine.decoding, engine.samplers, store.measures",
        "import engine.declaration, engine.declaration.templates, explorer.commands.init, explorer.commands.run",
        "import engine.fleet, engine.fleet.places, engine.fleet.worker, engine.fleet.shards",
        "import engine.parity, engine.estimating, engine.entropy, explorer.commands.entropy",
        "import engine.likelihood.base, engine.likelihoods, engine.partings, engine.trace_tokens",
        "import explorer.commands.likelihood, explorer.commands.score, explorer.model.token_shades, explorer.render.legend",
        "import engine.asking, engine.at_once, engine.samplers.server",
        "from explorer.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from explorer.cli import main\ntry: main(['import', '--help'])\nexcept SystemExit: pass",
    ],
)
def test_nothing_heavy_is_imported(code: str) -> None:
    assert imported_after(code).isdisjoint(HEAVY)


def test_stages_import_what_runs_models_only_where_there_is_something_to_do() -> None:
    stages = (
        "import engine.sampling, engine.scoring, engine.paths, explorer.commands.demo, explorer.commands.sample,"
        " engine.fleet.pool, engine.fleet.reaper, engine.foreseen"
    )
    assert imported_after(stages).isdisjoint({"torch", "tokenizers", "transformers", "vllm", "sklearn", "scipy"})


def test_help_does_not_even_import_textual() -> None:
    code = "from explorer.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    assert imported_after(code).isdisjoint({"textual", "rich", "sqlite3"})
