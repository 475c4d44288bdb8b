"""The program inside a worker process: Math-Verify, one pair of answers at a time.

    python -P mathverify.py MEMORY_MB DEADLINE_S

A line of JSON in, [reference, answer]; a line of JSON out, [equal, detail, more]: equal is null for what could not be
decided, and more is false where the process ends after this line. Before all others comes ["ready", null, true] or
["failed", reason, false]. The process ends when its input does, after RECYCLE_AFTER pairs (computer algebra caches and never
forgets), when it has grown large, or, should whoever started it be gone, some seconds past the deadline of its pair.

It imports nothing of ours, so it runs from wherever this file is, and keeps the protocol on a descriptor of its own, so
nothing that a library prints can disturb it. Math-Verify's own timeouts stay off: they need a signal handler, and return
"not equal" where they mean "not decided".
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
from contextlib import suppress
from types import ModuleType
from typing import Any, BinaryIO, Final

RECYCLE_AFTER: Final = 1000
GRACE_S: Final = 2
MIB: Final = 2**20

Answer = tuple[bool | None, str | None]


def main() -> None:
    """Serve pairs from standard input until it ends."""
    memory_mb, deadline_s = int(sys.argv[1]), float(sys.argv[2])
    replies = _private_output()
    logging.disable()
    with suppress(ValueError, OSError):  # some systems know the limit and refuse to set it
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * MIB, memory_mb * MIB))
    try:
        import math_verify  # under the memory limit, and where its absence can be told
    except (ImportError, MemoryError) as error:
        _send(replies, "failed", f"{type(error).__name__}: {error}", more=False)
        return
    _send(replies, "ready", None, more=True)
    _serve(math_verify, replies, deadline_s, room_mb=(memory_mb - _peak_mb()) / 4)


def _serve(math_verify: ModuleType, replies: BinaryIO, deadline_s: float, room_mb: float) -> None:
    """Answer line by line. Math-Verify takes a failed allocation for "not equal": past room_mb a refusal is worth nothing."""
    baseline = _peak_mb()
    for served, line in enumerate(sys.stdin.buffer, start=1):
        before = _peak_mb()
        signal.alarm(int(deadline_s) + GRACE_S)  # nobody handles it: the process ends
        equal, detail = compare(math_verify, *json.loads(line))
        signal.alarm(0)
        if equal is False and _peak_mb() - before > room_mb:
            equal, detail = None, "ran out of memory"
        more = served < RECYCLE_AFTER and _peak_mb() - baseline < room_mb
        _send(replies, equal, detail, more=more)
        if not more:
            return


def compare(math_verify: ModuleType, reference: str, answer: str) -> Answer:
    """Whether Math-Verify holds the answer equal to the reference, less what it is known to get wrong."""
    try:
        gold, target = _read(math_verify, reference), _read(math_verify, answer)
        if math_verify.verify(gold, target, timeout_seconds=None, raise_on_error=True):
            tiny = _differ_in_size(gold[0], target[0])
            return not tiny, "equal to Math-Verify only because both are so small" if tiny else None
    except MemoryError:
        return None, "ran out of memory"
    except Exception as error:  # noqa: BLE001  # a stranger's text in a parser: whatever it raises is about this one pair
        return None, f"Math-Verify failed ({type(error).__name__}: {error})"[:300]
    if not gold or isinstance(gold[0], str):
        return None, "Math-Verify cannot read the reference"
    unread = not target or isinstance(target[0], str)
    return False, "Math-Verify cannot read the answer" if unread else None


def _read(math_verify: ModuleType, answer: str) -> list[Any]:
    """What Math-Verify reads: an expression and its text, the text alone where it cannot parse it, or nothing."""
    parsed: list[Any] = math_verify.parse(f"\\boxed{{{answer}}}", parsing_timeout=None)
    return parsed


def _differ_in_size(gold: Any, target: Any) -> bool:
    """Whether two numbers differ by more than rounding: below 1e-15 Math-Verify takes 1/2^99 for 1/2^98.

    A decimal may stand for an irrational number, as 1.414214 for the root of two, with six digits right.
    """
    if not (getattr(gold, "is_number", False) and getattr(target, "is_number", False)):
        return False
    if "UnevaluatedExpr" in {type(part).__name__ for side in (gold, target) for part in side.args}:
        return False  # a percentage, which may equal the bare number
    if gold.is_zero or target.is_zero:
        return gold.is_zero is not target.is_zero and None not in {gold.is_zero, target.is_zero}
    return bool(abs((gold / target).evalf(15) - 1) > 1e-5)


def _private_output() -> BinaryIO:
    """Standard output for us alone; whoever prints from now on prints to standard error."""
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "wb", buffering=0)


def _send(replies: BinaryIO, first: str | bool | None, detail: str | None, *, more: bool) -> None:
    replies.write(json.dumps([first, detail, more]).encode("ascii") + b"\n")


def _peak_mb() -> float:
    """The most memory this process has used, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main()
