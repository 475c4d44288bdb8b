"""Where engines can work: the GPUs that this process may see, in groups; on a machine without any, the CPU.

GPUs are those of CUDA_VISIBLE_DEVICES, by the names it gives them (numbers, UUIDs, MIG instances); where it is not set, those
that the driver tells of. torch is not asked: importing it here would cost seconds, and a CUDA context on every GPU.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.samplers.base import SamplerError

VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
_DRIVER: Final = Path("/proc/driver/nvidia/gpus")
_ASK_S: Final = 60.0
"""nvidia-smi takes long where the driver first has to wake its GPUs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one engine works."""

    number: int
    """From 1."""
    devices: tuple[str, ...]
    """As CUDA_VISIBLE_DEVICES names them; none on a CPU."""

    @property
    def title(self) -> str:
        """What sentences call it."""
        if not self.devices:
            return f"the CPU (engine {self.number})"
        return f"GPU {self.devices[0]}" if len(self.devices) == 1 else f"GPUs {', '.join(self.devices)}"


def places(gpus_each: int = 1, engines: int | None = None, device: str | None = None) -> list[Place]:
    """A place for each group of gpus_each GPUs, at most `engines` of them; on a CPU `engines` places, one unless said.

    device: "cpu" leaves the GPUs alone. Raises SamplerError where too few GPUs are there, or one is named by its number.
    """
    if engines is not None and engines < 1:
        raise SamplerError(f"{engines} engines cannot draw anything; give 1 or more, or leave it out")
    if device is not None and device not in ("cpu", "cuda"):
        raise SamplerError(f"engines get their GPUs dealt, so leave the device '{device}' out and set {VISIBLE} to choose GPUs")
    gpus = () if device == "cpu" else visible_gpus()
    if not gpus and device != "cuda" and gpus_each == 1:
        return [Place(number, ()) for number in range(1, (engines or 1) + 1)]
    groups = [gpus[start : start + gpus_each] for start in range(0, len(gpus) - gpus_each + 1, gpus_each)]
    wanted = engines or max(1, len(groups))
    if len(groups) < wanted:
        raise SamplerError(
            f"{_engines(wanted)} of {_gpus(gpus_each)} each {'needs' if wanted == 1 else 'need'} {_gpus(wanted * gpus_each)},"
            f" {len(gpus) or 'none'} can be seen here ({VISIBLE} or nvidia-smi); ask for fewer GPUs each, or fewer engines"
        )
    return [Place(number, group) for number, group in enumerate(groups[:wanted], start=1)]


def left_idle(chosen: Sequence[Place]) -> str | None:
    """A sentence on the GPUs that can be seen and have no engine; None where there is none."""
    used = {gpu for place in chosen for gpu in place.devices}
    rest = [gpu for gpu in visible_gpus() if gpu not in used] if used else []
    if not rest:
        return None
    each = len(chosen[0].devices)
    return f"GPU {', '.join(rest)} {'is' if len(rest) == 1 else 'are'} left idle: {_engines(len(chosen))} of {_gpus(each)} each"


def visible_gpus() -> tuple[str, ...]:
    """What an engine's CUDA_VISIBLE_DEVICES can be made of, in order."""
    named = os.environ.get(VISIBLE)
    if named is not None:
        return _named(named)
    told = _told_by_nvidia_smi()
    if told is not None:
        return told
    return tuple(map(str, range(len(list(_DRIVER.iterdir()))))) if _DRIVER.is_dir() else ()


def _named(value: str) -> tuple[str, ...]:
    """CUDA reads such a list up to the first name that cannot be one: -1 hides what follows it."""
    gpus: list[str] = []
    for name in (part.strip() for part in value.split(",")):
        if not re.fullmatch(r"\d+|(GPU|MIG)-[\w/-]+", name):
            break
        gpus.append(name)
    return tuple(gpus)


def _told_by_nvidia_smi() -> tuple[str, ...] | None:
    """None where there is no such program, or it fails."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return listed(done.stdout) if done.returncode == 0 else None


def listed(output: str) -> tuple[str, ...]:
    """The GPUs of `nvidia-smi -L`: numbers, and for one that is cut into MIG instances the names of these."""
    gpus: list[str] = []
    for line in output.splitlines():
        if whole := re.match(r"GPU (\d+):", line):
            gpus.append(whole[1])
        elif part := re.match(r"\s+MIG .*\(UUID: (MIG-[^)]+)\)", line):
            if gpus and gpus[-1].isdigit():
                gpus.pop()
            gpus.append(part[1])
    return tuple(gpus)


def _gpus(count: int) -> str:
    return "1 GPU" if count == 1 else f"{count} GPUs"


def _engines(count: int) -> str:
    return "1 engine" if count == 1 else f"{count} engines"
