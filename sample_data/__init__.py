"""What comes with the program: tiny real models, the problems held out from them, and a study of what the models answer.

CARD.md says how models and study were made and what they favour; recipe/ is the code that made them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from store.types import Role

HERE: Final = Path(str(files(__name__)))
PROBLEMS: Final = HERE / "problems.jsonl"
STUDY: Final = HERE / "study.db.zst"
"""Packed by `store.texts.pack_file`, like the next."""
LUCKY: Final = HERE / "lucky.db.zst"
"""One trace: a right answer that stands on two slips which cancel (recipe/lucky.py)."""
PROMPT: Final = "Problem: {problem}\nSolution:\n"
MAX_TOKENS: Final = 160
"""Longer than any sound chain; a model that rambles on is cut."""


@dataclass(frozen=True, slots=True)
class TinyModel:
    """A bundled model: its folder under models/, and what a study says of it."""

    folder: str
    name: str
    role: Role
    parent: str | None = None
    algorithm: str | None = None
    step: int | None = None
    training_seed: int | None = None

    @property
    def path(self) -> Path:
        return HERE / "models" / self.folder


BASE: Final = TinyModel("base", "tiny-base", Role.BASE, training_seed=1)
GRPO: Final = tuple(
    TinyModel(f"grpo-{step}", "tiny-grpo", Role.RL, "tiny-base", "GRPO", step, training_seed=21) for step in (30, 60, 90)
)
RLOO: Final = TinyModel("rloo-60", "tiny-rloo-kl", Role.RL, "tiny-base", "RLOO with KL penalty", 60, training_seed=22)
DISTILLED: Final = TinyModel("distilled", "tiny-distilled", Role.DISTILLED, "tiny-base", "supervised on clean chains", 300, 31)
MODELS: Final = (BASE, *GRPO, RLOO, DISTILLED)
