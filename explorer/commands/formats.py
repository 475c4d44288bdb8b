"""basebound formats: what can be imported, with one line of each."""

from __future__ import annotations

import argparse
import sys

EXAMPLE = "formats"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(arguments: argparse.Namespace) -> int:
    del arguments
    from engine.importers import all_importers

    for importer in all_importers():
        sys.stdout.write(f"{importer.name}: {importer.title}\n    {importer.example}\n\n")
    return 0
