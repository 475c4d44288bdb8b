"""basebound verifiers: who can judge, and in which version."""

from __future__ import annotations

import argparse
import sys

EXAMPLE = "verifiers"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(arguments: argparse.Namespace) -> int:
    del arguments
    from engine import verifiers

    for name in verifiers.VERIFIERS:
        sys.stdout.write(f"{name}  {verifiers.load(name).version}\n")
    sys.stdout.write("imported  the score that came with a file, kept beside ours\n")
    return 0
