"""These tests need the extra `ray` and a gigabyte: `python -m pytest tests/ray -n 0`. Without ray they are skipped."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if importlib.util.find_spec("ray") is None:
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="ray is not installed: pip install 'basebound[ray]'"))
