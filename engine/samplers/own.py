"""A sampler of your own: `path.py:Class` draws with a class of a file, made as `Class(opening)`; engine/samplers/base.py says
what it has to do.

The file is loaded where the sampler works: in an engine's process, or for one engine in ours. What it raises as SamplerError is
said as it stands.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import cast

from engine.samplers.base import Opening, Sampler, SamplerError


def is_own(name: str) -> bool:
    """Whether a name is a file's class and not one of the table."""
    file, _, attribute = name.rpartition(":")
    return file.endswith(".py") and attribute.isidentifier()


def require_own(name: str) -> None:
    """Raises SamplerError where the file is not there."""
    file = Path(name.rpartition(":")[0])
    if not file.is_file():
        raise SamplerError(f"the sampler {name} cannot be read: there is no file {file}")


def load_own(name: str, opening: Opening) -> Sampler:
    """Raises SamplerError where the file cannot be loaded, or has no such class."""
    require_own(name)
    file, _, attribute = name.rpartition(":")
    module_name = f"basebound_own_{Path(file).stem}"
    spec = spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise SamplerError(f"the sampler {name} cannot be read: {file} is no Python file")
    module = sys.modules[module_name] = module_from_spec(spec)  # pickles and dataclasses look their module up
    try:
        spec.loader.exec_module(module)
        made = getattr(module, attribute)
    except (SyntaxError, ImportError, AttributeError, NameError) as error:
        raise SamplerError(f"the sampler {name} cannot be loaded: {type(error).__name__}: {error}") from error
    return cast(Sampler, made(opening))
