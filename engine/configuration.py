"""What a model's folder says of the model without its weights: how far it reads, which tokens end a response, its vocabulary.

transformers is imported where a file is read.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from engine.samplers.base import SamplerError


def settings_of(folder: Path) -> tuple[Any, Any]:
    """The configuration of the model there (its text part), and its settings for generation, None without.

    Raises SamplerError where they cannot be read.
    """
    from transformers import AutoConfig, GenerationConfig

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True).get_text_config()
        if not (folder / "generation_config.json").is_file():
            return config, None
        return config, GenerationConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise SamplerError(f"the configuration in {folder} cannot be read: {str(error).splitlines()[0]}") from error


def stop_ids(config: Any, generation: Any, tokenizer: Any) -> tuple[int, ...]:
    """Every end token that a model's configuration, its generation settings (None without) or its tokenizer names."""
    found: set[int] = set()
    for ids in (config.eos_token_id, getattr(generation, "eos_token_id", None), tokenizer.eos_token_id):
        found |= {ids} if isinstance(ids, int) else set(ids or ())
    return tuple(sorted(found))


def vocabulary_digest(tokenizer: Any) -> str:
    """SHA-256 (hex) over the canonical JSON of token -> id, added tokens among them."""
    text = json.dumps(tokenizer.get_vocab(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()
