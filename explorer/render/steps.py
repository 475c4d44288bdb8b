"""Where the steps of a trace begin is no matter of display: see `engine.steps`."""

from __future__ import annotations

from engine.steps import Step, split_steps

__all__ = ["Step", "split_steps"]
