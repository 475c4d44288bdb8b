"""What is a model's folder and what is not: each kind of pieces is told from every other, with a way out that fits."""

from __future__ import annotations

import json
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest

from engine.checkpoints import has_weights, require_adapter, require_model
from engine.hub import model_folder
from engine.samplers.base import SamplerError
from sample_data import MODELS

ROOT = Path(__file__).parents[2]
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def put(folder: Path, *names: str, content: str = "x") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def whole(folder: Path) -> Path:
    return put(folder, "config.json", "model.safetensors", "tokenizer.json")


def indexed(folder: Path, *names: str) -> Path:
    put(folder, "config.json")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {f"w{i}": n for i, n in enumerate(names)}}))
    return folder


def test_what_transformers_saves_is_a_model(tmp_path: Path) -> None:
    for model in MODELS:
        require_model(model.path)
    require_model(whole(tmp_path / "whole"))
    parts = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    require_model(put(indexed(tmp_path / "parts", *parts), *parts))
    require_model(put(tmp_path / "no-index", "config.json", *parts))


def test_a_whole_model_may_lie_beside_a_trainers_pieces(tmp_path: Path) -> None:
    folder = whole(tmp_path / "checkpoint-100")
    require_model(put(folder, "zero_to_fp32.py", "global_step100/mp_rank_00_model_states.pt", "pytorch_model.bin"))


PIECES = [
    (["model_world_size_8_rank_0.pt"], "", "verl.model_merger", "."),
    (["actor/model_world_size_8_rank_0.pt", "actor/huggingface/config.json"], "", "verl.model_merger", "actor"),
    (
        ["actor/model_world_size_8_rank_0.pt", "actor/huggingface/config.json"],
        "actor/huggingface",
        "verl.model_merger",
        "actor",
    ),
    (["step_1/actor/model_world_size_2_rank_1.pt", "latest_checkpointed_iteration.txt"], "", "verl", "step_1/actor"),
    (["__0_0.distcp", ".metadata"], "", "accelerate merge-weights", "."),
    (["config.json", "pytorch_model_fsdp_0/__0_0.distcp"], "", "accelerate merge-weights", "pytorch_model_fsdp_0"),
    (["config.json", "zero_to_fp32.py", "global_step9/zero_pp_rank_0_mp_rank_00_model_states.pt"], "", "zero_to_fp32.py", "."),
    (["zero_to_fp32.py", "global_step9/mp_rank_00_model_states.pt"], "global_step9", "zero_to_fp32.py", "."),
    (["mp_rank_00_model_states.pt"], "", "zero_to_fp32.py", "."),
    (["iter_0000100/mp_rank_00/model_optim_rng.pt"], "", "Megatron", None),
    (["mp_rank_00/model_optim_rng.pt"], "", "Megatron", None),
    (["common.pt", "__0_0.distcp", "metadata.json"], "", "Megatron", None),
]


@pytest.mark.parametrize(("names", "given", "way_out", "at"), PIECES)
def test_a_trainers_pieces_are_named_with_what_merges_them(
    tmp_path: Path, names: list[str], given: str, way_out: str, at: str | None
) -> None:
    folder = put(tmp_path / "run", *names)
    with pytest.raises(SamplerError, match="is no model: it holds shards of") as told:
        require_model(folder / given)
    sentence = str(told.value)
    assert way_out in sentence
    assert "\n" not in sentence
    assert at is None or f" {folder / at} " in sentence, "the command is one to paste"


def test_a_command_to_paste_survives_a_space_in_the_path(tmp_path: Path) -> None:
    folder = put(tmp_path / "my run", "model_world_size_8_rank_0.pt")
    with pytest.raises(SamplerError, match=r"--local_dir '[^']*my run' "):
        require_model(folder)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["config.json"], "a config.json but no weights"),
        (["config.json", "pytorch_model.bin"], "pickle may run what it likes"),
        (["config.json", "pytorch_model-00001-of-00002.bin"], "pickle"),
        (["config.json", "model.Q4_K_M.gguf"], "GGUF"),
        (["config.json", "adapter_model.safetensors"], "no weights"),
        (["model.safetensors"], "weights but no config.json"),
        (["tokenizer.json"], "no config.json; give a folder"),
        (["config.json", "model-00001-of-00003.safetensors"], "lacks 2 of 3 files of weights (model-00002-of-00003"),
        (["step-50/config.json", "step-50/model.safetensors"], "step-50 has one; give that"),
    ],
)
def test_what_is_not_a_whole_model_is_refused_in_words(tmp_path: Path, names: list[str], words: str) -> None:
    with pytest.raises(SamplerError) as told:
        require_model(put(tmp_path / "m", *names))
    assert words in str(told.value)


def test_a_folder_of_checkpoints_names_them(tmp_path: Path) -> None:
    for step in range(6):
        whole(tmp_path / f"step-{step}")
    with pytest.raises(SamplerError, match=r"step-0, .*step-3 and 2 more have; give one of these"):
        require_model(tmp_path)


def test_an_index_names_the_weights_that_are_missing(tmp_path: Path) -> None:
    parts = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
    folder = put(indexed(tmp_path / "m", *parts), parts[0])
    with pytest.raises(SamplerError, match=r"lacks 2 of 3 files of weights \(model-00002-of-00003.safetensors, model-00003"):
        require_model(folder)
    (folder / "model.safetensors.index.json").write_text("{")
    with pytest.raises(SamplerError, match=r"index\.json cannot be read"):
        require_model(folder)
    (folder / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(SamplerError, match="names no weights"):
        require_model(folder)


def test_a_link_into_a_cache_that_is_gone_is_missing(tmp_path: Path) -> None:
    folder = put(tmp_path / "m", "config.json")
    (folder / "model.safetensors").symlink_to(tmp_path / "nowhere")
    with pytest.raises(SamplerError, match="lacks 1 of 1"):
        require_model(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_git_lfs_pointer_is_no_file(tmp_path: Path, name: str) -> None:
    folder = whole(tmp_path / "m")
    put(folder, name, content=POINTER)
    with pytest.raises(SamplerError, match=f"{name} is a git-LFS pointer.*git lfs pull"):
        require_model(folder)
    put(folder, name, content="")
    with pytest.raises(SamplerError, match=f"{name} is empty"):
        require_model(folder)


def test_an_adapter_alone_names_its_base(tmp_path: Path) -> None:
    folder = put(tmp_path / "lora", "adapter_model.safetensors")
    put(folder, "adapter_config.json", content='{"base_model_name_or_path": "lab/base-7b", "peft_type": "LORA"}')
    with pytest.raises(SamplerError, match=r"a LoRA adapter of lab/base-7b; give that as the model"):
        require_model(folder)
    require_adapter(folder)


def test_what_is_no_adapter_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SamplerError, match=r"no adapter_config\.json"):
        require_adapter(whole(tmp_path / "m"))
    folder = put(tmp_path / "a", "adapter_model.bin")
    put(folder, "adapter_config.json", content="{}")
    with pytest.raises(SamplerError, match="safe_serialization=True"):
        require_adapter(folder)
    put(folder, "adapter_model.safetensors", content=POINTER)
    with pytest.raises(SamplerError, match="git lfs pull"):
        require_adapter(folder)
    put(folder, "adapter_config.json", content='{"peft_type": "PREFIX_TUNING"}')
    with pytest.raises(SamplerError, match="kind PREFIX_TUNING"):
        require_adapter(folder)


def test_a_file_and_nothing_are_no_models(tmp_path: Path) -> None:
    put(tmp_path, "model.safetensors")
    with pytest.raises(SamplerError, match="is a file"):
        require_model(tmp_path / "model.safetensors")
    with pytest.raises(SamplerError, match="is not there"):
        require_model(tmp_path / "nothing")
    assert has_weights(tmp_path)
    assert not has_weights(tmp_path / "nothing")


def offline(tmp_path: Path, code: str, **environment: str) -> str:
    """What a program prints that has a hub's cache in a folder, and no network."""
    script = f"from engine.hub import *\ntry: print({code})\nexcept SamplerError as error: print('refused:', error)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def cached(tmp_path: Path, kind: str, name: str, *files: str) -> Path:
    """As the hub's own cache has it."""
    repository = tmp_path / "hub" / f"{kind}s--{name.replace('/', '--')}"
    put(repository, "refs/main", content=COMMIT)
    return put(repository / "snapshots" / COMMIT, *files)


def test_what_the_hub_gave_before_is_used_without_a_network(tmp_path: Path) -> None:
    folder = cached(tmp_path, "model", "lab/base", "config.json", "model.safetensors")
    assert offline(tmp_path, "model_folder('lab/base')") == str(folder)
    assert offline(tmp_path, "model_folder('lab/base', weights=False)") == str(folder)
    told = offline(tmp_path, "model_folder('lab/other', 'v2')")
    assert told.startswith("refused: the model lab/other at v2 is not to be had: HF_HUB_OFFLINE is set")
    assert "give its folder with path" in told
    assert "is no name on the hub" in offline(tmp_path, "model_folder('not a name')")


def test_without_weights_configuration_tokenizer_and_chat_template_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer.model", "merges.txt", "chat_template.jinja"]
    weights = ["model.safetensors", "model-00001-of-00002.safetensors"]
    patterns: list[list[str]] = []

    def fetch(name: str, *, allow_patterns: list[str], **_: object) -> str:
        patterns.append(allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    model_folder("lab/base", weights=False)
    model_folder("lab/base")
    few, all_of_it = ([name for name in (*names, *weights, "model.bin") if matches(name, one)] for one in patterns)
    assert few == names
    assert all_of_it == names + weights


def matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def test_a_data_set_of_several_files_asks_which(tmp_path: Path) -> None:
    folder = cached(tmp_path, "dataset", "lab/sums", "data/test.jsonl", "README.md")
    assert offline(tmp_path, "dataset_file('lab/sums')") == str(folder / "data/test.jsonl")
    put(folder, "data/train.jsonl")
    assert "2 files that could hold problems (data/test.jsonl, data/train.jsonl)" in offline(
        tmp_path, "dataset_file('lab/sums')"
    )
    assert offline(tmp_path, "dataset_file('lab/sums', 'data/train.jsonl')") == str(folder / "data/train.jsonl")
    assert "has no file none.jsonl" in offline(tmp_path, "dataset_file('lab/sums', 'none.jsonl')")
