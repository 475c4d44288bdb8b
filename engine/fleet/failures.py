"""Sentences on engines that ended when they should not have: what happened, where, and what to change."""

from __future__ import annotations

from pathlib import Path

from engine.fleet.messages import Broke
from engine.fleet.places import Place


def of_death(place: Place, how: str, broke: Broke | None, log: Path) -> str:
    """how: as the process ended, "signal 9". broke: its last words, where it had any."""
    where = place.title
    if broke is not None and broke.memory and place.devices:
        return (
            f"the engine on {where} ran out of GPU memory ({broke.sentence}); give a smaller batch or context_cap, or more GPUs"
            f" to each engine (tensor_parallel); its log is {log}"
        )
    if broke is not None and broke.memory:
        return (
            f"the engine on {where} ran out of memory ({broke.sentence}); give a smaller batch or fewer engines;"
            f" its log is {log}"
        )
    if broke is not None:
        return f"the engine on {where} broke ({broke.sentence}); its log is {log}"
    if how == "signal 9":
        return (
            f"the engine on {where} was killed (signal 9), often because the machine's memory ran out: use fewer engines or a"
            f" smaller batch; its log is {log}"
        )
    return f"the engine on {where} ended with {how}; its log is {log}"
