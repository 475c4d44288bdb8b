"""What is fetched from the Hugging Face hub: a model's files, a data set's file. Where HF_HUB_OFFLINE is set, or the network is
not there, what was fetched before is used; what is not there is refused with the way out, a folder or a file.

huggingface_hub comes with transformers, and is imported where something is fetched.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from engine.samplers import needing
from engine.samplers.base import SamplerError

_WITHOUT_WEIGHTS: Final = ("*.json", "*.jinja", "*.txt", "*.model")
_MODEL: Final = ("*.safetensors", *_WITHOUT_WEIGHTS)
"""Configuration, tokenizer and weights; no program code, no pickles."""
_PROBLEMS: Final = (".jsonl", ".json", ".parquet", ".csv", ".jsonl.gz", ".jsonl.zst")
_SHOWN: Final = 5


def model_folder(name: str, revision: str | None = None, *, weights: bool = True) -> Path:
    """The folder that holds a model of the hub, fetched where it is not there yet. Raises SamplerError."""
    way_out = "download it where there is a network, and give its folder with path"
    return _snapshot(name, "model", revision, _MODEL if weights else _WITHOUT_WEIGHTS, way_out)


def dataset_file(name: str, file: str | None = None, revision: str | None = None) -> Path:
    """A file of a data set of the hub; file: its name there, None where it has only one that could hold problems.

    Raises SamplerError where there is none, or are several.
    """
    way_out = "download its file where there is a network, and give it with file"
    wanted = (file,) if file is not None else tuple(f"*{ending}" for ending in _PROBLEMS)
    folder = _snapshot(name, "dataset", revision, wanted, way_out)
    there = [found for found in sorted(folder.rglob("*")) if found.is_file() and _may_hold_problems(found)]
    if file is not None:
        there = [folder / file] if (folder / file).is_file() else []
    if len(there) != 1:
        names = [str(found.relative_to(folder)) for found in there[:_SHOWN]]
        what = f"{len(there)} files that could hold problems ({', '.join(names)}{' …' if len(there) > _SHOWN else ''})"
        has = what if there else f"no file {file}" if file else "no file that could hold problems"
        raise SamplerError(f"the data set {name} has {has}; name the one beside hub with file, or {way_out}")
    return there[0]


def _may_hold_problems(file: Path) -> bool:
    return file.name.endswith(_PROBLEMS) and file.name != "dataset_infos.json" and not file.name.startswith(".")


def _snapshot(name: str, kind: str, revision: str | None, patterns: tuple[str, ...], way_out: str) -> Path:
    what = f"the {'data set' if kind == 'dataset' else kind} {name}" + (f" at {revision}" if revision else "")
    with needing("models"):
        import huggingface_hub
        from huggingface_hub.errors import (
            GatedRepoError,
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
            RepositoryNotFoundError,
            RevisionNotFoundError,
        )
    try:
        return Path(
            huggingface_hub.snapshot_download(
                name, repo_type=kind, revision=revision, allow_patterns=list(patterns), local_files_only=_is_offline()
            )
        )
    except HFValidationError as error:
        raise SamplerError(f'{name} is no name on the hub ({_first(error)}); write hub = "organisation/name"') from None
    except GatedRepoError:
        raise SamplerError(
            f"{what} is gated: accept its terms on the hub and log in with `hf auth login`, or {way_out}"
        ) from None
    except (RepositoryNotFoundError, RevisionNotFoundError):
        raise SamplerError(f"the hub has no such thing as {what}, or it is private; check name and revision") from None
    except LocalEntryNotFoundError:
        why = "HF_HUB_OFFLINE is set, and it was not fetched before" if _is_offline() else "the hub cannot be reached from here"
        raise SamplerError(f"{what} is not to be had: {why}; {way_out}") from None
    except (HfHubHTTPError, OSError) as error:
        raise SamplerError(f"{what} cannot be fetched: {_first(error)}; {way_out}") from None


def _is_offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _first(error: Any) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
