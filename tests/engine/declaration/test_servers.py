"""Models that a server has: which weights they are must stand in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.declaration import plans, read
from engine.declaration.planned import folders_of
from engine.sampling import content_revision
from tests.engine.declaration.declared import SERVED, line, told, write


def test_a_servers_models_need_no_folder(folder: Path) -> None:
    text = SERVED.replace('path = "models/base"\n', 'served = "lab/base"\nrevision = "v2"\n').replace(
        'path = "models/step-{step}"\n', 'served = "rl-{step}"\n'
    )
    found = read(write(folder, text))
    assert folders_of(found) == {}
    made = {plan.model.step: plan for plan in plans(found)}
    assert {step: plan.opening.served for step, plan in made.items()} == {None: "lab/base", 50: "rl-50", 100: "rl-100"}
    assert {plan.opening.url for plan in made.values()} == {"http://localhost:8000/v1"}
    revisions = {step: plan.model.revision for step, plan in made.items()}
    assert revisions == {None: "v2", 50: "step-50-seed-7", 100: "step-100-seed-7"}, "checkpoints are not one model"


NO_REVISION = "nothing would tell it from other weights under the same name; add revision = "


@pytest.mark.parametrize("instead", ['served = "lab/base"', 'path = "tokenizer"', "training_seed = 1"])
def test_a_servers_model_says_which_weights_it_is(folder: Path, instead: str) -> None:
    tokenizer_only(folder)
    text = SERVED.replace('path = "models/base"', instead)
    assert told(folder, text) == [f"line 3: the server's model 'base' has no revision: {NO_REVISION}\"…\""]


@pytest.mark.parametrize(
    "telling",
    ['path = "models/base"', 'hub = "lab/base"', 'path = "tokenizer"\nrevision = "v2"', "step = 9", 'adapter = "lora"'],
)
def test_weights_a_commit_a_revision_a_step_or_an_adapter_tell_it(folder: Path, telling: str) -> None:
    tokenizer_only(folder)
    assert read(write(folder, SERVED.replace('path = "models/base"', telling))).models[0].name == "base"


def test_an_adapter_on_a_server_is_told_without_the_weights(folder: Path) -> None:
    tokenizer_only(folder)

    def revision(*lines: str) -> str:
        text = SERVED.replace('path = "models/base"', "\n".join(lines))
        return plans(read(write(folder, text)))[0].model.revision

    plain, adapter = 'path = "tokenizer"', 'adapter = "lora"'
    digest = content_revision(folder / "tokenizer", folder / "lora")
    assert revision(plain, adapter) == digest
    assert revision(plain, adapter, "step = 9") == f"step-9+{digest}"
    assert revision(plain, adapter, 'revision = "v2"') == f"v2+{digest}"
    served = revision('served = "lora"', adapter)
    (folder / "lora" / "adapter_model.safetensors").write_text("trained on")
    assert revision(plain, adapter) != digest
    assert revision('served = "lora"', adapter) != served


def test_a_folder_that_happens_to_have_a_served_models_name_tells_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "models")  # where a folder "base" lies
    text = SERVED.replace('path = "models/base"', 'served = "lab/base"\nrevision = "v2"')
    assert plans(read(write(folder, text)))[0].model.revision == "v2"


def tokenizer_only(folder: Path) -> None:
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")


def test_a_server_needs_a_url(folder: Path) -> None:
    text = SERVED.replace('url = "http://localhost:8000/v1"\n', "")
    (sentence,) = told(folder, text)
    assert sentence.startswith(f"line {line('[engine]')}: the sampler server has no url")
