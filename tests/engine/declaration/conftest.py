"""A folder with everything in it that `declared.WHOLE` names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With everything in it that WHOLE names."""
    for name in ("base", "step-50", "step-100"):
        model = tmp_path / "models" / name
        model.mkdir(parents=True)
        (model / "config.json").write_text("{}")
        (model / "model.safetensors").write_text(name)
    lora = tmp_path / "lora"
    lora.mkdir()
    (lora / "adapter_config.json").write_text("{}")
    (lora / "adapter_model.safetensors").write_text("lora")
    (tmp_path / "own.py").write_text("")
    lines = [json.dumps({"key": key, "statement": f"{key} + 1?", "reference": "4"}) for key in "123"]
    (tmp_path / "sums.jsonl").write_text("\n".join(lines))
    return tmp_path
