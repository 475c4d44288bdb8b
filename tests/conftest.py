"""For all tests: torch works on the CPU, in one thread of each process, since pytest-xdist fills the cores with processes.

Properties are tried on the same examples each time, so that a change fails for what it changed; new examples are sought with
`pytest --hypothesis-profile=search`.
"""

from __future__ import annotations

import os

from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

settings.register_profile("same", derandomize=True, max_examples=60)
settings.register_profile("search", derandomize=False)
settings.load_profile("same")
