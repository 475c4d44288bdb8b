"""What `basebound init` writes is what `run` reads."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from engine.declaration import plans, read
from engine.declaration.templates import TEMPLATES, template
from sample_data import BASE, GRPO
from store.types import Role
from tests.engine.declaration.declared import told, write


def placed(name: str, folder: Path) -> str:
    """A template's text, with what it names put where it names it."""
    text = template(name, f"{name}.toml")
    content: dict[str, Any] = tomllib.loads(text)
    for model in content["model"]:
        for step in model.get("steps", [None]):
            place = folder / str(model.get("path", "hub")).replace("{step}", str(step))
            if not place.exists():
                place.mkdir(parents=True)
                (place / "config.json").write_text("{}")
                (place / "model.safetensors").write_text("weights")
    for benchmark in content["benchmark"]:
        place = folder / benchmark["file"]
        if not place.exists():
            place.write_text('{"key": "1", "statement": "1 + 1?", "reference": "2"}\n')
    return text


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_template_is_read_without_a_mistake(name: str, tmp_path: Path) -> None:
    found = read(write(tmp_path, placed(name, tmp_path)))
    assert found.study == tmp_path / f"{name}.db"
    local = {model.label: model.path or tmp_path / "hub" for model in found.models}
    made = plans(found, folders=local)
    assert {Role.BASE, Role.RL} == {plan.model.role for plan in made}
    assert all(r"\boxed{}" in plan.template.text for plan in made) or name == "demo"


@pytest.mark.parametrize("name", ["plain", "paper"])
def test_a_template_as_it_is_lacks_files_only(name: str, tmp_path: Path) -> None:
    found = told(tmp_path, template(name, f"{name}.toml"))
    assert found
    assert all("is not there" in sentence for sentence in found)


def test_what_a_template_comments_out_is_right_too(tmp_path: Path) -> None:
    text = placed("plain", tmp_path)
    (tmp_path / "runs").mkdir()
    for commented, value in [
        ("context_cap", "20480"),
        ("tensor_parallel", "2"),
        ("engines", "4"),
        ("dtype", '"bfloat16"'),
        ("memory", "0.85"),
    ]:
        assert f"# {commented} = {value}" in text
        text = text.replace(f"# {commented} =", f"{commented} =")
    text = text.replace('# verifier = "math"', 'verifier = "math"').replace("# step = 100", "step = 100")
    found = read(write(tmp_path, text))
    assert (found.sampling.context_cap, found.engine.tensor_parallel, found.models[1].step) == (20480, 2, 100)


def test_the_paper_is_drawn_as_the_paper_drew(tmp_path: Path) -> None:
    found = read(write(tmp_path, placed("paper", tmp_path)))
    assert (found.sampling.temperatures, found.sampling.top_p, found.sampling.max_tokens) == ((0.6,), 0.95, 16_384)
    assert {one.name: one.n for one in found.benchmarks} == {
        "AIME24": 1024, "AMC23": 1024, "MATH500": 128, "Minerva": 128, "GSM8K": 128,
    }  # fmt: skip
    assert found.benchmarks[0].prompts == ("boxed", "direct")


def test_the_demo_samples_the_bundled_models(tmp_path: Path) -> None:
    made = plans(read(write(tmp_path, template("demo", "demo.toml"))))
    assert [plan.opening.model for plan in made] == [BASE.path, *(model.path for model in GRPO)]
    assert [plan.model.step for plan in made] == [None, 30, 60, 90]


@pytest.mark.parametrize("name", ['a "quoted" name.toml', "back\\slash.toml", "new\nline.toml"])
def test_a_files_name_cannot_break_its_template(name: str) -> None:
    assert tomllib.loads(template("plain", name))["study"] == f"{name.removesuffix('.toml')}.db"
