"""Real vLLM on a CPU: `python -m pytest tests/vllm -n 0`. All of it is skipped where vLLM is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine import samplers
from engine.samplers.base import Opening, Sampler
from sample_data import BASE

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))  # vLLM and what it brings warn of themselves
            if find_spec("vllm") is None:
                item.add_marker(pytest.mark.skip(reason="vLLM is not installed"))


@pytest.fixture(scope="session")
def sampler() -> Iterator[Sampler]:
    """The bundled base model, in float32."""
    with samplers.load("vllm", Opening(BASE.path, dtype="float32")) as sampler:
        yield sampler
