"""For all tests: torch works with one thread in each process, since pytest-xdist already fills the cores with processes."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
