"""A terminal that goes away is noticed, whether or not a signal says so."""

from __future__ import annotations

import os
import pty
import threading

from explorer.hanging_up import watch_terminal


def test_a_terminal_that_has_gone_is_noticed_and_one_that_is_there_is_not() -> None:
    ours, theirs = pty.openpty()
    gone = threading.Event()
    thread = watch_terminal(theirs, gone.set, every=0.01)
    try:
        assert not gone.wait(0.2)
        os.close(ours)
        assert gone.wait(20)
        thread.join(20)
        assert not thread.is_alive()
    finally:
        os.close(theirs)
