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
        sys.stdout.write(f"{name}  {what.title}\n")
    return 0
