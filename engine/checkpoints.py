"""Where a model's weights lie: a folder as transformers saves one, and what is no such folder named for what it is.

A trainer's own files (shards of FSDP, DeepSpeed, Megatron, an adapter alone) hold the weights in pieces: they are recognised
and refused with the way out, because an engine's own complaint about them says nothing of it. Weights are read from safetensors
only: a pickle may run what it likes. Nothing is loaded here; of weights the first bytes are looked at.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engine.samplers.base import SamplerError

if TYPE_CHECKING:
    from engine.declaration import DeclaredModel

INDEX: Final = "model.safetensors.index.json"
_PART: Final = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.safetensors")
_POINTER: Final = b"version https://git-lfs"
_AS_SAVED: Final = "give a folder as transformers saves one"
_SHOWN: Final = 4


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a trainer leaves of a model, and how it becomes one."""

    what: str
    patterns: tuple[str, ...]
    """Any of these."""
    way_out: str
    """{at}: where the pieces lie."""


PIECES: Final = (
    Pieces(
        "shards of FSDP, as verl saves them",
        ("model_world_size_*_rank_*.pt",),
        "merge them: python -m verl.model_merger merge --backend fsdp --local_dir {at} --target_dir MERGED; then give MERGED",
    ),
    Pieces(
        "shards of Megatron",
        ("iter_*/mp_rank_*", "mp_rank_*/*.pt", "common.pt", "dist_ckpt"),
        "export them in the format of Hugging Face with the converter of what trained it, and give the exported folder",
    ),
    Pieces(
        "shards of DeepSpeed",
        ("zero_to_fp32.py", "mp_rank_*_model_states.pt", "zero_pp_rank_*.pt", "global_step*/*_model_states.pt"),
        "merge them: cd {at} && python zero_to_fp32.py . MERGED --safe_serialization; add config and tokenizer; give MERGED",
    ),
    Pieces(
        "shards of PyTorch's distributed checkpoint (FSDP)",
        ("*.distcp", ".metadata"),
        "merge them: accelerate merge-weights {at} MERGED; add config and tokenizer; give MERGED",
    ),
)
"""Megatron's come before those that look like them: its folders are mp_rank_* as well, its newer files *.distcp."""


def folder_of(model: DeclaredModel, *, weights: bool = True) -> Path:
    """Where a declared model lies: its path, or what the hub has of it, fetched. weights: without them only
    configuration and tokenizer are wanted, for a server's model or a dry run.

    Raises SamplerError where it is not to be had, and where it is no model.
    """
    if model.path is not None:
        folder = model.path
    else:
        from engine.hub import model_folder

        assert model.hub is not None, "a model has a path or a hub name, checked on reading"
        folder = model_folder(model.hub, model.revision, weights=weights)
    if weights:
        require_model(folder)
    return folder


def has_weights(folder: Path) -> bool:
    """Whether any lie here."""
    return bool(_weights(folder))


def require_model(folder: Path) -> None:
    """Raises SamplerError unless a whole model lies in the folder."""
    if not folder.is_dir():
        what = "is a file" if folder.is_file() else "is not there"
        raise SamplerError(f"{folder} {what}, so there is no config.json in it; {_AS_SAVED}")
    if (folder / "config.json").is_file() and _weights(folder):
        _require_whole(folder)
        return
    _refuse_one_above(folder)
    _refuse_pieces(folder)
    if not (folder / "config.json").is_file():
        _refuse_without_config(folder)
    _refuse_without_weights(folder)


def require_adapter(folder: Path) -> None:
    """Raises SamplerError unless a LoRA adapter lies in the folder."""
    file = folder / "adapter_config.json"
    if not file.is_file():
        raise SamplerError(f"{folder} is no adapter: it has no adapter_config.json; give a folder as peft saves one")
    kind = _json(file).get("peft_type", "LORA")
    if kind != "LORA":
        raise SamplerError(f"{folder} is an adapter of the kind {kind}; only LoRA is added here: merge it into its model")
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise SamplerError(f"{folder} has no adapter_model.safetensors; save the adapter with safe_serialization=True")
    _refuse_broken_off([weights])


def _weights(folder: Path) -> list[Path]:
    """Files of weights, an adapter's left out. A link to nowhere is one: it is missing, and told by name."""
    return [file for file in sorted(folder.glob("*.safetensors")) if not file.name.startswith("adapter_")]


def _require_whole(folder: Path) -> None:
    """Every file of weights is there, and none is a pointer to what was never fetched."""
    there = _weights(folder)
    index = folder / INDEX
    _refuse_broken_off([folder / "config.json", *([index] if index.is_file() else [])])
    wanted = _named_by(index) if index.is_file() else _all_parts(there)
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise SamplerError(
            f"{folder} lacks {len(missing)} of {len(wanted)} files of weights ({_listed(missing)}); copy or download it again"
        )
    _refuse_broken_off([*there, *(folder / name for name in ("tokenizer.json", "tokenizer.model"))])


def _named_by(index: Path) -> list[str]:
    names = _json(index).get("weight_map")
    if not isinstance(names, dict):
        raise SamplerError(f"{index} names no weights; copy or download the folder again")
    return sorted({str(name) for name in names.values()})


def _all_parts(there: Sequence[Path]) -> list[str]:
    """All names that parts like model-00001-of-00004.safetensors belong to; of other files their own."""
    wanted: dict[str, None] = {}
    for file in there:
        part = _PART.fullmatch(file.name)
        if part is None:
            wanted[file.name] = None
        else:
            wanted |= {f"{part[1]}-{number:05}-of-{part[3]}.safetensors": None for number in range(1, int(part[3]) + 1)}
    return list(wanted)


def _refuse_broken_off(files: Iterable[Path]) -> None:
    for file in files:
        if not file.is_file():
            continue
        with file.open("rb") as content:
            start = content.read(len(_POINTER))
        if start == _POINTER:
            raise SamplerError(f"{file} is a git-LFS pointer, not the file itself; fetch it: git lfs pull")
        if not start:
            raise SamplerError(f"{file} is empty; copy or download it again")


def _refuse_one_above(folder: Path) -> None:
    inner = [found for found in _folders(folder) if (found / "config.json").is_file() and _weights(found)]
    if inner and not (folder / "config.json").is_file():
        which = "has one; give that" if len(inner) == 1 else "have; give one of these"
        raise SamplerError(f"{folder} is no model: it has no config.json, but {_listed([str(at) for at in inner])} {which}")


def _refuse_pieces(folder: Path) -> None:
    """Raises SamplerError where a trainer's pieces lie here, up to two folders below (step, then actor), or above: verl keeps
    configuration and tokenizer in a folder of their own, DeepSpeed what merges above the shards."""
    below = _folders(folder)
    above = [folder.parent] if folder.name.startswith(("huggingface", "global_step")) else []
    for at in (*above, folder, *below, *(deeper for one in below for deeper in _folders(one))):
        for pieces in PIECES:
            if any(_there(at, pattern) for pattern in pieces.patterns):
                where = "" if at == folder else f" (in {at})"
                way_out = pieces.way_out.format(at=shlex.quote(str(at)))
                raise SamplerError(f"{folder} is no model: it holds {pieces.what}{where}, not whole weights; {way_out}")


def _there(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None


def _refuse_without_config(folder: Path) -> None:
    if (folder / "adapter_config.json").is_file():
        base = _json(folder / "adapter_config.json").get("base_model_name_or_path") or "the model it was trained on"
        raise SamplerError(
            f"{folder} is no model but a LoRA adapter of {base}; give that as the model, and this folder as its adapter"
        )
    if _weights(folder):
        raise SamplerError(
            f"{folder} has weights but no config.json; copy it, and the tokenizer, from the model it was trained from"
        )
    raise SamplerError(f"{folder} is no model: it has no config.json; {_AS_SAVED}")


def _refuse_without_weights(folder: Path) -> None:
    lead = f"{folder} cannot be loaded as a model: it has"
    if _there(folder, "pytorch_model*.bin"):
        raise SamplerError(
            f"{lead} pytorch_model.bin but no safetensors, and a pickle may run what it likes: load it where you trust it,"
            " and save it with save_pretrained"
        )
    if _there(folder, "*.gguf"):
        raise SamplerError(f"{lead} a GGUF file but no safetensors; give the folder that it was made from")
    raise SamplerError(f"{lead} a config.json but no weights (*.safetensors); copy or download them too")


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(found for found in folder.iterdir() if found.is_dir())
    except PermissionError:
        return []  # what may not be read is not what was meant


def _json(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise SamplerError(f"{file} cannot be read: {error}; copy or download it again") from None
    return value if isinstance(value, dict) else {}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
