"""Copying that survives SSH and tmux, and says which way it went.

Inside tmux the text goes to tmux (`load-buffer -w`, which also passes it to the terminal), because a default tmux drops the
escape sequence (OSC 52) that is used elsewhere. No way can tell whether the terminal took it, so the text is always left in
a file for this user's eyes only as well.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

_TMUX_SECONDS: Final = 2


def clip_file() -> Path:
    """Where copied text is left: $XDG_CACHE_HOME or ~/.cache, basebound/clip.txt."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "basebound" / "clip.txt"


def write_clip_file(text: str) -> Path | None:
    """Leave the text in `clip_file` with mode 0600; None where the folder cannot be written."""
    path = clip_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError:
        return None
    return path


def copy_to_tmux(text: str) -> bool:
    """Hand the text to the tmux this runs in; False where there is none, or it does not take it."""
    if not os.environ.get("TMUX"):
        return False
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"], input=text.encode(), capture_output=True, timeout=_TMUX_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
