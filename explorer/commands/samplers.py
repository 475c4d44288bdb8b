"""basebound samplers: what can draw responses."""

from __future__ import annotations

import argparse
import sys

EXAMPLE = "samplers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(arguments: argparse.Namespace) -> int:
    del arguments
    from engine import samplers

    for name, what in samplers.SAMPLERS.items():
        needs = f" (pip install 'basebound[{what.extra}]')" if what.extra else ""
        sys.stdout.write(f"{name}  {what.title}{needs}\n")
    sys.stdout.write("PATH.py:CLASS  your own class(opening); engine/samplers/base.py says what it does\n")
    return 0
