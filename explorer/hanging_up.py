"""A terminal that goes away without a signal: whoever is not in its foreground (under `timeout`, say) is told nothing.

Reading from it then ends at once, for ever, and writing waits for ever: the program would burn a processor until it is killed,
and SIGTERM would not reach it. So a thread looks at the terminal now and then.
"""

from __future__ import annotations

import termios
import threading
import time
from collections.abc import Callable
from typing import Final

LOOK_EVERY_S: Final = 2.0


def watch_terminal(descriptor: int, gone: Callable[[], None], every: float = LOOK_EVERY_S) -> threading.Thread:
    """Call `gone`, in a thread of its own, once the terminal is not there any more. descriptor: open on the terminal."""

    def look() -> None:
        while _is_there(descriptor):
            time.sleep(every)
        gone()

    thread = threading.Thread(target=look, name="terminal-watch", daemon=True)
    thread.start()
    return thread


def _is_there(descriptor: int) -> bool:
    try:
        termios.tcgetattr(descriptor)
    except (OSError, termios.error):
        return False
    return True
