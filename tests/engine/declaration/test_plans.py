"""A declaration as plans: every combination, and what tells each model from every other."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.declaration import plans, read
from engine.declaration.planned import folders_of
from engine.samplers.base import SamplerError
from engine.sampling import Shard, content_revision
from sample_data import BASE
from tests.engine.declaration.declared import WHOLE, WHOLE_BOXED, changed, write


def test_plans_are_every_combination_in_the_files_order(folder: Path) -> None:
    made = plans(read(write(folder, WHOLE)), Shard(1, 2))
    assert len(made) == 3 * (2 + 1) * 2
    names = {WHOLE_BOXED: "boxed", "system: Answer at once.\n\nuser: {problem}": "direct"}
    order = [
        (plan.model.step, plan.problems[0].benchmark, names[plan.template.name], plan.manner.decoding.temperature)
        for plan in made
    ]
    asked = [("sums", "boxed"), ("sums", "direct"), ("more", "boxed")]
    assert order == [(step, *one, t) for step in (None, 50, 100) for one in asked for t in (0.6, 1.0)]
    first, direct = made[0], made[2]
    assert first.model.revision == content_revision(folder / "models/base")
    assert made[-1].model.revision == content_revision(folder / "models/step-100") != first.model.revision
    assert (first.n, direct.n, made[-1].n) == (4, 16, 2)
    assert (first.manner.max_tokens, direct.manner.max_tokens) == (100, 8)
    assert (first.manner.stop, direct.manner.stop) == (("END", "\n\n"), (".",))
    assert (first.manner.decoding.top_p, first.manner.decoding.top_k) == (0.9, 20)
    opening = first.opening
    assert (opening.model, opening.context_cap, opening.gpus, opening.batch) == (folder / "models/base", 200, 2, 5)
    assert (opening.dtype, opening.device, first.seed, first.shard) == ("float32", "cpu", 3, Shard(1, 2))
    assert [problem.key for problem in first.problems] == ["1", "2", "3"]


def test_the_caller_may_say_where_models_lie(folder: Path) -> None:
    found = read(write(folder, WHOLE))
    elsewhere = folders_of(found) | {"base": BASE.path}
    assert plans(found, folders=elsewhere)[0].model.revision == content_revision(BASE.path)


def test_an_adapter_is_part_of_what_tells_a_model(folder: Path) -> None:
    plain, adapted = (
        plans(read(write(folder, text)))[0] for text in (WHOLE, changed('role = "base"', 'role = "base"\nadapter = "lora"'))
    )
    assert adapted.opening.adapter == folder / "lora"
    assert adapted.model.revision == content_revision(folder / "models/base", folder / "lora") != plain.model.revision


def test_made_up_responses_stand_under_no_models_name(folder: Path) -> None:
    text = changed('sampler = "transformers"', 'sampler = "scripted"').replace("models/", "not-there-yet/")
    made = plans(read(write(folder, text)))
    assert {plan.model.name for plan in made} == {"scripted"}
    assert len(made) == 3 * 2, "once, not for every model"


def test_a_sampler_of_ones_own_lies_beside_the_file(folder: Path) -> None:
    text = changed('sampler = "transformers"', 'sampler = "own.py:Mine"\nurl = "http://localhost"')
    assert {plan.sampler for plan in plans(read(write(folder, text)))} == {f"{folder / 'own.py'}:Mine"}


def test_a_commit_of_the_hub_is_a_revision(folder: Path) -> None:
    text = changed('path = "models/base"', 'hub = "lab/base"\nrevision = "main"')
    found = read(write(folder, text))
    commit = folder / "snapshots" / ("0123456789" * 4)
    commit.mkdir(parents=True)
    there = {model.label: commit if model.hub else model.path or folder for model in found.models}
    assert plans(found, folders=there)[0].model.revision == "0123456789" * 4


def test_a_dry_run_fetches_no_weights_and_plans_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = 'hub = "lab/base"\n'
    text = changed('path = "models/base"\n', hub) + f'[[model]]\nname = "adapted"\n{hub}adapter = "lora"\n'
    found = read(write(folder, text))
    commit = folder / "snapshots" / ("0123456789" * 4)
    commit.mkdir(parents=True)
    (commit / "config.json").write_text("{}")
    asked: list[bool] = []

    def fetch(name: str, revision: str | None = None, *, weights: bool = True) -> Path:
        asked.append(weights)
        if weights:
            (commit / "model.safetensors").write_text("weights")
        return commit

    monkeypatch.setattr("engine.hub.model_folder", fetch)
    dry = plans(found, weights=False)
    assert asked == [False, False]
    assert plans(found) == dry, "so that a dry run finds what is there"
    assert asked == [False, False, True, True]
    adapted = next(plan for plan in dry if plan.model.name == "adapted").model.revision
    assert adapted.startswith("0123456789" * 4 + "+sha256:")
    (folder / "lora" / "adapter_config.json").write_text('{"lora_alpha": 8}')
    assert next(plan for plan in plans(found) if plan.model.name == "adapted").model.revision != adapted


def test_a_folder_of_ones_own_is_looked_at_by_a_dry_run_too(folder: Path) -> None:
    found = read(write(folder, WHOLE))
    (folder / "models/step-50/model.safetensors").unlink()
    with pytest.raises(SamplerError, match=r"step-50 cannot be loaded as a model: .* no weights"):
        plans(found, weights=False)
